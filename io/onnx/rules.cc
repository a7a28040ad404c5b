#include "eigengrad/io/onnx/rules.h"

#include <cmath>
#include <string_view>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {

void refuse(const nn::Module& module, const std::string& why) {
  throw ValueError(
      fmt::format("[to_onnx] {}({}) has no counterpart in ONNX: {}", module.type_name(), module.extra_repr(), why));
}

std::int64_t axis_of(const Flow& x, std::int64_t axis) { return axis < 0 ? axis + x.rank() : axis; }

std::string times(Graph& g, const std::string& x, double factor) { return g.node("Mul", {x, g.constant(factor)}); }

std::string gelu(Graph& g, const std::string& x, bool tanh_form) {
  std::string inner;
  if (tanh_form) {
    const std::string cube = g.node("Mul", {g.node("Mul", {x, x}), x});
    inner = g.node("Tanh", {times(g, g.node("Add", {x, times(g, cube, 0.044715)}), std::sqrt(2 / M_PI))});
  } else {
    inner = g.node("Erf", {times(g, x, std::sqrt(0.5))});
  }
  return times(g, g.node("Mul", {x, g.node("Add", {inner, g.constant(1)})}), 0.5);
}

std::string transposed(Graph& g, const std::string& x, std::vector<std::int64_t> order) {
  return g.node("Transpose", {x}, Attributes().add("perm", order));
}

std::string reshaped(Graph& g, const std::string& x, std::vector<std::int64_t> shape) {
  return g.node("Reshape", {x, g.integers(shape)});
}
std::string with_shape(Graph& g, const std::string& x, const Shape& sample) {
  std::vector<std::int64_t> shape{0};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return reshaped(g, x, shape);
}

std::string linear(Graph& g, const std::string& x, const std::string& w, const std::string& b) {
  const std::string product = g.node("MatMul", {x, transposed(g, w, {1, 0})});
  return b.empty() ? product : g.node("Add", {product, b});
}
std::string parameter_or_none(Graph& g, const Tensor& value) { return value.defined() ? g.parameter(value) : ""; }
std::string linear(Graph& g, const std::string& x, const nn::Linear& layer) {
  return linear(g, x, g.parameter(layer.weight), parameter_or_none(g, layer.bias));
}

std::string reduced(Graph& g, const char* type, const std::string& x, const std::vector<std::int64_t>& axes) {
  // The axes became an input with opset 18.
  return g.opset() < 18 ? g.node(type, {x}, Attributes().add("axes", axes)) : g.node(type, {x, g.integers(axes)});
}

std::string layer_norm(Graph& g, const std::string& x, const nn::LayerNorm& layer) {
  const Dims& shape = layer.options().normalized_shape;
  std::vector<std::string> inputs{x, layer.weight.defined() ? g.parameter(layer.weight) : g.constant(ones(shape))};
  if (layer.bias.defined()) inputs.push_back(g.parameter(layer.bias));
  return g.node("LayerNormalization", inputs,
                Attributes().add("axis", -static_cast<std::int64_t>(shape.size())).add("epsilon", layer.options().eps));
}

std::string padded(Exporter& e, nn::Module& module, const Flow& x, const std::vector<std::int64_t>& before,
                   const std::vector<std::int64_t>& after, const char* mode) {
  Graph& g = e.graph();
  if (std::string_view(mode) == "wrap" && g.opset() < 19) refuse(module, "circular padding needs opset 19");
  std::vector<std::int64_t> pads(static_cast<std::size_t>(x.rank()) - before.size(), 0);
  pads.insert(pads.end(), before.begin(), before.end());
  pads.insert(pads.end(), static_cast<std::size_t>(x.rank()) - after.size(), 0);
  pads.insert(pads.end(), after.begin(), after.end());
  return g.node("Pad", {x.name, g.integers(pads)}, Attributes().add("mode", mode));
}

const Rules& rules() {
  static const Rules all = [] {
    Rules made;
    for (const auto add :
         {add_activations, add_linear, add_windows, add_normalisations, add_recurrent, add_attention, add_shapes})
      add(made);
    return made;
  }();
  return all;
}

}  // namespace eigengrad::io::onnx
