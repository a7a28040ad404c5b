// Holds the tiles of one kind of processor against plain loops: see tiles_wide_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "eigengrad/core/bfloat16.h"
#include "eigengrad/ops/kernels/tiles.h"

namespace eigengrad::kernels {

/// Numbers that are no pattern.
template <class T>
std::vector<T> uneven(std::int64_t count, int seed) {
  std::vector<T> values(static_cast<std::size_t>(count));
  std::uint32_t h = 0x9E3779B1U * static_cast<std::uint32_t>(seed + 1);
  for (T& value : values) {
    h = h * 1664525U + 1013904223U;
    value = static_cast<T>(h >> 8) / static_cast<T>(1 << 23) - 1;
  }
  return values;
}

/// a · b in double, for b [depth, columns], or [columns, depth] where it is turned.
template <class T>
std::vector<double> exact_product(const std::vector<T>& a, const std::vector<T>& b, std::int64_t rows,
                                  std::int64_t depth, std::int64_t columns, bool b_is_turned) {
  std::vector<double> sums;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < depth; ++k)
        sum += static_cast<double>(a[static_cast<std::size_t>(i * depth + k)]) *
               static_cast<double>(b[static_cast<std::size_t>(b_is_turned ? j * depth + k : k * columns + j)]);
      sums.push_back(sum);
    }
  return sums;
}

/// out ← a · b + bias by tiles, in two pieces of the terms, against `exact`. Nothing beyond `columns` is touched.
template <class T>
void check_product(const Tiles<T>& t, const std::vector<T>& a, const std::vector<T>& b, std::int64_t rows,
                   std::int64_t depth, std::int64_t columns, bool b_is_turned, const std::vector<double>& exact) {
  SCOPED_TRACE(testing::Message() << rows << 'x' << depth << 'x' << columns << (b_is_turned ? " turned" : ""));
  const std::vector<T> bias = uneven<T>(columns, 3);
  std::vector<T> packed(static_cast<std::size_t>(t.packed_size(depth, columns)), T(NAN));
  t.pack(b.data(), b_is_turned ? 1 : columns, b_is_turned ? depth : 1, depth, columns, nullptr, packed.data());
  constexpr std::int64_t kMore = 3;
  std::vector<T> out(static_cast<std::size_t>(rows * (columns + kMore)), T(77));
  std::vector<const T*> a_rows;
  std::vector<T*> out_rows;
  for (std::int64_t i = 0; i < rows; ++i) {
    a_rows.push_back(a.data() + i * depth);
    out_rows.push_back(out.data() + i * (columns + kMore));
  }
  const std::int64_t whole = columns / t.width * t.width;
  for (const bool second : {false, true}) {
    const std::int64_t first = second ? depth / 3 : 0, length = second ? depth - depth / 3 : depth / 3;
    const Segment terms{first, length};
    const auto multiply = [&](std::int64_t column, std::int64_t count, std::int64_t wide) {
      if (count == 0) return;
      t.multiply({a_rows.data(), out_rows.data(), rows, &terms, 1, 1,
                  packed.data() + column * panel_rows(depth) + first * wide, column, count, second,
                  second ? nullptr : bias.data()},
                 panel_rows(depth) * wide);
    };
    multiply(0, whole, t.width);
    multiply(whole, columns - whole, t.filled(columns - whole));
  }
  const double tolerance = (sizeof(T) == 4 ? 1e-6 : 1e-15) * static_cast<double>(depth + 1);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      const double expected =
          exact[static_cast<std::size_t>(i * columns + j)] + static_cast<double>(bias[static_cast<std::size_t>(j)]);
      ASSERT_NEAR(static_cast<double>(out_rows[static_cast<std::size_t>(i)][j]), expected, tolerance) << i << ' ' << j;
    }
    for (std::int64_t j = columns; j < columns + kMore; ++j)
      ASSERT_EQ(out_rows[static_cast<std::size_t>(i)][j], T(77)) << "beyond the columns";
  }
}

/// Calls f(rows, columns, b_is_turned).
template <class F>
void for_each_shape(F f) {
  for (const std::int64_t rows : {1, 2, 5, 6, 7, 8, 11, 12, 13, 64})
    for (const std::int64_t columns : {1, 7, 8, 9, 16, 17, 31, 32, 33, 48, 63, 64, 65, 72, 100, 130, 300})
      for (const bool b_is_turned : {false, true}) f(rows, columns, b_is_turned);
}

template <class T>
void check_tiles(const Tiles<T>& t) {
  const auto check = [&](std::int64_t rows, std::int64_t depth, std::int64_t columns, bool b_is_turned) {
    const std::vector<T> a = uneven<T>(rows * depth, 1), b = uneven<T>(depth * columns, 2);
    check_product(t, a, b, rows, depth, columns, b_is_turned, exact_product(a, b, rows, depth, columns, b_is_turned));
  };
  for_each_shape([&](std::int64_t rows, std::int64_t columns, bool turned) { check(rows, 19, columns, turned); });
  check(9, 200, 70, false);

  // Dot products.
  for (const std::int64_t depth : {1, 4, 15, 16, 23, 31, 45, 64, 92, 131}) {
    const std::vector<T> a = uneven<T>(depth, 4), b = uneven<T>(7 * depth, 5), bias = uneven<T>(7, 6);
    std::vector<T> out(7);
    t.dots(a.data(), b.data(), depth, depth, 7, bias.data(), out.data());
    for (std::size_t j = 0; j < 7; ++j) {
      double expected = static_cast<double>(bias[j]);
      for (std::size_t k = 0; k < a.size(); ++k)
        expected += static_cast<double>(a[k]) * static_cast<double>(b[j * a.size() + k]);
      EXPECT_NEAR(static_cast<double>(out[j]), expected, (sizeof(T) == 4 ? 1e-6 : 1e-15) * static_cast<double>(depth));
    }
  }
}

inline std::vector<float> rounded(std::vector<float> values) {
  for (float& x : values) x = rounded_to_bfloat16(x);
  return values;
}

/// Rows of terms in pairs, each row by itself.
inline std::vector<float> paired_rows(const PairTiles& t, const std::vector<float>& values, std::int64_t rows) {
  const std::int64_t terms = static_cast<std::int64_t>(values.size()) / rows, pairs = (terms + 1) / 2;
  std::vector<float> to(static_cast<std::size_t>(rows * pairs));
  for (std::int64_t i = 0; i < rows; ++i) t.pair_neighbours(values.data() + i * terms, terms, to.data() + i * pairs);
  return to;
}

/// Terms of which each is a row, in pairs.
inline std::vector<float> paired_columns(const PairTiles& t, const std::vector<float>& values, std::int64_t terms) {
  const std::int64_t size = static_cast<std::int64_t>(values.size()) / terms, pairs = (terms + 1) / 2;
  std::vector<float> to(static_cast<std::size_t>(pairs * size));
  for (std::int64_t k = 0; k < pairs; ++k) {
    const float* const first = values.data() + 2 * k * size;
    t.pair_rows(first, 2 * k + 1 < terms ? first + size : nullptr, size, to.data() + k * size);
  }
  return to;
}

inline void check_rounding(const PairTiles& t) {
  std::vector<float> values = uneven<float>(70, 6);
  const float ulp = 1.0F / 128;
  for (const float x :
       {0.0F, -0.0F, 1 + ulp / 2, 1 + ulp * 1.5F, -1 - ulp / 2 - ulp / 1024, 3.4e38F, INFINITY, -INFINITY})
    values.push_back(x);
  for (const std::uint32_t bits : {0x7FC00000U, 0x7F800001U, 0xFF80FFFFU}) {
    float nan = 0;
    std::memcpy(&nan, &bits, sizeof nan);
    values.push_back(nan);
  }
  const auto count = static_cast<std::int64_t>(values.size());
  const auto expect = [&](float pair, float first, float second) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &pair, sizeof bits);
    const auto same = [](std::uint32_t found, float x) {
      const BFloat16 expected(x);
      return x != x ? (found & 0x7FC0U) == 0x7FC0U : found == expected.bits;
    };
    EXPECT_TRUE(same(bits & 0xFFFFU, first)) << first << " became " << (bits & 0xFFFFU);
    EXPECT_TRUE(same(bits >> 16, second)) << second << " became " << (bits >> 16);
  };
  const std::vector<float> neighbours = paired_rows(t, values, 1);
  for (std::size_t k = 0; k < neighbours.size(); ++k)
    expect(neighbours[k], values[2 * k], 2 * k + 1 < values.size() ? values[2 * k + 1] : 0);
  std::vector<float> with_second(values.size()), alone(values.size());
  const std::vector<float> reversed(values.rbegin(), values.rend());
  t.pair_rows(values.data(), reversed.data(), count, with_second.data());
  t.pair_rows(values.data(), nullptr, count, alone.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    expect(with_second[i], values[i], reversed[i]);
    expect(alone[i], values[i], 0);
  }
}

inline void check_pairs(const PairTiles& t) {
  check_rounding(t);
  const auto check = [&](std::int64_t rows, std::int64_t terms, std::int64_t columns, bool b_is_turned) {
    const std::vector<float> a = rounded(uneven<float>(rows * terms, 1)),
                             b = rounded(uneven<float>(terms * columns, 2));
    check_product(t, paired_rows(t, a, rows), b_is_turned ? paired_rows(t, b, columns) : paired_columns(t, b, terms),
                  rows, (terms + 1) / 2, columns, b_is_turned, exact_product(a, b, rows, terms, columns, b_is_turned));
  };
  for_each_shape([&](std::int64_t rows, std::int64_t columns, bool turned) { check(rows, 37, columns, turned); });
  check(9, 400, 70, false);
  for (const std::int64_t terms : {1, 8, 30, 33, 46, 61, 90, 128, 184, 263}) {
    const std::vector<float> a = rounded(uneven<float>(terms, 4)), b = rounded(uneven<float>(7 * terms, 5));
    const std::vector<float> bias = uneven<float>(7, 6), left = paired_rows(t, a, 1), right = paired_rows(t, b, 7);
    const auto depth = static_cast<std::int64_t>(left.size());
    std::vector<float> out(7);
    t.dots(left.data(), right.data(), depth, depth, 7, bias.data(), out.data());
    const std::vector<double> exact = exact_product(a, b, 1, terms, 7, true);
    for (std::size_t j = 0; j < 7; ++j)
      EXPECT_NEAR(static_cast<double>(out[j]), exact[j] + static_cast<double>(bias[j]),
                  1e-6 * static_cast<double>(terms + 1));
  }
}

}  // namespace eigengrad::kernels
