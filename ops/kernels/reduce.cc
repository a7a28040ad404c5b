#include "eigengrad/ops/kernels/reduce.h"

#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/copy.h"

namespace eigengrad::kernels {
namespace {

// x with the reduced axes moved to the end, as a row-major copy.
Tensor reduced_last(const Tensor& x, const SmallVector<bool, 8>& is_reduced) {
  Shape shape;
  Strides strides;
  for (const bool reduced : {false, true})
    for (std::size_t i = 0; i < is_reduced.size(); ++i)
      if (is_reduced[i] == reduced) {
        shape.push_back(x.shape()[i]);
        strides.push_back(x.strides()[i]);
      }
  const TensorImpl& impl = x.impl();
  return contiguous_copy(Tensor(TensorImpl::create(impl.storage, impl.data, shape, strides, impl.dtype)));
}

}  // namespace

ReductionShape reduction_shape(const char* op, const Shape& shape, const Dims& axes) {
  ReductionShape result;
  result.kept = shape;
  result.is_reduced.resize(shape.size(), axes.empty());
  for (const std::int64_t axis : axes) {
    const auto i = static_cast<std::size_t>(normalize_axis(op, axis, shape.rank()));
    if (shape.empty()) continue;
    EG_CHECK(!result.is_reduced[i], IndexError, "[{}] axis {} is named twice in {}", op, axis, axes);
    result.is_reduced[i] = true;
  }
  bool met = false;  // a reduced axis
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (result.is_reduced[i]) {
      met = true;
      result.apart = result.apart || result.inner != 1;
      result.reduced *= shape[i];
      result.kept[i] = 1;
    } else {
      (met ? result.inner : result.outer) *= shape[i];
      result.dropped.push_back(shape[i]);
    }
  }
  return result;
}

ReductionView reduction_view(const char* op, const Tensor& x, const Dims& axes) {
  ReductionView view{reduction_shape(op, x.shape(), axes), Tensor()};
  if (view.apart) {
    view.x = reduced_last(x, view.is_reduced);
    view.outer *= view.inner;
    view.inner = 1;
  } else {
    view.x = as_contiguous(x);
  }
  return view;
}

}  // namespace eigengrad::kernels
