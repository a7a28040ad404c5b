// Elements picked by integer tensors. Every index is checked: IndexError names the first that is out of range.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// The positions `index` (int64, one axis) of x along an axis.
Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index);
/// x with rows of `source` added at the positions `index` along an axis; a position may be named more than once.
Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
/// result[i][j] = x[index[i][j]][j] for axis 0, and so on. The index has x's rank and is nowhere longer than x, but
/// along the axis.
Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index);
/// x with source[i][j] added at [index[i][j]][j] for axis 0, and so on: the adjoint of gather.
Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source);
/// A new last axis with 1 at the class and 0 elsewhere: int64. The class count -1 means the largest label plus one.
Tensor one_hot(const Tensor& labels, std::int64_t classes = -1);

}  // namespace eigengrad
