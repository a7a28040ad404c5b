// x[{Slice(0, 5), 3, Ellipsis, None}]: indexing as in PyTorch and NumPy, and assignment through it.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <utility>
#include <variant>
#include <vector>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// start, start + step, … short of stop: Python's start:stop:step. Bounds are clipped, and count from the back when
/// negative. `Slice()` is the whole axis; `Slice(2, {})` goes to its end.
struct Slice {
  /// Where it begins, and before what it ends; the ends of the axis unless given.
  std::optional<std::int64_t> start{}, stop{};
  std::int64_t step = 1;  ///< from one to the next, not 0
  Slice() = default;
  /// `Slice(from, to, by)` is from:to:by.
  Slice(std::optional<std::int64_t> from, std::optional<std::int64_t> to, std::int64_t by = 1)
      : start(from), stop(to), step(by) {}
};

// In a namespace of their own, so that an enumeration may have a None as well without a warning.
namespace indexing {

/// The type of Ellipsis.
struct EllipsisType {};
/// The type of None.
struct NoneType {};

/// As many whole axes as are left.
inline constexpr EllipsisType Ellipsis;
/// A new axis of extent 1.
inline constexpr NoneType None;

}  // namespace indexing
using namespace indexing;

/// One index: a position (which drops its axis), a Slice, Ellipsis, None, positions (an int64 tensor), or a mask (a
/// bool tensor, for as many axes as it has).
class Index {
 public:
  /// One of what an index may be.
  using Value = std::variant<std::int64_t, Slice, EllipsisType, NoneType, Tensor>;

  /// Of any of them; `at` is the place of the call, and is not given.
  // One conversion for each kind, so that x[{3, None}] needs no other; the place is noted as by Arg.
  template <class T>
  requires(std::convertible_to<T, Tensor> || std::same_as<T, Slice> || std::same_as<T, EllipsisType> ||
           std::same_as<T, NoneType> || (std::integral<T> && !std::same_as<T, bool>))
      Index(T value,  // NOLINT(google-explicit-constructor)
            std::source_location at = std::source_location::current())
      : value_(as_value(std::move(value))) {
    note_call_site(at);
  }

  /// Which it is.
  const Value& value() const { return value_; }

 private:
  template <class T>
  static Value as_value(T value) {
    if constexpr (std::integral<T>)
      return static_cast<std::int64_t>(value);
    else if constexpr (std::convertible_to<T, Tensor>)
      return Tensor(std::move(value));
    else
      return value;
  }

  Value value_;
};

/// What x[…] gives: a tensor, a view of x unless an index is a tensor, that can be assigned to on the spot:
///   x[{Slice(0, 5), 3}] = 0;   x[x < 0] *= -1;   row = x[2];
/// Assignment changes the elements of x in place, with values that broadcast to the indexed ones and are converted to
/// their dtype; of several for one element the last stays. Where x requires grad, that takes NoGrad, or throws
/// GradError. An IndexedTensor that has a name is a Tensor like others: assigning to it replaces the handle.
class IndexedTensor : public Tensor {
 public:
  /// Of the same elements of the same tensor.
  IndexedTensor(const IndexedTensor&) = default;
  IndexedTensor(IndexedTensor&&) = default;
  ~IndexedTensor() = default;

  /// Of one that has a name: makes it another tensor.
  IndexedTensor& operator=(const Tensor& other) &;
  IndexedTensor& operator=(const IndexedTensor& other) &;
  /// On the spot: changes the elements.
  /// @{
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
  /// @}

 private:
  friend class Tensor;
  // `base` is x after all indexes but tensors; those are at the places of their axes, and the others undefined.
  IndexedTensor(Tensor base, std::vector<Tensor> indices);
  void assign(const Tensor& values);

  Tensor base_;
  std::vector<Tensor> indices_;
};

}  // namespace eigengrad
