#include "eigengrad/core/allocator.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <new>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
// Memory that cannot be had is a null pointer, as it is without the sanitizer, and not the end of the process.
extern "C" const char* __asan_default_options() { return "allocator_may_return_null=1"; }  // NOLINT: the name is given
#endif

namespace eigengrad {
namespace {

TEST(Allocator, AlignsEveryBlock) {
  for (std::size_t bytes = 0; bytes < 5000; bytes += 7) {
    void* block = allocate(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % kAlignment, 0u) << bytes;
    std::memset(block, 0x5a, bytes);
    deallocate(block, bytes);
  }
}

TEST(Allocator, WastesAtMostAFifth) {
  for (std::size_t bytes = 1024; bytes < 40'000'000; bytes = bytes * 11 / 10 + 1) {
    const std::int64_t before = memory_stats().live_bytes;
    void* block = allocate(bytes);
    const auto taken = static_cast<std::size_t>(memory_stats().live_bytes - before);
    deallocate(block, bytes);
    EXPECT_GE(taken, bytes);
    EXPECT_LE(taken, bytes + bytes / 4 + kAlignment) << bytes;
  }
}

TEST(Allocator, BlocksDoNotOverlap) {
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (std::size_t i = 0; i < 300; ++i) {
    const std::size_t bytes = 1 + i * 37 % 3000;
    blocks.emplace_back(static_cast<unsigned char*>(allocate(bytes)), bytes);
    std::memset(blocks.back().first, static_cast<int>(i % 251), bytes);
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t k = 0; k < blocks[i].second; ++k) ASSERT_EQ(blocks[i].first[k], i % 251);
    deallocate(blocks[i].first, blocks[i].second);
  }
}

TEST(Allocator, CountsWhatIsAlive) {
  const MemoryStats before = memory_stats();
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(allocate(1000));
  const MemoryStats during = memory_stats();
  EXPECT_EQ(during.live_blocks, before.live_blocks + 100);
  EXPECT_GE(during.live_bytes, before.live_bytes + 100'000);
  EXPECT_GE(during.peak_bytes, during.live_bytes);
  for (void* block : blocks) deallocate(block, 1000);
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
  EXPECT_EQ(memory_stats().live_bytes, before.live_bytes);
}

#if !defined(__SANITIZE_ADDRESS__)
TEST(Allocator, ReusesBlocks) {
  void* first = allocate(5000);
  deallocate(first, 5000);
  void* second = allocate(4999);  // of the same size class
  EXPECT_EQ(second, first);
  deallocate(second, 4999);
}

TEST(Allocator, GivesCachedMemoryBack) {
  deallocate(allocate(100'000), 100'000);
  EXPECT_GE(memory_stats().cached_bytes, 100'000);
  release_cached_memory();
  EXPECT_EQ(memory_stats().cached_bytes, 0);
}

// What the process has in memory, in bytes.
std::int64_t resident() {
  std::int64_t all = 0, there = 0;
  std::ifstream("/proc/self/statm") >> all >> there;
  return there * ::sysconf(_SC_PAGESIZE);
}

TEST(Allocator, LargeBlocksTakeWhatIsWrittenAndGoBackToTheSystem) {
  constexpr std::size_t kBytes = (std::size_t{5} << 19) + 64;  // 2.5 MiB and a line: a page of 2 MiB and a rest
  constexpr std::int64_t kWritten = 20 * static_cast<std::int64_t>(kBytes), kSome = 4 << 20;
  const std::int64_t before = resident();
  std::vector<void*> blocks;
  for (int i = 0; i < 20; ++i) {
    blocks.push_back(allocate(kBytes));
    std::memset(blocks.back(), i, kBytes);
  }
  EXPECT_NEAR(static_cast<double>(resident() - before), static_cast<double>(kWritten), static_cast<double>(kSome));
  for (int i = 0; i < 20; ++i) {
    const auto* const bytes = static_cast<const unsigned char*>(blocks[static_cast<std::size_t>(i)]);
    ASSERT_EQ(std::count(bytes, bytes + kBytes, i), static_cast<std::ptrdiff_t>(kBytes));
    deallocate(blocks[static_cast<std::size_t>(i)], kBytes);
  }
  release_cached_memory();
  EXPECT_LT(resident(), before + kSome);
}
#endif

TEST(Allocator, PeakIsResettable) {
  deallocate(allocate(10'000'000), 10'000'000);
  EXPECT_GE(memory_stats().peak_bytes, 10'000'000);
  reset_peak_memory();
  EXPECT_LT(memory_stats().peak_bytes, 10'000'000);
}

TEST(Allocator, AnyThreadMayFree) {
  const MemoryStats before = memory_stats();
  std::vector<void*> blocks(1000);
  std::thread([&] {
    for (void*& block : blocks) block = allocate(300);
  }).join();
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks + 1000);
  std::thread([&] {
    for (void* block : blocks) deallocate(block, 300);
  }).join();
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
  EXPECT_EQ(memory_stats().live_bytes, before.live_bytes);
}

TEST(Allocator, ServesManyThreads) {
  const MemoryStats before = memory_stats();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([t] {
      std::vector<std::pair<unsigned char*, std::size_t>> held;
      for (std::size_t i = 0; i < 5000; ++i) {
        const std::size_t bytes = 1 + (i * 31 + static_cast<std::size_t>(t) * 7) % 2000;
        held.emplace_back(static_cast<unsigned char*>(allocate(bytes)), bytes);
        held.back().first[bytes - 1] = static_cast<unsigned char>(t);
        if (held.size() < 50) continue;
        for (const auto& [block, size] : held) {
          EXPECT_EQ(block[size - 1], t);
          deallocate(block, size);
        }
        held.clear();
      }
      for (const auto& [block, size] : held) deallocate(block, size);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
}

TEST(Allocator, CountsWhatIsFreedWhileAThreadEnds) {
  struct Late {
    void* block = nullptr;
    ~Late() {
      if (block) deallocate(block, 300);
    }
  };
  const MemoryStats before = memory_stats();
  std::thread([] {
    static thread_local Late late;  // ends after what the allocator keeps for the thread
    late.block = nullptr;
    late.block = allocate(300);
  }).join();
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
  EXPECT_EQ(memory_stats().live_bytes, before.live_bytes);
}

TEST(Allocator, RefusesWhatCannotBeHad) {
  const MemoryStats before = memory_stats();
  EXPECT_THROW(allocate(std::numeric_limits<std::size_t>::max() / 4), std::bad_alloc);
  EXPECT_THROW(allocate(std::numeric_limits<std::size_t>::max()), std::bad_alloc);
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
}

}  // namespace
}  // namespace eigengrad
