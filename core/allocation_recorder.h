// What a part of the program takes of memory, block by block.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace eigengrad {

/// A block that was handed out, or given back: then `bytes` is negative.
struct AllocationEvent {
  const void* block;
  std::int64_t bytes;
};

/// While it lives, every block that the calling thread is handed or gives back is noted, in order. Nothing is kept for
/// reuse meanwhile, so that ops are slower. One per thread. Blocks that other threads take are not seen.
class AllocationRecorder {
 public:
  /// A block with which more than `most` bytes would be held throws std::bad_alloc.
  explicit AllocationRecorder(std::int64_t most = std::numeric_limits<std::int64_t>::max());
  ~AllocationRecorder();
  AllocationRecorder(const AllocationRecorder&) = delete;
  AllocationRecorder& operator=(const AllocationRecorder&) = delete;

  const std::vector<AllocationEvent>& events() const { return events_; }

  // ---- For the allocator.
  bool has_room(std::int64_t bytes) const noexcept { return bytes <= most_ - live_; }
  void note(const void* block, std::int64_t bytes);

 private:
  const std::int64_t most_;
  std::int64_t live_ = 0;
  std::int64_t limit_before_;
  std::vector<AllocationEvent> events_;
};

/// The bytes that a thread keeps for reuse at most.
std::int64_t cache_limit();

}  // namespace eigengrad
