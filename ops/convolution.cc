#include "eigengrad/ops/convolution.h"

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/convolution.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/kernels/then_relu.h"
#include "eigengrad/ops/rearrange.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using kernels::Window;

struct Geometry {
  Window window;
  std::int64_t groups;
  Precision precision;
  Attributes attributes() const {
    const auto text = [](const std::array<std::int64_t, 2>& pair) { return to_string(Pair(pair[0], pair[1])); };
    return {{"stride", text(window.stride)},
            {"padding", text(window.padding)},
            {"dilation", text(window.dilation)},
            {"groups", std::to_string(groups)}};
  }
  // Of a multiplication and an addition for every tap of a kernel [O, C / groups, kh, kw] at every place of [N, O, oh,
  // ow].
  static double flops_of(double places_and_outputs, const Tensor& weight) {
    return 2 * places_and_outputs * static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0));
  }
};

// y = C(x, w) is linear in both, and so are the gradients dx = X(g, w) and dw = W(x, g) that belong to it. Each of the
// three has the other two for its gradients.
//
// A third input is the bias.
struct Conv : Geometry {
  static constexpr const char* kName = "conv2d";
  static constexpr SaveMask kSaves[] = {input(1), input(0), kNothing};
  Tensor forward(TensorRefs x) const { return compute(x, false); }
  Tensor compute(TensorRefs x, bool then_relu) const {
    return kernels::convolution(x[0], x[1], x.size() == 3 ? x[2] : Tensor(), window, groups, precision, then_relu);
  }
  double flops(TensorRefs x, const Tensor& y) const {
    const auto outputs = static_cast<double>(y.numel());
    return flops_of(outputs, x[1]) + (x.size() == 3 ? outputs : 0);
  }
  Grads backward(const Saved& s, const Tensor& g) const;
  Grads backward_fused(const Saved& s, const Tensor& g) const;
};

struct ConvInputGrad : Geometry {
  static constexpr const char* kName = "conv_transpose2d";
  static constexpr SaveMask kSaves[] = {input(1), input(0)};
  std::int64_t height, width;
  Tensor forward(TensorRefs x) const {
    return kernels::convolution_input_grad(x[0], x[1], window, groups, height, width, precision);
  }
  double flops(TensorRefs x, const Tensor&) const { return flops_of(static_cast<double>(x[0].numel()), x[1]); }
  Grads backward(const Saved& s, const Tensor& g) const;
};

struct ConvWeightGrad : Geometry {
  static constexpr const char* kName = "conv2d_weight_grad";
  static constexpr SaveMask kSaves[] = {input(1), input(0)};
  Tensor forward(TensorRefs x) const {
    return kernels::convolution_weight_grad(x[0], x[1], window, groups, false, precision).weight;
  }
  double flops(TensorRefs x, const Tensor& y) const { return flops_of(static_cast<double>(x[1].numel()), y); }
  Grads backward(const Saved& s, const Tensor& g) const;
};

Grads Conv::backward(const Saved& s, const Tensor& g) const {
  const Geometry& same = *this;
  Grads grads{s.needs(0) ? apply(ConvInputGrad{same, s.shape(0)[2], s.shape(0)[3]}, g, s.x(1)) : Tensor(),
              s.needs(1) ? apply(ConvWeightGrad{same}, s.x(0), g) : Tensor()};
  if (s.inputs() == 3) grads.push_back(s.needs(2) ? sum(g, {0, 2, 3}) : Tensor());
  return grads;
}

// The bias comes with the weight.
Grads Conv::backward_fused(const Saved& s, const Tensor& output_grad) const {
  if (s.inputs() < 3 || !s.needs(1) || !s.needs(2)) return backward(s, output_grad);
  const Tensor g = kernels::as_convolved(output_grad);
  const Tensor dx =
      s.needs(0) ? kernels::convolution_input_grad(g, s.x(1), window, groups, s.shape(0)[2], s.shape(0)[3], precision)
                 : Tensor();
  const kernels::WeightGrads d = kernels::convolution_weight_grad(s.x(0), g, window, groups, true, precision);
  return {dx, d.weight, d.bias};
}

Grads ConvInputGrad::backward(const Saved& s, const Tensor& g) const {
  const Geometry& same = *this;
  return {s.needs(0) ? apply(Conv{same}, g, s.x(1)) : Tensor(),
          s.needs(1) ? apply(ConvWeightGrad{same}, g, s.x(0)) : Tensor()};
}

Grads ConvWeightGrad::backward(const Saved& s, const Tensor& g) const {
  const Geometry& same = *this;
  return {s.needs(0) ? apply(ConvInputGrad{same, s.shape(0)[2], s.shape(0)[3]}, s.x(1), g) : Tensor(),
          s.needs(1) ? apply(Conv{same}, s.x(0), g) : Tensor()};
}

struct Unfold {
  static constexpr const char* kName = "unfold";
  static constexpr SaveMask kSaves = kNothing;
  Window window;
  Tensor forward(TensorRefs x) const { return kernels::unfold(x[0], window); }
  Grads backward(const Saved& s, const Tensor& g) const;
};

struct Fold {
  static constexpr const char* kName = "fold";
  static constexpr SaveMask kSaves = kNothing;
  Window window;
  std::int64_t height, width;
  Tensor forward(TensorRefs x) const { return kernels::fold(x[0], window, height, width); }
  Grads backward(const Saved&, const Tensor& g) const { return {apply(Unfold{window}, g)}; }
};

Grads Unfold::backward(const Saved& s, const Tensor& g) const {
  return {apply(Fold{window, s.shape(0)[2], s.shape(0)[3]}, g)};
}

// ---- Checks.

constexpr std::int64_t kLargest = std::int64_t{1}
                                  << 31;  // of every extent and attribute: sums of them do not pass int64

void check_pair(const char* op, const char* what, Pair pair, std::int64_t least) {
  EG_CHECK(pair.rows >= least && pair.columns >= least && pair.rows < kLargest && pair.columns < kLargest, ValueError,
           "[{}] the {} is {}, expected {} or more", op, what, pair, least);
}

Window checked_window(const char* op, Pair kernel, Pair stride, Pair padding, Pair dilation) {
  check_pair(op, "kernel size", kernel, 1);
  check_pair(op, "stride", stride, 1);
  check_pair(op, "padding", padding, 0);
  check_pair(op, "dilation", dilation, 1);
  return {{kernel.rows, kernel.columns},
          {stride.rows, stride.columns},
          {padding.rows, padding.columns},
          {dilation.rows, dilation.columns}};
}

void check_fits(const char* op, const Window& window, const Shape& image) {
  for (std::size_t axis : {0, 1})
    EG_CHECK(window.places(axis, image[2 + axis]) > 0, ShapeError,
             "[{}] a kernel of {} taps, {} apart, does not fit into {} elements with a padding of {}", op,
             window.kernel[axis], window.dilation[axis], image[2 + axis], window.padding[axis]);
}

// What x and weight have to be; `rank` is that of a batch.
void check_tensors(const char* op, const Tensor& x, const Tensor& weight, std::int64_t rank) {
  kernels::check_defined(op, x, weight);
  EG_CHECK(is_floating(x.dtype()) && x.dtype() == weight.dtype(), DtypeError,
           "[{}] expected an input and a weight of one floating dtype, found {} and {}", op, x.dtype(), weight.dtype());
  EG_CHECK(x.dim() == rank || x.dim() == rank - 1, ShapeError,
           "[{}] expected an input of {} axes, or {} without a batch, "
           "found shape {}",
           op, rank, rank - 1, x.shape());
  EG_CHECK(weight.dim() == rank, ShapeError, "[{}] expected a weight of {} axes, found shape {}", op, rank,
           weight.shape());
}

void check_channels(const char* op, std::int64_t found, std::int64_t expected, std::int64_t groups, const Tensor& x,
                    const Tensor& weight) {
  EG_CHECK(found == expected, ShapeError, "[{}] the input {} has {} channels, but the weight {} in {} groups takes {}",
           op, x.shape(), found, weight.shape(), groups, expected);
}

void check_groups(const char* op, std::int64_t groups, const Tensor& weight) {
  EG_CHECK(groups >= 1, ValueError, "[{}] the number of groups is {}, expected 1 or more", op, groups);
  EG_CHECK(weight.size(0) % groups == 0, ShapeError,
           "[{}] the {} channels of the weight are not a multiple of {} groups", op, weight.size(0), groups);
}

void check_bias(const char* op, const Tensor& bias, const Tensor& x, std::int64_t channels) {
  EG_CHECK(bias.dtype() == x.dtype(), DtypeError, "[{}] the bias is {}, expected the input's {}", op, bias.dtype(),
           x.dtype());
  EG_CHECK(bias.shape() == Shape{channels}, ShapeError, "[{}] expected a bias of shape [{}], found {}", op, channels,
           bias.shape());
}

// Both with four axes; `op` is what the user called.
template <class Op>
Tensor convolve(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& o) {
  check_groups(op, o.groups, weight);
  check_channels(op, x.size(1), weight.size(1) * o.groups, o.groups, x, weight);
  const Window window = checked_window(op, {weight.size(2), weight.size(3)}, o.stride, o.padding, o.dilation);
  check_fits(op, window, x.shape());
  const Op conv{{window, o.groups, precision_for(x)}};
  if (!bias.defined()) return apply(conv, x, weight);
  check_bias(op, bias, x, weight.size(0));
  return apply(conv, x, weight, bias);
}

std::int64_t transposed_extent(const char* op, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                               std::int64_t padding, std::int64_t dilation, std::int64_t more) {
  EG_CHECK(more >= 0 && (more < stride || more < dilation), ValueError,
           "[{}] the output_padding is {}, expected less than the stride {} or the dilation {}", op, more, stride,
           dilation);
  const std::int64_t extent = (in - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1;
  EG_CHECK(in > 0 && extent > 0, ShapeError, "[{}] {} elements with padding {} would give {}", op, in, padding, extent);
  return extent;
}

Tensor convolve_transposed(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                           const ConvTranspose2dOptions& o) {
  check_groups(op, o.groups, weight);
  check_channels(op, x.size(1), weight.size(0), o.groups, x, weight);
  const Window window = checked_window(op, {weight.size(2), weight.size(3)}, o.stride, o.padding, o.dilation);
  const std::int64_t height = transposed_extent(op, x.size(2), window.kernel[0], o.stride.rows, o.padding.rows,
                                                o.dilation.rows, o.output_padding.rows);
  const std::int64_t width = transposed_extent(op, x.size(3), window.kernel[1], o.stride.columns, o.padding.columns,
                                               o.dilation.columns, o.output_padding.columns);
  // An output_padding beyond the stride makes room for more places than x has: they hold 0.
  const std::int64_t rows = window.places(0, height) - x.size(2), columns = window.places(1, width) - x.size(3);
  const Tensor full = rows + columns > 0 ? pad(x, {0, columns, 0, rows}) : x;
  const Tensor y = apply(ConvInputGrad{{window, o.groups, precision_for(x)}, height, width}, full, weight);
  if (!bias.defined()) return y;
  check_bias(op, bias, x, y.size(1));
  return y + reshape(bias, {y.size(1), 1, 1});
}

// Runs f on x with a batch of one where it has none, and on what it gives takes that away again.
template <class F>
Tensor with_batch(const Tensor& x, std::int64_t rank, F f) {
  return x.dim() == rank ? f(x) : squeeze(f(unsqueeze(x, 0)), 0);
}

// A sequence is an image of one row.
template <class F>
Tensor as_image(const Tensor& x, const Tensor& weight, F f) {
  return squeeze(f(unsqueeze(x, -2), unsqueeze(weight, -2)), -2);
}

template <class Op>
Tensor convolve_images(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const Conv2dOptions& options) {
  check_tensors(op, x, weight, 4);
  return with_batch(x, 4, [&](const Tensor& batch) { return convolve<Op>(op, batch, weight, bias, options); });
}

template <class Op>
Tensor convolve_sequences(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                          const Conv1dOptions& o) {
  check_tensors(op, x, weight, 3);
  const Conv2dOptions options{{1, o.stride}, {0, o.padding}, {1, o.dilation}, o.groups};
  return with_batch(x, 3, [&](const Tensor& batch) {
    return as_image(batch, weight,
                    [&](const Tensor& image, const Tensor& w) { return convolve<Op>(op, image, w, bias, options); });
  });
}

}  // namespace

Tensor conv2d(Arg x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  return convolve_images<Conv>("conv2d", x, weight, bias, options);
}
Tensor conv2d_relu(Arg x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  return convolve_images<kernels::ThenRelu<Conv>>("conv2d_relu", x, weight, bias, options);
}

Tensor conv1d(Arg x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options) {
  return convolve_sequences<Conv>("conv1d", x, weight, bias, options);
}
Tensor conv1d_relu(Arg x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options) {
  return convolve_sequences<kernels::ThenRelu<Conv>>("conv1d_relu", x, weight, bias, options);
}

Tensor conv_transpose2d(Arg x, const Tensor& weight, const Tensor& bias, const ConvTranspose2dOptions& options) {
  check_tensors("conv_transpose2d", x, weight, 4);
  return with_batch(
      x, 4, [&](const Tensor& batch) { return convolve_transposed("conv_transpose2d", batch, weight, bias, options); });
}

Tensor conv_transpose1d(Arg x, const Tensor& weight, const Tensor& bias, const ConvTranspose1dOptions& o) {
  check_tensors("conv_transpose1d", x, weight, 3);
  const ConvTranspose2dOptions options{{1, o.stride}, {0, o.padding}, {0, o.output_padding}, o.groups, {1, o.dilation}};
  return with_batch(x, 3, [&](const Tensor& batch) {
    return as_image(batch, weight, [&](const Tensor& image, const Tensor& w) {
      return convolve_transposed("conv_transpose1d", image, w, bias, options);
    });
  });
}

Tensor unfold(Arg x, Pair kernel_size, const UnfoldOptions& options) {
  kernels::check_floating("unfold", x);
  EG_CHECK(x->dim() == 4 || x->dim() == 3, ShapeError,
           "[unfold] expected an input of 4 axes, or 3 without a batch, found "
           "shape {}",
           x->shape());
  const Window window = checked_window("unfold", kernel_size, options.stride, options.padding, options.dilation);
  return with_batch(x, 4, [&](const Tensor& batch) {
    check_fits("unfold", window, batch.shape());
    return apply(Unfold{window}, batch);
  });
}

Tensor fold(Arg x, Pair output_size, Pair kernel_size, const UnfoldOptions& options) {
  kernels::check_floating("fold", x);
  EG_CHECK(x->dim() == 3 || x->dim() == 2, ShapeError,
           "[fold] expected an input of 3 axes, or 2 without a batch, found "
           "shape {}",
           x->shape());
  check_pair("fold", "output size", output_size, 1);
  const Window window = checked_window("fold", kernel_size, options.stride, options.padding, options.dilation);
  const std::int64_t taps = window.kernel[0] * window.kernel[1];
  EG_CHECK(x->size(-2) % taps == 0, ShapeError,
           "[fold] the {} rows of {} are not a multiple of the {} taps of the kernel", x->size(-2), x->shape(), taps);
  check_fits("fold", window, {1, 1, output_size.rows, output_size.columns});
  const std::int64_t places = window.places(0, output_size.rows) * window.places(1, output_size.columns);
  EG_CHECK(x->size(-1) == places, ShapeError, "[fold] found {} columns, expected the {} places of the kernel in {}",
           x->size(-1), places, output_size);
  return with_batch(x, 3, [&](const Tensor& batch) {
    return apply(Fold{window, output_size.rows, output_size.columns}, batch);
  });
}

}  // namespace eigengrad
