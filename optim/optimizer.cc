#include "eigengrad/optim/optimizer.h"

#include "eigengrad/core/check.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::optim {

void Optimizer::step() {
  const NoGrad no_grad;
  update_all();
  ++steps_;
}

void Optimizer::zero_grad() {
  for (Tensor& parameter : parameters_) parameter.zero_grad();
}

void Optimizer::set_lr(double lr) {
  for (std::size_t group = 0; group < groups(); ++group) set_lr(group, lr);
}

std::vector<Optimizer::Slot> Optimizer::make_slots(const std::vector<Tensor>& parameters) {
  std::vector<Slot> slots;
  for (const Tensor& parameter : parameters) {
    EG_CHECK(parameter.requires_grad() && parameter.is_leaf(), ValueError,
             "[optimizer] a tensor of shape {} cannot be optimized: it is not a leaf that requires grad",
             parameter.shape());
    EG_CHECK(parameter.is_contiguous(), ValueError, "[optimizer] a parameter of shape {} is not contiguous",
             parameter.shape());
    for (const Tensor& other : parameters_)
      EG_CHECK(!other.is_same(parameter), ValueError, "[optimizer] a parameter of shape {} is given twice",
               parameter.shape());
    parameters_.push_back(parameter);
    slots.push_back({parameter, 0, {}});
  }
  return slots;
}

Tensor Optimizer::gradient_of(const Slot& slot) {
  const Tensor grad = slot.parameter.grad();
  return grad.defined() ? contiguous(grad) : grad;
}

}  // namespace eigengrad::optim
