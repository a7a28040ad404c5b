// The rows of ops/shape.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily shape_ops() {
  return {
    .differentiable = {
      {"reshape", [](In x) { return reshape(x[0], {3, -1}); }, {{{{2, 3}}, {{6}}, {{3, 4, 1}}, {{3, 0}}}, {{300, 400}}}, of_bool()},
      {"flatten", [](In x) { return flatten(x[0]); }, kUnary, of_bool()},
      {"flatten some", [](In x) { return flatten(x[0], 1, -1); }, {{{{2, 3, 2}}, {{2, 1, 3, 1}}, {{0, 3, 2}}}, {}}, of_bool()},
      {"transpose", [](In x) { return transpose(x[0]); }, kReduced, of_bool()},
      {"transpose axes", [](In x) { return transpose(x[0], 0, 2); }, {{{{2, 3, 2}}, {{1, 2, 3}}}, {}}, of_bool()},
      {"permute", [](In x) { return permute(x[0], {2, 0, -2}); }, {{{{2, 3, 4}}, {{1, 2, 1}}, {{2, 0, 3}}}, {}}, of_bool()},
      {"expand", [](In x) { return expand(x[0], {2, 2, -1}); }, {{{{3}}, {{2, 1}}, {{1, 1, 3}}, {{2, 0}}}, {}}, of_bool()},
      {"expand to nothing", [](In x) { return expand(x[0], {0, 3}); }, {{{{3}}, {{1, 3}}, {{}}}, {}}, of_bool()},
      {"squeeze", [](In x) { return squeeze(x[0]); }, {{{{1, 3, 1}}, {{1, 1}}, {{2, 3}}, {{}}, {{1, 0}}}, {}}, of_bool()},
      {"squeeze axis", [](In x) { return squeeze(x[0], -1); }, {{{{2, 1}}, {{2, 3}}, {{1, 3, 1}}}, {}}, of_bool()},
      {"unsqueeze", [](In x) { return unsqueeze(x[0], -1); }, kUnary, of_bool()},
      {"unsqueeze first", [](In x) { return unsqueeze(x[0], 0); }, kUnary, of_bool()},
      {"slice", [](In x) { return slice(x[0], 1, 1, std::nullopt, 2); }, {{{{2, 5}}, {{2, 1}}, {{2, 4, 2}}, {{0, 3}}}, {{400, 801}}}, of_bool()},
      {"slice back", [](In x) { return slice(x[0], -1, -3, -1); }, {{{{2, 5}}, {{2, 1}}, {{3}}}, {}}, of_bool()},
      {"select", [](In x) { return select(x[0], 0, -1); }, {{{{2, 3}}, {{4}}, {{1, 2, 2}}}, {}}, of_bool()},
      {"narrow", [](In x) { return narrow(x[0], 1, 1, 2); }, {{{{2, 3}}, {{1, 4, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"cat", [](In x) { return cat(x); }, kTwoOfAKind, of_bool()},
      {"cat axis", [](In x) { return cat({x[0], x[1], x[0]}, -1); }, {{{{2, 3}, {2, 1}}, {{2, 2, 3}, {2, 2, 0}}}, {{301, 200}, {301, 100}}}, of_bool()},
      {"stack", [](In x) { return stack(x); }, kStacked, of_bool(named("cat"))},
      {"stack axis", [](In x) { return stack({x[0], x[1], x[0]}, -1); }, kStacked, of_bool(named("cat"))},
      {"split", [](In x) { return together(split(x[0], 2, 1)); }, {{{{2, 5}}, {{3, 2}}, {{2, 1}}, {{2, 3, 2}}}, {}}, of_bool(named("narrow"))},
      {"split sizes", [](In x) { return together(split(x[0], Dims{1, 0, 3}, 0)); }, {{{{4}}, {{4, 2}}}, {}}, of_bool(named("narrow"))},
      {"chunk", [](In x) { return together(chunk(x[0], 3, -1)); }, {{{{2, 5}}, {{3, 7}}, {{2, 2}}}, {}}, of_bool(named("narrow"))},
      {"unbind", [](In x) { return together(unbind(x[0], 1)); }, {{{{2, 3}}, {{2, 1, 2}}}, {}}, of_bool(named("select"))},
      {"contiguous", [](In x) { return contiguous(transpose(x[0])); }, kReduced, of_bool()},
      {"clone", [](In x) { return clone(x[0]); }, kUnary, of_bool()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
