// Optimizers: W ← W − lr·∂c/∂W, and what improves on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::optim {

/// Changes parameters by their gradients. Parameters stand in groups, each with options of its own.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update of every parameter that has a gradient. Throws GradError when a gradient is not of its parameter's
  /// shape.
  void step();
  /// Clears the gradients of all parameters.
  void zero_grad();

  virtual std::size_t groups() const = 0;
  virtual double lr(std::size_t group = 0) const = 0;
  /// Sets the learning rate of one group; throws IndexError. set_lr(lr) sets that of all.
  virtual void set_lr(std::size_t group, double lr) = 0;
  void set_lr(double lr);
  /// Updates made so far.
  std::int64_t steps() const { return steps_; }

 protected:
  /// A parameter and what the optimizer remembers of it: undefined tensors until its first update.
  struct Slot {
    Tensor parameter;
    std::int64_t updates = 0;
    Tensor state[3];
  };
  virtual void update_all() = 0;
  /// Slots for the parameters of a new group. Throws ValueError for a tensor that does not require grad or is in a
  /// group already.
  std::vector<Slot> make_slots(const std::vector<Tensor>& parameters);
  /// The gradient, contiguous, or an undefined tensor when the parameter is to be left alone.
  static Tensor gradient_of(const Slot& slot);

 private:
  std::vector<Tensor> parameters_;
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
    groups_.push_back({options, make_slots(parameters)});
  }
  std::size_t groups() const override { return groups_.size(); }
  double lr(std::size_t group = 0) const override { return groups_.at(group).options.lr; }
  void set_lr(std::size_t group, double lr) override { groups_.at(group).options.lr = lr; }
  using Optimizer::set_lr;
  const Options& options(std::size_t group = 0) const { return groups_.at(group).options; }

 protected:
  /// Throws ValueError for options out of range.
  virtual void check(const Options& options) const = 0;
  /// Changes slot.parameter by `grad`. slot.updates counts this update, from 1.
  virtual void update(const Options& options, Slot& slot, const Tensor& grad) = 0;

 private:
  struct Group {
    Options options;
    std::vector<Slot> slots;
  };
  void update_all() override {
    for (Group& group : groups_)
      for (Slot& slot : group.slots)
        if (const Tensor grad = gradient_of(slot); grad.defined()) {
          ++slot.updates;
          update(group.options, slot, grad);
        }
  }
  std::vector<Group> groups_;
};

}  // namespace eigengrad::optim
