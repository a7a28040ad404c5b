#include "eigengrad/data/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::data {
namespace {

using Indices = std::vector<std::int64_t>;

// Sample i is {2i, 2i + 1} with the target i.
DatasetPtr numbered(std::int64_t size) {
  return std::make_shared<TensorDataset>(reshape(arange(2 * size, kFloat32), {size, 2}), arange(size));
}

Indices targets_of(const Dataset& dataset) {
  Indices all(static_cast<std::size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  return dataset.get(all).targets.to_vector<std::int64_t>();
}

TEST(TensorDataset, GathersRows) {
  const DatasetPtr dataset = numbered(5);
  const Batch batch = dataset->get(Indices{4, 0, 4});
  EXPECT_EQ(batch.inputs.shape(), (Shape{3, 2}));
  EXPECT_EQ(batch.inputs.to_vector<float>(), (std::vector<float>{8, 9, 0, 1, 8, 9}));
  EXPECT_EQ(batch.targets.to_vector<std::int64_t>(), (Indices{4, 0, 4}));
  EXPECT_EQ(dataset->input_shape(), Shape{2});
  EXPECT_EQ(dataset->target_shape(), Shape());
  EXPECT_EQ(dataset->classes(), 0);
  EXPECT_TRUE(dataset->class_names().empty());
  EXPECT_EQ(dataset->get(Indices{}).inputs.shape(), (Shape{0, 2}));
  EXPECT_NE(dataset->description().find("5 samples"), std::string::npos);
}

TEST(TensorDataset, TakesStridedTensors) {
  const TensorDataset dataset(transpose(tensor({{1., 2., 3.}, {4., 5., 6.}}), 0, 1), zeros({3, 1}));
  EXPECT_EQ(dataset.get(Indices{1}).inputs.to_vector<double>(), (std::vector<double>{2, 5}));
  EXPECT_EQ(dataset.target_shape(), Shape{1});
}

TEST(TensorDataset, ItsFingerprintFollowsFromAllNumbers) {
  const auto of = [](const Tensor& inputs, const Tensor& targets) {
    return *TensorDataset(inputs, targets).fingerprint();
  };
  const Tensor inputs = tensor({{1., 2.}, {3., 4.}}), targets = tensor({0, 1});
  EXPECT_EQ(of(inputs, targets), of(tensor({{1., 2.}, {3., 4.}}), tensor({0, 1})));
  EXPECT_NE(of(inputs, targets), of(tensor({{1., 2.}, {3., 5.}}), targets));
  EXPECT_NE(of(inputs, targets), of(inputs, tensor({1, 0})));
}

TEST(Subset, ItsFingerprintFollowsFromTheWholeAndTheNumbers) {
  const DatasetPtr whole = numbered(5);
  EXPECT_EQ(Subset(whole, {1, 2}).fingerprint(), Subset(numbered(5), {1, 2}).fingerprint());
  EXPECT_NE(Subset(whole, {1, 2}).fingerprint(), Subset(whole, {1, 3}).fingerprint());
  EXPECT_NE(Subset(whole, {1, 2}).fingerprint(), Subset(numbered(6), {1, 2}).fingerprint());
}

TEST(TensorDataset, Refusals) {
  EXPECT_THROW(TensorDataset(zeros({3, 2}), zeros({2}, kInt64)), ShapeError);
  EXPECT_THROW(TensorDataset(tensor(1.f), tensor(1.f)), ShapeError);
  EXPECT_THROW(TensorDataset(zeros({2}), tensor({0, 3}), 3), IndexError);
  EXPECT_THROW(TensorDataset(zeros({2}), tensor({0, -1}), 3), IndexError);
  EXPECT_THROW(TensorDataset(zeros({2}), zeros({2}), 3), DtypeError);
  EXPECT_THROW(TensorDataset(zeros({2}), zeros({2}), -1), ValueError);
  EXPECT_NO_THROW(TensorDataset(zeros({2}), tensor({0, 2}), 3));
  EXPECT_THROW(numbered(5)->get(Indices{5}), IndexError);
  EXPECT_THROW(numbered(5)->get(Indices{0, -1}), IndexError);
}

TEST(Dataset, GatheringDoesNotDependOnThreads) {
  const int before = num_threads();
  const TensorDataset dataset(reshape(arange(600 * 4096, kFloat32), {600, 4096}), arange(600));
  Indices indices(600);
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i * 7 % 600);
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    results.push_back(dataset.get(indices).inputs.to_vector<float>());
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0][4096], 7 * 4096.0f);
}

TEST(Subset, NumbersAnew) {
  const Subset subset(numbered(10), {9, 3, 3});
  EXPECT_EQ(subset.size(), 3);
  EXPECT_EQ(subset.get(Indices{2, 0}).targets.to_vector<std::int64_t>(), (Indices{3, 9}));
  EXPECT_THROW(subset.get(Indices{3}), IndexError);
  EXPECT_THROW(Subset(numbered(10), {10}), IndexError);
  EXPECT_THROW(Subset(nullptr, {}), ValueError);
}

TEST(RandomSplit, PartsTheWhole) {
  const auto [kept, held_out] = random_split(numbered(103), 0.25, 1);
  EXPECT_EQ(held_out->size(), 26);
  Indices all = targets_of(*kept), rest = targets_of(*held_out);
  EXPECT_FALSE(std::is_sorted(rest.begin(), rest.end()));
  all.insert(all.end(), rest.begin(), rest.end());
  std::sort(all.begin(), all.end());
  Indices expected(103);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
  EXPECT_EQ(targets_of(*random_split(numbered(103), 0.25, 1).second), rest);
  EXPECT_NE(targets_of(*random_split(numbered(103), 0.25, 2).second), rest);
  EXPECT_EQ(random_split(numbered(10), 0, 1).second->size(), 0);
  EXPECT_THROW(random_split(numbered(10), 1, 1), ValueError);
  EXPECT_THROW(random_split(numbered(10), -0.1, 1), ValueError);
  EXPECT_THROW(random_split(numbered(10), std::nan(""), 1), ValueError);
  EXPECT_THROW(random_split(nullptr, 0.5, 1), ValueError);
}

}  // namespace
}  // namespace eigengrad::data
