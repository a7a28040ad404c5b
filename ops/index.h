// Elements picked by integer tensors. Every index is checked: IndexError names the first that is out of range.
#pragma once

#include <span>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// The positions `index` (int64, one axis) of x along an axis.
Tensor index_select(Arg x, std::int64_t axis, const Tensor& index);
/// x with rows of `source` added at the positions `index` along an axis; a position may be named more than once.
Tensor index_add(Arg x, std::int64_t axis, const Tensor& index, const Tensor& source);
/// result[i][j] = x[index[i][j]][j] for axis 0, and so on. The index has x's rank and is nowhere longer than x, but
/// along the axis.
Tensor gather(Arg x, std::int64_t axis, const Tensor& index);
/// x with source[i][j] added at [index[i][j]][j] for axis 0, and so on: the adjoint of gather.
Tensor scatter_add(Arg x, std::int64_t axis, const Tensor& index, const Tensor& source);
/// x with source[i][j] put at [index[i][j]][j] for axis 0, and so on; of several for one place the last stays, and gets
/// the gradient. The source may be a number.
Tensor scatter(Arg x, std::int64_t axis, const Tensor& index, const Tensor& source);
Tensor scatter(Arg x, std::int64_t axis, const Tensor& index, Scalar value);
/// The elements at places of x in row-major order, in the shape of the index; negative ones count from the back.
Tensor take(Arg x, const Tensor& index);
/// The elements where the mask (bool) holds, in row-major order: one axis. Mask and x broadcast.
Tensor masked_select(Arg x, const Tensor& mask);
/// The places of the elements that are not 0, in row-major order: int64 [count, axes], no gradient.
Tensor nonzero(Arg x);
/// NumPy's indexing by several int64 tensors, which broadcast: the i-th is for axis i of x, undefined ones are for axes
/// that are kept. The new axes stand where the first indexed one was, or in front when a kept one lies between indexed
/// ones. Negative indexes count from the back.
Tensor index(Arg x, std::span<const Tensor> indices);
/// x with the elements that index(x, indices) picks replaced by `values`, which broadcast to them; of several for one
/// element the last stays.
Tensor index_put(Arg x, std::span<const Tensor> indices, const Tensor& values);
/// Rows of `weight` [rows, features] for int64 indexes of any shape: [.., features]. The row `padding_idx` gets no
/// gradient, -1 is none.
Tensor embedding(Arg indices, const Tensor& weight, std::int64_t padding_idx = -1);
/// A new last axis with 1 at the class and 0 elsewhere: int64. The class count -1 means the largest label plus one.
Tensor one_hot(Arg labels, std::int64_t classes = -1);

}  // namespace eigengrad
