// Every layer and loss computes what PyTorch's does: outputs, gradients of inputs and parameters, buffers, print-outs.
// See make_reference.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <set>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/config/reader.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

using config::Value;
using Tensors = std::vector<Tensor>;

std::vector<Value> read_lines(const std::string& kind) {
  std::ifstream file(EIGENGRAD_SOURCE_DIR "/tests/nn/reference.txt");
  std::vector<Value> lines;
  for (std::string line; std::getline(file, line);) {
    Value value = config::parse_json(line);
    if (*value.find("kind")->as_string() == kind) lines.push_back(std::move(value));
  }
  return lines;
}

double number_of(const Value& value) {
  return value.as_integer() ? static_cast<double>(*value.as_integer()) : value.as_double() ? *value.as_double() : NAN;
}

std::vector<double> numbers_of(const Value& array) {
  std::vector<double> numbers;
  for (const Value& value : *array.as_array()) numbers.push_back(number_of(value));
  return numbers;
}

Shape shape_of(const Value& array) {
  Shape shape;
  for (const Value& value : *array.as_array()) shape.push_back(*value.as_integer());
  return shape;
}

const std::string& text_of(const Value& line, const char* key) { return *line.find(key)->as_string(); }

// ---- The numbers that both sides make.

Tensor count_up(const Shape& shape) { return reshape(arange(checked_numel(shape), kFloat64), shape); }

Tensor sample(const Value& input, std::int64_t k) {
  const Shape shape = shape_of(*input.find("shape"));
  if (const Value* const below = input.find("below"))
    return remainder(reshape(arange(checked_numel(shape)), shape) * 7 + (3 + k), tensor(*below->as_integer()));
  return (2 * sin(1.7 * count_up(shape) + (0.3 + static_cast<double>(k)))).set_requires_grad();
}

std::map<std::string, Tensor> set_parameters(const Module& module) {
  const NoGrad no_grad;
  std::map<std::string, Tensor> parameters;
  for (auto& [name, parameter] : module.named_parameters()) parameters.emplace(name, parameter);
  double k = 0;
  for (auto& [name, parameter] : parameters) copy_(parameter, 0.5 * cos(0.9 * count_up(parameter.shape()) + k++));
  return parameters;
}

// ---- Comparison.

void expect_near(const Tensor& found, const Value& expected, const std::string& where) {
  const std::vector<double> wanted = numbers_of(expected), values = to(found.detach(), kFloat64).to_vector<double>();
  ASSERT_EQ(values.size(), wanted.size()) << where;
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_NEAR(values[i], wanted[i], 1e-11 * std::max(1.0, std::abs(wanted[i]))) << where << " [" << i << ']';
}

// Outputs, and gradients of the sum of their numbers times cos(0), cos(1), ..
void expect_same(const Value& line, const Tensors& outputs, const std::map<std::string, Tensor>& leaves,
                 const std::string& where) {
  const Value::Array& expected = *line.find("outputs")->as_array();
  ASSERT_EQ(outputs.size(), expected.size()) << where;
  Tensors flat;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].shape(), shape_of((*line.find("shapes")->as_array())[i])) << where;
    expect_near(outputs[i], expected[i], where + " output " + std::to_string(i));
    flat.push_back(reshape(outputs[i], {-1}));
  }
  const Value::Object& grads = *line.find("grads")->as_object();
  if (grads.empty()) return;
  std::set<std::string> names, wanted;
  Tensors inputs;
  for (const auto& [name, grad] : grads) {
    wanted.insert(name);
    ASSERT_TRUE(leaves.contains(name)) << where << ' ' << name;
    inputs.push_back(leaves.at(name));
  }
  for (const auto& [name, leaf] : leaves)
    if (leaf.requires_grad()) names.insert(name);
  EXPECT_EQ(names, wanted) << where;
  const Tensor all = cat(flat);
  const auto found = grad(sum(all * cos(count_up(all.shape()))), inputs, {.allow_unused = true});
  for (std::size_t i = 0; i < found.size(); ++i)
    expect_near(found[i].defined() ? found[i] : zeros(inputs[i].shape(), kFloat64), grads[i].second,
                where + " gradient of " + grads[i].first);
}

void expect_buffers(const Value& line, const Module& module, const std::string& where) {
  std::set<std::string> names, wanted;
  for (const auto& [name, buffer] : module.named_buffers()) {
    names.insert(name);
    if (const Value* const expected = line.find("buffers")->find(name))
      expect_near(buffer, *expected, where + ' ' + name);
  }
  for (const auto& [name, buffer] : *line.find("buffers")->as_object()) wanted.insert(name);
  EXPECT_EQ(names, wanted) << where;
}

std::string without(std::string text, const std::string& part) {
  for (std::size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

// Less what PyTorch says that has no meaning here.
std::string pytorch_print(std::string text) {
  for (const char* part : {", inplace=False", ", padding=valid", ", threshold=20.0", "NonDynamicallyQuantizable"})
    text = without(text, part);
  return text;
}

// ---- Layers.

struct Prepared {
  std::shared_ptr<Module> module;
  Tensors inputs;
  std::map<std::string, Tensor> leaves;
};

Prepared prepare(const Value& line, std::shared_ptr<Module> module) {
  module->to(kFloat64).train(*line.find("training")->as_bool());
  Prepared prepared{module, {}, set_parameters(*module)};
  for (const Value& input : *line.find("inputs")->as_array()) {
    const auto k = static_cast<std::int64_t>(prepared.inputs.size());
    prepared.inputs.push_back(sample(input, k));
    prepared.leaves.emplace("input" + std::to_string(k), prepared.inputs.back());
  }
  return prepared;
}

std::string where_of(const Value& line) {
  return config::to_json(*line.find("config"), -1) + (*line.find("training")->as_bool() ? " training" : " eval");
}

Shape sample_shape(const Tensor& x) { return Shape(x.shape().begin() + 1, x.shape().end()); }

// By build_model, or, for a layer of several inputs, by what it calls.
std::shared_ptr<Module> built(const Value& config, const Tensors& inputs, Shape& output) {
  config::Diagnostics diagnostics;
  if (inputs.size() == 1) {
    BuiltModel model = build_model(config, "/model", sample_shape(inputs[0]), diagnostics);
    diagnostics.throw_if_any();
    output = model.output;
    return model.module;
  }
  const auto configured = layers().read(config, "/model", diagnostics);
  diagnostics.throw_if_any();
  std::vector<Shape> shapes;
  for (const Tensor& input : inputs) shapes.push_back(sample_shape(input));
  const LayerFunctions& functions = layers().functions(*configured);
  output = functions.infer(configured->options.get(), shapes);
  return functions.make(configured->options.get());
}

TEST(Reference, LayersAreThoseOfPyTorch) {
  std::set<std::string> found;
  for (const Value& line : read_lines("layer")) {
    const std::string where = where_of(line);
    SCOPED_TRACE(where);
    found.insert(text_of(line, "name"));
    Tensors inputs;
    for (const Value& input : *line.find("inputs")->as_array()) inputs.push_back(sample(input, 0));
    Shape output;
    const Prepared p = prepare(line, built(*line.find("config"), inputs, output));
    const Tensor y = p.module->call(p.inputs);
    EXPECT_EQ(sample_shape(y), output);  // the inferred shape is the true one
    expect_same(line, {y}, p.leaves, where);
    expect_buffers(line, *p.module, where);
    if (!text_of(line, "repr").empty()) {
      EXPECT_EQ(to_string(*p.module), pytorch_print(text_of(line, "repr")));
    }
  }
  for (const std::string& name : layers().names())
    EXPECT_TRUE(found.contains(name) || name == "Transformer") << name;  // which takes sequences of two lengths
  for (const char* name : {"Sequential", "Residual", "Graph"}) EXPECT_TRUE(found.contains(name)) << name;
}

TEST(Reference, EveryLayerIsWrittenAsItWasReadAndCopied) {
  for (const Value& line : read_lines("layer")) {
    SCOPED_TRACE(where_of(line));
    Tensors inputs;
    for (const Value& input : *line.find("inputs")->as_array()) inputs.push_back(sample(input, 0));
    Shape output, output_again;
    const Prepared p = prepare(line, built(*line.find("config"), inputs, output));
    const Value written = model_config(*p.module);
    EXPECT_EQ(model_config(*built(written, inputs, output_again)), written);
    EXPECT_EQ(output_again, output);
    const std::shared_ptr<Module> copy = clone(*p.module);
    EXPECT_EQ(to_string(*copy), to_string(*p.module));
    EXPECT_EQ(copy->is_training(), p.module->is_training());
    EXPECT_EQ(copy->parameter_count(), p.module->parameter_count());
    const NoGrad no_grad;
    EXPECT_TRUE(equal(copy->call(p.inputs), p.module->call(p.inputs)));
  }
}

// Weights and inputs of bfloat16: outputs and gradients of bfloat16, near those of float64 from the same numbers.
TEST(Reference, LayersTakeBFloat16) {
  const auto narrow = [](const Tensor& x) { return is_floating(x.dtype()) ? to(x.detach(), kBFloat16) : x; };
  for (const Value& line : read_lines("layer")) {
    SCOPED_TRACE(where_of(line));
    Tensors inputs, narrow_inputs;
    for (const Value& input : *line.find("inputs")->as_array()) inputs.push_back(sample(input, 0));
    Shape output;
    const Prepared p = prepare(line, built(*line.find("config"), inputs, output));
    p.module->to(kBFloat16);
    const std::shared_ptr<Module> wide = clone(*p.module);
    for (Tensor& x : inputs) narrow_inputs.push_back(narrow(x));
    const Tensor y = p.module->call(narrow_inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      inputs[i] = is_floating(inputs[i].dtype()) ? to(narrow_inputs[i], kFloat64) : inputs[i];
    const Tensor expected = wide->to(kFloat64).call(inputs);
    EXPECT_EQ(y.dtype(), is_floating(expected.dtype()) ? kBFloat16 : expected.dtype());
    const std::vector<double> found = to(y.detach(), kFloat64).to_vector<double>(),
                              wanted = to(expected.detach(), kFloat64).to_vector<double>();
    double largest = 1;
    for (const double value : wanted) largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_NEAR(found[i], wanted[i], 0.06 * largest) << i;
    if (!y.requires_grad()) continue;
    sum(y).backward();
    for (const auto& [name, parameter] : p.module->named_parameters())
      if (const Tensor g = parameter.grad(); g.defined()) {
        EXPECT_EQ(g.dtype(), kBFloat16) << name;
        EXPECT_TRUE(all(isfinite(g)).item<bool>()) << name;
      }
  }
}

// ---- Calls with more than a configuration says.

template <class M>
M& as(Module& module) {
  return dynamic_cast<M&>(module);
}

// The masks of make_reference.py.
Tensor every(const Shape& shape, std::int64_t n, std::int64_t rest) {
  return remainder(reshape(arange(checked_numel(shape)), shape), tensor(n)) == rest;
}
const Tensor& padded() {
  static const Tensor mask = every({2, 5}, 4, 3);
  return mask;
}
const Tensor& blocked() {
  static const Tensor mask = every({3, 5}, 3, 1);
  return mask;
}
Tensor future(std::int64_t size) { return triu(ones({size, size}, kBool), 1); }

Tensors both(const AttentionOutput& result) { return {result.output, result.weights}; }
Tensors both(const RecurrentOutput& result) { return {result.output, result.h}; }

Tensors states(Module& m, const Tensors& x) {
  const Tensor h = x.size() > 1 ? x[1] : Tensor();
  if (auto* const rnn = dynamic_cast<RNN*>(&m)) return both((*rnn)(x[0], h));
  return both(as<GRU>(m)(x[0], h));
}

Tensors cell(Module& m, const Tensors& x) {
  if (auto* const rnn = dynamic_cast<RNNCell*>(&m)) return {(*rnn)(x[0], x[1])};
  return {as<GRUCell>(m)(x[0], x[1])};
}

Tensors encoder_masks(Module& m, const Tensors& x) {
  const EncoderArguments arguments{.mask = future(5), .src_key_padding_mask = padded()};
  if (auto* const layer = dynamic_cast<TransformerEncoderLayer*>(&m)) return {(*layer)(x[0], arguments)};
  return {as<TransformerEncoder>(m)(x[0], arguments)};
}

Tensors decoder_masks(Module& m, const Tensors& x) {
  const DecoderArguments arguments{
      .tgt_mask = future(3), .memory_mask = blocked(), .memory_key_padding_mask = padded()};
  if (auto* const layer = dynamic_cast<TransformerDecoderLayer*>(&m)) return {(*layer)(x[0], x[1], arguments)};
  return {as<TransformerDecoder>(m)(x[0], x[1], arguments)};
}

Tensors attention(Module& m, const Tensors& x, const AttentionArguments& arguments) {
  return both(as<MultiheadAttention>(m)(x[0], x[1], x[2], arguments));
}

const std::map<std::string, std::function<Tensors(Module&, const Tensors&)>> kCalls = {
    {"states", states},
    {"no state", states},
    {"cell", cell},
    {"lstm states",
     [](Module& m, const Tensors& x) {
       const LSTMOutput result = as<LSTM>(m)(x[0], {x[1], x[2]});
       return Tensors{result.output, result.state.h, result.state.c};
     }},
    {"lstm cell",
     [](Module& m, const Tensors& x) {
       const LSTMState state = as<LSTMCell>(m)(x[0], {x[1], x[2]});
       return Tensors{state.h, state.c};
     }},
    {"weights", [](Module& m, const Tensors& x) { return attention(m, x, {}); }},
    {"weights of each head",
     [](Module& m, const Tensors& x) { return attention(m, x, {.average_attn_weights = false}); }},
    {"one sequence", [](Module& m, const Tensors& x) { return attention(m, x, {}); }},
    {"padding", [](Module& m, const Tensors& x) { return attention(m, x, {.key_padding_mask = padded()}); }},
    {"blocked",
     [](Module& m, const Tensors& x) {
       return attention(m, x, {.key_padding_mask = padded(), .attn_mask = blocked()});
     }},
    {"blocked by head",
     [](Module& m, const Tensors& x) {
       return attention(m, x, {.attn_mask = every({4, 3, 5}, 4, 1)});
     }},
    {"added", [](Module& m, const Tensors& x) { return attention(m, x, {.attn_mask = x[3]}); }},
    {"causal",
     [](Module& m, const Tensors& x) {
       return attention(m, {x[0], x[0], x[0]}, {.is_causal = true});
     }},
    {"encoder masks", encoder_masks},
    {"decoder masks", decoder_masks},
    {"transformer",
     [](Module& m, const Tensors& x) {
       return Tensors{as<Transformer>(m)(
           x[0], x[1], {.tgt_mask = future(3), .src_key_padding_mask = padded(), .memory_key_padding_mask = padded()})};
     }},
    {"max_norm",
     [](Module& m, const Tensors& x) {
       auto& layer = as<Embedding>(m);
       const Tensor y = layer(x[0]);
       return Tensors{y, layer.weight};
     }},
};

TEST(Reference, CallsAreThoseOfPyTorch) {
  std::set<std::string> found;
  for (const Value& line : read_lines("case")) {
    const std::string& name = text_of(line, "name");
    const std::string where = name + ' ' + where_of(line);
    SCOPED_TRACE(where);
    found.insert(name);
    config::Diagnostics diagnostics;
    const auto configured = layers().read(*line.find("config"), "/model", diagnostics);
    diagnostics.throw_if_any();
    const Prepared p = prepare(line, layers().functions(*configured).make(configured->options.get()));
    expect_same(line, kCalls.at(name)(*p.module, p.inputs), p.leaves, where);
    if (name == "transformer") continue;  // PyTorch prints the layers of a list that are alike as one
  }
  EXPECT_EQ(found.size(), kCalls.size());
}

// ---- Losses.

Tensor target_of(const std::string& kind, const Shape& shape) {
  const Tensor whole = reshape(arange(checked_numel(shape)), shape), numbers = (1 + sin(count_up(shape))) / 2;
  if (kind == "labels") return remainder(whole, tensor(3));
  if (kind == "signs") return to(remainder(whole, tensor(2)), kFloat64) * 2 - 1;
  if (kind == "counts") return to(remainder(whole, tensor(4)), kFloat64);
  if (kind == "wanted") return where(arange(shape[1]) < 2, remainder(whole, tensor(shape[1])), -1);
  if (kind == "sequence") return where(arange(shape[1]) < 2, 1 + remainder(whole, tensor(2)), -1);
  return kind == "distributions" ? numbers / sum(numbers, {1}, true) : numbers;
}

Tensor through(const std::string& function, const Tensor& x) {
  return function == "sigmoid"       ? sigmoid(x)
         : function == "exp"         ? exp(x)
         : function == "log_softmax" ? log_softmax(x, -1)
                                     : x;
}

TEST(Reference, LossesAreThoseOfPyTorch) {
  std::set<std::string> found, expected;
  for (const Value& line : read_lines("loss")) {
    const std::string where = config::to_json(*line.find("config"), -1);
    SCOPED_TRACE(where);
    found.insert(text_of(*line.find("config"), "type"));
    config::Diagnostics diagnostics;
    const auto loss = build_loss(*line.find("config"), "/loss", diagnostics);
    diagnostics.throw_if_any();
    const Tensor x = sample((*line.find("inputs")->as_array())[0], 0);
    const Tensor target = target_of(text_of(line, "target"), shape_of(*line.find("target_shape")));
    const Tensor y = (*loss)(through(text_of(line, "through"), x), target);
    expect_same(line, {y}, {{"input0", x}}, where);
  }
  for (const std::string& name : losses().names()) expected.insert(name);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace eigengrad::nn
