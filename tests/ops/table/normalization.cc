// The rows of ops/normalization.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily normalization_ops() {
  return {
    .differentiable = {
      {"layer_norm", [](In x) { return layer_norm(x[0], {3}); }, {{{{2, 3}}, {{3}}, {{2, 1, 3}}, {{0, 3}}}, {}}, summed(16)},
      {"layer_norm affine", [](In x) { return layer_norm(x[0], {3, 2}, x[1], x[2], 1e-3); }, {{{{2, 3, 2}, {3, 2}, {3, 2}}, {{3, 2}, {3, 2}, {3, 2}}, {{0, 3, 2}, {3, 2}, {3, 2}}}, {{120, 3, 2}, {3, 2}, {3, 2}}}, summed(16)},
      {"rms_norm", [](In x) { return rms_norm(x[0], {3}); }, {{{{2, 3}}, {{3}}, {{2, 1, 3}}, {{0, 3}}}, {}}, summed()},
      {"rms_norm weight", [](In x) { return rms_norm(x[0], {3, 2}, x[1], 1e-3); }, {{{{2, 3, 2}, {3, 2}}, {{3, 2}, {3, 2}}}, {}}, summed()},
      {"group_norm", [](In x) { return group_norm(x[0], 2); }, {{{{2, 4, 3}}, {{1, 2, 2, 2}}, {{2, 6}}, {{0, 2, 3}}}, {}}, summed(16)},
      {"group_norm affine", [](In x) { return group_norm(x[0], 2, x[1], x[2], 1e-3); }, {{{{2, 4, 3}, {4}, {4}}, {{1, 2, 2, 2}, {2}, {2}}}, {}}, summed(16)},
      {"instance_norm", [](In x) { return instance_norm(x[0]); }, {{{{2, 2, 3}}, {{1, 2, 2, 2}}, {{0, 2, 3}}}, {}}, summed(16)},
      {"instance_norm affine", [](In x) { return instance_norm(x[0], x[1], x[2], 1e-3); }, {{{{2, 2, 3}, {2}, {2}}, {{1, 3, 2, 2}, {3}, {3}}}, {}}, summed(16)},
      {"batch_norm", [](In x) { return batch_norm(x[0], Tensor(), Tensor(), Tensor(), Tensor(), {.training = true}); }, {{{{4, 2}}, {{2, 2, 3}}, {{2, 1, 2, 2}}, {{0, 2}}}, {{100, 3, 30}}}, summed(16)},
      {"batch_norm affine", [](In x) { return batch_norm(x[0], Tensor(), Tensor(), x[1], x[2], {.training = true, .eps = 1e-3}); }, {{{{4, 2}, {2}, {2}}, {{2, 3, 3}, {3}, {3}}}, {}}, summed(16)},
      {"batch_norm running", [](In x) { return batch_norm(x[0], to(tensor({0.5, -1.0}), x[0].dtype()), to(tensor({0.75, 2.0}), x[0].dtype()), x[1], x[2]); }, {{{{4, 2}, {2}, {2}}, {{2, 2, 3}, {2}, {2}}, {{0, 2}, {2}, {2}}}, {}}, summed()},
      {"normalize", [](In x) { return normalize(x[0]); }, {{{{2, 3}}, {{2, 3, 2}}, {{1, 4}}}, {}}, summed()},
      {"normalize p", [](In x) { return normalize(x[0], 3, 0, 0.01); }, {{{{3, 2}}, {{4}}, {{}}}, {}}, positive()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
