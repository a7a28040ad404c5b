// The gradient of a convolution's weight, and that of its bias.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/own_convolution.h"
#include "eigengrad/ops/kernels/own_product.h"
#include "eigengrad/ops/kernels/own_windows.h"
#include "eigengrad/ops/kernels/own_winograd.h"
#include "eigengrad/ops/kernels/pairs.h"
#include "eigengrad/ops/kernels/rounded.h"

namespace eigengrad::kernels {
namespace {

// The sums of one piece of the images for some rows (taps and input channels) of one group: sums[row][column] +=
// Σ over windows of pixel · gradient.
template <class T>
class WeightSums {
 public:
  WeightSums(const Tiles<T>& tiles, const ConvolutionShape& s, const T* x, const T* dy, std::int64_t group,
             std::int64_t first_row, std::int64_t rows)
      : tiles_(tiles),
        s_(s),
        g_(s),
        x_(x),
        dy_(dy),
        group_(group),
        first_row_(first_row),
        rows_(rows),
        windows_(forward_windows(s)) {}

  // Over the images [begin, end).
  void run(std::int64_t begin, std::int64_t end, T* sums) const {
    constexpr std::int64_t kPixels = 384;
    const Images images{end - begin, s_.height, s_.width, s_.channels};
    const Blocks blocks(windows_, images.count, kPixels);
    BlockReader<T> reader(x_ + begin * images.size(), images, windows_, blocks);
    const std::int64_t width = windows_.places[1], places = windows_.places[0] * width;
    const RoomOf<T> packed(tiles_.packed_size(blocks.rows * width, g_.out));
    const RoomOf<const T*> starts(rows_);
    const RoomOf<T*> outs(rows_);
    for (std::int64_t row = 0; row < rows_; ++row) outs[row] = sums + row * g_.out;
    std::vector<Segment> segments;
    for (std::int64_t block = 0; block < blocks.count; ++block) {
      const std::int64_t count = reader.read(block);
      const T* const dy = dy_ + (begin * places + block * blocks.rows * width) * s_.out_channels + group_ * g_.out;
      tiles_.pack(dy, s_.out_channels, 1, count, g_.out, nullptr, packed.data());
      segments.clear();
      for (std::int64_t window = 0; window < count; window += width)
        segments.push_back({reader.starts()[window] - reader.starts()[0], width});
      for (std::int64_t row = 0; row < rows_; ++row) starts[row] = reader.starts()[0] + place(row, reader.row_stride());
      RowsProduct<T>{tiles_,
                     starts.data(),
                     outs.data(),
                     rows_,
                     segments.data(),
                     static_cast<std::int64_t>(segments.size()),
                     windows_.step[1] * s_.channels,
                     packed.data(),
                     count,
                     g_.out,
                     0,
                     block > 0,
                     nullptr}
          .run();
    }
  }

 private:
  // Where the pixel of a row is, from the window's first.
  std::int64_t place(std::int64_t row, std::int64_t row_stride) const {
    const Tap& tap = windows_.taps[static_cast<std::size_t>((first_row_ + row) / g_.in)];
    return tap.offset[0] * row_stride + tap.offset[1] * s_.channels + group_ * g_.in + (first_row_ + row) % g_.in;
  }
  const Tiles<T>& tiles_;
  const ConvolutionShape& s_;
  const GroupOf g_;
  const T* const x_;
  const T* const dy_;
  const std::int64_t group_, first_row_, rows_;
  const Windows windows_;
};

// How the work of a group is cut: its images, whose pieces have sums of their own, and the rows of the sums.
struct WeightPieces {
  std::int64_t images, rows;  // pieces of each
  WeightPieces(const ConvolutionShape& s, const GroupOf& g) {
    constexpr std::int64_t kMost = 8, kFewestRows = 48;
    const std::int64_t windows = s.images * s.out_height * s.out_width, depth = g.in * g.taps;
    const std::int64_t wanted = piece_count(windows * depth * g.out / (kWorthAThread / 2), kMost);
    // Sums of a piece that are added up at the end have to be few beside its multiplications.
    images = piece_count(windows / 1024, std::min(wanted, s.images));
    rows = piece_count(wanted / images, std::max<std::int64_t>(1, depth / kFewestRows));
  }
};

// dweight [out, in, taps] ← the sums over the pieces, each [taps · in, out].
template <class T>
void join_sums(const GroupOf& g, const T* sums, std::int64_t pieces, T* dweight) {
  constexpr std::int64_t kColumns = 16;
  parallel_evenly((g.out + kColumns - 1) / kColumns, std::max<std::int64_t>(1, (1 << 15) / (kColumns * g.in * g.taps)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t column = begin * kColumns; column < std::min(end * kColumns, g.out);
                         column += kColumns) {
                      const std::int64_t columns = std::min(kColumns, g.out - column);
                      for (std::int64_t c = 0; c < g.in; ++c)
                        for (std::int64_t tap = 0; tap < g.taps; ++tap) {
                          T total[kColumns] = {};
                          for (std::int64_t piece = 0; piece < pieces; ++piece) {
                            const T* const part = sums + piece * g.weights() + (tap * g.in + c) * g.out + column;
                            for (std::int64_t o = 0; o < columns; ++o) total[o] += part[o];
                          }
                          T* const to = dweight + (column * g.in + c) * g.taps + tap;
                          for (std::int64_t o = 0; o < columns; ++o) to[o * g.in * g.taps] = total[o];
                        }
                    }
                  });
}

template <class T>
void sum_weights(const Tiles<T>& tiles, const ConvolutionShape& s, const T* x, const T* dy, T* dweight) {
  const GroupOf g(s);
  const WeightPieces pieces(s, g);
  const std::int64_t depth = g.in * g.taps, rows = (depth + pieces.rows - 1) / pieces.rows;
  const RoomOf<T> sums(pieces.images * g.weights());
  for (std::int64_t group = 0; group < s.groups; ++group) {
    parallel_for(pieces.images * pieces.rows, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t piece = begin; piece < end; ++piece) {
        const std::int64_t part = piece / pieces.rows, first = piece % pieces.rows * rows;
        const std::int64_t count = std::min(rows, depth - first);
        if (count <= 0) continue;
        WeightSums<T>(tiles, s, x, dy, group, first, count)
            .run(part * s.images / pieces.images, (part + 1) * s.images / pieces.images,
                 sums.data() + part * g.weights() + first * g.out);
      }
    });
    join_sums(g, sums.data(), pieces.images, dweight + group * g.weights());
  }
}

// ---- In bfloat16: the loops see pairs of neighbouring windows.

// The image with its padding, every pixel paired with the one that a window's next place has there.
void pair_pixels(const ConvolutionShape& s, const float* x, float* to) {
  const std::int64_t high = s.height + 2 * s.window.padding[0], wide = s.width + 2 * s.window.padding[1];
  const std::int64_t row = wide * s.channels, next = s.window.stride[1] * s.channels;
  constexpr std::int64_t kGrain = 1 << 16;
  parallel_evenly(s.images * high, std::max<std::int64_t>(1, kGrain / row), [&](std::int64_t begin, std::int64_t end) {
    const RoomOf<float> padded(2 * (row + next));  // and a row of zeros
    float* const zeros = padded.data() + row + next;
    std::fill_n(padded.data(), 2 * (row + next), 0.0F);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t y = i % high - s.window.padding[0];
      const bool is_inside = y >= 0 && y < s.height;
      if (is_inside)
        std::copy_n(x + (i / high * s.height + y) * s.width * s.channels, s.width * s.channels,
                    padded.data() + s.window.padding[1] * s.channels);
      const float* const pixels = is_inside ? padded.data() : zeros;
      pair_tiles().pair_rows(pixels, pixels + next, row, to + i * row);
    }
  });
}

void sum_weights_rounded(const ConvolutionShape& s, const float* x, const float* dy, float* dweight) {
  ConvolutionShape of_pairs = s;
  of_pairs.height += 2 * s.window.padding[0];
  of_pairs.width += 2 * s.window.padding[1];
  of_pairs.out_width = pairs_of(s.out_width);
  of_pairs.window.padding = {0, 0};
  of_pairs.window.stride[1] *= 2;
  const RoomOf<float> pixels(s.images * of_pairs.height * of_pairs.width * s.channels);
  const RoomOf<float> grads(s.images * s.out_height * of_pairs.out_width * s.out_channels);
  pair_pixels(s, x, pixels.data());
  pair_terms(dy, s.images * s.out_height, s.out_width, s.out_channels, grads.data());
  sum_weights(pair_tiles(), of_pairs, pixels.data(), grads.data(), dweight);
}

}  // namespace

// In pieces chosen by their number. Pixels of few channels are summed several side by side.
template <class T>
void sum_pixels(const T* pixels, std::int64_t count, std::int64_t channels, T* totals) {
  constexpr std::int64_t kMost = 8, kFewest = 1 << 15, kWide = 64;
  const std::int64_t beside = std::max<std::int64_t>(1, kWide / channels), width = beside * channels;
  const std::int64_t rows = count / beside;
  const std::int64_t pieces = piece_count(count * channels / kFewest, kMost);
  const RoomOf<double> sums(pieces * width);
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece) {
      double* __restrict const sum = sums.data() + piece * width;
      std::fill_n(sum, width, 0.0);
      for (std::int64_t i = piece * rows / pieces; i < (piece + 1) * rows / pieces; ++i) {
        const T* __restrict const row = pixels + i * width;
        for (std::int64_t c = 0; c < width; ++c) sum[c] += static_cast<double>(row[c]);
      }
    }
  });
  for (std::int64_t c = 0; c < channels; ++c) {
    double total = 0;
    for (std::int64_t k = c; k < pieces * width; k += channels) total += sums[k];
    for (std::int64_t i = rows * beside; i < count; ++i) total += static_cast<double>(pixels[i * channels + c]);
    totals[c] = static_cast<T>(total);
  }
}

template <class T>
void own_convolution_weight_grad(const ConvolutionShape& s, const T* x, const T* dy, T* dweight) {
  if constexpr (std::is_same_v<T, float>) {
    if (suits_winograd(s)) return winograd_weight_grad(s, x, dy, dweight);
    if (rounds(s)) return sum_weights_rounded(s, x, dy, dweight);
  }
  sum_weights(tiles<T>(), s, x, dy, dweight);
}

template void sum_pixels(const float*, std::int64_t, std::int64_t, float*);
template void sum_pixels(const double*, std::int64_t, std::int64_t, double*);
template void own_convolution_weight_grad(const ConvolutionShape&, const float*, const float*, float*);
template void own_convolution_weight_grad(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace eigengrad::kernels
