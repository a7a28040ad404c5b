// The rows of ops/linalg.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily linalg_ops() {
  return {
    .differentiable = {
      {"matmul", [](In x) { return matmul(x[0], x[1]); }, {{{{2, 3}, {3, 2}}, {{1, 3}, {3, 1}}, {{2, 0}, {0, 3}}, {{0, 2}, {2, 3}}}, {{150, 301}, {301, 140}}}, summed()},
      {"matmul vectors", [](In x) { return matmul(x[0], x[1]); }, {{{{3}, {3}}, {{3}, {3, 2}}, {{2, 3}, {3}}, {{2, 2, 3}, {3}}, {{3}, {2, 3, 2}}}, {}}, summed()},
      {"matmul batch", [](In x) { return matmul(x[0], x[1]); }, {{{{2, 2, 3}, {2, 3, 2}}, {{2, 2, 3}, {3, 2}}, {{2, 3}, {2, 3, 1}}, {{2, 1, 1, 2}, {3, 2, 1}}, {{0, 2, 3}, {3, 2}}, {{0, 2, 3}, {0, 3, 2}}}, {{40, 30, 50}, {40, 50, 20}}}, summed()},
      {"linear", [](In x) { return linear(x[0], x[1]); }, {{{{2, 3}, {2, 3}}, {{3}, {2, 3}}, {{2, 2, 3}, {1, 3}}, {{0, 3}, {2, 3}}}, {{200, 150}, {60, 150}}}, summed()},
      {"linear bias", [](In x) { return linear(x[0], x[1], x[2]); }, {{{{2, 3}, {2, 3}, {2}}, {{3}, {2, 3}, {2}}, {{2, 2, 3}, {1, 3}, {1}}, {{0, 3}, {2, 3}, {2}}, {{2, 0}, {2, 0}, {2}}}, {{200, 150}, {60, 150}, {60}}}, summed()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
