// Elementwise kernels written as Eigen array expressions, for the functions that Eigen has vectorised.
// Includes Eigen: for .cc files.
#pragma once

#include <Eigen/Core>

#include "eigengrad/ops/kernels/elementwise.h"

namespace eigengrad::kernels {

template <class F>
struct ArrayKernel {
  static constexpr std::int64_t kGrain = kCostly;
  F f;
  template <class R, class... T>
  void operator()(std::int64_t n, R* out, const T*... in) const {
    Eigen::Map<Eigen::Array<R, Eigen::Dynamic, 1>>(out, n) =
        f(Eigen::Map<const Eigen::Array<T, Eigen::Dynamic, 1>>(in, n)...);
  }
};

/// array([](const auto& x) { return x.exp(); })
template <class F>
ArrayKernel<F> array(F f) {
  return {f};
}

}  // namespace eigengrad::kernels
