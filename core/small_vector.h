// A vector whose first N elements live inside the object: shapes, edges and gradients stay off the heap.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace eigengrad {

/// A std::vector of which N elements need no memory of their own. Access is not checked.
template <class T, std::size_t N>
class SmallVector {
 public:
  using value_type = T;
  using iterator = T*;
  using const_iterator = const T*;

  SmallVector() noexcept {}
  /// Of `count` copies of a value, or of the elements of something else.
  /// @{
  explicit SmallVector(std::size_t count, const T& value = T()) {
    reserve(count);
    std::uninitialized_fill_n(data(), count, value);
    size_ = static_cast<std::uint32_t>(count);
  }
  SmallVector(std::initializer_list<T> values) : SmallVector(values.begin(), values.end()) {}
  explicit SmallVector(std::span<const T> values) : SmallVector(values.data(), values.data() + values.size()) {}
  SmallVector(const T* first, const T* last) {
    const auto count = static_cast<std::size_t>(last - first);
    reserve(count);
    std::uninitialized_copy(first, last, data());
    size_ = static_cast<std::uint32_t>(count);
  }
  /// @}
  SmallVector(const SmallVector& other) {
    if (kCopiesBytes && other.is_inline()) {
      copy_bytes(other);
      return;
    }
    reserve(other.size_);
    std::uninitialized_copy(other.begin(), other.end(), data());
    size_ = other.size_;
  }
  SmallVector(SmallVector&& other) noexcept { take(other); }
  SmallVector& operator=(const SmallVector& other) {
    if (kCopiesBytes && is_inline() && other.is_inline())
      copy_bytes(other);
    else if (this != &other)
      *this = SmallVector(other);
    return *this;
  }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) {
      destroy();
      take(other);
    }
    return *this;
  }
  ~SmallVector() { destroy(); }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  T* data() noexcept { return is_inline() ? inline_data() : heap_; }
  const T* data() const noexcept { return is_inline() ? inline_data() : heap_; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  T& operator[](std::size_t i) noexcept { return data()[i]; }
  const T& operator[](std::size_t i) const noexcept { return data()[i]; }
  T& front() noexcept { return data()[0]; }
  const T& front() const noexcept { return data()[0]; }
  T& back() noexcept { return data()[size_ - 1]; }
  const T& back() const noexcept { return data()[size_ - 1]; }
  /// All elements.
  operator std::span<const T>() const noexcept { return {data(), size_}; }

  void reserve(std::size_t count) {
    if (count > capacity_) grow(std::max(count, 2 * std::size_t{capacity_}));
  }
  void push_back(T value) {
    reserve(std::size_t{size_} + 1);
    std::construct_at(data() + size_, std::move(value));
    ++size_;
  }
  template <class... Args>
  T& emplace_back(Args&&... args) {
    reserve(std::size_t{size_} + 1);
    T* slot = std::construct_at(data() + size_, std::forward<Args>(args)...);
    ++size_;
    return *slot;
  }
  void pop_back() noexcept { std::destroy_at(data() + --size_); }
  void clear() noexcept {
    std::destroy_n(data(), size_);
    size_ = 0;
  }
  void resize(std::size_t count, const T& value = T()) {
    while (size_ > count) pop_back();
    reserve(count);
    while (size_ < count) push_back(value);
  }
  /// Puts a value before the element at `position`.
  void insert(std::size_t position, T value) {
    push_back(std::move(value));
    std::rotate(begin() + position, end() - 1, end());
  }
  /// Takes the element at `position` away.
  void erase(std::size_t position) {
    std::move(begin() + position + 1, end(), begin() + position);
    pop_back();
  }
  bool operator==(const SmallVector& other) const noexcept {
    if (size_ != other.size_) return false;
    // A loop, for the usual few elements: std::equal calls memcmp.
    const T *const a = data(), *const b = other.data();
    for (std::size_t i = 0; i < size_; ++i)
      if (!(a[i] == b[i])) return false;
    return true;
  }

 protected:
  // Of the elements given, which are moved where they may be.
  /// Of values that are moved.
  template <class... Given>
  explicit SmallVector(std::in_place_t, Given&&... given) {
    reserve(sizeof...(Given));
    T* at = data();
    (std::construct_at(at++, std::forward<Given>(given)), ...);
    size_ = sizeof...(Given);
  }

 private:
  // Where the elements allow it, all the bytes inside are copied, whatever the size: that is a few moves and no loop.
  static constexpr bool kCopiesBytes = std::is_trivially_copyable_v<T> && N * sizeof(T) <= 64;

  bool is_inline() const noexcept { return capacity_ == N; }
  T* inline_data() noexcept { return std::launder(reinterpret_cast<T*>(inside_)); }
  const T* inline_data() const noexcept { return std::launder(reinterpret_cast<const T*>(inside_)); }
  void copy_bytes(const SmallVector& other) noexcept {
    size_ = other.size_;
    std::memcpy(inside_, other.inside_, sizeof(inside_));
  }

  void grow(std::size_t capacity) {
    if (capacity > std::numeric_limits<std::uint32_t>::max())
      throw std::length_error("SmallVector: over 2^32 elements");
    T* bigger = std::allocator<T>().allocate(capacity);
    std::uninitialized_move(begin(), end(), bigger);
    const std::uint32_t size = size_;
    destroy();
    heap_ = bigger;
    capacity_ = static_cast<std::uint32_t>(capacity);
    size_ = size;
  }
  void destroy() noexcept {
    std::destroy_n(data(), size_);
    if (!is_inline()) std::allocator<T>().deallocate(heap_, capacity_);
    capacity_ = N;
    size_ = 0;
  }
  void take(SmallVector& other) noexcept {
    if (!other.is_inline()) {
      heap_ = other.heap_;
      capacity_ = std::exchange(other.capacity_, static_cast<std::uint32_t>(N));
      size_ = std::exchange(other.size_, 0);
      return;
    }
    if constexpr (kCopiesBytes)
      copy_bytes(other);
    else
      std::uninitialized_move(other.begin(), other.end(), inline_data());
    size_ = other.size_;
    other.clear();
  }

  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = N;  // more than N when the elements are on the heap
  union {
    T* heap_;                                     ///< where the elements are, or
    alignas(T) std::byte inside_[N * sizeof(T)];  ///< the elements
  };
};

}  // namespace eigengrad
