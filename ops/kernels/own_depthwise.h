// Depthwise convolutions of our own engine: every channel has a kernel of its own, so there is no product in them.
#pragma once

#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad::kernels {

/// Whether there are as many groups as channels, and one output for each.
bool is_depthwise(const ConvolutionShape& shape);

/// See Engine::convolution and the two after it, for shapes that are depthwise.
template <class T>
void own_depthwise(const ConvolutionShape& shape, const T* x, const T* weight, const Epilogue& end, T* y);
template <class T>
void own_depthwise_input_grad(const ConvolutionShape& shape, const T* dy, const T* weight, T* dx);
template <class T>
void own_depthwise_weight_grad(const ConvolutionShape& shape, const T* x, const T* dy, T* dweight);

}  // namespace eigengrad::kernels
