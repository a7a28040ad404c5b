// Ops with relu behind them, in one pass over their results. For .cc files.
#pragma once

#include "eigengrad/core/apply.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/functions.h"

namespace eigengrad::kernels {

/// An op of up to three inputs, and relu behind it. It has `Tensor compute(TensorRefs x, bool then_relu) const`.
template <class Op>
struct ThenRelu : Op {
  static constexpr SaveMask kSaves[] = {Op::kSaves[0] | kOutput, Op::kSaves[1] | kOutput, Op::kSaves[2] | kOutput};
  Attributes attributes() const {
    Attributes all = eigengrad::detail::attributes_of(static_cast<const Op&>(*this));
    all.emplace_back("activation", "relu");
    return all;
  }
  Tensor forward(TensorRefs x) const { return Op::compute(x, true); }
  double flops(TensorRefs x, const Tensor& y) const { return Op::flops(x, y) + static_cast<double>(y.numel()); }
  Grads backward(const Saved& s, const Tensor& g) const { return Op::backward(s, where(s.y() <= 0, 0, g)); }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return Op::backward_fused(s, gradient(Op::kName, each([](auto d, auto y) { return relu_grad(d, y); }), g, s.y()));
  }
};

}  // namespace eigengrad::kernels
