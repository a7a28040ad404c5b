// When training stops. A criterion is a small object that looks at the state after every step and says why to stop.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace eigengrad::train {

/// What a criterion may look at: plain numbers, so that criteria are tested without training.
struct TrainState {
  std::int64_t step = 0;     ///< optimizer steps taken in all
  std::int64_t epoch = 0;    ///< epochs finished
  double seconds = 0;        ///< since training began, by a clock that only goes forward
  bool epoch_ended = false;  ///< whether this look is at the end of an epoch, with the metrics of that epoch
  /// By name: loss (of the step, or mean over the epoch), grad_norm, and at the end of an epoch valid_loss and the
  /// metrics: accuracy, valid_accuracy and so on.
  std::map<std::string, double> metrics;
};

enum class StopKind { MaxEpochs, MaxSteps, MaxSeconds, TargetMetric, NoImprovement, NonFinite, GradNorm, All, User };

/// "max_epochs" and so on: the name under which the criterion is configured.
std::string to_string(StopKind kind);

struct StopReason {
  StopKind kind;
  std::string text;  ///< a sentence with the figures
};

/// Whether small or large values of a metric are good. Auto: large for names that contain accuracy, precision, recall,
/// f1 or r2, small for others.
enum class Mode { Auto, Min, Max };

/// A reason to stop, looked for after every step and at the end of every epoch.
class StopCriterion {
 public:
  virtual ~StopCriterion() = default;
  /// The reason to stop now, or nothing. Throws ConfigError when a metric that it needs is not measured, listing those
  /// that are.
  virtual std::optional<StopReason> check(const TrainState& state) = 0;
  /// Whether it follows the state at all: called when training begins.
  virtual void reset() {}
};

/// After a number of epochs.
struct MaxEpochsOptions {
  std::int64_t epochs = 10;
};
class MaxEpochs : public StopCriterion {
 public:
  using Options = MaxEpochsOptions;
  explicit MaxEpochs(Options options);
  std::optional<StopReason> check(const TrainState& state) override;

 private:
  Options options_;
};

/// After a number of optimizer steps.
struct MaxStepsOptions {
  std::int64_t steps = 1000;
};
class MaxSteps : public StopCriterion {
 public:
  using Options = MaxStepsOptions;
  explicit MaxSteps(Options options);
  std::optional<StopReason> check(const TrainState& state) override;

 private:
  Options options_;
};

/// When a time has passed: at the first step that ends after it.
struct MaxSecondsOptions {
  double seconds = 60;
};
class MaxSeconds : public StopCriterion {
 public:
  using Options = MaxSecondsOptions;
  explicit MaxSeconds(Options options);
  std::optional<StopReason> check(const TrainState& state) override;

 private:
  Options options_;
};

/// When a metric has reached a value, at the end of an epoch.
struct TargetMetricOptions {
  std::string metric = "valid_accuracy";
  double target = 0.99;
  Mode mode = Mode::Auto;
};
class TargetMetric : public StopCriterion {
 public:
  using Options = TargetMetricOptions;
  explicit TargetMetric(Options options);
  std::optional<StopReason> check(const TrainState& state) override;

 private:
  Options options_;
};

/// When a metric has not become better, by more than min_delta, for `patience` epochs. A NaN is never better.
struct NoImprovementOptions {
  std::string metric = "valid_loss";
  std::int64_t patience = 5;
  double min_delta = 0;
  Mode mode = Mode::Auto;
};
class NoImprovement : public StopCriterion {
 public:
  using Options = NoImprovementOptions;
  explicit NoImprovement(Options options);
  std::optional<StopReason> check(const TrainState& state) override;
  void reset() override;

 private:
  Options options_;
  double best_;
  std::int64_t best_epoch_ = 0;
};

/// When the norm of the gradient of all parameters has fallen below a tolerance: training has converged.
struct GradNormOptions {
  double tolerance = 1e-4;
};
class GradNorm : public StopCriterion {
 public:
  using Options = GradNormOptions;
  explicit GradNorm(Options options);
  std::optional<StopReason> check(const TrainState& state) override;

 private:
  Options options_;
};

/// When all of several criteria hold at once. (A trainer stops as soon as any one of its criteria holds.)
class AllOf : public StopCriterion {
 public:
  explicit AllOf(std::vector<std::unique_ptr<StopCriterion>> criteria);
  std::optional<StopReason> check(const TrainState& state) override;
  void reset() override;

 private:
  std::vector<std::unique_ptr<StopCriterion>> criteria_;
};

/// The value of a metric. Throws ConfigError, naming `owner`, when it is not measured, listing those that are.
double metric_of(const TrainState& state, const std::string& name, const char* owner);

/// Whether larger is better for a metric under a mode.
bool larger_is_better(Mode mode, const std::string& metric);

}  // namespace eigengrad::train
