#include "eigengrad/data/transform.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/ops/shape.h"
#include "tests/expect_error.h"

namespace eigengrad::data {
namespace {

using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;

Image numbered(std::int64_t channels, std::int64_t rows, std::int64_t columns) {
  Image image{{channels, rows, columns}, Floats(static_cast<std::size_t>(channels * rows * columns))};
  std::iota(image.values.begin(), image.values.end(), 1.0f);
  return image;
}

Image after(const TransformPtr& transform, Image image, Generator* random = nullptr) {
  transform->apply(image, random);
  EXPECT_EQ(image.values.size(), static_cast<std::size_t>(checked_numel(image.shape)));
  return image;
}

// How often each outcome comes up.
std::map<Floats, int> outcomes(const TransformPtr& transform, const Image& image, int count) {
  Generator random(1);
  std::map<Floats, int> found;
  for (int i = 0; i < count; ++i) ++found[after(transform, image, &random).values];
  return found;
}

TEST(Normalize, IsByChannel) {
  const Image image{{2, 1, 2}, {0, 1, 0, 1}};
  EXPECT_EQ(after(normalize({{0.5}, {0.25}}), image).values, (Floats{-2, 2, -2, 2}));
  EXPECT_EQ(after(normalize({{0.5, 0}, {0.25, 0.5}}), image).values, (Floats{-2, 2, 0, 2}));
  EXPECT_THROW(normalize({{0.5, 0, 0}, {1}})->output_shape({2, 1, 2}), ShapeError);
  EXPECT_THROW(normalize({{}, {1}}), ValueError);
  EXPECT_THROW(normalize({{0}, {0}}), ValueError);
}

TEST(RandomHorizontalFlip, SwapsLeftAndRight) {
  const auto found = outcomes(random_horizontal_flip({.p = 0.25}), numbered(2, 1, 3), 4000);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found.at({3, 2, 1, 6, 5, 4}), 1000, 120);
  EXPECT_TRUE(found.contains({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(outcomes(random_horizontal_flip({.p = 0}), numbered(1, 2, 2), 50).size(), 1u);
  EXPECT_EQ(outcomes(random_horizontal_flip({.p = 1}), numbered(1, 2, 2), 50).begin()->first, (Floats{2, 1, 4, 3}));
  EXPECT_THROW(random_horizontal_flip({.p = 1.5}), ValueError);
}

TEST(RandomVerticalFlip, SwapsTopAndBottom) {
  EXPECT_EQ(outcomes(random_vertical_flip({.p = 1}), numbered(2, 3, 2), 5).begin()->first,
            (Floats{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}));
}

TEST(RandomShift, MovesByWholePixels) {
  const auto found = outcomes(random_shift({.pixels = {0, 1}, .fill = 9}), numbered(1, 2, 2), 3000);
  ASSERT_EQ(found.size(), 3u);
  for (const Floats& values : {Floats{1, 2, 3, 4}, Floats{9, 1, 9, 3}, Floats{2, 9, 4, 9}})
    EXPECT_NEAR(found.at(values), 1000, 120);
  EXPECT_EQ(outcomes(random_shift({.pixels = {2, 2}}), numbered(1, 3, 3), 3000).size(), 25u);
  // Farther than the image is large.
  EXPECT_TRUE(outcomes(random_shift({.pixels = {0, 5}}), numbered(1, 1, 2), 500).contains({0, 0}));
}

TEST(RandomCrop, CutsAPartAnywhereAndTheMiddleWithoutChance) {
  const auto found = outcomes(random_crop({.size = Pair(2, 2)}), numbered(1, 3, 3), 4000);
  ASSERT_EQ(found.size(), 4u);
  for (const auto& [values, count] : found) EXPECT_NEAR(count, 1000, 150);
  EXPECT_TRUE(found.contains({5, 6, 8, 9}));
  EXPECT_EQ(after(random_crop({.size = Pair(1, 1)}), numbered(2, 3, 3)).values, (Floats{5, 14}));
  EXPECT_EQ(random_crop({.size = Pair(1, 2)})->output_shape({3, 4, 4}), (Shape{3, 1, 2}));

  const TransformPtr padded = random_crop({.padding = 1, .fill = 7});
  EXPECT_EQ(after(padded, numbered(1, 2, 2)).values, numbered(1, 2, 2).values);
  const auto moved = outcomes(padded, numbered(1, 2, 2), 2000);
  EXPECT_EQ(moved.size(), 9u);
  EXPECT_TRUE(moved.contains({7, 7, 7, 1}));
  EXPECT_TRUE(moved.contains({4, 7, 7, 7}));
  EXPECT_THROW(random_crop({.size = Pair(5, 1)})->output_shape({1, 4, 4}), ShapeError);
  EXPECT_THROW(random_crop({.size = Pair(0, 1)}), ValueError);
}

TEST(RandomRotation, TurnsAroundTheMiddle) {
  const Image image = numbered(1, 5, 5);
  EXPECT_EQ(outcomes(random_rotation({.degrees = 0}), image, 3).begin()->first, image.values);
  Generator random(3);
  double sum = 0;
  for (int i = 0; i < 200; ++i) {
    const Image turned = after(random_rotation({.degrees = 180}), image, &random);
    EXPECT_NEAR(turned.values[12], 13, 1e-4);  // the middle stays
    sum += static_cast<double>(turned.values[14]);
  }
  EXPECT_NEAR(sum / 200, 13, 0.5);  // the right neighbour goes all around
  // By a quarter: what was drawn is found again from the same generator.
  for (int seed = 0; seed < 20; ++seed) {
    Generator same(static_cast<std::uint64_t>(seed)), again(static_cast<std::uint64_t>(seed));
    const double angle = (2 * again.uniform() - 1) * 45;
    const Image line{{1, 3, 3}, {0, 0, 0, 0, 0, 1, 0, 0, 0}};  // a point to the right, at (0, 1)
    const Image turned = after(random_rotation({.degrees = 45}), line, &same);
    // It turns against the clock, as in torchvision: up (the rows above) for positive angles.
    const float above = turned.values[2], below = turned.values[8];
    if (std::abs(angle) > 5) {
      EXPECT_EQ(angle > 0, above > below) << angle;
    }
  }
}

TEST(Transforms, LeaveAloneWhatIsNotToBeChangedAtRandom) {
  const Image image = numbered(3, 4, 5);
  for (const TransformPtr& transform : {random_horizontal_flip({.p = 1}), random_vertical_flip({.p = 1}),
                                        random_shift(), random_rotation(), random_crop({.padding = 2})})
    EXPECT_EQ(after(transform, image).values, image.values);
}

DatasetPtr images(std::int64_t count) {
  return std::make_shared<TensorDataset>(reshape(arange(count * 48, kFloat32), {count, 3, 4, 4}), arange(count), count);
}

Transforms everything() {
  return {random_crop({.padding = 1}), random_horizontal_flip(), random_rotation(), random_shift({.pixels = 1}),
          normalize({{1, 2, 3}, {2}})};
}

Floats seen(const DataLoader& loader, std::int64_t epoch, std::int64_t first = 0) {
  std::map<std::int64_t, Floats> samples;
  for (const Batch& batch : loader.epoch(epoch, first))
    for (std::int64_t i = 0; i < batch.inputs.size(0); ++i)
      samples[select(batch.targets, 0, i).item<std::int64_t>()] =
          contiguous(select(batch.inputs, 0, i)).to_vector<float>();
  Floats all;
  for (const auto& [label, values] : samples) all.insert(all.end(), values.begin(), values.end());
  return all;
}

TEST(TransformedDataset, IsAFunctionOfSeedEpochAndSampleAlone) {
  const auto dataset = std::make_shared<TransformedDataset>(images(700), everything(), 5);
  const auto loader = [&](DataLoaderOptions options) { return DataLoader(dataset, options); };
  const Floats one = seen(loader({.batch_size = 32}), 3);
  EXPECT_EQ(seen(loader({.batch_size = 32, .prefetch = 0}), 3), one);
  EXPECT_EQ(seen(loader({.batch_size = 700, .prefetch = 5}), 3), one);
  EXPECT_EQ(seen(loader({.batch_size = 7, .shuffle = true, .seed = 9}), 3), one);
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(seen(loader({.batch_size = 700}), 3), one);
  }
  set_num_threads(before);
  EXPECT_NE(seen(loader({.batch_size = 32}), 4), one);
  EXPECT_NE(seen(DataLoader(std::make_shared<TransformedDataset>(images(700), everything(), 6)), 3), one);
  // The second half of an epoch, as after a resume, is the second half of the whole.
  const Floats rest = seen(loader({.batch_size = 50}), 3, 7);
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), one.begin() + 350 * 48, one.end()));
}

TEST(TransformedDataset, KeepsItsNumbersInASubset) {
  const auto dataset = std::make_shared<TransformedDataset>(images(20), everything(), 5);
  const auto subset = std::make_shared<Subset>(dataset, Indices{11, 4});
  EXPECT_EQ(subset->get_augmented(Indices{0, 1}, 2).inputs.to_vector<float>(),
            dataset->get_augmented(Indices{11, 4}, 2).inputs.to_vector<float>());
  EXPECT_NE(subset->get_augmented(Indices{0, 1}, 2).inputs.to_vector<float>(),
            subset->get(Indices{0, 1}).inputs.to_vector<float>());
}

TEST(TransformedDataset, TestsWithoutChance) {
  const auto dataset = std::make_shared<TransformedDataset>(images(3), everything(), 5);
  Floats expected = images(3)->get(Indices{0, 1, 2}).inputs.to_vector<float>();
  for (std::size_t i = 0; i < expected.size(); ++i)
    expected[i] = (expected[i] - static_cast<float>(i / 16 % 3 + 1)) / 2;
  EXPECT_EQ(dataset->get(Indices{0, 1, 2}).inputs.to_vector<float>(), expected);
  EXPECT_EQ(seen(DataLoader(dataset, {.augment = false}), 8), expected);
  EXPECT_NE(seen(DataLoader(dataset, {}), 8), expected);
}

TEST(TransformedDataset, KnowsItsShape) {
  const TransformedDataset cropped(images(4), {random_crop({.size = Pair(2, 3)})}, 0);
  EXPECT_EQ(cropped.input_shape(), (Shape{3, 2, 3}));
  EXPECT_EQ(cropped.get(Indices{0, 3}).inputs.shape(), (Shape{2, 3, 2, 3}));
  EXPECT_EQ(cropped.get_augmented(Indices{1}, 0).inputs.shape(), (Shape{1, 3, 2, 3}));
  EXPECT_EQ(cropped.classes(), 4);
  EXPECT_THROW(TransformedDataset(nullptr, {}), ValueError);
  EXPECT_THROW(TransformedDataset(images(2), {nullptr}), ValueError);
  EXPECT_THROW(TransformedDataset(images(2), {random_crop({.size = Pair(9, 9)})}), ShapeError);
  EXPECT_THROW(TransformedDataset(std::make_shared<TensorDataset>(zeros({2, 3}), arange(2)), {}), ShapeError);
}

TEST(TransformTable, ReadsAndWritesEveryRow) {
  config::ConfiguredRows rows;
  config::Diagnostics diagnostics;
  struct Options {
    config::ConfiguredRows& rows;
  };
  config::Value object = config::parse_json(R"({"transforms": ["RandomHorizontalFlip", "RandomVerticalFlip",
      {"type": "RandomCrop", "padding": 4}, {"type": "RandomShift", "pixels": [1, 2]},
      {"type": "RandomRotation", "degrees": 5}, {"type": "Normalize", "mean": [0.5, 0.5, 0.5], "std": [0.2]}]})");
  config::ReadFields read(object, "/data", diagnostics);
  describe_transforms(read, rows);
  EXPECT_NO_THROW(diagnostics.throw_if_any());
  ASSERT_EQ(rows.size(), transforms().entries().size());
  EXPECT_EQ(make_transforms(rows).size(), rows.size());
  config::Value written = config::Value::object();
  config::WriteFields write(written);
  describe_transforms(write, rows);
  EXPECT_EQ(*(*written.find("transforms")->as_array())[2].find("padding"),
            *config::parse_json(R"({"p": 4})").find("p"));
  config::ConfiguredRows again;
  config::ReadFields reread(written, "/data", diagnostics);
  describe_transforms(reread, again);
  EXPECT_EQ(transforms().write_rows(again), transforms().write_rows(rows));
}

TEST(TransformTable, TellsMistakes) {
  const auto read = [](const char* json) {
    const config::Value object = config::parse_json(json);
    config::Diagnostics diagnostics;
    config::ConfiguredRows rows;
    config::ReadFields fields(object, "/data", diagnostics);
    describe_transforms(fields, rows);
    diagnostics.throw_if_any();
  };
  EXPECT_NO_THROW(read(R"({"transforms": []})"));
  expect_error<ConfigError>([&] { read(R"({"transforms": ["RandomFlop"]})"); }, {"/data/transforms/0", "RandomFlop"});
  expect_error<ConfigError>([&] { read(R"({"transforms": [{"type": "RandomCrop", "padding": -1}]})"); },
                            {"/data/transforms/0/padding"});
  expect_error<ConfigError>([&] { read(R"({"transforms": [{"type": "Normalize", "std": [0]}]})"); },
                            {"/data/transforms/0/std"});
  expect_error<ConfigError>([&] { read(R"({"transforms": [{"type": "Normalize", "mean": []}]})"); },
                            {"/data/transforms/0", "at least one mean"});
  expect_error<ConfigError>([&] { read(R"({"transforms": 3})"); }, {"/data/transforms"});
}

}  // namespace
}  // namespace eigengrad::data
