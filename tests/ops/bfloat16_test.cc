// Tensors of bfloat16: how they are converted, promoted, changed in place and differentiated. That every op takes them
// is checked by op_table_test.cc.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

namespace eigengrad {
namespace {

std::vector<double> numbers(const Tensor& x) { return to(x.detach(), kFloat64).to_vector<double>(); }
Tensor narrow_tensor(std::initializer_list<double> values) { return to(tensor(values), kBFloat16); }

TEST(BFloat16Ops, ConvertBetweenAllTypes) {
  const Tensor x = narrow_tensor({-1.5, 0, 3.140625});
  EXPECT_EQ(numbers(to(x, kFloat32)), (std::vector<double>{-1.5, 0, 3.140625}));
  EXPECT_EQ(to(x, kInt64).to_vector<std::int64_t>(), (std::vector<std::int64_t>{-1, 0, 3}));
  EXPECT_EQ(to(x, kBool).to_vector<bool>(), (std::vector<bool>{true, false, true}));
  EXPECT_EQ(numbers(to(tensor({true, false}), kBFloat16)), (std::vector<double>{1, 0}));
  EXPECT_EQ(numbers(to(tensor({257, -3}), kBFloat16)), (std::vector<double>{256, -3}));
  EXPECT_EQ(numbers(to(transpose(reshape(to(arange(6), kBFloat16), {2, 3})), kFloat64)),
            (std::vector<double>{0, 3, 1, 4, 2, 5}));
}

// Figures of torch 2.x: with tensors of axes and numbers as below.
TEST(BFloat16Ops, PromoteAsPyTorchDoes) {
  const Tensor x = narrow_tensor({1, 2}), scalar = full({}, 2, kBFloat16);
  EXPECT_EQ((x + tensor({1, 2})).dtype(), kBFloat16);
  EXPECT_EQ((x + tensor({1.F, 2.F})).dtype(), kFloat32);
  EXPECT_EQ((x + tensor({1., 2.})).dtype(), kFloat64);
  EXPECT_EQ((x + full({}, 1, kFloat64)).dtype(), kBFloat16);
  EXPECT_EQ((scalar + tensor({1, 2})).dtype(), kBFloat16);
  EXPECT_EQ((scalar + full({}, 1, kFloat32)).dtype(), kFloat32);
  EXPECT_EQ((x * 0.5).dtype(), kBFloat16);
  EXPECT_EQ((scalar * 0.5).dtype(), kBFloat16);
  EXPECT_EQ((x > 1.5).dtype(), kBool);
  EXPECT_EQ(where(tensor({true, false}), x, 0.25).dtype(), kBFloat16);
}

// A number of the program is not rounded before it is used: torch.tensor([3.], dtype=torch.bfloat16) * 0.1 is 0.3008.
TEST(BFloat16Ops, NumbersKeepTheirDigits) {
  EXPECT_EQ(numbers(narrow_tensor({3}) * 0.1)[0], 0.30078125);
  EXPECT_EQ(numbers(narrow_tensor({100}) * 1.004)[0], 100.5);  // by 1.004 rounded, 1.0, it would stay 100
  Tensor x = narrow_tensor({100});
  mul_(x, 1.004);
  EXPECT_EQ(numbers(x)[0], 100.5);
}

TEST(BFloat16Ops, AreRoundedOncePerOp) {
  // A sum of 1,000 times 0.01: added one by one in bfloat16 it would stop at 4.
  EXPECT_NEAR(sum(full({1000}, 0.01, kBFloat16)).item(), 10.0, 0.04);
  const Tensor a = to(reshape(arange(64), {8, 8}), kBFloat16), product = matmul(a, transpose(a));
  EXPECT_EQ(product.dtype(), kBFloat16);
  EXPECT_EQ(numbers(product), numbers(to(matmul(to(a, kFloat32), to(transpose(a), kFloat32)), kBFloat16)));
}

TEST(BFloat16Ops, ViewsShareMemory) {
  Tensor x = zeros({4, 4}, kBFloat16);
  Tensor view = select(transpose(x), 0, 1);
  add_(view, tensor({1., 2., 3., 4.}));
  EXPECT_EQ(numbers(sum(x, {0})), (std::vector<double>{0, 10, 0, 0}));
  x[{2}] = 5;
  EXPECT_EQ(numbers(x[{2}]), (std::vector<double>{5, 5, 5, 5}));
}

TEST(BFloat16Ops, ChangeInPlace) {
  Tensor x = narrow_tensor({1, 2, 3});
  const std::uint32_t version = x.version();
  add_(x, narrow_tensor({0.5, 0.5, 0.5}), 2);
  EXPECT_EQ(numbers(x), (std::vector<double>{2, 3, 4}));
  EXPECT_GT(x.version(), version);
  div_(x, 4);
  lerp_(x, narrow_tensor({1, 1, 1}), 0.5);
  EXPECT_EQ(numbers(x), (std::vector<double>{0.75, 0.875, 1}));
  neg_(x);
  relu_(x);
  EXPECT_EQ(numbers(x), (std::vector<double>{0, 0, 0}));
}

// Every change in place, against the same of float32, which is rounded once.
TEST(BFloat16Ops, EveryChangeInPlaceIsRoundedOnce) {
  const Tensor index = tensor({1, 0});
  const std::vector<std::function<void(Tensor&, const Tensor&)>> changes{
      [](Tensor& x, const Tensor& y) { add_(x, y, 0.3); },
      [](Tensor& x, const Tensor& y) { sub_(x, y, 0.3); },
      [](Tensor& x, const Tensor& y) { mul_(x, y); },
      [](Tensor& x, const Tensor& y) { div_(x, y); },
      [](Tensor& x, const Tensor& y) { lerp_(x, y, 0.3); },
      [](Tensor& x, const Tensor& y) { copy_(x, y); },
      [](Tensor& x, const Tensor&) { fill_(x, 0.1); },
      [](Tensor& x, const Tensor&) { zero_(x); },
      [](Tensor& x, const Tensor&) { add_(x, 0.1); },
      [](Tensor& x, const Tensor&) { mul_(x, 0.1); },
      [](Tensor& x, const Tensor&) { pow_(x, 3); },
      [](Tensor& x, const Tensor&) { clamp_(x, 0.55, 1.1); },
      [](Tensor& x, const Tensor& y) { masked_fill_(x, y > 1, 0.1); },
      [&](Tensor& x, const Tensor& y) { index_add_(x, 0, index, y); },
      [&](Tensor& x, const Tensor& y) {
        scatter_(x, 0, expand(unsqueeze(index, 1), {2, 3}), y);
      },
      [&](Tensor& x, const Tensor& y) {
        scatter_add_(x, 0, expand(unsqueeze(index, 1), {2, 3}), y);
      }};
  std::vector<void (*)(Tensor&)> functions{neg_,   abs_,  exp_,   log_,  sqrt_,    square_, reciprocal_,
                                           floor_, ceil_, round_, relu_, sigmoid_, tanh_};
  std::size_t k = 0;
  const auto check = [&](const std::function<void(Tensor&, const Tensor&)>& change) {
    const Tensor start = to(0.5 + reshape(arange(6), {2, 3}) * 0.37, kBFloat16);
    const Tensor other = to(1.7 - reshape(arange(6), {2, 3}) * 0.21, kBFloat16);
    Tensor narrow = clone(start), wide = to(start, kFloat32);
    change(narrow, other);
    change(wide, to(other, kFloat32));
    EXPECT_EQ(narrow.dtype(), kBFloat16) << k;
    EXPECT_EQ(numbers(narrow), numbers(to(wide, kBFloat16))) << k;
    ++k;
  };
  for (const auto& change : changes) check(change);
  for (const auto function : functions) check([=](Tensor& x, const Tensor&) { function(x); });
}

TEST(BFloat16Ops, GradientsComeInTheTypeOfEachInput) {
  Tensor x = narrow_tensor({1, 2, 3}).set_requires_grad();
  Tensor w = tensor({0.1F, 0.2F, 0.3F}).set_requires_grad();
  Tensor scale = full({}, 2, kFloat32).set_requires_grad();
  const Tensor y = sum(x * w * scale);
  EXPECT_EQ(y.dtype(), kFloat32);
  y.backward();
  EXPECT_EQ(x.grad().dtype(), kBFloat16);
  EXPECT_EQ(w.grad().dtype(), kFloat32);
  EXPECT_EQ(numbers(w.grad()), (std::vector<double>{2, 4, 6}));
  EXPECT_EQ(scale.grad().dtype(), kFloat32);
  EXPECT_NEAR(scale.grad().item(), 1.4, 1e-6);

  (x * scale).backward(narrow_tensor({1, 1, 1}));
  EXPECT_EQ(scale.grad().dtype(), kFloat32);
  EXPECT_NEAR(scale.grad().item(), 7.4, 1e-6);
}

TEST(BFloat16Ops, GradientsAccumulate) {
  Tensor x = narrow_tensor({1, 2}).set_requires_grad();
  for (int i = 0; i < 3; ++i) sum(square(x)).backward();
  EXPECT_EQ(numbers(x.grad()), (std::vector<double>{6, 12}));
  EXPECT_EQ(x.grad().dtype(), kBFloat16);
}

TEST(BFloat16Ops, HaveSecondDerivatives) {
  Tensor x = narrow_tensor({0.5, -1.5, 2}).set_requires_grad();
  const Tensor y = sum(tanh(x) * exp(x));
  const Tensor first = grad(y, {x}, {.create_graph = true})[0];
  const Tensor second = grad(sum(first), {x})[0];
  Tensor wide = to(x.detach(), kFloat32).set_requires_grad();
  const Tensor wide_first = grad(sum(tanh(wide) * exp(wide)), {wide}, {.create_graph = true})[0];
  const std::vector<double> found = numbers(second), expected = numbers(grad(sum(wide_first), {wide})[0]);
  EXPECT_EQ(second.dtype(), kBFloat16);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(found[i], expected[i], 0.03 * (1 + std::abs(expected[i])));
}

TEST(BFloat16Ops, NoticeChangesOfWhatTheySaved) {
  Tensor x = narrow_tensor({1, 2}).set_requires_grad();
  Tensor y = x * 2;
  const Tensor cost = sum(y * y);
  {
    const NoGrad no_grad;
    add_(y, 1);
  }
  expect_error<GradError>([&] { cost.backward(); }, {"[mul] input", "of shape [2] was changed in place"});
}

TEST(BFloat16Ops, LeaveNothingBehind) {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = narrow_tensor({1, 2}).set_requires_grad();
    const Tensor first = grad(sum(exp(x) * x), {x}, {.create_graph = true})[0];
    sum(first).backward();
  }
  EXPECT_EQ(live_nodes(), nodes);
}

}  // namespace
}  // namespace eigengrad
