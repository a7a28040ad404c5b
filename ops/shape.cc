#include "eigengrad/ops/shape.h"

#include <algorithm>
#include <numeric>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/view.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::view;

std::size_t axis_of(const char* op, const Tensor& x, std::int64_t axis) {
  return static_cast<std::size_t>(kernels::checked_axis(op, x, axis));
}

// For ops that take an axis apart: a scalar has none.
std::size_t axis_to_cut(const char* op, const Tensor& x, std::int64_t axis) {
  kernels::check_defined(op, x);
  EG_CHECK(x.dim() > 0, IndexError, "[{}] a scalar tensor has no axis {}", op, axis);
  return axis_of(op, x, axis);
}

// The strides that show x under another shape of as many elements, if there are any: runs of axes that lie evenly in
// memory may be cut anew.
std::optional<Strides> strides_for(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous() || x.numel() == 0) return contiguous_strides(shape);
  Strides strides(shape.size());
  std::size_t to = shape.size();
  std::int64_t run = 1, covered = 1;
  std::int64_t base = x.strides().empty() ? 1 : x.strides().back();
  for (std::size_t from = x.shape().size(); from-- > 0;) {
    run *= x.shape()[from];
    const bool ends = from == 0 || (x.shape()[from - 1] != 1 && x.strides()[from - 1] != run * base);
    if (!ends) continue;
    while (to > 0 && (covered < run || shape[to - 1] == 1)) {
      --to;
      strides[to] = covered * base;
      covered *= shape[to];
    }
    if (covered != run) return std::nullopt;
    if (from > 0) {
      base = x.strides()[from - 1];
      run = covered = 1;
    }
  }
  return to == 0 ? std::optional(strides) : std::nullopt;
}

struct Reshape {
  static constexpr const char* kName = "reshape";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Shape shape;
  Attributes attributes() const { return {{"shape", to_string(shape)}}; }
  double flops(TensorRefs, const Tensor&) const { return 0; }  // where it copies, too
  Tensor forward(TensorRefs x) const {
    if (const std::optional<Strides> strides = strides_for(x[0], shape)) return view(x[0], shape, *strides);
    return view(kernels::contiguous_copy(x[0]), shape, contiguous_strides(shape));
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {reshape(g, s.shape(0))}; }
};

struct Permute {
  static constexpr const char* kName = "permute";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Dims order;
  Attributes attributes() const { return {{"order", to_string(order)}}; }
  Tensor forward(TensorRefs x) const {
    Shape shape;
    Strides strides;
    for (const std::int64_t axis : order) {
      shape.push_back(x[0].shape()[static_cast<std::size_t>(axis)]);
      strides.push_back(x[0].strides()[static_cast<std::size_t>(axis)]);
    }
    return view(x[0], shape, strides);
  }
  Grads backward(const Saved&, const Tensor& g) const {
    const Dims inverse = inverse_permutation(order);
    return {permute(g, inverse)};
  }
};

struct Expand {
  static constexpr const char* kName = "expand";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Shape shape;
  Attributes attributes() const { return {{"shape", to_string(shape)}}; }
  Tensor forward(TensorRefs x) const {
    const std::size_t extra = shape.size() - x[0].shape().size();
    Strides strides(shape.size(), 0);
    for (std::size_t i = extra; i < shape.size(); ++i)
      if (x[0].shape()[i - extra] == shape[i]) strides[i] = x[0].strides()[i - extra];
    return view(x[0], shape, strides);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {g}; }  // the engine sums over repeated axes
};

struct Squeeze {
  static constexpr const char* kName = "squeeze";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  std::size_t axis;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    Shape shape = x[0].shape();
    Strides strides = x[0].strides();
    shape.erase(axis);
    strides.erase(axis);
    return view(x[0], shape, strides);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {unsqueeze(g, static_cast<std::int64_t>(axis))}; }
};

struct Unsqueeze {
  static constexpr const char* kName = "unsqueeze";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  std::size_t axis;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    Shape shape = x[0].shape();
    Strides strides = x[0].strides();
    // Any stride would do; this one keeps row-major strides row-major.
    strides.insert(axis, axis < shape.size() ? shape[axis] * strides[axis] : 1);
    shape.insert(axis, 1);
    return view(x[0], shape, strides);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {squeeze(g, static_cast<std::int64_t>(axis))}; }
};

// A range along one axis, already checked.
struct Range {
  std::size_t axis;
  std::int64_t start, length, step;
  Attributes attributes() const {
    return {{"axis", std::to_string(axis)},
            {"start", std::to_string(start)},
            {"length", std::to_string(length)},
            {"step", std::to_string(step)}};
  }
  Tensor of(const Tensor& x) const {
    Shape shape = x.shape();
    Strides strides = x.strides();
    const std::int64_t offset = length == 0 ? 0 : start * strides[axis];
    shape[axis] = length;
    if (length > 1) strides[axis] *= step;  // else the step may be a number that overflows
    return view(x, shape, strides, offset);
  }
};

struct Slice : Range {
  static constexpr const char* kName = "slice";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Tensor forward(TensorRefs x) const { return of(x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const;
};

// Zeros with the input in place of a slice: the adjoint of Slice.
struct SliceAdjoint : Range {
  static constexpr const char* kName = "slice_adjoint";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Shape shape;
  Tensor forward(TensorRefs x) const {
    const Tensor out = zeros(shape, x[0].dtype());
    kernels::copy(of(out), x[0]);
    return out;
  }
  Grads backward(const Saved&, const Tensor& g) const { return {apply(Slice{static_cast<const Range&>(*this)}, g)}; }
};

Grads Slice::backward(const Saved& s, const Tensor& g) const {
  return {apply(SliceAdjoint{static_cast<const Range&>(*this), s.shape(0)}, g)};
}

struct Cat {
  static constexpr const char* kName = "cat";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  std::size_t axis;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    Shape shape = x[0].shape();
    for (std::size_t i = 1; i < x.size(); ++i) shape[axis] += x[i].shape()[axis];
    // Images that all lie with their channels last give such a one.
    bool channels_last = true;
    for (std::size_t i = 0; i < x.size() && channels_last; ++i)
      channels_last = x[i].dim() == 4 && kernels::channels_come_last(x[i]);
    const Tensor out = channels_last ? kernels::empty_channels_last(shape, x[0].dtype()) : empty(shape, x[0].dtype());
    std::int64_t start = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::int64_t length = x[i].shape()[axis];
      kernels::copy(Range{axis, start, length, 1}.of(out), x[i]);
      start += length;
    }
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    Grads grads(s.inputs());
    std::int64_t start = 0;
    for (std::size_t i = 0; i < s.inputs(); ++i) {
      const std::int64_t length = s.shape(i)[axis];
      if (s.needs(i)) grads[i] = apply(Slice{{axis, start, length, 1}}, g);
      start += length;
    }
    return grads;
  }
};

// Views of the pieces of an axis. One op with many results, so that their gradients are joined once, not each of them
// written into zeros of the whole.
struct Split {
  static constexpr const char* kName = "split";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  std::size_t axis;
  Dims sizes;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}, {"sizes", to_string(sizes)}}; }
  Tensors forward(TensorRefs x) const {
    Tensors pieces;
    std::int64_t start = 0;
    for (const std::int64_t size : sizes) {
      pieces.push_back(Range{axis, start, size, 1}.of(x[0]));
      start += size;
    }
    return pieces;
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    const Tensor whole = kernels::side_by_side(g, axis);
    return whole.defined() ? Grads{whole} : backward(s, g);
  }
  Grads backward(const Saved& s, TensorRefs g) const {
    std::vector<Tensor> pieces;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      Shape shape = s.shape(0);
      shape[axis] = sizes[i];
      pieces.push_back(g[i].defined() ? g[i] : zeros(shape, s.dtype(0)));
    }
    return {cat(pieces, static_cast<std::int64_t>(axis))};
  }
};

struct Contiguous {
  static constexpr const char* kName = "contiguous";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Tensor forward(TensorRefs x) const { return kernels::contiguous_copy(x[0]); }
  Grads backward(const Saved&, const Tensor& g) const { return {g}; }
};

struct Clone {
  static constexpr const char* kName = "clone";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Tensor forward(TensorRefs x) const {
    const Tensor out = empty_like(x[0]);
    kernels::copy(out, x[0]);
    return out;
  }
  Grads backward(const Saved&, const Tensor& g) const { return {g}; }
};

// Replaces a -1 by what the other extents leave.
Shape complete_shape(const Tensor& x, const Shape& shape) {
  kernels::check_defined("reshape", x);
  Shape result = shape;
  std::int64_t known = 1;
  std::size_t open = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    EG_CHECK(shape[i] >= -1, ShapeError, "[reshape] an extent of {} cannot be negative, found {}", shape, shape[i]);
    EG_CHECK(shape[i] != -1 || open == shape.size(), ShapeError, "[reshape] only one extent of {} may be -1", shape);
    if (shape[i] == -1)
      open = i;
    else
      EG_CHECK(!__builtin_mul_overflow(known, shape[i], &known), ShapeError, "[reshape] shape {} is too large", shape);
  }
  if (open < shape.size()) {
    EG_CHECK(known != 0 && x.numel() % known == 0, ShapeError,
             "[reshape] {} elements of shape {} cannot be laid out as {}", x.numel(), x.shape(), shape);
    result[open] = x.numel() / known;
  } else {
    EG_CHECK(known == x.numel(), ShapeError, "[reshape] {} elements of shape {} cannot be laid out as {}, which has {}",
             x.numel(), x.shape(), shape, known);
  }
  return result;
}

}  // namespace

Tensor reshape(Arg x, const Shape& shape) { return apply(Reshape{complete_shape(x, shape)}, x); }

Tensor flatten(Arg x, std::int64_t start, std::int64_t end) {
  const std::size_t first = axis_of("flatten", x, start), last = axis_of("flatten", x, end);
  EG_CHECK(first <= last, IndexError, "[flatten] the first axis {} is behind the last {}", start, end);
  if (x->dim() == 0) return reshape(x, {1});
  Shape shape;
  for (std::size_t i = 0; i < x->shape().size(); ++i) {
    if (i > first && i <= last)
      shape.back() *= x->shape()[i];
    else
      shape.push_back(x->shape()[i]);
  }
  return reshape(x, shape);
}

Tensor transpose(Arg x, std::int64_t axis0, std::int64_t axis1) {
  const std::size_t a = axis_of("transpose", x, axis0), b = axis_of("transpose", x, axis1);
  Dims order(x->shape().size());
  std::iota(order.begin(), order.end(), 0);
  if (!order.empty()) std::swap(order[a], order[b]);
  return apply(Permute{order}, x);
}

Tensor permute(Arg x, const Dims& order) {
  kernels::check_defined("permute", x);
  EG_CHECK(order.rank() == x->dim(), IndexError, "[permute] the order {} does not name the {} axes of shape {}", order,
           x->dim(), x->shape());
  Dims axes;
  for (const std::int64_t axis : order) {
    const std::int64_t normal = normalize_axis("permute", axis, x->dim());
    EG_CHECK(std::find(axes.begin(), axes.end(), normal) == axes.end(), IndexError,
             "[permute] axis {} is named twice in {}", axis, order);
    axes.push_back(normal);
  }
  return apply(Permute{axes}, x);
}

Tensor expand(Arg x, const Shape& shape) {
  kernels::check_defined("expand", x);
  Shape target = shape;
  const std::size_t rank = x->shape().size();
  EG_CHECK(rank <= shape.size(), ShapeError, "[expand] shape {} has fewer axes than the tensor's {}", shape,
           x->shape());
  const std::size_t extra = shape.size() - rank;
  for (std::size_t i = extra; i < shape.size(); ++i)
    if (shape[i] == -1) target[i] = x->shape()[i - extra];
  checked_numel(target);
  EG_CHECK(broadcasts_to(x->shape(), target), ShapeError, "[expand] shape {} does not broadcast to {}", x->shape(),
           shape);
  return apply(Expand{target}, x);
}

Tensor squeeze(Arg x, std::int64_t axis) {
  const std::size_t i = axis_of("squeeze", x, axis);
  if (x->dim() == 0 || x->shape()[i] != 1) return x;
  return apply(Squeeze{i}, x);
}

Tensor squeeze(Arg x) {
  kernels::check_defined("squeeze", x);
  Tensor result = x;
  for (std::int64_t axis = x->dim(); axis-- > 0;) result = squeeze(result, axis);
  return result;
}

Tensor unsqueeze(Arg x, std::int64_t axis) {
  kernels::check_defined("unsqueeze", x);
  return apply(Unsqueeze{static_cast<std::size_t>(normalize_axis("unsqueeze", axis, x->dim() + 1))}, x);
}

Tensor slice(Arg x, std::int64_t axis, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
             std::int64_t step) {
  EG_CHECK(step >= 1, ValueError, "[slice] the step must be at least 1, found {}", step);
  const std::size_t i = axis_to_cut("slice", x, axis);
  const std::int64_t extent = x->shape()[i];
  const auto clip = [extent](std::int64_t bound) {
    return std::clamp<std::int64_t>(bound < 0 ? bound + extent : bound, 0, extent);
  };
  const std::int64_t from = clip(start.value_or(0)), to = clip(end.value_or(extent));
  const std::int64_t length = to > from ? (to - from - 1) / step + 1 : 0;
  return apply(Slice{{i, from, length, step}}, x);
}

Tensor narrow(Arg x, std::int64_t axis, std::int64_t start, std::int64_t length) {
  const std::size_t i = axis_to_cut("narrow", x, axis);
  const std::int64_t extent = x->shape()[i];
  EG_CHECK(start >= 0 && length >= 0 && start <= extent && length <= extent - start, IndexError,
           "[narrow] {} positions from {} are not within the {} of axis {} of shape {}", length, start, extent, axis,
           x->shape());
  return apply(Slice{{i, start, length, 1}}, x);
}

Tensor select(Arg x, std::int64_t axis, std::int64_t index) {
  const std::size_t i = axis_to_cut("select", x, axis);
  const std::int64_t extent = x->shape()[i];
  EG_CHECK(index >= -extent && index < extent, IndexError, "[select] index {} is out of range for axis {} of shape {}",
           index, axis, x->shape());
  return apply(Squeeze{i}, apply(Slice{{i, index < 0 ? index + extent : index, 1, 1}}, x));
}

Tensor cat(Args tensors, std::int64_t axis) {
  EG_CHECK(!tensors.empty(), ValueError, "[cat] expected at least one tensor, found none");
  kernels::check_all_defined("cat", tensors);
  const Tensor& first = tensors[0];
  EG_CHECK(first.dim() > 0, ShapeError, "[cat] scalar tensors have no axis to be joined along: use stack");
  const std::size_t along = axis_of("cat", first, axis);
  Dtype dtype = first.dtype();
  for (const Tensor& x : tensors) {
    Shape expected = first.shape();
    if (x.dim() == first.dim()) expected[along] = x.shape()[along];
    EG_CHECK(x.shape() == expected, ShapeError, "[cat] shapes {} and {} differ in more than axis {}", first.shape(),
             x.shape(), axis);
    dtype = promote_types(dtype, x.dtype());
  }
  std::vector<Tensor> converted;
  for (const Tensor& x : tensors) converted.push_back(to(x, dtype));
  return apply(Cat{along}, std::span<const Tensor>(converted));
}

Tensor stack(Args tensors, std::int64_t axis) {
  EG_CHECK(!tensors.empty(), ValueError, "[stack] expected at least one tensor, found none");
  kernels::check_all_defined("stack", tensors);
  const std::int64_t along = normalize_axis("stack", axis, tensors[0].dim() + 1);
  std::vector<Tensor> rows;
  for (const Tensor& x : tensors) {
    EG_CHECK(x.shape() == tensors[0].shape(), ShapeError, "[stack] shapes {} and {} differ", tensors[0].shape(),
             x.shape());
    rows.push_back(unsqueeze(x, along));
  }
  return cat(rows, along);
}

std::vector<Tensor> split(Arg x, const Dims& sizes, std::int64_t axis) {
  axis_to_cut("split", x, axis);
  std::int64_t total = 0;
  for (const std::int64_t size : sizes) {
    EG_CHECK(size >= 0, ValueError, "[split] sizes {} must not be negative", sizes);
    EG_CHECK(!__builtin_add_overflow(total, size, &total), ValueError, "[split] sizes {} pass int64", sizes);
  }
  EG_CHECK(total == x->size(axis), ShapeError, "[split] sizes {} add up to {}, expected the {} of axis {} of shape {}",
           sizes, total, x->size(axis), axis, x->shape());
  const Tensors pieces = apply(Split{static_cast<std::size_t>(normalize_axis("split", axis, x->dim())), sizes}, x);
  return {pieces.begin(), pieces.end()};
}

std::vector<Tensor> split(Arg x, std::int64_t size, std::int64_t axis) {
  axis_to_cut("split", x, axis);
  EG_CHECK(size >= 1, ValueError, "[split] the size of a piece must be at least 1, found {}", size);
  Dims sizes;
  const std::int64_t extent = x->size(axis);
  for (std::int64_t start = 0; start < extent; start += size) sizes.push_back(std::min(size, extent - start));
  if (sizes.empty()) sizes.push_back(0);
  return split(x, sizes, axis);
}

std::vector<Tensor> chunk(Arg x, std::int64_t count, std::int64_t axis) {
  axis_to_cut("chunk", x, axis);
  EG_CHECK(count >= 1, ValueError, "[chunk] the number of pieces must be at least 1, found {}", count);
  return split(x, std::max<std::int64_t>(1, x->size(axis) / count + (x->size(axis) % count != 0)), axis);
}

std::vector<Tensor> unbind(Arg x, std::int64_t axis) {
  axis_to_cut("unbind", x, axis);
  std::vector<Tensor> rows = split(x, std::int64_t{1}, axis);
  if (x->size(axis) == 0) rows.clear();
  for (Tensor& row : rows) row = squeeze(row, axis);
  return rows;
}

Tensor contiguous(Arg x) {
  kernels::check_defined("contiguous", x);
  return x->is_contiguous() ? *x : apply(Contiguous{}, x);
}

Tensor clone(Arg x) { return apply(Clone{}, x); }

}  // namespace eigengrad
