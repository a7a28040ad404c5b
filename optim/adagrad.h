// Adagrad and Adadelta.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct AdagradOptions {
  double lr = 1e-2;                      ///< learning rate
  double lr_decay = 0;                   ///< how fast the learning rate falls with the number of updates
  double weight_decay = 0;               ///< L2 penalty
  double initial_accumulator_value = 0;  ///< where the sum of squares begins
  double eps = 1e-10;                    ///< added to the denominator
  bool maximize = false;                 ///< climb instead of descend
};
void describe(config::Fields& f, AdagradOptions& o);

/// Duchi, Hazan and Singer (2011), as in PyTorch: with g the gradient plus weight_decay·W (negated to maximize) and t
/// the number of updates,
///   s ← s + g²,  W ← W − lr / (1 + (t − 1)·lr_decay)·g / (√s + eps)
/// State: "square_sum" (s), which begins at initial_accumulator_value.
class Adagrad final : public GroupedOptimizer<Adagrad, AdagradOptions> {
 public:
  static constexpr const char* kName = "Adagrad";
  using GroupedOptimizer::GroupedOptimizer;

  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

struct AdadeltaOptions {
  double lr = 1;            ///< learning rate
  double rho = 0.9;         ///< decay of the means of squares
  double eps = 1e-6;        ///< added to the denominator
  double weight_decay = 0;  ///< L2 penalty
  bool maximize = false;    ///< climb instead of descend
};
void describe(config::Fields& f, AdadeltaOptions& o);

/// Zeiler (2012), as in PyTorch: with g as above,
///   v ← ρ·v + (1 − ρ)·g²,  u = √(a + eps) / √(v + eps)·g,  a ← ρ·a + (1 − ρ)·u²,  W ← W − lr·u
/// State: "mean_square" (v), "mean_square_step" (a).
class Adadelta final : public GroupedOptimizer<Adadelta, AdadeltaOptions> {
 public:
  static constexpr const char* kName = "Adadelta";
  using GroupedOptimizer::GroupedOptimizer;

  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

}  // namespace eigengrad::optim
