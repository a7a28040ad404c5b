#include "eigengrad/core/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "eigengrad/core/allocator.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

// The message of the error that `f` throws.
template <class E, class F>
std::string message(F f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "no error";
}

TEST(Tensor, DefaultIsUndefined) {
  const Tensor x;
  EXPECT_FALSE(x.defined());
  EXPECT_THROW(x.shape(), Error);
  EXPECT_THROW(x.dtype(), Error);
  EXPECT_THROW(x.numel(), Error);
  EXPECT_THROW(x.item(), Error);
  EXPECT_THROW(x.data<float>(), Error);
  EXPECT_THROW(x.requires_grad(), Error);
  EXPECT_THROW(x.detach(), Error);
  EXPECT_THROW(x.backward(), Error);
  EXPECT_THROW(Tensor().set_requires_grad(), Error);
  EXPECT_THROW(Tensor().set_grad(Tensor()), Error);
  EXPECT_THROW(Tensor().retain_grad(), Error);
  EXPECT_THROW(Tensor().register_hook([](const Tensor& g) { return g; }), Error);
}

TEST(Tensor, KnowsItsShape) {
  const Tensor x = empty({2, 3, 4}, kFloat64);
  EXPECT_EQ(x.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(x.strides(), (Strides{12, 4, 1}));
  EXPECT_EQ(x.dim(), 3);
  EXPECT_EQ(x.numel(), 24);
  EXPECT_EQ(x.size(0), 2);
  EXPECT_EQ(x.size(-1), 4);
  EXPECT_THROW(x.size(3), IndexError);
  EXPECT_THROW(x.size(-4), IndexError);
  EXPECT_THROW(tensor(1.0).size(0), IndexError);
  EXPECT_EQ(x.dtype(), kFloat64);
  EXPECT_TRUE(x.is_contiguous());
}

TEST(Tensor, HoldsElementsAligned) {
  for (std::int64_t n = 0; n < 100; ++n)
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(empty({n}).data<float>().data()) % kAlignment, 0u);
}

TEST(Tensor, RefusesImpossibleShapes) {
  EXPECT_THROW(empty({4194305, 4194305, 211106198978564}), ShapeError);
  EXPECT_THROW(empty({-1}), ShapeError);
  EXPECT_THROW(zeros({2, -3}), ShapeError);
  EXPECT_THROW(empty({kMax / 2}, kFloat64), ShapeError);    // the bytes overflow
  EXPECT_THROW(empty({kMax / 16}, kFloat64), MemoryError);  // they do not, but nobody has them
  EXPECT_THROW(empty({0, kMax, kMax}), ShapeError);         // empty, with strides that overflow
  EXPECT_THROW(eye(kMax), Error);
  EXPECT_THROW(eye(-1), ShapeError);
  EXPECT_THROW(linspace(0, 1, -1), ShapeError);
}

TEST(Tensor, FailedAllocationLeavesNothing) {
  const std::int64_t blocks = memory_stats().live_blocks;
  EXPECT_THROW(empty({kMax / 16}), MemoryError);
  EXPECT_EQ(memory_stats().live_blocks, blocks);
}

TEST(Tensor, CopiesAreHandles) {
  Tensor x = zeros({3});
  Tensor y = x;
  EXPECT_TRUE(y.is_same(x));
  y.mutable_data<float>()[1] = 5;
  EXPECT_EQ(x.data<float>()[1], 5);
  EXPECT_FALSE(x.is_sole_owner());
  y = Tensor();
  EXPECT_TRUE(x.is_sole_owner());
  const Tensor view = x.detach();
  EXPECT_FALSE(x.is_sole_owner());
}

TEST(Tensor, MemoryIsReturned) {
  const MemoryStats before = memory_stats();
  {
    const Tensor x = zeros({100, 100}), y = x, z = transpose(x);
    EXPECT_GE(memory_stats().live_bytes, before.live_bytes + 40'000);
  }
  EXPECT_EQ(memory_stats().live_bytes, before.live_bytes);
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
}

TEST(Tensor, IsOneBlockWithItsElements) {
  zeros({3});
  const std::int64_t before = allocation_count();
  const Tensor x = zeros({3});
  EXPECT_EQ(allocation_count(), before + 1);
}

TEST(Tensor, ViewsKeepTheBlockOfATensorThatIsGone) {
  const std::int64_t blocks = memory_stats().live_blocks;
  Tensor x = full({3}, 7);
  const Tensor view = x.detach();
  x = Tensor();
  EXPECT_EQ(view.to_vector<float>(), (std::vector<float>{7, 7, 7}));
  EXPECT_TRUE(view.is_sole_owner());
  EXPECT_EQ(memory_stats().live_blocks, blocks + 2);
}

TEST(Data, ChecksTypeAndLayout) {
  Tensor x = zeros({2, 3});
  EXPECT_EQ(x.data<float>().size(), 6u);
  EXPECT_THROW(x.data<double>(), DtypeError);
  EXPECT_THROW(x.mutable_data<std::int64_t>(), DtypeError);
  EXPECT_THROW(transpose(x).data<float>(), ShapeError);
  EXPECT_THROW(transpose(x).mutable_data<float>(), ShapeError);
  EXPECT_NE(message<DtypeError>([&] { x.data<double>(); }).find("float32, expected float64"), std::string::npos);
  // A row of a row-major matrix is contiguous; an axis of extent 1 may have any stride.
  EXPECT_EQ(select(x, 0, 1).data<float>().data(), x.data<float>().data() + 3);
  EXPECT_TRUE(transpose(zeros({1, 3})).is_contiguous());
  EXPECT_TRUE(transpose(zeros({0, 3})).is_contiguous());
}

TEST(Data, WritingIsCheckedByTheGraph) {
  Tensor x = zeros({2}).set_requires_grad();
  EXPECT_THROW(x.mutable_data<float>(), GradError);
  EXPECT_EQ(x.version(), 0u);
  const NoGrad no_grad;
  x.mutable_data<float>()[0] = 1;
  EXPECT_EQ(x.version(), 1u);
}

TEST(Version, IsSharedByViews) {
  Tensor x = zeros({4});
  Tensor view = slice(x, 0, 1, 3), detached = x.detach();
  const Tensor copy = clone(x);
  view.mutable_data<float>();
  EXPECT_EQ(x.version(), 1u);
  EXPECT_EQ(detached.version(), 1u);
  fill_(x, 3);
  EXPECT_EQ(view.version(), 2u);
  EXPECT_EQ(copy.version(), 0u);
  x.data<float>();
  EXPECT_EQ(x.version(), 2u);
}

TEST(Item, OfExactlyOneElement) {
  EXPECT_EQ(tensor(2.5).item(), 2.5);
  EXPECT_EQ(tensor(7).item<int>(), 7);
  EXPECT_EQ(full({1, 1}, 3).item<float>(), 3);
  EXPECT_TRUE(tensor(true).item<bool>());
  EXPECT_EQ(select(arange(5), 0, 3).item<std::int64_t>(), 3);
  EXPECT_EQ(tensor(kMax).item<std::int64_t>(), kMax);
  EXPECT_THROW(zeros({2}).item(), ShapeError);
  EXPECT_THROW(zeros({0}).item(), ShapeError);
}

TEST(ToVector, OfAnyStrides) {
  using Integers = std::vector<std::int64_t>;
  const Tensor x = reshape(arange(6), {2, 3});
  EXPECT_EQ(x.to_vector<std::int64_t>(), (Integers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(transpose(x).to_vector<std::int64_t>(), (Integers{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(slice(x, 1, 0, 3, 2).to_vector<std::int64_t>(), (Integers{0, 2, 3, 5}));
  EXPECT_EQ(expand(arange(2), {3, 2}).to_vector<std::int64_t>(), (Integers{0, 1, 0, 1, 0, 1}));
  EXPECT_EQ(permute(reshape(arange(8), {2, 2, 2}), {2, 0, 1}).to_vector<std::int64_t>(),
            (Integers{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(zeros({2, 0}, kInt64).to_vector<std::int64_t>(), Integers{});
  EXPECT_EQ(tensor(9).to_vector<std::int64_t>(), Integers{9});
  EXPECT_EQ(tensor({true, false}).to_vector<bool>(), (std::vector<bool>{true, false}));
  EXPECT_THROW(x.to_vector<double>(), DtypeError);
}

TEST(FromBlob, ViewsTheCallersMemory) {
  std::vector<double> values{1, 2, 3, 4, 5, 6};
  Tensor x = Tensor::from_blob(values.data(), {2, 3}, kFloat64);
  EXPECT_EQ(x.data<double>().data(), values.data());
  values[4] = 50;
  EXPECT_EQ(select(select(x, 0, 1), 0, 1).item(), 50);
  x.mutable_data<double>()[0] = -1;
  EXPECT_EQ(values[0], -1);
  const Tensor columns = Tensor::from_blob(values.data(), {3, 2}, {1, 3}, kFloat64);
  EXPECT_EQ(columns.to_vector<double>(), (std::vector<double>{-1, 4, 2, 50, 3, 6}));
}

TEST(FromBlob, HoldsTheOwnerWhileAnyViewLives) {
  auto owner = std::make_shared<std::vector<float>>(4, 2.5f);
  const std::weak_ptr<std::vector<float>> watch = owner;
  Tensor row;
  {
    const Tensor x = Tensor::from_blob(owner->data(), {2, 2}, kFloat32, owner);
    owner.reset();
    row = select(x, 0, 1);
  }
  EXPECT_FALSE(watch.expired());
  EXPECT_EQ(row.to_vector<float>(), (std::vector<float>{2.5, 2.5}));
  row = Tensor();
  EXPECT_TRUE(watch.expired());
}

TEST(FromBlob, ChecksShapeAndStrides) {
  float values[4] = {};
  EXPECT_THROW(Tensor::from_blob(values, {-1}, kFloat32), ShapeError);
  EXPECT_THROW(Tensor::from_blob(values, {2, 2}, {1}, kFloat32), ShapeError);
  EXPECT_THROW(Tensor::from_blob(values, {2, 2}, {-2, 1}, kFloat32), Error);
  EXPECT_THROW(Tensor::from_blob(values, {4194305, 4194305, 211106198978564}, kFloat32), ShapeError);
  EXPECT_THROW(Tensor::from_blob(values, {2, 3}, {kMax, kMax}, kFloat32), Error);  // the last element is out of reach
  EXPECT_EQ(Tensor::from_blob(nullptr, {0, 3}, kFloat32).numel(), 0);
}

TEST(Construction, FromLists) {
  EXPECT_EQ(tensor({1., 2.}).dtype(), kFloat64);
  EXPECT_EQ(tensor({1.f, 2.f}).dtype(), kFloat32);
  EXPECT_EQ(tensor({1, 2}).dtype(), kInt64);
  EXPECT_EQ(tensor({true}).dtype(), kBool);
  EXPECT_EQ(tensor(1.5).dtype(), kFloat64);
  EXPECT_EQ(tensor(1.5, kFloat32).dtype(), kFloat32);
  EXPECT_EQ(tensor(1.5).shape(), Shape{});
  EXPECT_EQ(tensor({{1, 2, 3}, {4, 5, 6}}).shape(), (Shape{2, 3}));
  EXPECT_EQ(tensor({{1, 2}, {3, 4}}).to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 2, 3, 4}));
  EXPECT_THROW(tensor({{1, 2}, {3}}), ShapeError);
  EXPECT_THROW(tensor(std::vector<double>{1, 2, 3}, {2}), ShapeError);
  EXPECT_EQ(tensor(std::vector<double>{1, 2, 3, 4}, {2, 2}).shape(), (Shape{2, 2}));
}

TEST(Construction, Filled) {
  EXPECT_EQ(zeros({2}).to_vector<float>(), (std::vector<float>{0, 0}));
  EXPECT_EQ(ones({2}, kFloat64).to_vector<double>(), (std::vector<double>{1, 1}));
  EXPECT_EQ(full({2}, 7, kInt64).to_vector<std::int64_t>(), (std::vector<std::int64_t>{7, 7}));
  EXPECT_EQ(ones({1}, kBool).to_vector<bool>(), (std::vector<bool>{true}));
  EXPECT_EQ(eye(2, kFloat64).to_vector<double>(), (std::vector<double>{1, 0, 0, 1}));
  EXPECT_EQ(eye(0).shape(), (Shape{0, 0}));
  const Tensor x = transpose(zeros({2, 3}));
  EXPECT_EQ(ones_like(x).strides(), x.strides());
  EXPECT_EQ(zeros_like(x).dtype(), x.dtype());
  EXPECT_EQ(full_like(x, 2).to_vector<float>(), std::vector<float>(6, 2.f));
  EXPECT_EQ(empty_like(expand(zeros({1, 3}), {4, 3})).strides(), (Strides{3, 1}));
}

TEST(Construction, Ranges) {
  EXPECT_EQ(arange(3).to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_EQ(arange(0).numel(), 0);
  EXPECT_EQ(arange(5, 1, -2).to_vector<std::int64_t>(), (std::vector<std::int64_t>{5, 3}));
  EXPECT_EQ(arange(0.0, 1.0, 0.25, kFloat64).to_vector<double>(), (std::vector<double>{0, 0.25, 0.5, 0.75}));
  EXPECT_THROW(arange(0, 3, 0), ValueError);
  EXPECT_THROW(arange(0, 3, -1), ValueError);
  EXPECT_THROW(arange(0.0, std::nan(""), 1.0), ValueError);
  EXPECT_THROW(arange(-1), ValueError);
  EXPECT_EQ(linspace(0, 1, 5, kFloat64).to_vector<double>(), (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(linspace(2, 3, 1, kFloat64).to_vector<double>(), (std::vector<double>{2}));
  EXPECT_EQ(linspace(0, 0.3, 4, kFloat64).to_vector<double>().back(), 0.3);
  EXPECT_EQ(linspace(0, 1, 0).numel(), 0);
}

TEST(RequiresGrad, IsForFloatingLeaves) {
  Tensor x = ones({2});
  EXPECT_FALSE(x.requires_grad());
  EXPECT_TRUE(x.is_leaf());
  EXPECT_EQ(x.grad_fn(), nullptr);
  x.set_requires_grad();
  EXPECT_TRUE(x.requires_grad() && x.is_leaf());
  EXPECT_FALSE(x.grad().defined());
  x.set_requires_grad(false);
  EXPECT_FALSE(x.requires_grad());
  EXPECT_THROW(ones({2}, kInt64).set_requires_grad(), DtypeError);
  EXPECT_THROW(ones({2}, kBool).set_requires_grad(), DtypeError);
  x.set_requires_grad();
  Tensor y = x * 2;
  EXPECT_FALSE(y.is_leaf());
  EXPECT_NE(y.grad_fn(), nullptr);
  EXPECT_THROW(y.set_requires_grad(false), GradError);
  EXPECT_NO_THROW(y.set_requires_grad());
  EXPECT_FALSE(y.detach().requires_grad());
}

TEST(SetGrad, ChecksShapeAndType) {
  Tensor x = ones({2});
  EXPECT_THROW(x.set_grad(ones({2})), GradError);
  EXPECT_NO_THROW(x.zero_grad());
  x.set_requires_grad();
  EXPECT_THROW(x.set_grad(ones({3})), ShapeError);
  EXPECT_THROW(x.set_grad(ones({2}, kFloat64)), DtypeError);
  x.set_grad(full({2}, 3));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{3, 3}));
  x.zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(Print, DoesNotThrow) {
  for (const Dtype dtype : {kBool, kInt64, kFloat32, kFloat64})
    for (const Shape& shape : {Shape{}, Shape{0}, Shape{3}, Shape{2, 3}, Shape{2, 0, 3}, Shape{40, 40, 40}})
      EXPECT_FALSE(to_string(ones(shape, dtype)).empty());
}

}  // namespace
}  // namespace eigengrad
