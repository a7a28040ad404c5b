// Adam and AdamW.
#pragma once

#include "eigengrad/config/fields.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// The options of Adam, and of AdamW where the weight decay is decoupled: they differ in its default.
template <bool kDecoupled>
struct AdamOptionsOf {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = kDecoupled ? 1e-2 : 0;
  bool amsgrad = false;
  bool maximize = false;
};
template <bool kDecoupled>
void describe(config::Fields& f, AdamOptionsOf<kDecoupled>& o);

template <bool kDecoupled>
class AdamOf final : public GroupedOptimizer<AdamOptionsOf<kDecoupled>> {
 public:
  using Options = AdamOptionsOf<kDecoupled>;
  explicit AdamOf(const std::vector<Tensor>& parameters, const Options& options = {}) {
    this->add_group(parameters, options);
  }

 private:
  void check(const Options& options) const override;
  std::vector<std::string> state_names(const Options& options) const override;
  void update(const Options& options, Optimizer::Slot& slot, const Tensor& grad) override;
};

/// Kingma and Ba (2015), as in PyTorch: with g the gradient plus weight_decay·W (negated to maximize) and t the number
/// of updates,
///   m ← β₁·m + (1 − β₁)·g,  v ← β₂·v + (1 − β₂)·g²
///   W ← W − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + eps)
/// amsgrad takes the largest v so far (Reddi, Kale and Kumar 2018). Throws ValueError for options out of range. State:
/// "mean" (m), "mean_square" (v) and, with amsgrad, "largest_mean_square".
using Adam = AdamOf<false>;
using AdamOptions = AdamOptionsOf<false>;

/// Adam with decoupled weight decay, W ← (1 − lr·weight_decay)·W (Loshchilov and Hutter 2019); it is 0.01 unless given.
using AdamW = AdamOf<true>;
using AdamWOptions = AdamOptionsOf<true>;

extern template void describe(config::Fields& f, AdamOptions& o);
extern template void describe(config::Fields& f, AdamWOptions& o);
extern template class AdamOf<false>;
extern template class AdamOf<true>;

}  // namespace eigengrad::optim
