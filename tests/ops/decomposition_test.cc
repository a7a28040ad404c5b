// Decompositions of matrices that are large, of low rank, of any scale, or on the edge of what can be taken apart.
#include "eigengrad/ops/decomposition.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/layouts.h"

namespace eigengrad::tests {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

double epsilon(Dtype dtype) { return dtype == kFloat32 ? 0x1p-23 : 0x1p-52; }

// |found - expected| within some epsilons of the largest expected element.
void expect_near(const Tensor& found, const Tensor& expected, double epsilons = 200) {
  ASSERT_EQ(found.shape(), expected.shape());
  if (expected.numel() == 0) return;
  const double largest = amax(abs(expected)).item(), error = amax(abs(found - expected)).item();
  EXPECT_LE(error, epsilons * epsilon(expected.dtype()) * largest + 1e-300) << to_string(expected.shape());
}

void expect_orthonormal_columns(const Tensor& q) {
  const Tensor product = matmul(transpose(q), q);
  expect_near(product, expand(eye(q.size(-1), q.dtype()), product.shape()));
}

// Matrices of many kinds, square where asked for.
std::vector<Tensor> matrices(Dtype dtype, bool square) {
  Generator random(7);
  const auto normal = [&](const Shape& shape) { return randn(shape, dtype, random); };
  std::vector<Tensor> result = {
      zeros({3, 3}, dtype), ones({20, 20}, dtype),          eye(40, dtype),
      normal({70, 70}),     diag(arange(-9, 10, 1, dtype)), matmul(normal({30, 2}), normal({2, 30}))};
  result.push_back(with_reversed_strides(normal({2, 3, 17, 17})));
  result.push_back(sliced_from_larger(normal({2, 5, 5})));
  const double tiny = dtype == kFloat32 ? 1e-25 : 1e-250;
  for (const double scale : {tiny, 1 / tiny}) result.push_back(normal({18, 18}) * scale);
  if (square) return result;
  for (const Shape& shape : {Shape{64, 23}, {23, 64}, {100, 1}, {1, 100}, {2, 40, 3}, {2, 3, 40}, {5, 0}, {0, 5}})
    result.push_back(normal(shape));
  return result;
}

class Decomposition : public testing::TestWithParam<Dtype> {};
INSTANTIATE_TEST_SUITE_P(Dtypes, Decomposition, testing::Values(kFloat32, kFloat64),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST_P(Decomposition, SvdPutTogetherIsTheMatrix) {
  for (const Tensor& x : matrices(GetParam(), false)) {
    const auto [u, s, vh] = svd(x);
    expect_near(matmul(u * unsqueeze(s, -2), vh), x);
    expect_orthonormal_columns(u);
    expect_orthonormal_columns(transpose(vh));
    EXPECT_TRUE(all(s >= 0).item<bool>());
    if (s.size(-1) > 1) {
      EXPECT_TRUE(all(slice(s, -1, 0, -1) >= slice(s, -1, 1)).item<bool>());
    }
  }
}

TEST_P(Decomposition, QrPutTogetherIsTheMatrix) {
  for (const Tensor& x : matrices(GetParam(), false)) {
    const auto [q, r] = qr(x);
    expect_near(matmul(q, r), x);
    expect_orthonormal_columns(q);
    EXPECT_TRUE(equal(r, triu(r)));
  }
}

TEST_P(Decomposition, EighPutTogetherIsTheMatrix) {
  for (const Tensor& x : matrices(GetParam(), true)) {
    const Tensor symmetric = x + transpose(x);
    const auto [values, vectors] = eigh(symmetric);
    expect_near(matmul(vectors * unsqueeze(values, -2), transpose(vectors)), symmetric);
    expect_orthonormal_columns(vectors);
    EXPECT_TRUE(all(slice(values, -1, 0, -1) <= slice(values, -1, 1)).item<bool>());
  }
}

TEST_P(Decomposition, CholeskyPutTogetherIsTheMatrix) {
  Generator random(8);
  for (const Shape& shape : {Shape{90, 90}, {3, 20, 20}, {0, 4, 4}, {0, 0}}) {
    const Tensor a = randn(shape, GetParam(), random);
    const Tensor x = matmul(a, transpose(a)) + eye(shape.back(), GetParam());
    const Tensor l = cholesky(x), u = cholesky(x, true);
    expect_near(matmul(l, transpose(l)), x);
    expect_near(matmul(transpose(u), u), x);
    EXPECT_TRUE(equal(l, tril(l)) && equal(u, triu(u)));
  }
}

TEST_P(Decomposition, SolutionsSolve) {
  Generator random(9);
  const Tensor a = randn({2, 60, 60}, GetParam(), random) + 20 * eye(60, GetParam());
  const Tensor b = randn({3, 1, 60, 4}, GetParam(), random);
  expect_near(matmul(a, solve(a, b)), expand(b, {3, 2, 60, 4}), 2000);
  expect_near(matmul(a, inverse(a)), expand(eye(60, GetParam()), a.shape()), 2000);
  expect_near(matmul(triu(a), solve_triangular(a, b, true)), expand(b, {3, 2, 60, 4}), 2000);
  const Tensor wide = transpose(b);
  expect_near(matmul(solve_triangular(a, wide, false, false), tril(a)), expand(wide, {3, 2, 4, 60}), 2000);
}

// The four conditions of Penrose, for matrices of any rank.
TEST_P(Decomposition, PinvIsThePseudoInverse) {
  for (const Tensor& x : matrices(GetParam(), false)) {
    const Tensor p = pinv(x), xp = matmul(x, p), px = matmul(p, x);
    expect_near(matmul(xp, x), x, 5000);
    expect_near(matmul(px, p), p, 5000);
    expect_near(transpose(xp), xp, 5000);
    expect_near(transpose(px), px, 5000);
  }
}

TEST(Decompositions, ReadOneTriangleAlone) {
  const Tensor x = tensor({{4., kNan, kNan}, {1., 5., kNan}, {2., 1., 6.}});
  const Tensor symmetric = tensor({{4., 1., 2.}, {1., 5., 1.}, {2., 1., 6.}});
  EXPECT_TRUE(equal(cholesky(x), cholesky(symmetric)));
  EXPECT_TRUE(equal(cholesky(transpose(x), true), cholesky(symmetric, true)));
  EXPECT_TRUE(equal(eigvalsh(x), eigvalsh(symmetric)));
  const Tensor b = ones({3, 2}, kFloat64);
  EXPECT_TRUE(equal(solve_triangular(x, b, false), solve_triangular(tril(symmetric), b, false)));
  const Tensor no_diagonal = tensor({{kNan, 1.}, {kNan, 0.}});
  EXPECT_TRUE(equal(solve_triangular(no_diagonal, tensor({{3.}, {1.}}), true, true, true), tensor({{2.}, {1.}})));
}

TEST(Decompositions, GradientsOfSymmetricMatricesAreSymmetric) {
  const Tensor x = tensor({{4., 1., 2.}, {1., 5., 1.}, {2., 1., 6.}}).set_requires_grad();
  const Tensor weight = to(reshape(arange(9), {3, 3}), kFloat64);
  const auto [values, vectors] = eigh(x);
  for (const Tensor& y :
       {cholesky(x), cholesky(x, true), matmul(vectors * unsqueeze(exp(values), -2), transpose(vectors))}) {
    const Tensor g = grad(sum(y * weight), {x})[0];
    expect_near(transpose(g), g);
  }
}

TEST(Decompositions, OfNothing) {
  EXPECT_TRUE(equal(det(zeros({2, 0, 0})), ones({2})));
  EXPECT_TRUE(equal(slogdet(zeros({0, 0})).sign, tensor(1.0f)));
  EXPECT_TRUE(equal(logdet(zeros({2, 0, 0})), zeros({2})));
  EXPECT_TRUE(equal(trace(zeros({2, 0, 3})), zeros({2})));
  EXPECT_TRUE(equal(matrix_norm(zeros({2, 0, 3}), MatrixNorm::Spectral), zeros({2})));
  EXPECT_EQ(pinv(zeros({2, 0, 3})).shape(), (Shape{2, 3, 0}));
  EXPECT_EQ(svd(zeros({2, 0, 3})).vh.shape(), (Shape{2, 0, 3}));
  EXPECT_EQ(qr(zeros({0, 2, 3})).r.shape(), (Shape{0, 2, 3}));
  EXPECT_EQ(solve(zeros({0, 0}), zeros({4, 0, 2})).shape(), (Shape{4, 0, 2}));
  EXPECT_EQ(solve(zeros({0, 0}), zeros({0})).shape(), Shape{0});
}

TEST(Decompositions, NanTravelsWhereItIsNoError) {
  const Tensor x = full({2, 2}, kNan, kFloat64);
  for (const Tensor& y : {inverse(x), det(x), logdet(x), qr(x).r, solve(eye(2, kFloat64), x)})
    EXPECT_TRUE(any(isnan(y)).item<bool>());
}

// ---- Determinants of 0, and below.

Tensor singular_matrices() {
  const Tensor rank_two = tensor({{1., 2., 3.}, {2., 4., 6.}, {0., 1., 1.}});
  return stack({rank_two, tensor({{1., 0., 0.}, {0., 3., 0.}, {0., 0., 0.}}), eye(3, kFloat64)});
}

TEST(Decompositions, DetOfSingularMatricesHasItsGradient) {
  const std::vector<Tensor> x = {singular_matrices().set_requires_grad()};
  ASSERT_EQ(det(x[0])[1].item(), 0.0);
  const auto f = [](std::span<const Tensor> in) { return det(in[0]); };
  const GradCheckResult first = gradcheck(f, x), second = gradgradcheck(f, x);
  EXPECT_TRUE(first.ok) << first.message;
  EXPECT_TRUE(second.ok) << second.message;
}

TEST(Decompositions, DetOfLowRankHasGradientZero) {
  const Tensor x = zeros({3, 3}).set_requires_grad();
  EXPECT_TRUE(equal(grad(det(x), {x})[0], zeros({3, 3})));
  const Tensor number = zeros({1, 1}).set_requires_grad();
  EXPECT_TRUE(equal(grad(det(number), {number})[0], ones({1, 1})));
}

TEST(Decompositions, LogdetOfZeroAndBelow) {
  const Tensor x = stack({zeros({2, 2}), diag(tensor({-1.0f, 2.0f})), diag(tensor({-1.0f, -2.0f}))});
  const auto [sign, logabsdet] = slogdet(x);
  EXPECT_TRUE(equal(sign, tensor({0.0f, -1.0f, 1.0f})));
  EXPECT_EQ(select(logabsdet, 0, 0).item(), -kInf);
  const Tensor y = logdet(x);
  EXPECT_EQ(select(y, 0, 0).item(), -kInf);
  EXPECT_TRUE(std::isnan(select(y, 0, 1).item()));
  EXPECT_NEAR(select(y, 0, 2).item(), std::log(2.0), 1e-6);
  const Tensor singular = zeros({2, 2}).set_requires_grad();
  EXPECT_FALSE(slogdet(singular).sign.requires_grad());
  EXPECT_THROW(slogdet(singular).logabsdet.backward(), ValueError);
}

TEST(Decompositions, SlogdetDoesNotOverflow) {
  const auto [sign, logabsdet] = slogdet(eye(400) * -1e3f);
  EXPECT_EQ(sign.item(), 1.0);
  EXPECT_NEAR(logabsdet.item(), 400 * std::log(1e3), 1e-3);
}

// ---- Gradients where singular values are equal, or 0.

TEST(Decompositions, ValuesAloneHaveGradientsWhereTheyAreEqual) {
  const Tensor x = eye(3, kFloat64).set_requires_grad();
  for (const Tensor& y : {svdvals(x), eigvalsh(x)}) expect_near(grad(sum(y), {x})[0], eye(3, kFloat64));
  expect_near(grad(matrix_norm(x, MatrixNorm::Nuclear), {x})[0], eye(3, kFloat64));
  const Tensor wide = narrow(eye(3, kFloat64), 0, 0, 2).set_requires_grad();
  expect_near(grad(sum(svdvals(wide)), {wide})[0], wide.detach());
}

TEST(Decompositions, PinvHasItsGradientWhereSingularValuesAreEqual) {
  const Tensor x = eye(3, kFloat64).set_requires_grad(), weight = to(reshape(arange(9), {3, 3}), kFloat64);
  expect_near(grad(sum(pinv(x) * weight), {x})[0], grad(sum(inverse(x) * weight), {x})[0]);
  const Tensor none = zeros({2, 3}, kFloat64).set_requires_grad();
  EXPECT_TRUE(equal(grad(sum(pinv(none)), {none})[0], zeros({2, 3}, kFloat64)));
}

TEST(Decompositions, QrOfDependentColumnsHasNoGradient) {
  EXPECT_NO_THROW(qr(zeros({3, 2})));
  const Tensor zero = zeros({3, 2}).set_requires_grad();
  EXPECT_THROW(sum(qr(zero).q).backward(), ValueError);
}

// What an expanded batch shares is factored once, and gives what its copies give.
TEST(Decompositions, SharedMatricesGiveWhatCopiesGive) {
  Generator random(10);
  const Tensor a = randn({2, 1, 7, 7}, kFloat64, random), b = randn({2, 5, 7, 3}, kFloat64, random);
  EXPECT_TRUE(equal(solve(a, b), solve(clone(contiguous(expand(a, {2, 5, 7, 7}))), b)));
}

}  // namespace
}  // namespace eigengrad::tests
