// Holds the tiles of one kind of processor against plain loops: see tiles_wide_test.cc.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

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

/// out ← a · b + bias by tiles, in two pieces of the terms, against sums in double. Nothing beyond `columns` is
/// touched.
template <class T>
void check_product(const Tiles<T>& t, std::int64_t rows, std::int64_t depth, std::int64_t columns, bool b_is_turned) {
  SCOPED_TRACE(testing::Message() << rows << 'x' << depth << 'x' << columns << (b_is_turned ? " turned" : ""));
  const std::vector<T> a = uneven<T>(rows * depth, 1), b = uneven<T>(depth * columns, 2), bias = uneven<T>(columns, 3);
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
      double expected = static_cast<double>(bias[static_cast<std::size_t>(j)]);
      for (std::int64_t k = 0; k < depth; ++k)
        expected += static_cast<double>(a[static_cast<std::size_t>(i * depth + k)]) *
                    static_cast<double>(b[static_cast<std::size_t>(b_is_turned ? j * depth + k : k * columns + j)]);
      ASSERT_NEAR(static_cast<double>(out_rows[static_cast<std::size_t>(i)][j]), expected, tolerance) << i << ' ' << j;
    }
    for (std::int64_t j = columns; j < columns + kMore; ++j)
      ASSERT_EQ(out_rows[static_cast<std::size_t>(i)][j], T(77)) << "beyond the columns";
  }
}

template <class T>
void check_tiles(const Tiles<T>& t) {
  for (const std::int64_t rows : {1, 2, 5, 6, 7, 8, 13, 64})
    for (const std::int64_t columns : {1, 7, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 130, 300})
      for (const bool b_is_turned : {false, true}) check_product(t, rows, 19, columns, b_is_turned);
  check_product(t, 9, 200, 70, false);

  // Dot products.
  for (const std::int64_t depth : {1, 15, 64, 131}) {
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

}  // namespace eigengrad::kernels
