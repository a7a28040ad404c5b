// Sums of what pieces of a loop have made, each for itself; and what comes behind a product.
#pragma once

#include <cstdint>

#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/kernels/engine.h"
#include "eigengrad/ops/kernels/functions.h"

namespace eigengrad::kernels {

/// total[i] += Σ parts[k · stride + i], in the order of k < count, for all i < size.
template <class T>
void add_up(const T* parts, std::int64_t count, std::int64_t stride, std::int64_t size, T* total) {
  constexpr std::int64_t kWorthAdding = 1 << 15;
  if (count == 0) return;
  parallel_evenly(size, kWorthAdding, [&](std::int64_t begin, std::int64_t end) {
    T* __restrict const to = total;
    for (std::int64_t k = 0; k < count; ++k) {
      const T* __restrict const part = parts + k * stride;
      for (std::int64_t i = begin; i < end; ++i) to[i] += part[i];
    }
  });
}

/// Does to `count` rows that follow each other what comes behind the product that they are.
template <class T>
void finish_rows(T* rows, std::int64_t count, std::int64_t columns, const Epilogue& end) {
  const T* const bias = end.bias_from<T>(0);
  for (std::int64_t i = 0; i < count; ++i) {
    T* __restrict const row = rows + i * columns;
    if (bias)
      for (std::int64_t j = 0; j < columns; ++j) row[j] += bias[j];
    if (end.relu)
      for (std::int64_t j = 0; j < columns; ++j) row[j] = relu(row[j]);
  }
}

}  // namespace eigengrad::kernels
