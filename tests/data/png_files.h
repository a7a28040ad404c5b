// PNG images made for a test.
#pragma once

#include <gtest/gtest.h>
#include <png.h>

#include "tests/data/files.h"

namespace eigengrad::data {

/// The bytes of a PNG image of a format of libpng's simplified interface, such as PNG_FORMAT_RGB; pixels row by row.
inline Bytes png(png_uint_32 rows, png_uint_32 columns, png_uint_32 format, const Bytes& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = columns;
  image.height = rows;
  image.format = format;
  EXPECT_EQ(PNG_IMAGE_SIZE(image), pixels.size());
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  Bytes file(size);
  EXPECT_NE(png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data(), 0, nullptr), 0) << image.message;
  file.resize(size);
  return file;
}

}  // namespace eigengrad::data
