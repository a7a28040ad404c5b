// The rows of ops/rearrange.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily rearrange_ops() {
  return {
    .differentiable = {
      {"repeat", [](In x) { return repeat(x[0], {2, 1, 3}); }, {{{{2, 3}}, {{}}, {{1, 2, 2}}, {{0, 3}}}, {{300, 400}}}, of_bool()},
      {"repeat nothing", [](In x) { return repeat(x[0], {0, 2}); }, {{{{2, 3}}, {{3}}}, {}}, of_bool()},
      {"tile", [](In x) { return tile(x[0], {2}); }, {{{{2, 3}}, {{}}, {{2, 1, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"repeat_interleave", [](In x) { return repeat_interleave(x[0], 3, -1); }, {{{{2, 3}}, {{4}}, {{2, 1, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"flip", [](In x) { return flip(x[0], {0, -1}); }, {{{{2, 3}}, {{1, 4}}, {{2, 3, 2}}, {{0, 3}}}, {{401, 400}}}, of_bool()},
      {"roll", [](In x) { return roll(x[0], {1, -2}, {0, 1}); }, {{{{2, 3}}, {{3, 5}}, {{2, 3, 2}}, {{0, 3}}}, {{401, 400}}}, of_bool()},
      {"movedim", [](In x) { return movedim(x[0], 0, -1); }, {{{{2, 3}}, {{2, 3, 2}}, {{4}}, {{0, 3}}}, {}}, of_bool()},
      {"unflatten", [](In x) { return unflatten(x[0], -1, {2, -1}); }, {{{{2, 4}}, {{6}}, {{2, 1, 2}}, {{0, 4}}}, {}}, of_bool()},
      {"broadcast_tensors", [](In x) { return together(broadcast_tensors(x)); }, {{{{2, 3}, {3}}, {{2, 1}, {1, 3}}, {{}, {2}}, {{0, 3}, {1}}}, {}}, of_bool()},
      {"pad", [](In x) { return pad(x[0], {1, 2}); }, {{{{2, 3}}, {{4}}, {{2, 1, 2}}, {{0, 3}}}, {{401, 400}}}, of_bool()},
      {"pad value", [](In x) { return pad(x[0], {1, 0, 2, 1}, PadMode::Constant, 1.5); }, {{{{2, 3}}, {{2, 1, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"pad cut", [](In x) { return pad(x[0], {-1, 2, 1, -1}); }, {{{{2, 3}}, {{2, 2, 2}}, {{3, 1}}}, {}}, of_bool()},
      {"pad reflect", [](In x) { return pad(x[0], {2, 1, 0, 1}, PadMode::Reflect); }, {{{{2, 3}}, {{2, 3, 4}}}, {}}, of_bool()},
      {"pad replicate", [](In x) { return pad(x[0], {2, 3, 1, 1}, PadMode::Replicate); }, {{{{2, 3}}, {{1, 3, 1}}}, {}}, of_bool()},
      {"pad circular", [](In x) { return pad(x[0], {2, 3, 1, 0}, PadMode::Circular); }, {{{{2, 3}}, {{2, 3, 4}}}, {}}, of_bool()},
      {"tril", [](In x) { return tril(x[0]); }, {{{{3, 3}}, {{2, 4}}, {{2, 3, 2}}, {{0, 3}}}, {{301, 400}}}, of_bool()},
      {"tril below", [](In x) { return tril(x[0], -1); }, {{{{3, 3}}, {{2, 4}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"triu", [](In x) { return triu(x[0]); }, {{{{3, 3}}, {{2, 4}}, {{2, 3, 2}}, {{0, 3}}}, {{301, 400}}}, of_bool()},
      {"triu above", [](In x) { return triu(x[0], 2); }, {{{{3, 3}}, {{2, 4}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"diagonal", [](In x) { return diagonal(x[0]); }, {{{{3, 3}}, {{2, 4}}, {{2, 3, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"diagonal axes", [](In x) { return diagonal(x[0], 1, 2, 0); }, {{{{2, 3, 3}}, {{3, 1, 2}}}, {}}, of_bool()},
      {"diag_embed", [](In x) { return diag_embed(x[0], -1); }, {{{{3}}, {{2, 3}}, {{0}}, {{2, 0}}}, {}}, of_bool()},
      {"diag of vector", [](In x) { return diag(x[0], 1); }, {{{{3}}, {{1}}, {{0}}}, {}}, of_bool()},
      {"diag of matrix", [](In x) { return diag(x[0], 1); }, {{{{3, 3}}, {{2, 4}}, {{4, 2}}}, {}}, of_bool()},
      {"meshgrid", [](In x) { return together(meshgrid(x)); }, {{{{2}, {3}}, {{}, {2}}, {{4}, {0}}}, {}}, of_bool()},
      {"meshgrid xy", [](In x) { return together(meshgrid(x, Indexing::xy)); }, {{{{2}, {3}, {2}}, {{3}, {1}, {2}}}, {}}, of_bool()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
