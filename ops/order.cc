#include "eigengrad/ops/order.h"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/axis.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/sort.h"
#include "eigengrad/ops/rearrange.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::AxisView;
using kernels::view_along;

// Calls f(start) for every line along the axis: its elements are at start + k * view.inner.
template <class F>
void for_each_line(const AxisView& view, F f) {
  parallel_evenly(view.outer * view.inner, kernels::grain_for(view.extent), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t line = begin; line < end; ++line)
      f(line / view.inner * view.extent * view.inner + line % view.inner);
  });
}

// out[k] = f(out[k - 1], x[k]) along an axis, from either end. Floats run in double.
template <class F>
Tensor scan(const Tensor& x, std::int64_t axis, bool reverse, double start, F f) {
  const Tensor from = kernels::as_contiguous(x), out = empty(from.shape(), from.dtype());
  const AxisView view = view_along(from.shape(), axis);
  dispatch_number("scan", out.dtype(), [&]<class T>() {
    using Acc = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
    const std::int64_t step = reverse ? -view.inner : view.inner;
    for_each_line(view, [&](std::int64_t first) {
      std::int64_t at = reverse ? first + (view.extent - 1) * view.inner : first;
      Acc running = static_cast<Acc>(start);
      for (std::int64_t k = 0; k < view.extent; ++k, at += step) {
        running = f(running, static_cast<Acc>(from.raw<T>()[at]));
        out.raw<T>()[at] = static_cast<T>(running);
      }
    });
  });
  return out;
}

// Running sums from the front, or from the back: each is the adjoint of the other.
struct CumSum {
  static constexpr const char* kName = "cumsum";
  static constexpr SaveMask kSaves = kNothing;
  std::int64_t axis;
  bool reverse;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}, {"reverse", reverse ? "true" : "false"}}; }
  Tensor forward(TensorRefs x) const {
    return scan(x[0], axis, reverse, 0, [](auto sum, auto a) { return sum + a; });
  }
  Grads backward(const Saved&, const Tensor& g) const { return {apply(CumSum{axis, !reverse}, g)}; }
};

struct CumProd {
  static constexpr const char* kName = "cumprod";
  static constexpr SaveMask kSaves = input(0) | kOutput;
  std::int64_t axis;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    return scan(x[0], axis, false, 1, [](auto product, auto a) { return product * a; });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    if (x.dim() == 0) return {g};
    if (any(x == 0).item<bool>()) return {through_products_of_others(x, g)};
    return {apply(CumSum{axis, true}, g * s.y()) / x};
  }

 private:
  // Without a division, for lines with zeros: ∂y[k]/∂x[i] is the running product to k with x[i] replaced by 1, for
  // i ≤ k. Quadratic.
  Tensor through_products_of_others(const Tensor& x, const Tensor& g) const {
    const std::int64_t n = x.size(axis);
    const Tensor lines = movedim(x, axis, -1);
    Shape square = lines.shape();
    square.insert(square.size() - 1, n);
    const Tensor diagonal = eye(n) == 1;  // [i, k]
    const Tensor others = cumprod(masked_fill(expand(unsqueeze(lines, -2), square), diagonal, 1), -1);
    const Tensor reached = triu(others * unsqueeze(movedim(g, axis, -1), -2));
    return movedim(sum(reached, {-1}), -1, axis);
  }
};

Tensor as_summand(const Tensor& x) { return x.dtype() == kBool ? to(x, kInt64) : x; }

// The elements of a line with their places, of which the first `count` are in order. NaN is the largest; equal elements
// keep their order.
template <class T>
auto sorted(const T* line, const AxisView& view, bool descending, std::int64_t count) {
  using Key = decltype(kernels::sort_key(T()));
  std::vector<kernels::Keyed<Key>> items(static_cast<std::size_t>(view.extent));
  for (std::int64_t i = 0; i < view.extent; ++i) {
    const Key key = kernels::sort_key(line[i * view.inner]);
    items[static_cast<std::size_t>(i)] = {descending ? static_cast<Key>(~key) : key, i};
  }
  kernels::sort_first(items, count);
  return items;
}

struct ArgSort {
  static constexpr const char* kName = "argsort";
  std::int64_t axis;
  bool descending;
  std::int64_t count;  // how many of them, from the front
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    const Tensor from = kernels::as_contiguous(x[0]);
    const AxisView view = view_along(from.shape(), axis);
    Shape shape = from.shape();
    if (!shape.empty()) shape[static_cast<std::size_t>(axis)] = count;
    const Tensor out = empty(shape, kInt64);
    dispatch(from.dtype(), [&]<class T>() {
      for_each_line(view, [&](std::int64_t first) {
        const auto order = sorted(from.raw<T>() + first, view, descending, count);
        const std::int64_t block = view.extent * view.inner;
        std::int64_t* to = out.raw<std::int64_t>() + first / block * count * view.inner + first % block;
        for (std::int64_t k = 0; k < count; ++k) to[k * view.inner] = order[static_cast<std::size_t>(k)].place;
      });
    });
    return out;
  }
};

std::int64_t extent_of(const Tensor& x, std::int64_t axis) { return x.dim() == 0 ? 1 : x.size(axis); }

// The elements at places along an axis: the indices have the axis.
ValuesIndices picked(const Tensor& x, std::int64_t axis, const Tensor& indices, bool keepdim = true) {
  const Tensor values = gather(x, axis, indices);
  if (keepdim || x.dim() == 0) return {values, indices};
  return {squeeze(values, axis), squeeze(indices, axis)};
}

}  // namespace

Tensor cumsum(Arg x, std::int64_t axis) {
  const std::int64_t along = kernels::checked_axis("cumsum", x, axis);
  return apply(CumSum{along, false}, as_summand(x));
}

Tensor cumprod(Arg x, std::int64_t axis) {
  const std::int64_t along = kernels::checked_axis("cumprod", x, axis);
  return apply(CumProd{along}, as_summand(x));
}

Tensor argsort(Arg x, std::int64_t axis, bool descending) {
  const std::int64_t along = kernels::checked_axis("argsort", x, axis);
  return apply(ArgSort{along, descending, extent_of(x, along)}, x);
}

ValuesIndices sort(Arg x, std::int64_t axis, bool descending) {
  const std::int64_t along = kernels::checked_axis("sort", x, axis);
  return picked(x, along, argsort(x, along, descending));
}

ValuesIndices topk(Arg x, std::int64_t k, std::int64_t axis, bool largest) {
  const std::int64_t along = kernels::checked_axis("topk", x, axis);
  EG_CHECK(k >= 0 && k <= extent_of(x, along), ValueError, "[topk] there are {} elements along axis {}, found k = {}",
           extent_of(x, along), axis, k);
  EG_CHECK(x->dim() > 0 || k == 1, ValueError, "[topk] a scalar tensor has one element, found k = {}", k);
  return picked(x, along, apply(ArgSort{along, largest, k}, x));
}

ValuesIndices kthvalue(Arg x, std::int64_t k, std::int64_t axis, bool keepdim) {
  const std::int64_t along = kernels::checked_axis("kthvalue", x, axis);
  EG_CHECK(k >= 1 && k <= extent_of(x, along), ValueError,
           "[kthvalue] there are {} elements along axis {}, found k = {}, counted from 1", extent_of(x, along), axis,
           k);
  const Tensor first = apply(ArgSort{along, false, k}, x);
  return picked(x, along, x->dim() == 0 ? first : narrow(first, along, k - 1, 1), keepdim);
}

ValuesIndices median(Arg x, std::int64_t axis, bool keepdim) {
  const std::int64_t along = kernels::checked_axis("median", x, axis);
  const std::int64_t extent = extent_of(x, along);
  EG_CHECK(extent > 0, ShapeError, "[median] of nothing: shape {} has no elements along axis {}", x->shape(), axis);
  const ValuesIndices middle = kthvalue(x, (extent + 1) / 2, along, true);
  // Where a NaN is, it is the last of the sorted.
  const Tensor last = argmax(x, along, true);
  const Tensor indices = where(isnan(gather(x->detach(), along, last)), last, middle.indices);
  return picked(x, along, indices, keepdim);
}

ValuesIndices max(Arg x, std::int64_t axis, bool keepdim) {
  const std::int64_t along = kernels::checked_axis("max", x, axis);
  EG_CHECK(extent_of(x, along) > 0, ShapeError, "[max] of nothing: shape {} has no elements along axis {}", x->shape(),
           axis);
  return picked(x, along, argmax(x, along, true), keepdim);
}

ValuesIndices min(Arg x, std::int64_t axis, bool keepdim) {
  const std::int64_t along = kernels::checked_axis("min", x, axis);
  EG_CHECK(extent_of(x, along) > 0, ShapeError, "[min] of nothing: shape {} has no elements along axis {}", x->shape(),
           axis);
  return picked(x, along, argmin(x, along, true), keepdim);
}

}  // namespace eigengrad
