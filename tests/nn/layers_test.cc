#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

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

// ---- A ReLU behind a layer is one op with it, unless somebody could tell.

std::string last_op(const Tensor& y) { return std::string(y.impl().node->name()); }

TEST(SequentialRelu, IsOneOpWithWhatIsBeforeIt) {
  manual_seed(5);
  const auto check = [](Sequential net, const Tensor& x) {
    const Tensor y = net(x), expected = relu(net[0](x));
    EXPECT_NE(last_op(y), "relu") << net[0].type_name();
    EXPECT_EQ(doubles(y), doubles(expected)) << net[0].type_name();
    const Named<Tensor> parameters = net.named_parameters();
    sum(square(y)).backward();
    std::vector<Tensor> found;
    for (const auto& [name, parameter] : parameters) found.push_back(parameter.grad());
    net.zero_grad();
    sum(square(expected)).backward();
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(doubles(found[i]), doubles(parameters[i].second.grad())) << parameters[i].first;
  };
  check(Sequential(Linear(6, 5), ReLU()), randn({7, 6}));
  check(Sequential(Linear(6, 5, false), ReLU()), randn({2, 7, 6}));
  check(Sequential(Conv2d(2, 3, 3, 1, 1), ReLU()), randn({2, 2, 6, 6}));
  check(Sequential(Conv2d({.in_channels = 2,
                           .out_channels = 3,
                           .kernel_size = 3,
                           .padding = "same",
                           .padding_mode = PadMode::Reflect}),
                   ReLU()),
        randn({2, 2, 6, 6}));
  check(Sequential(Conv1d(2, 3, 3), ReLU()), randn({2, 2, 9}));
}

TEST(SequentialRelu, GoesOnBehindIt) {
  manual_seed(5);
  Sequential net(Linear(3, 4), ReLU(), ReLU(), Linear(4, 4), Tanh(), ReLU(), Linear(4, 2), ReLU());
  const Tensor x = randn({5, 3});
  Tensor y = x;
  for (std::size_t i = 0; i < net.size(); ++i) y = net[i](y);
  EXPECT_EQ(doubles(net(x)), doubles(y));
  EXPECT_EQ(doubles(Sequential(ReLU())(x)), doubles(relu(x)));
}

TEST(SequentialRelu, ShowsHooksWhatIsBetween) {
  manual_seed(5);
  const Tensor x = randn({5, 3});
  for (const std::size_t watched : {0, 1}) {
    Sequential net(Linear(3, 4), ReLU());
    Tensor before, after;
    net[watched].register_forward_hook([&](Module&, std::span<const Tensor> inputs, const Tensor& output) {
      before = inputs[0];
      after = output;
      return Tensor();
    });
    const Tensor y = net(x), between = linear(x, net[0].parameters()[0], net[0].parameters()[1]);
    EXPECT_EQ(doubles(watched == 0 ? after : before), doubles(between));
    EXPECT_EQ(doubles(y), doubles(relu(between)));
  }
}

struct Doubled : Linear {
  using Linear::Linear;
  Tensor forward(const Tensor& x) override { return Linear::forward(x) * 2; }
};
struct Leaky : ReLU {
  Tensor forward(const Tensor& x) override { return leaky_relu(x, 0.5); }
};

TEST(SequentialRelu, LeavesClassesOfAUsersOwnAlone) {
  manual_seed(5);
  const Tensor x = randn({5, 3});
  Sequential twice(Doubled(3, 4), ReLU()), leaky(Linear(3, 4), Leaky());
  EXPECT_EQ(doubles(twice(x)), doubles(relu(twice[0](x))));
  EXPECT_EQ(doubles(leaky(x)), doubles(leaky_relu(leaky[0](x), 0.5)));
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

// Channels are dropped as a whole.
TEST(Dropout, DropsChannels) {
  manual_seed(0);
  Dropout2d images(0.25);
  const Tensor y = images(ones({50, 20, 3, 3}));
  const Tensor first = select(select(y, 3, 0), 2, 0);
  EXPECT_TRUE(equal(y, expand(reshape(first, {50, 20, 1, 1}), {50, 20, 3, 3})));
  EXPECT_NEAR(mean(to(first == 0, kFloat32)).item(), 0.25, 0.05);
  EXPECT_NEAR(mean(y).item(), 1, 0.05);
  Dropout1d sequences(0.25);
  EXPECT_EQ(sequences(ones({2, 3, 4})).shape(), (Shape{2, 3, 4}));
  expect_error<ShapeError>([&] { images(ones({2, 3, 4})); }, "[Dropout2d] expected an input of 4 axes");
  expect_error<ShapeError>([&] { sequences(ones({2, 3})); }, "[Dropout1d] expected an input of 3 axes");
}

TEST(Dropout, AlphaKeepsMeanAndVariance) {
  manual_seed(0);
  AlphaDropout layer(0.3);
  const Tensor y = layer(randn({100000}));
  EXPECT_NEAR(mean(y).item(), 0, 0.02);
  EXPECT_NEAR(mean(square(y)).item(), 1, 0.02);
  EXPECT_EQ(max(abs(AlphaDropout(1.0)(ones({5})))).item(), 0);
}

TEST(RReLU, DrawsSlopesWhileTraining) {
  manual_seed(0);
  RReLU layer({0.1, 0.5});
  const Tensor y = layer(full({10000}, -1.0));
  EXPECT_LE(max(y).item(), -0.1);
  EXPECT_GE(min(y).item(), -0.5);
  EXPECT_NEAR(mean(y).item(), -0.3, 0.01);
  EXPECT_TRUE(equal(layer(ones({3})), ones({3})));
  layer.eval();
  EXPECT_NEAR(layer(tensor({-1.f})).item(), -0.3, 1e-6);
  EXPECT_THROW(RReLU({0.5, 0.1}), ValueError);
}

// Options that do not go together, and inputs that do not fit, name the layer.
TEST(Layers, SayWhatDoesNotFit) {
  expect_error<ValueError>([] { Conv2d(0, 3, 3); },
                           "[Conv2d] in_channels and out_channels must be at least 1, found 0 and 3");
  expect_error<ValueError>([] { Conv2d({.in_channels = 3, .out_channels = 4, .kernel_size = 1, .groups = 2}); },
                           "[Conv2d] in_channels = 3 and out_channels = 4 must be multiples of groups = 2");
  expect_error<ValueError>(
      [] { Conv1d({.in_channels = 1, .out_channels = 1, .kernel_size = 3, .stride = 2, .padding = "same"}); },
      "[Conv1d] padding = 'same' needs stride = 1, found (2,)");
  expect_error<ValueError>([] { Conv2d(1, 1, 3, 1, -1); }, "[Conv2d] padding must not be negative, found (-1, -1)");
  expect_error<ValueError>([] { Conv2d(1, 1, 3, 1, "some"); },
                           "padding 'some' is not known, expected 'same' or 'valid'");
  expect_error<ValueError>([] { ConvTranspose2d(1, 1, 3, 0); }, "[ConvTranspose2d] kernel_size, stride and dilation");
  expect_error<ShapeError>(
      [] {
        Conv2d(2, 3, 3)(ones({1, 1, 5, 5}));
      },
      "[conv2d] the input [1, 1, 5, 5] has 1 channels");
  expect_error<ValueError>([] { BatchNorm1d(0); }, "[BatchNorm1d] num_features must be at least 1, found 0");
  expect_error<ShapeError>([] { BatchNorm2d(3)(ones({2, 3})); }, "[BatchNorm2d] expected [N, C, H, W], found [2, 3]");
  expect_error<ShapeError>(
      [] {
        BatchNorm1d(3)(ones({1, 3}));
      },
      "expected more than one value for each channel in training");
  expect_error<ShapeError>(
      [] {
        InstanceNorm1d(3)(ones({2, 4, 5}));
      },
      "[InstanceNorm1d] expected 3 channels, found [2, 4, 5]");
  expect_error<ValueError>([] { GroupNorm(2, 3); },
                           "[GroupNorm] num_channels must be a multiple of num_groups, found 3 and 2");
  expect_error<ValueError>([] { LayerNorm(LayerNormOptions{}); },
                           "[LayerNorm] normalized_shape must have at least one axis");
  expect_error<ValueError>([] { Embedding(0, 3); }, "[Embedding] num_embeddings and embedding_dim must be at least 1");
  expect_error<IndexError>([] { Embedding({.num_embeddings = 3, .embedding_dim = 2, .padding_idx = 3}); },
                           "[Embedding] padding_idx 3 is out of range for 3 rows");
  expect_error<ShapeError>(
      [] {
        PositionalEncoding({.d_model = 4, .max_len = 2})(ones({3, 1, 4}));
      },
      "[PositionalEncoding] the sequence has 3 places, expected at most max_len = 2");
  expect_error<ValueError>([] { MultiheadAttention(5, 2); },
                           "[MultiheadAttention] embed_dim must be a multiple of num_heads");
  const Tensor x = ones({3, 2, 4});
  expect_error<ShapeError>([&] { MultiheadAttention(4, 2)(x, x, ones({2, 2, 4})); }, "as many keys as values");
  expect_error<ShapeError>(
      [&] {
        MultiheadAttention(4, 2)(x, x, x, {.attn_mask = ones({2, 3}, kBool)});
      },
      "[MultiheadAttention] attn_mask is [2, 3], expected [3, 3] or [4, 3, 3]");
  expect_error<ShapeError>(
      [&] {
        MultiheadAttention(4, 2)(x, x, x, {.key_padding_mask = ones({3, 2}, kBool)});
      },
      "[MultiheadAttention] key_padding_mask is [3, 2], expected [2, 3]");
  expect_error<DtypeError>(
      [&] {
        MultiheadAttention(4, 2)(x, x, x, {.attn_mask = ones({3, 3}, kInt64)});
      },
      "[MultiheadAttention] attn_mask is int64, expected bool or the query's float32");
  expect_error<ShapeError>(
      [] {
        Bilinear(2, 3, 1)(ones({4, 2}), ones({5, 3}));
      },
      "[Bilinear] expected inputs [.., 2] and [.., 3], found [4, 2] and [5, 3]");
  expect_error<ValueError>([] { Upsample(UpsampleOptions{}); },
                           "[Upsample] expected either a size or a scale_factor, found neither");
  expect_error<ValueError>([] { ZeroPad2d({{1, 2}}); }, "[ZeroPad2d] expected one margin, or 4, found [1, 2]");
  expect_error<ValueError>([] { Add().call({}); }, "[Add] found no inputs");
}

// A place that may look nowhere gives what the projection makes of zeros, where PyTorch has NaN.
TEST(MultiheadAttention, LookingNowhereIsNotNan) {
  manual_seed(0);
  MultiheadAttention attention(4, 2);
  const Tensor x = randn({3, 1, 4}), nowhere = ones({1, 3}, kBool);
  const AttentionOutput result = attention(x, x, x, {.key_padding_mask = nowhere});
  EXPECT_TRUE(allclose(result.output, expand(attention.out_proj.bias, {3, 1, 4})));
  EXPECT_EQ(max(abs(result.weights)).item(), 0);
}

TEST(Transformer, MaskOfTheFuture) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(Transformer::generate_square_subsequent_mask(2).to_vector<float>(), (std::vector<float>{0, -inf, 0, 0}));
  TransformerLayerOptions options;
  options.d_model = 4;
  options.nhead = 2;
  options.dropout = 0;
  options.is_causal = true;
  TransformerEncoderLayer layer(options);
  const Tensor x = randn({4, 1, 4});
  Tensor changed = clone(x);
  Tensor last = select(changed, 0, 3);
  fill_(last, 7);
  EXPECT_TRUE(equal(narrow(layer.forward(x), 0, 0, 3), narrow(layer.forward(changed), 0, 0, 3)));
}

// Of an embedding the rows that are looked up learn, and the row of the padding does not.
TEST(Embedding, LearnsTheRowsThatItGives) {
  Embedding layer({.num_embeddings = 4, .embedding_dim = 2, .padding_idx = -1});
  EXPECT_EQ(layer.options().padding_idx, 3);
  sum(layer(tensor({{1, 3}, {1, 0}}))).backward();
  EXPECT_EQ(layer.weight.grad().to_vector<float>(), (std::vector<float>{1, 1, 2, 2, 0, 0, 0, 0}));
  EXPECT_EQ(max(abs(select(layer.weight, 0, 3))).item(), 0);
  EXPECT_THROW(layer(tensor({4})), IndexError);
}

TEST(Losses, TakeTheirInputsOneByOne) {
  const Tensor a = randn({4, 3}), b = randn({4, 3}), c = randn({4, 3}), signs = tensor({1.f, -1.f, 1.f, -1.f});
  EXPECT_TRUE(equal(GaussianNLLLoss()(a, b, square(c)), gaussian_nll_loss(a, b, square(c))));
  EXPECT_TRUE(equal(TripletMarginLoss()(a, b, c), triplet_margin_loss(a, b, c)));
  EXPECT_TRUE(equal(CosineEmbeddingLoss()(a, b, signs), cosine_embedding_loss(a, b, signs)));
  EXPECT_TRUE(equal(MarginRankingLoss()(a, b, ones({4, 3})), margin_ranking_loss(a, b, ones({4, 3}))));
  const Tensor log_probs = log_softmax(randn({5, 2, 3}), -1), targets = tensor({{1, 2}, {2, 1}}),
               lengths = tensor({5, 4});
  EXPECT_TRUE(equal(CTCLoss()(log_probs, targets, lengths, tensor({2, 1})),
                    ctc_loss(log_probs, targets, lengths, tensor({2, 1}))));
  expect_error<ShapeError>([&] { TripletMarginLoss()(a, b); },
                           "[TripletMarginLoss] expected an input [N, 3, D], found [4, 3]");
  expect_error<ValueError>(
      [&] {
        CTCLoss()(log_softmax(randn({1, 5, 3}), -1), tensor({{1, -1, 2}}));
      },
      "[CTCLoss] found a label behind the filling of a target");
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
                           "/model/layers/4: 'layers' is missing", "/model/layers/5/layers: found the number 3",
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
