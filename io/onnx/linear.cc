#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

// What a layer adds to its input: the layer is run on zeros.
std::string added_constant(Exporter& e, nn::Module& module, Flows x) {
  const NoGrad no_grad;
  Shape one = x[0].shape;
  one.insert(0, 1);
  return e.graph().node("Add", {x[0].name, e.graph().constant(module(zeros(one)))});
}

}  // namespace

void add_linear(Rules& rules) {
  using namespace nn;
  rules.write<Linear>([](Graph& g, const auto& l, Flows x) { return linear(g, x[0].name, l); });
  rules.write<Bilinear>([](Graph& g, const auto& l, Flows x) {
    const std::string product = g.node("Einsum", {x[0].name, g.parameter(l.weight), x[1].name},
                                       Attributes().add("equation", "...i,kij,...j->...k"));
    return l.bias.defined() ? g.node("Add", {product, g.parameter(l.bias)}) : product;
  });
  rules.add<Embedding>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const Embedding&>(module);
    if (layer.options().max_norm) refuse(module, "rows are shortened as they are looked up");
    if (x[0].name == "input") e.read_integers();
    return e.graph().node("Gather", {e.graph().parameter(layer.weight), x[0].name});
  });
  rules.add<PositionalEncoding>(added_constant);
  rules.add<LearnedPositionalEncoding>(added_constant);
}

}  // namespace eigengrad::io::onnx
