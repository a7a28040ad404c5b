// Products of matrices so small that to prepare anything for them would cost more than to multiply.
#pragma once

#include "eigengrad/core/tensor.h"
#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad::kernels {

/// A tensor of two axes, and its transpose. The strides may be any.
inline Matrix matrix_of(const Tensor& x) {
  return {x.raw<void>(), x.shape()[0], x.shape()[1], x.strides()[0], x.strides()[1]};
}
inline Matrix transpose_of(const Tensor& x) {
  return {x.raw<void>(), x.shape()[1], x.shape()[0], x.strides()[1], x.strides()[0]};
}

/// Whether a · b has so few multiplications.
inline bool is_small_product(const Matrix& a, const Matrix& b) {
  constexpr std::int64_t kMost = 4096;
  return a.rows <= kMost && a.columns <= kMost && b.columns <= kMost && a.rows * a.columns * b.columns <= kMost;
}

/// a · b of one floating dtype, with what comes behind it. Runs on the calling thread.
Tensor small_product(Dtype dtype, const Matrix& a, const Matrix& b, const Epilogue& end = {});

/// The sums of the columns of a floating matrix, added up in double.
Tensor column_sums(Dtype dtype, const Matrix& a);

}  // namespace eigengrad::kernels
