#include "eigengrad/ops/kernels/matmul.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/small_product.h"

namespace eigengrad::kernels {
namespace {

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

}  // namespace

Tensor matmul(const Tensor& left, const Tensor& right, Precision wanted, const Tensor& bias, bool then_relu) {
  const Tensor add = bias.defined() ? as_contiguous(bias) : bias;
  const Epilogue end{add.defined() ? add.raw<void>() : nullptr, then_relu};
  if (left.dim() == 2 && right.dim() == 2 && is_small_product(matrix_of(left), matrix_of(right)))
    return small_product(left.dtype(), matrix_of(left), matrix_of(right), end);
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
    engine().product(out.dtype(), precision, out.raw<void>(), matrix(a, 0), matrix(b, 0), end);
    return out;
  }
  const std::int64_t size = rows * columns;
  const auto bytes = size * static_cast<std::int64_t>(size_of(out.dtype()));
  parallel_evenly(items, std::max<std::int64_t>(1, kWorthAThread / std::max<std::int64_t>(1, size * inner)),
                  [&](std::int64_t begin, std::int64_t until) {
                    for (std::int64_t i = begin; i < until; ++i) {
                      const auto k = static_cast<std::size_t>(i);
                      engine().product(out.dtype(), precision, out.raw<std::byte>() + i * bytes,
                                       matrix(a, a_offsets[k]), matrix(b, b_offsets[k]), {});
                    }
                  });
  return out;
}

}  // namespace eigengrad::kernels
