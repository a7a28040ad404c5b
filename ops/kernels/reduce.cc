#include "eigengrad/ops/kernels/reduce.h"

#include <algorithm>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {
namespace {

using Order = SmallVector<std::size_t, 6>;

// The same elements with the axes in another order.
Tensor permuted(const Tensor& x, const Order& order) {
  Shape shape;
  Strides strides;
  for (const std::size_t axis : order) {
    shape.push_back(x.shape()[axis]);
    strides.push_back(x.strides()[axis]);
  }
  return view(x, shape, strides);
}

// Kept axes first.
Order reduced_last(const ReductionShape& r) {
  Order order;
  for (const bool reduced : {false, true})
    for (std::size_t i = 0; i < r.is_reduced.size(); ++i)
      if (r.is_reduced[i] == reduced) order.push_back(i);
  return order;
}

// As they lie in memory.
Order by_stride(const Tensor& x) {
  Order order;
  for (std::size_t i = 0; i < x.shape().size(); ++i) order.push_back(i);
  if (x.is_contiguous()) return order;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t i, std::size_t j) { return x.strides()[i] > x.strides()[j]; });
  return order;
}

// Finds the extents of a shape whose axes are in some order. False if a kept axis lies between reduced ones, or kept
// axes have changed places.
bool measure(const Shape& shape, const Order& order, ReductionView& r) {
  r.outer = r.reduced = r.inner = 1;
  bool met = false;  // a reduced axis
  bool together = true;
  std::size_t last_kept = 0;
  for (const std::size_t i : order) {
    if (r.is_reduced[i]) {
      together = together && r.inner == 1;
      met = true;
      r.reduced *= shape[i];
    } else if (shape[i] != 1) {
      together = together && i >= last_kept;
      last_kept = i;
      (met ? r.inner : r.outer) *= shape[i];
    }
  }
  return together;
}

}  // namespace

ReductionShape reduction_shape(const char* op, const Shape& shape, const Dims& axes) {
  ReductionShape result;
  result.kept = shape;
  result.is_reduced.resize(shape.size(), axes.empty());
  for (const std::int64_t axis : axes) {
    const auto i = static_cast<std::size_t>(normalize_axis(op, axis, shape.rank()));
    if (shape.empty()) continue;
    EG_CHECK(!result.is_reduced[i], IndexError, "[{}] axis {} is named twice in {}", op, axis, axes);
    result.is_reduced[i] = true;
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (result.is_reduced[i]) {
      result.reduced *= shape[i];
      result.kept[i] = 1;
    } else {
      result.dropped.push_back(shape[i]);
    }
  }
  return result;
}

ReductionView reduction_view(const char* op, const Tensor& x, const Dims& axes) {
  ReductionView r{reduction_shape(op, x.shape(), axes), 1, 1, x};
  const Order order = by_stride(x);
  r.x = x.is_contiguous() ? x : permuted(x, order);
  if (r.x.is_contiguous() && measure(x.shape(), order, r)) return r;
  const Order kept_first = reduced_last(r);
  measure(x.shape(), kept_first, r);
  r.x = contiguous_copy(permuted(x, kept_first));
  return r;
}

}  // namespace eigengrad::kernels
