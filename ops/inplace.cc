#include "eigengrad/ops/inplace.h"

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/elementwise.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

// Checks the operand of an in-place op and tells the graph of the change. An operand that shares memory with the target
// under another layout is copied first, or its elements would change while they are read.
Tensor prepare(const char* op, Tensor& x, const Tensor& y, Dtype dtype) {
  kernels::check_defined(op, x, y);
  EG_CHECK(broadcasts_to(y.shape(), x.shape()), ShapeError, "[{}] shape {} does not broadcast to {}", op, y.shape(),
           x.shape());
  EG_CHECK(!grad_enabled() || !y.requires_grad(), GradError,
           "[{}] the operand requires grad, which an in-place change cannot record: do it under NoGrad", op);
  for (std::size_t i = 0; i < x.shape().size(); ++i)
    EG_CHECK(x.strides()[i] != 0 || x.shape()[i] <= 1 || x.numel() == 0, ShapeError,
             "[{}] axis {} of the target of shape {} repeats one element (it was expanded): change a clone", op, i,
             x.shape());
  const Tensor source = y.dtype() == dtype ? y : to(y.detach(), dtype);
  const bool overlaps = source.impl().storage == x.impl().storage;
  x.note_inplace_change(op);
  return overlaps ? kernels::contiguous_copy(source) : source;
}

// x ← source, which broadcasts to it.
void assign(const char* op, Tensor& x, const Tensor& source) {
  kernels::check_defined(op, x, source);
  kernels::copy(x, prepare(op, x, source, x.dtype()));
}

template <class F>
void change(const char* op, Tensor& x, const Tensor& y, F f) {
  kernels::check_defined(op, x, y);
  kernels::check_number(op, x);
  const Dtype dtype = computing_dtype(x.dtype());
  const Tensor operand = prepare(op, x, y, dtype);
  const Tensor changed = x.dtype() == dtype ? x : to(x.detach(), dtype);
  dispatch_number(op, dtype, [&]<class T>() {
    kernels::elementwise<T, T, T>(changed, kernels::each([f](T a, T b) { return f(a, b); }), changed, operand);
  });
  if (x.dtype() != dtype) kernels::copy(x, to(changed, x.dtype()));
}

// A number in the dtype in which x computes, if x is defined: else the op says so.
Tensor number_for(const Tensor& x, Scalar value) {
  return full({}, value, x.defined() ? computing_dtype(x.dtype()) : value.dtype());
}

// x ← f(), which is of x's shape, computed beside it.
template <class F>
void replace(const char* op, Tensor& x, F f) {
  kernels::check_defined(op, x);
  const Tensor result = [&] {
    const NoGrad no_grad;
    return f();
  }();
  EG_CHECK(result.dtype() == x.dtype(), DtypeError, "[{}] the result is {}, which the target of {} cannot hold", op,
           result.dtype(), x.dtype());
  assign(op, x, result);
}

// x ← f(x) for a function of numbers.
void replace_each(const char* op, Tensor& x, Tensor (*f)(Arg)) {
  kernels::check_number(op, x);
  replace(op, x, [&] { return f(x); });
}

// x ← x + alpha·y
void add_scaled(const char* op, Tensor& x, const Tensor& y, double alpha) {
  if (alpha == 1)
    change(op, x, y, []<class T>(T a, T b) { return static_cast<T>(a + b); });
  else
    change(op, x, y, [alpha]<class T>(T a, T b) { return static_cast<T>(a + static_cast<T>(alpha) * b); });
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

void copy_(Tensor& x, const Tensor& source) { assign("copy_", x, source); }

void fill_(Tensor& x, Scalar value) { assign("fill_", x, number_for(x, value)); }
void zero_(Tensor& x) { assign("zero_", x, number_for(x, 0)); }

void add_(Tensor& x, const Tensor& y, double alpha) { add_scaled("add_", x, y, alpha); }

void sub_(Tensor& x, const Tensor& y, double alpha) {
  change("sub_", x, y, [alpha]<class T>(T a, T b) { return static_cast<T>(a - static_cast<T>(alpha) * b); });
}

void mul_(Tensor& x, const Tensor& y) {
  change("mul_", x, y, []<class T>(T a, T b) { return static_cast<T>(a * b); });
}

void div_(Tensor& x, const Tensor& y) {
  kernels::check_floating("div_", x);
  change("div_", x, y, []<class T>(T a, T b) { return divided(a, b); });
}

void pow_(Tensor& x, const Tensor& y) {
  kernels::check_defined("pow_", x, y);
  kernels::check_number("pow_", x);
  replace("pow_", x, [&] { return pow(x, to(y.detach(), x.dtype())); });
}

void add_(Tensor& x, Scalar y) { add_(x, number_for(x, y)); }
void sub_(Tensor& x, Scalar y) { sub_(x, number_for(x, y)); }
void mul_(Tensor& x, Scalar y) { mul_(x, number_for(x, y)); }
void div_(Tensor& x, Scalar y) { div_(x, number_for(x, y)); }
void pow_(Tensor& x, Scalar y) {
  kernels::check_number("pow_", x);
  replace("pow_", x, [&] { return pow(x, y); });
}

void addcmul_(Tensor& x, const Tensor& a, const Tensor& b, double value) {
  kernels::check_broadcast("addcmul_", x, a, b);
  add_scaled("addcmul_", x, a * b, value);
}
void addcdiv_(Tensor& x, const Tensor& a, const Tensor& b, double value) {
  kernels::check_broadcast("addcdiv_", x, a, b);
  add_scaled("addcdiv_", x, a / b, value);
}

void lerp_(Tensor& x, const Tensor& end, double weight) {
  kernels::check_floating("lerp_", x);
  change("lerp_", x, end, [weight]<class T>(T a, T b) { return static_cast<T>(a + static_cast<T>(weight) * (b - a)); });
}

void clamp_(Tensor& x, Scalar low, Scalar high) {
  replace("clamp_", x, [&] { return clamp(x, low, high); });
}

void masked_fill_(Tensor& x, const Tensor& mask, Scalar value) {
  replace("masked_fill_", x, [&] { return masked_fill(x, mask, value); });
}

void neg_(Tensor& x) { replace_each("neg_", x, neg); }
void abs_(Tensor& x) { replace_each("abs_", x, abs); }
void exp_(Tensor& x) { replace_each("exp_", x, exp); }
void log_(Tensor& x) { replace_each("log_", x, log); }
void sqrt_(Tensor& x) { replace_each("sqrt_", x, sqrt); }
void square_(Tensor& x) { replace_each("square_", x, square); }
void reciprocal_(Tensor& x) { replace_each("reciprocal_", x, reciprocal); }
void floor_(Tensor& x) { replace_each("floor_", x, floor); }
void ceil_(Tensor& x) { replace_each("ceil_", x, ceil); }
void round_(Tensor& x) { replace_each("round_", x, round); }
void relu_(Tensor& x) { replace_each("relu_", x, relu); }
void sigmoid_(Tensor& x) { replace_each("sigmoid_", x, sigmoid); }
void tanh_(Tensor& x) { replace_each("tanh_", x, tanh); }

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
