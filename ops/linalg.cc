#include "eigengrad/ops/linalg.h"

#include <algorithm>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/matmul.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/kernels/small_product.h"
#include "eigengrad/ops/kernels/then_relu.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using kernels::column_sums;
using kernels::is_small_product;
using kernels::Matrix;
using kernels::matrix_of;
using kernels::small_product;
using kernels::transpose_of;

void check_operands(const char* op, const Tensor& a, const Tensor& b) {
  kernels::check_defined(op, a, b);
  EG_CHECK(is_floating(a.dtype()) && a.dtype() == b.dtype(), DtypeError,
           "[{}] expected two tensors of one floating dtype, found {} and {}", op, a.dtype(), b.dtype());
}

// Both operands have two axes or more.
struct MatMul {
  static constexpr const char* kName = "matmul";
  static constexpr SaveMask kSaves[] = {input(1), input(0)};
  Precision precision;
  Tensor forward(TensorRefs x) const { return kernels::matmul(x[0], x[1], precision); }
  double flops(TensorRefs x, const Tensor& y) const {
    return 2 * static_cast<double>(y.numel()) * static_cast<double>(x[0].size(-1));
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Autocast as_before(precision);
    return {s.needs(0) ? matmul(g, transpose(s.x(1))) : Tensor(), s.needs(1) ? matmul(transpose(s.x(0)), g) : Tensor()};
  }
};

// x [N, in], weight [out, in], and perhaps bias [out].
struct Linear {
  static constexpr const char* kName = "linear";
  static constexpr SaveMask kSaves[] = {input(1), input(0), kNothing};
  Precision precision;
  Tensor forward(TensorRefs x) const { return compute(x, false); }
  Tensor compute(TensorRefs x, bool then_relu) const {
    const Tensor bias = x.size() == 3 ? contiguous(x[2]) : Tensor();
    if (const Matrix rows = matrix_of(x[0]), weight = transpose_of(x[1]); is_small_product(rows, weight))
      return small_product(x[0].dtype(), rows, weight, {bias.defined() ? bias.raw<void>() : nullptr, then_relu});
    return kernels::matmul(x[0], transpose(x[1]), precision, bias, then_relu);
  }
  double flops(TensorRefs x, const Tensor& y) const {
    const double adds = x.size() == 3 ? 1 : 0;
    return static_cast<double>(y.numel()) * (2 * static_cast<double>(x[0].size(-1)) + adds);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Autocast as_before(precision);
    Grads grads{s.needs(0) ? matmul(g, s.x(1)) : Tensor(), s.needs(1) ? matmul(transpose(g), s.x(0)) : Tensor()};
    if (s.inputs() == 3) grads.push_back(s.needs(2) ? sum(g, {0}) : Tensor());
    return grads;
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const Dtype dtype = g.dtype();
    const std::int64_t in = s.shape(0)[1];
    if (!is_small_product(matrix_of(g), {nullptr, g.size(1), in, in, 1})) return backward(s, g);
    Grads grads(s.inputs());
    if (s.needs(0)) grads[0] = small_product(dtype, matrix_of(g), matrix_of(s.x(1)));
    if (s.needs(1)) grads[1] = small_product(dtype, transpose_of(g), matrix_of(s.x(0)));
    if (s.inputs() == 3 && s.needs(2)) grads[2] = column_sums(dtype, matrix_of(g));
    return grads;
  }
};

// `op` is what the user called.
template <class Op>
Tensor linear_by(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_operands(op, x, weight);
  EG_CHECK(weight.dim() == 2, ShapeError, "[{}] expected a weight of shape [out, in], found {}", op, weight.shape());
  EG_CHECK(x.dim() >= 1 && x.size(-1) == weight.size(1), ShapeError,
           "[{}] the input {} does not end in the {} features of the weight {}", op, x.shape(), weight.size(1),
           weight.shape());
  if (bias.defined()) {
    check_operands(op, weight, bias);
    EG_CHECK(bias.shape() == Shape{weight.size(0)}, ShapeError, "[{}] expected a bias of shape [{}], found {}", op,
             weight.size(0), bias.shape());
  }
  const Tensor rows = x.dim() == 2 ? x : x.dim() == 1 ? unsqueeze(x, 0) : flatten(x, 0, -2);
  const Op how{{precision_for(x)}};
  const Tensor y = bias.defined() ? apply(how, rows, weight, bias) : apply(how, rows, weight);
  if (x.dim() == 2) return y;
  Shape shape = x.shape();
  shape.back() = weight.size(0);
  return reshape(y, shape);
}

void check_ranks(const char* op, const Tensor& a, std::int64_t a_rank, const Tensor& b, std::int64_t b_rank) {
  check_operands(op, a, b);
  EG_CHECK(a.dim() == a_rank && b.dim() == b_rank, ShapeError,
           "[{}] expected operands of {} and {} axes, found shapes {} and {}", op, a_rank, b_rank, a.shape(),
           b.shape());
  const std::int64_t inner = b.size(b_rank == 1 ? 0 : -2);
  EG_CHECK(a.size(-1) == inner, ShapeError, "[{}] the inner extents of {} and {} differ", op, a.shape(), b.shape());
}

// beta·input + alpha·product. A beta of 0 leaves the input out: its NaN does not count.
Tensor combined(const char* op, const Tensor& input, const Tensor& product, double beta, double alpha) {
  EG_CHECK(input.dtype() == product.dtype(), DtypeError, "[{}] the input is {}, expected the {} of the matrices", op,
           input.dtype(), product.dtype());
  EG_CHECK(broadcasts_to(input.shape(), product.shape()), ShapeError,
           "[{}] an input of shape {} does not broadcast to the product {}", op, input.shape(), product.shape());
  const Tensor scaled = alpha == 1 ? product : product * alpha;
  if (beta == 0) return scaled;
  return (beta == 1 ? input : input * beta) + scaled;
}

// An operand of tensordot as a matrix with the summed axes last (or first). Its other extents are added to `shape`; the
// extents of the summed ones are noted in `reduced`, or compared with it.
Tensor summed_to(const Tensor& x, const Dims& axes, bool last, Shape& shape, Shape& reduced) {
  Dims summed, order;
  std::int64_t kept = 1, inner = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = normalize_axis("tensordot", axes[i], x.dim());
    EG_CHECK(std::find(summed.begin(), summed.end(), axis) == summed.end(), IndexError,
             "[tensordot] axis {} is named twice in {}", axes[i], axes);
    summed.push_back(axis);
    if (last) reduced.push_back(x.size(axis));
    EG_CHECK(x.size(axis) == reduced[i], ShapeError, "[tensordot] axis {} has {} elements, but the axis beside it {}",
             axes[i], x.size(axis), reduced[i]);
    inner *= x.size(axis);
  }
  for (std::int64_t axis = 0; axis < x.dim(); ++axis) {
    if (std::find(summed.begin(), summed.end(), axis) != summed.end()) continue;
    order.push_back(axis);
    shape.push_back(x.size(axis));
    kept *= x.size(axis);
  }
  for (std::size_t i = 0; i < summed.size(); ++i) order.insert(last ? order.size() : i, summed[i]);
  return reshape(permute(x, order), last ? Shape{kept, inner} : Shape{inner, kept});
}

}  // namespace

Tensor matmul(Arg a, const Tensor& b) {
  check_operands("matmul", a, b);
  EG_CHECK(a->dim() > 0 && b.dim() > 0, ShapeError, "[matmul] expected tensors with axes, found shapes {} and {}",
           a->shape(), b.shape());
  const std::int64_t inner_b = b.dim() == 1 ? b.size(0) : b.size(-2);
  EG_CHECK(a->size(-1) == inner_b, ShapeError, "[matmul] the last axis of {} has {} elements, but axis {} of {} has {}",
           a->shape(), a->size(-1), b.dim() == 1 ? -1 : -2, b.shape(), inner_b);
  if (a->dim() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.dim() == 1 ? 0 : -2);
  if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  if (a->dim() > 2 && b.dim() == 2) {
    Shape shape = a->shape();
    shape.back() = b.size(1);
    return reshape(matmul(flatten(a, 0, -2), b), shape);
  }
  return apply(MatMul{precision_for(a)}, a, b);
}

Tensor linear(Arg x, const Tensor& weight, const Tensor& bias) { return linear_by<Linear>("linear", x, weight, bias); }

Tensor linear_relu(Arg x, const Tensor& weight, const Tensor& bias) {
  return linear_by<kernels::ThenRelu<Linear>>("linear_relu", x, weight, bias);
}

Tensor mm(Arg a, const Tensor& b) {
  check_ranks("mm", a, 2, b, 2);
  return matmul(a, b);
}

Tensor mv(Arg a, const Tensor& b) {
  check_ranks("mv", a, 2, b, 1);
  return matmul(a, b);
}

Tensor bmm(Arg a, const Tensor& b) {
  check_ranks("bmm", a, 3, b, 3);
  EG_CHECK(a->size(0) == b.size(0), ShapeError, "[bmm] the batches of {} and {} differ", a->shape(), b.shape());
  return matmul(a, b);
}

Tensor dot(Arg a, const Tensor& b) {
  check_ranks("dot", a, 1, b, 1);
  return matmul(a, b);
}

Tensor outer(Arg a, const Tensor& b) {
  kernels::check_defined("outer", a, b);
  EG_CHECK(a->dim() == 1 && b.dim() == 1, ShapeError, "[outer] expected two vectors, found shapes {} and {}",
           a->shape(), b.shape());
  return unsqueeze(a, 1) * b;
}

Tensor addmm(Arg input, const Tensor& a, const Tensor& b, double beta, double alpha) {
  kernels::check_defined("addmm", input, a, b);
  check_ranks("addmm", a, 2, b, 2);
  return combined("addmm", input, matmul(a, b), beta, alpha);
}

Tensor baddbmm(Arg input, const Tensor& a, const Tensor& b, double beta, double alpha) {
  kernels::check_defined("baddbmm", input, a, b);
  check_ranks("baddbmm", a, 3, b, 3);
  EG_CHECK(a.size(0) == b.size(0), ShapeError, "[baddbmm] the batches of {} and {} differ", a.shape(), b.shape());
  return combined("baddbmm", input, matmul(a, b), beta, alpha);
}

Tensor tensordot(Arg a, const Tensor& b, const Dims& a_axes, const Dims& b_axes) {
  check_operands("tensordot", a, b);
  EG_CHECK(a_axes.size() == b_axes.size(), ShapeError, "[tensordot] axes {} and {} differ in number", a_axes, b_axes);
  Shape shape, reduced;
  const Tensor left = summed_to(a, a_axes, true, shape, reduced);
  const Tensor right = summed_to(b, b_axes, false, shape, reduced);
  return reshape(matmul(left, right), shape);
}

Tensor tensordot(Arg a, const Tensor& b, std::int64_t axes) {
  kernels::check_defined("tensordot", a, b);
  EG_CHECK(axes >= 0 && axes <= std::min(a->dim(), b.dim()), ShapeError,
           "[tensordot] shapes {} and {} have not {} axes each", a->shape(), b.shape(), axes);
  Dims last, first;
  for (std::int64_t i = 0; i < axes; ++i) {
    last.push_back(a->dim() - axes + i);
    first.push_back(i);
  }
  return tensordot(a, b, last, first);
}

Tensor kron(Arg a, const Tensor& b) {
  kernels::check_defined("kron", a, b);
  EG_CHECK(a->dim() == 2 && b.dim() == 2, ShapeError, "[kron] expected two matrices, found shapes {} and {}",
           a->shape(), b.shape());
  const Tensor products = reshape(a, {a->size(0), 1, a->size(1), 1}) * reshape(b, {1, b.size(0), 1, b.size(1)});
  return reshape(products, {a->size(0) * b.size(0), a->size(1) * b.size(1)});
}

}  // namespace eigengrad
