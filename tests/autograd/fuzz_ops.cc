#include "tests/autograd/fuzz_ops.h"

#include <utility>

#include "tests/autograd/fuzz_rows.h"

namespace eigengrad::tests {

const std::vector<FuzzOp>& fuzz_ops() {
  static const std::vector<FuzzOp> all = [] {
    std::vector<FuzzOp> ops;
    for (const auto& family : {fuzz::math_ops, fuzz::activation_ops, fuzz::arithmetic_ops, fuzz::reduce_ops,
                               fuzz::shape_ops, fuzz::rearrange_ops, fuzz::order_ops, fuzz::index_ops, fuzz::linalg_ops,
                               fuzz::convolution_ops, fuzz::normalization_ops, fuzz::loss_ops})
      for (FuzzOp& op : family()) ops.push_back(std::move(op));
    return ops;
  }();
  return all;
}

}  // namespace eigengrad::tests
