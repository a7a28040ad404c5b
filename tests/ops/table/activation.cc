// The rows of ops/activation.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily activation_ops() {
  return {
    .differentiable = {
      {"relu", [](In x) { return relu(x[0]); }, kUnary},
      {"relu of result", [](In x) { return exp(relu(x[0])); }, kUnary},
      {"sigmoid", [](In x) { return sigmoid(x[0]); }, kUnary},
      {"tanh", [](In x) { return tanh(x[0]); }, kUnary},
      // In float32 the two terms of 1 + erf cancel where x is below -2, here as in PyTorch.
      {"gelu", [](In x) { return gelu(x[0]); }, kUnary, summed()},
      {"gelu tanh", [](In x) { return gelu(x[0], GeluApproximate::Tanh); }, kUnary, summed()},
      {"softplus", [](In x) { return softplus(x[0]); }, kUnary},
      {"softplus beta", [](In x) { return softplus(x[0], 2.5); }, kUnary},
      {"leaky_relu", [](In x) { return leaky_relu(x[0], 0.1); }, kUnary},
      {"elu", [](In x) { return elu(x[0], 1.5); }, kUnary},
      {"celu", [](In x) { return celu(x[0], 1.5); }, kUnary, named("elu")},
      {"selu", [](In x) { return selu(x[0]); }, kUnary, named("elu")},
      {"silu", [](In x) { return silu(x[0]); }, kUnary},
      {"mish", [](In x) { return mish(x[0]); }, kUnary, named("softplus")},
      {"softsign", [](In x) { return softsign(x[0]); }, kUnary, named("abs")},
      {"logsigmoid", [](In x) { return logsigmoid(x[0]); }, kUnary, named("neg")},
      {"hardtanh", [](In x) { return hardtanh(x[0], -0.7, 1.3); }, kUnary},
      {"hardsigmoid", [](In x) { return hardsigmoid(x[0]); }, kUnary, named("hardtanh")},
      {"hardswish", [](In x) { return hardswish(x[0]); }, kUnary, named("hardtanh", summed())},
      {"softmax last", [](In x) { return softmax(x[0], -1); }, kMatrices},
      {"softmax first", [](In x) { return softmax(x[0], 0); }, kReduced},
      {"log_softmax last", [](In x) { return log_softmax(x[0], -1); }, kMatrices, summed()},
      {"log_softmax first", [](In x) { return log_softmax(x[0], 0); }, kReduced, summed()},
      {"dropout", [](In x) { manual_seed(7); return dropout(x[0], 0.4, true); }, kUnary, {.random = true}},
      {"dropout off", [](In x) { return dropout(x[0] * 1.0, 0.4, false); }, kUnary, of_bool({.random = true})},
      {"relu6", [](In x) { return relu6(x[0]); }, kUnary, {.domain = {{-2, 8}}}},
      {"threshold", [](In x) { return threshold(x[0], 0.5, -7); }, kUnary},
      {"tanhshrink", [](In x) { return tanhshrink(x[0]); }, kUnary, summed()},
      {"hardshrink", [](In x) { return hardshrink(x[0]); }, kUnary},
      {"softshrink", [](In x) { return softshrink(x[0]); }, kUnary, summed()},
      {"prelu", [](In x) { return prelu(x[0], x[1]); }, {{{{2, 3}, {3}}, {{2, 3}, {1}}, {{4}, {}}, {{2, 2, 2}, {2}}, {{0, 2}, {2}}}, {}}},
      {"glu", [](In x) { return glu(x[0]); }, {{{{2, 4}}, {{6}}, {{2, 1, 2}}, {{0, 2}}}, {}}},
      {"glu axis", [](In x) { return glu(x[0], 0); }, {{{{2, 3}}, {{4}}}, {}}},
      {"softmin", [](In x) { return softmin(x[0], -1); }, kMatrices},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
