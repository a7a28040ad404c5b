#include "eigengrad/data/text.h"

#include <gtest/gtest.h>

#include <fstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/data/build.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace eigengrad::data {
namespace {

using Numbers = std::vector<std::int64_t>;

TEST(Characters, AreNumberedInTheirOrder) {
  const Characters characters("hello, wörld €😀");
  EXPECT_EQ(characters.size(), 12);
  EXPECT_EQ(characters[0], " ");
  EXPECT_EQ(characters[11], "😀");
  EXPECT_EQ(characters.encode("hö😀").to_vector<std::int64_t>(), (Numbers{4, 9, 11}));
  EXPECT_EQ(characters.decode(tensor({{4, 9}, {11, 0}})), "hö😀 ");
  EXPECT_EQ(Characters("").size(), 0);
  expect_error<ValueError>([&] { characters.encode("hexa"); },
                           "[Characters] 'x', character 3 of line 1, is not one of the 12");
  expect_error<IndexError>([&] { characters.decode(tensor({12})); }, "[Characters] there is no character 12 of 12");
  EXPECT_THROW(characters.decode(ones({2})), DtypeError);
}

// Overlong forms, surrogates, what is beyond Unicode, and characters that are cut off.
TEST(Characters, RefuseWhatIsNotUtf8) {
  for (const char* bad : {"a\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                          "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xE2\x82", "\xFF"})
    EXPECT_THROW(Characters{bad}, FormatError) << bad;
  expect_error<FormatError>([] { Characters("ab\xFF"); }, "the text is not UTF-8: byte 2 is 0xFF");
  EXPECT_EQ(Characters("\xF4\x8F\xBF\xBF\xED\x9F\xBF").size(), 2);
}

TEST(WindowDataset, ShiftsTheTargetByOne) {
  const WindowDataset windows(arange(10), 3, 2, 10);
  EXPECT_EQ(windows.size(), 4);  // from 0, 2, 4 and 6: the last target is 9
  const Batch batch = windows.get(Numbers{3, 0});
  EXPECT_EQ(batch.inputs.to_vector<std::int64_t>(), (Numbers{6, 7, 8, 0, 1, 2}));
  EXPECT_EQ(batch.targets.to_vector<std::int64_t>(), (Numbers{7, 8, 9, 1, 2, 3}));
  EXPECT_EQ(windows.input_shape(), Shape{3});
  EXPECT_EQ(windows.target_shape(), Shape{3});
  EXPECT_THROW(windows.get(Numbers{4}), IndexError);
  EXPECT_EQ(WindowDataset(arange(4), 3, 1, 4).size(), 1);
  EXPECT_THROW(WindowDataset(arange(3), 3, 1, 4), ValueError);
  EXPECT_THROW(WindowDataset(arange(9), 0, 1, 9), ValueError);
  EXPECT_THROW(WindowDataset(arange(9), 3, 0, 9), ValueError);
  EXPECT_THROW(WindowDataset(arange(9), 3, 1, 8), IndexError);
  EXPECT_THROW(WindowDataset(ones({3, 3}), 3, 1, 8), ShapeError);
  EXPECT_THROW(WindowDataset(ones({9}), 3, 1, 8), DtypeError);
}

TEST(Sums, AreRight) {
  const std::string text = sums_text(50, 3);
  EXPECT_EQ(text, sums_text(50, 3));
  EXPECT_NE(text, sums_text(50, 4));
  std::istringstream lines(text);
  int a = 0, b = 0, c = 0, count = 0;
  char plus = 0, equals = 0;
  while (lines >> a >> plus >> b >> equals >> c) {
    EXPECT_TRUE(plus == '+' && equals == '=' && a + b == c);
    ++count;
  }
  EXPECT_EQ(count, 50);
}

Source source_of(const char* json, const std::string& folder) {
  config::Diagnostics diagnostics;
  const auto configured = sources().read(config::parse_json(json), "/data", diagnostics);
  diagnostics.throw_if_any();
  return sources().functions(*configured).make(configured->options.get(), folder);
}

TEST(TextSource, ReadsAFileOfTheDataFolder) {
  const TempFolder folder;
  std::ofstream(folder.file("abc.txt")) << "abcabcabcabcabcabcab";
  const Source source =
      source_of(R"({"type": "Text", "file": "abc.txt", "length": 4, "test_fraction": 0.3})", folder.path());
  EXPECT_EQ(source.train->size(), 3);  // of 14 characters
  EXPECT_EQ(source.test->size(), 1);   // of 6
  EXPECT_EQ(source.train->classes(), 3);
  EXPECT_EQ(source.train->class_names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(
      source_of(R"({"type": "Text", "file": "abc.txt", "length": 4, "stride": 1, "test_fraction": 0.3})", folder.path())
          .train->size(),
      10);
  EXPECT_THROW(source_of(R"({"type": "Text", "file": "none.txt"})", folder.path()), IoError);
  const std::uint64_t before = *source.train->fingerprint();
  std::ofstream(folder.file("abc.txt")) << "xyzxyzxyzxyzxyzxyzxy";
  EXPECT_NE(*source_of(R"({"type": "Text", "file": "abc.txt", "length": 4, "test_fraction": 0.3})", folder.path())
                 .train->fingerprint(),
            before);
  expect_error<IoError>([] { source_of(R"({"type": "Text", "file": "abc.txt"})", ""); },
                        "there is no text abc.txt here: expected its folder (--data DIR)");
}

TEST(TextSource, NotesTheCharactersAndIsHeldToThem) {
  const TempFolder folder;
  std::ofstream(folder.file("abc.txt")) << "cbacbacba\ncbacbacb";
  const auto made = [&](const std::string& characters) {
    config::Diagnostics diagnostics;
    config::Value options =
        config::parse_json(R"({"type": "Text", "file": "abc.txt", "length": 4, "test_fraction": 0.3})");
    options.set("characters", characters);
    auto configured = sources().read(options, "/data", diagnostics);
    diagnostics.throw_if_any();
    const Source source = sources().functions(*configured).make(configured->options.get(), folder.path());
    const InputReaderPtr reader = sources().functions(*configured).inputs(configured->options.get());
    EXPECT_EQ(reader->input_shape(), Shape{4});
    EXPECT_EQ(reader->class_names(), source.train->class_names());
    EXPECT_EQ(sources().functions(*configured).shape(configured->options.get()).classes, source.train->classes());
    return reader->characters()->all();
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(made(""), (Strings{"\n", "a", "b", "c"}));
  EXPECT_EQ(made("é\ncaab"), (Strings{"\n", "a", "b", "c", "é"}));
  expect_error<FormatError>([&] { made("bc\n"); },
                            {"abc.txt", "'a', character 3 of line 1, is not one of the 3", "option \"characters\""});
  std::ofstream(folder.file("abc.txt")) << "abc\xFFzz";
  expect_error<FormatError>([&] { made(""); }, {"abc.txt", "is not UTF-8"});
}

TEST(TextSource, SaysWhatIsWrongAndWhere) {
  const TempFolder folder;
  std::ofstream(folder.file("t.txt")) << "abcabcabcabcabcabcab";
  const auto with = [&](const std::string& options) {
    source_of((R"({"type": "Text", "file": "t.txt", )" + options + "}").c_str(), folder.path());
  };
  expect_error<ConfigError>([&] { with(R"("length": 6, "test_fraction": 0.3)"); },
                            {"length: found 6", "t.txt has only 6 characters to test on (test_fraction is 0.3)"});
  expect_error<ConfigError>([&] { with(R"("length": 14, "test_fraction": 0.3)"); },
                            {"length: found 14", "t.txt has only 14 characters to train on"});
  expect_error<ConfigError>([&] { with(R"("length": 3, "test_fraction": 0)"); }, {"only 0 characters to test on"});
  std::ofstream(folder.file("t.txt"), std::ios::binary) << "ab\n\xC3\xA9"
                                                           "c\xFF";
  expect_error<FormatError>([&] { with(R"("length": 1)"); }, {"t.txt:2:3: the byte 0xFF is not UTF-8"});
}

TEST(SumsSource, NeedsNoFile) {
  const Source source = source_of(R"({"type": "Sums", "lines": 100, "length": 16})", "");
  EXPECT_EQ(source.train->classes(), 13);
  EXPECT_GT(source.train->size(), 30);
}

}  // namespace
}  // namespace eigengrad::data
