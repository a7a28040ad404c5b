#include "eigengrad/ops/kernels/matmul.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/small_product.h"

namespace eigengrad::kernels {
namespace {

// Multiplications below which a second thread costs more than it brings.
constexpr std::int64_t kWorthAThread = 1 << 20;

// The engines read matrices with one unit stride; others are copied.
Tensor readable(const Tensor& x) {
  const std::size_t rank = x.shape().size();
  const std::int64_t rows = x.strides()[rank - 2], columns = x.strides()[rank - 1];
  const bool row_major =
      (columns == 1 || x.shape()[rank - 1] == 1) && rows >= std::max<std::int64_t>(1, x.shape()[rank - 1]);
  const bool column_major =
      (rows == 1 || x.shape()[rank - 2] == 1) && columns >= std::max<std::int64_t>(1, x.shape()[rank - 2]);
  return row_major || column_major ? x : contiguous_copy(x);
}

Matrix matrix(const Tensor& x, std::int64_t offset) {
  const std::size_t rank = x.shape().size();
  Matrix m{x.raw<std::byte>() + offset * static_cast<std::int64_t>(size_of(x.dtype())), x.shape()[rank - 2],
           x.shape()[rank - 1], x.strides()[rank - 2], x.strides()[rank - 1]};
  // An axis of extent 1 may have any stride: give it the one that the engines like.
  if (m.columns == 1 && m.column_stride != 1 && m.row_stride != 1) m.column_stride = 1;
  if (m.rows == 1 && m.row_stride != 1 && m.column_stride != 1) m.row_stride = 1;
  return m;
}

// Where the matrices of a batch begin in each operand.
Dims batch_offsets(const Tensor& x, const Shape& batch) {
  std::int64_t count = 1;
  for (const std::int64_t extent : batch) count *= extent;
  Dims offsets(static_cast<std::size_t>(count), 0);
  const std::size_t own = x.shape().size() - 2;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i;
    for (std::size_t axis = batch.size(); axis-- > 0;) {
      const std::int64_t position = rest % batch[axis];
      rest /= batch[axis];
      const std::size_t missing = batch.size() - own;
      if (axis >= missing && x.shape()[axis - missing] != 1)
        offsets[static_cast<std::size_t>(i)] += position * x.strides()[axis - missing];
    }
  }
  return offsets;
}

// One product, in slices of the longer axis of the result, so that the operand that every slice needs whole is the
// smaller one. The slices are chosen by the shape alone.
class SlicedProduct {
 public:
  SlicedProduct(Dtype dtype, Precision precision, std::byte* out, const Matrix& a, const Matrix& b)
      : dtype_(dtype),
        precision_(precision),
        out_(out),
        a_(a),
        b_(b),
        element_(static_cast<std::int64_t>(size_of(dtype))) {}

  void run() const {
    if (precision_ == Precision::BFloat16)
      by_rows();
    else if (a_.rows * a_.columns * b_.columns < 2 * kWorthAThread)
      matrix_product(dtype_, out_, a_, b_);
    else if (a_.column_stride == 1 && a_.rows >= 2 * kNarrowest)
      by_rows();
    else if (a_.rows >= b_.columns)
      for_each_slice(a_.rows, [&](std::int64_t first, std::int64_t last) { multiply(first, last, 0, b_.columns); });
    else
      for_each_slice(b_.columns, [&](std::int64_t first, std::int64_t last) { multiply(0, a_.rows, first, last); });
  }

 private:
  static constexpr std::int64_t kNarrowest = 32;

  // All slices share the right operand: it is packed once.
  void by_rows() const {
    const auto packed = engine().pack(dtype_, b_, a_.rows, precision_);
    for_each_slice(a_.rows, [&](std::int64_t first, std::int64_t last) {
      packed->multiply(out_ + first * b_.columns * element_, b_.columns, rows_of_a(first, last));
    });
  }
  void multiply(std::int64_t row, std::int64_t row_end, std::int64_t column, std::int64_t column_end) const {
    Matrix right = b_;
    right.data = at(b_.data, column * b_.column_stride);
    right.columns = column_end - column;
    engine().matrix_product(dtype_, out_ + (row * b_.columns + column) * element_, b_.columns, rows_of_a(row, row_end),
                            right);
  }
  Matrix rows_of_a(std::int64_t row, std::int64_t row_end) const {
    Matrix left = a_;
    left.data = at(a_.data, row * a_.row_stride);
    left.rows = row_end - row;
    return left;
  }
  const std::byte* at(const void* data, std::int64_t offset) const {
    return static_cast<const std::byte*>(data) + offset * element_;
  }
  template <class F>
  void for_each_slice(std::int64_t extent, F f) const {
    constexpr std::int64_t kMost = 8;
    const std::int64_t work = a_.rows * a_.columns * b_.columns;
    const std::int64_t slices = std::clamp<std::int64_t>(std::min(work / kWorthAThread, extent / kNarrowest), 1, kMost);
    const std::int64_t size = ((extent + slices - 1) / slices + 15) / 16 * 16;
    parallel_for(extent, size, [&](std::int64_t begin, std::int64_t end) { f(begin, end); });
  }

  const Dtype dtype_;
  const Precision precision_;
  std::byte* const out_;
  const Matrix a_, b_;
  const std::int64_t element_;
};

}  // namespace

Tensor matmul(const Tensor& left, const Tensor& right, Precision wanted) {
  if (left.dim() == 2 && right.dim() == 2 && is_small_product(matrix_of(left), matrix_of(right)))
    return small_product(left.dtype(), matrix_of(left), matrix_of(right));
  const Tensor a = readable(left), b = readable(right);
  const std::size_t a_rank = a.shape().size(), b_rank = b.shape().size();
  const Shape batch = broadcast_shapes("matmul", Shape(a.shape().begin(), a.shape().end() - 2),
                                       Shape(b.shape().begin(), b.shape().end() - 2));
  const std::int64_t rows = a.shape()[a_rank - 2], inner = a.shape()[a_rank - 1], columns = b.shape()[b_rank - 1];
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(columns);
  const Tensor out = empty(shape, a.dtype());
  if (out.numel() == 0) return out;

  // Rounding small operands costs more than it saves.
  constexpr std::int64_t kWorthRounding = 32 * 32 * 32;
  const bool rounds = a.dtype() == kFloat32 && rows * inner * columns >= kWorthRounding;
  const Precision precision = rounds ? wanted : Precision::Float32;
  const Dims a_offsets = batch_offsets(a, batch), b_offsets = batch_offsets(b, batch);
  const auto items = static_cast<std::int64_t>(a_offsets.size());
  if (items == 1) {
    SlicedProduct(out.dtype(), precision, out.raw<std::byte>(), matrix(a, 0), matrix(b, 0)).run();
    return out;
  }
  const std::int64_t size = rows * columns;
  const auto bytes = size * static_cast<std::int64_t>(size_of(out.dtype()));
  parallel_for(items, std::max<std::int64_t>(1, kWorthAThread / std::max<std::int64_t>(1, size * inner)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   const auto k = static_cast<std::size_t>(i);
                   SlicedProduct(out.dtype(), precision, out.raw<std::byte>() + i * bytes, matrix(a, a_offsets[k]),
                                 matrix(b, b_offsets[k]))
                       .run();
                 }
               });
  return out;
}

}  // namespace eigengrad::kernels
