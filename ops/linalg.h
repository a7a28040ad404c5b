// Products of matrices.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// The product over the last axis of a and the last but one of b, by PyTorch's rules: [.., M, K] · [.., K, N] is
/// [.., M, N] with the leading axes broadcast; a vector on the left is a row and on the right a column, whose axis is
/// dropped from the result. Transposed operands are not copied. Floating operands of one dtype; throws ShapeError,
/// DtypeError.
Tensor matmul(const Tensor& a, const Tensor& b);

/// x · weightᵀ + bias: x [.., in], weight [out, in], bias [out] or undefined; the result is [.., out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = Tensor());

}  // namespace eigengrad
