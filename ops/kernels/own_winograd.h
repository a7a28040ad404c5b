// Convolutions of 3×3 with stride 1 by Winograd's algorithm F(4×4, 3×3): 36 multiplications for 16 results of a channel
// where there were 144. (S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast
// Algorithms for Convolutional Neural Networks, CVPR 2016.)
//
// The polynomials are evaluated at 0, ±3/4, ±3/2 and ∞, not at the usual 0, ±1, ±2 and ∞, which halves the rounding
// errors. They are below 10⁻⁶ of the results (root mean square), some 3 to 8 times those of sums in float32:
// tests/ops/winograd_test.cc measures them. A pixel that is not finite spoils all results of its tile.
#pragma once

#include "eigengrad/ops/kernels/engine.h"

namespace eigengrad::kernels {

/// Whether the algorithm applies, and there are enough channels and pixels for it to be the faster one.
bool suits_winograd(const ConvolutionShape& shape);

/// The three passes of Engine::convolution.
void winograd(const ConvolutionShape& shape, const float* x, const float* weight, const Epilogue& end, float* y);
void winograd_input_grad(const ConvolutionShape& shape, const float* dy, const float* weight, float* dx);
void winograd_weight_grad(const ConvolutionShape& shape, const float* x, const float* dy, float* dweight);

}  // namespace eigengrad::kernels
