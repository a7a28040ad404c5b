// Optimizers and schedules from a configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/optim/filter.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// What the table knows of an optimizer besides its options.
struct OptimizerFunctions {
  /// Makes an optimizer of those parameters that its configuration names, and takes them out of `rest`.
  std::unique_ptr<Optimizer> (*make)(NamedParameters& rest, const config::Configured& row,
                                     config::Diagnostics& diagnostics);
};
using OptimizerTable = config::Registry<OptimizerFunctions>;
/// Every optimizer of the library. Besides its own options a row has "parameters", patterns of the names of those that
/// it changes (all, unless given), and "groups", each with "parameters" and options that differ from the row's:
///   {"type": "AdamW", "lr": 0.001, "groups": [{"parameters": ["*.bias", "norm?.*"], "weight_decay": 0}]}
/// In a pattern * stands for any characters and ? for any one; a parameter belongs to the first group that names it.
const OptimizerTable& optimizers();

/// Makes the optimizer of a configuration: one row, or several that share the parameters, the first that names one
/// getting it. What is wrong goes to the diagnostics: patterns that name nothing, parameters that nobody changes,
/// options that contradict each other.
std::unique_ptr<Optimizer> build_optimizer(const config::ConfiguredRows& rows, NamedParameters parameters,
                                           config::Diagnostics& diagnostics);

}  // namespace eigengrad::optim
