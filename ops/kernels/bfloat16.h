// Numbers of 8 bits of mantissa, as the upper half of a float32.
#pragma once

#include <bit>
#include <cstdint>

namespace eigengrad::kernels {

/// The nearest bfloat16, ties to even; infinities and NaN stay.
inline float rounded_to_bfloat16(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t nearest = (bits + 0x7FFFU + (bits >> 16 & 1)) & 0xFFFF0000U;
  return x == x ? std::bit_cast<float>(nearest) : x;
}

}  // namespace eigengrad::kernels
