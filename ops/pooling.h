// Pooling: the largest, or the mean, of windows of images [N, C, H, W] and sequences [N, C, L]; the batch axis may be
// left out. Floating tensors. Throws ShapeError, DtypeError, ValueError.
#pragma once

#include <optional>

#include "eigengrad/core/arg.h"
#include "eigengrad/ops/convolution.h"
#include "eigengrad/ops/order.h"

namespace eigengrad {

struct MaxPool1dOptions {
  std::optional<std::int64_t> stride{};  ///< the kernel size unless given
  std::int64_t padding = 0;              ///< at most half of the kernel; its elements are never the largest
  std::int64_t dilation = 1;             ///< the distance between elements of a window
  bool ceil_mode = false;                ///< also windows that reach past the end
};
struct MaxPool2dOptions {
  std::optional<Pair> stride{};  ///< the kernel size unless given
  Pair padding = 0;              ///< at most half of the kernel; its elements are never the largest
  Pair dilation = 1;             ///< the distance between elements of a window
  bool ceil_mode = false;        ///< also windows that reach past the end
};
struct AvgPool1dOptions {
  std::optional<std::int64_t> stride{};  ///< the kernel size unless given
  std::int64_t padding = 0;              ///< zeros on both sides, at most half of the kernel
  bool ceil_mode = false;                ///< also windows that reach past the end
  bool count_include_pad = true;         ///< the zeros of the padding count as elements
};
struct AvgPool2dOptions {
  std::optional<Pair> stride{};                    ///< the kernel size unless given
  Pair padding = 0;                                ///< zeros on both sides, at most half of the kernel
  bool ceil_mode = false;                          ///< also windows that reach past the end
  bool count_include_pad = true;                   ///< the zeros of the padding count as elements
  std::optional<std::int64_t> divisor_override{};  ///< divides the sums instead of the number of elements
};

/// The largest element of each window, the first of equal ones; NaN if any is.
Tensor max_pool2d(Arg x, Pair kernel_size, const MaxPool2dOptions& options = {});
Tensor max_pool1d(Arg x, std::int64_t kernel_size, const MaxPool1dOptions& options = {});
/// The same with the places of the largest in their image, counted row by row.
ValuesIndices max_pool2d_with_indices(Arg x, Pair kernel_size, const MaxPool2dOptions& options = {});
/// The mean of each window.
Tensor avg_pool2d(Arg x, Pair kernel_size, const AvgPool2dOptions& options = {});
Tensor avg_pool1d(Arg x, std::int64_t kernel_size, const AvgPool1dOptions& options = {});

/// Windows that share an axis evenly among the places of the result: place i has the elements ⌊i·in / out⌋ to
/// ⌈(i + 1)·in / out⌉ - 1.
Tensor adaptive_max_pool2d(Arg x, Pair output_size);
Tensor adaptive_max_pool1d(Arg x, std::int64_t output_size);
Tensor adaptive_avg_pool2d(Arg x, Pair output_size);
Tensor adaptive_avg_pool1d(Arg x, std::int64_t output_size);

}  // namespace eigengrad
