// Copies between tensors of any strides.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// to ← from, which broadcasts to it; both of one dtype.
void copy(const Tensor& to, const Tensor& from);
/// A row-major copy.
Tensor contiguous_copy(const Tensor& x);
/// x itself when it is row-major, else a copy.
Tensor as_contiguous(const Tensor& x);

// Images [N, C, H, W] in memory as N·H·W·C: what convolutions like best, for all channels of a pixel lie together.
bool is_channels_last(const Tensor& x);
/// Whether results for x have them last, too: not where that is a matter of opinion.
bool channels_come_last(const Tensor& x);
Tensor empty_channels_last(const Shape& shape, Dtype dtype);
/// Such images as [N, H, W, C], row-major, and back.
Tensor as_pixels(const Tensor& images);
Tensor as_images(const Tensor& pixels);
/// x itself when its channels are last, else a copy.
Tensor as_channels_last(const Tensor& x);

}  // namespace eigengrad::kernels
