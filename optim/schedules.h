// The schedules of PyTorch, with its names, defaults and figures. η is the rate of a group, η₀ the one it had at first,
// and t the epoch.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "eigengrad/optim/schedule.h"

namespace eigengrad::optim {

struct StepLROptions {
  std::int64_t step_size = 0;  ///< epochs between the steps down
  double gamma = 0.1;          ///< what the rate is multiplied by
};
void describe(config::Fields& f, StepLROptions& o);

/// η ← γ·η every step_size epochs.
class StepLR final : public Schedule<StepLR, StepLROptions> {
 public:
  static constexpr const char* kName = "StepLR";
  using Schedule::Schedule;
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct MultiStepLROptions {
  std::vector<std::int64_t> milestones{};  ///< epochs of the steps down
  double gamma = 0.1;                      ///< what the rate is multiplied by
};
void describe(config::Fields& f, MultiStepLROptions& o);

/// η ← γ·η at each of the milestones.
class MultiStepLR final : public Schedule<MultiStepLR, MultiStepLROptions> {
 public:
  static constexpr const char* kName = "MultiStepLR";
  using Schedule::Schedule;
  static double first_rate(const Options& o, const GroupRate& group) { return rate(o, 0, group); }
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct ExponentialLROptions {
  double gamma = 0;  ///< what the rate is multiplied by
};
void describe(config::Fields& f, ExponentialLROptions& o);

/// η ← γ·η every epoch.
class ExponentialLR final : public Schedule<ExponentialLR, ExponentialLROptions> {
 public:
  static constexpr const char* kName = "ExponentialLR";
  using Schedule::Schedule;
  static double rate(const Options& o, std::int64_t, const GroupRate& group) { return group.lr * o.gamma; }
};

struct ConstantLROptions {
  double factor = 1.0 / 3;       ///< what the rate is multiplied by until then
  std::int64_t total_iters = 5;  ///< epochs until it has come to its end
};
void describe(config::Fields& f, ConstantLROptions& o);

/// η = factor·η₀ for total_iters epochs, then η₀.
class ConstantLR final : public Schedule<ConstantLR, ConstantLROptions> {
 public:
  static constexpr const char* kName = "ConstantLR";
  using Schedule::Schedule;
  static double first_rate(const Options& o, const GroupRate& group) { return group.lr * o.factor; }
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct LinearLROptions {
  double start_factor = 1.0 / 3;  ///< what the rate is multiplied by at first
  double end_factor = 1;          ///< what it is multiplied by at the end
  std::int64_t total_iters = 5;   ///< epochs until it has come to its end
};
void describe(config::Fields& f, LinearLROptions& o);

/// From start_factor·η₀ to end_factor·η₀ along a line, in total_iters epochs: a warm-up.
class LinearLR final : public Schedule<LinearLR, LinearLROptions> {
 public:
  static constexpr const char* kName = "LinearLR";
  using Schedule::Schedule;
  static double first_rate(const Options& o, const GroupRate& group) { return group.lr * o.start_factor; }
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct PolynomialLROptions {
  std::int64_t total_iters = 5;  ///< epochs until it has come to its end
  double power = 1;              ///< the exponent: 1 is a line
};
void describe(config::Fields& f, PolynomialLROptions& o);

/// η = η₀·(1 − t / total_iters)^power, then 0.
class PolynomialLR final : public Schedule<PolynomialLR, PolynomialLROptions> {
 public:
  static constexpr const char* kName = "PolynomialLR";
  using Schedule::Schedule;
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct CosineAnnealingLROptions {
  std::int64_t T_max = 0;  ///< epochs from the largest rate to the least
  double eta_min = 0;      ///< the least rate
};
void describe(config::Fields& f, CosineAnnealingLROptions& o);

/// η = eta_min + (η₀ − eta_min)·(1 + cos(π·t / T_max)) / 2 (Loshchilov and Hutter 2017, without restarts).
class CosineAnnealingLR final : public Schedule<CosineAnnealingLR, CosineAnnealingLROptions> {
 public:
  static constexpr const char* kName = "CosineAnnealingLR";
  using Schedule::Schedule;
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct CosineAnnealingWarmRestartsOptions {
  std::int64_t T_0 = 0;     ///< epochs of the first round
  std::int64_t T_mult = 1;  ///< how many times as long the next round is
  double eta_min = 0;       ///< the least rate
};
void describe(config::Fields& f, CosineAnnealingWarmRestartsOptions& o);

/// The same in rounds of T_0, T_0·T_mult, T_0·T_mult² ... epochs, each beginning at η₀ (Loshchilov and Hutter 2017).
class CosineAnnealingWarmRestarts final
    : public Schedule<CosineAnnealingWarmRestarts, CosineAnnealingWarmRestartsOptions> {
 public:
  static constexpr const char* kName = "CosineAnnealingWarmRestarts";
  using Schedule::Schedule;
  static double first_rate(const Options& o, const GroupRate& group) { return rate(o, 0, group); }
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

/// Along half a period of the cosine, or a line.
enum class Annealing { Cosine, Linear };

struct OneCycleLROptions {
  std::vector<double> max_lr{};  ///< one for all groups, or one for each
  /// Steps of the cycle; unless given epochs * steps_per_epoch, or those of the run.
  std::optional<std::int64_t> total_steps{};
  std::optional<std::int64_t> epochs{}, steps_per_epoch{};      ///< total_steps is their product, where it is not given
  double pct_start = 0.3;                                       ///< share of the steps in which the rate rises
  Annealing anneal_strategy = Annealing::Cosine;                ///< along what the rate goes
  bool cycle_momentum = true;                                   ///< let the momentum, or beta1, go the other way
  std::vector<double> base_momentum{0.85}, max_momentum{0.95};  ///< one for all groups, or one for each
  double div_factor = 25;                                       ///< max_lr over the first rate
  double final_div_factor = 1e4;                                ///< the first rate over the last
  bool three_phase = false;                                     ///< come back to the first rate, then fall to the last
};
void describe(config::Fields& f, OneCycleLROptions& o);

/// One rise from max_lr / div_factor to max_lr and one fall to nearly nothing, with the momentum (or beta1) going the
/// other way (Smith and Topin 2019, "Super-convergence"). Throws Error when it is stepped on beyond its end.
class OneCycleLR final : public Schedule<OneCycleLR, OneCycleLROptions> {
 public:
  static constexpr const char* kName = "OneCycleLR";
  using Schedule::Schedule;
  static void check(const Options& o, const Optimizer& optimizer);
  static void prepare(const Options& o, Optimizer& optimizer);
  static double first_rate(const Options& o, const GroupRate& group) { return rate(o, 0, group); }
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
  static double momentum(const Options& o, std::int64_t epoch, const GroupRate& group);
};

struct LambdaLROptions {
  std::vector<std::function<double(std::int64_t epoch)>> lr_lambda{};  ///< one for all groups, or one for each
};

/// η = η₀·f(t) for a function of the program's. What the function itself remembers is no part of the state.
class LambdaLR final : public Schedule<LambdaLR, LambdaLROptions> {
 public:
  static constexpr const char* kName = "LambdaLR";
  using Schedule::Schedule;
  static void check(const Options& o, const Optimizer& optimizer);
  static double first_rate(const Options& o, const GroupRate& group) { return rate(o, 0, group); }
  static double rate(const Options& o, std::int64_t epoch, const GroupRate& group);
};

/// Whether small or large values are good.
enum class PlateauMode { Min, Max };
/// A share of the best value, or a difference from it.
enum class ThresholdMode { Relative, Absolute };

struct ReduceLROnPlateauOptions {
  std::string metric = "valid_loss";    ///< what a Trainer gives to step()
  PlateauMode mode = PlateauMode::Min;  ///< whether small or large values of it are good
  double factor = 0.1;                  ///< what the rate is multiplied by
  std::int64_t patience = 10;           ///< epochs without an improvement that are let pass
  double threshold = 1e-4;              ///< what counts as one
  /// Whether the threshold is a share of the best value or a difference from it.
  ThresholdMode threshold_mode = ThresholdMode::Relative;
  std::int64_t cooldown = 0;      ///< epochs after a reduction that do not count
  std::vector<double> min_lr{0};  ///< one for all groups, or one for each
  double eps = 1e-8;              ///< the least change of a rate that is made
};
void describe(config::Fields& f, ReduceLROnPlateauOptions& o);

/// η ← factor·η when a metric has not become better for more than `patience` epochs.
class ReduceLROnPlateau final : public LRScheduler {
 public:
  using Options = ReduceLROnPlateauOptions;
  static constexpr const char* kName = "ReduceLROnPlateau";
  /// Throws ValueError for options out of range.
  explicit ReduceLROnPlateau(Optimizer& optimizer, Options options = {});

  void step() override;
  void step(double metric) override;
  std::string metric() const override { return options_.metric; }
  void begin() override;
  void describe_state(StateFields& f) override;

 private:
  bool is_better(double value) const;

  const Options options_;
  double best_ = 0;
  std::int64_t bad_epochs_ = 0, cooldown_ = 0;
};

/// Schedules within a schedule. They belong to one optimizer, and none needs a metric.
using Schedules = std::vector<std::shared_ptr<LRScheduler>>;

/// Several schedules at once: each goes on from the rates that the one before has set.
class ChainedScheduler final : public LRScheduler {
 public:
  static constexpr const char* kName = "ChainedScheduler";
  /// Throws ValueError for none, and for schedules of different optimizers.
  explicit ChainedScheduler(Schedules schedulers);

  using LRScheduler::step;
  void step() override;
  void begin() override;
  void describe_state(StateFields& f) override;

 private:
  const Schedules parts_;
};

/// Several schedules one after another: the next takes over, at its epoch 0 and from the rates of the beginning, at
/// each of the milestones.
class SequentialLR final : public LRScheduler {
 public:
  static constexpr const char* kName = "SequentialLR";
  /// Throws ValueError unless there is a milestone between every two, in rising order.
  SequentialLR(Optimizer& optimizer, Schedules schedulers, std::vector<std::int64_t> milestones);

  using LRScheduler::step;
  void step() override;
  void begin() override;
  void describe_state(StateFields& f) override;

 private:
  std::size_t part_at(std::int64_t epoch) const;

  const Schedules parts_;
  const std::vector<std::int64_t> milestones_;
};

}  // namespace eigengrad::optim
