#include "eigengrad/train/nonfinite.h"

#include "eigengrad/core/check.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/reduce.h"

namespace eigengrad::train {
namespace {

bool is_finite(const Tensor& x) { return !is_floating(x.dtype()) || all(isfinite(x.detach())).item<bool>(); }

std::string place(ScopeId scope) {
  return scope == 0 ? std::string() : fmt::format(" in module '{}'", scope_path(scope));
}

}  // namespace

void NonFiniteFinder::on_op(std::string_view name, const Attributes&, TensorRefs inputs, const Tensor& output) {
  if (found() || is_finite(output)) return;
  std::string bad_inputs;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!is_finite(inputs[i]))
      bad_inputs += fmt::format("{}{} of shape {}", bad_inputs.empty() ? "" : ", ", i, inputs[i].shape());
  finding_ = fmt::format("the first value that is not finite came out of [{}]{}, of shape {}", name,
                         place(thread_state.scope), output.shape());
  finding_ += bad_inputs.empty() ? "; its inputs were finite" : "; it came in with input " + bad_inputs;
}

void NonFiniteFinder::on_grad(const Node& node, std::uint32_t, const Tensor& grad) {
  if (found() || is_finite(grad)) return;
  finding_ = fmt::format("the first gradient that is not finite reached the output of [{}]{}, of shape {}", node.name(),
                         place(node.scope()), grad.shape());
}

}  // namespace eigengrad::train
