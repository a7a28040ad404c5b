// Which parameters of a model a part of a configuration is about.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad::optim {

/// The parameters of a model by name, in its order.
using NamedParameters = std::vector<std::pair<std::string, Tensor>>;

/// Whether a name is as a pattern says, in which * stands for any characters and ? for any one.
bool matches(std::string_view name, std::string_view pattern);

/// Patterns of names, and where they stand in the configuration.
class ParameterFilter {
 public:
  /// A field that is an array of patterns, or one alone.
  void describe(config::Fields& f, const config::Field& field);
  /// The parameters that a pattern names, or all where there is none, taken out of `rest`. A pattern that names none of
  /// them is a mistake.
  NamedParameters take(NamedParameters& rest, config::Diagnostics& diagnostics) const;

 private:
  std::vector<std::string> patterns_;
  std::string pointer_;
  config::Position position_;
};

}  // namespace eigengrad::optim
