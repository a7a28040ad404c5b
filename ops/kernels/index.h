// Loops that move elements by integer indexes. Raw data, row-major unless strides are given; every index is in range.
#pragma once

#include <cstdint>

#include "eigengrad/core/tensor.h"
#include "eigengrad/ops/kernels/axis.h"

namespace eigengrad::kernels {

/// Throws DtypeError unless the index is int64, and IndexError for the first element outside [0, extent).
void check_index(const char* op, const Tensor& index, std::int64_t axis, std::int64_t extent);

/// out[o][k][i] = x[o][index[k]][i]
template <class T>
void index_select(T* out, const AxisView& out_view, const T* x, const AxisView& x_view, const std::int64_t* index);
/// out[o][index[k]][i] += source[o][k][i], in the order of k.
template <class T>
void index_add(T* out, const AxisView& out_view, const std::int64_t* index, const T* source,
               const AxisView& source_view);

/// out[p] = x[q], where q is position p of the index with its coordinate along the axis replaced by index[p]. `out` and
/// `index` are contiguous, x has any strides.
template <class T>
void gather(T* out, const Tensor& x, std::int64_t axis, const Tensor& index);
/// out[q] += source[p], in the order of p. `index` and `source` are contiguous.
template <class T>
void scatter_add(const Tensor& out, std::int64_t axis, const Tensor& index, const T* source);
/// out[q] = source[p], likewise.
template <class T>
void scatter(const Tensor& out, std::int64_t axis, const Tensor& index, const T* source);

}  // namespace eigengrad::kernels
