// What the engines have in common.
#include "eigengrad/ops/kernels/engine.h"

#include <algorithm>
#include <cstddef>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/pieces.h"

namespace eigengrad::kernels {
namespace {

// One product, in slices of the longer axis of the result, so that the operand that every slice needs whole is the
// smaller one. The slices are chosen by the shape alone.
class SlicedProduct {
 public:
  SlicedProduct(const Engine& engine, Dtype dtype, Precision precision, void* out, const Matrix& a, const Matrix& b)
      : engine_(engine),
        dtype_(dtype),
        precision_(precision),
        out_(static_cast<std::byte*>(out)),
        a_(a),
        b_(b),
        element_(static_cast<std::int64_t>(size_of(dtype))) {}

  void run() const {
    if (precision_ == Precision::BFloat16)
      by_rows();
    else if (a_.rows * a_.columns * b_.columns < 2 * kWorthAThread)
      engine_.matrix_product(dtype_, precision_, out_, b_.columns, a_, b_);
    else if (a_.column_stride == 1 && a_.rows >= 2 * kNarrowest)
      by_rows();
    else if (a_.rows >= b_.columns)
      for_each_slice(a_.rows, [&](std::int64_t first, std::int64_t last) { multiply(first, last, 0, b_.columns); });
    else
      for_each_slice(b_.columns, [&](std::int64_t first, std::int64_t last) { multiply(0, a_.rows, first, last); });
  }

 private:
  static constexpr std::int64_t kNarrowest = 32;

  // All slices share the right operand: it is packed once.
  void by_rows() const {
    const auto packed = engine_.pack(dtype_, b_, a_.rows, precision_);
    for_each_slice(a_.rows, [&](std::int64_t first, std::int64_t last) {
      packed->multiply(out_ + first * b_.columns * element_, b_.columns, part_of_a(first, last));
    });
  }
  void multiply(std::int64_t row, std::int64_t row_end, std::int64_t column, std::int64_t column_end) const {
    engine_.matrix_product(dtype_, precision_, out_ + (row * b_.columns + column) * element_, b_.columns,
                           part_of_a(row, row_end), part(b_, dtype_, 0, b_.rows, column, column_end - column));
  }
  Matrix part_of_a(std::int64_t row, std::int64_t row_end) const {
    return part(a_, dtype_, row, row_end - row, 0, a_.columns);
  }
  template <class F>
  void for_each_slice(std::int64_t extent, F f) const {
    constexpr std::int64_t kMost = 8;
    const std::int64_t work = a_.rows * a_.columns * b_.columns;
    const std::int64_t slices = std::clamp<std::int64_t>(std::min(work / kWorthAThread, extent / kNarrowest), 1, kMost);
    const std::int64_t size = ((extent + slices - 1) / slices + 15) / 16 * 16;
    parallel_for(extent, size, [&](std::int64_t begin, std::int64_t end) { f(begin, end); });
  }

  const Engine& engine_;
  const Dtype dtype_;
  const Precision precision_;
  std::byte* const out_;
  const Matrix a_, b_;
  const std::int64_t element_;
};

}  // namespace

void Engine::product(Dtype dtype, Precision precision, void* out, const Matrix& a, const Matrix& b,
                     const Epilogue& end) const {
  SlicedProduct(*this, dtype, precision, out, a, b).run();
  if (!end.bias && !end.relu) return;
  dispatch_floating("linear", dtype, [&]<class T>() {
    constexpr std::int64_t kGrain = 1 << 16;
    parallel_evenly(a.rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, b.columns)),
                    [&](std::int64_t begin, std::int64_t until) {
                      finish_rows(static_cast<T*>(out) + begin * b.columns, until - begin, b.columns, end);
                    });
  });
}

}  // namespace eigengrad::kernels
