// Optimizers from a configuration.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct OptimizerFunctions {
  std::unique_ptr<Optimizer> (*make)(const std::vector<Tensor>& parameters, const void* options);
};
using OptimizerTable = config::Registry<OptimizerFunctions>;
/// Every optimizer of the library.
const OptimizerTable& optimizers();

}  // namespace eigengrad::optim
