// The compiler's vectors, for loops in which arrays would not stay in registers.
#pragma once

#include <cstdint>

namespace eigengrad::kernels {

/// 32 bytes of elements: two registers where the processor's are shorter.
template <class T>
struct Wide {
  typedef T Vector __attribute__((vector_size(32)));
  typedef T InMemory __attribute__((vector_size(32), aligned(sizeof(T)), may_alias));
  static constexpr std::int64_t kLanes = 32 / static_cast<std::int64_t>(sizeof(T));

  // By reference: how vectors are passed depends on the processor that is compiled for.
  static const InMemory& at(const T* place) { return *reinterpret_cast<const InMemory*>(place); }
  static InMemory& at(T* place) { return *reinterpret_cast<InMemory*>(place); }
};

/// One element, behind the same interface.
template <class T>
struct Single {
  using Vector = T;
  static constexpr std::int64_t kLanes = 1;

  static const T& at(const T* place) { return *place; }
  static T& at(T* place) { return *place; }
};

}  // namespace eigengrad::kernels
