// The rows of ops/arithmetic.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily arithmetic_ops() {
  return {
    .differentiable = {
      {"add", [](In x) { return add(x[0], x[1]); }, kBinary, of_bool()},
      {"sub", [](In x) { return sub(x[0], x[1]); }, kBinary},
      {"mul", [](In x) { return mul(x[0], x[1]); }, kBinary, of_bool()},
      {"div", [](In x) { return div(x[0], x[1]); }, kBinary, of_bool({.domain = {{-2, 2}, {0.5, 3}}})},
      {"remainder", [](In x) { return remainder(x[0], x[1]); }, kBinary, {.domain = {{-2, 2}, {2.5, 3.5}}}},
      {"remainder small", [](In x) { return remainder(x[0], x[1]); }, {{{{3}, {1}}}, {}}, {.domain = {{4.1, 4.4}, {1.6, 1.9}}}},
      {"pow", [](In x) { return pow(x[0], x[1]); }, kBinary, {.domain = {{0.5, 2}, {-2, 2}}}},
      {"maximum", [](In x) { return maximum(x[0], x[1]); }, kBinary, of_bool()},
      {"minimum", [](In x) { return minimum(x[0], x[1]); }, kBinary, of_bool()},
      {"neg", [](In x) { return neg(x[0]); }, kUnary},
      {"operator+ tensors", [](In x) { return x[0] + x[1]; }, kBinary, of_bool(named("add"))},
      {"operator+ right number", [](In x) { return x[0] + 1.5; }, kUnary, of_bool(named("add"))},
      {"operator+ left number", [](In x) { return 1.5 + x[0]; }, kUnary, of_bool(named("add"))},
      {"operator- tensors", [](In x) { return x[0] - x[1]; }, kBinary, named("sub")},
      {"operator- right number", [](In x) { return x[0] - 1.5; }, kUnary, of_bool(named("sub"))},
      {"operator- left number", [](In x) { return 1.5 - x[0]; }, kUnary, of_bool(named("sub"))},
      {"operator- sign", [](In x) { return -x[0]; }, kUnary, named("neg")},
      {"operator* tensors", [](In x) { return x[0] * x[1]; }, kBinary, of_bool(named("mul"))},
      {"operator* right number", [](In x) { return x[0] * 1.5; }, kUnary, of_bool(named("mul"))},
      {"operator* left number", [](In x) { return -1.5 * x[0]; }, kUnary, of_bool(named("mul"))},
      {"operator/ tensors", [](In x) { return x[0] / x[1]; }, kBinary, of_bool(named("div", positive()))},
      {"operator/ right number", [](In x) { return x[0] / 1.5; }, kUnary, of_bool(named("div"))},
      {"operator/ left number", [](In x) { return 1.5 / x[0]; }, kUnary, of_bool(named("div", positive()))},
      {"operator+= tensors", [](In x) { Tensor y = x[0]; return y += x[1]; }, kBinary, of_bool(named("add"))},
      {"operator+= number", [](In x) { Tensor y = x[0]; return y += 1.5; }, kUnary, of_bool(named("add"))},
      {"operator-= tensors", [](In x) { Tensor y = x[0]; return y -= x[1]; }, kBinary, named("sub")},
      {"operator-= number", [](In x) { Tensor y = x[0]; return y -= 1.5; }, kUnary, of_bool(named("sub"))},
      {"operator*= tensors", [](In x) { Tensor y = x[0]; return y *= x[1]; }, kBinary, of_bool(named("mul"))},
      {"operator*= number", [](In x) { Tensor y = x[0]; return y *= 1.5; }, kUnary, of_bool(named("mul"))},
      {"operator/= tensors", [](In x) { Tensor y = x[0]; return y /= x[1]; }, kBinary, of_bool(named("div", positive()))},
      {"operator/= number", [](In x) { Tensor y = x[0]; return y /= 1.5; }, kUnary, of_bool(named("div"))},
      {"pow cube", [](In x) { return pow(x[0], 3); }, kUnary, of_bool()},
      {"pow square", [](In x) { return pow(x[0], 2); }, kUnary, named("square")},
      {"pow negative", [](In x) { return pow(x[0], -1.5); }, kUnary, of_bool(positive())},
      {"pow of number", [](In x) { return pow(1.5, x[0]); }, kUnary, of_bool()},
      {"maximum number", [](In x) { return maximum(x[0], 0.5); }, kUnary, of_bool()},
      {"minimum number", [](In x) { return minimum(x[0], 0.5); }, kUnary, of_bool()},
      {"clamp", [](In x) { return clamp(x[0], -0.5, 1); }, kUnary, of_bool()},
      {"fmod", [](In x) { return fmod(x[0], x[1]); }, kBinary, {.domain = {{-2, 2}, {2.5, 3.5}}}},
      {"fmod small", [](In x) { return fmod(x[0], x[1]); }, {{{{3}, {1}}}, {}}, {.domain = {{4.1, 4.4}, {1.6, 1.9}}}},
      {"atan2", [](In x) { return atan2(x[0], x[1]); }, kBinary},
      {"hypot", [](In x) { return hypot(x[0], x[1]); }, kBinary},
      {"logaddexp", [](In x) { return logaddexp(x[0], x[1]); }, kBinary},
      {"xlogy", [](In x) { return xlogy(x[0], x[1]); }, kBinary, positive()},
      {"lerp", [](In x) { return lerp(x[0], x[1], x[2]); }, {{{{2, 3}, {2, 3}, {2, 3}}, {{2, 3}, {3}, {}}, {{2, 1}, {1, 3}, {1}}, {{0, 3}, {3}, {1}}}, {}}, summed()},
      {"lerp number", [](In x) { return lerp(x[0], x[1], 0.3); }, kBinary, summed()},
      {"addcmul", [](In x) { return addcmul(x[0], x[1], x[2], 1.5); }, {{{{2, 3}, {2, 3}, {2, 3}}, {{2, 3}, {3}, {}}, {{}, {1, 3}, {2, 1}}}, {}}, of_bool(summed())},
      {"addcdiv", [](In x) { return addcdiv(x[0], x[1], x[2], -0.5); }, {{{{2, 3}, {2, 3}, {2, 3}}, {{2, 3}, {3}, {}}, {{}, {1, 3}, {2, 1}}}, {}}, {.domain = {{-2, 2}, {-2, 2}, {0.5, 3}}, .takes_bool = true, .near_largest = true}},
    },
    .others = {
      {"floor_divide", [](In x) { return floor_divide(x[0], x[1]); }, kBinary, {.domain = {{-4, 4}, {0.6, 0.9}}}},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
