// Other layouts of the same elements.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "eigengrad/ops/ops.h"

namespace eigengrad::tests {

inline Tensor with_reversed_strides(const Tensor& x) {
  Dims order;
  for (std::int64_t axis = x.dim(); axis-- > 0;) order.push_back(axis);
  return permute(contiguous(permute(x, order)), order);
}

// The second axis, the channels of images, lies side by side.
inline Tensor with_channels_last(const Tensor& x) {
  return x.dim() < 3 ? contiguous(x) : movedim(contiguous(movedim(x, 1, -1)), -1, 1);
}

// Every second element of a larger tensor along each axis, behind a gap.
inline Tensor sliced_from_larger(const Tensor& x) {
  Shape shape = x.shape();
  for (std::int64_t& extent : shape) extent = 2 * extent + 1;
  Tensor larger = full(shape, 99, x.dtype());
  for (std::int64_t axis = 0; axis < x.dim(); ++axis) larger = slice(larger, axis, 1, std::nullopt, 2);
  if (x.dim() == 0) larger = select(full({3}, 99, x.dtype()), 0, 1);
  copy_(larger, x);
  return larger;
}

// The first position of the first axis, repeated.
inline Tensor repeated(const Tensor& x) {
  if (x.numel() == 0 || x.dim() == 0) return x;
  return expand(narrow(x, 0, 0, 1), x.shape());
}

using Layout = std::function<Tensor(const Tensor&)>;

inline const std::vector<std::pair<const char*, Layout>>& layouts() {
  static const std::vector<std::pair<const char*, Layout>> all = {{"row-major", contiguous},
                                                                  {"transposed", with_reversed_strides},
                                                                  {"channels last", with_channels_last},
                                                                  {"sliced", sliced_from_larger}};
  return all;
}

}  // namespace eigengrad::tests
