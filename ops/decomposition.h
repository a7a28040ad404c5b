// Matrices taken apart, and what follows from that: linear systems, inverses, determinants. Matrices are the last two
// axes of float32 or float64 tensors of any strides, and the leading axes, which may be empty, are a batch. Every
// function throws DtypeError for other dtypes and ShapeError for shapes that are not as it says. A ValueError names the
// matrix of the batch that is at fault.
#pragma once

#include <optional>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// The lower triangular l [.., N, N] with l·lᵀ = x, or the upper triangular u with uᵀ·u = x. Reads the lower (upper)
/// triangle of x alone, and takes x as symmetric: so is its gradient (Murray 2016, "Differentiation of the Cholesky
/// decomposition"). Throws ValueError unless x is positive definite.
Tensor cholesky(Arg x, bool upper = false);

/// The x with a·x = b, by LU with partial pivoting: a [.., N, N]; b [.., N, K], or vectors [.., N] when b has one axis
/// or has the shape of a without its last axis. Batches broadcast. Throws ValueError for a singular a. Gradient: Giles
/// 2008, "Collected matrix derivative results", 2.3.1.
Tensor solve(Arg a, const Tensor& b);
/// The x with a·x = b, or x·a = b unless `left`, for a triangular a [.., N, N], of which the other triangle is not
/// read; nor is the diagonal when `unitriangular`: it counts as 1. b is [.., N, K], or [.., K, N]; batches broadcast.
/// Throws ValueError for a zero on the diagonal.
Tensor solve_triangular(Arg a, const Tensor& b, bool upper, bool left = true, bool unitriangular = false);

/// x⁻¹ [.., N, N]. Throws ValueError for a singular x. Gradient: Giles 2008, 2.2.3.
Tensor inverse(Arg x);
/// The pseudo-inverse of Moore and Penrose: x [.., M, N] gives [.., N, M]. Singular values up to rtol (by default
/// max(M, N) times the epsilon of the dtype) times the largest count as 0. Gradient, for x of constant rank: Golub and
/// Pereyra 1973, "The differentiation of pseudo-inverses and nonlinear least squares problems". Throws ValueError for
/// elements that are not finite, and for a negative rtol.
Tensor pinv(Arg x, std::optional<double> rtol = std::nullopt);

/// The determinant of x [.., N, N], 1 when N is 0. The gradient is right for singular x too; its own gradient needs
/// distinct singular values there. Giles 2008, 2.2.4.
Tensor det(Arg x);
/// det = sign · e^logabsdet; 0 and -∞ for singular matrices.
struct SlogdetResult {
  Tensor sign, logabsdet;  ///< sign -1, 0 or 1, and log |det|
};
/// The determinant of x [.., N, N] where it would overflow. The sign has no gradient; the gradient of logabsdet throws
/// ValueError for a singular x.
SlogdetResult slogdet(Arg x);
/// log det x; -∞ for a determinant of 0, NaN for a negative one.
Tensor logdet(Arg x);
/// The sum of the diagonal: [.., M, N] of any dtype gives [..]; bool and int64 sum to int64.
Tensor trace(Arg x);

/// x = u · diag(s) · vh with K = min(M, N): u [.., M, K] and vhᵀ [.., N, K] have orthonormal columns, and the singular
/// values s [.., K] fall.
struct SVDResult {
  Tensor u, s, vh;  ///< as svd() says
};
/// The reduced singular value decomposition of x [.., M, N]. Columns of u and rows of vh may change their sign
/// together, and those of equal singular values may turn: the gradient is defined for functions that do not depend on
/// this, of distinct singular values, which must not be 0 where M ≠ N and u or vh are used (Townsend 2016,
/// "Differentiating the singular value decomposition"). Throws ValueError for elements that are not finite.
SVDResult svd(Arg x);
/// The singular values alone. Their gradient holds for equal ones too.
Tensor svdvals(Arg x);

/// x = q · r with K = min(M, N): q [.., M, K] has orthonormal columns, r [.., K, N] is upper triangular.
struct QRResult {
  Tensor q, r;  ///< as qr() says
};
/// The reduced QR decomposition of x [.., M, N], by Householder reflections; the diagonal of r may be negative. The
/// gradient throws ValueError unless the first K columns are independent (Walter and Lehmann 2010, "Algorithmic
/// differentiation of linear algebra functions").
QRResult qr(Arg x);

/// x = vectors · diag(values) · vectorsᵀ: the eigenvalues [.., N] rise, the eigenvectors [.., N, N] are the columns.
struct EighResult {
  Tensor values, vectors;  ///< as eigh() says
};
/// The eigenvalue decomposition of a symmetric x [.., N, N]. Reads the lower triangle alone, and takes x as symmetric:
/// so is its gradient. Eigenvectors may change their sign: the gradient is defined for functions that do not depend on
/// this, and of distinct eigenvalues (Giles 2008, 3.1). Throws ValueError for elements that are not finite.
EighResult eigh(Arg x);
/// The eigenvalues alone. Their gradient holds for equal ones too.
Tensor eigvalsh(Arg x);

/// Frobenius: the root of the sum of squares. Nuclear, Spectral: the sum, the largest of the singular values. One,
/// Infinity: the largest sum of absolute values of a column, of a row.
enum class MatrixNorm { Frobenius, Nuclear, Spectral, One, Infinity };
/// A norm of each matrix: [.., M, N] gives [..]; 0 for matrices without elements. Nuclear and Spectral throw ValueError
/// for elements that are not finite.
Tensor matrix_norm(Arg x, MatrixNorm kind = MatrixNorm::Frobenius);

}  // namespace eigengrad
