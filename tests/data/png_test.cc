#include "eigengrad/data/png.h"

#include <gtest/gtest.h>

#include "eigengrad/core/error.h"
#include "tests/data/png_files.h"
#include "tests/expect_error.h"

namespace eigengrad::data {
namespace {

TEST(ReadPng, GivesChannels) {
  const TempFolder folder;
  const std::string rgb = write(folder, "rgb.png", png(1, 2, PNG_FORMAT_RGB, {255, 0, 0, 10, 20, 30}));
  const Picture picture = read_png(rgb, 3);
  EXPECT_EQ(picture.shape, (Shape{3, 1, 2}));
  EXPECT_EQ(picture.levels, (Bytes{255, 10, 0, 20, 0, 30}));
  EXPECT_EQ(read_png(rgb, 1).levels, (Bytes{76, 18}));  // as Pillow's convert("L")
  const std::string grey = write(folder, "grey.png", png(2, 1, PNG_FORMAT_GRAY, {7, 200}));
  EXPECT_EQ(read_png(grey, 1).shape, (Shape{1, 2, 1}));
  EXPECT_EQ(read_png(grey, 1).levels, (Bytes{7, 200}));
  EXPECT_EQ(read_png(grey, 3).levels, (Bytes{7, 200, 7, 200, 7, 200}));
  const std::string clear = write(folder, "clear.png", png(1, 1, PNG_FORMAT_RGBA, {9, 8, 7, 0}));
  EXPECT_EQ(read_png(clear, 3).levels, (Bytes{9, 8, 7}));
  EXPECT_THROW(read_png(rgb, 2), ValueError);
}

TEST(ReadPng, RefusesWhatIsNotOne) {
  const TempFolder folder;
  EXPECT_THROW(read_png(folder.file("none.png"), 3), IoError);
  EXPECT_THROW(read_png(folder.path(), 3), IoError);
  expect_error<FormatError>([&] { read_png(write(folder, "a.png", {1, 2, 3}), 3); }, {"a.png", "not a PNG image"});
  expect_error<FormatError>([&] { read_png(write(folder, "e.png", {}), 3); }, {"e.png", "not a PNG image"});
}

// A PNG file whose header claims a size.
Bytes claiming(std::uint32_t rows, std::uint32_t columns) {
  Bytes file = png(1, 1, PNG_FORMAT_GRAY, {0});
  for (std::size_t i = 0; i < 4; ++i) {
    file[16 + i] = static_cast<std::uint8_t>(columns >> (24 - 8 * i));
    file[20 + i] = static_cast<std::uint8_t>(rows >> (24 - 8 * i));
  }
  const std::uint32_t crc = static_cast<std::uint32_t>(crc32(0, file.data() + 12, 17));
  for (std::size_t i = 0; i < 4; ++i) file[29 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  return file;
}

TEST(ReadPng, RefusesMorePixelsThanMemoryIsFor) {
  const TempFolder folder;
  EXPECT_NO_THROW(read_png(write(folder, "a.png", claiming(1, 1)), 1));
  expect_error<FormatError>([&] { read_png(write(folder, "a.png", claiming(900000, 900000)), 3); },
                            {"a.png: found 900000x900000 pixels"});
  expect_error<FormatError>([&] { read_png(write(folder, "a.png", claiming(4000, 4000)), 3); }, {"4000x4000 pixels"});
  expect_error<FormatError>([&] { read_png(write(folder, "a.png", claiming(0, 1)), 3); }, {"a.png"});
  expect_error<FormatError>([&] { read_png(write(folder, "a.png", claiming(2000, 2000)), 3); }, {"damaged"});
}

TEST(ReadPng, HandlesEveryTruncationAndEveryFlippedBit) {
  const TempFolder folder;
  Bytes pixels(5 * 4 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
  const Bytes whole = png(5, 4, PNG_FORMAT_RGB, pixels);
  const Picture expected = read_png(write(folder, "whole.png", whole), 3);
  const auto handled = [&](const Bytes& bytes) {  // refused, or read as an image that is whole
    try {
      const Picture picture = read_png(write(folder, "part.png", bytes), 3);
      EXPECT_EQ(picture.levels.size(), static_cast<std::size_t>(checked_numel(picture.shape)));
      return picture.levels == expected.levels;
    } catch (const FormatError&) {
      return true;
    }
  };
  // The last twelve bytes are the end mark, the four before them the sum of the pixels.
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(handled(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_TRUE(handled(flipped)) << bit;
  }
}

TEST(Resized, AveragesOrInterpolates) {
  const Picture picture{{1, 2, 2}, {0, 100, 200, 255}};
  EXPECT_EQ(resized(picture, 2, 2).levels, picture.levels);
  EXPECT_EQ(resized(picture, 1, 1).levels, (Bytes{139}));
  EXPECT_EQ(resized({{1, 1, 2}, {0, 100}}, 1, 4).levels, (Bytes{0, 25, 75, 100}));
  // By Pillow: Image.fromarray(...).resize((2, 1), BILINEAR).
  EXPECT_EQ(resized({{1, 1, 6}, {0, 10, 20, 90, 200, 250}}, 1, 2).levels, (Bytes{20, 163}));
  const Picture colour = resized({{3, 1, 1}, {1, 2, 3}}, 2, 2);
  EXPECT_EQ(colour.shape, (Shape{3, 2, 2}));
  EXPECT_EQ(colour.levels, (Bytes{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}));
  EXPECT_THROW(resized(picture, 0, 1), ValueError);
}

}  // namespace
}  // namespace eigengrad::data
