// The rows of ops/type.h. A row is a line.
#include <cmath>

#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily type_ops() {
  return {
    .differentiable = {
      {"to", [](In x) { return to(to(x[0], kFloat64) * 3, x[0].dtype()); }, kUnary, of_bool()},
    },
    .bad_calls = {
      {"to", [] { to(Tensor(), kFloat64); }, "[to] input 0 is an undefined tensor"},
      {"to", [] { to(tensor({NAN}), kInt64); }, "[to] int64 cannot hold nan"},
      {"to", [] { to(tensor({1e19}), kInt64); }, "[to] int64 cannot hold 1e+19"},
      {"to", [] { to(tensor({-INFINITY}), kInt64); }, "[to] int64 cannot hold -inf"},
      {"result_type", [] { result_type(Tensor(), ones({2})); }, "[result_type] input 0 is an undefined tensor"},
      {"result_type", [] { result_type(ones({2}), Tensor()); }, "[result_type] input 1 is an undefined tensor"},
      {"result_type", [] { result_type(ones({2}), missing_grad()); }, "[result_type] input 1 is an undefined tensor"},
    },
    .tested_elsewhere = {"result_type"},  // values_test.cc
  };
}

}  // namespace eigengrad::tests
