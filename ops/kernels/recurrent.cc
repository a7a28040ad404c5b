#include "eigengrad/ops/kernels/recurrent.h"

#include <Eigen/Core>
#include <algorithm>
#include <memory>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/functions.h"
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

// The weight, by which every step multiplies.
template <class T>
std::unique_ptr<PackedMatrix> packed_weight(const Sequence& s, const Matrix& weight) {
  const Precision precision = std::is_same_v<T, float> ? s.order.precision : Precision::Float32;
  return engine().pack(dtype_of<T>, weight, s.rows_per_piece(), precision);
}

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

// Step after step: products [L, N, gates] ← weight·h of the step before, then f(row) makes a row of y of them.
template <class T, class F>
void run_forward(const Sequence& s, std::int64_t gates, const T* h0, const T* y, const T* weight, T* products, F f) {
  const auto packed = packed_weight<T>(s, transposed(weight, gates, s.units));
  parallel_for(s.batch, s.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = 0; k < s.steps; ++k) {
      const T* const before = k == 0 ? h0 : y + s.place(k - 1) * s.batch * s.units;
      packed->multiply(products + (s.place(k) * s.batch + begin) * gates, gates,
                       row_major(before + begin * s.units, end - begin, s.units));
      each_row(s, k, begin, end, f);
    }
  });
}

// The steps in the opposite order: f(row, dh) takes the gradient of a row of y, makes that of its products, and leaves
// in dh what goes to the step before directly; weightᵀ·dproducts is added to that. In the end dh [N, H] is the gradient
// of h0.
template <class T, class F>
void run_backward(const Sequence& s, std::int64_t gates, const T* weight, const T* dproducts, const T* dy, T* dh, F f) {
  std::fill_n(dh, s.batch * s.units, T(0));
  const auto packed = packed_weight<T>(s, row_major(weight, gates, s.units));
  parallel_for(s.batch, s.rows_per_piece(), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t size = (end - begin) * s.units;
    const auto through = std::make_unique_for_overwrite<T[]>(static_cast<std::size_t>(size));
    T* const piece = dh + begin * s.units;
    for (std::int64_t k = s.steps; k-- > 0;) {
      const std::int64_t first = s.place(k) * s.batch + begin;
      if (dy)
        for (std::int64_t i = 0; i < size; ++i) piece[i] += dy[first * s.units + i];
      each_row(s, k, begin, end, [&](const Row& row) { f(row, dh + row.sample * s.units); });
      packed->multiply(through.get(), s.units, row_major(dproducts + first * gates, end - begin, gates));
      for (std::int64_t i = 0; i < size; ++i) piece[i] += through[i];
    }
  });
}

template <class T>
void tanh_in_place(T* x, std::int64_t count) {
  Eigen::Map<Eigen::Array<T, Eigen::Dynamic, 1>> values(x, count);
  values = values.tanh();
}

template <class T>
void sigmoid_in_place(T* __restrict x, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) x[i] = sigmoid(x[i]);
}

template <class T>
void add(T* __restrict x, const T* __restrict y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) x[i] += y[i];
}

Sequence sequence_of(const Tensor& y, const StepOrder& order) { return {y.size(0), y.size(1), y.size(2), order}; }

}  // namespace

// ---- rnn

Tensor rnn_forward(const Tensor& gates, const Tensor& h0, const Tensor& weight, bool relu, const StepOrder& order) {
  const Tensor y = empty(gates.shape(), gates.dtype());
  const Sequence s = sequence_of(y, order);
  dispatch_floating("rnn", y.dtype(), [&]<class T>() {
    const T* const z = gates.raw<T>();
    T* const out = y.raw<T>();
    run_forward(s, s.units, h0.raw<T>(), out, weight.raw<T>(), out, [&](const Row& row) {
      T* const h = out + row.here * s.units;
      add(h, z + row.here * s.units, s.units);
      if (!relu) return tanh_in_place(h, s.units);
      for (std::int64_t i = 0; i < s.units; ++i) h[i] = h[i] < 0 ? T(0) : h[i];  // NaN stays
    });
  });
  return y;
}

Tensors rnn_backward(const Tensor& y, const Tensor& weight, const Tensor& dy, bool relu, const StepOrder& order) {
  const Sequence s = sequence_of(y, order);
  const Tensor dgates = empty(y.shape(), y.dtype()), dh = empty({s.batch, s.units}, y.dtype());
  dispatch_floating("rnn", y.dtype(), [&]<class T>() {
    run_backward(s, s.units, weight.raw<T>(), dgates.raw<T>(), dy.raw<T>(), dh.raw<T>(), [&](const Row& row, T* grad) {
      const T* __restrict const h = y.raw<T>() + row.here * s.units;
      T* __restrict const dz = dgates.raw<T>() + row.here * s.units;
      for (std::int64_t i = 0; i < s.units; ++i) {
        dz[i] = relu ? (h[i] > 0 ? grad[i] : T(0)) : grad[i] * (1 - h[i] * h[i]);
        grad[i] = 0;
      }
    });
  });
  return {dgates, dh};
}

// ---- lstm

Tensors lstm_forward(const Tensor& gates, const Tensor& h0, const Tensor& c0, const Tensor& weight,
                     const StepOrder& order) {
  const Shape shape{gates.size(0), gates.size(1), gates.size(2) / 4};
  const Tensor y = empty(shape, gates.dtype()), c = empty(shape, gates.dtype());
  const Tensor active = empty(gates.shape(), gates.dtype());
  const Sequence s = sequence_of(y, order);
  const std::int64_t units = s.units;
  dispatch_floating("lstm", y.dtype(), [&]<class T>() {
    run_forward(s, 4 * units, h0.raw<T>(), y.raw<T>(), weight.raw<T>(), active.raw<T>(), [&](const Row& row) {
      T* __restrict const a = active.raw<T>() + row.here * 4 * units;
      T* __restrict const h = y.raw<T>() + row.here * units;
      T* __restrict const now = c.raw<T>() + row.here * units;
      const T* __restrict const before =
          row.before < 0 ? c0.raw<T>() + row.sample * units : c.raw<T>() + row.before * units;
      add(a, gates.raw<T>() + row.here * 4 * units, 4 * units);
      sigmoid_in_place(a, 2 * units);
      tanh_in_place(a + 2 * units, units);
      sigmoid_in_place(a + 3 * units, units);
      for (std::int64_t i = 0; i < units; ++i) h[i] = now[i] = a[units + i] * before[i] + a[i] * a[2 * units + i];
      tanh_in_place(h, units);
      for (std::int64_t i = 0; i < units; ++i) h[i] *= a[3 * units + i];
    });
  });
  return {y, c, active};
}

Tensors lstm_backward(const Tensor& c0, const Tensor& c, const Tensor& active, const Tensor& weight, const Tensor& dy,
                      const Tensor& dc, const Tensor& da, const StepOrder& order) {
  const Sequence s = sequence_of(c, order);
  const std::int64_t units = s.units;
  const Tensor dgates = empty(active.shape(), c.dtype()), dh = empty({s.batch, units}, c.dtype());
  const Tensor dcell = zeros({s.batch, units}, c.dtype()), squashed = empty(c.shape(), c.dtype());
  dispatch_floating("lstm", c.dtype(), [&]<class T>() {
    const T *const grad_c = raw_or_null<T>(dc), *const grad_a = raw_or_null<T>(da);
    const auto step = [&](const Row& row, T* __restrict grad) {
      const T* __restrict const a = active.raw<T>() + row.here * 4 * units;
      const T* __restrict const before =
          row.before < 0 ? c0.raw<T>() + row.sample * units : c.raw<T>() + row.before * units;
      T* __restrict const tanh_c = squashed.raw<T>() + row.here * units;
      T* __restrict const dz = dgates.raw<T>() + row.here * 4 * units;
      T* __restrict const carried = dcell.raw<T>() + row.sample * units;
      std::copy_n(c.raw<T>() + row.here * units, units, tanh_c);
      tanh_in_place(tanh_c, units);
      if (grad_c) add(carried, grad_c + row.here * units, units);
      if (grad_a)
        std::copy_n(grad_a + row.here * 4 * units, 4 * units, dz);
      else
        std::fill_n(dz, 4 * units, T(0));
#pragma omp simd
      for (std::int64_t k = 0; k < units; ++k) {
        const T i = a[k], f = a[units + k], g = a[2 * units + k], o = a[3 * units + k];
        const T total = carried[k] + grad[k] * o * (1 - tanh_c[k] * tanh_c[k]);
        dz[k] = (dz[k] + total * g) * i * (1 - i);
        dz[units + k] = (dz[units + k] + total * before[k]) * f * (1 - f);
        dz[2 * units + k] = (dz[2 * units + k] + total * i) * (1 - g * g);
        dz[3 * units + k] = (dz[3 * units + k] + grad[k] * tanh_c[k]) * o * (1 - o);
        carried[k] = total * f;
        grad[k] = 0;
      }
    };
    run_backward(s, 4 * units, weight.raw<T>(), dgates.raw<T>(), raw_or_null<T>(dy), dh.raw<T>(), step);
  });
  return {dgates, dh, dcell};
}

// ---- gru

Tensors gru_forward(const Tensor& gates, const Tensor& h0, const Tensor& weight, const Tensor& bias,
                    const StepOrder& order) {
  const std::int64_t units = gates.size(2) / 3;
  const Tensor y = empty({gates.size(0), gates.size(1), units}, gates.dtype());
  const Tensor active = empty({gates.size(0), gates.size(1), 4 * units}, gates.dtype());
  const Tensor products = empty(gates.shape(), gates.dtype());
  const Sequence s = sequence_of(y, order);
  dispatch_floating("gru", y.dtype(), [&]<class T>() {
    run_forward(s, 3 * units, h0.raw<T>(), y.raw<T>(), weight.raw<T>(), products.raw<T>(), [&](const Row& row) {
      const T* __restrict const product = products.raw<T>() + row.here * 3 * units;
      const T* __restrict const z = gates.raw<T>() + row.here * 3 * units;
      const T* __restrict const b = bias.raw<T>();
      const T* __restrict const before =
          row.before < 0 ? h0.raw<T>() + row.sample * units : y.raw<T>() + row.before * units;
      T* __restrict const a = active.raw<T>() + row.here * 4 * units;
      T* __restrict const h = y.raw<T>() + row.here * units;
      for (std::int64_t i = 0; i < 2 * units; ++i) a[i] = z[i] + product[i] + b[i];
      sigmoid_in_place(a, 2 * units);
      for (std::int64_t i = 0; i < units; ++i) {
        a[3 * units + i] = product[2 * units + i] + b[2 * units + i];
        a[2 * units + i] = z[2 * units + i] + a[i] * a[3 * units + i];
      }
      tanh_in_place(a + 2 * units, units);
      for (std::int64_t i = 0; i < units; ++i) h[i] = (1 - a[units + i]) * a[2 * units + i] + a[units + i] * before[i];
    });
  });
  return {y, active};
}

Tensors gru_backward(const Tensor& h0, const Tensor& y, const Tensor& active, const Tensor& weight, const Tensor& dy,
                     const Tensor& da, const StepOrder& order) {
  const Sequence s = sequence_of(y, order);
  const std::int64_t units = s.units;
  const Shape shape{s.steps, s.batch, 3 * units};
  const Tensor dgates = empty(shape, y.dtype()), dproducts = empty(shape, y.dtype());
  const Tensor dh = empty({s.batch, units}, y.dtype());
  dispatch_floating("gru", y.dtype(), [&]<class T>() {
    const T* const grad_a = raw_or_null<T>(da);
    const auto step = [&](const Row& row, T* __restrict grad) {
      const T* __restrict const a = active.raw<T>() + row.here * 4 * units;
      const T* __restrict const before =
          row.before < 0 ? h0.raw<T>() + row.sample * units : y.raw<T>() + row.before * units;
      const T* const more = grad_a ? grad_a + row.here * 4 * units : nullptr;
      T* __restrict const dz = dgates.raw<T>() + row.here * 3 * units;
      T* __restrict const dp = dproducts.raw<T>() + row.here * 3 * units;
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
    run_backward(s, 3 * units, weight.raw<T>(), dproducts.raw<T>(), raw_or_null<T>(dy), dh.raw<T>(), step);
  });
  return {dgates, dproducts, dh};
}

}  // namespace eigengrad::kernels
