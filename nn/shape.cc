#include "eigengrad/nn/shape.h"

#include <algorithm>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/repr.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

void check_same(std::span<const Shape> inputs) {
  EG_CHECK(!inputs.empty(), ShapeError, "expects at least one input");
  for (const Shape& shape : inputs)
    EG_CHECK(shape == inputs[0], ShapeError, "expects inputs of one shape, found {} and {}", inputs[0], shape);
}

void check_some(const char* layer, std::span<const Tensor> inputs) {
  EG_CHECK(!inputs.empty(), ValueError, "[{}] found no inputs, expected at least one", layer);
}

}  // namespace

void describe(config::Fields& f, FlattenOptions& o) {
  f("start_dim", o.start_dim, {.help = "first axis to flatten"});
  f("end_dim", o.end_dim, {.help = "last axis to flatten"});
}
void describe(config::Fields& f, UnflattenOptions& o) {
  f("dim", o.dim, {.help = "the axis to cut"});
  f("unflattened_size", o.unflattened_size,
    {.help = "its new axes; one extent may be -1", .required = true, .min = -1, .max = kMaxExtent});
}
void describe(config::Fields& f, PermuteOptions& o) {
  f("dims", o.dims, {.help = "the axes in their new order; the first is 0, the batch", .required = true});
}
void describe(config::Fields& f, SelectOptions& o) {
  f("dim", o.dim, {.help = "the axis that goes"});
  f("index", o.index, {.help = "the place along it that stays; -1 is the last"});
}
void describe(config::Fields& f, UpsampleOptions& o) {
  f("size", o.size, {.help = "the new extents; empty: by the factor", .min = 1, .max = kMaxExtent});
  f("scale_factor", o.scale_factor, {.help = "by which every extent grows", .min = 0, .max = 1e6, .above_min = true});
  f.choice<InterpolateMode>("mode", o.mode,
                            {{"nearest", InterpolateMode::Nearest},
                             {"linear", InterpolateMode::Linear},
                             {"bilinear", InterpolateMode::Bilinear}},
                            {.help = "what stands between the elements"});
  f("align_corners", o.align_corners, {.help = "the corner elements stay at the corners"});
}
void describe(config::Fields& f, PadOptions& o) {
  f("padding", o.padding,
    {.help = "margins: left, right (, top, bottom), or one for all",
     .required = true,
     .min = -kMaxExtent,
     .max = kMaxExtent});
}
void describe(config::Fields& f, ConcatOptions& o) {
  f("dim", o.dim, {.help = "the axis along which the inputs are joined"});
}

// ---- One tensor in.

Tensor Flatten::forward(const Tensor& x) { return flatten(x, options_.start_dim, options_.end_dim); }

std::string Flatten::extra_repr() const {
  return fmt::format("start_dim={}, end_dim={}", options_.start_dim, options_.end_dim);
}

Shape Flatten::infer(Options& options, const Shape& input) {
  checked_numel(input);
  const Shape batched = with_batch(input);
  check_batch_axis(input, options.start_dim);
  check_batch_axis(input, options.end_dim);
  const std::int64_t first = normalize_axis("Flatten", options.start_dim, batched.rank());
  const std::int64_t last = normalize_axis("Flatten", options.end_dim, batched.rank());
  EG_CHECK(first >= 1 && (first <= last || batched.rank() == 1), ShapeError,
           "cannot flatten axes {} to {}: the batch axis must stay", options.start_dim, options.end_dim);
  Shape output;
  for (std::int64_t axis = 1; axis < batched.rank(); ++axis) {
    const std::int64_t extent = batched[static_cast<std::size_t>(axis)];
    if (axis > first && axis <= last)
      output.back() *= extent;
    else
      output.push_back(extent);
  }
  return output.empty() ? Shape{1} : output;
}

Tensor Unflatten::forward(const Tensor& x) { return unflatten(x, options_.dim, options_.unflattened_size); }

std::string Unflatten::extra_repr() const {
  return fmt::format("dim={}, unflattened_size={}", options_.dim, tuple_text(options_.unflattened_size));
}

Shape Unflatten::infer(Options& options, const Shape& input) {
  const std::size_t axis = sample_axis(input, options.dim);
  std::int64_t known = 1, open = 0;
  for (const std::int64_t extent : options.unflattened_size)
    if (extent == -1)
      ++open;
    else
      EG_CHECK(!__builtin_mul_overflow(known, extent, &known), ShapeError, "cannot cut {} elements into {}",
               input[axis], options.unflattened_size);
  const bool fits = open == 0 ? known == input[axis] : open == 1 && known > 0 && input[axis] % known == 0;
  EG_CHECK(fits, ShapeError, "cannot cut {} elements into {}", input[axis], options.unflattened_size);
  Shape output = input;
  output.erase(axis);
  std::size_t place = axis;
  for (const std::int64_t extent : options.unflattened_size)
    output.insert(place++, extent == -1 ? input[axis] / known : extent);
  return output;
}

Tensor Permute::forward(const Tensor& x) { return permute(x, options_.dims); }

std::string Permute::extra_repr() const { return fmt::format("dims={}", tuple_text(options_.dims)); }

Shape Permute::infer(Options& options, const Shape& input) {
  const Shape batched = with_batch(input);
  std::vector<bool> seen(batched.size());
  Shape output;
  for (std::size_t i = 0; i < options.dims.size(); ++i) {
    const std::int64_t dim = options.dims[i];
    check_batch_axis(input, dim);
    const auto axis = static_cast<std::size_t>(dim < 0 ? dim + batched.rank() : dim);
    EG_CHECK(!seen[axis], ShapeError, "expects every axis once, found {} twice", dim);
    seen[axis] = true;
    EG_CHECK((axis == 0) == (i == 0), ShapeError, "expects axis 0, the batch, to stay in front");
    if (axis > 0) output.push_back(batched[axis]);
  }
  EG_CHECK(options.dims.size() == batched.size(), ShapeError, "expects an order of {} axes", options.dims.size());
  return output;
}

Tensor Select::forward(const Tensor& x) { return select(x, options_.dim, options_.index); }

std::string Select::extra_repr() const { return fmt::format("dim={}, index={}", options_.dim, options_.index); }

Shape Select::infer(Options& options, const Shape& input) {
  const std::size_t axis = sample_axis(input, options.dim);
  EG_CHECK(options.index >= -input[axis] && options.index < input[axis], ShapeError,
           "expects an axis {} with a place {}", options.dim, options.index);
  Shape output = input;
  output.erase(axis);
  return output;
}

Upsample::Upsample(Options options) : Layer(std::move(options)) {
  EG_CHECK(options_.size.empty() == options_.scale_factor.has_value(), ValueError,
           "[Upsample] expected either a size or a scale_factor, found {}", options_.scale_factor ? "both" : "neither");
}

Tensor Upsample::forward(const Tensor& x) {
  const InterpolateOptions how{options_.mode, options_.align_corners};
  if (options_.scale_factor) return interpolate(x, *options_.scale_factor, how);
  Shape size = options_.size;
  while (size.rank() == 1 && size.rank() < x.dim() - 2) size.push_back(size.back());  // one number for every axis
  return interpolate(x, size, how);
}

std::string Upsample::extra_repr() const {
  constexpr const char* kNames[] = {"nearest", "linear", "bilinear"};
  const char* const mode = kNames[static_cast<int>(options_.mode)];
  if (options_.scale_factor)
    return fmt::format("scale_factor={}, mode='{}'", number_text(*options_.scale_factor), mode);
  return fmt::format("size={}, mode='{}'", tuple_text(options_.size), mode);
}

Shape Upsample::infer(Options& options, const Shape& input) {
  EG_CHECK(input.size() == 2 || input.size() == 3, ShapeError, "expects [C, L] or [C, H, W]");
  EG_CHECK(options.size.size() <= 1 || options.size.size() + 1 == input.size(), ShapeError,
           "expects inputs with {} axes behind that of the channels", options.size.size());
  Shape output = input;
  for (std::size_t axis = 1; axis < input.size(); ++axis)
    output[axis] = options.size.empty()
                       ? static_cast<std::int64_t>(static_cast<double>(input[axis]) * options.scale_factor.value_or(1))
                       : options.size[std::min(axis - 1, options.size.size() - 1)];
  return output;
}

PadLayer::PadLayer(const char* name, std::size_t axes, PadMode mode, Options options)
    : Layer(std::move(options)), mode_(mode) {
  Dims& padding = options_.padding;
  EG_CHECK(padding.size() == 1 || padding.size() == 2 * axes, ValueError, "[{}] expected one margin, or {}, found {}",
           name, 2 * axes, padding);
  while (padding.size() < 2 * axes) padding.push_back(padding.back());
}

std::string PadLayer::extra_repr() const { return tuple_text(options_.padding); }

Shape PadLayer::infer_padded(const Options& options, const Shape& input, std::size_t axes) {
  check_channels_first(input, axes);
  const Dims& margins = options.padding;
  EG_CHECK(margins.size() == 1 || margins.size() == 2 * axes, ShapeError, "expects one margin, or {}", 2 * axes);
  Shape output = input;
  for (std::size_t i = 0; i < 2 * axes; ++i)
    output[input.size() - 1 - i / 2] += margins.size() == 1 ? margins[0] : margins[i];
  for (const std::int64_t extent : output) EG_CHECK(extent > 0, ShapeError, "leaves nothing, with margins {}", margins);
  return output;
}

// ---- Several tensors in.

Tensor Add::forward_all(std::span<const Tensor> inputs) {
  check_some("Add", inputs);
  Tensor total = inputs[0];
  for (const Tensor& x : inputs.subspan(1)) total = total + x;
  return total;
}

Shape Add::infer(Options&, std::span<const Shape> inputs) {
  check_same(inputs);
  return inputs[0];
}

Tensor Multiply::forward_all(std::span<const Tensor> inputs) {
  check_some("Multiply", inputs);
  Tensor product = inputs[0];
  for (const Tensor& x : inputs.subspan(1)) product = product * x;
  return product;
}

Shape Multiply::infer(Options&, std::span<const Shape> inputs) {
  check_same(inputs);
  return inputs[0];
}

Tensor Concat::forward_all(std::span<const Tensor> inputs) { return cat(inputs, options_.dim); }

std::string Concat::extra_repr() const { return fmt::format("dim={}", options_.dim); }

Shape Concat::infer(Options& options, std::span<const Shape> inputs) {
  EG_CHECK(!inputs.empty(), ShapeError, "expects at least one input");
  Shape output = inputs[0];
  const std::size_t axis = sample_axis(output, options.dim);
  for (const Shape& shape : inputs.subspan(1)) {
    EG_CHECK(shape.size() == output.size(), ShapeError, "expects inputs of as many axes, found {} and {}", output,
             shape);
    output[axis] += shape[axis];
    for (std::size_t i = 0; i < shape.size(); ++i)
      EG_CHECK(i == axis || shape[i] == output[i], ShapeError, "expects inputs that differ in axis {} only, found {}",
               options.dim, shape);
  }
  return output;
}

}  // namespace eigengrad::nn
