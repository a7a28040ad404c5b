// Products of our own engine, out of the tiles of tiles.h.
#pragma once

#include <algorithm>
#include <cstdint>

#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/pieces.h"
#include "eigengrad/ops/kernels/room.h"
#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {

/// How much of a product is in the caches at once: terms of a sum, rows of the left operand. A panel of so many terms
/// and 16 columns stays in the first cache, so many rows of so many terms in the second.
inline constexpr std::int64_t kBlockDepth = 384, kBlockRows = 192;

/// [0, extent) in the fewest equal blocks of at most `most`, each a multiple of `unit` (which divides `most`).
inline std::int64_t block_size(std::int64_t extent, std::int64_t most, std::int64_t unit) {
  const std::int64_t blocks = std::max<std::int64_t>(1, (extent + most - 1) / most);
  return std::max(unit, ((extent + blocks - 1) / blocks + unit - 1) / unit * unit);
}

/// The product of rows, given by where each begins, with a packed right operand `depth` deep, of whose terms those from
/// `first_term` on take part.
template <class T>
struct RowsProduct {
  const Tiles<T>& tiles;
  const T* const* a;
  T* const* out;
  std::int64_t rows;
  const Segment* segments;
  std::int64_t segment_count, step;
  const T* packed;
  std::int64_t depth, columns, first_term;
  bool accumulate;
  const T* bias;
  bool then_relu = false;       ///< behind the last of the terms
  const T* in_place = nullptr;  ///< where the whole panels are that are not packed, and the way from row to row
  std::int64_t in_place_step = 0;

  void run() const {
    const std::int64_t whole = columns / tiles.width * tiles.width, rest = columns - whole, high = panel_rows(depth);
    const std::int64_t packed_from = in_place ? whole : 0;  // columns
    const auto multiply = [&](std::int64_t column, std::int64_t count, std::int64_t wide) {
      const T* const b = packed + (column - packed_from) * high + first_term * wide;
      tiles.multiply({a, out, rows, segments, segment_count, step, b, column, count, accumulate, bias}, high * wide);
    };
    if (whole > 0 && in_place)
      tiles.multiply({a, out, rows, segments, segment_count, step, in_place + first_term * in_place_step, 0, whole,
                      accumulate, bias, in_place_step},
                     tiles.width);
    else if (whole > 0)
      multiply(0, whole, tiles.width);
    if (rest > 0) multiply(whole, rest, tiles.filled(rest));
    if (then_relu) relu_rows();
  }

 private:
  // Not in the tiles, whose sums then would not all stay in registers. Rows that follow each other are one.
  void relu_rows() const {
    for (std::int64_t first = 0, i = 1; i <= rows; ++i)
      if (i == rows || out[i] != out[i - 1] + columns) {
        finish_rows(out[first], 1, (i - first) * columns, {nullptr, true});
        first = i;
      }
  }
};

/// out ← a · b on the calling thread, by the given loops, for whose elements both factors are taken.
template <class T>
void own_product(const Tiles<T>& tiles, T* out, std::int64_t out_stride, const Matrix& a, const Matrix& b,
                 const Epilogue& end = {});
/// The same on several threads, with no gaps between the rows of the result.
template <class T>
void own_product_shared(const Tiles<T>& tiles, T* out, const Matrix& a, const Matrix& b, const Epilogue& end);

}  // namespace eigengrad::kernels
