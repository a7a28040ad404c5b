// Matrix products of every size about those at which another loop takes over, in every layout, against a plain loop.
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace {

using namespace eigengrad;

double at(const Tensor& x, std::int64_t i, std::int64_t j) { return Tensor(x[{i, j}]).item(); }

void expect_product(const Tensor& found, const Tensor& a, const Tensor& b, const Tensor& bias = Tensor()) {
  ASSERT_EQ(found.shape(), (Shape{a.size(0), b.size(1)}));
  for (std::int64_t i = 0; i < a.size(0); ++i)
    for (std::int64_t j = 0; j < b.size(1); ++j) {
      double sum = bias.defined() ? Tensor(bias[{j}]).item() : 0;
      for (std::int64_t k = 0; k < a.size(1); ++k) sum += at(a, i, k) * at(b, k, j);
      ASSERT_NEAR(at(found, i, j), sum, 1e-10 * static_cast<double>(1 + a.size(1))) << i << ", " << j;
    }
}

// The same elements in other layouts: row-major, column-major, with gaps.
std::vector<Tensor> layouts(const Tensor& x) {
  return {x, transpose(contiguous(transpose(x))), squeeze(slice(stack({x, x}, 2), 2, 0, 1), 2)};
}

class Products : public testing::TestWithParam<std::tuple<int, int, int>> {};

INSTANTIATE_TEST_SUITE_P(Sizes, Products,
                         testing::Combine(testing::Values(0, 1, 2, 4, 17), testing::Values(0, 1, 3, 8, 30),
                                          testing::Values(0, 1, 5, 8, 10, 33)));

TEST_P(Products, AgreeWithAPlainLoop) {
  const auto [rows, inner, columns] = GetParam();
  const Tensor a = randn({rows, inner}, kFloat64), b = randn({inner, columns}, kFloat64);
  for (const Tensor& left : layouts(a))
    for (const Tensor& right : layouts(b)) expect_product(matmul(left, right), a, b);
}

TEST_P(Products, LinearAddsItsBias) {
  const auto [rows, inner, columns] = GetParam();
  const Tensor x = randn({rows, inner}, kFloat64), weight = randn({columns, inner}, kFloat64),
               bias = randn({columns}, kFloat64);
  expect_product(linear(x, weight, bias), x, transpose(weight), bias);
  expect_product(linear(x, weight), x, transpose(weight));
}

// The gradient that a sum gives is one number, repeated with strides of 0.
TEST_P(Products, LinearTakesAnyGradient) {
  const auto [rows, inner, columns] = GetParam();
  const Tensor x = randn({rows, inner}, kFloat64).set_requires_grad(),
               weight = randn({columns, inner}, kFloat64).set_requires_grad(),
               bias = randn({columns}, kFloat64).set_requires_grad();
  sum(linear(x, weight, bias)).backward();
  const Tensor g = ones({rows, columns}, kFloat64);
  expect_product(x.grad(), g, weight.detach());
  expect_product(weight.grad(), transpose(g), x.detach());
  for (const double value : bias.grad().to_vector<double>()) EXPECT_EQ(value, rows);
}

}  // namespace
