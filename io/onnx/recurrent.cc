#include <map>
#include <string_view>

#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

// The gates in the order that ONNX has them, which is not PyTorch's.
Tensor reordered(const Tensor& weight, const std::vector<std::size_t>& order) {
  const NoGrad no_grad;
  const std::vector<Tensor> gates = chunk(weight, static_cast<std::int64_t>(order.size()), 0);
  std::vector<Tensor> result;
  for (const std::size_t gate : order) result.push_back(gates[gate]);
  return cat(result, 0);
}

struct RecurrentKind {
  const char* type;
  std::vector<std::size_t> order;
  bool relu = false;
};

// One layer, of one or two directions, over x [L, N, E]: [L, directions, N, H]. `suffixes` end the names of its
// weights.
std::string recurrent_layer(Graph& g, const std::string& x, const std::map<std::string, Tensor>& weights,
                            const std::vector<std::string>& suffixes, const RecurrentKind& kind) {
  const NoGrad no_grad;
  std::vector<Tensor> w, r, b;
  for (const std::string& suffix : suffixes) {
    w.push_back(reordered(weights.at("weight_ih" + suffix), kind.order));
    r.push_back(reordered(weights.at("weight_hh" + suffix), kind.order));
    const auto bias = [&](const char* name) {
      const auto found = weights.find(name + suffix);
      return found == weights.end() ? zeros({w.back().size(0)}) : reordered(found->second, kind.order);
    };
    b.push_back(cat({bias("bias_ih"), bias("bias_hh")}, 0));
  }
  const std::int64_t units = r[0].size(1);
  Attributes attributes;
  attributes.add("hidden_size", units).add("direction", suffixes.size() == 2 ? "bidirectional" : "forward");
  if (std::string_view(kind.type) == "GRU") attributes.add("linear_before_reset", std::int64_t{1});
  if (std::string_view(kind.type) == "RNN")
    attributes.add("activations", std::vector<std::string>(suffixes.size(), kind.relu ? "Relu" : "Tanh"));
  return g.node(kind.type, {x, g.constant(stack(w)), g.constant(stack(r)), g.constant(stack(b))}, attributes);
}

std::map<std::string, Tensor> own_parameters(const nn::Module& module) {
  std::map<std::string, Tensor> all;
  for (const auto& [name, value] : module.named_parameters()) all.emplace(name, value);
  return all;
}

std::string recurrent(Exporter& e, nn::Module& module, const nn::RecurrentOptions& o, Flows x,
                      const RecurrentKind& kind) {
  Graph& g = e.graph();
  const std::map<std::string, Tensor> weights = own_parameters(module);
  std::string steps = transposed(g, x[0].name, {1, 0, 2});
  for (std::int64_t layer = 0; layer < o.num_layers; ++layer) {
    std::vector<std::string> suffixes{fmt::format("_l{}", layer)};
    if (o.bidirectional) suffixes.push_back(suffixes[0] + "_reverse");
    const std::string y = recurrent_layer(g, steps, weights, suffixes, kind);
    steps = reshaped(g, transposed(g, y, {0, 2, 1, 3}), {0, 0, o.hidden_size * (o.bidirectional ? 2 : 1)});
  }
  return transposed(g, steps, {1, 0, 2});
}

// One step, from a state of zeros.
std::string cell(Exporter& e, nn::Module& module, const nn::CellOptions& o, Flows x, const RecurrentKind& kind) {
  Graph& g = e.graph();
  const std::string steps = g.node("Unsqueeze", {x[0].name, g.integers({0})});
  return reshaped(g, recurrent_layer(g, steps, own_parameters(module), {""}, kind), {-1, o.hidden_size});
}

// One direction of an LSTM whose h is projected, which ONNX's own does not do: a Scan, which takes step after step.
// x [L, N, E] becomes [L, N, proj_size].
std::string projected_direction(Graph& g, const std::string& x, const std::map<std::string, Tensor>& weights,
                                const std::string& suffix, const nn::LSTMOptions& o, bool reverse) {
  const NoGrad no_grad;
  const auto weight = [&](const std::string& name) { return g.parameter(weights.at(name + suffix)); };
  const std::string bias = o.bias ? g.constant(weights.at("bias_ih" + suffix) + weights.at("bias_hh" + suffix)) : "";
  const std::string gates_of_inputs = linear(g, x, weight("weight_ih"), bias);
  const std::string recurrent = transposed(g, weight("weight_hh"), {1, 0}),
                    projection = transposed(g, weight("weight_hr"), {1, 0});
  const std::string batch = g.node("Gather", {g.node("Shape", {x}), g.integers({1})});
  const auto zero_state = [&](std::int64_t units) {
    const std::string shape = g.node("Concat", {batch, g.integers({units})}, Attributes().add("axis", std::int64_t{0}));
    return g.node("ConstantOfShape", {shape});
  };
  const std::int64_t units = o.hidden_size;
  const Message step =
      g.body({{o.proj_size}, {units}, {4 * units}}, {{o.proj_size}, {units}, {o.proj_size}},
             [&](const std::vector<std::string>& in) -> std::vector<std::string> {
               const std::string gates = g.node("Add", {in[2], g.node("MatMul", {in[0], recurrent})});
               const auto parts = g.nodes("Split", {gates, g.integers({units, units, units, units})}, 4,
                                          Attributes().add("axis", std::int64_t{1}));
               const std::string kept = g.node("Mul", {g.node("Sigmoid", {parts[1]}), in[1]}),
                                 added = g.node("Mul", {g.node("Sigmoid", {parts[0]}), g.node("Tanh", {parts[2]})});
               const std::string c = g.node("Add", {kept, added});
               const std::string whole = g.node("Mul", {g.node("Sigmoid", {parts[3]}), g.node("Tanh", {c})});
               const std::string h = g.node("MatMul", {whole, projection});
               return {h, c, h};
             });
  const std::vector<std::int64_t> direction{reverse ? 1 : 0};
  return g.nodes("Scan", {zero_state(o.proj_size), zero_state(units), gates_of_inputs}, 3,
                 Attributes()
                     .add("body", step)
                     .add("num_scan_inputs", std::int64_t{1})
                     .add("scan_input_directions", direction)
                     .add("scan_output_directions", direction))[2];
}

std::string projected_lstm(Exporter& e, nn::Module& module, const nn::LSTMOptions& o, Flows x) {
  Graph& g = e.graph();
  const std::map<std::string, Tensor> weights = own_parameters(module);
  std::string steps = transposed(g, x[0].name, {1, 0, 2});
  for (std::int64_t layer = 0; layer < o.num_layers; ++layer) {
    const std::string suffix = fmt::format("_l{}", layer);
    std::vector<std::string> directions{projected_direction(g, steps, weights, suffix, o, false)};
    if (o.bidirectional) directions.push_back(projected_direction(g, steps, weights, suffix + "_reverse", o, true));
    steps = g.node("Concat", directions, Attributes().add("axis", std::int64_t{2}));
  }
  return transposed(g, steps, {1, 0, 2});
}

const std::vector<std::size_t> kRnnOrder{0}, kGruOrder{1, 0, 2}, kLstmOrder{0, 3, 1, 2};

}  // namespace

void add_recurrent(Rules& rules) {
  using namespace nn;
  rules.add<RNN>([](Exporter& e, Module& module, Flows x) {
    const RNNOptions& o = static_cast<const RNN&>(module).options();
    return recurrent(e, module, o, x, {"RNN", kRnnOrder, o.nonlinearity == RnnNonlinearity::Relu});
  });
  rules.add<GRU>([](Exporter& e, Module& module, Flows x) {
    return recurrent(e, module, static_cast<const GRU&>(module).options(), x, {"GRU", kGruOrder});
  });
  rules.add<LSTM>([](Exporter& e, Module& module, Flows x) {
    const LSTMOptions& o = static_cast<const LSTM&>(module).options();
    if (o.proj_size > 0) return projected_lstm(e, module, o, x);
    return recurrent(e, module, o, x, {"LSTM", kLstmOrder});
  });
  rules.add<RNNCell>([](Exporter& e, Module& module, Flows x) {
    const RNNCellOptions& o = static_cast<const RNNCell&>(module).options();
    return cell(e, module, o, x, {"RNN", kRnnOrder, o.nonlinearity == RnnNonlinearity::Relu});
  });
  rules.add<GRUCell>([](Exporter& e, Module& module, Flows x) {
    return cell(e, module, static_cast<const GRUCell&>(module).options(), x, {"GRU", kGruOrder});
  });
  rules.add<LSTMCell>([](Exporter& e, Module& module, Flows x) {
    return cell(e, module, static_cast<const LSTMCell&>(module).options(), x, {"LSTM", kLstmOrder});
  });
}

}  // namespace eigengrad::io::onnx
