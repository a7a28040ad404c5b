// Tensors made from nothing.
#include <algorithm>
#include <cmath>
#include <new>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad {
namespace {

// Calls make(bytes) with the bytes that so many elements take.
template <class F>
Tensor allocate_tensor(const Shape& shape, std::int64_t count, Dtype dtype, F make) {
  std::int64_t bytes = 0;
  EG_CHECK(!__builtin_mul_overflow(count, static_cast<std::int64_t>(size_of(dtype)), &bytes), ShapeError,
           "[empty] {} of shape {} pass 2^63 - 1 bytes", dtype, shape);
  try {
    return Tensor(make(static_cast<std::size_t>(bytes)));
  } catch (const std::bad_alloc&) {
    throw MemoryError(fmt::format("[empty] {} of shape {} take {} bytes, which cannot be had", dtype, shape, bytes));
  }
}

// Whether every element of the block between first and last belongs to the tensor exactly once.
bool is_dense(const Tensor& x) {
  SmallVector<std::pair<std::int64_t, std::int64_t>, 6> axes;  // stride, extent
  for (std::size_t i = 0; i < x.shape().size(); ++i)
    if (x.shape()[i] != 1) axes.push_back({x.strides()[i], x.shape()[i]});
  std::sort(axes.begin(), axes.end());
  std::int64_t step = 1;
  for (const auto& [stride, extent] : axes) {
    if (stride != step) return false;
    step *= extent;
  }
  return true;
}

Tensor empty_of(const Shape& shape, std::int64_t count, Dtype dtype) {
  return allocate_tensor(shape, count, dtype,
                         [&](std::size_t bytes) { return TensorImpl::allocate(shape, count, bytes, dtype); });
}

}  // namespace

bool Tensor::can_be_reused() const { return is_sole_owner() && (is_contiguous() || is_dense(*this)); }

Tensor empty(const Shape& shape, Dtype dtype) { return empty_of(shape, checked_numel(shape), dtype); }

Tensor empty_like(const Tensor& x, Dtype dtype) {
  if (x.is_contiguous()) return empty_of(x.shape(), x.numel(), dtype);
  if (!is_dense(x)) return empty(x.shape(), dtype);
  return allocate_tensor(x.shape(), x.numel(), dtype,
                         [&](std::size_t bytes) { return TensorImpl::allocate(x.shape(), x.strides(), bytes, dtype); });
}

Tensor empty_like(const Tensor& x) { return empty_like(x, x.dtype()); }

Tensor full(const Shape& shape, Scalar value, Dtype dtype) {
  Tensor result = empty(shape, dtype);
  dispatch_stored(dtype, [&]<class T>() { std::fill_n(result.raw<T>(), result.numel(), value.to<T>()); });
  return result;
}

Tensor zeros(const Shape& shape, Dtype dtype) { return full(shape, 0, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return full(shape, 1, dtype); }

Tensor full_like(const Tensor& x, Scalar value) {
  Tensor result = empty_like(x);
  dispatch_stored(x.dtype(), [&]<class T>() { std::fill_n(result.raw<T>(), result.numel(), value.to<T>()); });
  return result;
}

Tensor zeros_like(const Tensor& x) { return full_like(x, 0); }
Tensor ones_like(const Tensor& x) { return full_like(x, 1); }

Tensor arange(std::int64_t end, Dtype dtype) { return arange(0, end, 1, dtype); }

Tensor arange(Scalar start, Scalar end, Scalar step, Dtype dtype) {
  const double first = start.to<double>(), by = step.to<double>();
  EG_CHECK(by != 0 && std::isfinite(by), ValueError, "[arange] the step must be finite and not 0, found {}", by);
  const double count = std::ceil((end.to<double>() - first) / by);
  EG_CHECK(count >= 0 && count < 9e18, ValueError, "[arange] a step of {} does not lead from {} to {}", by, first,
           end.to<double>());
  Tensor result = empty({static_cast<std::int64_t>(count)}, dtype);
  dispatch_stored(dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < result.numel(); ++i) {
      if constexpr (std::is_same_v<T, std::int64_t>)
        result.raw<T>()[i] = start.to<T>() + i * step.to<T>();
      else
        result.raw<T>()[i] = static_cast<T>(first + static_cast<double>(i) * by);
    }
  });
  return result;
}

Tensor linspace(double start, double end, std::int64_t steps, Dtype dtype) {
  Tensor result = empty({steps}, dtype);
  // Counted from both ends, so that each end is exact.
  const double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  dispatch_stored(dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < steps; ++i) {
      const double value =
          2 * i < steps ? start + static_cast<double>(i) * step : end - static_cast<double>(steps - 1 - i) * step;
      result.raw<T>()[i] = static_cast<T>(value);
    }
  });
  return result;
}

Tensor eye(std::int64_t n, Dtype dtype) {
  Tensor result = zeros({n, n}, dtype);
  dispatch_stored(dtype, [&]<class T>() {
    for (std::int64_t i = 0; i < n; ++i) result.raw<T>()[i * (n + 1)] = T(1);
  });
  return result;
}

}  // namespace eigengrad
