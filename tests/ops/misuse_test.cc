// What ops say to arguments that they cannot take: the type of the error, and words that its message has to contain.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

enum class Kind { Shape, Dtype, Index, Value, Grad };

struct Misuse {
  Kind kind;
  std::vector<std::string> words;
  std::function<void()> call;
};

Kind kind_of(const Error& error) {
  if (dynamic_cast<const ShapeError*>(&error)) return Kind::Shape;
  if (dynamic_cast<const DtypeError*>(&error)) return Kind::Dtype;
  if (dynamic_cast<const IndexError*>(&error)) return Kind::Index;
  if (dynamic_cast<const GradError*>(&error)) return Kind::Grad;
  return Kind::Value;
}

void expect_errors(const std::vector<Misuse>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string which = "case " + std::to_string(i) + " (" + all[i].words[0] + ")";
    try {
      all[i].call();
      ADD_FAILURE() << which << ": no error";
    } catch (const Error& error) {
      EXPECT_EQ(static_cast<int>(kind_of(error)), static_cast<int>(all[i].kind)) << which << ": " << error.what();
      for (const std::string& word : all[i].words)
        EXPECT_NE(std::string(error.what()).find(word), std::string::npos)
            << which << ": '" << word << "' is not in: " << error.what();
    }
  }
}

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

Tensor f(const Shape& shape) { return ones(shape); }
Tensor i64(std::initializer_list<std::int64_t> values) { return tensor(values); }

// A case is a line.
// clang-format off
TEST(Misuse, Arithmetic) {
  expect_errors({
      {Kind::Shape, {"[add]", "[2, 3]", "[4]"}, [] { add(f({2, 3}), f({4})); }},
      {Kind::Shape, {"[sub]", "[2, 3]", "[2]"}, [] { sub(f({2, 3}), f({2})); }},
      {Kind::Shape, {"[mul]", "[0]", "[2]"}, [] { mul(f({0}), f({2})); }},
      {Kind::Shape, {"[div]"}, [] { div(f({3, 2}), f({2, 3})); }},
      {Kind::Shape, {"[pow]"}, [] { pow(f({3}), f({2})); }},
      {Kind::Shape, {"[maximum]"}, [] { maximum(f({3}), f({2})); }},
      {Kind::Shape, {"[minimum]"}, [] { minimum(f({3}), f({2})); }},
      {Kind::Shape, {"[remainder]"}, [] { remainder(f({3}), f({2})); }},
      {Kind::Dtype, {"[sub]", "bool"}, [] { sub(ones({2}, kBool), ones({2}, kBool)); }},
      {Kind::Dtype, {"[neg]", "bool"}, [] { neg(ones({2}, kBool)); }},
      {Kind::Value, {"[floor_divide]", "zero"}, [] { floor_divide(i64({1, 2}), i64({1, 0})); }},
      {Kind::Value, {"[floor_divide]", "-1"}, [] { floor_divide(i64({kMin}), i64({-1})); }},
      {Kind::Value, {"[remainder]", "zero"}, [] { remainder(i64({1}), i64({0})); }},
      {Kind::Value, {"[pow]", "-2"}, [] { pow(i64({3}), i64({-2})); }},
      {Kind::Value, {"[clamp]", "2", "1"}, [] { clamp(f({2}), 2, 1); }},
      {Kind::Value, {"[clamp]"}, [] { clamp(f({2}), std::numeric_limits<double>::quiet_NaN(), 1); }},
      {Kind::Value, {"undefined"}, [] { add(Tensor(), f({2})); }},
      {Kind::Value, {"undefined"}, [] { add(f({2}), Tensor()); }},
  });
}

TEST(Misuse, Math) {
  expect_errors({
      {Kind::Dtype, {"[exp]", "bool"}, [] { exp(ones({2}, kBool)); }},
      {Kind::Dtype, {"[relu]", "bool"}, [] { relu(ones({2}, kBool)); }},
      {Kind::Index, {"[softmax]", "2"}, [] { softmax(f({2, 3}), 2); }},
      {Kind::Index, {"[log_softmax]", "-3"}, [] { log_softmax(f({2, 3}), -3); }},
      {Kind::Value, {"[softplus]", "0"}, [] { softplus(f({2}), 0); }},
      {Kind::Value, {"[celu]", "0"}, [] { celu(f({2}), 0); }},
      {Kind::Value, {"[hardtanh]", "2", "1"}, [] { hardtanh(f({2}), 2, 1); }},
      {Kind::Value, {"[exp]", "undefined"}, [] { exp(Tensor()); }},
      {Kind::Dtype, {"[softmax]", "int64"}, [] { softmax(i64({1, 2}), 0); }},
  });
}

TEST(Misuse, Reductions) {
  expect_errors({
      {Kind::Index, {"[sum]", "2"}, [] { sum(f({2, 3}), {2}); }},
      {Kind::Index, {"[sum]", "-3"}, [] { sum(f({2, 3}), {-3}); }},
      {Kind::Index, {"[sum]", "1"}, [] { sum(f({2, 3}), {1, -1}); }},
      {Kind::Index, {"[mean]"}, [] { mean(f({2, 3}), {5}); }},
      {Kind::Index, {"[argmax]"}, [] { argmax(f({2, 3}), 2); }},
      {Kind::Shape, {"[amax]", "[0, 3]"}, [] { amax(f({0, 3})); }},
      {Kind::Shape, {"[amin]"}, [] { amin(f({2, 0}), {1}); }},
      {Kind::Shape, {"[mean]"}, [] { mean(f({0})); }},
      {Kind::Shape, {"[argmax]"}, [] { argmax(f({2, 0}), 1); }},
      {Kind::Shape, {"[argmin]"}, [] { argmin(f({0}), 0); }},
      {Kind::Dtype, {"[mean]", "int64"}, [] { mean(i64({1, 2})); }},
      {Kind::Dtype, {"[var]", "int64"}, [] { var(i64({1, 2})); }},
      {Kind::Dtype, {"[logsumexp]", "int64"}, [] { logsumexp(i64({1, 2})); }},
      {Kind::Shape, {"[sum_to]", "[2]", "[2, 3]"}, [] { sum_to(f({2, 3}), {2}); }},
      {Kind::Shape, {"[sum_to]"}, [] { sum_to(f({3}), {1, 1, 3}); }},
  });
}

TEST(Misuse, Shapes) {
  expect_errors({
      {Kind::Shape, {"[reshape]", "[2, 3]", "[4]"}, [] { reshape(f({2, 3}), {4}); }},
      {Kind::Shape, {"[reshape]", "-1"}, [] { reshape(f({2, 3}), {-1, -1}); }},
      {Kind::Shape, {"[reshape]"}, [] { reshape(f({2, 3}), {-2, 3}); }},
      {Kind::Shape, {"[reshape]"}, [] { reshape(f({2, 3}), {-1, 4}); }},
      {Kind::Shape, {"[reshape]"}, [] { reshape(f({0, 3}), {-1, 0}); }},
      {Kind::Shape, {"[reshape]"}, [] { reshape(f({2}), {kMax, 3}); }},
      {Kind::Index, {"[flatten]"}, [] { flatten(f({2, 3}), 1, 0); }},
      {Kind::Index, {"[flatten]"}, [] { flatten(f({2, 3}), 0, 2); }},
      {Kind::Index, {"[transpose]"}, [] { transpose(f({2, 3}), 0, 2); }},
      {Kind::Index, {"[transpose]"}, [] { transpose(f({2})); }},
      {Kind::Index, {"[permute]", "twice"}, [] { permute(f({2, 3}), {0, 0}); }},
      {Kind::Index, {"[permute]"}, [] { permute(f({2, 3}), {0}); }},
      {Kind::Index, {"[permute]"}, [] { permute(f({2, 3}), {0, 2}); }},
      {Kind::Shape, {"[expand]"}, [] { expand(f({2, 3}), {3}); }},
      {Kind::Shape, {"[expand]", "[2, 3]", "[2, 4]"}, [] { expand(f({2, 3}), {2, 4}); }},
      {Kind::Shape, {"negative"}, [] { expand(f({3}), {-1, 3}); }},
      {Kind::Shape, {"shape"}, [] { expand(f({1}), {4194305, 4194305, 211106198978564}); }},
      {Kind::Index, {"[squeeze]"}, [] { squeeze(f({2, 1}), 2); }},
      {Kind::Index, {"[unsqueeze]"}, [] { unsqueeze(f({2, 1}), 3); }},
      {Kind::Value, {"[slice]", "step"}, [] { slice(f({4}), 0, 0, 2, 0); }},
      {Kind::Value, {"[slice]", "step"}, [] { slice(f({4}), 0, 0, 2, -1); }},
      {Kind::Index, {"[slice]"}, [] { slice(f({4}), 1); }},
      {Kind::Index, {"[slice]", "scalar"}, [] { slice(f({}), 0); }},
      {Kind::Index, {"[select]", "4"}, [] { select(f({4}), 0, 4); }},
      {Kind::Index, {"[select]", "-5"}, [] { select(f({4}), 0, -5); }},
      {Kind::Index, {"[select]"}, [] { select(f({0, 3}), 0, 0); }},
      {Kind::Index, {"[narrow]"}, [] { narrow(f({4}), 0, 3, 2); }},
      {Kind::Index, {"[narrow]"}, [] { narrow(f({4}), 0, -1, 2); }},
      {Kind::Index, {"[narrow]"}, [] { narrow(f({4}), 0, 1, kMax); }},
      {Kind::Index, {"[narrow]"}, [] { narrow(f({4}), 0, 0, -1); }},
      {Kind::Value, {"[cat]", "none"}, [] { cat(std::span<const Tensor>()); }},
      {Kind::Shape, {"[cat]", "scalar"}, [] { cat({f({}), f({})}); }},
      {Kind::Shape, {"[cat]", "[2, 3]", "[2, 4]"}, [] { cat({f({2, 3}), f({2, 4})}); }},
      {Kind::Shape, {"[cat]"}, [] { cat({f({2, 3}), f({3})}); }},
      {Kind::Index, {"[cat]"}, [] { cat({f({2, 3})}, 2); }},
      {Kind::Value, {"[stack]"}, [] { stack(std::span<const Tensor>()); }},
      {Kind::Shape, {"[stack]"}, [] { stack({f({2}), f({3})}); }},
      {Kind::Index, {"[stack]"}, [] { stack({f({2})}, 2); }},
      {Kind::Value, {"[split]"}, [] { split(f({4}), 0); }},
      {Kind::Shape, {"[split]", "4"}, [] { split(f({4}), Dims{1, 2}); }},
      {Kind::Value, {"[split]"}, [] { split(f({4}), Dims{5, -1}); }},
      {Kind::Value, {"[chunk]"}, [] { chunk(f({4}), 0); }},
      {Kind::Index, {"axis"}, [] { unbind(f({4}), 1); }},
  });
}

TEST(Misuse, Choice) {
  expect_errors({
      {Kind::Dtype, {"[where]", "float32"}, [] { where(f({2}), f({2}), f({2})); }},
      {Kind::Shape, {"[where]"}, [] { where(ones({3}, kBool), f({2}), f({2})); }},
      {Kind::Shape, {"[where]"}, [] { where(ones({2}, kBool), f({2}), f({3})); }},
      {Kind::Dtype, {"[masked_fill]"}, [] { masked_fill(f({2}), f({2}), 0); }},
      {Kind::Shape, {"[masked_fill]"}, [] { masked_fill(f({2}), ones({2, 2}, kBool), 0); }},
      {Kind::Dtype, {"[masked_fill]"}, [] { masked_fill(i64({1, 2}), ones({2}, kBool), 0.5); }},
      {Kind::Shape, {"[eq]"}, [] { eq(f({2}), f({3})); }},
      {Kind::Shape, {"[gt]"}, [] { gt(f({2}), f({3})); }},
  });
}

TEST(Misuse, MatrixProducts) {
  expect_errors({
      {Kind::Shape, {"[matmul]", "[2, 3]", "[2, 3]"}, [] { matmul(f({2, 3}), f({2, 3})); }},
      {Kind::Shape, {"[matmul]"}, [] { matmul(f({}), f({2})); }},
      {Kind::Shape, {"[matmul]", "[3]", "[2]"}, [] { matmul(f({3}), f({2})); }},
      {Kind::Shape, {"[matmul]"}, [] { matmul(f({2, 2, 3}), f({3, 3, 2})); }},
      {Kind::Dtype, {"[matmul]", "float32", "float64"}, [] { matmul(f({2, 3}), ones({3, 2}, kFloat64)); }},
      {Kind::Dtype, {"[matmul]", "int64"}, [] { matmul(ones({2, 3}, kInt64), ones({3, 2}, kInt64)); }},
      {Kind::Shape, {"[linear]", "[2, 4]", "[5, 3]"}, [] { linear(f({2, 4}), f({5, 3})); }},
      {Kind::Shape, {"[linear]"}, [] { linear(f({}), f({5, 3})); }},
      {Kind::Shape, {"[linear]", "[3]"}, [] { linear(f({2, 3}), f({3})); }},
      {Kind::Shape, {"[linear]", "bias"}, [] { linear(f({2, 3}), f({5, 3}), f({3})); }},
      {Kind::Dtype, {"[linear]"}, [] { linear(f({2, 3}), f({5, 3}), ones({5}, kFloat64)); }},
  });
}

TEST(Misuse, Conversion) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_errors({
      {Kind::Value, {"[to]", "nan"}, [=] { to(tensor({1.0, nan}), kInt64); }},
      {Kind::Value, {"[to]", "int64"}, [] { to(tensor({1e19}), kInt64); }},
      {Kind::Value, {"[to]"}, [] { to(tensor({-1e19f}), kInt64); }},
      {Kind::Value, {"[to]", "inf"}, [] { to(tensor({std::numeric_limits<float>::infinity()}), kInt64); }},
  });
}

TEST(Misuse, InPlace) {
  expect_errors({
      {Kind::Shape, {"[copy_]", "[3]", "[2]"}, [] { Tensor x = f({2}); copy_(x, f({3})); }},
      {Kind::Shape, {"[add_]"}, [] { Tensor x = f({2}); add_(x, f({2, 2})); }},
      {Kind::Dtype, {"[mul_]", "bool"}, [] { Tensor x = ones({2}, kBool); mul_(x, ones({2}, kBool)); }},
      {Kind::Shape, {"[add_]", "expanded"}, [] { Tensor x = expand(f({1}), {3}); add_(x, f({3})); }},
      {Kind::Shape, {"[fill_]"}, [] { Tensor x = expand(f({2, 1}), {2, 3}); fill_(x, 1); }},
      {Kind::Grad, {"[add_]", "NoGrad"}, [] { Tensor x = f({2}).set_requires_grad(); add_(x, f({2})); }},
      {Kind::Grad, {"[mul_]", "operand"}, [] { Tensor x = f({2}); mul_(x, f({2}).set_requires_grad()); }},
      {Kind::Grad, {"[zero_]"}, [] { Tensor x = f({2}).set_requires_grad(); zero_(x); }},
  });
}

// clang-format on

}  // namespace
}  // namespace eigengrad
