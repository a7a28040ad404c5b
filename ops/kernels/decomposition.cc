// Decompositions by Eigen.
#include "eigengrad/ops/kernels/decomposition.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::kernels {
namespace {

// Steps below which a second thread costs more than it brings.
constexpr std::int64_t kWorthAThread = 1 << 17;

constexpr const char* kNotFinite = "has elements that are not finite";
constexpr const char* kSingular = "is singular";

template <class T>
using Columns = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
using AnyStride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using MatrixView = Eigen::Map<Columns<T>, 0, AnyStride>;
template <class T>
using VectorView = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, 1>>;

// The matrix of one item of the batch, where it lies.
template <class T>
MatrixView<T> matrix(const Tensor& x, std::int64_t item) {
  const std::size_t batch = x.shape().size() - 2;
  T* data = x.raw<T>();
  for (std::size_t axis = batch; axis-- > 0; item /= x.shape()[axis])
    data += item % x.shape()[axis] * x.strides()[axis];
  return {data, x.shape()[batch], x.shape()[batch + 1], AnyStride(x.strides()[batch + 1], x.strides()[batch])};
}

// The vector of one item of a row-major batch.
template <class T>
VectorView<T> vector(const Tensor& x, std::int64_t item) {
  return {x.raw<T>() + item * x.shape().back(), x.shape().back()};
}

Shape batch_of(const Tensor& x) { return Shape(x.shape().begin(), x.shape().end() - 2); }

Tensor result(const Tensor& x, std::initializer_list<std::int64_t> extents) {
  Shape shape = batch_of(x);
  for (const std::int64_t extent : extents) shape.push_back(extent);
  return empty(shape, x.dtype());
}

std::string item_name(const Shape& batch, std::int64_t item) {
  if (batch.empty()) return "the matrix";
  return fmt::format("matrix {} of the batch", position_of(item, batch));
}

// Calls f(workspace, item) for each item of the batch; a workspace serves one thread. Where f returns false the item
// has failed: the first of them is named, on any number of threads.
template <class Workspace, class F>
void for_each_matrix(const char* op, const char* complaint, const Tensor& x, F f) {
  const Shape batch = batch_of(x);
  const std::int64_t rows = x.size(-2), columns = x.size(-1), count = checked_numel(batch);
  if (rows == 0 || columns == 0) return;
  const std::int64_t grain = std::max<std::int64_t>(1, kWorthAThread / (rows * columns * std::min(rows, columns)));
  std::vector<char> fine(static_cast<std::size_t>(count));
  parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
    Workspace workspace;
    for (std::int64_t item = begin; item < end; ++item) fine[static_cast<std::size_t>(item)] = f(workspace, item);
  });
  const std::int64_t first = std::find(fine.begin(), fine.end(), false) - fine.begin();
  EG_CHECK(first == count, ValueError, "[{}] {} {}", op, item_name(batch, first), complaint);
}

// The factors of the last matrix, for a batch in which it repeats.
template <class T>
struct LastLU {
  Eigen::PartialPivLU<Columns<T>> lu;
  const T* data = nullptr;
  // False for a singular matrix.
  bool factor(const MatrixView<T>& a) {
    if (a.data() != data) lu.compute(a);
    data = a.data();
    return (lu.matrixLU().diagonal().array() != T(0)).all();
  }
};

template <class A, class B>
void solve_in_place(const A& a, B& b, bool upper, bool unitriangular) {
  if (upper && unitriangular)
    a.template triangularView<Eigen::UnitUpper>().solveInPlace(b);
  else if (upper)
    a.template triangularView<Eigen::Upper>().solveInPlace(b);
  else if (unitriangular)
    a.template triangularView<Eigen::UnitLower>().solveInPlace(b);
  else
    a.template triangularView<Eigen::Lower>().solveInPlace(b);
}

constexpr unsigned kThin = Eigen::ComputeThinU | Eigen::ComputeThinV;

// Whether the factors are those of a. Divide and conquer loses its way in some matrices of low rank (Eigen 3.4).
template <class SVD, class T>
bool is_svd_of(const SVD& svd, const Columns<T>& a) {
  const auto& s = svd.singularValues();
  const auto& u = svd.matrixU();
  const auto& v = svd.matrixV();
  const T tolerance = 20 * static_cast<T>(std::max(a.rows(), a.cols())) * std::numeric_limits<T>::epsilon();
  const Columns<T> identity = Columns<T>::Identity(s.size(), s.size());
  // Written so that NaN fails.
  return (u * s.asDiagonal() * v.transpose() - a).cwiseAbs().maxCoeff() <= tolerance * s[0] &&
         (u.transpose() * u - identity).cwiseAbs().maxCoeff() <= tolerance &&
         (v.transpose() * v - identity).cwiseAbs().maxCoeff() <= tolerance;
}

// A power of two near the largest element, so that squares neither overflow nor vanish; 1 where there is none.
template <class T>
T scale_of(const MatrixView<T>& a) {
  const T largest = a.cwiseAbs().maxCoeff();
  return largest > 0 && std::isfinite(largest) ? std::ldexp(T(1), std::ilogb(largest)) : T(1);
}

}  // namespace

Tensor cholesky(const char* op, const Tensor& x) {
  const Tensor out = result(x, {x.size(-1), x.size(-1)});
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    using LLT = Eigen::LLT<Columns<T>>;
    for_each_matrix<LLT>(op, "is not positive definite", x, [&](LLT& llt, std::int64_t item) {
      llt.compute(matrix<T>(x, item));
      matrix<T>(out, item) = llt.matrixL();
      return llt.info() == Eigen::Success && (llt.matrixLLT().diagonal().array() > T(0)).all();  // false for NaN
    });
  });
  return out;
}

Tensor solve(const char* op, const Tensor& a, const Tensor& b) {
  const Tensor out = result(a, {b.size(-2), b.size(-1)});
  dispatch_floating(op, a.dtype(), [&]<class T>() {
    for_each_matrix<LastLU<T>>(op, kSingular, a, [&](LastLU<T>& last, std::int64_t item) {
      if (!last.factor(matrix<T>(a, item))) return false;
      if (out.numel() > 0) matrix<T>(out, item) = last.lu.solve(matrix<T>(b, item));
      return true;
    });
  });
  return out;
}

Tensor solve_triangular(const char* op, const Tensor& a, const Tensor& b, bool upper, bool unitriangular) {
  const Tensor out = result(a, {b.size(-2), b.size(-1)});
  dispatch_floating(op, a.dtype(), [&]<class T>() {
    struct Workspace {
      Columns<T> a, b;
    };
    for_each_matrix<Workspace>(op, "has a zero on the diagonal", a, [&](Workspace& w, std::int64_t item) {
      w.a = matrix<T>(a, item);
      w.b = matrix<T>(b, item);
      if (!unitriangular && (w.a.diagonal().array() == T(0)).any()) return false;
      if (out.numel() > 0) solve_in_place(w.a, w.b, upper, unitriangular);
      matrix<T>(out, item) = w.b;
      return true;
    });
  });
  return out;
}

Tensors lu_diagonal(const Tensor& x) {
  const Tensor diagonal = result(x, {x.size(-1)}), sign = full(batch_of(x), 1, x.dtype());
  dispatch_floating("lu_diagonal", x.dtype(), [&]<class T>() {
    using LU = Eigen::PartialPivLU<Columns<T>>;
    for_each_matrix<LU>("lu_diagonal", "", x, [&](LU& lu, std::int64_t item) {
      lu.compute(matrix<T>(x, item));
      vector<T>(diagonal, item) = lu.matrixLU().diagonal();
      sign.raw<T>()[item] = static_cast<T>(lu.permutationP().determinant());
      return true;
    });
  });
  return {diagonal, sign};
}

Tensors svd(const char* op, const Tensor& x) {
  const std::int64_t rows = x.size(-2), columns = x.size(-1), rank = std::min(rows, columns);
  const Tensor u = result(x, {rows, rank}), s = result(x, {rank}), vh = result(x, {rank, columns});
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    for_each_matrix<Eigen::BDCSVD<Columns<T>>>(op, kNotFinite, x, [&](auto& fast, std::int64_t item) {
      const Columns<T> a = matrix<T>(x, item);
      if (!a.allFinite()) return false;
      const auto keep = [&](const auto& svd) {
        matrix<T>(u, item) = svd.matrixU();
        vector<T>(s, item) = svd.singularValues();
        matrix<T>(vh, item) = svd.matrixV().transpose();
      };
      fast.compute(a, kThin);
      if (is_svd_of(fast, a))
        keep(fast);
      else
        keep(Eigen::JacobiSVD<Columns<T>>(a, kThin));
      return true;
    });
  });
  return {u, s, vh};
}

Tensors qr(const Tensor& x) {
  const std::int64_t rows = x.size(-2), columns = x.size(-1);
  const Tensor q = result(x, {rows, columns}), r = result(x, {columns, columns});
  dispatch_floating("qr", x.dtype(), [&]<class T>() {
    using QR = Eigen::HouseholderQR<Columns<T>>;
    for_each_matrix<QR>("qr", "", x, [&](QR& qr, std::int64_t item) {
      const T scale = scale_of(matrix<T>(x, item));
      qr.compute(matrix<T>(x, item) / scale);
      matrix<T>(q, item) = qr.householderQ() * Columns<T>::Identity(rows, columns);
      matrix<T>(r, item) = qr.matrixQR().topRows(columns).template triangularView<Eigen::Upper>();
      matrix<T>(r, item) *= scale;
      return true;
    });
  });
  return {q, r};
}

Tensors eigh(const char* op, const Tensor& x) {
  const Tensor values = result(x, {x.size(-1)}), vectors = result(x, {x.size(-1), x.size(-1)});
  dispatch_floating(op, x.dtype(), [&]<class T>() {
    using Solver = Eigen::SelfAdjointEigenSolver<Columns<T>>;
    for_each_matrix<Solver>(op, kNotFinite, x, [&](Solver& solver, std::int64_t item) {
      const Columns<T> lower = matrix<T>(x, item).template triangularView<Eigen::Lower>();
      if (!lower.allFinite()) return false;
      solver.compute(lower);
      vector<T>(values, item) = solver.eigenvalues();
      matrix<T>(vectors, item) = solver.eigenvectors();
      return true;
    });
  });
  return {values, vectors};
}

}  // namespace eigengrad::kernels
