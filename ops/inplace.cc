#include "eigengrad/ops/inplace.h"

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/elementwise.h"
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

}  // namespace

void copy_(Tensor& x, const Tensor& source) { kernels::copy(x, prepare("copy_", x, source)); }

void fill_(Tensor& x, Scalar value) { kernels::copy(x, prepare("fill_", x, full({}, value, x.dtype()))); }

void add_(Tensor& x, const Tensor& y, double alpha) {
  if (alpha == 1)
    change("add_", x, y, []<class T>(T a, T b) { return static_cast<T>(a + b); });
  else
    change("add_", x, y, [alpha]<class T>(T a, T b) { return static_cast<T>(a + static_cast<T>(alpha) * b); });
}

void mul_(Tensor& x, const Tensor& y) {
  change("mul_", x, y, []<class T>(T a, T b) { return static_cast<T>(a * b); });
}

void mul_(Tensor& x, Scalar y) { mul_(x, full({}, y, x.dtype())); }

}  // namespace eigengrad
