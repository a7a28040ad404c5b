// Row-major data seen from one of its axes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "eigengrad/core/dims.h"
#include "eigengrad/ops/kernels/elementwise.h"

namespace eigengrad::kernels {

/// [outer, extent, inner]: element (o, k, i) is at (o * extent + k) * inner + i.
struct AxisView {
  std::int64_t outer, extent, inner;
};

/// A scalar counts as one axis of extent 1.
inline AxisView view_along(const Shape& shape, std::int64_t axis) {
  AxisView view{1, shape.empty() ? 1 : shape[static_cast<std::size_t>(axis)], 1};
  for (std::int64_t i = 0; i < shape.rank(); ++i) {
    const std::int64_t extent = shape[static_cast<std::size_t>(i)];
    if (i < axis) view.outer *= extent;
    if (i > axis) view.inner *= extent;
  }
  return view;
}

/// How many pieces of work of `elements` each a thread takes at once.
inline std::int64_t grain_for(std::int64_t elements) {
  return std::max<std::int64_t>(1, kCostly / std::max<std::int64_t>(1, elements));
}

}  // namespace eigengrad::kernels
