// Losses of which the target is a class, or several.
#include <optional>
#include <string>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/loss.h"
#include "eigengrad/ops/kernels/softmax.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

const char* name_of(Reduction reduction) {
  return reduction == Reduction::None ? "none" : reduction == Reduction::Mean ? "mean" : "sum";
}

std::int64_t class_axis(const Shape& input) { return input.size() == 1 ? 0 : 1; }

// Throws for the first target that is no class; `ignored` is allowed too, if there is one.
void check_labels(const char* op, const Tensor& target, std::int64_t classes,
                  std::optional<std::int64_t> ignored = {}) {
  const Tensor row_major = contiguous(target);
  const std::int64_t* labels = row_major.raw<std::int64_t>();
  for (std::int64_t i = 0; i < target.numel(); ++i)
    EG_CHECK((labels[i] >= 0 && labels[i] < classes) || labels[i] == ignored, IndexError,
             "[{}] target {} at {} is not one of {} classes: expected 0 to {}{}", op, labels[i],
             position_of(i, target.shape()), classes, classes - 1,
             ignored ? fmt::format(", or {} for none", *ignored) : "");
}

// Inputs: the logits, the targets and, where there are any, the weights of the classes. With q the distribution that
// the targets stand for (see kernels::Targets), the loss of a sample is Σ q·(-log softmax(x)), and its gradient is
// softmax(x)·Σq - q. Saving the logits alone, and taking their softmax again, costs the least memory.
struct CrossEntropy {
  static constexpr const char* kName = "cross_entropy";
  static constexpr SaveMask kSaves = kInputs;
  std::int64_t ignored;
  double smoothing;
  Reduction reduction;

  Attributes attributes() const {
    return {{"ignore_index", std::to_string(ignored)},
            {"label_smoothing", fmt::format("{}", smoothing)},
            {"reduction", name_of(reduction)}};
  }

  Tensor forward(TensorRefs x) const {
    const Tensor logits = contiguous(x[0]), target = contiguous(x[1]);
    const Tensor weight = x.size() > 2 ? contiguous(x[2]) : Tensor();
    check_labels(kName, target, logits.size(class_axis(logits.shape())), ignored);
    const Tensor losses = empty(target.shape(), logits.dtype());
    dispatch_floating(kName, logits.dtype(), [&]<class T>() {
      kernels::cross_entropy<T>(view(logits.shape()), logits.raw<T>(), targets<T>(target, weight), losses.raw<T>());
    });
    if (reduction == Reduction::None) return losses;
    const Tensor total = sum(losses);
    if (reduction == Reduction::Mean)
      dispatch_floating(kName, total.dtype(), [&]<class T>() { *total.raw<T>() /= counted_weight<T>(target, weight); });
    return total;
  }

  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor &logits = s.x(0), target = contiguous(s.x(1)), weight = weight_of(s);
    const std::int64_t axis = class_axis(logits.shape());
    const Tensor q = distribution(logits, target, weight);
    Grads grads(s.inputs());
    grads[0] = scale(g, target, weight, axis) * (softmax(logits, axis) * sum(q, {axis}, true) - q);
    return grads;
  }

  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const Tensor logits = contiguous(s.x(0)), target = contiguous(s.x(1)), weight = weight_of(s);
    const Tensor by = contiguous(g), out = empty(logits.shape(), logits.dtype());
    dispatch_floating(kName, logits.dtype(), [&]<class T>() {
      const bool one_scale = reduction != Reduction::None;
      T scale = one_scale ? *by.raw<T>() : T(1);
      if (reduction == Reduction::Mean) scale /= counted_weight<T>(target, weight);
      kernels::cross_entropy_grad<T>(view(logits.shape()), logits.raw<T>(), targets<T>(target, weight),
                                     one_scale ? &scale : by.raw<T>(), one_scale, out.raw<T>());
    });
    Grads grads(s.inputs());
    grads[0] = out;
    return grads;
  }

 private:
  static kernels::AxisView view(const Shape& logits) { return kernels::view_along(logits, class_axis(logits)); }
  static Tensor weight_of(const Saved& s) { return s.inputs() > 2 ? contiguous(s.x(2)) : Tensor(); }

  template <class T>
  kernels::Targets<T> targets(const Tensor& target, const Tensor& weight) const {
    return {target.raw<std::int64_t>(), weight.defined() ? weight.raw<T>() : nullptr, ignored,
            static_cast<T>(smoothing)};
  }

  // Σ of the weights of the targets that count.
  template <class T>
  T counted_weight(const Tensor& target, const Tensor& weight) const {
    const std::int64_t* values = target.raw<std::int64_t>();
    double total = 0;
    for (std::int64_t i = 0; i < target.numel(); ++i)
      if (values[i] != ignored) total += weight.defined() ? static_cast<double>(weight.raw<T>()[values[i]]) : 1.0;
    return static_cast<T>(total);
  }

  // What the gradient of each sample's loss is multiplied by, with an axis for the classes.
  Tensor scale(const Tensor& g, const Tensor& target, const Tensor& weight, std::int64_t axis) const {
    if (reduction == Reduction::None) return unsqueeze(g, axis);
    if (reduction == Reduction::Sum) return g;
    const double total = g.dtype() == kFloat32 ? static_cast<double>(counted_weight<float>(target, weight))
                                               : counted_weight<double>(target, weight);
    return g / total;
  }

  // q, in the shape of the logits.
  Tensor distribution(const Tensor& logits, const Tensor& target, const Tensor& weight) const {
    const Tensor q = empty(logits.shape(), logits.dtype());
    dispatch_floating(kName, q.dtype(), [&]<class T>() {
      kernels::target_distribution<T>(view(q.shape()), targets<T>(target, weight), q.raw<T>());
    });
    return q;
  }
};

// The weights of the classes of an input, if there are any.
void check_weight(const char* op, const Tensor& weight, const Tensor& input) {
  if (!weight.defined()) return;
  const Shape classes{input.size(class_axis(input.shape()))};
  EG_CHECK(weight.shape() == classes, ShapeError, "[{}] the weight has shape {}, expected {}", op, weight.shape(),
           classes);
  EG_CHECK(weight.dtype() == input.dtype(), DtypeError, "[{}] the weight is {}, expected the input's {}", op,
           weight.dtype(), input.dtype());
  EG_CHECK(!weight.requires_grad(), GradError, "[{}] there is no gradient for the weight: detach() it", op);
}

void check_input(const char* op, const Tensor& input) {
  losses::check_floating(op, "input", input);
  EG_CHECK(input.dim() > 0, ShapeError, "[{}] the input has no axis of classes: expected [N, C], [N, C, d1, ..] or [C]",
           op);
}

// A class for each sample.
void check_target(const char* op, const Tensor& input, const Tensor& target) {
  losses::check_classes(op, "target", target);
  Shape expected = input.shape();
  expected.erase(static_cast<std::size_t>(class_axis(expected)));
  EG_CHECK(target.shape() == expected, ShapeError, "[{}] the target has shape {}, expected {} for an input of {}", op,
           target.shape(), expected, input.shape());
}

// The element of x at the label of each sample.
Tensor at_labels(const Tensor& x, const Tensor& labels) {
  const std::int64_t axis = class_axis(x.shape());
  return squeeze(gather(x, axis, unsqueeze(labels, axis)), axis);
}

// The weight of the label of each sample.
Tensor weights_of(const Tensor& labels, const Tensor& weight, Dtype dtype) {
  if (!weight.defined()) return ones(labels.shape(), dtype);
  return reshape(index_select(weight, 0, flatten(labels)), labels.shape());
}

// A cross entropy whose targets are probabilities.
Tensor soft_cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  EG_CHECK(options.ignore_index < 0, ValueError,
           "[cross_entropy] ignore_index is {}, but the target holds probabilities, none of which can be ignored",
           options.ignore_index);
  const std::int64_t axis = class_axis(input.shape()), classes = input.size(axis);
  const double smoothing = options.label_smoothing;
  Tensor q = smoothing > 0 ? target * (1 - smoothing) + smoothing / static_cast<double>(classes) : target;
  if (options.weight.defined()) {
    Shape beside(input.shape().size(), 1);
    beside[static_cast<std::size_t>(axis)] = classes;
    q = q * reshape(options.weight, beside);
  }
  return losses::reduce(-sum(q * log_softmax(input, axis), {axis}), options.reduction);
}

// A sample without a batch axis is a batch of one.
Tensor batched(const Tensor& x, bool is_batch) { return is_batch ? x : unsqueeze(x, 0); }
Tensor unbatched(const Tensor& losses, bool is_batch) { return is_batch ? losses : squeeze(losses, 0); }

void check_batch(const char* op, const Tensor& input) {
  check_input(op, input);
  EG_CHECK(input.dim() <= 2, ShapeError, "[{}] the input has shape {}, expected [N, C] or [C]", op, input.shape());
}

// Targets [N, C] of several classes: which of their labels count, being in front of the first -1, and which classes
// those are.
struct Several {
  Tensor counted, wanted;
};

Several several(const Tensor& target) {
  const Tensor labels = contiguous(target);
  const Several result{zeros(labels.shape(), kBool), zeros(labels.shape(), kBool)};
  const std::int64_t* label = labels.raw<std::int64_t>();
  bool *counted = result.counted.raw<bool>(), *wanted = result.wanted.raw<bool>();
  const std::int64_t classes = labels.size(1);
  for (std::int64_t begin = 0; begin < labels.numel(); begin += classes)
    for (std::int64_t i = begin; i < begin + classes && label[i] >= 0; ++i)
      counted[i] = wanted[begin + label[i]] = true;
  return result;
}

}  // namespace

Tensor cross_entropy(Arg input, const Tensor& target, const CrossEntropyOptions& options) {
  const char* const op = CrossEntropy::kName;
  check_input(op, input);
  losses::check_defined(op, "target", target);
  check_weight(op, options.weight, input);
  EG_CHECK(options.label_smoothing >= 0 && options.label_smoothing <= 1, ValueError,
           "[{}] label_smoothing is {}, expected 0 to 1", op, options.label_smoothing);
  if (is_floating(target.dtype()) && target.shape() == input->shape())
    return soft_cross_entropy(input, target, options);
  check_target(op, input, target);
  const CrossEntropy rule{options.ignore_index, options.label_smoothing, options.reduction};
  return options.weight.defined() ? apply(rule, input, target, options.weight) : apply(rule, input, target);
}

Tensor nll_loss(Arg input, const Tensor& target, const NllOptions& options) {
  const char* const op = "nll_loss";
  check_input(op, input);
  check_target(op, input, target);
  check_weight(op, options.weight, input);
  check_labels(op, target, input->size(class_axis(input->shape())), options.ignore_index);
  const Tensor ignored = target == options.ignore_index;
  const Tensor labels = masked_fill(target, ignored, 0);
  const Tensor weights = masked_fill(weights_of(labels, options.weight, input->dtype()), ignored, 0);
  // An ignored input leaves no trace, even where it is not finite.
  const Tensor cost = masked_fill(-at_labels(input, labels) * weights, ignored, 0);
  if (options.reduction == Reduction::None) return cost;
  return options.reduction == Reduction::Sum ? sum(cost) : sum(cost) / sum(weights);
}

Tensor multi_margin_loss(Arg input, const Tensor& target, const MultiMarginOptions& options) {
  const char* const op = "multi_margin_loss";
  check_batch(op, input);
  check_target(op, input, target);
  check_weight(op, options.weight, input);
  EG_CHECK(options.p == 1 || options.p == 2, ValueError, "[{}] p is {}, expected 1 or 2", op, options.p);
  const bool is_batch = input->dim() == 2;
  const Tensor x = batched(input, is_batch), labels = batched(target, is_batch);
  const std::int64_t classes = x.size(1);
  check_labels(op, labels, classes);
  const Tensor excess = relu(options.margin - unsqueeze(at_labels(x, labels), 1) + x);
  const Tensor others = masked_fill(options.p == 2 ? square(excess) : excess, one_hot(labels, classes) == 1, 0);
  const Tensor cost = weights_of(labels, options.weight, x.dtype()) * sum(others, {1}) / static_cast<double>(classes);
  return losses::reduce(unbatched(cost, is_batch), options.reduction);
}

Tensor multilabel_margin_loss(Arg input, const Tensor& target, Reduction reduction) {
  const char* const op = "multilabel_margin_loss";
  check_batch(op, input);
  losses::check_classes(op, "target", target);
  EG_CHECK(target.shape() == input->shape(), ShapeError, "[{}] the target has shape {}, expected the input's {}", op,
           target.shape(), input->shape());
  const bool is_batch = input->dim() == 2;
  const Tensor x = batched(input, is_batch), labels = batched(target, is_batch);
  check_labels(op, labels, x.size(1), -1);
  const auto [counted, wanted] = several(labels);
  // For each label that counts and each class: [N, labels, C].
  const Tensor excess = relu(1 - unsqueeze(gather(x, 1, maximum(labels, 0)), 2) + unsqueeze(x, 1));
  const Tensor idle = logical_or(unsqueeze(logical_not(counted), 2), unsqueeze(wanted, 1));
  const Tensor cost = sum(masked_fill(excess, idle, 0), {1, 2}) / static_cast<double>(x.size(1));
  return losses::reduce(unbatched(cost, is_batch), reduction);
}

}  // namespace eigengrad
