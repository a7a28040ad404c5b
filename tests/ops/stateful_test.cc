// Ops that the table does not show whole: they change a tensor, draw numbers, or have a gradient of their own choice.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::tests {
namespace {

using Numbers = std::vector<double>;
Numbers numbers(const Tensor& x) { return to(x.detach(), kFloat64).to_vector<double>(); }

void expect_near(const Tensor& found, const Numbers& expected) {
  const Numbers values = numbers(found);
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-12) << "element " << i;
}

// ---- Batch normalisation: one channel of [1, 3, 5, 7] has mean 4, variance 5, unbiased variance 20/3.

struct BatchNorm : testing::Test {
  Tensor x = reshape(tensor({1., 3., 5., 7., 10., 10., 10., 10.}), {2, 4});
  Tensor batch = transpose(x);  // [4, 2]
  Tensor mean = tensor({1., 2.}), variance = tensor({3., 4.});
};

TEST_F(BatchNorm, TrainingMovesTheRunningStatistics) {
  const Tensor y = batch_norm(batch, mean, variance, {}, {}, {.training = true, .momentum = 0.25, .eps = 0});
  expect_near(select(y, 1, 0), {-3 / std::sqrt(5), -1 / std::sqrt(5), 1 / std::sqrt(5), 3 / std::sqrt(5)});
  expect_near(mean, {0.75 * 1 + 0.25 * 4, 0.75 * 2 + 0.25 * 10});
  expect_near(variance, {0.75 * 3 + 0.25 * 20 / 3, 0.75 * 4});
}

TEST_F(BatchNorm, TrainingNeedsNone) {
  const Tensor y = batch_norm(batch, {}, {}, {}, {}, {.training = true, .eps = 1});
  expect_near(select(y, 1, 0), {-3 / std::sqrt(6), -1 / std::sqrt(6), 1 / std::sqrt(6), 3 / std::sqrt(6)});
}

TEST_F(BatchNorm, EvaluationUsesThemAndLeavesThem) {
  const Tensor y = batch_norm(batch, mean, variance, tensor({2., 1.}), tensor({0., 5.}), {.eps = 1});
  expect_near(select(y, 1, 0), {0, 2, 4, 6});
  expect_near(select(y, 1, 1), Numbers(4, 8 / std::sqrt(5) + 5));
  expect_near(mean, {1, 2});
  expect_near(variance, {3, 4});
}

TEST_F(BatchNorm, RunningStatisticsCarryNoGradient) {
  const Tensor leaf = clone(batch).set_requires_grad();
  const Tensor y = batch_norm(leaf, mean, variance, {}, {}, {.training = true});
  EXPECT_TRUE(y.requires_grad());
  EXPECT_FALSE(mean.requires_grad());
  sum(y * y).backward();
  EXPECT_EQ(leaf.grad().shape(), (Shape{4, 2}));
}

// ---- Embedding.

TEST(Embedding, ThePaddingRowHasValuesButNoGradient) {
  const Tensor weight = tensor({{1., 2.}, {3., 4.}, {5., 6.}}).set_requires_grad();
  const Tensor indices = tensor({0, 1, 1, 2});
  const Tensor y = embedding(indices, weight, 1);
  EXPECT_EQ(numbers(y), (Numbers{1, 2, 3, 4, 3, 4, 5, 6}));
  sum(y).backward();
  EXPECT_EQ(numbers(weight.grad()), (Numbers{1, 1, 0, 0, 1, 1}));
}

// ---- Dropout.

TEST(Dropout, KeepsTheMeanAndTheShareOfZeros) {
  manual_seed(5);
  const Tensor y = dropout(ones({200, 500}, kFloat64), 0.3, true);
  const double zero_share = 1 - static_cast<double>(count_nonzero(y).item<std::int64_t>()) / 1e5;
  EXPECT_NEAR(zero_share, 0.3, 6 * std::sqrt(0.3 * 0.7 / 1e5));
  for (const double value : numbers(slice(flatten(y), 0, 0, 1000)))
    EXPECT_TRUE(value == 0 || std::abs(value - 1 / 0.7) < 1e-12);
}

TEST(Dropout, TheGradientHasTheSameMask) {
  const Tensor x = ones({1000}, kFloat64).set_requires_grad();
  const Tensor y = dropout(x, 0.5, true);
  sum(y).backward();
  EXPECT_EQ(numbers(x.grad()), numbers(y));
}

TEST(Dropout, AtTheEnds) {
  const Tensor x = tensor({1., 2.});
  EXPECT_EQ(numbers(dropout(x, 0, true)), (Numbers{1, 2}));
  EXPECT_EQ(numbers(dropout(x, 1, true)), (Numbers{0, 0}));
  EXPECT_EQ(numbers(dropout(x, 1, false)), (Numbers{1, 2}));
}

// ---- In-place forms: the elements of the op, in the memory of the target, also through views.

struct InPlace {
  const char* name;
  std::function<void(Tensor&)> change;
  std::function<Tensor(const Tensor&)> op;
};

TEST(InPlaceForms, GiveWhatTheOpGives) {
  const Tensor y = tensor({0.5, 2., 1.5}), mask = tensor({true, false, true});
  const std::vector<InPlace> forms = {
      {"add_", [&](Tensor& x) { add_(x, y, 2); }, [&](const Tensor& x) { return x + 2 * y; }},
      {"sub_", [&](Tensor& x) { sub_(x, y, 2); }, [&](const Tensor& x) { return x - 2 * y; }},
      {"mul_", [&](Tensor& x) { mul_(x, y); }, [&](const Tensor& x) { return x * y; }},
      {"div_", [&](Tensor& x) { div_(x, y); }, [&](const Tensor& x) { return x / y; }},
      {"pow_", [&](Tensor& x) { pow_(x, y); }, [&](const Tensor& x) { return pow(x, y); }},
      {"add_ number", [](Tensor& x) { add_(x, 3); }, [](const Tensor& x) { return x + 3; }},
      {"sub_ number", [](Tensor& x) { sub_(x, 3); }, [](const Tensor& x) { return x - 3; }},
      {"mul_ number", [](Tensor& x) { mul_(x, 3); }, [](const Tensor& x) { return x * 3; }},
      {"div_ number", [](Tensor& x) { div_(x, 3); }, [](const Tensor& x) { return x / 3; }},
      {"pow_ number", [](Tensor& x) { pow_(x, 3); }, [](const Tensor& x) { return pow(x, 3); }},
      {"addcmul_", [&](Tensor& x) { addcmul_(x, y, y, 2); }, [&](const Tensor& x) { return addcmul(x, y, y, 2); }},
      {"addcdiv_", [&](Tensor& x) { addcdiv_(x, y, y, 2); }, [&](const Tensor& x) { return addcdiv(x, y, y, 2); }},
      {"lerp_", [&](Tensor& x) { lerp_(x, y, 0.25); }, [&](const Tensor& x) { return lerp(x, y, 0.25); }},
      {"clamp_", [](Tensor& x) { clamp_(x, 0.5, 1); }, [](const Tensor& x) { return clamp(x, 0.5, 1); }},
      {"masked_fill_", [&](Tensor& x) { masked_fill_(x, mask, 9); },
       [&](const Tensor& x) { return masked_fill(x, mask, 9); }},
      {"neg_", [](Tensor& x) { neg_(x); }, [](const Tensor& x) { return neg(x); }},
      {"abs_", [](Tensor& x) { abs_(x); }, [](const Tensor& x) { return abs(x); }},
      {"exp_", [](Tensor& x) { exp_(x); }, [](const Tensor& x) { return exp(x); }},
      {"log_", [](Tensor& x) { log_(x); }, [](const Tensor& x) { return log(x); }},
      {"sqrt_", [](Tensor& x) { sqrt_(x); }, [](const Tensor& x) { return sqrt(x); }},
      {"square_", [](Tensor& x) { square_(x); }, [](const Tensor& x) { return square(x); }},
      {"reciprocal_", [](Tensor& x) { reciprocal_(x); }, [](const Tensor& x) { return reciprocal(x); }},
      {"floor_", [](Tensor& x) { floor_(x); }, [](const Tensor& x) { return floor(x); }},
      {"ceil_", [](Tensor& x) { ceil_(x); }, [](const Tensor& x) { return ceil(x); }},
      {"round_", [](Tensor& x) { round_(x); }, [](const Tensor& x) { return round(x); }},
      {"relu_", [](Tensor& x) { relu_(x); }, [](const Tensor& x) { return relu(x); }},
      {"sigmoid_", [](Tensor& x) { sigmoid_(x); }, [](const Tensor& x) { return sigmoid(x); }},
      {"tanh_", [](Tensor& x) { tanh_(x); }, [](const Tensor& x) { return tanh(x); }},
  };
  for (const InPlace& form : forms) {
    const Tensor original = tensor({{0.25, 0.75, 1.75}, {1.25, 2.5, 0.125}});
    const Tensor expected = form.op(original);
    Tensor x = clone(original);
    const double* const memory = x.data<double>().data();
    form.change(x);
    EXPECT_TRUE(allclose(x, expected, 1e-15, 0)) << form.name;
    EXPECT_EQ(x.data<double>().data(), memory) << form.name;
    EXPECT_GT(x.version(), 0u) << form.name;
    // Every other column of a larger tensor, whose other elements stay.
    Tensor wide = full({2, 6}, -7, kFloat64);
    Tensor view = slice(wide, 1, 0, 6, 2);
    copy_(view, original);
    form.change(view);
    EXPECT_TRUE(allclose(view, expected, 1e-15, 0)) << form.name << " of a view";
    EXPECT_TRUE(equal(slice(wide, 1, 1, 6, 2), full({2, 3}, -7, kFloat64))) << form.name << " beside a view";
  }
}

TEST(InPlaceForms, ByIndex) {
  Tensor x = zeros({4}, kFloat64);
  index_add_(x, 0, tensor({1, 1, 3}), tensor({1., 2., 4.}));
  EXPECT_EQ(numbers(x), (Numbers{0, 3, 0, 4}));
  scatter_add_(x, 0, tensor({0, 1}), tensor({5., 5.}));
  EXPECT_EQ(numbers(x), (Numbers{5, 8, 0, 4}));
  scatter_(x, 0, tensor({2, 0}), tensor({7., 9.}));
  EXPECT_EQ(numbers(x), (Numbers{9, 8, 7, 4}));
}

}  // namespace
}  // namespace eigengrad::tests
