// Comparisons, logic and choice. Comparisons give bool and carry no gradient.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// Whether a = b, a ≠ b, a < b, a ≤ b, a > b, a ≥ b, element by element; both broadcast. NaN differs from everything.
Tensor eq(Arg a, const Tensor& b);
Tensor ne(Arg a, const Tensor& b);
Tensor lt(Arg a, const Tensor& b);
Tensor le(Arg a, const Tensor& b);
Tensor gt(Arg a, const Tensor& b);
Tensor ge(Arg a, const Tensor& b);
Tensor eq(Arg a, Scalar b);
Tensor ne(Arg a, Scalar b);
Tensor lt(Arg a, Scalar b);
Tensor le(Arg a, Scalar b);
Tensor gt(Arg a, Scalar b);
Tensor ge(Arg a, Scalar b);

/// The same as operators.
inline Tensor operator==(Arg a, const Tensor& b) { return eq(a, b); }
inline Tensor operator!=(Arg a, const Tensor& b) { return ne(a, b); }
inline Tensor operator<(Arg a, const Tensor& b) { return lt(a, b); }
inline Tensor operator<=(Arg a, const Tensor& b) { return le(a, b); }
inline Tensor operator>(Arg a, const Tensor& b) { return gt(a, b); }
inline Tensor operator>=(Arg a, const Tensor& b) { return ge(a, b); }
inline Tensor operator==(Arg a, Scalar b) { return eq(a, b); }
inline Tensor operator!=(Arg a, Scalar b) { return ne(a, b); }
inline Tensor operator<(Arg a, Scalar b) { return lt(a, b); }
inline Tensor operator<=(Arg a, Scalar b) { return le(a, b); }
inline Tensor operator>(Arg a, Scalar b) { return gt(a, b); }
inline Tensor operator>=(Arg a, Scalar b) { return ge(a, b); }

/// Of bool operands; others count as true where they are not 0.
Tensor logical_and(Arg a, const Tensor& b);
Tensor logical_or(Arg a, const Tensor& b);
Tensor logical_xor(Arg a, const Tensor& b);
Tensor logical_not(Arg x);

/// Whether an element is NaN, is ∞ or -∞, is neither.
Tensor isnan(Arg x);
Tensor isinf(Arg x);
Tensor isfinite(Arg x);

/// a where the condition holds, else b. The condition is bool; all three broadcast. Throws DtypeError, ShapeError.
Tensor where(Arg condition, const Tensor& a, const Tensor& b);
Tensor where(Arg condition, const Tensor& a, Scalar b);
Tensor where(Arg condition, Scalar a, const Tensor& b);
/// x with `value` where the mask holds; the mask broadcasts to x.
Tensor masked_fill(Arg x, const Tensor& mask, Scalar value);

/// Whether shape, dtype and every element are the same (NaN equals nothing).
bool equal(const Tensor& a, const Tensor& b);
/// Whether |a - b| ≤ atol + rtol·|b| everywhere.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);

}  // namespace eigengrad
