// Convolutions (cross-correlations, as in all frameworks) of images and sequences.
#pragma once

#include <cstdint>

#include "eigengrad/core/arg.h"

namespace eigengrad {

struct Conv1dOptions {
  std::int64_t stride = 1;    ///< by how much the window moves
  std::int64_t padding = 0;   ///< zeros on both sides
  std::int64_t dilation = 1;  ///< the distance between taps of the kernel
  std::int64_t groups = 1;    ///< channels in this many groups that do not see each other
};
struct Conv2dOptions {
  Pair stride = 1;          ///< by how much the window moves
  Pair padding = 0;         ///< zeros on both sides
  Pair dilation = 1;        ///< the distance between taps of the kernel
  std::int64_t groups = 1;  ///< channels in this many groups that do not see each other
};
struct ConvTranspose1dOptions {
  std::int64_t stride = 1;          ///< by how much the window moves in the result
  std::int64_t padding = 0;         ///< elements less on both sides of the result
  std::int64_t output_padding = 0;  ///< elements more at the end of the result
  std::int64_t groups = 1;          ///< channels in this many groups that do not see each other
  std::int64_t dilation = 1;        ///< the distance between taps of the kernel
};
struct ConvTranspose2dOptions {
  Pair stride = 1;          ///< by how much the window moves in the result
  Pair padding = 0;         ///< elements less on both sides of the result
  Pair output_padding = 0;  ///< elements more at the end of the result
  std::int64_t groups = 1;  ///< channels in this many groups that do not see each other
  Pair dilation = 1;        ///< the distance between taps of the kernel
};

/// y[n, o, ..] = bias[o] + Σ x[n, c, ..]·weight[o, c, ..] over a window that moves: x [N, C, H, W] (or one image [C, H,
/// W]), weight [O, C / groups, kh, kw], bias [O] or undefined; the result is [N, O, oh, ow] with oh = ⌊(H + 2·padding -
/// dilation·(kh - 1) - 1) / stride⌋ + 1. Floating tensors of one dtype. Throws ShapeError, DtypeError, ValueError.
Tensor conv2d(Arg x, const Tensor& weight, const Tensor& bias = Tensor(), const Conv2dOptions& options = {});
/// relu of that, in one pass over the results. A Sequential takes it where a Conv2d has a ReLU behind it.
Tensor conv2d_relu(Arg x, const Tensor& weight, const Tensor& bias = Tensor(), const Conv2dOptions& options = {});
/// The same two with one axis: x [N, C, L] or [C, L], weight [O, C / groups, k].
Tensor conv1d(Arg x, const Tensor& weight, const Tensor& bias = Tensor(), const Conv1dOptions& options = {});
Tensor conv1d_relu(Arg x, const Tensor& weight, const Tensor& bias = Tensor(), const Conv1dOptions& options = {});

/// The transpose of conv2d, which maps its output's shape to its input's: x [N, C, H, W], weight [C, O / groups, kh,
/// kw], bias [O]; the result has height (H - 1)·stride - 2·padding + dilation·(kh - 1) + output_padding + 1 (Dumoulin
/// and Visin 2016). Throws as conv2d does, and ValueError for an output_padding that is not smaller than stride or
/// dilation.
Tensor conv_transpose2d(Arg x, const Tensor& weight, const Tensor& bias = Tensor(),
                        const ConvTranspose2dOptions& options = {});
Tensor conv_transpose1d(Arg x, const Tensor& weight, const Tensor& bias = Tensor(),
                        const ConvTranspose1dOptions& options = {});

struct UnfoldOptions {
  Pair dilation = 1;  ///< the distance between elements of a patch
  Pair padding = 0;   ///< zeros on both sides
  Pair stride = 1;    ///< by how much the window moves
};
/// The patches under a moving window as columns: x [N, C, H, W] or [C, H, W] gives [N, C·kh·kw, places]. Throws as
/// conv2d.
Tensor unfold(Arg x, Pair kernel_size, const UnfoldOptions& options = {});
/// Columns added up where they came from: [N, C·kh·kw, places] gives [N, C, H, W] for the given {H, W}. The adjoint of
/// unfold.
Tensor fold(Arg x, Pair output_size, Pair kernel_size, const UnfoldOptions& options = {});

}  // namespace eigengrad
