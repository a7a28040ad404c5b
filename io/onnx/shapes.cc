#include <algorithm>

#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

std::string upsample(Exporter& e, nn::Module& module, Flows x) {
  const auto& o = static_cast<const nn::Upsample&>(module).options();
  Graph& g = e.graph();
  Attributes attributes;
  const bool nearest = o.mode == InterpolateMode::Nearest;
  attributes.add("mode", nearest ? "nearest" : "linear")
      .add("coordinate_transformation_mode", nearest           ? "asymmetric"
                                             : o.align_corners ? "align_corners"
                                                               : "pytorch_half_pixel");
  if (nearest) attributes.add("nearest_mode", "floor");
  if (!o.size.empty()) {
    const std::string batch = g.node("Gather", {g.node("Shape", {x[0].name}), g.integers({0})});
    std::vector<std::int64_t> to{x[0].shape[0]};
    for (std::size_t i = 1; i < x[0].shape.size(); ++i) to.push_back(o.size[std::min(i - 1, o.size.size() - 1)]);
    const std::string sizes = g.node("Concat", {batch, g.integers(to)}, Attributes().add("axis", std::int64_t{0}));
    return g.node("Resize", {x[0].name, "", "", sizes}, attributes);
  }
  std::vector<float> scales(static_cast<std::size_t>(x[0].rank()), static_cast<float>(*o.scale_factor));
  scales[0] = scales[1] = 1;
  return g.node("Resize", {x[0].name, "", g.constant(tensor(scales, {x[0].rank()}))}, attributes);
}

// Margins stand in the options from the last axis forwards: left, right, top, bottom.
template <class L, std::size_t kAxes>
Rule pad_layer(const char* mode) {
  return [mode](Exporter& e, nn::Module& module, Flows x) {
    const Dims& margins = static_cast<const L&>(module).options().padding;
    std::vector<std::int64_t> before, after;
    for (std::size_t i = kAxes; i-- > 0;) {
      before.push_back(margins[margins.size() == 1 ? 0 : 2 * i]);
      after.push_back(margins[margins.size() == 1 ? 0 : 2 * i + 1]);
    }
    return padded(e, module, x[0], before, after, mode);
  };
}

std::string joined(Graph& g, const char* type, Flows inputs) {
  std::string result = inputs[0].name;
  for (const Flow& x : inputs.subspan(1)) result = g.node(type, {result, x.name});
  return result;
}

}  // namespace

void add_shapes(Rules& rules) {
  using namespace nn;
  const Rule same = [](Exporter&, Module&, Flows x) { return x[0].name; };
  rules.add<Identity>(same);
  rules.add<Dropout>(same);
  rules.add<Dropout1d>(same);
  rules.add<Dropout2d>(same);
  rules.add<AlphaDropout>(same);
  const Rule reshape_to_output = [](Exporter& e, Module& module, Flows x) {
    Shape one = x[0].shape;
    one.insert(0, 1);
    const NoGrad no_grad;
    Shape output = module(zeros(one)).shape();
    output.erase(0);
    return with_shape(e.graph(), x[0].name, output);
  };
  rules.add<Flatten>(reshape_to_output);
  rules.add<Unflatten>(reshape_to_output);
  rules.write<Permute>([](Graph& g, const auto& l, Flows x) {
    std::vector<std::int64_t> order;
    for (const std::int64_t axis : l.options().dims) order.push_back(axis_of(x[0], axis));
    return transposed(g, x[0].name, order);
  });
  rules.write<Select>([](Graph& g, const auto& l, Flows x) {
    return g.node("Gather", {x[0].name, g.constant(tensor(l.options().index))},
                  Attributes().add("axis", axis_of(x[0], l.options().dim)));
  });
  rules.add<Upsample>(upsample);
  rules.add<ZeroPad1d>(pad_layer<ZeroPad1d, 1>("constant"));
  rules.add<ZeroPad2d>(pad_layer<ZeroPad2d, 2>("constant"));
  rules.add<ReflectionPad2d>(pad_layer<ReflectionPad2d, 2>("reflect"));
  rules.add<ReplicationPad2d>(pad_layer<ReplicationPad2d, 2>("edge"));
  rules.write<Add>([](Graph& g, const auto&, Flows x) { return joined(g, "Add", x); });
  rules.write<Multiply>([](Graph& g, const auto&, Flows x) { return joined(g, "Mul", x); });
  rules.write<Concat>([](Graph& g, const auto& l, Flows x) {
    std::vector<std::string> names;
    for (const Flow& flow : x) names.push_back(flow.name);
    return g.node("Concat", names, Attributes().add("axis", axis_of(x[0], l.options().dim)));
  });
}

}  // namespace eigengrad::io::onnx
