// The order of many elements, which are sorted and searched in other ways than few.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using Places = std::vector<std::int64_t>;

// Numbers of which many are equal, and the special ones.
template <class T>
std::vector<T> many(std::int64_t count) {
  std::mt19937_64 random(static_cast<std::uint64_t>(count));
  std::vector<T> all;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto few = static_cast<T>(static_cast<std::int64_t>(random() % 19) - 9);
    if constexpr (std::is_floating_point_v<T>) {
      using Limits = std::numeric_limits<T>;
      const T special[] = {Limits::quiet_NaN(),
                           -Limits::quiet_NaN(),
                           Limits::infinity(),
                           -Limits::infinity(),
                           T(0),
                           -T(0),
                           Limits::max(),
                           Limits::lowest(),
                           Limits::denorm_min(),
                           few / 3,
                           few * T(1e20)};
      all.push_back(special[random() % std::size(special)]);
    } else if constexpr (std::is_same_v<T, std::int64_t>) {
      const T special[] = {std::numeric_limits<T>::max(), std::numeric_limits<T>::min(), few, few * (T(1) << 40)};
      all.push_back(special[random() % std::size(special)]);
    } else {
      all.push_back(few > 0);
    }
  }
  return all;
}

// Stable, and NaN is the largest.
template <class T>
Places expected_places(const std::vector<T>& all, bool descending) {
  const auto less = [](T a, T b) { return a < b || (a == a && b != b); };
  Places places(all.size());
  std::iota(places.begin(), places.end(), 0);
  std::stable_sort(places.begin(), places.end(), [&](std::int64_t a, std::int64_t b) {
    const T x = all[static_cast<std::size_t>(a)], y = all[static_cast<std::size_t>(b)];
    return descending ? less(y, x) : less(x, y);
  });
  return places;
}

template <class T>
Tensor tensor_of(const std::vector<T>& all) {
  const Tensor x = empty({static_cast<std::int64_t>(all.size())}, dtype_of<T>);
  std::copy(all.begin(), all.end(), x.raw<T>());
  return x;
}

template <class T>
class Order : public ::testing::Test {};
using Types = ::testing::Types<float, double, std::int64_t, bool>;
TYPED_TEST_SUITE(Order, Types);

TYPED_TEST(Order, OfManyElementsIsThatOfAStableSort) {
  using T = TypeParam;
  for (const std::int64_t count : {1, 2, 63, 64, 65, 1000, 70'000}) {
    const std::vector<T> all = many<T>(count);
    const Tensor x = tensor_of(all);
    for (const bool descending : {false, true}) {
      const Places expected = expected_places(all, descending);
      EXPECT_EQ(argsort(x, 0, descending).template to_vector<std::int64_t>(), expected) << count;
      const std::int64_t few = std::max<std::int64_t>(1, count / 20);
      const Places first(expected.begin(), expected.begin() + few);
      const Places found = topk(x, few, 0, descending).indices.template to_vector<std::int64_t>();
      EXPECT_EQ(found, first) << count;
    }
  }
}

TYPED_TEST(Order, OfColumnsIsThatOfEachOfThem) {
  using T = TypeParam;
  const std::vector<T> all = many<T>(3 * 100);
  const Tensor rows = reshape(tensor_of(all), {3, 100}), columns = contiguous(transpose(rows, 0, 1));
  EXPECT_TRUE(equal(transpose(argsort(columns, 0, false), 0, 1), argsort(rows, 1, false)));
  EXPECT_TRUE(equal(argmax(columns, 0), argmax(rows, 1)));
  EXPECT_TRUE(equal(argmin(columns, 0), argmin(rows, 1)));
}

// The first of the extreme elements, or of the NaN.
TYPED_TEST(Order, BeginsWithTheExtremeElements) {
  using T = TypeParam;
  for (const std::int64_t count : {1, 63, 64, 65, 255, 256, 257, 70'000})
    for (int seed = 0; seed < 4; ++seed) {
      std::vector<T> all = many<T>(count + seed);
      if (seed % 2)
        std::replace_if(
            all.begin(), all.end(), [](T x) { return x != x; }, T(1));
      const auto nan = std::find_if(all.begin(), all.end(), [](T x) { return x != x; });
      const auto largest = nan != all.end() ? nan : std::max_element(all.begin(), all.end());
      const auto smallest = nan != all.end() ? nan : std::min_element(all.begin(), all.end());
      EXPECT_EQ(argmax(tensor_of(all), 0).template item<std::int64_t>(), largest - all.begin()) << count;
      EXPECT_EQ(argmin(tensor_of(all), 0).template item<std::int64_t>(), smallest - all.begin()) << count;
    }
}

}  // namespace
}  // namespace eigengrad
