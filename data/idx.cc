#include "eigengrad/data/idx.h"

#include <filesystem>

#include "eigengrad/core/check.h"
#include "eigengrad/data/gzip.h"

namespace eigengrad::data {
namespace {

constexpr std::uint8_t kUnsignedByte = 0x08;

std::int64_t big_endian(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[at + i];
  return value;
}

// The file of a part of MNIST, under any of its usual names; empty when there is none.
std::string find_part(const std::string& folder, bool train, const char* what, const char* rank) {
  const std::string stem = std::string(train ? "train-" : "t10k-") + what;
  for (const char* joint : {"-", "."})
    for (const char* ending : {"", ".gz"}) {
      const std::filesystem::path path = std::filesystem::path(folder) / (stem + joint + rank + "-ubyte" + ending);
      std::error_code error;
      if (std::filesystem::is_regular_file(path, error)) return path.string();
    }
  return "";
}

std::string part(const std::string& folder, bool train, const char* what, const char* rank) {
  std::string path = find_part(folder, train, what, rank);
  EG_CHECK(!path.empty(), IoError, "there is no {}-{}-{}-ubyte (or .gz) in {}", train ? "train" : "t10k", what, rank, folder);
  return path;
}

}  // namespace

IdxBytes read_idx(const std::string& path, int rank) {
  IdxBytes result;
  const std::size_t header_bytes = 4 + 4 * static_cast<std::size_t>(rank);
  result.values = read_file(path, header_bytes, [&](const std::vector<std::uint8_t>& header) {
    EG_CHECK(header[0] == 0 && header[1] == 0, FormatError, "{}: it begins with {:02x}{:02x}, expected the 0000 of an IDX file", path,
             header[0], header[1]);
    EG_CHECK(header[2] == kUnsignedByte, FormatError, "{}: its elements are of type 0x{:02x}, expected 0x08, unsigned bytes", path,
             header[2]);
    EG_CHECK(header[3] == rank, FormatError, "{}: it has {} axes, expected {}", path, header[3], rank);
    for (int axis = 0; axis < rank; ++axis) result.shape.push_back(big_endian(header, 4 + 4 * static_cast<std::size_t>(axis)));
    try {
      return header_bytes + static_cast<std::size_t>(checked_numel(result.shape));
    } catch (const ShapeError&) {
      throw FormatError(fmt::format("{}: the extents {} are beyond any file", path, result.shape));
    }
  });
  result.values.erase(result.values.begin(), result.values.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  return result;
}

DatasetPtr mnist(const std::string& folder, bool train, Normalization normalization) {
  const std::string image_file = part(folder, train, "images", "idx3"), label_file = part(folder, train, "labels", "idx1");
  IdxBytes images = read_idx(image_file, 3);
  const IdxBytes labels = read_idx(label_file, 1);
  EG_CHECK(images.shape[0] == labels.shape[0], FormatError, "{} has {} images, but {} has {} labels", image_file, images.shape[0],
           label_file, labels.shape[0]);
  for (std::size_t i = 0; i < labels.values.size(); ++i)
    EG_CHECK(labels.values[i] < 10, FormatError, "{}: label {} of sample {} (byte {}) is not a digit", label_file, labels.values[i], i,
             8 + i);
  return std::make_shared<ImageDataset>(std::move(images.values), std::vector<std::int64_t>(labels.values.begin(), labels.values.end()),
                                        images.shape[1], images.shape[2], 10, normalization,
                                        train ? "MNIST, training set" : "MNIST, test set");
}

bool has_mnist(const std::string& folder) {
  for (const bool train : {true, false})
    if (find_part(folder, train, "images", "idx3").empty() || find_part(folder, train, "labels", "idx1").empty()) return false;
  return true;
}

}  // namespace eigengrad::data
