#include "eigengrad/ops/reduce.h"

#include <cmath>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/axis.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/reduce.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::check_floating;
using kernels::ReductionView;

// Floats add up in double: rounding does not grow with the number of elements.
template <class T>
using Wider = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;

template <class T>
struct SumOf : kernels::AddingUp<Wider<T>> {
  using In = T;
  using Out = Total<T>;
  static Wider<T> term(T x) { return static_cast<Wider<T>>(x); }
  static Out finish(Wider<T> sum) { return static_cast<Out>(sum); }
};

template <class T>
struct ProductOf : SumOf<T> {
  static Wider<T> identity() { return 1; }
  template <class A>
  static void join(A& product, const A& x) {
    product *= x;
  }
};

template <class T>
constexpr T lowest() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}
template <class T>
constexpr T highest() {
  return std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
}

// A NaN, once met, stays.
template <class T>
struct MaximumOf {
  using In = T;
  using Acc = T;
  using Out = T;
  static constexpr bool kLooksForBest = true;
  static T identity() { return lowest<T>(); }
  static T term(T x) { return x; }
  template <class V>
  static void join(V& best, const V& x) {
    best = (x > best) | (x != x) ? x : best;
  }
  static T finish(T best) { return best; }
};

template <class T>
struct MinimumOf : MaximumOf<T> {
  static T identity() { return highest<T>(); }
  template <class V>
  static void join(V& best, const V& x) {
    best = (x < best) | (x != x) ? x : best;
  }
};

// The norms with p = 1 and 2. In double no square is infinite that its root would bring back.
template <class T>
struct LengthOf : kernels::AddingUp<double> {
  using In = T;
  using Out = T;
  static double term(T x) { return std::abs(static_cast<double>(x)); }
  static T finish(double sum) { return static_cast<T>(sum); }
};
template <class T>
struct EuclideanLengthOf : LengthOf<T> {
  static double term(T x) { return static_cast<double>(x) * static_cast<double>(x); }
  static T finish(double sum) { return static_cast<T>(std::sqrt(sum)); }
};

// Whether there is one that is not 0.
template <class T>
struct AnyOf : kernels::AddingUp<std::uint64_t> {
  using In = T;
  using Out = bool;
  static std::uint64_t term(T x) { return x != T(0); }
  static bool finish(std::uint64_t found) { return found != 0; }
};

// Whether there is none that is 0.
template <class T>
struct AllOf : AnyOf<T> {
  static std::uint64_t term(T x) { return x == T(0); }
  static bool finish(std::uint64_t found) { return found == 0; }
};

// The axes of a reduction, and the ways between the shapes of its input and its result.
struct Axes {
  Dims axes;
  bool keepdim;
  Attributes attributes() const {
    return {{"axes", axes.empty() ? "all" : to_string(axes)}, {"keepdim", keepdim ? "true" : "false"}};
  }
  const Shape& result_shape(const ReductionView& view) const { return keepdim ? view.kept : view.dropped; }
  // A result, or its gradient, with the reduced axes as 1.
  Tensor kept(const Tensor& g, const Shape& input) const {
    if (keepdim) return g;
    Shape shape = input;
    if (axes.empty()) shape = Shape(input.size(), 1);
    for (const std::int64_t axis : axes)
      if (!input.empty()) shape[static_cast<std::size_t>(axis < 0 ? axis + input.rank() : axis)] = 1;
    return reshape(g, shape);
  }
  template <template <class> class Reducer>
  Tensor reduce(const char* op, const Tensor& x) const {
    const ReductionView view = kernels::reduction_view(op, x, axes);
    Tensor out;
    dispatch(x.dtype(), [&]<class T>() {
      using Out = typename Reducer<T>::Out;
      out = empty(result_shape(view), dtype_of<Out>);
      kernels::reduce<Reducer<T>>(view, out.raw<Out>());
    });
    return out;
  }
};

struct Sum : Axes {
  static constexpr const char* kName = "sum";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const { return reduce<SumOf>(kName, x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const { return {expand(kept(g, s.shape(0)), s.shape(0))}; }
};

struct Prod : Axes {
  static constexpr const char* kName = "prod";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  Tensor forward(TensorRefs x) const { return reduce<ProductOf>(kName, x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    if (any(x == 0).item<bool>()) return {kept(g, x.shape()) * product_of_others(x)};
    return {kept(g * s.y(), x.shape()) / x};
  }

 private:
  // The product of the other elements without a division: each in turn is replaced by 1. Quadratic, for tensors with
  // zeros.
  Tensor product_of_others(const Tensor& x) const {
    Dims order, all_axes = axes;
    if (axes.empty())
      for (std::int64_t i = 0; i < x.dim(); ++i) all_axes.push_back(i);
    for (std::int64_t& axis : all_axes) axis = normalize_axis(kName, axis, x.dim());
    if (x.dim() == 0) return ones_like(x);
    for (std::int64_t i = 0; i < x.dim(); ++i)
      if (std::find(all_axes.begin(), all_axes.end(), i) == all_axes.end()) order.push_back(i);
    const std::int64_t first_reduced = order.rank();
    for (const std::int64_t axis : all_axes) order.push_back(axis);
    const Dims inverse = inverse_permutation(order);

    const Tensor moved = permute(x, order);
    const Tensor rows = flatten(moved, first_reduced, -1);
    const std::int64_t n = rows.size(-1);
    const Tensor diagonal = eye(n) == 1;
    const Tensor others = prod(masked_fill(expand(unsqueeze(rows, -2),
                                                  [&] {
                                                    Shape shape = rows.shape();
                                                    shape.insert(shape.size() - 1, n);
                                                    return shape;
                                                  }()),
                                           diagonal, 1),
                               {-1});
    return permute(reshape(others, moved.shape()), inverse);
  }
};

// Equal extremes share the gradient.
Tensor share_among(const Axes& axes, const Tensor& x, const Tensor& y, const Tensor& g) {
  const Tensor chosen = to(x == axes.kept(y, x.shape()), x.dtype());
  return axes.kept(g, x.shape()) * (chosen / sum(chosen, axes.axes, true));
}

// Throws for axes that x has not.
kernels::ReductionShape checked_reduction(const char* op, const Tensor& x, const Dims& axes) {
  kernels::check_defined(op, x);
  return kernels::reduction_shape(op, x.shape(), axes);
}

void check_has_elements(const char* op, const Tensor& x, const Dims& axes) {
  EG_CHECK(checked_reduction(op, x, axes).reduced > 0, ShapeError,
           "[{}] of nothing: shape {} has no elements along axes {}", op, x.shape(), axes);
}

struct Amax : Axes {
  static constexpr const char* kName = "amax";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  Tensor forward(TensorRefs x) const { return reduce<MaximumOf>(kName, x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const { return {share_among(*this, s.x(0), s.y().detach(), g)}; }
};

struct Amin : Axes {
  static constexpr const char* kName = "amin";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  Tensor forward(TensorRefs x) const { return reduce<MinimumOf>(kName, x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const { return {share_among(*this, s.x(0), s.y().detach(), g)}; }
};

struct Any : Axes {
  static constexpr const char* kName = "any";
  Tensor forward(TensorRefs x) const { return reduce<AnyOf>(kName, x[0]); }
};

struct All : Axes {
  static constexpr const char* kName = "all";
  Tensor forward(TensorRefs x) const { return reduce<AllOf>(kName, x[0]); }
};

// Where f first holds, which it does somewhere.
template <class T, class F>
std::int64_t first_place(const T* x, std::int64_t n, F f) {
  constexpr std::int64_t kAtOnce = 256;
  for (std::int64_t start = 0;; start += kAtOnce) {
    const std::int64_t end = std::min(n, start + kAtOnce);
    int holds = 0;
#pragma omp simd reduction(| : holds)
    for (std::int64_t i = start; i < end; ++i) holds |= f(x[i]);
    if (holds || end == n) return std::find_if(x + start, x + end, f) - x;
  }
}

// The first place of an extreme element, or of a NaN.
template <class T>
std::int64_t position_of_extreme(const T* x, std::int64_t n, std::int64_t stride, bool largest) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr std::int64_t kMany = 64;  // for which it pays to look for the element first, and then for its place
    if (stride == 1 && n >= kMany) {
      using kernels::best_in_lanes;
      const T best = largest ? best_in_lanes(x, n, x[0], [](auto& a, const auto& b) { MaximumOf<T>::join(a, b); })
                             : best_in_lanes(x, n, x[0], [](auto& a, const auto& b) { MinimumOf<T>::join(a, b); });
      return first_place(x, n, [=](T here) { return (here == best) | ((best != best) & (here != here)); });
    }
  }
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const T here = x[i * stride], there = x[best * stride];
    if (there != there) break;
    if (here != here || (largest ? here > there : here < there)) best = i;
  }
  return best;
}

Tensor arg_extreme(const char* op, const Tensor& x, std::int64_t axis, bool keepdim, bool largest) {
  const ReductionView view = kernels::reduction_view(op, x, {axis});
  const Tensor out = empty(keepdim ? view.kept : view.dropped, kInt64);
  dispatch(x.dtype(), [&]<class T>() {
    const auto* in = view.x.raw<const T>();
    parallel_evenly(view.outer * view.inner, kernels::grain_for(view.reduced),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t i = begin; i < end; ++i) {
                        const std::int64_t first = i / view.inner * view.reduced * view.inner + i % view.inner;
                        out.raw<std::int64_t>()[i] = position_of_extreme(in + first, view.reduced, view.inner, largest);
                      }
                    });
  });
  return out;
}

struct ArgMax {
  static constexpr const char* kName = "argmax";
  std::int64_t axis;
  bool keepdim;
  Tensor forward(TensorRefs x) const { return arg_extreme(kName, x[0], axis, keepdim, true); }
};

struct ArgMin {
  static constexpr const char* kName = "argmin";
  std::int64_t axis;
  bool keepdim;
  Tensor forward(TensorRefs x) const { return arg_extreme(kName, x[0], axis, keepdim, false); }
};

// The p-norm for finite p > 0, with the derivative sign(x)·(|x| / norm)^(p - 1).
struct Norm : Axes {
  static constexpr const char* kName = "norm";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  double p;
  Attributes attributes() const {
    Attributes all = Axes::attributes();
    all.emplace_back("p", fmt::format("{}", p));
    return all;
  }
  Tensor forward(TensorRefs x) const {
    if (p == 1) return reduce<LengthOf>(kName, x[0]);
    if (p == 2) return reduce<EuclideanLengthOf>(kName, x[0]);
    return pow(sum(pow(abs(x[0]), p), axes, keepdim), 1 / p);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    const Tensor start = kept(g, x.shape());
    if (p == 1) return {start * sign(x)};
    // Where the norm is 0, so are all elements: any divisor but 0 does.
    const Tensor n = kept(s.y(), x.shape());
    const Tensor divisor = where(n == 0, 1, n);
    if (p == 2) return {start * (x / divisor)};
    const Tensor ratio = abs(x) / divisor;
    return {start * (sign(x) * pow(p < 1 ? where(x == 0, 1, ratio) : ratio, p - 1))};
  }
};

}  // namespace

Tensor sum(Arg x, const Dims& axes, bool keepdim) { return apply(Sum{{axes, keepdim}}, x); }
Tensor prod(Arg x, const Dims& axes, bool keepdim) { return apply(Prod{{axes, keepdim}}, x); }
Tensor any(Arg x, const Dims& axes, bool keepdim) { return apply(Any{{axes, keepdim}}, x); }
Tensor all(Arg x, const Dims& axes, bool keepdim) { return apply(All{{axes, keepdim}}, x); }

Tensor mean(Arg x, const Dims& axes, bool keepdim) {
  check_floating("mean", x);
  check_has_elements("mean", x, axes);
  const Tensor total = sum(x, axes, keepdim);
  // A division, not a product with 1 / n: the mean of equal numbers is that number.
  return total / (static_cast<double>(x->numel()) / static_cast<double>(std::max<std::int64_t>(1, total.numel())));
}

Tensor var(Arg x, const Dims& axes, double correction, bool keepdim) {
  check_floating("var", x);
  const std::int64_t count = kernels::reduction_shape("var", x->shape(), axes).reduced;
  const Tensor centered = x - sum(x, axes, true) / static_cast<double>(count);
  const double divisor = std::max(0.0, static_cast<double>(count) - correction);
  return sum(square(centered), axes, keepdim) / divisor;
}

Tensor std(Arg x, const Dims& axes, double correction, bool keepdim) {
  check_floating("std", x);
  checked_reduction("std", x, axes);
  return sqrt(var(x, axes, correction, keepdim));
}

Tensor amax(Arg x, const Dims& axes, bool keepdim) {
  check_has_elements("amax", x, axes);
  return apply(Amax{{axes, keepdim}}, x);
}

Tensor amin(Arg x, const Dims& axes, bool keepdim) {
  check_has_elements("amin", x, axes);
  return apply(Amin{{axes, keepdim}}, x);
}

Tensor max(Arg x) {
  check_has_elements("max", x, {});
  return amax(x);
}

Tensor min(Arg x) {
  check_has_elements("min", x, {});
  return amin(x);
}

Tensor logsumexp(Arg x, const Dims& axes, bool keepdim) {
  check_floating("logsumexp", x);
  check_has_elements("logsumexp", x, axes);
  const Tensor highest_kept = amax(x->detach(), axes, true);
  // An infinite maximum is left alone: inf - inf would be NaN.
  const Tensor shift = where(isfinite(highest_kept), highest_kept, 0);
  const Tensor result = log(sum(exp(x - shift), axes, true)) + shift;
  return keepdim ? result : reshape(result, kernels::reduction_shape("logsumexp", x->shape(), axes).dropped);
}

Tensor norm(Arg x, double p, const Dims& axes, bool keepdim) {
  check_floating("norm", x);
  checked_reduction("norm", x, axes);
  EG_CHECK(p >= 0 || p == -std::numeric_limits<double>::infinity(), ValueError,
           "[norm] p is {}, expected 0 or more, or -infinity", p);
  if (p == 0) return sum(to(x->detach() != 0, x->dtype()), axes, keepdim);
  if (std::isfinite(p)) return apply(Norm{{axes, keepdim}, p}, x);
  check_has_elements("norm", x, axes);
  return p > 0 ? amax(abs(x), axes, keepdim) : amin(abs(x), axes, keepdim);
}

Tensor count_nonzero(Arg x, const Dims& axes) {
  checked_reduction("count_nonzero", x, axes);
  return sum(x->detach() != 0, axes);
}

Tensor argmax(Arg x, std::int64_t axis, bool keepdim) {
  check_has_elements("argmax", x, {axis});
  return apply(ArgMax{axis, keepdim}, x);
}

Tensor argmin(Arg x, std::int64_t axis, bool keepdim) {
  check_has_elements("argmin", x, {axis});
  return apply(ArgMin{axis, keepdim}, x);
}

Tensor sum_to(Arg x, const Shape& shape) {
  kernels::check_defined("sum_to", x);
  if (x->shape() == shape) return x;
  EG_CHECK(broadcasts_to(shape, x->shape()), ShapeError, "[sum_to] shape {} does not broadcast to {}", shape,
           x->shape());
  const std::size_t extra = x->shape().size() - shape.size();
  Dims axes;
  for (std::size_t i = 0; i < x->shape().size(); ++i)
    if (i < extra || (shape[i - extra] == 1 && x->shape()[i] != 1)) axes.push_back(static_cast<std::int64_t>(i));
  return axes.empty() ? reshape(x, shape) : reshape(sum(x, axes, true), shape);
}

}  // namespace eigengrad
