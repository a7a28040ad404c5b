// Element types of ops: promotion and conversion.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// The dtype in which an op on a and b computes, by PyTorch's rule: bool < int64 < bfloat16 < float32 < float64, where
/// a tensor of no axes counts only when its kind (bool, integer, floating) is higher than that of tensors with axes.
Dtype result_type(const Tensor& a, const Tensor& b);

/// x with its elements converted; x itself when it has the dtype already. Differentiable between floating types.
/// Floating to int64 truncates; throws ValueError for values that int64 cannot hold (NaN among them).
Tensor to(Arg x, Dtype dtype);

}  // namespace eigengrad
