// Elements repeated, turned, padded, cut to triangles and diagonals.
#pragma once

#include <span>
#include <vector>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// x repeated counts[i] times along axis i; counts may be longer than the rank, which adds axes in front. Throws
/// ShapeError for fewer counts than axes, ValueError for a negative one.
Tensor repeat(Arg x, const Dims& counts);
/// NumPy's repeat: like repeat(), but fewer counts than axes hold for the last axes.
Tensor tile(Arg x, const Dims& counts);
/// Each position along an axis repeated `count` times in place: [a, b] gives [a, a, b, b].
Tensor repeat_interleave(Arg x, std::int64_t count, std::int64_t axis);
/// A copy with the order of elements along the axes turned round. Throws IndexError.
Tensor flip(Arg x, const Dims& axes);
/// Elements moved `shift` places along each axis; those that leave at the end come in at the beginning. Throws
/// ValueError unless there are as many shifts as axes.
Tensor roll(Arg x, const Dims& shifts, const Dims& axes);
/// A view with axes moved to other places; the others keep their order. Throws IndexError, ValueError.
Tensor movedim(Arg x, std::int64_t source, std::int64_t destination);
/// One axis made several; one extent may be -1. Throws ShapeError.
Tensor unflatten(Arg x, std::int64_t axis, const Shape& extents);
/// Every tensor expanded to the shape that all broadcast to. Throws ShapeError.
std::vector<Tensor> broadcast_tensors(Args tensors);

/// What stands in the margin of a padded tensor: a constant, the elements mirrored at the border (which itself is not
/// repeated), the border element, or the elements of the other side.
enum class PadMode { Constant, Reflect, Replicate, Circular };
/// Margins {before, after} of the last axis, then of the last but one, and so on, as in PyTorch; negative margins of a
/// constant cut. Throws ValueError for an odd number of margins or more than the axes have, or where the mode cannot
/// fill a margin.
Tensor pad(Arg x, const Dims& margins, PadMode mode = PadMode::Constant, double value = 0);

/// The lower (upper) triangle of the matrices of the last two axes, the rest 0. The diagonal counts from the main one,
/// positive above it. Throws ShapeError for fewer than two axes.
Tensor tril(Arg x, std::int64_t diagonal = 0);
Tensor triu(Arg x, std::int64_t diagonal = 0);
/// A view of a diagonal of two axes, which are dropped; it becomes the last axis. Throws IndexError, ShapeError.
Tensor diagonal(Arg x, std::int64_t offset = 0, std::int64_t axis0 = -2, std::int64_t axis1 = -1);
/// Matrices with x's last axis on a diagonal: [.., n] gives [.., n + |offset|, n + |offset|].
Tensor diag_embed(Arg x, std::int64_t offset = 0);
/// The diagonal of a matrix, or the matrix with a vector on its diagonal. Throws ShapeError for other ranks.
Tensor diag(Arg x, std::int64_t offset = 0);

/// Which of the first two axes of a mesh belongs to the first vector: ij the first, xy the second.
enum class Indexing { ij, xy };
/// The coordinates of the mesh that vectors (or scalars) span: one tensor for each, all of one shape. Throws
/// ShapeError, ValueError.
std::vector<Tensor> meshgrid(Args tensors, Indexing indexing = Indexing::ij);

}  // namespace eigengrad
