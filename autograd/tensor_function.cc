#include "eigengrad/autograd/tensor_function.h"

#include "eigengrad/core/check.h"

namespace eigengrad::detail {

const Tensor& only_input(std::span<const Tensor> inputs) {
  EG_CHECK(inputs.size() == 1, ValueError, "a function of one tensor was given {}", inputs.size());
  return inputs[0];
}

}  // namespace eigengrad::detail
