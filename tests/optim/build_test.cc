// Optimizers from a configuration: one or several, with groups of parameters by name.
#include "eigengrad/optim/build.h"

#include <gtest/gtest.h>

#include "eigengrad/config/reader.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "tests/message.h"

namespace eigengrad::optim {
namespace {

using config::parse_json;

NamedParameters parameters() {
  const auto parameter = [](const Shape& shape) { return ones(shape).set_requires_grad(); };
  return {{"0.weight", parameter({3, 2})},
          {"0.bias", parameter({3})},
          {"norm.weight", parameter({3})},
          {"1.weight", parameter({2, 3})},
          {"1.bias", parameter({2})}};
}

std::unique_ptr<Optimizer> build(const std::string& text, NamedParameters named = parameters()) {
  config::Diagnostics diagnostics("f.json");
  const auto rows = optimizers().read_one_or_rows(parse_json(text), "/optimizer", diagnostics);
  diagnostics.throw_if_any();
  auto optimizer = build_optimizer(rows, std::move(named), diagnostics);
  diagnostics.throw_if_any();
  return optimizer;
}

TEST(BuildOptimizer, KnowsEveryOptimizerByItsDefaults) {
  for (const config::TypeEntry& entry : optimizers().entries()) {
    const NamedParameters one{{"w", ones({2, 2}).set_requires_grad()}};
    const auto optimizer = build("\"" + entry.name + "\"", one);
    ASSERT_TRUE(optimizer) << entry.name;
    optimizer->step([&] {
      optimizer->zero_grad();
      const Tensor cost = sum(square(one[0].second));
      cost.backward();
      return cost;
    });
    EXPECT_LT(one[0].second.to_vector<float>()[0], 1) << entry.name;
    const auto options = entry.make_options();
    const config::Value written = optimizers().write(entry.name, options.get());
    config::Diagnostics none;
    const auto again = optimizers().read(written, "", none);
    ASSERT_TRUE(again) << entry.name;
    EXPECT_EQ(optimizers().write(*again), written) << entry.name;
  }
  EXPECT_EQ(*optimizers().write("AdamW", optimizers().find("AdamW")->make_options().get()).find("weight_decay"),
            config::Value(0.01));
}

TEST(BuildOptimizer, GroupsTakeParametersByName) {
  const auto optimizer = build(R"({"type": "AdamW", "lr": 0.1, "weight_decay": 0.2, "groups": [
      {"parameters": ["*.bias", "norm.*"], "weight_decay": 0}, {"parameters": "1.*", "lr": 0.3}]})");
  const auto& adamw = dynamic_cast<const AdamW&>(*optimizer);
  ASSERT_EQ(adamw.groups(), 3u);
  EXPECT_EQ(adamw.options(0).weight_decay, 0.2);
  EXPECT_EQ(adamw.options(1).weight_decay, 0);
  EXPECT_EQ(adamw.options(1).lr, 0.1);
  EXPECT_EQ(adamw.options(2).lr, 0.3);
  EXPECT_EQ(adamw.options(2).weight_decay, 0.2);
  const StateDict state = adamw.state_dict();  // counts 5 parameters
  EXPECT_EQ(state.back().first, "parameter.4.updates");
}

TEST(BuildOptimizer, SeveralShareTheParameters) {
  const auto optimizer =
      build(R"([{"type": "Muon", "parameters": "?.weight"}, {"type": "SGD", "lr": 0.5, "momentum": 0.5}])");
  ASSERT_EQ(optimizer->groups(), 2u);
  EXPECT_EQ(optimizer->lr(0), 0.001);
  EXPECT_EQ(optimizer->lr(1), 0.5);
  EXPECT_EQ(optimizer->momentum(1), 0.5);
  optimizer->set_lr(1, 0.25);
  EXPECT_EQ(optimizer->lr(1), 0.25);
}

TEST(BuildOptimizer, WritesWhatItHasRead) {
  config::Diagnostics diagnostics;
  const auto value = parse_json(R"({"type": "SGD", "parameters": "a.*", "groups": [{"parameters": "a.b", "lr": 1}]})");
  const auto written = optimizers().write(*optimizers().read(value, "", diagnostics));
  EXPECT_EQ(*written.find("parameters"), parse_json("[\"a.*\"]"));
  EXPECT_EQ(*(*written.find("groups")->as_array())[0].find("lr"), config::Value(1.0));
  EXPECT_EQ(optimizers().write(*optimizers().read(written, "", diagnostics)), written);
  EXPECT_TRUE(diagnostics.empty());
}

TEST(BuildOptimizer, SaysWhatIsWrongAndWhere) {
  struct Bad {
    const char* text;
    const char* place;
    const char* words;
  };
  const Bad cases[] = {
      {R"({"type": "SGD", "groups": 1})", "/optimizer/groups", "found the number 1, expected an array"},
      {R"({"type": "SGD", "groups": [{"lr": 1}]})", "/optimizer/groups/0", "'parameters' is missing"},
      {R"({"type": "SGD", "groups": [{"parameters": "*", "lr": -1}]})", "/optimizer/groups/0/lr", "of at least 0"},
      {R"({"type": "SGD", "groups": [{"parameters": "*", "weight_dcay": 1}]})", "/optimizer/groups/0/weight_dcay",
       "did you mean 'weight_decay'"},
      {R"({"type": "SGD", "groups": [{"parameters": [1]}]})", "/optimizer/groups/0/parameters/0", "expected a string"},
      {R"({"type": "SGD", "groups": [{"parameters": "*.biass"}]})", "/optimizer/groups/0/parameters",
       "'*.biass' names no parameter; there are: 0.weight, 0.bias, norm.weight"},
      {R"({"type": "SGD", "groups": [{"parameters": "*"}, {"parameters": "0.bias"}]})",
       "/optimizer/groups/1/parameters", "'0.bias' names no parameter; none is left"},
      {R"({"type": "SGD", "groups": [{"parameters": "*", "nesterov": true}]})", "/optimizer/groups/0",
       "nesterov needs momentum"},
      {R"({"type": "SGD", "grups": []})", "/optimizer/grups", "did you mean 'groups'"},
      {R"({"type": "SGD", "parameters": "0.*"})", "/optimizer", "no optimizer changes the parameter norm.weight"},
      {R"({"type": "LBFGS", "groups": []})", "/optimizer/groups", "unknown key"},
      {R"({"type": "LBFGS", "line_search_fn": "wolfe"})", "/optimizer/line_search_fn", "strong_wolfe"},
      {R"("Muon")", "/optimizer", "a parameter has the shape [3], expected a matrix"},
      {R"([])", "/optimizer", "at least one optimizer"},
      {R"([{"type": "Muon", "parameters": "?.weight"}, {"type": "LBFGS"}])", "/optimizer/0", "must be alone"},
      {R"([{"type": "SGD", "nesterov": true}])", "/optimizer/0", "nesterov needs momentum"},
  };
  for (const Bad& bad : cases) {
    const std::string message = message_of([&] { build(bad.text); });
    EXPECT_NE(message.find(bad.place + std::string(": ")), std::string::npos) << bad.text << '\n' << message;
    EXPECT_NE(message.find(bad.words), std::string::npos) << bad.text << '\n' << message;
  }
}

TEST(Patterns, StandForNames) {
  for (const auto& [name, pattern, yes] :
       std::vector<std::tuple<const char*, const char*, bool>>{{"a.weight", "a.weight", true},
                                                               {"a.weight", "*.weight", true},
                                                               {"a.weight", "*", true},
                                                               {"a.weight", "**e*t", true},
                                                               {"a.weight", "?.weight", true},
                                                               {"ab.weight", "?.weight", false},
                                                               {"a.weight", "*.weigh", false},
                                                               {"a.weight", "", false},
                                                               {"", "*", true},
                                                               {"", "", true},
                                                               {"a", "?*", true},
                                                               {"", "?*", false},
                                                               {"layers.10.bias", "layers.1?.*", true},
                                                               {"abcabd", "*abd", true}})
    EXPECT_EQ(matches(name, pattern), yes) << name << ' ' << pattern;
}

}  // namespace
}  // namespace eigengrad::optim
