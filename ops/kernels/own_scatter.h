// The gradient of a convolution's input the other way round: not gathered by every pixel from the windows that it was
// in, but given by every window to its pixels.
#pragma once

#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {

/// Whether that takes less work: with few channels, which leave a panel of the product narrow and cannot fill its
/// vectors, and where windows cover the border of the image less often than its middle.
template <class T>
bool suits_scatter(const Tiles<T>& tiles, const ConvolutionShape& shape);

/// dx ← the gradient of x, from dy, that of y, by the given loops, for whose elements both factors are taken.
template <class T>
void scatter_input_grad(const Tiles<T>& tiles, const ConvolutionShape& shape, const T* dy, const T* weight, T* dx);

}  // namespace eigengrad::kernels
