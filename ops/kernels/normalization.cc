#include "eigengrad/ops/kernels/normalization.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"

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

template <class T>
T* raw_or_null(const Tensor& x) {
  return x.defined() ? x.raw<T>() : nullptr;
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

}  // namespace eigengrad::kernels
