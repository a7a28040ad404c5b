#include "eigengrad/ops/inplace.h"

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/elementwise.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

// Checks the operand of an in-place op and tells the graph of the change. An operand that shares memory with the target
// under another layout is copied first, or its elements would change while they are read.
Tensor prepare(const char* op, Tensor& x, const Tensor& y) {
  EG_CHECK(broadcasts_to(y.shape(), x.shape()), ShapeError, "[{}] shape {} does not broadcast to {}", op, y.shape(),
           x.shape());
  EG_CHECK(!grad_enabled() || !y.requires_grad(), GradError,
           "[{}] the operand requires grad, which an in-place change cannot record: do it under NoGrad", op);
  for (std::size_t i = 0; i < x.shape().size(); ++i)
    EG_CHECK(x.strides()[i] != 0 || x.shape()[i] <= 1, ShapeError,
             "[{}] axis {} of the target of shape {} repeats one element (it was expanded): change a clone", op, i,
             x.shape());
  const Tensor source = to(y.detach(), x.dtype());
  const bool overlaps = source.impl().storage == x.impl().storage && !source.is_same(x);
  x.note_inplace_change(op);
  return overlaps ? kernels::contiguous_copy(source) : source;
}

template <class F>
void change(const char* op, Tensor& x, const Tensor& y, F f) {
  const Tensor operand = prepare(op, x, y);
  dispatch_number(op, x.dtype(), [&]<class T>() {
    kernels::elementwise<T, T, T>(x, kernels::each([f](T a, T b) { return f(a, b); }), x, operand);
  });
}

// x ← f(), which is of x's shape, computed beside it.
template <class F>
void replace(const char* op, Tensor& x, F f) {
  const Tensor result = [&] {
    const NoGrad no_grad;
    return f();
  }();
  EG_CHECK(result.dtype() == x.dtype(), DtypeError, "[{}] the result is {}, which the target of {} cannot hold", op,
           result.dtype(), x.dtype());
  kernels::copy(x, prepare(op, x, result));
}

// The integers never come here.
template <class T>
T divided(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a / b;
  else
    return a;
}

}  // namespace

void copy_(Tensor& x, const Tensor& source) { kernels::copy(x, prepare("copy_", x, source)); }

void fill_(Tensor& x, Scalar value) { kernels::copy(x, prepare("fill_", x, full({}, value, x.dtype()))); }

void add_(Tensor& x, const Tensor& y, double alpha) {
  if (alpha == 1)
    change("add_", x, y, []<class T>(T a, T b) { return static_cast<T>(a + b); });
  else
    change("add_", x, y, [alpha]<class T>(T a, T b) { return static_cast<T>(a + static_cast<T>(alpha) * b); });
}

void sub_(Tensor& x, const Tensor& y, double alpha) {
  change("sub_", x, y, [alpha]<class T>(T a, T b) { return static_cast<T>(a - static_cast<T>(alpha) * b); });
}

void mul_(Tensor& x, const Tensor& y) {
  change("mul_", x, y, []<class T>(T a, T b) { return static_cast<T>(a * b); });
}

void div_(Tensor& x, const Tensor& y) {
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[div_] expected a floating target, found {}", x.dtype());
  change("div_", x, y, []<class T>(T a, T b) { return divided(a, b); });
}

void pow_(Tensor& x, const Tensor& y) {
  replace("pow_", x, [&] { return pow(x, to(y.detach(), x.dtype())); });
}

void add_(Tensor& x, Scalar y) { add_(x, full({}, y, x.dtype())); }
void sub_(Tensor& x, Scalar y) { sub_(x, full({}, y, x.dtype())); }
void mul_(Tensor& x, Scalar y) { mul_(x, full({}, y, x.dtype())); }
void div_(Tensor& x, Scalar y) { div_(x, full({}, y, x.dtype())); }
void pow_(Tensor& x, Scalar y) {
  replace("pow_", x, [&] { return pow(x, y); });
}

void addcmul_(Tensor& x, const Tensor& a, const Tensor& b, double value) { add_(x, a * b, value); }
void addcdiv_(Tensor& x, const Tensor& a, const Tensor& b, double value) { add_(x, a / b, value); }

void lerp_(Tensor& x, const Tensor& end, double weight) {
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[lerp_] expected a floating target, found {}", x.dtype());
  change("lerp_", x, end, [weight]<class T>(T a, T b) { return static_cast<T>(a + static_cast<T>(weight) * (b - a)); });
}

void clamp_(Tensor& x, Scalar low, Scalar high) {
  replace("clamp_", x, [&] { return clamp(x, low, high); });
}

void masked_fill_(Tensor& x, const Tensor& mask, Scalar value) {
  replace("masked_fill_", x, [&] { return masked_fill(x, mask, value); });
}

void neg_(Tensor& x) {
  replace("neg_", x, [&] { return neg(x); });
}
void abs_(Tensor& x) {
  replace("abs_", x, [&] { return abs(x); });
}
void exp_(Tensor& x) {
  replace("exp_", x, [&] { return exp(x); });
}
void log_(Tensor& x) {
  replace("log_", x, [&] { return log(x); });
}
void sqrt_(Tensor& x) {
  replace("sqrt_", x, [&] { return sqrt(x); });
}
void square_(Tensor& x) {
  replace("square_", x, [&] { return square(x); });
}
void reciprocal_(Tensor& x) {
  replace("reciprocal_", x, [&] { return reciprocal(x); });
}
void floor_(Tensor& x) {
  replace("floor_", x, [&] { return floor(x); });
}
void ceil_(Tensor& x) {
  replace("ceil_", x, [&] { return ceil(x); });
}
void round_(Tensor& x) {
  replace("round_", x, [&] { return round(x); });
}
void relu_(Tensor& x) {
  replace("relu_", x, [&] { return relu(x); });
}
void sigmoid_(Tensor& x) {
  replace("sigmoid_", x, [&] { return sigmoid(x); });
}
void tanh_(Tensor& x) {
  replace("tanh_", x, [&] { return tanh(x); });
}

void index_add_(Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  replace("index_add_", x, [&] { return index_add(x, axis, index, source); });
}

void scatter_(Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  replace("scatter_", x, [&] { return scatter(x, axis, index, source); });
}

void scatter_add_(Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  replace("scatter_add_", x, [&] { return scatter_add(x, axis, index, source); });
}

}  // namespace eigengrad
