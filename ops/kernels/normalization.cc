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
  // Calls f(first, last) for runs of samples, on several threads.
  template <class F>
  void each_samples(F f) const {
    parallel_evenly(samples, rows_at_once(channels * places), f);
  }
  // Calls f(channel, element) for the elements of some samples, and for all of them.
  template <class F>
  void each_element_of(std::int64_t begin, std::int64_t end, F f) const {
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
  }
  template <class F>
  void each_element(F f) const {
    each_piece([&](std::int64_t piece) { each_element_of(first(piece), first(piece + 1), f); });
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

// Of those of runs, as well: a few of them in each lane.
template <class T, class F>
void add_runs(const Channels& shape, std::int64_t first, std::int64_t last, double* sums, F f) {
  constexpr std::int64_t kAtOnce = 256;
  for (std::int64_t run = first; run < last; ++run) {
    const std::int64_t c = run % shape.channels;
    for (std::int64_t begin = 0; begin < shape.places; begin += kAtOnce) {
      const std::int64_t count = std::min(kAtOnce, shape.places - begin), start = run * shape.places + begin;
      sums[2 * c] += static_cast<double>(sum_in_lanes<T>(count, [&](std::int64_t i) { return f(c, start + i).one; }));
      sums[2 * c + 1] +=
          static_cast<double>(sum_in_lanes<T>(count, [&](std::int64_t i) { return f(c, start + i).two; }));
    }
  }
}

// Added to sums [channels, 2]: the two terms f(channel, element) of some samples.
template <class T, class F>
void add_terms(const Channels& shape, std::int64_t begin, std::int64_t end, double* sums, F f) {
  if (shape.in_rows)
    add_rows<T>(shape, begin * shape.places, end * shape.places, sums, f);
  else
    add_runs<T>(shape, begin * shape.channels, end * shape.channels, sums, f);
}

// Those of all samples, added up piece by piece in order.
template <class T, class F>
std::vector<double> channel_sums(const Channels& shape, F f) {
  const auto width = static_cast<std::size_t>(2 * shape.channels);
  std::vector<double> sums(width * static_cast<std::size_t>(shape.pieces()), 0.0);
  shape.each_piece([&](std::int64_t piece) {
    double* const own = sums.data() + static_cast<std::size_t>(piece) * width;
    add_terms<T>(shape, shape.first(piece), shape.first(piece + 1), own, f);
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
// Where the gradient of x is written: over that of the output, if it may be.
Tensor place_of_gradient(const Tensor& output_grad, const Tensor& x) {
  const bool reuses = output_grad.can_be_reused() && output_grad.strides() == x.strides();
  return reuses ? output_grad : empty_like(x);
}

// The groups of channels of one sample after another.
template <class T>
class GroupsOfSample {
 public:
  GroupsOfSample(const Channels& shape, std::int64_t groups, const T* weight)
      : shape_(shape),
        groups_(groups),
        width_(shape.channels / groups),
        count_(static_cast<double>(width_ * shape.places)),
        weight_(weight),
        sums_(2 * channels()),
        centers_(channels()),
        gains_(channels()),
        shifts_(channels()),
        slopes_(channels()) {}

  // Sets mean and scale [groups] of sample n, and the sample in y.
  void normalize(std::int64_t n, const T* x, const T* bias, double eps, T* __restrict y, T* mean, T* scale) {
    set_means(n, mean, [=](std::int64_t, std::int64_t i) { return x[i]; });
    set_centers(mean);
    const T* const center = centers_.data();
    set_means(n, scale, [=](std::int64_t c, std::int64_t i) { return (x[i] - center[c]) * (x[i] - center[c]); });
    for (std::int64_t g = 0; g < groups_; ++g)
      scale[g] = static_cast<T>(1 / std::sqrt(static_cast<double>(scale[g]) + eps));
    for (std::int64_t c = 0; c < shape_.channels; ++c) {
      gains_[index(c)] = scale[c / width_] * (weight_ ? weight_[c] : T(1));
      shifts_[index(c)] = bias ? bias[c] : T(0);
    }
    shape_.each_element_of(n, n + 1, [=, gain = gains_.data(), shift = shifts_.data()](std::int64_t c, std::int64_t i) {
      y[i] = (x[i] - center[c]) * gain[c] + shift[c];
    });
  }

  // Sets the sample in dx, which may be dy, and sums [channels, 2], of dy and of dy·z, for the gradients of bias and
  // weight. With h = dy·weight and z the normalised x, for each group: dx = scale·(h - mean(h) - z·mean(h·z)).
  void differentiate(std::int64_t n, const T* x, const T* mean, const T* scale, const T* dy, T* dx, double* sums) {
    set_centers(mean);
    const T* const center = centers_.data();
    add_terms<T>(shape_, n, n + 1, sums, [=](std::int64_t c, std::int64_t i) {
      return Terms<T>{dy[i], dy[i] * (x[i] - center[c])};
    });
    for (std::int64_t c = 0; c < shape_.channels; ++c) sums[2 * c + 1] *= static_cast<double>(scale[c / width_]);
    for (std::int64_t g = 0; g < groups_; ++g) set_slopes(g, static_cast<double>(scale[g]), sums);
    shape_.each_element_of(
        n, n + 1,
        [=, gain = gains_.data(), shift = shifts_.data(), slope = slopes_.data()](std::int64_t c, std::int64_t i) {
          dx[i] = gain[c] * dy[i] - shift[c] - (x[i] - center[c]) * slope[c];
        });
  }

 private:
  static std::size_t index(std::int64_t c) { return static_cast<std::size_t>(c); }
  std::size_t channels() const { return index(shape_.channels); }
  double weight_of(std::int64_t c) const { return weight_ ? static_cast<double>(weight_[c]) : 1; }

  // The mean over each group of f(channel, element).
  template <class F>
  void set_means(std::int64_t n, T* means, F f) {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    add_terms<T>(shape_, n, n + 1, sums_.data(), [=](std::int64_t c, std::int64_t i) { return Terms<T>{f(c, i), 0}; });
    for (std::int64_t g = 0; g < groups_; ++g) {
      double sum = 0;
      for (std::int64_t c = g * width_; c < (g + 1) * width_; ++c) sum += sums_[index(2 * c)];
      means[g] = static_cast<T>(sum / count_);
    }
  }
  void set_centers(const T* mean) {
    for (std::int64_t c = 0; c < shape_.channels; ++c) centers_[index(c)] = mean[c / width_];
  }
  void set_slopes(std::int64_t g, double scale, const double* sums) {
    double of_h = 0, of_hz = 0;
    for (std::int64_t c = g * width_; c < (g + 1) * width_; ++c) {
      of_h += weight_of(c) * sums[2 * c];
      of_hz += weight_of(c) * sums[2 * c + 1];
    }
    for (std::int64_t c = g * width_; c < (g + 1) * width_; ++c) {
      gains_[index(c)] = static_cast<T>(scale * weight_of(c));
      shifts_[index(c)] = static_cast<T>(scale * of_h / count_);
      slopes_[index(c)] = static_cast<T>(scale * scale * of_hz / count_);
    }
  }

  const Channels& shape_;
  const std::int64_t groups_, width_;  // channels of a group
  const double count_;                 // of its elements
  const T* const weight_;
  std::vector<double> sums_;
  std::vector<T> centers_, gains_, shifts_, slopes_;  // of the channels
};

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
  const Tensor dy = laid_out_like(output_grad, x), dx = place_of_gradient(output_grad, x);
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

Tensors normalize_groups(const Tensor& input, std::int64_t groups, const Tensor& weight, const Tensor& bias,
                         double eps) {
  const Tensor x = in_channels(input), y = empty_like(x);
  const Channels shape(x);
  const Tensor mean = empty({shape.samples, groups}, x.dtype()), scale = empty_like(mean);
  dispatch_floating("group_norm", x.dtype(), [&]<class T>() {
    shape.each_samples([&](std::int64_t begin, std::int64_t end) {
      GroupsOfSample<T> sample(shape, groups, raw_or_null<const T>(weight));
      for (std::int64_t n = begin; n < end; ++n)
        sample.normalize(n, x.raw<const T>(), raw_or_null<const T>(bias), eps, y.raw<T>(), mean.raw<T>() + n * groups,
                         scale.raw<T>() + n * groups);
    });
  });
  return {y, mean, scale};
}

Tensors normalize_groups_backward(const Tensor& input, std::int64_t groups, const Tensor& weight, const Tensor& mean,
                                  const Tensor& scale, const Tensor& output_grad) {
  const Tensor x = in_channels(input);
  const Tensor dy = laid_out_like(output_grad, x), dx = place_of_gradient(output_grad, x);
  const Channels shape(x);
  const Tensor dweight = empty({shape.channels}, x.dtype()), dbias = empty({shape.channels}, x.dtype());
  const auto width = static_cast<std::size_t>(2 * shape.channels);
  std::vector<double> sums(width * static_cast<std::size_t>(shape.samples), 0.0);
  dispatch_floating("group_norm", x.dtype(), [&]<class T>() {
    shape.each_samples([&](std::int64_t begin, std::int64_t end) {
      GroupsOfSample<T> sample(shape, groups, raw_or_null<const T>(weight));
      for (std::int64_t n = begin; n < end; ++n)
        sample.differentiate(n, x.raw<const T>(), mean.raw<const T>() + n * groups, scale.raw<const T>() + n * groups,
                             dy.raw<const T>(), dx.raw<T>(), sums.data() + static_cast<std::size_t>(n) * width);
    });
    for (std::size_t i = width; i < sums.size(); ++i) sums[i % width] += sums[i];
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      dbias.raw<T>()[c] = static_cast<T>(sums[static_cast<std::size_t>(2 * c)]);
      dweight.raw<T>()[c] = static_cast<T>(sums[static_cast<std::size_t>(2 * c + 1)]);
    }
  });
  return {dx, dweight, dbias};
}

}  // namespace eigengrad::kernels
