// Floating numbers of 16 bits: the upper half of a float32, so 8 bits of significand and the range of float32.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace eigengrad {

/// x rounded to the nearest bfloat16, ties to even; infinities and NaN stay.
constexpr float rounded_to_bfloat16(float x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t nearest = (bits + 0x7FFFU + (bits >> 16 & 1)) & 0xFFFF0000U;
  return x == x ? std::bit_cast<float>(nearest) : x;
}

/// An element of a bfloat16 tensor. It is a way to store numbers: arithmetic is that of the float32 that it becomes.
struct BFloat16 {
  std::uint16_t bits = 0;  ///< sign, 8 bits of exponent, 7 of significand

  constexpr BFloat16() = default;
  /// The nearest one, ties to even. Numbers wider than float32 are rounded to that first.
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr explicit BFloat16(T value) : bits(upper_half(static_cast<float>(value))) {}
  /// The same number.
  constexpr operator float() const {  // NOLINT(google-explicit-constructor): every bfloat16 is a float32
    return std::bit_cast<float>(std::uint32_t{bits} << 16);
  }

 private:
  static constexpr std::uint16_t upper_half(float x) {
    // A NaN whose bits all lie in the lower half would become infinite.
    const std::uint32_t rounded = std::bit_cast<std::uint32_t>(rounded_to_bfloat16(x));
    return static_cast<std::uint16_t>((x == x ? rounded : rounded | 0x00400000U) >> 16);
  }
};

}  // namespace eigengrad
