// Counts that several threads change. As long as the process has one thread only, a locked instruction, which costs
// more than all the rest of a small op's bookkeeping, is not needed.
#pragma once

#include <atomic>

#if __has_include(<sys/single_threaded.h>)
#  include <sys/single_threaded.h>
#endif

namespace eigengrad {

/// Whether no other thread has been started. Starting one makes all that this thread has done visible to it.
inline bool is_single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded;
#else
  return false;
#endif
}

/// Adds to a count that orders nothing else. Returns what it was.
template <class T>
T add_relaxed(std::atomic<T>& count, T by) noexcept {
  if (!is_single_threaded()) return count.fetch_add(by, std::memory_order_relaxed);
  const T before = count.load(std::memory_order_relaxed);
  count.store(before + by, std::memory_order_relaxed);
  return before;
}

}  // namespace eigengrad
