// Folds of many terms: several side by side, so that none waits for the one before, and joined in an order that depends
// on their number alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "eigengrad/ops/kernels/wide.h"

namespace eigengrad::kernels {

namespace detail {

/// Joins a vector's elements into the first: halves of it, halves of these, and so on.
template <class T, class Join>
inline void join_elements(typename Wide<T>::Vector& x, Join join) {
  using Order = decltype(x != x);
  const auto join_turned = [&](const Order& order) {
    const typename Wide<T>::Vector turned = __builtin_shuffle(x, order);
    join(x, turned);
  };
  if constexpr (Wide<T>::kLanes == 8) {
    join_turned(Order{4, 5, 6, 7, 0, 1, 2, 3});
    join_turned(Order{2, 3, 0, 1, 6, 7, 4, 5});
    join_turned(Order{1, 0, 3, 2, 5, 4, 7, 6});
  } else {
    static_assert(Wide<T>::kLanes == 4);
    join_turned(Order{2, 3, 0, 1});
    join_turned(Order{1, 0, 3, 2});
  }
}

}  // namespace detail

/// f(0), f(1), .. f(count - 1), joined with each other and with `start`, which changes nothing. For joins without a
/// choice, sums and products: join(total, x) changes the total, and takes vectors too.
template <class Acc, class Join, class F>
inline Acc fold_in_lanes(std::int64_t count, Acc start, Join join, F f) {
  using Vector = typename Wide<Acc>::Vector;
  constexpr std::int64_t kLanes = 16, kVectors = kLanes / Wide<Acc>::kLanes;
  Acc rest = start;
  std::int64_t i = 0;
  if (count < kLanes) {
    for (; i < count; ++i) join(rest, f(i));
    return rest;
  }
  // Unrolled, or the compiler would leave the lanes in memory.
  Acc lanes[kLanes];
#pragma GCC unroll 16
  for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = start;
  for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
    for (std::int64_t lane = 0; lane < kLanes; ++lane) join(lanes[lane], f(i + lane));
  }
  for (; i < count; ++i) join(rest, f(i));
  Vector vectors[kVectors];
  __builtin_memcpy(vectors, lanes, sizeof lanes);
#pragma GCC unroll 4
  for (std::int64_t width = kVectors / 2; width > 0; width /= 2)
#pragma GCC unroll 4
    for (std::int64_t v = 0; v < width; ++v) join(vectors[v], vectors[v + width]);
  detail::join_elements<Acc>(vectors[0], join);
  Acc total = vectors[0][0];
  join(total, rest);
  return total;
}

/// f(0) + f(1) + .. + f(count - 1), each converted to Acc.
template <class Acc, class F>
inline Acc sum_in_lanes(std::int64_t count, F f) {
  return fold_in_lanes(
      count, Acc(0), [](auto& sum, const auto& x) { sum += x; },
      [&](std::int64_t i) { return static_cast<Acc>(f(i)); });
}

/// The same for a row, in T over so many terms that this does not show, then in double.
template <class T, class F>
inline T sum_of_row(std::int64_t count, F f) {
  constexpr std::int64_t kAtOnce = 2048;
  double sum = 0;
  for (std::int64_t begin = 0; begin < count; begin += kAtOnce)
    sum += static_cast<double>(
        sum_in_lanes<T>(std::min(kAtOnce, count - begin), [&](std::int64_t i) { return f(begin + i); }));
  return static_cast<T>(sum);
}

/// The best of x[0], .. x[count - 1] and `start`: take(best, x) replaces the best by a better one, and takes vectors
/// too.
template <class T, class Take>
inline T best_in_lanes(const T* x, std::int64_t count, T start, Take take) {
  using Vector = typename Wide<T>::Vector;
  constexpr std::int64_t kLanes = Wide<T>::kLanes;
  if (count < kLanes) {
    for (std::int64_t i = 0; i < count; ++i) take(start, x[i]);
    return start;
  }
  // The last vectors may overlap others, for it is no matter how often an element is looked at.
  Vector one = Wide<T>::at(x), two = Wide<T>::at(x + count - kLanes), three = one, four = one;
  const auto take_at = [&](Vector& best, std::int64_t i) {
    const Vector here = Wide<T>::at(x + i);
    take(best, here);
  };
  std::int64_t i = kLanes;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    take_at(one, i);
    take_at(two, i + kLanes);
    take_at(three, i + 2 * kLanes);
    take_at(four, i + 3 * kLanes);
  }
  if (i + 2 * kLanes <= count) {
    take_at(one, i);
    take_at(two, i + kLanes);
    i += 2 * kLanes;
  }
  if (i + kLanes <= count) take_at(three, i);
  take(one, two);
  take(three, four);
  take(one, three);
  detail::join_elements<T>(one, take);
  take(start, one[0]);
  return start;
}

}  // namespace eigengrad::kernels
