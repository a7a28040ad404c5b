#include "eigengrad/ops/kernels/own_product.h"

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/pieces.h"

namespace eigengrad::kernels {
namespace {

template <class T>
const T* element(const Matrix& m, std::int64_t row, std::int64_t column) {
  return static_cast<const T*>(m.data) + row * m.row_stride + column * m.column_stride;
}

// Whether the left operand is turned over, for its rows are not contiguous. Wide panels need not that: they read a line
// of memory so seldom that it may come from further away than the first cache. (Measured on Zen 4, with 4,096 rows: 109
// GFLOP/s instead of 104 with panels of 64 columns, 64 instead of 99 with 16.)
template <class T>
bool turns(const Tiles<T>& tiles, const Matrix& a) {
  constexpr std::int64_t kWide = 256;  // bytes
  return a.column_stride != 1 && tiles.width * static_cast<std::int64_t>(sizeof(T)) < kWide;
}

// The rows of a block of the left operand, where they are or turned over.
template <class T>
class LeftRows {
 public:
  LeftRows(const Tiles<T>& tiles, const Matrix& a, std::int64_t rows, std::int64_t depth)
      : tiles_(tiles), a_(a), turned_(turns(tiles, a) ? rows * odd_lines<T>(depth) : 0) {}

  std::int64_t step() const { return turned_.data() ? 1 : a_.column_stride; }

  const T* const* find(std::int64_t row, std::int64_t rows, std::int64_t term, std::int64_t depth) {
    T* const turned = turned_.data();
    const std::int64_t apart = odd_lines<T>(depth);
    if (turned) tiles_.transpose(element<T>(a_, row, term), a_.column_stride, depth, rows, turned, apart);
    for (std::int64_t i = 0; i < rows; ++i) rows_[i] = turned ? turned + i * apart : element<T>(a_, row + i, term);
    return rows_;
  }

 private:
  const Tiles<T>& tiles_;
  const Matrix& a_;
  const RoomOf<T> turned_;
  const T* rows_[kBlockRows];
};

// Few rows, with columns that are contiguous: a layer of a net that is asked for one sample.
bool are_dots(const Matrix& a, const Matrix& b) {
  constexpr std::int64_t kMost = 3;
  return a.rows <= kMost && a.column_stride == 1 && b.row_stride == 1;
}

// Whether whole panels of b are read where they are: few rows are not worth packing for. (Measured on Zen 4, 1,024 ×
// 1,024: one row in 53 µs instead of 308, 24 in 449 instead of 642; from 32 rows on little is left of it.)
bool reads_in_place(const Matrix& a, const Matrix& b) {
  constexpr std::int64_t kFew = 24;
  return b.column_stride == 1 && b.row_stride > 0 && a.rows <= kFew;
}

// How long it takes to turn a number over, to pack one, and to pack one that has to be turned over, in multiplications.
constexpr double kTurning = 16, kPacking = 6, kTurnedPacking = 11;

// How a product is cut for threads.
//
// The terms of sums that are long beside the result are cut, too: those of a weight's gradient are samples, of which
// every thread then has its own. Their pieces have results of their own, so the shape alone decides how many.
//
// Every piece packs its columns of b, and may turn its rows of a over: there are as many pieces as do not make that
// cost a twentieth more, and one alone where there is but one thread: the bits do not depend on these (see Tiles). Of
// as many pieces, those of rows are best: they lie together in the result, and other loops over it are cut so.
struct Pieces {
  std::int64_t terms = 1, rows = 1, columns = 1;

  std::int64_t count() const { return terms * rows * columns; }

  Pieces(const Matrix& a, const Matrix& b, bool a_is_turned) : terms(term_pieces(a, b)) {
    constexpr std::int64_t kMost = 8, kFewestRows = 48, kFewestColumns = 64;
    constexpr double kMoreWork = 0.05;
    if (num_threads() == 1) return;
    // Dot products wait for memory, and take longer for each multiplication.
    const std::int64_t worth = are_dots(a, b) ? kWorthAThread / 4 : kWorthAThread;
    const std::int64_t wanted = std::min(kMost, a.rows * a.columns * b.columns / worth) / terms;
    const auto cost = [&](std::int64_t of_rows, std::int64_t of_columns) {
      if (are_dots(a, b)) return 0.0;
      const double turning = a_is_turned ? kTurning * static_cast<double>(of_columns) : 0;
      return turning / static_cast<double>(b.columns) +
             kPacking * static_cast<double>(of_rows) / static_cast<double>(a.rows);
    };
    for (std::int64_t i = 1; i <= wanted; i *= 2)
      for (std::int64_t j = 1; i * j <= wanted; j *= 2) {
        if ((i > 1 && a.rows / i < kFewestRows) || (j > 1 && b.columns / j < kFewestColumns)) continue;
        if (i * j < rows * columns || cost(i, j) > cost(1, 1) + kMoreWork) continue;
        rows = i;
        columns = j;
      }
  }

 private:
  static std::int64_t term_pieces(const Matrix& a, const Matrix& b) {
    constexpr std::int64_t kMost = 8, kFewest = 1024, kLargestResult = 1 << 17;
    if (a.rows * b.columns > kLargestResult || a.rows * a.columns * b.columns < 2 * kWorthAThread) return 1;
    return piece_count(a.columns / kFewest, kMost);
  }
};

// out ← a · b, in blocks of b's columns and terms, which are packed, and of a's rows.
template <class T>
class BlockedProduct {
 public:
  BlockedProduct(const Tiles<T>& tiles, T* out, std::int64_t out_stride, const Matrix& a, const Matrix& b,
                 const Epilogue& end)
      : tiles_(tiles),
        out_(out),
        out_stride_(out_stride),
        a_(a),
        b_(b),
        end_(end),
        packed_(tiles.packed_size(std::min(depth_, a.columns), most_packed())),
        left_(tiles, a, std::min(rows_, a.rows), std::min(depth_, a.columns)) {}

  void run() {
    for (std::int64_t column = 0; column < b_.columns; column += columns_)
      for (std::int64_t term = 0; term == 0 || term < a_.columns; term += depth_) {
        const Part columns{column, std::min(columns_, b_.columns - column)};
        const Part terms{term, std::min(depth_, a_.columns - term)};
        pack(terms, columns);
        for (std::int64_t row = 0; row < a_.rows; row += rows_)
          multiply({row, std::min(rows_, a_.rows - row)}, terms, columns);
      }
  }

 private:
  static constexpr std::int64_t kBlockColumns = 512;
  static constexpr std::int64_t kBandedRows = 12;  // that have the same terms, if there is a band: two tiles
  struct Part {
    std::int64_t first, size;
  };

  // Columns of a block: blocks are whole panels, but for the last one.
  std::int64_t most_packed() const {
    return reads_in_place(a_, b_) ? b_.columns % tiles_.width : std::min(columns_, b_.columns);
  }
  void pack(const Part& terms, const Part& columns) const {
    const std::int64_t done = reads_in_place(a_, b_) ? columns.size / tiles_.width * tiles_.width : 0;
    if (done < columns.size)
      tiles_.pack(element<T>(b_, terms.first, columns.first + done), b_.row_stride, b_.column_stride, terms.size,
                  columns.size - done, nullptr, packed_.data());
  }
  void multiply(const Part& rows, const Part& terms, const Part& columns) {
    const T* const* const left_rows = left_.find(rows.first, rows.size, terms.first, terms.size);
    for (std::int64_t i = 0; i < rows.size; ++i) out_rows_[i] = out_ + (rows.first + i) * out_stride_ + columns.first;
    const std::int64_t together = a_.band.is_all() ? rows.size : kBandedRows;
    for (std::int64_t i = 0; i < rows.size; i += together) {
      const std::int64_t count = std::min(together, rows.size - i);
      const Part some = terms_of(rows.first + i, count, terms);
      const Segment segment{some.first * left_.step(), some.size};
      RowsProduct<T>{tiles_,
                     left_rows + i,
                     out_rows_ + i,
                     count,
                     &segment,
                     1,
                     left_.step(),
                     packed_.data(),
                     terms.size,
                     columns.size,
                     some.first,
                     terms.first > 0,
                     terms.first == 0 ? end_.bias_from<T>(columns.first) : nullptr,
                     end_.relu && terms.first + terms.size == a_.columns,
                     reads_in_place(a_, b_) ? element<T>(b_, terms.first, columns.first) : nullptr,
                     b_.row_stride}
          .run();
    }
  }
  // Those of `terms` that are within the band in one of the rows, counted from the first of them.
  Part terms_of(std::int64_t row, std::int64_t count, const Part& terms) const {
    const std::int64_t begin = std::clamp<std::int64_t>(row + a_.band.low - terms.first, 0, terms.size);
    const std::int64_t end = std::clamp<std::int64_t>(row + count + a_.band.high - terms.first, begin, terms.size);
    return {begin, end - begin};
  }

  const Tiles<T>& tiles_;
  T* const out_;
  const std::int64_t out_stride_;
  const Matrix &a_, &b_;
  const Epilogue end_;
  const std::int64_t depth_ = block_size(a_.columns, kBlockDepth, 8), rows_ = block_size(a_.rows, kBlockRows, 6);
  const std::int64_t columns_ = block_size(b_.columns, kBlockColumns, 64);
  const RoomOf<T> packed_;
  LeftRows<T> left_;
  T* out_rows_[kBlockRows];
};

}  // namespace

template <class T>
void own_product(const Tiles<T>& t, T* out, std::int64_t out_stride, const Matrix& a, const Matrix& b,
                 const Epilogue& end) {
  if (!are_dots(a, b)) return BlockedProduct<T>(t, out, out_stride, a, b, end).run();
  for (std::int64_t i = 0; i < a.rows; ++i)
    t.dots(element<T>(a, i, 0), element<T>(b, 0, 0), b.column_stride, a.columns, b.columns, end.bias_from<T>(0),
           out + i * out_stride);
  for (std::int64_t i = 0; end.relu && i < a.rows; ++i)
    finish_rows(out + i * out_stride, 1, b.columns, {nullptr, true});
}

namespace {

template <class T>
void multiply_pieces(const Tiles<T>& t, T* out, const Matrix& a, const Matrix& b, const Epilogue& end) {
  const Pieces pieces(a, b, turns(t, a));
  if (pieces.count() == 1) return own_product(t, out, b.columns, a, b, end);
  const std::int64_t width = t.width, size = a.rows * b.columns;
  const std::int64_t wide = ((b.columns + pieces.columns - 1) / pieces.columns + width - 1) / width * width;
  const std::int64_t high = (a.rows + pieces.rows - 1) / pieces.rows;
  const RoomOf<T> sums((pieces.terms - 1) * size);
  const bool are_sums = pieces.terms > 1;  // of which each piece makes a part
  parallel_for(pieces.count(), 1, [&](std::int64_t begin, std::int64_t until) {
    for (std::int64_t piece = begin; piece < until; ++piece) {
      const std::int64_t of_terms = piece / (pieces.rows * pieces.columns);
      const std::int64_t row = piece / pieces.columns % pieces.rows * high, column = piece % pieces.columns * wide;
      const std::int64_t rows = std::min(high, a.rows - row), columns = std::min(wide, b.columns - column);
      if (rows <= 0 || columns <= 0) continue;
      const std::int64_t term = a.columns * of_terms / pieces.terms;
      const std::int64_t terms = a.columns * (of_terms + 1) / pieces.terms - term;
      T* const to = of_terms == 0 ? out : sums.data() + (of_terms - 1) * size;
      own_product(t, to + row * b.columns + column, b.columns, part(a, dtype_of<T>, row, rows, term, terms),
                  part(b, dtype_of<T>, term, terms, column, columns),
                  are_sums ? Epilogue{} : Epilogue{end.bias_from<T>(column), end.relu});
    }
  });
  if (!are_sums) return;
  add_up(sums.data(), pieces.terms - 1, size, size, out);
  finish_rows(out, a.rows, b.columns, end);
}

// What making the operands ready costs, for each multiplication of the product.
template <class T>
double preparing(const Tiles<T>& t, const Matrix& a, const Matrix& b) {
  const double packing = reads_in_place(a, b) ? 0 : b.column_stride == 1 ? kPacking : kTurnedPacking;
  return (turns(t, a) ? kTurning / static_cast<double>(b.columns) : 0) + packing / static_cast<double>(a.rows);
}

// Whether it is better to exchange the operands, and to turn the result over.
template <class T>
bool is_cheaper_exchanged(const Tiles<T>& t, const Matrix& a, const Matrix& b) {
  if (are_dots(a, b)) return false;
  if (are_dots(transposed(b), transposed(a))) return true;
  const double more = kTurning / static_cast<double>(a.columns);
  return preparing(t, transposed(b), transposed(a)) + more < preparing(t, a, b);
}

}  // namespace

template <class T>
void own_product_shared(const Tiles<T>& t, T* out, const Matrix& a, const Matrix& b, const Epilogue& end) {
  if (!is_cheaper_exchanged(t, a, b)) return multiply_pieces(t, out, a, b, end);
  const RoomOf<T> other(a.rows * b.columns);
  multiply_pieces<T>(t, other.data(), transposed(b), transposed(a), {});
  t.transpose(other.data(), a.rows, b.columns, a.rows, out, b.columns);
  finish_rows(out, a.rows, b.columns, end);
}

template void own_product(const Tiles<float>&, float*, std::int64_t, const Matrix&, const Matrix&, const Epilogue&);
template void own_product(const Tiles<double>&, double*, std::int64_t, const Matrix&, const Matrix&, const Epilogue&);
template void own_product_shared(const Tiles<float>&, float*, const Matrix&, const Matrix&, const Epilogue&);
template void own_product_shared(const Tiles<double>&, double*, const Matrix&, const Matrix&, const Epilogue&);

}  // namespace eigengrad::kernels
