#include "eigengrad/ops/kernels/own_winograd.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/own_product.h"
#include "eigengrad/ops/kernels/own_windows.h"
#include "eigengrad/ops/kernels/pieces.h"

namespace eigengrad::kernels {
namespace {

// A tile of results, the window of pixels that it depends on, and the numbers that stand for either in between.
constexpr int kTile = 4, kWindow = 6, kPlanes = kWindow * kWindow;
// Channels that are transformed at once: what lies in between then stays in the first cache.
constexpr std::int64_t kChunk = 64;

// ---- The transforms along one axis. The matrices are those of the evaluation at 0, a, -a, b, -b and ∞: Bᵀ (6×6) of
// pixels, G (6×3) of weights, Aᵀ (4×6) of products.

constexpr float a = 0.75F, b = 1.5F, aa = a * a, bb = b * b;
constexpr float at_zero = 1 / (aa * bb), at_a = 1 / (2 * aa * (aa - bb)), at_b = 1 / (2 * bb * (bb - aa));

// v[j] ← Σ Bᵀ[j][i] · d[i]
constexpr auto pixels_to_planes = [](const float (&d)[6], float (&v)[6]) {
  const float even_a = d[4] - bb * d[2], odd_a = a * (d[3] - bb * d[1]);
  const float even_b = d[4] - aa * d[2], odd_b = b * (d[3] - aa * d[1]);
  v[0] = d[4] - (aa + bb) * d[2] + aa * bb * d[0];
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = d[5] - (aa + bb) * d[3] + aa * bb * d[1];
};

// y[i] ← Σ Aᵀ[i][j] · m[j]
constexpr auto planes_to_results = [](const float (&m)[6], float (&y)[4]) {
  const float even_a = m[1] + m[2], odd_a = a * (m[1] - m[2]);
  const float even_b = m[3] + m[4], odd_b = b * (m[3] - m[4]);
  y[0] = m[0] + even_a + even_b;
  y[1] = odd_a + odd_b;
  y[2] = aa * even_a + bb * even_b;
  y[3] = aa * odd_a + bb * odd_b + m[5];
};

// m[j] ← Σ Aᵀ[i][j] · y[i]
constexpr auto results_to_planes = [](const float (&y)[4], float (&m)[6]) {
  const float even_a = y[0] + aa * y[2], odd_a = a * (y[1] + aa * y[3]);
  const float even_b = y[0] + bb * y[2], odd_b = b * (y[1] + bb * y[3]);
  m[0] = y[0];
  m[1] = even_a + odd_a;
  m[2] = even_a - odd_a;
  m[3] = even_b + odd_b;
  m[4] = even_b - odd_b;
  m[5] = y[3];
};

// u[j] ← Σ G[j][i] · w[i]
constexpr auto weights_to_planes = [](const float (&w)[3], float (&u)[6]) {
  const float even_a = w[0] + aa * w[2], odd_a = a * w[1];
  const float even_b = w[0] + bb * w[2], odd_b = b * w[1];
  u[0] = at_zero * w[0];
  u[1] = at_a * (even_a + odd_a);
  u[2] = at_a * (even_a - odd_a);
  u[3] = at_b * (even_b + odd_b);
  u[4] = at_b * (even_b - odd_b);
  u[5] = w[2];
};

// w[i] ← Σ G[j][i] · u[j]
constexpr auto planes_to_weights = [](const float (&u)[6], float (&w)[3]) {
  const float even_a = at_a * (u[1] + u[2]), odd_a = at_a * (u[1] - u[2]);
  const float even_b = at_b * (u[3] + u[4]), odd_b = at_b * (u[3] - u[4]);
  w[0] = at_zero * u[0] + even_a + even_b;
  w[1] = a * odd_a + b * odd_b;
  w[2] = aa * even_a + bb * even_b + u[5];
};

// Of all channels: in[i] and out[j] are where those of a place are.
template <int In, int Out, class Transform>
void transform_line(Transform transform, const float* const (&in)[In], float* const (&out)[Out],
                    std::int64_t channels) {
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) {
    float from[In], to[Out];
#pragma GCC unroll 8
    for (int i = 0; i < In; ++i) from[i] = in[i][c];
    transform(from, to);
#pragma GCC unroll 8
    for (int j = 0; j < Out; ++j) out[j][c] = to[j];
  }
}

// Along both axes: from In×In places to Out×Out, of up to kChunk channels. at_in(i, j) and at_out(i, j) tell where the
// channels of a place are.
template <int In, int Out, class Transform, class AtIn, class AtOut>
void transform_square(Transform transform, AtIn at_in, AtOut at_out, std::int64_t channels) {
  alignas(64) float between[In * Out * kChunk];
  for (int i = 0; i < In; ++i) {
    const float* in[In];
    float* out[Out];
    for (int j = 0; j < In; ++j) in[j] = at_in(i, j);
    for (int j = 0; j < Out; ++j) out[j] = between + (i * Out + j) * kChunk;
    transform_line(transform, in, out, channels);
  }
  for (int j = 0; j < Out; ++j) {
    const float* in[In];
    float* out[Out];
    for (int i = 0; i < In; ++i) in[i] = between + (i * Out + j) * kChunk;
    for (int i = 0; i < Out; ++i) out[i] = at_out(i, j);
    transform_line(transform, in, out, channels);
  }
}

// ---- Tiles of images.

// Where a tile's first result is.
struct Tile {
  std::int64_t image, row, column;
};

struct Tiling {
  Images source, results;
  Pair padding;
  Pair tiles;  // of an image: rows, columns

  Tiling(const Images& from, const Images& to, Pair zeros_around)
      : source(from),
        results(to),
        padding(zeros_around),
        tiles{(to.height + kTile - 1) / kTile, (to.width + kTile - 1) / kTile} {}
  std::int64_t count() const { return results.count * tiles[0] * tiles[1]; }
  Tile at(std::int64_t number) const {
    const std::int64_t row = number / tiles[1];
    return {row / tiles[0], row % tiles[0] * kTile, number % tiles[1] * kTile};
  }
};

// The channels of pixel (y, x) from channel c on, or what stands for pixels outside.
template <class T>
T* pixel_or(T* pixels, const Images& images, std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t c,
            T* outside) {
  if (y < 0 || y >= images.height || x < 0 || x >= images.width) return outside;
  return pixels + image * images.size() + y * images.row() + x * images.channels + c;
}

constexpr float kZeros[kChunk] = {};

template <class F>
void for_each_chunk(std::int64_t channels, F f) {
  for (std::int64_t c = 0; c < channels; c += kChunk) f(c, std::min(kChunk, channels - c));
}

// Squares of Extent×Extent pixels, which begin `padding` before the first result of their tile, of the tiles [first,
// first + count): planes[k][tile][channel], the planes `plane` elements apart.
template <int Extent, class Transform>
void transform_tiles(Transform transform, const Tiling& tiling, const Images& images, Pair padding, std::int64_t first,
                     std::int64_t count, std::int64_t plane, const float* pixels, float* planes) {
  const std::int64_t channels = images.channels;
  for (std::int64_t k = 0; k < count; ++k) {
    const Tile tile = tiling.at(first + k);
    for_each_chunk(channels, [&](std::int64_t c, std::int64_t wide) {
      transform_square<Extent, kWindow>(
          transform,
          [&](int i, int j) {
            return pixel_or(pixels, images, tile.image, tile.row + i - padding[0], tile.column + j - padding[1], c,
                            kZeros);
          },
          [&](int i, int j) { return planes + (i * kWindow + j) * plane + k * channels + c; }, wide);
    });
  }
}

// The windows that the tiles depend on.
void transform_windows(const Tiling& tiling, std::int64_t first, std::int64_t count, std::int64_t plane,
                       const float* pixels, float* planes) {
  transform_tiles<kWindow>(pixels_to_planes, tiling, tiling.source, tiling.padding, first, count, plane, pixels,
                           planes);
}

// The gradients of their results.
void transform_grads(const Tiling& tiling, std::int64_t first, std::int64_t count, std::int64_t plane,
                     const float* grads, float* planes) {
  transform_tiles<kTile>(results_to_planes, tiling, tiling.results, {0, 0}, first, count, plane, grads, planes);
}

// results ← the products of the tiles [first, first + count), with what comes behind them.
void transform_products(const Tiling& tiling, std::int64_t first, std::int64_t count, std::int64_t plane,
                        const float* planes, const Epilogue& end, float* results) {
  const std::int64_t channels = tiling.results.channels;
  for (std::int64_t k = 0; k < count; ++k) {
    const Tile tile = tiling.at(first + k);
    for_each_chunk(channels, [&](std::int64_t c, std::int64_t wide) {
      float outside[kChunk];
      const auto place = [&](int i, int j) {
        return pixel_or(results, tiling.results, tile.image, tile.row + i, tile.column + j, c, outside);
      };
      transform_square<kWindow, kTile>(
          planes_to_results, [&](int i, int j) { return planes + (i * kWindow + j) * plane + k * channels + c; }, place,
          wide);
      const Epilogue here{end.bias_from<float>(c), end.relu};
      for (int i = 0; (end.bias || end.relu) && i < kTile; ++i)
        for (int j = 0; j < kTile; ++j) finish_rows(place(i, j), 1, wide, here);
    });
  }
}

// ---- Weights.

// The weight [out, in, 3, 3] as a packed right operand for each plane: a row for each input channel, a column for each
// output channel; turned the other way round for the gradient of the input.
class PlanesOfWeight {
 public:
  PlanesOfWeight(const ConvolutionShape& s, const float* weight, bool turned)
      : rows_(turned ? s.out_channels : s.channels),
        columns_(turned ? s.channels : s.out_channels),
        plane_(odd_lines<float>(tiles<float>().packed_size(rows_, columns_))),
        packed_(kPlanes * plane_) {
    const std::int64_t width = tiles<float>().width, panels = (columns_ + width - 1) / width;
    parallel_evenly(panels, std::max<std::int64_t>(1, (1 << 14) / (rows_ * width)),
                    [&](std::int64_t begin, std::int64_t end) {
                      for (std::int64_t panel = begin; panel < end; ++panel)
                        make_panel(s, weight, turned, panel * width);
                    });
  }
  const float* plane(int k) const { return packed_.data() + k * plane_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }

 private:
  // The taps of some rows are turned over first: one row for each tap, with the panel's columns side by side.
  void make_panel(const ConvolutionShape& s, const float* weight, bool turned, std::int64_t column) {
    constexpr std::int64_t kTaps = 9, kRows = 8;
    const Tiles<float>& t = tiles<float>();
    const std::int64_t wide = std::min(t.width, columns_ - column), filled = t.filled(wide);
    const std::int64_t together = turned ? 1 : kRows;  // rows whose taps follow each other in a column
    const std::int64_t of_input = kTaps, of_output = kTaps * s.channels;
    alignas(64) float taps[kRows * kTaps * kChunk];
    if (wide < filled) std::fill_n(taps, kRows * kTaps * kChunk, 0.0F);
    for (std::int64_t first = 0; first < rows_; first += together) {
      const std::int64_t rows = std::min(together, rows_ - first);
      const std::int64_t row_stride = turned ? of_output : of_input, column_stride = turned ? of_input : of_output;
      t.transpose(weight + first * row_stride + column * column_stride, column_stride, wide, rows * kTaps, taps,
                  kChunk);
      for (std::int64_t row = 0; row < rows; ++row) {
        const float* const here = taps + row * kTaps * kChunk;
        float* const to = packed_.data() + column * panel_rows(rows_) + (first + row) * filled;
        transform_square<3, kWindow>(
            weights_to_planes,
            [&](int i, int j) { return here + (turned ? kTaps - 1 - (i * 3 + j) : i * 3 + j) * kChunk; },
            [&](int i, int j) { return to + (i * kWindow + j) * plane_; }, filled);
      }
    }
  }

  const std::int64_t rows_, columns_, plane_;
  const RoomOf<float> packed_;
};

// dweight [out, in, 3, 3] ← sums[k][in][out], the planes `plane` elements apart.
void transform_sums(const ConvolutionShape& s, const float* sums, std::int64_t plane, float* dweight) {
  const std::int64_t in = s.channels, out = s.out_channels;
  parallel_evenly(in, std::max<std::int64_t>(1, (1 << 14) / out), [&](std::int64_t begin, std::int64_t end) {
    alignas(64) float taps[9 * kChunk];
    for (std::int64_t row = begin; row < end; ++row)
      for_each_chunk(out, [&](std::int64_t c, std::int64_t wide) {
        transform_square<kWindow, 3>(
            planes_to_weights, [&](int i, int j) { return sums + (i * kWindow + j) * plane + row * out + c; },
            [&](int i, int j) { return taps + (i * 3 + j) * kChunk; }, wide);
        for (std::int64_t o = 0; o < wide; ++o)
          for (int tap = 0; tap < 9; ++tap) dweight[((c + o) * in + row) * 9 + tap] = taps[tap * kChunk + o];
      });
  });
}

// ---- Passes.

// Rows that are `stride` apart.
template <class T>
void rows_from(T* first, std::int64_t stride, std::int64_t count, T** rows) {
  for (std::int64_t i = 0; i < count; ++i) rows[i] = first + i * stride;
}

// The results of a tiling: the windows of `source`, times the weight. Every block of tiles reads all transformed
// weights, so it should have about as many tiles as makes its own numbers as many as those.
void multiply_tiles(const Tiling& tiling, const float* source, const PlanesOfWeight& weight, const Epilogue& end,
                    float* results) {
  const std::int64_t in = weight.rows(), out = weight.columns(), count = tiling.count();
  const std::int64_t wanted = std::clamp<std::int64_t>(in * out / (in + out), 24, 192);
  // Few tiles are not worth a second thread: it would take longer to get the weights from the first one.
  constexpr std::int64_t kFewestToShare = 64;
  const std::int64_t size = count < kFewestToShare ? count : block_size(count, std::min(wanted, (count + 3) / 4), 6);
  parallel_for(count, size, [&](std::int64_t begin, std::int64_t until) {
    const std::int64_t in_plane = odd_lines<float>(size * in), out_plane = odd_lines<float>(size * out);
    const RoomOf<float> planes(kPlanes * in_plane), products(kPlanes * out_plane);
    const RoomOf<const float*> left(size);
    const RoomOf<float*> right(size);
    const std::int64_t depth = block_size(in, kBlockDepth, 8);
    for (std::int64_t first = begin; first < until; first += size) {
      const std::int64_t here = std::min(size, until - first);
      transform_windows(tiling, first, here, in_plane, source, planes.data());
      for (int k = 0; k < kPlanes; ++k) {
        rows_from(products.data() + k * out_plane, out, here, right.data());
        for (std::int64_t term = 0; term < in; term += depth) {
          const Segment all{0, std::min(depth, in - term)};
          rows_from<const float>(planes.data() + k * in_plane + term, in, here, left.data());
          RowsProduct<float>{tiles<float>(),  left.data(), right.data(), here, &all,     1,      1,
                             weight.plane(k), in,          out,          term, term > 0, nullptr}
              .run();
        }
      }
      transform_products(tiling, first, here, out_plane, products.data(), end, results);
    }
  });
}

Images source_of(const ConvolutionShape& s) { return {s.images, s.height, s.width, s.channels}; }
Images results_of(const ConvolutionShape& s) { return {s.images, s.out_height, s.out_width, s.out_channels}; }
Tiling tiling_of(const ConvolutionShape& s) { return {source_of(s), results_of(s), s.window.padding}; }

// The sums over tiles that make the gradient of a weight: planes [in, out].
class WeightPlanes {
 public:
  WeightPlanes(const ConvolutionShape& s, const float* x, const float* dy)
      : tiling_(tiling_of(s)),
        x_(x),
        dy_(dy),
        in_(s.channels),
        out_(s.out_channels),
        plane_(odd_lines<float>(in_ * out_)) {}

  std::int64_t plane() const { return plane_; }
  std::int64_t size() const { return kPlanes * plane_; }

  // Over the tiles [begin, end).
  void sum(std::int64_t begin, std::int64_t end, float* sums) const {
    // Deep enough that adding to the sums costs little.
    constexpr std::int64_t kDeep = 192, kTilesToTransform = 16;
    const std::int64_t size = block_size(end - begin, kDeep, 8);
    const std::int64_t in_plane = odd_lines<float>(size * in_), out_plane = odd_lines<float>(size * out_);
    const RoomOf<float> pixels(kPlanes * in_plane), grads(kPlanes * out_plane);
    for (std::int64_t block = begin; block < end; block += size) {
      const std::int64_t here = std::min(size, end - block);
      parallel_evenly(here, kTilesToTransform, [&](std::int64_t first, std::int64_t last) {
        transform_windows(tiling_, block + first, last - first, in_plane, x_, pixels.data() + first * in_);
        transform_grads(tiling_, block + first, last - first, out_plane, dy_, grads.data() + first * out_);
      });
      parallel_for(kPlanes, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t k = first; k < last; ++k)
          multiply(pixels.data() + k * in_plane, grads.data() + k * out_plane, here, block > begin, sums + k * plane_);
      });
    }
  }

 private:
  void multiply(const float* pixels, const float* grads, std::int64_t tiles_here, bool accumulate, float* sums) const {
    const Tiles<float>& t = tiles<float>();
    const RoomOf<float> packed(t.packed_size(tiles_here, out_));
    const RoomOf<const float*> left(in_);
    const RoomOf<float*> right(in_);
    const Segment all{0, tiles_here};
    t.pack(grads, out_, 1, tiles_here, out_, nullptr, packed.data());
    rows_from<const float>(pixels, 1, in_, left.data());
    rows_from(sums, out_, in_, right.data());
    RowsProduct<float>{t,    left.data(), right.data(), in_,    &all, 1, in_, packed.data(), tiles_here,
                       out_, 0,           accumulate,   nullptr}
        .run();
  }
  const Tiling tiling_;
  const float* const x_;
  const float* const dy_;
  const std::int64_t in_, out_, plane_;
};

}  // namespace

bool suits_winograd(const ConvolutionShape& s) {
  constexpr std::int64_t kFewestChannels = 16, kFewestTiles = 12;
  const Window& w = s.window;
  return w.kernel == Pair{3, 3} && w.stride == Pair{1, 1} && w.dilation == Pair{1, 1} && w.padding[0] <= 2 &&
         w.padding[1] <= 2 && s.groups == 1 && std::min(s.channels, s.out_channels) >= kFewestChannels &&
         tiling_of(s).count() >= kFewestTiles;
}

void winograd(const ConvolutionShape& s, const float* x, const float* weight, const Epilogue& end, float* y) {
  multiply_tiles(tiling_of(s), x, PlanesOfWeight(s, weight, false), end, y);
}

void winograd_input_grad(const ConvolutionShape& s, const float* dy, const float* weight, float* dx) {
  const Pair padding{2 - s.window.padding[0], 2 - s.window.padding[1]};
  multiply_tiles({results_of(s), source_of(s), padding}, dy, PlanesOfWeight(s, weight, true), {}, dx);
}

void winograd_weight_grad(const ConvolutionShape& s, const float* x, const float* dy, float* dweight) {
  // Pieces with sums of their own, which are to be few beside the multiplications, and no burden on memory.
  constexpr std::int64_t kMost = 8, kFewestTiles = 512, kMostSums = 1 << 22;
  const WeightPlanes of(s, x, dy);
  const std::int64_t count = tiling_of(s).count();
  const std::int64_t pieces = piece_count(std::min(count / kFewestTiles, kMostSums / of.size()), kMost);
  const RoomOf<float> sums(pieces * of.size());
  parallel_for(pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece)
      of.sum(piece * count / pieces, (piece + 1) * count / pieces, sums.data() + piece * of.size());
  });
  add_up(sums.data() + of.size(), pieces - 1, of.size(), of.size(), sums.data());
  transform_sums(s, sums.data(), of.plane(), dweight);
}

}  // namespace eigengrad::kernels
