// Linear interpolation along one axis.
#pragma once

#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::kernels {

/// For each place of the result, the elements below and above it, and the part of the one above.
struct Between {
  std::vector<std::int64_t> below, above;
  std::vector<double> parts;
};

/// Floating x with the axis taken at places between its elements.
Tensor resize(const Tensor& x, std::size_t axis, const Between& places);
/// The adjoint: what every place gave goes back to its elements, of which the axis has `extent`.
Tensor resize_adjoint(const Tensor& g, std::size_t axis, const Between& places, std::int64_t extent);

}  // namespace eigengrad::kernels
