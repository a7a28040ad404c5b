#include "eigengrad/ops/kernels/recurrent.h"

#include <Eigen/Core>
#include <algorithm>
#include <memory>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/kernels/room.h"
#include "eigengrad/ops/kernels/view.h"

namespace eigengrad::kernels {
namespace {

// The extents of a sequence, and the order of its steps.
struct Sequence {
  std::int64_t steps, batch, units;
  StepOrder order;

  // Where the k-th step that is taken stands.
  std::int64_t place(std::int64_t k) const { return order.reverse ? steps - 1 - k : k; }
  // Samples do not see each other: the batch is cut into pieces, by its size alone, that threads take through all
  // steps.
  std::int64_t rows_per_piece() const {
    const std::int64_t pieces = batch < 32 ? 1 : batch < 128 ? 2 : batch < 512 ? 4 : 8;
    return (batch + pieces - 1) / pieces;
  }
};

template <class T>
void add(T* __restrict x, const T* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) x[i] += y[i];
}

// A weight, by which every step multiplies: packed, unless one step with few rows is all there is.
template <class T>
class Factor {
 public:
  Factor(const Sequence& s, const Matrix& weight) : weight_(weight) {
    constexpr std::int64_t kFew = 4;
    const Precision precision = std::is_same_v<T, float> ? s.order.precision : Precision::Float32;
    if (s.steps > 1 || s.batch >= kFew || precision != Precision::Float32)
      packed_ = engine().pack(dtype_of<T>, weight, s.rows_per_piece(), precision);
  }

  // out ← a · weight + bias, for rows `out_stride` apart.
  void multiply(T* out, std::int64_t out_stride, const Matrix& a, const T* bias) const {
    if (packed_) return packed_->multiply(out, out_stride, a, false, bias);
    engine().matrix_product(dtype_of<T>, Precision::Float32, out, out_stride, a, weight_);
    for (std::int64_t i = 0; i < a.rows; ++i) add(out + i * out_stride, bias, weight_.columns);
  }

  // out + a · weight
  void add_to(T* out, std::int64_t out_stride, const Matrix& a) const {
    if (packed_) return packed_->multiply(out, out_stride, a, true);
    const RoomOf<T> product(a.rows * weight_.columns);
    matrix_product(dtype_of<T>, product.data(), a, weight_);
    for (std::int64_t i = 0; i < a.rows; ++i)
      add(out + i * out_stride, product.data() + i * weight_.columns, weight_.columns);
  }

 private:
  const Matrix weight_;
  std::unique_ptr<PackedMatrix> packed_;
};

// A row of a step: its number among all L·N, its sample, and the number of the sample's row in the step before, -1
// where that is the initial state.
struct Row {
  std::int64_t here, sample, before;
};

template <class F>
void each_row(const Sequence& s, std::int64_t k, std::int64_t begin, std::int64_t end, F f) {
  const std::int64_t here = s.place(k) * s.batch, before = k == 0 ? 0 : s.place(k - 1) * s.batch;
  for (std::int64_t n = begin; n < end; ++n) f(Row{here + n, n, k == 0 ? -1 : before + n});
}

// What a layer reads.
template <class T>
struct Inputs {
  const T *x, *h0, *weight_ih, *bias;
  std::int64_t inputs, gates;  // the extents of a row of x, and of the weight's result

  Inputs(const Tensor& x_of, const Tensor& h0_of, const Tensor& weight, const Tensor& bias_of)
      : x(x_of.raw<T>()),
        h0(h0_of.raw<T>()),
        weight_ih(weight.raw<T>()),
        bias(bias_of.raw<T>()),
        inputs(weight.size(1)),
        gates(weight.size(0)) {}
};

// Step after step: the first columns of rows of sums [L, N, width] ← weight_ih·x + bias; recur(row, h) adds the
// products with the h of the step before, then f(row) makes a row of y of them.
template <class T, class Recur, class F>
void run_forward(const Sequence& s, const Inputs<T>& in, const T* y, T* sums, std::int64_t width, Recur recur, F f) {
  constexpr std::int64_t kRowsAtOnce = 64;
  const Factor<T> weight(s, transposed(in.weight_ih, in.gates, in.inputs));
  parallel_for(s.batch, s.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    // Steps of the whole batch lie side by side, and may be multiplied with the inputs together.
    const std::int64_t rows = end - begin;
    const std::int64_t at_once = rows == s.batch ? std::max<std::int64_t>(1, kRowsAtOnce / rows) : 1;
    for (std::int64_t k = 0; k < s.steps; ++k) {
      if (k % at_once == 0) {
        const std::int64_t last = std::min(k + at_once, s.steps) - 1, steps = last - k + 1;
        const std::int64_t first = std::min(s.place(k), s.place(last)) * s.batch + begin;
        weight.multiply(sums + first * width, width, row_major(in.x + first * in.inputs, steps * rows, in.inputs),
                        in.bias);
      }
      const T* const before = k == 0 ? in.h0 : y + s.place(k - 1) * s.batch * s.units;
      recur(sums + (s.place(k) * s.batch + begin) * width, row_major(before + begin * s.units, rows, s.units));
      each_row(s, k, begin, end, f);
    }
  });
}

// Sums over all rows of gradients [L, N, columns], of which every step's are added while they are in the cache. In
// double, but for a few rows at a time.
template <class T>
class BiasGrad {
 public:
  BiasGrad(const Sequence& s, std::int64_t columns)
      : per_piece_(s.rows_per_piece()),
        columns_(columns),
        pieces_(s.batch == 0 ? 0 : (s.batch + per_piece_ - 1) / per_piece_),
        sums_(std::make_unique<double[]>(static_cast<std::size_t>(pieces_ * columns))) {}

  // Rows of a piece, which begins at sample `begin`.
  void add(std::int64_t begin, const T* grads, std::int64_t rows) const {
    constexpr std::int64_t kRows = 32;
    for (std::int64_t first = 0; first < rows; first += kRows)
      add_few(sums_.get() + begin / per_piece_ * columns_, grads + first * columns_, std::min(kRows, rows - first));
  }

  Tensor result() const {
    const Tensor total = empty({columns_}, dtype_of<T>);
    for (std::int64_t k = 0; k < columns_; ++k) {
      double sum = 0;
      for (std::int64_t piece = 0; piece < pieces_; ++piece)
        sum += sums_[static_cast<std::size_t>(piece * columns_ + k)];
      total.raw<T>()[k] = static_cast<T>(sum);
    }
    return total;
  }

 private:
  void add_few(double* __restrict sums, const T* __restrict grads, std::int64_t rows) const {
    constexpr std::int64_t kColumns = 64;
    for (std::int64_t start = 0; start < columns_; start += kColumns) {
      const std::int64_t count = std::min(kColumns, columns_ - start);
      T few[kColumns] = {};
      for (std::int64_t i = 0; i < rows; ++i) {
        const T* __restrict const row = grads + i * columns_ + start;
#pragma omp simd
        for (std::int64_t k = 0; k < count; ++k) few[k] += row[k];
      }
#pragma omp simd
      for (std::int64_t k = 0; k < count; ++k) sums[start + k] += static_cast<double>(few[k]);
    }
  }

  const std::int64_t per_piece_, columns_, pieces_;
  const std::unique_ptr<double[]> sums_;
};

// The steps in the opposite order: f(row, dh) takes the gradient of a row of y, makes that of its products, and leaves
// in dh what goes to the step before directly; weightᵀ·dproducts is added to that. In the end dh [N, H] is the gradient
// of h0. after(begin, first row, rows) sees the rows of a step when they are made.
template <class T, class F, class After>
void run_backward(const Sequence& s, std::int64_t gates, const T* weight, const T* dproducts, const T* dy, T* dh, F f,
                  After after) {
  std::fill_n(dh, s.batch * s.units, T(0));
  const Factor<T> factor(s, row_major(weight, gates, s.units));
  parallel_for(s.batch, s.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t rows = end - begin;
    T* const piece = dh + begin * s.units;
    for (std::int64_t k = s.steps; k-- > 0;) {
      const std::int64_t first = s.place(k) * s.batch + begin;
      if (dy) add(piece, dy + first * s.units, rows * s.units);
      each_row(s, k, begin, end, [&](const Row& row) { f(row, dh + row.sample * s.units); });
      after(begin, first, rows);
      factor.add_to(piece, s.units, row_major(dproducts + first * gates, rows, gates));
    }
  });
}

template <class T>
void tanh_of(const T* x, T* y, std::int64_t count) {
  using Array = Eigen::Array<T, Eigen::Dynamic, 1>;
  Eigen::Map<Array>(y, count) = Eigen::Map<const Array>(x, count).tanh();
}
template <class T>
void tanh_in_place(T* x, std::int64_t count) {
  tanh_of(x, x, count);
}

template <class T>
void sigmoid_in_place(T* __restrict x, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) x[i] = sigmoid(x[i]);
}

Sequence sequence_of(const Tensor& y, const StepOrder& order) { return {y.size(0), y.size(1), y.size(2), order}; }

}  // namespace

Tensor states_and_inputs(const Tensor& x, const Tensor& h0, const Tensor& y, const StepOrder& order) {
  const Sequence s = sequence_of(y, order);
  const std::int64_t inputs = x.size(2), width = s.units + inputs;
  const Tensor result = empty({s.steps, s.batch, width}, y.dtype());
  dispatch_floating("recurrent", y.dtype(), [&]<class T>() {
    for (std::int64_t k = 0; k < s.steps; ++k)
      each_row(s, k, 0, s.batch, [&](const Row& row) {
        const T* const before = row.before < 0 ? h0.raw<T>() + row.sample * s.units : y.raw<T>() + row.before * s.units;
        T* const to = result.raw<T>() + row.here * width;
        std::copy_n(x.raw<T>() + row.here * inputs, inputs, std::copy_n(before, s.units, to));
      });
  });
  return result;
}

// ---- rnn

Tensor rnn_forward(const Tensor& x, const Tensor& h0, const Tensor& weight_ih, const Tensor& weight_hh,
                   const Tensor& bias, bool relu, const StepOrder& order) {
  const Tensor y = empty({x.size(0), x.size(1), h0.size(1)}, x.dtype());
  const Sequence s = sequence_of(y, order);
  dispatch_floating("rnn", y.dtype(), [&]<class T>() {
    T* const out = y.raw<T>();
    const Factor<T> recurrent(s, transposed(weight_hh.raw<T>(), s.units, s.units));
    run_forward(
        s, Inputs<T>(x, h0, weight_ih, bias), out, out, s.units,
        [&](T* sums, const Matrix& before) { recurrent.add_to(sums, s.units, before); },
        [&](const Row& row) {
          T* const h = out + row.here * s.units;
          if (!relu) return tanh_in_place(h, s.units);
          for (std::int64_t i = 0; i < s.units; ++i) h[i] = h[i] < 0 ? T(0) : h[i];  // NaN stays
        });
  });
  return y;
}

Tensors rnn_backward(const Tensor& y, const Tensor& weight_hh, const Tensor& dy, bool relu, const StepOrder& order) {
  const Sequence s = sequence_of(y, order);
  const Tensor dsums = empty(y.shape(), y.dtype()), dh = empty({s.batch, s.units}, y.dtype());
  return dispatch_floating("rnn", y.dtype(), [&]<class T>() -> Tensors {
    T* const grads = dsums.raw<T>();
    const BiasGrad<T> dbias(s, s.units);
    const auto step = [&](const Row& row, T* grad) {
      const T* __restrict const h = y.raw<T>() + row.here * s.units;
      T* __restrict const dz = grads + row.here * s.units;
      for (std::int64_t i = 0; i < s.units; ++i) {
        dz[i] = relu ? (h[i] > 0 ? grad[i] : T(0)) : grad[i] * (1 - h[i] * h[i]);
        grad[i] = 0;
      }
    };
    run_backward(s, s.units, weight_hh.raw<T>(), grads, dy.raw<T>(), dh.raw<T>(), step,
                 [&](std::int64_t begin, std::int64_t first, std::int64_t rows) {
                   dbias.add(begin, grads + first * s.units, rows);
                 });
    return {dsums, dh, dbias.result()};
  });
}

// ---- lstm

Tensors lstm_forward(const Tensor& x, const Tensor& h0, const Tensor& c0, const Tensor& weight_ih,
                     const Tensor& weight_hh, const Tensor& bias, const StepOrder& order) {
  const std::int64_t units = h0.size(1);
  const Shape shape{x.size(0), x.size(1), units};
  const Tensor y = empty(shape, x.dtype()), c = empty(shape, x.dtype());
  const Tensor active = empty({x.size(0), x.size(1), 4 * units}, x.dtype());
  const Sequence s = sequence_of(y, order);
  dispatch_floating("lstm", y.dtype(), [&]<class T>() {
    const Factor<T> recurrent(s, transposed(weight_hh.raw<T>(), 4 * units, units));
    run_forward(
        s, Inputs<T>(x, h0, weight_ih, bias), y.raw<T>(), active.raw<T>(), 4 * units,
        [&](T* sums, const Matrix& before) { recurrent.add_to(sums, 4 * units, before); },
        [&](const Row& row) {
          T* __restrict const a = active.raw<T>() + row.here * 4 * units;
          T* __restrict const h = y.raw<T>() + row.here * units;
          T* __restrict const now = c.raw<T>() + row.here * units;
          const T* __restrict const before =
              row.before < 0 ? c0.raw<T>() + row.sample * units : c.raw<T>() + row.before * units;
          sigmoid_in_place(a, 2 * units);
          tanh_in_place(a + 2 * units, units);
          sigmoid_in_place(a + 3 * units, units);
          for (std::int64_t i = 0; i < units; ++i) now[i] = a[units + i] * before[i] + a[i] * a[2 * units + i];
          tanh_of(now, h, units);
          for (std::int64_t i = 0; i < units; ++i) h[i] *= a[3 * units + i];
        });
  });
  return {y, c, active};
}

Tensors lstm_backward(const Tensor& c0, const Tensor& c, const Tensor& active, const Tensor& weight_hh,
                      const Tensor& dy, const Tensor& dc, const Tensor& da, const StepOrder& order) {
  const Sequence s = sequence_of(c, order);
  const std::int64_t units = s.units;
  const Tensor dgates = empty(active.shape(), c.dtype()), dh = empty({s.batch, units}, c.dtype());
  const Tensor dcell = zeros({s.batch, units}, c.dtype());
  return dispatch_floating("lstm", c.dtype(), [&]<class T>() -> Tensors {
    T* const grads = dgates.raw<T>();
    const T *const grad_c = raw_or_null<T>(dc), *const grad_a = raw_or_null<T>(da);
    const BiasGrad<T> dbias(s, 4 * units);
    const auto nothing = std::make_unique<T[]>(static_cast<std::size_t>(4 * units));  // for a row of da
    const auto step = [&](const Row& row, T* __restrict grad) {
      const T* __restrict const a = active.raw<T>() + row.here * 4 * units;
      const T* __restrict const before =
          row.before < 0 ? c0.raw<T>() + row.sample * units : c.raw<T>() + row.before * units;
      const T* __restrict const more = grad_a ? grad_a + row.here * 4 * units : nothing.get();
      T* __restrict const dz = grads + row.here * 4 * units;
      T* __restrict const carried = dcell.raw<T>() + row.sample * units;
      tanh_of(c.raw<T>() + row.here * units, dz, units);  // read below, before the gradient takes its place
      if (grad_c) add(carried, grad_c + row.here * units, units);
#pragma omp simd
      for (std::int64_t k = 0; k < units; ++k) {
        const T i = a[k], f = a[units + k], g = a[2 * units + k], o = a[3 * units + k], tanh_c = dz[k];
        const T total = carried[k] + grad[k] * o * (1 - tanh_c * tanh_c);
        dz[k] = (more[k] + total * g) * i * (1 - i);
        dz[units + k] = (more[units + k] + total * before[k]) * f * (1 - f);
        dz[2 * units + k] = (more[2 * units + k] + total * i) * (1 - g * g);
        dz[3 * units + k] = (more[3 * units + k] + grad[k] * tanh_c) * o * (1 - o);
        carried[k] = total * f;
        grad[k] = 0;
      }
    };
    run_backward(s, 4 * units, weight_hh.raw<T>(), grads, raw_or_null<T>(dy), dh.raw<T>(), step,
                 [&](std::int64_t begin, std::int64_t first, std::int64_t rows) {
                   dbias.add(begin, grads + first * 4 * units, rows);
                 });
    return {dgates, dh, dcell, dbias.result()};
  });
}

// ---- gru

namespace {

// What is added to the products with the inputs: of r and z both biases, of n the one of the inputs.
template <class T>
Tensor gru_bias(const Tensor& bias_ih, const Tensor& bias_hh, std::int64_t units) {
  const Tensor bias = empty(bias_ih.shape(), bias_ih.dtype());
  std::copy_n(bias_ih.raw<T>(), 3 * units, bias.raw<T>());
  add(bias.raw<T>(), bias_hh.raw<T>(), 2 * units);
  return bias;
}

}  // namespace

Tensors gru_forward(const Tensor& x, const Tensor& h0, const Tensor& weight_ih, const Tensor& weight_hh,
                    const Tensor& bias_ih, const Tensor& bias_hh, const StepOrder& order) {
  const std::int64_t units = h0.size(1);
  const Tensor y = empty({x.size(0), x.size(1), units}, x.dtype());
  const Tensor active = empty({x.size(0), x.size(1), 4 * units}, x.dtype());
  const Sequence s = sequence_of(y, order);
  dispatch_floating("gru", y.dtype(), [&]<class T>() {
    const T* const weight = weight_hh.raw<T>();
    const Factor<T> of_gates(s, transposed(weight, 2 * units, units));
    const Factor<T> of_new(s, transposed(weight + 2 * units * units, units, units));
    run_forward(
        s, Inputs<T>(x, h0, weight_ih, gru_bias<T>(bias_ih, bias_hh, units)), y.raw<T>(), active.raw<T>(), 4 * units,
        [&](T* sums, const Matrix& before) {
          of_gates.add_to(sums, 4 * units, before);
          of_new.multiply(sums + 3 * units, 4 * units, before, bias_hh.raw<T>() + 2 * units);
        },
        [&](const Row& row) {
          const T* __restrict const before =
              row.before < 0 ? h0.raw<T>() + row.sample * units : y.raw<T>() + row.before * units;
          T* __restrict const a = active.raw<T>() + row.here * 4 * units;
          T* __restrict const h = y.raw<T>() + row.here * units;
          sigmoid_in_place(a, 2 * units);
          for (std::int64_t i = 0; i < units; ++i) a[2 * units + i] += a[i] * a[3 * units + i];
          tanh_in_place(a + 2 * units, units);
          for (std::int64_t i = 0; i < units; ++i)
            h[i] = (1 - a[units + i]) * a[2 * units + i] + a[units + i] * before[i];
        });
  });
  return {y, active};
}

Tensors gru_backward(const Tensor& h0, const Tensor& y, const Tensor& active, const Tensor& weight_hh, const Tensor& dy,
                     const Tensor& da, const StepOrder& order) {
  const Sequence s = sequence_of(y, order);
  const std::int64_t units = s.units;
  const Shape shape{s.steps, s.batch, 3 * units};
  const Tensor dgates = empty(shape, y.dtype()), dproducts = empty(shape, y.dtype());
  const Tensor dh = empty({s.batch, units}, y.dtype());
  return dispatch_floating("gru", y.dtype(), [&]<class T>() -> Tensors {
    T *const grads = dgates.raw<T>(), *const product_grads = dproducts.raw<T>();
    const T* const grad_a = raw_or_null<T>(da);
    const BiasGrad<T> dbias_ih(s, 3 * units), dbias_hh(s, 3 * units);
    const auto step = [&](const Row& row, T* __restrict grad) {
      const T* __restrict const a = active.raw<T>() + row.here * 4 * units;
      const T* __restrict const before =
          row.before < 0 ? h0.raw<T>() + row.sample * units : y.raw<T>() + row.before * units;
      const T* const more = grad_a ? grad_a + row.here * 4 * units : nullptr;
      T* __restrict const dz = grads + row.here * 3 * units;
      T* __restrict const dp = product_grads + row.here * 3 * units;
#pragma omp simd
      for (std::int64_t k = 0; k < units; ++k) {
        const T r = a[k], z = a[units + k], n = a[2 * units + k], hn = a[3 * units + k];
        const T dn = (grad[k] * (1 - z) + (more ? more[2 * units + k] : T(0))) * (1 - n * n);
        const T dr = dn * hn + (more ? more[k] : T(0));
        const T dupdate = grad[k] * (before[k] - n) + (more ? more[units + k] : T(0));
        dz[k] = dp[k] = dr * r * (1 - r);
        dz[units + k] = dp[units + k] = dupdate * z * (1 - z);
        dz[2 * units + k] = dn;
        dp[2 * units + k] = dn * r + (more ? more[3 * units + k] : T(0));
        grad[k] *= z;
      }
    };
    run_backward(s, 3 * units, weight_hh.raw<T>(), product_grads, raw_or_null<T>(dy), dh.raw<T>(), step,
                 [&](std::int64_t begin, std::int64_t first, std::int64_t rows) {
                   dbias_ih.add(begin, grads + first * 3 * units, rows);
                   dbias_hh.add(begin, product_grads + first * 3 * units, rows);
                 });
    return {dgates, dproducts, dh, dbias_ih.result(), dbias_hh.result()};
  });
}

}  // namespace eigengrad::kernels
