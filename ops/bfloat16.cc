// How ops that compute meet tensors of bfloat16: see core/apply.h.
#include "eigengrad/core/apply.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::detail {
namespace {

// The widest floating type among the inputs with axes, or among all where none has any.
Dtype promoted(TensorRefs inputs) {
  Dtype with_axes = kBool, any = kBool;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Dtype dtype = inputs[i].dtype();
    if (!is_floating(dtype)) continue;
    any = promote_types(any, dtype);
    if (inputs[i].dim() > 0) with_axes = promote_types(with_axes, dtype);
  }
  return with_axes == kBool ? any : with_axes;
}

Tensor widened(const Tensor& x, Dtype dtype) { return x.defined() && is_floating(x.dtype()) ? to(x, dtype) : x; }

}  // namespace

Widening::Widening(TensorRefs inputs) {
  const Dtype result = promoted(inputs);
  rounds_ = result == kBFloat16;
  computes_in_ = computing_dtype(result);
  const InsideOp unrecorded;
  for (std::size_t i = 0; i < inputs.size(); ++i) widened_.push_back(widened(inputs[i], computes_in_));
  for (const Tensor& x : widened_) pointers_.push_back(&x);
}

void Widening::narrow(std::span<Tensor> outputs) {
  const InsideOp unrecorded;
  for (Tensor& output : outputs) {
    computed_.push_back(output);
    if (rounds_ && output.defined() && output.dtype() == computes_in_) output = to(output, kBFloat16);
  }
}

WidenedRule::WidenedRule(const RecordedNode& node, TensorRefs grads) : node_(node) {
  for (const RecordedNode::Entry& entry : node.saved_) saved_.push_back(widened(node.linked(entry), computes_in()));
  for (std::size_t i = 0; i < grads.size(); ++i) grads_.push_back(widened(grads[i], computes_in()));
  for (const Tensor& g : grads_) pointers_.push_back(&g);
}

void WidenedRule::narrow(Grads& grads) const {
  for (std::size_t i = 0; i < grads.size(); ++i)
    if (grads[i].defined()) grads[i] = to(grads[i], node_.edges()[i].dtype);
}

}  // namespace eigengrad::detail
