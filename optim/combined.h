// Several optimizers as one.
#pragma once

#include <memory>

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// Optimizers of different kinds that share the parameters of a model among them: Muon for matrices, say, and AdamW for
/// the rest. Their groups come one after another. What they remember has the names "optimizer.0.steps" and so on.
class CombinedOptimizer final : public Optimizer {
 public:
  /// Throws ValueError for none, and for one that has to compute the cost more than once (LBFGS).
  explicit CombinedOptimizer(std::vector<std::unique_ptr<Optimizer>> parts);

  using Optimizer::step;
  void step() override;
  void zero_grad() override;

 private:
  /// An optimizer, and a group of it by its own number.
  struct Place {
    Optimizer* part;
    std::size_t group;
  };

  double lr_of(std::size_t group) const override;
  void put_lr(std::size_t group, double lr) override;
  std::optional<double> momentum_of(std::size_t group) const override;
  void put_momentum(std::size_t group, double momentum) override;
  std::vector<StateEntry> state_of(std::size_t) const override { return {}; }
  void update_slot(Slot&, const Tensor&) override {}
  void save_more(StateDict& state) const override;
  std::function<void()> load_more(StateReader& reader) override;

  std::vector<std::unique_ptr<Optimizer>> parts_;
  std::vector<Place> places_;
};

}  // namespace eigengrad::optim
