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
      {"max_pool2d", [] { max_pool2d(Tensor(), 2); }, "[max_pool2d] input 0 is an undefined tensor"},
      {"max_pool2d", [] { max_pool2d(ones({2}), 2); }, "[max_pool2d] expected an input of 4 axes, or 3 without a batch, found shape [2]"},
      {"max_pool2d", [] { max_pool2d(ones({1, 4, 4}, kInt64), 2); }, "[max_pool2d] expected a float32 or float64 tensor, found int64"},
      {"max_pool2d", [] { max_pool2d(ones({1, 4, 4}), 5); }, "[max_pool2d] a kernel of ["},
      {"max_pool2d", [] { max_pool2d(ones({1, 4, 4}), 0); }, "[max_pool2d] the kernel size is ["},
      {"max_pool2d", [] { max_pool2d(ones({1, 4, 4}), 2, {.padding = 2}); }, "[max_pool2d] the padding ["},
      {"max_pool1d", [] { max_pool1d(Tensor(), 2); }, "[max_pool1d] input 0 is an undefined tensor"},
      {"max_pool1d", [] { max_pool1d(ones({2}), 2); }, "[max_pool1d] expected an input of 3 axes, or 2 without a batch, found shape [2]"},
      {"max_pool1d", [] { max_pool1d(ones({1, 4}, kInt64), 2); }, "[max_pool1d] expected a float32 or float64 tensor, found int64"},
      {"max_pool1d", [] { max_pool1d(ones({1, 4}), 5); }, "[max_pool1d] a kernel of ["},
      {"max_pool1d", [] { max_pool1d(ones({1, 4}), 0); }, "[max_pool1d] the kernel size is ["},
      {"max_pool1d", [] { max_pool1d(ones({1, 4}), 2, {.padding = 2}); }, "[max_pool1d] the padding ["},
      {"max_pool2d_with_indices", [] { max_pool2d_with_indices(Tensor(), 2); }, "[max_pool2d_with_indices] input 0 is an undefined tensor"},
      {"max_pool2d_with_indices", [] { max_pool2d_with_indices(ones({2}), 2); }, "[max_pool2d_with_indices] expected an input of 4 axes, or 3 without a batch, found shape [2]"},
      {"max_pool2d_with_indices", [] { max_pool2d_with_indices(ones({1, 4, 4}, kInt64), 2); }, "[max_pool2d_with_indices] expected a float32 or float64 tensor, found int64"},
      {"max_pool2d_with_indices", [] { max_pool2d_with_indices(ones({1, 4, 4}), 5); }, "[max_pool2d_with_indices] a kernel of ["},
      {"max_pool2d_with_indices", [] { max_pool2d_with_indices(ones({1, 4, 4}), 0); }, "[max_pool2d_with_indices] the kernel size is ["},
      {"max_pool2d_with_indices", [] { max_pool2d_with_indices(ones({1, 4, 4}), 2, {.padding = 2}); }, "[max_pool2d_with_indices] the padding ["},
      {"avg_pool2d", [] { avg_pool2d(Tensor(), 2); }, "[avg_pool2d] input 0 is an undefined tensor"},
      {"avg_pool2d", [] { avg_pool2d(ones({2}), 2); }, "[avg_pool2d] expected an input of 4 axes, or 3 without a batch, found shape [2]"},
      {"avg_pool2d", [] { avg_pool2d(ones({1, 4, 4}, kInt64), 2); }, "[avg_pool2d] expected a float32 or float64 tensor, found int64"},
      {"avg_pool2d", [] { avg_pool2d(ones({1, 4, 4}), 5); }, "[avg_pool2d] a kernel of ["},
      {"avg_pool2d", [] { avg_pool2d(ones({1, 4, 4}), 0); }, "[avg_pool2d] the kernel size is ["},
      {"avg_pool2d", [] { avg_pool2d(ones({1, 4, 4}), 2, {.padding = 2}); }, "[avg_pool2d] the padding ["},
      {"avg_pool1d", [] { avg_pool1d(Tensor(), 2); }, "[avg_pool1d] input 0 is an undefined tensor"},
      {"avg_pool1d", [] { avg_pool1d(ones({2}), 2); }, "[avg_pool1d] expected an input of 3 axes, or 2 without a batch, found shape [2]"},
      {"avg_pool1d", [] { avg_pool1d(ones({1, 4}, kInt64), 2); }, "[avg_pool1d] expected a float32 or float64 tensor, found int64"},
      {"avg_pool1d", [] { avg_pool1d(ones({1, 4}), 5); }, "[avg_pool1d] a kernel of ["},
      {"avg_pool1d", [] { avg_pool1d(ones({1, 4}), 0); }, "[avg_pool1d] the kernel size is ["},
      {"avg_pool1d", [] { avg_pool1d(ones({1, 4}), 2, {.padding = 2}); }, "[avg_pool1d] the padding ["},
      {"avg_pool2d", [] { avg_pool2d(ones({1, 4, 4}), 2, {.divisor_override = 0}); }, "[avg_pool2d] the divisor must not be 0"},
      {"max_pool2d", [] { max_pool2d(ones({1, 1, 1}), 2, {.padding = 1, .dilation = 2}); }, "[max_pool2d] a window of kernel [2, 2] with padding [1, 1] has no element of [1, 1]"},
      {"adaptive_max_pool2d", [] { adaptive_max_pool2d(ones({2}), 2); }, "[adaptive_max_pool2d] expected an input of 4 axes, or 3 without a batch, found shape [2]"},
      {"adaptive_max_pool2d", [] { adaptive_max_pool2d(ones({1, 4, 4}, kInt64), 2); }, "[adaptive_max_pool2d] expected a float32 or float64 tensor, found int64"},
      {"adaptive_max_pool2d", [] { adaptive_max_pool2d(ones({1, 4, 4}), 0); }, "[adaptive_max_pool2d] the output size is ["},
      {"adaptive_max_pool2d", [] { adaptive_max_pool2d(zeros({1, 0, 0}), 1); }, "[adaptive_max_pool2d] there is nothing to pool in ["},
      {"adaptive_max_pool1d", [] { adaptive_max_pool1d(ones({2}), 2); }, "[adaptive_max_pool1d] expected an input of 3 axes, or 2 without a batch, found shape [2]"},
      {"adaptive_max_pool1d", [] { adaptive_max_pool1d(ones({1, 4}, kInt64), 2); }, "[adaptive_max_pool1d] expected a float32 or float64 tensor, found int64"},
      {"adaptive_max_pool1d", [] { adaptive_max_pool1d(ones({1, 4}), 0); }, "[adaptive_max_pool1d] the output size is ["},
      {"adaptive_max_pool1d", [] { adaptive_max_pool1d(zeros({1, 0}), 1); }, "[adaptive_max_pool1d] there is nothing to pool in ["},
      {"adaptive_avg_pool2d", [] { adaptive_avg_pool2d(ones({2}), 2); }, "[adaptive_avg_pool2d] expected an input of 4 axes, or 3 without a batch, found shape [2]"},
      {"adaptive_avg_pool2d", [] { adaptive_avg_pool2d(ones({1, 4, 4}, kInt64), 2); }, "[adaptive_avg_pool2d] expected a float32 or float64 tensor, found int64"},
      {"adaptive_avg_pool2d", [] { adaptive_avg_pool2d(ones({1, 4, 4}), 0); }, "[adaptive_avg_pool2d] the output size is ["},
      {"adaptive_avg_pool2d", [] { adaptive_avg_pool2d(zeros({1, 0, 0}), 1); }, "[adaptive_avg_pool2d] there is nothing to pool in ["},
      {"adaptive_avg_pool1d", [] { adaptive_avg_pool1d(ones({2}), 2); }, "[adaptive_avg_pool1d] expected an input of 3 axes, or 2 without a batch, found shape [2]"},
      {"adaptive_avg_pool1d", [] { adaptive_avg_pool1d(ones({1, 4}, kInt64), 2); }, "[adaptive_avg_pool1d] expected a float32 or float64 tensor, found int64"},
      {"adaptive_avg_pool1d", [] { adaptive_avg_pool1d(ones({1, 4}), 0); }, "[adaptive_avg_pool1d] the output size is ["},
      {"adaptive_avg_pool1d", [] { adaptive_avg_pool1d(zeros({1, 0}), 1); }, "[adaptive_avg_pool1d] there is nothing to pool in ["},
    },
  };
}

}  // namespace eigengrad::tests
