// The engines against each other, and against themselves on other numbers of threads.
#include "eigengrad/ops/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/on_engines.h"

namespace {

using namespace eigengrad;

using tests::results;
using Engines = tests::OnEngines;

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : max(abs(x)).item(); }

void expect_agreement(const std::string& what, const std::vector<Tensor>& inputs,
                      const std::function<Tensor(std::vector<Tensor>)>& f) {
  set_engine("eigen");
  const std::vector<Tensor> expected = results(inputs, f);
  for (const EngineInfo& engine : engines()) {
    set_engine(engine.name);
    set_num_threads(1);
    const std::vector<Tensor> found = results(inputs, f);
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(found[i].shape(), expected[i].shape()) << what;
      const double scale = 1e-30 + largest(expected[i]);
      EXPECT_LE(largest(found[i] - expected[i]), 1e-5 * scale) << engine.name << ", " << what << ", result " << i;
    }
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const std::vector<Tensor> again = results(inputs, f);
      for (std::size_t i = 0; i < found.size(); ++i)
        EXPECT_TRUE(all(eq(again[i], found[i])).item<bool>())
            << engine.name << ", " << what << ", result " << i << ": other bits on " << threads << " threads";
    }
  }
}

struct Case {
  Shape x, weight;
  Conv2dOptions options;
};

const std::vector<Case>& convolutions() {
  static const std::vector<Case> cases{
      {{4, 1, 28, 28}, {6, 1, 5, 5}, {.stride = 1, .padding = 2}},
      {{3, 6, 14, 14}, {16, 6, 5, 5}, {}},
      {{8, 32, 13, 13}, {64, 32, 3, 3}, {.stride = 1, .padding = 1}},
      {{6, 16, 15, 11}, {32, 16, 3, 3}, {.stride = 2, .padding = 1}},
      {{5, 16, 16, 16}, {32, 16, 1, 1}, {.stride = 2}},
      {{2, 8, 12, 12}, {8, 8, 3, 3}, {.stride = 1, .padding = 2, .dilation = 2}},
      {{2, 8, 12, 12}, {16, 4, 3, 3}, {.stride = 1, .padding = 1, .dilation = 1, .groups = 2}},
      {{2, 32, 9, 9}, {32, 1, 3, 3}, {.stride = 1, .padding = 1, .dilation = 1, .groups = 32}},
      {{5, 45, 9, 7}, {45, 1, 3, 2}, {.stride = {2, 1}, .padding = {1, 1}, .dilation = {1, 2}, .groups = 45}},
      {{20, 3, 6, 8}, {3, 1, 5, 5}, {.stride = 3, .padding = 3, .groups = 3}},
      {{2, 24, 5, 23}, {24, 1, 3, 7}, {.stride = {1, 2}, .padding = {1, 4}, .dilation = {1, 2}, .groups = 24}},
      {{2, 16, 3, 3}, {16, 1, 1, 1}, {.stride = 2, .groups = 16}},
      {{2, 6, 9, 9}, {12, 1, 3, 3}, {.stride = 1, .padding = 1, .groups = 6}},  // two outputs for each channel
      {{1, 3, 7, 9}, {5, 3, 2, 3}, {.stride = {3, 2}, .padding = {0, 1}}},
      {{16, 64, 8, 8}, {64, 64, 3, 3}, {.stride = 1, .padding = 1}},
      {{1, 17, 4, 1}, {3, 17, 4, 1}, {}},
      {{1, 40, 6, 6}, {50, 40, 3, 3}, {.stride = 1, .padding = 1}},  // few windows
      {{2, 20, 9, 5}, {24, 20, 3, 2}, {.stride = 2, .padding = 1}},
      {{3, 5, 6, 7}, {9, 5, 3, 3}, {.stride = 3, .padding = 2, .dilation = 2}},  // pixels under no window
      {{2, 4, 5, 5}, {6, 4, 2, 2}, {.stride = 3}},
      {{3, 7, 9, 8}, {5, 7, 3, 3}, {.stride = {1, 2}, .padding = {2, 1}}},  // odd numbers of all that comes in pairs
      {{2, 3, 12, 11}, {8, 3, 5, 5}, {.stride = 1, .padding = 2, .dilation = 2}},  // few channels
      {{3, 5, 13, 9}, {12, 5, 4, 3}, {.stride = {2, 1}, .padding = {1, 2}}},
      {{2, 6, 7, 9}, {9, 2, 3, 4}, {.stride = {2, 1}, .padding = {0, 2}, .dilation = {1, 2}, .groups = 3}},
      {{3, 1, 12, 16}, {1, 1, 5, 5}, {.stride = 1, .padding = 2}},  // few output channels: windows side by side
      {{2, 3, 9, 12}, {2, 3, 3, 3}, {.stride = 1, .padding = 1}},
      {{2, 20, 8, 12}, {3, 20, 3, 3}, {.stride = 1, .padding = 1}},
      {{3, 2, 11, 19}, {2, 2, 3, 5}, {.stride = 2, .padding = {1, 2}}},
      {{8, 4, 10, 14}, {2, 4, 2, 5}, {.stride = {1, 3}, .padding = {0, 2}}},
  };
  return cases;
}

TEST_F(Engines, AgreeOnConvolutions) {
  manual_seed(1);
  for (const Case& c : convolutions()) {
    const Tensor x = randn(c.x), weight = randn(c.weight), bias = randn({c.weight[0]});
    const std::string what = fmt::format("conv2d of {} by {}", to_string(c.x), to_string(c.weight));
    expect_agreement(what, {x, weight, bias}, [&](const auto& in) { return conv2d(in[0], in[1], in[2], c.options); });
    expect_agreement(what + " without bias", {x, weight},
                     [&](const auto& in) { return conv2d(in[0], in[1], Tensor(), c.options); });
    const auto through_images = [&](const auto& in) {
      // Channels last from one convolution to the next, through all that images go through.
      const Tensor y = relu(conv2d(in[0], in[1], in[2], c.options));
      const Tensor normal = batch_norm(y, Tensor(), Tensor(), Tensor(), Tensor(), {.training = true});
      return flatten(avg_pool2d(max_pool2d(pad(normal, {0, 3, 0, 3}), 2, {.stride = 1}), 2), 1) + mean(y);
    };
    if (c.x[0] * c.x[2] > 8) expect_agreement(what + " in a net", {x, weight, bias}, through_images);
  }
}

// Layers of any numbers of channels one behind the other, as they lie in memory there.
class RandomNet {
 public:
  explicit RandomNet(unsigned seed) : random_(seed) {
    const Shape x{between(1, 3), between(1, 40), 2 * between(2, 8), 2 * between(2, 8)};
    inputs_.push_back(randn(x, kFloat64));
    channels_ = x[1];
    extents_ = {x[2], x[3]};
    for (std::int64_t layers = between(1, 3); layers > 0; --layers) {
      add_convolution();
      if (between(0, 1) == 0) layers_.emplace_back([](const Tensor& y, const auto&) { return relu(y); });
      if (between(0, 2) != 0) add_pooling();
    }
  }
  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::string& name() const { return name_; }
  Tensor operator()(const std::vector<Tensor>& in) const {
    Tensor y = in[0];
    for (const auto& layer : layers_) y = layer(y, in);
    return y;
  }

 private:
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most - least + 1));
  }
  std::int64_t shorter() const { return std::min(extents_[0], extents_[1]); }
  void pass(std::int64_t kernel, std::int64_t stride, std::int64_t padding) {
    for (std::int64_t& extent : extents_) extent = (extent + 2 * padding - kernel) / stride + 1;
    name_ += fmt::format("{} by {}, {} ", kernel, stride, channels_);
  }
  void add_convolution() {
    const std::int64_t kernel = between(1, std::min<std::int64_t>(5, shorter())), stride = between(0, 3) == 0 ? 2 : 1;
    const std::int64_t padding = kernel / 2, out = between(1, 40);
    const std::size_t at = inputs_.size();
    const double scale = 1 / std::sqrt(static_cast<double>(channels_ * kernel * kernel));
    inputs_.push_back(randn({out, channels_, kernel, kernel}, kFloat64) * scale);
    inputs_.push_back(randn({out}, kFloat64));
    channels_ = out;
    layers_.emplace_back([=](const Tensor& y, const auto& in) {
      return conv2d(y, in[at], in[at + 1], {.stride = stride, .padding = padding});
    });
    name_ += "conv ";
    pass(kernel, stride, padding);
  }
  void add_pooling() {
    const bool largest = between(0, 1) == 0;
    const std::int64_t kernel = between(1, std::min<std::int64_t>(3, shorter()));
    const std::int64_t stride = between(0, 2) == 0 ? between(1, 3) : kernel;
    layers_.emplace_back([=](const Tensor& y, const auto&) {
      return largest ? max_pool2d(y, kernel, {.stride = Pair(stride)})
                     : avg_pool2d(y, kernel, {.stride = Pair(stride)});
    });
    name_ += largest ? "max " : "mean ";
    pass(kernel, stride, 0);
  }

  std::mt19937 random_;
  std::vector<Tensor> inputs_;
  std::vector<std::function<Tensor(const Tensor&, const std::vector<Tensor>&)>> layers_;
  std::int64_t channels_ = 0;
  std::array<std::int64_t, 2> extents_{};
  std::string name_;
};

TEST_F(Engines, AgreeOnRandomNets) {
  manual_seed(9);
  for (unsigned seed = 0; seed < 80; ++seed) {
    const RandomNet net(seed);
    expect_agreement(fmt::format("net {}: {}", seed, net.name()), net.inputs(), net);
  }
}

TEST_F(Engines, AgreeOnTransposedConvolutions) {
  manual_seed(2);
  const Tensor x = randn({4, 16, 7, 7}), weight = randn({16, 8, 3, 3}), bias = randn({8});
  expect_agreement("conv_transpose2d", {x, weight, bias}, [](const auto& in) {
    return conv_transpose2d(in[0], in[1], in[2], {.stride = 2, .padding = 1, .output_padding = 1});
  });
}

TEST_F(Engines, AgreeOnProducts) {
  manual_seed(3);
  for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{1, 1, 1},
                                {3, 5, 7},
                                {31, 33, 32},
                                {64, 784, 128},
                                {128, 100, 10},
                                {1, 300, 500},
                                {2, 70, 400},
                                {3, 129, 33},
                                {5, 100, 130},  // few rows
                                {24, 400, 520},
                                {17, 800, 64},
                                {300, 1, 500},
                                {257, 129, 131},
                                {65, 2500, 33},  // terms in pieces
                                {130, 5001, 70},
                                {2, 9000, 150}})
    for (const bool a_turned : {false, true})
      for (const bool b_turned : {false, true}) {
        const Tensor a = a_turned ? randn({k, m}) : randn({m, k}), b = b_turned ? randn({n, k}) : randn({k, n});
        expect_agreement(fmt::format("{}x{}x{} {}{}", m, k, n, a_turned, b_turned), {a, b}, [&](const auto& in) {
          return matmul(a_turned ? transpose(in[0], 0, 1) : in[0], b_turned ? transpose(in[1], 0, 1) : in[1]);
        });
      }
}

// What lies outside the band is 0: to leave it out changes no bit.
TEST_F(Engines, LeaveOutZerosOutsideABand) {
  using kernels::Band;
  manual_seed(8);
  for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{1, 1, 1}, {13, 20, 33}, {64, 128, 32}, {500, 900, 70}})
    for (const Band band : {Band{.high = 0},
                            {.high = m / 3},
                            {.high = -k - m},
                            {.low = -m / 2},
                            {.low = 7},
                            {.low = k},
                            {.low = -3, .high = 5},
                            {.low = 4, .high = -4}})
      for (const bool is_turned : {false, true}) {
        const Tensor i = reshape(arange(m), {m, 1}), j = arange(k);
        const Tensor inside = logical_and(j >= i + std::max(band.low, -m - k), j <= i + std::min(band.high, m + k));
        const Tensor a = where(inside, randn({m, k}), 0), b = randn({k, n});
        const Tensor stored = is_turned ? contiguous(transpose(a)) : contiguous(a);
        kernels::Matrix left = kernels::row_major(stored.data<float>().data(), m, k);
        if (is_turned) left = kernels::transposed(stored.data<float>().data(), k, m);
        const kernels::Matrix right = kernels::row_major(b.data<float>().data(), k, n);
        for (const kernels::Engine* const engine : kernels::all_engines()) {
          const Tensor whole = empty({m, n}), part = full({m, n}, NAN);
          left.band = {};
          engine->matrix_product(kFloat32, Precision::Float32, whole.raw<float>(), n, left, right);
          left.band = band;
          engine->matrix_product(kFloat32, Precision::Float32, part.raw<float>(), n, left, right);
          EXPECT_TRUE(all(eq(part, whole)).item<bool>())
              << engine->name() << ": " << m << "x" << k << "x" << n << ", " << band.low << " to " << band.high;
        }
      }
}

// With rounded factors too, but for windows of 3×3, which one engine multiplies in float32 all the same.
TEST_F(Engines, AgreeOnConvolutionsInBFloat16) {
  manual_seed(6);
  for (const Case& c : convolutions()) {
    if (c.weight[2] == 3 && c.weight[3] == 3 && c.weight[1] >= 16) continue;
    const std::string what = fmt::format("conv2d in bfloat16 of {} by {}", to_string(c.x), to_string(c.weight));
    expect_agreement(what, {randn(c.x), randn(c.weight), randn({c.weight[0]})}, [&](const auto& in) {
      const Autocast autocast;
      return conv2d(in[0], in[1], in[2], c.options);
    });
  }
}

TEST_F(Engines, ConvolutionsOf3x3AreAtLeastAsExactInBFloat16) {
  manual_seed(8);
  const std::vector<Tensor> inputs{randn({8, 16, 12, 12}), randn({32, 16, 3, 3})};
  const auto convolve = [](const auto& in) { return conv2d(in[0], in[1], Tensor(), {.stride = 1, .padding = 1}); };
  set_engine("eigen");
  const std::vector<Tensor> exact = results(inputs, convolve);
  for (const EngineInfo& engine : engines()) {
    set_engine(engine.name);
    const std::vector<Tensor> found = results(inputs, [&](const auto& in) {
      const Autocast autocast;
      return convolve(in);
    });
    for (std::size_t i = 0; i < exact.size(); ++i)
      EXPECT_LE(largest(found[i] - exact[i]), 0.02 * largest(exact[i])) << engine.name << ", result " << i;
  }
}

// In bfloat16 all engines round the same factors; float32 differs from them by its 8 bits.
TEST_F(Engines, AutocastRoundsFactorsAlone) {
  manual_seed(5);
  const auto check = [](const std::string& what, const std::vector<Tensor>& inputs,
                        const std::function<Tensor(std::vector<Tensor>)>& f) {
    const auto low = [&](const std::vector<Tensor>& in) {
      const Autocast autocast;
      return f(in);  // backward() runs when it has ended, and still multiplies in bfloat16
    };
    expect_agreement("autocast " + what, inputs, low);
    const std::vector<Tensor> exact = results(inputs, f), rounded = results(inputs, low);
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double error = largest(rounded[i] - exact[i]) / largest(exact[i]);
      EXPECT_LE(error, 0.02) << what << ", result " << i;
      EXPECT_GE(error, 1e-5) << what << ", result " << i << " is not rounded";
    }
  };
  check("linear", {randn({64, 100}), randn({50, 100})}, [](const auto& in) { return linear(in[0], in[1]); });
  check("matmul", {randn({3, 64, 40}), randn({3, 40, 50})}, [](const auto& in) { return matmul(in[0], in[1]); });
  check("conv2d", {randn({8, 16, 12, 12}), randn({32, 16, 5, 5})},
        [](const auto& in) { return conv2d(in[0], in[1], Tensor(), {.stride = 1, .padding = 2}); });
  const std::vector<Tensor> sequence{randn({2, 40, 32}), randn({40, 48}), randn({192, 32}) * 0.1,
                                     randn({192, 48}) * 0.1};
  check("lstm", sequence, [](const auto& in) {
    return lstm(in[0], in[1], zeros({40, 48}), {in[2], in[3], Tensor(), Tensor()}).h;
  });
  check("gru", {sequence[0], sequence[1], randn({144, 32}) * 0.1, randn({144, 48}) * 0.1}, [](const auto& in) {
    return gru(in[0], in[1], {in[2], in[3], Tensor(), Tensor()});
  });
  check("rnn", {sequence[0], sequence[1], randn({48, 32}) * 0.1, randn({48, 48}) * 0.1}, [](const auto& in) {
    return rnn(in[0], in[1], {in[2], in[3], Tensor(), Tensor()});
  });
  check("attention", {randn({2, 3, 80, 16}), randn({2, 3, 80, 16}), randn({2, 3, 80, 16})},
        [](const auto& in) { return scaled_dot_product_attention(in[0], in[1], in[2], {.is_causal = true}); });
  const Tensor a = randn({64, 64}, kFloat64), b = randn({64, 64}, kFloat64), exact = matmul(a, b);
  const Autocast autocast;
  EXPECT_TRUE(all(eq(matmul(a, b), exact)).item<bool>()) << "float64 is not touched";
}

TEST_F(Engines, GradientsOfLeavesAreRowMajor) {
  manual_seed(4);
  for (const EngineInfo& engine : engines()) {
    set_engine(engine.name);
    const std::vector<Tensor> all =
        results({randn({2, 8, 6, 6}), randn({16, 8, 3, 3})}, [](const auto& in) { return conv2d(in[0], in[1]); });
    EXPECT_TRUE(all[1].is_contiguous());
    EXPECT_TRUE(all[2].is_contiguous());
  }
}

TEST_F(Engines, AreKnownByName) {
  EXPECT_EQ(engines().back().name, "eigen");
  set_engine("eigen");
  EXPECT_EQ(engine_name(), "eigen");
  try {
    set_engine("abacus");
    FAIL();
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find("no engine \"abacus\", expected one of "), std::string::npos)
        << error.what();
  }
}

}  // namespace
