// Windows over images [N, C, H, W], which lie row-major or with the channels last.
#pragma once

#include <cstdint>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// One window along one axis: the elements begin, begin + step, … before end, all within the image, and how many there
/// are with the padding.
struct Span {
  std::int64_t begin, end, count_padded;
};

/// The windows along one axis.
struct Spans {
  std::vector<Span> places;
  std::int64_t extent, step;
  std::int64_t size() const { return static_cast<std::int64_t>(places.size()); }
};

/// The windows of an image.
struct Windows {
  Spans rows, columns;
  std::int64_t pixels() const { return rows.extent * columns.extent; }
  std::int64_t places() const { return rows.size() * columns.size(); }
  Shape result(const Shape& x) const { return {x[0], x[1], rows.size(), columns.size()}; }
};

/// The largest element of each window; a NaN is larger than all. The result is laid out like x.
Tensor max_pool(const Tensor& x, const Windows& windows);
/// Where in the plane of its image that element is: int64, row-major.
Tensor max_pool_indices(const Tensor& x, const Windows& windows);
/// The gradient of x from that of y = max_pool(x): it goes to the first of the largest elements.
Tensor max_pool_grad(const Tensor& x, const Tensor& y, const Tensor& dy, const Windows& windows);

/// The sum of each window times its factor, summed in double. The result has its channels last if so wanted.
Tensor sum_pool(const Tensor& x, const Windows& windows, const std::vector<double>& factors, bool channels_last);
/// Every element of dy times its window's factor, added to all elements of the window: the adjoint.
Tensor sum_pool_adjoint(const Tensor& dy, const Windows& windows, const std::vector<double>& factors,
                        bool channels_last);

}  // namespace eigengrad::kernels
