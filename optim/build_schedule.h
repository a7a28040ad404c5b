// Learning-rate schedules from a configuration.
#pragma once

#include <memory>

#include "eigengrad/config/registry.h"
#include "eigengrad/optim/schedule.h"

namespace eigengrad::optim {

/// After what a training loop calls LRScheduler::step().
enum class Interval { Epoch, Step };

/// What the table knows of a schedule besides its options.
struct ScheduleFunctions {
  /// Throws ValueError for options that contradict each other or do not fit the optimizer.
  std::unique_ptr<LRScheduler> (*make)(Optimizer& optimizer, const void* options);
  /// After what it goes on unless a configuration says so.
  Interval (*interval)(const void* options);
  /// Tells a schedule that spans the whole run how often it will go on, where it has not been told; else null.
  void (*set_total)(void* options, std::int64_t times) = nullptr;
};
using ScheduleTable = config::Registry<ScheduleFunctions>;
/// Every schedule of the library but LambdaLR, which needs a function. Besides its own options a row has "interval",
/// "epoch" or "step"; schedules within a schedule have not.
const ScheduleTable& schedules();

}  // namespace eigengrad::optim
