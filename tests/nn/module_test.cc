#include "eigengrad/nn/module.h"

#include <gtest/gtest.h>

#include <sstream>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/container.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

struct Mlp : Module {
  Linear& fc1 = child<Linear>("fc1", 4, 3);
  Dropout& drop = child<Dropout>("drop", 0.5);
  Linear& fc2 = child<Linear>("fc2", 3, 2, false);
  Tensor& scale = buffer("scale", ones({2}));
  Tensor forward(const Tensor& x) override { return fc2(drop(relu(fc1(x)))) * scale; }
};

std::vector<std::string> names_of(const Named<Tensor>& named) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : named) names.push_back(name);
  return names;
}

template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Module, DeclaringIsRegistering) {
  Mlp model;
  EXPECT_EQ(names_of(model.named_parameters()), (std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight"}));
  EXPECT_EQ(names_of(model.named_buffers()), std::vector<std::string>{"scale"});
  EXPECT_EQ(names_of(model.state_dict()), (std::vector<std::string>{"fc1.weight", "fc1.bias", "fc2.weight", "scale"}));
  EXPECT_EQ(model.parameter_count(), 4 * 3 + 3 + 3 * 2);
  for (const Tensor& parameter : model.parameters()) EXPECT_TRUE(parameter.requires_grad());
  EXPECT_FALSE(model.scale.requires_grad());
  EXPECT_TRUE(model.parameters()[0].is_same(model.fc1.weight));
}

TEST(Module, NestedNamesCountFromZero) {
  Sequential model(Linear(2, 3), ReLU(), Sequential(Linear(3, 3), Tanh()));
  EXPECT_EQ(names_of(model.named_parameters()),
            (std::vector<std::string>{"0.weight", "0.bias", "2.0.weight", "2.0.bias"}));
  EXPECT_EQ(model(ones({5, 2})).shape(), (Shape{5, 3}));
  std::vector<std::string> names;
  for (const auto& [name, module] : model.named_modules()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"", "0", "1", "2", "2.0", "2.1"}));
}

TEST(Module, MovingKeepsMembersAndRegistryTogether) {
  Mlp first;
  const Tensor x = randn({2, 4});
  first.eval();
  const Tensor before = first(x);
  Mlp second = std::move(first);
  EXPECT_TRUE(equal(second(x), before));
  EXPECT_TRUE(second.parameters()[0].is_same(second.fc1.weight));
  EXPECT_FALSE(second.is_training());
  EXPECT_FALSE(std::is_copy_constructible_v<Mlp>);
  EXPECT_FALSE(std::is_copy_assignable_v<Mlp>);
}

TEST(Module, TrainAndEvalReachEveryModule) {
  Mlp model;
  EXPECT_TRUE(model.drop.is_training());
  model.eval();
  EXPECT_FALSE(model.drop.is_training());
  const Tensor x = ones({8, 4});
  EXPECT_TRUE(equal(model(x), model(x)));
  model.train();
  EXPECT_TRUE(model.drop.is_training());
  for (const Tensor& parameter : model.parameters()) EXPECT_TRUE(parameter.requires_grad());
}

TEST(Module, BadNamesAreRefused) {
  struct Bad : Module {
    explicit Bad(std::string name, bool twice = false) {
      param(name, zeros({1}));
      if (twice) buffer(name, zeros({1}));
    }
  };
  EXPECT_THROW(Bad(""), ValueError);
  EXPECT_THROW(Bad("a.b"), ValueError);
  EXPECT_THROW(Bad("a", true), ValueError);
  EXPECT_NO_THROW(Bad("a"));
}

struct Tied : Module {
  Linear& encoder = child<Linear>("encoder", 3, 5);
  Tensor& decoder = share_param("decoder", encoder.weight);
  Tensor forward(const Tensor& x) override { return matmul(encoder(x), decoder); }
};

TEST(Module, ASharedParameterIsOneParameter) {
  Tied model;
  EXPECT_EQ(model.parameters().size(), 2u);
  sum(model(ones({2, 3}))).backward();
  const Tensor w = model.encoder.weight, fixed = w.detach(), x = ones({2, 3});
  const Tensor one = grad(sum(matmul(linear(x, w, model.encoder.bias), fixed)), {w})[0];
  const Tensor other = grad(sum(matmul(linear(x, fixed, model.encoder.bias), w)), {w})[0];
  EXPECT_TRUE(allclose(w.grad(), one + other));
  model.to(kFloat64);
  EXPECT_EQ(model.parameters().size(), 2u);
  EXPECT_TRUE(model.decoder.is_same(model.encoder.weight));
  EXPECT_EQ(model.decoder.dtype(), kFloat64);
}

TEST(Module, StateGoesFromOneToAnother) {
  Mlp first, second;
  second.load_state_dict(first.state_dict());
  first.eval();
  second.eval();
  const Tensor x = randn({3, 4});
  EXPECT_TRUE(equal(first(x), second(x)));
  EXPECT_FALSE(first.fc1.weight.is_same(second.fc1.weight));
}

TEST(Module, AStateThatDoesNotFitIsToldWholeAndChangesNothing) {
  Mlp model;
  StateDict state = Mlp().state_dict();
  state[0].second = zeros({3, 5});
  state[1].second = zeros({3}, kFloat64);
  state.erase(state.begin() + 2);
  state.emplace_back("extra", zeros({1}));
  const Tensor before = clone(model.fc1.bias);
  const std::string text = message_of([&] { model.load_state_dict(state); });
  EXPECT_NE(text.find("fc1.weight: found float32 [3, 5], expected float32 [3, 4]"), std::string::npos) << text;
  EXPECT_NE(text.find("fc1.bias: found float64"), std::string::npos) << text;
  EXPECT_NE(text.find("missing: fc2.weight"), std::string::npos) << text;
  EXPECT_NE(text.find("not expected: extra"), std::string::npos) << text;
  EXPECT_TRUE(equal(model.fc1.bias, before));
  StateDict more = model.state_dict();
  more.emplace_back("extra", zeros({1}));
  EXPECT_THROW(model.load_state_dict(more), ValueError);
  EXPECT_NO_THROW(model.load_state_dict(more, false));
}

TEST(Module, FreezingStopsGradients) {
  Mlp model;
  model.fc1.set_requires_grad(false);
  sum(model(ones({2, 4}))).backward();
  EXPECT_FALSE(model.fc1.weight.grad().defined());
  EXPECT_TRUE(model.fc2.weight.grad().defined());
  model.zero_grad();
  EXPECT_FALSE(model.fc2.weight.grad().defined());
}

TEST(Module, PrintsLikePyTorch) {
  std::ostringstream out;
  out << Sequential(Linear(784, 128), Sequential(ReLU(), Dropout(0.25)), GELU(), Softmax(1), Flatten());
  EXPECT_EQ(out.str(),
            "Sequential(\n"
            "  (0): Linear(in_features=784, out_features=128, bias=True)\n"
            "  (1): Sequential(\n"
            "    (0): ReLU()\n"
            "    (1): Dropout(p=0.25)\n"
            "  )\n"
            "  (2): GELU(approximate='none')\n"
            "  (3): Softmax(dim=1)\n"
            "  (4): Flatten(start_dim=1, end_dim=-1)\n"
            ")");
}

TEST(Module, NodesKnowTheirModule) {
  Sequential model(Linear(2, 3), Sequential(Linear(3, 3)));
  const Tensor y = model(ones({1, 2}));
  EXPECT_EQ(scope_path(y.grad_fn()->scope()), "1.0");
  EXPECT_EQ(scope_path((y * 2).grad_fn()->scope()), "");
}

TEST(Module, ApplyVisitsChildrenFirst) {
  Mlp model;
  std::vector<std::string> types;
  model.apply([&](Module& module) { types.push_back(module.type_name()); });
  EXPECT_EQ(types, (std::vector<std::string>{"Linear", "Dropout", "Linear", "Mlp"}));
}

TEST(Module, WithoutForwardSaysSo) {
  struct Nothing : Module {};
  Nothing nothing;
  EXPECT_NE(message_of([&] { nothing(ones({1})); }).find("no forward"), std::string::npos);
}

}  // namespace
}  // namespace eigengrad::nn
