#include "eigengrad/io/image.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::io {
namespace {

// Bytes as PNG has them: pixel by pixel, the channels of each together.
std::vector<png_byte> bytes_of(const Tensor& image, std::int64_t channels) {
  const std::vector<double> values = to(image.detach(), kFloat64).to_vector<double>();
  const auto pixels = static_cast<std::int64_t>(values.size()) / channels;
  std::vector<png_byte> bytes(values.size());
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < pixels; ++i) {
      const double value = values[static_cast<std::size_t>(c * pixels + i)];
      const double level = std::isnan(value) ? 0 : std::clamp(value, 0.0, 1.0);
      bytes[static_cast<std::size_t>(i * channels + c)] = static_cast<png_byte>(std::lround(level * 255));
    }
  return bytes;
}

}  // namespace

std::string to_png(const Tensor& image) {
  EG_CHECK(is_floating(image.dtype()), DtypeError, "[to_png] expected a floating image, found {}", image.dtype());
  const std::int64_t channels = image.dim() == 3 ? image.size(0) : 1;
  EG_CHECK((image.dim() == 2 || image.dim() == 3) && (channels == 1 || channels == 3) && image.numel() > 0, ShapeError,
           "[to_png] expected an image [H, W], [1, H, W] or [3, H, W], found {}", image.shape());
  const std::vector<png_byte> bytes = bytes_of(image, channels);
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.size(-1));
  header.height = static_cast<png_uint_32>(image.size(-2));
  header.format = channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::string file(size, '\0');
  EG_CHECK(png_image_write_to_memory(&header, file.data(), &size, 0, bytes.data(), 0, nullptr) != 0, Error,
           "[to_png] cannot make the image: {}", header.message);
  file.resize(size);
  return file;
}

void save_png(const std::string& path, const Tensor& image) { write_file(path, to_png(image)); }

Tensor image_grid(const Tensor& images, std::int64_t columns) {
  EG_CHECK(images.dim() == 4, ShapeError, "[image_grid] expected images [N, C, H, W], found {}", images.shape());
  EG_CHECK(columns >= 1, ValueError, "[image_grid] expected at least 1 column, found {}", columns);
  const std::int64_t count = images.size(0), height = images.size(2), width = images.size(3);
  const std::int64_t rows = (count + columns - 1) / columns;
  const Tensor grid = full({images.size(1), rows * (height + 1) + 1, columns * (width + 1) + 1}, 0.5, images.dtype());
  for (std::int64_t i = 0; i < count; ++i) {
    Tensor place =
        narrow(narrow(grid, 1, i / columns * (height + 1) + 1, height), 2, i % columns * (width + 1) + 1, width);
    copy_(place, select(images.detach(), 0, i));
  }
  return grid;
}

}  // namespace eigengrad::io
