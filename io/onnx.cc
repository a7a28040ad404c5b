#include "eigengrad/io/onnx.h"

#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <span>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/protobuf.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io {
namespace {

// What flows from layer to layer: the name of a tensor in the file, and its shape without the batch axis.
struct Flow {
  std::string name;
  Shape shape;
  std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()) + 1; }
};
using Flows = std::span<const Flow>;

// Attributes of a node. The numbers of fields here and below are those of onnx.proto3.
class Attributes {
 public:
  Attributes& add(const char* name, std::int64_t value) { return finish(name, 2, Message().integer(3, value)); }
  Attributes& add(const char* name, double value) {
    return finish(name, 1, Message().number(2, static_cast<float>(value)));
  }
  Attributes& add(const char* name, const char* value) { return finish(name, 3, Message().bytes(4, value)); }
  Attributes& add(const char* name, const std::vector<std::int64_t>& values) {
    return finish(name, 7, Message().integers(8, values));
  }
  Attributes& add(const char* name, const std::vector<std::string>& values) {
    Message message;
    for (const std::string& value : values) message.bytes(9, value);
    return finish(name, 8, message);
  }
  const std::vector<Message>& all() const { return all_; }

 private:
  Attributes& finish(const char* name, std::int64_t kind, const Message& value) {
    all_.push_back(Message(value).bytes(1, name).integer(20, kind));
    return *this;
  }
  std::vector<Message> all_;
};

constexpr std::int64_t kFloat = 1, kInt = 7;

Message tensor_type(std::int64_t kind, const Shape& sample) {
  Message shape;
  shape.message(1, Message().bytes(2, "batch"));
  for (const std::int64_t extent : sample) shape.message(1, Message().integer(1, extent));
  return Message().message(1, Message().integer(1, kind).message(2, shape));
}

// The graph as it is being written.
class Graph {
 public:
  explicit Graph(std::int64_t opset) : opset_(opset) {}

  std::int64_t opset() const { return opset_; }

  // The name of a node's output.
  std::string node(const char* type, const std::vector<std::string>& inputs, const Attributes& attributes = {}) {
    return nodes(type, inputs, 1, attributes)[0];
  }
  std::vector<std::string> nodes(const char* type, const std::vector<std::string>& inputs, int outputs,
                                 const Attributes& attributes = {}) {
    const std::string name = fmt::format("{}_{}", type, ++count_);
    std::vector<std::string> names;
    for (int i = 0; i < outputs; ++i) names.push_back(i == 0 ? name : fmt::format("{}_{}", name, i));
    add_node(type, name, inputs, names, attributes);
    return names;
  }
  void identity(const std::string& input, const std::string& output) {
    add_node("Identity", output, {input}, {output}, {});
  }

  // A parameter or buffer under its own name; one that is shared is there once.
  std::string parameter(const Tensor& value) {
    const auto found = names_.find(&value.impl());
    return found == names_.end() ? constant(value) : keep(found->second, value);
  }
  void set_name(const Tensor& value, const std::string& name) { names_.emplace(&value.impl(), name); }

  std::string constant(const Tensor& value) { return keep(fmt::format("constant_{}", ++count_), value); }
  std::string constant(double value) { return constant(full({}, value, kFloat32)); }
  std::string integers(const std::vector<std::int64_t>& values) {
    return constant(tensor(values, {static_cast<std::int64_t>(values.size())}));
  }

  std::string text() const { return text_.text(); }
  Message& message() { return text_; }

 private:
  void add_node(const char* type, const std::string& name, const std::vector<std::string>& inputs,
                const std::vector<std::string>& outputs, const Attributes& attributes) {
    Message node;
    for (const std::string& input : inputs) node.bytes(1, input);
    for (const std::string& output : outputs) node.bytes(2, output);
    node.bytes(3, name).bytes(4, type);
    for (const Message& attribute : attributes.all()) node.message(5, attribute);
    text_.message(1, node);
  }

  std::string keep(const std::string& name, const Tensor& value) {
    if (!kept_.emplace(name, true).second) return name;
    EG_CHECK(value.dtype() == kFloat32 || value.dtype() == kInt64, DtypeError,
             "[to_onnx] {} is {}, expected a model of float32", name, value.dtype());
    const Tensor dense = contiguous(value.detach());
    const std::size_t bytes = static_cast<std::size_t>(dense.numel()) * size_of(dense.dtype());
    Message tensor;
    tensor.integers(1, std::vector<std::int64_t>(dense.shape().begin(), dense.shape().end()));
    tensor.integer(2, value.dtype() == kInt64 ? kInt : kFloat).bytes(8, name);
    tensor.bytes(9, {dense.raw<char>(), bytes});
    text_.message(5, tensor);
    return name;
  }

  const std::int64_t opset_;
  int count_ = 0;
  Message text_;
  std::map<const TensorImpl*, std::string> names_;
  std::map<std::string, bool> kept_;
};

class Exporter {
 public:
  Exporter(nn::Module& model, const OnnxOptions& options) : graph_(options.opset) {
    for (const auto& [name, value] : model.named_parameters()) graph_.set_name(value, name);
    for (const auto& [name, value] : model.named_buffers()) graph_.set_name(value, name);
  }

  Graph& graph() { return graph_; }
  bool reads_integers() const { return reads_integers_; }
  void read_integers() { reads_integers_ = true; }

  // What a module makes of its inputs.
  Flow run(nn::Module& module, Flows inputs);

 private:
  Flow run_graph(const nn::Graph& graph, Flows inputs);
  Flow run_layer(nn::Module& module, Flows inputs);

  Graph graph_;
  bool reads_integers_ = false;
};

using Rule = std::function<std::string(Exporter&, nn::Module&, Flows)>;

[[noreturn]] void refuse(const nn::Module& module, const std::string& why) {
  throw ValueError(
      fmt::format("[to_onnx] {}({}) has no counterpart in ONNX: {}", module.type_name(), module.extra_repr(), why));
}

// ---- Elementwise.

// The axis of a batch, as it counts from the front.
std::int64_t axis_of(const Flow& x, std::int64_t axis) { return axis < 0 ? axis + x.rank() : axis; }

std::string times(Graph& g, const std::string& x, double factor) { return g.node("Mul", {x, g.constant(factor)}); }

// The plain layers: one operator without attributes.
Rule plain(const char* type) {
  return [type](Exporter& e, nn::Module&, Flows x) { return e.graph().node(type, {x[0].name}); };
}

std::string clipped(Graph& g, const std::string& x, double low, double high) {
  return g.node("Clip", {x, g.constant(low), g.constant(high)});
}

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

std::string softplus(Graph& g, const std::string& x, double beta) {
  return beta == 1 ? g.node("Softplus", {x}) : times(g, g.node("Softplus", {times(g, x, beta)}), 1 / beta);
}

// ---- Products.

std::string transposed(Graph& g, const std::string& x, std::vector<std::int64_t> order) {
  return g.node("Transpose", {x}, Attributes().add("perm", order));
}

std::string reshaped(Graph& g, const std::string& x, std::vector<std::int64_t> shape) {
  return g.node("Reshape", {x, g.integers(shape)});
}
// The same with the batch axis as it is.
std::string with_shape(Graph& g, const std::string& x, const Shape& sample) {
  std::vector<std::int64_t> shape{0};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return reshaped(g, x, shape);
}

// x·Wᵀ + b on the last axis; w and b are names, b empty where there is none.
std::string linear(Graph& g, const std::string& x, const std::string& w, const std::string& b) {
  const std::string product = g.node("MatMul", {x, transposed(g, w, {1, 0})});
  return b.empty() ? product : g.node("Add", {product, b});
}
std::string parameter_or_none(Graph& g, const Tensor& value) { return value.defined() ? g.parameter(value) : ""; }
std::string linear(Graph& g, const std::string& x, const nn::Linear& layer) {
  return linear(g, x, g.parameter(layer.weight), parameter_or_none(g, layer.bias));
}

// ---- Convolutions and pooling.

std::vector<std::int64_t> extents(Pair pair, std::size_t axes) {
  return axes == 1 ? std::vector{pair.columns} : std::vector{pair.rows, pair.columns};
}
Pair along_columns(std::int64_t extent) { return {1, extent}; }
Pair as_pair(Pair pair) { return pair; }
Pair as_pair(std::int64_t extent) { return along_columns(extent); }

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

const char* mode_name(PadMode mode) {
  switch (mode) {
    case PadMode::Reflect: return "reflect";
    case PadMode::Replicate: return "edge";
    case PadMode::Circular: return "wrap";
    default: return "constant";
  }
}

template <class L>
std::string convolution(Exporter& e, nn::Module& module, Flows x) {
  const L& layer = static_cast<const L&>(module);
  const auto& o = layer.options();
  constexpr std::size_t kAxes = std::is_same_v<L, nn::Conv1d> ? 1 : 2;
  const std::vector<std::int64_t> kernel = extents(as_pair(o.kernel_size), kAxes),
                                  dilation = extents(as_pair(o.dilation), kAxes);
  std::vector<std::int64_t> before, after;
  for (std::size_t i = 0; i < kAxes; ++i) {
    const std::int64_t total = dilation[i] * (kernel[i] - 1);
    const std::int64_t amount = o.padding.is_same() ? total / 2 : extents(*o.padding.amount(), kAxes)[i];
    before.push_back(amount);
    after.push_back(o.padding.is_same() ? total - total / 2 : amount);
  }
  std::string input = x[0].name;
  std::vector<std::int64_t> pads(2 * kAxes, 0);
  if (o.padding_mode == PadMode::Constant) {
    pads = before;
    pads.insert(pads.end(), after.begin(), after.end());
  } else {
    input = padded(e, module, x[0], before, after, mode_name(o.padding_mode));
  }
  std::vector<std::string> inputs{input, e.graph().parameter(layer.weight)};
  if (layer.bias.defined()) inputs.push_back(e.graph().parameter(layer.bias));
  return e.graph().node("Conv", inputs,
                        Attributes()
                            .add("kernel_shape", kernel)
                            .add("strides", extents(as_pair(o.stride), kAxes))
                            .add("pads", pads)
                            .add("dilations", dilation)
                            .add("group", o.groups));
}

template <class L>
std::string transposed_convolution(Exporter& e, nn::Module& module, Flows x) {
  const L& layer = static_cast<const L&>(module);
  const auto& o = layer.options();
  constexpr std::size_t kAxes = std::is_same_v<L, nn::ConvTranspose1d> ? 1 : 2;
  std::vector<std::int64_t> pads;
  const Pair padding = kAxes == 1 ? Pair(0, as_pair(o.padding).columns) : as_pair(o.padding);
  for (int side = 0; side < 2; ++side)
    for (const std::int64_t amount : extents(padding, kAxes)) pads.push_back(amount);
  std::vector<std::string> inputs{x[0].name, e.graph().parameter(layer.weight)};
  if (layer.bias.defined()) inputs.push_back(e.graph().parameter(layer.bias));
  return e.graph().node("ConvTranspose", inputs,
                        Attributes()
                            .add("kernel_shape", extents(as_pair(o.kernel_size), kAxes))
                            .add("strides", extents(as_pair(o.stride), kAxes))
                            .add("pads", pads)
                            .add("output_padding", extents(as_pair(o.output_padding), kAxes))
                            .add("dilations", extents(as_pair(o.dilation), kAxes))
                            .add("group", o.groups));
}

std::vector<std::int64_t> twice(std::vector<std::int64_t> pads) {
  const std::vector<std::int64_t> once = pads;
  pads.insert(pads.end(), once.begin(), once.end());
  return pads;
}

template <class L, std::size_t kAxes>
std::string max_pool(Exporter& e, nn::Module& module, Flows x) {
  const auto& o = static_cast<const L&>(module).options();
  return e.graph().node("MaxPool", {x[0].name},
                        Attributes()
                            .add("kernel_shape", extents(as_pair(o.kernel_size), kAxes))
                            .add("strides", extents(as_pair(o.stride.value_or(o.kernel_size)), kAxes))
                            .add("pads", twice(extents(as_pair(o.padding), kAxes)))
                            .add("dilations", extents(as_pair(o.dilation), kAxes))
                            .add("ceil_mode", std::int64_t{o.ceil_mode}));
}

template <class L, std::size_t kAxes>
std::string avg_pool(Exporter& e, nn::Module& module, Flows x) {
  const auto& o = static_cast<const L&>(module).options();
  if (o.ceil_mode) refuse(module, "the last windows of a mean in ceil_mode are counted in another way there");
  bool count_pad = o.count_include_pad;
  double factor = 1;
  if constexpr (requires { o.divisor_override; })
    if (o.divisor_override) {
      count_pad = true;
      factor =
          static_cast<double>(o.kernel_size.rows * o.kernel_size.columns) / static_cast<double>(*o.divisor_override);
    }
  const std::string mean = e.graph().node("AveragePool", {x[0].name},
                                          Attributes()
                                              .add("kernel_shape", extents(as_pair(o.kernel_size), kAxes))
                                              .add("strides", extents(as_pair(o.stride.value_or(o.kernel_size)), kAxes))
                                              .add("pads", twice(extents(as_pair(o.padding), kAxes)))
                                              .add("count_include_pad", std::int64_t{count_pad}));
  return factor == 1 ? mean : times(e.graph(), mean, factor);
}

// Windows of one size, where the extents divide.
template <class L, std::size_t kAxes>
Rule adaptive_pool(const char* type) {
  return [type](Exporter& e, nn::Module& module, Flows x) {
    const std::vector<std::int64_t> to = extents(as_pair(static_cast<const L&>(module).options().output_size), kAxes);
    std::vector<std::int64_t> window;
    for (std::size_t i = 0; i < kAxes; ++i) {
      const std::int64_t from = x[0].shape[i + 1];
      if (from % to[i] != 0)
        refuse(module, fmt::format("windows of different sizes, for {} elements do not divide by {}", from, to[i]));
      window.push_back(from / to[i]);
    }
    return e.graph().node(type, {x[0].name}, Attributes().add("kernel_shape", window).add("strides", window));
  };
}

// ---- Normalisation.

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

std::string layer_norm(Graph& g, const std::string& x, const nn::LayerNorm& layer) {
  const Dims& shape = layer.options().normalized_shape;
  std::vector<std::string> inputs{x, layer.weight.defined() ? g.parameter(layer.weight) : g.constant(ones(shape))};
  if (layer.bias.defined()) inputs.push_back(g.parameter(layer.bias));
  return g.node("LayerNormalization", inputs,
                Attributes().add("axis", -static_cast<std::int64_t>(shape.size())).add("epsilon", layer.options().eps));
}

std::string rms_norm(Exporter& e, nn::Module& module, Flows x) {
  const auto& layer = static_cast<const nn::RMSNorm&>(module);
  Graph& g = e.graph();
  std::vector<std::int64_t> axes(layer.options().normalized_shape.size());
  std::iota(axes.begin(), axes.end(), -static_cast<std::int64_t>(axes.size()));
  const std::string squares = g.node("Mul", {x[0].name, x[0].name});
  const std::string mean = g.opset() < 18 ? g.node("ReduceMean", {squares}, Attributes().add("axes", axes))
                                          : g.node("ReduceMean", {squares, g.integers(axes)});
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

// ---- Recurrent layers. ONNX has the gates in another order than PyTorch.

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

const std::vector<std::size_t> kRnnOrder{0}, kGruOrder{1, 0, 2}, kLstmOrder{0, 3, 1, 2};

// ---- Attention.

// [N, L, E] as [N, heads, L, E / heads], or with the last two axes exchanged.
std::string heads(Graph& g, const std::string& x, std::int64_t count, std::int64_t features, bool exchanged) {
  const std::string apart = reshaped(g, x, {0, 0, count, features / count});
  return transposed(g, apart,
                    exchanged ? std::vector<std::int64_t>{0, 2, 3, 1} : std::vector<std::int64_t>{0, 2, 1, 3});
}

std::string attention(Exporter& e, const nn::MultiheadAttention& layer, const Flow& query, const Flow& key,
                      const Flow& value, bool causal) {
  const auto& o = layer.options();
  Graph& g = e.graph();
  if (o.add_bias_kv || o.add_zero_attn) refuse(layer, "places behind the keys");
  const NoGrad no_grad;
  std::vector<Tensor> w, b;
  if (layer.in_proj_weight.defined())
    w = chunk(layer.in_proj_weight, 3, 0);
  else
    w = {layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight};
  if (layer.in_proj_bias.defined()) b = chunk(layer.in_proj_bias, 3, 0);
  const auto projected = [&](const Flow& x, std::size_t which) {
    return linear(g, x.name, g.constant(w[which]), b.empty() ? "" : g.constant(b[which]));
  };
  const std::int64_t e_size = o.embed_dim, count = o.num_heads;
  const std::string q = heads(g, projected(query, 0), count, e_size, false);
  const std::string k = heads(g, projected(key, 1), count, e_size, true);
  const std::string v = heads(g, projected(value, 2), count, e_size, false);
  const double scale = 1 / std::sqrt(static_cast<double>(e_size) / static_cast<double>(count));
  std::string scores = times(g, g.node("MatMul", {q, k}), scale);
  if (causal) {
    const Tensor seen = tril(ones({query.shape[0], key.shape[0]}, kBool));
    const Tensor none = zeros({query.shape[0], key.shape[0]});
    scores = g.node("Add", {scores, g.constant(where(seen, none, -std::numeric_limits<double>::infinity()))});
  }
  const std::string weights = g.node("Softmax", {scores}, Attributes().add("axis", std::int64_t{-1}));
  const std::string joined = transposed(g, g.node("MatMul", {weights, v}), {0, 2, 1, 3});
  return linear(g, reshaped(g, joined, {0, 0, e_size}), layer.out_proj);
}

// A block with a skip connection around it, normalised before or after.
template <class F>
Flow block(Graph& g, const Flow& x, const nn::LayerNorm& norm, bool norm_first, F f) {
  if (norm_first) {
    const Flow normal{layer_norm(g, x.name, norm), x.shape};
    return {g.node("Add", {x.name, f(normal)}), x.shape};
  }
  return {layer_norm(g, g.node("Add", {x.name, f(x)}), norm), x.shape};
}

template <class L>
std::string feed_forward(Graph& g, const L& layer, const Flow& x) {
  const std::string hidden = linear(g, x.name, layer.linear1);
  const bool relu = layer.options().activation == nn::TransformerActivation::ReLU;
  return linear(g, relu ? g.node("Relu", {hidden}) : gelu(g, hidden, false), layer.linear2);
}

Flow encoder_layer(Exporter& e, const nn::TransformerEncoderLayer& layer, const Flow& x, bool causal) {
  Graph& g = e.graph();
  const bool first = layer.options().norm_first;
  const Flow attended = block(g, x, layer.norm1, first,
                              [&](const Flow& in) { return attention(e, layer.self_attn, in, in, in, causal); });
  return block(g, attended, layer.norm2, first, [&](const Flow& in) { return feed_forward(g, layer, in); });
}

Flow decoder_layer(Exporter& e, const nn::TransformerDecoderLayer& layer, const Flow& x, const Flow& memory,
                   bool causal) {
  Graph& g = e.graph();
  const bool first = layer.options().norm_first;
  const Flow attended = block(g, x, layer.norm1, first,
                              [&](const Flow& in) { return attention(e, layer.self_attn, in, in, in, causal); });
  const Flow looked = block(g, attended, layer.norm2, first, [&](const Flow& in) {
    return attention(e, layer.multihead_attn, in, memory, memory, false);
  });
  return block(g, looked, layer.norm3, first, [&](const Flow& in) { return feed_forward(g, layer, in); });
}

// The normalisation at the end of a stack, where it has one.
Flow final_norm(Exporter& e, const nn::Module& stack, const Flow& x) {
  for (const auto& [name, child] : stack.children())
    if (name == "norm") return {layer_norm(e.graph(), x.name, static_cast<const nn::LayerNorm&>(*child)), x.shape};
  return x;
}

Flow encoder(Exporter& e, const nn::TransformerEncoder& stack, Flow x, bool causal) {
  for (std::size_t i = 0; i < stack.layers.size(); ++i)
    x = encoder_layer(e, stack.layers.at<nn::TransformerEncoderLayer>(i), x, causal);
  return final_norm(e, stack, x);
}

Flow decoder(Exporter& e, const nn::TransformerDecoder& stack, Flow x, const Flow& memory, bool causal) {
  for (std::size_t i = 0; i < stack.layers.size(); ++i)
    x = decoder_layer(e, stack.layers.at<nn::TransformerDecoderLayer>(i), x, memory, causal);
  return final_norm(e, stack, x);
}

// ---- Shapes.

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

// What a layer adds to its input: the layer is run on zeros.
std::string added_constant(Exporter& e, nn::Module& module, Flows x) {
  const NoGrad no_grad;
  Shape one = x[0].shape;
  one.insert(0, 1);
  return e.graph().node("Add", {x[0].name, e.graph().constant(module(zeros(one)))});
}

// ---- The table.

class Rules {
 public:
  template <class L>
  void add(Rule rule) {
    rules_.emplace(typeid(L), std::move(rule));
  }
  // With a function of the graph, the layer and its inputs.
  template <class L, class F>
  void write(F f) {
    add<L>([f](Exporter& e, nn::Module& module, Flows x) { return f(e.graph(), static_cast<const L&>(module), x); });
  }
  const Rule* find(const nn::Module& module) const {
    const auto found = rules_.find(typeid(module));
    return found == rules_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::type_index, Rule> rules_;
};

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

void add_weights(Rules& rules) {
  using namespace nn;
  rules.write<Linear>([](Graph& g, const auto& l, Flows x) { return linear(g, x[0].name, l); });
  rules.add<Embedding>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const Embedding&>(module);
    if (layer.options().max_norm) refuse(module, "rows are shortened as they are looked up");
    if (x[0].name == "input") e.read_integers();
    return e.graph().node("Gather", {e.graph().parameter(layer.weight), x[0].name});
  });
  rules.add<PositionalEncoding>(added_constant);
  rules.add<LearnedPositionalEncoding>(added_constant);
  rules.add<Conv1d>(convolution<Conv1d>);
  rules.add<Conv2d>(convolution<Conv2d>);
  rules.add<ConvTranspose1d>(transposed_convolution<ConvTranspose1d>);
  rules.add<ConvTranspose2d>(transposed_convolution<ConvTranspose2d>);
  rules.add<MaxPool1d>(max_pool<MaxPool1d, 1>);
  rules.add<MaxPool2d>(max_pool<MaxPool2d, 2>);
  rules.add<AvgPool1d>(avg_pool<AvgPool1d, 1>);
  rules.add<AvgPool2d>(avg_pool<AvgPool2d, 2>);
  rules.add<AdaptiveAvgPool1d>(adaptive_pool<AdaptiveAvgPool1d, 1>("AveragePool"));
  rules.add<AdaptiveAvgPool2d>(adaptive_pool<AdaptiveAvgPool2d, 2>("AveragePool"));
  rules.add<AdaptiveMaxPool1d>(adaptive_pool<AdaptiveMaxPool1d, 1>("MaxPool"));
  rules.add<AdaptiveMaxPool2d>(adaptive_pool<AdaptiveMaxPool2d, 2>("MaxPool"));
  rules.add<BatchNorm1d>(channel_norm<BatchNorm1d>);
  rules.add<BatchNorm2d>(channel_norm<BatchNorm2d>);
  rules.add<InstanceNorm1d>(channel_norm<InstanceNorm1d>);
  rules.add<InstanceNorm2d>(channel_norm<InstanceNorm2d>);
  rules.write<LayerNorm>([](Graph& g, const auto& l, Flows x) { return layer_norm(g, x[0].name, l); });
  rules.add<RMSNorm>(rms_norm);
  rules.add<GroupNorm>(group_norm);
}

void add_sequences(Rules& rules) {
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
    if (o.proj_size > 0) refuse(module, "a projection of the state");
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
  rules.add<MultiheadAttention>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const MultiheadAttention&>(module);
    const bool alone = x.size() == 1;
    return attention(e, layer, x[0], x[alone ? 0 : 1], x[x.size() - 1], alone && layer.options().is_causal);
  });
  rules.add<TransformerEncoderLayer>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const TransformerEncoderLayer&>(module);
    return encoder_layer(e, layer, x[0], layer.options().is_causal).name;
  });
  rules.add<TransformerEncoder>([](Exporter& e, Module& module, Flows x) {
    const auto& stack = static_cast<const TransformerEncoder&>(module);
    return encoder(e, stack, x[0], stack.options().is_causal).name;
  });
  rules.add<TransformerDecoderLayer>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const TransformerDecoderLayer&>(module);
    return decoder_layer(e, layer, x[0], x[1], layer.options().is_causal).name;
  });
  rules.add<TransformerDecoder>([](Exporter& e, Module& module, Flows x) {
    const auto& stack = static_cast<const TransformerDecoder&>(module);
    return decoder(e, stack, x[0], x[1], stack.options().is_causal).name;
  });
  rules.add<Transformer>([](Exporter& e, Module& module, Flows x) {
    const auto& both = static_cast<const Transformer&>(module);
    return decoder(e, both.decoder, x[1], encoder(e, both.encoder, x[0], false), true).name;
  });
}

const Rules& rules() {
  static const Rules all = [] {
    Rules made;
    add_activations(made);
    add_shapes(made);
    add_weights(made);
    add_sequences(made);
    return made;
  }();
  return all;
}

Flow Exporter::run(nn::Module& module, Flows inputs) {
  if (typeid(module) == typeid(nn::Sequential)) {
    Flow flow = inputs[0];
    for (const auto& [name, child] : module.children()) flow = run(*child, {&flow, 1});
    return flow;
  }
  if (typeid(module) == typeid(nn::Residual)) {
    auto& residual = static_cast<nn::Residual&>(module);
    const Flow body = run(const_cast<nn::Sequential&>(residual.body()), inputs);
    const nn::Sequential* const shortcut = residual.shortcut();
    const Flow other = shortcut ? run(const_cast<nn::Sequential&>(*shortcut), inputs) : inputs[0];
    return {graph_.node("Add", {body.name, other.name}), body.shape};
  }
  if (typeid(module) == typeid(nn::Graph)) return run_graph(static_cast<const nn::Graph&>(module), inputs);
  return run_layer(module, inputs);
}

Flow Exporter::run_graph(const nn::Graph& graph, Flows inputs) {
  std::vector<Flow> flows(inputs.begin(), inputs.end());
  for (const nn::Graph::Step& step : graph.steps()) {
    std::vector<Flow> read;
    for (const std::size_t place : step.from) read.push_back(flows[place]);
    flows.push_back(run(*step.module, read));
  }
  return flows[graph.output()];
}

Flow Exporter::run_layer(nn::Module& module, Flows inputs) {
  const nn::LayerTable& table = nn::layers();
  for (std::size_t i = 0; i < table.entries().size(); ++i) {
    const nn::LayerFunctions& functions = table.functions({i, nullptr});
    const void* const options = functions.options_of(module);
    if (!options) continue;
    const Rule* const rule = rules().find(module);
    if (!rule) refuse(module, "it is not written yet in terms of ONNX's operators");
    std::vector<Shape> shapes;
    for (const Flow& input : inputs) shapes.push_back(input.shape);
    // The options are complete, so they stay as they are.
    return {(*rule)(*this, module, inputs), functions.infer(const_cast<void*>(options), shapes)};
  }
  throw ValueError(fmt::format("[to_onnx] the module {} is none that is known", module.type_name()));
}

// Keeps a module in evaluation while it lives.
class Evaluating {
 public:
  explicit Evaluating(nn::Module& model) {
    for (const auto& [name, module] : model.named_modules()) modes_.emplace_back(module, module->is_training());
    model.eval();
  }
  ~Evaluating() {
    for (const auto& [module, training] : modes_) module->train(training);  // from the outside in
  }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

}  // namespace

std::string to_onnx(nn::Module& model, const Shape& input, const OnnxOptions& options) {
  EG_CHECK(options.opset >= 17 && options.opset <= 21, ValueError, "[to_onnx] the opset is {}, expected 17 to 21",
           options.opset);
  const Evaluating evaluating(model);
  Exporter exporter(model, options);
  const Flow given{"input", input};
  const Flow output = exporter.run(model, {&given, 1});
  Graph& graph = exporter.graph();
  graph.identity(output.name, "output");
  const std::int64_t kind = exporter.reads_integers() ? kInt : kFloat;
  graph.message().bytes(2, "model");
  graph.message().message(11, Message().bytes(1, "input").message(2, tensor_type(kind, input)));
  graph.message().message(12, Message().bytes(1, "output").message(2, tensor_type(kFloat, output.shape)));
  constexpr std::int64_t kIrVersion = 8;  // of the format of the file
  Message file;
  file.integer(1, kIrVersion).bytes(2, options.producer).message(7, graph.message());
  file.message(8, Message().integer(2, options.opset));
  EG_CHECK(file.text().size() < (std::size_t{1} << 31), ValueError,
           "[to_onnx] the model has {} bytes, but files of protocol buffers end at 2 GiB", file.text().size());
  return file.text();
}

void save_onnx(const std::string& path, nn::Module& model, const Shape& input, const OnnxOptions& options) {
  write_file(path, to_onnx(model, input, options));
}

}  // namespace eigengrad::io
