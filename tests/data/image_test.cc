#include "eigengrad/data/image.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eigengrad/core/error.h"

namespace eigengrad::data {
namespace {

using Indices = std::vector<std::int64_t>;

TEST(ImageDataset, NormalizesBytes) {
  const ImageDataset dataset({{0, 51, 255, 102}, {1, 0}, {1, 1, 2}, {"a", "b"}}, {0.5, 0.25}, "pairs");
  const Batch batch = dataset.get(Indices{1, 0});
  EXPECT_EQ(batch.inputs.shape(), (Shape{2, 1, 1, 2}));
  const std::vector<float> x = batch.inputs.to_vector<float>();
  const double expected[] = {2, -0.4, -2, -1.2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(static_cast<double>(x[i]), expected[i], 1e-6);
  EXPECT_EQ(batch.targets.to_vector<std::int64_t>(), (Indices{0, 1}));
  EXPECT_EQ(dataset.class_names(), (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(dataset.description().find("pairs: 2 images of 1x2, 2 classes"), std::string::npos);
}

TEST(ImageDataset, HasChannels) {
  const ImageDataset dataset({{0, 255, 51, 0, 0, 255}, {0}, {3, 2, 1}, {"a"}}, {}, "pixels");
  const Batch batch = dataset.get(Indices{0});
  EXPECT_EQ(batch.inputs.shape(), (Shape{1, 3, 2, 1}));
  EXPECT_EQ(batch.inputs.to_vector<float>(), (std::vector<float>{0, 1, 0.2f, 0, 0, 1}));
  EXPECT_EQ(dataset.input_shape(), (Shape{3, 2, 1}));
  EXPECT_NE(dataset.description().find("1 coloured images"), std::string::npos);
}

TEST(ImageDataset, Refusals) {
  const auto make = [](std::vector<std::uint8_t> pixels, Indices labels, std::int64_t rows, double std) {
    ImageDataset({std::move(pixels), std::move(labels), {1, rows, 1}, {"a", "b"}}, {0, std}, "bad");
  };
  EXPECT_NO_THROW(make({1, 2}, {0, 1}, 1, 1));
  EXPECT_THROW(make({1, 2, 3}, {0, 1}, 1, 1), ShapeError);
  EXPECT_THROW(make({1, 2}, {0, 2}, 1, 1), IndexError);
  EXPECT_THROW(make({1, 2}, {-1, 1}, 1, 1), IndexError);
  EXPECT_THROW(make({}, {0, 1}, 0, 1), ValueError);
  EXPECT_THROW(make({1, 2}, {0, 1}, 1, 0), ValueError);
  EXPECT_THROW(make({1, 2}, {0, 1}, 1, std::nan("")), ValueError);
  EXPECT_THROW(ImageDataset({{1}, {0}, {1, 1}, {"a"}}, {}, "flat"), ValueError);
  const ImageDataset one({{1}, {0}, {1, 1, 1}, {"a"}}, {}, "one");
  EXPECT_THROW(one.get(Indices{1}), IndexError);
  EXPECT_THROW(one.get(Indices{-1}), IndexError);
}

}  // namespace
}  // namespace eigengrad::data
