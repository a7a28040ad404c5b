// Changes of elements in place. They are not recorded: on a tensor that requires grad they throw GradError unless under
// NoGrad, and a graph that had saved the old elements says so when it is walked.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// Copies the elements of `source`, which broadcasts to x and is converted to its dtype.
void copy_(Tensor& x, const Tensor& source);
void fill_(Tensor& x, Scalar value);
inline void zero_(Tensor& x) { fill_(x, 0); }
/// x ← x + alpha·y, x ← x·y, and so on. y broadcasts to x and has its dtype.
void add_(Tensor& x, const Tensor& y, double alpha = 1);
void mul_(Tensor& x, const Tensor& y);
void mul_(Tensor& x, Scalar y);

}  // namespace eigengrad
