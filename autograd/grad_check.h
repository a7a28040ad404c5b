// Checks of gradient rules against finite differences, in float64.
#pragma once

#include <span>
#include <string>

#include "eigengrad/autograd/tensor_function.h"

namespace eigengrad {

struct GradCheckOptions {
  double atol = 1e-8;  ///< absolute and
  double rtol = 1e-6;  ///< relative error that is let pass: |analytic - numeric| ≤ atol + rtol·|numeric|
};

/// What a check has found.
struct GradCheckResult {
  bool ok = true;       ///< whether all gradients agree
  std::string message;  ///< which element of which input is wrong, and by how much; empty when all is well

  /// The same.
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
