// Shapes and strides: short lists of int64, kept inline up to rank 6.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "eigengrad/core/small_vector.h"

namespace eigengrad {

/// The extents (or strides, in elements) of a tensor, outermost first.
class Dims : public SmallVector<std::int64_t, 6> {
 public:
  using SmallVector::SmallVector;
  Dims() = default;
  /// `{2, 3}`.
  Dims(std::initializer_list<std::int64_t> values) : SmallVector(values) {}
  /// Of a list.
  Dims(const std::vector<std::int64_t>& values) : SmallVector(std::span<const std::int64_t>(values)) {}

  /// The number of axes.
  std::int64_t rank() const noexcept { return static_cast<std::int64_t>(size()); }
};

/// Extents, outermost axis first.
using Shape = Dims;
/// Elements between neighbours, outermost axis first.
using Strides = Dims;

/// "[2, 3]", and "[]" for a scalar.
std::string to_string(const Dims& dims);

/// A number for each of two axes, rows first: `3` stands for {3, 3}.
struct Pair {
  std::int64_t rows, columns;  ///< of the first and of the second axis
  /// One number for both.
  Pair(std::int64_t both) : rows(both), columns(both) {}  // NOLINT(google-explicit-constructor): 3 stands for {3, 3}
  /// Rows, then columns.
  Pair(std::int64_t r, std::int64_t c) : rows(r), columns(c) {}
  friend bool operator==(const Pair&, const Pair&) = default;
};
/// As that of Dims.
std::string to_string(const Pair& pair);

/// The number of elements of a shape. Throws ShapeError on a negative extent, or when the product passes int64.
std::int64_t checked_numel(const Shape& shape);

/// Row-major strides for a shape.
Strides contiguous_strides(const Shape& shape);

/// Where element `number` of a row-major tensor is: [1, 0] for 3 and shape [2, 3].
Dims position_of(std::int64_t number, const Shape& shape);

/// The axis counted from the front; negative ones count from the back. Throws IndexError naming `op` when there is
/// no such axis. A rank of 0 is treated as 1, as in PyTorch.
std::int64_t normalize_axis(const char* op, std::int64_t axis, std::int64_t rank);

/// The permutation that undoes `order`.
Dims inverse_permutation(const Dims& order);

/// NumPy's broadcasting of two shapes. Throws ShapeError naming `op`.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

/// Whether a tensor of shape `from` broadcasts to exactly `to`.
bool broadcasts_to(const Shape& from, const Shape& to);

}  // namespace eigengrad
