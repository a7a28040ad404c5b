// The rows of ops/inplace.h: none, for they change their argument. values_test.cc has them.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily inplace_ops() {
  return {
    .bad_calls = {
    },
    .tested_elsewhere = {"copy_", "fill_", "zero_", "add_", "mul_"},  // values_test.cc
  };
}

}  // namespace eigengrad::tests
