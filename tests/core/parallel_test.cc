#include "eigengrad/core/parallel.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <limits>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "eigengrad/core/error.h"

namespace eigengrad {
namespace {

using Pieces = std::set<std::pair<std::int64_t, std::int64_t>>;

class Threads : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    before_ = num_threads();
    set_num_threads(GetParam());
  }
  void TearDown() override { set_num_threads(before_); }

 private:
  int before_ = 1;
};

INSTANTIATE_TEST_SUITE_P(Numbers, Threads, testing::Values(1, 2, 3, 8, 33));

Pieces pieces_of(std::int64_t size, std::int64_t grain) {
  Pieces pieces;
  std::mutex mutex;
  parallel_for(size, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(pieces.insert({begin, end}).second);
  });
  return pieces;
}

TEST_P(Threads, EveryIterationRunsOnce) {
  for (const std::int64_t size : {1, 7, 64, 1000, 10'001}) {
    std::vector<std::atomic<int>> runs(static_cast<std::size_t>(size));
    parallel_for(size, 16, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) ++runs[static_cast<std::size_t>(i)];
    });
    for (const auto& count : runs) ASSERT_EQ(count, 1);
  }
}

TEST_P(Threads, PiecesDependOnTheSizeAlone) {
  EXPECT_EQ(pieces_of(10, 4), (Pieces{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(pieces_of(8, 4), (Pieces{{0, 4}, {4, 8}}));
  EXPECT_EQ(pieces_of(3, 4), (Pieces{{0, 3}}));
  EXPECT_EQ(pieces_of(2, 0), (Pieces{{0, 1}, {1, 2}}));
}

TEST_P(Threads, EvenPiecesAreAsLongAndBeginAtTheSamePlaces) {
  const auto even_pieces_of = [](std::int64_t size, std::int64_t grain) {
    std::vector<std::pair<std::int64_t, std::int64_t>> pieces;
    std::mutex mutex;
    parallel_evenly(size, grain, [&](std::int64_t begin, std::int64_t end) {
      const std::lock_guard lock(mutex);
      pieces.emplace_back(begin, end);
    });
    std::sort(pieces.begin(), pieces.end());
    return pieces;
  };
  for (const std::int64_t size : {1, 7, 64, 1000, 10'001, 300'000})
    for (const std::int64_t grain : {0, 1, 16, 100, 5000, 1 << 20}) {
      const auto pieces = even_pieces_of(size, grain);
      std::int64_t last = 0, shortest = size, longest = 0;
      for (const auto& [begin, end] : pieces) {
        ASSERT_EQ(begin, last);
        EXPECT_EQ(grain >= 5000 ? begin % 64 : 0, 0);
        shortest = std::min(shortest, end - begin);
        longest = std::max(longest, end - begin);
        last = end;
      }
      EXPECT_EQ(last, size);
      if (size <= grain || GetParam() == 1) {
        EXPECT_EQ(pieces.size(), 1U);
        continue;
      }
      EXPECT_LE(longest - shortest, grain >= 5000 ? 128 : 1) << size << " by " << grain;
      EXPECT_LE(longest, std::max(grain, size / 4096 + 1)) << size << " by " << grain;
      EXPECT_TRUE(pieces.size() % 8 == 0 || pieces.size() == static_cast<std::size_t>(size)) << size << " by " << grain;
    }
}

TEST(Parallel, PiecesWithResultsOfTheirOwnArePowersOfTwo) {
  EXPECT_EQ(piece_count(0, 8), 1);
  EXPECT_EQ(piece_count(-3, 8), 1);
  EXPECT_EQ(piece_count(3, 8), 2);
  EXPECT_EQ(piece_count(7, 8), 4);
  EXPECT_EQ(piece_count(100, 8), 8);
  EXPECT_EQ(piece_count(100, 7), 4);
  EXPECT_EQ(piece_count(100, 1), 1);
}

TEST_P(Threads, NothingToDo) {
  bool ran = false;
  parallel_for(0, 4, [&](std::int64_t, std::int64_t) { ran = true; });
  parallel_for(-5, 4, [&](std::int64_t, std::int64_t) { ran = true; });
  parallel_evenly(0, 4, [&](std::int64_t, std::int64_t) { ran = true; });
  EXPECT_FALSE(ran);
}

TEST_P(Threads, ExceptionsComeOut) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    try {
      parallel_for(1000, 10, [](std::int64_t begin, std::int64_t) {
        if (begin == 500) throw IndexError("five hundred");
      });
      FAIL() << "no exception";
    } catch (const IndexError& error) {
      EXPECT_STREQ(error.what(), "five hundred");
    }
  }
  std::atomic<int> runs = 0;
  parallel_for(100, 10, [&](std::int64_t, std::int64_t) { ++runs; });
  EXPECT_EQ(runs, 10);
}

TEST_P(Threads, ExceptionsFromEveryPiece) {
  EXPECT_THROW(parallel_for(1000, 1, [](std::int64_t, std::int64_t) { throw std::runtime_error("all"); }),
               std::runtime_error);
}

TEST_P(Threads, Nested) {
  std::atomic<std::int64_t> total = 0;
  parallel_for(20, 1, [&](std::int64_t, std::int64_t) {
    parallel_for(30, 1, [&](std::int64_t begin, std::int64_t) { total += begin; });
  });
  EXPECT_EQ(total, 20 * 435);
}

TEST_P(Threads, NestedExceptionsComeOut) {
  const auto inner = [](std::int64_t begin, std::int64_t) {
    if (begin == 3) throw std::runtime_error("inner");
  };
  EXPECT_THROW(parallel_for(8, 1, [&](std::int64_t, std::int64_t) { parallel_for(8, 1, inner); }), std::runtime_error);
}

// A helper that gets stuck in its first piece: whoever waits for it takes over the rest of its part.
TEST_P(Threads, WhatAnotherHasBegunIsTakenOver) {
  constexpr int kPieces = 64;
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<int> done = 0, helpers = 0, given_up = 0;
  const auto wait_for = [&](const std::function<bool()>& what) {
    for (const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10); !what();)
      if (std::chrono::steady_clock::now() > until) {
        ++given_up;
        return;
      }
  };
  parallel_for(kPieces, 1, [&](std::int64_t begin, std::int64_t) {
    if (std::this_thread::get_id() != caller && helpers.exchange(1) == 0)
      wait_for([&] { return done == kPieces - 1; });
    else if (begin == 0 && GetParam() > 1)
      wait_for([&] { return helpers == 1; });
    ++done;
  });
  EXPECT_EQ(done, kPieces);
  EXPECT_EQ(given_up, 0);
}

TEST_P(Threads, CalledFromSeveralThreads) {
  std::vector<std::thread> callers;
  std::atomic<std::int64_t> total = 0;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back(
        [&] { parallel_for(1000, 10, [&](std::int64_t begin, std::int64_t end) { total += end - begin; }); });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 4000);
}

// Loops so short that threads meet the gate in every state: opening, closing, asleep.
TEST_P(Threads, ManyShortLoopsFromManyThreads) {
  std::atomic<std::int64_t> total = 0;
  const auto work = [&](int loops, std::chrono::microseconds pause) {
    for (int i = 0; i < loops; ++i) {
      parallel_for(8, 1, [&](std::int64_t begin, std::int64_t end) { total += end - begin; });
      if (pause.count() > 0 && i % 50 == 0) std::this_thread::sleep_for(pause);
    }
  };
  work(5000, std::chrono::microseconds(0));
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t) callers.emplace_back(work, 1000, std::chrono::microseconds(300));
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 8 * (5000 + 3 * 1000));
}

TEST_P(Threads, AForkedChildHasThreadsOfItsOwn) {
  parallel_for(100, 1, [](std::int64_t, std::int64_t) {});
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);  // a child that waits for threads it does not have is ended
    std::atomic<std::int64_t> total = 0;
    for (int i = 0; i < 100; ++i)
      parallel_for(100, 1, [&](std::int64_t begin, std::int64_t end) { total += end - begin; });
    _exit(total == 10'000 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST(Parallel, NumberOfThreadsIsChecked) {
  const int before = num_threads();
  EXPECT_GE(before, 1);
  EXPECT_THROW(set_num_threads(0), ValueError);
  EXPECT_THROW(set_num_threads(-2), ValueError);
  EXPECT_EQ(num_threads(), before);
}

TEST(Parallel, HugeSizesDoNotOverflow) {
  constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();
  std::atomic<std::int64_t> last = 0;
  parallel_for(kHuge, kHuge / 2, [&](std::int64_t, std::int64_t end) {
    for (std::int64_t seen = last; end > seen && !last.compare_exchange_weak(seen, end);) {
    }
  });
  EXPECT_EQ(last, kHuge);
  last = 0;
  parallel_evenly(kHuge, 1, [&](std::int64_t, std::int64_t end) {
    for (std::int64_t seen = last; end > seen && !last.compare_exchange_weak(seen, end);) {
    }
  });
  EXPECT_EQ(last, kHuge);
}

}  // namespace
}  // namespace eigengrad
