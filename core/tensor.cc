#include "eigengrad/core/tensor.h"

#include "eigengrad/core/allocator.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/node.h"

namespace eigengrad {
namespace {

bool is_row_major(const Shape& shape, const Strides& strides) {
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

// Bytes from the first element of a strided tensor to the end of its last. Throws ShapeError when they pass int64.
std::size_t extent_in_bytes(const Shape& shape, const Strides& strides, Dtype dtype) {
  std::int64_t last = 0, bytes = 0;
  bool overflow = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) return 0;
    std::int64_t along = 0;
    overflow = overflow || __builtin_mul_overflow(shape[i] - 1, strides[i], &along) ||
               __builtin_add_overflow(last, along, &last);
  }
  overflow = overflow || __builtin_add_overflow(last, 1, &last) ||
             __builtin_mul_overflow(last, static_cast<std::int64_t>(size_of(dtype)), &bytes);
  EG_CHECK(!overflow, ShapeError, "[from_blob] shape {} with strides {} reaches past 2^63 - 1 bytes", shape, strides);
  return static_cast<std::size_t>(bytes);
}

Leaf* leaf_of(const TensorImpl& impl) {
  return impl.node && impl.node->is_leaf() ? static_cast<Leaf*>(impl.node.get()) : nullptr;
}

template <class T>
Scalar read_scalar(const std::byte* data) {
  return Scalar(*reinterpret_cast<const T*>(data));
}

}  // namespace

TensorImpl::TensorImpl(Ref<Storage> s, std::byte* d, const Shape& sh, const Strides& st, Dtype type)
    : storage(std::move(s)), data(d), numel(1), dtype(type), shape(sh), strides(st) {
  for (const std::int64_t extent : shape) numel *= extent;
  contiguous = is_row_major(shape, strides);
}

TensorImpl::TensorImpl(Ref<Storage> s, std::byte* d, const Shape& sh, std::int64_t n, Dtype type)
    : storage(std::move(s)), data(d), numel(n), dtype(type), contiguous(true), shape(sh), strides(sh) {
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = step;
    step *= shape[i] > 1 ? shape[i] : 1;
  }
}

TensorImpl::~TensorImpl() = default;

Ref<TensorImpl> TensorImpl::create(Ref<Storage> storage, std::byte* data, const Shape& shape, const Strides& strides,
                                   Dtype dtype) {
  void* block = eigengrad::allocate(sizeof(TensorImpl));
  return Ref<TensorImpl>::adopt(new (block) TensorImpl(std::move(storage), data, shape, strides, dtype));
}

Ref<TensorImpl> TensorImpl::allocate(const Shape& shape, std::int64_t numel, std::size_t bytes, Dtype dtype) {
  auto storage = Storage::create(bytes, sizeof(TensorImpl));
  void* const room = storage->room();
  std::byte* const elements = storage->data();
  return Ref<TensorImpl>::adopt(new (room) TensorImpl(std::move(storage), elements, shape, numel, dtype));
}

Ref<TensorImpl> TensorImpl::allocate(const Shape& shape, const Strides& strides, std::size_t bytes, Dtype dtype) {
  auto storage = Storage::create(bytes, sizeof(TensorImpl));
  void* const room = storage->room();
  std::byte* const elements = storage->data();
  return Ref<TensorImpl>::adopt(new (room) TensorImpl(std::move(storage), elements, shape, strides, dtype));
}

void TensorImpl::destroy(TensorImpl* impl) noexcept {
  const Ref<Storage> storage = std::move(impl->storage);  // ends last: the tensor may lie in its block
  const bool has_block = impl != storage->room();
  impl->~TensorImpl();
  if (has_block) deallocate(impl, sizeof(TensorImpl));
}

Tensor Tensor::from_blob(void* data, const Shape& shape, Dtype dtype, std::shared_ptr<void> owner) {
  checked_numel(shape);  // before the strides are computed, which must not overflow
  return from_blob(data, shape, contiguous_strides(shape), dtype, std::move(owner));
}

Tensor Tensor::from_blob(void* data, const Shape& shape, const Strides& strides, Dtype dtype,
                         std::shared_ptr<void> owner) {
  EG_CHECK(shape.size() == strides.size(), ShapeError, "[from_blob] shape {} and strides {} differ in length", shape,
           strides);
  for (const std::int64_t stride : strides)
    EG_CHECK(stride >= 0, ValueError, "[from_blob] strides {} must not be negative", strides);
  checked_numel(shape);
  auto storage = Storage::borrow(data, extent_in_bytes(shape, strides, dtype), std::move(owner));
  return Tensor(TensorImpl::create(std::move(storage), static_cast<std::byte*>(data), shape, strides, dtype));
}

std::int64_t Tensor::size(std::int64_t axis) const {
  EG_CHECK(dim() > 0, IndexError, "[size] a scalar tensor has no axis {}", axis);
  return shape()[static_cast<std::size_t>(normalize_axis("size", axis, dim()))];
}

Scalar Tensor::item_scalar() const {
  EG_CHECK(numel() == 1, ShapeError, "[item] expected exactly one element, found shape {}", shape());
  switch (dtype()) {
    case Dtype::Bool: return read_scalar<bool>(impl_->data);
    case Dtype::Int64: return read_scalar<std::int64_t>(impl_->data);
    case Dtype::BFloat16: return Scalar(static_cast<float>(*reinterpret_cast<const BFloat16*>(impl_->data)));
    case Dtype::Float32: return read_scalar<float>(impl_->data);
    case Dtype::Float64: return read_scalar<double>(impl_->data);
  }
  return Scalar(0);
}

template <Element T>
std::vector<T> Tensor::to_vector() const {
  EG_CHECK(dtype() == dtype_of<T>, DtypeError, "[to_vector] the tensor is {}, expected {}", dtype(), dtype_of<T>);
  std::vector<T> values;
  values.reserve(static_cast<std::size_t>(numel()));
  if (numel() == 0) return values;
  const T* element = raw<T>();
  Dims position(shape().size());
  while (true) {
    values.push_back(*element);
    std::size_t axis = position.size();
    for (; axis-- > 0;) {
      element += strides()[axis];
      if (++position[axis] < shape()[axis]) break;
      element -= strides()[axis] * shape()[axis];
      position[axis] = 0;
    }
    if (axis == static_cast<std::size_t>(-1)) return values;
  }
}
template std::vector<bool> Tensor::to_vector<bool>() const;
template std::vector<std::int64_t> Tensor::to_vector<std::int64_t>() const;
template std::vector<BFloat16> Tensor::to_vector<BFloat16>() const;
template std::vector<float> Tensor::to_vector<float>() const;
template std::vector<double> Tensor::to_vector<double>() const;

Tensor& Tensor::set_requires_grad(bool requires_grad) {
  TensorImpl& self = impl();
  if (requires_grad == static_cast<bool>(self.node)) return *this;
  EG_CHECK(is_leaf(), GradError, "[set_requires_grad] the tensor is the result of [{}]: use detach()",
           self.node->name());
  EG_CHECK(is_floating(self.dtype), DtypeError, "[set_requires_grad] only floating tensors have gradients, this is {}",
           self.dtype);
  self.node = requires_grad ? Ref<Node>::adopt(new Leaf) : Ref<Node>();
  self.slot = 0;
  return *this;
}

bool Tensor::is_leaf() const { return !impl().node || impl_->node->is_leaf(); }

const Node* Tensor::grad_fn() const { return is_leaf() ? nullptr : impl_->node.get(); }

Tensor Tensor::grad() const {
  if (!impl().node) return Tensor();
  if (const Leaf* leaf = leaf_of(*impl_)) return leaf->grad();
  return impl_->node->retained_grad(impl_->slot);
}

void Tensor::set_grad(const Tensor& grad) {
  if (!impl().node && !grad.defined()) return;
  EG_CHECK(impl_->node, GradError, "[set_grad] the tensor does not require grad");
  if (grad.defined()) {
    EG_CHECK(grad.shape() == shape(), ShapeError, "[set_grad] the gradient is {}, expected {}", grad.shape(), shape());
    EG_CHECK(grad.dtype() == dtype(), DtypeError, "[set_grad] the gradient is {}, expected {}", grad.dtype(), dtype());
  }
  // A gradient with history, kept in its own leaf, would be a cycle.
  const Tensor value = grad.defined() ? grad.detach() : Tensor();
  if (Leaf* leaf = leaf_of(*impl_))
    leaf->mutable_grad() = value;
  else
    impl_->node->set_retained_grad(impl_->slot, value);
}

void Tensor::retain_grad() {
  EG_CHECK(requires_grad(), GradError, "[retain_grad] the tensor does not require grad");
  if (!is_leaf()) impl_->node->retain_grad(impl_->slot);
}

std::uint64_t Tensor::register_hook(GradHook hook) {
  EG_CHECK(requires_grad(), GradError, "[register_hook] the tensor does not require grad");
  return impl_->node->add_hook(impl_->slot, std::move(hook));
}

void Tensor::remove_hook(std::uint64_t id) {
  if (impl().node) impl_->node->remove_hook(id);
}

Tensor Tensor::detach() const {
  const TensorImpl& self = impl();
  return Tensor(TensorImpl::create(self.storage, self.data, self.shape, self.strides, self.dtype));
}

void Tensor::note_inplace_change(const char* op) {
  EG_CHECK(!requires_grad() || !grad_enabled(), GradError,
           "[{}] changes a tensor in place that requires grad, which the graph cannot record: do it under NoGrad", op);
  impl_->storage->bump_version();
}

void Tensor::check_access(Dtype wanted) const {
  EG_CHECK(dtype() == wanted, DtypeError, "[data] the tensor is {}, expected {}", dtype(), wanted);
  EG_CHECK(is_contiguous(), ShapeError,
           "[data] the tensor of shape {} and strides {} is not contiguous: use contiguous(x)", shape(), strides());
}

void Tensor::throw_undefined() { throw ValueError("an undefined tensor was used: it has no shape, dtype or elements"); }

void throw_wrong_count(std::size_t found, const Shape& shape) {
  throw ShapeError(fmt::format("[tensor] {} values do not fill shape {}", found, shape));
}

}  // namespace eigengrad
