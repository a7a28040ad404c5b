// What the table of ops does not tell of attention: factors that turn the order of the scores around or take it away,
// and scores that are large.
#include <gtest/gtest.h>

#include <array>
#include <utility>

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

// Sequences of a block of queries and of several, whole and cut in the middle, against the weights written out.
TEST(Attention, SeesNoKeyAfterItsQuery) {
  manual_seed(7);
  for (const auto& [queries, keys] :
       {std::pair<std::int64_t, std::int64_t>{1, 1}, {5, 5}, {64, 64}, {65, 65}, {200, 200}, {20, 90}, {150, 40}}) {
    const Tensor q = randn({2, queries, 8}, kFloat64), k = randn({2, keys, 8}, kFloat64),
                 v = randn({2, keys, 5}, kFloat64);
    const Tensor seen = tril(ones({queries, keys}, kBool));
    const std::vector<Tensor> found = results(q, k, v, {.is_causal = true}),
                              expected = results(q, k, v, {.mask = seen});
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_LE(distance(found[i], expected[i]), 1e-12) << queries << " queries, " << keys << " keys, result " << i;
  }
}

// Query, key and value as slices of one tensor: their gradients are written side by side, and are not joined but seen
// as one. The same with slices in another order, with which that must not be.
TEST(Attention, TakesSlicesOfOneTensor) {
  manual_seed(9);
  const std::int64_t batch = 3, places = 70, heads = 4, width = 8, size = heads * width;
  const auto of_heads = [&](const Tensor& x) { return transpose(reshape(x, {batch, places, heads, width}), 1, 2); };
  for (const std::array<std::size_t, 3>& order : {std::array<std::size_t, 3>{0, 1, 2}, {2, 0, 1}, {1, 1, 2}}) {
    const Tensor joint = randn({batch, places, 3 * size}, kFloat64).set_requires_grad();
    const std::vector<Tensor> slices = split(joint, size, -1);
    const Tensor y = scaled_dot_product_attention(of_heads(slices[order[0]]), of_heads(slices[order[1]]),
                                                  of_heads(slices[order[2]]), {.is_causal = true});
    y.backward(ones_like(y) * 0.5);
    std::vector<Tensor> apart;
    for (const std::size_t i : order)
      apart.push_back(of_heads(narrow(joint.detach(), -1, static_cast<std::int64_t>(i) * size, size)));
    const std::vector<Tensor> expected = results(apart[0], apart[1], apart[2], {.is_causal = true});
    Tensor sums = zeros_like(joint);
    for (std::size_t i = 0; i < 3; ++i) {
      Tensor sum = narrow(sums, -1, static_cast<std::int64_t>(order[i]) * size, size);
      add_(sum, reshape(transpose(expected[i + 1], 1, 2), {batch, places, size}));
    }
    EXPECT_LE(distance(joint.grad(), sums), 1e-12);
    EXPECT_TRUE(joint.grad().is_contiguous());
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
