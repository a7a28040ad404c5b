// Optimizers: W ← W − lr·∂c/∂W, and what improves on it.
//
// An optimizer is a struct of options with a describe(), and a class with check(), state_names() and update() for one
// parameter. sgd.h and sgd.cc are the pattern.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::optim {

/// What an optimizer remembers, by name.
using StateDict = std::vector<std::pair<std::string, Tensor>>;

/// Changes parameters by their gradients. Parameters stand in groups, each with options of its own.
class Optimizer {
 public:
  Optimizer() = default;
  Optimizer(Optimizer&&) = default;  // no copies: two that change one set of parameters are a mistake
  Optimizer& operator=(Optimizer&&) = delete;
  virtual ~Optimizer() = default;

  /// One update of every parameter that has a gradient; the gradients are left as they are.
  void step();
  /// Clears the gradients of all parameters.
  void zero_grad();

  std::size_t groups() const { return groups_; }
  /// The learning rate of a group. Throws IndexError when there is no such group.
  double lr(std::size_t group = 0) const;
  /// Sets the learning rate of one group, or of all. Throws ValueError unless it is finite and at least 0, IndexError.
  void set_lr(std::size_t group, double lr);
  void set_lr(double lr);
  /// Updates made so far.
  std::int64_t steps() const { return steps_; }

  /// All that another optimizer of the same parameters and options needs to go on from here, as tensors: "steps",
  /// "group.0.lr", and for every parameter, numbered from 0 over all groups, "parameter.0.updates" and, once it has
  /// been updated, "parameter.0.momentum" and the like. A copy: later steps do not change it.
  StateDict state_dict() const;
  /// Takes over a state. Throws ValueError, changing nothing, with a list of all that is missing, not expected, or of
  /// another shape, dtype or range.
  void load_state_dict(const StateDict& state);

 protected:
  /// A parameter and what the optimizer remembers of it.
  struct Slot {
    Tensor parameter;
    std::size_t group;
    std::int64_t updates = 0;
    std::vector<Tensor> state{};  ///< one for each of state_names(), of the parameter's shape and dtype; 0 at first
  };

  /// Begins a group. Throws ValueError, changing nothing, for a tensor that is not a contiguous leaf which requires
  /// grad, or that is given twice.
  void add_slots(const std::vector<Tensor>& parameters);
  /// Throws IndexError when there is no such group.
  void check_group(std::size_t group) const;
  /// Throws ValueError, "[SGD] lr is -1, expected ...", unless ok.
  static void require(bool ok, const char* optimizer, const char* option, double found, const char* expected);
  /// The same for an option that has to be finite and at least 0.
  static void require_not_negative(const char* optimizer, const char* option, double found);

 private:
  class Loading;

  virtual double lr_of(std::size_t group) const = 0;
  virtual void put_lr(std::size_t group, double lr) = 0;
  virtual std::vector<std::string> state_names_of(std::size_t group) const = 0;
  virtual void update_slot(Slot& slot, const Tensor& grad) = 0;

  std::vector<Slot> slots_;
  std::size_t groups_ = 0;
  std::int64_t steps_ = 0;
};

/// The canonical optimizer: its options, of which one is `lr`, and update() for one parameter.
template <class OptionsType>
class GroupedOptimizer : public Optimizer {
 public:
  using Options = OptionsType;
  /// Adds a group of parameters with options of its own; they are checked like those of the constructor.
  void add_group(const std::vector<Tensor>& parameters, const Options& options) {
    check(options);
    options_.reserve(options_.size() + 1);  // so that nothing throws between the two
    add_slots(parameters);
    options_.push_back(options);
  }
  /// Throws IndexError when there is no such group.
  const Options& options(std::size_t group = 0) const {
    check_group(group);
    return options_[group];
  }

 protected:
  /// Throws ValueError for options out of range.
  virtual void check(const Options& options) const = 0;
  /// What is remembered of each parameter, in the order of Slot::state: nothing by default.
  virtual std::vector<std::string> state_names(const Options&) const { return {}; }
  /// Changes slot.parameter by `grad`, which is contiguous. slot.updates counts this update, from 1.
  virtual void update(const Options& options, Slot& slot, const Tensor& grad) = 0;

 private:
  double lr_of(std::size_t group) const final { return options_[group].lr; }
  void put_lr(std::size_t group, double lr) final { options_[group].lr = lr; }
  std::vector<std::string> state_names_of(std::size_t group) const final { return state_names(options_[group]); }
  void update_slot(Slot& slot, const Tensor& grad) final { update(options_[slot.group], slot, grad); }

  std::vector<Options> options_;
};

}  // namespace eigengrad::optim
