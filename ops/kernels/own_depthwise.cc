#include "eigengrad/ops/kernels/own_depthwise.h"

#include <algorithm>
#include <array>
#include <vector>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/own_convolution.h"
#include "eigengrad/ops/kernels/pieces.h"
#include "eigengrad/ops/kernels/room.h"
#include "eigengrad/ops/kernels/tiles.h"
#include "eigengrad/ops/kernels/wide.h"

namespace eigengrad::kernels {
namespace {

// A tap that touches a place along one axis, and what it touches there, on the other side.
struct Touch {
  std::int64_t other, tap;
};
// By place along the axis.
using Touches = std::vector<std::vector<Touch>>;

std::int64_t extent_of(const ConvolutionShape& s, std::size_t axis) { return axis == 0 ? s.height : s.width; }
std::int64_t places_of(const ConvolutionShape& s, std::size_t axis) { return axis == 0 ? s.out_height : s.out_width; }

// Of every output place, the inputs it reads; or of every input place, the outputs that read it.
Touches touches(const ConvolutionShape& s, std::size_t axis, bool of_outputs) {
  const Window& w = s.window;
  Touches all(static_cast<std::size_t>(of_outputs ? places_of(s, axis) : extent_of(s, axis)));
  for (std::int64_t place = 0; place < places_of(s, axis); ++place)
    for (std::int64_t tap = 0; tap < w.kernel[axis]; ++tap) {
      const std::int64_t at = place * w.stride[axis] + tap * w.dilation[axis] - w.padding[axis];
      if (at < 0 || at >= extent_of(s, axis)) continue;
      if (of_outputs)
        all[static_cast<std::size_t>(place)].push_back({at, tap});
      else
        all[static_cast<std::size_t>(at)].push_back({place, tap});
    }
  return all;
}

std::int64_t taps_of(const ConvolutionShape& s) { return s.window.kernel[0] * s.window.kernel[1]; }

// Calls f.operator()<V, count>(first): so many vectors of V from channel `first` on. Two at a time, then one, then the
// channels that do not fill a vector.
template <class T, class F>
void each_block(std::int64_t channels, F f) {
  constexpr std::int64_t kLanes = Wide<T>::kLanes;
  std::int64_t c = 0;
  for (; c + 2 * kLanes <= channels; c += 2 * kLanes) f.template operator()<Wide<T>, 2>(c);
  for (; c + kLanes <= channels; c += kLanes) f.template operator()<Wide<T>, 1>(c);
  for (; c < channels; ++c) f.template operator()<Single<T>, 1>(c);
}

// Multiplications that are worth another piece of the work.
constexpr std::int64_t kWorthAPiece = 1 << 17;

// Every pixel of `to` is the sum of those of `from` that the taps join it with, times the weights: which is both the
// convolution and the gradient of its input.
template <class T>
class Gathering {
 public:
  /// Of outputs from inputs, or of inputs from outputs.
  Gathering(const ConvolutionShape& shape, bool of_outputs)
      : s_(shape),
        rows_(touches(shape, 0, of_outputs)),
        columns_(touches(shape, 1, of_outputs)),
        from_height_(of_outputs ? shape.height : shape.out_height),
        from_width_(of_outputs ? shape.width : shape.out_width),
        step_(of_outputs ? shape.window.stride[1] : 1) {
    for (std::size_t place = 0; place < columns_.size(); ++place) alike_.push_back(are_alike(place));
  }

  void run(const T* from, const T* weight, const Epilogue& end, T* to) const {
    const std::int64_t channels = s_.channels, taps = taps_of(s_);
    const RoomOf<T> turned(channels * taps);
    tiles<T>().transpose(weight, taps, channels, taps, turned.data(), channels);
    const auto height = static_cast<std::int64_t>(rows_.size()), width = static_cast<std::int64_t>(columns_.size());
    const std::int64_t grain =
        std::max<std::int64_t>(1, kWorthAPiece / std::max<std::int64_t>(1, width * channels * taps));
    parallel_evenly(s_.images * height, grain, [&](std::int64_t begin, std::int64_t until) {
      for (std::int64_t row = begin; row < until; ++row)
        run_row(from + row / height * from_height_ * from_width_ * channels,
                rows_[static_cast<std::size_t>(row % height)], turned.data(), end, to + row * width * channels);
    });
  }

 private:
  void run_row(const T* image, const std::vector<Touch>& touched, const T* weight, const Epilogue& end, T* to) const {
    const auto width = static_cast<std::int64_t>(columns_.size());
    for (std::int64_t place = 0; place < width;) {
      if (place + kTogether <= width && alike_[static_cast<std::size_t>(place)]) {
        run_places<kTogether>(image, touched, place, weight, end, to + place * s_.channels);
        place += kTogether;
      } else {
        run_places<1>(image, touched, place, weight, end, to + place * s_.channels);
        ++place;
      }
    }
  }

  // So many pixels side by side, which the same taps join with pixels side by side: a weight that has been read serves
  // them all.
  template <int kPlaces>
  void run_places(const T* image, const std::vector<Touch>& touched, std::int64_t place, const T* weight,
                  const Epilogue& end, T* to) const {
    const std::int64_t channels = s_.channels;
    const std::vector<Touch>& beside = columns_[static_cast<std::size_t>(place)];
    const T* const bias = end.bias_from<T>(0);
    each_block<T>(channels, [&]<class V, int kCount>(std::int64_t first) {
      using Vector = typename V::Vector;
      Vector sums[kPlaces][kCount];
#pragma GCC unroll 4
      for (int p = 0; p < kPlaces; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < kCount; ++v) sums[p][v] = bias ? V::at(bias + first + v * V::kLanes) : Vector{};
      for (const Touch& row : touched)
        for (const Touch& column : beside) {
          const T* const x = image + (row.other * from_width_ + column.other) * channels + first;
          const T* const w = weight + (row.tap * s_.window.kernel[1] + column.tap) * channels + first;
#pragma GCC unroll 4
          for (int v = 0; v < kCount; ++v) {
            const Vector factor = V::at(w + v * V::kLanes);
#pragma GCC unroll 4
            for (int p = 0; p < kPlaces; ++p) sums[p][v] += V::at(x + p * step_ * channels + v * V::kLanes) * factor;
          }
        }
#pragma GCC unroll 4
      for (int p = 0; p < kPlaces; ++p)
#pragma GCC unroll 4
        for (int v = 0; v < kCount; ++v) {
          if (end.relu) sums[p][v] = sums[p][v] <= Vector{} ? Vector{} : sums[p][v];
          V::at(to + p * channels + first + v * V::kLanes) = sums[p][v];
        }
    });
  }

  // Whether the places from here on can be run together.
  bool are_alike(std::size_t place) const {
    for (std::size_t k = 1; k < kTogether; ++k) {
      if (place + k >= columns_.size() || columns_[place + k].size() != columns_[place].size()) return false;
      for (std::size_t i = 0; i < columns_[place].size(); ++i) {
        const Touch &one = columns_[place][i], &other = columns_[place + k][i];
        if (other.tap != one.tap || other.other != one.other + static_cast<std::int64_t>(k) * step_) return false;
      }
    }
    return true;
  }

  static constexpr std::int64_t kTogether = 4;
  const ConvolutionShape& s_;
  const Touches rows_, columns_;
  const std::int64_t from_height_, from_width_;
  const std::int64_t step_;  // along a row, between what places side by side read
  std::vector<bool> alike_;  // by place: whether those from it on, kTogether of them, can be run together
};

}  // namespace

bool is_depthwise(const ConvolutionShape& s) {
  return s.groups > 1 && s.groups == s.channels && s.groups == s.out_channels;
}

template <class T>
void own_depthwise(const ConvolutionShape& s, const T* x, const T* weight, const Epilogue& end, T* y) {
  Gathering<T>(s, true).run(x, weight, end, y);
}

template <class T>
void own_depthwise_input_grad(const ConvolutionShape& s, const T* dy, const T* weight, T* dx) {
  Gathering<T>(s, false).run(dy, weight, {}, dx);
}

namespace {

// The products of one row of outputs with the rows of inputs that it reads, added to sums [taps, channels]. Along a row
// a tap joins outputs begin, begin + 1, .. with inputs a stride apart.
template <class T>
struct WeightSums {
  const ConvolutionShape& s;
  const Touches rows = touches(s, 0, true);

  void add_row(const T* image, const T* dy, std::int64_t place, T* sums) const {
    const std::int64_t width = s.window.kernel[1];
    for (const Touch& row : rows[static_cast<std::size_t>(place)]) {
      const T* const x = image + row.other * s.width * s.channels;
      T* const of_row = sums + row.tap * width * s.channels;
      std::int64_t tap = 0;
      for (; tap + 3 <= width; tap += 3) add_taps<3>(x, dy, tap, of_row);
      for (; tap < width; ++tap) add_taps<1>(x, dy, tap, of_row);
    }
  }

 private:
  // Input stride·place + shift(tap) belongs to output `place`.
  std::int64_t shift(std::int64_t tap) const { return tap * s.window.dilation[1] - s.window.padding[1]; }
  std::int64_t first_place(std::int64_t tap) const {
    const std::int64_t stride = s.window.stride[1];
    return shift(tap) >= 0 ? 0 : (-shift(tap) + stride - 1) / stride;
  }
  std::int64_t end_of_places(std::int64_t tap) const {
    const std::int64_t last = s.width - 1 - shift(tap);
    return std::min(s.out_width, last >= 0 ? last / s.window.stride[1] + 1 : 0);
  }

  // So many taps side by side: where all of them belong to a place, its gradient is read once for them.
  template <int kTaps>
  void add_taps(const T* x, const T* dy, std::int64_t tap, T* sums) const {
    const std::int64_t begin = first_place(tap), end = std::max(begin, end_of_places(tap + kTaps - 1));
    if constexpr (kTaps > 1) {
      // Later taps begin earlier, and earlier ones end later.
      for (int t = 1; t < kTaps; ++t)
        add_places<1>(x, dy, tap + t, first_place(tap + t), std::min(begin, end_of_places(tap + t)), sums);
      for (int t = 0; t + 1 < kTaps; ++t)
        add_places<1>(x, dy, tap + t, std::max(end, first_place(tap + t)), end_of_places(tap + t), sums);
    }
    add_places<kTaps>(x, dy, tap, begin, end, sums);
  }

  template <int kTaps>
  void add_places(const T* x, const T* dy, std::int64_t tap, std::int64_t begin, std::int64_t end, T* sums) const {
    if (begin >= end) return;
    const std::int64_t stride = s.window.stride[1], between = s.window.dilation[1] * s.channels;
    each_block<T>(s.channels, [&]<class V, int kCount>(std::int64_t first) {
      typename V::Vector total[kTaps][kCount] = {};
      for (std::int64_t place = begin; place < end; ++place) {
        const T* const in = x + (place * stride + shift(tap)) * s.channels + first;
        const T* const out = dy + place * s.channels + first;
#pragma GCC unroll 4
        for (int v = 0; v < kCount; ++v) {
          const typename V::Vector factor = V::at(out + v * V::kLanes);
#pragma GCC unroll 4
          for (int t = 0; t < kTaps; ++t) total[t][v] += V::at(in + t * between + v * V::kLanes) * factor;
        }
      }
#pragma GCC unroll 4
      for (int t = 0; t < kTaps; ++t)
#pragma GCC unroll 4
        for (int v = 0; v < kCount; ++v) V::at(sums + (tap + t) * s.channels + first + v * V::kLanes) += total[t][v];
    });
  }
};

}  // namespace

// Sums of a row go to those of an image, and those to the whole, so that no sum is long; in pieces chosen by the shape.
template <class T>
void own_depthwise_weight_grad(const ConvolutionShape& s, const T* x, const T* dy, T* dweight) {
  const std::int64_t size = taps_of(s) * s.channels, work = s.images * s.out_height * s.out_width * size;
  const std::int64_t pieces = piece_count(work / kWorthAPiece, std::min<std::int64_t>(8, s.images));
  const RoomOf<T> sums(pieces * size);
  const WeightSums<T> of{s};
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    const RoomOf<T> one(size);
    for (std::int64_t piece = begin; piece < end; ++piece) {
      T* const all = sums.data() + piece * size;
      std::fill_n(all, size, T(0));
      for (std::int64_t image = piece * s.images / pieces; image < (piece + 1) * s.images / pieces; ++image) {
        std::fill_n(one.data(), size, T(0));
        for (std::int64_t row = 0; row < s.out_height; ++row)
          of.add_row(x + image * s.height * s.width * s.channels,
                     dy + (image * s.out_height + row) * s.out_width * s.channels, row, one.data());
        for (std::int64_t i = 0; i < size; ++i) all[i] += one[i];
      }
    }
  });
  add_up(sums.data() + size, pieces - 1, size, size, sums.data());
  tiles<T>().transpose(sums.data(), s.channels, taps_of(s), s.channels, dweight, taps_of(s));
}

template void own_depthwise(const ConvolutionShape&, const float*, const float*, const Epilogue&, float*);
template void own_depthwise(const ConvolutionShape&, const double*, const double*, const Epilogue&, double*);
template void own_depthwise_input_grad(const ConvolutionShape&, const float*, const float*, float*);
template void own_depthwise_input_grad(const ConvolutionShape&, const double*, const double*, double*);
template void own_depthwise_weight_grad(const ConvolutionShape&, const float*, const float*, float*);
template void own_depthwise_weight_grad(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace eigengrad::kernels
