#include "eigengrad/ops/kernels/resize.h"

#include <algorithm>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/room.h"

namespace eigengrad::kernels {
namespace {

// Row-major x as [outer, extent of the axis, inner].
struct Around {
  std::int64_t outer = 1, inner = 1;
  Around(const Shape& shape, std::size_t axis) {
    for (std::size_t i = 0; i < shape.size(); ++i)
      if (i != axis) (i < axis ? outer : inner) *= shape[i];
  }
};

Shape with_extent(Shape shape, std::size_t axis, std::int64_t extent) {
  shape[axis] = extent;
  return shape;
}

// The parts of the elements below and above.
template <class T>
struct Parts {
  const std::int64_t count;
  const RoomOf<T> lower, upper;
  explicit Parts(const Between& places)
      : count(static_cast<std::int64_t>(places.parts.size())), lower(count), upper(count) {
    for (std::int64_t i = 0; i < count; ++i) {
      const double part = places.parts[static_cast<std::size_t>(i)];
      lower[i] = static_cast<T>(1 - part);
      upper[i] = static_cast<T>(part);
    }
  }
};

// Calls f(from, to) for the outer items of two row-major tensors, on several threads.
template <class T, class F>
void for_each_item(std::int64_t outer, const Tensor& from, const Tensor& to, F f) {
  constexpr std::int64_t kGrain = 1 << 15;
  if (outer == 0) return;
  const std::int64_t read = from.numel() / outer, written = to.numel() / outer;
  const std::int64_t size = std::max<std::int64_t>(1, std::max(read, written));
  parallel_evenly(outer, std::max<std::int64_t>(1, kGrain / size), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t o = begin; o < end; ++o) f(from.raw<const T>() + o * read, to.raw<T>() + o * written);
  });
}

// Images with their channels last stay so: rows or columns of their pixels are an axis like others.
bool are_images(const Tensor& x, std::size_t axis) { return x.dim() == 4 && axis >= 2 && channels_come_last(x); }

}  // namespace

Tensor resize(const Tensor& x, std::size_t axis, const Between& places) {
  if (are_images(x, axis)) return as_images(resize(as_pixels(x), axis - 1, places));
  const Tensor in = as_contiguous(x);
  const Around around(x.shape(), axis);
  const std::int64_t inner = around.inner;
  const std::int64_t *const below = places.below.data(), *const above = places.above.data();
  const Tensor y = empty(with_extent(x.shape(), axis, static_cast<std::int64_t>(places.parts.size())), x.dtype());
  dispatch_floating("interpolate", x.dtype(), [&]<class T>() {
    const Parts<T> parts(places);
    for_each_item<T>(around.outer, in, y, [&](const T* from, T* __restrict to) {
      for (std::int64_t i = 0; i < parts.count; ++i, to += inner) {
        const T *const low = from + below[i] * inner, *const high = from + above[i] * inner;
        const T lower = parts.lower[i], upper = parts.upper[i];
        if (upper == 0)  // 0 · ∞ would be NaN
          std::copy_n(low, inner, to);
        else
          for (std::int64_t k = 0; k < inner; ++k) to[k] = low[k] * lower + high[k] * upper;
      }
    });
  });
  return y;
}

Tensor resize_adjoint(const Tensor& g, std::size_t axis, const Between& places, std::int64_t extent) {
  if (are_images(g, axis)) return as_images(resize_adjoint(as_pixels(g), axis - 1, places, extent));
  const Tensor grad = as_contiguous(g);
  const Around around(g.shape(), axis);
  const std::int64_t inner = around.inner;
  const std::int64_t *const below = places.below.data(), *const above = places.above.data();
  const Tensor dx = empty(with_extent(g.shape(), axis, extent), g.dtype());
  dispatch_floating("interpolate", g.dtype(), [&]<class T>() {
    const Parts<T> parts(places);
    for_each_item<T>(around.outer, grad, dx, [&](const T* from, T* to) {
      std::fill_n(to, extent * inner, T(0));
      for (std::int64_t i = 0; i < parts.count; ++i, from += inner) {
        T *const low = to + below[i] * inner, *const high = to + above[i] * inner;
        const T lower = parts.lower[i], upper = parts.upper[i];
        for (std::int64_t k = 0; k < inner; ++k) low[k] += from[k] * lower;
        for (std::int64_t k = 0; upper != 0 && k < inner; ++k) high[k] += from[k] * upper;
      }
    });
  });
  return dx;
}

}  // namespace eigengrad::kernels
