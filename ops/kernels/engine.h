// The seam behind which heavy kernels stand: raw memory, shapes and strides in; nothing of tensors or gradients.
#pragma once

#include <cstdint>
#include <memory>

#include "eigengrad/core/dtype.h"

namespace eigengrad::kernels {

/// A matrix in memory; one of the strides (in elements) is 1.
struct Matrix {
  const void* data;
  std::int64_t rows, columns;
  std::int64_t row_stride, column_stride;
};

/// A row-major matrix without gaps, and the transpose of one.
inline Matrix row_major(const void* data, std::int64_t rows, std::int64_t columns) {
  return {data, rows, columns, columns, 1};
}
inline Matrix transposed(const void* data, std::int64_t rows, std::int64_t columns) {
  return {data, columns, rows, 1, columns};
}

/// out ← a · b for float32 or float64, `out` being row-major and not overlapping the operands. Runs on the calling
/// thread.
void matrix_product(Dtype dtype, void* out, const Matrix& a, const Matrix& b);

/// A right operand that many products share, prepared once: a recurrent weight, which every step multiplies by.
class PackedMatrix {
 public:
  PackedMatrix(Dtype dtype, const Matrix& b);
  ~PackedMatrix();
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;

  /// out ← a · b, as matrix_product does. Safe on several threads at once.
  void multiply(void* out, const Matrix& a) const;

 private:
  class Blocks;
  template <class T>
  class BlocksOf;
  std::unique_ptr<Blocks> blocks_;
};

}  // namespace eigengrad::kernels
