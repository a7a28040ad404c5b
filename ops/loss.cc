#include "eigengrad/ops/loss.h"

#include <string>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/kernels/softmax.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

const char* name_of(Reduction reduction) {
  return reduction == Reduction::None ? "none" : reduction == Reduction::Mean ? "mean" : "sum";
}

Tensor reduce(const Tensor& losses, Reduction reduction) {
  return reduction == Reduction::None ? losses : reduction == Reduction::Mean ? mean(losses) : sum(losses);
}

// "[3, 0]": where element `number` of a row-major tensor is.
Dims position_of(std::int64_t number, const Shape& shape) {
  Dims position(shape.size());
  for (std::size_t i = shape.size(); i-- > 0; number /= shape[i]) position[i] = number % shape[i];
  return position;
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
    check_targets(target, logits.size(class_axis(logits.shape())));
    const Tensor losses = empty(target.shape(), logits.dtype());
    dispatch_floating(kName, logits.dtype(), [&]<class T>() {
      kernels::cross_entropy<T>(view(logits.shape()), logits.raw<T>(), targets<T>(target, weight), losses.raw<T>());
    });
    if (reduction == Reduction::None) return losses;
    return reduction == Reduction::Sum ? sum(losses) : sum(losses) / counted_weight(target, weight, losses.dtype());
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
    const Tensor by = contiguous(scale(g, target, weight, class_axis(logits.shape())));
    const Tensor out = empty(logits.shape(), logits.dtype());
    dispatch_floating(kName, logits.dtype(), [&]<class T>() {
      kernels::cross_entropy_grad<T>(view(logits.shape()), logits.raw<T>(), targets<T>(target, weight), by.raw<T>(),
                                     reduction != Reduction::None, out.raw<T>());
    });
    Grads grads(s.inputs());
    grads[0] = out;
    return grads;
  }

  static std::int64_t class_axis(const Shape& logits) { return logits.size() == 1 ? 0 : 1; }

 private:
  static kernels::AxisView view(const Shape& logits) { return kernels::view_along(logits, class_axis(logits)); }
  static Tensor weight_of(const Saved& s) { return s.inputs() > 2 ? contiguous(s.x(2)) : Tensor(); }

  template <class T>
  kernels::Targets<T> targets(const Tensor& target, const Tensor& weight) const {
    return {target.raw<std::int64_t>(), weight.defined() ? weight.raw<T>() : nullptr, ignored,
            static_cast<T>(smoothing)};
  }

  void check_targets(const Tensor& target, std::int64_t classes) const {
    const std::int64_t* values = target.raw<std::int64_t>();
    for (std::int64_t i = 0; i < target.numel(); ++i)
      EG_CHECK((values[i] >= 0 && values[i] < classes) || values[i] == ignored, IndexError,
               "[cross_entropy] target {} at {} is not one of {} classes: expected 0 to {}, or the ignore_index {}",
               values[i], position_of(i, target.shape()), classes, classes - 1, ignored);
  }

  // Σ of the weights of the targets that count.
  Tensor counted_weight(const Tensor& target, const Tensor& weight, Dtype dtype) const {
    const std::int64_t* values = target.raw<std::int64_t>();
    double total = 0;
    dispatch_floating(kName, dtype, [&]<class T>() {
      for (std::int64_t i = 0; i < target.numel(); ++i)
        if (values[i] != ignored) total += weight.defined() ? static_cast<double>(weight.raw<T>()[values[i]]) : 1.0;
    });
    return full({}, total, dtype);
  }

  // What the gradient of each sample's loss is multiplied by, with an axis for the classes.
  Tensor scale(const Tensor& g, const Tensor& target, const Tensor& weight, std::int64_t axis) const {
    if (reduction == Reduction::None) return unsqueeze(g, axis);
    return reduction == Reduction::Mean ? g / counted_weight(target, weight, g.dtype()) : g;
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

void check_cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  EG_CHECK(input.dim() > 0, ShapeError,
           "[cross_entropy] the input has no axis of classes: expected [N, C], [N, C, d1, ..] or [C]");
  EG_CHECK(target.dtype() == kInt64, DtypeError, "[cross_entropy] the target is {}, expected int64", target.dtype());
  const auto axis = static_cast<std::size_t>(CrossEntropy::class_axis(input.shape()));
  Shape expected = input.shape();
  expected.erase(axis);
  EG_CHECK(target.shape() == expected, ShapeError,
           "[cross_entropy] the target has shape {}, expected {} for an input of {}", target.shape(), expected,
           input.shape());
  EG_CHECK(options.label_smoothing >= 0 && options.label_smoothing <= 1, ValueError,
           "[cross_entropy] label_smoothing is {}, expected 0 to 1", options.label_smoothing);
  const Tensor& weight = options.weight;
  if (!weight.defined()) return;
  const Shape classes{input.shape()[axis]};
  EG_CHECK(weight.shape() == classes, ShapeError, "[cross_entropy] the weight has shape {}, expected {}",
           weight.shape(), classes);
  EG_CHECK(weight.dtype() == input.dtype(), DtypeError, "[cross_entropy] the weight is {}, expected the input's {}",
           weight.dtype(), input.dtype());
  EG_CHECK(!weight.requires_grad(), GradError, "[cross_entropy] there is no gradient for the weight: detach() it");
}

void check_same_shape(const char* op, const Tensor& input, const Tensor& target) {
  EG_CHECK(input.shape() == target.shape(), ShapeError,
           "[{}] the input has shape {} and the target {}: they must be the same", op, input.shape(), target.shape());
}

}  // namespace

Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options) {
  check_cross_entropy(input, target, options);
  const CrossEntropy op{options.ignore_index, options.label_smoothing, options.reduction};
  return options.weight.defined() ? apply(op, input, target, options.weight) : apply(op, input, target);
}

Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction) {
  check_same_shape("mse_loss", input, target);
  return reduce(square(input - target), reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target, Reduction reduction,
                                        const Tensor& weight, const Tensor& pos_weight) {
  check_same_shape("binary_cross_entropy_with_logits", input, target);
  // -log σ(x) = softplus(-x), and -log(1 - σ(x)) = softplus(x): nothing cancels, however sure the prediction.
  const Tensor positive = pos_weight.defined() ? target * pos_weight : target;
  const Tensor losses = positive * softplus(-input) + (1 - target) * softplus(input);
  return reduce(weight.defined() ? losses * weight : losses, reduction);
}

}  // namespace eigengrad
