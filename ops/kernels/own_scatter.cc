#include "eigengrad/ops/kernels/own_scatter.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/own_product.h"
#include "eigengrad/ops/kernels/room.h"
#include "eigengrad/ops/kernels/wide.h"

namespace eigengrad::kernels {
namespace {

// What a window gives, in runs of memory: its taps side by side are one, unless they are apart. A run is filled up with
// zeros to whole vectors.
template <class T>
struct Runs {
  std::int64_t across, taps, padded;  // runs of a row of the window; taps and elements of a run
  std::int64_t columns;               // of all runs
  explicit Runs(const ConvolutionShape& s) {
    const bool dense = s.window.dilation[1] == 1;
    taps = dense ? s.window.kernel[1] : 1;
    across = s.window.kernel[1] / taps;
    padded = (taps * s.channels + Wide<T>::kLanes - 1) / Wide<T>::kLanes * Wide<T>::kLanes;
    columns = s.window.kernel[0] * across * padded;
  }
};

// The weight [out, in, taps] as a packed right operand: a row for each output channel, a column for each element of a
// run.
template <class T>
void pack_weight(const Tiles<T>& tiles, const ConvolutionShape& s, const Runs<T>& runs, const T* weight, T* packed) {
  const std::int64_t all = s.window.kernel[0] * s.window.kernel[1], count = s.out_channels * runs.columns;
  const RoomOf<T> turned(count);
  std::fill_n(turned.data(), count, T(0));
  for (std::int64_t o = 0; o < s.out_channels; ++o)
    for (std::int64_t tap = 0; tap < all; tap += runs.taps)
      tiles.transpose(weight + o * s.channels * all + tap, all, s.channels, runs.taps,
                      turned.data() + o * runs.columns + tap / runs.taps * runs.padded, s.channels);
  tiles.pack(turned.data(), runs.columns, 1, s.out_channels, runs.columns, nullptr, packed);
}

// Adds a run to the pixels of one line, the first of which is (y, x) of an image. The zeros at its end are added to
// what follows, if that is of the image.
template <class T>
void add_run(const ConvolutionShape& s, const Runs<T>& runs, const T* from, std::int64_t y, std::int64_t x, T* image) {
  const std::int64_t size = s.height * s.width * s.channels, at = (y * s.width + x) * s.channels;
  if (x >= 0 && x + runs.taps <= s.width && at + runs.padded <= size) {
    for (std::int64_t k = 0; k < runs.padded; k += Wide<T>::kLanes)
      Wide<T>::at(image + at + k) += Wide<T>::at(from + k);
    return;
  }
  const std::int64_t first = std::clamp<std::int64_t>(-x, 0, runs.taps);
  const std::int64_t end = std::clamp<std::int64_t>(s.width - x, first, runs.taps);
  for (std::int64_t k = first * s.channels; k < end * s.channels; ++k) image[at + k] += from[k];
}

// Adds what the window at output place (row, column) gives.
template <class T>
void add_window(const ConvolutionShape& s, const Runs<T>& runs, const T* from, std::int64_t row, std::int64_t column,
                T* image) {
  const Window& w = s.window;
  const std::int64_t top = row * w.stride[0] - w.padding[0], left = column * w.stride[1] - w.padding[1];
  for (std::int64_t i = 0; i < w.kernel[0]; ++i, from += runs.across * runs.padded) {
    const std::int64_t y = top + i * w.dilation[0];
    if (y < 0 || y >= s.height) continue;
    for (std::int64_t j = 0; j < runs.across; ++j)
      add_run(s, runs, from + j * runs.padded, y, left + j * w.dilation[1], image);
  }
}

}  // namespace

template <class T>
bool suits_scatter(const Tiles<T>& tiles, const ConvolutionShape& s) {
  // How much adding costs beside multiplying, and what gathering must cost at least to be left.
  constexpr double kAdding = 5, kMargin = 1.25;
  if (s.groups != 1) return false;
  const Runs<T> runs(s);
  const std::int64_t taps = s.window.kernel[0] * s.window.kernel[1];
  const std::int64_t whole = runs.columns / tiles.width * tiles.width;
  const auto gathering = static_cast<double>(s.height * s.width * taps / (s.window.stride[0] * s.window.stride[1])) *
                         static_cast<double>(s.out_channels * tiles.filled(s.channels));
  const double multiplying = static_cast<double>(s.out_channels * (whole + tiles.filled(runs.columns - whole)));
  const double scattering =
      static_cast<double>(s.out_height * s.out_width) * (multiplying + kAdding * static_cast<double>(runs.columns));
  return s.channels < tiles.width && gathering > kMargin * scattering;
}

template <class T>
void scatter_input_grad(const Tiles<T>& tiles, const ConvolutionShape& s, const T* dy, const T* weight, T* dx) {
  constexpr std::int64_t kRows = 96;
  const Runs<T> runs(s);
  const std::int64_t columns = runs.columns, places = s.out_height * s.out_width;
  const std::int64_t image = s.height * s.width * s.channels, size = block_size(places, kRows, 6);
  const RoomOf<T> packed(tiles.packed_size(s.out_channels, columns));
  pack_weight(tiles, s, runs, weight, packed.data());
  const std::int64_t work = places * s.out_channels * columns;
  parallel_evenly(s.images, std::max<std::int64_t>(1, kWorthAThread / work), [&](std::int64_t begin, std::int64_t end) {
    const RoomOf<T> windows(size * columns);
    const T* left[kRows];
    T* right[kRows];
    for (std::int64_t i = 0; i < size; ++i) right[i] = windows.data() + i * columns;
    std::fill_n(dx + begin * image, (end - begin) * image, T(0));
    for (std::int64_t n = begin; n < end; ++n)
      for (std::int64_t place = 0; place < places; place += size) {
        const std::int64_t here = std::min(size, places - place);
        for (std::int64_t i = 0; i < here; ++i) left[i] = dy + (n * places + place + i) * s.out_channels;
        const std::int64_t depth = block_size(s.out_channels, kBlockDepth, 8);
        for (std::int64_t term = 0; term < s.out_channels; term += depth) {
          const Segment some{term, std::min(depth, s.out_channels - term)};
          RowsProduct<T>{tiles,         left,           right,   here, &some,    1,      1,
                         packed.data(), s.out_channels, columns, term, term > 0, nullptr}
              .run();
        }
        for (std::int64_t i = 0; i < here; ++i)
          add_window(s, runs, right[i], (place + i) / s.out_width, (place + i) % s.out_width, dx + n * image);
      }
  });
}

template bool suits_scatter(const Tiles<float>&, const ConvolutionShape&);
template bool suits_scatter(const Tiles<double>&, const ConvolutionShape&);
template void scatter_input_grad(const Tiles<float>&, const ConvolutionShape&, const float*, const float*, float*);
template void scatter_input_grad(const Tiles<double>&, const ConvolutionShape&, const double*, const double*, double*);

}  // namespace eigengrad::kernels
