#include "eigengrad/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

#include "eigengrad/core/error.h"
#include "eigengrad/io/file.h"
#include "eigengrad/ops/ops.h"
#include "tests/temp_folder.h"

namespace eigengrad::io {
namespace {

// A file of a given header and data, however wrong.
std::string bytes_of(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

std::string error_of(const std::string& bytes) {
  const TempFolder folder;
  write_file(folder.file("t.safetensors"), bytes);
  try {
    load_safetensors(folder.file("t.safetensors"));
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

const std::string kGood =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BOOL","shape":[2],"data_offsets":[8,10]}})";
const std::string kGoodData("\0\0\0\0\0\0\0\0\1\0", 10);

TEST(Safetensors, KeepTensorsAndMetadata) {
  const TempFolder folder;
  const NamedTensors tensors{{"f32", tensor({{1.5f, -2.f}, {3.f, 4.f}})},
                             {"f64", tensor({1e-300, 2.0})},
                             {"i64", tensor({1, -2, 3})},
                             {"bool", tensor({true, false})},
                             {"bf16", to(tensor({0.1f, -2.f, 3e38f}), kBFloat16)},
                             {"scalar", tensor(7.f)},
                             {"empty", zeros({0, 3})},
                             {"strided", transpose(tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}}))}};
  save_safetensors(folder.file("t"), tensors, {{"format", "eigengrad"}, {"note", "é \"quoted\""}});
  const TensorFile loaded = load_safetensors(folder.file("t"));
  ASSERT_EQ(loaded.tensors.size(), tensors.size());
  for (const auto& [name, expected] : tensors) {
    bool found = false;
    for (const auto& [other, x] : loaded.tensors)
      if (other == name) found = equal(x, expected) && x.dtype() == expected.dtype();
    EXPECT_TRUE(found) << name;
  }
  EXPECT_EQ(loaded.metadata, (Metadata{{"format", "eigengrad"}, {"note", "é \"quoted\""}}));
}

TEST(Safetensors, BytesAreThoseOfTheFormat) {
  const TempFolder folder;
  save_safetensors(folder.file("t"), {{"a", tensor({1.f})}});
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(read_file(folder.file("t"), 1000), bytes_of(padded, std::string("\0\0\x80\x3f", 4)));
}

TEST(Safetensors, BFloat16IsTwoBytes) {
  const TempFolder folder;
  write_file(folder.file("t"), bytes_of(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})",
                                        std::string("\x80\x3F\x00\xC0", 4)));
  EXPECT_TRUE(equal(load_safetensors(folder.file("t")).tensors[0].second, to(tensor({1.f, -2.f}), kBFloat16)));
}

TEST(Safetensors, RefusedNames) {
  const TempFolder folder;
  const Tensor x = zeros({1});
  EXPECT_THROW(save_safetensors(folder.file("t"), {{"__metadata__", x}}), ValueError);
  EXPECT_THROW(save_safetensors(folder.file("t"), {{"", x}}), ValueError);
  EXPECT_THROW(save_safetensors(folder.file("t"), {{"a", x}, {"a", x}}), ValueError);
  EXPECT_TRUE(folder.files().empty());
}

TEST(Safetensors, HostileFilesAreRefused) {
  ASSERT_EQ(error_of(bytes_of(kGood, kGoodData)), "");
  const auto entry = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  const std::string four(4, '\0'), eight(8, '\0');
  for (
      const auto& [bytes, word] : std::vector<std::pair<std::string, std::string>>{
          {"", "too few"},
          {"1234567", "too few"},
          {std::string(8, '\xff'), "header"},
          {bytes_of("{", ""), "1:2"},
          {bytes_of("[]", ""), "not an object"},
          {bytes_of(kGood, kGoodData + "x"), "there are 11"},
          {bytes_of(entry("F32", "[1]", "[4,8]"), eight), "begins at 4"},
          {bytes_of(entry("F32", "[1]", "[0,8]"), eight), "do not hold"},
          {bytes_of(entry("F32", "[1]", "[4,0]"), four), "within"},
          {bytes_of(entry("F32", "[1]", "[0,400]"), four), "within"},
          {bytes_of(entry("F32", "[1]", "[-1,4]"), four), "whole numbers"},
          {bytes_of(entry("F32", "[1]", "[0]"), four), "exactly"},
          {bytes_of(entry("F32", "[-1]", "[0,4]"), four), "shape"},
          {bytes_of(entry("F32", "[1.5]", "[0,4]"), four), "shape"},
          {bytes_of(entry("F32", "3", "[0,4]"), four), "exactly"},
          {bytes_of(entry("Q7", "[1]", "[0,4]"), four), "Q7"},
          {bytes_of(entry("F32", "[4194305,4194305,211106198978564]", "[0,4]"), four), "passes 2^63"},
          {bytes_of(entry("F64", "[4611686018427387904]", "[0,0]"), ""), "beyond"},
          {bytes_of(R"({"a":3})", ""), "exactly"},
          {bytes_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", four), "exactly"},
          {bytes_of(
               R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
               four),
           "holes or overlaps"},
          {bytes_of(
               R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}})",
               ""),
           "twice"},
          {bytes_of(R"({"__metadata__":{"a":1}})", ""), "not a string"},
          {bytes_of(R"({"__metadata__":[]})", ""), "not an object"},
          {bytes_of(entry("BOOL", "[1]", "[0,1]"), "\2"), "not a BOOL"}}) {
    const std::string error = error_of(bytes);
    EXPECT_NE(error.find(word), std::string::npos) << "expected '" << word << "' in '" << error << "' for " << bytes;
  }
  EXPECT_THROW(load_safetensors("/nowhere/t.safetensors"), IoError);
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string bytes = bytes_of(kGood, kGoodData);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(error_of(bytes.substr(0, size)), "") << size;
}

TEST(Safetensors, EveryFlippedBitIsHandled) {
  const std::string good = bytes_of(kGood, kGoodData);
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    refused += !error_of(bytes).empty();
  }
  EXPECT_GT(refused, 700);  // the others change a name or a number
}

}  // namespace
}  // namespace eigengrad::io
