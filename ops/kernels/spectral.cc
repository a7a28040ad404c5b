// Singular values and eigenvalues by Eigen, in float64 whatever the dtype: its algorithms are much code, and compile
// for long.
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <limits>

#include "eigengrad/ops/kernels/decomposition.h"
#include "eigengrad/ops/kernels/matrices.h"

namespace eigengrad::kernels {
namespace {

constexpr const char* kNotFinite = "has elements that are not finite";
constexpr unsigned kThin = Eigen::ComputeThinU | Eigen::ComputeThinV;

using Matrix = Columns<double>;

Matrix load(const char* op, const Tensor& x, std::int64_t item) {
  return dispatch_floating(op, x.dtype(),
                           [&]<class T>() -> Matrix { return matrix<T>(x, item).template cast<double>(); });
}

void store(const char* op, const Matrix& value, const Tensor& out, std::int64_t item) {
  dispatch_floating(op, out.dtype(), [&]<class T>() { matrix<T>(out, item) = value.cast<T>(); });
}

void store_vector(const char* op, const Eigen::VectorXd& value, const Tensor& out, std::int64_t item) {
  dispatch_floating(op, out.dtype(), [&]<class T>() { vector<T>(out, item) = value.cast<T>(); });
}

// Whether the factors are those of a. Divide and conquer loses its way in some matrices of low rank (Eigen 3.4).
bool is_svd_of(const Matrix& u, const Eigen::VectorXd& s, const Matrix& v, const Matrix& a) {
  const double tolerance =
      20 * static_cast<double>(std::max(a.rows(), a.cols())) * std::numeric_limits<double>::epsilon();
  const Matrix identity = Matrix::Identity(s.size(), s.size());
  // Written so that NaN fails.
  return (u * s.asDiagonal() * v.transpose() - a).cwiseAbs().maxCoeff() <= tolerance * s[0] &&
         (u.transpose() * u - identity).cwiseAbs().maxCoeff() <= tolerance &&
         (v.transpose() * v - identity).cwiseAbs().maxCoeff() <= tolerance;
}

}  // namespace

Tensors svd(const char* op, const Tensor& x) {
  const std::int64_t rows = x.size(-2), columns = x.size(-1), rank = std::min(rows, columns);
  const Tensor u = result(x, {rows, rank}), s = result(x, {rank}), vh = result(x, {rank, columns});
  for_each_matrix<Eigen::BDCSVD<Matrix>>(op, kNotFinite, x, [&](auto& fast, std::int64_t item) {
    const Matrix a = load(op, x, item);
    if (!a.allFinite()) return false;
    const auto keep = [&](const auto& svd) {
      store(op, svd.matrixU(), u, item);
      store_vector(op, svd.singularValues(), s, item);
      store(op, svd.matrixV().transpose(), vh, item);
    };
    fast.compute(a, kThin);
    if (is_svd_of(fast.matrixU(), fast.singularValues(), fast.matrixV(), a))
      keep(fast);
    else
      keep(Eigen::JacobiSVD<Matrix>(a, kThin));
    return true;
  });
  return {u, s, vh};
}

Tensors eigh(const char* op, const Tensor& x) {
  const Tensor values = result(x, {x.size(-1)}), vectors = result(x, {x.size(-1), x.size(-1)});
  using Solver = Eigen::SelfAdjointEigenSolver<Matrix>;
  for_each_matrix<Solver>(op, kNotFinite, x, [&](Solver& solver, std::int64_t item) {
    const Matrix lower = load(op, x, item).triangularView<Eigen::Lower>();
    if (!lower.allFinite()) return false;
    solver.compute(lower);
    store_vector(op, solver.eigenvalues(), values, item);
    store(op, solver.eigenvectors(), vectors, item);
    return true;
  });
  return {values, vectors};
}

}  // namespace eigengrad::kernels
