// The rows of ops/math.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily math_ops() {
  return {
    .differentiable = {
      {"exp", [](In x) { return exp(x[0]); }, kUnary},
      {"expm1", [](In x) { return expm1(x[0]); }, kUnary},
      {"log", [](In x) { return log(x[0]); }, kUnary, positive()},
      {"log1p", [](In x) { return log1p(x[0]); }, kUnary, positive(-0.5)},
      {"sqrt", [](In x) { return sqrt(x[0]); }, kUnary, positive()},
      {"rsqrt", [](In x) { return rsqrt(x[0]); }, kUnary, positive()},
      {"reciprocal", [](In x) { return reciprocal(x[0]); }, kUnary, positive()},
      {"square", [](In x) { return square(x[0]); }, kUnary},
      {"abs", [](In x) { return abs(x[0]); }, kUnary},
      {"sign", [](In x) { return sign(x[0]); }, kUnary},
      {"sin", [](In x) { return sin(x[0]); }, kUnary},
      {"cos", [](In x) { return cos(x[0]); }, kUnary},
      {"tan", [](In x) { return tan(x[0]); }, kUnary, {.domain = {{-1, 1}}}},
      {"asin", [](In x) { return asin(x[0]); }, kUnary, {.domain = {{-0.9, 0.9}}}},
      {"acos", [](In x) { return acos(x[0]); }, kUnary, {.domain = {{-0.9, 0.9}}}},
      {"atan", [](In x) { return atan(x[0]); }, kUnary},
      {"sinh", [](In x) { return sinh(x[0]); }, kUnary},
      {"cosh", [](In x) { return cosh(x[0]); }, kUnary},
      {"erf", [](In x) { return erf(x[0]); }, kUnary},
      {"floor", [](In x) { return floor(x[0]); }, kUnary},
      {"ceil", [](In x) { return ceil(x[0]); }, kUnary},
      {"round", [](In x) { return round(x[0]); }, kUnary},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
