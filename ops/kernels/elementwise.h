// Loops over the elements of tensors of any strides. A kernel is a function of contiguous runs,
// f(n, out, a, b): where an operand is not contiguous, its elements pass through a small buffer, so that each kernel is
// compiled for one layout only and vectorises.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "eigengrad/core/function_ref.h"
#include "eigengrad/core/multiversion.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// From how many elements on a loop is shared: cheap kernels need more of them to pay for a second thread.
inline constexpr std::int64_t kCheap = 1 << 16;
inline constexpr std::int64_t kCostly = 1 << 14;

struct Operand {
  std::byte* data;
  const Shape* shape;  // broadcasts to that of operand 0
  const Strides* strides;
  std::size_t element_size;
};

using Chunk = FunctionRef<void(std::int64_t n, std::byte* const* operands)>;

/// Calls `chunk` with contiguous runs of all operands, operand 0 being the output, until every element is done.
void for_each_chunk(const Operand* operands, std::size_t count, std::int64_t grain, Chunk chunk);

inline Operand operand(const Tensor& x) { return {x.raw<std::byte>(), &x.shape(), &x.strides(), size_of(x.dtype())}; }

namespace detail {

// Not inlined: in a large function the compiler may stop short of inlining what is in the loop, which then does not
// vectorise.
#if defined(EIGENGRAD_MULTIVERSION)
template <class R, class... T, class F>
void run_kernel(const F& f, std::int64_t n, R* out, const T*... in) {
  eigengrad::detail::run_multiversioned([&] { f(n, out, in...); });
}
#else
template <class R, class... T, class F>
EG_MULTIVERSION void run_kernel(const F& f, std::int64_t n, R* out, const T*... in) {
  f(n, out, in...);
}
#endif

}  // namespace detail

/// Runs f(n, R* out, const T* in...) over `out` and the inputs, which broadcast to its shape. The element types are
/// those named: `elementwise<float, float, float>(out, f, a, b)`.
template <class R, class... T, class F, class... In>
void elementwise(const Tensor& out, F&& f, const In&... in) {
  static_assert(sizeof...(T) == sizeof...(In));
  // Small and without gaps or broadcasting: what scalars and small nets are made of.
  const std::int64_t count = out.numel();
  if (count <= std::remove_cvref_t<F>::kGrain && out.is_contiguous() &&
      ((in.numel() == count && in.is_contiguous()) && ...)) {
    if (count > 0) detail::run_kernel<R, T...>(f, count, out.template raw<R>(), in.template raw<const T>()...);
    return;
  }
  const std::array<Operand, 1 + sizeof...(In)> operands{operand(out), operand(in)...};
  constexpr std::int64_t grain = std::remove_cvref_t<F>::kGrain;
  const auto call = [&]<std::size_t... I>(std::int64_t n, std::byte* const* data, std::index_sequence<I...>) {
    detail::run_kernel<R, T...>(f, n, reinterpret_cast<R*>(data[0]), reinterpret_cast<const T*>(data[I + 1])...);
  };
  for_each_chunk(operands.data(), operands.size(), grain, [&](std::int64_t n, std::byte* const* data) {
    call(n, data, std::make_index_sequence<sizeof...(In)>());
  });
}

/// c ? a : b without a branch, for conditions that were stored: which it will be cannot be guessed, and compilers do
/// not make vectors of it.
template <class T>
T chosen(bool c, T a, T b) {
  if constexpr (std::is_same_v<T, bool>) {
    return (a & c) | (b & !c);
  } else {
    using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    const Bits mask = Bits(0) - Bits(c);
    return std::bit_cast<T>((std::bit_cast<Bits>(a) & mask) | (std::bit_cast<Bits>(b) & ~mask));
  }
}

/// Makes a kernel of a function of single elements: each([](float a, float b) { return a + b; }).
template <std::int64_t Grain, class F>
struct Each {
  static constexpr std::int64_t kGrain = Grain;
  F f;
  template <class R, class... T>
  void operator()(std::int64_t n, R* out, const T*... in) const {
    const F local = f;  // what it has captured is then in registers, not in memory that a branch might not read
    if constexpr (std::is_same_v<R, std::int64_t>) {
      // Functions of integers may throw (x / 0), and an exception that leaves a simd loop ends the process.
      for (std::int64_t i = 0; i < n; ++i) out[i] = local(in[i]...);
    } else {
#pragma omp simd
      for (std::int64_t i = 0; i < n; ++i) out[i] = local(in[i]...);
    }
  }
};
template <class F>
Each<kCheap, F> each(F f) {
  return {f};
}
template <class F>
Each<kCostly, F> each_costly(F f) {
  return {f};
}

/// Calls f(first, count) for a few elements after another, which loops that go over them again find in the first cache.
template <class F>
void few_at_once(std::int64_t n, F f) {
  constexpr std::int64_t kFew = 1024;
  for (std::int64_t first = 0; first < n; first += kFew) f(first, std::min(kFew, n - first));
}

/// The result of an elementwise op on x (and y) of one shape, or of their broadcast shape: memory order follows the one
/// that has this shape, x if both have.
Tensor elementwise_result(const char* op, const Tensor& x, const Tensor& y, Dtype dtype);
/// The same of three operands: memory order follows the first one that has the shape, from x[first] on.
Tensor elementwise_result(const char* op, TensorRefs x, Dtype dtype, std::size_t first = 0);

}  // namespace eigengrad::kernels
