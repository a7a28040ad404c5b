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
      {"mm", [](In x) { return mm(x[0], x[1]); }, {{{{2, 3}, {3, 2}}, {{1, 3}, {3, 1}}, {{2, 0}, {0, 3}}}, {}}, summed()},
      {"mv", [](In x) { return mv(x[0], x[1]); }, {{{{2, 3}, {3}}, {{1, 1}, {1}}, {{2, 0}, {0}}}, {}}, summed()},
      {"bmm", [](In x) { return bmm(x[0], x[1]); }, {{{{2, 2, 3}, {2, 3, 2}}, {{1, 1, 2}, {1, 2, 3}}, {{0, 2, 3}, {0, 3, 2}}}, {}}, summed()},
      {"dot", [](In x) { return dot(x[0], x[1]); }, {{{{3}, {3}}, {{1}, {1}}, {{0}, {0}}}, {}}, summed()},
      {"outer", [](In x) { return outer(x[0], x[1]); }, {{{{2}, {3}}, {{1}, {1}}, {{0}, {2}}}, {}}, of_bool()},
      {"addmm", [](In x) { return addmm(x[2], x[0], x[1]); }, {{{{2, 3}, {3, 2}, {2, 2}}, {{2, 3}, {3, 2}, {2}}, {{2, 3}, {3, 1}, {}}}, {}}, summed()},
      {"addmm factors", [](In x) { return addmm(x[2], x[0], x[1], 0.5, -2); }, {{{{2, 3}, {3, 2}, {2, 2}}, {{1, 3}, {3, 2}, {2}}}, {}}, summed()},
      {"baddbmm", [](In x) { return baddbmm(x[2], x[0], x[1], 0.5, -2); }, {{{{2, 2, 3}, {2, 3, 2}, {2, 2, 2}}, {{2, 1, 3}, {2, 3, 2}, {1, 2}}}, {}}, summed()},
      {"tensordot", [](In x) { return tensordot(x[0], x[1], 1); }, {{{{2, 3}, {3, 2}}, {{2, 1, 3}, {3, 2, 1}}, {{3}, {3}}}, {}}, summed()},
      {"tensordot axes", [](In x) { return tensordot(x[0], x[1], {0, -1}, {1, 0}); }, {{{{2, 3}, {3, 2}}, {{2, 2, 3}, {3, 2, 1}}}, {}}, summed()},
      {"kron", [](In x) { return kron(x[0], x[1]); }, {{{{2, 3}, {1, 2}}, {{1, 1}, {2, 2}}, {{0, 2}, {2, 1}}}, {}}, of_bool()},
      {"einsum product", [](In x) { return einsum("ij,jk->ik", {x[0], x[1]}); }, {{{{2, 3}, {3, 2}}, {{1, 2}, {2, 1}}}, {}}, summed()},
      {"einsum batch", [](In x) { return einsum("...ij, ...kj -> ...ik", x); }, {{{{2, 2, 3}, {2, 1, 3}}, {{2, 3}, {2, 2, 3}}, {{2, 1, 2, 3}, {3, 2, 3}}}, {}}, summed()},
      {"einsum three", [](In x) { return einsum("bn,anm,bm->ba", x); }, {{{{2, 2}, {3, 2, 3}, {2, 3}}}, {}}, summed()},
      {"einsum diagonal", [](In x) { return einsum("iji->j", {x[0]}); }, {{{{2, 3, 2}}, {{1, 2, 1}}}, {}}, summed()},
      {"einsum implicit", [](In x) { return einsum("ba", {x[0]}); }, {{{{2, 3}}, {{0, 3}}}, {}}, summed()},
      {"einsum sum", [](In x) { return einsum("ij,k->", {x[0], x[1]}); }, {{{{2, 3}, {2}}}, {}}, summed()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
