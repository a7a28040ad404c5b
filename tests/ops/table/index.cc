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
      {"scatter", [](In x) { return scatter(x[0], 0, integers({2, 0, 1, 2, 0, 1}, {3, 2}), x[1]); }, {{{{3, 2}, {3, 2}}, {{4, 3}, {3, 2}}}, {}}, of_bool()},
      {"scatter twice", [](In x) { return scatter(x[0], 1, integers({2, 2, 0, 0}, {1, 4}), x[1]); }, {{{{1, 3}, {1, 4}}, {{2, 3}, {1, 4}}}, {}}, of_bool()},
      {"scatter number", [](In x) { return scatter(x[0], -1, integers({2, 0, 0, 1}, {2, 2}), 1.5); }, {{{{2, 3}}, {{3, 3}}}, {}}, of_bool()},
      {"take", [](In x) { return take(x[0], integers({2, -1, 0, 2}, {2, 2})); }, {{{{2, 3}}, {{3}}, {{2, 2, 2}}}, {}}, of_bool()},
      {"masked_select", [](In x) { return masked_select(x[0], mask({2, 3})); }, {{{{2, 3}}, {{3}}, {{2, 2, 3}}, {{2, 1}}}, {}}, of_bool()},
      {"index", [](In x) { return index(x[0], std::vector<Tensor>{integers({1, -1, 0}, {3})}); }, {{{{2, 3}}, {{4}}, {{2, 1, 2}}}, {}}, of_bool()},
      {"index two", [](In x) { return index(x[0], std::vector<Tensor>{integers({1, 0}, {2, 1}), integers({2, 0, 0}, {3})}); }, {{{{2, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"index second", [](In x) { return index(x[0], std::vector<Tensor>{Tensor(), integers({2, 0, 0, 1}, {2, 2})}); }, {{{{2, 3}}, {{2, 3, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"index apart", [](In x) { return index(x[0], std::vector<Tensor>{integers({1, 0}, {2}), Tensor(), integers({2, 0}, {2})}); }, {{{{2, 3, 3}}, {{2, 1, 3, 2}}}, {}}, of_bool()},
      {"index_put", [](In x) { return index_put(x[0], std::vector<Tensor>{Tensor(), integers({2, 0}, {2})}, x[1]); }, {{{{2, 3}, {2, 2}}, {{2, 3}, {}}, {{2, 3, 2}, {2, 2}}}, {}}, of_bool()},
      {"index_put apart", [](In x) { return index_put(x[0], std::vector<Tensor>{integers({1, 0}, {2}), Tensor(), integers({2, 0}, {2})}, x[1]); }, {{{{2, 2, 3}, {2, 2}}, {{2, 1, 3, 2}, {2, 1, 2}}}, {}}, of_bool()},
      {"embedding", [](In x) { return embedding(integers({2, 0, 2, 1}, {2, 2}), x[0]); }, {{{{3, 2}}, {{4, 1}}}, {}}, of_bool()},
    },
    .others = {
      {"one_hot", [](In x) { return one_hot(to(floor(x[0] + 2), kInt64), 4); }, kUnary, named("floor", of_bool())},
      {"nonzero", [](In x) { return nonzero(x[0] > 0.3); }, {{{{2, 3}}, {{}}, {{7}}, {{0, 3}}}, {}}, of_bool()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
