// Functions of single elements. Integers are taken as float32, but abs, sign, square and rounding keep them; throws
// DtypeError for bool.
#pragma once

#include <limits>

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
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor exp2(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor erf(const Tensor& x);
/// 1 - erf(x), without cancellation.
Tensor erfc(const Tensor& x);
/// log(x / (1 - x)), x being limited to [eps, 1 - eps] where eps ≥ 0.
Tensor logit(const Tensor& x, double eps = -1);
/// sin(πx) / (πx), and 1 at 0.
Tensor sinc(const Tensor& x);
/// Rounding: the gradient is 0. round() takes halves to the even neighbour.
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);
Tensor trunc(const Tensor& x);
/// x - trunc(x)
Tensor frac(const Tensor& x);
/// NaN, ∞ and -∞ replaced by numbers. The gradient there is 0.
Tensor nan_to_num(const Tensor& x, double nan = 0, double posinf = std::numeric_limits<double>::max(),
                  double neginf = std::numeric_limits<double>::lowest());

}  // namespace eigengrad
