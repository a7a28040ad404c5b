// The rows of ops/pooling.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily pooling_ops() {
  return {
    .differentiable = {
      {"max_pool2d", [](In x) { return max_pool2d(x[0], 2); }, {{{{2, 2, 4, 5}}, {{1, 2, 2}}, {{0, 1, 2, 2}}}, {{8, 8, 40, 40}}}},
      {"max_pool2d options", [](In x) { return max_pool2d(x[0], {3, 2}, {.stride = Pair(1, 2), .padding = {1, 1}, .dilation = {1, 2}, .ceil_mode = true}); }, {{{{2, 2, 4, 5}}, {{1, 1, 3, 4}}}, {}}},
      {"max_pool1d", [](In x) { return max_pool1d(x[0], 2); }, {{{{2, 2, 5}}, {{2, 4}}, {{0, 1, 3}}}, {}}},
      {"max_pool1d options", [](In x) { return max_pool1d(x[0], 3, {.stride = 2, .padding = 1, .dilation = 2, .ceil_mode = true}); }, {{{{2, 2, 7}}, {{1, 6}}}, {}}},
      {"max_pool2d_with_indices", [](In x) { return max_pool2d_with_indices(x[0], 2, {.stride = 1}).values; }, {{{{2, 2, 3, 4}}, {{1, 2, 2}}}, {}}},
      {"avg_pool2d", [](In x) { return avg_pool2d(x[0], 2); }, {{{{2, 2, 4, 5}}, {{1, 2, 2}}, {{0, 1, 2, 2}}}, {{8, 8, 40, 40}}}, summed()},
      {"avg_pool2d options", [](In x) { return avg_pool2d(x[0], {3, 2}, {.stride = Pair(1, 2), .padding = {1, 1}, .ceil_mode = true}); }, {{{{2, 2, 4, 5}}, {{1, 1, 3, 4}}}, {}}, summed()},
      {"avg_pool2d without padding", [](In x) { return avg_pool2d(x[0], 3, {.stride = Pair(2), .padding = 1, .count_include_pad = false}); }, {{{{2, 2, 4, 5}}, {{1, 1, 3, 4}}}, {}}, summed()},
      {"avg_pool2d divisor", [](In x) { return avg_pool2d(x[0], 2, {.divisor_override = 3}); }, {{{{1, 2, 4, 5}}}, {}}, summed()},
      {"avg_pool1d", [](In x) { return avg_pool1d(x[0], 2); }, {{{{2, 2, 5}}, {{2, 4}}}, {}}, summed()},
      {"avg_pool1d options", [](In x) { return avg_pool1d(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true, .count_include_pad = false}); }, {{{{2, 2, 6}}, {{1, 5}}}, {}}, summed()},
      {"adaptive_max_pool2d", [](In x) { return adaptive_max_pool2d(x[0], {2, 3}); }, {{{{2, 2, 4, 5}}, {{1, 2, 2}}, {{1, 1, 7, 3}}}, {}}},
      {"adaptive_max_pool1d", [](In x) { return adaptive_max_pool1d(x[0], 3); }, {{{{2, 2, 5}}, {{2, 4}}, {{1, 1, 2}}}, {}}},
      {"adaptive_avg_pool2d", [](In x) { return adaptive_avg_pool2d(x[0], {2, 3}); }, {{{{2, 2, 4, 5}}, {{1, 2, 2}}, {{1, 1, 7, 3}}}, {}}, summed()},
      {"adaptive_avg_pool1d", [](In x) { return adaptive_avg_pool1d(x[0], 3); }, {{{{2, 2, 5}}, {{2, 4}}, {{1, 1, 2}}}, {}}, summed()},
    },
    .others = {
      {"max_pool2d_with_indices places", [](In x) { return max_pool2d_with_indices(x[0], 2, {.stride = 1}).indices; }, {{{{2, 2, 3, 4}}, {{1, 2, 2}}}, {}}},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
