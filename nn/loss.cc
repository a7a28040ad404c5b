#include "eigengrad/nn/loss.h"

#include "eigengrad/ops/type.h"

namespace eigengrad::nn {
namespace {

void describe_reduction(config::Fields& f, Reduction& reduction) {
  f.choice<Reduction>("reduction", reduction,
                      {{"none", Reduction::None}, {"mean", Reduction::Mean}, {"sum", Reduction::Sum}},
                      {.help = "what becomes of the losses of the samples"});
}

// Weights in the dtype of the input that they weigh.
Tensor beside(const Tensor& weights, const Tensor& input) {
  return weights.defined() ? to(weights, input.dtype()) : weights;
}

}  // namespace

Tensor weights_tensor(const std::vector<double>& weights) {
  if (weights.empty()) return Tensor();
  return to(tensor(weights, {static_cast<std::int64_t>(weights.size())}), kFloat32);
}

std::string Loss::scope_name() const {
  const std::string name = Module::scope_name();
  return name.empty() ? type_name() : name;
}

void describe(config::Fields& f, MSELossOptions& o) { describe_reduction(f, o.reduction); }

void describe(config::Fields& f, CrossEntropyLossOptions& o) {
  f("weight", o.weight, {.help = "weight of each class; empty: all 1", .min = 0});
  f("ignore_index", o.ignore_index, {.help = "a target that counts for nothing"});
  f("label_smoothing", o.label_smoothing,
    {.help = "how much of a target is spread over all classes", .min = 0, .max = 1});
  describe_reduction(f, o.reduction);
}

void describe(config::Fields& f, BCEWithLogitsLossOptions& o) {
  f("pos_weight", o.pos_weight,
    {.help = "weight of positive targets, one for all or one for each output; empty: 1", .min = 0});
  describe_reduction(f, o.reduction);
}

Tensor CrossEntropyLoss::forward(const Tensor& input, const Tensor& target) {
  return cross_entropy(input, target,
                       {.weight = beside(weight_, input),
                        .ignore_index = options_.ignore_index,
                        .label_smoothing = options_.label_smoothing,
                        .reduction = options_.reduction});
}

Tensor BCEWithLogitsLoss::forward(const Tensor& input, const Tensor& target) {
  return binary_cross_entropy_with_logits(input, target, options_.reduction, Tensor(), beside(pos_weight_, input));
}

}  // namespace eigengrad::nn
