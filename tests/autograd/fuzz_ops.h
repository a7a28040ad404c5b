// The ops of which random graphs are made: see random_graph_test.cc.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "eigengrad/core/random.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad::tests {

struct FuzzOp {
  const char* name;
  std::size_t operands;
  bool (*takes)(const Tensor& x);  ///< whether the first operand will do; the others are made to fit
  /// A smooth function of the operands, whatever their elements. What it draws (axes, indexes, constants) depends on
  /// the generator and on shapes alone, so that it is the same function again for elements that differ.
  std::function<Tensor(Generator& random, std::span<const Tensor> x)> apply;
};

const std::vector<FuzzOp>& fuzz_ops();

}  // namespace eigengrad::tests
