#include "eigengrad/ops/pooling.h"

#include <algorithm>
#include <vector>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/pooling.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::Span;
using kernels::Spans;
using kernels::Windows;

Spans moving_spans(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                   std::int64_t dilation, bool ceil_mode) {
  const std::int64_t reach = dilation * (kernel - 1) + 1, room = extent + 2 * padding - reach;
  Spans spans{{}, extent, dilation};
  if (room < 0) return spans;
  std::int64_t count = (ceil_mode ? room + stride - 1 : room) / stride + 1;
  // The last window begins within the image or the padding before it.
  if (ceil_mode && (count - 1) * stride >= extent + padding) --count;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t start = i * stride - padding, stop = std::min(start + reach, extent + padding);
    const std::int64_t outside = start < 0 ? (-start + dilation - 1) / dilation * dilation : 0;
    spans.places.push_back({start + outside, std::min(stop, extent), stop - start});
  }
  return spans;
}

Spans even_spans(std::int64_t extent, std::int64_t count) {
  Spans spans{{}, extent, 1};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t begin = i * extent / count, end = ((i + 1) * extent + count - 1) / count;
    spans.places.push_back({begin, end, end - begin});
  }
  return spans;
}

Attributes attributes_of(const Windows& windows) {
  return {{"from", to_string(Dims{windows.rows.extent, windows.columns.extent})},
          {"to", to_string(Dims{windows.rows.size(), windows.columns.size()})}};
}

struct MaxPool {
  static constexpr const char* kName = "max_pool2d";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  Windows windows;
  Attributes attributes() const { return attributes_of(windows); }
  Tensor forward(TensorRefs x) const { return kernels::max_pool(x[0], windows); }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Shape &x = s.shape(0), flat{x[0], x[1], windows.pixels()};
    const Tensor at = flatten(kernels::max_pool_indices(s.x(0), windows), 2);
    return {reshape(scatter_add(zeros(flat, g.dtype()), 2, at, flatten(g, 2)), x)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {kernels::max_pool_grad(s.x(0), s.y(), g, windows)};
  }
};

// Sums over windows, each times a factor.
struct AvgPool {
  static constexpr const char* kName = "avg_pool2d";
  static constexpr SaveMask kSaves = kNothing;
  Windows windows;
  std::vector<double> factors;  // of each window, row by row
  bool channels_last;           // in memory
  Attributes attributes() const { return attributes_of(windows); }
  Tensor forward(TensorRefs x) const { return kernels::sum_pool(x[0], windows, factors, channels_last); }
  Grads backward(const Saved& s, const Tensor& g) const;
};

// Spreads each element over its window: the adjoint.
struct AvgPoolAdjoint : AvgPool {
  static constexpr const char* kName = "avg_pool2d_adjoint";
  Tensor forward(TensorRefs g) const { return kernels::sum_pool_adjoint(g[0], windows, factors, channels_last); }
  Grads backward(const Saved&, const Tensor& d) const { return {apply(AvgPool{*this}, d)}; }
};

Grads AvgPool::backward(const Saved&, const Tensor& g) const { return {apply(AvgPoolAdjoint{*this}, g)}; }

// ---- Checks.

constexpr std::int64_t kLargest = std::int64_t{1} << 31;

void check_pair(const char* op, const char* what, Pair pair, std::int64_t least) {
  EG_CHECK(pair.rows >= least && pair.columns >= least && pair.rows < kLargest && pair.columns < kLargest, ValueError,
           "[{}] the {} is {}, expected {} or more", op, what, pair, least);
}

void check_image(const char* op, const Tensor& x, std::int64_t rank) {
  kernels::check_floating(op, x);
  EG_CHECK(x.dim() == rank || x.dim() == rank - 1, ShapeError,
           "[{}] expected an input of {} axes, or {} without a batch, found shape {}", op, rank, rank - 1, x.shape());
}

Windows moving_windows(const char* op, const Shape& x, Pair kernel, Pair stride, Pair padding, Pair dilation,
                       bool ceil_mode) {
  check_pair(op, "kernel size", kernel, 1);
  check_pair(op, "stride", stride, 1);
  check_pair(op, "padding", padding, 0);
  check_pair(op, "dilation", dilation, 1);
  EG_CHECK(2 * padding.rows <= kernel.rows && 2 * padding.columns <= kernel.columns, ValueError,
           "[{}] the padding {} is more than half of the kernel {}", op, padding, kernel);
  Windows windows{moving_spans(x[2], kernel.rows, stride.rows, padding.rows, dilation.rows, ceil_mode),
                  moving_spans(x[3], kernel.columns, stride.columns, padding.columns, dilation.columns, ceil_mode)};
  EG_CHECK(windows.places() > 0, ShapeError, "[{}] a kernel of {} with padding {} does not fit into {}", op, kernel,
           padding, Pair(x[2], x[3]));
  for (const Spans* spans : {&windows.rows, &windows.columns})
    for (const Span& span : spans->places)
      EG_CHECK(span.begin < span.end, ShapeError, "[{}] a window of kernel {} with padding {} has no element of {}", op,
               kernel, padding, Pair(x[2], x[3]));
  return windows;
}

Windows even_windows(const char* op, const Shape& x, Pair output) {
  check_pair(op, "output size", output, 1);
  EG_CHECK(x[2] > 0 && x[3] > 0, ShapeError, "[{}] there is nothing to pool in {}", op, Pair(x[2], x[3]));
  return {even_spans(x[2], output.rows), even_spans(x[3], output.columns)};
}

// The input as a batch of images, and a result in the form of the input.
Tensor as_images(const Tensor& x, std::int64_t rank) {
  const Tensor batch = x.dim() == rank ? x : unsqueeze(x, 0);
  return rank == 4 ? batch : unsqueeze(batch, 2);
}
Tensor like_input(const Tensor& y, const Tensor& x, std::int64_t rank) {
  const Tensor batch = rank == 4 ? y : squeeze(y, 2);
  return x.dim() == rank ? batch : squeeze(batch, 0);
}

// f(images) with what the input has no axis for added, and taken away again.
template <class F>
Tensor pooled(const char* op, const Tensor& x, std::int64_t rank, F f) {
  check_image(op, x, rank);
  return like_input(f(as_images(x, rank)), x, rank);
}

Tensor max_pool(const char* op, const Tensor& x, std::int64_t rank, Pair kernel, const MaxPool2dOptions& o) {
  return pooled(op, x, rank, [&](const Tensor& images) {
    const Windows windows =
        moving_windows(op, images.shape(), kernel, o.stride.value_or(kernel), o.padding, o.dilation, o.ceil_mode);
    return apply(MaxPool{windows}, images);
  });
}

Tensor average(const Tensor& images, const Windows& windows, bool count_include_pad,
               std::optional<std::int64_t> divisor) {
  std::vector<double> factors;
  for (const Span& row : windows.rows.places)
    for (const Span& column : windows.columns.places) {
      const std::int64_t elements = (row.end - row.begin) * (column.end - column.begin);
      const std::int64_t padded = row.count_padded * column.count_padded;
      factors.push_back(1 / static_cast<double>(divisor.value_or(count_include_pad ? padded : elements)));
    }
  return apply(AvgPool{windows, factors, kernels::channels_come_last(images)}, images);
}

Tensor avg_pool(const char* op, const Tensor& x, std::int64_t rank, Pair kernel, const AvgPool2dOptions& o) {
  EG_CHECK(o.divisor_override != 0, ValueError, "[{}] the divisor must not be 0", op);
  return pooled(op, x, rank, [&](const Tensor& images) {
    const Windows windows =
        moving_windows(op, images.shape(), kernel, o.stride.value_or(kernel), o.padding, 1, o.ceil_mode);
    return average(images, windows, o.count_include_pad, o.divisor_override);
  });
}

std::optional<Pair> in_one_row(std::optional<std::int64_t> columns) {
  return columns ? std::optional(Pair(1, *columns)) : std::nullopt;
}

}  // namespace

Tensor max_pool2d(Arg x, Pair kernel_size, const MaxPool2dOptions& options) {
  return max_pool("max_pool2d", x, 4, kernel_size, options);
}

Tensor max_pool1d(Arg x, std::int64_t kernel_size, const MaxPool1dOptions& o) {
  return max_pool("max_pool1d", x, 3, {1, kernel_size},
                  {in_one_row(o.stride), {0, o.padding}, {1, o.dilation}, o.ceil_mode});
}

ValuesIndices max_pool2d_with_indices(Arg x, Pair kernel_size, const MaxPool2dOptions& o) {
  constexpr const char* op = "max_pool2d_with_indices";
  check_image(op, x, 4);
  const Tensor images = as_images(x, 4);
  const Tensor numbers = to(images.detach(), computing_dtype(images.dtype()));
  const Windows windows = moving_windows(op, images.shape(), kernel_size, o.stride.value_or(kernel_size), o.padding,
                                         o.dilation, o.ceil_mode);
  return {like_input(apply(MaxPool{windows}, images), x, 4),
          like_input(kernels::max_pool_indices(numbers, windows), x, 4)};
}

Tensor avg_pool2d(Arg x, Pair kernel_size, const AvgPool2dOptions& options) {
  return avg_pool("avg_pool2d", x, 4, kernel_size, options);
}

Tensor avg_pool1d(Arg x, std::int64_t kernel_size, const AvgPool1dOptions& o) {
  return avg_pool("avg_pool1d", x, 3, {1, kernel_size},
                  {in_one_row(o.stride), {0, o.padding}, o.ceil_mode, o.count_include_pad, std::nullopt});
}

Tensor adaptive_max_pool2d(Arg x, Pair output_size) {
  return pooled("adaptive_max_pool2d", x, 4, [&](const Tensor& images) {
    return apply(MaxPool{even_windows("adaptive_max_pool2d", images.shape(), output_size)}, images);
  });
}

Tensor adaptive_max_pool1d(Arg x, std::int64_t output_size) {
  return pooled("adaptive_max_pool1d", x, 3, [&](const Tensor& images) {
    return apply(MaxPool{even_windows("adaptive_max_pool1d", images.shape(), {1, output_size})}, images);
  });
}

Tensor adaptive_avg_pool2d(Arg x, Pair output_size) {
  return pooled("adaptive_avg_pool2d", x, 4, [&](const Tensor& images) {
    return average(images, even_windows("adaptive_avg_pool2d", images.shape(), output_size), false, std::nullopt);
  });
}

Tensor adaptive_avg_pool1d(Arg x, std::int64_t output_size) {
  return pooled("adaptive_avg_pool1d", x, 3, [&](const Tensor& images) {
    return average(images, even_windows("adaptive_avg_pool1d", images.shape(), {1, output_size}), false, std::nullopt);
  });
}

}  // namespace eigengrad
