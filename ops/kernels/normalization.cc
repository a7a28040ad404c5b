#include "eigengrad/ops/kernels/normalization.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {
namespace {

// Rows that a thread takes at once: some 32K elements.
std::int64_t rows_at_once(std::int64_t columns) {
  return std::max<std::int64_t>(1, (std::int64_t{1} << 15) / std::max<std::int64_t>(1, columns));
}

template <class T, class F>
double total(std::int64_t count, F f) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(f(i));
  return sum;
}

template <class T>
void forward_row(const T* __restrict x, const T* __restrict weight, const T* __restrict bias, T* __restrict y,
                 std::int64_t columns, double eps, bool centered, T& mean_out, T& scale_out) {
  const auto count = static_cast<double>(columns);
  const double mean = centered ? total<T>(columns, [&](std::int64_t i) { return x[i]; }) / count : 0;
  const auto center = static_cast<T>(mean);
  const double variance = total<T>(columns, [&](std::int64_t i) { return (x[i] - center) * (x[i] - center); }) / count;
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

// With g = dy·weight and z the normalised row: scale·(g - mean(g) - z·mean(g·z)).
template <class T>
void backward_row(const T* __restrict x, const T* __restrict weight, const T* __restrict dy, T* __restrict dx,
                  std::int64_t columns, T mean, T scale, bool centered) {
  const auto count = static_cast<double>(columns);
  const auto g = [&](std::int64_t i) { return weight ? dy[i] * weight[i] : dy[i]; };
  const auto z = [&](std::int64_t i) { return (x[i] - mean) * scale; };
  const auto mean_g = static_cast<T>(centered ? total<T>(columns, g) / count : 0);
  const auto mean_gz = static_cast<T>(total<T>(columns, [&](std::int64_t i) { return g(i) * z(i); }) / count);
  for (std::int64_t i = 0; i < columns; ++i) dx[i] = scale * (g(i) - mean_g - z(i) * mean_gz);
}

// The sums over the rows are cut into pieces by their number alone, and the pieces are added in order.
template <class T>
void parameter_gradients(const T* x, const T* dy, const T* mean, const T* scale, std::int64_t rows,
                         std::int64_t columns, T* dweight, T* dbias) {
  const std::int64_t pieces = std::clamp<std::int64_t>(rows * columns >> 15, 1, 16);
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

// x [N, C, S] in pieces of some samples each, by the shape alone.
struct Channels {
  std::int64_t samples, channels, places;
  explicit Channels(const Tensor& x)
      : samples(x.size(0)), channels(x.size(1)), places(x.numel() / (x.size(0) * x.size(1))) {}
  std::int64_t pieces() const {
    return std::clamp<std::int64_t>(samples * channels * places >> 14, 1, std::min<std::int64_t>(samples, 16));
  }
  std::int64_t first(std::int64_t piece) const { return piece * samples / pieces(); }

  // Calls f(piece, channel, offset) for each run of places that lie side by side.
  template <class F>
  void each_run(F f) const {
    parallel_for(pieces(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t piece = begin; piece < end; ++piece)
        for (std::int64_t n = first(piece); n < first(piece + 1); ++n)
          for (std::int64_t c = 0; c < channels; ++c) f(piece, c, (n * channels + c) * places);
    });
  }
};

// Two sums for each channel, added up piece by piece in order: add(channel, offset, one, two) adds those of a run.
template <class F>
std::vector<double> channel_sums(const Channels& shape, F add) {
  const auto width = static_cast<std::size_t>(2 * shape.channels);
  std::vector<double> sums(width * static_cast<std::size_t>(shape.pieces()), 0.0);
  shape.each_run([&](std::int64_t piece, std::int64_t c, std::int64_t offset) {
    double* const pair = sums.data() + static_cast<std::size_t>(piece) * width + 2 * c;
    add(c, offset, pair[0], pair[1]);
  });
  for (std::size_t i = width; i < sums.size(); ++i) sums[i % width] += sums[i];
  sums.resize(width);
  return sums;
}

}  // namespace

Tensors normalize_rows(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t columns, double eps,
                       bool centered) {
  const std::int64_t rows = x.numel() / columns;
  const Tensor y = empty(x.shape(), x.dtype()), mean = empty({rows}, x.dtype()), scale = empty({rows}, x.dtype());
  dispatch_floating("layer_norm", x.dtype(), [&]<class T>() {
    parallel_for(rows, rows_at_once(columns), [&](std::int64_t begin, std::int64_t end) {
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
    parallel_for(rows, rows_at_once(columns), [&](std::int64_t begin, std::int64_t end) {
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

Tensors normalize_channels(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const Channels shape(x);
  const Tensor y = empty(x.shape(), x.dtype());
  const Tensor mean = empty({shape.channels}, x.dtype()), variance = empty({shape.channels}, x.dtype());
  const auto count = static_cast<double>(shape.samples * shape.places);
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const T* const in = x.raw<T>();
    T* const out = y.raw<T>();
    // About the channel's first element, so that the squares do not cancel.
    const std::vector<double> sums =
        channel_sums(shape, [&](std::int64_t c, std::int64_t offset, double& total, double& squares) {
          const T* __restrict const run = in + offset;
          const T origin = in[c * shape.places];
          double one = 0, two = 0;
#pragma omp simd reduction(+ : one, two)
          for (std::int64_t i = 0; i < shape.places; ++i) {
            const auto d = static_cast<double>(run[i] - origin);
            one += d;
            two += d * d;
          }
          total += one;
          squares += two;
        });
    std::vector<T> factor(static_cast<std::size_t>(shape.channels));
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double shift = sums[2 * i] / count, spread = std::max(0.0, sums[2 * i + 1] / count - shift * shift);
      mean.raw<T>()[c] = static_cast<T>(static_cast<double>(in[c * shape.places]) + shift);
      variance.raw<T>()[c] = static_cast<T>(std::isnan(sums[2 * i + 1]) ? sums[2 * i + 1] : spread);
      factor[i] = static_cast<T>(1 / std::sqrt(static_cast<double>(variance.raw<T>()[c]) + eps)) *
                  (weight.defined() ? weight.raw<T>()[c] : T(1));
    }
    shape.each_run([&](std::int64_t, std::int64_t c, std::int64_t offset) {
      const T* __restrict const run = in + offset;
      T* __restrict const to = out + offset;
      const T center = mean.raw<T>()[c], scale = factor[static_cast<std::size_t>(c)];
      const T shift = bias.defined() ? bias.raw<T>()[c] : T(0);
      for (std::int64_t i = 0; i < shape.places; ++i) to[i] = (run[i] - center) * scale + shift;
    });
  });
  return {y, mean, variance};
}

// With r = 1 / √(variance + eps): dx = weight·r·(dy - mean(dy) - (x - mean)·r²·mean(dy·(x - mean))).
Tensors normalize_channels_backward(const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& variance,
                                    const Tensor& dy, double eps) {
  const Channels shape(x);
  const Tensor dx = empty(x.shape(), x.dtype());
  const Tensor dweight = empty({shape.channels}, x.dtype()), dbias = empty({shape.channels}, x.dtype());
  const auto count = static_cast<double>(shape.samples * shape.places);
  dispatch_floating("batch_norm", x.dtype(), [&]<class T>() {
    const T* const in = x.raw<T>();
    const T* const grad = dy.raw<T>();
    const std::vector<double> sums =
        channel_sums(shape, [&](std::int64_t c, std::int64_t offset, double& of_grad, double& of_product) {
          const T* __restrict const run = in + offset;
          const T* __restrict const g = grad + offset;
          const T center = mean.raw<T>()[c];
          double one = 0, two = 0;
#pragma omp simd reduction(+ : one, two)
          for (std::int64_t i = 0; i < shape.places; ++i) {
            one += static_cast<double>(g[i]);
            two += static_cast<double>(g[i] * (run[i] - center));
          }
          of_grad += one;
          of_product += two;
        });
    struct Factors {
      T scale, mean_grad, slope;
    };
    std::vector<Factors> factors(static_cast<std::size_t>(shape.channels));
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double r = 1 / std::sqrt(static_cast<double>(variance.raw<T>()[c]) + eps);
      dbias.raw<T>()[c] = static_cast<T>(sums[2 * i]);
      dweight.raw<T>()[c] = static_cast<T>(sums[2 * i + 1] * r);
      factors[i] = {static_cast<T>(r) * (weight.defined() ? weight.raw<T>()[c] : T(1)),
                    static_cast<T>(sums[2 * i] / count), static_cast<T>(r * r * sums[2 * i + 1] / count)};
    }
    shape.each_run([&](std::int64_t, std::int64_t c, std::int64_t offset) {
      const T* __restrict const run = in + offset;
      const T* __restrict const g = grad + offset;
      T* __restrict const to = dx.raw<T>() + offset;
      const T center = mean.raw<T>()[c];
      const auto [scale, mean_grad, slope] = factors[static_cast<std::size_t>(c)];
      for (std::int64_t i = 0; i < shape.places; ++i) to[i] = scale * (g[i] - mean_grad - (run[i] - center) * slope);
    });
  });
  return {dx, dweight, dbias};
}

}  // namespace eigengrad::kernels
