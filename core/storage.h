// The memory behind tensors, shared by every view of it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>

#include "eigengrad/core/allocator.h"
#include "eigengrad/core/ref.h"

namespace eigengrad {

/// A block of 64-byte aligned memory with a version that counts in-place changes; or memory of somebody else's, kept
/// alive by an owner.
class Storage final : public RefCounted {
 public:
  /// Uninitialised memory, with `room` bytes between the header and the elements for the tensor that is made with it.
  /// Throws std::bad_alloc with nothing to clean up.
  static Ref<Storage> create(std::size_t bytes, std::size_t room);
  /// Memory that the caller provides; `owner` is released with the storage and may be null.
  static Ref<Storage> borrow(void* data, std::size_t bytes, std::shared_ptr<void> owner);
  static void destroy(Storage* storage) noexcept;

  std::byte* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// Whether it is memory of somebody else's.
  bool is_borrowed() const noexcept { return static_cast<bool>(owner_); }
  /// Where the room begins.
  void* room() noexcept { return this + 1; }
  /// Grows with every in-place change through any view.
  std::uint32_t version() const noexcept { return version_.load(std::memory_order_relaxed); }
  void bump_version() noexcept { add_relaxed(version_, std::uint32_t{1}); }

 private:
  Storage(std::byte* data, std::size_t bytes) : data_(data), bytes_(bytes) {}
  ~Storage() = default;

  std::atomic<std::uint32_t> version_{0};
  std::byte* data_;
  std::size_t bytes_;
  std::unique_ptr<std::shared_ptr<void>> owner_;  // null for memory of its own
};

// Header, room and elements share one block, the elements beginning at the next cache line.
inline Ref<Storage> Storage::create(std::size_t bytes, std::size_t room) {
  const std::size_t before = (sizeof(Storage) + room + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  void* block = allocate(before + bytes);
  return Ref<Storage>::adopt(::new (block) Storage(static_cast<std::byte*>(block) + before, bytes));
}

inline void Storage::destroy(Storage* storage) noexcept {
  const auto before = static_cast<std::size_t>(storage->data_ - reinterpret_cast<std::byte*>(storage));
  const std::size_t bytes = storage->owner_ ? sizeof(Storage) : before + storage->bytes_;
  storage->~Storage();
  deallocate(storage, bytes);
}

}  // namespace eigengrad
