// Images and sequences of another size.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// How values between elements are found: that of the nearest, or along lines between two or four.
enum class InterpolateMode { Nearest, Linear, Bilinear };

struct InterpolateOptions {
  InterpolateMode mode = InterpolateMode::Nearest;  ///< of the values between elements
  bool align_corners = false;                       ///< the corner elements stay at the corners; not for Nearest
};

/// x [N, C, L] (Nearest, Linear) or [N, C, H, W] (Nearest, Bilinear) with the last axes of the given extents: the
/// nearest element, or the linear interpolation between neighbours along each axis. Floating tensors. Throws
/// ShapeError, DtypeError, ValueError.
Tensor interpolate(Arg x, const Shape& size, const InterpolateOptions& options = {});
/// The same for extents ⌊extent·scale⌋; positions follow the scale itself, as in PyTorch, but an axis
/// that keeps its extent is copied.
Tensor interpolate(Arg x, double scale_factor, const InterpolateOptions& options = {});

}  // namespace eigengrad
