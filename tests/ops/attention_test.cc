// What the table of ops does not tell of attention: factors that turn the order of the scores around or take it away,
// and scores that are large.
#include <gtest/gtest.h>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item<double>(); }

// What it gives, and the gradients of query, key and value.
std::vector<Tensor> results(const Tensor& query, const Tensor& key, const Tensor& value,
                            const AttentionOptions& options) {
  std::vector<Tensor> in;
  for (const Tensor* const x : {&query, &key, &value}) in.push_back(contiguous(*x).detach().set_requires_grad());
  const Tensor y = scaled_dot_product_attention(in[0], in[1], in[2], options);
  y.backward(ones(y.shape(), y.dtype()) * 0.5);
  return {y.detach(), in[0].grad(), in[1].grad(), in[2].grad()};
}

// Scores so far apart that e to their difference would be infinite.
TEST(Attention, TakesFactorsBelowZero) {
  manual_seed(5);
  for (const Dtype dtype : {kFloat32, kFloat64}) {
    const Tensor q = randn({2, 40, 8}, dtype) * 10, k = randn({2, 40, 8}, dtype) * 10, v = randn({2, 40, 8}, dtype);
    for (const bool causal : {false, true}) {
      const std::vector<Tensor> turned = results(q, k, v, {.is_causal = causal, .scale = -1});
      const std::vector<Tensor> expected = results(-q, k, v, {.is_causal = causal, .scale = 1});
      EXPECT_LE(distance(turned[0], expected[0]), 1e-4);
      EXPECT_LE(distance(turned[1], -expected[1]), 1e-2);
      EXPECT_LE(distance(turned[2], expected[2]), 1e-2);
      EXPECT_LE(distance(turned[3], expected[3]), 1e-4);
    }
  }
}

TEST(Attention, MixesAllAlikeWithAFactorOfZero) {
  manual_seed(6);
  const Tensor q = randn({70, 8}), k = randn({50, 8}), v = randn({50, 4});
  const std::vector<Tensor> mixed = results(q, k, v, {.scale = 0});
  EXPECT_LE(distance(mixed[0], expand(mean(v, {0}, true), {70, 4})), 1e-6);
  EXPECT_EQ(max(abs(mixed[1])).item<double>(), 0);
  EXPECT_EQ(max(abs(mixed[2])).item<double>(), 0);
  EXPECT_LE(distance(mixed[3], full({50, 4}, 0.5 * 70 / 50)), 1e-5);
}

// The power of the largest score is 1 to the bit, or its rounding error would be multiplied by it.
TEST(Attention, BearsLargeScores) {
  for (const std::int64_t depth : {3, 8, 32, 128})
    for (const double size : {2e4, 5e4, 1e5}) {
      const Tensor q = full({20, depth}, size), k = cat({full({1, depth}, size), full({19, depth}, -size)}, 0);
      const Tensor v = reshape(arange(20, kFloat32), {20, 1});
      EXPECT_EQ(max(abs(scaled_dot_product_attention(q, k, v))).item<double>(), 0) << depth << " of " << size;
    }
}

}  // namespace
}  // namespace eigengrad
