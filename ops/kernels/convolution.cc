#include "eigengrad/ops/kernels/convolution.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "eigengrad/core/bfloat16.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/axis.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/functions.h"

namespace eigengrad::kernels {
namespace {

// The extents of a convolution, and where things are.
struct Geometry {
  std::int64_t images, channels, height, width, out_height, out_width;
  Window window;

  Geometry(const Shape& x, const Window& w)
      : images(x[0]),
        channels(x[1]),
        height(x[2]),
        width(x[3]),
        out_height(w.places(0, x[2])),
        out_width(w.places(1, x[3])),
        window(w) {}
  std::int64_t pixels() const { return height * width; }
  std::int64_t places() const { return out_height * out_width; }
  std::int64_t taps() const { return window.kernel[0] * window.kernel[1]; }
};

// The places [first, last) of a window along an axis at which tap `tap` is within the image, not in the padding.
struct Inside {
  std::int64_t first, last;
  Inside(const Window& w, std::size_t axis, std::int64_t tap, std::int64_t extent, std::int64_t places) {
    const std::int64_t start = tap * w.dilation[axis] - w.padding[axis], step = w.stride[axis];
    first = std::min(places, start >= 0 ? 0 : (-start + step - 1) / step);
    last = std::max(first, std::min(places, start >= extent ? 0 : (extent - 1 - start) / step + 1));
  }
};

// Calls f(column_row, image_row, inside) for each row of places of each tap of one channel: where they begin in the
// columns and in the image, and which of the places of the row lie inside.
template <class F>
void for_each_row(const Geometry& geometry, F f) {
  const Window& w = geometry.window;
  for (std::int64_t i = 0; i < w.kernel[0]; ++i)
    for (std::int64_t j = 0; j < w.kernel[1]; ++j) {
      const Inside rows(w, 0, i, geometry.height, geometry.out_height);
      const Inside columns(w, 1, j, geometry.width, geometry.out_width);
      const std::int64_t tap = (i * w.kernel[1] + j) * geometry.places();
      for (std::int64_t oy = 0; oy < geometry.out_height; ++oy) {
        const std::int64_t y = oy * w.stride[0] + i * w.dilation[0] - w.padding[0];
        const std::int64_t x = j * w.dilation[1] - w.padding[1];
        const bool outside = oy < rows.first || oy >= rows.last;
        f(tap + oy * geometry.out_width, outside ? 0 : y * geometry.width + x, columns, outside);
      }
    }
}

template <class T>
void image_to_columns(const Geometry& geometry, const T* image, T* columns) {
  const std::int64_t step = geometry.window.stride[1], width = geometry.out_width;
  for_each_row(geometry, [&](std::int64_t to, std::int64_t from, const Inside& inside, bool outside) {
    T* const row = columns + to;
    if (outside) {
      std::fill_n(row, width, T(0));
      return;
    }
    std::fill_n(row, inside.first, T(0));
    if (step == 1)
      std::copy(image + from + inside.first, image + from + inside.last, row + inside.first);
    else
      for (std::int64_t k = inside.first; k < inside.last; ++k) row[k] = image[from + k * step];
    std::fill(row + inside.last, row + width, T(0));
  });
}

template <class T>
void add_columns_to_image(const Geometry& geometry, const T* columns, T* image) {
  const std::int64_t step = geometry.window.stride[1];
  for_each_row(geometry, [&](std::int64_t from, std::int64_t to, const Inside& inside, bool outside) {
    if (outside) return;
    for (std::int64_t k = inside.first; k < inside.last; ++k) image[to + k * step] += columns[from + k];
  });
}

// A window of one pixel that stands on every pixel: the image is its own columns.
bool is_pointwise(const Window& w) {
  return w.kernel == std::array<std::int64_t, 2>{1, 1} && w.stride == w.kernel &&
         w.padding == std::array<std::int64_t, 2>{0, 0};
}

// How many (image, group) pairs a thread takes at once.
std::int64_t grain(std::int64_t multiplications) {
  constexpr std::int64_t kWorthAThread = 1 << 20;
  return std::max<std::int64_t>(1, kWorthAThread / std::max<std::int64_t>(1, multiplications));
}

template <class T>
std::unique_ptr<T[]> buffer(std::int64_t elements) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(elements));
}

// The columns of the channels of one group of one image: in the image itself, or made in a buffer.
template <class T>
class Columns {
 public:
  Columns(const Geometry& geometry, std::int64_t channels)
      : geometry_(geometry), channels_(channels), direct_(is_pointwise(geometry.window)) {
    if (!direct_) buffer_ = buffer<T>(channels * geometry.taps() * geometry.places());
  }
  const T* of(const T* images) {
    if (direct_) return images;
    for (std::int64_t c = 0; c < channels_; ++c)
      image_to_columns(geometry_, images + c * geometry_.pixels(),
                       buffer_.get() + c * geometry_.taps() * geometry_.places());
    return buffer_.get();
  }

 private:
  const Geometry& geometry_;
  const std::int64_t channels_;
  const bool direct_;
  std::unique_ptr<T[]> buffer_;
};

// The extents of the products of one group.
struct GroupShape {
  std::int64_t groups, in, out, depth;  // channels in, channels out, channels in times taps
  GroupShape(const Geometry& geometry, std::int64_t count, std::int64_t out_channels)
      : groups(count), in(geometry.channels / count), out(out_channels / count), depth(in * geometry.taps()) {}
};

template <class T>
void forward(const Geometry& geometry, const GroupShape& group, const T* x, const T* weight, T* y) {
  const std::int64_t places = geometry.places();
  parallel_evenly(geometry.images * group.groups, grain(group.out * group.depth * places),
                  [&](std::int64_t begin, std::int64_t end) {
                    Columns<T> columns(geometry, group.in);
                    for (std::int64_t item = begin; item < end; ++item)
                      matrix_product(
                          dtype_of<T>, y + item * group.out * places,
                          row_major(weight + item % group.groups * group.out * group.depth, group.out, group.depth),
                          row_major(columns.of(x + item * group.in * geometry.pixels()), group.depth, places));
                  });
}

template <class T>
void input_grad(const Geometry& geometry, const GroupShape& group, const T* g, const T* weight, T* dx) {
  const std::int64_t places = geometry.places(), pixels = geometry.pixels();
  const bool direct = is_pointwise(geometry.window);
  parallel_evenly(geometry.images * group.groups, grain(group.out * group.depth * places),
                  [&](std::int64_t begin, std::int64_t end) {
                    const std::unique_ptr<T[]> made = direct ? nullptr : buffer<T>(group.depth * places);
                    for (std::int64_t item = begin; item < end; ++item) {
                      T* const image = dx + item * group.in * pixels;
                      T* const columns = direct ? image : made.get();
                      matrix_product(
                          dtype_of<T>, columns,
                          transposed(weight + item % group.groups * group.out * group.depth, group.out, group.depth),
                          row_major(g + item * group.out * places, group.out, places));
                      if (direct) continue;
                      std::fill_n(image, group.in * pixels, T(0));
                      for (std::int64_t c = 0; c < group.in; ++c)
                        add_columns_to_image(geometry, columns + c * geometry.taps() * places, image + c * pixels);
                    }
                  });
}

// The sum over the images is cut into pieces by their number alone, and the pieces are added in order: the bits do not
// depend on the number of threads.
template <class T>
void weight_grad(const Geometry& geometry, const GroupShape& group, const T* x, const T* g, T* dw) {
  constexpr std::int64_t kPieces = 8;
  const std::int64_t places = geometry.places(), size = group.out * group.depth;
  const std::int64_t pieces = std::min(kPieces, geometry.images);
  const std::unique_ptr<T[]> sums = buffer<T>(pieces * group.groups * size);
  parallel_for(pieces * group.groups, 1, [&](std::int64_t begin, std::int64_t end) {
    Columns<T> columns(geometry, group.in);
    const std::unique_ptr<T[]> product = buffer<T>(size);
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t piece = item / group.groups, which = item % group.groups;
      T* const total = sums.get() + item * size;
      std::fill_n(total, size, T(0));
      for (std::int64_t n = piece * geometry.images / pieces; n < (piece + 1) * geometry.images / pieces; ++n) {
        const std::int64_t image = n * group.groups + which;
        matrix_product(dtype_of<T>, product.get(), row_major(g + image * group.out * places, group.out, places),
                       transposed(columns.of(x + image * group.in * geometry.pixels()), group.depth, places));
        for (std::int64_t k = 0; k < size; ++k) total[k] += product[k];
      }
    }
  });
  std::fill_n(dw, group.groups * size, T(0));
  for (std::int64_t piece = 0; piece < pieces; ++piece)
    for (std::int64_t k = 0; k < group.groups * size; ++k) dw[k] += sums[piece * group.groups * size + k];
}

// In double: the sum over all images and places of each channel.
template <class T>
void bias_grad(const Tensor& g, T* db) {
  const std::int64_t channels = g.size(1), places = g.size(2) * g.size(3);
  for (std::int64_t c = 0; c < channels; ++c) {
    double total = 0;
    for (std::int64_t n = 0; n < g.size(0); ++n) {
      const T* const row = g.raw<T>() + (n * channels + c) * places;
#pragma omp simd reduction(+ : total)
      for (std::int64_t i = 0; i < places; ++i) total += static_cast<double>(row[i]);
    }
    db[c] = static_cast<T>(total);
  }
}

// A convolution for the engine.
ConvolutionShape engine_shape(const Geometry& geometry, std::int64_t out_channels, std::int64_t groups, Dtype dtype,
                              Precision precision) {
  return {dtype,        geometry.images,     geometry.channels,  geometry.height, geometry.width,
          out_channels, geometry.out_height, geometry.out_width, groups,          geometry.window,
          precision};
}

// Calls f(engine) for those that do convolutions, the one in use and those that are not as good, until one says that it
// has done it.
template <class F>
bool any_engine(Dtype dtype, F f) {
  const auto& all = all_engines();
  return std::any_of(std::find(all.begin(), all.end(), &engine()), all.end(),
                     [&](const Engine* one) { return one->convolves(dtype) && f(*one); });
}

// The same with what is to be done, unless there is nothing to do.
template <class F>
bool by_engine(const Geometry& geometry, std::int64_t out_channels, std::int64_t groups, Dtype dtype,
               Precision precision, F f) {
  if (geometry.images * geometry.channels * geometry.pixels() * out_channels == 0) return false;
  return any_engine(dtype, [&](const Engine& one) {
    return f(one, engine_shape(geometry, out_channels, groups, dtype, precision));
  });
}

// A factor for the loops above: row-major, and rounded if it is to be.
Tensor factor(const Tensor& x, Precision precision) {
  const Tensor plain = as_contiguous(x);
  if (precision == Precision::Float32 || x.dtype() != kFloat32) return plain;
  const Tensor rounded = empty(x.shape(), x.dtype());
  elementwise<float, float>(rounded, each(rounded_to_bfloat16), plain);
  return rounded;
}

void finish_planes(const Tensor& y, const Epilogue& end) {
  if (!end.bias && !end.relu) return;
  const std::int64_t channels = y.size(1), places = y.size(2) * y.size(3);
  dispatch_floating("conv2d", y.dtype(), [&]<class T>() {
    parallel_evenly(y.size(0) * channels, grain_for(places), [&](std::int64_t begin, std::int64_t until) {
      for (std::int64_t plane = begin; plane < until; ++plane) {
        const T add = end.bias ? end.bias_from<T>(0)[plane % channels] : T(0);
        T* const row = y.raw<T>() + plane * places;
        for (std::int64_t i = 0; i < places; ++i) row[i] += add;
        for (std::int64_t i = 0; end.relu && i < places; ++i) row[i] = relu(row[i]);
      }
    });
  });
}

}  // namespace

Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Window& window, std::int64_t groups,
                   Precision precision, bool then_relu) {
  const Tensor w = as_contiguous(weight), b = bias.defined() ? as_contiguous(bias) : bias;
  const Epilogue end{b.defined() ? b.raw<void>() : nullptr, then_relu};
  const Geometry geometry(x.shape(), window);
  const Shape shape{geometry.images, w.size(0), geometry.out_height, geometry.out_width};
  Tensor y;
  const bool done =
      by_engine(geometry, w.size(0), groups, x.dtype(), precision, [&](const Engine& one, const ConvolutionShape& c) {
        y = empty_channels_last(shape, x.dtype());
        return one.convolution(c, as_channels_last(x).raw<void>(), w.raw<void>(), end, y.raw<void>());
      });
  if (done) return y;
  const Tensor image = factor(x, precision), kernel = factor(w, precision);
  const GroupShape group(geometry, groups, w.size(0));
  y = empty(shape, x.dtype());
  dispatch_floating("conv2d", x.dtype(), [&]<class T>() {
    if (y.numel() > 0) forward(geometry, group, image.raw<T>(), kernel.raw<T>(), y.raw<T>());
  });
  finish_planes(y, end);
  return y;
}

Tensor as_convolved(const Tensor& x) {
  return any_engine(x.dtype(), [](const Engine&) { return true; }) ? as_channels_last(x) : as_contiguous(x);
}

Tensor convolution_input_grad(const Tensor& g, const Tensor& weight, const Window& window, std::int64_t groups,
                              std::int64_t height, std::int64_t width, Precision precision) {
  const Tensor w = as_contiguous(weight);
  const Shape shape{g.size(0), w.size(1) * groups, height, width};
  const Geometry geometry(shape, window);
  Tensor dx;
  const bool done =
      by_engine(geometry, w.size(0), groups, g.dtype(), precision, [&](const Engine& one, const ConvolutionShape& c) {
        dx = empty_channels_last(shape, g.dtype());
        return one.convolution_input_grad(c, as_channels_last(g).raw<void>(), w.raw<void>(), dx.raw<void>());
      });
  if (done) return dx;
  const Tensor grad = factor(g, precision), kernel = factor(w, precision);
  const GroupShape group(geometry, groups, w.size(0));
  dx = zeros(shape, g.dtype());
  dispatch_floating("conv2d", g.dtype(), [&]<class T>() {
    if (dx.numel() > 0 && g.numel() > 0) input_grad(geometry, group, grad.raw<T>(), kernel.raw<T>(), dx.raw<T>());
  });
  return dx;
}

WeightGrads convolution_weight_grad(const Tensor& x, const Tensor& g, const Window& window, std::int64_t groups,
                                    bool wants_bias, Precision precision) {
  const Geometry geometry(x.shape(), window);
  const GroupShape group(geometry, groups, g.size(1));
  const Shape shape{g.size(1), group.in, window.kernel[0], window.kernel[1]};
  const Tensor dw = empty(shape, x.dtype()), db = wants_bias ? empty({g.size(1)}, x.dtype()) : Tensor();
  const bool done =
      by_engine(geometry, g.size(1), groups, x.dtype(), precision, [&](const Engine& one, const ConvolutionShape& c) {
        return one.convolution_weight_grad(c, as_channels_last(x).raw<void>(), as_channels_last(g).raw<void>(),
                                           dw.raw<void>(), wants_bias ? db.raw<void>() : nullptr);
      });
  if (done) return {dw, db};
  const Tensor plain = as_contiguous(g), image = factor(x, precision), grad = factor(plain, precision);
  dispatch_floating("conv2d", x.dtype(), [&]<class T>() {
    if (dw.numel() > 0 && g.numel() > 0)
      weight_grad(geometry, group, image.raw<T>(), grad.raw<T>(), dw.raw<T>());
    else
      std::fill_n(dw.raw<T>(), dw.numel(), T(0));
    if (wants_bias) bias_grad(plain, db.raw<T>());
  });
  return {dw, db};
}

Tensor unfold(const Tensor& x, const Window& window) {
  const Tensor image = as_contiguous(x);
  const Geometry geometry(x.shape(), window);
  const Tensor columns = empty({geometry.images, geometry.channels * geometry.taps(), geometry.places()}, x.dtype());
  const std::int64_t size = geometry.taps() * geometry.places();
  dispatch_floating("unfold", x.dtype(), [&]<class T>() {
    parallel_evenly(geometry.images * geometry.channels, grain_for(size), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        image_to_columns(geometry, image.raw<T>() + plane * geometry.pixels(), columns.raw<T>() + plane * size);
    });
  });
  return columns;
}

Tensor fold(const Tensor& columns, const Window& window, std::int64_t height, std::int64_t width) {
  const Tensor from = as_contiguous(columns);
  const Tensor image =
      zeros({columns.size(0), columns.size(1) / (window.kernel[0] * window.kernel[1]), height, width}, columns.dtype());
  const Geometry geometry(image.shape(), window);
  const std::int64_t size = geometry.taps() * geometry.places();
  dispatch_floating("fold", columns.dtype(), [&]<class T>() {
    parallel_evenly(geometry.images * geometry.channels, grain_for(size), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t plane = begin; plane < end; ++plane)
        add_columns_to_image(geometry, from.raw<T>() + plane * size, image.raw<T>() + plane * geometry.pixels());
    });
  });
  return image;
}

}  // namespace eigengrad::kernels
