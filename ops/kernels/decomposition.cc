// Decompositions by Eigen.
#include "eigengrad/ops/kernels/decomposition.h"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <Eigen/QR>
#include <cmath>

#include "eigengrad/ops/kernels/matrices.h"

namespace eigengrad::kernels {
namespace {

constexpr const char* kSingular = "is singular";

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

}  // namespace eigengrad::kernels
