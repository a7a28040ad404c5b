// RMSprop.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

struct RMSpropOptions {
  double lr = 1e-2;         ///< learning rate
  double alpha = 0.99;      ///< decay of the mean of the gradient's square
  double eps = 1e-8;        ///< added to the denominator
  double weight_decay = 0;  ///< L2 penalty
  double momentum = 0;      ///< share of the last update that goes on
  bool centered = false;    ///< divide by the deviation from the mean gradient
  bool maximize = false;    ///< climb instead of descend
};
void describe(config::Fields& f, RMSpropOptions& o);

/// Tieleman and Hinton (2012), as in PyTorch: with g the gradient plus weight_decay·W (negated to maximize),
///   v ← α·v + (1 − α)·g²;  centered (Graves 2013): m ← α·m + (1 − α)·g, and v − m² takes the place of v below
///   u ← momentum·u + g / (√v + eps),  W ← W − lr·u
/// State: "mean_square" (v), with `centered` "mean" (m), with momentum "momentum" (u).
class RMSprop final : public GroupedOptimizer<RMSprop, RMSpropOptions> {
 public:
  static constexpr const char* kName = "RMSprop";
  using GroupedOptimizer::GroupedOptimizer;

  static std::vector<StateEntry> state(const Options& o);
  static void update(const Options& o, Slot& slot, const Tensor& grad);
};

}  // namespace eigengrad::optim
