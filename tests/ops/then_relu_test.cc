// Products and convolutions with relu behind them, in one: against the two ops one after the other, to the bit.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/engine.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/on_engines.h"

namespace eigengrad {
namespace {

class ThenRelu : public tests::OnEngines {
 protected:
  void SetUp() override { manual_seed(3); }
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && all(logical_or(a == b, logical_and(a != a, b != b))).item<bool>();
}

// Both ways on every engine: results and gradients.
template <class One, class Two>
void expect_same(const std::string& what, const std::vector<Tensor>& inputs, One one, Two two) {
  for (const EngineInfo& engine : engines()) {
    set_engine(engine.name);
    const std::vector<Tensor> found = tests::results(inputs, one), expected = tests::results(inputs, two);
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_TRUE(same_bits(found[i], expected[i])) << what << " on " << engine.name << ", result " << i;
    EXPECT_GE(min(found[0]).item(), 0) << what;
    EXPECT_GT(max(found[0]).item(), 0) << what;
  }
}

void expect_same_linear(const Tensor& x, const Tensor& weight, const Tensor& bias = Tensor()) {
  std::vector<Tensor> inputs{x, weight};
  if (bias.defined()) inputs.push_back(bias);
  const auto bias_of = [](const std::vector<Tensor>& in) { return in.size() == 3 ? in[2] : Tensor(); };
  expect_same(
      "linear " + to_string(x.shape()) + " " + to_string(weight.shape()), inputs,
      [&](const auto& in) { return linear_relu(in[0], in[1], bias_of(in)); },
      [&](const auto& in) { return relu(linear(in[0], in[1], bias_of(in))); });
}

// One row or few, many terms, results that are cut by terms, and those that are better turned over.
TEST_F(ThenRelu, OfProducts) {
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    for (const auto& [rows, in, out] : std::vector<std::array<std::int64_t, 3>>{{1, 3, 2},
                                                                                {1, 300, 77},
                                                                                {2, 300, 77},
                                                                                {5, 40, 33},
                                                                                {24, 100, 130},
                                                                                {64, 784, 128},
                                                                                {200, 1000, 70},
                                                                                {33, 9000, 20},
                                                                                {300, 40, 3}}) {
      expect_same_linear(randn({rows, in}), randn({out, in}), randn({out}));
      expect_same_linear(randn({rows, in}, kFloat64), randn({out, in}, kFloat64));
    }
    expect_same_linear(to(randn({70, 50}), kBFloat16), to(randn({60, 50}), kBFloat16), to(randn({60}), kBFloat16));
    const Autocast autocast;
    expect_same_linear(randn({70, 50}), randn({60, 50}), randn({60}));
  }
}

struct ConvolutionCase {
  std::string name;
  Shape x, weight;
  Conv2dOptions options = {};
};

TEST_F(ThenRelu, OfConvolutions) {
  const std::vector<ConvolutionCase> cases{
      {"of few channels", {3, 1, 12, 12}, {6, 1, 5, 5}, {.padding = 2}},
      {"of many terms", {2, 20, 9, 9}, {24, 20, 5, 5}},
      {"by Winograd's algorithm", {4, 17, 13, 11}, {18, 17, 3, 3}, {.padding = 1}},
      {"with strides", {2, 8, 11, 10}, {12, 8, 3, 3}, {.stride = 2, .padding = 1, .dilation = 2}},
      {"of few windows", {1, 8, 6, 6}, {64, 8, 3, 3}},
      {"depthwise", {2, 19, 8, 8}, {19, 1, 3, 3}, {.padding = 1, .groups = 19}},
      {"in groups", {2, 16, 8, 8}, {24, 8, 3, 3}, {.groups = 2}},
      {"in groups of few channels", {2, 6, 8, 8}, {6, 2, 3, 3}, {.groups = 3}},
      {"pointwise", {2, 12, 7, 7}, {20, 12, 1, 1}},
  };
  for (const int threads : {1, 4})
    for (const ConvolutionCase& c : cases) {
      set_num_threads(threads);
      const auto both = [&](const std::vector<Tensor>& inputs) {
        expect_same(
            "convolution " + c.name, inputs,
            [&](const auto& in) { return conv2d_relu(in[0], in[1], in[2], c.options); },
            [&](const auto& in) { return relu(conv2d(in[0], in[1], in[2], c.options)); });
        expect_same(
            "convolution without bias " + c.name, {inputs[0], inputs[1]},
            [&](const auto& in) { return conv2d_relu(in[0], in[1], Tensor(), c.options); },
            [&](const auto& in) { return relu(conv2d(in[0], in[1], Tensor(), c.options)); });
      };
      const std::int64_t out = c.weight[0];
      both({randn(c.x), randn(c.weight), randn({out})});
      both({randn(c.x, kFloat64), randn(c.weight, kFloat64), randn({out}, kFloat64)});
      const Autocast autocast;
      both({randn(c.x), randn(c.weight), randn({out})});
    }
}

TEST_F(ThenRelu, KeepsNaN) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  for (const EngineInfo& engine : engines()) {
    set_engine(engine.name);
    for (const std::int64_t rows : {1, 5, 64}) {
      const Tensor y = linear_relu(full({rows, 100}, kNaN), ones({40, 100}));
      EXPECT_TRUE(all(y != y).item<bool>()) << rows << " rows on " << engine.name;
    }
    for (const std::int64_t channels : {1, 3, 16}) {
      const Tensor y = conv2d_relu(full({4, channels, 12, 12}, kNaN), ones({16, channels, 3, 3}));
      EXPECT_TRUE(all(y != y).item<bool>()) << channels << " channels on " << engine.name;
    }
  }
}

TEST_F(ThenRelu, IsOneNode) {
  const Tensor x = randn({4, 3}), w = randn({2, 3}).set_requires_grad();
  const Tensor y = linear_relu(x, w);
  EXPECT_EQ(y.impl().node->name(), "linear");
  EXPECT_EQ(y.impl().node->attributes(), (Attributes{{"activation", "relu"}}));
  const Tensor z = conv2d_relu(randn({1, 2, 4, 4}), randn({2, 2, 3, 3}).set_requires_grad());
  EXPECT_EQ(z.impl().node->attributes().back(), (Attributes{{"activation", "relu"}}).back());
}

}  // namespace
}  // namespace eigengrad
