// Convolutions of images as products of matrices. Row-major data: images [N, C, H, W].
#pragma once

#include <array>
#include <cstdint>

#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// How a window moves over an image: rows first, columns second.
struct Window {
  std::array<std::int64_t, 2> kernel, stride, padding, dilation;

  /// How many places of the window there are along an axis: negative or 0 when it does not fit.
  std::int64_t places(std::size_t axis, std::int64_t extent) const {
    const std::int64_t span = dilation[axis] * (kernel[axis] - 1) + 1;
    const std::int64_t room = extent + 2 * padding[axis] - span;
    return room < 0 ? 0 : room / stride[axis] + 1;
  }
};

/// y[n, o] = Σ over c, i, j of x[n, c, ..]·weight[o, c, i, j]: x [N, C, H, W], weight [O, C / groups, kh, kw]; the
/// result is [N, O, oh, ow].
Tensor convolution(const Tensor& x, const Tensor& weight, const Window& window, std::int64_t groups);
/// The gradient of x, of the given height and width, from that of y.
Tensor convolution_input_grad(const Tensor& g, const Tensor& weight, const Window& window, std::int64_t groups,
                              std::int64_t height, std::int64_t width);
/// The gradient of the weight from x and the gradient of y.
Tensor convolution_weight_grad(const Tensor& x, const Tensor& g, const Window& window, std::int64_t groups);

/// The patches under the window as columns: [N, C·kh·kw, oh·ow].
Tensor unfold(const Tensor& x, const Window& window);
/// Patches added to where they came from: the adjoint.
Tensor fold(const Tensor& columns, const Window& window, std::int64_t height, std::int64_t width);

}  // namespace eigengrad::kernels
