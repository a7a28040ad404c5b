// Adam, AdamW and NAdam.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// The options of Adam, and of AdamW where the weight decay is decoupled: they differ in its default.
template <bool kDecoupled>
struct AdamOptionsOf {
  double lr = 1e-3;                             ///< learning rate
  double beta1 = 0.9;                           ///< decay of the mean of the gradient
  double beta2 = 0.999;                         ///< decay of the mean of its square
  double eps = 1e-8;                            ///< added to the denominator
  double weight_decay = kDecoupled ? 1e-2 : 0;  ///< weight decay, apart from the gradient
  bool amsgrad = false;                         ///< use the largest mean square so far
  bool maximize = false;                        ///< climb instead of descend
};
template <bool kDecoupled>
void describe(config::Fields& f, AdamOptionsOf<kDecoupled>& o);

/// Adam, or with `kDecoupled` AdamW: both have names of their own below.
template <bool kDecoupled>
class AdamOf final : public GroupedOptimizer<AdamOf<kDecoupled>, AdamOptionsOf<kDecoupled>> {
 public:
  using Options = AdamOptionsOf<kDecoupled>;
  static constexpr const char* kName = kDecoupled ? "AdamW" : "Adam";
  using GroupedOptimizer<AdamOf<kDecoupled>, Options>::GroupedOptimizer;

  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Optimizer::Slot& slot, const Tensor& grad);
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

struct NAdamOptions {
  double lr = 2e-3;                     ///< learning rate
  double beta1 = 0.9;                   ///< decay of the mean of the gradient
  double beta2 = 0.999;                 ///< decay of the mean of its square
  double eps = 1e-8;                    ///< added to the denominator
  double weight_decay = 0;              ///< weight decay
  double momentum_decay = 4e-3;         ///< how fast the momentum grows to beta1
  bool decoupled_weight_decay = false;  ///< decay weights apart from the gradient, as in AdamW
  bool maximize = false;                ///< climb instead of descend
};
void describe(config::Fields& f, NAdamOptions& o);

/// Adam with Nesterov's momentum (Dozat 2016), as in PyTorch: with m and v as in Adam and ψ the momentum_decay,
///   μₜ = β₁·(1 − ½·0.96^(t·ψ)),  p ← p·μₜ
///   W ← W − lr·((1 − μₜ) / (1 − p)·g + μₜ₊₁ / (1 − p·μₜ₊₁)·m) / (√(v / (1 − β₂ᵗ)) + eps)
/// State: "mean", "mean_square", and the number "momentum_product" (p).
class NAdam final : public GroupedOptimizer<NAdam, NAdamOptions> {
 public:
  static constexpr const char* kName = "NAdam";
  using GroupedOptimizer::GroupedOptimizer;

  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

}  // namespace eigengrad::optim
