// Stochastic gradient descent.
#pragma once

#include "eigengrad/config/fields.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
};
void describe(config::Fields& f, SGDOptions& o);

/// With g the gradient plus weight_decay·W (negated to maximize), as in PyTorch:
///   v ← momentum·v + (1 − dampening)·g   (v = g at first)
///   W ← W − lr·v, or W − lr·(g + momentum·v) with Nesterov's momentum (Sutskever et al. 2013)
/// Throws ValueError for options out of range, and for Nesterov without momentum or with dampening. State: "momentum".
class SGD : public GroupedOptimizer<SGDOptions> {
 public:
  explicit SGD(const std::vector<Tensor>& parameters, const SGDOptions& options = {}) {
    add_group(parameters, options);
  }

 private:
  void check(const Options& options) const override;
  std::vector<std::string> state_names(const Options& options) const override;
  void update(const Options& options, Slot& slot, const Tensor& grad) override;
};

}  // namespace eigengrad::optim
