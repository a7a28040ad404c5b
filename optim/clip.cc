#include "eigengrad/optim/clip.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/kernels/reduce.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::optim {
namespace {

template <class T>
struct SquareSum : kernels::AddingUp<double> {
  using In = T;
  using Out = double;
  static double term(T x) { return static_cast<double>(x) * static_cast<double>(x); }
  static double finish(double sum) { return sum; }
};

double square_sum(const Tensor& grad) {
  const Tensor x = to(grad, computing_dtype(grad.dtype()));
  double result = 0;
  const kernels::ReductionView view = kernels::reduction_view("clip_grad_norm_", x, {});
  dispatch_floating("clip_grad_norm_", x.dtype(), [&]<class T>() { kernels::reduce<SquareSum<T>>(view, &result); });
  return result;
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm) {
  EG_CHECK(max_norm > 0, ValueError, "[clip_grad_norm_] max_norm must be above 0, found {}", max_norm);
  const NoGrad no_grad;
  double total = 0;
  for (const Tensor& parameter : parameters)
    if (const Tensor grad = parameter.grad(); grad.defined()) total += square_sum(grad);
  const double norm = std::sqrt(total);
  if (!std::isfinite(norm) || norm <= max_norm) return norm;
  const double scale = max_norm / (norm + 1e-6);  // as in PyTorch
  for (const Tensor& parameter : parameters)
    if (Tensor grad = parameter.grad(); grad.defined()) mul_(grad, scale);
  return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double max_value) {
  EG_CHECK(max_value > 0, ValueError, "[clip_grad_value_] max_value must be above 0, found {}", max_value);
  const NoGrad no_grad;
  for (const Tensor& parameter : parameters)
    if (Tensor grad = parameter.grad(); grad.defined()) clamp_(grad, -max_value, max_value);
}

}  // namespace eigengrad::optim
