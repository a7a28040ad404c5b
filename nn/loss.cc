#include "eigengrad/nn/loss.h"

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::nn {
namespace {

void describe_reduction(config::Fields& f, Reduction& reduction) {
  f.choice<Reduction>("reduction", reduction,
                      {{"none", Reduction::None}, {"mean", Reduction::Mean}, {"sum", Reduction::Sum}},
                      {.help = "what becomes of the losses of the samples"});
}

void describe_weight(config::Fields& f, std::vector<double>& weight, const char* of) {
  f("weight", weight, {.help = fmt::format("weight of each {}; empty: all 1", of), .min = 0});
}

// Weights in the dtype of the input that they weigh.
Tensor beside(const Tensor& weights, const Tensor& input) {
  return weights.defined() ? to(weights, input.dtype()) : weights;
}

// The inputs that stand side by side along axis 1.
std::vector<Tensor> inputs_of(const char* loss, const Tensor& input, std::int64_t count, std::int64_t least_rank) {
  EG_CHECK(input.dim() >= least_rank && input.size(1) == count, ShapeError,
           "[{}] expected an input [N, {}{}], found {}", loss, count, least_rank > 2 ? ", D" : ", ..", input.shape());
  std::vector<Tensor> inputs;
  for (std::int64_t i = 0; i < count; ++i) inputs.push_back(select(input, 1, i));
  return inputs;
}

// Holds the targets to `right`, which says of each whether it is one.
void expect_targets(const std::string& loss, const Tensor& target, const Tensor& right, const std::string& expected) {
  if (all(right).item<bool>()) return;
  const std::int64_t first = argmax(to(flatten(logical_not(right)), kInt64), 0).item<std::int64_t>();
  throw ValueError(fmt::format("[{}] found a target of {:.6g}, expected {}", loss,
                               select(flatten(contiguous(target)), 0, first).item(), expected));
}

void expect_probabilities(const std::string& loss, const Tensor& target) {
  expect_targets(loss, target, logical_and(target >= 0, target <= 1),
                 "probabilities, 0 to 1, neither standardised nor numbers of another kind");
}

// For each sample the probabilities of the classes, along axis 1.
void expect_distributions(const std::string& loss, const Tensor& target) {
  const std::string expected = "labels, or for each class its probability; numbers want a loss such as MSELoss";
  EG_CHECK(target.dim() >= 2 && target.size(1) > 1, ValueError, "[{}] found targets that are numbers, expected {}",
           loss, expected);
  expect_targets(loss, target, logical_and(target >= 0, target <= 1), expected);
  const Tensor sums = sum(to(target, kFloat64), {1});
  EG_CHECK(allclose(sums, ones_like(sums), 0, 1e-3), ValueError,
           "[{}] found targets that do not sum to 1 over the classes, expected {}", loss, expected);
}

void expect_signs(const std::string& loss, const Tensor& target) {
  expect_targets(loss, target, logical_or(target == 1, target == -1), "1 and -1 alone");
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

std::optional<double> Loss::mean_weight(const Tensor& target) const {
  return target.dim() > 0 ? static_cast<double>(target.size(0)) : 1;
}

void Loss::check_targets(const Tensor&) const {}

// ---- Options.

void describe(config::Fields& f, ReductionOptions& o) { describe_reduction(f, o.reduction); }
void describe(config::Fields& f, HuberLossOptions& o) {
  describe_reduction(f, o.reduction);
  f("delta", o.delta, {.help = "where it becomes linear", .min = 0, .above_min = true});
}
void describe(config::Fields& f, SmoothL1LossOptions& o) {
  describe_reduction(f, o.reduction);
  f("beta", o.beta, {.help = "where it becomes linear", .min = 0});
}
void describe(config::Fields& f, PoissonNLLLossOptions& o) {
  f("log_input", o.log_input, {.help = "the input is the logarithm of the rate"});
  f("full", o.full, {.help = "with an approximation of the constant"});
  f("eps", o.eps, {.help = "added to a rate before its logarithm is taken", .min = 0});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, GaussianNLLLossOptions& o) {
  f("full", o.full, {.help = "with the constant"});
  f("eps", o.eps, {.help = "the least variance", .min = 0, .above_min = true});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, WeightedOptions& o) {
  describe_weight(f, o.weight, "output");
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, BCEWithLogitsLossOptions& o) {
  describe_weight(f, o.weight, "output");
  f("pos_weight", o.pos_weight,
    {.help = "weight of positive targets, one for all or one for each output; empty: 1", .min = 0});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, KLDivLossOptions& o) {
  f.choice<KLDivReduction>("reduction", o.reduction,
                           {{"none", KLDivReduction::None},
                            {"mean", KLDivReduction::Mean},
                            {"sum", KLDivReduction::Sum},
                            {"batchmean", KLDivReduction::BatchMean}},
                           {.help = "what becomes of the losses of the samples; batchmean is the divergence"});
  f("log_target", o.log_target, {.help = "the target holds logarithms"});
}
void describe(config::Fields& f, CrossEntropyLossOptions& o) {
  describe_weight(f, o.weight, "class");
  f("ignore_index", o.ignore_index, {.help = "a target that counts for nothing"});
  f("label_smoothing", o.label_smoothing,
    {.help = "how much of a target is spread over all classes", .min = 0, .max = 1});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, NLLLossOptions& o) {
  describe_weight(f, o.weight, "class");
  f("ignore_index", o.ignore_index, {.help = "a target that counts for nothing"});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, MultiMarginLossOptions& o) {
  f("p", o.p, {.help = "the power of the margins", .min = 1, .max = 2});
  f("margin", o.margin, {.help = "how far the wanted class has to lead"});
  describe_weight(f, o.weight, "class");
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, HingeEmbeddingLossOptions& o) {
  f("margin", o.margin, {.help = "how large inputs with target -1 have to be"});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, MarginOptions& o) {
  f("margin", o.margin, {.help = "what still counts as a mistake"});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, TripletMarginLossOptions& o) {
  f("margin", o.margin, {.help = "by how much the negative has to be farther away"});
  f("p", o.p, {.help = "the p of the norm", .min = 0, .above_min = true});
  f("eps", o.eps, {.help = "added to differences", .min = 0});
  f("swap", o.swap, {.help = "the distance of the negative from the positive counts when it is smaller"});
  describe_reduction(f, o.reduction);
}
void describe(config::Fields& f, CTCLossOptions& o) {
  f("blank", o.blank, {.help = "the class that stands for no label", .min = 0});
  describe_reduction(f, o.reduction);
  f("zero_infinity", o.zero_infinity, {.help = "targets that are too long cost 0"});
}

// ---- Of numbers.

Tensor L1Loss::forward(const Tensor& input, const Tensor& target) { return l1_loss(input, target, options_.reduction); }

Tensor MSELoss::forward(const Tensor& input, const Tensor& target) {
  return mse_loss(input, target, options_.reduction);
}

Tensor HuberLoss::forward(const Tensor& input, const Tensor& target) {
  return huber_loss(input, target, options_.reduction, options_.delta);
}

Tensor SmoothL1Loss::forward(const Tensor& input, const Tensor& target) {
  return smooth_l1_loss(input, target, options_.reduction, options_.beta);
}

Tensor PoissonNLLLoss::forward(const Tensor& input, const Tensor& target) {
  const Options& o = options_;
  return poisson_nll_loss(input, target, {o.log_input, o.full, o.eps, o.reduction});
}

void PoissonNLLLoss::check_targets(const Tensor& target) const {
  expect_targets(type_name(), target, target >= 0, "counts, which are not negative");
}

Tensor GaussianNLLLoss::operator()(Arg input, const Tensor& target, const Tensor& var) {
  const Options& o = options_;
  return run({*input, target, var}, [&](std::span<const Tensor> in) {
    return gaussian_nll_loss(in[0], in[1], in[2], {o.full, o.eps, o.reduction});
  });
}

Tensor GaussianNLLLoss::forward(const Tensor& input, const Tensor& target) {
  const std::vector<Tensor> parts = inputs_of("GaussianNLLLoss", input, 2, 2);
  return gaussian_nll_loss(parts[0], target, parts[1], {options_.full, options_.eps, options_.reduction});
}

// ---- Of probabilities.

Tensor BCELoss::forward(const Tensor& input, const Tensor& target) {
  return binary_cross_entropy(input, target, options_.reduction, beside(weight_, input));
}

void BCELoss::check_targets(const Tensor& target) const { expect_probabilities(type_name(), target); }

Tensor BCEWithLogitsLoss::forward(const Tensor& input, const Tensor& target) {
  return binary_cross_entropy_with_logits(input, target, options_.reduction, beside(weight_, input),
                                          beside(pos_weight_, input));
}

void BCEWithLogitsLoss::check_targets(const Tensor& target) const { expect_probabilities(type_name(), target); }

Tensor KLDivLoss::forward(const Tensor& input, const Tensor& target) {
  const bool log_target = options_.log_target;
  switch (options_.reduction) {
    case KLDivReduction::None: return kl_div(input, target, Reduction::None, log_target);
    case KLDivReduction::Mean: return kl_div(input, target, Reduction::Mean, log_target);
    case KLDivReduction::Sum: return kl_div(input, target, Reduction::Sum, log_target);
    case KLDivReduction::BatchMean: break;
  }
  EG_CHECK(input.dim() >= 1, ShapeError, "[KLDivLoss] expected an input with a batch axis, found a scalar");
  return kl_div(input, target, Reduction::Sum, log_target) / static_cast<double>(input.size(0));
}

void KLDivLoss::check_targets(const Tensor& target) const {
  if (!options_.log_target) expect_probabilities(type_name(), target);
}

// ---- Of classes.

namespace {

// The sum of the weights of labels that count, by which a mean over labels is divided.
double weight_of_labels(const Tensor& target, const Tensor& weight, std::int64_t ignore_index) {
  const NoGrad no_grad;
  const Tensor counts = target != ignore_index;
  if (!weight.defined()) return sum(counts).item();
  const Tensor labels = flatten(where(counts, target, zeros_like(target)));
  return sum(to(index_select(weight, 0, labels), kFloat64) * to(flatten(counts), kFloat64)).item();
}

}  // namespace

std::optional<double> CrossEntropyLoss::mean_weight(const Tensor& target) const {
  if (target.dtype() != kInt64 || options_.reduction == Reduction::Sum) return LossWith::mean_weight(target);
  return weight_of_labels(target, weight_, options_.ignore_index);
}

std::optional<double> NLLLoss::mean_weight(const Tensor& target) const {
  if (options_.reduction == Reduction::Sum) return LossWith::mean_weight(target);
  return weight_of_labels(target, weight_, options_.ignore_index);
}

Tensor CrossEntropyLoss::forward(const Tensor& input, const Tensor& target) {
  return cross_entropy(input, target,
                       {.weight = beside(weight_, input),
                        .ignore_index = options_.ignore_index,
                        .label_smoothing = options_.label_smoothing,
                        .reduction = options_.reduction});
}

void CrossEntropyLoss::check_targets(const Tensor& target) const {
  if (is_floating(target.dtype())) expect_distributions(type_name(), target);
}

Tensor NLLLoss::forward(const Tensor& input, const Tensor& target) {
  return nll_loss(input, target, {beside(weight_, input), options_.ignore_index, options_.reduction});
}

Tensor MultiMarginLoss::forward(const Tensor& input, const Tensor& target) {
  const Options& o = options_;
  return multi_margin_loss(input, target, {static_cast<int>(o.p), o.margin, beside(weight_, input), o.reduction});
}

Tensor MultiLabelMarginLoss::forward(const Tensor& input, const Tensor& target) {
  return multilabel_margin_loss(input, target, options_.reduction);
}

Tensor MultiLabelSoftMarginLoss::forward(const Tensor& input, const Tensor& target) {
  return multilabel_soft_margin_loss(input, target, options_.reduction, beside(weight_, input));
}

void MultiLabelSoftMarginLoss::check_targets(const Tensor& target) const { expect_probabilities(type_name(), target); }

// ---- With a target of 1 and -1, and distances.

Tensor SoftMarginLoss::forward(const Tensor& input, const Tensor& target) {
  return soft_margin_loss(input, target, options_.reduction);
}

void SoftMarginLoss::check_targets(const Tensor& target) const { expect_signs(type_name(), target); }

Tensor HingeEmbeddingLoss::forward(const Tensor& input, const Tensor& target) {
  return hinge_embedding_loss(input, target, options_.margin, options_.reduction);
}

void HingeEmbeddingLoss::check_targets(const Tensor& target) const { expect_signs(type_name(), target); }

Tensor MarginRankingLoss::operator()(Arg input1, const Tensor& input2, const Tensor& target) {
  return run({*input1, input2, target}, [this](std::span<const Tensor> in) {
    return margin_ranking_loss(in[0], in[1], in[2], options_.margin, options_.reduction);
  });
}

Tensor MarginRankingLoss::forward(const Tensor& input, const Tensor& target) {
  const std::vector<Tensor> parts = inputs_of("MarginRankingLoss", input, 2, 2);
  return margin_ranking_loss(parts[0], parts[1], target, options_.margin, options_.reduction);
}

Tensor CosineEmbeddingLoss::operator()(Arg input1, const Tensor& input2, const Tensor& target) {
  return run({*input1, input2, target}, [this](std::span<const Tensor> in) {
    return cosine_embedding_loss(in[0], in[1], in[2], options_.margin, options_.reduction);
  });
}

Tensor CosineEmbeddingLoss::forward(const Tensor& input, const Tensor& target) {
  const std::vector<Tensor> parts = inputs_of("CosineEmbeddingLoss", input, 2, 3);
  return cosine_embedding_loss(parts[0], parts[1], target, options_.margin, options_.reduction);
}

Tensor TripletMarginLoss::operator()(Arg anchor, const Tensor& positive, const Tensor& negative) {
  const Options& o = options_;
  return run({*anchor, positive, negative}, [&](std::span<const Tensor> in) {
    return triplet_margin_loss(in[0], in[1], in[2], {o.margin, o.p, o.eps, o.swap, o.reduction});
  });
}

Tensor TripletMarginLoss::forward(const Tensor& input, const Tensor&) {
  const Options& o = options_;
  const std::vector<Tensor> parts = inputs_of("TripletMarginLoss", input, 3, 3);
  return triplet_margin_loss(parts[0], parts[1], parts[2], {o.margin, o.p, o.eps, o.swap, o.reduction});
}

// ---- Of sequences.

Tensor CTCLoss::operator()(Arg log_probs, const Tensor& targets, const Tensor& input_lengths,
                           const Tensor& target_lengths) {
  const Options& o = options_;
  return run({*log_probs, targets, input_lengths, target_lengths}, [&](std::span<const Tensor> in) {
    return ctc_loss(in[0], in[1], in[2], in[3], {o.blank, o.reduction, o.zero_infinity});
  });
}

Tensor CTCLoss::forward(const Tensor& input, const Tensor& target) {
  EG_CHECK(input.dim() == 3 && target.dim() == 2 && target.size(0) == input.size(0), ShapeError,
           "[CTCLoss] expected an input [N, T, C] and a target [N, S], found {} and {}", input.shape(), target.shape());
  EG_CHECK(target.dtype() == kInt64, DtypeError, "[CTCLoss] expected a target of int64, found {}", target.dtype());
  const Tensor is_label = logical_and(target >= 0, target != options_.blank);
  const Tensor lengths = sum(is_label, {1});
  EG_CHECK(!any(logical_and(is_label, arange(target.size(1)) >= unsqueeze(lengths, 1))).item<bool>(), ValueError,
           "[CTCLoss] found a label behind the filling of a target");
  const Tensor labels = where(is_label, target, options_.blank == 0 ? 1 : 0);
  return ctc_loss(transpose(input, 0, 1), labels, full({input.size(0)}, input.size(1), kInt64), lengths,
                  {options_.blank, options_.reduction, options_.zero_infinity});
}

}  // namespace eigengrad::nn
