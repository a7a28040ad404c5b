// The rows of ops/inplace.h: none, for they change their argument. values_test.cc has them.
#include "tests/ops/table/shapes.h"

namespace eigengrad::tests {

// clang-format off

OpFamily inplace_ops() {
  return {
    .bad_calls = {
    },
    .tested_elsewhere = {"copy_", "fill_", "zero_", "add_", "sub_", "mul_", "div_", "pow_", "addcmul_", "addcdiv_", "lerp_", "clamp_", "masked_fill_", "neg_", "abs_", "exp_", "log_", "sqrt_", "square_", "reciprocal_", "floor_", "ceil_", "round_", "relu_", "sigmoid_", "tanh_", "index_add_", "scatter_", "scatter_add_"},  // values_test.cc
  };
}

}  // namespace eigengrad::tests
