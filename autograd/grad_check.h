// Checks of gradient rules against finite differences, in float64.
#pragma once

#include <concepts>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// A function of tensors: `[](std::span<const Tensor> x) { return x[0] * x[1]; }`. It may return one tensor or a
/// vector.
class TensorFunction {
 public:
  template <class F>
  requires std::invocable<F&, std::span<const Tensor>> TensorFunction(
      F f)  // NOLINT(google-explicit-constructor): lambdas are passed as they are
      : call_([f = std::move(f)](std::span<const Tensor> x) mutable -> std::vector<Tensor> {
          if constexpr (std::convertible_to<std::invoke_result_t<F&, std::span<const Tensor>>, Tensor>)
            return {f(x)};
          else
            return f(x);
        }) {}
  std::vector<Tensor> operator()(std::span<const Tensor> x) const { return call_(x); }

 private:
  std::function<std::vector<Tensor>(std::span<const Tensor>)> call_;
};

struct GradCheckOptions {
  double atol = 1e-8;
  double rtol = 1e-6;
};

struct GradCheckResult {
  bool ok = true;
  std::string message;  ///< which element of which input is wrong, and by how much; empty when all is well

  explicit operator bool() const { return ok; }
  /// Throws GradError with the message unless ok.
  void or_throw() const;
};

/// Compares the whole Jacobian that the graph gives with central differences and with a stencil of fourth order, for
/// every input that requires grad. Also checks that a walk with dense, uneven gradients is the weighted sum of the
/// Jacobian's rows, and that a second walk gives the same bits. Inputs that require grad, and the results that depend
/// on them, are float64, else DtypeError; the function has no kink within 0.002 of the inputs.
GradCheckResult gradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                          const GradCheckOptions& options = {});
GradCheckResult gradcheck(const TensorFunction& function, std::initializer_list<Tensor> inputs,
                          const GradCheckOptions& options = {});

/// The same for the gradient of the function, as a function of the inputs and of the gradient that it starts from.
GradCheckResult gradgradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                              const GradCheckOptions& options = {});
GradCheckResult gradgradcheck(const TensorFunction& function, std::initializer_list<Tensor> inputs,
                              const GradCheckOptions& options = {});

}  // namespace eigengrad
