// Stopping criteria from a configuration.
#pragma once

#include <memory>

#include "eigengrad/config/registry.h"
#include "eigengrad/train/stopping.h"

namespace eigengrad::train {

struct CriterionFunctions {
  std::unique_ptr<StopCriterion> (*make)(const void* options);
};
using CriterionTable = config::Registry<CriterionFunctions>;
/// Every stopping criterion of the library.
const CriterionTable& criteria();

}  // namespace eigengrad::train
