#include "eigengrad/ops/kernels/pairs.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {
namespace {

constexpr std::int64_t kGrain = 1 << 15;  // elements of a piece

// Rows of terms, `row_stride` apart; those of the result follow each other.
void pair_columns(const float* from, std::int64_t rows, std::int64_t terms, std::int64_t row_stride, float* to) {
  const PairTiles& t = pair_tiles();
  const std::int64_t pairs = pairs_of(terms);
  const bool is_one_row = row_stride == terms && terms % 2 == 0;
  parallel_evenly(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, terms)),
                  [&](std::int64_t begin, std::int64_t end) {
                    if (is_one_row)
                      return t.pair_neighbours(from + begin * terms, (end - begin) * terms, to + begin * pairs);
                    for (std::int64_t i = begin; i < end; ++i)
                      t.pair_neighbours(from + i * row_stride, terms, to + i * pairs);
                  });
}

// Matrices of `terms` rows, all rows `row_stride` apart; those of the results follow each other.
void pair_rows(const float* from, std::int64_t outer, std::int64_t terms, std::int64_t columns, std::int64_t row_stride,
               float* to) {
  const PairTiles& t = pair_tiles();
  const std::int64_t pairs = pairs_of(terms);
  parallel_evenly(outer * pairs, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns)),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t first = i % pairs * 2;
                      const float* const row = from + (i / pairs * terms + first) * row_stride;
                      t.pair_rows(row, first + 1 < terms ? row + row_stride : nullptr, columns, to + i * columns);
                    }
                  });
}

Matrix paired(const Matrix& m, Terms terms, const void* data) {
  const std::int64_t rows = terms == Terms::AreRows ? pairs_of(m.rows) : m.rows;
  const std::int64_t columns = terms == Terms::AreRows ? m.columns : pairs_of(m.columns);
  if (m.column_stride == 1) return row_major(data, rows, columns);
  return transposed(data, columns, rows);
}

}  // namespace

void pair_terms(const float* from, std::int64_t outer, std::int64_t terms, std::int64_t inner, float* to) {
  if (inner == 1)
    pair_columns(from, outer, terms, terms, to);
  else
    pair_rows(from, outer, terms, inner, inner, to);
}

PairedMatrix::PairedMatrix(const Matrix& m, Terms terms)
    : room_(terms == Terms::AreRows ? pairs_of(m.rows) * m.columns : m.rows * pairs_of(m.columns)),
      matrix_(paired(m, terms, room_.data())) {
  // As they lie in memory, where terms may be the rows although they are the columns of a transposed matrix.
  const auto* const data = static_cast<const float*>(m.data);
  const bool turned = m.column_stride != 1;
  const std::int64_t rows = turned ? m.columns : m.rows, columns = turned ? m.rows : m.columns;
  const std::int64_t row_stride = turned ? m.column_stride : m.row_stride;
  if ((terms == Terms::AreRows) != turned)
    pair_rows(data, 1, rows, columns, row_stride, room_.data());
  else
    pair_columns(data, rows, columns, row_stride, room_.data());
}

}  // namespace eigengrad::kernels
