#include "tests/fuzz/readers.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/utf8.h"
#include "eigengrad/data/csv.h"
#include "eigengrad/data/gzip.h"
#include "eigengrad/data/idx.h"
#include "eigengrad/data/image_source.h"
#include "eigengrad/data/png.h"
#include "eigengrad/data/table.h"
#include "eigengrad/data/text.h"
#include "eigengrad/io/safetensors.h"
#include "tests/fuzz/checkpoints.h"

namespace eigengrad::fuzz {
namespace {

void expect(bool good, const char* what) {
  if (!good) throw std::logic_error(what);
}

void read_json(const std::string& path) {
  const config::Value value = config::read_json_file(path);
  expect(config::parse_json(config::to_json(value)) == value, "what was written reads differently");
}

void read_idx(const std::string& path) {
  const data::IdxArray array = data::read_idx_array(path);
  const Tensor x = data::to_tensor(array);
  expect(x.shape() == array.shape, "the tensor has another shape");
}

void read_gzip(const std::string& path) {
  constexpr std::uint64_t kMost = 1 << 20;
  expect(data::read_file(path, kMost).size() <= kMost, "more was read than is allowed");
}

void read_records(const std::string& path) {
  data::CsvReader reader(path);
  std::int64_t line = 0;
  while (reader.next()) {
    expect(reader.line() > line, "lines do not rise");
    line = reader.line();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < reader.size(); ++i) {
      expect(is_utf8(reader[i]), "a field is not UTF-8");
      bytes += reader[i].size();
    }
    expect(bytes <= data::CsvReader::kMaxRecord, "a record is too long");
  }
}

// A data set of a table: the label is the column "y".
void read_table(const std::string& path) {
  data::CsvOptions options{.file = path, .label = {"y"}, .test_fraction = 0.5, .missing = data::Missing::Mean};
  const data::Source source = data::csv(options, "");
  for (const data::DatasetPtr& part : {source.train, source.test})
    for (std::int64_t i = 0; i < part->size(); ++i) {
      const data::Batch batch = part->get({&i, 1});
      for (const float value : batch.inputs.to_vector<float>()) expect(std::isfinite(value), "an input is not finite");
      const auto label = batch.targets.item<std::int64_t>();
      expect(label >= 0 && label < part->classes(), "a label is not one of the classes");
    }
  expect(data::csv_inputs(options)->read(path).inputs.size(0) > 0, "nothing is read to be asked about");
}

void read_png(const std::string& path) {
  for (const std::int64_t channels : {1, 3}) {
    const data::Picture picture = data::read_png(path, channels);
    expect(static_cast<std::int64_t>(picture.levels.size()) == checked_numel(picture.shape), "the sizes differ");
    expect(data::resized(picture, 3, 5).levels.size() == static_cast<std::size_t>(15 * channels), "a size is wrong");
  }
}

void read_text(const std::string& path) {
  RegularFile file(path);
  const std::string text = file.read_all();
  const data::Characters characters(text);
  expect(characters.decode(characters.encode(text)) == text, "what was encoded decodes differently");
}

void read_safetensors(const std::string& path) {
  const io::TensorFile file = io::load_safetensors(path);
  for (const auto& [name, x] : file.tensors) expect(!name.empty() && x.numel() >= 0, "a tensor is wrong");
}

void read_cifar10(const std::string& path) {
  const data::Images images = data::read_cifar10({path});
  expect(!images.labels.empty() && images.pixels.size() == images.labels.size() * 3072, "the sizes differ");
}

constexpr Reader kReaders[] = {
    {"json", read_json},       {"idx", read_idx},
    {"gzip", read_gzip},       {"csv", read_records},
    {"table", read_table},     {"png", read_png},
    {"text", read_text},       {"safetensors", read_safetensors},
    {"cifar10", read_cifar10}, {"checkpoint", read_checkpoint},
};

}  // namespace

std::span<const Reader> readers() { return kReaders; }

const Reader& find_reader(const std::string& name) {
  for (const Reader& reader : kReaders)
    if (reader.name == name) return reader;
  throw std::invalid_argument("there is no reader " + name);
}

std::string refusal_of(const Reader& reader, const std::string& path) {
  try {
    reader.read(path);
  } catch (const ConfigError& error) {
    return error.what();
  } catch (const FormatError& error) {
    return error.what();
  } catch (const IoError& error) {
    return error.what();
  }
  return "";
}

}  // namespace eigengrad::fuzz
