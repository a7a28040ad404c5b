#include "eigengrad/ops/kernels/pairs.h"

#include <algorithm>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {
namespace {

// Rows that are `row_stride` apart; those of the result follow each other.
void pair_matrix(const float* from, std::int64_t rows, std::int64_t columns, std::int64_t row_stride, Terms terms,
                 float* to) {
  constexpr std::int64_t kGrain = 1 << 16;
  const PairTiles& t = pair_tiles();
  const std::int64_t results = terms == Terms::AreRows ? pairs_of(rows) : rows;
  parallel_for(results, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   if (terms == Terms::AreColumns) {
                     t.pair_neighbours(from + i * row_stride, columns, to + i * pairs_of(columns));
                   } else {
                     const float* const row = from + 2 * i * row_stride;
                     t.pair_rows(row, 2 * i + 1 < rows ? row + row_stride : nullptr, columns, to + i * columns);
                   }
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
  // Short rows without gaps are one long one.
  constexpr std::int64_t kLong = 1 << 12;
  if (inner == 1 && terms % 2 == 0 && terms < kLong && outer * terms >= kLong) {
    const std::int64_t long_rows = outer * terms / kLong, rest = outer * terms % kLong;
    pair_matrix(from, long_rows, kLong, kLong, Terms::AreColumns, to);
    return pair_matrix(from + long_rows * kLong, 1, rest, rest, Terms::AreColumns, to + long_rows * kLong / 2);
  }
  if (inner == 1) return pair_matrix(from, outer, terms, terms, Terms::AreColumns, to);
  for (std::int64_t i = 0; i < outer; ++i)
    pair_matrix(from + i * terms * inner, terms, inner, inner, Terms::AreRows, to + i * pairs_of(terms) * inner);
}

PairedMatrix::PairedMatrix(const Matrix& m, Terms terms)
    : room_(terms == Terms::AreRows ? pairs_of(m.rows) * m.columns : m.rows * pairs_of(m.columns)),
      matrix_(paired(m, terms, room_.data())) {
  const auto* const data = static_cast<const float*>(m.data);
  if (m.column_stride == 1)
    pair_matrix(data, m.rows, m.columns, m.row_stride, terms, room_.data());
  else
    pair_matrix(data, m.columns, m.rows, m.column_stride, terms == Terms::AreRows ? Terms::AreColumns : Terms::AreRows,
                room_.data());
}

}  // namespace eigengrad::kernels
