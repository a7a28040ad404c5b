// The innermost loops of our own engine (engine_own.cc): a few rows times a panel of packed columns, in registers.
#pragma once

#include <cstdint>

namespace eigengrad::kernels {

// What is many times read or written side by side must not be a power of two apart: all of it would have the same place
// in the cache.

/// Rows of a panel in memory, for so many that are used.
constexpr std::int64_t panel_rows(std::int64_t depth) { return depth | 1; }

/// At least so many elements, which are an odd number of cache lines.
template <class T>
constexpr std::int64_t odd_lines(std::int64_t elements) {
  constexpr auto kLine = static_cast<std::int64_t>(64 / sizeof(T));
  return ((elements + kLine - 1) / kLine | 1) * kLine;
}

/// A piece of a row: where it begins, and how many elements it has.
struct Segment {
  std::int64_t offset, length;
};

/// out ← a · b, or out + a · b, for some whole panels of b, or its last one.
///
/// A row of a need not be contiguous: its elements are those of `segments`, one after another, each counted from where
/// the row begins and `step` apart. So the rows of a convolution's patches are read from the image itself.
template <class T>
struct PanelProduct {
  const T* const* a;  ///< where each row begins
  T* const* out;      ///< and each row of the result, of which the panels are `columns` columns from `column` on
  std::int64_t rows;
  const Segment* segments;
  std::int64_t segment_count, step;
  const T*
      b;  ///< the first panel, packed: for each element of a row of a, the columns side by side, up to whole vectors
  std::int64_t column, columns;
  bool accumulate;  ///< add to what out has
  const T* bias;    ///< added to every row, counted from column 0; may be null
  /// Not 0 where b is not packed, and the panels are whole: elements from one of its rows to the next.
  std::int64_t b_step = 0;
};

/// The loops for one element type and one kind of processor. A sum over a row runs from its first element to its last,
/// one multiplication and addition at a time: its bits depend neither on the panel nor on the rows beside it.
template <class T>
struct Tiles {
  std::int64_t width;   ///< columns of a panel; the last one of a matrix may have fewer
  std::int64_t lanes;   ///< elements of a vector
  std::int64_t narrow;  ///< of the vectors for a panel of at most so many columns
  /// The panels are `panel_size` elements from each other.
  void (*multiply)(PanelProduct<T> product, std::int64_t panel_size);
  /// out[j] ← a · (column j of b) + bias[j], each column being `depth` contiguous elements, `stride` apart from the
  /// next: for a row that is alone, for which packing b would not pay. `bias` may be null.
  void (*dots)(const T* a, const T* b, std::int64_t stride, std::int64_t depth, std::int64_t columns, const T* bias,
               T* out);
  /// Packs a right operand, panel after panel, each as deep as the operand. Row k goes to row places[k] of every panel,
  /// or to row k where `places` is null. One of the strides is 1, or all columns are taken one by one.
  void (*pack)(const T* from, std::int64_t row_stride, std::int64_t column_stride, std::int64_t depth,
               std::int64_t columns, const std::int64_t* places, T* to);
  /// to[j · to_stride + i] ← from[i · from_stride + j]
  void (*transpose)(const T* from, std::int64_t from_stride, std::int64_t rows, std::int64_t columns, T* to,
                    std::int64_t to_stride);

  /// The columns that a panel of so many takes in memory: whole vectors.
  std::int64_t filled(std::int64_t columns) const {
    return columns == 0 ? 0 : columns <= narrow ? narrow : (columns + lanes - 1) / lanes * lanes;
  }
  /// The elements of a packed operand.
  std::int64_t packed_size(std::int64_t depth, std::int64_t columns) const {
    return panel_rows(depth) * (columns / width * width + filled(columns % width));
  }
};

/// The best for this processor.
template <class T>
const Tiles<T>& tiles();

/// The loops for factors of bfloat16, two of which, of terms that follow each other, stand in the place of one float32,
/// the first in its lower half: `multiply` and `dots` add up the products of both. Sums and bias are float32.
/// (Subnormal numbers may count as 0: instructions for bfloat16 know none.)
struct PairTiles : Tiles<float> {
  /// to[k] ← the pair of from[2k] and from[2k + 1], rounded to the nearest, ties to even; the last of an odd number of
  /// terms is paired with 0.
  void (*pair_neighbours)(const float* from, std::int64_t terms, float* to);
  /// to[i] ← the pair of first[i] and second[i], or 0 where `second` is null.
  void (*pair_rows)(const float* first, const float* second, std::int64_t size, float* to);
};

/// The best for this processor. Those that have instructions for bfloat16 multiply twice as fast as in float32.
const PairTiles& pair_tiles();

}  // namespace eigengrad::kernels
