// Images whose channels come last in memory are pooled a vector of channels at a time: against the same images in rows,
// for numbers of channels that fill vectors and that do not.
#include "eigengrad/ops/pooling.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/layouts.h"

namespace eigengrad::tests {
namespace {

// What is pooled, and its gradient.
std::vector<Tensor> pooled(const Tensor& x, const std::function<Tensor(const Tensor&)>& pool) {
  const Tensor leaf = x.detach().set_requires_grad();
  const Tensor y = pool(leaf);
  Generator generator(3);
  y.backward(rand(y.shape(), y.dtype(), generator));
  return {y.detach(), leaf.grad()};
}

struct Pooling {
  const char* name;
  std::function<Tensor(const Tensor&)> pool;
};

class ChannelsLast : public testing::TestWithParam<Pooling> {};

TEST_P(ChannelsLast, AsInRows) {
  Generator generator(2);
  for (const std::int64_t channels : {1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 20, 30, 33})
    for (const Dtype dtype : {kFloat32, kFloat64})
      for (const Shape& size : {Shape{4, 6}, Shape{6, 6}, Shape{7, 5}}) {
        const Tensor x = randn({2, channels, size[0], size[1]}, dtype, generator);
        const auto rows = pooled(x, GetParam().pool), last = pooled(with_channels_last(x), GetParam().pool);
        for (std::size_t i : {0U, 1U})
          EXPECT_TRUE(allclose(rows[i], last[i], 1e-5, 1e-6))
              << (i == 0 ? "result" : "gradient") << " of " << channels << " channels, " << size[0] << " x " << size[1]
              << ", " << to_string(dtype);
      }
}

INSTANTIATE_TEST_SUITE_P(
    Windows, ChannelsLast,
    testing::Values(Pooling{"tiles", [](const Tensor& x) { return max_pool2d(x, 2); }},
                    Pooling{"tiles_of_three", [](const Tensor& x) { return max_pool2d(x, 3); }},
                    Pooling{"flat_tiles",
                            [](const Tensor& x) {
                              return max_pool2d(x, {1, 2});
                            }},
                    Pooling{"overlapping",
                            [](const Tensor& x) { return max_pool2d(x, 3, {.stride = 1, .padding = 1}); }},
                    Pooling{"with_gaps", [](const Tensor& x) { return max_pool2d(x, 1, {.stride = 2}); }},
                    Pooling{"dilated", [](const Tensor& x) { return max_pool2d(x, 2, {.stride = 1, .dilation = 2}); }},
                    Pooling{"averages", [](const Tensor& x) { return avg_pool2d(x, 2); }},
                    Pooling{"adaptive",
                            [](const Tensor& x) {
                              return adaptive_max_pool2d(x, {2, 3});
                            }}),
    [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace eigengrad::tests
