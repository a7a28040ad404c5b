#include "eigengrad/ops/index.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/index.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using kernels::view_along;

Attributes axis_attribute(std::int64_t axis) { return {{"axis", std::to_string(axis)}}; }

void check_same_dtype(const char* op, const Tensor& x, const Tensor& source) {
  EG_CHECK(source.dtype() == x.dtype(), DtypeError, "[{}] the source is {}, expected the {} of what it is added to", op,
           source.dtype(), x.dtype());
}

// out[index] += source along an axis; `out` is contiguous.
void add_rows(const Tensor& out, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const Tensor at = contiguous(index), from = contiguous(source);
  dispatch(out.dtype(), [&]<class T>() {
    kernels::index_add<T>(out.raw<T>(), view_along(out.shape(), axis), at.raw<std::int64_t>(), from.raw<T>(),
                          view_along(from.shape(), axis));
  });
}

struct IndexSelect {
  static constexpr const char* kName = "index_select";
  static constexpr SaveMask kSaves[] = {input(1), kNothing};
  static constexpr bool kMovesOnly = true;
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    const Tensor from = contiguous(x[0]), index = contiguous(x[1]);
    kernels::check_index(kName, index, axis, from.size(axis));
    Shape shape = from.shape();
    shape[static_cast<std::size_t>(axis)] = index.numel();
    const Tensor out = empty(shape, from.dtype());
    dispatch_stored(out.dtype(), [&]<class T>() {
      kernels::index_select<T>(out.raw<T>(), view_along(shape, axis), from.raw<T>(), view_along(from.shape(), axis),
                               index.raw<std::int64_t>());
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {index_add(zeros(s.shape(0), g.dtype()), axis, s.x(1), g), Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    if (g.dtype() == kBFloat16) return backward(s, g);  // which sums in float32
    const Tensor out = zeros(s.shape(0), g.dtype());
    add_rows(out, axis, s.x(1), g);
    return {out, Tensor()};
  }
};

struct IndexAdd {
  static constexpr const char* kName = "index_add";
  static constexpr SaveMask kSaves[] = {kNothing, kNothing, input(1)};
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    Shape shape = x[0].shape();
    const std::int64_t extent = std::exchange(shape[static_cast<std::size_t>(axis)], x[1].numel());
    EG_CHECK(x[2].shape() == shape, ShapeError,
             "[index_add] the source has shape {}, expected {} for {} indexes into {}", x[2].shape(), shape,
             x[1].numel(), x[0].shape());
    check_same_dtype(kName, x[0], x[2]);
    const Tensor index = contiguous(x[1]);
    kernels::check_index(kName, index, axis, extent);
    const Tensor out = kernels::contiguous_copy(x[0]);
    add_rows(out, axis, index, x[2]);
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {g, Tensor(), s.needs(2) ? index_select(g, axis, s.x(1)) : Tensor()};
  }
};

// out[index[p]] += source[p]; `out` is contiguous.
void add_elements(const Tensor& out, std::int64_t axis, const Tensor& index, const Tensor& source) {
  const Tensor at = contiguous(index), from = contiguous(source);
  dispatch(out.dtype(), [&]<class T>() { kernels::scatter_add<T>(out, axis, at, from.raw<T>()); });
}

void check_fits(const char* op, const Tensor& x, std::int64_t axis, const Tensor& index) {
  const bool fits = index.dim() == x.dim() && [&] {
    for (std::int64_t i = 0; i < x.dim(); ++i)
      if (i != axis && index.size(i) > x.size(i)) return false;
    return true;
  }();
  EG_CHECK(fits, ShapeError, "[{}] the index has shape {}, expected as many axes as {} and none longer but axis {}", op,
           index.shape(), x.shape(), axis);
}

struct Gather {
  static constexpr const char* kName = "gather";
  static constexpr SaveMask kSaves[] = {input(1), kNothing};
  static constexpr bool kMovesOnly = true;
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    check_fits(kName, x[0], axis, x[1]);
    const Tensor index = contiguous(x[1]);
    kernels::check_index(kName, index, axis, view_along(x[0].shape(), axis).extent);
    const Tensor out = empty(index.shape(), x[0].dtype());
    dispatch_stored(out.dtype(), [&]<class T>() { kernels::gather<T>(out.raw<T>(), x[0], axis, index); });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {scatter_add(zeros(s.shape(0), g.dtype()), axis, s.x(1), g), Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    if (g.dtype() == kBFloat16) return backward(s, g);  // which sums in float32
    const Tensor out = zeros(s.shape(0), g.dtype());
    add_elements(out, axis, s.x(1), g);
    return {out, Tensor()};
  }
};

struct ScatterAdd {
  static constexpr const char* kName = "scatter_add";
  static constexpr SaveMask kSaves[] = {kNothing, kNothing, input(1)};
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    check_fits(kName, x[0], axis, x[1]);
    EG_CHECK(x[2].shape() == x[1].shape(), ShapeError, "[scatter_add] the source has shape {}, expected the index's {}",
             x[2].shape(), x[1].shape());
    check_same_dtype(kName, x[0], x[2]);
    const Tensor index = contiguous(x[1]);
    kernels::check_index(kName, index, axis, view_along(x[0].shape(), axis).extent);
    const Tensor out = kernels::contiguous_copy(x[0]);
    add_elements(out, axis, index, x[2]);
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {g, Tensor(), s.needs(2) ? gather(g, axis, s.x(1)) : Tensor()};
  }
};

struct Scatter {
  static constexpr const char* kName = "scatter";
  static constexpr SaveMask kSaves[] = {input(1), kNothing, input(1)};
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    check_fits(kName, x[0], axis, x[1]);
    EG_CHECK(x[2].shape() == x[1].shape(), ShapeError, "[scatter] the source has shape {}, expected the index's {}",
             x[2].shape(), x[1].shape());
    EG_CHECK(x[2].dtype() == x[0].dtype(), DtypeError,
             "[scatter] the source is {}, expected the {} that it is put into", x[2].dtype(), x[0].dtype());
    const Tensor index = contiguous(x[1]), source = contiguous(x[2]);
    kernels::check_index(kName, index, axis, view_along(x[0].shape(), axis).extent);
    const Tensor out = kernels::contiguous_copy(x[0]);
    dispatch(out.dtype(), [&]<class T>() { kernels::scatter<T>(out, axis, index, source.raw<T>()); });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& index = s.x(1);
    return {s.needs(0) ? scatter(g, axis, index, 0) : Tensor(), Tensor(),
            s.needs(2) ? where(stays(index, s.shape(0)), gather(g, axis, index), 0) : Tensor()};
  }

 private:
  // Whether each element of the source is what stands in its place at the end.
  Tensor stays(const Tensor& index, const Shape& shape) const {
    const Tensor number = reshape(arange(index.numel()), index.shape());
    return gather(scatter(zeros(shape, kInt64), axis, index, number), axis, index) == number;
  }
};

// The axis of ops that take whole slices, and whose index therefore has one axis.
std::int64_t slice_axis(const char* op, const Tensor& x, std::int64_t axis, const Tensor& index) {
  kernels::check_defined(op, x, index);
  EG_CHECK(x.dim() > 0, ShapeError, "[{}] a scalar tensor has no axis to index", op);
  EG_CHECK(index.dim() == 1, ShapeError, "[{}] the index has shape {}, expected one axis", op, index.shape());
  return normalize_axis(op, axis, x.dim());
}

struct OneHot {
  static constexpr const char* kName = "one_hot";
  std::int64_t classes;
  Attributes attributes() const { return {{"classes", std::to_string(classes)}}; }
  Tensor forward(TensorRefs x) const {
    const Tensor labels = contiguous(x[0]);
    kernels::check_index(kName, labels, x[0].dim(), classes);
    Shape shape = labels.shape();
    shape.push_back(classes);
    const Tensor out = zeros(shape, kInt64);
    const std::int64_t* from = labels.raw<std::int64_t>();
    for (std::int64_t i = 0; i < labels.numel(); ++i) out.raw<std::int64_t>()[i * classes + from[i]] = 1;
    return out;
  }
};

// An index with negative elements counted from the back. Throws IndexError for what is out of range even so.
Tensor wrapped(const char* op, const Tensor& index, std::int64_t extent) {
  EG_CHECK(index.dtype() == kInt64, DtypeError, "[{}] the index is {}, expected int64", op, index.dtype());
  const Tensor out = kernels::contiguous_copy(index);
  std::int64_t* values = out.raw<std::int64_t>();
  for (std::int64_t i = 0; i < out.numel(); ++i) {
    EG_CHECK(values[i] >= -extent && values[i] < extent, IndexError, "[{}] index {} is out of range for {} elements",
             op, values[i], extent);
    if (values[i] < 0) values[i] += extent;
  }
  return out;
}

// Some axes of a tensor made one, which comes first, and the way back.
struct IndexedAxes {
  Dims order;           // the indexed axes, then the kept ones
  Shape indexed, kept;  // their extents
  Shape picked;         // the shape of the indexes together
  Tensor rows;          // into the merged axis: one axis
  std::size_t at = 0;   // where the picked axes stand among the kept ones of the result

  IndexedAxes(const char* op, const Tensor& x, std::span<const Tensor> indices) {
    const std::vector<std::int64_t> axes = choose_axes(op, x, indices);
    for (const std::int64_t axis : axes)
      picked = broadcast_shapes(op, picked, indices[static_cast<std::size_t>(axis)].shape());
    rows = zeros({checked_numel(picked)}, kInt64);
    for (const std::int64_t axis : axes) {
      const Tensor own = wrapped(op, indices[static_cast<std::size_t>(axis)], x.size(axis));
      rows = rows * x.size(axis) + flatten(expand(own, picked));
    }
  }

  // [indexed axes as one, kept axes as one]
  Tensor merged(const Tensor& x) const {
    return reshape(permute(x, order), {checked_numel(indexed), checked_numel(kept)});
  }
  Tensor split(const Tensor& rows_and_kept) const {
    Shape shape = indexed;
    for (const std::int64_t extent : kept) shape.push_back(extent);
    const Dims inverse = inverse_permutation(order);
    return permute(reshape(rows_and_kept, shape), inverse);
  }

  // From [picked as one, kept as one] to the shape of the result, and back.
  Tensor restored(const Tensor& chosen) const {
    Shape shape = picked;
    for (const std::int64_t extent : kept) shape.push_back(extent);
    return permute(reshape(chosen, shape), result_order(false));
  }
  Tensor as_rows(const Tensor& result) const {
    return reshape(permute(result, result_order(true)), {checked_numel(picked), checked_numel(kept)});
  }
  Shape result_shape() const {
    Shape shape(kept.begin(), kept.begin() + at);
    for (const std::int64_t extent : picked) shape.push_back(extent);
    for (std::size_t i = at; i < kept.size(); ++i) shape.push_back(kept[i]);
    return shape;
  }

 private:
  // The indexed axes; fills in what depends on them.
  std::vector<std::int64_t> choose_axes(const char* op, const Tensor& x, std::span<const Tensor> indices) {
    EG_CHECK(static_cast<std::int64_t>(indices.size()) <= x.dim(), IndexError,
             "[{}] found {} indexes for the {} axes of shape {}", op, indices.size(), x.dim(), x.shape());
    std::vector<std::int64_t> axes;
    for (std::size_t i = 0; i < indices.size(); ++i)
      if (indices[i].defined()) axes.push_back(static_cast<std::int64_t>(i));
    EG_CHECK(!axes.empty(), IndexError, "[{}] expected an index for one axis at least, found none", op);
    const bool together = axes.back() - axes.front() + 1 == static_cast<std::int64_t>(axes.size());
    at = together ? static_cast<std::size_t>(axes.front()) : 0;
    for (const std::int64_t axis : axes) order.push_back(axis);
    for (std::int64_t axis = 0; axis < x.dim(); ++axis)
      if (std::find(axes.begin(), axes.end(), axis) == axes.end()) order.push_back(axis);
    for (std::size_t i = 0; i < order.size(); ++i) (i < axes.size() ? indexed : kept).push_back(x.size(order[i]));
    return axes;
  }
  // The permutation from [picked, kept] to the result, or back.
  Dims result_order(bool back) const {
    const auto p = static_cast<std::int64_t>(picked.size()), k = static_cast<std::int64_t>(kept.size());
    const auto a = static_cast<std::int64_t>(at);
    Dims forth;
    for (std::int64_t i = 0; i < a; ++i) forth.push_back(p + i);
    for (std::int64_t i = 0; i < p; ++i) forth.push_back(i);
    for (std::int64_t i = a; i < k; ++i) forth.push_back(p + i);
    if (!back) return forth;
    return inverse_permutation(forth);
  }
};

}  // namespace

Tensor index_select(Arg x, std::int64_t axis, const Tensor& index) {
  return apply(IndexSelect{slice_axis("index_select", x, axis, index)}, x, index);
}

Tensor index_add(Arg x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  return apply(IndexAdd{slice_axis("index_add", x, axis, index)}, x, index, source);
}

Tensor gather(Arg x, std::int64_t axis, const Tensor& index) {
  kernels::check_defined(Gather::kName, x);
  return apply(Gather{normalize_axis("gather", axis, x->dim())}, x, index);
}

Tensor scatter_add(Arg x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  kernels::check_defined(ScatterAdd::kName, x);
  return apply(ScatterAdd{normalize_axis("scatter_add", axis, x->dim())}, x, index, source);
}

Tensor scatter(Arg x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  kernels::check_defined(Scatter::kName, x);
  return apply(Scatter{normalize_axis("scatter", axis, x->dim())}, x, index, source);
}

Tensor scatter(Arg x, std::int64_t axis, const Tensor& index, Scalar value) {
  kernels::check_defined(Scatter::kName, x, index);
  return scatter(x, axis, index, full(index.shape(), value, x->dtype()));
}

Tensor take(Arg x, const Tensor& index) {
  kernels::check_defined("take", x, index);
  const Tensor places = wrapped("take", index, x->numel());
  return reshape(index_select(flatten(x), 0, flatten(places)), index.shape());
}

Tensor nonzero(Arg x) {
  kernels::check_defined("nonzero", x);
  const Tensor holds = contiguous(x->detach() != 0);
  const std::span<const bool> flags = holds.data<bool>();
  const std::int64_t count = std::count(flags.begin(), flags.end(), true), rank = x->dim();
  Tensor out = empty({count, rank}, kInt64);
  std::int64_t* to = out.raw<std::int64_t>();
  for (std::int64_t i = 0; i < x->numel(); ++i) {
    if (!flags[static_cast<std::size_t>(i)]) continue;
    std::int64_t rest = i;
    for (std::int64_t axis = rank; axis-- > 0; rest /= x->size(axis)) to[axis] = rest % x->size(axis);
    to += rank;
  }
  return out;
}

Tensor masked_select(Arg x, const Tensor& mask) {
  kernels::check_defined("masked_select", x, mask);
  EG_CHECK(mask.dtype() == kBool, DtypeError, "[masked_select] the mask is {}, expected bool", mask.dtype());
  const Shape shape = broadcast_shapes("masked_select", x->shape(), mask.shape());
  const Tensor places = nonzero(flatten(expand(mask, shape)));
  return index_select(flatten(expand(x, shape)), 0, flatten(places));
}

Tensor index(Arg x, std::span<const Tensor> indices) {
  kernels::check_defined("index", x);
  const IndexedAxes indexed("index", x, indices);
  return indexed.restored(index_select(indexed.merged(x), 0, indexed.rows));
}

Tensor index_put(Arg x, std::span<const Tensor> indices, const Tensor& values) {
  kernels::check_defined("index_put", x, values);
  const IndexedAxes indexed("index_put", x, indices);
  EG_CHECK(values.dtype() == x->dtype(), DtypeError,
           "[index_put] the values are {}, expected the {} that they are put into", values.dtype(), x->dtype());
  EG_CHECK(broadcasts_to(values.shape(), indexed.result_shape()), ShapeError,
           "[index_put] values of shape {} do not broadcast to the {} that are indexed", values.shape(),
           indexed.result_shape());
  const Tensor rows = indexed.as_rows(expand(values, indexed.result_shape()));
  const Tensor merged = indexed.merged(x);
  const Tensor at = expand(unsqueeze(indexed.rows, 1), rows.shape());
  return indexed.split(scatter(merged, 0, at, rows));
}

Tensor embedding(Arg indices, const Tensor& weight, std::int64_t padding_idx) {
  kernels::check_defined("embedding", indices, weight);
  EG_CHECK(weight.dim() == 2, ShapeError, "[embedding] expected a weight of shape [rows, features], found {}",
           weight.shape());
  EG_CHECK(indices->dtype() == kInt64, DtypeError, "[embedding] the indexes are {}, expected int64", indices->dtype());
  EG_CHECK(padding_idx >= -1 && padding_idx < weight.size(0), IndexError,
           "[embedding] padding_idx {} is not one of the {} rows", padding_idx, weight.size(0));
  const Tensor flat = contiguous(flatten(indices));
  kernels::check_index("embedding", flat, 0, weight.size(0));
  Tensor rows = index_select(weight, 0, flat);
  if (padding_idx >= 0 && rows.requires_grad()) {
    const Tensor padding = unsqueeze(flat == padding_idx, 1);
    rows = where(padding, rows.detach(), rows);
  }
  Shape shape = indices->shape();
  shape.push_back(weight.size(1));
  return reshape(rows, shape);
}

Tensor one_hot(Arg labels, std::int64_t classes) {
  kernels::check_defined("one_hot", labels);
  EG_CHECK(labels->dtype() == kInt64, DtypeError, "[one_hot] the labels are {}, expected int64", labels->dtype());
  EG_CHECK(classes >= -1, ValueError, "[one_hot] expected a number of classes, or -1, found {}", classes);
  if (classes == -1) {
    EG_CHECK(labels->numel() > 0, ValueError, "[one_hot] no labels to tell the number of classes: give it");
    const Tensor row_major = contiguous(labels);
    const std::int64_t* values = row_major.raw<std::int64_t>();
    const std::int64_t largest = *std::max_element(values, values + labels->numel());
    EG_CHECK(largest < std::numeric_limits<std::int64_t>::max(), IndexError, "[one_hot] label {} passes int64",
             largest);
    classes = std::max<std::int64_t>(0, largest + 1);
  }
  return apply(OneHot{classes}, labels);
}

}  // namespace eigengrad
