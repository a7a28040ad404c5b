#include "eigengrad/core/storage.h"

#include <utility>

namespace eigengrad {

Ref<Storage> Storage::borrow(void* data, std::size_t bytes, std::shared_ptr<void> owner) {
  auto held = std::make_unique<std::shared_ptr<void>>(std::move(owner));
  void* block = allocate(sizeof(Storage));
  auto* storage = new (block) Storage(static_cast<std::byte*>(data), bytes);
  storage->owner_ = std::move(held);
  return Ref<Storage>::adopt(storage);
}

}  // namespace eigengrad
