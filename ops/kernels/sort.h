// The order of numbers, by keys that are sorted as whole numbers.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

namespace eigengrad::kernels {

/// Bits that are ordered as the numbers are: NaN is the largest, and -0 is 0.
inline std::uint32_t sort_key(bool a) { return a; }
inline std::uint64_t sort_key(std::int64_t a) { return static_cast<std::uint64_t>(a) ^ (std::uint64_t{1} << 63); }
template <class T>
auto sort_key(T a) {
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits kSign = Bits(1) << (8 * sizeof(T) - 1);
  const Bits bits = std::bit_cast<Bits>(a == T(0) ? T(0) : a);
  return a != a ? ~Bits(0) : bits & kSign ? ~bits : bits | kSign;
}

/// The key of a number and where it stands, by which equal numbers are told apart.
template <class Key>
struct Keyed {
  Key key;
  std::int64_t place;
  std::strong_ordering operator<=>(const Keyed&) const = default;
};

/// Sorts items that are in the order of their places: by a byte of the keys after another, from the lowest on, with
/// each of which items with the same byte stay as they are (Knuth 1998, The Art of Computer Programming 3,
/// section 5.2.5).
template <class Key>
void radix_sort(std::vector<Keyed<Key>>& items) {
  const auto byte_of = [](Key key, std::size_t byte) { return static_cast<std::size_t>(key >> (8 * byte) & 255); };
  std::array<std::array<std::size_t, 256>, sizeof(Key)> counts{};
  for (const Keyed<Key>& item : items)
    for (std::size_t byte = 0; byte < sizeof(Key); ++byte) ++counts[byte][byte_of(item.key, byte)];
  std::vector<Keyed<Key>> sorted(items.size());
  for (std::size_t byte = 0; byte < sizeof(Key); ++byte) {
    std::array<std::size_t, 256>& starts = counts[byte];
    if (starts[byte_of(items[0].key, byte)] == items.size()) continue;  // the same for all
    std::size_t start = 0;
    for (std::size_t& count : starts) start += std::exchange(count, start);
    for (const Keyed<Key>& item : items) sorted[starts[byte_of(item.key, byte)]++] = item;
    items.swap(sorted);
  }
}

/// So that the first `count` are in order.
template <class Key>
void sort_first(std::vector<Keyed<Key>>& items, std::int64_t count) {
  constexpr std::int64_t kFew = 64;  // of which the 256 counts of a byte are more
  const auto size = static_cast<std::int64_t>(items.size());
  if (count < size / 8)  // found faster by a heap
    std::partial_sort(items.begin(), items.begin() + count, items.end());
  else if (size < kFew)
    std::sort(items.begin(), items.end());
  else
    radix_sort(items);
}

}  // namespace eigengrad::kernels
