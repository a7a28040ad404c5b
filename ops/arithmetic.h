// Arithmetic on broadcast operands. Types promote as result_type() says.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// a + b. For bool: or.
Tensor add(Arg a, const Tensor& b);
/// a - b. Throws DtypeError for two bools.
Tensor sub(Arg a, const Tensor& b);
/// a · b. For bool: and.
Tensor mul(Arg a, const Tensor& b);
/// a / b, true division: integers give float32.
Tensor div(Arg a, const Tensor& b);
/// ⌊a / b⌋, not differentiable. Throws ValueError for an integer divided by zero.
Tensor floor_divide(Arg a, const Tensor& b);
/// a - b⌊a / b⌋, with the sign of b; the gradient of b is -⌊a / b⌋. Throws ValueError for an integer modulo zero.
Tensor remainder(Arg a, const Tensor& b);
/// a to the power b. The gradient of b is 0 where a is 0.
Tensor pow(Arg a, const Tensor& b);
/// The larger, or smaller; NaN if either is. Where they are equal each gets half of the gradient.
Tensor maximum(Arg a, const Tensor& b);
Tensor minimum(Arg a, const Tensor& b);
Tensor neg(Arg x);
/// a - b·trunc(a / b), with the sign of a; the gradient of b is -trunc(a / b). Throws ValueError for an integer modulo
/// zero.
Tensor fmod(Arg a, const Tensor& b);
/// The angle of the point (x, y), in (-π, π]. Floating.
Tensor atan2(Arg y, const Tensor& x);
/// √(a² + b²), without overflow. Floating. The gradient at the origin is 0.
Tensor hypot(Arg a, const Tensor& b);
/// log(e^a + e^b), without overflow. Floating.
Tensor logaddexp(Arg a, const Tensor& b);
/// a·log(b), and 0 where a is 0, whatever b. Floating.
Tensor xlogy(Arg a, const Tensor& b);
/// start + weight·(end - start). Floating; all three broadcast.
Tensor lerp(Arg start, const Tensor& end, const Tensor& weight);
Tensor lerp(Arg start, const Tensor& end, double weight);
/// x + value·a·b, x + value·a / b.
Tensor addcmul(Arg x, const Tensor& a, const Tensor& b, Scalar value = 1);
Tensor addcdiv(Arg x, const Tensor& a, const Tensor& b, Scalar value = 1);

/// add, sub, mul, div and neg as operators.
inline Tensor operator+(Arg a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(Arg a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(Arg a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(Arg a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(Arg x) { return neg(x); }

/// The same with a number, which has the dtype of the tensor unless its kind (bool, integer, floating) is higher.
Tensor operator+(Arg a, Scalar b);
Tensor operator-(Arg a, Scalar b);
Tensor operator*(Arg a, Scalar b);
Tensor operator/(Arg a, Scalar b);
Tensor operator+(Scalar a, Arg b);
Tensor operator-(Scalar a, Arg b);
Tensor operator*(Scalar a, Arg b);
Tensor operator/(Scalar a, Arg b);
Tensor pow(Arg a, Scalar b);
Tensor pow(Scalar a, Arg b);
Tensor maximum(Arg a, Scalar b);
Tensor minimum(Arg a, Scalar b);
/// x limited to [low, high]. The gradient is 1 within the limits, 0 at them and outside.
Tensor clamp(Arg x, Scalar low, Scalar high);

/// These replace the handle, not the elements: `x += y` is `x = x + y`, recorded like any op.
inline Tensor& operator+=(Tensor& a, Arg b) { return a = a + b; }
inline Tensor& operator-=(Tensor& a, Arg b) { return a = a - b; }
inline Tensor& operator*=(Tensor& a, Arg b) { return a = a * b; }
inline Tensor& operator/=(Tensor& a, Arg b) { return a = a / b; }
inline Tensor& operator+=(Tensor& a, ScalarArg b) { return a = a + Scalar(b); }
inline Tensor& operator-=(Tensor& a, ScalarArg b) { return a = a - Scalar(b); }
inline Tensor& operator*=(Tensor& a, ScalarArg b) { return a = a * Scalar(b); }
inline Tensor& operator/=(Tensor& a, ScalarArg b) { return a = a / Scalar(b); }

}  // namespace eigengrad
