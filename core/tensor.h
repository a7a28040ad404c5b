// Tensor: a cheap handle on storage, shape, strides, dtype and a link into the autograd graph.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "eigengrad/core/dims.h"
#include "eigengrad/core/dtype.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/ref.h"
#include "eigengrad/core/storage.h"
#include "eigengrad/core/thread_state.h"

namespace eigengrad {

class Index;
class IndexedTensor;
class Node;
class Tensor;

/// What a handle points at. Users have no need of it; kernels and ops read it through Tensor.
struct TensorImpl final : RefCounted {
  /// A view of a storage.
  static Ref<TensorImpl> create(Ref<Storage> storage, std::byte* data, const Shape& shape, const Strides& strides,
                                Dtype dtype);
  /// A tensor with a storage of its own of `bytes` bytes, in one block with it: row-major, with `numel` the product of
  /// the shape, unless strides are given. Throws std::bad_alloc.
  static Ref<TensorImpl> allocate(const Shape& shape, std::int64_t numel, std::size_t bytes, Dtype dtype);
  static Ref<TensorImpl> allocate(const Shape& shape, const Strides& strides, std::size_t bytes, Dtype dtype);
  static void destroy(TensorImpl* impl) noexcept;

  std::uint32_t slot = 0;  // which output of `node` this is
  Ref<Storage> storage;
  std::byte* data;  // the first element
  Ref<Node> node;   // the op that made it, or the Leaf that collects its gradient; null when none is wanted
  std::int64_t numel;
  Dtype dtype;
  bool contiguous;
  Shape shape;
  Strides strides;  // in elements

 private:
  TensorImpl(Ref<Storage> storage, std::byte* data, const Shape& shape, const Strides& strides, Dtype dtype);
  TensorImpl(Ref<Storage> storage, std::byte* data, const Shape& shape, std::int64_t numel, Dtype dtype);
  ~TensorImpl();
};

/// Called with the gradient of a tensor during the backward pass; what it returns replaces the gradient, unless it is
/// undefined.
using GradHook = std::function<Tensor(const Tensor& grad)>;

/// Options of Tensor::backward.
struct BackwardOptions {
  bool retain_graph = false;  ///< keep what the graph has saved, so that it can be walked again
};

/// An n-dimensional array with an element type known at run time.
///
/// Copying a Tensor copies the handle, not the data: `clone(x)` copies the data. A default-constructed Tensor is
/// undefined; using it in an op throws. Ops are free functions (`x + y`, `matmul(x, w)`, `relu(x)`, `reshape(x, {2,
/// 3})`) found without naming the namespace. Distinct tensors may be used by distinct threads at once.
class Tensor {
 public:
  Tensor() noexcept = default;
  /// Of an implementation: for ops.
  explicit Tensor(Ref<TensorImpl> impl) noexcept : impl_(std::move(impl)) {}

  /// A view of memory that the caller owns, row-major unless strides are given. `owner` is held while any view of the
  /// memory lives; when it is null the caller must keep the memory alive. Throws ShapeError for an impossible shape.
  static Tensor from_blob(void* data, const Shape& shape, Dtype dtype, std::shared_ptr<void> owner = nullptr);
  static Tensor from_blob(void* data, const Shape& shape, const Strides& strides, Dtype dtype,
                          std::shared_ptr<void> owner = nullptr);

  // ---- What it is. Each throws Error on an undefined tensor.
  /// Whether it is a tensor at all.
  bool defined() const noexcept { return static_cast<bool>(impl_); }
  /// Its extents, outermost axis first; empty for a scalar.
  const Shape& shape() const { return impl().shape; }
  /// Elements between neighbours along each axis.
  const Strides& strides() const { return impl().strides; }
  /// The extent of one axis; negative axes count from the back. Throws IndexError.
  std::int64_t size(std::int64_t axis) const;
  /// The number of axes.
  std::int64_t dim() const { return static_cast<std::int64_t>(impl().shape.size()); }
  /// The number of elements.
  std::int64_t numel() const { return impl().numel; }
  /// The element type.
  Dtype dtype() const { return impl().dtype; }
  /// Whether the elements lie row-major without gaps.
  bool is_contiguous() const { return impl().contiguous; }

  // ---- Its elements.
  /// The elements of a contiguous tensor of element type T, to read. Throws DtypeError, or ShapeError when it is not
  /// contiguous (`contiguous(x)` makes it so).
  template <Element T>
  std::span<const T> data() const {
    check_access(dtype_of<T>);
    return {reinterpret_cast<const T*>(impl_->data), static_cast<std::size_t>(impl_->numel)};
  }
  /// The same to write. Counts as an in-place change: throws GradError for a tensor that requires grad, unless under
  /// NoGrad.
  template <Element T>
  std::span<T> mutable_data() {
    check_access(dtype_of<T>);
    note_inplace_change("mutable_data");
    return {reinterpret_cast<T*>(impl_->data), static_cast<std::size_t>(impl_->numel)};
  }
  /// The only element, converted to T. Throws ShapeError when there is not exactly one.
  template <class T = double>
  T item() const {
    return item_scalar().to<T>();
  }
  /// The same as a Scalar of its kind.
  Scalar item_scalar() const;
  /// All elements in row-major order, whatever the strides. Throws DtypeError unless T is the element type.
  template <Element T>
  std::vector<T> to_vector() const;

  /// `x[{Slice(0, 5), 3, Ellipsis, None}]`, `x[mask]`: see ops/indexing.h.
  IndexedTensor operator[](std::initializer_list<Index> indices) const;
  IndexedTensor operator[](const Index& index) const;

  // ---- Its place in the graph.
  /// Whether gradients flow to it.
  bool requires_grad() const { return static_cast<bool>(impl().node); }
  /// Makes a leaf collect its gradient in grad(), or stop to. Throws DtypeError unless the dtype is floating, and
  /// GradError when it is the result of an op.
  Tensor& set_requires_grad(bool requires_grad = true);
  /// True for a tensor that no recorded op has made.
  bool is_leaf() const;
  /// The op that made it, or null.
  const Node* grad_fn() const;
  /// The gradient that backward() has accumulated here: defined for leaves, and after retain_grad(); otherwise an
  /// undefined tensor.
  Tensor grad() const;
  /// Replaces the accumulated gradient; an undefined tensor clears it. Throws ShapeError, DtypeError, GradError.
  void set_grad(const Tensor& grad);
  /// Clears the accumulated gradient.
  void zero_grad() { set_grad(Tensor()); }
  /// Makes grad() available on a tensor that is not a leaf.
  void retain_grad();
  /// Has `hook` called with the gradient of this tensor. Returns an id for remove_hook. Throws GradError when the
  /// tensor does not require grad. Ops in a hook are recorded only when the walk creates a graph.
  std::uint64_t register_hook(GradHook hook);
  /// Takes a hook away, if it is there.
  void remove_hook(std::uint64_t id);
  /// The same elements outside the graph. In-place changes are still noticed by the graph.
  Tensor detach() const;
  /// Walks the graph back from this scalar and accumulates ∂this/∂leaf in every leaf's grad(). Throws GradError when
  /// nothing requires grad, or when it is not a scalar (then give the gradient to start from). Either every leaf gets
  /// its gradient or, when an exception passes, none. Threads may walk graphs of their own that share leaves; one graph
  /// is for one thread at a time.
  void backward(const BackwardOptions& options = {}) const { backward(Tensor(), options); }
  void backward(const Tensor& grad, const BackwardOptions& options = {}) const;

  // ---- For ops and kernels.
  /// What it points at. Throws Error on an undefined tensor.
  TensorImpl& impl() const {
    if (!impl_) throw_undefined();
    return *impl_;
  }
  /// What it points at, or null.
  const Ref<TensorImpl>& ref() const noexcept { return impl_; }
  /// The first element, without checks.
  template <class T>
  T* raw() const {
    return reinterpret_cast<T*>(impl().data);
  }
  /// How often its storage has been changed in place.
  std::uint32_t version() const { return impl().storage->version(); }
  /// To be called before elements are changed in place: checks that the graph allows it, and has the change noticed.
  void note_inplace_change(const char* op);
  /// Whether nobody else can see its elements.
  bool is_sole_owner() const {
    return impl().use_count() == 1 && impl().storage->use_count() == 1 && !impl().storage->is_borrowed();
  }
  /// Whether a gradient rule may write over it: nobody else can see its elements, and each has a place of its own.
  bool can_be_reused() const;
  /// Whether two handles stand for one tensor.
  bool is_same(const Tensor& other) const noexcept { return impl_ == other.impl_; }

 private:
  void check_access(Dtype wanted) const;
  [[noreturn]] static void throw_undefined();

  Ref<TensorImpl> impl_;
};

[[noreturn]] void throw_wrong_count(std::size_t found, const Shape& shape);

// ---- Construction. The elements are row-major. Shapes with a negative extent throw ShapeError; memory that cannot be
// had, MemoryError.

/// Uninitialised elements.
Tensor empty(const Shape& shape, Dtype dtype = kFloat32);
/// Uninitialised elements, laid out in memory in the order of x's when x is dense.
Tensor empty_like(const Tensor& x);
Tensor empty_like(const Tensor& x, Dtype dtype);
/// Every element `value`, 0 or 1.
Tensor full(const Shape& shape, Scalar value, Dtype dtype = kFloat32);
Tensor zeros(const Shape& shape, Dtype dtype = kFloat32);
Tensor ones(const Shape& shape, Dtype dtype = kFloat32);
/// The same with the shape and dtype of x.
Tensor full_like(const Tensor& x, Scalar value);
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
/// 0, 1, …, n - 1 and, in the long form, start, start + step, … short of end.
Tensor arange(std::int64_t end, Dtype dtype = kInt64);
Tensor arange(Scalar start, Scalar end, Scalar step, Dtype dtype = kInt64);
/// `steps` evenly spaced values from start to end, both included.
Tensor linspace(double start, double end, std::int64_t steps, Dtype dtype = kFloat32);
/// The identity matrix [n, n].
Tensor eye(std::int64_t n, Dtype dtype = kFloat32);

/// The element type that a C++ number becomes in a tensor: int64 for every integer.
template <class T>
using ElementFor = std::conditional_t<std::integral<T> && !std::same_as<T, bool>, std::int64_t, T>;

/// A scalar tensor, of the number's own type unless a dtype is given.
template <class T>
requires std::is_arithmetic_v<T> Tensor tensor(T value, Dtype dtype = dtype_of<ElementFor<T>>) {
  return full({}, value, dtype);
}

/// A copy of `values` with the given shape. Throws ShapeError when their numbers differ.
template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape) {
  Tensor result = empty(shape, dtype_of<ElementFor<T>>);
  if (static_cast<std::size_t>(result.numel()) != values.size()) throw_wrong_count(values.size(), shape);
  std::copy(values.begin(), values.end(), result.raw<ElementFor<T>>());
  return result;
}
template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape) {
  return tensor(std::span<const T>(values), shape);
}

/// `tensor({1., 2., 3.})`: one axis.
template <class T>
Tensor tensor(std::initializer_list<T> values) {
  return tensor(std::span<const T>(values.begin(), values.size()), {static_cast<std::int64_t>(values.size())});
}

/// `tensor({{1., 2.}, {3., 4.}})`: a matrix. Throws ShapeError when the rows differ in length.
template <class T>
Tensor tensor(std::initializer_list<std::initializer_list<T>> rows) {
  const std::size_t columns = rows.size() == 0 ? 0 : rows.begin()->size();
  Tensor result =
      empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)}, dtype_of<ElementFor<T>>);
  auto* out = result.raw<ElementFor<T>>();
  for (const auto& row : rows) {
    if (row.size() != columns) throw_wrong_count(row.size(), {static_cast<std::int64_t>(columns)});
    out = std::copy(row.begin(), row.end(), out);
  }
  return result;
}

/// NumPy's print-out of the elements, then shape and dtype where they do not show.
std::ostream& operator<<(std::ostream& out, const Tensor& x);
std::string to_string(const Tensor& x);

}  // namespace eigengrad
