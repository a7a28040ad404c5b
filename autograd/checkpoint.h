// Checkpoints: memory saved by computing a part of the forward pass twice.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "eigengrad/autograd/tensor_function.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// function(inputs), whose graph is not kept: a walk that comes here runs the function again, and goes on in the graph
/// that it then makes (T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). Of n equal steps in √n
/// checkpoints, √n are in memory at a time. Any tensors may be inputs, and any results outputs.
///
/// All derivatives are those of function(inputs), of any order and to the bit, by the inputs and by whatever else the
/// function uses, such as parameters: in backward(), in grad(), and with hooks, which run once. Checkpoints may be
/// nested.
///
/// The function is copied, with what it captures, and called after checkpoint() has returned: it captures tensors and
/// modules by value, or what outlives the graph. It must do the same again. Random numbers of default_generator() are
/// drawn again, as long as no other thread draws from it meanwhile; hooks on inner tensors are set again; but running
/// statistics of normalisation are updated twice. Where the second run has other results, the walk throws GradError, as
/// it does for an input that has been changed in place. Without recording (NoGrad) this is just function(inputs).
///
/// Throws ValueError for undefined inputs and results. A second walk throws GradError unless the first retained the
/// graph.
std::vector<Tensor> checkpoint(const TensorFunction& function, std::span<const Tensor> inputs);
std::vector<Tensor> checkpoint(const TensorFunction& function, std::initializer_list<Tensor> inputs);
/// The same for one input and one output: `h = checkpoint([block](const Tensor& x) { return (*block)(x); }, h)`. Throws
/// GradError when the function returns several.
Tensor checkpoint(const TensorFunction& function, const Tensor& input);

}  // namespace eigengrad
