#include "eigengrad/data/fingerprint.h"

#define XXH_INLINE_ALL  // of the library only the header is needed
#include <xxhash.h>

namespace eigengrad::data {

std::uint64_t fingerprint_of_bytes(std::span<const std::byte> bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace eigengrad::data
