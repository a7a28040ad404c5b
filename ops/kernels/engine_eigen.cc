// Matrix products by Eigen.
#include <Eigen/Core>
#include <algorithm>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad::kernels {
namespace {

template <class T, int Order>
using Map = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Order>, 0, Eigen::OuterStride<>>;

// Calls f with the matrix as Eigen sees it: row-major, or column-major when it is the rows that are strided.
template <class T, class F>
void with_map(const Matrix& m, F f) {
  const auto* data = static_cast<const T*>(m.data);
  if (m.column_stride == 1)
    f(Map<T, Eigen::RowMajor>(data, m.rows, m.columns, Eigen::OuterStride<>(m.row_stride)));
  else
    f(Map<T, Eigen::ColMajor>(data, m.rows, m.columns, Eigen::OuterStride<>(m.column_stride)));
}

}  // namespace

void matrix_product(Dtype dtype, void* out, const Matrix& a, const Matrix& b) {
  dispatch_floating("matmul", dtype, [&]<class T>() {
    auto* result = static_cast<T*>(out);
    if (a.columns == 0) {
      std::fill_n(result, a.rows * b.columns, T(0));
      return;
    }
    Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> product(result, a.rows, b.columns);
    with_map<T>(
        a, [&](const auto& left) { with_map<T>(b, [&](const auto& right) { product.noalias() = left * right; }); });
  });
}

}  // namespace eigengrad::kernels
