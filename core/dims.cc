#include "eigengrad/core/dims.h"

#include <limits>

#include "eigengrad/core/check.h"

namespace eigengrad {

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

std::string to_string(const Pair& pair) { return to_string(Dims{pair.rows, pair.columns}); }

std::int64_t checked_numel(const Shape& shape) {
  // A zero extent empties the tensor, but the product of the others must still be a number that strides can hold.
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t extent : shape) {
    EG_CHECK(extent >= 0, ShapeError, "shape {}: an extent cannot be negative", shape);
    empty = empty || extent == 0;
    const bool overflow = __builtin_mul_overflow(product, extent == 0 ? 1 : extent, &product);
    EG_CHECK(!overflow, ShapeError, "shape {}: the number of elements passes 2^63 - 1", shape);
  }
  return empty ? 0 : product;
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides(shape.size());
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i] > 1 ? shape[i] : 1;
  }
  return strides;
}

Dims position_of(std::int64_t number, const Shape& shape) {
  Dims position(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; number /= shape[axis]) position[axis] = number % shape[axis];
  return position;
}

std::int64_t normalize_axis(const char* op, std::int64_t axis, std::int64_t rank) {
  const std::int64_t axes = rank == 0 ? 1 : rank;
  EG_CHECK(axis >= -axes && axis < axes, IndexError,
           "[{}] axis {} is out of range for a tensor of {} axes: expected {} to {}", op, axis, rank, -axes, axes - 1);
  return axis < 0 ? axis + axes : axis;
}

Dims inverse_permutation(const Dims& order) {
  Dims inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<std::size_t>(order[i])] = static_cast<std::int64_t>(i);
  return inverse;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  if (a == b) return a;
  const std::size_t rank = std::max(a.size(), b.size());
  Shape result(rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t from_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t from_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    EG_CHECK(from_a == from_b || from_a == 1 || from_b == 1, ShapeError,
             "[{}] shapes {} and {} do not broadcast: axis {} from the back is {} in one and {} in the other", op, a, b,
             i + 1, from_a, from_b);
    result[rank - 1 - i] = from_a == 1 ? from_b : from_a;
  }
  return result;
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.size() > to.size()) return false;
  const std::size_t extra = to.size() - from.size();
  for (std::size_t i = 0; i < from.size(); ++i)
    if (from[i] != 1 && from[i] != to[extra + i]) return false;
  return true;
}

}  // namespace eigengrad
