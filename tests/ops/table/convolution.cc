// The rows of ops/convolution.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily convolution_ops() {
  return {
    .differentiable = {
      {"conv2d", [](In x) { return conv2d(x[0], x[1]); }, {{{{2, 2, 4, 3}, {3, 2, 2, 2}}, {{1, 2, 3}, {2, 1, 1, 1}}, {{1, 1, 3, 3}, {1, 1, 3, 3}}, {{0, 2, 3, 3}, {2, 2, 2, 2}}}, {{6, 4, 20, 20}, {8, 4, 3, 3}}}, summed()},
      {"conv2d bias", [](In x) { return conv2d(x[0], x[1], x[2]); }, {{{{2, 2, 3, 3}, {3, 2, 2, 2}, {3}}, {{2, 3, 3}, {1, 2, 1, 1}, {1}}}, {}}, summed()},
      {"conv2d options", [](In x) { return conv2d(x[0], x[1], Tensor(), {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}}); }, {{{{2, 2, 4, 3}, {3, 2, 2, 2}}, {{1, 1, 5, 5}, {2, 1, 3, 3}}}, {}}, summed()},
      {"conv2d groups", [](In x) { return conv2d(x[0], x[1], x[2], {.stride = 2, .padding = 1, .groups = 2}); }, {{{{2, 4, 4, 3}, {2, 2, 3, 2}, {2}}, {{1, 2, 3, 3}, {4, 1, 2, 2}, {4}}}, {{9, 4, 20, 20}, {8, 2, 3, 3}, {8}}}, summed()},
      {"conv2d pointwise", [](In x) { return conv2d(x[0], x[1]); }, {{{{2, 3, 2, 3}, {2, 3, 1, 1}}}, {{9, 8, 20, 20}, {8, 8, 1, 1}}}, summed()},
      {"conv1d", [](In x) { return conv1d(x[0], x[1]); }, {{{{2, 2, 5}, {3, 2, 3}}, {{2, 4}, {2, 2, 1}}, {{0, 2, 3}, {2, 2, 2}}}, {{20, 8, 100}, {8, 8, 3}}}, summed()},
      {"conv1d options", [](In x) { return conv1d(x[0], x[1], x[2], {.stride = 2, .padding = 2, .dilation = 2, .groups = 2}); }, {{{{2, 2, 5}, {4, 1, 3}, {4}}, {{4, 4}, {2, 2, 2}, {2}}}, {}}, summed()},
      {"conv_transpose2d", [](In x) { return conv_transpose2d(x[0], x[1]); }, {{{{2, 2, 3, 2}, {2, 3, 2, 2}}, {{2, 2, 3}, {2, 1, 1, 1}}, {{0, 2, 3, 3}, {2, 2, 2, 2}}}, {{6, 4, 16, 16}, {4, 8, 3, 3}}}, summed()},
      {"conv_transpose2d options", [](In x) { return conv_transpose2d(x[0], x[1], x[2], {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .groups = 2}); }, {{{{2, 2, 3, 2}, {2, 2, 2, 3}, {4}}, {{4, 2, 2}, {4, 1, 2, 2}, {2}}}, {}}, summed()},
      {"conv_transpose2d dilation", [](In x) { return conv_transpose2d(x[0], x[1], Tensor(), {.stride = 1, .padding = 1, .output_padding = {2, 1}, .dilation = {3, 2}}); }, {{{{1, 2, 3, 2}, {2, 2, 2, 2}}}, {}}, summed()},
      {"conv_transpose1d", [](In x) { return conv_transpose1d(x[0], x[1]); }, {{{{2, 2, 4}, {2, 3, 2}}, {{2, 3}, {2, 1, 1}}}, {}}, summed()},
      {"conv_transpose1d options", [](In x) { return conv_transpose1d(x[0], x[1], x[2], {.stride = 2, .padding = 1, .output_padding = 1, .groups = 2, .dilation = 2}); }, {{{{2, 2, 4}, {2, 2, 2}, {4}}}, {}}, summed()},
      {"unfold", [](In x) { return unfold(x[0], 2); }, {{{{2, 2, 3, 4}}, {{1, 3, 2}}, {{0, 1, 2, 2}}}, {{10, 4, 30, 30}}}},
      {"unfold options", [](In x) { return unfold(x[0], {2, 3}, {.dilation = {2, 1}, .padding = {1, 2}, .stride = {1, 2}}); }, {{{{2, 2, 3, 4}}, {{1, 1, 2, 2}}}, {}}},
      {"fold", [](In x) { return fold(x[0], {3, 4}, 2); }, {{{{2, 8, 6}}, {{4, 6}}, {{0, 4, 6}}}, {{30, 80, 6}}}, summed()},
      {"fold options", [](In x) { return fold(x[0], {3, 4}, {2, 3}, {.dilation = {2, 1}, .padding = {1, 2}, .stride = {1, 2}}); }, {{{{2, 6, 9}}}, {}}, summed()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
