// Functions of single elements. Integers are taken as float32, but abs, sign, square and rounding keep them; throws
// DtypeError for bool.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor square(const Tensor& x);
/// The gradient at 0 is 0.
Tensor abs(const Tensor& x);
/// -1, 0 or 1 (NaN for NaN). The gradient is 0.
Tensor sign(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor erf(const Tensor& x);
/// Rounding: the gradient is 0. round() takes halves to the even neighbour.
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);

}  // namespace eigengrad
