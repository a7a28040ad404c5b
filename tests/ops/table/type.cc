// The rows of ops/type.h. A row is a line.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {
// clang-format off

OpFamily type_ops() {
  return {
    .differentiable = {
      {"to", [](In x) { return to(to(x[0], kFloat64) * 3, x[0].dtype()); }, kUnary, of_bool()},
    },
    .bad_calls = {
    },
    .tested_elsewhere = {"result_type", "scalar_beside"},  // values_test.cc
  };
}

}  // namespace eigengrad::tests
