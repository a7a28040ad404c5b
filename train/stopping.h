// When training stops. A criterion is a small object that looks at the state after every step and says why to stop.
//
// A criterion is a struct of options with a describe(), and a class with a kName and look(). stopping.h and stopping.cc
// have all of them. Its line in criteria.cc makes it known to configurations.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/optim/state.h"

namespace eigengrad::train {

/// What a criterion may look at: plain numbers, so that criteria are tested without training.
struct TrainState {
  std::int64_t step = 0;     ///< optimizer steps taken in all
  std::int64_t epoch = 0;    ///< epochs finished
  std::int64_t samples = 0;  ///< samples trained on in all
  double seconds = 0;        ///< of training, by a clock that only goes forward; a resumed run counts on
  bool epoch_ended = false;  ///< whether this look is at the end of an epoch, with the metrics of that epoch
  bool validated = false;    ///< whether the model has just been validated
  /// By name: loss (of the step, or mean over the epoch), grad_norm, lr (of the first group), and at the end of an
  /// epoch the metrics: accuracy and so on; where the model has been validated valid_loss, valid_accuracy and so on.
  std::map<std::string, double> metrics{};
};

/// Why training has stopped.
struct StopReason {
  std::string kind;  ///< the name under which the criterion is configured: "max_epochs"
  std::string text;  ///< a sentence with the figures
};

/// The kinds that a trainer knows: training stopped because a number was not finite, because the process was told to
/// end, because there was a file that asks for it.
inline constexpr const char* kNonFinite = "non_finite";
inline constexpr const char* kSignal = "signal";
inline constexpr const char* kStopFile = "stop_file";

/// Whether small or large values of a metric are good. Auto: large for names that contain accuracy, precision, recall,
/// f1 or r2, small for others.
enum class Mode { Auto, Min, Max };

/// Whether larger is better for a metric under a mode.
bool larger_is_better(Mode mode, const std::string& metric);
/// Whether a value is better than another by more than a distance. A NaN is never better; anything else is better than
/// a NaN.
bool is_better(double value, double than, bool larger, double distance = 0);

/// A reason to stop, looked for after every step, every validation and at the end of every epoch. One of your own:
///
///   struct LossBelow : train::StopCriterion {
///     std::optional<train::StopReason> check(const train::TrainState& state) override {
///       if (state.metrics.at("loss") > 0.01) return std::nullopt;
///       return train::StopReason{"loss_below", "the loss is small enough"};
///     }
///   };
class StopCriterion {
 public:
  virtual ~StopCriterion() = default;
  /// The reason to stop now, or nothing. Throws ConfigError when a metric that it needs is not measured, listing those
  /// that are.
  virtual std::optional<StopReason> check(const TrainState& state) = 0;
  /// The reason why training that goes on has nothing left to do: a limit that is reached already.
  virtual std::optional<StopReason> reached(const TrainState&) { return std::nullopt; }
  /// Forgets what it has seen: called when training begins.
  virtual void reset() {}
  /// Visits the numbers that it remembers, which a resumed run needs.
  virtual void describe_state(optim::StateFields&) {}
};

/// The canonical criterion. `Derived` has a kName and look(), the text of the reason to stop now; with a kIsLimit it is
/// also asked before training goes on. The options are held to the bounds that their describe() gives: ValueError.
template <class Derived, class OptionsType>
class Criterion : public StopCriterion {
 public:
  using Options = OptionsType;
  explicit Criterion(Options options) : options_(std::move(options)) {
    config::check_options(Derived::kName, options_);
  }
  std::optional<StopReason> check(const TrainState& state) final {
    std::optional<std::string> text = static_cast<Derived*>(this)->look(state);
    if (!text) return std::nullopt;
    return StopReason{Derived::kName, std::move(*text)};
  }
  std::optional<StopReason> reached(const TrainState& state) final {
    if constexpr (requires { Derived::kIsLimit; }) {
      TrainState between_epochs = state;
      between_epochs.epoch_ended = true;
      return check(between_epochs);
    }
    return std::nullopt;
  }

 protected:
  const Options options_;
};
/// A sentence with the figures, or nothing.
using Text = std::optional<std::string>;

/// The value of a metric at a state. Throws ConfigError, naming `owner`, when it is not measured, listing those that
/// are.
double metric_of(const TrainState& state, const std::string& name, const char* owner);
/// The same where this state has a new one: what is validated is new after every validation, all else at the end of an
/// epoch.
std::optional<double> new_value(const TrainState& state, const std::string& name, const char* owner);

// ---- How long.

struct MaxEpochsOptions {
  std::int64_t epochs = 10;  ///< epochs to train
};
void describe(config::Fields& f, MaxEpochsOptions& o);
/// After a number of epochs.
class MaxEpochs : public Criterion<MaxEpochs, MaxEpochsOptions> {
 public:
  static constexpr const char* kName = "max_epochs";
  static constexpr bool kIsLimit = true;
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

struct MaxStepsOptions {
  std::int64_t steps = 1000;  ///< optimizer steps to train
};
void describe(config::Fields& f, MaxStepsOptions& o);
/// After a number of optimizer steps.
class MaxSteps : public Criterion<MaxSteps, MaxStepsOptions> {
 public:
  static constexpr const char* kName = "max_steps";
  static constexpr bool kIsLimit = true;
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

struct MaxSamplesOptions {
  std::int64_t samples = 1'000'000;  ///< samples to train on, each counted as often as it is seen
};
void describe(config::Fields& f, MaxSamplesOptions& o);
/// At the first step by which so many samples were seen, each as often as it was trained on.
class MaxSamples : public Criterion<MaxSamples, MaxSamplesOptions> {
 public:
  static constexpr const char* kName = "max_samples";
  static constexpr bool kIsLimit = true;
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

struct MaxSecondsOptions {
  double seconds = 60;       ///< seconds that training may take
  bool whole_epochs = true;  ///< do not begin an epoch that would, going by the last one, end too late
};
void describe(config::Fields& f, MaxSecondsOptions& o);
/// Before a time has passed: it does not begin an epoch for which too little time is left. If it was wrong about that,
/// at the first step after the time.
class MaxSeconds : public Criterion<MaxSeconds, MaxSecondsOptions> {
 public:
  static constexpr const char* kName = "max_seconds";
  using Criterion::Criterion;
  Text look(const TrainState& state);
  void reset() override { epoch_began_ = 0; }
  void describe_state(optim::StateFields& f) override;

 private:
  double epoch_began_ = 0;
};

// ---- How good.

struct TargetMetricOptions {
  /// Name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on.
  std::string metric = "valid_accuracy";
  double target = 0.99;  ///< the value to reach
  /// Whether small or large values are good; auto: large for accuracies and the like.
  Mode mode = Mode::Auto;
};
void describe(config::Fields& f, TargetMetricOptions& o);
/// When a metric has reached a value, at the end of an epoch or at a validation.
class TargetMetric : public Criterion<TargetMetric, TargetMetricOptions> {
 public:
  static constexpr const char* kName = "target_metric";
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

/// In what patience is counted: epochs, values of the metric, optimizer steps.
enum class PatienceUnit { Epochs, Evaluations, Steps };

struct NoImprovementOptions {
  /// Name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on.
  std::string metric = "valid_loss";
  std::int64_t patience = 5;  ///< how long to wait for an improvement
  /// In what patience is counted: epochs, values of the metric, optimizer steps.
  PatienceUnit unit = PatienceUnit::Epochs;
  double min_delta = 0;           ///< what counts as an improvement must be larger
  double min_relative_delta = 0;  ///< and larger than this share of the best
  std::int64_t start_epoch = 0;   ///< epochs that pass before it begins to look
  Mode mode = Mode::Auto;         ///< whether small or large values are good; auto: large for accuracies and the like
};
void describe(config::Fields& f, NoImprovementOptions& o);
/// Early stopping: when a metric has not become better for some time. A NaN is never better.
class NoImprovement : public Criterion<NoImprovement, NoImprovementOptions> {
 public:
  static constexpr const char* kName = "no_improvement";
  explicit NoImprovement(Options options) : Criterion(std::move(options)) { NoImprovement::reset(); }
  Text look(const TrainState& state);
  void reset() override;
  void describe_state(optim::StateFields& f) override;

 private:
  std::int64_t now(const TrainState& state) const;

  double best_;
  std::int64_t evaluations_ = 0;
  std::int64_t best_at_ = 0, best_epoch_ = 0;  // in units, and in epochs
};

struct SmallImprovementOptions {
  std::string metric = "loss";  ///< name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on
  double tolerance = 1e-3;      ///< the share of itself by which it must change
  std::int64_t window = 5;      ///< values over which it must change by so much
};
void describe(config::Fields& f, SmallImprovementOptions& o);
/// When a metric has changed for the better by less than a share of itself over the last `window` values.
class SmallImprovement : public Criterion<SmallImprovement, SmallImprovementOptions> {
 public:
  static constexpr const char* kName = "small_improvement";
  using Criterion::Criterion;
  Text look(const TrainState& state);
  void reset() override { values_.clear(); }
  void describe_state(optim::StateFields& f) override;

 private:
  std::vector<double> values_;  // the last of them, the newest at the end
};

struct GradNormOptions {
  double tolerance = 1e-4;  ///< the norm of the gradient below which to stop
};
void describe(config::Fields& f, GradNormOptions& o);
/// When the norm of the gradient of all parameters has fallen below a tolerance: training has converged.
class GradNorm : public Criterion<GradNorm, GradNormOptions> {
 public:
  static constexpr const char* kName = "grad_norm";
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

struct MinLROptions {
  double lr = 1e-6;  ///< the learning rate below which to stop
};
void describe(config::Fields& f, MinLROptions& o);
/// When the learning rate has fallen below a floor: a schedule has come to its end.
class MinLR : public Criterion<MinLR, MinLROptions> {
 public:
  static constexpr const char* kName = "min_lr";
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

// ---- What went wrong, and who asks.

struct DivergenceOptions {
  std::string metric = "loss";  ///< name of a metric of which small values are good: loss, valid_loss
  double factor = 3;            ///< times its best above which to stop
  bool every_step = false;      ///< look at the loss of every step as well, instead of its mean over epochs alone
};
void describe(config::Fields& f, DivergenceOptions& o);
/// When a metric of which small values are good is above `factor` times its best.
class Divergence : public Criterion<Divergence, DivergenceOptions> {
 public:
  static constexpr const char* kName = "divergence";
  explicit Divergence(Options options) : Criterion(std::move(options)) { Divergence::reset(); }
  Text look(const TrainState& state);
  void reset() override;
  void describe_state(optim::StateFields& f) override;

 private:
  double best_;
};

struct NonFiniteOptions {
  std::string metric = "valid_loss";  ///< what must be finite, besides the loss and the gradients
};
void describe(config::Fields& f, NonFiniteOptions& o);
/// When a metric is NaN or infinite. The loss of a step and its gradients are always looked at, by the trainer, before
/// the parameters are touched; this is for other metrics.
class NonFinite : public Criterion<NonFinite, NonFiniteOptions> {
 public:
  static constexpr const char* kName = kNonFinite;
  using Criterion::Criterion;
  Text look(const TrainState& state);
};

struct StopFileOptions {
  std::string file = "STOP";  ///< training stops when there is a file of this name
};
void describe(config::Fields& f, StopFileOptions& o);
/// When there is a file of this name, which is removed then: `touch STOP` ends training from another terminal. It is
/// looked for every tenth of a second.
class StopFile : public Criterion<StopFile, StopFileOptions> {
 public:
  static constexpr const char* kName = kStopFile;
  using Criterion::Criterion;
  Text look(const TrainState& state);

 private:
  double looked_ = -1;
};

/// When the process was sent SIGINT (Ctrl-C), SIGTERM or SIGHUP: the step that runs is finished first. While it lives
/// it handles these signals; a second one ends the process at once. One at a time: throws Error when there is another.
class StopSignal : public StopCriterion {
 public:
  StopSignal();
  ~StopSignal() override;
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  std::optional<StopReason> check(const TrainState& state) override;
  /// The signal that came; 0 for none.
  static int received();
};

// ---- Several.

/// Criteria that are asked together. Throws ValueError for an empty list.
class CriteriaList : public StopCriterion {
 public:
  void reset() final;
  void describe_state(optim::StateFields& f) final;

 protected:
  /// Of a kind with that name.
  CriteriaList(const char* name, std::vector<std::unique_ptr<StopCriterion>> criteria);
  const std::vector<std::unique_ptr<StopCriterion>> criteria_;  ///< in the order in which they are asked
};

/// When all of several criteria hold at once.
class AllOf : public CriteriaList {
 public:
  static constexpr const char* kName = "all_of";
  /// Throws ValueError for none.
  explicit AllOf(std::vector<std::unique_ptr<StopCriterion>> criteria) : CriteriaList(kName, std::move(criteria)) {}
  std::optional<StopReason> check(const TrainState& state) override;
};

/// When one of several holds, with its reason: for use within AllOf, since a trainer stops as soon as any one of its
/// criteria holds.
class AnyOf : public CriteriaList {
 public:
  static constexpr const char* kName = "any_of";
  /// Throws ValueError for none.
  explicit AnyOf(std::vector<std::unique_ptr<StopCriterion>> criteria) : CriteriaList(kName, std::move(criteria)) {}
  std::optional<StopReason> check(const TrainState& state) override;
};

/// The reasons of several criteria, each of which is asked, so that those which count see every state.
std::vector<StopReason> reasons_of(const std::vector<std::unique_ptr<StopCriterion>>& criteria,
                                   const TrainState& state);
/// Visits what several criteria remember, as "0.best", "1.count" and so on.
void describe_states(const std::vector<std::unique_ptr<StopCriterion>>& criteria, optim::StateFields& f);

}  // namespace eigengrad::train
