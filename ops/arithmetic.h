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
