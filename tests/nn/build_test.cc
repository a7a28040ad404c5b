// Models from configurations and back: names, sharing, copies, and what cannot be written.
#include "eigengrad/nn/build.h"

#include <gtest/gtest.h>

#include <functional>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "tests/message.h"

namespace eigengrad::nn {
namespace {

BuiltModel built(const char* json, const Shape& input) {
  config::Diagnostics diagnostics("f");
  BuiltModel model = build_model(config::parse_json(json), "/model", input, diagnostics);
  diagnostics.throw_if_any();
  return model;
}

std::string mistakes_in(const char* json, const Shape& input) {
  return message_of([&] { built(json, input); });
}

TEST(BuildNamed, AnObjectOfLayersNamesThem) {
  const BuiltModel model = built(R"({"type": "Sequential", "layers": {"hidden": {"type": "Linear", "out_features": 3},
      "act": "ReLU", "head": {"type": "Sequential", "layers": [{"type": "Linear", "out_features": 2}]}}})",
                                 {4});
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model.module->named_parameters()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"hidden.weight", "hidden.bias", "head.0.weight", "head.0.bias"}));
  const config::Value written = model_config(*model.module);
  EXPECT_TRUE(written.find("layers")->as_object());
  EXPECT_TRUE(written.find("layers")->find("head")->find("layers")->as_array());
  config::Diagnostics diagnostics;
  const BuiltModel again = build_model(written, "/model", {4}, diagnostics);
  ASSERT_TRUE(diagnostics.empty() && again.module);
  EXPECT_EQ(model_config(*again.module), written);
  again.module->load_state_dict(model.module->state_dict());
}

TEST(BuildNamed, BadNamesAreMistakesAtTheirPlace) {
  const std::string text =
      mistakes_in(R"({"type": "Sequential", "layers": {"a.b": "ReLU", "": "ReLU", "ok": "Relu"}})", {4});
  EXPECT_NE(text.find("/model/layers/a.b: [Sequential] 'a.b' cannot be the name"), std::string::npos) << text;
  EXPECT_NE(text.find("/model/layers/: [Sequential] '' cannot be the name"), std::string::npos) << text;
  EXPECT_NE(text.find("/model/layers/ok: unknown layer 'Relu'"), std::string::npos) << text;
}

TEST(BuildNamed, AnEmptyObjectNamesNothing) {
  EXPECT_EQ(mistakes_in(R"({"type": "Sequential", "layers": {}})", {4}),
            "f:1:34 /model/layers: found an empty object, expected an array, or an object of layers by name");
  EXPECT_EQ(built(R"({"type": "Sequential", "layers": []})", {4}).output, Shape{4});
}

TEST(BuildArray, IsASequentialWhereverALayerMayStand) {
  const BuiltModel model = built(R"([{"type": "Linear", "out_features": 3}, {"type": "Residual", "layers": [["ReLU"]]},
      {"type": "Graph", "layers": {"a": ["Tanh", {"type": "Linear", "out_features": 2}], "b": "ReLU"}}])",
                                 {4});
  EXPECT_EQ(model.output, Shape{2});
  EXPECT_TRUE(dynamic_cast<Sequential*>(model.module.get()));
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model.module->named_parameters()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"0.weight", "0.bias", "2.a.1.weight", "2.a.1.bias"}));
  config::Diagnostics diagnostics;
  const BuiltModel again = build_model(model_config(*model.module), "/model", {4}, diagnostics);
  ASSERT_TRUE(diagnostics.empty() && again.module);
  EXPECT_EQ(mistakes_in("[]", {4}), "f:1:1 /model: found an empty array, expected at least one layer");
  EXPECT_NE(mistakes_in(R"(["ReLU", ["Tanh", {"type": "Linear", "in_features": 5, "out_features": 1}]])", {4})
                .find("/model/1/1: Linear expects in_features = 5, but /model/1/0 (Tanh) gives [4]"),
            std::string::npos);
}

TEST(BuildNamed, TheSchemaAllowsBothForms) {
  const config::Value schema = model_schema();
  const config::Value::Array& kinds = *schema.find("anyOf")->as_array();
  ASSERT_GE(kinds.size(), 3u);  // the last three hold layers
  const config::Value& sequential = kinds[kinds.size() - 3];
  const config::Value::Array& forms = *sequential.find("properties")->find("layers")->find("anyOf")->as_array();
  ASSERT_EQ(forms.size(), 2u);
  EXPECT_EQ(*forms[0].find("type"), config::Value("array"));
  EXPECT_EQ(*forms[1].find("type"), config::Value("object"));
}

TEST(Build, KnowsSequentialByName) {
  EXPECT_NE(mistakes_in(R"({"type": "Sequentail", "layers": []})", {4}).find("did you mean 'Sequential'?"),
            std::string::npos);
  EXPECT_NE(mistakes_in(R"({"type": "Sequential", "layers": ["Sequential"]})", {4})
                .find("/model/layers/0: 'layers' is missing"),
            std::string::npos);
  EXPECT_NE(mistakes_in(R"("Sequential")", {4}).find("/model: 'layers' is missing"), std::string::npos);
}

// A mistake in one layer is told once: the next are not held against a shape that nobody knows.
TEST(Build, GoesOnAfterAMistake) {
  const std::string text = mistakes_in(R"({"type": "Sequential", "layers": [{"type": "Sequential", "layers": 1},
      {"type": "Linear", "in_features": 9, "out_features": 2}, {"type": "Dropout", "p": 3}]})",
                                       {4});
  EXPECT_EQ(text.find("/model/layers/1"), std::string::npos) << text;
  EXPECT_NE(text.find("/model/layers/2/p"), std::string::npos) << text;
}

TEST(Build, HoldsAxesAgainstTheShape) {
  EXPECT_EQ(mistakes_in(R"({"type": "Softmax", "dim": 2})", {4}),
            "f:1:1 /model: Softmax axis 2 is out of range (-2 to 1, 0 is the batch), but the data give [4]");
  EXPECT_NE(mistakes_in(R"({"type": "LogSoftmax", "dim": -3})", {4}).find("LogSoftmax axis -3 is out of range"),
            std::string::npos);
  EXPECT_EQ(built(R"({"type": "Softmax", "dim": -2})", {3, 4}).output, (Shape{3, 4}));
  EXPECT_EQ(mistakes_in(R"({"type": "Flatten", "end_dim": 3})", {2, 4}),
            "f:1:1 /model: Flatten axis 3 is out of range (-3 to 2, 0 is the batch), but the data give [2, 4]");
  EXPECT_NE(mistakes_in(R"({"type": "Flatten", "start_dim": -4})", {2, 4}).find("Flatten axis -4"), std::string::npos);
  EXPECT_NE(mistakes_in(R"({"type": "Flatten", "start_dim": 0})", {2, 4}).find("the batch axis must stay"),
            std::string::npos);
}

TEST(Build, ALayerThatCannotBeMadeSaysWhy) {
  EXPECT_EQ(mistakes_in(R"({"type": "Linear", "out_features": 3})", {}),
            "f:1:1 /model: Linear expects an input with an axis of features, but the data give []");
  EXPECT_NE(
      mistakes_in(R"({"type": "Linear", "out_features": 4611686018427387904})", {4}).find("/model/out_features: "),
      std::string::npos);
  const std::string text = mistakes_in(R"({"type": "Bilinear", "in1_features": 4, "out_features": 3})", {4});
  EXPECT_NE(text.find("/model: Bilinear "), std::string::npos) << text;
  EXPECT_NE(mistakes_in(R"({"type": "Hardtanh", "min_val": 2, "max_val": 1})", {4}).find("Hardtanh cannot be made"),
            std::string::npos);
}

struct Squared : Linear {
  using Linear::Linear;
  Tensor forward(const Tensor& x) override { return square(Linear::forward(x)); }
};
struct Residual : Sequential {
  using Sequential::Sequential;
  Tensor forward(const Tensor& x) override { return x + Sequential::forward(x); }
};

TEST(ModelConfig, RefusesWhatWouldBeBuiltAsSomethingElse) {
  EXPECT_NE(message_of([] { model_config(Squared(2, 2)); }).find("there is no layer 'Squared' in the table"),
            std::string::npos);
  EXPECT_THROW(model_config(Residual(Linear(2, 2))), ValueError);
  const auto layer = std::make_shared<Linear>(2, 2);
  Sequential twice;
  twice.push_back(layer).push_back(ReLU()).push_back(layer);
  EXPECT_NE(message_of([&] { model_config(twice); }).find("a Linear stands in two places"), std::string::npos);
}

struct MyLoss : MSELoss {
  using MSELoss::MSELoss;
};

TEST(LossConfig, WritesWhatItReads) {
  for (const char* json :
       {R"({"type": "CrossEntropyLoss", "weight": [1.0, 2.0], "ignore_index": 7, "label_smoothing": 0.25,
            "reduction": "sum"})",
        R"({"type": "MSELoss", "reduction": "none"})",
        R"({"type": "BCEWithLogitsLoss", "weight": [3.0], "pos_weight": [0.5, 2.0], "reduction": "sum"})"}) {
    const config::Value value = config::parse_json(json);
    config::Diagnostics diagnostics;
    const auto loss = build_loss(value, "/loss", diagnostics);
    ASSERT_TRUE(loss && diagnostics.empty()) << json;
    EXPECT_EQ(loss_config(*loss), value);
  }
  for (const std::string& name : losses().names()) {
    config::Diagnostics diagnostics;
    const config::Value written = loss_config(*build_loss(config::Value(name), "/loss", diagnostics));
    EXPECT_EQ(*written.find("type"), config::Value(name));
    EXPECT_EQ(loss_config(*build_loss(written, "/loss", diagnostics)), written);
    EXPECT_TRUE(diagnostics.empty());
  }
  EXPECT_THROW(loss_config(MyLoss()), ValueError);
}

TEST(LossConfig, TakesLossesOfAUsersOwn) {
  LossTable table = losses();
  add_loss<MyLoss>(table, "MyLoss", "mine");
  config::Diagnostics diagnostics;
  const auto loss = build_loss(config::Value("MyLoss"), "/loss", diagnostics, table);
  ASSERT_TRUE(loss);
  EXPECT_EQ(*loss_config(*loss, table).find("type"), config::Value("MyLoss"));
}

TEST(Clone, HasElementsOfItsOwn) {
  manual_seed(2);
  Sequential model(Linear(3, 4), Sequential(Dropout(0.25), GELU()), Linear(4, 2, false));
  model.to(kFloat64);
  model[1].eval();
  model[2].set_requires_grad(false);
  const std::uint64_t offset = default_generator().offset();
  const std::shared_ptr<Module> copy = clone(model);
  EXPECT_EQ(default_generator().offset(), offset);
  EXPECT_EQ(to_string(*copy), to_string(model));
  const auto theirs = copy->named_modules(), ours = model.named_modules();
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(theirs[i].first, ours[i].first);
    EXPECT_EQ(theirs[i].second->is_training(), ours[i].second->is_training()) << ours[i].first;
  }
  const auto copied = copy->named_parameters(), parameters = model.named_parameters();
  ASSERT_EQ(copied.size(), parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(copied[i].first, parameters[i].first);
    EXPECT_TRUE(equal(copied[i].second, parameters[i].second));
    EXPECT_EQ(copied[i].second.requires_grad(), parameters[i].second.requires_grad());
  }
  const NoGrad no_grad;
  Tensor first = copied[0].second;
  fill_(first, 7);
  EXPECT_FALSE(equal(first, parameters[0].second));
}

TEST(Clone, KeepsWhatIsShared) {
  const auto layer = std::make_shared<Linear>(2, 2);
  Sequential model;
  model.push_back("in", layer).push_back("act", Tanh()).push_back("out", layer);
  const std::shared_ptr<Module> copy = clone(model);
  EXPECT_EQ(copy->parameters().size(), 2u);
  EXPECT_EQ(copy->children()[0].second, copy->children()[2].second);
  EXPECT_NE(copy->children()[0].second, layer);
  const Tensor x = randn({3, 2});
  EXPECT_TRUE(equal((*copy)(x), model(x)));
}

TEST(Clone, RefusesWhatIsNotInTheTable) {
  EXPECT_THROW(clone(Squared(2, 2)), ValueError);
  EXPECT_THROW(clone(Residual(Linear(2, 2))), ValueError);
}

}  // namespace
}  // namespace eigengrad::nn
