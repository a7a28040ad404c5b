// Views made by hand.
#pragma once

#include <utility>

#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// The same storage under another shape and strides, beginning `offset` elements later. Unchecked.
inline Tensor view(const Tensor& x, Shape shape, Strides strides, std::int64_t offset = 0) {
  const TensorImpl& impl = x.impl();
  std::byte* data = impl.data + offset * static_cast<std::int64_t>(size_of(impl.dtype));
  return Tensor(TensorImpl::create(impl.storage, data, std::move(shape), std::move(strides), impl.dtype));
}

}  // namespace eigengrad::kernels
