#include "eigengrad/config/reader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "eigengrad/core/error.h"

namespace eigengrad::config {
namespace {

std::string error_of(std::string_view text) {
  try {
    parse_json(text, "f.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Reader, KeepsEveryKindOfValueAndItsPlace) {
  const Value root = parse_json("{\"a\": [1, -2.5e1, true,\n  null, \"x\\\"y\"],\n \"b\":{\"c\" : -0}}");
  const Value::Array& a = *root.find("a")->as_array();
  EXPECT_EQ(*a[0].as_integer(), 1);
  EXPECT_EQ(*a[1].as_double(), -25.0);
  EXPECT_EQ(*a[2].as_bool(), true);
  EXPECT_TRUE(a[3].is_null());
  EXPECT_EQ(*a[4].as_string(), "x\"y");
  const auto place = [](const Value& v) { return std::pair(v.position().line, v.position().column); };
  EXPECT_EQ(place(root), std::pair(1, 1));
  EXPECT_EQ(place(*root.find("a")), std::pair(1, 7));
  EXPECT_EQ(place(a[0]), std::pair(1, 8));
  EXPECT_EQ(place(a[1]), std::pair(1, 11));
  EXPECT_EQ(place(a[2]), std::pair(1, 19));
  EXPECT_EQ(place(a[3]), std::pair(2, 3));
  EXPECT_EQ(place(a[4]), std::pair(2, 9));
  EXPECT_EQ(place(*root.find("b")), std::pair(3, 6));
  EXPECT_EQ(place(*root.find("b")->find("c")), std::pair(3, 13));
}

TEST(Reader, RefusesWhatIsNotStrictJson) {
  EXPECT_NE(error_of("{\"a\": 1, \"a\": 2}").find("f.json:1:10: the key \"a\" is there twice"), std::string::npos)
      << error_of("{\"a\": 1, \"a\": 2}");
  EXPECT_NE(error_of("[99999999999999999999]").find("beyond 64 bits"), std::string::npos);
  EXPECT_NE(error_of("[9223372036854775808]").find("f.json:1:2: the integer 9223372036854775808"), std::string::npos);
  EXPECT_EQ(error_of("[9223372036854775807, -9223372036854775808]"), "");
  EXPECT_NE(error_of("[1e999]"), "");
  EXPECT_NE(error_of("\xEF\xBB\xBF{}").find("byte order mark"), std::string::npos);
  EXPECT_NE(error_of("[\"a\\u0000b\"]").find("NUL"), std::string::npos);
  for (const char* bad : {"",           "{",      "[1,]",       "[1] 2",      "{} {}",          "// c\n{}",
                          "/* c */ {}", "[NaN]",  "[Infinity]", "[-]",        "[01]",           "[+1]",
                          "[.5]",       "{a: 1}", "{'a': 1}",   "[\"\xff\"]", "[\"\xc0\x80\"]", "[tru]",
                          "[\"a\nb\"]", "[1 2]",  "{\"a\" 1}",  "[\"\\x\"]"})
    EXPECT_NE(error_of(bad), "") << bad;
}

TEST(Reader, NamesLineAndColumnOfASyntaxError) {
  EXPECT_NE(error_of("{\n  \"a\": 1,\n  \"b\" 2\n}").find("f.json:3:"), std::string::npos)
      << error_of("{\n  \"a\": 1,\n  \"b\" 2\n}");
}

TEST(Reader, LimitsNesting) {
  EXPECT_EQ(error_of(std::string(64, '[') + std::string(64, ']')), "");
  EXPECT_NE(error_of(std::string(65, '[') + std::string(65, ']')).find("deeper than 64"), std::string::npos);
  EXPECT_NE(error_of(std::string(100000, '[')).find("deeper than 64"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_NE(error_of(objects).find("deeper than 64"), std::string::npos);
}

TEST(Reader, TakesAndWritesManyKeysInLinearTime) {
  std::string text = "{";
  for (int i = 0; i < 120000; ++i) text += (i ? "," : "") + ("\"k" + std::to_string(i)) + "\":0";
  const Value value = parse_json(text + "}");
  EXPECT_EQ(value.as_object()->size(), 120000u);
  EXPECT_EQ(to_json(value, -1), text + "}");
}

TEST(Reader, LimitsTheNumberOfValues) {
  const auto zeros = [](std::size_t count) {
    std::string text = "[0";
    for (std::size_t i = 1; i < count; ++i) text += ",0";
    return text + "]";
  };
  EXPECT_NO_THROW(parse_json(zeros(kMaxValues - 1)));
  EXPECT_THROW(parse_json(zeros(kMaxValues)), ConfigError);
}

TEST(Reader, ReadsRegularFilesOnly) {
  const auto folder = std::filesystem::temp_directory_path() / ("eigengrad_reader_" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string fifo = folder / "fifo", file = folder / "a.json";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  std::ofstream(file) << "{\"a\": 3}";
  EXPECT_EQ(*read_json_file(file).find("a")->as_integer(), 3);
  EXPECT_THROW(read_json_file(fifo), IoError);
  EXPECT_THROW(read_json_file(folder), IoError);
  EXPECT_THROW(read_json_file(folder / "missing.json"), IoError);
  std::filesystem::remove_all(folder);
}

TEST(Reader, EscapesWhatATerminalWouldObey) {
  const std::string error = error_of("{\"\\u001b[31m\": 1, \"\\u001b[31m\": 2}");
  EXPECT_EQ(error.find('\x1b'), std::string::npos);
  EXPECT_NE(error.find("\\x1b[31m"), std::string::npos) << error;
}

TEST(Writer, RoundTrips) {
  const char* text = R"({"b":1,"a":[0.1,1e-300,-3,true,null,"é\"\n"],"o":{}})";
  const Value value = parse_json(text);
  EXPECT_EQ(to_json(value, -1), text);
  EXPECT_EQ(parse_json(to_json(value)), value);
}

TEST(SetByPath, ReachesMembersAndElements) {
  Value root = parse_json(R"({"optimizer": {"lr": 0.1}, "layers": [{"n": 1}]})");
  set_by_path(root, "optimizer.lr", "0.05");
  set_by_path(root, "layers.0.n", "7");
  set_by_path(root, "new.deep", "true");
  set_by_path(root, "name", "plain text");
  EXPECT_EQ(*root.find("optimizer")->find("lr")->as_double(), 0.05);
  EXPECT_EQ(*(*root.find("layers")->as_array())[0].find("n")->as_integer(), 7);
  EXPECT_EQ(*root.find("new")->find("deep")->as_bool(), true);
  EXPECT_EQ(*root.find("name")->as_string(), "plain text");
  EXPECT_THROW(set_by_path(root, "layers.1.n", "7"), ConfigError);
  EXPECT_THROW(set_by_path(root, "layers.-1", "7"), ConfigError);
  EXPECT_THROW(set_by_path(root, "optimizer.lr.deeper", "7"), ConfigError);
  EXPECT_THROW(set_by_path(root, "", "7"), ConfigError);
  EXPECT_THROW(set_by_path(root, "optimizer.", "7"), ConfigError);
  EXPECT_THROW(set_by_path(root, ".optimizer", "7"), ConfigError);
  root = parse_json(R"({"data": "MNIST", "new": null})");
  set_by_path(root, "data.train", "7");
  EXPECT_EQ(*root.find("data"), parse_json(R"({"type": "MNIST", "train": 7})")) << "what the name is short for";
  EXPECT_EQ(root.find("data")->position().column, 10);
  set_by_path(root, "new", R"({"deep": [1]})");
  const Value& added = (*root.find("new")->find("deep")->as_array())[0];
  EXPECT_EQ(added.position().line, Value().position().line) << "it has no place in the file";
}

}  // namespace
}  // namespace eigengrad::config
