// The forward passes that most elementwise ops share. For .cc files.
#pragma once

#include "eigengrad/core/apply.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/kernels/elementwise.h"

namespace eigengrad::kernels {

/// f(T, T) -> T over numbers and bools.
template <class F>
Tensor binary(const char* op, TensorRefs x, F f) {
  const Tensor out = elementwise_result(op, x[0], x[1], x[0].dtype());
  dispatch(out.dtype(), [&]<class T>() { elementwise<T, T, T>(out, each(f), x[0], x[1]); });
  return out;
}

/// f(T, T) -> bool.
template <class F>
Tensor compare(const char* op, TensorRefs x, F f) {
  const Tensor out = elementwise_result(op, x[0], x[1], kBool);
  dispatch(x[0].dtype(), [&]<class T>() { elementwise<bool, T, T>(out, each(f), x[0], x[1]); });
  return out;
}

/// A kernel over floating tensors of one dtype, such as each(f) or array(f).
template <class Kernel, class... In>
void floating_into(const char* op, const Tensor& out, Kernel kernel, const In&... in) {
  dispatch_floating(op, out.dtype(), [&]<class T>() {
    const auto run = [&]<class... U>(const U&... x) {
      elementwise<T, std::conditional_t<true, T, U>...>(out, kernel, x...);
    };
    run(in...);
  });
}
template <class Kernel, class... In>
Tensor floating(const char* op, Kernel kernel, const Tensor& x, const In&... more) {
  const Tensor out = [&] {
    if constexpr (sizeof...(In) == 0)
      return empty_like(x);
    else
      return elementwise_result(op, x, more..., x.dtype());
  }();
  floating_into(op, out, kernel, x, more...);
  return out;
}
/// The same for a gradient rule of an op with several inputs, which all want g.
template <class Kernel, class... In>
Tensor partial_gradient(const char* op, Kernel kernel, const Tensor& g, const In&... more) {
  const Tensor out = empty_like(g);
  floating_into(op, out, kernel, g, more...);
  return out;
}
/// For the only one, what it makes of g takes its place in memory, if it may.
template <class Kernel, class... In>
Tensor gradient(const char* op, Kernel kernel, const Tensor& g, const In&... more) {
  if (!g.can_be_reused()) return partial_gradient(op, kernel, g, more...);
  floating_into(op, g, kernel, g, more...);
  return g;
}

}  // namespace eigengrad::kernels
