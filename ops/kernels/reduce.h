// Reductions. A Reducer is a struct with the types In, Acc, Out and the functions term(In), what an element counts for,
// join(total, x), which changes the total and takes vectors too, identity(), which joined changes nothing, and
// finish(Acc). kLooksForBest says that joining keeps one of the two: then it is no matter how often an element is
// joined.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "eigengrad/core/parallel.h"
#include "eigengrad/core/tensor.h"
#include "eigengrad/ops/kernels/lanes.h"

namespace eigengrad::kernels {

/// What a reduction makes of a shape.
struct ReductionShape {
  std::int64_t reduced = 1;  // the product of the reduced extents
  Shape kept;                // with the reduced axes as 1
  Shape dropped;             // without them
  SmallVector<bool, 8> is_reduced;
};

/// Throws IndexError naming `op` for axes out of range or named twice. No axes mean all.
ReductionShape reduction_shape(const char* op, const Shape& shape, const Dims& axes);

/// The same with the elements as [outer, reduced, inner], row-major: those of the tensor, if they lie so in memory,
/// whatever the order of the axes, or of a copy in which the reduced axes come last.
struct ReductionView : ReductionShape {
  std::int64_t outer = 1, inner = 1;
  Tensor x;
};
ReductionView reduction_view(const char* op, const Tensor& x, const Dims& axes);

/// What reducers have in common whose terms are added up.
template <class Sum>
struct AddingUp {
  using Acc = Sum;
  static constexpr bool kLooksForBest = false;
  static Acc identity() { return 0; }
  template <class A>
  static void join(A& sum, const A& x) {
    sum += x;
  }
};

namespace detail {

// Elements that one thread takes at once, and beyond which one sum is cut into several: fixed, so that the order of
// additions does not depend on the number of threads.
inline constexpr std::int64_t kSegment = 1 << 16;
inline constexpr std::int64_t kTile = 256;

template <class R>
typename R::Acc fold_run(const typename R::In* x, std::int64_t n) {
  const auto join = [](auto& total, const auto& other) { R::join(total, other); };
  if constexpr (std::is_same_v<typename R::Acc, bool>) {  // of which there are no vectors
    bool total = R::identity();
    for (std::int64_t k = 0; k < n; ++k) join(total, R::term(x[k]));
    return total;
  } else if constexpr (R::kLooksForBest) {
    return best_in_lanes(x, n, R::identity(), join);
  } else {
    return fold_in_lanes(n, R::identity(), join, [=](std::int64_t k) { return R::term(x[k]); });
  }
}

// Folds the rows [first, last) of a [reduced, inner] block into one row.
template <class R>
void fold_rows(const typename R::In* x, std::int64_t first, std::int64_t last, std::int64_t inner,
               typename R::Acc* out) {
  if (inner == 1) {
    *out = fold_run<R>(x + first, last - first);
    return;
  }
  for (std::int64_t start = 0; start < inner; start += kTile) {
    const std::int64_t width = std::min(kTile, inner - start);
    typename R::Acc tile[kTile];
    std::fill_n(tile, width, R::identity());
    for (std::int64_t row = first; row < last; ++row) {
      const typename R::In* in = x + row * inner + start;
#pragma omp simd
      for (std::int64_t i = 0; i < width; ++i) R::join(tile[i], R::term(in[i]));
    }
    std::copy_n(tile, width, out + start);
  }
}

}  // namespace detail

template <class R>
void reduce(const ReductionView& view, typename R::Out* out) {
  using Acc = typename R::Acc;
  const auto* x = view.x.raw<const typename R::In>();
  const std::int64_t results = view.outer * view.inner;
  if (results == 0) return;
  const std::int64_t segment_rows = std::max<std::int64_t>(1, detail::kSegment / view.inner);
  const std::int64_t segments = std::max<std::int64_t>(1, (view.reduced + segment_rows - 1) / segment_rows);
  constexpr std::int64_t kFew = 32;  // for which no memory is taken
  Acc few[kFew];
  std::unique_ptr<Acc[]> many;
  if (results * segments > kFew)
    many = std::make_unique_for_overwrite<Acc[]>(static_cast<std::size_t>(results * segments));
  Acc* const partial = many ? many.get() : few;
  const std::int64_t cost = std::max<std::int64_t>(1, std::min(segment_rows, view.reduced) * view.inner);
  parallel_evenly(view.outer * segments, std::max<std::int64_t>(1, detail::kSegment / cost),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t first = i % segments * segment_rows;
                      const std::int64_t last = std::min(view.reduced, first + segment_rows);
                      detail::fold_rows<R>(x + i / segments * view.reduced * view.inner, first, last, view.inner,
                                           partial + i * view.inner);
                    }
                  });
  for (std::int64_t o = 0; o < view.outer; ++o)
    for (std::int64_t k = 0; k < view.inner; ++k) {
      const Acc* parts = partial + o * segments * view.inner + k;
      Acc total = parts[0];
      for (std::int64_t s = 1; s < segments; ++s) R::join(total, parts[s * view.inner]);
      out[o * view.inner + k] = R::finish(total);
    }
}

}  // namespace eigengrad::kernels
