#include "eigengrad/nn/loss.h"

#include "eigengrad/ops/type.h"

namespace eigengrad::nn {
namespace {

void describe_reduction(config::Fields& f, Reduction& reduction) {
  f.choice<Reduction>("reduction", reduction,
                      {{"none", Reduction::None}, {"mean", Reduction::Mean}, {"sum", Reduction::Sum}},
                      {.help = "what becomes of the losses of the samples"});
}

Tensor float_tensor(const std::vector<double>& values) {
  return to(tensor(values, {static_cast<std::int64_t>(values.size())}), kFloat32);
}

}  // namespace

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

Tensor CrossEntropyLoss::class_weights() const { return float_tensor(options_.weight); }

Tensor CrossEntropyLoss::forward(const Tensor& input, const Tensor& target) {
  const Tensor weight = weight_.defined() ? eigengrad::to(weight_, input.dtype()) : Tensor();
  return cross_entropy(input, target,
                       {.weight = weight,
                        .ignore_index = options_.ignore_index,
                        .label_smoothing = options_.label_smoothing,
                        .reduction = options_.reduction});
}

Tensor BCEWithLogitsLoss::forward(const Tensor& input, const Tensor& target) {
  const Tensor pos_weight =
      options_.pos_weight.empty() ? Tensor() : eigengrad::to(float_tensor(options_.pos_weight), input.dtype());
  return binary_cross_entropy_with_logits(input, target, options_.reduction, Tensor(), pos_weight);
}

}  // namespace eigengrad::nn
