// Tools around modules: hooks, tied parameters, containers, graphs, summaries.
#include <gtest/gtest.h>

#include <sstream>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

namespace eigengrad::nn {
namespace {

// ---- Hooks.

TEST(Hooks, SeeAndChangeInputsAndOutputs) {
  Sequential model(Linear(2, 2), ReLU());
  std::vector<std::string> seen;
  const Tensor x = tensor({{1.f, -2.f}});
  const std::uint64_t before = model[1].register_forward_pre_hook([&](Module& module, std::span<Tensor> inputs) {
    seen.push_back("before " + module.type_name());
    inputs[0] = full({1, 2}, 3.0);
  });
  const std::uint64_t after =
      model.register_forward_hook([&](Module& module, std::span<const Tensor> inputs, const Tensor& output) {
        seen.push_back("after " + module.type_name());
        EXPECT_TRUE(inputs[0].is_same(x));
        return output * 2;
      });
  EXPECT_EQ(model(x).to_vector<float>(), (std::vector<float>{6, 6}));
  EXPECT_EQ(seen, (std::vector<std::string>{"before ReLU", "after Sequential"}));
  model[1].remove_hook(before);
  model.remove_hook(after);
  EXPECT_TRUE(equal(model(x), relu(model[0](x))));
  EXPECT_EQ(seen.size(), 2u);
}

TEST(Hooks, OneMayRemoveItself) {
  ReLU layer;
  int calls = 0;
  std::uint64_t id = 0;
  id = layer.register_forward_hook([&](Module& module, std::span<const Tensor>, const Tensor&) {
    ++calls;
    module.remove_hook(id);
    return Tensor();
  });
  layer(ones({1}));
  layer(ones({1}));
  EXPECT_EQ(calls, 1);
}

TEST(Hooks, RunForModulesOfSeveralInputs) {
  LSTM lstm(2, 3);
  std::size_t inputs_seen = 0;
  lstm.register_forward_hook([&](Module&, std::span<const Tensor> inputs, const Tensor& output) {
    inputs_seen = inputs.size();
    return output * 0;
  });
  const LSTMOutput result = lstm(ones({4, 1, 2}));
  EXPECT_EQ(inputs_seen, 3u);  // x, h, c
  EXPECT_EQ(sum(abs(result.output)).item(), 0);
  EXPECT_NE(sum(abs(result.state.h)).item(), 0);
}

TEST(Hooks, GradientsFlowThroughThem) {
  Linear layer(2, 1, false);
  layer.register_forward_hook([](Module&, std::span<const Tensor>, const Tensor& output) { return output * 10; });
  const Tensor x = tensor({{1.f, 2.f}});
  sum(layer(x)).backward();
  EXPECT_EQ(layer.weight.grad().to_vector<float>(), (std::vector<float>{10, 20}));
}

// ---- Tied parameters: one for the optimizer, the checkpoint and the count, with the sum of the gradients.

struct LanguageModel : Module {
  Embedding& embedding = child<Embedding>("embedding", 7, 4);
  Linear& head = child<Linear>("head", 4, 7, false);
  Tensor forward(const Tensor& x) override { return head(tanh(embedding(x))); }
};

TEST(Tied, IsOneParameter) {
  manual_seed(4);
  LanguageModel tied;
  tied.tie_parameter("head.weight", "embedding.weight");
  EXPECT_EQ(tied.parameter_count(), 28);
  EXPECT_EQ(tied.parameters().size(), 1u);
  EXPECT_EQ(tied.state_dict().size(), 1u);
  EXPECT_TRUE(tied.head.weight.is_same(tied.embedding.weight));
  EXPECT_EQ(tied.tied_parameters(), (Named<std::string>{{"head.weight", "embedding.weight"}}));

  LanguageModel apart;
  {
    const NoGrad no_grad;
    copy_(apart.embedding.weight, tied.embedding.weight);
    copy_(apart.head.weight, tied.embedding.weight);
  }
  const Tensor x = tensor({{1, 2, 6}, {2, 2, 0}}), y = tensor({{2, 6, 5}, {2, 0, 1}});
  for (LanguageModel* const model : {&tied, &apart}) cross_entropy(flatten((*model)(x), 0, 1), flatten(y)).backward();
  EXPECT_TRUE(allclose(tied.embedding.weight.grad(), apart.embedding.weight.grad() + apart.head.weight.grad()));
}

TEST(Tied, StaysTiedThroughConversionAndLoading) {
  LanguageModel a, b;
  for (LanguageModel* const model : {&a, &b}) {
    model->tie_parameter("head.weight", "embedding.weight");
    model->to(kFloat64);
    EXPECT_TRUE(model->head.weight.is_same(model->embedding.weight));
  }
  b.load_state_dict(a.state_dict());
  const Tensor x = tensor({1, 2, 3});
  EXPECT_TRUE(equal(a(x), b(x)));
}

TEST(Tied, LoadsWhatOthersWriteUnderTwoNames) {
  LanguageModel model;
  model.tie_parameter("head.weight", "embedding.weight");
  const Tensor x = randn({7, 4});
  model.load_state_dict({{"embedding.weight", x}, {"head.weight", clone(x)}});
  EXPECT_TRUE(equal(model.head.weight, x));
  model.load_state_dict({{"head.weight", x * 2}});
  EXPECT_TRUE(equal(model.embedding.weight, x * 2));
  expect_error<ValueError>(
      [&] {
        model.load_state_dict({{"embedding.weight", x}, {"head.weight", x * 2}});
      },
      "head.weight: not the same as embedding.weight, with which it is one here");
  EXPECT_TRUE(equal(model.embedding.weight, x * 2));
}

TEST(Tied, RefusesWhatDoesNotFit) {
  LanguageModel model;
  expect_error<ValueError>([&] { model.tie_parameter("head.weigth", "embedding.weight"); },
                           "there is no parameter 'head.weigth', only embedding.weight, head.weight");
  expect_error<ValueError>([&] { model.tie_parameter("neck.weight", "embedding.weight"); },
                           "no parameter 'neck.weight'");
  Sequential other(Linear(3, 2), Linear(2, 3));
  expect_error<ShapeError>([&] { other.tie_parameter("1.weight", "0.weight"); },
                           "'1.weight' is float32 [3, 2] and '0.weight' is float32 [2, 3]: they cannot be one");
}

TEST(Tied, FromAConfigurationAndBack) {
  const config::Value value = config::parse_json(R"({"type": "Sequential", "layers": {
      "embedding": {"type": "Embedding", "num_embeddings": 7, "embedding_dim": 4}, "act": "Tanh",
      "head": {"type": "Linear", "out_features": 7, "bias": false}}, "tied": {"head.weight": "embedding.weight"}})");
  config::Diagnostics diagnostics;
  const BuiltModel model = build_model(value, "/model", {5}, diagnostics);
  diagnostics.throw_if_any();
  EXPECT_EQ(model.module->parameter_count(), 28);
  EXPECT_EQ(model.output, (Shape{5, 7}));
  const config::Value written = model_config(*model.module);
  EXPECT_EQ(*written.find("tied"), *value.find("tied"));
  const auto copy = clone(*model.module);
  EXPECT_EQ(copy->parameter_count(), 28);
  EXPECT_FALSE(copy->parameters()[0].is_same(model.module->parameters()[0]));
}

// ---- Containers.

TEST(ModuleList, HoldsModulesByNumber) {
  ModuleList list(Linear(2, 3), ReLU());
  list.push_back(Linear(3, 1));
  EXPECT_EQ(list.size(), 3u);
  EXPECT_EQ(list.at<Linear>(2).options().out_features, 1);
  EXPECT_EQ(list.named_parameters()[2].first, "2.weight");
  expect_error<IndexError>([&] { list[3]; }, "[ModuleList] there is no module 3: there are 3");
  expect_error<ValueError>([&] { list.at<Linear>(1); }, "the module that was asked for is a ReLU");
  expect_error<Error>([&] { list(ones({1, 2})); }, "[ModuleList] has no forward of one input");
}

TEST(ModuleDict, HoldsModulesByName) {
  ModuleDict dict;
  dict.insert("up", Linear(2, 3)).insert("down", Linear(3, 2));
  EXPECT_EQ(dict.size(), 2u);
  EXPECT_TRUE(dict.contains("up") && !dict.contains("left"));
  EXPECT_EQ(dict.at<Linear>("down").options().in_features, 3);
  expect_error<IndexError>([&] { dict["left"]; }, "[ModuleDict] there is no module 'left', only up, down");
  expect_error<ValueError>([&] { dict.insert("up", ReLU()); }, "the name 'up' is taken already");
}

TEST(Residual, AddsItsInput) {
  Residual block(Sequential(Linear(3, 3), ReLU()));
  const Tensor x = randn({2, 3});
  EXPECT_TRUE(equal(block(x), relu(block.body()[0](x)) + x));
  Residual other(Sequential(Linear(3, 2)), Sequential(Linear(3, 2)));
  EXPECT_EQ(other(x).shape(), (Shape{2, 2}));
  EXPECT_EQ(other.parameters().size(), 4u);
  Residual wrong(Sequential(Linear(3, 2)));
  expect_error<ShapeError>([&] { wrong(x); }, "[Residual] the body gives [2, 2], but what is added to it is [2, 3]");
}

TEST(Graph, RunsModulesByName) {
  manual_seed(1);
  Graph net;
  net.add("fc", Linear(3, 3)).add("act", Tanh()).add("sum", Add(), {"act", "input"}).reuse("again", "fc", {"sum"});
  const Tensor x = randn({2, 3});
  Module& fc = *net.children()[0].second;
  EXPECT_TRUE(equal(net(x), fc(tanh(fc(x)) + x)));
  EXPECT_EQ(net.parameters().size(), 2u);
  EXPECT_EQ(net.extra_repr(), "fc = fc(input); act = act(fc); sum = sum(act, input); again = fc(sum)");
  net.set_output("act");
  EXPECT_TRUE(equal(net(x), tanh(fc(x))));
  expect_error<ValueError>([&] { net.add("x", ReLU(), {"nowhere"}); }, "[Graph] nothing is called 'nowhere' so far");
  expect_error<ValueError>([&] { net.add("input", ReLU()); }, "[Graph] 'input' is the name of an input");
  expect_error<ValueError>([&] { net.add("fc", ReLU()); }, "the name 'fc' is taken already");
  expect_error<ValueError>([&] { net.reuse("y", "input"); }, "[Graph] 'input' is an input, not a module");
  expect_error<ValueError>([&] { net.reuse("act", "fc"); }, "[Graph] the name 'act' is taken already");
  const Tensor both[] = {x, x};
  expect_error<ValueError>([&] { net.call(both); }, "[Graph] found 2 inputs, expected 1");
}

TEST(Graph, TakesSeveralInputs) {
  Graph net({"a", "b"});
  net.add("both", Concat(), {"a", "b"});
  const Tensor inputs[] = {ones({2, 1}), zeros({2, 2})};
  EXPECT_EQ(net.call(inputs).shape(), (Shape{2, 3}));
  EXPECT_THROW(Graph({"a", "a"}), ValueError);
  EXPECT_THROW(Graph(std::vector<std::string>{}), ValueError);
}

std::string mistakes_in(const char* layers, const char* rest = "") {
  config::Diagnostics diagnostics("f");
  const std::string text = std::string(R"({"type": "Graph", "layers": )") + layers + rest + "}";
  build_model(config::parse_json(text), "/model", {4}, diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Graph, MistakesInAConfigurationHaveAPlace) {
  const std::pair<std::string, const char*> cases[] = {
      {mistakes_in("[]"), "/model/layers: found an array, expected an object of layers by name"},
      {mistakes_in("{}"), "/model/layers: found an empty object, expected an object of layers by name"},
      {mistakes_in(R"({"a": "ReLU"})", R"(, "output": "b")"),
       "/model/output: unknown layer 'b', expected one of: input, a"},
      {mistakes_in(R"({"a": {"type": "ReLU", "from": "b"}})"), "/model/layers/a/from: unknown layer 'b'"},
      {mistakes_in(R"({"a": {"type": "ReLU", "from": 3}})"), "/model/layers/a/from: found the number 3"},
      {mistakes_in(R"({"a": {"type": "ReLU", "from": []}})"), "/model/layers/a/from: found an empty array"},
      {mistakes_in(R"({"a": {"type": "ReLU", "from": ["input", "input"]}})"), "ReLU takes one input, not 2"},
      {mistakes_in(R"({"a": {"shared": "b"}})"), "/model/layers/a/shared: unknown layer 'b'"},
      {mistakes_in(R"({"a": {"type": "Linear", "out_features": 2}, "b": {"shared": "a"}})"),
       "/model/layers/b: Linear expects in_features = 4"},
      {mistakes_in(R"({"a": {"type": "Linear", "out_features": 2}, "b": {"type": "Add", "from": ["a", "input"]}})"),
       "/model/layers/b: Add expects inputs of one shape, found [2] and [4], but /model/layers/a (Linear) gives [2], "
       "the data give [4]"},
      {mistakes_in(R"({"input": "ReLU"})"), "'input' is the name of an input"},
      {mistakes_in(R"({"a": "ReLU"})", R"(, "tied": 3)"), "/model/tied: found the number 3"},
      {mistakes_in(R"({"a": "ReLU"})", R"(, "tied": {"a.weight": "b.weight"})"), "there is no parameter 'a.weight'"},
      {mistakes_in(R"({"a": "ReLU"})", R"(, "outputs": "a")"), "/model/outputs: unknown key 'outputs'"},
  };
  for (const auto& [found, expected] : cases)
    EXPECT_NE(found.find(expected), std::string::npos) << expected << "\n" << found;
}

TEST(Residual, MistakesInAConfigurationHaveAPlace) {
  config::Diagnostics diagnostics("f");
  build_model(config::parse_json(R"({"type": "Residual", "layers": [{"type": "Linear", "out_features": 3}]})"),
              "/model", {4}, diagnostics);
  expect_error<ConfigError>(
      [&] { diagnostics.throw_if_any(); },
      "/model: Residual adds what its layers give, [3], to its input, [4]: expected the same shape");
}

// ---- Summaries.

TEST(Summary, CountsShapesParametersAndOperations) {
  Sequential model;
  model.push_back("conv", Conv2d(1, 4, 3)).push_back("act", ReLU()).push_back("flat", Flatten());
  model.push_back("fc", Linear(4 * 6 * 6, 10));
  model[3].set_requires_grad(false);
  model.train();
  const Summary s = summary(model, Shape{2, 1, 8, 8});
  ASSERT_EQ(s.rows.size(), 5u);
  EXPECT_EQ(s.rows[1].name, "conv");
  EXPECT_EQ(s.rows[1].output, (Shape{2, 4, 6, 6}));
  EXPECT_EQ(s.rows[1].parameters, 40);
  const double places = 2 * 4 * 6 * 6;
  EXPECT_EQ(s.rows[1].flops, places * 2 * 9 + places);  // and the bias
  EXPECT_EQ(s.rows[2].flops, places);
  EXPECT_EQ(s.rows[3].flops, 0);  // a view or a copy
  EXPECT_EQ(s.rows[4].flops, 2 * 10 * (2 * 144 + 1));
  EXPECT_EQ(s.parameters(), 40 + 1450);
  EXPECT_EQ(s.trainable(), 40);
  EXPECT_EQ(s.flops(), s.rows[1].flops + s.rows[2].flops + s.rows[4].flops);
  EXPECT_TRUE(model.is_training() && model[0].is_training());
  std::ostringstream text;
  text << s;
  EXPECT_NE(text.str().find("  conv (Conv2d)   [2, 4, 6, 6]          40   5,472"), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("1,490 parameters, 40 of them trainable; "), std::string::npos) << text.str();
}

TEST(Summary, KnowsNestedModulesAndThoseThatDoNotRun) {
  struct Net : Module {
    TransformerEncoder& encoder;
    Linear& spare = child<Linear>("spare", 4, 4);
    Net() : encoder(child<TransformerEncoder>("encoder", options())) {}
    static TransformerStackOptions options() {
      TransformerStackOptions o;
      o.num_layers = 2;
      o.d_model = 4;
      o.nhead = 2;
      o.dim_feedforward = 8;
      o.batch_first = true;
      return o;
    }
    Tensor forward(const Tensor& x) override { return encoder(x); }
  };
  Net net;
  const Summary s = summary(net, Shape{1, 3, 4});
  EXPECT_EQ(s.parameters(), net.parameter_count());
  std::map<std::string, SummaryRow> rows;
  for (const SummaryRow& row : s.rows) rows.emplace(row.name, row);
  EXPECT_FALSE(rows.at("spare").ran);
  EXPECT_EQ(rows.at("encoder.layers.1.linear1").flops, 3 * 8 * (2 * 4 + 1));
  EXPECT_EQ(rows.at("encoder.layers.0").flops, rows.at("encoder.layers.1").flops);
  EXPECT_EQ(rows.at("encoder.layers.0.self_attn").output, (Shape{1, 3, 4}));
}

}  // namespace
}  // namespace eigengrad::nn
