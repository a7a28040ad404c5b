#include "eigengrad/data/build.h"

#include <filesystem>

#include "eigengrad/core/check.h"
#include "eigengrad/data/digits.h"
#include "eigengrad/data/idx.h"

namespace eigengrad::data {

struct DigitsSourceOptions {
  std::int64_t train = 30000;
  std::int64_t test = 5000;
  std::int64_t seed = 0;
  Normalization normalization{0.1307, 0.3081};
};

struct MnistSourceOptions : DigitsSourceOptions {};

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

}  // namespace

void describe(config::Fields& f, DigitsSourceOptions& o) { describe_digits(f, o, ""); }
void describe(config::Fields& f, MnistSourceOptions& o) {
  describe_digits(f, o, " of the embedded digits, where there is no MNIST");
}

const SourceTable& sources() {
  static const SourceTable table = [] {
    SourceTable all("data set");
    all.add<MnistSourceOptions>("MNIST", "handwritten digits, from a folder; the embedded digits where it has none",
                                {make_mnist});
    all.add<DigitsSourceOptions>("Digits", "the embedded digits", {make_digits});
    return all;
  }();
  return table;
}

}  // namespace eigengrad::data
