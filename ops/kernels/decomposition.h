// Decompositions of the matrices of a batch, shared among threads. Operands are float32 or float64 tensors [.., M, N]
// of any strides; results are row-major. `op` is for messages: ValueError names the matrix that cannot be taken apart.
#pragma once

#include "eigengrad/core/apply.h"

namespace eigengrad::kernels {

/// l with l·lᵀ = x, of the lower triangle of x.
Tensor cholesky(const char* op, const Tensor& x);
/// x with a·x = b: a [.., N, N], b [.., N, K] of one batch shape. What is expanded in a is factored once.
Tensor solve(const char* op, const Tensor& a, const Tensor& b);
/// The same for a triangular a.
Tensor solve_triangular(const char* op, const Tensor& a, const Tensor& b, bool upper, bool unitriangular);
/// x = p·l·u: the diagonal of u [.., N], and the determinant of the permutation p [..].
Tensors lu_diagonal(const Tensor& x);
/// {u, s, vh}
Tensors svd(const char* op, const Tensor& x);
/// {q, r} for M ≥ N.
Tensors qr(const Tensor& x);
/// {values, vectors}, of the lower triangle of x.
Tensors eigh(const char* op, const Tensor& x);

}  // namespace eigengrad::kernels
