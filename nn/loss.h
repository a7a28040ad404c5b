// Losses as modules of two inputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/ops/loss.h"

namespace eigengrad::nn {

class Loss : public Module {
 public:
  using Module::forward;
  /// The cost of `input` where `target` was wanted: a scalar, unless the reduction is none.
  Tensor operator()(Arg input, const Tensor& target) {
    const ScopeGuard scope(scope_id());
    return forward(input, target);
  }
  virtual Tensor forward(const Tensor& input, const Tensor& target) = 0;

 protected:
  /// The name of its type, unless it is part of a module and has a name there.
  std::string scope_name() const override;
};

/// Weights as a float32 tensor of one axis; an undefined one when there are none.
Tensor weights_tensor(const std::vector<double>& weights);

struct MSELossOptions {
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, MSELossOptions& o);

/// (input - target)²; see mse_loss.
class MSELoss : public Loss {
 public:
  using Options = MSELossOptions;
  explicit MSELoss(Options options = {}) : options_(options) {}
  Tensor forward(const Tensor& input, const Tensor& target) override {
    return mse_loss(input, target, options_.reduction);
  }
  const Options& options() const { return options_; }

 private:
  Options options_;
};

struct CrossEntropyLossOptions {
  std::vector<double> weight{};  ///< of each class; empty: all 1
  std::int64_t ignore_index = -100;
  double label_smoothing = 0;
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, CrossEntropyLossOptions& o);

/// -log softmax(input)[target]; see cross_entropy.
class CrossEntropyLoss : public Loss {
 public:
  using Options = CrossEntropyLossOptions;
  explicit CrossEntropyLoss(Options options = {}) : options_(std::move(options)) {}
  Tensor forward(const Tensor& input, const Tensor& target) override;
  const Options& options() const { return options_; }

 private:
  Options options_;
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

struct BCEWithLogitsLossOptions {
  std::vector<double> pos_weight{};  ///< of the positive targets; empty: 1
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, BCEWithLogitsLossOptions& o);

/// The binary cross entropy of σ(input); see binary_cross_entropy_with_logits.
class BCEWithLogitsLoss : public Loss {
 public:
  using Options = BCEWithLogitsLossOptions;
  explicit BCEWithLogitsLoss(Options options = {}) : options_(std::move(options)) {}
  Tensor forward(const Tensor& input, const Tensor& target) override;
  const Options& options() const { return options_; }

 private:
  Options options_;
  Tensor& pos_weight_ = buffer("pos_weight", weights_tensor(options_.pos_weight));
};

}  // namespace eigengrad::nn
