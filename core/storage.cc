#include "eigengrad/core/storage.h"

#include <limits>
#include <new>
#include <utility>

#include "eigengrad/core/allocator.h"

namespace eigengrad {

// Header and data share one block, the data beginning at the next cache line.
Ref<Storage> Storage::create(std::size_t bytes) {
  constexpr std::size_t header = (sizeof(Storage) + kAlignment - 1) / kAlignment * kAlignment;
  if (bytes > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
  void* block = allocate(header + bytes);
  auto* storage = new (block) Storage(static_cast<std::byte*>(block) + header, bytes);
  storage->block_bytes_ = header + bytes;
  return Ref<Storage>::adopt(storage);
}

Ref<Storage> Storage::borrow(void* data, std::size_t bytes, std::shared_ptr<void> owner) {
  void* block = allocate(sizeof(Storage));
  auto* storage = new (block) Storage(static_cast<std::byte*>(data), bytes);
  storage->block_bytes_ = sizeof(Storage);
  storage->owner_ = std::move(owner);
  return Ref<Storage>::adopt(storage);
}

void Storage::destroy(Storage* storage) noexcept {
  const std::size_t block_bytes = storage->block_bytes_;
  storage->~Storage();
  deallocate(storage, block_bytes);
}

}  // namespace eigengrad
