// Folds of many terms: several side by side, so that none waits for the one before, and joined in an order that depends
// on their number alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "eigengrad/ops/kernels/wide.h"

namespace eigengrad::kernels {

/// f(0), f(1), .. f(count - 1), joined with each other and with `start`, which changes nothing. For joins without a
/// choice: sums and products.
template <class Acc, class Join, class F>
inline Acc fold_in_lanes(std::int64_t count, Acc start, Join join, F f) {
  constexpr std::int64_t kLanes = 16;
  Acc rest = start;
  std::int64_t i = 0;
  if (count < kLanes) {
    for (; i < count; ++i) rest = join(rest, f(i));
    return rest;
  }
  // Unrolled, or the compiler would leave the lanes in memory.
  Acc lanes[kLanes];
#pragma GCC unroll 16
  for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = start;
  for (; i + kLanes <= count; i += kLanes) {
#pragma GCC unroll 16
    for (std::int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] = join(lanes[lane], f(i + lane));
  }
  for (; i < count; ++i) rest = join(rest, f(i));
#pragma GCC unroll 4
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2) {
#pragma GCC unroll 8
    for (std::int64_t lane = 0; lane < width; ++lane) lanes[lane] = join(lanes[lane], lanes[lane + width]);
  }
  return join(lanes[0], rest);
}

/// f(0) + f(1) + .. + f(count - 1), each converted to Acc.
template <class Acc, class F>
inline Acc sum_in_lanes(std::int64_t count, F f) {
  return fold_in_lanes(
      count, Acc(0), [](Acc a, Acc b) { return a + b; }, [&](std::int64_t i) { return static_cast<Acc>(f(i)); });
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

/// The best of x[0], .. x[count - 1] and `start`: take(best, x) replaces the best by a better one, and takes vectors too.
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
  const auto take_turned = [&](const auto& order) {
    const Vector turned = __builtin_shuffle(one, order);
    take(one, turned);
  };
  using Order = decltype(one != one);
  if constexpr (kLanes == 8) {
    take_turned(Order{4, 5, 6, 7, 0, 1, 2, 3});
    take_turned(Order{2, 3, 4, 5, 6, 7, 0, 1});
    take_turned(Order{1, 2, 3, 4, 5, 6, 7, 0});
  } else {
    static_assert(kLanes == 4);
    take_turned(Order{2, 3, 0, 1});
    take_turned(Order{1, 2, 3, 0});
  }
  take(start, one[0]);
  return start;
}

}  // namespace eigengrad::kernels
