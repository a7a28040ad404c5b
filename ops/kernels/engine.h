// The seam behind which heavy kernels stand: raw memory, shapes and strides in; nothing of tensors or gradients.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/core/dtype.h"
#include "eigengrad/core/thread_state.h"

namespace eigengrad::kernels {

/// Where a matrix may have elements other than 0: in row i, from column i + low to column i + high.
struct Band {
  static constexpr std::int64_t kAll = std::int64_t{1} << 61;
  std::int64_t low = -kAll, high = kAll;
  bool is_all() const { return low < -kAll / 2 && high > kAll / 2; }  // seen from a part of the matrix, too
};

/// A matrix in memory; one of the strides (in elements) is 1. Products may leave out what lies outside the band of
/// their left operand.
struct Matrix {
  const void* data;
  std::int64_t rows, columns;
  std::int64_t row_stride, column_stride;
  Band band{};
};

inline Matrix transposed(const Matrix& m) {
  return {m.data, m.columns, m.rows, m.column_stride, m.row_stride, {-m.band.high, -m.band.low}};
}
/// Some of its rows and columns.
inline Matrix part(const Matrix& m, Dtype dtype, std::int64_t row, std::int64_t rows, std::int64_t column,
                   std::int64_t columns) {
  const std::int64_t offset = row * m.row_stride + column * m.column_stride;
  return {static_cast<const std::byte*>(m.data) + offset * static_cast<std::int64_t>(size_of(dtype)),
          rows,
          columns,
          m.row_stride,
          m.column_stride,
          {m.band.low + row - column, m.band.high + row - column}};
}
/// A row-major matrix without gaps, and the transpose of one.
inline Matrix row_major(const void* data, std::int64_t rows, std::int64_t columns, Band band = {}) {
  return {data, rows, columns, columns, 1, band};
}
inline Matrix transposed(const void* data, std::int64_t rows, std::int64_t columns) {
  return transposed(row_major(data, rows, columns));
}

/// How a window moves over an image: rows first, columns second.
struct Window {
  std::array<std::int64_t, 2> kernel, stride, padding, dilation;

  /// How many places of the window there are along an axis: negative or 0 when it does not fit.
  std::int64_t places(std::size_t axis, std::int64_t extent) const {
    const std::int64_t span = dilation[axis] * (kernel[axis] - 1) + 1;
    const std::int64_t room = extent + 2 * padding[axis] - span;
    return room < 0 ? 0 : room / stride[axis] + 1;
  }
  bool operator==(const Window&) const = default;
};

/// A convolution of images [N, C, H, W] that lie in memory with the channels last, N·H·W·C; the weight [O, C / groups,
/// kh, kw] is row-major.
struct ConvolutionShape {
  Dtype dtype;
  std::int64_t images, channels, height, width, out_channels, out_height, out_width, groups;
  Window window;
  Precision precision = Precision::Float32;
  bool operator==(const ConvolutionShape&) const = default;
};

/// What becomes of the results of a product or a convolution while they are at hand.
struct Epilogue {
  const void* bias = nullptr;  ///< one number for each column or output channel, added; may be null
  bool relu = false;           ///< then those that are not above 0 become 0 (NaN stays)

  /// The bias from a column on.
  template <class T>
  const T* bias_from(std::int64_t column) const {
    return bias ? static_cast<const T*>(bias) + column : nullptr;
  }
};

/// A right operand that several products share, prepared once: for slices of one product, and for a recurrent weight,
/// by which every step multiplies.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  PackedMatrix(const PackedMatrix&) = delete;
  PackedMatrix& operator=(const PackedMatrix&) = delete;
  virtual ~PackedMatrix() = default;
  /// out ← a · b, or out + a · b to `accumulate`, plus `bias`, one number for each column or null, for a row-major a,
  /// with the rows of `out` `out_stride` apart. Safe on several threads at once.
  virtual void multiply(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate = false,
                        const void* bias = nullptr) const = 0;

 protected:
  /// For engines that add to what is there, or do not: makes of `out` what a · b is to be added to, unless it is to be
  /// replaced. Returns whether it is to be added.
  template <class T>
  static bool prepare(void* out, std::int64_t out_stride, std::int64_t rows, std::int64_t columns, bool accumulate,
                      const void* bias) {
    for (std::int64_t i = 0; i < rows && bias; ++i) {
      T* const row = static_cast<T*>(out) + i * out_stride;
      for (std::int64_t k = 0; k < columns; ++k) row[k] = static_cast<const T*>(bias)[k] + (accumulate ? row[k] : T(0));
    }
    return accumulate || bias;
  }
};

/// Multiplications below which a second thread costs more than it brings.
inline constexpr std::int64_t kWorthAThread = 1 << 20;

/// What computes the heavy ops. Results have the same bits for any number of threads.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual std::string_view name() const = 0;
  virtual std::string version() const = 0;

  /// out ← a · b, whose rows are `out_stride` apart and which does not overlap the operands. Runs on the calling
  /// thread. With Precision::BFloat16, here and below for float32 alone, both operands are rounded before they are
  /// multiplied.
  virtual void matrix_product(Dtype dtype, Precision precision, void* out, std::int64_t out_stride, const Matrix& a,
                              const Matrix& b) const = 0;
  /// The same on several threads, for an `out` without gaps, with what comes behind it.
  virtual void product(Dtype dtype, Precision precision, void* out, const Matrix& a, const Matrix& b,
                       const Epilogue& end) const;
  /// Prepares b for left operands of about `rows` rows; with Precision::BFloat16 these may have any strides.
  virtual std::unique_ptr<PackedMatrix> pack(Dtype dtype, const Matrix& b, std::int64_t rows,
                                             Precision precision = Precision::Float32) const = 0;

  /// Whether it has convolutions of the dtype at all: to be asked before the operands are laid out for them.
  virtual bool convolves(Dtype) const { return false; }
  /// y ← x convolved with weight, with what comes behind it. Each of the three runs on several threads, and returns
  /// false, having done nothing, when this engine has no good way of doing this one.
  virtual bool convolution(const ConvolutionShape&, const void* /*x*/, const void* /*weight*/, const Epilogue&,
                           void* /*y*/) const {
    return false;
  }
  /// dx ← the gradient of x, from dy, that of y.
  virtual bool convolution_input_grad(const ConvolutionShape&, const void* /*dy*/, const void* /*weight*/,
                                      void* /*dx*/) const {
    return false;
  }
  /// dweight and (unless null) dbias ← the gradients of weight and bias.
  virtual bool convolution_weight_grad(const ConvolutionShape&, const void* /*x*/, const void* /*dy*/,
                                       void* /*dweight*/, void* /*dbias*/) const {
    return false;
  }
};

/// The engine in use; see ops/engine.h.
const Engine& engine();
/// All that this library was built with, the best first.
const std::vector<const Engine*>& all_engines();
const Engine& own_engine();
const Engine& onednn_engine();
const Engine& eigen_engine();

/// out ← a · b for float32 or float64, `out` being row-major without gaps and not overlapping the operands. Runs on the
/// calling thread.
inline void matrix_product(Dtype dtype, void* out, const Matrix& a, const Matrix& b) {
  engine().matrix_product(dtype, Precision::Float32, out, b.columns, a, b);
}

}  // namespace eigengrad::kernels
