#include "eigengrad/ops/kernels/softmax.h"

#include <cmath>
#include <limits>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/kernels/lanes.h"

namespace eigengrad::kernels {
namespace {

constexpr std::int64_t kWidth = 64;

// Neighbouring columns along which softmaxes are taken: element i of column j is number i * step + j. Where the axis is
// the last one a tile is a single row, with a step of 1.
struct Tile {
  std::int64_t extent, step, width;
  bool is_row() const { return step == 1; }
};

// Calls f(tile, number of its first element, number of its first sample), on several threads.
template <class F>
void for_each_tile(const AxisView& view, F f) {
  if (view.extent == 0 || view.inner == 0) return;
  const std::int64_t blocks = (view.inner + kWidth - 1) / kWidth;
  const std::int64_t grain = grain_for(view.extent * std::min(view.inner, kWidth));
  parallel_evenly(view.outer * blocks, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      const std::int64_t o = piece / blocks, first = piece % blocks * kWidth;
      const Tile tile{view.extent, view.inner, std::min(kWidth, view.inner - first)};
      f(tile, o * view.extent * view.inner + first, o * view.inner + first);
    }
  });
}

// Calls f(k, j) for each element k, of column j.
template <class F>
void for_each_element(const Tile& tile, F f) {
  if (tile.is_row()) {
#pragma omp simd
    for (std::int64_t k = 0; k < tile.extent; ++k) f(k, 0);
    return;
  }
  for (std::int64_t i = 0; i < tile.extent; ++i) {
#pragma omp simd
    for (std::int64_t j = 0; j < tile.width; ++j) f(i * tile.step + j, j);
  }
}

template <class T, class F>
void sum_columns(const Tile& tile, F f, T* out) {
  if (tile.is_row()) {
    *out = sum_of_row<T>(tile.extent, [&](std::int64_t k) { return f(k, 0); });
    return;
  }
  std::fill_n(out, tile.width, T(0));
  for_each_element(tile, [&](std::int64_t k, std::int64_t j) { out[j] += f(k, j); });
}

// A NaN may be passed over here: the exponentials bring it back.
template <class T>
void max_columns(const Tile& tile, const T* x, T* out) {
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  if (tile.is_row()) {
    *out =
        best_in_lanes(x, tile.extent, kLowest, [](auto& best, const auto& here) { best = here > best ? here : best; });
    return;
  }
  std::fill_n(out, tile.width, kLowest);
  for_each_element(tile, [&](std::int64_t k, std::int64_t j) { out[j] = x[k] > out[j] ? x[k] : out[j]; });
}

// e = e^(x - max), and its sums.
template <class T>
void exponentials(const Tile& tile, const T* x, T* e, T* sum) {
  T max[kWidth];
  max_columns(tile, x, max);
  for_each_element(tile, [&](std::int64_t k, std::int64_t j) { e[k] = exp(x[k] - max[j]); });
  sum_columns(
      tile, [=](std::int64_t k, std::int64_t) { return e[k]; }, sum);
}

// The maxima, and log Σ e^(x - max).
template <class T>
void normalizers(const Tile& tile, const T* x, T* max, T* log_sum) {
  max_columns(tile, x, max);
  sum_columns(
      tile, [=](std::int64_t k, std::int64_t j) { return exp(x[k] - max[j]); }, log_sum);
  for (std::int64_t j = 0; j < tile.width; ++j) log_sum[j] = std::log(log_sum[j]);
}

}  // namespace

template <class T>
void softmax(const AxisView& view, const T* x, T* out) {
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t) {
    T sum[kWidth];
    T* y = out + first;
    exponentials(tile, x + first, y, sum);
    for_each_element(tile, [&](std::int64_t k, std::int64_t j) { y[k] /= sum[j]; });
  });
}

template <class T>
void log_softmax(const AxisView& view, const T* x, T* out) {
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t) {
    T max[kWidth], log_sum[kWidth];
    const T* in = x + first;
    T* y = out + first;
    normalizers(tile, in, max, log_sum);
    for_each_element(tile, [&](std::int64_t k, std::int64_t j) { y[k] = (in[k] - max[j]) - log_sum[j]; });
  });
}

template <class T>
void softmax_grad(const AxisView& view, const T* y, const T* g, T* out) {
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t) {
    T dot[kWidth];
    const T *p = y + first, *d = g + first;
    T* to = out + first;
    sum_columns(
        tile, [=](std::int64_t k, std::int64_t) { return d[k] * p[k]; }, dot);
    for_each_element(tile, [&](std::int64_t k, std::int64_t j) { to[k] = p[k] * (d[k] - dot[j]); });
  });
}

template <class T>
void log_softmax_grad(const AxisView& view, const T* y, const T* g, T* out) {
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t) {
    T sum[kWidth];
    const T *log_p = y + first, *d = g + first;
    T* to = out + first;
    sum_columns(
        tile, [=](std::int64_t k, std::int64_t) { return d[k]; }, sum);
    for_each_element(tile, [&](std::int64_t k, std::int64_t j) { to[k] = d[k] - exp(log_p[k]) * sum[j]; });
  });
}

template <class T>
void target_distribution(const AxisView& view, const Targets<T>& targets, T* q) {
  const T smooth = targets.smoothing / static_cast<T>(view.extent);
  const auto weight = [&](std::int64_t c) { return targets.weights ? targets.weights[c] : T(1); };
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t sample) {
    for (std::int64_t j = 0; j < tile.width; ++j) {
      const std::int64_t target = targets.classes[sample + j];
      for (std::int64_t c = 0; c < tile.extent; ++c)
        q[first + c * tile.step + j] = target == targets.ignored ? T(0) : smooth * weight(c);
      if (target != targets.ignored) q[first + target * tile.step + j] += (1 - targets.smoothing) * weight(target);
    }
  });
}

template <class T>
void cross_entropy(const AxisView& view, const T* x, const Targets<T>& targets, T* loss) {
  const T smooth = targets.smoothing / static_cast<T>(view.extent);
  const auto weight = [&](std::int64_t c) { return targets.weights ? targets.weights[c] : T(1); };
  std::fill_n(loss, view.outer * view.inner, T(0));  // where there are no classes, all targets are ignored
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t sample) {
    T max[kWidth], log_sum[kWidth];
    normalizers(tile, x + first, max, log_sum);
    for (std::int64_t j = 0; j < tile.width; ++j) {
      const std::int64_t target = targets.classes[sample + j];
      if (target == targets.ignored) continue;
      const auto surprise = [&](std::int64_t c) { return log_sum[j] - (x[first + c * tile.step + j] - max[j]); };
      T total = (1 - targets.smoothing) * weight(target) * surprise(target);
      if (smooth > 0)
        total += smooth * sum_of_row<T>(tile.extent, [&](std::int64_t c) { return weight(c) * surprise(c); });
      loss[sample + j] = total;
    }
  });
}

template <class T>
void cross_entropy_grad(const AxisView& view, const T* x, const Targets<T>& targets, const T* scale, bool one_scale,
                        T* out) {
  const T smooth = targets.smoothing / static_cast<T>(view.extent);
  const auto weight = [&](std::int64_t c) { return targets.weights ? targets.weights[c] : T(1); };
  T smooth_total = 0;
  for (std::int64_t c = 0; c < view.extent; ++c) smooth_total += smooth * weight(c);
  for_each_tile(view, [&](const Tile& tile, std::int64_t first, std::int64_t sample) {
    T sum[kWidth], factor[kWidth], uniform[kWidth];
    T* to = out + first;
    exponentials(tile, x + first, to, sum);
    for (std::int64_t j = 0; j < tile.width; ++j) {
      const std::int64_t target = targets.classes[sample + j];
      const T by = scale[one_scale ? 0 : sample + j];
      const bool counts = target != targets.ignored;
      factor[j] = counts ? by * ((1 - targets.smoothing) * weight(target) + smooth_total) / sum[j] : T(0);
      uniform[j] = counts ? by * smooth : T(0);
    }
    for_each_element(tile, [&](std::int64_t k, std::int64_t j) { to[k] *= factor[j]; });
    if (smooth > 0 && tile.is_row())
      for (std::int64_t c = 0; c < tile.extent; ++c) to[c] -= uniform[0] * weight(c);
    else if (smooth > 0)
      for (std::int64_t c = 0; c < tile.extent; ++c)
        for (std::int64_t j = 0; j < tile.width; ++j) to[c * tile.step + j] -= uniform[j] * weight(c);
    for (std::int64_t j = 0; j < tile.width; ++j) {
      const std::int64_t target = targets.classes[sample + j];
      if (target != targets.ignored)
        to[target * tile.step + j] -= scale[one_scale ? 0 : sample + j] * (1 - targets.smoothing) * weight(target);
      else  // also where the sample is not finite
        for (std::int64_t c = 0; c < tile.extent; ++c) to[c * tile.step + j] = 0;
    }
  });
}

template void softmax(const AxisView&, const float*, float*);
template void softmax(const AxisView&, const double*, double*);
template void log_softmax(const AxisView&, const float*, float*);
template void log_softmax(const AxisView&, const double*, double*);
template void softmax_grad(const AxisView&, const float*, const float*, float*);
template void softmax_grad(const AxisView&, const double*, const double*, double*);
template void log_softmax_grad(const AxisView&, const float*, const float*, float*);
template void log_softmax_grad(const AxisView&, const double*, const double*, double*);
template void target_distribution(const AxisView&, const Targets<float>&, float*);
template void target_distribution(const AxisView&, const Targets<double>&, double*);
template void cross_entropy(const AxisView&, const float*, const Targets<float>&, float*);
template void cross_entropy(const AxisView&, const double*, const Targets<double>&, double*);
template void cross_entropy_grad(const AxisView&, const float*, const Targets<float>&, const float*, bool, float*);
template void cross_entropy_grad(const AxisView&, const double*, const Targets<double>&, const double*, bool, double*);

}  // namespace eigengrad::kernels
