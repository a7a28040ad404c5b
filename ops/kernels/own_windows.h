// Windows on images, as the convolutions of our own engine see them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/room.h"

namespace eigengrad::kernels {

using Pair = std::array<std::int64_t, 2>;  // rows, columns

// Images in memory, N·H·W·C.
struct Images {
  std::int64_t count, height, width, channels;
  std::int64_t row() const { return width * channels; }
  std::int64_t size() const { return height * row(); }
};

// A tap of a window: how far it is from the window's first pixel, and which of the kernel it is.
struct Tap {
  Pair offset;
  std::int64_t number;
};

// Where windows stand on images: the first pixel of window (i, j) is at first + step · (i, j), which may be outside,
// where all is zero.
struct Windows {
  Pair first, step, places, span;  // span: the pixels from a window's first to its last
  std::vector<Tap> taps;           // by rising offset
};

// The windows of a convolution.
inline Windows forward_windows(const ConvolutionShape& s) {
  const Window& w = s.window;
  Windows windows{{-w.padding[0], -w.padding[1]}, w.stride, {s.out_height, s.out_width}, {}, {}};
  for (std::size_t axis : {0, 1}) windows.span[axis] = w.dilation[axis] * (w.kernel[axis] - 1) + 1;
  for (std::int64_t i = 0; i < w.kernel[0]; ++i)
    for (std::int64_t j = 0; j < w.kernel[1]; ++j)
      windows.taps.push_back({{i * w.dilation[0], j * w.dilation[1]}, i * w.kernel[1] + j});
  return windows;
}

// A group of channels.
struct GroupOf {
  std::int64_t in, out, taps;  // channels of one group
  explicit GroupOf(const ConvolutionShape& s)
      : in(s.channels / s.groups), out(s.out_channels / s.groups), taps(s.window.kernel[0] * s.window.kernel[1]) {}
  std::int64_t weights() const { return in * out * taps; }
};

// How the rows of windows of all images, one after another, are cut into blocks: by the extents alone.
struct Blocks {
  std::int64_t rows, count;  // of a block, and blocks
  Blocks(const Windows& w, std::int64_t images, std::int64_t pixels) {
    const std::int64_t all = images * w.places[0];
    rows = std::clamp<std::int64_t>(pixels / std::max<std::int64_t>(1, w.places[1]), 1, all);
    count = (all + rows - 1) / rows;
    rows = (all + count - 1) / count;
    count = (all + rows - 1) / rows;
  }
};

// The windows of one block at a time. Where they reach beyond the images, their pixels are copied into zeros.
template <class T>
class BlockReader {
 public:
  BlockReader(const T* from, const Images& images, const Windows& windows, const Blocks& blocks)
      : from_(from),
        images_(images),
        w_(windows),
        blocks_(blocks),
        inside_(is_inside()),
        width_(inside_ ? images.width : (w_.places[1] - 1) * w_.step[1] + w_.span[1]),
        copies_(inside_ ? 0 : copied_rows() * width_ * images.channels),
        starts_(blocks.rows * w_.places[1]) {}

  // The number of windows in the block; start() then tells where each one's first pixel is.
  std::int64_t read(std::int64_t block) {
    const std::int64_t begin = block * blocks_.rows, end = std::min(begin + blocks_.rows, images_.count * w_.places[0]);
    std::int64_t windows = 0;
    T* copy = copies_.data();
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t image = row / w_.places[0], first = row % w_.places[0];
      const std::int64_t rows = std::min(end - row, w_.places[0] - first);
      const std::int64_t top = w_.first[0] + first * w_.step[0], high = (rows - 1) * w_.step[0] + w_.span[0];
      const T* pixels = from_ + image * images_.size() + top * images_.row() + w_.first[1] * images_.channels;
      if (!inside_) {
        copy_rows(image, top, high, copy);
        pixels = copy;
        copy += high * row_stride();
      }
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < w_.places[1]; ++j)
          starts_[windows++] = pixels + i * w_.step[0] * row_stride() + j * w_.step[1] * images_.channels;
      row += rows;
    }
    return windows;
  }
  const T* const* starts() const { return starts_.data(); }
  // Elements from one row of pixels to the next.
  std::int64_t row_stride() const { return width_ * images_.channels; }

 private:
  bool is_inside() const {
    for (std::size_t axis : {0, 1}) {
      const std::int64_t last = w_.first[axis] + (w_.places[axis] - 1) * w_.step[axis] + w_.span[axis];
      if (w_.first[axis] < 0 || last > (axis == 0 ? images_.height : images_.width)) return false;
    }
    return true;
  }
  // At most: every image that begins in the block has rows of its own under its last window.
  std::int64_t copied_rows() const {
    const std::int64_t parts = (blocks_.rows + w_.places[0] - 1) / w_.places[0] + 1;
    return blocks_.rows * w_.step[0] + parts * w_.span[0];
  }
  void copy_rows(std::int64_t image, std::int64_t top, std::int64_t rows, T* to) const {
    const std::int64_t channels = images_.channels;
    const std::int64_t left = std::clamp<std::int64_t>(-w_.first[1], 0, width_);
    const std::int64_t right = std::clamp<std::int64_t>(images_.width - w_.first[1], left, width_);
    for (std::int64_t i = 0; i < rows; ++i, to += row_stride()) {
      const std::int64_t y = top + i;
      if (y < 0 || y >= images_.height) {
        std::fill_n(to, row_stride(), T(0));
        continue;
      }
      const T* const row = from_ + image * images_.size() + y * images_.row() + (w_.first[1] + left) * channels;
      std::fill_n(to, left * channels, T(0));
      std::copy_n(row, (right - left) * channels, to + left * channels);
      std::fill(to + right * channels, to + row_stride(), T(0));
    }
  }

  const T* const from_;
  const Images images_;
  const Windows& w_;
  const Blocks blocks_;
  const bool inside_;
  const std::int64_t width_;
  const RoomOf<T> copies_;
  const RoomOf<const T*> starts_;
};

}  // namespace eigengrad::kernels
