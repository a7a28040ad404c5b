// Tensors and Eigen: views of one as the other without copying. The only public header that includes Eigen.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// An Eigen matrix that owns its elements, row by row.
template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
/// Elements between rows and between columns.
using MatrixStride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

/// A tensor's elements as an Eigen matrix, in place; Unaligned, so that it is the same type whatever -march a program
/// is compiled with. The view is valid while the tensor lives.
template <Element T>
using MatrixView = Eigen::Map<const RowMajorMatrix<T>, Eigen::Unaligned, MatrixStride>;
template <Element T>
using MutableMatrixView = Eigen::Map<RowMajorMatrix<T>, Eigen::Unaligned, MatrixStride>;

namespace detail {

template <class Map, class Pointer>
Map map_matrix(const Tensor& x, Pointer data, Dtype wanted) {
  if (x.dtype() != wanted)
    throw DtypeError("[as_matrix] the tensor is " + std::string(to_string(x.dtype())) + ", expected " +
                     std::string(to_string(wanted)));
  if (x.dim() > 2) throw ShapeError("[as_matrix] expected at most two axes, found shape " + to_string(x.shape()));
  const std::int64_t rows = x.dim() == 2 ? x.size(0) : 1;
  const std::int64_t columns = x.dim() == 0 ? 1 : x.size(-1);
  const std::int64_t outer = x.dim() == 2 ? x.strides()[0] : columns;
  const std::int64_t inner = x.dim() == 0 ? 1 : x.strides().back();
  return Map(data, rows, columns, MatrixStride(outer, inner));
}

}  // namespace detail

/// A matrix (or a vector, as one row) to read, of any strides. Throws DtypeError, ShapeError.
template <Element T>
MatrixView<T> as_matrix(const Tensor& x) {
  return detail::map_matrix<MatrixView<T>>(x, x.raw<const T>(), dtype_of<T>);
}

/// The same to write: counts as an in-place change, so that it throws GradError for a tensor that requires grad unless
/// under NoGrad.
template <Element T>
MutableMatrixView<T> as_mutable_matrix(Tensor& x) {
  MutableMatrixView<T> view = detail::map_matrix<MutableMatrixView<T>>(x, x.raw<T>(), dtype_of<T>);
  x.note_inplace_change("as_mutable_matrix");
  return view;
}

/// A tensor with a copy of an Eigen expression's coefficients; a vector gets one axis.
template <class Derived>
Tensor from_eigen(const Eigen::DenseBase<Derived>& expression) {
  using T = typename Derived::Scalar;
  const Shape shape = Derived::IsVectorAtCompileTime ? Shape{static_cast<std::int64_t>(expression.size())}
                                                     : Shape{static_cast<std::int64_t>(expression.rows()),
                                                             static_cast<std::int64_t>(expression.cols())};
  Tensor result = empty(shape, dtype_of<T>);
  Eigen::Map<RowMajorMatrix<T>>(result.raw<T>(), expression.rows(), expression.cols()) = expression;
  return result;
}

/// A tensor that shows an Eigen matrix without copying it, of either storage order; a moved one lives as long as the
/// tensor needs it.
template <class T, int Rows, int Columns, int Options>
Tensor from_eigen_view(std::shared_ptr<Eigen::Matrix<T, Rows, Columns, Options>> matrix) {
  const bool row_major = (Options & Eigen::RowMajorBit) != 0;
  const std::int64_t rows = matrix->rows(), columns = matrix->cols();
  const Strides strides = row_major ? Strides{columns, 1} : Strides{1, rows};
  T* data = matrix->data();
  return Tensor::from_blob(data, {rows, columns}, strides, dtype_of<T>, std::move(matrix));
}
template <class T, int Rows, int Columns, int Options>
Tensor from_eigen(Eigen::Matrix<T, Rows, Columns, Options>&& matrix) {
  return from_eigen_view(std::make_shared<Eigen::Matrix<T, Rows, Columns, Options>>(std::move(matrix)));
}

}  // namespace eigengrad
