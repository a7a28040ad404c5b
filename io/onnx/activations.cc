#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

// The plain layers: one operator without attributes.
Rule plain(const char* type) {
  return [type](Exporter& e, nn::Module&, Flows x) { return e.graph().node(type, {x[0].name}); };
}

std::string clipped(Graph& g, const std::string& x, double low, double high) {
  return g.node("Clip", {x, g.constant(low), g.constant(high)});
}

std::string softplus(Graph& g, const std::string& x, double beta) {
  return beta == 1 ? g.node("Softplus", {x}) : times(g, g.node("Softplus", {times(g, x, beta)}), 1 / beta);
}

}  // namespace

void add_activations(Rules& rules) {
  using namespace nn;
  rules.add<ReLU>(plain("Relu"));
  rules.add<Sigmoid>(plain("Sigmoid"));
  rules.add<Tanh>(plain("Tanh"));
  rules.add<SELU>(plain("Selu"));
  rules.add<Softsign>(plain("Softsign"));
  rules.add<Hardswish>(plain("HardSwish"));
  rules.write<Hardsigmoid>([](Graph& g, const auto&, Flows x) {
    return g.node("HardSigmoid", {x[0].name}, Attributes().add("alpha", 1.0 / 6).add("beta", 0.5));
  });
  rules.write<GELU>([](Graph& g, const auto& l, Flows x) {
    return gelu(g, x[0].name, l.options().approximate != GELUOptions().approximate);
  });
  rules.write<SiLU>([](Graph& g, const auto&, Flows x) {
    return g.node("Mul", {x[0].name, g.node("Sigmoid", {x[0].name})});
  });
  rules.write<Mish>([](Graph& g, const auto&, Flows x) {
    return g.node("Mul", {x[0].name, g.node("Tanh", {g.node("Softplus", {x[0].name})})});
  });
  rules.write<LogSigmoid>(
      [](Graph& g, const auto&, Flows x) { return g.node("Neg", {g.node("Softplus", {g.node("Neg", {x[0].name})})}); });
  rules.write<Tanhshrink>([](Graph& g, const auto&, Flows x) {
    return g.node("Sub", {x[0].name, g.node("Tanh", {x[0].name})});
  });
  rules.write<LeakyReLU>([](Graph& g, const auto& l, Flows x) {
    return g.node("LeakyRelu", {x[0].name}, Attributes().add("alpha", l.options().negative_slope));
  });
  rules.write<RReLU>([](Graph& g, const auto& l, Flows x) {
    const double slope = (l.options().lower + l.options().upper) / 2;
    return g.node("LeakyRelu", {x[0].name}, Attributes().add("alpha", slope));
  });
  rules.write<ELU>([](Graph& g, const auto& l, Flows x) {
    return g.node("Elu", {x[0].name}, Attributes().add("alpha", l.options().alpha));
  });
  rules.write<CELU>([](Graph& g, const auto& l, Flows x) {
    return g.node("Celu", {x[0].name}, Attributes().add("alpha", l.options().alpha));
  });
  rules.write<ReLU6>([](Graph& g, const auto&, Flows x) { return clipped(g, x[0].name, 0, 6); });
  rules.write<Hardtanh>(
      [](Graph& g, const auto& l, Flows x) { return clipped(g, x[0].name, l.options().min_val, l.options().max_val); });
  rules.write<Softplus>([](Graph& g, const auto& l, Flows x) { return softplus(g, x[0].name, l.options().beta); });
  rules.write<Hardshrink>([](Graph& g, const auto& l, Flows x) {
    return g.node("Shrink", {x[0].name}, Attributes().add("lambd", l.options().lambd).add("bias", 0.0));
  });
  rules.write<Softshrink>([](Graph& g, const auto& l, Flows x) {
    return g.node("Shrink", {x[0].name}, Attributes().add("lambd", l.options().lambd).add("bias", l.options().lambd));
  });
  rules.write<Threshold>([](Graph& g, const auto& l, Flows x) {
    const std::string above = g.node("Greater", {x[0].name, g.constant(l.options().threshold)});
    return g.node("Where", {above, x[0].name, g.constant(l.options().value)});
  });
  rules.write<PReLU>([](Graph& g, const auto& l, Flows x) {
    std::vector<std::int64_t> channels(x[0].shape.size(), 1);
    channels[0] = l.options().num_parameters;
    return g.node("PRelu", {x[0].name, reshaped(g, g.parameter(l.weight), channels)});
  });
  rules.write<GLU>([](Graph& g, const auto& l, Flows x) {
    const std::int64_t axis = axis_of(x[0], l.options().dim), half = x[0].shape[static_cast<std::size_t>(axis - 1)] / 2;
    const auto parts = g.nodes("Split", {x[0].name, g.integers({half, half})}, 2, Attributes().add("axis", axis));
    return g.node("Mul", {parts[0], g.node("Sigmoid", {parts[1]})});
  });
  const auto along = [](Graph& g, const char* type, const std::string& x, std::int64_t axis) {
    return g.node(type, {x}, Attributes().add("axis", axis));
  };
  rules.write<Softmax>(
      [along](Graph& g, const auto& l, Flows x) { return along(g, "Softmax", x[0].name, l.options().dim); });
  rules.write<LogSoftmax>(
      [along](Graph& g, const auto& l, Flows x) { return along(g, "LogSoftmax", x[0].name, l.options().dim); });
  rules.write<Softmin>([along](Graph& g, const auto& l, Flows x) {
    return along(g, "Softmax", g.node("Neg", {x[0].name}), l.options().dim);
  });
  rules.write<Softmax2d>([along](Graph& g, const auto&, Flows x) { return along(g, "Softmax", x[0].name, -3); });
}

}  // namespace eigengrad::io::onnx
