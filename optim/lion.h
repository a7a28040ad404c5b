// Lion.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct LionOptions {
  double lr = 1e-4;         ///< learning rate
  double beta1 = 0.9;       ///< share of the mean in the direction of a step
  double beta2 = 0.99;      ///< decay of the mean of the gradient
  double weight_decay = 0;  ///< weight decay, apart from the gradient
  bool maximize = false;    ///< climb instead of descend
};
void describe(config::Fields& f, LionOptions& o);

/// Chen et al. (2023), "Symbolic discovery of optimization algorithms", algorithm 2: with g the gradient (negated to
/// maximize),
///   W ← W − lr·(sign(β₁·m + (1 − β₁)·g) + weight_decay·W),  m ← β₂·m + (1 − β₂)·g
/// State: "mean" (m).
class Lion final : public GroupedOptimizer<Lion, LionOptions> {
 public:
  static constexpr const char* kName = "Lion";
  using GroupedOptimizer::GroupedOptimizer;

  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

}  // namespace eigengrad::optim
