// Products of matrices.
#pragma once

#include <span>
#include <string_view>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// The product over the last axis of a and the last but one of b, by PyTorch's rules: [.., M, K] · [.., K, N] is
/// [.., M, N] with the leading axes broadcast; a vector on the left is a row and on the right a column, whose axis is
/// dropped from the result. Transposed operands are not copied. Floating operands of one dtype; throws ShapeError,
/// DtypeError.
Tensor matmul(Arg a, const Tensor& b);

/// x · weightᵀ + bias: x [.., in], weight [out, in], bias [out] or undefined; the result is [.., out].
Tensor linear(Arg x, const Tensor& weight, const Tensor& bias = Tensor());
/// relu of that, in one pass over the results. A Sequential takes it where a Linear has a ReLU behind it.
Tensor linear_relu(Arg x, const Tensor& weight, const Tensor& bias = Tensor());

/// Two matrices; a matrix and a vector; two batches [B, M, K] · [B, K, N]; two vectors. Throw ShapeError for other
/// ranks.
Tensor mm(Arg a, const Tensor& b);
Tensor mv(Arg a, const Tensor& b);
Tensor bmm(Arg a, const Tensor& b);
Tensor dot(Arg a, const Tensor& b);
/// a[i]·b[j] of two vectors.
Tensor outer(Arg a, const Tensor& b);
/// beta·input + alpha·(a · b) for matrices, and for batches; the input broadcasts to the product.
Tensor addmm(Arg input, const Tensor& a, const Tensor& b, double beta = 1, double alpha = 1);
Tensor baddbmm(Arg input, const Tensor& a, const Tensor& b, double beta = 1, double alpha = 1);
/// The sum of products over the last `axes` axes of a and the first of b, or over those named.
Tensor tensordot(Arg a, const Tensor& b, std::int64_t axes = 2);
Tensor tensordot(Arg a, const Tensor& b, const Dims& a_axes, const Dims& b_axes);
/// Kronecker product of two matrices.
Tensor kron(Arg a, const Tensor& b);

/// Einstein's summation: `einsum("bij,bjk->bik", {a, b})`. One letter for each axis of each operand, "..." for axes
/// that broadcast; letters that do not appear behind the arrow are summed over; without an arrow the result has the
/// letters that appear once, in alphabetical order. A letter twice in one operand is its diagonal. Throws ValueError
/// for a malformed equation, ShapeError for extents that do not agree.
Tensor einsum(std::string_view equation, Args operands);

}  // namespace eigengrad
