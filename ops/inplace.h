// Changes of elements in place. They are not recorded: on a tensor that requires grad they throw GradError unless under
// NoGrad, and a graph that had saved the old elements says so when it is walked.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// Copies the elements of `source`, which broadcasts to x and is converted to its dtype.
void copy_(Tensor& x, const Tensor& source);
/// x ← value, x ← 0.
void fill_(Tensor& x, Scalar value);
void zero_(Tensor& x);
/// x ← x + alpha·y, x ← x·y, and so on. y broadcasts to x and is converted to its dtype.
void add_(Tensor& x, const Tensor& y, double alpha = 1);
void sub_(Tensor& x, const Tensor& y, double alpha = 1);
void mul_(Tensor& x, const Tensor& y);
/// x ← x / y. Throws DtypeError for integers, which true division would leave.
void div_(Tensor& x, const Tensor& y);
/// x ← x to the power y.
void pow_(Tensor& x, const Tensor& y);
/// The same with a number.
void add_(Tensor& x, Scalar y);
void sub_(Tensor& x, Scalar y);
void mul_(Tensor& x, Scalar y);
void div_(Tensor& x, Scalar y);
void pow_(Tensor& x, Scalar y);
/// x ← x + value·a·b, x ← x + value·a / b.
void addcmul_(Tensor& x, const Tensor& a, const Tensor& b, double value = 1);
void addcdiv_(Tensor& x, const Tensor& a, const Tensor& b, double value = 1);
/// x ← x + weight·(end - x).
void lerp_(Tensor& x, const Tensor& end, double weight);
/// x limited to [low, high].
void clamp_(Tensor& x, Scalar low, Scalar high);
/// x ← value where the mask (bool, which broadcasts to x) holds.
void masked_fill_(Tensor& x, const Tensor& mask, Scalar value);
/// x ← f(x) for the function of that name.
void neg_(Tensor& x);
void abs_(Tensor& x);
void exp_(Tensor& x);
void log_(Tensor& x);
void sqrt_(Tensor& x);
void square_(Tensor& x);
void reciprocal_(Tensor& x);
void floor_(Tensor& x);
void ceil_(Tensor& x);
void round_(Tensor& x);
void relu_(Tensor& x);
void sigmoid_(Tensor& x);
void tanh_(Tensor& x);
/// The ops of index.h on x itself.
void index_add_(Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
void scatter_(Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
void scatter_add_(Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);

}  // namespace eigengrad
