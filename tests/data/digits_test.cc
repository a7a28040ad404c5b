#include "eigengrad/data/digits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::data {
namespace {

Batch draw(std::int64_t count, std::uint64_t seed, std::int64_t first = 0) {
  const DatasetPtr dataset = digits({.count = count, .seed = seed, .first = first, .normalization = {0, 1}});
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return dataset->get(all);
}

// FNV-1a over the grey levels and labels.
std::uint64_t checksum(const Batch& batch) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const float x : batch.inputs.data<float>()) add(static_cast<std::uint64_t>(std::lround(x * 255)));
  for (const std::int64_t label : batch.targets.data<std::int64_t>()) add(static_cast<std::uint64_t>(label));
  return hash;
}

TEST(Digits, ShapesAndLabels) {
  const DatasetPtr dataset = digits({.count = 20});
  EXPECT_EQ(dataset->size(), 20);
  EXPECT_EQ(dataset->input_shape(), (Shape{1, 28, 28}));
  EXPECT_EQ(dataset->classes(), 10);
  EXPECT_THROW(digits({.count = -1}), ValueError);
  EXPECT_THROW(digits({.count = 1, .first = -1}), ValueError);
  EXPECT_EQ(digits({.count = 0})->size(), 0);
}

// Reports of training quote a seed: the images must not change, on any machine.
TEST(Digits, BytesAreFixed) { EXPECT_EQ(checksum(draw(200, 0)), 0x72be034c0d6b532bu); }

TEST(Digits, ASampleDependsOnSeedAndNumberAlone) {
  const Batch whole = draw(300, 5);
  const Batch part = draw(100, 5, 200);
  EXPECT_EQ(part.inputs.to_vector<float>(),
            std::vector<float>(whole.inputs.data<float>().begin() + 200 * 784, whole.inputs.data<float>().end()));
  EXPECT_NE(checksum(draw(100, 6)), checksum(draw(100, 5)));
  const int before = num_threads();
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(checksum(draw(300, 5)), checksum(whole));
  }
  set_num_threads(before);
}

TEST(Digits, AreSpreadLikeMnist) {
  const Batch batch = draw(5000, 1);
  std::vector<int> counts(10);
  for (const std::int64_t label : batch.targets.data<std::int64_t>()) ++counts.at(static_cast<std::size_t>(label));
  for (const int count : counts) EXPECT_NEAR(count, 500, 5 * std::sqrt(450.0));
  double sum = 0, square = 0;
  for (const float x : batch.inputs.data<float>()) {
    EXPECT_TRUE(x >= 0 && x <= 1);
    sum += static_cast<double>(x);
    square += static_cast<double>(x) * static_cast<double>(x);
  }
  const double mean = sum / (5000 * 784), std = std::sqrt(square / (5000 * 784) - mean * mean);
  EXPECT_NEAR(mean, 0.1307, 0.02);  // MNIST's
  EXPECT_NEAR(std, 0.3081, 0.05);
}

TEST(Digits, NoTwoAreTheSameAndAllHaveInk) {
  const Batch batch = draw(1000, 2);
  const float* x = batch.inputs.data<float>().data();
  std::set<std::vector<float>> images;
  for (int i = 0; i < 1000; ++i, x += 784) {
    images.emplace(x, x + 784);
    const auto ink = std::count_if(x, x + 784, [](float v) { return v > 0.5f; });
    EXPECT_TRUE(ink >= 12 && ink < 400) << "image " << i << ": " << ink;
  }
  EXPECT_EQ(images.size(), 1000u);
}

// The mean image of each class, from one half, tells most of the other half: the classes differ, yet are not trivial.
TEST(Digits, ClassesCanBeTold) {
  constexpr int size = 4000;
  const Batch batch = draw(size, 3);
  const float* x = batch.inputs.data<float>().data();
  const std::int64_t* label = batch.targets.data<std::int64_t>().data();
  std::vector<std::vector<double>> mean(10, std::vector<double>(784));
  std::vector<int> count(10);
  for (int i = 0; i < size / 2; ++i) {
    const auto c = static_cast<std::size_t>(label[i]);
    ++count[c];
    for (std::size_t p = 0; p < 784; ++p) mean[c][p] += static_cast<double>(x[i * 784 + static_cast<int>(p)]);
  }
  int right = 0;
  for (int i = size / 2; i < size; ++i) {
    std::vector<double> distance(10);
    for (std::size_t c = 0; c < 10; ++c)
      for (std::size_t p = 0; p < 784; ++p)
        distance[c] += std::pow(static_cast<double>(x[i * 784 + static_cast<int>(p)]) - mean[c][p] / count[c], 2);
    right += std::min_element(distance.begin(), distance.end()) - distance.begin() == label[i];
  }
  const double accuracy = right / (size / 2.0);
  EXPECT_GT(accuracy, 0.6);
  EXPECT_LT(accuracy, 0.95);
  RecordProperty("accuracy", std::to_string(accuracy));
}

}  // namespace
}  // namespace eigengrad::data
