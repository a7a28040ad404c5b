// Functions of single elements. Integers are taken as float32, but abs, sign, square and rounding keep them; throws
// DtypeError for bool.
#pragma once

#include <limits>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// e^x, e^x - 1 (exact near 0), 2^x.
Tensor exp(Arg x);
Tensor expm1(Arg x);
Tensor exp2(Arg x);
/// The natural logarithm of x, and of 1 + x (exact near 0): -inf for 0, NaN below.
Tensor log(Arg x);
Tensor log1p(Arg x);
/// Logarithms to the base of 2 and of 10.
Tensor log2(Arg x);
Tensor log10(Arg x);
/// √x, 1 / √x, 1 / x and x². NaN for the root of a negative number.
Tensor sqrt(Arg x);
Tensor rsqrt(Arg x);
Tensor reciprocal(Arg x);
Tensor square(Arg x);
/// The gradient at 0 is 0.
Tensor abs(Arg x);
/// -1, 0 or 1 (NaN for NaN). The gradient is 0.
Tensor sign(Arg x);
/// Trigonometric functions of angles in radians, and their inverses: NaN where these are not defined.
Tensor sin(Arg x);
Tensor cos(Arg x);
Tensor tan(Arg x);
Tensor asin(Arg x);
Tensor acos(Arg x);
Tensor atan(Arg x);
/// Hyperbolic functions, and their inverses. tanh() is an activation.
Tensor sinh(Arg x);
Tensor cosh(Arg x);
Tensor asinh(Arg x);
Tensor acosh(Arg x);
Tensor atanh(Arg x);
/// The error function, 2/√π times the integral of e^(-t²) from 0 to x.
Tensor erf(Arg x);
/// 1 - erf(x), without cancellation.
Tensor erfc(Arg x);
/// log(x / (1 - x)), x being limited to [eps, 1 - eps] where eps ≥ 0.
Tensor logit(Arg x, double eps = -1);
/// sin(πx) / (πx), and 1 at 0.
Tensor sinc(Arg x);
/// Rounding: the gradient is 0. round() takes halves to the even neighbour.
Tensor floor(Arg x);
Tensor ceil(Arg x);
Tensor round(Arg x);
Tensor trunc(Arg x);
/// x - trunc(x)
Tensor frac(Arg x);
/// NaN, ∞ and -∞ replaced by numbers. The gradient there is 0.
Tensor nan_to_num(Arg x, double nan = 0, double posinf = std::numeric_limits<double>::max(),
                  double neginf = std::numeric_limits<double>::lowest());

}  // namespace eigengrad
