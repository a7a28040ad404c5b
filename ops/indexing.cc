#include "eigengrad/ops/indexing.h"

#include <algorithm>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

// Takes one index after the other, from the first axis on.
class Indexer {
 public:
  Indexer(Tensor x, std::span<const Index> indices) : x_(std::move(x)), shape_(x_.shape()) {
    std::int64_t named = 0, ellipses = 0;
    for (const Index& index : indices) {
      named += axes_of(index);
      ellipses += std::holds_alternative<EllipsisType>(index.value()) ? 1 : 0;
    }
    EG_CHECK(named <= x_.dim(), IndexError, "[index] found indexes for {} axes, but shape {} has {}", named, shape_,
             x_.dim());
    EG_CHECK(ellipses <= 1, IndexError, "[index] found {} ellipses, expected one at most", ellipses);
    rest_ = x_.dim() - named;
    for (const Index& index : indices) std::visit([&](const auto& value) { take(value); }, index.value());
  }
  Tensor base() const { return x_; }
  std::vector<Tensor> tensors() const { return tensors_; }

 private:
  static std::int64_t axes_of(const Index& index) {
    if (std::holds_alternative<EllipsisType>(index.value()) || std::holds_alternative<NoneType>(index.value()))
      return 0;
    const Tensor* const tensor = std::get_if<Tensor>(&index.value());
    return tensor && tensor->dtype() == kBool ? tensor->dim() : 1;
  }

  void take(std::int64_t position) {
    const std::int64_t extent = x_.size(axis_);
    EG_CHECK(position >= -extent && position < extent, IndexError,
             "[index] position {} is out of range for the {} elements of an axis of shape {}", position, extent,
             shape_);
    x_ = select(x_, axis_, position);
  }
  void take(const Slice& slice) {
    x_ = eigengrad::slice(x_, axis_, slice.start, slice.stop, slice.step);
    ++axis_;
  }
  void take(EllipsisType) { axis_ += rest_; }
  void take(NoneType) { x_ = unsqueeze(x_, axis_++); }
  void take(const Tensor& tensor) {
    EG_CHECK(tensor.dtype() == kInt64 || tensor.dtype() == kBool, DtypeError,
             "[index] an index tensor is {}, expected int64 positions or a bool mask", tensor.dtype());
    if (tensor.dtype() == kInt64)
      put(tensor);
    else
      take_mask(tensor);
  }
  void take_mask(const Tensor& mask) {
    EG_CHECK(mask.dim() > 0, IndexError, "[index] a mask needs an axis, found a scalar");
    for (std::int64_t i = 0; i < mask.dim(); ++i)
      EG_CHECK(mask.size(i) == x_.size(axis_ + i), ShapeError,
               "[index] a mask of shape {} does not fit the axes that it is for: shape {}", mask.shape(), shape_);
    for (const Tensor& positions : unbind(nonzero(mask), 1)) put(positions);
  }
  void put(const Tensor& positions) {
    tensors_.resize(static_cast<std::size_t>(axis_));
    tensors_.push_back(positions);
    ++axis_;
  }

  Tensor x_;
  const Shape shape_;
  std::int64_t axis_ = 0, rest_ = 0;
  std::vector<Tensor> tensors_;
};

}  // namespace

IndexedTensor::IndexedTensor(Tensor base, std::vector<Tensor> indices)
    : Tensor(indices.empty() ? base : index(base, indices)), base_(std::move(base)), indices_(std::move(indices)) {}

IndexedTensor Tensor::operator[](std::initializer_list<Index> indices) const {
  const Indexer indexer(*this, std::span(indices.begin(), indices.size()));
  return {indexer.base(), indexer.tensors()};
}

IndexedTensor Tensor::operator[](const Index& index) const { return (*this)[{index}]; }

void IndexedTensor::assign(const Tensor& values) {
  EG_CHECK(!grad_enabled() || !base_.requires_grad(), GradError,
           "[index] assignment to a tensor that requires grad, which is not recorded: do it under NoGrad");
  if (indices_.empty()) return copy_(base_, values);
  const NoGrad no_grad;
  copy_(base_, index_put(base_, indices_, to(values, base_.dtype())));
}

IndexedTensor& IndexedTensor::operator=(const Tensor& other) & {
  Tensor::operator=(other);
  return *this;
}
IndexedTensor& IndexedTensor::operator=(const IndexedTensor& other) & {
  Tensor::operator=(other);
  return *this;
}
void IndexedTensor::operator=(const Tensor& values) && { assign(values); }
void IndexedTensor::operator=(const IndexedTensor& values) && { assign(values); }
void IndexedTensor::operator=(Scalar value) && { assign(full({}, value, base_.dtype())); }
void IndexedTensor::operator+=(const Tensor& values) && { assign(*this + values); }
void IndexedTensor::operator-=(const Tensor& values) && { assign(*this - values); }
void IndexedTensor::operator*=(const Tensor& values) && { assign(*this * values); }
void IndexedTensor::operator/=(const Tensor& values) && { assign(*this / values); }
void IndexedTensor::operator+=(Scalar value) && { assign(*this + value); }
void IndexedTensor::operator-=(Scalar value) && { assign(*this - value); }
void IndexedTensor::operator*=(Scalar value) && { assign(*this * value); }
void IndexedTensor::operator/=(Scalar value) && { assign(*this / value); }

}  // namespace eigengrad
