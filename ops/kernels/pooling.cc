#include "eigengrad/ops/kernels/pooling.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/axis.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/elementwise.h"
#include "eigengrad/ops/kernels/lanes.h"
#include "eigengrad/ops/kernels/room.h"
#include "eigengrad/ops/kernels/wide.h"

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

// Whether the largest numbers of x are found with its channels last: a vector of them at a time takes a fraction of what
// planes take, and pays for turning many of them over, and what is found back.
bool pools_channels_last(const Tensor& x) { return channels_come_last(x) || x.size(1) >= 8; }

// Calls f(plane), shared among threads.
template <class F>
void for_each_plane(const Layout& layout, const Windows& windows, F f) {
  parallel_evenly(layout.planes, grain_for(windows.pixels() * layout.width), [&](std::int64_t begin, std::int64_t end) {
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

// The same for windows that all have so many pixels along each axis, if that is not 0: loops of known length are none.
template <int Pixels, class F>
void for_each_of(const Windows& windows, const Span& row, const Span& column, F f) {
  if constexpr (Pixels == 0) return for_each_pixel(windows, row, column, f);
  const std::int64_t line = windows.columns.extent, first = row.begin * line + column.begin;
#pragma GCC unroll 4
  for (int i = 0; i < Pixels; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < Pixels; ++j) f(first + i * windows.rows.step * line + j * windows.columns.step);
}

bool all_have(const Spans& spans, std::int64_t pixels) {
  return std::all_of(spans.places.begin(), spans.places.end(),
                     [&](const Span& span) { return (span.end - span.begin + spans.step - 1) / spans.step == pixels; });
}

// Calls f.operator()<Pixels>() for the numbers that nets use, and for 0.
template <class F>
void with_pixels(const Windows& windows, F f) {
  const auto all = [&](std::int64_t pixels) {
    return all_have(windows.rows, pixels) && all_have(windows.columns, pixels);
  };
  if (all(2)) return f.template operator()<2>();
  if (all(3)) return f.template operator()<3>();
  f.template operator()<0>();
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

// ---- The largest of each window of a plane that is one number wide.

// Rows first, in whole lines of the image, then columns.
template <class T>
void max_pool_plane(const T* from, const Windows& windows, T* best) {
  const std::int64_t line = windows.columns.extent;
  const RoomOf<T> largest(line);
  for (const Span& row : windows.rows.places) {
    std::copy_n(from + row.begin * line, line, largest.data());
    for (std::int64_t i = row.begin + windows.rows.step; i < row.end; i += windows.rows.step)
      take_larger(from + i * line, largest.data(), line);
    for (const Span& column : windows.columns.places) {
      *best = largest[column.begin];
      for (std::int64_t j = column.begin + windows.columns.step; j < column.end; j += windows.columns.step)
        take_larger(largest.data() + j, best, 1);
      ++best;
    }
  }
}

template <class T>
void max_pool_grad_plane(const T* from, const T* best, const T* grad, const Windows& windows, T* to) {
  for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
    const T largest = best[place];
    T left = grad[place];  // until it has found its element
    for_each_pixel(windows, row, column, [&](std::int64_t pixel) {
      const T here = from[pixel];
      const bool hit = (here == largest) | ((here != here) & (largest != largest));
      to[pixel] += chosen(hit, left, T(0));
      left = chosen(hit, T(0), left);
    });
  });
}

// Its sum.
template <class T>
double sum_of_window(const T* from, const Windows& windows, const Span& row, const Span& column) {
  const std::int64_t line = windows.columns.extent, step = windows.columns.step;
  const auto sum_from = [&](std::int64_t first, std::int64_t count) {
    return sum_in_lanes<double>(count, [&](std::int64_t i) { return from[first + i * step]; });
  };
  const bool are_whole_lines = column.begin == 0 && column.end == line && step == 1 && windows.rows.step == 1;
  if (are_whole_lines) return sum_from(row.begin * line, (row.end - row.begin) * line);
  double sum = 0;
  for (std::int64_t y = row.begin; y < row.end; y += windows.rows.step)
    sum += sum_from(y * line + column.begin, (column.end - column.begin + step - 1) / step);
  return sum;
}

// x added to every pixel of a window.
template <class T>
void add_to_window(T* to, const Windows& windows, const Span& row, const Span& column, T x) {
  for (std::int64_t y = row.begin; y < row.end; y += windows.rows.step) {
    T* const line = to + y * windows.columns.extent;
    if (windows.columns.step == 1)
      for (std::int64_t i = column.begin; i < column.end; ++i) line[i] += x;
    else
      for (std::int64_t i = column.begin; i < column.end; i += windows.columns.step) line[i] += x;
  }
}

// ---- And with the channels last, a vector of them at a time.

// The last vector of a pixel may reach into the pixels after it: what is there is read, and comes to nothing. At the
// end of the plane there are none, and only so many elements are touched.
template <class T>
struct Part {
  using Vector = typename Wide<T>::Vector;
  std::int64_t channel, count;

  void load(const T* pixel, Vector& to) const {
    if (count == Wide<T>::kLanes) {
      to = Wide<T>::at(pixel + channel);
    } else {
      T few[Wide<T>::kLanes] = {};  // and not `to` itself, which would have to leave its register
      std::memcpy(few, pixel + channel, static_cast<std::size_t>(count) * sizeof(T));
      to = Wide<T>::at(few);
    }
  }
  void store(const Vector& from, T* pixel) const {
    if (count == Wide<T>::kLanes) {
      Wide<T>::at(pixel + channel) = from;
    } else {
      T few[Wide<T>::kLanes];
      Wide<T>::at(few) = from;
      std::memcpy(pixel + channel, few, static_cast<std::size_t>(count) * sizeof(T));
    }
  }
};

// Calls f(place, row, column, part) for all parts of the channels of each window.
template <class T, class F>
void for_each_part(const Windows& windows, std::int64_t width, F f) {
  constexpr std::int64_t kLanes = Wide<T>::kLanes;
  for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
    // From the window's last pixel, and from its place, to the end of the plane.
    const std::int64_t pixels = windows.pixels() - (row.end - 1) * windows.columns.extent - column.end + 1;
    const std::int64_t room = std::min(pixels, windows.places() - place) * width;
    for (std::int64_t c = 0; c < width; c += kLanes) f(place, row, column, Part<T>{c, std::min({kLanes, room - c})});
  });
}

template <int Pixels, class T>
void max_pool_channels(const T* from, const Windows& windows, std::int64_t width, T* to) {
  for_each_part<T>(windows, width, [&](std::int64_t place, const Span& row, const Span& column, const Part<T>& part) {
    typename Part<T>::Vector best, here;
    part.load(from + (row.begin * windows.columns.extent + column.begin) * width, best);
    for_each_of<Pixels>(windows, row, column, [&](std::int64_t pixel) {
      part.load(from + pixel * width, here);
      best = (here > best) | (here != here) ? here : best;
    });
    part.store(best, to + place * width);  // over the end of the pixel before
  });
}

// Whether every element belongs to one window, and is touched by no other.
bool are_tiles(const Spans& spans) {
  std::int64_t end = 0;
  for (const Span& span : spans.places) {
    if (span.begin != end) return false;
    end = span.end;
  }
  return end == spans.extent && spans.step == 1;
}

// kTiles: the windows are, so that nothing has to be added to what is there.
template <int Pixels, bool kTiles, class T>
void max_pool_grad_channels(const T* from, const T* best, const T* grad, const Windows& windows, std::int64_t width,
                            T* to) {
  using Vector = typename Part<T>::Vector;
  Vector lane;
  for (std::int64_t i = 0; i < Wide<T>::kLanes; ++i) lane[i] = static_cast<T>(i);
  const std::int64_t line = windows.columns.extent;
  for_each_part<T>(windows, width, [&](std::int64_t place, const Span& row, const Span& column, const Part<T>& part) {
    Vector largest, left, here, sum;
    part.load(best + place * width, largest);
    part.load(grad + place * width, left);
    const Vector zero{}, channels = zero + static_cast<T>(width - part.channel);
    left = lane < channels ? left : zero;  // nothing goes to other pixels
    const auto is_nan = largest != largest;
    // Whether the part reaches into pixels that have been written before: by other parts, or in the line below.
    const std::int64_t end = part.channel + Wide<T>::kLanes;
    const bool keeps = end > width && (part.channel > 0 || end > (line - column.end + 1) * width);
    for_each_of<Pixels>(windows, row, column, [&](std::int64_t pixel) {
      part.load(from + pixel * width, here);
      const auto hit = (here == largest) | ((here != here) & is_nan);
      sum = zero;
      if (!kTiles || keeps) part.load(to + pixel * width, sum);
      if (kTiles) sum = lane < channels ? zero : sum;
      sum += hit ? left : zero;
      left = hit ? zero : left;
      part.store(sum, to + pixel * width);
    });
  });
}

// sums[c] ← the sum of channel c of a window.
template <class T>
void sum_channels(const T* from, const Windows& windows, const Span& row, const Span& column, std::int64_t width,
                  double* __restrict sums) {
  std::fill_n(sums, width, 0.0);
  for_each_pixel(windows, row, column, [&](std::int64_t pixel) {
    const T* __restrict const here = from + pixel * width;
    for (std::int64_t c = 0; c < width; ++c) sums[c] += static_cast<double>(here[c]);
  });
}

}  // namespace

Tensor max_pool(const Tensor& x, const Windows& windows) {
  const bool last = pools_channels_last(x);
  const Tensor image = laid_out(x, last), y = new_images(windows.result(x.shape()), x.dtype(), last);
  const Layout layout(x.shape(), last);
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    with_pixels(windows, [&]<int Pixels>() {
      for_each_plane(layout, windows, [&](std::int64_t plane) {
        const T* const from = image.raw<T>() + plane * windows.pixels() * layout.width;
        T* const to = y.raw<T>() + plane * windows.places() * layout.width;
        if (last)
          max_pool_channels<Pixels>(from, windows, layout.width, to);
        else
          max_pool_plane(from, windows, to);
      });
    });
  });
  return channels_come_last(x) ? y : as_contiguous(y);
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
  const bool last = pools_channels_last(x);
  const Tensor image = laid_out(x, last), best = laid_out(y, last), grad = laid_out(dy, last);
  const Tensor dx = new_images(x.shape(), x.dtype(), last);
  const Layout layout(x.shape(), last);
  const bool tiles = are_tiles(windows.rows) && are_tiles(windows.columns);
  dispatch_floating("max_pool2d", x.dtype(), [&]<class T>() {
    with_pixels(windows, [&]<int Pixels>() {
      for_each_plane(layout, windows, [&](std::int64_t plane) {
        const std::int64_t pixels = plane * windows.pixels() * layout.width,
                           places = plane * windows.places() * layout.width;
        const T *const from = image.raw<T>() + pixels, *const largest = best.raw<T>() + places;
        const T* const g = grad.raw<T>() + places;
        T* const to = dx.raw<T>() + pixels;
        if (last && tiles) return max_pool_grad_channels<Pixels, true>(from, largest, g, windows, layout.width, to);
        std::fill_n(to, windows.pixels() * layout.width, T(0));
        if (last)
          max_pool_grad_channels<Pixels, false>(from, largest, g, windows, layout.width, to);
        else
          max_pool_grad_plane(from, largest, g, windows, to);
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
      const RoomOf<double> sums(channels_last ? width : 0);
      for_each_window(windows, [&](std::int64_t place, const Span& row, const Span& column) {
        const double factor = factors[static_cast<std::size_t>(place)];
        if (!channels_last) {
          to[place] = static_cast<T>(sum_of_window(from, windows, row, column) * factor);
          return;
        }
        sum_channels(from, windows, row, column, width, sums.data());
        for (std::int64_t c = 0; c < width; ++c) to[place * width + c] = static_cast<T>(sums[c] * factor);
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
        if (!channels_last) return add_to_window(to, windows, row, column, *here * factor);
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
