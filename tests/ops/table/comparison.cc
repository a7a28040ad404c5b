// The rows of ops/comparison.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily comparison_ops() {
  return {
    .differentiable = {
      {"where", [](In x) { return where(mask({2, 3}), x[0], x[1]); }, kTernary, of_bool()},
      {"where broadcast", [](In x) { return where(mask({2, 1}), x[0], x[1]); }, kTernary, of_bool()},
      {"where left number", [](In x) { return where(x[0].detach() > 0.5, 0.5, x[0]); }, kUnary, of_bool()},
      {"where right number", [](In x) { return where(x[0].detach() > 0.5, x[0], 0.5); }, kUnary, of_bool()},
      {"masked_fill", [](In x) { return masked_fill(x[0], mask({3}), -7); }, {{{{2, 3}}, {{3}}, {{0, 3}}}, {}}},
    },
    .others = {
      {"eq", [](In x) { return eq(x[0], x[1]); }, kBinary, of_bool()},
      {"eq number", [](In x) { return eq(x[0], 0.5); }, kUnary, of_bool()},
      {"ne", [](In x) { return ne(x[0], x[1]); }, kBinary, of_bool()},
      {"ne number", [](In x) { return ne(x[0], 0.5); }, kUnary, of_bool()},
      {"lt", [](In x) { return lt(x[0], x[1]); }, kBinary, of_bool()},
      {"lt number", [](In x) { return lt(x[0], 0.5); }, kUnary, of_bool()},
      {"le", [](In x) { return le(x[0], x[1]); }, kBinary, of_bool()},
      {"le number", [](In x) { return le(x[0], 0.5); }, kUnary, of_bool()},
      {"gt", [](In x) { return gt(x[0], x[1]); }, kBinary, of_bool()},
      {"gt number", [](In x) { return gt(x[0], 0.5); }, kUnary, of_bool()},
      {"ge", [](In x) { return ge(x[0], x[1]); }, kBinary, of_bool()},
      {"ge number", [](In x) { return ge(x[0], 0.5); }, kUnary, of_bool()},
      {"operator==", [](In x) { return x[0] == x[1]; }, kBinary, of_bool()},
      {"operator== number", [](In x) { return x[0] == 0.5; }, kUnary, of_bool()},
      {"operator!=", [](In x) { return x[0] != x[1]; }, kBinary, of_bool()},
      {"operator!= number", [](In x) { return x[0] != 0.5; }, kUnary, of_bool()},
      {"operator<", [](In x) { return x[0] < x[1]; }, kBinary, of_bool()},
      {"operator< number", [](In x) { return x[0] < 0.5; }, kUnary, of_bool()},
      {"operator<=", [](In x) { return x[0] <= x[1]; }, kBinary, of_bool()},
      {"operator<= number", [](In x) { return x[0] <= 0.5; }, kUnary, of_bool()},
      {"operator>", [](In x) { return x[0] > x[1]; }, kBinary, of_bool()},
      {"operator> number", [](In x) { return x[0] > 0.5; }, kUnary, of_bool()},
      {"operator>=", [](In x) { return x[0] >= x[1]; }, kBinary, of_bool()},
      {"operator>= number", [](In x) { return x[0] >= 0.5; }, kUnary, of_bool()},
      {"logical_and", [](In x) { return logical_and(x[0], x[1]); }, kBinary, of_bool()},
      {"logical_or", [](In x) { return logical_or(x[0], x[1]); }, kBinary, of_bool()},
      {"logical_xor", [](In x) { return logical_xor(x[0], x[1]); }, kBinary, of_bool()},
      {"logical_not", [](In x) { return logical_not(x[0]); }, kUnary, of_bool()},
      {"isnan", [](In x) { return isnan(x[0]); }, kUnary, of_bool()},
      {"isinf", [](In x) { return isinf(x[0]); }, kUnary, of_bool()},
      {"isfinite", [](In x) { return isfinite(x[0]); }, kUnary, of_bool()},
    },
    .bad_calls = {
    },
    .tested_elsewhere = {"equal", "allclose"},  // values_test.cc
  };
}

}  // namespace eigengrad::tests
