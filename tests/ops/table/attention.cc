// The rows of ops/attention.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily attention_ops() {
  return {
    .differentiable = {
      {"scaled_dot_product_attention", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2]); }, {{{{2, 3}, {4, 3}, {4, 2}}, {{2, 2, 3}, {2, 4, 3}, {2, 4, 2}}, {{2, 1, 2, 2}, {2, 1, 3, 2}, {2, 1, 3, 2}}, {{0, 2, 3}, {0, 4, 3}, {0, 4, 2}}}, {{10, 30, 20}, {10, 40, 20}, {10, 40, 20}}}, summed(8)},
      {"scaled_dot_product_attention causal", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.is_causal = true, .scale = 0.75}); }, {{{{3, 2}, {3, 2}, {3, 2}}, {{2, 3, 2}, {2, 4, 2}, {2, 4, 1}}}, {}}, summed(8)},
      {"scaled_dot_product_attention mask", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = mask({2, 3})}); }, {{{{2, 2}, {3, 2}, {3, 2}}, {{2, 2, 2}, {2, 3, 2}, {2, 3, 1}}}, {}}, summed(8)},
      {"scaled_dot_product_attention nowhere", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = tril(ones({3, 2}, kBool), -1)}); }, {{{{3, 2}, {2, 2}, {2, 3}}}, {}}, summed(8)},
      {"scaled_dot_product_attention scores", [](In x) { return scaled_dot_product_attention(x[0], x[1], x[2], {.mask = x[3]}); }, {{{{2, 2}, {3, 2}, {3, 2}, {2, 3}}, {{2, 2, 2}, {2, 3, 2}, {2, 3, 1}, {1, 3}}}, {}}, summed(8)},
      {"scaled_dot_product_attention dropout", [](In x) { manual_seed(3); return scaled_dot_product_attention(x[0], x[1], x[2], {.dropout_p = 0.4}); }, {{{{2, 3}, {4, 3}, {4, 2}}}, {}}, {.random = true}},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
