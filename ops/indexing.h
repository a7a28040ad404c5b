// x[{Slice(0, 5), 3, Ellipsis, None}]: indexing as in PyTorch and NumPy, and assignment through it.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// start, start + step, … short of stop: Python's start:stop:step. Bounds are clipped, and count from the back when
/// negative. `Slice()` is the whole axis; `Slice(2, {})` goes to its end.
struct Slice {
  std::optional<std::int64_t> start{}, stop{};
  std::int64_t step = 1;
  Slice() = default;
  Slice(std::optional<std::int64_t> from, std::optional<std::int64_t> to, std::int64_t by = 1)
      : start(from), stop(to), step(by) {}
};

// In a namespace of their own, so that an enumeration may have a None as well without a warning.
namespace indexing {

/// As many whole axes as are left.
inline constexpr struct EllipsisType {
} Ellipsis;
/// A new axis of extent 1.
inline constexpr struct NoneType { } None; }  // namespace indexing
using namespace indexing;

/// One index: a position (which drops its axis), a Slice, Ellipsis, None, positions (an int64 tensor), or a mask (a
/// bool tensor, for as many axes as it has).
class Index {
 public:
  template <std::integral T>
  requires(!std::same_as<T, bool>) Index(T position)  // NOLINT(google-explicit-constructor): x[{3, None}]
      : value_(static_cast<std::int64_t>(position)) {}
  Index(Slice slice) : value_(slice) {}                // NOLINT(google-explicit-constructor)
  Index(EllipsisType e) : value_(e) {}                 // NOLINT(google-explicit-constructor)
  Index(NoneType n) : value_(n) {}                     // NOLINT(google-explicit-constructor)
  Index(Tensor tensor) : value_(std::move(tensor)) {}  // NOLINT(google-explicit-constructor)

  const std::variant<std::int64_t, Slice, EllipsisType, NoneType, Tensor>& value() const { return value_; }

 private:
  std::variant<std::int64_t, Slice, EllipsisType, NoneType, Tensor> value_;
};

/// What x[…] gives: a tensor, a view of x unless an index is a tensor, that can be assigned to on the spot:
///   x[{Slice(0, 5), 3}] = 0;   x[x < 0] *= -1;   row = x[2];
/// Assignment changes the elements of x in place, with values that broadcast to the indexed ones and are converted to
/// their dtype; of several for one element the last stays. Where x requires grad, that takes NoGrad, or throws
/// GradError. An IndexedTensor that has a name is a Tensor like others: assigning to it replaces the handle.
class IndexedTensor : public Tensor {
 public:
  IndexedTensor(const IndexedTensor&) = default;
  IndexedTensor(IndexedTensor&&) = default;
  ~IndexedTensor() = default;

  IndexedTensor& operator=(const Tensor& other) &;
  IndexedTensor& operator=(const IndexedTensor& other) &;
  void operator=(const Tensor& values) &&;
  void operator=(const IndexedTensor& values) &&;
  void operator=(Scalar value) &&;
  void operator+=(const Tensor& values) &&;
  void operator-=(const Tensor& values) &&;
  void operator*=(const Tensor& values) &&;
  void operator/=(const Tensor& values) &&;
  void operator+=(Scalar value) &&;
  void operator-=(Scalar value) &&;
  void operator*=(Scalar value) &&;
  void operator/=(Scalar value) &&;

 private:
  friend class Tensor;
  // `base` is x after all indexes but tensors; those are at the places of their axes, and the others undefined.
  IndexedTensor(Tensor base, std::vector<Tensor> indices);
  void assign(const Tensor& values);

  Tensor base_;
  std::vector<Tensor> indices_;
};

}  // namespace eigengrad
