// Sums of many terms: several side by side, so that no addition waits for the one before, and added up in an order that
// depends on their number alone.
#pragma once

#include <cstdint>

namespace eigengrad::kernels {

/// f(0) + f(1) + .. + f(count - 1), each converted to Acc.
template <class Acc, class F>
inline Acc sum_in_lanes(std::int64_t count, F f) {
  constexpr std::int64_t kLanes = 16;
  Acc rest = 0;
  std::int64_t i = 0;
  if (count < kLanes) {
    for (; i < count; ++i) rest += static_cast<Acc>(f(i));
    return rest;
  }
  // Unrolled, or the compiler would leave the lanes in memory.
  Acc lanes[kLanes];
#pragma GCC unroll 16
  for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = 0;
  for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<Acc>(f(i + lane));
  }
  for (; i < count; ++i) rest += static_cast<Acc>(f(i));
#pragma GCC unroll 4
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2) {
#pragma GCC unroll 8
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  }
  return lanes[0] + rest;
}

}  // namespace eigengrad::kernels
