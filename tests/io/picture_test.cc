// Pictures: PNG files are read back by libpng, SVG as text.
#include <gtest/gtest.h>
#include <png.h>

#include <cmath>

#include "eigengrad/io/html.h"
#include "eigengrad/io/image.h"
#include "eigengrad/io/plot.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace eigengrad::io {
namespace {

struct Picture {
  png_uint_32 width, height;
  bool colored;
  std::vector<png_byte> bytes;
};

Picture read_png(const std::string& path) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_file(&image, path.c_str()), 0) << image.message;
  Picture picture{image.width, image.height, (image.format & PNG_FORMAT_FLAG_COLOR) != 0, {}};
  image.format = picture.colored ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  picture.bytes.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, picture.bytes.data(), 0, nullptr), 0) << image.message;
  return picture;
}

TEST(SavePng, WritesGreyLevels) {
  const TempFolder folder;
  const std::string path = folder.file("grey.png");
  save_png(path, tensor({{0.f, 0.5f, 1.f}, {-3.f, 7.f, NAN}}));
  const Picture picture = read_png(path);
  EXPECT_EQ(picture.width, 3u);
  EXPECT_EQ(picture.height, 2u);
  EXPECT_FALSE(picture.colored);
  EXPECT_EQ(picture.bytes, (std::vector<png_byte>{0, 128, 255, 0, 255, 0}));
}

TEST(SavePng, WritesColours) {
  const TempFolder folder;
  const std::string path = folder.file("colour.png");
  save_png(path, reshape(tensor({1.f, 0.f, 0.f, 0.2f, 0.f, 1.f}), {3, 1, 2}));
  const Picture picture = read_png(path);
  EXPECT_TRUE(picture.colored);
  EXPECT_EQ(picture.bytes, (std::vector<png_byte>{255, 0, 0, 0, 51, 255}));
}

TEST(SavePng, RefusesWhatIsNoImage) {
  const TempFolder folder;
  EXPECT_THROW(save_png(folder.file("x.png"), ones({3})), ShapeError);
  EXPECT_THROW(save_png(folder.file("x.png"), ones({2, 3, 3})), ShapeError);
  EXPECT_THROW(save_png(folder.file("x.png"), ones({0, 3})), ShapeError);
  EXPECT_THROW(save_png(folder.file("x.png"), ones({3, 3}, kInt64)), DtypeError);
  EXPECT_THROW(save_png("/nowhere/at/all.png", ones({3, 3})), IoError);
}

TEST(ImageGrid, PutsImagesSideBySide) {
  const Tensor grid = image_grid(stack({zeros({1, 2, 2}), ones({1, 2, 2}), ones({1, 2, 2})}), 2);
  ASSERT_EQ(grid.shape(), (Shape{1, 7, 7}));
  EXPECT_EQ(grid.to_vector<float>(),
            (std::vector<float>{.5, .5, .5, .5, .5, .5, .5, .5, 0,  0,  .5, 1,  1,  .5, .5, 0,  0,
                                .5, 1,  1,  .5, .5, .5, .5, .5, .5, .5, .5, .5, 1,  1,  .5, .5, .5,
                                .5, .5, 1,  1,  .5, .5, .5, .5, .5, .5, .5, .5, .5, .5, .5}));
  EXPECT_THROW(image_grid(ones({2, 2}), 2), ShapeError);
  EXPECT_THROW(image_grid(ones({1, 1, 2, 2}), 0), ValueError);
}

TEST(Plot, DrawsCurvesPointsAndBands) {
  const std::string svg = to_svg({.title = "a < b",
                                  .x_label = "x",
                                  .y_label = "y",
                                  .series = {{.name = "curve",
                                              .x = {0, 1, NAN, 2, 3},
                                              .y = {0, 1, 1, 4, 9},
                                              .low = {0, 0, 0, 3, 8},
                                              .high = {1, 2, 2, 5, 10}},
                                             {.name = "dots", .x = {1, INFINITY}, .y = {2, 2}, .points = true}}});
  EXPECT_EQ(svg.substr(0, 4), "<svg");
  EXPECT_NE(svg.find("a &lt; b"), std::string::npos);
  EXPECT_NE(svg.find(">curve<"), std::string::npos);
  EXPECT_NE(svg.find("fill-opacity=\"0.15\""), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  std::size_t circles = 0;
  for (std::size_t at = 0; (at = svg.find("<circle", at)) != std::string::npos; ++at) ++circles;
  EXPECT_EQ(circles, 1u);
  EXPECT_NO_THROW(to_svg({}));
  EXPECT_NO_THROW(to_svg({.title = "", .x_label = "", .y_label = "", .series = {{.name = "one", .x = {2}, .y = {2}}}}));
  EXPECT_THROW(to_svg({.title = "", .x_label = "", .y_label = "", .series = {{.name = "s", .x = {1}, .y = {}}}}),
               ValueError);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}

TEST(Plot, HasLogarithmicAxes) {
  const std::string svg = to_svg({.title = "",
                                  .x_label = "epoch",
                                  .y_label = "",
                                  .series = {{.name = "loss", .x = {1, 2, 3, 4}, .y = {1000, 10, 0, 0.1}}},
                                  .log_y = true,
                                  .whole_x = true});
  for (const char* tick : {">1000<", ">100<", ">10<", ">1<", ">0.1<"})
    EXPECT_NE(svg.find(tick), std::string::npos) << tick;
  EXPECT_EQ(svg.find(">1.5<"), std::string::npos);
  // 0 has no place: the line ends before it, and what stands alone behind is a dot.
  EXPECT_EQ(count(svg, "<circle"), 1u);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
}

TEST(Plot, ShowsTheHeightOfALevelLine) {
  const auto level = [](double y) {
    return to_svg({.title = "", .x_label = "", .y_label = "", .series = {{.name = "", .x = {1, 2}, .y = {y, y}}}});
  };
  EXPECT_NE(level(0.01).find(">0.01<"), std::string::npos);
  EXPECT_EQ(level(0.01).find(">-0"), std::string::npos);
  EXPECT_NE(level(3).find(">3<"), std::string::npos);
  for (const double y : {0.0, 1e-300, -1e-5, 1e300}) EXPECT_EQ(level(y).find("nan"), std::string::npos) << y;
}

TEST(Plot, MarksAPlaceAndTellsValues) {
  const Plot plot{.title = "",
                  .x_label = "epoch",
                  .y_label = "",
                  .series = {{.name = "a & b", .x = {1, 2}, .y = {3, 0.25}}},
                  .hints = true,
                  .mark = PlotMark{2, 0.25, "best < all"}};
  const std::string svg = to_svg(plot);
  EXPECT_EQ(count(svg, "<title>"), 2u);
  EXPECT_NE(svg.find("<title>epoch 2: a &amp; b 0.25</title>"), std::string::npos);
  EXPECT_NE(svg.find(">best &lt; all<"), std::string::npos);
  EXPECT_EQ(count(svg, "class=\"mark\""), 2u);
}

TEST(Html, EscapesText) {
  EXPECT_EQ(escape_html("<a href=\"x\">'&\n\x7f é"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;␊␡ é");
}

TEST(Html, EncodesBase64) {
  // The vectors of RFC 4648.
  for (const auto& [bytes, text] : {std::pair{"", ""},
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foob", "Zm9vYg=="},
                                    {"fooba", "Zm9vYmE="},
                                    {"foobar", "Zm9vYmFy"}})
    EXPECT_EQ(base64(bytes), text);
  EXPECT_EQ(base64("\xff\xef\xbe"), "/+++");
  EXPECT_EQ(png_data_uri(ones({2, 2})), "data:image/png;base64," + base64(to_png(ones({2, 2}))));
  EXPECT_EQ(to_png(ones({2, 2})).substr(1, 3), "PNG");
}

}  // namespace
}  // namespace eigengrad::io
