// Operands of products, rounded to bfloat16.
#pragma once

#include "eigengrad/core/bfloat16.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/room.h"

namespace eigengrad::kernels {

/// A row-major copy of float32, rounded to bfloat16.
class Rounded {
 public:
  explicit Rounded(const Matrix& m) : room_(m.rows * m.columns), matrix_(row_major(room_.data(), m.rows, m.columns)) {
    const auto* const from = static_cast<const float*>(m.data);
    for (std::int64_t i = 0; i < m.rows; ++i)
      for (std::int64_t k = 0; k < m.columns; ++k)
        room_[i * m.columns + k] = rounded_to_bfloat16(from[i * m.row_stride + k * m.column_stride]);
  }
  const Matrix& matrix() const { return matrix_; }

 private:
  const RoomOf<float> room_;
  const Matrix matrix_;
};

/// Whether the factors of a convolution are to be rounded.
inline bool rounds(const ConvolutionShape& s) {
  return s.precision == Precision::BFloat16 && s.dtype == Dtype::Float32;
}

/// f(a, b), both rounded; so many elements each.
template <class F>
void with_rounded(const float* a, std::int64_t a_size, const float* b, std::int64_t b_size, F f) {
  const Rounded left(row_major(a, 1, a_size)), right(row_major(b, 1, b_size));
  f(static_cast<const float*>(left.matrix().data), static_cast<const float*>(right.matrix().data));
}

/// A packed right operand of which both factors are rounded.
template <class Packed>
class RoundedPacked final : public PackedMatrix {
 public:
  explicit RoundedPacked(const Matrix& b) : packed_(Rounded(b).matrix()) {}
  void multiply(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate, const void* bias) const override {
    packed_.multiply(out, out_stride, Rounded(a).matrix(), accumulate, bias);
  }

 private:
  const Packed packed_;
};

}  // namespace eigengrad::kernels
