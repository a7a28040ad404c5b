#include "eigengrad/ops/rearrange.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/axis.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/view.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

// Positions along an axis, given by a function of the new position.
template <class F>
Tensor positions(std::int64_t count, F f) {
  Tensor result = empty({count}, kInt64);
  for (std::int64_t i = 0; i < count; ++i) result.raw<std::int64_t>()[i] = f(i);
  return result;
}

// A triangle of the matrices of the last two axes. Linear, and its own adjoint.
struct Triangle {
  static constexpr const char* kName = "triangle";
  static constexpr SaveMask kSaves = kNothing;
  bool lower;
  std::int64_t diagonal;
  Attributes attributes() const {
    return {{"keeps", lower ? "lower" : "upper"}, {"diagonal", std::to_string(diagonal)}};
  }
  Tensor forward(TensorRefs x) const {
    const Tensor from = kernels::as_contiguous(x[0]), out = empty(from.shape(), from.dtype());
    const std::int64_t columns = out.size(-1), rows = out.size(-2);
    const std::int64_t all = columns == 0 ? 0 : out.numel() / columns;
    dispatch(out.dtype(), [&]<class T>() {
      parallel_evenly(all, kernels::grain_for(columns), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t r = begin; r < end; ++r)
          copy_row(out.raw<T>() + r * columns, from.raw<T>() + r * columns, columns, r % rows);
      });
    });
    return out;
  }
  Grads backward(const Saved&, const Tensor& g) const { return {apply(Triangle{*this}, g)}; }

 private:
  template <class T>
  void copy_row(T* out, const T* from, std::int64_t columns, std::int64_t row) const {
    // The first column above the diagonal, or on it: row + diagonal may pass int64 for an absurd diagonal.
    const std::int64_t shift = std::clamp(diagonal, -row - 1, columns);
    const std::int64_t edge = std::clamp<std::int64_t>(row + shift + (lower ? 1 : 0), 0, columns);
    std::fill_n(lower ? out + edge : out, lower ? columns - edge : edge, T(0));
    std::copy(from + (lower ? 0 : edge), from + (lower ? edge : columns), out + (lower ? 0 : edge));
  }
};

Tensor triangle(const char* op, const Tensor& x, bool lower, std::int64_t diagonal) {
  kernels::check_defined(op, x);
  EG_CHECK(x.dim() >= 2, ShapeError, "[{}] expected matrices, found shape {}", op, x.shape());
  return apply(Triangle{lower, diagonal}, x);
}

// The diagonal of two axes, already checked.
struct DiagonalView {
  std::size_t axis0, axis1;
  std::int64_t offset, length;
  Attributes attributes() const {
    return {{"offset", std::to_string(offset)},
            {"axes", to_string(Dims{static_cast<std::int64_t>(axis0), static_cast<std::int64_t>(axis1)})}};
  }
  Tensor of(const Tensor& x) const {
    Shape shape = x.shape();
    Strides strides = x.strides();
    const std::int64_t along = strides[axis0] + strides[axis1];
    const std::int64_t start = length == 0 ? 0 : offset >= 0 ? offset * strides[axis1] : -offset * strides[axis0];
    for (const std::size_t axis : {std::max(axis0, axis1), std::min(axis0, axis1)}) {
      shape.erase(axis);
      strides.erase(axis);
    }
    shape.push_back(length);
    strides.push_back(along);
    return kernels::view(x, shape, strides, start);
  }
};

struct Diagonal : DiagonalView {
  static constexpr const char* kName = "diagonal";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Tensor forward(TensorRefs x) const { return of(x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const;
};

// Zeros of a shape with the input on a diagonal: the adjoint of Diagonal.
struct DiagonalAdjoint : DiagonalView {
  static constexpr const char* kName = "diag_embed";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Shape shape;
  Tensor forward(TensorRefs x) const {
    const Tensor out = zeros(shape, x[0].dtype());
    kernels::copy(of(out), x[0]);
    return out;
  }
  Grads backward(const Saved&, const Tensor& g) const {
    return {apply(Diagonal{static_cast<const DiagonalView&>(*this)}, g)};
  }
};

Grads Diagonal::backward(const Saved& s, const Tensor& g) const {
  return {apply(DiagonalAdjoint{static_cast<const DiagonalView&>(*this), s.shape(0)}, g)};
}

std::int64_t diagonal_length(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  if (offset >= 0) return std::max<std::int64_t>(0, std::min(rows, offset > columns ? 0 : columns - offset));
  return offset < -rows ? 0 : std::max<std::int64_t>(0, std::min(columns, rows + offset));
}

// A constant with the input in the middle.
struct ConstantPad {
  static constexpr const char* kName = "pad";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Dims before, after;  // of every axis; none is negative
  double value;
  Attributes attributes() const { return {{"before", to_string(before)}, {"after", to_string(after)}}; }
  Tensor forward(TensorRefs x) const {
    Shape shape = x[0].shape();
    for (std::size_t i = 0; i < shape.size(); ++i) shape[i] += before[i] + after[i];
    const bool last = shape.rank() == 4 && kernels::channels_come_last(x[0]);
    const Tensor out = last ? kernels::empty_channels_last(shape, x[0].dtype()) : empty(shape, x[0].dtype());
    dispatch_stored(out.dtype(), [&]<class T>() { std::fill_n(out.raw<T>(), out.numel(), Scalar(value).to<T>()); });
    Tensor middle = out;
    for (std::size_t i = 0; i < shape.size(); ++i)
      middle = narrow(middle, static_cast<std::int64_t>(i), before[i], x[0].shape()[i]);
    kernels::copy(middle, x[0]);
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    Tensor middle = g;
    for (std::size_t i = 0; i < before.size(); ++i)
      if (before[i] + after[i] > 0) middle = narrow(middle, static_cast<std::int64_t>(i), before[i], s.shape(0)[i]);
    return {middle};
  }
};

Tensor pad_constant(const Tensor& x, const Dims& margins, double value) {
  Tensor cut = x;
  Dims before(x.shape().size(), 0), after(x.shape().size(), 0);
  bool grows = false;
  for (std::size_t i = 0; i < margins.size(); i += 2) {
    const std::size_t axis = x.shape().size() - 1 - i / 2;
    const std::int64_t left = margins[i], right = margins[i + 1], extent = x.shape()[axis];
    const std::int64_t from = std::max<std::int64_t>(0, -left), to = extent - std::max<std::int64_t>(0, -right);
    EG_CHECK(from <= to, ValueError, "[pad] margins {} cut more than the {} elements of axis {}", margins, extent,
             axis);
    if (to - from < extent) cut = narrow(cut, static_cast<std::int64_t>(axis), from, to - from);
    before[axis] = std::max<std::int64_t>(0, left);
    after[axis] = std::max<std::int64_t>(0, right);
    grows = grows || before[axis] + after[axis] > 0;
  }
  return grows ? apply(ConstantPad{before, after, value}, cut) : clone(cut);
}

// Where position i of an axis of `extent` elements is found, i being outside by at most what check_margin allows.
std::int64_t source_of(PadMode mode, std::int64_t i, std::int64_t extent) {
  if (mode == PadMode::Replicate) return std::clamp<std::int64_t>(i, 0, extent - 1);
  if (mode == PadMode::Circular) return (i + extent) % extent;
  return i < 0 ? -i : i >= extent ? 2 * (extent - 1) - i : i;
}

void check_margin(PadMode mode, std::int64_t margin, std::int64_t extent, std::size_t axis) {
  EG_CHECK(margin >= 0, ValueError, "[pad] a margin of {} is possible with a constant only", margin);
  const char* const name = mode == PadMode::Reflect ? "reflect" : mode == PadMode::Circular ? "circular" : "replicate";
  const std::int64_t most = mode == PadMode::Reflect ? extent - 1 : extent;
  EG_CHECK(mode == PadMode::Replicate ? extent > 0 || margin == 0 : margin <= std::max<std::int64_t>(0, most),
           ValueError, "[pad] axis {} of {} elements has too few for a margin of {} by '{}'", axis, extent, margin,
           name);
}

Dims normal_axes(const char* op, const Tensor& x, const Dims& axes) {
  kernels::check_defined(op, x);
  Dims result;
  for (const std::int64_t axis : axes) {
    const std::int64_t normal = normalize_axis(op, axis, x.dim());
    EG_CHECK(std::find(result.begin(), result.end(), normal) == result.end(), IndexError,
             "[{}] axis {} is named twice in {}", op, axis, axes);
    result.push_back(normal);
  }
  return result;
}

}  // namespace

Tensor repeat(Arg x, const Dims& counts) {
  kernels::check_defined("repeat", x);
  EG_CHECK(counts.rank() >= x->dim(), ShapeError, "[repeat] the counts {} are fewer than the axes of shape {}", counts,
           x->shape());
  const std::size_t extra = counts.size() - x->shape().size();
  Shape apart, expanded, result;  // each axis behind one for its repetitions
  for (std::size_t i = 0; i < counts.size(); ++i) {
    EG_CHECK(counts[i] >= 0, ValueError, "[repeat] the counts {} must not be negative", counts);
    const std::int64_t extent = i < extra ? 1 : x->shape()[i - extra];
    for (const std::int64_t e : {std::int64_t{1}, extent}) apart.push_back(e);
    for (const std::int64_t e : {counts[i], extent}) expanded.push_back(e);
    result.push_back(checked_numel({counts[i], extent}));
  }
  return reshape(expand(reshape(x, apart), expanded), result);
}

Tensor tile(Arg x, const Dims& counts) {
  kernels::check_defined("tile", x);
  Dims all = counts;
  while (all.rank() < x->dim()) all.insert(0, 1);
  for (const std::int64_t count : counts)
    EG_CHECK(count >= 0, ValueError, "[tile] the counts {} must not be negative", counts);
  return repeat(x, all);
}

Tensor repeat_interleave(Arg x, std::int64_t count, std::int64_t axis) {
  EG_CHECK(count >= 0, ValueError, "[repeat_interleave] the count is {}, expected 0 or more", count);
  const std::int64_t along = kernels::checked_axis("repeat_interleave", x, axis);
  const Tensor apart = unsqueeze(x->dim() == 0 ? reshape(x, {1}) : *x, along + 1);
  Shape shape = apart.shape();
  shape[static_cast<std::size_t>(along) + 1] = count;
  return flatten(expand(apart, shape), along, along + 1);
}

Tensor flip(Arg x, const Dims& axes) {
  const Dims along = normal_axes("flip", x, axes);
  if (x->dim() == 0) return clone(x);
  Tensor result = x;
  for (const std::int64_t axis : along) {
    const std::int64_t extent = x->size(axis);
    result = index_select(result, axis, positions(extent, [extent](std::int64_t i) { return extent - 1 - i; }));
  }
  return along.empty() ? clone(x) : result;
}

Tensor roll(Arg x, const Dims& shifts, const Dims& axes) {
  kernels::check_defined("roll", x);
  EG_CHECK(shifts.size() == axes.size(), ValueError, "[roll] found {} shifts for {} axes", shifts.size(), axes.size());
  Tensor result = x;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = normalize_axis("roll", axes[i], x->dim());
    const std::int64_t extent = x->dim() == 0 ? 0 : x->size(axis);
    if (extent == 0) continue;
    const std::int64_t shift = (shifts[i] % extent + extent) % extent;
    if (shift > 0)
      result = cat({narrow(result, axis, extent - shift, shift), narrow(result, axis, 0, extent - shift)}, axis);
  }
  return result.is_same(x) ? clone(x) : result;
}

Tensor movedim(Arg x, std::int64_t source, std::int64_t destination) {
  const std::int64_t from = kernels::checked_axis("movedim", x, source);
  const std::int64_t to = kernels::checked_axis("movedim", x, destination);
  Dims order;
  for (std::int64_t axis = 0; axis < x->dim(); ++axis)
    if (axis != from) order.push_back(axis);
  if (x->dim() > 0) order.insert(static_cast<std::size_t>(to), from);
  return permute(x, order);
}

Tensor unflatten(Arg x, std::int64_t axis, const Shape& extents) {
  kernels::check_defined("unflatten", x);
  EG_CHECK(x->dim() > 0 && !extents.empty(), ShapeError, "[unflatten] shape {} cannot have an axis made {}", x->shape(),
           extents);
  const auto at = static_cast<std::size_t>(kernels::checked_axis("unflatten", x, axis));
  std::int64_t known = 1, open = 0;
  for (const std::int64_t extent : extents) {
    EG_CHECK(extent >= -1 && (extent >= 0 || ++open == 1), ShapeError, "[unflatten] {} is no list of extents", extents);
    known *= extent >= 0 ? extent : 1;
  }
  const std::int64_t extent = x->shape()[at];
  EG_CHECK(open == 1 ? known > 0 && extent % known == 0 : known == extent, ShapeError,
           "[unflatten] the {} elements of axis {} cannot be laid out as {}", extent, axis, extents);
  Shape shape(x->shape().begin(), x->shape().begin() + at);
  for (const std::int64_t e : extents) shape.push_back(e >= 0 ? e : extent / known);
  for (std::size_t i = at + 1; i < x->shape().size(); ++i) shape.push_back(x->shape()[i]);
  return reshape(x, shape);
}

std::vector<Tensor> broadcast_tensors(Args tensors) {
  kernels::check_all_defined("broadcast_tensors", tensors);
  Shape shape;
  for (const Tensor& x : tensors) shape = broadcast_shapes("broadcast_tensors", shape, x.shape());
  std::vector<Tensor> result;
  for (const Tensor& x : tensors) result.push_back(expand(x, shape));
  return result;
}

Tensor pad(Arg x, const Dims& margins, PadMode mode, double value) {
  kernels::check_defined("pad", x);
  EG_CHECK(margins.size() % 2 == 0 && margins.rank() <= 2 * x->dim(), ValueError,
           "[pad] expected a pair of margins for each of up to {} axes, found {}", x->dim(), margins);
  if (mode == PadMode::Constant) return pad_constant(x, margins, value);
  Tensor result = x;
  for (std::size_t i = 0; i < margins.size(); i += 2) {
    const std::size_t axis = x->shape().size() - 1 - i / 2;
    const std::int64_t extent = x->shape()[axis], before = margins[i], after = margins[i + 1];
    for (const std::int64_t margin : {before, after}) check_margin(mode, margin, extent, axis);
    if (before + after == 0) continue;
    const auto source = [&](std::int64_t j) { return source_of(mode, j - before, extent); };
    result = index_select(result, static_cast<std::int64_t>(axis), positions(before + extent + after, source));
  }
  return result.is_same(x) ? clone(x) : result;
}

Tensor tril(Arg x, std::int64_t diagonal) { return triangle("tril", x, true, diagonal); }
Tensor triu(Arg x, std::int64_t diagonal) { return triangle("triu", x, false, diagonal); }

Tensor diagonal(Arg x, std::int64_t offset, std::int64_t axis0, std::int64_t axis1) {
  kernels::check_defined("diagonal", x);
  EG_CHECK(x->dim() >= 2, ShapeError, "[diagonal] expected two axes or more, found shape {}", x->shape());
  const auto a = static_cast<std::size_t>(kernels::checked_axis("diagonal", x, axis0));
  const auto b = static_cast<std::size_t>(kernels::checked_axis("diagonal", x, axis1));
  EG_CHECK(a != b, IndexError, "[diagonal] axes {} and {} are the same", axis0, axis1);
  return apply(Diagonal{{a, b, offset, diagonal_length(x->shape()[a], x->shape()[b], offset)}}, x);
}

Tensor diag_embed(Arg x, std::int64_t offset) {
  kernels::check_defined("diag_embed", x);
  EG_CHECK(x->dim() >= 1, ShapeError, "[diag_embed] a scalar tensor has no axis for a diagonal");
  const std::int64_t length = x->size(-1);
  std::int64_t extent = 0;
  EG_CHECK(
      offset != std::numeric_limits<std::int64_t>::min() && !__builtin_add_overflow(length, std::abs(offset), &extent),
      ShapeError, "[diag_embed] the offset {} is too large", offset);
  Shape shape = x->shape();
  shape.back() = extent;
  shape.push_back(extent);
  return apply(DiagonalAdjoint{{shape.size() - 2, shape.size() - 1, offset, length}, shape}, x);
}

Tensor diag(Arg x, std::int64_t offset) {
  kernels::check_defined("diag", x);
  EG_CHECK(x->dim() == 1 || x->dim() == 2, ShapeError, "[diag] expected a vector or a matrix, found shape {}",
           x->shape());
  return x->dim() == 1 ? diag_embed(x, offset) : diagonal(x, offset);
}

std::vector<Tensor> meshgrid(Args tensors, Indexing indexing) {
  kernels::check_all_defined("meshgrid", tensors);
  EG_CHECK(!tensors.empty(), ValueError, "[meshgrid] expected at least one tensor, found none");
  Shape shape;
  for (const Tensor& x : tensors) {
    EG_CHECK(x.dim() <= 1, ShapeError, "[meshgrid] expected vectors, found shape {}", x.shape());
    shape.push_back(x.numel());
  }
  const bool swapped = indexing == Indexing::xy && tensors.size() > 1;
  if (swapped) std::swap(shape[0], shape[1]);
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::size_t axis = swapped && i < 2 ? 1 - i : i;
    Shape own(shape.size(), 1);
    own[axis] = shape[axis];
    result.push_back(expand(reshape(tensors[i], own), shape));
  }
  return result;
}

}  // namespace eigengrad
