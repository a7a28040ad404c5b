#include "eigengrad/data/build.h"

#include <filesystem>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/data/digits.h"
#include "eigengrad/data/idx.h"
#include "eigengrad/data/text.h"

namespace eigengrad::data {

struct DigitsSourceOptions {
  std::int64_t train = 30000;
  std::int64_t test = 5000;
  std::int64_t seed = 0;
  Normalization normalization{0.1307, 0.3081};
};

struct MnistSourceOptions : DigitsSourceOptions {};

struct WindowOptions {
  std::int64_t length = 64;
  std::int64_t stride = 0;
  double test_fraction = 0.1;
};

struct TextSourceOptions : WindowOptions {
  std::string file;
};

struct SumsSourceOptions : WindowOptions {
  std::int64_t lines = 20000;
  std::int64_t seed = 0;
};

namespace {

void describe_digits(config::Fields& f, DigitsSourceOptions& o, const std::string& of) {
  f("train", o.train, {.help = "training samples" + of, .min = 1, .max = 1'000'000});
  f("test", o.test, {.help = "test samples" + of, .min = 1, .max = 1'000'000});
  f("seed", o.seed, {.help = "seed" + of, .min = 0});
  f("mean", o.normalization.mean, {.help = "subtracted from grey levels, which are 0 to 1"});
  f("std", o.normalization.std, {.help = "by which they are divided then", .min = 0, .above_min = true});
}

Source make_digits(const void* options, const std::string&) {
  const auto& o = *static_cast<const DigitsSourceOptions*>(options);
  const auto seed = static_cast<std::uint64_t>(o.seed);
  return {digits({.count = o.train, .seed = seed, .first = 0, .normalization = o.normalization}),
          digits({.count = o.test, .seed = seed, .first = o.train, .normalization = o.normalization}), ""};
}

Source make_mnist(const void* options, const std::string& folder) {
  const auto& o = *static_cast<const MnistSourceOptions*>(options);
  EG_CHECK(folder.empty() || std::filesystem::is_directory(folder), IoError, "there is no folder {}", folder);
  if (!folder.empty() && has_mnist(folder))
    return {mnist(folder, true, o.normalization), mnist(folder, false, o.normalization), ""};
  Source source = make_digits(static_cast<const DigitsSourceOptions*>(&o), folder);
  source.note = folder.empty() ? "no folder with MNIST was given (--data DIR): using the embedded digits instead"
                               : fmt::format("MNIST is not in {}: using the embedded digits instead", folder);
  return source;
}

void describe_windows(config::Fields& f, WindowOptions& o) {
  f("length", o.length, {.help = "characters of a sample", .min = 1, .max = 1'000'000});
  f("stride", o.stride, {.help = "places from one sample to the next; 0: the length", .min = 0});
  f("test_fraction", o.test_fraction, {.help = "share of the text, its end, that is tested on", .min = 0, .max = 0.9});
}

Source windows_of(const std::string& text, const WindowOptions& o) {
  const Characters characters(text);
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < characters.size(); ++i) names.push_back(characters[i]);
  const auto [first, last] = split_sequence(characters.encode(text), o.test_fraction);
  const std::int64_t stride = o.stride == 0 ? o.length : o.stride;
  const auto windows = [&](const Tensor& numbers) {
    return std::make_shared<WindowDataset>(numbers, o.length, stride, characters.size(), names);
  };
  return {windows(first), windows(last), ""};
}

SampleShape digits_shape(const void*) { return {{1, 28, 28}, {}, 10}; }

template <class Options>
SampleShape windows_shape(const void* options) {
  const std::int64_t length = static_cast<const Options*>(options)->length;
  return {{length}, {length}, 0};
}

Source make_text(const void* options, const std::string& folder) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;
  const auto& o = *static_cast<const TextSourceOptions*>(options);
  EG_CHECK(!folder.empty(), IoError, "the text {} needs a folder (--data DIR)", o.file);
  RegularFile file((std::filesystem::path(folder) / o.file).string());
  EG_CHECK(file.size() <= kLargest, FormatError, "{} has {} bytes, expected {} at most", file.name(), file.size(),
           kLargest);
  return windows_of(file.read_all(), o);
}

Source make_sums(const void* options, const std::string&) {
  const auto& o = *static_cast<const SumsSourceOptions*>(options);
  return windows_of(sums_text(o.lines, static_cast<std::uint64_t>(o.seed)), o);
}

}  // namespace

void describe(config::Fields& f, TextSourceOptions& o) {
  f("file", o.file, {.help = "a text in UTF-8, in the folder of the data", .required = true});
  describe_windows(f, o);
}
void describe(config::Fields& f, SumsSourceOptions& o) {
  f("lines", o.lines, {.help = "how many sums", .min = 1, .max = 10'000'000});
  f("seed", o.seed, {.help = "seed of the sums", .min = 0});
  describe_windows(f, o);
}
void describe(config::Fields& f, DigitsSourceOptions& o) { describe_digits(f, o, ""); }
void describe(config::Fields& f, MnistSourceOptions& o) {
  describe_digits(f, o, " of the embedded digits, where there is no MNIST");
}

const SourceTable& sources() {
  static const SourceTable table = [] {
    SourceTable all("data set");
    all.add<MnistSourceOptions>("MNIST", "handwritten digits, from a folder; the embedded digits where it has none",
                                {make_mnist, digits_shape});
    all.add<DigitsSourceOptions>("Digits", "the embedded digits", {make_digits, digits_shape});
    all.add<TextSourceOptions>("Text", "a text, character by character: what comes next",
                               {make_text, windows_shape<TextSourceOptions>});
    all.add<SumsSourceOptions>("Sums", "lines such as 17+25=42, character by character",
                               {make_sums, windows_shape<SumsSourceOptions>});
    return all;
  }();
  return table;
}

}  // namespace eigengrad::data
