// Optimizers: W ← W − lr·∂c/∂W, and what improves on it.
//
// An optimizer is a struct of options with a describe(), and a class with a name, state() and update() for one
// parameter. sgd.h and sgd.cc are the pattern. Its line in build.cc makes it known to configurations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/core/tensor.h"
#include "eigengrad/optim/state.h"

namespace eigengrad::optim {

/// Computes the cost and, by backward(), the gradients of all parameters:
///   [&] { optimizer.zero_grad(); Tensor cost = loss(model(x), y); cost.backward(); return cost; }
using Closure = std::function<Tensor()>;

/// One thing that is remembered of a parameter.
struct StateEntry {
  /// `name` is part of the names in state_dict().
  StateEntry(const char* entry_name, double first_value = 0, bool is_number = false)
      : name(entry_name), first(first_value), number(is_number) {}
  std::string name;  ///< part of the names in state_dict()
  double first;      ///< its elements before the first update
  bool number;       ///< a float64 scalar, instead of a tensor of the parameter's shape and dtype
};

/// Changes parameters by their gradients. Parameters stand in groups, each with options of its own.
class Optimizer {
 public:
  /// A parameter and what the optimizer remembers of it.
  struct Slot {
    Tensor parameter;             ///< what is changed
    std::size_t group;            ///< the number of its group
    std::int64_t updates = 0;     ///< how often it has been changed
    std::vector<Tensor> state{};  ///< one for each entry of state()
  };

  Optimizer() = default;
  Optimizer(Optimizer&&) = default;  // no copies: two that change one set of parameters are a mistake
  Optimizer& operator=(Optimizer&&) = delete;
  virtual ~Optimizer() = default;

  /// One update of every parameter that has a gradient; the gradients are left as they are. Throws Error for an
  /// optimizer that has to compute the cost more than once (LBFGS).
  virtual void step();
  /// The same after calling `closure` for the gradients. Returns the cost that it gave, at first.
  virtual Tensor step(const Closure& closure);
  /// Whether step() computes the cost more than once, and so needs a closure.
  virtual bool needs_closure() const { return false; }
  /// Clears the gradients of all parameters.
  virtual void zero_grad();

  /// The number of groups.
  std::size_t groups() const { return groups_; }
  /// The learning rate of a group. Throws IndexError when there is no such group.
  double lr(std::size_t group = 0) const;
  /// Sets the learning rate of one group, or of all. Throws ValueError unless it is finite and at least 0, IndexError.
  void set_lr(std::size_t group, double lr);
  void set_lr(double lr);
  /// The momentum of a group: its option of that name, or else beta1; nothing where there is neither.
  std::optional<double> momentum(std::size_t group = 0) const;
  /// Sets it. Throws ValueError unless there is one, and the value is in [0, 1); IndexError.
  void set_momentum(std::size_t group, double momentum);
  /// The rate from which schedules begin: that of the group when it was first asked for, or else set.
  double initial_lr(std::size_t group);
  /// Sets it, unless it has been asked for or set before.
  void set_initial_lr(std::size_t group, double lr);
  /// Updates made so far.
  std::int64_t steps() const { return steps_; }

  /// All that another optimizer of the same parameters and options needs to go on from here, as tensors: "steps",
  /// "group.0.lr" and "group.0.momentum", and for every parameter, numbered from 0 over all groups,
  /// "parameter.0.updates" and, once it has been updated, "parameter.0.momentum" and the like. A copy: later steps do
  /// not change it.
  StateDict state_dict() const;
  /// Takes over a state. Throws ValueError, changing nothing, with a list of all that is missing, not expected, or of
  /// another shape, dtype or range.
  void load_state_dict(const StateDict& state);

 protected:
  /// Begins a group. Throws ValueError, changing nothing, for a tensor that is not a contiguous leaf which requires
  /// grad, or that is given twice.
  void add_slots(const std::vector<Tensor>& parameters);
  /// Throws IndexError when there is no such group.
  void check_group(std::size_t group) const;
  /// One more call of step() has come to its end.
  void count_step() { ++steps_; }
  /// All parameters, group by group.
  const std::vector<Slot>& slots() const { return slots_; }

 private:
  friend class CombinedOptimizer;

  virtual double lr_of(std::size_t group) const = 0;
  virtual void put_lr(std::size_t group, double lr) = 0;
  virtual std::optional<double> momentum_of(std::size_t) const { return std::nullopt; }
  virtual void put_momentum(std::size_t, double) {}
  virtual std::vector<StateEntry> state_of(std::size_t group) const = 0;
  virtual void update_slot(Slot& slot, const Tensor& grad) = 0;
  /// The same for a parameter of bfloat16: computed in float32, and rounded.
  void update_widened(Slot& slot, const Tensor& grad);
  /// What is remembered besides that of each parameter.
  virtual void save_more(StateDict&) const {}
  /// Reads it, and returns what takes it over once the whole state has been found to fit.
  virtual std::function<void()> load_more(StateReader&) {
    return [] {};
  }

  /// Reads a whole state, and returns what takes it over.
  std::function<void()> read_state(StateReader& reader);

  void look_up_state();

  std::vector<Slot> slots_;
  std::vector<std::vector<StateEntry>> entries_;  // of each group, as last looked up
  bool entries_hold_ = false;
  std::vector<std::optional<double>> initial_lrs_;
  std::size_t groups_ = 0;
  std::int64_t steps_ = 0;
};

/// The canonical optimizer. `Derived` has a kName and static functions, of which only update() must be there (or a
/// step() of its own):
///
///   static void check(const Options&);                      // throws ValueError for what describe() cannot say
///   static void check_parameter(const Tensor&);             // throws for a parameter that it cannot take
///   static std::vector<StateEntry> state(const Options&);   // what is remembered of each parameter
///   static void update(const Options&, Slot&, const Tensor& grad);
///
/// update() changes slot.parameter by `grad`, which is contiguous; slot.updates counts this update, from 1. One of the
/// options is `lr`. They are held to the bounds that their describe() gives, if they have one.
template <class Derived, class OptionsType>
class GroupedOptimizer : public Optimizer {
 public:
  using Options = OptionsType;
  /// One group of all parameters. Throws as add_group().
  explicit GroupedOptimizer(const std::vector<Tensor>& parameters, const Options& options = {}) {
    add_group(parameters, options);
  }
  /// Adds a group of parameters with options of its own. Throws ValueError for options out of range.
  void add_group(const std::vector<Tensor>& parameters, const Options& options) {
    check_all(options);
    if constexpr (requires(const Tensor& x) { Derived::check_parameter(x); })
      for (const Tensor& parameter : parameters) Derived::check_parameter(parameter);
    options_.reserve(options_.size() + 1);  // so that nothing throws between the two
    add_slots(parameters);
    options_.push_back(options);
  }
  /// Throws IndexError when there is no such group.
  const Options& options(std::size_t group = 0) const {
    check_group(group);
    return options_[group];
  }

 private:
  static constexpr bool kHasMomentum = requires(Options o) { o.momentum; };
  static constexpr bool kHasBeta = requires(Options o) { o.beta1; };

  static void check_all(const Options& options) {
    if constexpr (requires(config::Fields & f, Options o) { describe(f, o); })
      config::check_options(Derived::kName, options);
    if constexpr (requires { Derived::check(options); }) Derived::check(options);
  }
  double lr_of(std::size_t group) const final { return options_[group].lr; }
  void put_lr(std::size_t group, double lr) final { options_[group].lr = lr; }
  std::optional<double> momentum_of(std::size_t group) const final {
    if constexpr (kHasMomentum) return options_[group].momentum;
    if constexpr (kHasBeta) return options_[group].beta1;
    return std::nullopt;
  }
  void put_momentum(std::size_t group, double momentum) final {
    if constexpr (kHasMomentum) options_[group].momentum = momentum;
    if constexpr (kHasBeta) options_[group].beta1 = momentum;
  }
  std::vector<StateEntry> state_of(std::size_t group) const final {
    if constexpr (requires { Derived::state(options_[group]); }) return Derived::state(options_[group]);
    return {};
  }
  void update_slot([[maybe_unused]] Slot& slot, [[maybe_unused]] const Tensor& grad) final {
    if constexpr (requires { Derived::update(options_[slot.group], slot, grad); })
      Derived::update(options_[slot.group], slot, grad);
  }

  std::vector<Options> options_;
};

}  // namespace eigengrad::optim
