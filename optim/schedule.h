// Learning-rate schedules: what the rates of an optimizer's groups are after a number of steps or epochs.
//
// A schedule is a struct of options with a describe(), and a class with a name and rate(), the rate at an epoch.
// schedules.h and schedules.cc have all of them. Its line in build_schedule.cc makes it known to configurations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// Changes the learning rates of an optimizer. As in PyTorch, making one sets the rates for epoch 0, and step() is
/// called after optimizer.step(), or after an epoch: what an epoch is, is up to the caller. Several schedules of one
/// optimizer multiply, as most go on from the present rate. To resume, make optimizer and schedules, then load their
/// states. The optimizer must outlive its schedules.
class LRScheduler {
 public:
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;
  virtual ~LRScheduler() = default;

  /// Goes on to the next epoch. Throws Error when the optimizer has got more groups in the meantime, and for a schedule
  /// that needs a metric.
  virtual void step();
  /// The same with the metric that metric() names.
  virtual void step(double) { step(); }
  /// The name of the metric that step() needs; empty for none.
  virtual std::string metric() const { return ""; }
  /// Epoch 0 once more, from the present rates, or from those that the groups had at first.
  virtual void begin() = 0;
  /// Epoch 0 once more, from the rates that the groups had at first.
  void restart();

  /// The present epoch, from 0.
  std::int64_t last_epoch() const { return last_epoch_; }
  /// The rates of all groups.
  std::vector<double> get_last_lr() const;
  /// Whose rates it changes.
  Optimizer& optimizer() const { return optimizer_; }

  /// All that another schedule of the same options needs to go on from here, as tensors: "last_epoch",
  /// "group.0.base_lr" and so on; what schedules within it remember under "part.0." and so on.
  StateDict state_dict() const;
  /// Takes over a state. Throws ValueError, changing nothing, with a list of all that does not fit. The present rates
  /// are those of the optimizer's state.
  void load_state_dict(const StateDict& state);
  /// Visits the numbers that are remembered.
  virtual void describe_state(StateFields& f);

 protected:
  /// Takes the present rates as those of the beginning.
  explicit LRScheduler(Optimizer& optimizer);
  /// Throws Error unless the optimizer has the groups that it had.
  void check_groups() const;
  /// The rate that a group had at first.
  double base_lr(std::size_t group) const { return base_lrs_[group]; }
  /// Says where it stands.
  void set_epoch(std::int64_t epoch) { last_epoch_ = epoch; }
  /// The number of the optimizer's groups.
  std::size_t groups() const { return base_lrs_.size(); }

 private:
  Optimizer& optimizer_;
  std::vector<double> base_lrs_;
  std::int64_t last_epoch_ = 0;
};

/// What a schedule is told of a group.
struct GroupRate {
  double lr;          ///< as it is
  double base_lr;     ///< as it was at first
  std::size_t group;  ///< its number
};

/// The canonical schedule. `Derived` has a kName and static functions, of which only rate() must be there:
///
///   static double rate(const Options&, std::int64_t epoch, const GroupRate&);      // at an epoch from 1 on
///   static double first_rate(const Options&, const GroupRate&);                    // at epoch 0: the present one
///   static double momentum(const Options&, std::int64_t epoch, const GroupRate&);  // of the group, at any epoch
///   static void check(const Options&, const Optimizer&);                           // throws ValueError
///   static void prepare(const Options&, Optimizer&);                               // sets initial rates
///
/// The options are held to the bounds that their describe() gives, if they have one.
template <class Derived, class OptionsType>
class Schedule : public LRScheduler {
 public:
  using Options = OptionsType;
  /// Throws ValueError for options out of range.
  explicit Schedule(Optimizer& optimizer, Options options = {})
      : LRScheduler(prepared(optimizer, options)), options_(std::move(options)) {
    go_to(0);
  }
  const Options& options() const { return options_; }

  using LRScheduler::step;
  void step() final {
    LRScheduler::step();
    go_to(last_epoch());
  }
  void begin() final { go_to(0); }

 private:
  static Optimizer& prepared(Optimizer& optimizer, const Options& options) {
    if constexpr (requires(config::Fields & f, Options o) { describe(f, o); })
      config::check_options(Derived::kName, options);
    if constexpr (requires { Derived::check(options, optimizer); }) Derived::check(options, optimizer);
    if constexpr (requires { Derived::prepare(options, optimizer); }) Derived::prepare(options, optimizer);
    return optimizer;
  }
  double rate_at(std::int64_t epoch, const GroupRate& group) const {
    if (epoch > 0) return Derived::rate(options_, epoch, group);
    if constexpr (requires { Derived::first_rate(options_, group); }) return Derived::first_rate(options_, group);
    return group.lr;
  }
  void go_to(std::int64_t epoch) {
    set_epoch(epoch);
    for (std::size_t i = 0; i < groups(); ++i) {
      const GroupRate group{optimizer().lr(i), base_lr(i), i};
      optimizer().set_lr(i, rate_at(epoch, group));
      if constexpr (requires { Derived::momentum(options_, epoch, group); })
        if (options_.cycle_momentum) optimizer().set_momentum(i, Derived::momentum(options_, epoch, group));
    }
  }

  const Options options_;
};

}  // namespace eigengrad::optim
