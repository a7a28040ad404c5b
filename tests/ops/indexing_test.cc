// x[…] and assignment through it.
#include <gtest/gtest.h>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using Numbers = std::vector<double>;

// 0, 1, 2, … in a shape.
Tensor counting(const Shape& shape) { return reshape(arange(checked_numel(shape), kFloat64), shape); }

void expect(const Tensor& found, const Shape& shape, const Numbers& values) {
  EXPECT_EQ(found.shape(), shape);
  EXPECT_EQ(found.to_vector<double>(), values);
}

template <class E, class F>
void expect_error(F f, const std::string& message) {
  try {
    f();
    ADD_FAILURE() << "no error, expected: " << message;
  } catch (const E& error) {
    EXPECT_EQ(std::string(error.what()).rfind(message, 0), 0u) << error.what();
  }
}

TEST(Indexing, Positions) {
  const Tensor x = counting({2, 3});
  expect(x[1], {3}, {3, 4, 5});
  expect(x[-1], {3}, {3, 4, 5});
  expect(x[{1, 2}], {}, {5});
  expect(x[{0, -3}], {}, {0});
  expect(x[{}], {2, 3}, {0, 1, 2, 3, 4, 5});
  const std::size_t position = 1;
  expect(x[position], {3}, {3, 4, 5});
}

TEST(Indexing, Slices) {
  const Tensor x = counting({2, 5});
  expect(x[{Slice(), Slice(1, 4)}], {2, 3}, {1, 2, 3, 6, 7, 8});
  expect(x[{Slice(), Slice(1, {}, 2)}], {2, 2}, {1, 3, 6, 8});
  expect(x[{Slice(-1, {}), Slice({}, -3)}], {1, 2}, {5, 6});
  expect(x[Slice(1, 100)], {1, 5}, {5, 6, 7, 8, 9});
  expect(x[Slice(5, 2)], {0, 5}, {});
  expect(x[{Slice(0, 5), 3}], {2}, {3, 8});
}

TEST(Indexing, EllipsisAndNone) {
  const Tensor x = counting({2, 3, 2});
  expect(x[{Ellipsis, 1}], {2, 3}, {1, 3, 5, 7, 9, 11});
  expect(x[{1, Ellipsis}], {3, 2}, {6, 7, 8, 9, 10, 11});
  expect(x[{0, Ellipsis, 1}], {3}, {1, 3, 5});
  expect(x[{0, 1, Ellipsis, 1}], {}, {3});
  expect(x[{0, 0, None}], {1, 2}, {0, 1});
  expect(x[{None, 0, Ellipsis, None}], {1, 3, 2, 1}, {0, 1, 2, 3, 4, 5});
  expect(x[{Slice(0, 5), 2, Ellipsis, None}], {2, 2, 1}, {4, 5, 10, 11});
}

TEST(Indexing, IsAViewUnlessByTensors) {
  const Tensor x = counting({2, 3});
  const Tensor column = x[{Slice(), 1}];
  EXPECT_EQ(column.impl().storage, x.impl().storage);
  EXPECT_NE(x[tensor({1})].impl().storage, x.impl().storage);
}

TEST(Indexing, Masks) {
  const Tensor x = counting({2, 3});
  expect(x[x > 2.5], {3}, {3, 4, 5});
  expect(x[tensor({false, true})], {1, 3}, {3, 4, 5});
  expect(x[{Slice(), tensor({true, false, true})}], {2, 2}, {0, 2, 3, 5});
  expect(x[{tensor({true, false}), 1}], {1}, {1});
  expect(x[x > 100], {0}, {});
}

// The figures are PyTorch's.
TEST(Indexing, PositionsInTensors) {
  const Tensor x = counting({2, 3, 2});
  expect(x[tensor({1, 0, -1})][{Slice(), 0, 0}], {3}, {6, 0, 6});
  expect(x[{tensor({1, 0}), tensor({2, 0})}], {2, 2}, {10, 11, 0, 1});
  expect(x[{Slice(), tensor({{2, 0}, {1, 1}}), 0}], {2, 2, 2}, {4, 0, 2, 2, 10, 6, 8, 8});
  expect(x[{tensor({1, 0}), Slice(), tensor({1, 0})}], {2, 3}, {7, 9, 11, 0, 2, 4});
  expect(x[{None, tensor(1), tensor({0, 1})}], {1, 2, 2}, {6, 7, 8, 9});
}

TEST(Indexing, CarriesGradients) {
  const Tensor x = counting({2, 3}).set_requires_grad();
  (sum(x[{Slice(), 1}]) + sum(x[x.detach() > 3.5]) * 10 + sum(x[{0, tensor({0, 0})}]) * 100).backward();
  expect(x.grad(), {2, 3}, {200, 1, 0, 0, 11, 10});
}

TEST(IndexAssignment, ThroughViews) {
  Tensor x = counting({2, 3});
  x[{0, 1}] = 10;
  x[{Slice(), 2}] = tensor({-1.0, -2.0});
  expect(x, {2, 3}, {0, 10, -1, 3, 4, -2});
  x[1] = 0.5;
  x[{0}] = x[{1}];
  expect(x, {2, 3}, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
}

TEST(IndexAssignment, ThroughMasksAndPositions) {
  Tensor x = counting({2, 3});
  x[x > 3.5] = 0;
  expect(x, {2, 3}, {0, 1, 2, 3, 0, 0});
  x[{tensor({0, 1}), tensor({2, 0})}] = tensor({7.0, 8.0});
  expect(x, {2, 3}, {0, 1, 7, 8, 0, 0});
  x[{Slice(), tensor({1, 1})}] = tensor({5.0, 6.0});  // the last of two for one place stays
  expect(x, {2, 3}, {0, 6, 7, 8, 6, 0});
  x[{0, tensor({true, false, true})}] = x[{1, Slice(0, 2)}];
  expect(x, {2, 3}, {8, 6, 6, 8, 6, 0});
}

TEST(IndexAssignment, Updates) {
  Tensor x = counting({2, 3});
  x[0] += 10;
  x[{Slice(), 0}] *= tensor({2.0, 3.0});
  x[x > 11.5] -= 1;
  x[{1, 1}] /= 2;
  expect(x, {2, 3}, {19, 11, 11, 9, 2, 5});
}

TEST(IndexAssignment, ConvertsToTheDtype) {
  Tensor x = arange(3);
  x[1] = 7.9;
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{0, 7, 2}));
  x[tensor({true, false, true})] = tensor({1.5, 2.5});
  EXPECT_EQ(x.to_vector<std::int64_t>(), (std::vector<std::int64_t>{1, 7, 2}));
}

TEST(IndexAssignment, ANameIsAHandle) {
  const Tensor x = counting({2, 2});
  auto row = x[0];
  row = row + 1;
  expect(row, {2}, {1, 2});
  expect(x, {2, 2}, {0, 1, 2, 3});
  Tensor other = x[1];
  other = other * 2;
  expect(x, {2, 2}, {0, 1, 2, 3});
}

TEST(IndexAssignment, NeedsNoGradWhereTheTensorRequiresGrad) {
  Tensor x = counting({2, 2}).set_requires_grad();
  expect_error<GradError>([&] { x[0] = 1; }, "[index] assignment to a tensor that requires grad");
  expect_error<GradError>([&] { x[x.detach() > 1] = 1; }, "[index] assignment to a tensor that requires grad");
  expect(x, {2, 2}, {0, 1, 2, 3});
  const Tensor loss = sum(x * x);
  {
    const NoGrad no_grad;
    x[0] = 1;
  }
  expect(x.detach(), {2, 2}, {1, 1, 2, 3});
  EXPECT_THROW(loss.backward(), GradError);  // it had saved the elements of before
}

TEST(Indexing, Errors) {
  Tensor x = counting({2, 3});
  expect_error<IndexError>([&] { (void)x[2]; },
                           "[index] position 2 is out of range for the 2 elements of an axis of shape [2, 3]");
  expect_error<IndexError>([&] { (void)x[{0, 0, 0}]; }, "[index] found indexes for 3 axes, but shape [2, 3] has 2");
  expect_error<IndexError>([&] { (void)x[{Ellipsis, Ellipsis}]; }, "[index] found 2 ellipses");
  expect_error<ValueError>([&] { (void)x[Slice(0, 2, 0)]; }, "[slice] the step must be at least 1, found 0");
  expect_error<DtypeError>([&] { (void)x[tensor({1.0})]; }, "[index] an index tensor is float64");
  expect_error<ShapeError>([&] { (void)x[tensor({true, false, true})]; }, "[index] a mask of shape [3] does not fit");
  expect_error<IndexError>([&] { (void)x[tensor({0, 2})]; }, "[index] index 2 is out of range for 2 elements");
  expect_error<ShapeError>([&] { x[0] = tensor({1.0, 2.0}); }, "[copy_] shape [2] does not broadcast to [3]");
  expect_error<ShapeError>(
      [&] {
        x[x > 2.5] = tensor({1.0, 2.0});
      },
      "[index_put] values of shape [2] do not broadcast to the [3]");
  expect_error<Error>([&] { (void)Tensor()[0]; }, "");
}

}  // namespace
}  // namespace eigengrad
