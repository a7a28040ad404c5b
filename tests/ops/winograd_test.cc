// Winograd's algorithm against sums in double: its errors beside those of sums in float32, at every edge of the image.
#include "eigengrad/ops/kernels/own_winograd.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/engine.h"
#include "eigengrad/ops/ops.h"

namespace {

using namespace eigengrad;

class Winograd : public ::testing::Test {
 protected:
  void SetUp() override {
    set_engine("own");
    manual_seed(11);
  }
  void TearDown() override { set_engine(engine_); }

 private:
  const std::string engine_ = engine_name();
};

// Output, and gradients of input, weight and bias.
std::vector<Tensor> convolve(const Tensor& image, const Tensor& kernel, const Tensor& add, const Tensor& grad,
                             std::int64_t padding) {
  const Tensor x = image.detach().set_requires_grad(), w = kernel.detach().set_requires_grad(),
               b = add.detach().set_requires_grad();
  const Tensor y = conv2d(x, w, b, {.stride = 1, .padding = padding});
  y.backward(grad);
  return {y.detach(), x.grad(), w.grad(), b.grad()};
}

double relative_error(const Tensor& found, const Tensor& exact) {
  const Tensor difference = to(found, kFloat64) - exact;
  return std::sqrt(mean(square(difference)).item() / mean(square(exact)).item());
}

kernels::ConvolutionShape shape_of(const Tensor& x, const Tensor& w, std::int64_t padding) {
  const std::int64_t height = x.size(2) + 2 * padding - 2, width = x.size(3) + 2 * padding - 2;
  return {kFloat32,  x.size(0), x.size(1), x.size(2), x.size(3),
          w.size(0), height,    width,     1,         {{3, 3}, {1, 1}, {padding, padding}, {1, 1}}};
}

TEST_F(Winograd, ErrorsAreFewTimesThoseOfSums) {
  const std::vector<std::array<std::int64_t, 6>> cases{
      // images, channels, height, width, outputs, padding
      {4, 16, 12, 12, 16, 1}, {24, 16, 4, 4, 32, 1},  {5, 33, 13, 9, 17, 0},   {2, 64, 16, 16, 64, 1},
      {6, 20, 7, 11, 70, 2},  {2, 256, 8, 24, 40, 1}, {1, 512, 15, 30, 48, 1}, {24, 400, 5, 3, 24, 1}};
  for (const auto& [images, channels, height, width, outputs, padding] : cases) {
    const std::string what =
        fmt::format("{}x{}x{}x{} to {}, padding {}", images, channels, height, width, outputs, padding);
    const Tensor x = relu(randn({images, channels, height, width}));
    const Tensor w = randn({outputs, channels, 3, 3}) * (1 / std::sqrt(9.0 * static_cast<double>(channels)));
    const Tensor b = randn({outputs});
    ASSERT_TRUE(kernels::suits_winograd(shape_of(x, w, padding))) << what;
    const Tensor g = randn({images, outputs, height + 2 * padding - 2, width + 2 * padding - 2});
    const auto wide = [](const Tensor& t) { return to(t, kFloat64); };
    set_engine("eigen");
    const std::vector<Tensor> exact = convolve(wide(x), wide(w), wide(b), wide(g), padding);
    const std::vector<Tensor> sums = convolve(x, w, b, g, padding);
    set_engine("own");
    const std::vector<Tensor> found = convolve(x, w, b, g, padding);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double error = relative_error(found[i], exact[i]), of_sums = relative_error(sums[i], exact[i]);
      EXPECT_LT(error, 1.5e-6) << what << ", result " << i;
      EXPECT_LT(error, 10 * of_sums + 1e-7) << what << ", result " << i << "; sums " << of_sums;
      RecordProperty(fmt::format("{} {}", what, i), fmt::format("{:.2g} beside {:.2g}", error, of_sums));
    }
  }
}

TEST_F(Winograd, IsUsedWhereItApplies) {
  const Tensor x = randn({4, 32, 16, 16}), w = randn({32, 32, 3, 3});
  EXPECT_TRUE(kernels::suits_winograd(shape_of(x, w, 1)));
  const auto changed = [&](auto change) {
    kernels::ConvolutionShape shape = shape_of(x, w, 1);
    change(shape);
    return kernels::suits_winograd(shape);
  };
  EXPECT_FALSE(changed([](auto& s) { s.window.stride = {2, 2}; }));
  EXPECT_FALSE(changed([](auto& s) { s.window.dilation = {1, 2}; }));
  EXPECT_FALSE(changed([](auto& s) { s.window.kernel = {3, 5}; }));
  EXPECT_FALSE(changed([](auto& s) { s.window.padding = {3, 1}; }));
  EXPECT_FALSE(changed([](auto& s) { s.groups = 2; }));
  EXPECT_FALSE(changed([](auto& s) { s.channels = 3; }));
  EXPECT_TRUE(changed([](auto& s) { s.images = 1; }));
  EXPECT_FALSE(changed([](auto& s) { s.images = 1, s.out_height = 8; }));  // two rows of tiles
}

// NaN and infinity of one pixel reach every result that depends on it.
TEST_F(Winograd, NotFiniteNumbersTravel) {
  const Tensor w = randn({16, 16, 3, 3});
  Tensor x = randn({24, 16, 4, 4});
  x.mutable_data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = conv2d(x, w, Tensor(), {.stride = 1, .padding = 1});
  EXPECT_TRUE(std::isnan(y[{0, 3, 0, 0}].item()));
  EXPECT_TRUE(std::isnan(y[{0, 3, 2, 2}].item()));
  EXPECT_TRUE(std::isfinite(y[{1, 3, 2, 2}].item()));
}

}  // namespace
