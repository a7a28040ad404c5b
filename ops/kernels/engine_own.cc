// Products and convolutions by loops of our own: see tiles.h, own_product.h and own_convolution.h.
#include <algorithm>
#include <memory>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/own_convolution.h"
#include "eigengrad/ops/kernels/own_depthwise.h"
#include "eigengrad/ops/kernels/own_product.h"
#include "eigengrad/ops/kernels/pairs.h"
#include "eigengrad/ops/kernels/rounded.h"

namespace eigengrad::kernels {
namespace {

// Products of fewer multiplications are not worth packing.
constexpr std::int64_t kWorthPacking = 16 * 16 * 16;

template <class T>
class Packed final : public PackedMatrix {
 public:
  explicit Packed(const Tiles<T>& tiles, const Matrix& b)
      : tiles_(tiles), depth_(b.rows), columns_(b.columns), packed_(tiles.packed_size(b.rows, b.columns)) {
    tiles.pack(static_cast<const T*>(b.data), b.row_stride, b.column_stride, depth_, columns_, nullptr, packed_.data());
  }

  void multiply(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate, const void* bias) const override {
    const std::int64_t depth = block_size(depth_, kBlockDepth, 8), rows = block_size(a.rows, kBlockRows, 6);
    const T* const add = static_cast<const T*>(bias);
    const T* a_rows[kBlockRows];
    T* out_rows[kBlockRows];
    for (std::int64_t row = 0; row < a.rows; row += rows) {
      const std::int64_t high = std::min(rows, a.rows - row);
      for (std::int64_t i = 0; i < high; ++i) out_rows[i] = static_cast<T*>(out) + (row + i) * out_stride;
      for (std::int64_t term = 0; term == 0 || term < depth_; term += depth) {
        const Segment all{0, std::min(depth, depth_ - term)};
        for (std::int64_t i = 0; i < high; ++i)
          a_rows[i] = static_cast<const T*>(a.data) + (row + i) * a.row_stride + term * a.column_stride;
        RowsProduct<T>{tiles_,
                       a_rows,
                       out_rows,
                       high,
                       &all,
                       1,
                       a.column_stride,
                       packed_.data(),
                       depth_,
                       columns_,
                       term,
                       accumulate || term > 0,
                       term == 0 ? add : nullptr}
            .run();
      }
    }
  }

 private:
  const Tiles<T>& tiles_;
  const std::int64_t depth_, columns_;
  const RoomOf<T> packed_;
};

// In bfloat16.
class PackedPairs final : public PackedMatrix {
 public:
  explicit PackedPairs(const Matrix& b) : packed_(pair_tiles(), PairedMatrix(b, Terms::AreRows).matrix()) {}
  void multiply(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate, const void* bias) const override {
    packed_.multiply(out, out_stride, PairedMatrix(a, Terms::AreColumns).matrix(), accumulate, bias);
  }

 private:
  const Packed<float> packed_;
};

class OwnEngine final : public Engine {
 public:
  std::string_view name() const override { return "own"; }
  std::string version() const override { return fmt::format("loops {} floats wide", tiles<float>().lanes); }

  void matrix_product(Dtype dtype, Precision precision, void* out, std::int64_t out_stride, const Matrix& a,
                      const Matrix& b) const override {
    if (precision == Precision::BFloat16)
      return own_product<float>(pair_tiles(), static_cast<float*>(out), out_stride,
                                PairedMatrix(a, Terms::AreColumns).matrix(), PairedMatrix(b, Terms::AreRows).matrix());
    if (a.rows * a.columns * b.columns < kWorthPacking)
      return eigen_engine().matrix_product(dtype, precision, out, out_stride, a, b);
    dispatch_floating("matmul", dtype,
                      [&]<class T>() { own_product<T>(tiles<T>(), static_cast<T*>(out), out_stride, a, b); });
  }

  void product(Dtype dtype, Precision precision, void* out, const Matrix& a, const Matrix& b,
               const Epilogue& end) const override {
    if (precision == Precision::BFloat16)
      return own_product_shared<float>(pair_tiles(), static_cast<float*>(out),
                                       PairedMatrix(a, Terms::AreColumns).matrix(),
                                       PairedMatrix(b, Terms::AreRows).matrix(), end);
    if (a.rows * a.columns * b.columns < kWorthPacking) return Engine::product(dtype, precision, out, a, b, end);
    dispatch_floating("matmul", dtype,
                      [&]<class T>() { own_product_shared<T>(tiles<T>(), static_cast<T*>(out), a, b, end); });
  }

  std::unique_ptr<PackedMatrix> pack(Dtype dtype, const Matrix& b, std::int64_t, Precision precision) const override {
    if (precision == Precision::BFloat16) return std::make_unique<PackedPairs>(b);
    return dispatch_floating("matmul", dtype, [&]<class T>() -> std::unique_ptr<PackedMatrix> {
      return std::make_unique<Packed<T>>(tiles<T>(), b);
    });
  }

  bool convolves(Dtype) const override { return true; }

  bool convolution(const ConvolutionShape& shape, const void* x, const void* weight, const Epilogue& end,
                   void* y) const override {
    const Extents n(shape);
    return run(shape, x, n.x, weight, n.weight, [&]<class T>(const T* image, const T* kernel) {
      const auto f = is_depthwise(shape) ? own_depthwise<T> : own_convolution<T>;
      f(shape, image, kernel, end, static_cast<T*>(y));
    });
  }

  bool convolution_input_grad(const ConvolutionShape& shape, const void* dy, const void* weight,
                              void* dx) const override {
    const Extents n(shape);
    return run(shape, dy, n.y, weight, n.weight, [&]<class T>(const T* grad, const T* kernel) {
      const auto f = is_depthwise(shape) ? own_depthwise_input_grad<T> : own_convolution_input_grad<T>;
      f(shape, grad, kernel, static_cast<T*>(dx));
    });
  }

  bool convolution_weight_grad(const ConvolutionShape& shape, const void* x, const void* dy, void* dweight,
                               void* dbias) const override {
    const Extents n(shape);
    return run(shape, x, n.x, dy, n.y, [&]<class T>(const T* image, const T* grad) {
      const auto f = is_depthwise(shape) ? own_depthwise_weight_grad<T> : own_convolution_weight_grad<T>;
      f(shape, image, grad, static_cast<T*>(dweight));
      if (dbias)
        sum_pixels(static_cast<const T*>(dy), shape.images * shape.out_height * shape.out_width, shape.out_channels,
                   static_cast<T*>(dbias));
    });
  }

 private:
  // Elements of the operands.
  struct Extents {
    std::int64_t x, weight, y;
    explicit Extents(const ConvolutionShape& s)
        : x(s.images * s.height * s.width * s.channels),
          weight(s.out_channels * (s.channels / s.groups) * s.window.kernel[0] * s.window.kernel[1]),
          y(s.images * s.out_height * s.out_width * s.out_channels) {}
  };

  // Calls f with the two factors. Those of depthwise convolutions are rounded here, if they are to be.
  template <class F>
  static bool run(const ConvolutionShape& shape, const void* a, std::int64_t a_size, const void* b, std::int64_t b_size,
                  F f) {
    // Groups of few channels would leave most of a vector unused.
    constexpr std::int64_t kFewestChannels = 4;
    const bool has_few = std::min(shape.channels, shape.out_channels) / shape.groups < kFewestChannels;
    if (shape.groups > 1 && has_few && !is_depthwise(shape)) return false;
    if (rounds(shape) && is_depthwise(shape))
      with_rounded(static_cast<const float*>(a), a_size, static_cast<const float*>(b), b_size, f);
    else
      dispatch_floating("conv2d", shape.dtype,
                        [&]<class T>() { f(static_cast<const T*>(a), static_cast<const T*>(b)); });
    return true;
  }
};

}  // namespace

const Engine& own_engine() {
  static const OwnEngine engine;
  return engine;
}

}  // namespace eigengrad::kernels
