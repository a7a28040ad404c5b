// What modules are in a configuration: containers by their class, all others by the row of the table that they are made
// from. For build.cc, config.cc and clone.cc.
#pragma once

#include <cstddef>
#include <memory>
#include <typeinfo>
#include <utility>

#include "eigengrad/nn/build.h"
#include "eigengrad/nn/container.h"

namespace eigengrad::nn {

inline constexpr const char* kSequential = "Sequential";
inline constexpr const char* kResidual = "Residual";
inline constexpr const char* kGraph = "Graph";
inline constexpr const char* kInput = "input";  // of a Graph, unless it has names of its own

/// A row of the table, and the options that it gives a layer.
struct Row {
  std::size_t index;
  const void* options;
};

/// Stands in a plan for a layer that is not made.
class Planned : public Module {
 public:
  explicit Planned(std::unique_ptr<config::Configured> row) : row_(std::move(row)) {}
  Row row() const { return {row_->index, row_->options.get()}; }

 private:
  const std::unique_ptr<config::Configured> row_;
};

/// Throws ValueError for a module that is not in the table; `wanted` is what cannot be done to it then.
Row row_of(const Module& module, const LayerTable& table, const char* wanted);

/// What model_config gives, but for parameters that are tied.
config::Value config_without_ties(const Module& module, const LayerTable& table);

/// Null unless the module is of this class and not of one derived from it, which may do something else.
template <class Container>
const Container* as(const Module& module) {
  return typeid(module) == typeid(Container) ? static_cast<const Container*>(&module) : nullptr;
}

}  // namespace eigengrad::nn
