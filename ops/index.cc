#include "eigengrad/ops/index.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
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
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    const Tensor from = contiguous(x[0]), index = contiguous(x[1]);
    kernels::check_index(kName, index, axis, from.size(axis));
    Shape shape = from.shape();
    shape[static_cast<std::size_t>(axis)] = index.numel();
    const Tensor out = empty(shape, from.dtype());
    dispatch(out.dtype(), [&]<class T>() {
      kernels::index_select<T>(out.raw<T>(), view_along(shape, axis), from.raw<T>(), view_along(from.shape(), axis),
                               index.raw<std::int64_t>());
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {index_add(zeros(s.shape(0), g.dtype()), axis, s.x(1), g), Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
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
  std::int64_t axis;
  Attributes attributes() const { return axis_attribute(axis); }
  Tensor forward(TensorRefs x) const {
    check_fits(kName, x[0], axis, x[1]);
    const Tensor index = contiguous(x[1]);
    kernels::check_index(kName, index, axis, view_along(x[0].shape(), axis).extent);
    const Tensor out = empty(index.shape(), x[0].dtype());
    dispatch(out.dtype(), [&]<class T>() { kernels::gather<T>(out.raw<T>(), x[0], axis, index); });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {scatter_add(zeros(s.shape(0), g.dtype()), axis, s.x(1), g), Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
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

// The axis of ops that take whole slices, and whose index therefore has one axis.
std::int64_t slice_axis(const char* op, const Tensor& x, std::int64_t axis, const Tensor& index) {
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

}  // namespace

Tensor index_select(const Tensor& x, std::int64_t axis, const Tensor& index) {
  return apply(IndexSelect{slice_axis("index_select", x, axis, index)}, x, index);
}

Tensor index_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  return apply(IndexAdd{slice_axis("index_add", x, axis, index)}, x, index, source);
}

Tensor gather(const Tensor& x, std::int64_t axis, const Tensor& index) {
  return apply(Gather{normalize_axis("gather", axis, x.dim())}, x, index);
}

Tensor scatter_add(const Tensor& x, std::int64_t axis, const Tensor& index, const Tensor& source) {
  return apply(ScatterAdd{normalize_axis("scatter_add", axis, x.dim())}, x, index, source);
}

Tensor one_hot(const Tensor& labels, std::int64_t classes) {
  EG_CHECK(labels.dtype() == kInt64, DtypeError, "[one_hot] the labels are {}, expected int64", labels.dtype());
  EG_CHECK(classes >= -1, ValueError, "[one_hot] expected a number of classes, or -1, found {}", classes);
  if (classes == -1) {
    EG_CHECK(labels.numel() > 0, ValueError, "[one_hot] no labels to tell the number of classes: give it");
    const Tensor row_major = contiguous(labels);
    const std::int64_t* values = row_major.raw<std::int64_t>();
    const std::int64_t largest = *std::max_element(values, values + labels.numel());
    EG_CHECK(largest < std::numeric_limits<std::int64_t>::max(), IndexError, "[one_hot] label {} passes int64",
             largest);
    classes = std::max<std::int64_t>(0, largest + 1);
  }
  return apply(OneHot{classes}, labels);
}

}  // namespace eigengrad
