// Functions of tensors, as an argument of what differentiates or repeats them.
#pragma once

#include <concepts>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad {

namespace detail {
/// The only one of the inputs. Throws ValueError when there is not exactly one.
const Tensor& only_input(std::span<const Tensor> inputs);
}  // namespace detail

/// A function of tensors: `[](std::span<const Tensor> x) { return x[0] * x[1]; }`, or, of one tensor,
/// `[](const Tensor& x) { return x * x; }`. It may return one tensor or a vector.
class TensorFunction {
 public:
  /// From a callable of one tensor, of several, or of a list of them, that gives a tensor or several.
  template <class F>
  requires(std::invocable<F&, std::span<const Tensor>> || std::invocable<F&, const Tensor&>)
      TensorFunction(F f)  // NOLINT(google-explicit-constructor): lambdas are passed as they are
      : call_([f = std::move(f)](std::span<const Tensor> x) mutable -> std::vector<Tensor> {
          if constexpr (std::invocable<F&, std::span<const Tensor>>)
            return as_vector(f(x));
          else
            return as_vector(f(detail::only_input(x)));
        }) {}
  /// Calls it.
  std::vector<Tensor> operator()(std::span<const Tensor> x) const { return call_(x); }

 private:
  static std::vector<Tensor> as_vector(Tensor result) { return {std::move(result)}; }
  static std::vector<Tensor> as_vector(std::vector<Tensor> results) { return results; }

  std::function<std::vector<Tensor>(std::span<const Tensor>)> call_;
};

}  // namespace eigengrad
