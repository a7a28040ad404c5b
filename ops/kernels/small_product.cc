#include "eigengrad/ops/kernels/small_product.h"

#include <algorithm>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/multiversion.h"
#include "eigengrad/ops/kernels/pieces.h"

namespace eigengrad::kernels {
namespace {

constexpr std::int64_t kWidth = 8;

// The rows of b lie side by side, `stride` apart: kWidth columns of the result are summed up at once, in registers. The
// last of them may have been there before: they get the same sums again.
template <class T>
EG_MULTIVERSION void add_up_rows(T* __restrict out, const Matrix& a, const T* __restrict b, std::int64_t stride,
                                 std::int64_t columns, const T* bias) {
  for (std::int64_t row = 0; row < a.rows; ++row, out += columns) {
    const T* const left = static_cast<const T*>(a.data) + row * a.row_stride;
    for (std::int64_t next = 0; next < columns; next += kWidth) {
      const std::int64_t column = std::min(next, columns - kWidth);
      T sums[kWidth] = {};
      if (bias)
#pragma omp simd
        for (std::int64_t lane = 0; lane < kWidth; ++lane) sums[lane] = bias[column + lane];
      for (std::int64_t k = 0; k < a.columns; ++k) {
        const T factor = left[k * a.column_stride];
        const T* const right = b + k * stride + column;
#pragma omp simd
        for (std::int64_t lane = 0; lane < kWidth; ++lane) sums[lane] += factor * right[lane];
      }
      std::copy_n(sums, kWidth, out + column);
    }
  }
}

// The columns of b, and the rows of a, lie side by side: inner products.
template <class T>
EG_MULTIVERSION void inner_products(T* __restrict out, const Matrix& a, const Matrix& b, const T* bias) {
  for (std::int64_t row = 0; row < a.rows; ++row, out += b.columns) {
    const T* const left = static_cast<const T*>(a.data) + row * a.row_stride;
    for (std::int64_t column = 0; column < b.columns; ++column) {
      const T* const right = static_cast<const T*>(b.data) + column * b.column_stride;
      T sum = 0;
#pragma omp simd reduction(+ : sum)
      for (std::int64_t k = 0; k < a.columns; ++k) sum += left[k] * right[k];
      out[column] = bias ? bias[column] + sum : sum;
    }
  }
}

template <class T>
void each_by_itself(T* out, const Matrix& a, const Matrix& b, const T* bias) {
  for (std::int64_t row = 0; row < a.rows; ++row)
    for (std::int64_t column = 0; column < b.columns; ++column, ++out) {
      const T* left = static_cast<const T*>(a.data) + row * a.row_stride;
      const T* right = static_cast<const T*>(b.data) + column * b.column_stride;
      T sum = bias ? bias[column] : T(0);
      for (std::int64_t k = 0; k < a.columns; ++k, left += a.column_stride, right += b.row_stride)
        sum += *left * *right;
      *out = sum;
    }
}

template <class T>
void multiply(T* out, const Matrix& a, const Matrix& b, const T* bias) {
  const T* const right = static_cast<const T*>(b.data);
  if (b.columns < kWidth && (b.column_stride == 1 || a.columns < kWidth)) return each_by_itself<T>(out, a, b, bias);
  if (b.column_stride == 1) return add_up_rows<T>(out, a, right, b.row_stride, b.columns, bias);
  // Several rows of a pay for laying the rows of b side by side.
  constexpr std::int64_t kRoom = 512;
  const bool pays = a.rows > 2 && b.columns >= kWidth && b.rows * b.columns <= kRoom;
  if (!pays && a.column_stride == 1 && b.row_stride == 1) return inner_products<T>(out, a, b, bias);
  if (!pays) return each_by_itself<T>(out, a, b, bias);
  T rows[kRoom];
  T* to = rows;
  for (std::int64_t k = 0; k < b.rows; ++k)
    for (std::int64_t column = 0; column < b.columns; ++column)
      *to++ = right[k * b.row_stride + column * b.column_stride];
  add_up_rows<T>(out, a, rows, b.columns, b.columns, bias);
}

}  // namespace

Tensor small_product(Dtype dtype, const Matrix& a, const Matrix& b, const Epilogue& end) {
  const Tensor result = empty({a.rows, b.columns}, dtype);
  dispatch_floating("small_product", dtype, [&]<class T>() {
    multiply<T>(result.raw<T>(), a, b, end.bias_from<T>(0));
    finish_rows(result.raw<T>(), 1, result.numel(), {nullptr, end.relu});
  });
  return result;
}

Tensor column_sums(Dtype dtype, const Matrix& a) {
  const Tensor result = empty({a.columns}, dtype);
  dispatch_floating("column_sums", dtype, [&]<class T>() {
    for (std::int64_t start = 0; start < a.columns; start += kWidth) {
      const std::int64_t width = std::min(kWidth, a.columns - start);
      double sums[kWidth] = {};
      for (std::int64_t row = 0; row < a.rows; ++row) {
        const T* const in = static_cast<const T*>(a.data) + row * a.row_stride + start * a.column_stride;
        for (std::int64_t lane = 0; lane < width; ++lane) sums[lane] += static_cast<double>(in[lane * a.column_stride]);
      }
      for (std::int64_t lane = 0; lane < width; ++lane) result.raw<T>()[start + lane] = static_cast<T>(sums[lane]);
    }
  });
  return result;
}

}  // namespace eigengrad::kernels
