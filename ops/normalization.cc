#include "eigengrad/ops/normalization.h"

#include <algorithm>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/normalization.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using kernels::as_contiguous;

Dims all_but_channels(const Tensor& x) {
  Dims axes{0};
  for (std::int64_t axis = 2; axis < x.dim(); ++axis) axes.push_back(axis);
  return axes;
}

// The shape by which a tensor [C] meets the channels of x [N, C, ..].
Shape channel_shape(const Tensor& x) {
  Shape shape(x.shape().size() - 1, 1);
  shape[0] = x.size(1);
  return shape;
}

// Each channel of x [N, C, ..] by the mean and variance of the batch, with weight and bias [C]; also gives those two,
// [C]. The inputs are x, then the weight and the bias if there are any.
struct NormalizeChannels {
  static constexpr const char* kName = "batch_norm";
  static constexpr SaveMask kSaves = kInputs | output(1) | output(2);
  bool has_weight, has_bias;
  double eps;
  Attributes attributes() const { return {{"eps", fmt::format("{}", eps)}}; }
  Tensors forward(TensorRefs x) const {
    const Tensor weight = has_weight ? as_contiguous(x[1]) : Tensor();
    const Tensor bias = has_bias ? as_contiguous(x[has_weight ? 2 : 1]) : Tensor();
    return kernels::normalize_channels(x[0], weight, bias, eps);
  }
  // With r = 1 / √(variance + eps), y = (x - mean)·r and h = g·weight: r·(h - mean(h) - y·mean(h·y)).
  Grads backward(const Saved& s, TensorRefs g) const {
    const Tensor& x = s.x(0);
    if (!g[0].defined()) return Grads(s.inputs());
    const Dims axes = all_but_channels(x);
    const Tensor centered = x - mean(x, axes, true);
    const Tensor r = rsqrt(mean(square(centered), axes, true) + eps), y = centered * r;
    const Tensor h = has_weight ? g[0] * reshape(s.x(1), channel_shape(x)) : g[0];
    Grads grads{r * (h - mean(h, axes, true) - y * mean(h * y, axes, true))};
    if (has_weight) grads.push_back(sum(g[0] * y, axes));
    if (has_bias) grads.push_back(sum(g[0], axes));
    return grads;
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    if (!g[0].defined()) return Grads(s.inputs());
    const Tensor weight = has_weight ? as_contiguous(s.x(1)) : Tensor();
    const Tensors d = kernels::normalize_channels_backward(s.x(0), weight, s.y(1), s.y(2), g[0], eps);
    Grads grads{d[0]};
    if (has_weight) grads.push_back(d[1]);
    if (has_bias) grads.push_back(d[2]);
    return grads;
  }
};

// Each of so many groups of channels of each sample of x [N, C, ..], with weight and bias [C]; also gives mean and
// scale, [N, groups]. The inputs are x, then the weight and the bias if there are any.
struct NormalizeGroups {
  static constexpr const char* kName = "group_norm";
  static constexpr SaveMask kSaves = kInputs | output(1) | output(2);
  bool has_weight, has_bias;
  std::int64_t groups;
  double eps;
  Attributes attributes() const { return {{"groups", fmt::format("{}", groups)}, {"eps", fmt::format("{}", eps)}}; }
  Tensors forward(TensorRefs x) const {
    const Tensor weight = has_weight ? as_contiguous(x[1]) : Tensor();
    const Tensor bias = has_bias ? as_contiguous(x[has_weight ? 2 : 1]) : Tensor();
    return kernels::normalize_groups(x[0], groups, weight, bias, eps);
  }
  // As that of NormalizeChannels, by groups.
  Grads backward(const Saved& s, TensorRefs g) const {
    const Tensor& x = s.x(0);
    if (!g[0].defined()) return Grads(s.inputs());
    const Shape by_group{x.size(0), groups, -1};
    const Tensor in = reshape(x, by_group), centered = in - mean(in, {2}, true);
    const Tensor r = rsqrt(mean(square(centered), {2}, true) + eps), y = centered * r;
    const Tensor h = reshape(has_weight ? g[0] * reshape(s.x(1), channel_shape(x)) : g[0], by_group);
    Grads grads{reshape(r * (h - mean(h, {2}, true) - y * mean(h * y, {2}, true)), x.shape())};
    if (has_weight) grads.push_back(sum(g[0] * reshape(y, x.shape()), all_but_channels(x)));
    if (has_bias) grads.push_back(sum(g[0], all_but_channels(x)));
    return grads;
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    if (!g[0].defined()) return Grads(s.inputs());
    const Tensor weight = has_weight ? as_contiguous(s.x(1)) : Tensor();
    const Tensors d = kernels::normalize_groups_backward(s.x(0), groups, weight, s.y(1), s.y(2), g[0]);
    Grads grads{d[0]};
    if (has_weight) grads.push_back(d[1]);
    if (has_bias) grads.push_back(d[2]);
    return grads;
  }
};

// Over the last axes, of together `columns` elements, with weight and bias: centered for layer_norm, not for rms_norm.
// The inputs are x, then the weight and the bias if there are any.
template <bool kCentered>
struct NormalizeRows {
  static constexpr const char* kName = kCentered ? "layer_norm" : "rms_norm";
  static constexpr SaveMask kSaves = kInputs | output(1) | output(2);
  bool has_weight, has_bias;
  Shape shape;  // of the last axes
  double eps;
  Attributes attributes() const { return {{"normalized_shape", to_string(shape)}, {"eps", fmt::format("{}", eps)}}; }
  Tensors forward(TensorRefs x) const {
    const Tensor weight = has_weight ? as_contiguous(x[1]) : Tensor();
    const Tensor bias = has_bias ? as_contiguous(x[has_weight ? 2 : 1]) : Tensor();
    return kernels::normalize_rows(as_contiguous(x[0]), weight, bias, checked_numel(shape), eps, kCentered);
  }
  Grads backward(const Saved& s, TensorRefs g) const {
    const Tensor& x = s.x(0);
    const Dims axes = last(x);
    const Tensor centered = kCentered ? x - mean(x, axes, true) : x;
    const Tensor r = rsqrt(mean(square(centered), axes, true) + eps), y = centered * r;
    const Tensor weighted = has_weight ? g[0] * s.x(1) : g[0];
    const Tensor inner = kCentered ? weighted - mean(weighted, axes, true) : weighted;
    Grads grads{r * (inner - y * mean(weighted * y, axes, true))};
    // The engine sums over the axes that weight and bias do not have.
    if (has_weight) grads.push_back(g[0] * y);
    if (has_bias) grads.push_back(g[0]);
    return grads;
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    const Tensor weight = has_weight ? as_contiguous(s.x(1)) : Tensor();
    const std::size_t bias = has_weight ? 2 : 1;
    const bool wants_weight = has_weight && s.needs(1), wants_bias = has_bias && s.needs(bias);
    const Tensors d =
        kernels::normalize_rows_backward(as_contiguous(s.x(0)), weight, s.y(1), s.y(2), as_contiguous(g[0]),
                                         checked_numel(shape), kCentered, wants_weight, wants_bias);
    Grads grads{d[0]};
    if (has_weight) grads.push_back(wants_weight ? reshape(d[1], shape) : Tensor());
    if (has_bias) grads.push_back(wants_bias ? reshape(d[2], shape) : Tensor());
    return grads;
  }

 private:
  Dims last(const Tensor& x) const {
    Dims axes;
    for (std::int64_t axis = x.dim() - shape.rank(); axis < x.dim(); ++axis) axes.push_back(axis);
    return axes;
  }
};

void check_input(const char* op, const Tensor& x, std::int64_t least_rank) {
  kernels::check_floating(op, x);
  EG_CHECK(x.dim() >= least_rank, ShapeError, "[{}] expected an input of {} axes or more, found shape {}", op,
           least_rank, x.shape());
}

void check_parameter(const char* op, const char* what, const Tensor& parameter, const Shape& shape, const Tensor& x) {
  if (!parameter.defined()) return;
  EG_CHECK(parameter.shape() == shape, ShapeError, "[{}] the {} has shape {}, expected {} for an input of {}", op, what,
           parameter.shape(), shape, x.shape());
  EG_CHECK(parameter.dtype() == x.dtype(), DtypeError, "[{}] the {} is {}, expected the input's {}", op, what,
           parameter.dtype(), x.dtype());
}

// x·weight + bias with those of the two that there are, in the given shape.
Tensor affine(const Tensor& x, const Tensor& weight, const Tensor& bias, const Shape& shape) {
  const Tensor scaled = weight.defined() ? x * reshape(weight, shape) : x;
  return bias.defined() ? scaled + reshape(bias, shape) : scaled;
}

void check_last_axes(const char* op, const Tensor& x, const Shape& shape) {
  EG_CHECK(!shape.empty(), ShapeError, "[{}] the normalized shape has no axes", op);
  const std::int64_t first = x.dim() - shape.rank();
  EG_CHECK(first >= 0 && std::equal(shape.begin(), shape.end(), x.shape().begin() + std::max<std::int64_t>(0, first)),
           ShapeError, "[{}] the input {} does not end in the normalized shape {}", op, x.shape(), shape);
}

// Runs op on x and those of weight and bias that there are.
template <class Op>
Tensors apply_affine(const Op& op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  Tensors inputs{x};
  for (const Tensor* const parameter : {&weight, &bias})
    if (parameter->defined()) inputs.push_back(*parameter);
  return apply(op, std::span<const Tensor>(inputs));
}

template <bool kCentered>
Tensor normalize_rows(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias, double eps) {
  return apply_affine(NormalizeRows<kCentered>{weight.defined(), bias.defined(), shape, eps}, x, weight, bias)[0];
}

// Each group of channels of each sample on its own.
Tensor by_groups(const char* op, const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias,
                 double eps) {
  check_parameter(op, "weight", weight, {x.size(1)}, x);
  check_parameter(op, "bias", bias, {x.size(1)}, x);
  if (x.numel() == 0) return affine(x, weight, bias, channel_shape(x));
  return apply_affine(NormalizeGroups{weight.defined(), bias.defined(), groups, eps}, x, weight, bias)[0];
}

// (x - mean)·scale + bias in one pass; all three broadcast to x.
struct NormalizeBy {
  static constexpr const char* kName = "batch_norm";
  static constexpr SaveMask kSaves[] = {input(2), input(2), input(0) | input(1), kNothing};
  Tensor forward(TensorRefs x) const {
    const Tensor out = empty_like(x[0]);
    dispatch_floating(kName, out.dtype(), [&]<class T>() {
      const auto rule = kernels::each([](T a, T mean, T scale, T bias) { return (a - mean) * scale + bias; });
      kernels::elementwise<T, T, T, T, T>(out, rule, x[0], x[1], x[2], x[3]);
    });
    return out;
  }
  // The engine sums over the axes that the three do not have.
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor dx = s.needs(0) || s.needs(1) ? g * s.x(2) : Tensor();
    return {s.needs(0) ? dx : Tensor(), s.needs(1) ? -dx : Tensor(), s.needs(2) ? g * (s.x(0) - s.x(1)) : Tensor(), g};
  }
};

void move_towards(Tensor& running, const Tensor& batch, double momentum) {
  if (!running.defined()) return;
  const NoGrad no_grad;
  mul_(running, 1 - momentum);
  add_(running, reshape(batch.detach(), running.shape()), momentum);
}

Tensor batch_norm_training(const Tensor& x, Tensor& running_mean, Tensor& running_var, const Tensor& weight,
                           const Tensor& bias, const BatchNormOptions& options) {
  const std::int64_t count = x.size(1) == 0 ? 0 : x.numel() / x.size(1);
  EG_CHECK(count > 1 || x.numel() == 0, ShapeError,
           "[batch_norm] expected more than one value for each channel in training, found shape {}", x.shape());
  if (x.numel() == 0) return affine(x, weight, bias, channel_shape(x));
  const NormalizeChannels op{weight.defined(), bias.defined(), options.eps};
  const Tensors parts = apply_affine(op, x, weight, bias);
  move_towards(running_mean, parts[1], options.momentum);
  const double unbiased = static_cast<double>(count) / static_cast<double>(count - 1);
  if (running_var.defined()) move_towards(running_var, parts[2].detach() * unbiased, options.momentum);
  return parts[0];
}

}  // namespace

Tensor layer_norm(Arg x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias, double eps) {
  check_input("layer_norm", x, 1);
  check_last_axes("layer_norm", x, normalized_shape);
  check_parameter("layer_norm", "weight", weight, normalized_shape, x);
  check_parameter("layer_norm", "bias", bias, normalized_shape, x);
  if (x->numel() == 0) return affine(x, weight, bias, normalized_shape);
  return normalize_rows<true>(x, normalized_shape, weight, bias, eps);
}

Tensor rms_norm(Arg x, const Shape& normalized_shape, const Tensor& weight, double eps) {
  check_input("rms_norm", x, 1);
  check_last_axes("rms_norm", x, normalized_shape);
  check_parameter("rms_norm", "weight", weight, normalized_shape, x);
  if (x->numel() == 0) return affine(x, weight, Tensor(), normalized_shape);
  return normalize_rows<false>(x, normalized_shape, weight, Tensor(), eps);
}

Tensor group_norm(Arg x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  check_input("group_norm", x, 2);
  EG_CHECK(groups >= 1 && x->size(1) % groups == 0, ValueError,
           "[group_norm] the {} channels of {} cannot be cut into {} groups", x->size(1), x->shape(), groups);
  return by_groups("group_norm", x, groups, weight, bias, eps);
}

Tensor instance_norm(Arg x, const Tensor& weight, const Tensor& bias, double eps) {
  check_input("instance_norm", x, 3);
  return by_groups("instance_norm", x, x->size(1), weight, bias, eps);
}

Tensor batch_norm(Arg x, Tensor running_mean, Tensor running_var, const Tensor& weight, const Tensor& bias,
                  const BatchNormOptions& options) {
  check_input("batch_norm", x, 2);
  for (const auto& [what, parameter] :
       {std::pair("running mean", running_mean), std::pair("running variance", running_var),
        std::pair("weight", weight), std::pair("bias", bias)})
    check_parameter("batch_norm", what, parameter, {x->size(1)}, x);
  const Shape shape = channel_shape(x);
  if (options.training) return batch_norm_training(x, running_mean, running_var, weight, bias, options);
  EG_CHECK(running_mean.defined() && running_var.defined(), ValueError,
           "[batch_norm] found no running mean and variance, expected them outside training");
  const Tensor inverse = rsqrt(running_var + options.eps);
  return apply(NormalizeBy{}, x, reshape(running_mean, shape),
               reshape(weight.defined() ? inverse * weight : inverse, shape),
               reshape(bias.defined() ? bias : zeros_like(inverse), shape));
}

Tensor normalize(Arg x, double p, std::int64_t axis, double eps) {
  check_input("normalize", x, 0);
  return x / maximum(norm(x, p, {normalize_axis("normalize", axis, x->dim())}, true), eps);
}

}  // namespace eigengrad
