#include "eigengrad/ops/kernels/normalization.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/lanes.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {
namespace {

// Rows that a thread takes at once: some 32K elements.
std::int64_t rows_at_once(std::int64_t columns) {
  return std::max<std::int64_t>(1, (std::int64_t{1} << 15) / std::max<std::int64_t>(1, columns));
}

template <class T>
void forward_row(const T* __restrict x, const T* __restrict weight, const T* __restrict bias, T* __restrict y,
                 std::int64_t columns, double eps, bool centered, T& mean_out, T& scale_out) {
  const auto count = static_cast<double>(columns);
  const double mean = centered ? sum_in_lanes<double>(columns, [&](std::int64_t i) { return x[i]; }) / count : 0;
  const auto center = static_cast<T>(mean);
  const double variance =
      sum_in_lanes<double>(columns, [&](std::int64_t i) { return (x[i] - center) * (x[i] - center); }) / count;
  const auto scale = static_cast<T>(1 / std::sqrt(variance + eps));
  mean_out = center;
  scale_out = scale;
  if (weight && bias)
    for (std::int64_t i = 0; i < columns; ++i) y[i] = (x[i] - center) * scale * weight[i] + bias[i];
  else if (weight)
    for (std::int64_t i = 0; i < columns; ++i) y[i] = (x[i] - center) * scale * weight[i];
  else
    for (std::int64_t i = 0; i < columns; ++i) y[i] = (x[i] - center) * scale + (bias ? bias[i] : T(0));
}

// With g(i) = dy·weight and z the normalised row: scale·(g - mean(g) - z·mean(g·z)).
template <class T, class G>
void backward_row(const T* __restrict x, T* __restrict dx, std::int64_t columns, T mean, T scale, bool centered, G g) {
  const auto count = static_cast<T>(columns);
  const auto z = [&](std::int64_t i) { return (x[i] - mean) * scale; };
  const T mean_g = centered ? sum_of_row<T>(columns, g) / count : T(0);
  const T mean_gz = sum_of_row<T>(columns, [&](std::int64_t i) { return g(i) * z(i); }) / count;
  for (std::int64_t i = 0; i < columns; ++i) dx[i] = scale * (g(i) - mean_g - z(i) * mean_gz);
}

template <class T>
void backward_row(const T* __restrict x, const T* __restrict weight, const T* __restrict dy, T* __restrict dx,
                  std::int64_t columns, T mean, T scale, bool centered) {
  if (weight)
    backward_row(x, dx, columns, mean, scale, centered, [&](std::int64_t i) { return dy[i] * weight[i]; });
  else
    backward_row(x, dx, columns, mean, scale, centered, [&](std::int64_t i) { return dy[i]; });
}

// The sums over the rows are cut into pieces by their number alone, and the pieces are added in order.
template <class T>
void parameter_gradients(const T* x, const T* dy, const T* mean, const T* scale, std::int64_t rows,
                         std::int64_t columns, T* dweight, T* dbias) {
  const std::int64_t pieces = piece_count(rows * columns >> 15, 16);
  std::vector<double> sums(static_cast<std::size_t>(2 * pieces * columns), 0.0);
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      double* __restrict const of_weight = sums.data() + 2 * piece * columns;
      double* __restrict const of_bias = of_weight + columns;
      for (std::int64_t row = piece * rows / pieces; row < (piece + 1) * rows / pieces; ++row) {
        const T* __restrict const in = x + row * columns;
        const T* __restrict const g = dy + row * columns;
        for (std::int64_t i = 0; i < columns; ++i) {
          of_weight[i] += static_cast<double>(g[i] * ((in[i] - mean[row]) * scale[row]));
          of_bias[i] += static_cast<double>(g[i]);
        }
      }
    }
  });
  for (std::int64_t i = 0; i < columns; ++i) {
    double weight = 0, bias = 0;
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      weight += sums[static_cast<std::size_t>(2 * piece * columns + i)];
      bias += sums[static_cast<std::size_t>((2 * piece + 1) * columns + i)];
    }
    if (dweight) dweight[i] = static_cast<T>(weight);
    if (dbias) dbias[i] = static_cast<T>(bias);
  }
}

// ---- Channels.

// x [N, C, ..] in pieces of some samples each, by the shape alone. In memory it is either runs, for each sample and
// channel one of all places, or rows, for each sample and place one of all channels.
struct Channels {
  std::int64_t samples, channels, places;
  bool in_rows;

  explicit Channels(const Tensor& x)
      : samples(x.size(0)),
        channels(x.size(1)),
        places(x.numel() / (x.size(0) * x.size(1))),
        in_rows(places == 1 || !x.is_contiguous()) {}
  std::int64_t pieces() const {
    return piece_count(samples * channels * places >> 14, std::min<std::int64_t>(samples, 16));
  }
  std::int64_t first(std::int64_t piece) const { return piece * samples / pieces(); }
  // The first element of a channel.
  std::int64_t origin(std::int64_t c) const { return in_rows ? c : c * places; }

  // Calls f(piece) on several threads.
  template <class F>
  void each_piece(F f) const {
    parallel_for(pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t piece = begin; piece < end; ++piece) f(piece);
    });
  }
  // Calls f(channel, element) for all elements.
  template <class F>
  void each_element(F f) const {
    each_piece([&](std::int64_t piece) {
      const std::int64_t begin = first(piece), end = first(piece + 1);
      if (in_rows) {
        for (std::int64_t row = begin * places; row < end * places; ++row)
#pragma omp simd
          for (std::int64_t c = 0; c < channels; ++c) f(c, row * channels + c);
        return;
      }
      for (std::int64_t run = begin * channels; run < end * channels; ++run) {
        const std::int64_t c = run % channels;
#pragma omp simd
        for (std::int64_t i = 0; i < places; ++i) f(c, run * places + i);
      }
    });
  }
};

template <class T>
struct Terms {
  T one, two;
};

// Of the elements of rows: in T over a few of them, then in double.
template <class T, class F>
void add_rows(const Channels& shape, std::int64_t first, std::int64_t last, double* sums, F f) {
  constexpr std::int64_t kAtOnce = 16;
  const auto width = static_cast<std::size_t>(shape.channels);
  std::vector<T> some(2 * width);
  T* __restrict const one = some.data();
  T* __restrict const two = some.data() + width;
  for (std::int64_t begin = first; begin < last; begin += kAtOnce) {
    std::fill(some.begin(), some.end(), T(0));
    for (std::int64_t row = begin; row < std::min(last, begin + kAtOnce); ++row)
#pragma omp simd
      for (std::int64_t c = 0; c < shape.channels; ++c) {
        const Terms<T> terms = f(c, row * shape.channels + c);
        one[c] += terms.one;
        two[c] += terms.two;
      }
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      sums[2 * c] += static_cast<double>(one[c]);
      sums[2 * c + 1] += static_cast<double>(two[c]);
    }
  }
}

template <class T, class F>
void add_runs(const Channels& shape, std::int64_t first, std::int64_t last, double* sums, F f) {
  for (std::int64_t run = first; run < last; ++run) {
    const std::int64_t c = run % shape.channels;
    double one = 0, two = 0;
#pragma omp simd reduction(+ : one, two)
    for (std::int64_t i = 0; i < shape.places; ++i) {
      const Terms<T> terms = f(c, run * shape.places + i);
      one += static_cast<double>(terms.one);
      two += static_cast<double>(terms.two);
    }
    sums[2 * c] += one;
    sums[2 * c + 1] += two;
  }
}

// Two sums for each channel, of the two terms f(channel, element), added up piece by piece in order.
template <class T, class F>
std::vector<double> channel_sums(const Channels& shape, F f) {
  const auto width = static_cast<std::size_t>(2 * shape.channels);
  std::vector<double> sums(width * static_cast<std::size_t>(shape.pieces()), 0.0);
  shape.each_piece([&](std::int64_t piece) {
    double* const own = sums.data() + static_cast<std::size_t>(piece) * width;
    const std::int64_t begin = shape.first(piece), end = shape.first(piece + 1);
    if (shape.in_rows)
      add_rows<T>(shape, begin * shape.places, end * shape.places, own, f);
    else
      add_runs<T>(shape, begin * shape.channels, end * shape.channels, own, f);
  });
  for (std::size_t i = width; i < sums.size(); ++i) sums[i % width] += sums[i];
  sums.resize(width);
  return sums;
}

// x itself when it lies in runs or rows.
Tensor in_channels(const Tensor& x) { return x.dim() == 4 && is_channels_last(x) ? x : as_contiguous(x); }
Tensor laid_out_like(const Tensor& x, const Tensor& other) {
  return other.is_contiguous() ? as_contiguous(x) : as_channels_last(x);
}

}  // namespace

Tensors normalize_rows(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t columns, double eps,
                       bool centered) {
  const std::int64_t rows = x.numel() / columns;
  const Tensor y = empty(x.shape(), x.dtype()), mean = empty({rows}, x.dtype()), scale = empty({rows}, x.dtype());
  dispatch_floating("layer_norm", x.dtype(), [&]<class T>() {
    parallel_evenly(rows, rows_at_once(columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        forward_row<T>(x.raw<T>() + row * columns, raw_or_null<T>(weight), raw_or_null<T>(bias),
                       y.raw<T>() + row * columns, columns, eps, centered, mean.raw<T>()[row], scale.raw<T>()[row]);
    });
  });
  return {y, mean, scale};
}

Tensors normalize_rows_backward(const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& scale,
                                const Tensor& dy, std::int64_t columns, bool centered, bool wants_weight,
                                bool wants_bias) {
  const std::int64_t rows = x.numel() / columns;
  const Tensor dx = empty(x.shape(), x.dtype());
  const Tensor dweight = wants_weight ? empty({columns}, x.dtype()) : Tensor();
  const Tensor dbias = wants_bias ? empty({columns}, x.dtype()) : Tensor();
  dispatch_floating("layer_norm", x.dtype(), [&]<class T>() {
    parallel_evenly(rows, rows_at_once(columns), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row)
        backward_row<T>(x.raw<T>() + row * columns, raw_or_null<T>(weight), dy.raw<T>() + row * columns,
                        dx.raw<T>() + row * columns, columns, mean.raw<T>()[row], scale.raw<T>()[row], centered);
    });
    if (wants_weight || wants_bias)
      parameter_gradients<T>(x.raw<T>(), dy.raw<T>(), mean.raw<T>(), scale.raw<T>(), rows, columns,
                             raw_or_null<T>(dweight), raw_or_null<T>(dbias));
  });
  return {dx, dweight, dbias};
}

Tensors normalize_channels(const Tensor& input, const Tensor& weight, const Tensor& bias, double eps) {
  const Tensor x = in_channels(input), y = empty_like(x);
  const Channels shape(x);
  const Tensor mean = empty({shape.channels}, x.dtype()), variance = empty({shape.channels}, x.dtype());
  const auto count = static_cast<double>(shape.samples * shape.places);
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const T* __restrict const in = x.raw<T>();
    T* __restrict const out = y.raw<T>();
    // About the channel's first element, so that the squares do not cancel.
    std::vector<T> origins(static_cast<std::size_t>(shape.channels)), factors(origins.size()), shifts(origins.size());
    for (std::int64_t c = 0; c < shape.channels; ++c) origins[static_cast<std::size_t>(c)] = in[shape.origin(c)];
    const T* const origin = origins.data();
    const std::vector<double> sums = channel_sums<T>(shape, [=](std::int64_t c, std::int64_t i) {
      const T d = in[i] - origin[c];
      return Terms<T>{d, d * d};
    });
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double shift = sums[2 * i] / count, spread = std::max(0.0, sums[2 * i + 1] / count - shift * shift);
      mean.raw<T>()[c] = static_cast<T>(static_cast<double>(origins[i]) + shift);
      variance.raw<T>()[c] = static_cast<T>(std::isnan(sums[2 * i + 1]) ? sums[2 * i + 1] : spread);
      factors[i] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance.raw<T>()[c]) + eps)) *
                   (weight.defined() ? weight.raw<T>()[c] : T(1));
      shifts[i] = bias.defined() ? bias.raw<T>()[c] : T(0);
    }
    shape.each_element([=, center = mean.raw<T>(), factor = factors.data(), add = shifts.data()](
                           std::int64_t c, std::int64_t i) { out[i] = (in[i] - center[c]) * factor[c] + add[c]; });
  });
  return {y, mean, variance};
}

// With r = 1 / √(variance + eps): dx = weight·r·(dy - mean(dy) - (x - mean)·r²·mean(dy·(x - mean))).
Tensors normalize_channels_backward(const Tensor& input, const Tensor& weight, const Tensor& mean,
                                    const Tensor& variance, const Tensor& output_grad, double eps) {
  const Tensor x = in_channels(input);
  const bool reuses = output_grad.can_be_reused() && output_grad.strides() == x.strides();
  const Tensor dy = laid_out_like(output_grad, x), dx = reuses ? output_grad : empty_like(x);
  const Channels shape(x);
  const Tensor dweight = empty({shape.channels}, x.dtype()), dbias = empty({shape.channels}, x.dtype());
  const auto count = static_cast<double>(shape.samples * shape.places);
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const T* __restrict const in = x.raw<T>();
    const T* const grad = dy.raw<T>();
    const T* const center = mean.raw<T>();
    const std::vector<double> sums = channel_sums<T>(shape, [=](std::int64_t c, std::int64_t i) {
      return Terms<T>{grad[i], grad[i] * (in[i] - center[c])};
    });
    std::vector<T> scales(static_cast<std::size_t>(shape.channels)), mean_grads(scales.size()), slopes(scales.size());
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double r = 1 / std::sqrt(static_cast<double>(variance.raw<T>()[c]) + eps);
      dbias.raw<T>()[c] = static_cast<T>(sums[2 * i]);
      dweight.raw<T>()[c] = static_cast<T>(sums[2 * i + 1] * r);
      scales[i] = static_cast<T>(r) * (weight.defined() ? weight.raw<T>()[c] : T(1));
      mean_grads[i] = static_cast<T>(sums[2 * i] / count);
      slopes[i] = static_cast<T>(r * r * sums[2 * i + 1] / count);
    }
    shape.each_element([=, to = dx.raw<T>(), scale = scales.data(), mean_grad = mean_grads.data(),
                        slope = slopes.data()](std::int64_t c, std::int64_t i) {
      to[i] = scale[c] * (grad[i] - mean_grad[c] - (in[i] - center[c]) * slope[c]);
    });
  });
  return {dx, dweight, dbias};
}

Tensors affine_backward(const Tensor& x, const Tensor& weight, const Tensor& dy) {
  const std::int64_t images = dy.size(0), channels = dy.size(1);
  const std::int64_t places = dy.numel() / std::max<std::int64_t>(1, images * channels);
  const auto empty_if = [&](const Tensor& given, const Shape& shape) {
    return given.defined() ? empty(shape, dy.dtype()) : Tensor();
  };
  const Tensor dx = empty_if(weight, dy.shape()), dweight = empty_if(x, {channels}),
               dbias = empty({channels}, dy.dtype());
  dispatch_floating("affine", dy.dtype(), [&]<class T>() {
    const T *const in = raw_or_null<const T>(x), *const factors = raw_or_null<const T>(weight);
    T *const dfactors = raw_or_null<T>(dweight), *const out = raw_or_null<T>(dx);
    parallel_evenly(channels, rows_at_once(images * places), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        double of_weight = 0, of_bias = 0;
        for (std::int64_t n = 0; n < images; ++n) {
          const std::int64_t first = (n * channels + c) * places;
          const T* __restrict const grad = dy.raw<const T>() + first;
          for (std::int64_t i = 0; factors && i < places; ++i) out[first + i] = grad[i] * factors[c];
          if (in) of_weight += sum_in_lanes<double>(places, [&](std::int64_t i) { return grad[i] * in[first + i]; });
          of_bias += sum_in_lanes<double>(places, [&](std::int64_t i) { return grad[i]; });
        }
        if (dfactors) dfactors[c] = static_cast<T>(of_weight);
        dbias.raw<T>()[c] = static_cast<T>(of_bias);
      }
    });
  });
  return {dx, dweight, dbias};
}

}  // namespace eigengrad::kernels
