#include "eigengrad/data/loader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>

#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::data {
namespace {

using Indices = std::vector<std::int64_t>;

// Sample i is the number i; sample `broken` cannot be had. Counts what is asked of it.
class Numbers final : public Dataset {
 public:
  explicit Numbers(std::int64_t size, std::int64_t broken = -1) : size_(size), broken_(broken) {}
  std::int64_t size() const override { return size_; }
  Batch get(std::span<const std::int64_t> indices) const override {
    ++calls;
    {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    }
    if (std::find(indices.begin(), indices.end(), broken_) != indices.end()) throw IoError("sample is broken");
    return {tensor(indices, {std::ssize(indices), 1}), tensor(indices, {std::ssize(indices)})};
  }
  Shape input_shape() const override { return {1}; }
  std::string description() const override { return "numbers"; }

  mutable std::atomic<int> calls{0};
  mutable std::mutex mutex;
  mutable std::set<std::thread::id> threads;

 private:
  std::int64_t size_, broken_;
};

std::vector<Indices> batches_of(const DataLoader& loader, std::int64_t epoch, std::int64_t first = 0) {
  std::vector<Indices> result;
  for (const Batch& batch : loader.epoch(epoch, first)) {
    result.push_back(batch.targets.to_vector<std::int64_t>());
    EXPECT_EQ(batch.inputs.to_vector<std::int64_t>(), result.back());
  }
  return result;
}

Indices joined(const std::vector<Indices>& batches) {
  Indices all;
  for (const Indices& batch : batches) all.insert(all.end(), batch.begin(), batch.end());
  return all;
}

TEST(DataLoader, CutsInOrder) {
  for (const std::int64_t prefetch : {0, 1, 3}) {
    const DataLoader loader(std::make_shared<Numbers>(7), {.batch_size = 3, .prefetch = prefetch});
    EXPECT_EQ(loader.batches(), 3);
    EXPECT_EQ(batches_of(loader, 0), (std::vector<Indices>{{0, 1, 2}, {3, 4, 5}, {6}}));
    const DataLoader full(std::make_shared<Numbers>(7), {.batch_size = 3, .drop_last = true, .prefetch = prefetch});
    EXPECT_EQ(full.batches(), 2);
    EXPECT_EQ(batches_of(full, 0), (std::vector<Indices>{{0, 1, 2}, {3, 4, 5}}));
    const DataLoader nearly(std::make_shared<Numbers>(8), {.batch_size = 3, .drop_last = true, .prefetch = prefetch});
    EXPECT_EQ(batches_of(nearly, 0), (std::vector<Indices>{{0, 1, 2}, {3, 4, 5}}));
    const DataLoader none(std::make_shared<Numbers>(0), {.batch_size = 3, .prefetch = prefetch});
    EXPECT_EQ(none.batches(), 0);
    EXPECT_TRUE(batches_of(none, 0).empty());
    const DataLoader large(std::make_shared<Numbers>(2), {.batch_size = 1000, .prefetch = prefetch});
    EXPECT_EQ(batches_of(large, 0), (std::vector<Indices>{{0, 1}}));
  }
}

TEST(DataLoader, ShufflesBySeedAndEpochAlone) {
  const auto order = [](std::uint64_t seed, std::int64_t epoch, std::int64_t prefetch, std::int64_t batch_size) {
    const DataLoader loader(std::make_shared<Numbers>(50),
                            {.batch_size = batch_size, .shuffle = true, .seed = seed, .prefetch = prefetch});
    return joined(batches_of(loader, epoch));
  };
  const Indices one = order(1, 3, 2, 8);
  Indices sorted = one, all(50);
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted, all);
  EXPECT_EQ(order(1, 3, 0, 8), one);
  EXPECT_EQ(order(1, 3, 5, 7), one);
  EXPECT_NE(order(1, 4, 2, 8), one);
  EXPECT_NE(order(2, 3, 2, 8), one);
  EXPECT_NE(order(2, 2, 2, 8), one);
  const int before = num_threads();
  set_num_threads(3);
  EXPECT_EQ(order(1, 3, 2, 8), one);
  set_num_threads(before);
}

TEST(DataLoader, TheShuffleIsFixedForEver) {
  const DataLoader loader(std::make_shared<Numbers>(8), {.batch_size = 8, .shuffle = true, .seed = 42});
  EXPECT_EQ(joined(batches_of(loader, 0)), (Indices{4, 5, 0, 1, 3, 2, 6, 7}));
  EXPECT_EQ(joined(batches_of(loader, 1)), (Indices{1, 5, 2, 7, 3, 0, 4, 6}));
}

TEST(DataLoader, GoesOnAnywhere) {
  for (const bool drop_last : {false, true}) {
    const DataLoader loader(std::make_shared<Numbers>(23),
                            {.batch_size = 5, .shuffle = true, .drop_last = drop_last, .seed = 9});
    for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
      const std::vector<Indices> whole = batches_of(loader, epoch);
      for (std::int64_t first = 0; first <= loader.batches(); ++first)
        EXPECT_EQ(batches_of(loader, epoch, first), std::vector<Indices>(whole.begin() + first, whole.end()));
    }
    EXPECT_THROW(loader.epoch(0, loader.batches() + 1), ValueError);
    EXPECT_THROW(loader.epoch(0, -1), ValueError);
    EXPECT_THROW(loader.epoch(-1), ValueError);
  }
}

TEST(DataLoader, EpochsAtTheSameTimeDoNotMix) {
  const DataLoader loader(std::make_shared<Numbers>(40), {.batch_size = 4, .shuffle = true});
  const std::vector<Indices> first = batches_of(loader, 0), second = batches_of(loader, 1);
  Epoch a = loader.epoch(0), b = loader.epoch(1);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(a.next()->targets.to_vector<std::int64_t>(), first[i]);
    EXPECT_EQ(b.next()->targets.to_vector<std::int64_t>(), second[i]);
  }
  EXPECT_FALSE(a.next());
  EXPECT_FALSE(a.next());
}

TEST(DataLoader, ExceptionsComeOutWhereTheyBelong) {
  for (const std::int64_t prefetch : {0, 1, 4}) {
    const DataLoader loader(std::make_shared<Numbers>(10, 5), {.batch_size = 2, .prefetch = prefetch});
    Epoch epoch = loader.epoch(0);
    EXPECT_EQ(epoch.next()->targets.to_vector<std::int64_t>(), (Indices{0, 1}));
    EXPECT_EQ(epoch.next()->targets.to_vector<std::int64_t>(), (Indices{2, 3}));
    EXPECT_THROW(epoch.next(), IoError);
    EXPECT_FALSE(epoch.next());
    EXPECT_THROW(batches_of(loader, 0), IoError);
    EXPECT_EQ(batches_of(loader, 0, 3), (std::vector<Indices>{{6, 7}, {8, 9}}));
  }
}

TEST(DataLoader, PreparesAheadButNotFar) {
  const auto dataset = std::make_shared<Numbers>(1000);
  const DataLoader loader(dataset, {.batch_size = 1, .prefetch = 3});
  Epoch epoch = loader.epoch(0);
  const auto wait_for = [&](int calls) {
    for (int i = 0; i < 2000 && dataset->calls < calls; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return dataset->calls.load();
  };
  EXPECT_EQ(wait_for(4), 4);  // three that wait, and one in hand
  epoch.next();
  EXPECT_EQ(wait_for(5), 5);
  EXPECT_EQ(dataset->threads.count(std::this_thread::get_id()), 0u);

  const auto direct = std::make_shared<Numbers>(4);
  batches_of(DataLoader(direct, {.batch_size = 1, .prefetch = 0}), 0);
  EXPECT_EQ(direct->threads, std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST(DataLoader, AnAbandonedEpochEndsItsThread) {
  const auto count_threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto dataset = std::make_shared<Numbers>(100000);
  const auto before = count_threads();
  for (int taken = 0; taken < 200; ++taken) {
    const DataLoader loader(dataset, {.batch_size = 2, .shuffle = taken % 2 == 0, .prefetch = 1 + taken % 3});
    int left = taken % 7;
    for (const Batch& batch : loader.epoch(taken)) {
      EXPECT_EQ(batch.targets.numel(), 2);
      if (left-- == 0) break;
    }
  }
  { const Epoch untouched = DataLoader(dataset, {}).epoch(0); }
  EXPECT_EQ(count_threads(), before);
  EXPECT_EQ(dataset.use_count(), 1);
}

TEST(DataLoader, AnEpochOutlivesItsLoader) {
  Epoch epoch = DataLoader(std::make_shared<Numbers>(4), {.batch_size = 2}).epoch(0);
  EXPECT_EQ(epoch.next()->targets.numel(), 2);
  Epoch moved = std::move(epoch);
  EXPECT_EQ(moved.next()->targets.to_vector<std::int64_t>(), (Indices{2, 3}));
  EXPECT_FALSE(moved.next());
}

TEST(DataLoader, Refusals) {
  EXPECT_THROW(DataLoader(nullptr), ValueError);
  EXPECT_THROW(DataLoader(std::make_shared<Numbers>(1), {.batch_size = 0}), ValueError);
  EXPECT_THROW(DataLoader(std::make_shared<Numbers>(1), {.prefetch = -1}), ValueError);
}

}  // namespace
}  // namespace eigengrad::data
