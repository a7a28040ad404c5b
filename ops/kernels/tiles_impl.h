// The loops of tiles.h, for the instructions that the including file is compiled for. They are written with the
// compiler's vectors, and nothing of the standard library is instantiated here: the linker would be free to take the
// copy of another processor's file.
#pragma once

#include <cstdint>

#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {
namespace {

// A tile of six rows and kVectors vectors: its sums stay in registers (12 of AVX2's 16, 24 of AVX-512's 32), and are
// enough of them to hide how long one addition takes. Where there is but one vector, that takes eight rows.
constexpr int tile_rows(int vectors) { return vectors == 1 ? 8 : 6; }
// EIGENGRAD_TILE_BYTES lets the tests have the tiles of other processors.
#if defined(EIGENGRAD_TILE_BYTES)
constexpr int kVectorBytes = EIGENGRAD_TILE_BYTES, kVectors = kVectorBytes == 64 ? 4 : 2;
#elif defined(__AVX512F__)
constexpr int kVectorBytes = 64, kVectors = 4;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32, kVectors = 2;
#else
constexpr int kVectorBytes = 16, kVectors = 2;
#endif

template <class T>
struct VectorOf {
  typedef T Register __attribute__((vector_size(kVectorBytes)));
  typedef T InMemory __attribute__((vector_size(kVectorBytes), aligned(sizeof(T)), may_alias));
  static constexpr int kLanes = kVectorBytes / static_cast<int>(sizeof(T));
};

// What PanelProduct says of the result, for one row of a tile. Inlined, or the sums would have to leave their
// registers.
template <class T, int Vectors>
[[gnu::always_inline]] inline void store_row(const typename VectorOf<T>::Register* sums, const PanelProduct<T>& p,
                                             T* row, std::int64_t column, std::int64_t columns) {
  using Register = typename VectorOf<T>::Register;
  using InMemory = typename VectorOf<T>::InMemory;
  constexpr int kLanes = VectorOf<T>::kLanes;
  T* const out = row + column;
  if (columns == Vectors * kLanes) {
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      auto* const to = reinterpret_cast<InMemory*>(out + v * kLanes);
      Register sum = sums[v];
      if (p.accumulate) sum += *to;
      if (p.bias) sum += *reinterpret_cast<const InMemory*>(p.bias + column + v * kLanes);
      *to = sum;
    }
    return;
  }
  T values[Vectors * kLanes];
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v) *reinterpret_cast<InMemory*>(values + v * kLanes) = sums[v];
  for (std::int64_t j = 0; j < columns; ++j) {
    T sum = values[j];
    if (p.accumulate) sum += out[j];
    if (p.bias) sum += p.bias[column + j];
    out[j] = sum;
  }
}

template <class T, int Rows, int Vectors>
void multiply_tile(const PanelProduct<T>& p, std::int64_t first) {
  using Register = typename VectorOf<T>::Register;
  using InMemory = typename VectorOf<T>::InMemory;
  constexpr int kLanes = VectorOf<T>::kLanes;
  // The results are asked for now, for they are seldom in the cache: they will be there when the sums are done.
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
    const T* const result = p.out[first + i] + p.column;
    __builtin_prefetch(result, 1);
    if constexpr (Vectors * kVectorBytes > 64) __builtin_prefetch(result + (Vectors - 1) * kLanes, 1);
  }
  Register sums[Rows][Vectors] = {};
  const T* b = p.b;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    const T* row[Rows];
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) row[i] = p.a[first + i] + p.segments[s].offset;
    const std::int64_t length = p.segments[s].length, step = p.step;
    std::int64_t at = 0;
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < length; ++k) {
      Register right[Vectors];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) right[v] = *reinterpret_cast<const InMemory*>(b + v * kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < Rows; ++i) {
        const T left = row[i][at];
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) sums[i][v] += left * right[v];
      }
      at += step;
      b += Vectors * kLanes;
    }
  }

#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) store_row<T, Vectors>(sums[i], p, p.out[first + i], p.column, p.columns);
}

// One row and several whole panels, each `panel_size` elements in memory: with one panel every addition would wait for
// the one before.
template <class T, int Panels>
void multiply_one_row(const PanelProduct<T>& p, std::int64_t panel_size) {
  using InMemory = typename VectorOf<T>::InMemory;
  constexpr int kLanes = VectorOf<T>::kLanes, kWidth = kVectors * kLanes;
  typename VectorOf<T>::Register sums[Panels][kVectors] = {};
  const T* b = p.b;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    const T* const row = p.a[0] + p.segments[s].offset;
    for (std::int64_t k = 0; k < p.segments[s].length; ++k, b += kWidth) {
      const T left = row[k * p.step];
#pragma GCC unroll 8
      for (int panel = 0; panel < Panels; ++panel)
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v)
          sums[panel][v] += left * *reinterpret_cast<const InMemory*>(b + panel * panel_size + v * kLanes);
    }
  }
#pragma GCC unroll 8
  for (int panel = 0; panel < Panels; ++panel)
    store_row<T, kVectors>(sums[panel], p, p.out[0], p.column + panel * kWidth, kWidth);
}

template <class T, int Vectors, int Rows>
void multiply_rows(const PanelProduct<T>& p, std::int64_t first, std::int64_t rows) {
  if (rows == Rows) return multiply_tile<T, Rows, Vectors>(p, first);
  if constexpr (Rows > 1) multiply_rows<T, Vectors, Rows - 1>(p, first, rows);
}

// The rows are shared out evenly among the tiles: 64 are nine of six and two of five, not ten of six and one of four.
template <class T, int Vectors>
void multiply_panel(const PanelProduct<T>& p) {
  constexpr int kRows = tile_rows(Vectors);
  const std::int64_t tiles = (p.rows + kRows - 1) / kRows;
  for (std::int64_t tile = 0, first = 0; tile < tiles; ++tile) {
    const std::int64_t left = tiles - tile, rows = (p.rows - first + left - 1) / left;
    multiply_rows<T, Vectors, kRows>(p, first, rows);
    first += rows;
  }
}

template <class T>
void multiply_one_panel(const PanelProduct<T>& p) {
  const std::int64_t vectors = (p.columns + VectorOf<T>::kLanes - 1) / VectorOf<T>::kLanes;
  if constexpr (kVectors == 4) {
    if (vectors == 4) return multiply_panel<T, 4>(p);
    if (vectors == 3) return multiply_panel<T, 3>(p);
  }
  return vectors == 2 ? multiply_panel<T, 2>(p) : multiply_panel<T, 1>(p);
}

template <class T>
void multiply(PanelProduct<T> p, std::int64_t panel_size) {
  constexpr std::int64_t kWidth = kVectors * VectorOf<T>::kLanes, kPanels = 4;
  const std::int64_t end = p.column + p.columns;
  const auto go_on = [&](std::int64_t panels) {
    p.column += panels * kWidth;
    p.b += panels * panel_size;
  };
  for (; p.rows == 1 && p.column + kPanels * kWidth <= end; go_on(kPanels)) multiply_one_row<T, kPanels>(p, panel_size);
  for (; p.column < end; go_on(1)) {
    p.columns = p.column + kWidth < end ? kWidth : end - p.column;
    multiply_one_panel(p);
  }
}

// ---- Dot products.

// Four columns at a time, and two vectors of each.
template <class T, int Columns>
void dots_of(const T* a, const T* b, std::int64_t stride, std::int64_t depth, const T* bias, T* out) {
  using Register = typename VectorOf<T>::Register;
  using InMemory = typename VectorOf<T>::InMemory;
  constexpr int kLanes = VectorOf<T>::kLanes, kSteps = 2;
  Register sums[Columns][kSteps] = {};
  std::int64_t k = 0;
  for (; k + kSteps * kLanes <= depth; k += kSteps * kLanes) {
#pragma GCC unroll 8
    for (int step = 0; step < kSteps; ++step) {
      const Register left = *reinterpret_cast<const InMemory*>(a + k + step * kLanes);
#pragma GCC unroll 8
      for (int j = 0; j < Columns; ++j)
        sums[j][step] += left * *reinterpret_cast<const InMemory*>(b + j * stride + k + step * kLanes);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < Columns; ++j) {
    const Register both = sums[j][0] + sums[j][1];
    T total = T(0);
    for (int lane = 0; lane < kLanes; ++lane) total += both[lane];
    for (std::int64_t rest = k; rest < depth; ++rest) total += a[rest] * b[j * stride + rest];
    out[j] = bias ? total + bias[j] : total;
  }
}

template <class T>
void dots(const T* a, const T* b, std::int64_t stride, std::int64_t depth, std::int64_t columns, const T* bias,
          T* out) {
  std::int64_t j = 0;
  for (; j + 4 <= columns; j += 4) dots_of<T, 4>(a, b + j * stride, stride, depth, bias ? bias + j : nullptr, out + j);
  for (; j < columns; ++j) dots_of<T, 1>(a, b + j * stride, stride, depth, bias ? bias + j : nullptr, out + j);
}

// ---- Turning matrices over, in blocks of 32 bytes by as many rows.

template <class T>
constexpr int kBlock = 32 / static_cast<int>(sizeof(T));

typedef float Floats __attribute__((vector_size(32)));
typedef float FloatsInMemory __attribute__((vector_size(32), aligned(4), may_alias));
typedef double Doubles __attribute__((vector_size(32)));
typedef double DoublesInMemory __attribute__((vector_size(32), aligned(8), may_alias));

// Row j of the turned block goes to to[j].
inline void transpose_block(const float* from, std::int64_t stride, float* const* to) {
  typedef int Order __attribute__((vector_size(32)));
  Floats rows[8], pairs[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) rows[i] = *reinterpret_cast<const FloatsInMemory*>(from + i * stride);
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = __builtin_shuffle(rows[i], rows[i + 1], Order{0, 8, 1, 9, 4, 12, 5, 13});
    pairs[i + 1] = __builtin_shuffle(rows[i], rows[i + 1], Order{2, 10, 3, 11, 6, 14, 7, 15});
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i += 4)
#pragma GCC unroll 8
    for (int k = 0; k < 2; ++k) {
      rows[i + 2 * k] = __builtin_shuffle(pairs[i + k], pairs[i + k + 2], Order{0, 1, 8, 9, 4, 5, 12, 13});
      rows[i + 2 * k + 1] = __builtin_shuffle(pairs[i + k], pairs[i + k + 2], Order{2, 3, 10, 11, 6, 7, 14, 15});
    }
#pragma GCC unroll 8
  for (int i = 0; i < 4; ++i) {
    *reinterpret_cast<FloatsInMemory*>(to[i]) =
        __builtin_shuffle(rows[i], rows[i + 4], Order{0, 1, 2, 3, 8, 9, 10, 11});
    *reinterpret_cast<FloatsInMemory*>(to[i + 4]) =
        __builtin_shuffle(rows[i], rows[i + 4], Order{4, 5, 6, 7, 12, 13, 14, 15});
  }
}

inline void transpose_block(const double* from, std::int64_t stride, double* const* to) {
  typedef long long Order __attribute__((vector_size(32)));
  Doubles rows[4], pairs[4];
#pragma GCC unroll 8
  for (int i = 0; i < 4; ++i) rows[i] = *reinterpret_cast<const DoublesInMemory*>(from + i * stride);
#pragma GCC unroll 8
  for (int i = 0; i < 4; i += 2) {
    pairs[i] = __builtin_shuffle(rows[i], rows[i + 1], Order{0, 4, 2, 6});
    pairs[i + 1] = __builtin_shuffle(rows[i], rows[i + 1], Order{1, 5, 3, 7});
  }
#pragma GCC unroll 8
  for (int i = 0; i < 2; ++i) {
    *reinterpret_cast<DoublesInMemory*>(to[i]) = __builtin_shuffle(pairs[i], pairs[i + 2], Order{0, 1, 4, 5});
    *reinterpret_cast<DoublesInMemory*>(to[i + 2]) = __builtin_shuffle(pairs[i], pairs[i + 2], Order{2, 3, 6, 7});
  }
}

// Row j of the result begins at to_row(j). Eight rows are read at a time, from end to end: so each line of memory is
// read once, wherever the rows stand in the cache.
template <class T, class F>
void transpose_to(const T* from, std::int64_t stride, std::int64_t rows, std::int64_t columns, F to_row) {
  constexpr int kSide = kBlock<T>;
  const std::int64_t whole_columns = columns / kSide * kSide;
  std::int64_t i = 0;
  for (; i + kSide <= rows; i += kSide) {
    for (std::int64_t j = 0; j < whole_columns; j += kSide) {
      T* to[kSide];
#pragma GCC unroll 8
      for (int q = 0; q < kSide; ++q) to[q] = to_row(j + q) + i;
      transpose_block(from + i * stride + j, stride, to);
    }
    for (std::int64_t j = whole_columns; j < columns; ++j)
      for (int q = 0; q < kSide; ++q) to_row(j)[i + q] = from[(i + q) * stride + j];
  }
  for (; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) to_row(j)[i] = from[i * stride + j];
}

template <class T>
void transpose(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, T* to,
               std::int64_t to_stride) {
  transpose_to(from, from_stride, rows, columns, [&](std::int64_t j) { return to + j * to_stride; });
}

// ---- Packing.

// One row of a whole panel.
template <class T>
void copy_whole_row(const T* from, T* to) {
  using InMemory = typename VectorOf<T>::InMemory;
#pragma GCC unroll 8
  for (int v = 0; v < kVectors; ++v)
    *reinterpret_cast<InMemory*>(to + v * VectorOf<T>::kLanes) =
        *reinterpret_cast<const InMemory*>(from + v * VectorOf<T>::kLanes);
}

template <class T>
void pack(const T* from, std::int64_t row_stride, std::int64_t column_stride, std::int64_t depth, std::int64_t columns,
          const std::int64_t* places, T* to) {
  constexpr std::int64_t kLanes = VectorOf<T>::kLanes, kWidth = kVectors * kLanes;
  const std::int64_t whole = columns / kWidth * kWidth, rest = columns - whole;
  const std::int64_t filled = (rest + kLanes - 1) / kLanes * kLanes;
  const auto place = [&](std::int64_t k) { return places ? places[k] : k; };
  T* const last = to + whole * panel_rows(depth);
  for (std::int64_t i = 0; rest < filled && i < depth * filled; ++i) last[i] = T(0);
  if (row_stride == 1) {  // columns are contiguous
    for (std::int64_t column = 0; column < columns; column += kWidth) {
      const bool is_whole = column < whole;
      T* const panel = to + column * panel_rows(depth);
      transpose_to(from + column * column_stride, column_stride, is_whole ? kWidth : rest, depth,
                   [&](std::int64_t k) { return panel + place(k) * (is_whole ? kWidth : filled); });
    }
  } else {
    for (std::int64_t k = 0; k < depth; ++k) {
      const T* const row = from + k * row_stride;
      T* target = to + place(k) * kWidth;
      for (std::int64_t column = 0; column < whole; column += kWidth, target += kWidth * panel_rows(depth)) {
        if (column_stride == 1)
          copy_whole_row(row + column, target);
        else
          for (std::int64_t j = 0; j < kWidth; ++j) target[j] = row[(column + j) * column_stride];
      }
      for (std::int64_t j = 0; j < rest; ++j) last[place(k) * filled + j] = row[(whole + j) * column_stride];
    }
  }
}

template <class T>
constexpr Tiles<T> kTiles{
    kVectors * VectorOf<T>::kLanes, VectorOf<T>::kLanes, &multiply<T>, &dots<T>, &pack<T>, &transpose<T>};

}  // namespace
}  // namespace eigengrad::kernels
