#include "eigengrad/data/idx.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <optional>

#include "eigengrad/config/value.h"
#include "eigengrad/core/check.h"
#include "eigengrad/data/gzip.h"

namespace eigengrad::data {
namespace {

constexpr int kMaxRank = 8;
constexpr std::uint64_t kMagicBytes = 4, kExtentBytes = 4;

struct Kind {
  IdxType type;
  const char* name;
  std::size_t size;
};
constexpr Kind kKinds[] = {{IdxType::UInt8, "uint8", 1},     {IdxType::Int8, "int8", 1},
                           {IdxType::Int16, "int16", 2},     {IdxType::Int32, "int32", 4},
                           {IdxType::Float32, "float32", 4}, {IdxType::Float64, "float64", 8}};

const Kind* find_kind(std::uint8_t code) {
  for (const Kind& kind : kKinds)
    if (static_cast<std::uint8_t>(kind.type) == code) return &kind;
  return nullptr;
}

// What a reader insists on, besides the format.
struct Expected {
  std::optional<IdxType> type;
  std::optional<int> rank;
  std::uint64_t max_bytes = kMaxIdxBytes;
};

// The first four bytes: zero, zero, type, rank.
void read_magic(ByteReader& reader, const Expected& expected, IdxArray& array, int& rank) {
  std::array<std::uint8_t, kMagicBytes> magic;
  reader.read(magic, "an IDX header");
  if (magic[0] != 0 || magic[1] != 0)
    reader.fail(0, fmt::format("found {:02x}{:02x}, expected the 0000 of an IDX file", magic[0], magic[1]));
  const Kind* const kind = find_kind(magic[2]);
  if (!kind) reader.fail(2, fmt::format("found the element type 0x{:02x}, expected one from 0x08 to 0x0e", magic[2]));
  array.type = kind->type;
  rank = magic[3];
  if (expected.type && array.type != *expected.type)
    reader.fail(
        2, fmt::format("found elements of type {}, expected {}", to_string(array.type), to_string(*expected.type)));
  if (expected.rank && rank != *expected.rank)
    reader.fail(3, fmt::format("found {} axes, expected {}", rank, *expected.rank));
  if (rank < 1 || rank > kMaxRank) reader.fail(3, fmt::format("found {} axes, expected 1 to {}", rank, kMaxRank));
}

// The extents; returns the bytes of elements that they promise, once the file is seen to be able to hold them.
std::uint64_t read_extents(ByteReader& reader, int rank, const Expected& expected, IdxArray& array) {
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::uint8_t, kExtentBytes> b;
    reader.read(b, "an extent");
    array.shape.push_back(std::int64_t{b[0]} << 24 | b[1] << 16 | b[2] << 8 | b[3]);
  }
  std::uint64_t bytes = 0;
  bool fits = false;
  try {
    fits =
        !__builtin_mul_overflow(checked_numel(array.shape), size_of(array.type), &bytes) && bytes <= expected.max_bytes;
  } catch (const ShapeError&) {  // the number of elements is beyond 64 bits
  }
  if (!fits)
    reader.fail(kMagicBytes, fmt::format("found the extents {} of {}, expected at most {} bytes in all", array.shape,
                                         to_string(array.type), expected.max_bytes));
  if (bytes > reader.most_that_can_follow())
    reader.fail(kMagicBytes,
                fmt::format("found the extents {} of {}, which take {} bytes, expected at most the {} that can follow",
                            array.shape, to_string(array.type), bytes, reader.most_that_can_follow()));
  return bytes;
}

void to_native_order(IdxArray& array) {
  const std::size_t size = size_of(array.type);
  if (size == 1 || std::endian::native == std::endian::big) return;
  for (std::size_t at = 0; at < array.bytes.size(); at += size)
    std::reverse(array.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                 array.bytes.begin() + static_cast<std::ptrdiff_t>(at + size));
}

IdxArray read_expected(const std::string& path, const Expected& expected) {
  ByteReader reader(path);
  IdxArray array;
  int rank = 0;
  read_magic(reader, expected, array, rank);
  const std::uint64_t bytes = read_extents(reader, rank, expected, array);
  array.bytes.resize(static_cast<std::size_t>(bytes));
  reader.read(array.bytes, "elements");
  reader.expect_end();
  to_native_order(array);
  return array;
}

template <class From, class To>
Tensor converted(const IdxArray& array) {
  const Tensor result = empty(array.shape, dtype_of<To>);
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    From value;
    std::memcpy(&value, array.bytes.data() + static_cast<std::size_t>(i) * sizeof(From), sizeof(From));
    result.raw<To>()[i] = static_cast<To>(value);
  }
  return result;
}

// Throws FormatError for a label that is not one of the classes.
void check_labels(const std::string& path, const std::vector<std::uint8_t>& labels, std::int64_t classes) {
  for (std::size_t i = 0; i < labels.size(); ++i)
    EG_CHECK(labels[i] < classes, FormatError, "{}: at byte {}: found the label {} (sample {}), expected 0 to {}",
             printable(path), kMagicBytes + kExtentBytes + i, labels[i], i, classes - 1);
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
  EG_CHECK(!path.empty(), IoError, "there is no {}-{}-{}-ubyte (or .gz) in {}", train ? "train" : "t10k", what, rank,
           folder);
  return path;
}

}  // namespace

std::string_view to_string(IdxType type) {
  const Kind* const kind = find_kind(static_cast<std::uint8_t>(type));
  return kind ? kind->name : "unknown";
}

std::size_t size_of(IdxType type) {
  const Kind* const kind = find_kind(static_cast<std::uint8_t>(type));
  EG_CHECK(kind, ValueError, "[size_of] there is no IDX type 0x{:02x}", static_cast<int>(type));
  return kind->size;
}

IdxArray read_idx_array(const std::string& path, std::uint64_t max_bytes) {
  return read_expected(path, {.type = {}, .rank = {}, .max_bytes = max_bytes});
}

Tensor to_tensor(const IdxArray& array) {
  const auto bytes = static_cast<std::uint64_t>(checked_numel(array.shape)) * size_of(array.type);
  EG_CHECK(array.bytes.size() == bytes, ShapeError, "[to_tensor] {} bytes do not fill shape {} of {}",
           array.bytes.size(), array.shape, to_string(array.type));
  switch (array.type) {
    case IdxType::UInt8: return converted<std::uint8_t, std::int64_t>(array);
    case IdxType::Int8: return converted<std::int8_t, std::int64_t>(array);
    case IdxType::Int16: return converted<std::int16_t, std::int64_t>(array);
    case IdxType::Int32: return converted<std::int32_t, std::int64_t>(array);
    case IdxType::Float32: return converted<float, float>(array);
    case IdxType::Float64: break;
  }
  return converted<double, double>(array);
}

IdxBytes read_idx(const std::string& path, int rank) {
  IdxArray array = read_expected(path, {.type = IdxType::UInt8, .rank = rank});
  return {std::move(array.shape), std::move(array.bytes)};
}

Tensor read_idx_images(const std::string& path) {
  const IdxBytes images = read_idx(path, 3);
  const Tensor result = empty(images.shape);
  std::transform(images.values.begin(), images.values.end(), result.raw<float>(),
                 [](std::uint8_t level) { return static_cast<float>(level) / 255.0f; });
  return result;
}

Tensor read_idx_labels(const std::string& path, std::int64_t classes) {
  const IdxBytes labels = read_idx(path, 1);
  check_labels(path, labels.values, classes);
  return tensor(labels.values, labels.shape);
}

DatasetPtr mnist(const std::string& folder, bool train, Normalization normalization) {
  const std::string image_file = part(folder, train, "images", "idx3"),
                    label_file = part(folder, train, "labels", "idx1");
  IdxBytes images = read_idx(image_file, 3);
  const IdxBytes labels = read_idx(label_file, 1);
  EG_CHECK(images.shape[0] == labels.shape[0], FormatError, "{} has {} images, but {} has {} labels", image_file,
           images.shape[0], label_file, labels.shape[0]);
  EG_CHECK(images.shape[1] > 0 && images.shape[2] > 0, FormatError, "{}: found images of {}x{}, in which nothing is",
           printable(image_file), images.shape[1], images.shape[2]);
  check_labels(label_file, labels.values, 10);
  return std::make_shared<ImageDataset>(Images{std::move(images.values),
                                               std::vector<std::int64_t>(labels.values.begin(), labels.values.end()),
                                               {1, images.shape[1], images.shape[2]},
                                               numbered_classes(10)},
                                        normalization, train ? "MNIST, training set" : "MNIST, test set");
}

bool has_mnist(const std::string& folder) {
  int found = 0;
  std::string missing;
  for (const bool train : {true, false})
    for (const auto& [what, type] : {std::pair("images", "idx3"), std::pair("labels", "idx1")}) {
      const bool here = !find_part(folder, train, what, type).empty();
      found += here;
      if (!here)
        missing += fmt::format("{}{}-{}-{}-ubyte", missing.empty() ? "" : ", ", train ? "train" : "t10k", what, type);
    }
  EG_CHECK(found == 0 || found == 4, IoError, "{} has a part of MNIST alone: {} not found", printable(folder), missing);
  return found == 4;
}

}  // namespace eigengrad::data
