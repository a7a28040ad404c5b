// Memory for tensors and graph nodes: 64-byte aligned, kept in per-thread free lists by size class.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

namespace eigengrad {

/// Alignment of every block: a cache line, and the widest vector register.
inline constexpr std::size_t kAlignment = 64;

/// A block of at least `bytes` bytes, uninitialised. Throws std::bad_alloc.
void* allocate(std::size_t bytes);
/// Gives a block back; `bytes` is what allocate() was asked for. Any thread may call it.
void deallocate(void* block, std::size_t bytes) noexcept;

/// Figures about the memory of tensors and graph nodes, in bytes.
struct MemoryStats {
  std::int64_t live_bytes = 0;    ///< handed out and not yet returned, rounded up to size classes
  std::int64_t live_blocks = 0;   ///< their number
  std::int64_t peak_bytes = 0;    ///< the highest live_bytes since the start or reset_peak_memory()
  std::int64_t cached_bytes = 0;  ///< kept for reuse
};

/// Figures over all threads.
MemoryStats memory_stats();
/// Blocks that the calling thread has been handed since it began.
std::int64_t allocation_count() noexcept;
/// Makes what is live now the peak.
void reset_peak_memory();
/// Gives the blocks cached by the calling thread back to the system.
void release_cached_memory() noexcept;

// ---- What a small op pays for its memory: a few instructions, inlined.

namespace detail {

// Every cache line has a class of its own up to 512 bytes; beyond there are four to each doubling, and at most a fifth
// of a block is wasted.
inline constexpr std::size_t kLargestBySteps = 512, kSizeClasses = kLargestBySteps / kAlignment + 4 * 29;

struct SizeClass {
  std::size_t index;  // kSizeClasses for sizes that are never kept
  std::size_t bytes;
};

constexpr SizeClass size_class(std::size_t bytes) noexcept {
  if (bytes <= kLargestBySteps) {
    const std::size_t lines = bytes == 0 ? 1 : (bytes + kAlignment - 1) / kAlignment;
    return {lines - 1, lines * kAlignment};
  }
  if (bytes > std::size_t{1} << 38) return {kSizeClasses, (bytes + kAlignment - 1) / kAlignment * kAlignment};
  const int top = std::bit_width(bytes - 1) - 1;  // 2^top < bytes <= 2^(top + 1), top >= 9
  const std::size_t quarter = (bytes - 1) >> (top - 2) & 3;
  return {kLargestBySteps / kAlignment + static_cast<std::size_t>(top - 9) * 4 + quarter, (quarter + 5) << (top - 2)};
}

struct FreeBlock {
  FreeBlock* next;
};

// A count that is written by its own thread alone, so that changing it takes no locked instruction, and read by others.
class OwnCount {
 public:
  std::int64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t by) noexcept { set(get() + by); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// What one thread keeps and counts. All zeros is a thread that has not begun: it has no blocks and may keep none, so
// that its first calls go the slow way. A thread that has ended looks the same.
struct ThreadMemory {
  std::array<FreeBlock*, kSizeClasses + 1> free;
  std::int64_t limit;        // bytes that may be kept
  OwnCount live;             // bytes handed out less bytes returned: negative where others' blocks are freed
  OwnCount held;             // the same with what is kept
  OwnCount peak;             // the highest `live`
  OwnCount given, returned;  // blocks
};

inline thread_local constinit ThreadMemory thread_memory{};

void* allocate_slowly(std::size_t bytes);
void deallocate_slowly(void* block, std::size_t bytes) noexcept;

}  // namespace detail

inline void* allocate(std::size_t bytes) {
  const detail::SizeClass size = detail::size_class(bytes);
  detail::ThreadMemory& memory = detail::thread_memory;
  detail::FreeBlock* const block = memory.free[size.index];
  if (!block) [[unlikely]]
    return detail::allocate_slowly(bytes);
  memory.free[size.index] = block->next;
  memory.given.add(1);
  const std::int64_t live = memory.live.get() + static_cast<std::int64_t>(size.bytes);
  memory.live.set(live);
  if (live > memory.peak.get()) memory.peak.set(live);
  return block;
}

inline void deallocate(void* block, std::size_t bytes) noexcept {
  const detail::SizeClass size = detail::size_class(bytes);
  detail::ThreadMemory& memory = detail::thread_memory;
  const std::int64_t live = memory.live.get() - static_cast<std::int64_t>(size.bytes);
  if (memory.held.get() - live > memory.limit) [[unlikely]]
    return detail::deallocate_slowly(block, bytes);
  memory.live.set(live);
  memory.returned.add(1);
  memory.free[size.index] = ::new (block) detail::FreeBlock{memory.free[size.index]};
}

}  // namespace eigengrad
