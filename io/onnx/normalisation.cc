#include <limits>
#include <numeric>

#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

template <class L>
std::string channel_norm(Exporter& e, nn::Module& module, Flows x) {
  const L& layer = static_cast<const L&>(module);
  Graph& g = e.graph();
  const std::int64_t channels = layer.options().num_features;
  const std::string weight = layer.weight.defined() ? g.parameter(layer.weight) : g.constant(ones({channels}));
  const std::string bias = layer.bias.defined() ? g.parameter(layer.bias) : g.constant(zeros({channels}));
  const Attributes eps = Attributes().add("epsilon", layer.options().eps);
  if (layer.running_mean.defined())
    return g.node("BatchNormalization",
                  {x[0].name, weight, bias, g.parameter(layer.running_mean), g.parameter(layer.running_var)}, eps);
  if (std::is_base_of_v<nn::BatchNorm, L>) refuse(module, "it has no running statistics, so it depends on the batch");
  return g.node("InstanceNormalization", {x[0].name, weight, bias}, eps);
}

std::string rms_norm(Exporter& e, nn::Module& module, Flows x) {
  const auto& layer = static_cast<const nn::RMSNorm&>(module);
  Graph& g = e.graph();
  std::vector<std::int64_t> axes(layer.options().normalized_shape.size());
  std::iota(axes.begin(), axes.end(), -static_cast<std::int64_t>(axes.size()));
  const std::string squares = g.node("Mul", {x[0].name, x[0].name});
  const std::string mean = reduced(g, "ReduceMean", squares, axes);
  const double eps = layer.options().eps.value_or(std::numeric_limits<float>::epsilon());
  const std::string root = g.node("Sqrt", {g.node("Add", {mean, g.constant(eps)})});
  const std::string scaled = g.node("Div", {x[0].name, root});
  return layer.weight.defined() ? g.node("Mul", {scaled, g.parameter(layer.weight)}) : scaled;
}

// Groups are channels of a tensor of another shape.
std::string group_norm(Exporter& e, nn::Module& module, Flows x) {
  const auto& layer = static_cast<const nn::GroupNorm&>(module);
  Graph& g = e.graph();
  const std::int64_t groups = layer.options().num_groups;
  const std::string normal = with_shape(
      g,
      g.node("InstanceNormalization",
             {reshaped(g, x[0].name, {0, groups, -1}), g.constant(ones({groups})), g.constant(zeros({groups}))},
             Attributes().add("epsilon", layer.options().eps)),
      x[0].shape);
  std::vector<std::int64_t> channels(x[0].shape.size(), 1);
  channels[0] = layer.options().num_channels;
  std::string result = normal;
  if (layer.weight.defined()) result = g.node("Mul", {result, reshaped(g, g.parameter(layer.weight), channels)});
  if (layer.bias.defined()) result = g.node("Add", {result, reshaped(g, g.parameter(layer.bias), channels)});
  return result;
}

}  // namespace

void add_normalisations(Rules& rules) {
  using namespace nn;
  rules.add<BatchNorm1d>(channel_norm<BatchNorm1d>);
  rules.add<BatchNorm2d>(channel_norm<BatchNorm2d>);
  rules.add<InstanceNorm1d>(channel_norm<InstanceNorm1d>);
  rules.add<InstanceNorm2d>(channel_norm<InstanceNorm2d>);
  rules.write<LayerNorm>([](Graph& g, const auto& l, Flows x) { return layer_norm(g, x[0].name, l); });
  rules.add<RMSNorm>(rms_norm);
  rules.add<GroupNorm>(group_norm);
}

}  // namespace eigengrad::io::onnx
