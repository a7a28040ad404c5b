// Matrix products by Eigen.
#include <Eigen/Core>
#include <algorithm>
#include <memory>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/rounded.h"

namespace eigengrad::kernels {
namespace {

template <class T, int Order>
using Map = Eigen::Map<const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Order>, 0, Eigen::OuterStride<>>;

// Calls f with the matrix as Eigen sees it: row-major, or column-major when it is the rows that are strided.
template <class T, class F>
void with_map(const Matrix& m, F f) {
  const auto* data = static_cast<const T*>(m.data);
  if (m.column_stride == 1)
    f(Map<T, Eigen::RowMajor>(data, m.rows, m.columns, Eigen::OuterStride<>(m.row_stride)));
  else
    f(Map<T, Eigen::ColMajor>(data, m.rows, m.columns, Eigen::OuterStride<>(m.column_stride)));
}

// ---- Packed operands. Eigen's own product packs both operands each time; its parts, called one by one, let the packed
// one stay. A row-major out = a·b is the column-major outᵀ = bᵀ·aᵀ, in which bᵀ is the left operand.

template <class T>
class Packed final : public PackedMatrix {
 public:
  explicit Packed(const Matrix& b) : rows_(b.columns), depth_(b.rows) {
    packed_.resize(static_cast<std::size_t>(rows_ * depth_));
    for (std::int64_t k = 0; k < depth_; k += kDepth) pack(b, k, std::min(kDepth, depth_ - k));
  }

  void multiply(void* out, std::int64_t out_stride, const Matrix& a, bool accumulate, const void* bias) const override {
    auto* const result = static_cast<T*>(out);
    const bool adds = prepare<T>(out, out_stride, a.rows, rows_, accumulate, bias);
    for (std::int64_t row = 0; row < a.rows && !adds; ++row) std::fill_n(result + row * out_stride, rows_, T(0));
    if (a.rows == 0 || rows_ == 0) return;
    const std::int64_t room = a.rows * std::min(kDepth, depth_);
    const std::unique_ptr<T[], FreeAligned> right(static_cast<T*>(
        Eigen::internal::aligned_malloc(static_cast<std::size_t>(std::max<std::int64_t>(1, room)) * sizeof(T))));
    Results results(result, out_stride);
    for (std::int64_t k = 0; k < depth_; k += kDepth) {
      const std::int64_t depth = std::min(kDepth, depth_ - k);
      // aᵀ in columns: element (i, j) is a(j, i).
      const T* const data = static_cast<const T*>(a.data);
      if (a.column_stride == 1)
        PackRight<Eigen::ColMajor>()(right.get(), RightMapper<Eigen::ColMajor>(data + k, a.row_stride), depth, a.rows);
      else
        PackRight<Eigen::RowMajor>()(
            right.get(), RightMapper<Eigen::RowMajor>(data + k * a.column_stride, a.column_stride), depth, a.rows);
      Multiply()(results, packed_.data() + k * rows_, right.get(), rows_, depth, a.rows, T(1));
    }
  }

 private:
  using Traits = Eigen::internal::gebp_traits<T, T>;
  using Index = std::int64_t;
  template <int Order>
  using LeftMapper = Eigen::internal::const_blas_data_mapper<T, Index, Order>;
  template <int Order>
  using RightMapper = Eigen::internal::const_blas_data_mapper<T, Index, Order>;
  template <int Order>
  using PackLeft = Eigen::internal::gemm_pack_lhs<T, Index, LeftMapper<Order>, Traits::mr, Traits::LhsProgress,
                                                  typename Traits::LhsPacket4Packing, Order>;
  template <int Order>
  using PackRight = Eigen::internal::gemm_pack_rhs<T, Index, RightMapper<Order>, Traits::nr, Order>;
  using Results = Eigen::internal::blas_data_mapper<T, Index, Eigen::ColMajor>;
  using Multiply = Eigen::internal::gebp_kernel<T, T, Index, Results, Traits::mr, Traits::nr, false, false>;
  struct FreeAligned {
    void operator()(T* block) const { Eigen::internal::aligned_free(block); }
  };
  // Terms that are summed at once: what of both operands then fits into the cache.
  static constexpr std::int64_t kDepth = 256;

  // bᵀ(:, k .. k + depth) as the left operand.
  void pack(const Matrix& b, std::int64_t k, std::int64_t depth) {
    const T* const data = static_cast<const T*>(b.data);
    T* const to = packed_.data() + k * rows_;
    if (b.column_stride == 1)  // bᵀ is column-major
      PackLeft<Eigen::ColMajor>()(to, LeftMapper<Eigen::ColMajor>(data + k * b.row_stride, b.row_stride), depth, rows_);
    else
      PackLeft<Eigen::RowMajor>()(to, LeftMapper<Eigen::RowMajor>(data + k, b.column_stride), depth, rows_);
  }

  std::int64_t rows_, depth_;
  std::vector<T, Eigen::aligned_allocator<T>> packed_;
};

// Both operands rounded to bfloat16, and multiplied in float32: the figures of processors that multiply bfloat16.
class EigenEngine final : public Engine {
 public:
  std::string_view name() const override { return "eigen"; }
  std::string version() const override {
    return fmt::format("Eigen {}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION);
  }
  void matrix_product(Dtype dtype, Precision precision, void* out, std::int64_t out_stride, const Matrix& a,
                      const Matrix& b) const override {
    if (precision == Precision::BFloat16) return pack(dtype, b, a.rows, precision)->multiply(out, out_stride, a);
    dispatch_floating("matmul", dtype, [&]<class T>() {
      Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, 0, Eigen::OuterStride<>> product(
          static_cast<T*>(out), a.rows, b.columns, Eigen::OuterStride<>(out_stride));
      if (a.columns == 0)
        product.setZero();
      else
        with_map<T>(
            a, [&](const auto& left) { with_map<T>(b, [&](const auto& right) { product.noalias() = left * right; }); });
    });
  }
  std::unique_ptr<PackedMatrix> pack(Dtype dtype, const Matrix& b, std::int64_t, Precision precision) const override {
    if (precision == Precision::BFloat16) return std::make_unique<RoundedPacked<Packed<float>>>(b);
    return dispatch_floating(
        "matmul", dtype, [&]<class T>() -> std::unique_ptr<PackedMatrix> { return std::make_unique<Packed<T>>(b); });
  }
};

}  // namespace

const Engine& eigen_engine() {
  static const EigenEngine engine;
  return engine;
}

}  // namespace eigengrad::kernels
