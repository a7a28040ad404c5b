// Elements in order along an axis: running sums and products, sorting, the largest. NaN counts as the largest. Throws
// IndexError for an axis out of range.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// Element i is the sum of elements 0 to i. bool and int64 sum to int64.
Tensor cumsum(Arg x, std::int64_t axis);
/// Element i is the product of elements 0 to i, likewise.
Tensor cumprod(Arg x, std::int64_t axis);

/// Elements, and their places along the axis (int64, no gradient).
struct ValuesIndices {
  Tensor values, indices;  ///< the elements, and where along the axis they were
};

/// The elements in rising (or falling) order; equal ones keep theirs. The gradient goes to the places that they came
/// from.
ValuesIndices sort(Arg x, std::int64_t axis = -1, bool descending = false);
/// The places alone: int64, no gradient.
Tensor argsort(Arg x, std::int64_t axis = -1, bool descending = false);
/// The k largest (or smallest) in falling (or rising) order. Throws ValueError unless 0 ≤ k ≤ the extent.
ValuesIndices topk(Arg x, std::int64_t k, std::int64_t axis = -1, bool largest = true);
/// The k-th smallest, k from 1. Throws ValueError.
ValuesIndices kthvalue(Arg x, std::int64_t k, std::int64_t axis = -1, bool keepdim = false);
/// The middle one, or the smaller of the two in the middle; NaN if any is. Throws ShapeError for an axis without
/// elements.
ValuesIndices median(Arg x, std::int64_t axis = -1, bool keepdim = false);
/// The largest (smallest) along an axis, the first of equal ones: the gradient goes to it alone, where amax and amin
/// share it. Throws ShapeError for an axis without elements.
ValuesIndices max(Arg x, std::int64_t axis, bool keepdim = false);
ValuesIndices min(Arg x, std::int64_t axis, bool keepdim = false);

}  // namespace eigengrad
