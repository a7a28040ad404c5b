// The matrices of a batch as Eigen's, and a walk over them on all threads. For the decompositions.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <string>
#include <vector>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::kernels {

// Steps below which a second thread costs more than it brings.
inline constexpr std::int64_t kWorthAThread = 1 << 17;

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

inline Shape batch_of(const Tensor& x) { return Shape(x.shape().begin(), x.shape().end() - 2); }

inline Tensor result(const Tensor& x, std::initializer_list<std::int64_t> extents) {
  Shape shape = batch_of(x);
  for (const std::int64_t extent : extents) shape.push_back(extent);
  return empty(shape, x.dtype());
}

inline std::string item_name(const Shape& batch, std::int64_t item) {
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
  parallel_evenly(count, grain, [&](std::int64_t begin, std::int64_t end) {
    Workspace workspace;
    for (std::int64_t item = begin; item < end; ++item) fine[static_cast<std::size_t>(item)] = f(workspace, item);
  });
  const std::int64_t first = std::find(fine.begin(), fine.end(), false) - fine.begin();
  EG_CHECK(first == count, ValueError, "[{}] {} {}", op, item_name(batch, first), complaint);
}

}  // namespace eigengrad::kernels
