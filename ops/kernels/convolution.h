// Convolutions of images [N, C, H, W]: by the engine, or as products of matrices.
#pragma once

#include <cstdint>

#include "eigengrad/core/tensor.h"
#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad::kernels {

/// y[n, o] = Σ over c, i, j of x[n, c, ..]·weight[o, c, i, j]: x [N, C, H, W], weight [O, C / groups, kh, kw]; the
/// result is [N, O, oh, ow]. The bias [O], unless undefined, is added; with `then_relu`, results that are not above 0
/// become 0. What the engine makes has its channels last.
Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window& window, std::int64_t groups,
                   Precision precision, bool then_relu = false);
/// The gradient of x, of the given height and width, from that of y.
Tensor convolution_input_grad(const Tensor& g, const Tensor& weight, const Window& window, std::int64_t groups,
                              std::int64_t height, std::int64_t width, Precision precision);
/// A gradient, laid out as the two of these read it: once for both.
Tensor as_convolved(const Tensor& g);
/// The gradients of the weight and, if it is wanted, of the bias, from x and the gradient of y.
struct WeightGrads {
  Tensor weight, bias;
};
WeightGrads convolution_weight_grad(const Tensor& x, const Tensor& g, const Window& window, std::int64_t groups,
                                    bool wants_bias, Precision precision);

/// The patches under the window as columns: [N, C·kh·kw, oh·ow].
Tensor unfold(const Tensor& x, const Window& window);
/// Patches added to where they came from: the adjoint.
Tensor fold(const Tensor& columns, const Window& window, std::int64_t height, std::int64_t width);

}  // namespace eigengrad::kernels
