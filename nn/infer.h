// Helpers of the infer() functions: shapes of one sample, without the batch axis. Each throws ShapeError with what the
// layer expects.
#pragma once

#include "eigengrad/core/dims.h"

namespace eigengrad::nn {

/// What a configuration may ask for at most: numbers that no arithmetic of shapes overflows with.
inline constexpr double kMaxExtent = 1e9, kMaxLayers = 1e4;

/// The same with a batch of one.
Shape with_batch(const Shape& sample);
/// Checks that an axis of a batch exists; 0 is the batch, and negative axes count from the back.
void check_batch_axis(const Shape& sample, std::int64_t axis);
/// The place in `sample` of an axis of a batch, which must not be the batch axis itself.
std::size_t sample_axis(const Shape& sample, std::int64_t axis);
/// Gives `option` the extent of the data where it is 0, and checks that it is that extent otherwise.
void infer_extent(std::int64_t& option, const char* name, std::int64_t extent);

/// Checks that a sample is a sequence [C, L] (1 axis behind that of the channels) or an image [C, H, W] (2).
void check_channels_first(const Shape& sample, std::size_t axes);
/// Checks an option that sequences need: the first axis of data is that of samples.
void check_batch_first(bool batch_first);

/// The number of places of a window along an axis.
std::int64_t window_places(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                           std::int64_t dilation, bool ceil_mode = false);

}  // namespace eigengrad::nn
