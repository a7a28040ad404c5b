#include "eigengrad/data/png.h"

#include <png.h>

#include <algorithm>
#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"

namespace eigengrad::data {
namespace {

constexpr std::size_t kBytesPerPixel = 4;             // as libpng gives them: red, green, blue, alpha
constexpr std::size_t kRoom = std::size_t{48} << 20;  // for pixels, besides as much as the file has
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 30;

// libpng's simplified interface, which has no longjmp to the caller.
class Decoder {
 public:
  Decoder(const std::string& name, const std::string& file) : name_(name) {
    image_.version = PNG_IMAGE_VERSION;
    EG_CHECK(png_image_begin_read_from_memory(&image_, file.data(), file.size()) != 0, FormatError,
             "{}: it is not a PNG image: {}", name_, printable(image_.message));
  }
  ~Decoder() { png_image_free(&image_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  std::size_t rows() const { return image_.height; }
  std::size_t columns() const { return image_.width; }
  std::vector<png_byte> pixels() {
    image_.format = PNG_FORMAT_RGBA;
    std::vector<png_byte> pixels(rows() * columns() * kBytesPerPixel);
    EG_CHECK(png_image_finish_read(&image_, nullptr, pixels.data(), 0, nullptr) != 0, FormatError,
             "{}: the PNG image is damaged: {}", name_, printable(image_.message));
    return pixels;
  }

 private:
  const std::string& name_;
  png_image image_{};
};

// How much of each old pixel goes into one new pixel of an axis.
struct Share {
  std::int64_t first;
  std::vector<double> weights;
};

std::vector<Share> shares(std::int64_t from, std::int64_t to) {
  std::vector<Share> result;
  const double scale = static_cast<double>(from) / static_cast<double>(to), width = std::max(scale, 1.0);
  for (std::int64_t i = 0; i < to; ++i) {
    const double middle = (static_cast<double>(i) + 0.5) * scale;
    const std::int64_t first = std::max<std::int64_t>(0, std::llround(middle - width)),
                       last = std::min(from, static_cast<std::int64_t>(std::llround(middle + width)));
    Share share{first, {}};
    double sum = 0;
    for (std::int64_t k = first; k < last; ++k) {
      share.weights.push_back(std::max(0.0, 1 - std::abs((static_cast<double>(k) + 0.5 - middle) / width)));
      sum += share.weights.back();
    }
    for (double& weight : share.weights) weight /= sum;
    result.push_back(std::move(share));
  }
  return result;
}

}  // namespace

Picture read_png(const std::string& path, std::int64_t channels) {
  EG_CHECK(channels == 1 || channels == 3, ValueError, "[read_png] expected 1 channel or 3, found {}", channels);
  RegularFile file(path);
  EG_CHECK(file.size() <= kLargestFile, FormatError, "{} has {} bytes, expected {} at most", file.name(), file.size(),
           kLargestFile);
  const std::string bytes = file.read_all();
  Decoder decoder(file.name(), bytes);
  const std::size_t rows = decoder.rows(), columns = decoder.columns();
  const std::size_t most = (kRoom + bytes.size()) / (kBytesPerPixel + static_cast<std::size_t>(channels));
  EG_CHECK(rows >= 1 && columns >= 1 && rows <= most / columns, FormatError,
           "{}: found {}x{} pixels, expected {} in all at most", file.name(), rows, columns, most);
  const std::vector<png_byte> pixels = decoder.pixels();
  const std::size_t area = rows * columns;
  Picture picture{{channels, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, {}};
  picture.levels.resize(area * static_cast<std::size_t>(channels));
  for (std::size_t i = 0; i < area; ++i) {
    const png_byte* const pixel = pixels.data() + i * kBytesPerPixel;
    if (channels == 1)
      picture.levels[i] = static_cast<std::uint8_t>((299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2] + 500) / 1000);
    else
      for (std::size_t c = 0; c < 3; ++c) picture.levels[c * area + i] = pixel[c];
  }
  return picture;
}

Picture resized(const Picture& picture, std::int64_t rows, std::int64_t columns) {
  EG_CHECK(rows >= 1 && columns >= 1, ValueError, "[resized] expected at least 1x1, found {}x{}", rows, columns);
  const std::int64_t channels = picture.shape[0], height = picture.shape[1], width = picture.shape[2];
  if (rows == height && columns == width) return picture;
  const std::vector<Share> down = shares(height, rows), across = shares(width, columns);
  Picture result{{channels, rows, columns}, {}};
  std::vector<double> line(static_cast<std::size_t>(width));
  for (std::int64_t c = 0; c < channels; ++c)
    for (const Share& vertical : down) {
      std::fill(line.begin(), line.end(), 0.0);
      for (std::size_t k = 0; k < vertical.weights.size(); ++k) {
        const auto* const row =
            picture.levels.data() + (c * height + vertical.first + static_cast<std::int64_t>(k)) * width;
        for (std::size_t x = 0; x < line.size(); ++x) line[x] += vertical.weights[k] * row[x];
      }
      for (const Share& horizontal : across) {
        double level = 0;
        for (std::size_t k = 0; k < horizontal.weights.size(); ++k)
          level += horizontal.weights[k] * line[static_cast<std::size_t>(horizontal.first) + k];
        result.levels.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(level), 0L, 255L)));
      }
    }
  return result;
}

}  // namespace eigengrad::data
