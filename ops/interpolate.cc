#include "eigengrad/ops/interpolate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/resize.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using kernels::Between;

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

Between nearest_to(const Scale& scale) {
  Between places;
  for (std::int64_t i = 0; i < scale.out; ++i) {
    const auto nearest = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * scale.step));
    places.below.push_back(std::min(scale.in - 1, nearest));
  }
  places.above = places.below;
  places.parts.resize(places.below.size());
  return places;
}

Between neighbours_of(const Scale& scale) {
  Between places;
  for (std::int64_t i = 0; i < scale.out; ++i) {
    const double position = scale.position(i);
    places.below.push_back(std::min(scale.in - 1, static_cast<std::int64_t>(position)));
    places.above.push_back(std::min(scale.in - 1, places.below.back() + 1));
    places.parts.push_back(std::clamp(position - static_cast<double>(places.below.back()), 0.0, 1.0));
  }
  return places;
}

// Each the other's adjoint.
struct ResizeAdjoint;
struct Resize {
  static constexpr const char* kName = "interpolate";
  static constexpr SaveMask kSaves = kNothing;
  std::size_t axis;
  std::shared_ptr<const Between> places;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const { return kernels::resize(x[0], axis, *places); }
  Grads backward(const Saved& s, const Tensor& g) const;
};
struct ResizeAdjoint : Resize {
  static constexpr const char* kName = "interpolate_adjoint";
  std::int64_t extent;
  Tensor forward(TensorRefs g) const { return kernels::resize_adjoint(g[0], axis, *places, extent); }
  Grads backward(const Saved&, const Tensor& g) const { return {apply(Resize{axis, places}, g)}; }
};
Grads Resize::backward(const Saved& s, const Tensor& g) const {
  return {apply(ResizeAdjoint{*this, s.shape(0)[axis]}, g)};
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
  // The last axis first: the others, whose elements lie apart, are taken in whole lines.
  for (std::size_t i = size.size(); i-- > 0;) {
    const auto axis = static_cast<std::int64_t>(i) + 2;
    EG_CHECK(size[i] > 0 && x.size(axis) > 0, ShapeError, "[interpolate] axis {} of {} elements cannot have {}", axis,
             x.size(axis), size[i]);
    if (size[i] == x.size(axis)) continue;  // whatever the factor, as in PyTorch
    const Scale scale = scale_between(x.size(axis), size[i], factor, options.align_corners);
    const auto places = std::make_shared<const Between>(is_nearest ? nearest_to(scale) : neighbours_of(scale));
    result = apply(Resize{static_cast<std::size_t>(axis), places}, result);
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
