// Memory for tensors and graph nodes: 64-byte aligned, kept in per-thread free lists by size class.
#pragma once

#include <cstddef>
#include <cstdint>

namespace eigengrad {

/// Alignment of every block: a cache line, and the widest vector register.
inline constexpr std::size_t kAlignment = 64;

/// A block of at least `bytes` bytes, uninitialised. Throws std::bad_alloc. The same `bytes` goes to deallocate,
/// which any thread may call.
void* allocate(std::size_t bytes);
void deallocate(void* block, std::size_t bytes) noexcept;

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
void reset_peak_memory();
/// Gives the blocks cached by the calling thread back to the system.
void release_cached_memory() noexcept;

}  // namespace eigengrad
