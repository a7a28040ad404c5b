#include "eigengrad/ops/kernels/reduce.h"

#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/copy.h"

namespace eigengrad::kernels {
namespace {

// x with the reduced axes moved to the end, as a row-major copy.
Tensor reduced_last(const Tensor& x, const std::vector<bool>& is_reduced) {
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

ReductionView reduction_view(const char* op, const Tensor& x, const Dims& axes) {
  const std::size_t rank = x.shape().size();
  std::vector<bool> is_reduced(rank, axes.empty());
  for (const std::int64_t axis : axes) {
    const auto i = static_cast<std::size_t>(normalize_axis(op, axis, x.dim()));
    if (rank == 0) continue;
    EG_CHECK(!is_reduced[i], IndexError, "[{}] axis {} is named twice in {}", op, axis, axes);
    is_reduced[i] = true;
  }
  ReductionView view{x, 1, 1, 1, x.shape(), {}};
  bool apart = false;  // a kept axis lies between reduced ones
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t extent = x.shape()[i];
    if (is_reduced[i]) {
      apart = apart || (view.inner != 1);
      view.reduced *= extent;
      view.kept[i] = 1;
    } else {
      const bool before = std::find(is_reduced.begin(), is_reduced.begin() + static_cast<std::ptrdiff_t>(i), true) ==
                          is_reduced.begin() + static_cast<std::ptrdiff_t>(i);
      (before ? view.outer : view.inner) *= extent;
      view.dropped.push_back(extent);
    }
  }
  if (apart) {
    view.x = reduced_last(x, is_reduced);
    view.outer *= view.inner;
    view.inner = 1;
  } else {
    view.x = as_contiguous(x);
  }
  return view;
}

}  // namespace eigengrad::kernels
