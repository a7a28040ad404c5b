// Memory for the length of a scope.
#pragma once

#include <cstddef>
#include <cstdint>

#include "eigengrad/core/allocator.h"

namespace eigengrad::kernels {

/// Uninitialised memory of the caching allocator; none for 0 bytes.
class Room {
 public:
  explicit Room(std::size_t bytes) : bytes_(bytes), data_(bytes ? allocate(bytes) : nullptr) {}
  ~Room() {
    if (data_) deallocate(data_, bytes_);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  void* data() const { return data_; }

 private:
  const std::size_t bytes_;
  void* const data_;
};

/// Room for elements of one type.
template <class T>
class RoomOf {
 public:
  explicit RoomOf(std::int64_t count) : room_(static_cast<std::size_t>(count) * sizeof(T)) {}
  T* data() const { return static_cast<T*>(room_.data()); }
  T& operator[](std::int64_t i) const { return data()[i]; }

 private:
  const Room room_;
};

}  // namespace eigengrad::kernels
