// Views made by hand, and bare elements.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// The same storage under another shape and strides, beginning `offset` elements later. Unchecked.
inline Tensor view(const Tensor& x, const Shape& shape, const Strides& strides, std::int64_t offset = 0) {
  const TensorImpl& impl = x.impl();
  std::byte* data = impl.data + offset * static_cast<std::int64_t>(size_of(impl.dtype));
  return Tensor(TensorImpl::create(impl.storage, data, shape, strides, impl.dtype));
}

/// The elements, or null for an undefined tensor.
template <class T>
T* raw_or_null(const Tensor& x) {
  return x.defined() ? x.raw<T>() : nullptr;
}

}  // namespace eigengrad::kernels
