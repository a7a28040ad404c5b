// What ops ask of their arguments before they begin, so that a message names the op that was called and not one that it
// is made of. For .cc files.
#pragma once

#include <concepts>
#include <span>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"

namespace eigengrad::kernels {

template <std::convertible_to<const Tensor&>... Inputs>
void check_defined(const char* op, const Inputs&... inputs) {
  const std::array<const Tensor*, sizeof...(Inputs)> pointers{&static_cast<const Tensor&>(inputs)...};
  eigengrad::detail::check_inputs(op, TensorRefs(pointers.data(), pointers.size()));
}

inline void check_all_defined(const char* op, std::span<const Tensor> inputs) {
  SmallVector<const Tensor*, 8> pointers;
  for (const Tensor& x : inputs) pointers.push_back(&x);
  eigengrad::detail::check_inputs(op, TensorRefs(pointers.data(), pointers.size()));
}

/// All that follow throw for undefined tensors too.
inline std::int64_t checked_axis(const char* op, const Tensor& x, std::int64_t axis) {
  check_defined(op, x);
  return normalize_axis(op, axis, x.dim());
}

template <std::convertible_to<const Tensor&>... Inputs>
void check_floating(const char* op, const Inputs&... inputs) {
  check_defined(op, inputs...);
  const auto check = [op](const Tensor& x) {
    EG_CHECK(is_floating(x.dtype()), DtypeError, "[{}] expected a float32 or float64 tensor, found {}", op, x.dtype());
  };
  (check(inputs), ...);
}

inline void check_number(const char* op, const Tensor& x) {
  check_defined(op, x);
  EG_CHECK(x.dtype() != kBool, DtypeError, "[{}] expected numbers, found {}", op, x.dtype());
}

template <std::convertible_to<const Tensor&>... Inputs>
void check_broadcast(const char* op, const Inputs&... inputs) {
  check_defined(op, inputs...);
  Shape shape;
  ((shape = broadcast_shapes(op, shape, static_cast<const Tensor&>(inputs).shape())), ...);
}

}  // namespace eigengrad::kernels
