// The memory behind tensors, shared by every view of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "eigengrad/core/ref.h"

namespace eigengrad {

/// A block of 64-byte aligned memory with a version that counts in-place changes; or memory of somebody else's, kept
/// alive by `owner`.
class Storage final : public RefCounted {
 public:
  /// Uninitialised memory. Throws std::bad_alloc with nothing to clean up.
  static Ref<Storage> create(std::size_t bytes);
  /// Memory that the caller provides; `owner` is released with the storage and may be null.
  static Ref<Storage> borrow(void* data, std::size_t bytes, std::shared_ptr<void> owner);
  static void destroy(Storage* storage) noexcept;

  std::byte* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// Grows with every in-place change through any view.
  std::uint32_t version() const noexcept { return version_.load(std::memory_order_relaxed); }
  void bump_version() noexcept { version_.fetch_add(1, std::memory_order_relaxed); }

 private:
  Storage(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  ~Storage() = default;

  std::atomic<std::uint32_t> version_{0};
  std::byte* data_;
  std::size_t bytes_;
  std::size_t block_bytes_ = 0;
  std::shared_ptr<void> owner_;
};

}  // namespace eigengrad
