#include "eigengrad/train/generate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "eigengrad/core/error.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/text.h"
#include "eigengrad/io/safetensors.h"
#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace eigengrad::train {
namespace {

using Strings = std::vector<std::string>;

// What a run on a text leaves, of a model whose weights are given.
std::string leave_run(const TempFolder& folder, const std::string& data, const std::string& layers,
                      const io::NamedTensors& weights) {
  std::ofstream(folder.file("config.json"))
      << R"({"data": )" << data << R"(, "model": {"type": "Sequential", "layers": {)" << layers << "}}}";
  io::save_safetensors(folder.file("model.safetensors"), weights);
  return folder.path();
}

std::string text_of(const std::string& characters, int length) {
  return R"({"type": "Text", "file": "gone.txt", "length": )" + std::to_string(length) + R"(, "characters": ")" +
         characters + R"("})";
}

std::string embedding(int classes) {
  const std::string count = std::to_string(classes);
  return R"("next": {"type": "Embedding", "num_embeddings": )" + count + R"(, "embedding_dim": )" + count + "}";
}
constexpr const char* kClassesFirst = R"("classes_first": {"type": "Permute", "dims": [0, 2, 1]})";

// A model that knows that each of its four characters is followed by the next one, and the last by the first.
std::string leave_circle(const TempFolder& folder, const std::string& characters = "\\nabé") {
  const Tensor next = to(tensor({{0, 60, 0, 0}, {0, 0, 60, 0}, {0, 0, 0, 60}, {60, 0, 0, 0}}), kFloat32);
  return leave_run(folder, text_of(characters, 8), embedding(4) + "," + kClassesFirst, {{"next.weight", next}});
}

// A model that gives a, b, c and d the same chances after anything.
std::string leave_chances(const TempFolder& folder, const std::vector<float>& chances) {
  std::vector<float> logits;
  for (int i = 0; i < 4; ++i)
    for (const float chance : chances) logits.push_back(std::log(chance));
  return leave_run(folder, text_of("abcd", 8), embedding(4) + "," + kClassesFirst,
                   {{"next.weight", tensor(logits, {4, 4})}});
}

std::vector<double> shares(const std::string& text) {
  std::vector<double> all;
  for (const char c : {'a', 'b', 'c', 'd'})
    all.push_back(static_cast<double>(std::count(text.begin(), text.end(), c)) / static_cast<double>(text.size()));
  return all;
}

TEST(TextGenerator, GoesOnAsTheModelSays) {
  const TempFolder folder;
  const TextGenerator generator(leave_circle(folder));
  EXPECT_EQ(generator.characters().all(), (Strings{"\n", "a", "b", "é"}));
  EXPECT_EQ(generator.generate("a", {.length = 7}), "bé\nabé\n");
  EXPECT_EQ(generator.generate("é\naé", {.length = 3, .temperature = 0}), "\nab");
  EXPECT_EQ(generator.generate("bab", {.length = 1}), "é");
  EXPECT_EQ(generator.generate("").size(), 500u + 125u);
  EXPECT_EQ(generator.generate("", {.length = 4}), "abé\n") << "the beginning of a line";
  EXPECT_EQ(TextGenerator(leave_circle(folder, "abcd")).generate("", {.length = 4}), "bcda")
      << "what follows the first";
}

TEST(TextGenerator, TellsEachCharacterAndCanBeEnded) {
  const TempFolder folder;
  const TextGenerator generator(leave_circle(folder));
  Strings told;
  EXPECT_EQ(generator.generate("a", {},
                               [&](const std::string& character) {
                                 told.push_back(character);
                                 return told.size() < 3;
                               }),
            "bé\n");
  EXPECT_EQ(told, (Strings{"b", "é", "\n"}));
}

TEST(TextGenerator, DrawsByTheChancesAndTheSeed) {
  const TempFolder folder;
  const TextGenerator generator(leave_chances(folder, {0.1F, 0.4F, 0.2F, 0.3F}));
  const auto expect_shares = [&](GenerateOptions options, const std::vector<double>& expected) {
    options.length = 4000;
    const std::vector<double> found = shares(generator.generate("a", options));
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found[i], expected[i], expected[i] == 0 ? 0 : 0.03);
  };
  expect_shares({}, {0.1, 0.4, 0.2, 0.3});
  expect_shares({.temperature = 0.5}, {1 / 30., 16 / 30., 4 / 30., 9 / 30.});
  expect_shares({.temperature = 1e300}, {0.25, 0.25, 0.25, 0.25});
  expect_shares({.temperature = 1e-300}, {0, 1, 0, 0});
  expect_shares({.temperature = 0, .top_k = 3}, {0, 1, 0, 0});
  expect_shares({.top_k = 2}, {0, 4 / 7., 0, 3 / 7.});
  expect_shares({.top_k = 9}, {0.1, 0.4, 0.2, 0.3});

  const std::uint64_t offset = default_generator().offset();
  const std::string text = generator.generate("a", {.length = 50, .seed = 7});
  EXPECT_EQ(generator.generate("a", {.length = 50, .seed = 7}), text);
  EXPECT_NE(generator.generate("a", {.length = 50, .seed = 8}), text);
  EXPECT_EQ(default_generator().offset(), offset);
}

// Its answer is the place of the last character it sees.
TEST(TextGenerator, ShowsTheModelAsMuchAsItWasTrainedOn) {
  const TempFolder folder;
  const std::string run = leave_run(
      folder, text_of("abcd", 3),
      embedding(4) + R"(, "places": {"type": "LearnedPositionalEncoding", "batch_first": true}, )" + kClassesFirst,
      {{"next.weight", zeros({4, 4})}, {"places.weight", narrow(60 * eye(4), 0, 0, 3)}});
  const TextGenerator generator(run);
  EXPECT_EQ(generator.generate("d", {.length = 6}), "abcccc");
  EXPECT_EQ(generator.generate("dddddd", {.length = 2}), "cc");
}

TEST(TextGenerator, SaysWhichPromptItNeeds) {
  const TempFolder folder;
  const TextGenerator generator(leave_circle(folder));
  expect_error<ConfigError>([&] { generator.generate("ab\naxb"); },
                            {"the prompt", "'x', character 2 of line 2, is not one of the 4 characters"});
  expect_error<ConfigError>([&] { generator.generate("\x1b"); }, "'\\x1b', character 1 of line 1");
  expect_error<FormatError>([&] { generator.generate("a\xFF"); }, {"the prompt", "is not UTF-8"});
  EXPECT_THROW(generator.generate("a", {.length = 0}), ValueError);
  EXPECT_THROW(generator.generate("a", {.temperature = -0.1}), ValueError);
  EXPECT_THROW(generator.generate("a", {.temperature = std::nan("")}), ValueError);
  EXPECT_THROW(generator.generate("a", {.top_k = -1}), ValueError);
}

TEST(TextGenerator, SaysWhenTheModelTakesWholeWindowsAlone) {
  const TempFolder folder;
  const std::string run = leave_run(
      folder, text_of("ab", 3), embedding(2) + R"(, "flat": "Flatten", "head": {"type": "Linear", "out_features": 6},
      "classes_first": {"type": "Unflatten", "unflattened_size": [2, 3]})",
      {{"next.weight", zeros({2, 2})},
       {"head.weight", zeros({6, 6})},
       {"head.bias", tensor(std::vector<float>{0, 0, 0, 0, 0, 60}, {6})}});
  const TextGenerator generator(run);
  EXPECT_EQ(generator.generate("aab", {.length = 3}), "bbb");
  expect_error<ConfigError>([&] { generator.generate("aa"); }, {"does not take 2 characters", "a prompt of 3"});
}

TEST(TextGenerator, RefusesOtherRuns) {
  const TempFolder folder;
  EXPECT_THROW(TextGenerator(folder.file("none")), IoError);
  const auto refuse = [&](const std::string& data, const std::string& layers, const io::NamedTensors& weights,
                          std::initializer_list<std::string> words) {
    expect_error<ConfigError>([&] { TextGenerator(leave_run(folder, data, layers, weights)); }, words);
  };
  refuse(R"("Digits")", R"("0": "Flatten", "1": {"type": "Linear", "out_features": 10})",
         {{"1.weight", zeros({10, 784})}, {"1.bias", zeros({10})}}, {"are no text", "eigengrad predict"});
  refuse(text_of("", 4), embedding(4) + "," + kClassesFirst, {{"next.weight", zeros({4, 4})}},
         {"has no characters", "train --resume"});
  refuse(text_of("abc", 4), embedding(4) + "," + kClassesFirst, {{"next.weight", zeros({4, 4})}},
         {"the output of the model is [4, 4], expected [3, 4]"});
  const float nan = std::nanf("");
  const TextGenerator broken(leave_run(folder, text_of("a", 4), embedding(1) + "," + kClassesFirst,
                                       {{"next.weight", tensor(std::vector<float>{nan}, {1, 1})}}));
  expect_error<FormatError>([&] { broken.generate("a"); }, "gives nan, expected finite numbers");
}

TEST(Predictor, TellsTheChancesOfEveryPlaceOfAText) {
  const TempFolder folder;
  const Predictor predictor(leave_chances(folder, {0.1F, 0.4F, 0.2F, 0.3F}));
  EXPECT_EQ(predictor.class_names(), (Strings{"a", "b", "c", "d"}));
  const Tensor chances = predictor.predict(zeros({2, 8}, kInt64));
  ASSERT_EQ(chances.shape(), (Shape{2, 4, 8}));
  EXPECT_NEAR(static_cast<double>(chances.to_vector<float>()[8]), 0.4, 1e-6);
  expect_error<ConfigError>([&] { predictor.predict(folder.file("some.txt")); },
                            {"some.txt", "cannot be asked about a file", "eigengrad generate"});
}

}  // namespace
}  // namespace eigengrad::train
