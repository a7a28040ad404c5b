#include "eigengrad/ops/decomposition.h"

#include <algorithm>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/decomposition.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/rearrange.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

void check_matrices(const char* op, const Tensor& x) {
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[{}] expected a float32 or float64 tensor, found {}", op, x.dtype());
  EG_CHECK(x.dim() >= 2, ShapeError, "[{}] expected matrices, found shape {}", op, x.shape());
}

void check_square(const char* op, const Tensor& x) {
  check_matrices(op, x);
  EG_CHECK(x.size(-2) == x.size(-1), ShapeError, "[{}] expected square matrices, found shape {}", op, x.shape());
}

// That b [.., N, K] stands beside the square matrices a [.., N, N].
void check_system(const char* op, const Tensor& a, const Tensor& b) {
  EG_CHECK(a.dtype() == b.dtype(), DtypeError, "[{}] the right side is {}, expected the {} of the matrices", op,
           b.dtype(), a.dtype());
  EG_CHECK(b.dim() >= 2 && b.size(-2) == a.size(-1), ShapeError,
           "[{}] matrices {} expect a right side of {} rows, found shape {}", op, a.shape(), a.size(-1), b.shape());
}

Shape batch_of(const Tensor& x) { return Shape(x.shape().begin(), x.shape().end() - 2); }

Tensor expanded(const Tensor& x, Shape batch) {
  batch.push_back(x.size(-2));
  batch.push_back(x.size(-1));
  return expand(x, batch);
}

// Numbers [..] as matrices [.., 1, 1].
Tensor as_matrices(const Tensor& x) { return unsqueeze(unsqueeze(x, -1), -1); }

// x·diag(s), diag(s)·x.
Tensor scale_columns(const Tensor& x, const Tensor& s) { return x * unsqueeze(s, -2); }
Tensor scale_rows(const Tensor& x, const Tensor& s) { return x * unsqueeze(s, -1); }

Tensor skew(const Tensor& x) { return x - transpose(x); }

Tensor triangle(const Tensor& x, bool upper, bool unitriangular) {
  return upper ? triu(x, unitriangular ? 1 : 0) : tril(x, unitriangular ? -1 : 0);
}

// Element [i, j] is s[j] - s[i]: a divisor for matrices of zero diagonal, whose own diagonal is therefore 1.
Tensor differences(const Tensor& s) { return unsqueeze(s, -2) - unsqueeze(s, -1) + eye(s.size(-1), s.dtype()); }

// The lower triangle. With φ(x) = tril(x), its diagonal halved: ∂a = sym(l⁻ᵀ·φ(lᵀ·g)·l⁻¹), Murray 2016.
struct Cholesky {
  static constexpr const char* kName = "cholesky";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const { return kernels::cholesky(kName, x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor l = s.y(), phi = tril(matmul(transpose(l), g));
    const Tensor middle = 0.5 * (phi + transpose(tril(phi, -1)));
    const Tensor left = solve_triangular(transpose(l), middle, true);
    return {solve_triangular(l, left, false, false)};
  }
};

// a·x = b: ∂b = a⁻ᵀ·g, ∂a = -∂b·xᵀ.
struct Solve {
  static constexpr const char* kName = "solve";
  static constexpr SaveMask kSaves[] = {input(0) | kOutput, input(0)};
  Tensor forward(TensorRefs x) const {
    const Shape batch = broadcast_shapes(kName, batch_of(x[0]), batch_of(x[1]));
    return kernels::solve(kName, expanded(x[0], batch), expanded(x[1], batch));
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor gb = solve(transpose(s.x(0)), g);
    return {s.needs(0) ? -matmul(gb, transpose(s.y())) : Tensor(), gb};
  }
};

// The same, of the triangle alone.
struct SolveTriangular {
  static constexpr const char* kName = "solve_triangular";
  static constexpr SaveMask kSaves[] = {input(0) | kOutput, input(0)};
  bool upper, unitriangular;
  Attributes attributes() const {
    return {{"upper", upper ? "true" : "false"}, {"unitriangular", unitriangular ? "true" : "false"}};
  }
  Tensor forward(TensorRefs x) const {
    const Shape batch = broadcast_shapes(kName, batch_of(x[0]), batch_of(x[1]));
    return kernels::solve_triangular(kName, expanded(x[0], batch), expanded(x[1], batch), upper, unitriangular);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor gb = solve_triangular(transpose(s.x(0)), g, !upper, true, unitriangular);
    if (!s.needs(0)) return {Tensor(), gb};
    return {-triangle(matmul(gb, transpose(s.y())), upper, unitriangular), gb};
  }
};

// ∂x = -y⁻ᵀ·g·y⁻ᵀ of the inverse y.
struct Inverse {
  static constexpr const char* kName = "inverse";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return kernels::solve(kName, x[0], expanded(eye(x[0].size(-1), x[0].dtype()), batch_of(x[0])));
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = transpose(s.y());
    return {-matmul(matmul(y, g), y)};
  }
};

// With p the pseudo-inverse: ∂x = -pᵀ·g·pᵀ + (1 - x·p)·gᵀ·p·pᵀ + pᵀ·p·gᵀ·(1 - p·x), the adjoint of formula 4.12 of
// Golub and Pereyra 1973.
struct Pinv {
  static constexpr const char* kName = "pinv";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  double rtol;
  Attributes attributes() const { return {{"rtol", fmt::format("{}", rtol)}}; }
  Tensor forward(TensorRefs x) const {
    const Tensors parts = kernels::svd(kName, x[0]);
    const Tensor &u = parts[0], &s = parts[1], &vh = parts[2];
    if (s.numel() == 0) return zeros(transpose(x[0]).shape(), x[0].dtype());
    const Tensor counts = s > rtol * narrow(s, -1, 0, 1);
    return matmul(scale_columns(transpose(vh), where(counts, 1 / s, 0)), transpose(u));
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor &x = s.x(0), p = s.y(), pt = transpose(p), gt = transpose(g);
    const Tensor right = matmul(gt, matmul(p, pt)), left = matmul(matmul(pt, p), gt);
    return {-matmul(pt, matmul(g, pt)) + right - matmul(x, matmul(p, right)) + left - matmul(matmul(left, p), x)};
  }
};

// The products of all other singular values, without a division.
Tensor products_of_others(const Tensor& s) {
  const std::int64_t n = s.size(-1);
  Shape square = s.shape();
  square.push_back(n);
  return prod(masked_fill(expand(unsqueeze(s, -2), square), eye(n) == 1, 1), {-1});
}

// The derivatives of the determinant of singular matrices: u·diag(products of the other singular values)·vh, with the
// sign of the rotations.
Tensor cofactors_of_singular(const Tensor& x) {
  const auto [u, s, vh] = svd(x);
  const Tensor sign = det(matmul(u, vh).detach());
  return as_matrices(sign) * matmul(scale_columns(u, products_of_others(s)), vh);
}

// The derivatives of the determinant d: d·x⁻ᵀ, where that is defined.
Tensor cofactors(const Tensor& x, const Tensor& d) {
  const Tensor singular = as_matrices(d == 0), n = arange(1, x.size(-1) + 1, 1, x.dtype());
  if (!any(singular).item<bool>()) return as_matrices(d) * transpose(inverse(x));
  // Each formula sees matrices that it likes, also where the other one counts.
  const Tensor regular = as_matrices(d) * transpose(inverse(where(singular, diag(n), x)));
  return where(singular, cofactors_of_singular(where(singular, x, diag(n))), regular);
}

struct Det {
  static constexpr const char* kName = "det";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  Tensor forward(TensorRefs x) const {
    const Tensors lu = kernels::lu_diagonal(x[0]);
    return prod(lu[0], {-1}) * lu[1];
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {as_matrices(g) * cofactors(s.x(0), s.y())}; }
};

// {logabsdet, sign}: ∂x = g·x⁻ᵀ.
struct Slogdet {
  static constexpr const char* kName = "slogdet";
  static constexpr SaveMask kSaves = input(0);
  Tensors forward(TensorRefs x) const {
    const Tensors lu = kernels::lu_diagonal(x[0]);
    return {sum(log(abs(lu[0])), {-1}), prod(sign(lu[0]), {-1}) * lu[1]};
  }
  Grads backward(const Saved& s, TensorRefs g) const {
    return {g[0].defined() ? as_matrices(g[0]) * transpose(inverse(s.x(0))) : Tensor()};
  }
};

// x = u·diag(s)·vh, Townsend 2016. With a = skew(uᵀ·∂u), b = skew(vh·∂vhᵀ) and e the differences of s²:
// ∂x = u·((a·diag(s) + diag(s)·b) / e + diag(∂s))·vh, and for the longer side what ∂u, ∂vh have outside of u, vh.
struct SVD {
  static constexpr const char* kName = "svd";
  static constexpr SaveMask kSaves = kOutput;
  Tensors forward(TensorRefs x) const { return kernels::svd(kName, x[0]); }
  Grads backward(const Saved& saved, TensorRefs g) const {
    const Tensor u = saved.y(0), s = saved.y(1), vh = saved.y(2);
    const Tensor &gu = g[0], &gs = g[1], &gvh = g[2];
    Tensor middle = gs.defined() ? diag_embed(gs) : zeros({s.size(-1), s.size(-1)}, s.dtype());
    if (gu.defined() || gvh.defined()) {
      const Tensor e = differences(s * s);
      if (gu.defined()) middle += scale_columns(skew(matmul(transpose(u), gu)) / e, s);
      if (gvh.defined()) middle += scale_rows(skew(matmul(vh, transpose(gvh))) / e, s);
    }
    Tensor gx = matmul(matmul(u, middle), vh);
    if (gu.defined() && u.size(-2) > u.size(-1)) {
      const Tensor rest = gu / unsqueeze(s, -2);
      gx += matmul(rest - matmul(u, matmul(transpose(u), rest)), vh);
    }
    if (gvh.defined() && vh.size(-1) > vh.size(-2)) {
      const Tensor rest = gvh / unsqueeze(s, -1);
      gx += matmul(u, rest - matmul(matmul(rest, transpose(vh)), vh));
    }
    return {gx};
  }
};

// x = q·r, M ≥ N. With m = triu(∂r·rᵀ - qᵀ·∂q): ∂x = (∂q + q·(m + triu(m, 1)ᵀ))·r⁻ᵀ, Walter and Lehmann 2010.
struct QR {
  static constexpr const char* kName = "qr";
  static constexpr SaveMask kSaves = kOutput;
  Tensors forward(TensorRefs x) const { return kernels::qr(x[0]); }
  Grads backward(const Saved& s, TensorRefs g) const {
    const Tensor q = s.y(0), r = s.y(1);
    Tensor m = zeros({r.size(-1), r.size(-1)}, r.dtype());
    if (g[1].defined()) m += matmul(g[1], transpose(r));
    if (g[0].defined()) m -= matmul(transpose(q), g[0]);
    m = triu(m);
    Tensor gx = matmul(q, m + transpose(triu(m, 1)));
    if (g[0].defined()) gx += g[0];
    return {solve_triangular(transpose(r), gx, false, false)};
  }
};

// x = q·diag(w)·qᵀ: ∂x = q·(diag(∂w) + skew(qᵀ·∂q) / 2e)·qᵀ with e the differences of w, Giles 2008, 3.1.
struct Eigh {
  static constexpr const char* kName = "eigh";
  static constexpr SaveMask kSaves = kOutput;
  Tensors forward(TensorRefs x) const { return kernels::eigh(kName, x[0]); }
  Grads backward(const Saved& s, TensorRefs g) const {
    const Tensor w = s.y(0), q = s.y(1);
    Tensor middle = g[0].defined() ? diag_embed(g[0]) : zeros({w.size(-1), w.size(-1)}, w.dtype());
    if (g[1].defined()) middle += 0.5 * skew(matmul(transpose(q), g[1])) / differences(w);
    return {matmul(matmul(q, middle), transpose(q))};
  }
};

bool is_vector_beside(const Tensor& a, const Tensor& b) {
  return b.dim() == 1 || b.shape() == Shape(a.shape().begin(), a.shape().end() - 1);
}

// The largest of numbers ≥ 0 along the last axis: of none, 0.
Tensor largest(const Tensor& x) { return x.size(-1) == 0 ? sum(x, {-1}) : amax(x, {-1}); }

SVDResult svd_of(const Tensor& x) {
  const Tensors parts = apply(SVD{}, x);
  return {parts[0], parts[1], parts[2]};
}

EighResult eigh_of(const Tensor& x) {
  const Tensors parts = apply(Eigh{}, x);
  return {parts[0], parts[1]};
}

SlogdetResult slogdet_of(const Tensor& x) {
  const Tensors parts = apply(Slogdet{}, x);
  return {parts[1].detach(), parts[0]};
}

}  // namespace

Tensor cholesky(Arg x, bool upper) {
  check_square("cholesky", x);
  return upper ? transpose(apply(Cholesky{}, transpose(x))) : apply(Cholesky{}, x);
}

Tensor solve(Arg a, const Tensor& b) {
  check_square("solve", a);
  if (is_vector_beside(a, b)) return squeeze(solve(a, unsqueeze(b, -1)), -1);
  check_system("solve", a, b);
  return apply(Solve{}, a, b);
}

Tensor solve_triangular(Arg a, const Tensor& b, bool upper, bool left, bool unitriangular) {
  check_square("solve_triangular", a);
  if (!left) return transpose(solve_triangular(transpose(a), transpose(b), !upper, true, unitriangular));
  check_system("solve_triangular", a, b);
  return apply(SolveTriangular{upper, unitriangular}, a, b);
}

Tensor inverse(Arg x) {
  check_square("inverse", x);
  return apply(Inverse{}, x);
}

Tensor pinv(Arg x, std::optional<double> rtol) {
  check_matrices("pinv", x);
  EG_CHECK(!rtol || *rtol >= 0, ValueError, "[pinv] found an rtol of {}, expected 0 or more", *rtol);
  const double epsilon = x->dtype() == kFloat32 ? std::numeric_limits<float>::epsilon() : 0x1p-52;
  return apply(Pinv{rtol.value_or(epsilon * static_cast<double>(std::max(x->size(-2), x->size(-1))))}, x);
}

Tensor det(Arg x) {
  check_square("det", x);
  return apply(Det{}, x);
}

SlogdetResult slogdet(Arg x) {
  check_square("slogdet", x);
  return slogdet_of(x);
}

Tensor logdet(Arg x) {
  check_square("logdet", x);
  const auto [sign, logabsdet] = slogdet_of(x);
  return logabsdet + log(sign);  // 0, NaN or -∞
}

Tensor trace(Arg x) {
  EG_CHECK(x->dim() >= 2, ShapeError, "[trace] expected matrices, found shape {}", x->shape());
  return sum(diagonal(x), {-1});
}

SVDResult svd(Arg x) {
  check_matrices("svd", x);
  return svd_of(x);
}

Tensor svdvals(Arg x) {
  check_matrices("svdvals", x);
  return svd_of(x).s;
}

QRResult qr(Arg x) {
  check_matrices("qr", x);
  const std::int64_t rows = x->size(-2), columns = x->size(-1);
  if (rows < columns) {  // the reflections of a wide matrix are those of its first columns
    const auto [q, r] = qr(narrow(x, -1, 0, rows));
    return {q, cat({r, matmul(transpose(q), narrow(x, -1, rows, columns - rows))}, -1)};
  }
  const Tensors parts = apply(QR{}, x);
  return {parts[0], parts[1]};
}

EighResult eigh(Arg x) {
  check_square("eigh", x);
  return eigh_of(x);
}

Tensor eigvalsh(Arg x) {
  check_square("eigvalsh", x);
  return eigh_of(x).values;
}

Tensor matrix_norm(Arg x, MatrixNorm kind) {
  check_matrices("matrix_norm", x);
  switch (kind) {
    case MatrixNorm::Nuclear: return sum(svd_of(x).s, {-1});
    case MatrixNorm::Spectral: return largest(svd_of(x).s);
    case MatrixNorm::One: return largest(sum(abs(x), {-2}));
    case MatrixNorm::Infinity: return largest(sum(abs(x), {-1}));
    case MatrixNorm::Frobenius: break;
  }
  return norm(x, 2, {-2, -1});
}

}  // namespace eigengrad
