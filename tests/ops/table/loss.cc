// The rows of ops/loss.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
namespace {

const Tensor kTarget = integers({1, 3, 0}, {3});
const Tensor kTargetIgnoring = integers({1, -100, 0}, {3});
const Tensor kPixelTarget = integers({1, 3, 0, 2, 2, 1}, {2, 3});
using CE = CrossEntropyOptions;

Tensor class_weights(Dtype dtype) { return to(tensor({0.5, 2., 1.25, 0.75}), dtype); }

}  // namespace

// clang-format off

OpFamily loss_ops() {
  return {
    .differentiable = {
      {"cross_entropy", [](In x) { return cross_entropy(x[0], kTarget); }, kLogits, summed()},
      {"cross_entropy sum", [](In x) { return cross_entropy(x[0], kTarget, {.reduction = Reduction::Sum}); }, kLogits, summed()},
      {"cross_entropy none", [](In x) { return cross_entropy(x[0], kTarget, {.reduction = Reduction::None}); }, kLogits, summed()},
      {"cross_entropy ignore", [](In x) { return cross_entropy(x[0], kTargetIgnoring); }, kLogits, summed()},
      {"cross_entropy weight", [](In x) { return cross_entropy(x[0], kTargetIgnoring, CE{.weight = class_weights(x[0].dtype())}); }, kLogits, named("cross_entropy", summed())},
      {"cross_entropy smoothing", [](In x) { return cross_entropy(x[0], kTargetIgnoring, CE{.label_smoothing = 0.2}); }, kLogits, summed()},
      {"cross_entropy all", [](In x) { return cross_entropy(x[0], kTargetIgnoring, {class_weights(x[0].dtype()), -100, 0.3, Reduction::None}); }, kLogits, summed()},
      {"cross_entropy one", [](In x) { return cross_entropy(x[0], integers({2}, {})); }, {{{{4}}}, {}}, summed()},
      {"cross_entropy pixels", [](In x) { return cross_entropy(x[0], kPixelTarget, CE{.label_smoothing = 0.1}); }, {{{{2, 4, 3}}}, {}}, summed()},
      {"mse_loss", [](In x) { return mse_loss(x[0], x[1]); }, kLosses, named("sub", summed())},
      {"mse_loss sum", [](In x) { return mse_loss(x[0], x[1], Reduction::Sum); }, kLosses, named("sub", summed())},
      {"mse_loss none", [](In x) { return mse_loss(x[0], x[1], Reduction::None); }, kLosses, named("sub", summed())},
      {"binary_cross_entropy_with_logits", [](In x) { return binary_cross_entropy_with_logits(x[0], x[1]); }, kLosses, named("softplus", summed())},
      {"binary_cross_entropy_with_logits weights", [](In x) { return binary_cross_entropy_with_logits(x[0], x[1], Reduction::Sum, x[2], x[3]); }, {{{{2, 3}, {2, 3}, {2, 1}, {3}}}, {}}, named("softplus", summed())},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
