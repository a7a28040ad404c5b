// Shapes: views of the same elements wherever strides can express them, copies where they cannot.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// The elements in row-major order under another shape; one extent may be -1. A view when x is contiguous, or when its
/// strides allow. Throws ShapeError.
Tensor reshape(Arg x, const Shape& shape);
/// Axes start to end made one.
Tensor flatten(Arg x, std::int64_t start = 0, std::int64_t end = -1);
/// A view with two axes exchanged.
Tensor transpose(Arg x, std::int64_t axis0 = -2, std::int64_t axis1 = -1);
/// A view with axes in the given order. Throws IndexError unless each axis is named once.
Tensor permute(Arg x, const Dims& order);
/// A view in which axes of extent 1 repeat; -1 keeps an extent; new axes may be added in front. Throws ShapeError.
Tensor expand(Arg x, const Shape& shape);
/// A view without the axis, or without all axes, of extent 1.
Tensor squeeze(Arg x, std::int64_t axis);
Tensor squeeze(Arg x);
/// A view with a new axis of extent 1 before `axis`.
Tensor unsqueeze(Arg x, std::int64_t axis);
/// A view of start, start + step, … short of end along an axis. Bounds are clipped and count from the back when
/// negative, as in Python. Throws ValueError unless step ≥ 1.
Tensor slice(Arg x, std::int64_t axis, std::optional<std::int64_t> start = std::nullopt,
             std::optional<std::int64_t> end = std::nullopt, std::int64_t step = 1);
/// A view of one position along an axis, which is dropped. Throws IndexError.
Tensor select(Arg x, std::int64_t axis, std::int64_t index);
/// A view of `length` positions from `start`. Throws IndexError unless they are there.
Tensor narrow(Arg x, std::int64_t axis, std::int64_t start, std::int64_t length);

/// Tensors joined along an axis that they have; all other extents agree. Types promote.
Tensor cat(Args tensors, std::int64_t axis = 0);
/// Tensors of one shape joined along a new axis.
Tensor stack(Args tensors, std::int64_t axis = 0);
/// Views of pieces of the given size (the last may be smaller), or of the given sizes, along an axis.
std::vector<Tensor> split(Arg x, std::int64_t size, std::int64_t axis = 0);
std::vector<Tensor> split(Arg x, const Dims& sizes, std::int64_t axis = 0);
/// Views of `count` pieces of nearly equal size.
std::vector<Tensor> chunk(Arg x, std::int64_t count, std::int64_t axis = 0);
/// Views of every position along an axis, which is dropped.
std::vector<Tensor> unbind(Arg x, std::int64_t axis = 0);

/// x, copied only when it is not row-major already.
Tensor contiguous(Arg x);
/// A copy of the elements.
Tensor clone(Arg x);

}  // namespace eigengrad
