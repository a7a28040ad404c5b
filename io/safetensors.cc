#include "eigengrad/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/io/file.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::io {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::size_t kMaxHeader = config::kMaxBytes;
constexpr const char* kMetadata = "__metadata__";

struct TypeName {
  Dtype dtype;
  const char* name;
};
constexpr TypeName kTypes[] = {{kBool, "BOOL"}, {kInt64, "I64"}, {kBFloat16, "BF16"}, {kFloat32, "F32"}, {kFloat64, "F64"}};

const char* name_of(Dtype dtype) {
  return std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& t) { return t.dtype == dtype; })->name;
}

std::size_t bytes_of(const Tensor& x) { return static_cast<std::size_t>(x.numel()) * size_of(x.dtype()); }

config::Value header_of(const NamedTensors& tensors, const Metadata& metadata) {
  config::Value header = config::Value::object();
  if (!metadata.empty()) {
    config::Value& object = header.set(kMetadata, config::Value::object());
    for (const auto& [key, value] : metadata) object.set(key, value);
  }
  std::size_t offset = 0;
  for (const auto& [name, x] : tensors) {
    EG_CHECK(!name.empty() && name != kMetadata, ValueError, "[save_safetensors] a tensor cannot have the name '{}'",
             name);
    EG_CHECK(!header.find(name), ValueError, "[save_safetensors] the name '{}' is there twice", name);
    config::Value shape = config::Value::array();
    for (const std::int64_t extent : x.shape()) shape.push_back(extent);
    config::Value entry = config::Value::object();
    entry.set("dtype", name_of(x.dtype()));
    entry.set("shape", std::move(shape));
    const std::size_t end = offset + bytes_of(x);
    entry.set("data_offsets", config::Value::Array{static_cast<std::int64_t>(offset), static_cast<std::int64_t>(end)});
    header.set(name, std::move(entry));
    offset = end;
  }
  return header;
}

// One tensor of a header, checked by itself.
struct Entry {
  std::string name;
  Dtype dtype;
  Shape shape;
  std::size_t begin, end;
};

class HeaderReader {
 public:
  HeaderReader(const std::string& path, std::size_t data_bytes) : path_(path), data_bytes_(data_bytes) {}

  std::vector<Entry> read(const config::Value& header, Metadata& metadata) const {
    check(header.as_object(), "the header is not an object");
    std::vector<Entry> entries;
    for (const auto& [name, value] : *header.as_object()) {
      if (name == kMetadata)
        read_metadata(value, metadata);
      else
        entries.push_back(read_entry(name, value));
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::size_t offset = 0;
    for (const Entry& entry : entries) {
      check(entry.begin == offset,
            fmt::format("tensor '{}' begins at {}, expected {}: tensors must follow one another without holes or "
                        "overlaps",
                        printable(entry.name), entry.begin, offset));
      offset = entry.end;
    }
    check(offset == data_bytes_, fmt::format("the tensors take {} bytes, but there are {}", offset, data_bytes_));
    return entries;
  }

 private:
  void check(bool good, const std::string& what) const { EG_CHECK(good, FormatError, "{}: {}", path_, what); }

  void read_metadata(const config::Value& value, Metadata& metadata) const {
    check(value.as_object(), "__metadata__ is not an object");
    for (const auto& [key, text] : *value.as_object()) {
      check(text.as_string(), fmt::format("__metadata__ '{}' is not a string", printable(key)));
      metadata.emplace_back(key, *text.as_string());
    }
  }

  Entry read_entry(const std::string& name, const config::Value& value) const {
    const std::string who = fmt::format("tensor '{}'", printable(name));
    const config::Value *dtype = value.find("dtype"), *shape = value.find("shape"),
                        *offsets = value.find("data_offsets");
    check(dtype && dtype->as_string() && shape && shape->as_array() && offsets && offsets->as_array() &&
              offsets->as_array()->size() == 2 && value.as_object()->size() == 3,
          who + ": expected exactly dtype, shape and data_offsets");
    const auto type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](const TypeName& t) { return *dtype->as_string() == t.name; });
    check(type != std::end(kTypes),
          fmt::format("{}: dtype '{}' is not one of BOOL, I64, BF16, F32, F64", who, printable(*dtype->as_string())));
    Entry entry{name, type->dtype, {}, 0, 0};
    for (const config::Value& extent : *shape->as_array()) {
      check(extent.as_integer() && *extent.as_integer() >= 0, who + ": its shape is not a list of whole numbers");
      entry.shape.push_back(*extent.as_integer());
    }
    const auto offset = [&](std::size_t i) {
      const std::int64_t* number = (*offsets->as_array())[i].as_integer();
      check(number && *number >= 0, who + ": its data_offsets are not whole numbers");
      return static_cast<std::size_t>(*number);
    };
    entry.begin = offset(0);
    entry.end = offset(1);
    check(entry.begin <= entry.end && entry.end <= data_bytes_,
          fmt::format("{}: its data at {} to {} are not within the {} bytes that there are", who, entry.begin,
                      entry.end, data_bytes_));
    check(
        entry.end - entry.begin == promised_bytes(entry, who),
        fmt::format("{}: {} bytes do not hold {} of shape {}", who, entry.end - entry.begin, entry.dtype, entry.shape));
    return entry;
  }

  std::size_t promised_bytes(const Entry& entry, const std::string& who) const {
    try {
      const std::int64_t count = checked_numel(entry.shape);
      check(count <= std::numeric_limits<std::int64_t>::max() / 8, who + ": its shape is beyond any file");
      return static_cast<std::size_t>(count) * size_of(entry.dtype);
    } catch (const ShapeError& error) {
      throw FormatError(fmt::format("{}: {}: {}", path_, who, error.what()));
    }
  }

  const std::string& path_;
  const std::size_t data_bytes_;
};

// Bools are stored as bytes; one that is neither 0 nor 1 would be undefined behaviour in C++.
void check_bools(const std::string& path, const Entry& entry, const char* data) {
  for (std::size_t i = 0; i < entry.end - entry.begin; ++i)
    EG_CHECK(data[i] == 0 || data[i] == 1, FormatError, "{}: tensor '{}': byte {} is {}, not a BOOL", path,
             printable(entry.name), i, static_cast<int>(data[i]));
}

}  // namespace

Written save_safetensors(const std::string& path, const NamedTensors& tensors, const Metadata& metadata) {
  const NoGrad no_grad;
  std::string header = config::to_json(header_of(tensors, metadata), -1);
  header.resize((header.size() + 7) / 8 * 8, ' ');  // so that the data begin at a multiple of 8
  const std::uint64_t length = header.size();
  std::vector<Tensor> held;
  std::vector<std::string_view> pieces{{reinterpret_cast<const char*>(&length), 8}, header};
  for (const auto& [name, x] : tensors) {
    held.push_back(contiguous(x.detach()));
    pieces.emplace_back(held.back().raw<const char>(), bytes_of(x));
  }
  return write_file(path, pieces);
}

TensorFile load_safetensors(const std::string& path) {
  const std::string file = read_file(path, std::numeric_limits<std::size_t>::max() / 2);
  EG_CHECK(file.size() >= 8, FormatError, "{}: {} bytes are too few for a safetensors file", path, file.size());
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  EG_CHECK(length <= kMaxHeader && length <= file.size() - 8, FormatError,
           "{}: the header is said to have {} bytes, but the file has {} (and {} is the limit)", path, length,
           file.size(), kMaxHeader);
  TensorFile result;
  const std::size_t data_start = 8 + static_cast<std::size_t>(length);
  config::Value header;
  try {
    header = config::parse_json(std::string_view(file).substr(8, length), path);
  } catch (const ConfigError& error) {
    throw FormatError(error.what());
  }
  for (const Entry& entry : HeaderReader(path, file.size() - data_start).read(header, result.metadata)) {
    const char* const data = file.data() + data_start + entry.begin;
    if (entry.dtype == kBool) check_bools(path, entry, data);
    const Tensor x = empty(entry.shape, entry.dtype);
    std::memcpy(x.raw<char>(), data, entry.end - entry.begin);
    result.tensors.emplace_back(entry.name, x);
  }
  return result;
}

}  // namespace eigengrad::io
