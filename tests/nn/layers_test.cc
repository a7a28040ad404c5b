#include <gtest/gtest.h>

#include <cmath>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

std::vector<double> doubles(const Tensor& x) { return to(x.detach(), kFloat64).to_vector<double>(); }

TEST(Linear, IsAffine) {
  Linear layer(2, 3);
  const NoGrad no_grad;
  copy_(layer.weight, tensor({{1.f, 2.f}, {3.f, 4.f}, {5.f, 6.f}}));
  copy_(layer.bias, tensor({10.f, 20.f, 30.f}));
  EXPECT_EQ(layer(tensor({{1.f, -1.f}})).to_vector<float>(), (std::vector<float>{9, 19, 29}));
  EXPECT_EQ(layer(ones({4, 5, 2})).shape(), (Shape{4, 5, 3}));
  EXPECT_THROW(layer(ones({4, 3})), ShapeError);
  EXPECT_THROW(layer(ones({4, 2}, kFloat64)), DtypeError);
  EXPECT_THROW(Linear(0, 3), ValueError);
  EXPECT_FALSE(Linear(2, 3, false).bias.defined());
}

TEST(Init, LinearBeginsAsInPyTorch) {
  manual_seed(3);
  const Linear layer(400, 300);
  const double bound = 1 / std::sqrt(400.0);
  for (const Tensor& x : {layer.weight, layer.bias}) {
    double largest = 0, square = 0;
    for (const double v : doubles(x)) {
      largest = std::max(largest, std::abs(v));
      square += v * v;
    }
    EXPECT_LE(largest, bound);
    EXPECT_GT(largest, 0.97 * bound);
    EXPECT_NEAR(std::sqrt(square / static_cast<double>(x.numel())), bound / std::sqrt(3.0), 0.05 * bound);
  }
}

TEST(Init, SpreadsAsPublished) {
  manual_seed(1);
  Tensor w = empty({300, 500});
  const auto spread = [&] {
    double square = 0;
    for (const double v : doubles(w)) square += v * v;
    return std::sqrt(square / static_cast<double>(w.numel()));
  };
  init::xavier_uniform_(w);
  EXPECT_NEAR(spread(), std::sqrt(2.0 / 800), 1e-3);
  init::xavier_normal_(w, 2);
  EXPECT_NEAR(spread(), 2 * std::sqrt(2.0 / 800), 1e-3);
  init::kaiming_uniform_(w);
  EXPECT_NEAR(spread(), std::sqrt(2.0 / 500), 1e-3);
  init::kaiming_normal_(w, 0, init::FanMode::FanOut, init::Nonlinearity::Relu);
  EXPECT_NEAR(spread(), std::sqrt(2.0 / 300), 1e-3);
  init::normal_(w, 0, 0.5);
  EXPECT_NEAR(spread(), 0.5, 5e-3);
  init::ones_(w);
  EXPECT_EQ(sum(w).item(), 150000);
  EXPECT_EQ(init::fans(empty({8, 4, 3, 3})).in, 36);
  EXPECT_EQ(init::fans(empty({8, 4, 3, 3})).out, 72);
  EXPECT_DOUBLE_EQ(init::calculate_gain(init::Nonlinearity::Tanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(init::calculate_gain(init::Nonlinearity::LeakyRelu, 2), std::sqrt(2.0 / 5));
  Tensor vector = empty({3});
  EXPECT_THROW(init::xavier_uniform_(vector), ShapeError);
}

TEST(Init, TruncatedNormalStaysWithinItsLimits) {
  manual_seed(2);
  Tensor w = empty({200, 300});
  init::trunc_normal_(w, 1, 2, 0, 2);
  double sum = 0;
  for (const double v : doubles(w)) {
    ASSERT_GE(v, 0);
    ASSERT_LE(v, 2);
    sum += v;
  }
  EXPECT_NEAR(sum / 60000, 1, 0.01);  // symmetric about the mean
  init::trunc_normal_(w, 0, 1, -10, 10);
  EXPECT_NEAR(std::sqrt(mean(square(w)).item()), 1, 0.02);
  EXPECT_THROW(init::trunc_normal_(w, 0, 1, 1, 1), ValueError);
  EXPECT_THROW(init::trunc_normal_(w, 0, 0), ValueError);
}

TEST(Init, OrthogonalRowsOrColumns) {
  manual_seed(2);
  Tensor tall = empty({12, 5}, kFloat64), wide = empty({4, 3, 2, 2}, kFloat64);
  init::orthogonal_(tall, 2);
  init::orthogonal_(wide);
  EXPECT_TRUE(allclose(matmul(transpose(tall), tall), eye(5, kFloat64) * 4));
  const Tensor flat = reshape(wide, {4, 12});
  EXPECT_TRUE(allclose(matmul(flat, transpose(flat)), eye(4, kFloat64)));
  EXPECT_LT(tall.to_vector<double>()[0] * tall.to_vector<double>()[1], 1);  // not the identity
  Tensor vector = empty({3});
  EXPECT_THROW(init::orthogonal_(vector), ShapeError);
}

TEST(Init, SparseEyeAndDirac) {
  manual_seed(2);
  Tensor w = empty({10, 6});
  init::sparse_(w, 0.33);
  const auto zeros_of_columns = sum(w == 0, {0}).to_vector<std::int64_t>();
  EXPECT_EQ(zeros_of_columns, std::vector<std::int64_t>(6, 4));
  EXPECT_THROW(init::sparse_(w, 1.5), ValueError);
  Tensor e = empty({2, 3});
  EXPECT_EQ(init::eye_(e).to_vector<float>(), (std::vector<float>{1, 0, 0, 0, 1, 0}));
  Tensor d = empty({4, 2, 3, 3});
  init::dirac_(d, 2);
  const Tensor x = randn({1, 4, 5, 5});
  EXPECT_TRUE(equal(conv2d(x, d, Tensor(), {.padding = 1, .groups = 2}), x));
  EXPECT_EQ(sum(d).item(), 4);
  EXPECT_THROW(init::dirac_(e), ShapeError);
  EXPECT_THROW(init::dirac_(d, 3), ShapeError);
  EXPECT_THROW(init::eye_(d), ShapeError);
}

TEST(Layers, ComputeWhatTheirFunctionsDo) {
  const Tensor x = randn({3, 4});
  EXPECT_TRUE(equal(ReLU()(x), relu(x)));
  EXPECT_TRUE(equal(Sigmoid()(x), sigmoid(x)));
  EXPECT_TRUE(equal(Tanh()(x), tanh(x)));
  EXPECT_TRUE(equal(GELU()(x), gelu(x)));
  EXPECT_TRUE(equal(GELU({GeluApproximate::Tanh})(x), gelu(x, GeluApproximate::Tanh)));
  EXPECT_TRUE(equal(Softplus({2})(x), softplus(x, 2)));
  EXPECT_TRUE(equal(LeakyReLU({0.2})(x), leaky_relu(x, 0.2)));
  EXPECT_TRUE(equal(ELU({2})(x), elu(x, 2)));
  EXPECT_TRUE(equal(CELU({2})(x), celu(x, 2)));
  EXPECT_TRUE(equal(SELU()(x), selu(x)));
  EXPECT_TRUE(equal(SiLU()(x), silu(x)));
  EXPECT_TRUE(equal(Mish()(x), mish(x)));
  EXPECT_TRUE(equal(Softsign()(x), softsign(x)));
  EXPECT_TRUE(equal(LogSigmoid()(x), logsigmoid(x)));
  EXPECT_TRUE(equal(Hardtanh({-0.5, 0.25})(x), hardtanh(x, -0.5, 0.25)));
  EXPECT_THROW(Hardtanh({1, 1}), ValueError);
  EXPECT_TRUE(equal(Hardsigmoid()(x), hardsigmoid(x)));
  EXPECT_TRUE(equal(Hardswish()(x), hardswish(x)));
  EXPECT_TRUE(equal(Softmax(0)(x), softmax(x, 0)));
  EXPECT_TRUE(equal(LogSoftmax(1)(x), log_softmax(x, 1)));
  EXPECT_TRUE(equal(Identity()(x), x));
  EXPECT_EQ(Flatten()(ones({2, 3, 4})).shape(), (Shape{2, 12}));
  EXPECT_EQ(Flatten({0, 1})(ones({2, 3, 4})).shape(), (Shape{6, 4}));
}

TEST(Dropout, DropsWhileTrainingOnly) {
  manual_seed(0);
  Dropout layer(0.25);
  const Tensor x = ones({10000}), y = layer(x);
  double zeros_found = 0;
  for (const float v : y.data<float>()) {
    EXPECT_TRUE(v == 0 || std::abs(v - 4.f / 3) < 1e-6f);
    zeros_found += v == 0;
  }
  EXPECT_NEAR(zeros_found / 1e4, 0.25, 0.02);
  EXPECT_FALSE(equal(layer(x), y));
  layer.eval();
  EXPECT_TRUE(equal(layer(x), x));
  EXPECT_THROW(Dropout(1.5), ValueError);
  EXPECT_THROW(Dropout(-0.1), ValueError);
}

TEST(Losses, ComputeWhatTheirFunctionsDo) {
  const Tensor logits = randn({4, 3}), labels = tensor({0, 2, 1, 2});
  EXPECT_TRUE(equal(CrossEntropyLoss()(logits, labels), cross_entropy(logits, labels)));
  EXPECT_TRUE(equal(
      CrossEntropyLoss({.weight = {1, 2, 3}, .ignore_index = 1, .label_smoothing = 0.1, .reduction = Reduction::Sum})(
          logits, labels),
      cross_entropy(logits, labels,
                    {.weight = tensor({1.f, 2.f, 3.f}),
                     .ignore_index = 1,
                     .label_smoothing = 0.1,
                     .reduction = Reduction::Sum})));
  const Tensor target = rand({4, 3});
  EXPECT_TRUE(equal(MSELoss()(logits, target), mse_loss(logits, target)));
  EXPECT_EQ(MSELoss({Reduction::None})(logits, target).shape(), (Shape{4, 3}));
  EXPECT_TRUE(
      equal(BCEWithLogitsLoss({.pos_weight = {2, 3, 4}})(logits, target),
            binary_cross_entropy_with_logits(logits, target, Reduction::Mean, Tensor(), tensor({2.f, 3.f, 4.f}))));
  EXPECT_THROW(CrossEntropyLoss()(logits, tensor({0, 3, 1, 2})), IndexError);
}

std::string mistakes_in(const char* json, const Shape& input) {
  config::Diagnostics diagnostics("f");
  build_model(config::parse_json(json), "/model", input, diagnostics);
  try {
    diagnostics.throw_if_any();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Build, InfersSizes) {
  config::Diagnostics diagnostics;
  const BuiltModel built = build_model(config::parse_json(R"({"type": "Sequential", "layers": ["Flatten",
      {"type": "Linear", "out_features": 16}, {"type": "Sequential", "layers": ["ReLU", {"type": "Dropout", "p": 0.1}]},
      {"type": "Linear", "out_features": 10}]})"),
                                       "/model", {1, 4, 4}, diagnostics);
  diagnostics.throw_if_any();
  EXPECT_EQ(built.output, Shape{10});
  EXPECT_EQ(built.module->parameter_count(), 16 * 16 + 16 + 16 * 10 + 10);
  EXPECT_EQ((*built.module)(ones({2, 1, 4, 4})).shape(), (Shape{2, 10}));
}

TEST(Build, AMismatchNamesTheTwoLayers) {
  EXPECT_EQ(mistakes_in(R"({"type": "Sequential", "layers": [{"type": "Linear", "out_features": 64}, "ReLU",
      {"type": "Linear", "in_features": 128, "out_features": 10}]})",
                        {32}),
            "f:2:7 /model/layers/2: Linear expects in_features = 128, but /model/layers/1 (ReLU) gives [64]");
  EXPECT_EQ(mistakes_in(R"({"type": "Linear", "in_features": 3, "out_features": 10})", {32}),
            "f:1:1 /model: Linear expects in_features = 3, but the data give [32]");
}

TEST(Build, TellsEveryMistake) {
  const std::string text =
      mistakes_in(R"({"type": "Sequential", "layers": ["Relu", {"type": "Linear", "out_featuers": 3},
      {"type": "Dropout", "p": 2}, 7, {"type": "Sequential"}, {"type": "Sequential", "layers": 3, "name": 1}]})",
                  {4});
  for (const char* part : {"/model/layers/0: unknown layer 'Relu'", "did you mean 'ReLU'?",
                           "/model/layers/1/out_featuers: unknown key", "/model/layers/1: 'out_features' is missing",
                           "/model/layers/2/p: found the number 2, expected a number in [0, 1]",
                           "/model/layers/3: found the number 7, expected the name of a kind of layer",
                           "/model/layers/4: 'layers' is missing", "/model/layers/5: \"layers\": found the number 3",
                           "/model/layers/5/name: unknown key"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST(Build, EveryLossIsBuilt) {
  for (const config::TypeEntry& entry : losses().entries()) {
    config::Diagnostics diagnostics;
    const auto loss = build_loss(config::Value(entry.name), "/loss", diagnostics);
    ASSERT_TRUE(loss && diagnostics.empty()) << entry.name;
    EXPECT_EQ(loss->type_name(), entry.name);
  }
}

struct Doubler : SameShape<> {
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return x * 2; }
};

TEST(Build, TakesLayersOfAUsersOwn) {
  LayerTable table = layers();
  add_layer<Doubler>(table, "Doubler", "twice its input");
  config::Diagnostics diagnostics;
  const BuiltModel built =
      build_model(config::parse_json(R"({"type": "Sequential", "layers": ["Doubler", "Doubler"]})"), "/model", {3},
                  diagnostics, table);
  EXPECT_EQ((*built.module)(ones({1, 3})).to_vector<float>(), std::vector<float>(3, 4.f));
  EXPECT_THROW(add_layer<Doubler>(table, "ReLU", "taken"), ValueError);
  EXPECT_THROW(model_config(*built.module), ValueError);
}

}  // namespace
}  // namespace eigengrad::nn
