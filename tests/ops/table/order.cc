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
      {"cumsum", [] { cumsum(Tensor(), 0); }, "[cumsum] input 0 is an undefined tensor"},
      {"cumsum", [] { cumsum(ones({2, 3}), 2); }, "[cumsum] axis 2 is out of range"},
      {"cumsum", [] { cumsum(ones({}), 1); }, "[cumsum] axis 1 is out of range"},
      {"cumprod", [] { cumprod(Tensor(), 0); }, "[cumprod] input 0 is an undefined tensor"},
      {"cumprod", [] { cumprod(ones({2, 3}), 2); }, "[cumprod] axis 2 is out of range"},
      {"cumprod", [] { cumprod(ones({}), 1); }, "[cumprod] axis 1 is out of range"},
      {"sort", [] { sort(Tensor()); }, "[sort] input 0 is an undefined tensor"},
      {"sort", [] { sort(ones({2, 3}), 2); }, "[sort] axis 2 is out of range"},
      {"sort", [] { sort(ones({}), 1); }, "[sort] axis 1 is out of range"},
      {"argsort", [] { argsort(Tensor()); }, "[argsort] input 0 is an undefined tensor"},
      {"argsort", [] { argsort(ones({2, 3}), 2); }, "[argsort] axis 2 is out of range"},
      {"argsort", [] { argsort(ones({}), 1); }, "[argsort] axis 1 is out of range"},
      {"topk", [] { topk(ones({3}), 4); }, "[topk] there are 3 elements along axis -1, found k = 4"},
      {"topk", [] { topk(ones({3}), -1); }, "[topk] there are 3 elements along axis -1, found k = -1"},
      {"topk", [] { topk(ones({3}), 1, 1); }, "[topk] axis 1 is out of range"},
      {"kthvalue", [] { kthvalue(ones({3}), 0); }, "[kthvalue] there are 3 elements along axis -1, found k = 0, counted from 1"},
      {"kthvalue", [] { kthvalue(ones({3}), 4); }, "[kthvalue] there are 3 elements along axis -1, found k = 4"},
      {"kthvalue", [] { kthvalue(ones({3}), 1, 1); }, "[kthvalue] axis 1 is out of range"},
      {"median", [] { median(ones({2, 0}), 1); }, "[median] of nothing: shape [2, 0] has no elements along axis 1"},
      {"median", [] { median(ones({2, 3}), 2); }, "[median] axis 2 is out of range"},
      {"median", [] { median(Tensor(), 0); }, "[median] input 0 is an undefined tensor"},
      {"max", [] { max(ones({2, 0}), 1); }, "[max] of nothing: shape [2, 0] has no elements along axis 1"},
      {"max", [] { max(ones({2, 3}), 2); }, "[max] axis 2 is out of range"},
      {"max", [] { max(Tensor(), 0); }, "[max] input 0 is an undefined tensor"},
      {"min", [] { min(ones({2, 0}), 1); }, "[min] of nothing: shape [2, 0] has no elements along axis 1"},
      {"min", [] { min(ones({2, 3}), 2); }, "[min] axis 2 is out of range"},
      {"min", [] { min(Tensor(), 0); }, "[min] input 0 is an undefined tensor"},
    },
  };
}

}  // namespace eigengrad::tests
