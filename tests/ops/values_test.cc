// Values that the op table cannot state: integers, conventions at kinks, sharing of memory, long sums.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
using Integers = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

Integers integers(const Tensor& x) { return x.to_vector<std::int64_t>(); }
Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }
std::vector<bool> bools(const Tensor& x) { return x.to_vector<bool>(); }

Numbers gradient(const std::function<Tensor(const Tensor&)>& f, const Numbers& at) {
  Tensor x = tensor(at, {static_cast<std::int64_t>(at.size())}).set_requires_grad();
  sum(f(x)).backward();
  return numbers(x.grad());
}

TEST(Integers, WrapAround) {
  const Tensor top = tensor({kMax}), bottom = tensor({kMin});
  EXPECT_EQ(integers(top + 1), Integers{kMin});
  EXPECT_EQ(integers(bottom - 1), Integers{kMax});
  EXPECT_EQ(integers(top * 2), Integers{-2});
  EXPECT_EQ(integers(-bottom), Integers{kMin});
  EXPECT_EQ(integers(abs(bottom)), Integers{kMin});
  EXPECT_EQ(integers(square(top)), Integers{1});
}

TEST(Integers, DivisionRoundsDown) {
  const Tensor a = tensor<std::int64_t>({7, -7, 7, -7, 6, -6}), b = tensor<std::int64_t>({2, 2, -2, -2, 3, -3});
  EXPECT_EQ(integers(floor_divide(a, b)), (Integers{3, -4, -4, 3, 2, 2}));
  EXPECT_EQ(integers(remainder(a, b)), (Integers{1, 1, -1, -1, 0, 0}));
  EXPECT_EQ(integers(remainder(tensor({kMin}), tensor<std::int64_t>({-1}))), Integers{0});
  EXPECT_EQ((a / b).dtype(), kFloat32);
}

TEST(Integers, Powers) {
  EXPECT_EQ(integers(pow(tensor<std::int64_t>({2, -3, 0, 5}), tensor<std::int64_t>({10, 3, 0, 1}))),
            (Integers{1024, -27, 1, 5}));
  EXPECT_EQ(integers(pow(tensor<std::int64_t>({3, -4}), 2)), (Integers{9, 16}));
}

TEST(Integers, MathGivesFloat32) {
  EXPECT_EQ(exp(tensor<std::int64_t>({0, 1})).dtype(), kFloat32);
  EXPECT_EQ(integers(floor(tensor<std::int64_t>({3, -4}))), (Integers{3, -4}));
  EXPECT_EQ(integers(sum(tensor({true, true, false}))), Integers{2});
  EXPECT_EQ(integers(sum(tensor({kMax, std::int64_t{1}}))), Integers{kMin});
  EXPECT_EQ(integers(prod(tensor<std::int64_t>({2, 3, 4}))), Integers{24});
}

TEST(Bools, AreOrAndAnd) {
  const Tensor a = tensor({true, true, false, false}), b = tensor({true, false, true, false});
  EXPECT_EQ(bools(a + b), (std::vector<bool>{true, true, true, false}));
  EXPECT_EQ(bools(a * b), (std::vector<bool>{true, false, false, false}));
  EXPECT_EQ(bools(logical_xor(a, b)), (std::vector<bool>{false, true, true, false}));
  EXPECT_EQ(bools(logical_not(a)), (std::vector<bool>{false, false, true, true}));
}

TEST(Kinks, Conventions) {
  EXPECT_EQ(gradient([](const Tensor& x) { return relu(x); }, {-1, 0, 1}), (Numbers{0, 0, 1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return abs(x); }, {-1, 0, 1}), (Numbers{-1, 0, 1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return clamp(x, -1, 1); }, {-2, -1, 0, 1, 2}), (Numbers{0, 0, 1, 0, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return maximum(x, 1.0); }, {0, 1, 2}), (Numbers{0, 0.5, 1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return minimum(x, 1.0); }, {0, 1, 2}), (Numbers{1, 0.5, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return maximum(x, x); }, {3}), (Numbers{1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return amax(x); }, {1, 2, 2, 0}), (Numbers{0, 0.5, 0.5, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return prod(x); }, {2, 0, 3}), (Numbers{0, 6, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return prod(x); }, {0, 0, 3}), (Numbers{0, 0, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return pow(x, 0); }, {0, 2}), (Numbers{0, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return pow(0.0, x); }, {2, 3}), (Numbers{0, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return round(x) + floor(x) + ceil(x) + sign(x); }, {0.3, 2}),
            (Numbers{0, 0}));
}

// NaN in every place of a vector that fills all lanes: none may be lost, and none may spread.
TEST(NaN, TravelsFromEveryLane) {
  for (const Dtype dtype : {kFloat32, kFloat64})
    for (std::int64_t lane = 0; lane < 37; ++lane) {
      Tensor x = full({37}, 0.5, kFloat64);
      x.mutable_data<double>()[static_cast<std::size_t>(lane)] = kNan;
      x = to(x, dtype);
      const Tensor results[] = {relu(x),
                                clamp(x, -1, 1),
                                maximum(x, 0.0),
                                minimum(x, 0.0),
                                maximum(full({}, 0, dtype), x),
                                abs(x),
                                exp(x),
                                tanh(x),
                                sigmoid(x),
                                gelu(x),
                                softplus(x),
                                sign(x),
                                round(x),
                                gelu(x, GeluApproximate::Tanh),
                                sqrt(x),
                                log(x),
                                erf(x),
                                square(x),
                                reciprocal(x),
                                threshold(x, 0, 1),
                                softsign(x),
                                hardshrink(x, 0.1),
                                softshrink(x, 0.1),
                                hardsigmoid(x),
                                selu(x),
                                logsigmoid(x),
                                frac(x),
                                atan(x),
                                sinh(x),
                                cosh(x),
                                asinh(x),
                                exp2(x),
                                log2(x),
                                erfc(x),
                                logaddexp(x, x),
                                lerp(x, x, 0.5),
                                remainder(x, x),
                                atan2(x, x),
                                hypot(x, x),
                                -x};
      for (const Tensor& y : results) {
        const std::vector<bool> found = bools(isnan(y));
        for (std::int64_t i = 0; i < 37; ++i) ASSERT_EQ(found[static_cast<std::size_t>(i)], i == lane) << lane;
      }
      EXPECT_TRUE(std::isnan(amax(x).item()));
      EXPECT_TRUE(std::isnan(amin(x).item()));
      EXPECT_TRUE(std::isnan(sum(x).item()));
      EXPECT_TRUE(std::isnan(logsumexp(x).item()));
      EXPECT_EQ(argmax(x, 0).item<std::int64_t>(), lane);
      EXPECT_EQ(argmin(x, 0).item<std::int64_t>(), lane);
    }
}

TEST(Nothing, HasSumZeroAndProductOne) {
  EXPECT_EQ(sum(zeros({0})).item(), 0);
  EXPECT_EQ(prod(zeros({0})).item(), 1);
  EXPECT_EQ(numbers(sum(zeros({2, 0}, kFloat64), {1})), (Numbers{0, 0}));
  EXPECT_EQ(amax(zeros({0, 3}), {1}).shape(), Shape{0});
  EXPECT_TRUE(all(zeros({0})).item<bool>());
  EXPECT_FALSE(any(zeros({0})).item<bool>());
  EXPECT_EQ(numbers(matmul(zeros({2, 0}, kFloat64), zeros({0, 2}, kFloat64))), (Numbers{0, 0, 0, 0}));
  EXPECT_TRUE(std::isnan(var(ones({1})).item()));
  EXPECT_EQ(softmax(zeros({0, 3}), -1).shape(), (Shape{0, 3}));
  EXPECT_EQ(softmax(zeros({3, 0}), -1).shape(), (Shape{3, 0}));
}

TEST(Linear, WithoutFeaturesIsTheBias) {
  const Tensor y = linear(zeros({2, 3, 0}), zeros({4, 0}), ones({4}));
  EXPECT_EQ(y.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(sum(y).item(), 24);
}

TEST(Mean, OfEqualNumbersIsThatNumber) {
  for (std::int64_t n = 1; n <= 300; ++n) {
    EXPECT_EQ(mean(full({n}, 1, kFloat32)).item<float>(), 1.0f) << n;
    EXPECT_EQ(mean(full({n}, 3, kFloat64)).item(), 3.0) << n;
  }
}

// A float32 sum of a million numbers keeps its precision.
TEST(Sum, OfManyNumbersIsPrecise) {
  EXPECT_FLOAT_EQ(sum(full({1 << 20}, 0.1f)).item<float>(), 0.1f * (1 << 20));
  EXPECT_EQ(mean(full({3'000'000}, 0.1f)).item<float>(), 0.1f);
}

TEST(Views, ShareMemory) {
  Tensor x = arange(12, kFloat64);
  Tensor views[] = {reshape(x, {3, 4}),
                    transpose(reshape(x, {3, 4})),
                    slice(x, 0, 2, 9, 3),
                    select(x, 0, 5),
                    expand(x, {2, 12}),
                    unsqueeze(x, 0),
                    squeeze(reshape(x, {1, 12, 1})),
                    flatten(reshape(x, {3, 4})),
                    narrow(x, 0, 1, 3)};
  for (const Tensor& view : views) EXPECT_EQ(view.impl().storage, x.impl().storage);
  x.mutable_data<double>()[5] = -1;
  EXPECT_EQ(views[3].item(), -1);
  EXPECT_EQ(numbers(views[1])[4], -1);  // [1, 1] of the transposed
  EXPECT_NE(clone(x).impl().storage, x.impl().storage);
  EXPECT_NE(contiguous(views[1]).impl().storage, x.impl().storage);
}

TEST(Views, ReshapeCutsStridesAnewWherePossible) {
  const Tensor x = arange(24);
  const Tensor rows = slice(reshape(x, {4, 6}), 0, 0, std::nullopt, 2);  // [2, 6], strides [12, 1]
  EXPECT_EQ(reshape(rows, {2, 2, 3}).impl().storage, x.impl().storage);
  EXPECT_EQ(integers(reshape(rows, {2, 2, 3})), (Integers{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17}));
  EXPECT_NE(reshape(rows, {3, 4}).impl().storage, x.impl().storage);
  EXPECT_EQ(integers(reshape(rows, {3, 4})), (Integers{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(integers(reshape(transpose(reshape(x, {4, 6})), {12, 2})),
            integers(reshape(transpose(reshape(x, {4, 6})), {24})));
  EXPECT_EQ(reshape(expand(ones({1, 3}), {4, 3}), {2, 2, 3}).strides(), (Strides{0, 0, 1}));
}

TEST(Slice, ClipsItsBoundsAsPythonDoes) {
  const Tensor x = arange(5);
  EXPECT_EQ(integers(slice(x, 0, -2)), (Integers{3, 4}));
  EXPECT_EQ(integers(slice(x, 0, 1, 100, 3)), (Integers{1, 4}));
  EXPECT_EQ(integers(slice(x, 0, kMin, kMax, kMax)), (Integers{0}));
  EXPECT_EQ(integers(slice(x, 0, 4, 2)), (Integers{}));
  EXPECT_EQ(integers(slice(reshape(arange(6), {2, 3}), 0, 0, 2, kMax)), (Integers{0, 1, 2}));
}

// What a power is not computed for by the loop of the others: as the standard library has it, in all places of a
// vector.
TEST(Pow, OfZeroAndInfinityAndNaN) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity(), kNaN = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> numbers{0, -0.F, 1, -1, 0.5F, -0.5F, 2, -2, 3, -3, kInfinity, -kInfinity, kNaN};
  const auto count = static_cast<std::int64_t>(numbers.size());
  const Tensor x = tensor(numbers, {count}), y = pow(reshape(x, {count, 1}), x);
  for (std::int64_t i = 0; i < count; ++i)
    for (std::int64_t j = 0; j < count; ++j) {
      const float found = y[{i, j}].item<float>();
      const float expected = std::pow(numbers[static_cast<std::size_t>(i)], numbers[static_cast<std::size_t>(j)]);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(found)) << i << ", " << j << ": " << found;
      } else {
        EXPECT_FLOAT_EQ(found, expected) << i << ", " << j;
        EXPECT_EQ(std::signbit(found), std::signbit(expected)) << i << ", " << j;
      }
    }
}

TEST(BatchNormByStatistics, TakesALargeMeanAwayFirst) {
  const Tensor x = reshape(tensor<float>({1e4F - 0x1p-7F, 1e4F, 1e4F + 0x1p-7F}), {3, 1});
  const Tensor y = batch_norm(x, full({1}, 1e4), full({1}, 1e-4), Tensor(), Tensor(), {.training = false, .eps = 0});
  EXPECT_NEAR((y[{0, 0}].item()), -0.78125, 1e-6);
  EXPECT_EQ((y[{1, 0}].item()), 0);
  EXPECT_NEAR((y[{2, 0}].item()), 0.78125, 1e-6);
}

// What is infinite stays so, and where it is: a neighbour of no part does not count.
TEST(Interpolate, KeepsInfinities) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Tensor x = reshape(tensor<float>({1, static_cast<float>(kInfinity), 2, 3}), {1, 1, 4}).set_requires_grad();
  const Tensor doubled = interpolate(x, 2.0);
  for (std::int64_t i = 0; i < 8; ++i) {
    const double expected = i / 2 == 1 ? kInfinity : i / 2 == 0 ? 1 : i / 2;
    EXPECT_EQ((doubled[{0, 0, i}].item()), expected) << i;
  }
  const Tensor same = interpolate(x, Shape{7}, {.mode = InterpolateMode::Linear, .align_corners = true});
  EXPECT_EQ((same[{0, 0, 0}].item()), 1);
  EXPECT_EQ((same[{0, 0, 2}].item()), kInfinity);
  EXPECT_EQ((same[{0, 0, 4}].item()), 2);
  doubled.backward(doubled.detach());
  EXPECT_EQ((x.grad()[{0, 0, 0}].item()), 2);
  EXPECT_EQ((x.grad()[{0, 0, 1}].item()), kInfinity);
}

// A prediction that is right and sure still has a gradient: the probability of the other event.
TEST(BinaryCrossEntropyWithLogits, KeepsSmallGradients) {
  for (const double sign : {1.0, -1.0}) {
    const Tensor x = full({1}, 20 * sign).set_requires_grad(), target = full({1}, sign > 0 ? 1 : 0);
    const Tensor loss = binary_cross_entropy_with_logits(x, target);
    loss.backward();
    EXPECT_NEAR(loss.item() / std::log1p(std::exp(-20)), 1, 1e-6);
    EXPECT_NEAR(x.grad().item() / (-sign / (1 + std::exp(20))), 1, 1e-6);
  }
}

// Gradients that lie side by side are seen as one, others are copied; pieces that nobody used count as 0.
TEST(Split, JoinsTheGradientsOfItsPieces) {
  const Tensor factors = reshape(arange(12, kFloat32), {2, 6});
  const auto gradient = [&](const Dims& sizes, const auto& f) {
    const Tensor x = ones({2, 6}).set_requires_grad();
    sum(f(split(x, sizes, 1))).backward();
    EXPECT_TRUE(x.grad().is_contiguous());
    return x.grad();
  };
  using Pieces = std::vector<Tensor>;
  const auto equals = [](const Tensor& a, const Tensor& b) { return all(eq(a, b)).item<bool>(); };
  EXPECT_TRUE(equals(gradient({1, 3, 2}, [&](const Pieces& p) { return cat(p, 1) * factors; }), factors));
  EXPECT_TRUE(equals(gradient({0, 6, 0}, [&](const Pieces& p) { return cat(p, 1) * factors; }), factors));
  EXPECT_TRUE(equals(gradient({3, 3},
                              [&](const Pieces& p) {
                                return cat({p[1], p[0]}, 1) * factors;
                              }),
                     roll(factors, {3}, {1})));
  EXPECT_TRUE(equals(gradient({3, 3}, [&](const Pieces& p) { return p[0] * narrow(factors, 1, 0, 3); }),
                     factors * (arange(6) < 3)));
}

TEST(Split, SizesOfPieces) {
  const auto sizes = [](const std::vector<Tensor>& pieces) {
    Integers result;
    for (const Tensor& piece : pieces) result.push_back(piece.numel());
    return result;
  };
  EXPECT_EQ(sizes(split(arange(5), 2)), (Integers{2, 2, 1}));
  EXPECT_EQ(sizes(split(arange(5), kMax)), (Integers{5}));
  EXPECT_EQ(sizes(chunk(arange(5), 3)), (Integers{2, 2, 1}));
  EXPECT_EQ(sizes(chunk(arange(5), kMax)), (Integers{1, 1, 1, 1, 1}));
  EXPECT_EQ(sizes(split(arange(0), 2)), (Integers{0}));
  EXPECT_THROW(split(arange(5), Dims{kMax, kMax, 7}), Error);
}

TEST(Matmul, OfAnyLayoutIsTheSum) {
  const Tensor a = reshape(arange(12, kFloat64), {3, 4}), b = reshape(arange(20, kFloat64), {4, 5});
  const Numbers expected = numbers(sum(unsqueeze(a, 2) * unsqueeze(b, 0), {1}));
  EXPECT_EQ(numbers(matmul(a, b)), expected);
  EXPECT_EQ(numbers(transpose(matmul(transpose(b), transpose(a)))), expected);
  EXPECT_EQ(numbers(matmul(expand(ones({1, 1}, kFloat64), {2, 4}), b)),
            (Numbers{30, 34, 38, 42, 46, 30, 34, 38, 42, 46}));
}

// Large enough for several threads, and of awkward sizes.
TEST(Matmul, LargeProductsAreRight) {
  for (const Shape& size : {Shape{257, 129, 65}, Shape{1, 1000, 300}, Shape{1000, 1, 300}, Shape{300, 700, 1}}) {
    const Tensor a = remainder(reshape(arange(size[0] * size[1], kFloat64) * 37, {size[0], size[1]}), tensor(11.0)) - 5;
    const Tensor b = remainder(reshape(arange(size[1] * size[2], kFloat64) * 29, {size[1], size[2]}), tensor(13.0)) - 6;
    const Tensor y = matmul(a, b);
    for (std::int64_t row = 0; row < size[0]; row += 97)
      EXPECT_EQ(numbers(select(y, 0, row)), numbers(sum(unsqueeze(select(a, 0, row), 1) * b, {0}))) << to_string(size);
    EXPECT_TRUE(allclose(to(matmul(to(a, kFloat32), to(b, kFloat32)), kFloat64), y));
  }
}

TEST(Equal, ComparesShapeDtypeAndElements) {
  EXPECT_TRUE(equal(ones({2}), ones({2})));
  EXPECT_FALSE(equal(ones({2}), ones({2}, kFloat64)));
  EXPECT_FALSE(equal(ones({2}), ones({1, 2})));
  EXPECT_FALSE(equal(ones({2}), zeros({2})));
  EXPECT_FALSE(equal(full({1}, kNan), full({1}, kNan)));
  EXPECT_TRUE(equal(zeros({0}), ones({0})));
}

TEST(Allclose, TakesTolerances) {
  const Tensor one = ones({3}, kFloat64);
  EXPECT_TRUE(allclose(one, one + 0.9e-5));
  EXPECT_FALSE(allclose(one, one + 1.2e-5));
  EXPECT_TRUE(allclose(one, one + 0.09, 0, 0.1));
  EXPECT_FALSE(allclose(one, full({3}, kNan, kFloat64)));
  EXPECT_FALSE(allclose(full({1}, kNan), full({1}, kNan)));
  EXPECT_TRUE(allclose(full({1}, kNan), full({1}, kNan), 1e-5, 1e-8, true));
  EXPECT_TRUE(allclose(full({1}, kInf), full({1}, kInf)));
  EXPECT_FALSE(allclose(full({1}, kInf), full({1}, -kInf)));
  EXPECT_FALSE(allclose(full({1}, 1), full({1}, kInf)));
  EXPECT_TRUE(allclose(ones({2, 1}), ones({2})));  // broadcasts
}

TEST(InPlace, ChangesTheElements) {
  Tensor x = tensor({1., 2., 3., 4.});
  copy_(x, tensor({5., 6., 7., 8.}));
  add_(x, tensor({1.}), -2);
  mul_(x, tensor({1., 2., 3., 4.}));
  EXPECT_EQ(numbers(x), (Numbers{3, 8, 15, 24}));
  mul_(x, 0.5);
  EXPECT_EQ(numbers(x), (Numbers{1.5, 4, 7.5, 12}));
  fill_(x, 9);
  EXPECT_EQ(numbers(x), (Numbers{9, 9, 9, 9}));
  zero_(x);
  EXPECT_EQ(numbers(x), (Numbers{0, 0, 0, 0}));
}

TEST(InPlace, WritesThroughViews) {
  Tensor x = zeros({3, 3}, kFloat64);
  Tensor column = select(x, 1, 1);
  fill_(column, 7);
  EXPECT_EQ(numbers(x), (Numbers{0, 7, 0, 0, 7, 0, 0, 7, 0}));
  copy_(x, tensor({1., 2., 3.}));
  EXPECT_EQ(numbers(column), (Numbers{2, 2, 2}));
}

TEST(InPlace, OperandMayOverlapItsTarget) {
  Tensor x = reshape(arange(9, kFloat64), {3, 3});
  add_(x, transpose(x));
  EXPECT_EQ(numbers(x), (Numbers{0, 4, 8, 4, 8, 12, 8, 12, 16}));
  Tensor y = arange(5, kFloat64);
  Tensor tail = slice(y, 0, 1);
  copy_(tail, slice(y, 0, 0, 4));
  EXPECT_EQ(numbers(y), (Numbers{0, 0, 1, 2, 3}));
  Tensor z = arange(3, kFloat64);
  mul_(z, z);
  EXPECT_EQ(numbers(z), (Numbers{0, 1, 4}));
}

TEST(InPlace, OperandIsConverted) {
  Tensor x = zeros({2}, kInt64);
  copy_(x, tensor({1.9, -1.9}));
  EXPECT_EQ(integers(x), (Integers{1, -1}));
}

TEST(To, ConvertsAndIsDifferentiableBetweenFloats) {
  EXPECT_EQ(integers(to(tensor({1.9, -1.9, 0.}), kInt64)), (Integers{1, -1, 0}));
  EXPECT_EQ(bools(to(tensor({0.5, 0., kNan, -0.}), kBool)), (std::vector<bool>{true, false, true, false}));
  EXPECT_EQ(numbers(to(tensor({true, false}), kFloat64)), (Numbers{1, 0}));
  Tensor x = tensor({1., 2.}).set_requires_grad();
  const Tensor y = to(x, kFloat32);
  EXPECT_EQ(y.dtype(), kFloat32);
  sum(y * y).backward();
  EXPECT_EQ(x.grad().dtype(), kFloat64);
  EXPECT_EQ(numbers(x.grad()), (Numbers{2, 4}));
  EXPECT_FALSE(to(x, kInt64).requires_grad());
  EXPECT_TRUE(to(x, kFloat64).is_same(x));
}

TEST(MixedTypes, GradientsComeInTheTypeOfTheInput) {
  Tensor x = ones({2}, kFloat32).set_requires_grad(), y = full({2}, 3, kFloat64).set_requires_grad();
  const Tensor z = x * y;
  EXPECT_EQ(z.dtype(), kFloat64);
  sum(z).backward();
  EXPECT_EQ(x.grad().dtype(), kFloat32);
  EXPECT_EQ(y.grad().dtype(), kFloat64);
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{3, 3}));
}

// Where bool, int64 and numbers of the program meet: PyTorch's torch.result_type, row against column.
TEST(ResultType, IsPyTorchs) {
  const Dtype types[] = {kBool, kInt64, kFloat32, kFloat64};
  const int with_axes_both[4][4] = {{0, 1, 2, 3}, {1, 1, 2, 3}, {2, 2, 2, 3}, {3, 3, 3, 3}};
  const int scalar_right[4][4] = {{0, 1, 2, 3}, {1, 1, 2, 3}, {2, 2, 2, 2}, {3, 3, 3, 3}};
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) {
      const Tensor a = zeros({2}, types[i]), b = zeros({2}, types[j]), scalar = zeros({}, types[j]);
      EXPECT_EQ(result_type(a, b), types[with_axes_both[i][j]]) << i << j;
      EXPECT_EQ(result_type(zeros({}, types[i]), scalar), types[with_axes_both[i][j]]) << i << j;
      EXPECT_EQ(result_type(a, scalar), types[scalar_right[i][j]]) << i << j;
      EXPECT_EQ(result_type(scalar, a), types[scalar_right[i][j]]) << i << j;
      EXPECT_EQ((a + scalar).dtype(), types[scalar_right[i][j]]) << i << j;
    }
}

TEST(ResultType, NumbersTakeTheTypeOfTheTensor) {
  EXPECT_EQ((zeros({2}, kBool) + 1).dtype(), kInt64);
  EXPECT_EQ((zeros({2}, kBool) + true).dtype(), kBool);
  EXPECT_EQ((zeros({2}, kBool) + 1.5).dtype(), kFloat32);
  EXPECT_EQ((zeros({2}, kInt64) + 1).dtype(), kInt64);
  EXPECT_EQ((zeros({2}, kInt64) * 1.5).dtype(), kFloat32);
  EXPECT_EQ((zeros({}, kInt64) * 1.5).dtype(), kFloat32);
  EXPECT_EQ((zeros({2}, kFloat32) * 1.5).dtype(), kFloat32);
  EXPECT_EQ((1.5 - zeros({2}, kFloat64)).dtype(), kFloat64);
}

TEST(Layout, ElementwiseOpsKeepTheStrides) {
  const Tensor x = transpose(ones({2, 3, 4}), 0, 2);
  EXPECT_EQ(relu(x).strides(), x.strides());
  EXPECT_EQ((x + x).strides(), x.strides());
  EXPECT_EQ(clone(x).strides(), x.strides());
}

// Rows of equal terms, the worst for a sum in float32: lanes alone are off by 6e-6 here.
TEST(LongRows, AreSummedExactly) {
  constexpr std::int64_t kLong = 100'000;
  const Tensor scores = cat({ones({1}), full({kLong}, 0.3)}, 0);
  const double other = std::exp(-0.7), share = other / (1 + other * kLong);
  EXPECT_NEAR(select(softmax(scores, 0), 0, kLong).item<double>() / share, 1, 1e-6);
  manual_seed(8);
  const Tensor x = randn({1, kLong}).set_requires_grad();
  layer_norm(x, {kLong}).backward(full({1, kLong}, 0.1));
  EXPECT_LE(max(abs(x.grad())).item<double>(), 3e-7) << "what is the same everywhere does not change a row's norm";
  const Tensor q = zeros({1, 2}), k = zeros({kLong, 2}), v = full({kLong, 1}, 1);
  EXPECT_NEAR(scaled_dot_product_attention(q, k, v).item<double>(), 1, 1e-5);
}

}  // namespace
}  // namespace eigengrad
