#include "eigengrad/ops/kernels/own_convolution.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/own_product.h"
#include "eigengrad/ops/kernels/own_scatter.h"
#include "eigengrad/ops/kernels/own_windows.h"
#include "eigengrad/ops/kernels/own_winograd.h"
#include "eigengrad/ops/kernels/pairs.h"
#include "eigengrad/ops/kernels/pieces.h"
#include "eigengrad/ops/kernels/rounded.h"

namespace eigengrad::kernels {
namespace {

// The pixels of every step-th row and column of images, from `first` on.
struct Grid {
  Pair first, step, places;
};

// The gradient of the input is a convolution of that of the output. With strides it is one for each remainder of a
// pixel's place (plus padding) by the stride: pixel stride·q + remainder - padding was multiplied by those taps alone
// that have the same remainder, at output q - (tap · dilation - remainder) / stride.
struct Phase {
  Windows windows;
  Grid pixels;
};

Phase phase_of(const ConvolutionShape& s, Pair remainder) {
  const Window& w = s.window;
  const Pair extent{s.height, s.width};
  Phase phase{};
  std::array<std::vector<Pair>, 2> taps;  // by axis: how far back the output is, the tap
  for (std::size_t axis : {0, 1}) {
    const std::int64_t stride = w.stride[axis], r = remainder[axis], padding = w.padding[axis];
    for (std::int64_t tap = 0; tap < w.kernel[axis]; ++tap)
      if ((tap * w.dilation[axis] - r) % stride == 0)
        taps[axis].push_back({(tap * w.dilation[axis] - r) / stride, tap});
    const std::int64_t back = taps[axis].empty() ? 0 : taps[axis].back()[0];
    const std::int64_t begin = padding > r ? (padding - r + stride - 1) / stride : 0;  // the first q within the image
    phase.pixels.first[axis] = stride * begin + r - padding;
    phase.pixels.step[axis] = stride;
    phase.pixels.places[axis] =
        std::max<std::int64_t>(0, (extent[axis] - phase.pixels.first[axis] + stride - 1) / stride);
    phase.windows.first[axis] = begin - back;
    phase.windows.step[axis] = 1;
    phase.windows.span[axis] = back - (taps[axis].empty() ? 0 : taps[axis].front()[0]) + 1;
    // Windows begin at the tap that is furthest back.
    for (Pair& tap : taps[axis]) tap[0] = back - tap[0];
    std::reverse(taps[axis].begin(), taps[axis].end());
  }
  phase.windows.places = phase.pixels.places;
  for (const Pair& row : taps[0])
    for (const Pair& column : taps[1])
      phase.windows.taps.push_back({{row[0], column[0]}, row[1] * w.kernel[1] + column[1]});
  return phase;
}

// ---- Forward, and the gradient of the input.

// The segments of a window's row of terms, in groups that are multiplied at once.
struct Terms {
  struct Group {
    std::vector<Segment> segments;
    std::int64_t first, depth;  // terms
  };
  std::vector<Group> groups;

  // `length` terms of each tap, from channel `channel` on.
  Terms(const Windows& w, std::int64_t row_stride, std::int64_t channels, std::int64_t channel, std::int64_t length) {
    std::vector<Segment> all;
    for (const Tap& tap : w.taps) {
      const std::int64_t offset = tap.offset[0] * row_stride + tap.offset[1] * channels + channel;
      if (!all.empty() && all.back().offset + all.back().length == offset)
        all.back().length += length;
      else
        all.push_back({offset, length});
    }
    std::int64_t total = 0;
    for (const Segment& segment : all) total += segment.length;
    const std::int64_t most = block_size(total, kBlockDepth, 8);
    groups.push_back({{}, 0, 0});
    for (Segment segment : all)
      while (segment.length > 0) {
        if (groups.back().depth == most) groups.push_back({{}, groups.back().first + most, 0});
        const std::int64_t taken = std::min(segment.length, most - groups.back().depth);
        groups.back().segments.push_back({segment.offset, taken});
        groups.back().depth += taken;
        segment.offset += taken;
        segment.length -= taken;
      }
  }
};

// A convolution: the windows on `from`, times a packed weight, go to the pixels of `grid` of `to`.
template <class T>
struct Pass {
  const Tiles<T>& tiles;
  const T* from;
  Images source;
  std::int64_t channel, depth;  // of the source: the first, and how many
  T* to;
  Images target;
  std::int64_t out_channel, out_channels;
  const Windows& windows;
  Grid grid;
  const T* packed;
  Epilogue end;

  void run() const {
    constexpr std::int64_t kPixels = 288;
    const Blocks blocks(windows, source.count, kPixels);
    const std::int64_t terms = static_cast<std::int64_t>(windows.taps.size()) * depth;
    const std::int64_t work = blocks.rows * windows.places[1] * terms * out_channels;
    parallel_evenly(blocks.count, std::max<std::int64_t>(1, kWorthAThread / std::max<std::int64_t>(1, work)),
                    [&](std::int64_t begin, std::int64_t until) {
                      BlockReader<T> reader(from, source, windows, blocks);
                      const Terms all(windows, reader.row_stride(), source.channels, channel, depth);
                      const RoomOf<T*> outs(blocks.rows * windows.places[1]);
                      for (std::int64_t block = begin; block < until; ++block) {
                        const std::int64_t count = reader.read(block);
                        find_outs(block * blocks.rows, count, outs.data());
                        multiply(all, terms, reader.starts(), outs.data(), count);
                      }
                    });
  }

 private:
  void find_outs(std::int64_t row, std::int64_t count, T** outs) const {
    for (std::int64_t done = 0; done < count; ++row) {
      const std::int64_t image = row / grid.places[0], i = row % grid.places[0];
      T* const pixels = to + image * target.size() + (grid.first[0] + i * grid.step[0]) * target.row() +
                        grid.first[1] * target.channels + out_channel;
      for (std::int64_t j = 0; j < grid.places[1]; ++j) outs[done++] = pixels + j * grid.step[1] * target.channels;
    }
  }
  void multiply(const Terms& all, std::int64_t terms, const T* const* starts, T* const* outs,
                std::int64_t count) const {
    constexpr std::int64_t kRows = 96;
    for (std::int64_t row = 0; row < count; row += kRows)
      for (const Terms::Group& group : all.groups)
        RowsProduct<T>{tiles,
                       starts + row,
                       outs + row,
                       std::min(kRows, count - row),
                       group.segments.data(),
                       static_cast<std::int64_t>(group.segments.size()),
                       1,
                       packed,
                       terms,
                       out_channels,
                       group.first,
                       group.first > 0,
                       group.first == 0 ? end.bias_from<T>(out_channel) : nullptr,
                       end.relu && group.first + group.depth == terms}
            .run();
  }
};

// The weight [out, in, taps] of a group as a right operand: a row for each tap and input channel, a column for each
// output channel.
template <class T>
void pack_forward(const Tiles<T>& tiles, const GroupOf& g, const T* weight, T* packed) {
  std::vector<std::int64_t> places(static_cast<std::size_t>(g.in * g.taps));
  for (std::int64_t c = 0; c < g.in; ++c)
    for (std::int64_t tap = 0; tap < g.taps; ++tap) places[static_cast<std::size_t>(c * g.taps + tap)] = tap * g.in + c;
  const std::int64_t width = tiles.width, depth = g.in * g.taps, panels = (g.out + width - 1) / width;
  parallel_evenly(panels, std::max<std::int64_t>(1, (1 << 16) / (depth * width)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t column = begin * width; column < std::min(end * width, g.out); column += width)
                      tiles.pack(weight + column * depth, 1, depth, depth, std::min(width, g.out - column),
                                 places.data(), packed + column * panel_rows(depth));
                  });
}

// For the gradient of the input: a row for each of some taps and output channel, a column for each input channel.
template <class T>
void pack_backward(const Tiles<T>& tiles, const GroupOf& g, const std::vector<Tap>& taps, const T* weight, T* packed) {
  const std::int64_t width = tiles.width, depth = static_cast<std::int64_t>(taps.size()) * g.out;
  const std::int64_t panels = (g.in + width - 1) / width;
  parallel_evenly(panels, std::max<std::int64_t>(1, (1 << 16) / (depth * width)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t panel = begin; panel < end; ++panel) {
                      const std::int64_t column = panel * width, columns = std::min(width, g.in - column);
                      const std::int64_t filled = tiles.filled(columns);
                      T* to = packed + column * panel_rows(depth);
                      for (const Tap& tap : taps)
                        for (std::int64_t o = 0; o < g.out; ++o, to += filled) {
                          const T* const from = weight + (o * g.in + column) * g.taps + tap.number;
                          for (std::int64_t c = 0; c < columns; ++c) to[c] = from[c * g.taps];
                          std::fill(to + columns, to + filled, T(0));
                        }
                    }
                  });
}

// ---- Few output channels: results of windows that lie beside each other fill a vector together. `count` of them are
// one window that is wider, whose weight has theirs one after another, each at its place among zeros. (So NaN and
// infinity reach the results of these neighbours, too.)

ConvolutionShape side_by_side(const ConvolutionShape& s, std::int64_t count) {
  ConvolutionShape joint = s;
  joint.out_width /= count;
  joint.out_channels *= count;
  joint.window.kernel[1] += (count - 1) * s.window.stride[1];
  joint.window.stride[1] *= count;
  return joint;
}

// How many windows it is best to take as one. What a window costs are the terms of its rows, of shorter vectors where
// these do, what it takes to find its rows, and its share of packing the weight, in multiplications of a vector.
template <class T>
std::int64_t windows_side_by_side(const Tiles<T>& tiles, const ConvolutionShape& s) {
  constexpr double kFindingARow = 4, kPackingAWeight = 1.5;
  if (s.groups != 1 || s.window.dilation[1] != 1) return 1;
  const auto windows = static_cast<double>(s.images * s.out_height * s.out_width);
  const auto cost = [&](std::int64_t count) {
    const ConvolutionShape joint = side_by_side(s, count);
    const double vector =
        joint.out_channels > tiles.narrow ? 1 : static_cast<double>(tiles.narrow) / static_cast<double>(tiles.lanes);
    const auto terms = static_cast<double>(joint.window.kernel[1] * s.channels);
    return static_cast<double>(s.window.kernel[0]) * (terms * vector + kFindingARow) / static_cast<double>(count) +
           kPackingAWeight * static_cast<double>(GroupOf(joint).weights()) / windows;
  };
  std::int64_t best = 1;
  for (std::int64_t count = 2; count * s.out_channels <= tiles.lanes; ++count)
    if (s.out_width % count == 0 && cost(count) < cost(best)) best = count;
  return best;
}

// ---- The two passes, by loops for elements of T.

template <class T>
void convolve(const Tiles<T>& tiles, const ConvolutionShape& s, const T* x, const T* weight, const Epilogue& end, T* y);

template <class T>
void convolve_side_by_side(const Tiles<T>& tiles, const ConvolutionShape& s, std::int64_t count, const T* x,
                           const T* weight, const Epilogue& end, T* y) {
  const ConvolutionShape joint = side_by_side(s, count);
  const std::int64_t wide = s.window.kernel[1], wider = joint.window.kernel[1], rows = GroupOf(s).weights() / wide;
  const std::int64_t size = GroupOf(joint).weights();
  const RoomOf<T> weights(size), biases(end.bias ? joint.out_channels : 0);
  std::fill_n(weights.data(), size, T(0));
  for (std::int64_t i = 0; i < count; ++i) {
    T* const to = weights.data() + i * (rows * wider + s.window.stride[1]);
    for (std::int64_t row = 0; row < rows; ++row) std::copy_n(weight + row * wide, wide, to + row * wider);
    if (end.bias) std::copy_n(end.bias_from<T>(0), s.out_channels, biases.data() + i * s.out_channels);
  }
  convolve<T>(tiles, joint, x, weights.data(), {biases.data(), end.relu}, y);
}

template <class T>
void convolve(const Tiles<T>& tiles, const ConvolutionShape& s, const T* x, const T* weight, const Epilogue& end,
              T* y) {
  if (const std::int64_t count = windows_side_by_side(tiles, s); count > 1)
    return convolve_side_by_side(tiles, s, count, x, weight, end, y);
  const GroupOf g(s);
  const Windows windows = forward_windows(s);
  const RoomOf<T> packed(tiles.packed_size(g.in * g.taps, g.out));
  for (std::int64_t group = 0; group < s.groups; ++group) {
    pack_forward(tiles, g, weight + group * g.weights(), packed.data());
    Pass<T>{tiles,
            x,
            {s.images, s.height, s.width, s.channels},
            group * g.in,
            g.in,
            y,
            {s.images, s.out_height, s.out_width, s.out_channels},
            group * g.out,
            g.out,
            windows,
            {{0, 0}, {1, 1}, {s.out_height, s.out_width}},
            packed.data(),
            end}
        .run();
  }
}

template <class T>
void convolve_back(const Tiles<T>& tiles, const ConvolutionShape& s, const T* dy, const T* weight, T* dx) {
  if (suits_scatter(tiles, s)) return scatter_input_grad(tiles, s, dy, weight, dx);
  const GroupOf g(s);
  const Images source{s.images, s.out_height, s.out_width, s.out_channels},
      target{s.images, s.height, s.width, s.channels};
  const RoomOf<T> packed(tiles.packed_size(g.out * g.taps, g.in));
  bool covered = true;  // every pixel is written
  for (std::size_t axis : {0, 1})
    covered = covered && (s.window.dilation[axis] == 1 || s.window.stride[axis] == 1) &&
              s.window.kernel[axis] >= s.window.stride[axis];
  if (!covered) std::fill_n(dx, target.count * target.size(), T(0));
  for (std::int64_t row = 0; row < s.window.stride[0]; ++row)
    for (std::int64_t column = 0; column < s.window.stride[1]; ++column) {
      const Phase phase = phase_of(s, {row, column});
      if (phase.windows.taps.empty() || phase.pixels.places[0] * phase.pixels.places[1] == 0) continue;
      for (std::int64_t group = 0; group < s.groups; ++group) {
        pack_backward(tiles, g, phase.windows.taps, weight + group * g.weights(), packed.data());
        Pass<T>{tiles,        dy,   source,        group * g.out, g.out,         dx, target,
                group * g.in, g.in, phase.windows, phase.pixels,  packed.data(), {}}
            .run();
      }
    }
}

// ---- The same in bfloat16: the loops see pairs of channels for elements.

void convolve_rounded(const ConvolutionShape& s, const float* x, const float* weight, const Epilogue& end, float* y) {
  const GroupOf g(s);
  const std::int64_t pixels = s.images * s.height * s.width;
  if (g.in == 1)  // half of each pair would be wasted
    return with_rounded(x, pixels * s.channels, weight, s.groups * g.weights(),
                        [&](const float* a, const float* b) { convolve(tiles<float>(), s, a, b, end, y); });
  ConvolutionShape of_pairs = s;
  of_pairs.channels = s.groups * pairs_of(g.in);
  const RoomOf<float> image(pixels * of_pairs.channels), kernel(s.out_channels * pairs_of(g.in) * g.taps);
  pair_terms(x, pixels * s.groups, g.in, 1, image.data());
  pair_terms(weight, s.out_channels, g.in, g.taps, kernel.data());
  convolve(pair_tiles(), of_pairs, image.data(), kernel.data(), end, y);
}

void convolve_back_rounded(const ConvolutionShape& s, const float* dy, const float* weight, float* dx) {
  const GroupOf g(s);
  const std::int64_t pixels = s.images * s.out_height * s.out_width;
  if (g.out == 1)
    return with_rounded(dy, pixels * s.out_channels, weight, s.groups * g.weights(),
                        [&](const float* a, const float* b) { convolve_back(tiles<float>(), s, a, b, dx); });
  ConvolutionShape of_pairs = s;
  of_pairs.out_channels = s.groups * pairs_of(g.out);
  const RoomOf<float> grad(pixels * of_pairs.out_channels), kernel(of_pairs.out_channels * g.in * g.taps);
  pair_terms(dy, pixels * s.groups, g.out, 1, grad.data());
  pair_terms(weight, s.groups, g.out, g.in * g.taps, kernel.data());
  convolve_back(pair_tiles(), of_pairs, grad.data(), kernel.data(), dx);
}

// ---- Few windows, and large weights: nets that are asked for one image. Packing the weight would take as long as
// multiplying by it, so the windows are copied and packed, and the weight is read where it is.

bool has_few_windows(const ConvolutionShape& s) {
  constexpr std::int64_t kMost = 64;
  return s.groups == 1 && s.images * s.out_height * s.out_width <= std::min(kMost, s.out_channels);
}

template <class T>
void convolve_few_windows(const ConvolutionShape& s, const T* x, const T* weight, const Epilogue& end, T* y) {
  const Windows windows = forward_windows(s);
  const Images images{s.images, s.height, s.width, s.channels};
  const std::int64_t count = s.images * s.out_height * s.out_width;
  const auto taps = static_cast<std::int64_t>(windows.taps.size()), depth = s.channels * taps;
  BlockReader<T> reader(x, images, windows, Blocks(windows, s.images, count));
  reader.read(0);
  const RoomOf<T> patches(count * depth), turned(count * s.out_channels);
  for (std::int64_t window = 0; window < count; ++window)
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const Pair& offset = windows.taps[static_cast<std::size_t>(tap)].offset;
      const T* const from = reader.starts()[window] + offset[0] * reader.row_stride() + offset[1] * s.channels;
      T* const to = patches.data() + window * depth + tap;
      for (std::int64_t c = 0; c < s.channels; ++c) to[c * taps] = from[c];
    }
  own_engine().product(dtype_of<T>, s.precision, turned.data(), row_major(weight, s.out_channels, depth),
                       transposed(patches.data(), count, depth), {});
  tiles<T>().transpose(turned.data(), count, s.out_channels, count, y, s.out_channels);
  finish_rows(y, count, s.out_channels, end);
}

}  // namespace

template <class T>
void own_convolution(const ConvolutionShape& s, const T* x, const T* weight, const Epilogue& end, T* y) {
  if (has_few_windows(s)) return convolve_few_windows(s, x, weight, end, y);
  if constexpr (std::is_same_v<T, float>) {
    if (suits_winograd(s)) return winograd(s, x, weight, end, y);
    if (rounds(s)) return convolve_rounded(s, x, weight, end, y);
  }
  convolve(tiles<T>(), s, x, weight, end, y);
}

template <class T>
void own_convolution_input_grad(const ConvolutionShape& s, const T* dy, const T* weight, T* dx) {
  if constexpr (std::is_same_v<T, float>) {
    if (suits_winograd(s)) return winograd_input_grad(s, dy, weight, dx);
    if (rounds(s)) return convolve_back_rounded(s, dy, weight, dx);
  }
  convolve_back(tiles<T>(), s, dy, weight, dx);
}

template void own_convolution(const ConvolutionShape&, const float*, const float*, const Epilogue&, float*);
template void own_convolution(const ConvolutionShape&, const double*, const double*, const Epilogue&, double*);
template void own_convolution_input_grad(const ConvolutionShape&, const float*, const float*, float*);
template void own_convolution_input_grad(const ConvolutionShape&, const double*, const double*, double*);

}  // namespace eigengrad::kernels
