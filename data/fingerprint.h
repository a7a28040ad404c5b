// What tells data from other data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace eigengrad::data {

/// A number that follows from bytes and from a seed, such as the fingerprint of what stands before them: XXH3, 64 bits
/// (https://xxhash.com).
std::uint64_t fingerprint_of_bytes(std::span<const std::byte> bytes, std::uint64_t seed);

/// The same of numbers in memory.
template <class Range>
std::uint64_t fingerprint_of(const Range& numbers, std::uint64_t seed = 0) {
  return fingerprint_of_bytes(std::as_bytes(std::span(numbers)), seed);
}

}  // namespace eigengrad::data
