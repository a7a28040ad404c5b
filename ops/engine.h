// Which library computes the heavy ops: products of matrices and convolutions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace eigengrad {

/// A library for products and convolutions.
struct EngineInfo {
  std::string name;     ///< "own", "onednn", "eigen"
  std::string version;  ///< "oneDNN 2.6.3"
};

/// Those that this library was built with, the best first. "own" and "eigen" are always there.
std::vector<EngineInfo> engines();
/// The one in use: the one that EIGENGRAD_ENGINE names, else the best.
std::string engine_name();
/// Uses another from now on, on all threads. Throws ValueError for a name that is not in engines().
void set_engine(std::string_view name);

/// The widest instructions that the library's own loops use here: "AVX-512", "AVX2, chosen at run time", ...
std::string instruction_set();

}  // namespace eigengrad
