// The loops of tiles.h, for the instructions that the including file is compiled for. They are written with the
// compiler's vectors, and nothing of the standard library is instantiated here: the linker would be free to take the
// copy of another processor's file.
#pragma once

#include <cstdint>

// Whether the processor multiplies bfloat16.
#if defined(__AVX512BF16__) && defined(__AVX512VL__) && defined(__AVX512BW__) && !defined(EIGENGRAD_TILE_BYTES)
#  define EIGENGRAD_TILE_BFLOAT16
#  include <immintrin.h>
#endif

#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {
namespace {

// EIGENGRAD_TILE_BYTES lets the tests have the tiles of other processors.
#if defined(EIGENGRAD_TILE_BYTES)
constexpr int kVectorBytes = EIGENGRAD_TILE_BYTES;
#elif defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif
constexpr int kVectors = kVectorBytes == 64 ? 4 : 2;
// What is left of a matrix with few columns takes shorter vectors, of which these processors multiply as many numbers
// at a time: two short ones, or one long one.
constexpr int kNarrowBytes = kVectorBytes == 64 ? 32 : kVectorBytes;

// A tile of six rows and kVectors vectors: its sums stay in registers (12 of AVX2's 16, 24 of AVX-512's 32), and are
// enough of them to hide how long one addition takes. Where there is but one vector, that takes more rows.
constexpr int tile_rows(int vectors, int bytes) { return vectors > 1 ? 6 : bytes < kVectorBytes ? 12 : 8; }

template <class T, int Bytes = kVectorBytes>
struct VectorOf {
  typedef T Register __attribute__((vector_size(Bytes)));
  typedef T InMemory __attribute__((vector_size(Bytes), aligned(sizeof(T)), may_alias));
  static constexpr int kLanes = Bytes / static_cast<int>(sizeof(T));
};

// ---- What stands at one place of a row or a column, and how products of it are added up: one number,

// (Vectors are handed over by reference: by value, it would matter to the compiler which of them the processor has.)
template <class T, int Bytes = kVectorBytes>
struct Numbers : VectorOf<T, Bytes> {
  using typename VectorOf<T, Bytes>::Register;
  using typename VectorOf<T, Bytes>::InMemory;
  using Element = T;
  using One = T;
  using Many = Register;
  template <int Other>
  using OfBytes = Numbers<T, Other>;

  static void load(const T* place, One& one) { one = *place; }
  static void load_many(const T* places, Many& many) { many = *reinterpret_cast<const InMemory*>(places); }
  template <class Left>
  static void add(Register& sum, const Left& left, const Many& right) {
    sum += left * right;
  }
  static T product(T left, T right) { return left * right; }
};

// or a pair of bfloat16: see pair_tiles(). Each of the two is a float32 when the other half of its bits is 0.
template <int Bytes = kVectorBytes>
struct Pairs : VectorOf<float, Bytes> {
  using typename VectorOf<float, Bytes>::Register;
  using Element = float;
  using Bits = VectorOf<std::uint32_t, Bytes>;
  template <int Other>
  using OfBytes = Pairs<Other>;

#if defined(EIGENGRAD_TILE_BFLOAT16)
  using Many = Register;
  static void spread(const typename Bits::Register& bits, Many& to) { to = reinterpret_cast<Register>(bits); }
  static void add(Register& sum, const Many& left, const Many& right) {
    if constexpr (Bytes == 64)
      sum = _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(left), reinterpret_cast<__m512bh>(right));
    else if constexpr (Bytes == 32)
      sum = _mm256_dpbf16_ps(sum, reinterpret_cast<__m256bh>(left), reinterpret_cast<__m256bh>(right));
    else
      sum = _mm_dpbf16_ps(sum, reinterpret_cast<__m128bh>(left), reinterpret_cast<__m128bh>(right));
  }
#else
  struct Many {
    Register first, second;
  };
  static void spread(const typename Bits::Register& bits, Many& to) {
    to.first = reinterpret_cast<Register>(bits << 16);
    to.second = reinterpret_cast<Register>(bits & 0xFFFF0000U);
  }
  static void add(Register& sum, const Many& left, const Many& right) {
    sum += left.first * right.first;
    sum += left.second * right.second;
  }
#endif
  using One = Many;  // in every lane

  static void load(const float* place, One& one) {
    typedef std::uint32_t InMemory __attribute__((may_alias));
    const typename Bits::Register bits = typename Bits::Register{} + *reinterpret_cast<const InMemory*>(place);
    spread(bits, one);
  }
  static void load_many(const float* places, Many& many) {
    const typename Bits::Register bits = *reinterpret_cast<const typename Bits::InMemory*>(places);
    spread(bits, many);
  }
  static float product(float left, float right) {
    const auto number = [](std::uint32_t bits) { return __builtin_bit_cast(float, bits); };
    const auto a = __builtin_bit_cast(std::uint32_t, left), b = __builtin_bit_cast(std::uint32_t, right);
    return number(a << 16) * number(b << 16) + number(a & 0xFFFF0000U) * number(b & 0xFFFF0000U);
  }
};

// ---- Products.

// What PanelProduct says of the result, for one row of a tile. Inlined, or the sums would have to leave their
// registers.
template <class Of, int Vectors>
[[gnu::always_inline]] inline void store_row(const typename Of::Register* sums,
                                             const PanelProduct<typename Of::Element>& p, typename Of::Element* row,
                                             std::int64_t column, std::int64_t columns) {
  using T = typename Of::Element;
  using Register = typename Of::Register;
  using InMemory = typename Of::InMemory;
  constexpr int kLanes = Of::kLanes;
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

template <class Of, int Rows, int Vectors, bool kPacked>
void multiply_tile(const PanelProduct<typename Of::Element>& p, std::int64_t first) {
  using T = typename Of::Element;
  constexpr int kLanes = Of::kLanes, kBytes = Vectors * kLanes * static_cast<int>(sizeof(T));
  // The results are asked for now, for they are seldom in the cache: they will be there when the sums are done.
#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i) {
    const T* const result = p.out[first + i] + p.column;
    __builtin_prefetch(result, 1);
    if constexpr (kBytes > 64) __builtin_prefetch(result + (Vectors - 1) * kLanes, 1);
  }
  typename Of::Register sums[Rows][Vectors] = {};
  const T* b = p.b;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    const T* row[Rows];
#pragma GCC unroll 12
    for (int i = 0; i < Rows; ++i) row[i] = p.a[first + i] + p.segments[s].offset;
    const std::int64_t length = p.segments[s].length, step = p.step;
    std::int64_t at = 0;
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < length; ++k) {
      typename Of::Many right[Vectors];
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) Of::load_many(b + v * kLanes, right[v]);
#pragma GCC unroll 12
      for (int i = 0; i < Rows; ++i) {
        typename Of::One left;
        Of::load(row[i] + at, left);
#pragma GCC unroll 8
        for (int v = 0; v < Vectors; ++v) Of::add(sums[i][v], left, right[v]);
      }
      at += step;
      b += kPacked ? Vectors * kLanes : p.b_step;
    }
  }

#pragma GCC unroll 12
  for (int i = 0; i < Rows; ++i) store_row<Of, Vectors>(sums[i], p, p.out[first + i], p.column, p.columns);
}

// One row and several whole panels, each `panel_size` elements in memory: with one panel every addition would wait for
// the one before.
template <class Of, int Panels, bool kPacked>
void multiply_one_row(const PanelProduct<typename Of::Element>& p, std::int64_t panel_size) {
  using T = typename Of::Element;
  constexpr int kLanes = Of::kLanes, kWidth = kVectors * kLanes;
  typename Of::Register sums[Panels][kVectors] = {};
  const T* b = p.b;
  for (std::int64_t s = 0; s < p.segment_count; ++s) {
    const T* const row = p.a[0] + p.segments[s].offset;
    for (std::int64_t k = 0; k < p.segments[s].length; ++k, b += kPacked ? kWidth : p.b_step) {
      typename Of::One left;
      Of::load(row + k * p.step, left);
#pragma GCC unroll 8
      for (int panel = 0; panel < Panels; ++panel)
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) {
          typename Of::Many right;
          Of::load_many(b + panel * panel_size + v * kLanes, right);
          Of::add(sums[panel][v], left, right);
        }
    }
  }
#pragma GCC unroll 8
  for (int panel = 0; panel < Panels; ++panel)
    store_row<Of, kVectors>(sums[panel], p, p.out[0], p.column + panel * kWidth, kWidth);
}

template <class Of, int Vectors, bool kPacked, int Rows>
void multiply_rows(const PanelProduct<typename Of::Element>& p, std::int64_t first, std::int64_t rows) {
  if (rows == Rows) return multiply_tile<Of, Rows, Vectors, kPacked>(p, first);
  if constexpr (Rows > 1) multiply_rows<Of, Vectors, kPacked, Rows - 1>(p, first, rows);
}

// The rows are shared out evenly among the tiles: 64 are nine of six and two of five, not ten of six and one of four.
template <class Of, int Vectors, bool kPacked = true>
void multiply_panel(const PanelProduct<typename Of::Element>& p) {
  constexpr int kRows = tile_rows(Vectors, Of::kLanes * static_cast<int>(sizeof(typename Of::Element)));
  const std::int64_t tiles = (p.rows + kRows - 1) / kRows;
  for (std::int64_t tile = 0, first = 0; tile < tiles; ++tile) {
    const std::int64_t left = tiles - tile, rows = (p.rows - first + left - 1) / left;
    multiply_rows<Of, Vectors, kPacked, kRows>(p, first, rows);
    first += rows;
  }
}

template <class T>
constexpr int kNarrow = VectorOf<T, kNarrowBytes>::kLanes;

template <class Of>
void multiply_one_panel(const PanelProduct<typename Of::Element>& p) {
  if constexpr (kNarrowBytes < kVectorBytes)
    if (p.columns <= kNarrow<typename Of::Element>)
      return multiply_panel<typename Of::template OfBytes<kNarrowBytes>, 1>(p);
  const std::int64_t vectors = (p.columns + Of::kLanes - 1) / Of::kLanes;
  if constexpr (kVectors == 4) {
    if (vectors == 4) return multiply_panel<Of, 4>(p);
    if (vectors == 3) return multiply_panel<Of, 3>(p);
  }
  return vectors == 2 ? multiply_panel<Of, 2>(p) : multiply_panel<Of, 1>(p);
}

template <class Of>
void multiply(PanelProduct<typename Of::Element> p, std::int64_t panel_size) {
  constexpr std::int64_t kWidth = kVectors * Of::kLanes, kPanels = 4;
  const std::int64_t end = p.column + p.columns;
  const auto go_on = [&](std::int64_t panels) {
    p.column += panels * kWidth;
    p.b += panels * panel_size;
  };
  const bool is_packed = p.b_step == 0;
  for (; p.rows == 1 && p.column + kPanels * kWidth <= end; go_on(kPanels)) {
    if (is_packed)
      multiply_one_row<Of, kPanels, true>(p, panel_size);
    else
      multiply_one_row<Of, kPanels, false>(p, panel_size);
  }
  for (; p.column < end; go_on(1)) {
    p.columns = p.column + kWidth < end ? kWidth : end - p.column;
    if (is_packed)
      multiply_one_panel<Of>(p);
    else
      multiply_panel<Of, kVectors, false>(p);
  }
}

// ---- Dot products.

// The sum of a vector's elements, in halves: one after the other, each would wait for the one before.
template <class T, int Bytes>
T sum_of(const typename VectorOf<T, Bytes>::Register& x) {
  if constexpr (Bytes > 16) {
    typename VectorOf<T, Bytes / 2>::Register halves[2];
    __builtin_memcpy(halves, &x, sizeof x);
    halves[0] += halves[1];
    return sum_of<T, Bytes / 2>(halves[0]);
  } else {
    T total = T(0);
    for (int lane = 0; lane < 16 / static_cast<int>(sizeof(T)); ++lane) total += x[lane];
    return total;
  }
}

// Adds the products of what is left from element k on, less than two vectors: in vectors of this length, and shorter
// ones for the rest.
template <class Of, int Columns, class T>
void add_rest(const T* a, const T* b, std::int64_t stride, std::int64_t k, std::int64_t depth, T (&totals)[Columns]) {
  constexpr int kLanes = Of::kLanes, kBytes = kLanes * static_cast<int>(sizeof(T));
  if (k + kLanes <= depth) {
    typename Of::Many left;
    Of::load_many(a + k, left);
#pragma GCC unroll 8
    for (int j = 0; j < Columns; ++j) {
      typename Of::Many right;
      typename Of::Register sum{};
      Of::load_many(b + j * stride + k, right);
      Of::add(sum, left, right);
      totals[j] += sum_of<T, kBytes>(sum);
    }
    k += kLanes;
  }
  if constexpr (kBytes > 16) {
    if (k < depth) add_rest<typename Of::template OfBytes<kBytes / 2>, Columns>(a, b, stride, k, depth, totals);
  } else {
    for (; k < depth; ++k)
      for (int j = 0; j < Columns; ++j) totals[j] += Of::product(a[k], b[j * stride + k]);
  }
}

// Four columns at a time, and two vectors of each.
template <class Of, int Columns, class T>
void dots_of(const T* a, const T* b, std::int64_t stride, std::int64_t depth, const T* bias, T* out) {
  constexpr int kLanes = Of::kLanes, kSteps = 2;
  typename Of::Register sums[Columns][kSteps] = {};
  std::int64_t k = 0;
  for (; k + kSteps * kLanes <= depth; k += kSteps * kLanes) {
#pragma GCC unroll 8
    for (int step = 0; step < kSteps; ++step) {
      typename Of::Many left;
      Of::load_many(a + k + step * kLanes, left);
#pragma GCC unroll 8
      for (int j = 0; j < Columns; ++j) {
        typename Of::Many right;
        Of::load_many(b + j * stride + k + step * kLanes, right);
        Of::add(sums[j][step], left, right);
      }
    }
  }
  T totals[Columns];
#pragma GCC unroll 8
  for (int j = 0; j < Columns; ++j) {
    sums[j][0] += sums[j][1];
    totals[j] = sum_of<T, kLanes* static_cast<int>(sizeof(T))>(sums[j][0]);
  }
  if (k < depth) add_rest<Of, Columns>(a, b, stride, k, depth, totals);
  for (int j = 0; j < Columns; ++j) out[j] = bias ? totals[j] + bias[j] : totals[j];
}

template <class Of, class T = typename Of::Element>
void dots(const T* a, const T* b, std::int64_t stride, std::int64_t depth, std::int64_t columns, const T* bias,
          T* out) {
  std::int64_t j = 0;
  for (; j + 4 <= columns; j += 4) dots_of<Of, 4>(a, b + j * stride, stride, depth, bias ? bias + j : nullptr, out + j);
  for (; j < columns; ++j) dots_of<Of, 1>(a, b + j * stride, stride, depth, bias ? bias + j : nullptr, out + j);
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

// `columns` of a row, in vectors, of which the last may reach further.
template <class T>
void copy_in_vectors(const T* from, std::int64_t columns, T* to) {
  using InMemory = typename VectorOf<T, kNarrowBytes>::InMemory;
  for (std::int64_t j = 0; j < columns; j += kNarrow<T>)
    *reinterpret_cast<InMemory*>(to + j) = *reinterpret_cast<const InMemory*>(from + j);
}

template <class T>
void pack(const T* from, std::int64_t row_stride, std::int64_t column_stride, std::int64_t depth, std::int64_t columns,
          const std::int64_t* places, T* to) {
  constexpr std::int64_t kLanes = VectorOf<T>::kLanes, kWidth = kVectors * kLanes;
  const std::int64_t whole = columns / kWidth * kWidth, rest = columns - whole;
  const std::int64_t filled = rest <= kNarrow<T> ? kNarrow<T> : (rest + kLanes - 1) / kLanes * kLanes;
  const auto place = [&](std::int64_t k) { return places ? places[k] : k; };
  T* const last = to + whole * panel_rows(depth);
  for (std::int64_t i = 0; rest > 0 && rest < filled && i < depth * filled; ++i) last[i] = T(0);
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
      // What is read beyond a row is of the rows after it, and in columns of which no result is kept.
      T* const end = last + place(k) * filled;
      if (column_stride == 1 && (depth - 1 - k) * row_stride >= filled - rest)
        copy_in_vectors(row + whole, rest, end);
      else
        for (std::int64_t j = 0; j < rest; ++j) end[j] = row[(whole + j) * column_stride];
    }
  }
}

// ---- Rounding to bfloat16.

#if defined(EIGENGRAD_TILE_BFLOAT16)
// The lanes, of 16, that `left` elements fill.
inline __mmask16 lanes_of(std::int64_t left) {
  return static_cast<__mmask16>(left >= 16 ? 0xFFFF : left <= 0 ? 0 : (1 << left) - 1);
}

inline void pair_neighbours(const float* __restrict from, std::int64_t terms, float* __restrict to) {
  for (std::int64_t k = 0; k < terms; k += 32) {
    const __m512 low = _mm512_maskz_loadu_ps(lanes_of(terms - k), from + k);
    const __m512 high = _mm512_maskz_loadu_ps(lanes_of(terms - k - 16), from + k + 16);
    _mm512_mask_storeu_epi32(to + k / 2, lanes_of((terms - k + 1) / 2),
                             reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low)));
  }
}

inline void pair_rows(const float* __restrict first, const float* __restrict second, std::int64_t size,
                      float* __restrict to) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (std::int64_t i = 0; i < size; i += 16) {
    const __mmask16 lanes = lanes_of(size - i);
    const __m512 low = _mm512_maskz_loadu_ps(lanes, first + i);
    const __m512 high = second ? _mm512_maskz_loadu_ps(lanes, second + i) : _mm512_setzero_ps();
    const auto both = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
    _mm512_mask_storeu_epi32(to + i, lanes, _mm512_permutexvar_epi16(order, both));
  }
}
#else
// A pair as bits: a float would lose those of some NaN on its way.
using Word = std::uint32_t;
typedef Word WordInMemory __attribute__((may_alias));

inline Word upper_half(float x) {
  const Word bits = __builtin_bit_cast(Word, x), nearest = bits + 0x7FFFU + (bits >> 16 & 1);
  return (x == x ? nearest : bits | 0x00400000U) >> 16;  // a NaN stays one
}
inline Word pair_of(float first, float second) { return upper_half(first) | upper_half(second) << 16; }

inline void pair_neighbours(const float* __restrict from, std::int64_t terms, float* __restrict to) {
  auto* __restrict const words = reinterpret_cast<WordInMemory*>(to);
  for (std::int64_t k = 0; k < terms / 2; ++k) words[k] = pair_of(from[2 * k], from[2 * k + 1]);
  if (terms % 2 != 0) words[terms / 2] = pair_of(from[terms - 1], 0);
}

inline void pair_rows(const float* __restrict first, const float* __restrict second, std::int64_t size,
                      float* __restrict to) {
  auto* __restrict const words = reinterpret_cast<WordInMemory*>(to);
  if (second)
    for (std::int64_t i = 0; i < size; ++i) words[i] = pair_of(first[i], second[i]);
  else
    for (std::int64_t i = 0; i < size; ++i) words[i] = pair_of(first[i], 0);
}
#endif

template <class T, class Of>
constexpr Tiles<T> tiles_of() {
  return {kVectors * Of::kLanes, Of::kLanes, kNarrow<T>, &multiply<Of>, &dots<Of>, &pack<T>, &transpose<T>};
}
template <class T>
constexpr Tiles<T> kTiles = tiles_of<T, Numbers<T>>();
constexpr PairTiles kPairTiles{tiles_of<float, Pairs<>>(), &pair_neighbours, &pair_rows};

}  // namespace
}  // namespace eigengrad::kernels
