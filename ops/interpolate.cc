#include "eigengrad/ops/interpolate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

// How positions of the result along an axis map to those of the input.
struct Scale {
  std::int64_t in, out;
  double step;  // input elements from one place of the result to the next
  bool align_corners;
  double position(std::int64_t i) const {
    const auto at = static_cast<double>(i);
    return align_corners ? at * step : std::max(0.0, (at + 0.5) * step - 0.5);
  }
};

Scale scale_between(std::int64_t in, std::int64_t out, double factor, bool align_corners) {
  if (align_corners) return {in, out, out > 1 ? static_cast<double>(in - 1) / static_cast<double>(out - 1) : 0, true};
  return {in, out, factor > 0 ? 1 / factor : static_cast<double>(in) / static_cast<double>(out), false};
}

Tensor nearest(const Tensor& x, std::int64_t axis, const Scale& scale) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < scale.out; ++i)
    places.push_back(
        std::min(scale.in - 1, static_cast<std::int64_t>(std::floor(static_cast<double>(i) * scale.step))));
  return index_select(x, axis, tensor(places, {scale.out}));
}

Tensor linear_between(const Tensor& x, std::int64_t axis, const Scale& scale) {
  std::vector<std::int64_t> below, above;
  std::vector<double> parts;  // of the neighbour above
  for (std::int64_t i = 0; i < scale.out; ++i) {
    const double position = scale.position(i);
    below.push_back(std::min(scale.in - 1, static_cast<std::int64_t>(position)));
    above.push_back(std::min(scale.in - 1, below.back() + 1));
    parts.push_back(std::clamp(position - static_cast<double>(below.back()), 0.0, 1.0));
  }
  Shape along(x.shape().size() - static_cast<std::size_t>(axis), 1);
  along[0] = scale.out;
  const Tensor part = to(tensor(parts, along), x.dtype());
  const Tensor lower = index_select(x, axis, tensor(below, {scale.out}));
  const Tensor upper = index_select(x, axis, tensor(above, {scale.out}));
  return lower * (1 - part) + upper * part;
}

// `factor` is 0 where only the extents are known.
Tensor resized(const Tensor& x, const Shape& size, double factor, const InterpolateOptions& options) {
  kernels::check_floating("interpolate", x);
  const bool is_nearest = options.mode == InterpolateMode::Nearest;
  const std::int64_t rank = options.mode == InterpolateMode::Linear ? 3 : 4;
  EG_CHECK(
      x.dim() == rank || (is_nearest && x.dim() == 3), ShapeError,
      "[interpolate] expected an input [N, C, L] (nearest, linear) or [N, C, H, W] (nearest, bilinear), found shape {}",
      x.shape());
  EG_CHECK(size.rank() == x.dim() - 2, ShapeError,
           "[interpolate] expected {} extents for an input of shape {}, found {}", x.dim() - 2, x.shape(), size);
  EG_CHECK(!(is_nearest && options.align_corners), ValueError, "[interpolate] align_corners is not for nearest");
  Tensor result = x;
  for (std::size_t i = 0; i < size.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    EG_CHECK(size[i] > 0 && x.size(axis) > 0, ShapeError, "[interpolate] axis {} of {} elements cannot have {}", axis,
             x.size(axis), size[i]);
    if (size[i] == x.size(axis)) continue;  // whatever the factor, as in PyTorch
    const Scale scale = scale_between(x.size(axis), size[i], factor, options.align_corners);
    result = is_nearest ? nearest(result, axis, scale) : linear_between(result, axis, scale);
  }
  return result.is_same(x) ? clone(x) : result;
}

}  // namespace

Tensor interpolate(Arg x, const Shape& size, const InterpolateOptions& options) { return resized(x, size, 0, options); }

Tensor interpolate(Arg x, double scale_factor, const InterpolateOptions& options) {
  kernels::check_defined("interpolate", x);
  EG_CHECK(std::isfinite(scale_factor) && scale_factor > 0, ValueError,
           "[interpolate] the scale factor is {}, expected a finite number above 0", scale_factor);
  Shape size;
  for (std::int64_t axis = 2; axis < x->dim(); ++axis) {
    const double extent = std::floor(static_cast<double>(x->size(axis)) * scale_factor);
    EG_CHECK(extent < 0x1p31, ValueError, "[interpolate] the scale factor {} would give {} elements", scale_factor,
             extent);
    size.push_back(static_cast<std::int64_t>(extent));
  }
  return resized(x, size, scale_factor, options);
}

}  // namespace eigengrad
