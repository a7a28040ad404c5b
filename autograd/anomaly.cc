#include "eigengrad/autograd/anomaly.h"

#include <cmath>

#include "eigengrad/core/arg.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

bool has(Tensor (*property)(Arg), const Tensor& x) {
  return x.defined() && is_floating(x.dtype()) && any(property(x.detach())).item<bool>();
}
bool is_finite(const Tensor& x) {
  return !x.defined() || !is_floating(x.dtype()) || all(isfinite(x.detach())).item<bool>();
}

// "nan at [0, 2] of shape [4, 3] (2 of 12 values are not finite)".
std::string describe(const Tensor& x) {
  const Tensor values = flatten(x.detach());
  const Tensor elements = nonzero(logical_not(isfinite(values)));
  const std::int64_t count = elements.size(0), first = select(elements, 0, 0).item<std::int64_t>();
  const double value = select(values, 0, first).item();
  return fmt::format("{} at {} of shape {} ({} of {} {} not finite)",
                     std::isnan(value) ? "nan"
                     : value < 0       ? "-inf"
                                       : "inf",
                     position_of(first, x.shape()), x.shape(), count, x.numel(),
                     count == 1 ? "values is" : "values are");
}

std::string describe_inputs(TensorRefs inputs) {
  std::string shapes;
  bool finite = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const char* const flaw = has(isnan, inputs[i]) ? " (with nan)" : has(isinf, inputs[i]) ? " (with inf)" : "";
    finite = finite && *flaw == '\0';
    shapes += fmt::format("{}{}{}", i == 0 ? "" : ", ", inputs[i].shape(), flaw);
  }
  return fmt::format("of {}inputs of shapes {}", finite ? "finite " : "", shapes);
}

std::string describe_place(const std::source_location& site, ScopeId scope) {
  std::string result;
  if (site.line() != 0) result += " at " + to_string(site);
  if (scope != 0) result += fmt::format(" in module '{}'", scope_path(scope));
  return result.empty() ? result : "; called" + result;
}

}  // namespace

void AnomalyFinder::on_op(const OpEvent& event) {
  const auto& [name, attributes, inputs, output, flops, output_index] = event;
  if (found() || is_finite(output)) return;
  bool had_infinity = false;
  for (std::size_t i = 0; i < inputs.size(); ++i) had_infinity = had_infinity || has(isinf, inputs[i]);
  const bool handed_on = had_infinity && !has(isnan, output);
  if (handed_on && !handed_on_.empty()) return;
  std::string finding = fmt::format("[{}] gave {}, {}{}", name, describe(output), describe_inputs(inputs),
                                    describe_place(thread_state.site, thread_state.scope));
  handed_on ? void(handed_on_ = std::move(finding)) : report(std::move(finding));
}

void AnomalyFinder::on_rule(const Node& node, std::span<const Tensor> results) {
  const TracerScope silent(nullptr);
  for (std::size_t i = 0; i < results.size() && !found(); ++i)
    if (!is_finite(results[i]))
      report(fmt::format("the gradient of [{}] for input {} is {}{}", node.name(), i, describe(results[i]),
                         describe_place(node.site(), node.scope())));
}

void AnomalyFinder::on_grad(const Node& node, std::uint32_t slot, const Tensor& grad) {
  const TracerScope silent(nullptr);
  if (found() || is_finite(grad)) return;
  report(fmt::format("the gradient that reached output {} of [{}] is {}{}", slot, node.name(), describe(grad),
                     describe_place(node.site(), node.scope())));
}

}  // namespace eigengrad
