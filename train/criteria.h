// Stopping criteria from a configuration.
#pragma once

#include <memory>

#include "eigengrad/config/registry.h"
#include "eigengrad/train/stopping.h"

namespace eigengrad::train {

/// What the table knows of a criterion besides its options.
struct CriterionFunctions {
  std::unique_ptr<StopCriterion> (*make)(const void* options);
};
using CriterionTable = config::Registry<CriterionFunctions>;
/// Every stopping criterion of the library.
/// Every stopping criterion of the library.
const CriterionTable& criteria();

}  // namespace eigengrad::train
