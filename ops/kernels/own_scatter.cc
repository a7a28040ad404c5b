#include "eigengrad/ops/kernels/own_scatter.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/own_product.h"
#include "eigengrad/ops/kernels/own_windows.h"

namespace eigengrad::kernels {
namespace {

std::int64_t taps_of(const ConvolutionShape& s) { return s.window.kernel[0] * s.window.kernel[1]; }

// The weight [out, in, taps] as a packed right operand: a row for each output channel, a column for each tap and input
// channel.
template <class T>
void pack_weight(const Tiles<T>& tiles, const ConvolutionShape& s, const T* weight, T* packed) {
  const std::int64_t taps = taps_of(s), columns = taps * s.channels;
  const RoomOf<T> turned(s.out_channels * columns);
  for (std::int64_t o = 0; o < s.out_channels; ++o)
    tiles.transpose(weight + o * columns, taps, s.channels, taps, turned.data() + o * columns, s.channels);
  tiles.pack(turned.data(), columns, 1, s.out_channels, columns, nullptr, packed);
}

// Adds what a window [taps, channels] at output place (row, column) gives to the pixels of an image.
template <class T>
void add_window(const ConvolutionShape& s, const T* __restrict from, std::int64_t row, std::int64_t column,
                T* __restrict image) {
  const Window& w = s.window;
  const std::int64_t top = row * w.stride[0] - w.padding[0], left = column * w.stride[1] - w.padding[1];
  // Taps side by side are one run of memory.
  const bool is_dense = w.dilation[1] == 1;
  const std::int64_t first = is_dense ? std::clamp<std::int64_t>(-left, 0, w.kernel[1]) : 0;
  const std::int64_t end = is_dense ? std::clamp<std::int64_t>(s.width - left, first, w.kernel[1]) : w.kernel[1];
  for (std::int64_t i = 0; i < w.kernel[0]; ++i) {
    const std::int64_t y = top + i * w.dilation[0];
    if (y < 0 || y >= s.height) continue;
    const T* __restrict const taps = from + i * w.kernel[1] * s.channels;
    T* __restrict const pixels = image + y * s.width * s.channels;
    if (is_dense) {
      for (std::int64_t k = first * s.channels; k < end * s.channels; ++k) pixels[left * s.channels + k] += taps[k];
      continue;
    }
    for (std::int64_t j = 0; j < w.kernel[1]; ++j) {
      const std::int64_t x = left + j * w.dilation[1];
      if (x < 0 || x >= s.width) continue;
      for (std::int64_t c = 0; c < s.channels; ++c) pixels[x * s.channels + c] += taps[j * s.channels + c];
    }
  }
}

}  // namespace

template <class T>
bool suits_scatter(const Tiles<T>& tiles, const ConvolutionShape& s) {
  // How much adding costs beside multiplying, and what gathering must cost at least to be left.
  constexpr double kAdding = 11, kMargin = 1.25;
  if (s.groups != 1) return false;
  const std::int64_t taps = taps_of(s), columns = taps * s.channels, whole = columns / tiles.width * tiles.width;
  const auto gathering = static_cast<double>(s.height * s.width * taps / (s.window.stride[0] * s.window.stride[1])) *
                         static_cast<double>(s.out_channels * tiles.filled(s.channels));
  const double scattering = static_cast<double>(s.out_height * s.out_width) *
                            (static_cast<double>(s.out_channels * (whole + tiles.filled(columns - whole))) +
                             kAdding * static_cast<double>(columns));
  return s.channels < tiles.width && gathering > kMargin * scattering;
}

template <class T>
void scatter_input_grad(const Tiles<T>& tiles, const ConvolutionShape& s, const T* dy, const T* weight, T* dx) {
  constexpr std::int64_t kRows = 96;
  const std::int64_t columns = taps_of(s) * s.channels, places = s.out_height * s.out_width;
  const std::int64_t image = s.height * s.width * s.channels, size = block_size(places, kRows, 6);
  const RoomOf<T> packed(tiles.packed_size(s.out_channels, columns));
  pack_weight(tiles, s, weight, packed.data());
  const std::int64_t work = places * s.out_channels * columns;
  parallel_for(s.images, std::max<std::int64_t>(1, kWorthAThread / work), [&](std::int64_t begin, std::int64_t end) {
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
          add_window(s, right[i], (place + i) / s.out_width, (place + i) % s.out_width, dx + n * image);
      }
  });
}

template bool suits_scatter(const Tiles<float>&, const ConvolutionShape&);
template bool suits_scatter(const Tiles<double>&, const ConvolutionShape&);
template void scatter_input_grad(const Tiles<float>&, const ConvolutionShape&, const float*, const float*, float*);
template void scatter_input_grad(const Tiles<double>&, const ConvolutionShape&, const double*, const double*, double*);

}  // namespace eigengrad::kernels
