// Reading PNG images.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eigengrad/core/dims.h"

namespace eigengrad::data {

/// An image as bytes: levels [channels, rows, columns], row-major.
struct Picture {
  Shape shape;                       ///< [channels, rows, columns], with one channel or three
  std::vector<std::uint8_t> levels;  ///< row-major
};

/// Reads a PNG image of any kind as grey (channels = 1) or as red, green and blue (3). Colours become grey as (299 R +
/// 587 G + 114 B) / 1000 (ITU-R BT.601), as in other tools; transparency is left out. Throws IoError when it cannot be
/// read; FormatError for what is not a PNG image, is damaged, or has so many pixels that they would take more memory
/// than the file's size and 48 MiB; ValueError for other channels.
Picture read_png(const std::string& path, std::int64_t channels);

/// The picture at another size. Every pixel is the mean of the area that it covers, or between pixels where it is
/// smaller than one (a triangle filter of twice its width, as in Pillow's BILINEAR). Throws ValueError for an extent
/// below 1.
Picture resized(const Picture& picture, std::int64_t rows, std::int64_t columns);

}  // namespace eigengrad::data
