// Arithmetic on broadcast operands. Types promote as result_type() says.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// a + b. For bool: or.
Tensor add(const Tensor& a, const Tensor& b);
/// a - b. Throws DtypeError for two bools.
Tensor sub(const Tensor& a, const Tensor& b);
/// a · b. For bool: and.
Tensor mul(const Tensor& a, const Tensor& b);
/// a / b, true division: integers give float32.
Tensor div(const Tensor& a, const Tensor& b);
/// ⌊a / b⌋, not differentiable. Throws ValueError for an integer divided by zero.
Tensor floor_divide(const Tensor& a, const Tensor& b);
/// a - b⌊a / b⌋, with the sign of b; the gradient of b is -⌊a / b⌋. Throws ValueError for an integer modulo zero.
Tensor remainder(const Tensor& a, const Tensor& b);
/// a to the power b. The gradient of b is 0 where a is 0.
Tensor pow(const Tensor& a, const Tensor& b);
/// The larger, or smaller; NaN if either is. Where they are equal each gets half of the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
Tensor neg(const Tensor& x);
/// a - b·trunc(a / b), with the sign of a; the gradient of b is -trunc(a / b). Throws ValueError for an integer modulo
/// zero.
Tensor fmod(const Tensor& a, const Tensor& b);
/// The angle of the point (x, y), in (-π, π]. Floating.
Tensor atan2(const Tensor& y, const Tensor& x);
/// √(a² + b²), without overflow. Floating. The gradient at the origin is 0.
Tensor hypot(const Tensor& a, const Tensor& b);
/// log(e^a + e^b), without overflow. Floating.
Tensor logaddexp(const Tensor& a, const Tensor& b);
/// a·log(b), and 0 where a is 0, whatever b. Floating.
Tensor xlogy(const Tensor& a, const Tensor& b);
/// start + weight·(end - start). Floating; all three broadcast.
Tensor lerp(const Tensor& start, const Tensor& end, const Tensor& weight);
Tensor lerp(const Tensor& start, const Tensor& end, double weight);
/// x + value·a·b, x + value·a / b.
Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);
Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

Tensor operator+(const Tensor& a, Scalar b);
Tensor operator-(const Tensor& a, Scalar b);
Tensor operator*(const Tensor& a, Scalar b);
Tensor operator/(const Tensor& a, Scalar b);
Tensor operator+(Scalar a, const Tensor& b);
Tensor operator-(Scalar a, const Tensor& b);
Tensor operator*(Scalar a, const Tensor& b);
Tensor operator/(Scalar a, const Tensor& b);
Tensor pow(const Tensor& a, Scalar b);
Tensor pow(Scalar a, const Tensor& b);
Tensor maximum(const Tensor& a, Scalar b);
Tensor minimum(const Tensor& a, Scalar b);
/// x limited to [low, high]. The gradient is 1 within and at the limits, 0 outside.
Tensor clamp(const Tensor& x, Scalar low, Scalar high);

/// These replace the handle, not the elements: `x += y` is `x = x + y`, recorded like any op.
inline Tensor& operator+=(Tensor& a, const Tensor& b) { return a = a + b; }
inline Tensor& operator-=(Tensor& a, const Tensor& b) { return a = a - b; }
inline Tensor& operator*=(Tensor& a, const Tensor& b) { return a = a * b; }
inline Tensor& operator/=(Tensor& a, const Tensor& b) { return a = a / b; }
inline Tensor& operator+=(Tensor& a, Scalar b) { return a = a + b; }
inline Tensor& operator-=(Tensor& a, Scalar b) { return a = a - b; }
inline Tensor& operator*=(Tensor& a, Scalar b) { return a = a * b; }
inline Tensor& operator/=(Tensor& a, Scalar b) { return a = a / b; }

}  // namespace eigengrad
