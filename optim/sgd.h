// Stochastic gradient descent.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct SGDOptions {
  double lr = 1e-3;         ///< learning rate
  double momentum = 0;      ///< share of the last update that goes on
  double dampening = 0;     ///< by how much the gradient counts less for the momentum
  double weight_decay = 0;  ///< L2 penalty
  bool nesterov = false;    ///< Nesterov's momentum
  bool maximize = false;    ///< climb instead of descend
};
void describe(config::Fields& f, SGDOptions& o);

/// With g the gradient plus weight_decay·W (negated to maximize), as in PyTorch:
///   v ← momentum·v + (1 − dampening)·g   (v = g at first)
///   W ← W − lr·v, or W − lr·(g + momentum·v) with Nesterov's momentum (Sutskever et al. 2013)
/// Throws ValueError for options out of range, and for Nesterov without momentum or with dampening. State: "momentum".
class SGD final : public GroupedOptimizer<SGD, SGDOptions> {
 public:
  static constexpr const char* kName = "SGD";
  using GroupedOptimizer::GroupedOptimizer;

  static void check(const Options& o);
  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

}  // namespace eigengrad::optim
