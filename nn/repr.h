// How values stand in the print-outs of modules: as Python prints them.
#pragma once

#include <string>

#include "eigengrad/core/dims.h"

namespace eigengrad::nn {

/// "True" or "False".
inline const char* bool_text(bool value) { return value ? "True" : "False"; }
/// "0.5", "1.0", "1e-05".
std::string number_text(double value);
/// "(5, 5)"
std::string pair_text(Pair pair);
/// "(2, 3)", "(2,)"
std::string tuple_text(const Dims& dims);

}  // namespace eigengrad::nn
