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
      {"group_norm affine", [](In x) { return group_norm(x[0], 2, x[1], x[2], 1e-3); }, {{{{2, 4, 3}, {4}, {4}}, {{1, 2, 2, 2}, {2}, {2}}}, {{70, 6, 20, 9}, {6}, {6}}}, summed(16)},
      {"instance_norm", [](In x) { return instance_norm(x[0]); }, {{{{2, 2, 3}}, {{1, 2, 2, 2}}, {{0, 2, 3}}}, {}}, summed(16)},
      {"instance_norm affine", [](In x) { return instance_norm(x[0], x[1], x[2], 1e-3); }, {{{{2, 2, 3}, {2}, {2}}, {{1, 3, 2, 2}, {3}, {3}}}, {{70, 3, 20, 9}, {3}, {3}}}, summed(16)},
      {"batch_norm", [](In x) { return batch_norm(x[0], Tensor(), Tensor(), Tensor(), Tensor(), {.training = true}); }, {{{{4, 2}}, {{2, 2, 3}}, {{2, 1, 2, 2}}, {{0, 2}}}, {{100, 3, 30}}}, summed(16)},
      {"batch_norm affine", [](In x) { return batch_norm(x[0], Tensor(), Tensor(), x[1], x[2], {.training = true, .eps = 1e-3}); }, {{{{4, 2}, {2}, {2}}, {{2, 3, 3}, {3}, {3}}}, {}}, summed(16)},
      {"batch_norm running", [](In x) { return batch_norm(x[0], to(tensor({0.5, -1.0}), x[0].dtype()), to(tensor({0.75, 2.0}), x[0].dtype()), x[1], x[2]); }, {{{{4, 2}, {2}, {2}}, {{2, 2, 3}, {2}, {2}}, {{0, 2}, {2}, {2}}}, {}}, summed()},
      {"normalize", [](In x) { return normalize(x[0]); }, {{{{2, 3}}, {{2, 3, 2}}, {{1, 4}}}, {}}, summed()},
      {"normalize p", [](In x) { return normalize(x[0], 3, 0, 0.01); }, {{{{3, 2}}, {{4}}, {{}}}, {}}, positive()},
    },
    .bad_calls = {
      {"layer_norm", [] { layer_norm(ones({2, 3}, kInt64), {3}); }, "[layer_norm] expected a float32 or float64 tensor, found int64"},
      {"layer_norm", [] { layer_norm(ones({2, 3}), {2}); }, "[layer_norm] the input [2, 3] does not end in the normalized shape [2]"},
      {"layer_norm", [] { layer_norm(ones({2, 3}), {}); }, "[layer_norm] the normalized shape has no axes"},
      {"layer_norm", [] { layer_norm(ones({3}), {2, 3}); }, "[layer_norm] the input [3] does not end in the normalized shape [2, 3]"},
      {"layer_norm", [] { layer_norm(ones({2, 3}), {3}, ones({2})); }, "[layer_norm] the weight has shape [2], expected [3] for an input of [2, 3]"},
      {"layer_norm", [] { layer_norm(ones({2, 3}), {3}, ones({3}, kFloat64)); }, "[layer_norm] the weight is float64, expected the input's float32"},
      {"layer_norm", [] { layer_norm(Tensor(), {3}); }, "[layer_norm] input 0 is an undefined tensor"},
      {"rms_norm", [] { rms_norm(ones({2, 3}, kInt64), {3}); }, "[rms_norm] expected a float32 or float64 tensor, found int64"},
      {"rms_norm", [] { rms_norm(ones({2, 3}), {2}); }, "[rms_norm] the input [2, 3] does not end in the normalized shape [2]"},
      {"rms_norm", [] { rms_norm(ones({2, 3}), {}); }, "[rms_norm] the normalized shape has no axes"},
      {"rms_norm", [] { rms_norm(ones({3}), {2, 3}); }, "[rms_norm] the input [3] does not end in the normalized shape [2, 3]"},
      {"rms_norm", [] { rms_norm(ones({2, 3}), {3}, ones({2})); }, "[rms_norm] the weight has shape [2], expected [3] for an input of [2, 3]"},
      {"rms_norm", [] { rms_norm(ones({2, 3}), {3}, ones({3}, kFloat64)); }, "[rms_norm] the weight is float64, expected the input's float32"},
      {"rms_norm", [] { rms_norm(Tensor(), {3}); }, "[rms_norm] input 0 is an undefined tensor"},
      {"group_norm", [] { group_norm(ones({2, 3, 2}), 2); }, "[group_norm] the 3 channels of [2, 3, 2] cannot be cut into 2 groups"},
      {"group_norm", [] { group_norm(ones({2, 4}), 0); }, "[group_norm] the 4 channels of [2, 4] cannot be cut into 0 groups"},
      {"group_norm", [] { group_norm(ones({4}), 2); }, "[group_norm] expected an input of 2 axes or more, found shape [4]"},
      {"group_norm", [] { group_norm(ones({2, 4}), 2, ones({2})); }, "[group_norm] the weight has shape [2], expected [4]"},
      {"instance_norm", [] { instance_norm(ones({2, 4})); }, "[instance_norm] expected an input of 3 axes or more, found shape [2, 4]"},
      {"instance_norm", [] { instance_norm(ones({2, 4, 3}, kInt64)); }, "[instance_norm] expected a float32 or float64 tensor, found int64"},
      {"instance_norm", [] { instance_norm(ones({2, 4, 3}), Tensor(), ones({3})); }, "[instance_norm] the bias has shape [3], expected [4]"},
      {"batch_norm", [] { batch_norm(ones({2, 4}), Tensor(), Tensor()); }, "[batch_norm] found no running mean and variance, expected them outside training"},
      {"batch_norm", [] { batch_norm(ones({1, 4}), Tensor(), Tensor(), Tensor(), Tensor(), {.training = true}); }, "[batch_norm] expected more than one value for each channel in training, found shape [1, 4]"},
      {"batch_norm", [] { batch_norm(ones({2, 4}), ones({2}), ones({4})); }, "[batch_norm] the running mean has shape [2], expected [4]"},
      {"batch_norm", [] { batch_norm(ones({4}), Tensor(), Tensor()); }, "[batch_norm] expected an input of 2 axes or more, found shape [4]"},
      {"normalize", [] { normalize(ones({2}, kInt64), 2, 0); }, "[normalize] expected a float32 or float64 tensor, found int64"},
      {"normalize", [] { normalize(ones({2})); }, "[normalize] axis 1 is out of range"},
      {"normalize", [] { normalize(Tensor()); }, "[normalize] input 0 is an undefined tensor"},
    },
  };
}

}  // namespace eigengrad::tests
