// The rows of ops/index.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily index_ops() {
  return {
    .differentiable = {
      {"index_select", [](In x) { return index_select(x[0], 1, integers({2, 0, 2}, {3})); }, {{{{2, 3}}, {{0, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"index_add", [](In x) { return index_add(x[0], -2, integers({2, 0, 2}, {3}), x[1]); }, {{{{3, 2}, {3, 2}}, {{2, 3, 1}, {2, 3, 1}}, {{4, 0}, {3, 0}}}, {}}, of_bool()},
      {"gather", [](In x) { return gather(x[0], 1, integers({2, 0, 0, 0, 1, 1, 2, 0}, {2, 4})); }, {{{{2, 3}}, {{3, 5}}}, {}}, of_bool()},
      {"scatter_add", [](In x) { return scatter_add(x[0], 0, integers({2, 0, 1, 0, 0, 1}, {3, 2}), x[1]); }, {{{{3, 2}, {3, 2}}, {{4, 3}, {3, 2}}}, {}}, of_bool()},
    },
    .others = {
      {"one_hot", [](In x) { return one_hot(to(floor(x[0] + 2), kInt64), 4); }, kUnary, named("floor", of_bool())},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
