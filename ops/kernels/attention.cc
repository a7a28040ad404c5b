#include "eigengrad/ops/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {
namespace {

constexpr std::int64_t kQueriesAtOnce = 64;
constexpr std::int64_t kWorthAThread = 1 << 20;  // multiplications

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
  static Tensor readable(const Tensor& x) {
    const std::size_t rank = x.shape().size();
    const bool good = (x.strides()[rank - 1] == 1 || x.shape()[rank - 1] == 1) &&
                      x.strides()[rank - 2] >= std::max<std::int64_t>(1, x.shape()[rank - 1]);
    return good ? x : contiguous_copy(x);
  }

  Tensor x_;
  std::int64_t rows_, columns_, row_stride_;
};

template <class T>
std::unique_ptr<T[]> buffer(std::int64_t elements) {
  return std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(elements));
}

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

// How many keys the queries before `end` see, and the query `row`.
struct Sight {
  bool causal;
  std::int64_t keys;
  std::int64_t of(std::int64_t row) const { return causal ? std::min(keys, row + 1) : keys; }
};

// Elements of a row up to the end of the vector with the last that is seen: what follows is not seen, but is there, and a
// loop that ends in the middle of a vector would compute its last elements one by one.
std::int64_t whole_vectors(std::int64_t seen, std::int64_t columns) {
  constexpr std::int64_t kLanes = 16;
  return std::min((seen + kLanes - 1) / kLanes * kLanes, columns);
}

// scores ← e^(scale·score - its largest), 0 beyond `seen`; returns the sum and the logarithm of the sum of
// e^(scale·score).
template <class T>
std::pair<T, T> exponentials(T* __restrict scores, std::int64_t seen, std::int64_t columns, T scale) {
  T largest = -std::numeric_limits<T>::infinity();
#pragma omp simd reduction(max : largest)
  for (std::int64_t i = 0; i < seen; ++i) largest = scores[i] > largest ? scores[i] : largest;
  const std::int64_t end = whole_vectors(seen, columns);
  for (std::int64_t i = 0; i < end; ++i) scores[i] = exp((scores[i] - largest) * scale);
  std::fill(scores + seen, scores + columns, T(0));
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < end; ++i) sum += static_cast<double>(scores[i]);
  return {static_cast<T>(sum), static_cast<T>(static_cast<double>(largest * scale) + std::log(sum))};
}

// Products of float32 may be told to multiply in bfloat16.
template <class T>
void multiply(Precision precision, T* out, const Matrix& a, const Matrix& b) {
  if (std::is_same_v<T, float> && precision == Precision::BFloat16)
    engine().product(dtype_of<T>, precision, out, a, b, nullptr);
  else
    matrix_product(dtype_of<T>, out, a, b);
}

template <class T>
void forward_block(const Matrices& q, const Matrices& k, const Matrices& v, const Matrices& out, T* log_sums,
                   std::int64_t item, std::int64_t first, std::int64_t last, const Sight& sight, T scale,
                   Precision precision) {
  const std::int64_t rows = last - first, keys = sight.of(last - 1), width = v.columns();
  const auto scores = buffer<T>(rows * keys), mixed = buffer<T>(rows * width), sums = buffer<T>(rows);
  multiply(precision, scores.get(), q.rows_of<T>(item, first, rows), k.transposed_rows_of<T>(item, 0, keys));
  for (std::int64_t r = 0; r < rows; ++r)
    std::tie(sums[r], log_sums[first + r]) = exponentials(scores.get() + r * keys, sight.of(first + r), keys, scale);
  multiply(precision, mixed.get(), row_major(scores.get(), rows, keys), v.rows_of<T>(item, 0, keys));
  for (std::int64_t r = 0; r < rows; ++r) {
    T* __restrict const to = out.at<T>(item) + (first + r) * out.row_stride();
    const T factor = 1 / sums[r];
    for (std::int64_t i = 0; i < width; ++i) to[i] = mixed[r * width + i] * factor;
  }
}

// to ← a·b, or to ← to + a·b through `room`.
template <class T>
void accumulate(Precision precision, T* to, T* room, const Matrix& a, const Matrix& b, bool first) {
  if (first) return multiply(precision, to, a, b);
  multiply(precision, room, a, b);
  for (std::int64_t i = 0; i < a.rows * b.columns; ++i) to[i] += room[i];
}

template <class T>
void store(const Matrices& to, std::int64_t item, std::int64_t first, const T* from, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r)
    std::copy_n(from + r * to.columns(), to.columns(), to.at<T>(item) + (first + r) * to.row_stride());
}

struct BackwardViews {
  const Matrices &q, &k, &v, &out, &dout, &dq, &dk, &dv;
};

// With P the weights and D the sums of dout·out along each row: dV = Pᵀ·dout, dS = P·(dout·Vᵀ - D), dQ = dS·K, dK =
// dSᵀ·Q (Dao et al. 2022). The last block of queries comes first, for it sees all keys.
template <class T>
void backward_item(const BackwardViews& m, const T* log_sums, std::int64_t item, const Sight& sight, T scale,
                   Precision precision) {
  const std::int64_t queries = m.q.rows(), keys = m.k.rows(), depth = m.q.columns(), width = m.v.columns();
  const auto weights = buffer<T>(kQueriesAtOnce * keys), grads = buffer<T>(kQueriesAtOnce * keys);
  const auto dk = buffer<T>(keys * depth), dv = buffer<T>(keys * width), dq = buffer<T>(kQueriesAtOnce * depth);
  const auto room = buffer<T>(keys * std::max(depth, width));
  if (sight.of(queries - 1) < keys) {  // some keys are seen by nobody
    std::fill_n(dk.get(), keys * depth, T(0));
    std::fill_n(dv.get(), keys * width, T(0));
  }
  const std::int64_t blocks = (queries + kQueriesAtOnce - 1) / kQueriesAtOnce;
  for (std::int64_t block = blocks; block-- > 0;) {
    const std::int64_t first = block * kQueriesAtOnce, rows = std::min(queries - first, kQueriesAtOnce);
    const std::int64_t seen = sight.of(first + rows - 1);
    multiply(precision, weights.get(), m.q.rows_of<T>(item, first, rows), m.k.transposed_rows_of<T>(item, 0, seen));
    multiply(precision, grads.get(), m.dout.rows_of<T>(item, first, rows), m.v.transposed_rows_of<T>(item, 0, seen));
    for (std::int64_t r = 0; r < rows; ++r) {
      T* __restrict const p = weights.get() + r * seen;
      T* __restrict const ds = grads.get() + r * seen;
      const T* __restrict const o = m.out.at<T>(item) + (first + r) * m.out.row_stride();
      const T* __restrict const go = m.dout.at<T>(item) + (first + r) * m.dout.row_stride();
      const std::int64_t visible = sight.of(first + r);
      const T log_sum = log_sums[first + r];
      double total = 0;
#pragma omp simd reduction(+ : total)
      for (std::int64_t i = 0; i < width; ++i) total += static_cast<double>(o[i] * go[i]);
      const T sum = static_cast<T>(total);
      for (std::int64_t i = 0; i < whole_vectors(visible, seen); ++i) {
        p[i] = exp(p[i] * scale - log_sum);
        ds[i] = p[i] * (ds[i] - sum) * scale;
      }
      std::fill(p + visible, p + seen, T(0));
      std::fill(ds + visible, ds + seen, T(0));
    }
    const bool is_first = block == blocks - 1;
    accumulate(precision, dv.get(), room.get(), transposed(weights.get(), rows, seen),
               m.dout.rows_of<T>(item, first, rows), is_first);
    accumulate(precision, dk.get(), room.get(), transposed(grads.get(), rows, seen), m.q.rows_of<T>(item, first, rows),
               is_first);
    multiply(precision, dq.get(), row_major(grads.get(), rows, seen), m.k.rows_of<T>(item, 0, seen));
    store(m.dq, item, first, dq.get(), rows);
  }
  store(m.dk, item, 0, dk.get(), keys);
  store(m.dv, item, 0, dv.get(), keys);
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
    parallel_for(q.count() * blocks, grain_of(work), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t item = i / blocks, first = i % blocks * kQueriesAtOnce;
        forward_block<T>(q, k, v, y, log_sums.raw<T>() + item * q.rows(), item, first,
                         std::min(q.rows(), first + kQueriesAtOnce), sight, static_cast<T>(scale), precision);
      }
    });
  });
  return {out, log_sums};
}

Tensors attention_backward(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& out,
                           const Tensor& log_sums, const Tensor& dout, double scale, bool causal, Precision precision) {
  const Tensor dquery = heads_last(query, query.size(-1)), dkey = heads_last(key, key.size(-1));
  const Tensor dvalue = heads_last(value, value.size(-1));
  const Matrices q(query), k(key), v(value), y(out), dy(dout), dq(dquery), dk(dkey), dv(dvalue);
  const std::int64_t work = q.rows() * k.rows() * (q.columns() + v.columns()) * 3;
  dispatch_floating("scaled_dot_product_attention", query.dtype(), [&]<class T>() {
    parallel_for(q.count(), grain_of(work), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t item = begin; item < end; ++item)
        backward_item<T>({q, k, v, y, dy, dq, dk, dv}, log_sums.raw<T>() + item * q.rows(), item, {causal, k.rows()},
                         static_cast<T>(scale), precision);
    });
  });
  return {dquery, dkey, dvalue};
}

}  // namespace eigengrad::kernels
