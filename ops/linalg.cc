#include "eigengrad/ops/linalg.h"

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/kernels/matmul.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

void check_operands(const char* op, const Tensor& a, const Tensor& b) {
  EG_CHECK(is_floating(a.dtype()) && a.dtype() == b.dtype(), DtypeError,
           "[{}] expected two tensors of one floating dtype, found {} and {}", op, a.dtype(), b.dtype());
}

// Both operands have two axes or more.
struct MatMul {
  static constexpr const char* kName = "matmul";
  static constexpr SaveMask kSaves[] = {input(1), input(0)};
  Tensor forward(TensorRefs x) const { return kernels::matmul(x[0], x[1]); }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {s.needs(0) ? matmul(g, transpose(s.x(1))) : Tensor(), s.needs(1) ? matmul(transpose(s.x(0)), g) : Tensor()};
  }
};

// x [N, in], weight [out, in], and perhaps bias [out].
struct Linear {
  static constexpr const char* kName = "linear";
  static constexpr SaveMask kSaves[] = {input(1), input(0), kNothing};
  Tensor forward(TensorRefs x) const {
    Tensor out = kernels::matmul(x[0], transpose(x[1]));
    if (x.size() == 3) add_(out, x[2]);
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    Grads grads{s.needs(0) ? matmul(g, s.x(1)) : Tensor(), s.needs(1) ? matmul(transpose(g), s.x(0)) : Tensor()};
    if (s.inputs() == 3) grads.push_back(s.needs(2) ? sum(g, {0}) : Tensor());
    return grads;
  }
};

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  check_operands("matmul", a, b);
  EG_CHECK(a.dim() > 0 && b.dim() > 0, ShapeError, "[matmul] expected tensors with axes, found shapes {} and {}",
           a.shape(), b.shape());
  const std::int64_t inner_b = b.dim() == 1 ? b.size(0) : b.size(-2);
  EG_CHECK(a.size(-1) == inner_b, ShapeError, "[matmul] the last axis of {} has {} elements, but axis {} of {} has {}",
           a.shape(), a.size(-1), b.dim() == 1 ? -1 : -2, b.shape(), inner_b);
  if (a.dim() == 1) return squeeze(matmul(unsqueeze(a, 0), b), b.dim() == 1 ? 0 : -2);
  if (b.dim() == 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  if (a.dim() > 2 && b.dim() == 2) {
    Shape shape = a.shape();
    shape.back() = b.size(1);
    return reshape(matmul(flatten(a, 0, -2), b), shape);
  }
  return apply(MatMul{}, a, b);
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  check_operands("linear", x, weight);
  EG_CHECK(weight.dim() == 2, ShapeError, "[linear] expected a weight of shape [out, in], found {}", weight.shape());
  EG_CHECK(x.dim() >= 1 && x.size(-1) == weight.size(1), ShapeError,
           "[linear] the input {} does not end in the {} features of the weight {}", x.shape(), weight.size(1),
           weight.shape());
  if (bias.defined()) {
    check_operands("linear", weight, bias);
    EG_CHECK(bias.shape() == Shape{weight.size(0)}, ShapeError, "[linear] expected a bias of shape [{}], found {}",
             weight.size(0), bias.shape());
  }
  const Tensor rows = x.dim() == 2 ? x : x.dim() == 1 ? unsqueeze(x, 0) : flatten(x, 0, -2);
  const Tensor y = bias.defined() ? apply(Linear{}, rows, weight, bias) : apply(Linear{}, rows, weight);
  if (x.dim() == 2) return y;
  Shape shape = x.shape();
  shape.back() = weight.size(0);
  return reshape(y, shape);
}

}  // namespace eigengrad
