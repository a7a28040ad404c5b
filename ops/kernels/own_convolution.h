// Convolutions of our own engine: products whose left operand is read from the images themselves.
#pragma once

#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad::kernels {

/// See Engine::convolution and the two after it. They take every shape; of groups that have fewer outputs than a vector
/// has lanes they make slow work.
template <class T>
void own_convolution(const ConvolutionShape& shape, const T* x, const T* weight, const Epilogue& end, T* y);
template <class T>
void own_convolution_input_grad(const ConvolutionShape& shape, const T* dy, const T* weight, T* dx);
template <class T>
void own_convolution_weight_grad(const ConvolutionShape& shape, const T* x, const T* dy, T* dweight);

/// totals[c] ← the sum over all pixels, which lie with their channels together, in double.
template <class T>
void sum_pixels(const T* pixels, std::int64_t count, std::int64_t channels, T* totals);

}  // namespace eigengrad::kernels
