// The rows of ops/order.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily order_ops() {
  return {
    .differentiable = {
      {"cumsum", [](In x) { return cumsum(x[0], -1); }, {{{{2, 3}}, {{}}, {{4}}, {{2, 3, 2}}, {{0, 3}}}, {{401, 400}}}, of_bool(summed())},
      {"cumsum first", [](In x) { return cumsum(x[0], 0); }, {{{{2, 3}}, {{4, 1, 2}}, {{3, 0}}}, {{401, 400}}}, of_bool(summed())},
      {"cumprod", [](In x) { return cumprod(x[0], -1); }, {{{{2, 3}}, {{}}, {{4}}, {{2, 3, 2}}, {{0, 3}}}, {}}, of_bool(summed())},
      {"cumprod first", [](In x) { return cumprod(x[0], 0); }, {{{{2, 3}}, {{4, 1, 2}}}, {}}, of_bool(summed())},
      {"cumprod with zeros", [](In x) { return cumprod(x[0] * to(logical_not(mask(x[0].shape())), x[0].dtype()), 0); }, {{{{5}}, {{4, 2}}}, {}}, of_bool(summed())},
      {"sort", [](In x) { return sort(x[0]).values; }, {{{{2, 3}}, {{}}, {{5}}, {{2, 3, 2}}, {{0, 3}}}, {{401, 400}}}, of_bool()},
      {"sort falling", [](In x) { return sort(x[0], 0, true).values; }, {{{{3, 2}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"topk", [](In x) { return topk(x[0], 2).values; }, {{{{2, 3}}, {{5}}, {{2, 1, 4}}}, {{401, 400}}}, of_bool()},
      {"topk smallest", [](In x) { return topk(x[0], 2, 0, false).values; }, {{{{3, 2}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"kthvalue", [](In x) { return kthvalue(x[0], 2).values; }, {{{{2, 3}}, {{5}}, {{2, 1, 4}}}, {}}, of_bool()},
      {"kthvalue keepdim", [](In x) { return kthvalue(x[0], 1, 0, true).values; }, {{{{2, 3}}, {{}}, {{5}}}, {}}, of_bool()},
      {"median", [](In x) { return median(x[0]).values; }, {{{{2, 3}}, {{}}, {{4}}, {{2, 1, 5}}}, {}}, of_bool()},
      {"median keepdim", [](In x) { return median(x[0], 0, true).values; }, {{{{2, 3}}, {{3, 2}}}, {}}, of_bool()},
      {"max axis", [](In x) { return max(x[0], -1).values; }, {{{{2, 3}}, {{}}, {{4}}, {{2, 3, 2}}}, {{401, 400}}}, of_bool()},
      {"max axis keepdim", [](In x) { return max(x[0], 0, true).values; }, {{{{2, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"min axis", [](In x) { return min(x[0], -1).values; }, {{{{2, 3}}, {{}}, {{4}}, {{2, 3, 2}}}, {{401, 400}}}, of_bool()},
      {"min axis keepdim", [](In x) { return min(x[0], 0, true).values; }, {{{{2, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
    },
    .others = {
      {"argsort", [](In x) { return argsort(x[0]); }, {{{{2, 3}}, {{}}, {{5}}, {{2, 3, 2}}, {{0, 3}}}, {{401, 400}}}, of_bool()},
      {"argsort falling", [](In x) { return argsort(x[0], 0, true); }, {{{{3, 2}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"sort indices", [](In x) { return sort(x[0], 0, true).indices; }, {{{{3, 2}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"topk indices", [](In x) { return topk(x[0], 2).indices; }, {{{{2, 3}}, {{5}}, {{2, 1, 4}}}, {{401, 400}}}, of_bool()},
      {"kthvalue indices", [](In x) { return kthvalue(x[0], 2).indices; }, {{{{2, 3}}, {{5}}}, {}}, of_bool()},
      {"median indices", [](In x) { return median(x[0]).indices; }, {{{{2, 3}}, {{4}}}, {}}, of_bool()},
      {"max indices", [](In x) { return max(x[0], 0).indices; }, {{{{2, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"min indices", [](In x) { return min(x[0], 0).indices; }, {{{{2, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
    },
    .bad_calls = {
    },
  };
}

}  // namespace eigengrad::tests
