#include "eigengrad/ops/index.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using Values = std::vector<double>;
using Integers = std::vector<std::int64_t>;

Tensor numbers(const Shape& shape) { return reshape(arange(0, checked_numel(shape), 1, kFloat64), shape); }

TEST(IndexSelect, PicksSlicesAlongAnAxis) {
  const Tensor x = tensor({{1., 2., 3.}, {4., 5., 6.}});
  EXPECT_EQ(index_select(x, 0, tensor({1, 1, 0})).to_vector<double>(), (Values{4, 5, 6, 4, 5, 6, 1, 2, 3}));
  const Tensor columns = index_select(x, -1, tensor({2, 0}));
  EXPECT_EQ(columns.shape(), (Shape{2, 2}));
  EXPECT_EQ(columns.to_vector<double>(), (Values{3, 1, 6, 4}));
}

TEST(IndexSelect, TakesAnyStridesAndDtypes) {
  const Tensor x = transpose(tensor({{1, 2, 3}, {4, 5, 6}}));
  EXPECT_EQ(index_select(x, 0, tensor({2, 0})).to_vector<std::int64_t>(), (Integers{3, 6, 1, 4}));
  EXPECT_EQ(index_select(x > 2, 1, slice(tensor({1, 9, 0}), 0, 0, 3, 2)).to_vector<bool>(),
            (std::vector<bool>{true, false, true, false, true, true}));
}

TEST(IndexSelect, OfNothingIsEmpty) {
  EXPECT_EQ(index_select(zeros({3, 2}), 0, zeros({0}, kInt64)).shape(), (Shape{0, 2}));
  EXPECT_EQ(index_select(zeros({3, 0}), 0, tensor({1, 1})).shape(), (Shape{2, 0}));
}

TEST(IndexSelect, GradientAddsUpWhereAnIndexRepeats) {
  Tensor x = tensor({{1., 2.}, {3., 4.}, {5., 6.}});
  x.set_requires_grad();
  const Tensor y = index_select(x, 0, tensor({2, 0, 2}));
  sum(y * tensor({{1., 10.}, {2., 20.}, {3., 30.}})).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Values{2, 20, 0, 0, 4, 40}));
}

TEST(IndexSelect, NamesTheIndexThatIsOutOfRange) {
  const Tensor x = zeros({2, 5});
  try {
    index_select(x, 1, tensor({0, 4, 5}));
    FAIL() << "index 5 of 5 was taken";
  } catch (const IndexError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("[index_select] index 5 (element 2 of the index) is out of range for axis 1 of extent 5"),
              std::string::npos)
        << message;
  }
  EXPECT_THROW(index_select(x, 0, tensor({-1})), IndexError);
  EXPECT_THROW(index_select(x, 2, tensor({0})), IndexError);
  EXPECT_THROW(index_select(x, 0, tensor({0.})), DtypeError);
  EXPECT_THROW(index_select(x, 0, tensor({{0}})), ShapeError);
  EXPECT_THROW(index_select(tensor(1.), 0, tensor({0})), ShapeError);
}

TEST(IndexAdd, AddsSlicesAndLeavesTheInputAlone) {
  const Tensor x = tensor({{1., 2.}, {3., 4.}});
  const Tensor y = index_add(x, 0, tensor({1, 1, 0}), tensor({{10., 20.}, {100., 200.}, {5., 5.}}));
  EXPECT_EQ(y.to_vector<double>(), (Values{6, 7, 113, 224}));
  EXPECT_EQ(x.to_vector<double>(), (Values{1, 2, 3, 4}));
  const Tensor z = index_add(transpose(x), 1, tensor({0}), tensor({{10.}, {20.}}));
  EXPECT_EQ(z.to_vector<double>(), (Values{11, 3, 22, 4}));
}

TEST(IndexAdd, GradientOfTheSourceIsASelection) {
  Tensor x = zeros({3}, kFloat64), source = tensor({1., 2.});
  x.set_requires_grad();
  source.set_requires_grad();
  sum(index_add(x, 0, tensor({2, 0}), source) * tensor({1., 10., 100.})).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Values{1, 10, 100}));
  EXPECT_EQ(source.grad().to_vector<double>(), (Values{100, 1}));
}

TEST(IndexAdd, RefusesWhatDoesNotFit) {
  const Tensor x = zeros({3, 2});
  EXPECT_THROW(index_add(x, 0, tensor({0, 3}), zeros({2, 2})), IndexError);
  EXPECT_THROW(index_add(x, 0, tensor({0, 1}), zeros({3, 2})), ShapeError);
  EXPECT_THROW(index_add(x, 0, tensor({0, 1}), zeros({2, 1})), ShapeError);
  EXPECT_THROW(index_add(x, 0, tensor({0}), zeros({1, 2}, kFloat64)), DtypeError);
}

TEST(IndexAdd, TheNumberOfThreadsChangesNoBit) {
  const int before = num_threads();
  const Tensor index = remainder(arange(3000), tensor(7));
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    const Tensor source = sin(to(numbers({3000, 200}), kFloat32));
    results.push_back(index_add(zeros({7, 200}), 0, index, source).to_vector<float>());
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
}

TEST(Gather, PicksAnElementForEachIndex) {
  const Tensor x = tensor({{1., 2., 3.}, {4., 5., 6.}});
  EXPECT_EQ(gather(x, 1, tensor({{2, 0}, {1, 1}})).to_vector<double>(), (Values{3, 1, 5, 5}));
  EXPECT_EQ(gather(x, 0, tensor({{1, 0, 1}})).to_vector<double>(), (Values{4, 2, 6}));
  EXPECT_EQ(gather(transpose(x), 0, tensor({{2, 0}, {1, 1}})).to_vector<double>(), (Values{3, 4, 2, 5}));
  EXPECT_EQ(gather(numbers({2, 3, 4}), 1, full({2, 1, 4}, 2, kInt64)).to_vector<double>(),
            (Values{8, 9, 10, 11, 20, 21, 22, 23}));
}

TEST(Gather, TakesScalarsAndNothing) {
  EXPECT_EQ(gather(tensor(3.), 0, tensor(0)).item(), 3);
  EXPECT_EQ(gather(zeros({2, 3}), 1, zeros({2, 0}, kInt64)).shape(), (Shape{2, 0}));
  EXPECT_EQ(gather(zeros({2, 3}), 1, zeros({0, 3}, kInt64)).shape(), (Shape{0, 3}));
}

TEST(Gather, GradientGoesWhereTheElementsCameFrom) {
  Tensor x = zeros({2, 3}, kFloat64);
  x.set_requires_grad();
  sum(gather(x, 1, tensor({{2, 2}, {0, 1}})) * tensor({{1., 2.}, {3., 4.}})).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Values{0, 0, 3, 3, 4, 0}));
}

TEST(Gather, RefusesWhatDoesNotFit) {
  const Tensor x = zeros({2, 3});
  EXPECT_THROW(gather(x, 1, tensor({{0}, {3}})), IndexError);
  EXPECT_THROW(gather(x, 1, tensor({{0}, {-1}})), IndexError);
  EXPECT_THROW(gather(x, 1, tensor({{0}, {0}, {0}})), ShapeError);
  EXPECT_THROW(gather(x, 1, tensor({0})), ShapeError);
  EXPECT_THROW(gather(x, 1, tensor({{0.}})), DtypeError);
  EXPECT_THROW(gather(x, 2, tensor({{0}})), IndexError);
}

TEST(ScatterAdd, IsTheAdjointOfGather) {
  // <gather(x), s> = <x, scatter_add(0, s)> along every axis.
  const Tensor x = sin(numbers({4, 3, 5}));
  for (std::int64_t axis = 0; axis < 3; ++axis) {
    Shape shape{3, 2, 4};
    shape[static_cast<std::size_t>(axis)] = 7;
    const Tensor index = remainder(reshape(arange(checked_numel(shape)), shape) * 5, tensor(x.size(axis)));
    const Tensor s = cos(numbers(shape));
    const double left = sum(gather(x, axis, index) * s).item();
    const double right = sum(x * scatter_add(zeros_like(x), axis, index, s)).item();
    EXPECT_NEAR(left, right, 1e-12) << "axis " << axis;
    EXPECT_GT(std::abs(left), 1e-3);
  }
}

TEST(ScatterAdd, AddsToACopy) {
  const Tensor x = tensor({1, 2, 3});
  EXPECT_EQ(scatter_add(x, 0, tensor({2, 2, 0}), tensor({10, 20, 5})).to_vector<std::int64_t>(), (Integers{6, 2, 33}));
  EXPECT_EQ(x.to_vector<std::int64_t>(), (Integers{1, 2, 3}));
}

TEST(ScatterAdd, GradientOfTheSourceIsGathered) {
  Tensor x = zeros({3}, kFloat64), source = tensor({1., 2.});
  x.set_requires_grad();
  source.set_requires_grad();
  sum(scatter_add(x, 0, tensor({2, 0}), source) * tensor({1., 10., 100.})).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (Values{1, 10, 100}));
  EXPECT_EQ(source.grad().to_vector<double>(), (Values{100, 1}));
}

TEST(ScatterAdd, TheNumberOfThreadsChangesNoBit) {
  const int before = num_threads();
  const Tensor index = zeros({2, 20'000, 3}, kInt64);  // every row falls on the first
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    const Tensor source = sin(to(numbers({2, 20'000, 3}), kFloat32));
    results.push_back(scatter_add(zeros({2, 1, 3}), 1, index, source).to_vector<float>());
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
}

TEST(ScatterAdd, RefusesWhatDoesNotFit) {
  const Tensor x = zeros({3});
  EXPECT_THROW(scatter_add(x, 0, tensor({3}), zeros({1})), IndexError);
  EXPECT_THROW(scatter_add(x, 0, tensor({0}), zeros({2})), ShapeError);
  EXPECT_THROW(scatter_add(x, 0, tensor({0}), zeros({1}, kFloat64)), DtypeError);
}

TEST(OneHot, MarksTheClass) {
  const Tensor marks = one_hot(tensor({2, 0}), 4);
  EXPECT_EQ(marks.shape(), (Shape{2, 4}));
  EXPECT_EQ(marks.to_vector<std::int64_t>(), (Integers{0, 0, 1, 0, 1, 0, 0, 0}));
  EXPECT_EQ(one_hot(tensor({{1}, {2}})).shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(one_hot(tensor(1)).to_vector<std::int64_t>(), (Integers{0, 1}));
  EXPECT_EQ(one_hot(zeros({0}, kInt64), 3).shape(), (Shape{0, 3}));
}

TEST(OneHot, RefusesLabelsThatAreNoClass) {
  EXPECT_THROW(one_hot(tensor({0, 4}), 4), IndexError);
  EXPECT_THROW(one_hot(tensor({-1, 2})), IndexError);
  EXPECT_THROW(one_hot(tensor({-3})), IndexError);
  EXPECT_THROW(one_hot(tensor({std::numeric_limits<std::int64_t>::max()})), IndexError);
  EXPECT_THROW(one_hot(tensor({1.})), DtypeError);
  EXPECT_THROW(one_hot(tensor({1}), -2), ValueError);
  EXPECT_THROW(one_hot(zeros({0}, kInt64)), ValueError);
}

}  // namespace
}  // namespace eigengrad
