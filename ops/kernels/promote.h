// Ops of two operands that are brought to one type first. For .cc files.
#pragma once

#include "eigengrad/core/apply.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {

/// A number as a tensor beside x. An undefined x is left to the op, which names itself. Beside bfloat16 the number
/// keeps the digits of a float32: the op computes with those, and rounds its result.
inline Tensor beside(Scalar value, const Tensor& x) {
  if (!x.defined()) return full({}, value, value.dtype());
  const Dtype dtype = value.promoted_with(x.dtype());
  return full({}, value, dtype == kBFloat16 && x.dim() > 0 ? kFloat32 : dtype);
}

/// The dtype in which tensors of a dtype are computed: bfloat16 is a way to store numbers.
constexpr Dtype computing_dtype(Dtype stored) { return stored == kBFloat16 ? kFloat32 : stored; }

/// x as an operand of an op whose result is of `dtype`. Floating operands of bfloat16 results are left to the op.
inline Tensor operand_of(const Tensor& x, Dtype dtype) {
  return dtype == kBFloat16 && is_floating(x.dtype()) ? x : to(x, dtype);
}

/// apply(op, a, b), with both operands converted to result_type(a, b).
template <class Op>
Tensor apply_promoted(Op op, const Tensor& a, const Tensor& b) {
  if (a.defined() && b.defined() && a.dtype() != b.dtype()) {
    const Dtype dtype = result_type(a, b);
    return apply(op, operand_of(a, dtype), operand_of(b, dtype));
  }
  return apply(op, a, b);
}

/// How products of x are to be multiplied: bfloat16 loses nothing by bfloat16's products.
inline Precision precision_for(const Tensor& x) {
  return x.dtype() == kBFloat16 ? Precision::BFloat16 : thread_state.precision;
}

}  // namespace eigengrad
