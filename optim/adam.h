// Adam and AdamW.
#pragma once

#include "eigengrad/config/fields.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;
};
void describe(config::Fields& f, AdamOptions& o);

/// Kingma and Ba (2015), as in PyTorch: with g the gradient plus weight_decay·W (negated to maximize) and t the number
/// of updates,
///   m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²
///   W ← W − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)
/// amsgrad takes the largest v so far (Reddi, Kale and Kumar 2018). Throws ValueError for options out of range.
class Adam : public GroupedOptimizer<AdamOptions> {
 public:
  explicit Adam(const std::vector<Tensor>& parameters, const AdamOptions& options = {}) {
    add_group(parameters, options);
  }

 protected:
  explicit Adam(bool decoupled) : decoupled_(decoupled) {}

 private:
  void check(const Options& options) const override;
  void update(const Options& options, Slot& slot, const Tensor& grad) override;

  const bool decoupled_ = false;  // weight decay applied to W itself, not through the gradient
};

struct AdamWOptions : AdamOptions {
  AdamWOptions() { weight_decay = 1e-2; }
};

/// Adam with decoupled weight decay, W ← (1 − lr·weight_decay)·W (Loshchilov and Hutter 2019).
class AdamW : public Adam {
 public:
  explicit AdamW(const std::vector<Tensor>& parameters, const AdamOptions& options = AdamWOptions()) : Adam(true) {
    add_group(parameters, options);
  }
};

}  // namespace eigengrad::optim
