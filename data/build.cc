#include "eigengrad/data/build.h"

#include <filesystem>
#include <functional>

#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/utf8.h"
#include "eigengrad/data/digits.h"
#include "eigengrad/data/idx.h"
#include "eigengrad/data/image_source.h"
#include "eigengrad/data/table.h"
#include "eigengrad/data/text.h"
#include "eigengrad/data/transform.h"

namespace eigengrad::data {

struct DigitsSourceOptions {
  std::int64_t train = 30000;
  std::int64_t test = 5000;
  std::int64_t seed = 0;
  Normalization normalization{0.1307, 0.3081};
  config::ConfiguredRows transforms{};
};

struct MnistSourceOptions : DigitsSourceOptions {};

struct WindowOptions {
  std::int64_t length = 64;
  std::int64_t stride = 0;
  double test_fraction = 0.1;
  std::string characters;  // filled in
};

struct TextSourceOptions : WindowOptions {
  std::string file;
};

struct SumsSourceOptions : WindowOptions {
  std::int64_t lines = 20000;
  std::int64_t seed = 0;
};

namespace {

const Shape kDigitShape{1, 28, 28}, kCifarShape{3, 32, 32};

void describe_digits(config::Fields& f, DigitsSourceOptions& o, const std::string& of) {
  f("train", o.train, {.help = "training samples" + of, .min = 1, .max = 1'000'000});
  f("test", o.test, {.help = "test samples" + of, .min = 1, .max = 1'000'000});
  f("seed", o.seed, {.help = "seed" + of, .min = 0});
  f("mean", o.normalization.mean, {.help = "subtracted from grey levels, which are 0 to 1"});
  f("std", o.normalization.std, {.help = "by which they are divided then", .min = 0, .above_min = true});
  describe_transforms(f, o.transforms);
}

// What images of 28x28 go through: with transforms, the levels are normalised behind them, so that 0 is black in them.
Transforms pipeline(const DigitsSourceOptions& o) {
  Transforms steps = make_transforms(o.transforms);
  if (!steps.empty()) steps.push_back(normalize({{o.normalization.mean}, {o.normalization.std}}));
  return steps;
}

Source seen(const DigitsSourceOptions& o, const std::function<DatasetPtr(bool train, Normalization)>& make) {
  const Transforms steps = pipeline(o);
  const auto part = [&](bool train) -> DatasetPtr {
    if (steps.empty()) return make(train, o.normalization);
    return std::make_shared<TransformedDataset>(make(train, {}), steps, default_generator().seed());
  };
  return {part(true), part(false)};
}

Source make_digits(DigitsSourceOptions& o, const std::string&) {
  return seen(o, [&o](bool train, Normalization normalization) {
    return digits({.count = train ? o.train : o.test,
                   .seed = static_cast<std::uint64_t>(o.seed),
                   .first = train ? 0 : o.train,
                   .normalization = normalization});
  });
}

Source make_mnist(MnistSourceOptions& o, const std::string& folder) {
  EG_CHECK(folder.empty() || std::filesystem::is_directory(folder), IoError, "there is no folder {}", folder);
  if (!folder.empty() && has_mnist(folder)) {
    return seen(o, [&](bool train, Normalization normalization) {
      DatasetPtr part = mnist(folder, train, normalization);
      EG_CHECK(part->input_shape() == kDigitShape, FormatError, "{}: found images of shape {}, expected {} of MNIST",
               printable(folder), part->input_shape(), kDigitShape);
      return part;
    });
  }
  Source source = make_digits(o, folder);
  source.note = folder.empty() ? "no folder with MNIST was given (--data DIR): using the embedded digits instead"
                               : fmt::format("MNIST is not in {}: using the embedded digits instead", folder);
  return source;
}

InputReaderPtr digit_inputs(const DigitsSourceOptions& o) {
  Transforms steps = pipeline(o);
  if (steps.empty()) steps.push_back(normalize({{o.normalization.mean}, {o.normalization.std}}));
  return image_inputs(kDigitShape, std::move(steps), numbered_classes(10));
}

InputReaderPtr folder_inputs(const ImageFolderOptions& o) {
  EG_CHECK(o.size && !o.classes.empty(), ConfigError,
           "the options of the ImageFolder have no size and classes: expected those that a run has left");
  return image_inputs({o.colour == Colour::Rgb ? 3 : 1, o.size->rows, o.size->columns}, make_transforms(o.transforms),
                      o.classes);
}

InputReaderPtr cifar10_inputs(const Cifar10Options& o) {
  return image_inputs(kCifarShape, make_transforms(o.transforms), o.classes);
}

void describe_windows(config::Fields& f, WindowOptions& o) {
  f("length", o.length, {.help = "characters of a sample", .min = 1, .max = 1'000'000});
  f("stride", o.stride, {.help = "places from one sample to the next; 0: the length", .min = 0});
  f("test_fraction", o.test_fraction, {.help = "share of the text, its end, that is tested on", .min = 0, .max = 0.9});
  f("characters", o.characters, {.help = "all that may occur, in any order; none: those of the text"});
}

// Throws FormatError for what is not UTF-8, with its place.
void check_utf8(std::string_view text, const std::string& name) {
  std::int64_t line = 1, column = 1;
  for (std::size_t i = 0, length = 0; i < text.size(); i += length) {
    length = utf8_length(text, i);
    EG_CHECK(length > 0, FormatError, "{}:{}:{}: the byte 0x{:02X} is not UTF-8", name, line, column,
             static_cast<unsigned char>(text[i]));
    text[i] == '\n' ? (++line, column = 1) : ++column;
  }
}

// The numbers of a text's characters, which are found in it unless the options have them.
Tensor encoded(const std::string& text, const std::string& name, WindowOptions& o) {
  const Characters characters(o.characters.empty() ? text : o.characters);
  o.characters = characters.decode(arange(characters.size()));
  try {
    return characters.encode(text);
  } catch (const ValueError& error) {
    throw FormatError(fmt::format("{}: {} of the option \"characters\"", name, error.what()));
  }
}

// `name` is what messages call the text.
Source windows_of(const std::string& text, const std::string& name, WindowOptions& o) {
  const auto [first, last] = split_sequence(encoded(text, name, o), o.test_fraction);
  const Characters characters(o.characters);
  const std::int64_t stride = o.stride == 0 ? o.length : o.stride;
  const auto windows = [&](const Tensor& numbers, const char* use) {
    if (numbers.numel() <= o.length)
      throw config::OptionError(
          "/length",
          fmt::format(
              "found {}, but {} has only {} characters to {} (test_fraction is {}): expected a length below that, "
              "or another test_fraction",
              o.length, name, numbers.numel(), use, o.test_fraction));
    return std::make_shared<WindowDataset>(numbers, o.length, stride, characters.size(), characters.all());
  };
  return {windows(first, "train on"), windows(last, "test on")};
}

// Of images of a known size in ten classes.
template <class Options, const Shape& Size>
SampleShape image_shape(const void* options) {
  return {output_shape(static_cast<const Options*>(options)->transforms, Size), {}, 10};
}

template <class Options>
SampleShape windows_shape(const void* options) {
  const auto& o = *static_cast<const Options*>(options);
  return {{o.length}, {o.length}, Characters(o.characters).size()};
}

Source make_text(TextSourceOptions& o, const std::string& folder) {
  constexpr std::uint64_t kLargest = std::uint64_t{1} << 30;
  const std::string path = path_in(folder, o.file);
  std::error_code error;
  EG_CHECK(!folder.empty() || std::filesystem::exists(path, error), IoError,
           "there is no text {} here: expected its folder (--data DIR)", printable(path));
  RegularFile file(path);
  EG_CHECK(file.size() <= kLargest, FormatError, "{} has {} bytes, expected {} at most", file.name(), file.size(),
           kLargest);
  const std::string text = file.read_all();
  check_utf8(text, file.name());
  return windows_of(text, file.name(), o);
}

Source make_sums(SumsSourceOptions& o, const std::string&) {
  return windows_of(sums_text(o.lines, static_cast<std::uint64_t>(o.seed)), "the text of the sums", o);
}

// A model of texts is not asked about files.
class WindowInputs : public InputReader {
 public:
  explicit WindowInputs(const WindowOptions& o) : length_(o.length), characters_(o.characters) {}
  Shape input_shape() const override { return {length_}; }
  std::vector<std::string> class_names() const override { return characters_.all(); }
  const Characters* characters() const override { return &characters_; }
  Inputs read(const std::string& path) const override {
    throw ConfigError(
        fmt::format("{}: a model of texts tells what comes next, and cannot be asked about a file: "
                    "expected a prompt that it goes on with, for eigengrad generate",
                    printable(path)));
  }

 private:
  const std::int64_t length_;
  const Characters characters_;
};

InputReaderPtr window_inputs(const WindowOptions& o) { return std::make_shared<WindowInputs>(o); }

// The functions of a row from ones that take its own struct.
template <class Options, Source (*Make)(Options&, const std::string&), auto Inputs>
SourceFunctions functions_of(SampleShape (*shape)(const void*) = nullptr) {
  return {[](void* o, const std::string& folder) { return Make(*static_cast<Options*>(o), folder); },
          [](const void* o) -> InputReaderPtr { return Inputs(*static_cast<const Options*>(o)); }, shape};
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

std::string path_in(const std::string& folder, const std::string& file) {
  const std::string path = (std::filesystem::path(folder) / file).string();
  return path.empty() ? "." : path;
}

const SourceTable& sources() {
  static const SourceTable table = [] {
    SourceTable all("data set");
    all.add<MnistSourceOptions>(
        "MNIST", "handwritten digits, from a folder; the embedded digits where it has none",
        functions_of<MnistSourceOptions, make_mnist, digit_inputs>(image_shape<MnistSourceOptions, kDigitShape>));
    all.add<DigitsSourceOptions>(
        "Digits", "the embedded digits",
        functions_of<DigitsSourceOptions, make_digits, digit_inputs>(image_shape<DigitsSourceOptions, kDigitShape>));
    all.add<Cifar10Options>(
        "CIFAR10", "small coloured photographs of ten classes, in the binary version",
        functions_of<Cifar10Options, cifar10, cifar10_inputs>(image_shape<Cifar10Options, kCifarShape>));
    all.add<ImageFolderOptions>("ImageFolder", "PNG images in folders named by their class",
                                functions_of<ImageFolderOptions, image_folder, folder_inputs>());
    all.add<CsvOptions>("CSV", "a table with a header: a class or numbers to be told from numbers and categories",
                        functions_of<CsvOptions, csv, csv_inputs>());
    all.add<TextSourceOptions>(
        "Text", "a text, character by character: what comes next",
        functions_of<TextSourceOptions, make_text, window_inputs>(windows_shape<TextSourceOptions>));
    all.add<SumsSourceOptions>(
        "Sums", "lines such as 17+25=42, character by character",
        functions_of<SumsSourceOptions, make_sums, window_inputs>(windows_shape<SumsSourceOptions>));
    return all;
  }();
  return table;
}

}  // namespace eigengrad::data
