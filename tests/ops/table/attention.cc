// The rows of ops/attention.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily attention_ops() {
  return {
    .differentiable = {
      {"scaled_dot_product_attention", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }, {{{{2, 3}, {4, 3}, {4, 2}}, {{2, 2, 3}, {2, 4, 3}, {2, 4, 2}}, {{2, 1, 2, 2}, {2, 1, 3, 2}, {2, 1, 3, 2}}, {{0, 2, 3}, {0, 4, 3}, {0, 4, 2}}}, {{10, 30, 20}, {10, 40, 20}, {10, 40, 20}}}, summed(8)},
      {"scaled_dot_product_attention causal", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = true, .scale = 0.75}); }, {{{{3, 2}, {3, 2}, {3, 2}}, {{2, 3, 2}, {2, 4, 2}, {2, 4, 1}}, {{70, 2}, {66, 2}, {66, 1}}}, {{3, 150, 8}, {3, 140, 8}, {3, 140, 5}}}, summed(16)},
      {"scaled_dot_product_attention mask", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = mask({2, 3})}); }, {{{{2, 2}, {3, 2}, {3, 2}}, {{2, 2, 2}, {2, 3, 2}, {2, 3, 1}}}, {}}, summed(8)},
      {"scaled_dot_product_attention nowhere", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = tril(ones({3, 2}, kBool), -1)}); }, {{{{3, 2}, {2, 2}, {2, 3}}}, {}}, summed(8)},
      {"scaled_dot_product_attention scores", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3]}); }, {{{{2, 2}, {3, 2}, {3, 2}, {2, 3}}, {{2, 2, 2}, {2, 3, 2}, {2, 3, 1}, {1, 3}}}, {}}, summed(8)},
      {"scaled_dot_product_attention dropout", [](In x) { manual_seed(3); return scaled_dot_product_attention(x[0], x[1], x[2], {.dropout_p = 0.4}); }, {{{{2, 3}, {4, 3}, {4, 2}}}, {}}, {.random = true}},
    },
    .bad_calls = {
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 3}), Tensor()); }, "[scaled_dot_product_attention] input 2 is an undefined tensor"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 2}), ones({4, 2})); }, "[scaled_dot_product_attention] the query [2, 3] and the key [4, 2] differ in their last axis"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 3}), ones({3, 2})); }, "[scaled_dot_product_attention] the key [4, 3] has 4 places, but the value [3, 2] has 3"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({3}), ones({4, 3}), ones({4, 2})); }, "[scaled_dot_product_attention] expected [.., L, E], [.., S, E] and [.., S, V], found [3], [4, 3] and [4, 2]"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 3}, kFloat64), ones({4, 2})); }, "[scaled_dot_product_attention] expected query, key and value of one floating dtype, found float32, float64 and float32"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 3}), ones({4, 2}), {.mask = ones({3, 4}, kBool)}); }, "[scaled_dot_product_attention] a mask of shape [3, 4] does not broadcast to [2, 4]"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 3}), ones({4, 2}), {.mask = ones({2, 4}, kInt64)}); }, "[scaled_dot_product_attention] the mask is int64, expected bool or the query's float32"},
      {"scaled_dot_product_attention", [] { scaled_dot_product_attention(ones({2, 3}), ones({4, 3}), ones({4, 2}), {.mask = ones({2, 4}), .is_causal = true}); }, "[scaled_dot_product_attention] found a mask and is_causal: expected one of them"},
    },
  };
}

}  // namespace eigengrad::tests
