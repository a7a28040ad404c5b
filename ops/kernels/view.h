// Views made by hand, and bare elements.
#pragma once

#include "eigengrad/core/node.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// The same storage under another shape and strides, beginning `offset` elements later. Unchecked.
inline Tensor view(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset = 0) {
  const TensorImpl& impl = x.impl();
  std::byte* data = impl.data + offset * static_cast<std::int64_t>(size_of(impl.dtype));
  return Tensor(TensorImpl::create(impl.storage, data, shape, strides, impl.dtype));
}

/// The tensors as one along `axis`, if they lie so in memory and all are defined; else undefined. Their other extents
/// are the same.
inline Tensor side_by_side(TensorRefs x, std::size_t axis) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!x[i].defined()) return {};
  Shape shape = x[0].shape();
  const Strides& strides = x[0].strides();
  for (std::size_t i = 1; i < x.size(); ++i) {
    const TensorImpl &last = x[i - 1].impl(), &next = x[i].impl();
    const std::int64_t apart = last.shape[axis] * strides[axis] * static_cast<std::int64_t>(size_of(last.dtype));
    const bool follows = next.storage == last.storage && next.data == last.data + apart;
    if (!follows || next.dtype != last.dtype || next.strides != strides) return {};
    shape[axis] += next.shape[axis];
  }
  return view(x[0], shape, strides);
}

/// The elements, or null for an undefined tensor.
template <class T>
T* raw_or_null(const Tensor& x) {
  return x.defined() ? x.raw<T>() : nullptr;
}

}  // namespace eigengrad::kernels
