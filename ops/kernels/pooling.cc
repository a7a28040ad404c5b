#include "eigengrad/ops/kernels/pooling.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/axis.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/room.h"

namespace eigengrad::kernels {
namespace {

// How an image lies in memory: some planes that are pooled alike, each of `width` numbers at every pixel. Row-major,
// the planes are the channels of all images, one number wide; with the channels last they are the images.
struct Layout {
  std::int64_t planes, width;
  Layout(const Shape& x, bool channels_last)
      : planes(channels_last ? x[0] : x[0] * x[1]), width(channels_last ? x[1] : 1) {}
};

Tensor laid_out(const Tensor& x, bool channels_last) { return channels_last ? as_channels_last(x) : as_contiguous(x); }

Tensor new_images(const Shape& shape, Dtype dtype, bool channels_last) {
  return channels_last ? empty_channels_last(shape, dtype) : empty(shape, dtype);
}

// Calls f(plane), shared among threads.
template <class F>
void for_each_plane(const Layout& layout, const Windows& windows, F f) {
  parallel_for(layout.planes, grain_for(windows.pixels() * layout.width), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t plane = begin; plane < end; ++plane) f(plane);
  });
}

// Calls f(place, row, column) for each window.
template <class F>
void for_each_window(const Windows& windows, F f) {
  std::int64_t place = 0;
  for (const Span& row : windows.rows.places)
    for (const Span& column : windows.columns.places) f(place++, row, column);
}

// Calls f(pixel) for each pixel of one.
template <class F>
void for_each_pixel(const Windows& windows, const Span& row, const Span& column, F f) {
  for (std::int64_t y = row.begin; y < row.end; y += windows.rows.step)
    for (std::int64_t x = column.begin; x < column.end; x += windows.columns.step) f(y * windows.columns.extent + x);
}

// Calls f.operator()<kWidth>(): kWidth is the width when that is a small number, for loops that the compiler unrolls,
// and else 0.
template <class F>
void with_small_width(std::int64_t width, F f) {
  switch (width) {
    case 1: return f.template operator()<1>();
    case 2: return f.template operator()<2>();
    case 3: return f.template operator()<3>();
    case 4: return f.template operator()<4>();
    case 6: return f.template operator()<6>();
    case 8: return f.template operator()<8>();
    default: return f.template operator()<0>();
  }
}

// x where `keep` holds, else 0, without a branch: which window's element is the largest cannot be guessed.
template <class T>
T kept_if(bool keep, T x) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  return std::bit_cast<T>(std::bit_cast<Bits>(x) & (Bits(0) - Bits(keep)));
}

// A NaN, once met, stays.
template <class T>
bool is_larger(T a, T b) {
  return a > b || (a != a && b == b);
}

// best[i] ← the larger of best[i] and here[i]; a NaN, once met, stays.
template <class T>
void take_larger(const T* __restrict here, T* __restrict best, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) best[i] = here[i] > best[i] || here[i] != here[i] ? here[i] : best[i];
}

}  // namespace

bool channels_come_last(const Tensor& x) { return !x.is_contiguous() && is_channels_last(x); }

// Rows first, in whole lines of the image, then columns.
Tensor max_pool(const Tensor& x, const Windows& windows) {
  const bool last = channels_come_last(x);
  const Tensor image = laid_out(x, last), y = new_images(windows.result(x.shape()), x.dtype(), last);
  const Layout layout(x.shape(), last);
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    with_small_width(layout.width, [&]<int kWidth>() {
      const std::int64_t width = kWidth ? kWidth : layout.width, line = windows.columns.extent * width;
      for_each_plane(layout, windows, [&](std::int64_t plane) {
        const T* const from = image.raw<T>() + plane * windows.pixels() * width;
        T* best = y.raw<T>() + plane * windows.places() * width;
        const RoomOf<T> largest(line);
        for (const Span& row : windows.rows.places) {
          std::copy_n(from + row.begin * line, line, largest.data());
          for (std::int64_t i = row.begin + windows.rows.step; i < row.end; i += windows.rows.step)
            take_larger(from + i * line, largest.data(), line);
          for (const Span& column : windows.columns.places) {
            std::copy_n(largest.data() + column.begin * width, width, best);
            for (std::int64_t j = column.begin + windows.columns.step; j < column.end; j += windows.columns.step)
              take_larger(largest.data() + j * width, best, width);
            best += width;
          }
        }
      });
    });
  });
  return y;
}

Tensor max_pool_indices(const Tensor& x, const Windows& windows) {
  const Tensor image = as_contiguous(x), indices = empty(windows.result(x.shape()), kInt64);
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    for_each_plane(Layout(x.shape(), false), windows, [&](std::int64_t plane) {
      const T* const from = image.raw<T>() + plane * windows.pixels();
      std::int64_t* const to = indices.raw<std::int64_t>() + plane * windows.places();
      for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
        std::int64_t best = row.begin * windows.columns.extent + column.begin;
        for_each_pixel(windows, row, column, [&](std::int64_t pixel) {
          if (is_larger(from[pixel], from[best])) best = pixel;
        });
        to[place] = best;
      });
    });
  });
  return indices;
}

Tensor max_pool_grad(const Tensor& x, const Tensor& y, const Tensor& dy, const Windows& windows) {
  const bool last = channels_come_last(x);
  const Tensor image = laid_out(x, last), best = laid_out(y, last), grad = laid_out(dy, last);
  const Tensor dx = new_images(x.shape(), x.dtype(), last);
  const Layout layout(x.shape(), last);
  const std::int64_t pixels = windows.pixels(), places = windows.places();
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    with_small_width(layout.width, [&]<int kWidth>() {
      const std::int64_t width = kWidth ? kWidth : layout.width;
      for_each_plane(layout, windows, [&](std::int64_t plane) {
        const T* const from = image.raw<T>() + plane * pixels * width;
        T* const to = dx.raw<T>() + plane * pixels * width;
        std::fill_n(to, pixels * width, T(0));
        std::vector<T> rest(kWidth ? 0 : static_cast<std::size_t>(width));
        for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
          const T* __restrict const largest = best.raw<T>() + (plane * places + place) * width;
          const T* __restrict const g = grad.raw<T>() + (plane * places + place) * width;
          T few[kWidth ? kWidth : 1];
          T* __restrict const left = kWidth ? few : rest.data();  // what has not found its element yet
          for (std::int64_t c = 0; c < width; ++c) left[c] = g[c];
          for_each_pixel(windows, row, column, [&](std::int64_t pixel) {
            const T* __restrict const here = from + pixel * width;
            T* __restrict const add = to + pixel * width;
            for (std::int64_t c = 0; c < width; ++c) {
              const bool hit = (here[c] == largest[c]) | ((here[c] != here[c]) & (largest[c] != largest[c]));
              add[c] += kept_if(hit, left[c]);
              left[c] = kept_if(!hit, left[c]);
            }
          });
        });
      });
    });
  });
  return dx;
}

Tensor sum_pool(const Tensor& x, const Windows& windows, const std::vector<double>& factors, bool channels_last) {
  const Tensor image = laid_out(x, channels_last);
  const Tensor y = new_images(windows.result(x.shape()), x.dtype(), channels_last);
  const Layout layout(x.shape(), channels_last);
  const std::int64_t width = layout.width;
  dispatch_floating("avg_pool2d", x.dtype(), [&]<class T>() {
    for_each_plane(layout, windows, [&](std::int64_t plane) {
      const T* const from = image.raw<T>() + plane * windows.pixels() * width;
      T* const to = y.raw<T>() + plane * windows.places() * width;
      std::vector<double> sums(static_cast<std::size_t>(width));
      for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
        double* __restrict const sum = sums.data();
        std::fill_n(sum, width, 0.0);
        for_each_pixel(windows, row, column, [&](std::int64_t pixel) {
          const T* __restrict const here = from + pixel * width;
          for (std::int64_t c = 0; c < width; ++c) sum[c] += static_cast<double>(here[c]);
        });
        const double factor = factors[static_cast<std::size_t>(place)];
        for (std::int64_t c = 0; c < width; ++c) to[place * width + c] = static_cast<T>(sum[c] * factor);
      });
    });
  });
  return y;
}

Tensor sum_pool_adjoint(const Tensor& dy, const Windows& windows, const std::vector<double>& factors,
                        bool channels_last) {
  const Tensor grad = laid_out(dy, channels_last);
  const Shape shape{dy.size(0), dy.size(1), windows.rows.extent, windows.columns.extent};
  const Tensor dx = new_images(shape, dy.dtype(), channels_last);
  const Layout layout(shape, channels_last);
  const std::int64_t width = layout.width;
  dispatch_floating("avg_pool2d", dy.dtype(), [&]<class T>() {
    for_each_plane(layout, windows, [&](std::int64_t plane) {
      const T* const from = grad.raw<T>() + plane * windows.places() * width;
      T* const to = dx.raw<T>() + plane * windows.pixels() * width;
      std::fill_n(to, windows.pixels() * width, T(0));
      for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
        const T* __restrict const here = from + place * width;
        const auto factor = static_cast<T>(factors[static_cast<std::size_t>(place)]);
        for_each_pixel(windows, row, column, [&](std::int64_t pixel) {
          T* __restrict const add = to + pixel * width;
          for (std::int64_t c = 0; c < width; ++c) add[c] += here[c] * factor;
        });
      });
    });
  });
  return dx;
}

}  // namespace eigengrad::kernels
