// Intrusive reference counting: one word in the object, no second allocation.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "eigengrad/core/counter.h"

namespace eigengrad {

/// Base of shared objects. The count starts at one, owned by the Ref that adopts the new object.
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept { add_relaxed(count_, std::uint32_t{1}); }
  /// True when the caller held the last reference and must destroy the object. A sole owner pays no locked write.
  bool release() const noexcept {
    const std::uint32_t count = count_.load(std::memory_order_acquire);
    if (count == 1) return true;
    if (!is_single_threaded()) return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    count_.store(count - 1, std::memory_order_relaxed);
    return false;
  }
  std::uint32_t use_count() const noexcept { return count_.load(std::memory_order_acquire); }

 protected:
  ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{1};
};

/// Owning pointer to a RefCounted object. T::destroy(T*) says how the last owner ends it.
template <class T>
class Ref {
 public:
  Ref() noexcept = default;
  /// Takes over the reference that a new object starts with.
  static Ref adopt(T* object) noexcept {
    Ref ref;
    ref.object_ = object;
    return ref;
  }
  /// Adds an owner.
  static Ref share(T* object) noexcept {
    if (object) object->retain();
    return adopt(object);
  }
  Ref(const Ref& other) noexcept : object_(other.object_) {
    if (object_) object_->retain();
  }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(const Ref& other) noexcept {
    Ref copy(other);
    std::swap(object_, copy.object_);
    return *this;
  }
  Ref& operator=(Ref&& other) noexcept {
    Ref moved(std::move(other));
    std::swap(object_, moved.object_);
    return *this;
  }
  ~Ref() { reset(); }

  void reset() noexcept {
    if (T* object = std::exchange(object_, nullptr); object && object->release()) T::destroy(object);
  }
  T* get() const noexcept { return object_; }
  T* operator->() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(const Ref&) const noexcept = default;

 private:
  T* object_ = nullptr;
};

}  // namespace eigengrad
