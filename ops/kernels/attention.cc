#include "eigengrad/ops/kernels/attention.h"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/kernels/lanes.h"
#include "eigengrad/ops/kernels/room.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {
namespace {

constexpr std::int64_t kQueriesAtOnce = 64;

// Matrices [rows, columns] behind leading axes; within each, rows may be apart, but columns are not.
class Matrices {
 public:
  explicit Matrices(const Tensor& x)
      : x_(readable(x)), rows_(x.size(-2)), columns_(x.size(-1)), row_stride_(x_.strides()[x_.shape().size() - 2]) {}

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }
  std::int64_t row_stride() const { return row_stride_; }
  std::int64_t count() const {
    std::int64_t count = 1;
    for (std::size_t axis = 0; axis + 2 < x_.shape().size(); ++axis) count *= x_.shape()[axis];
    return count;
  }
  template <class T>
  T* at(std::int64_t item) const {
    std::int64_t offset = 0;
    for (std::size_t axis = x_.shape().size() - 2; axis-- > 0;) {
      offset += item % x_.shape()[axis] * x_.strides()[axis];
      item /= x_.shape()[axis];
    }
    return x_.raw<T>() + offset;
  }
  // Has a matrix brought into the cache, if there is such a one: its rows lie too far apart for the processor to see
  // what comes next.
  template <class T>
  void fetch(std::int64_t item) const {
    constexpr std::int64_t kLine = 64 / sizeof(T);
    if (item >= count()) return;
    const T* const first = at<T>(item);
    for (std::int64_t row = 0; row < std::min(rows_, kMostFetched); ++row)
      for (std::int64_t i = 0; i < columns_; i += kLine) __builtin_prefetch(first + row * row_stride_ + i, 0, 2);
  }
  // Rows [first, first + count) of a matrix, for the engine.
  template <class T>
  Matrix rows_of(std::int64_t item, std::int64_t first, std::int64_t count) const {
    return {at<T>(item) + first * row_stride_, count, columns_, row_stride_, 1};
  }
  template <class T>
  Matrix transposed_rows_of(std::int64_t item, std::int64_t first, std::int64_t count) const {
    return {at<T>(item) + first * row_stride_, columns_, count, 1, row_stride_};
  }

 private:
  static constexpr std::int64_t kMostFetched = 128;

  static Tensor readable(const Tensor& x) {
    const std::size_t rank = x.shape().size();
    const bool good = (x.strides()[rank - 1] == 1 || x.shape()[rank - 1] == 1) &&
                      x.strides()[rank - 2] >= std::max<std::int64_t>(1, x.shape()[rank - 1]);
    return good ? x : contiguous_copy(x);
  }

  Tensor x_;
  std::int64_t rows_, columns_, row_stride_;
};

// Laid out in memory as [N, L, heads, E] when it is [N, heads, L, E]: what comes out of the heads is then joined
// without being copied.
Tensor heads_last(const Tensor& like, std::int64_t columns) {
  Shape shape = like.shape();
  shape.back() = columns;
  if (shape.size() < 3) return empty(shape, like.dtype());
  const std::size_t places = shape.size() - 2, heads = shape.size() - 3;
  std::swap(shape[places], shape[heads]);
  const Tensor x = empty(shape, like.dtype());
  Strides strides = x.strides();
  std::swap(shape[places], shape[heads]);
  std::swap(strides[places], strides[heads]);
  return view(x, shape, strides);
}

// Where the gradients of query, key and value go. Those of three slices of one tensor, as a product gives them that has
// all three weights, are slices of one as well, and need not be joined.
Tensors grads_of(const Tensor& query, const Tensor& key, const Tensor& value) {
  constexpr std::size_t kHeads = 1;
  const Tensor* const slices[] = {&query, &key, &value};
  const bool have_heads = query.dim() == 4 && query.shape() == key.shape() && query.shape() == value.shape();
  const Tensor all = have_heads ? side_by_side({slices, 3}, kHeads) : Tensor();
  if (!all.defined())
    return {heads_last(query, query.size(-1)), heads_last(key, key.size(-1)), heads_last(value, value.size(-1))};
  const Tensor grads = heads_last(all, all.size(-1));
  const std::int64_t apart = query.size(kHeads) * grads.strides()[kHeads];
  Tensors result;
  for (std::int64_t i = 0; i < 3; ++i) result.push_back(view(grads, query.shape(), grads.strides(), i * apart));
  return result;
}

// How many keys the queries before `end` see, and the query `row`.
struct Sight {
  bool causal;
  std::int64_t keys;
  // Of the weights of queries from `first` on.
  Band band(std::int64_t first) const { return causal ? Band{.high = first} : Band(); }
  std::int64_t of(std::int64_t row) const { return causal ? std::min(keys, row + 1) : keys; }
};

// Elements of a row up to the end of the vector with the last that is seen: what follows is not seen, but is there, and
// a loop that ends in the middle of a vector would compute its last elements one by one.
std::int64_t whole_vectors(std::int64_t seen, std::int64_t columns) {
  constexpr std::int64_t kLanes = 16;
  return std::min((seen + kLanes - 1) / kLanes * kLanes, columns);
}

// The score that is the largest when it is multiplied by `scale`.
template <class T>
T best_score(const T* scores, std::int64_t count, T scale) {
  constexpr T kNone = std::numeric_limits<T>::infinity();
  if (scale < 0)
    return best_in_lanes(scores, count, kNone, [](auto& best, const auto& x) { best = x < best ? x : best; });
  return best_in_lanes(scores, count, -kNone, [](auto& best, const auto& x) { best = x > best ? x : best; });
}

// scores ← e^(scale·(score - best)), 0 beyond `seen`; returns their sum. The best is taken away first: so its own power
// is 1 however large it is.
template <class T>
T exponentials(T* __restrict scores, std::int64_t seen, std::int64_t columns, T scale, T best) {
  const std::int64_t end = whole_vectors(seen, columns);
  for (std::int64_t i = 0; i < end; ++i) scores[i] = exp((scores[i] - best) * scale);
  std::fill(scores + seen, scores + columns, T(0));
  return sum_of_row<T>(end, [&](std::int64_t i) { return scores[i]; });
}

// Products of float32 may be told to multiply in bfloat16.
template <class T>
void multiply(Precision precision, T* out, std::int64_t out_stride, const Matrix& a, const Matrix& b) {
  const Precision wanted = std::is_same_v<T, float> ? precision : Precision::Float32;
  engine().matrix_product(dtype_of<T>, wanted, out, out_stride, a, b);
}

template <class T>
void multiply(Precision precision, T* out, const Matrix& a, const Matrix& b) {
  multiply(precision, out, b.columns, a, b);
}

template <class T>
void forward_block(const Matrices& q, const Matrices& k, const Matrices& v, const Matrices& out, T* log_sums,
                   std::int64_t item, std::int64_t first, std::int64_t last, const Sight& sight, T scale,
                   Precision precision) {
  const std::int64_t rows = last - first, keys = sight.of(last - 1), width = v.columns();
  const RoomOf<T> scores(rows * keys), sums(rows);
  T* const log_sum = log_sums + first;
  multiply(precision, scores.data(), q.rows_of<T>(item, first, rows), k.transposed_rows_of<T>(item, 0, keys));
  for (std::int64_t r = 0; r < rows; ++r) {
    T* const row = scores.data() + r * keys;
    const std::int64_t seen = sight.of(first + r);
    const T best = best_score(row, seen, scale);
    log_sum[r] = best * scale;
    sums[r] = exponentials(row, seen, keys, scale, best);
  }
  for (std::int64_t r = 0; r < rows; ++r) log_sum[r] += log(sums[r]);
  T* const to = out.at<T>(item) + first * out.row_stride();
  multiply(precision, to, out.row_stride(), row_major(scores.data(), rows, keys, sight.band(first)),
           v.rows_of<T>(item, 0, keys));
  for (std::int64_t r = 0; r < rows; ++r) {
    const T factor = 1 / sums[r];
    for (std::int64_t i = 0; i < width; ++i) to[r * out.row_stride() + i] *= factor;
  }
}

// Rows from the first one of an item on: to ← a·b, or to ← to + a·b.
template <class T>
void accumulate(Precision precision, const Matrices& to, std::int64_t item, const Matrix& a, const Matrix& b,
                bool first) {
  T* const out = to.at<T>(item);
  const std::int64_t columns = b.columns;
  if (first) return multiply(precision, out, to.row_stride(), a, b);
  const RoomOf<T> sum(a.rows * columns);
  multiply(precision, sum.data(), a, b);
  for (std::int64_t r = 0; r < a.rows; ++r) {
    T* __restrict const row = out + r * to.row_stride();
    for (std::int64_t i = 0; i < columns; ++i) row[i] += sum[r * columns + i];
  }
}

template <class T>
void clear_rows(const Matrices& x, std::int64_t item, std::int64_t first) {
  for (std::int64_t r = first; r < x.rows(); ++r) std::fill_n(x.at<T>(item) + r * x.row_stride(), x.columns(), T(0));
}

struct BackwardViews {
  const Matrices &q, &k, &v, &out, &dout, &dq, &dk, &dv;
};

// A row of the weights and of the gradients of the scores, from scores and dout·Vᵀ; `offset` is the row's D.
template <class T>
void backward_row(T* __restrict p, T* __restrict ds, std::int64_t seen, std::int64_t columns, T scale, T log_sum,
                  T offset) {
  const std::int64_t end = whole_vectors(seen, columns);
  for (std::int64_t i = 0; i < end; ++i) {
    p[i] = exp(p[i] * scale - log_sum);
    ds[i] = p[i] * (ds[i] - offset) * scale;
  }
  std::fill(p + seen, p + columns, T(0));
  std::fill(ds + seen, ds + columns, T(0));
}

// With P the weights and D the sums of dout·out along each row: dV = Pᵀ·dout, dS = P·(dout·Vᵀ - D), dQ = dS·K, dK =
// dSᵀ·Q (Dao et al. 2022). The last block of queries comes first, for it sees all keys.
template <class T>
void backward_item(const BackwardViews& m, const T* log_sums, std::int64_t item, const Sight& sight, T scale,
                   Precision precision) {
  const std::int64_t queries = m.q.rows(), keys = m.k.rows(), width = m.v.columns();
  const RoomOf<T> weights(kQueriesAtOnce * keys), grads(kQueriesAtOnce * keys);
  const std::int64_t blocks = (queries + kQueriesAtOnce - 1) / kQueriesAtOnce;
  for (std::int64_t block = blocks; block-- > 0;) {
    const std::int64_t first = block * kQueriesAtOnce, rows = std::min(queries - first, kQueriesAtOnce);
    const std::int64_t seen = sight.of(first + rows - 1);
    multiply(precision, weights.data(), m.q.rows_of<T>(item, first, rows), m.k.transposed_rows_of<T>(item, 0, seen));
    multiply(precision, grads.data(), m.dout.rows_of<T>(item, first, rows), m.v.transposed_rows_of<T>(item, 0, seen));
    const T* const out = m.out.at<T>(item) + first * m.out.row_stride();
    const T* const dout = m.dout.at<T>(item) + first * m.dout.row_stride();
    for (std::int64_t r = 0; r < rows; ++r) {
      const T *const y = out + r * m.out.row_stride(), *const dy = dout + r * m.dout.row_stride();
      const T offset = sum_of_row<T>(width, [&](std::int64_t i) { return y[i] * dy[i]; });
      backward_row(weights.data() + r * seen, grads.data() + r * seen, sight.of(first + r), seen, scale,
                   log_sums[first + r], offset);
    }
    const bool is_first = block == blocks - 1;
    const Matrix p = row_major(weights.data(), rows, seen, sight.band(first));
    const Matrix ds = row_major(grads.data(), rows, seen, sight.band(first));
    accumulate<T>(precision, m.dv, item, transposed(p), m.dout.rows_of<T>(item, first, rows), is_first);
    accumulate<T>(precision, m.dk, item, transposed(ds), m.q.rows_of<T>(item, first, rows), is_first);
    multiply(precision, m.dq.at<T>(item) + first * m.dq.row_stride(), m.dq.row_stride(), ds,
             m.k.rows_of<T>(item, 0, seen));
  }
  const std::int64_t seen = blocks > 0 ? sight.of(queries - 1) : 0;  // what follows is seen by nobody
  clear_rows<T>(m.dk, item, seen);
  clear_rows<T>(m.dv, item, seen);
}

std::int64_t grain_of(std::int64_t multiplications) {
  return std::max<std::int64_t>(1, kWorthAThread / std::max<std::int64_t>(1, multiplications));
}

}  // namespace

Tensors attention(const Tensor& query, const Tensor& key, const Tensor& value, double scale, bool causal,
                  Precision precision) {
  const Tensor out = heads_last(query, value.size(-1));
  const Tensor log_sums = empty(Shape(query.shape().begin(), query.shape().end() - 1), query.dtype());
  const Matrices q(query), k(key), v(value), y(out);
  const Sight sight{causal, k.rows()};
  const std::int64_t blocks = (q.rows() + kQueriesAtOnce - 1) / kQueriesAtOnce;
  const std::int64_t work = kQueriesAtOnce * k.rows() * (q.columns() + v.columns());
  dispatch_floating("scaled_dot_product_attention", query.dtype(), [&]<class T>() {
    parallel_evenly(q.count() * blocks, grain_of(work), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t item = i / blocks, first = i % blocks * kQueriesAtOnce;
        if (first == 0)
          for (const Matrices* const m : {&q, &k, &v}) m->fetch<T>(item + 1);
        forward_block<T>(q, k, v, y, log_sums.raw<T>() + item * q.rows(), item, first,
                         std::min(q.rows(), first + kQueriesAtOnce), sight, static_cast<T>(scale), precision);
      }
    });
  });
  return {out, log_sums};
}

Tensors attention_backward(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& out,
                           const Tensor& log_sums, const Tensor& dout, double scale, bool causal, Precision precision) {
  const Tensors grads = grads_of(query, key, value);
  const Matrices q(query), k(key), v(value), y(out), dy(dout), dq(grads[0]), dk(grads[1]), dv(grads[2]);
  const std::int64_t work = q.rows() * k.rows() * (q.columns() + v.columns()) * 3;
  dispatch_floating("scaled_dot_product_attention", query.dtype(), [&]<class T>() {
    parallel_evenly(q.count(), grain_of(work), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t item = begin; item < end; ++item) {
        for (const Matrices* const m : {&q, &k, &v, &y, &dy}) m->fetch<T>(item + 1);
        backward_item<T>({q, k, v, y, dy, dq, dk, dv}, log_sums.raw<T>() + item * q.rows(), item, {causal, k.rows()},
                         static_cast<T>(scale), precision);
      }
    });
  });
  return grads;
}

}  // namespace eigengrad::kernels
