#include "eigengrad/nn/infer.h"

#include "eigengrad/core/check.h"

namespace eigengrad::nn {

Shape with_batch(const Shape& sample) {
  Shape batch = sample;
  batch.insert(0, 1);
  return batch;
}

void check_batch_axis(const Shape& sample, std::int64_t axis) {
  const auto rank = static_cast<std::int64_t>(sample.size()) + 1;
  EG_CHECK(axis >= -rank && axis < rank, ShapeError, "axis {} is out of range ({} to {}, 0 is the batch)", axis, -rank,
           rank - 1);
}

std::size_t sample_axis(const Shape& sample, std::int64_t axis) {
  check_batch_axis(sample, axis);
  const std::int64_t place = axis < 0 ? axis + static_cast<std::int64_t>(sample.size()) : axis - 1;
  EG_CHECK(place >= 0, ShapeError, "axis {} is the batch, which must stay", axis);
  return static_cast<std::size_t>(place);
}

void infer_extent(std::int64_t& option, const char* name, std::int64_t extent) {
  if (option == 0) option = extent;
  EG_CHECK(option == extent, ShapeError, "expects {} = {}", name, option);
}

void check_channels_first(const Shape& sample, std::size_t axes) {
  EG_CHECK(sample.size() == axes + 1, ShapeError, "expects {}", axes == 1 ? "sequences [C, L]" : "images [C, H, W]");
}

void check_batch_first(bool batch_first) {
  EG_CHECK(batch_first, ShapeError, "expects \"batch_first\": true, for the first axis of data is that of samples");
}

std::int64_t window_places(std::int64_t extent, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                           std::int64_t dilation, bool ceil_mode) {
  const std::int64_t room = extent + 2 * padding - dilation * (kernel - 1) - 1;
  EG_CHECK(room >= 0, ShapeError, "expects at least {} elements along an axis",
           dilation * (kernel - 1) + 1 - 2 * padding);
  std::int64_t places = (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  // A last window must begin inside the image or the padding before it.
  if (ceil_mode && (places - 1) * stride >= extent + padding) --places;
  return places;
}

}  // namespace eigengrad::nn
