// Ops of two operands that are brought to one type first. For .cc files.
#pragma once

#include "eigengrad/core/apply.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {

/// A number as a tensor beside x. An undefined x is left to the op, which names itself.
inline Tensor beside(Scalar value, const Tensor& x) {
  return full({}, value, x.defined() ? value.promoted_with(x.dtype()) : value.dtype());
}

/// apply(op, a, b), with both operands converted to result_type(a, b).
template <class Op>
Tensor apply_promoted(Op op, const Tensor& a, const Tensor& b) {
  if (a.defined() && b.defined() && a.dtype() != b.dtype()) {
    const Dtype dtype = result_type(a, b);
    return apply(op, to(a, dtype), to(b, dtype));
  }
  return apply(op, a, b);
}

}  // namespace eigengrad
