#include "eigengrad/core/allocator.h"

#include <malloc.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>
#include <utility>

// Under the address sanitizer a reused block would hide a use after free, so nothing is cached.
#if defined(__SANITIZE_ADDRESS__)
#  define EIGENGRAD_CACHE_BLOCKS 0
#else
#  define EIGENGRAD_CACHE_BLOCKS 1
#endif

namespace eigengrad {
namespace {

// Four classes to each doubling: at most a fifth of a block is wasted.
constexpr std::size_t kClasses = 4 * 34;
// What one thread may keep: enough for the activations of a training step of the usual laptop models.
constexpr std::size_t kCacheLimit = std::size_t{1} << 30;

struct SizeClass {
  std::size_t index;
  std::size_t bytes;
};

SizeClass size_class(std::size_t bytes) {
  if (bytes <= kAlignment) return {0, kAlignment};
  if (bytes > std::size_t{1} << 38) return {kClasses, (bytes + kAlignment - 1) / kAlignment * kAlignment};
  const int top = std::bit_width(bytes - 1) - 1;  // 2^top < bytes <= 2^(top + 1), top >= 6
  const std::size_t step = (std::size_t{1} << top) / 4;
  const std::size_t quarter = (bytes - 1 - (std::size_t{1} << top)) / step;  // 0 to 3
  const std::size_t rounded = (std::size_t{1} << top) + (quarter + 1) * step;
  return {static_cast<std::size_t>(top - 6) * 4 + quarter + 1, (rounded + kAlignment - 1) / kAlignment * kAlignment};
}

void* system_allocate(std::size_t bytes) {
  void* block = std::aligned_alloc(kAlignment, bytes);
  if (!block) throw std::bad_alloc();
  return block;
}

// glibc gives large blocks back to the kernel at once, and pays for it in page faults at the next step.
void keep_freed_pages() {
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

struct FreeBlock {
  FreeBlock* next;
};

// Counters are written by their own thread alone, so that an allocation costs no locked instruction; readers add up.
struct ThreadCache {
  std::array<FreeBlock*, kClasses> free{};
  std::size_t cached = 0;
  std::int64_t allocations = 0;
  std::atomic<std::int64_t> live_bytes{0}, live_blocks{0}, peak_bytes{0}, cached_bytes{0};

  ThreadCache();
  ~ThreadCache();
  void count(std::int64_t bytes, std::int64_t blocks) {
    const std::int64_t live = live_bytes.load(std::memory_order_relaxed) + bytes;
    live_bytes.store(live, std::memory_order_relaxed);
    live_blocks.store(live_blocks.load(std::memory_order_relaxed) + blocks, std::memory_order_relaxed);
    if (live > peak_bytes.load(std::memory_order_relaxed)) peak_bytes.store(live, std::memory_order_relaxed);
  }
  void set_cached(std::size_t bytes) {
    cached = bytes;
    cached_bytes.store(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  }
  void clear() noexcept {
    for (FreeBlock*& head : free)
      while (head) std::free(std::exchange(head, head->next));
    set_cached(0);
  }
};

struct Registry {
  std::mutex mutex;
  std::array<ThreadCache*, 1024> caches{};
  MemoryStats ended;  // what threads that are gone had counted
};

// Never destroyed: tensors with static storage may be freed after every other global.
Registry& registry() {
  static Registry* const instance = [] {
    keep_freed_pages();
    return new Registry;
  }();
  return *instance;
}

// Set when the thread's cache has been destroyed: blocks freed later, by other thread-local objects, go to the system.
thread_local bool cache_ended = false;

ThreadCache::ThreadCache() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (ThreadCache*& slot : all.caches)
    if (!slot) {
      slot = this;
      return;
    }
}

ThreadCache::~ThreadCache() {
  clear();
  cache_ended = true;
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.ended.live_bytes += live_bytes.load(std::memory_order_relaxed);
  all.ended.live_blocks += live_blocks.load(std::memory_order_relaxed);
  for (ThreadCache*& slot : all.caches)
    if (slot == this) slot = nullptr;
}

ThreadCache* thread_cache() {
  if (cache_ended) return nullptr;
  static thread_local ThreadCache cache;
  return &cache;
}

void count_without_cache(std::int64_t bytes, std::int64_t blocks) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  all.ended.live_bytes += bytes;
  all.ended.live_blocks += blocks;
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();  // or rounding up would wrap to 0
  const SizeClass size = size_class(bytes);
  ThreadCache* cache = thread_cache();
  if (!cache) {
    void* block = system_allocate(size.bytes);
    count_without_cache(static_cast<std::int64_t>(size.bytes), 1);
    return block;
  }
  ++cache->allocations;
  if (size.index < kClasses && cache->free[size.index]) {
    FreeBlock* block = cache->free[size.index];
    cache->free[size.index] = block->next;
    cache->set_cached(cache->cached - size.bytes);
    cache->count(static_cast<std::int64_t>(size.bytes), 1);
    return block;
  }
  void* block = system_allocate(size.bytes);
  cache->count(static_cast<std::int64_t>(size.bytes), 1);
  return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
  const SizeClass size = size_class(bytes);
  ThreadCache* cache = thread_cache();
  if (!cache) {
    count_without_cache(-static_cast<std::int64_t>(size.bytes), -1);
    std::free(block);
    return;
  }
  cache->count(-static_cast<std::int64_t>(size.bytes), -1);
  if (!EIGENGRAD_CACHE_BLOCKS || size.index >= kClasses || cache->cached + size.bytes > kCacheLimit) {
    std::free(block);
    return;
  }
  cache->free[size.index] = new (block) FreeBlock{cache->free[size.index]};
  cache->set_cached(cache->cached + size.bytes);
}

MemoryStats memory_stats() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  MemoryStats total = all.ended;
  for (const ThreadCache* cache : all.caches) {
    if (!cache) continue;
    total.live_bytes += cache->live_bytes.load(std::memory_order_relaxed);
    total.live_blocks += cache->live_blocks.load(std::memory_order_relaxed);
    total.peak_bytes += cache->peak_bytes.load(std::memory_order_relaxed);
    total.cached_bytes += cache->cached_bytes.load(std::memory_order_relaxed);
  }
  return total;
}

std::int64_t allocation_count() noexcept {
  const ThreadCache* const cache = thread_cache();
  return cache ? cache->allocations : 0;
}

void reset_peak_memory() {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (ThreadCache* cache : all.caches)
    if (cache) cache->peak_bytes.store(cache->live_bytes.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

void release_cached_memory() noexcept {
  if (ThreadCache* cache = thread_cache()) cache->clear();
}

}  // namespace eigengrad
