// Reductions over any set of axes; an empty list means all of them. Negative axes count from the back. With keepdim the
// reduced axes stay with extent 1. Throws IndexError for an axis out of range or named twice.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// bool and int64 sum to int64. The sum of nothing is 0.
Tensor sum(Arg x, const Dims& axes = {}, bool keepdim = false);
/// Throws DtypeError for integers, ShapeError for the mean of nothing.
Tensor mean(Arg x, const Dims& axes = {}, bool keepdim = false);
/// Σ(x - mean)² / (n - correction). NaN, as in PyTorch, when n ≤ correction.
Tensor var(Arg x, const Dims& axes = {}, double correction = 1, bool keepdim = false);
/// The square root of var.
Tensor std(Arg x, const Dims& axes = {}, double correction = 1, bool keepdim = false);
/// The product of nothing is 1.
Tensor prod(Arg x, const Dims& axes = {}, bool keepdim = false);
/// The largest (smallest); NaN if any is. Equal ones share the gradient. Throws ShapeError for the maximum of nothing.
Tensor amax(Arg x, const Dims& axes = {}, bool keepdim = false);
Tensor amin(Arg x, const Dims& axes = {}, bool keepdim = false);
/// The largest (smallest) of all elements, likewise.
Tensor max(Arg x);
Tensor min(Arg x);
/// log Σ e^x, without overflow.
Tensor logsumexp(Arg x, const Dims& axes = {}, bool keepdim = false);
/// (Σ |x|^p)^(1/p) for p > 0; the number of elements that are not 0 for p = 0; the largest |x| for infinity and the
/// smallest for -infinity. The gradient at 0 is 0 for p ≥ 1. Throws ValueError for NaN, ShapeError for the infinite
/// norm of nothing.
Tensor norm(Arg x, double p = 2, const Dims& axes = {}, bool keepdim = false);
/// How many elements are not 0: int64, no gradient.
Tensor count_nonzero(Arg x, const Dims& axes = {});
/// The index of the first largest (smallest) along an axis; NaN counts as the largest (smallest). int64, no gradient.
/// Throws ShapeError for an axis without elements.
Tensor argmax(Arg x, std::int64_t axis, bool keepdim = false);
Tensor argmin(Arg x, std::int64_t axis, bool keepdim = false);
/// Whether any (all) are not 0: bool, no gradient.
Tensor any(Arg x, const Dims& axes = {}, bool keepdim = false);
Tensor all(Arg x, const Dims& axes = {}, bool keepdim = false);

/// x summed over the axes along which `shape` broadcasts to it. Throws ShapeError unless `shape` broadcasts to x's.
Tensor sum_to(Arg x, const Shape& shape);

}  // namespace eigengrad
