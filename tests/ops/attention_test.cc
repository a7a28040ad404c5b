// What the table of ops does not tell of attention: factors that turn the order of the scores around, or take it away.
#include <gtest/gtest.h>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

double distance(const Tensor& a, const Tensor& b) { return max(abs(a - b)).item<double>(); }

// Scores so far apart that e to their difference would be infinite: a softmax that takes the largest score away before
// it multiplies by the factor overflows.
TEST(Attention, TakesFactorsBelowZero) {
  manual_seed(5);
  for (const Dtype dtype : {kFloat32, kFloat64}) {
    const Tensor q = randn({2, 40, 8}, dtype) * 10, k = randn({2, 40, 8}, dtype) * 10, v = randn({2, 40, 8}, dtype);
    for (const bool causal : {false, true}) {
      const Tensor turned = scaled_dot_product_attention(q, k, v, {.is_causal = causal, .scale = -1});
      const Tensor expected = scaled_dot_product_attention(-q, k, v, {.is_causal = causal, .scale = 1});
      EXPECT_LE(distance(turned, expected), 1e-4);
    }
  }
}

TEST(Attention, MixesAllAlikeWithAFactorOfZero) {
  manual_seed(6);
  const Tensor q = randn({70, 8}), k = randn({50, 8}), v = randn({50, 4});
  const Tensor mixed = scaled_dot_product_attention(q, k, v, {.scale = 0});
  EXPECT_LE(distance(mixed, expand(mean(v, {0}, true), {70, 4})), 1e-6);
}

}  // namespace
}  // namespace eigengrad
