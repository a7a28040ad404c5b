// Reductions over any set of axes; an empty list means all of them. Negative axes count from the back. With keepdim the
// reduced axes stay with extent 1. Throws IndexError for an axis out of range or named twice.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// bool and int64 sum to int64. The sum of nothing is 0.
Tensor sum(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
/// Throws DtypeError for integers, ShapeError for the mean of nothing.
Tensor mean(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
/// Σ(x - mean)² / (n - correction). NaN, as in PyTorch, when n ≤ correction.
Tensor var(const Tensor& x, const Dims& axes = {}, double correction = 1, bool keepdim = false);
/// The square root of var.
Tensor std(const Tensor& x, const Dims& axes = {}, double correction = 1, bool keepdim = false);
/// The product of nothing is 1.
Tensor prod(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
/// The largest (smallest); NaN if any is. Equal ones share the gradient. Throws ShapeError for the maximum of nothing.
Tensor amax(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
inline Tensor max(const Tensor& x) { return amax(x); }
inline Tensor min(const Tensor& x) { return amin(x); }
/// log Σ e^x, without overflow.
Tensor logsumexp(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
/// (Σ |x|^p)^(1/p) for p > 0; the number of elements that are not 0 for p = 0; the largest |x| for infinity and the
/// smallest for -infinity. The gradient at 0 is 0 for p ≥ 1. Throws ValueError for NaN, ShapeError for the infinite norm
/// of nothing.
Tensor norm(const Tensor& x, double p = 2, const Dims& axes = {}, bool keepdim = false);
/// How many elements are not 0: int64, no gradient.
Tensor count_nonzero(const Tensor& x, const Dims& axes = {});
/// The index of the first largest (smallest) along an axis; NaN counts as the largest (smallest). int64, no gradient.
/// Throws ShapeError for an axis without elements.
Tensor argmax(const Tensor& x, std::int64_t axis, bool keepdim = false);
Tensor argmin(const Tensor& x, std::int64_t axis, bool keepdim = false);
/// Whether any (all) are not 0: bool, no gradient.
Tensor any(const Tensor& x, const Dims& axes = {}, bool keepdim = false);
Tensor all(const Tensor& x, const Dims& axes = {}, bool keepdim = false);

/// x summed over the axes along which `shape` broadcasts to it. Throws ShapeError unless `shape` broadcasts to x's.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace eigengrad
