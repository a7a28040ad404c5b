// The rows of ops/math.h. A row is a line.
#include <cmath>

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
      {"asinh", [](In x) { return asinh(x[0]); }, kUnary},
      {"acosh", [](In x) { return acosh(x[0]); }, kUnary, positive(1.2, 3)},
      {"atanh", [](In x) { return atanh(x[0]); }, kUnary, {.domain = {{-0.9, 0.9}}}},
      {"exp2", [](In x) { return exp2(x[0]); }, kUnary},
      {"log2", [](In x) { return log2(x[0]); }, kUnary, positive()},
      {"log10", [](In x) { return log10(x[0]); }, kUnary, positive()},
      {"erfc", [](In x) { return erfc(x[0]); }, kUnary, summed()},
      {"logit", [](In x) { return logit(x[0]); }, kUnary, {.domain = {{0.1, 0.9}}, .ulps = 8}},
      {"logit eps", [](In x) { return logit(x[0], 0.2); }, kUnary, {.domain = {{-0.4, 1.4}}, .ulps = 8}},
      {"sinc", [](In x) { return sinc(x[0]); }, kUnary, summed()},
      {"trunc", [](In x) { return trunc(x[0]); }, kUnary},
      {"frac", [](In x) { return frac(x[0]); }, kUnary, summed()},
      {"nan_to_num", [](In x) { return nan_to_num(x[0]); }, kUnary},
      {"nan_to_num of NaN", [](In x) { return nan_to_num(where(mask(x[0].shape()), NAN, x[0]), 1.5); }, kUnary, of_bool()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
