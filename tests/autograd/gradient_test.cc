// What backward() and grad() compute.
#include <gtest/gtest.h>

#include <cmath>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using Numbers = std::vector<double>;

Tensor leaf(double value) { return tensor(value).set_requires_grad(); }
Tensor leaf(std::initializer_list<double> values) { return tensor(values).set_requires_grad(); }
Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }

TEST(Backward, SmallExampleByHand) {
  const Tensor x = leaf(1), y = leaf(3), z = leaf(-3);
  const Tensor g = (x + y) * z;
  EXPECT_EQ(g.item(), -12);
  g.backward();
  EXPECT_EQ(x.grad().item(), -3);
  EXPECT_EQ(y.grad().item(), -3);
  EXPECT_EQ(z.grad().item(), 4);
}

TEST(Backward, OneTensorUsedManyTimes) {
  const Tensor x = leaf(3);
  const Tensor y = x * x + x;  // 2x + 1, and again through y
  (y * y + x).backward();      // 2y·(2x + 1) + 1
  EXPECT_EQ(x.grad().item(), 2 * 12 * 7 + 1);
}

TEST(Backward, Diamond) {
  const Tensor x = leaf(2);
  Tensor y = x;
  for (int i = 0; i < 20; ++i) y = y + y;  // 2^20 paths, 20 nodes
  y.backward();
  EXPECT_EQ(x.grad().item(), 1 << 20);
}

TEST(Backward, AccumulatesOverCalls) {
  const Tensor x = leaf({1, 2});
  sum(x * 2).backward();
  sum(x * 3).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{5, 5}));
}

// A gradient that a user holds does not change behind the user's back.
TEST(Backward, AccumulationLeavesHeldGradientsAlone) {
  const Tensor x = leaf({1, 2});
  sum(x * 2).backward();
  const Tensor held = x.grad();
  sum(x * 3).backward();
  EXPECT_EQ(numbers(held), (Numbers{2, 2}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{5, 5}));
}

// Rules write over gradients that nobody else holds, and over no other.
TEST(Backward, WritesOverNoGradientThatSomebodyHolds) {
  const Tensor x = leaf({-1, 2, 3});
  Tensor hooked, y = x * 2, z = relu(y);
  y.retain_grad();
  z.retain_grad();
  z.register_hook([&](const Tensor& g) {
    hooked = g;
    return Tensor();
  });
  const Tensor seed = tensor({5.0, 6.0, 7.0});
  z.backward(seed);
  EXPECT_EQ(numbers(seed), (Numbers{5, 6, 7}));
  EXPECT_EQ(numbers(hooked), (Numbers{5, 6, 7}));
  EXPECT_EQ(numbers(z.grad()), (Numbers{5, 6, 7}));
  EXPECT_EQ(numbers(y.grad()), (Numbers{0, 6, 7}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{0, 12, 14}));
}

TEST(Backward, WritesOverNoMemoryOfSomebodyElses) {
  const Tensor x = leaf({-1, 2, 3});
  double own[] = {5, 6, 7};
  Tensor y = x * 2, z = relu(y), sum_of_two = z + 1;
  const auto of_own = [&](const Tensor&) { return Tensor::from_blob(own, {3}, kFloat64); };
  z.register_hook(of_own);
  sum(sum_of_two).backward();
  EXPECT_EQ((Numbers{own[0], own[1], own[2]}), (Numbers{5, 6, 7}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{0, 12, 14}));
  Tensor w = leaf({1, 2, 3});
  w.register_hook(of_own);
  sum(w * 2).backward();
  own[0] = 9;
  EXPECT_EQ(numbers(w.grad()), (Numbers{5, 6, 7})) << "a leaf's gradient is its own";
}

TEST(Backward, WritesOverNoGradientThatAnotherOpGetsToo) {
  const Tensor x = leaf({-1, 2, 3});
  sum((relu(x) + square(x)) * tensor({5.0, 6.0, 7.0})).backward();  // the sum hands one tensor to both
  EXPECT_EQ(numbers(x.grad()), (Numbers{-10, 30, 49}));
}

TEST(Backward, WritesOverNoGradientWhoseElementsShareTheirMemory) {
  const Tensor x = leaf({-1, 2, 3}), weight = tensor({1.0, 10.0, 100.0});
  sum(relu(x)).backward();  // one number, seen as three
  EXPECT_EQ(numbers(x.grad()), (Numbers{0, 1, 1}));
  const Tensor rows = leaf({-1, 2, 3});
  const Tensor two = square(expand(relu(unsqueeze(rows, 1)), {3, 2}));
  matmul(unsqueeze(weight, 0), sum(two, {1}, true)).backward();
  EXPECT_EQ(numbers(rows.grad()), (Numbers{0, 80, 1200}));
}

TEST(Backward, WritesOverAGradientThatIsReadAgain) {  // large angles are computed another way, in a second look
  const double angles[] = {1, 3e6, -2, 1e9};
  const Tensor x = leaf({1, 3e6, -2, 1e9}), y = leaf({1, 3e6, -2, 1e9});
  sum(square(sin(x))).backward();
  sum(square(cos(y))).backward();
  for (std::size_t i = 0; i < 4; ++i) {
    const double expected = 2 * std::sin(angles[i]) * std::cos(angles[i]);
    EXPECT_NEAR(numbers(x.grad())[i], expected, 1e-14) << angles[i];
    EXPECT_NEAR(numbers(y.grad())[i], -expected, 1e-14) << angles[i];
  }
}

TEST(Backward, WritesOverAGradientOfItsOwn) {
  const Tensor x = leaf({-1, 2, 3});
  Tensor y = x * 2, z = relu(y);
  const void *before = nullptr, *after = nullptr;
  z.register_hook([&](const Tensor& g) {
    before = g.raw<void>();
    return Tensor();
  });
  y.register_hook([&](const Tensor& g) {
    after = g.raw<void>();
    return Tensor();
  });
  sum(square(z)).backward();
  EXPECT_EQ(before, after);
  EXPECT_EQ(numbers(x.grad()), (Numbers{0, 16, 24}));
}

TEST(Backward, LeavesDoNotShareTheirGradients) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  sum(a + b).backward();
  Tensor ga = a.grad();
  ga.mutable_data<double>()[0] = 100;
  EXPECT_EQ(numbers(b.grad()), (Numbers{1, 1}));
}

TEST(Backward, LeafGradientsDoNotShareTheSeed) {
  const Tensor x = leaf({1, 2});
  const Tensor seed = tensor({5., 6.});
  x.backward(seed);
  sum(x).backward();
  EXPECT_EQ(numbers(seed), (Numbers{5, 6}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{6, 7}));
}

TEST(Backward, OfALeafItself) {
  const Tensor x = leaf(4);
  x.backward();
  EXPECT_EQ(x.grad().item(), 1);
}

TEST(Backward, BroadcastInputsGetTheirOwnShape) {
  const Tensor x = reshape(arange(6, kFloat64), {2, 3}).set_requires_grad();
  const Tensor row = leaf({1, 2, 3}), number = leaf(2), column = tensor({{1.}, {2.}}).set_requires_grad();
  sum(x * row * number + column).backward();
  EXPECT_EQ(x.grad().shape(), (Shape{2, 3}));
  EXPECT_EQ(numbers(row.grad()), (Numbers{6, 10, 14}));
  EXPECT_EQ(number.grad().item(), 0 + 2 + 6 + 3 + 8 + 15);
  EXPECT_EQ(column.grad().shape(), (Shape{2, 1}));
  EXPECT_EQ(numbers(column.grad()), (Numbers{3, 3}));
}

TEST(Backward, FromAGivenGradient) {
  const Tensor x = leaf({1, 2, 3});
  (x * x).backward(tensor({1., 0., -1.}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{2, 0, -6}));
}

TEST(Backward, FromSeveralTensors) {
  const Tensor x = leaf({1, 2});
  const Tensor ys[] = {sum(x * x), x * 3};
  const Tensor seeds[] = {Tensor(), tensor({1., 10.})};
  backward(ys, seeds);
  EXPECT_EQ(numbers(x.grad()), (Numbers{2 + 3, 4 + 30}));
}

TEST(Backward, OnlyIntoLeavesThatWantIt) {
  const Tensor x = leaf(2), fixed = tensor(3.0);
  (x * fixed).backward();
  EXPECT_EQ(x.grad().item(), 3);
  EXPECT_FALSE(fixed.grad().defined());
}

TEST(Backward, DetachCutsTheGraph) {
  const Tensor x = leaf(3);
  (x * x.detach()).backward();
  EXPECT_EQ(x.grad().item(), 3);
}

TEST(Backward, RetainedGraphGivesTheSameBitsAgain) {
  const Tensor x = leaf({0.1, 0.2, 0.3});
  const Tensor y = sum(tanh(exp(x) * sin(x)) / x);
  y.backward({.retain_graph = true});
  const Numbers first = numbers(x.grad());
  Tensor(x).zero_grad();
  y.backward();
  EXPECT_EQ(numbers(x.grad()), first);
}

TEST(Backward, GradientsHaveNoHistory) {
  const Tensor x = leaf(2);
  (x * x * x).backward();
  EXPECT_FALSE(x.grad().requires_grad());
}

TEST(Backward, RunsTheSameUnderNoGrad) {
  const Tensor x = leaf(2);
  const Tensor y = x * x;
  const NoGrad no_grad;
  y.backward();
  EXPECT_EQ(x.grad().item(), 4);
}

TEST(NoGrad, RecordsNothing) {
  const Tensor x = leaf(2);
  const std::int64_t nodes = live_nodes();
  {
    const NoGrad no_grad;
    const Tensor y = x * x;
    EXPECT_FALSE(y.requires_grad());
    EXPECT_EQ(live_nodes(), nodes);
    const GradMode inner(true);
    EXPECT_TRUE((x * x).requires_grad());
  }
  EXPECT_TRUE((x * x).requires_grad());
}

TEST(NoGrad, IsUndoneByExceptions) {
  try {
    const NoGrad no_grad;
    throw 1;
  } catch (int) {
  }
  EXPECT_TRUE(grad_enabled());
}

TEST(RetainGrad, OnAResult) {
  const Tensor x = leaf(3);
  Tensor y = x * x;
  EXPECT_FALSE(y.grad().defined());
  y.retain_grad();
  y.retain_grad();  // twice is once
  (y * 5).backward();
  EXPECT_EQ(y.grad().item(), 5);
  EXPECT_EQ(x.grad().item(), 30);
  EXPECT_NO_THROW(Tensor(x).retain_grad());
}

TEST(RetainGrad, WithoutItAResultHasNone) {
  const Tensor x = leaf(3);
  const Tensor y = x * x;
  (y * 5).backward();
  EXPECT_FALSE(y.grad().defined());
}

TEST(Grad, OfChosenInputs) {
  const Tensor x = leaf(2), y = leaf(3);
  const Tensor z = x * x * y;
  const std::vector<Tensor> g = grad(z, {y, x});
  ASSERT_EQ(g.size(), 2u);
  EXPECT_EQ(g[0].item(), 4);
  EXPECT_EQ(g[1].item(), 12);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_FALSE(y.grad().defined());
}

TEST(Grad, OfResultsInTheMiddle) {
  const Tensor x = leaf(2);
  const Tensor y = x * x, z = y * y;
  const std::vector<Tensor> g = grad(z, {y, x}, {.retain_graph = true});
  EXPECT_EQ(g[0].item(), 8);
  EXPECT_EQ(g[1].item(), 32);
  EXPECT_EQ(grad(z, {z})[0].item(), 1);
}

TEST(Grad, WalksOnlyBetweenInputsAndOutputs) {
  const Tensor x = leaf(2), other = leaf(5);
  const Tensor side = exp(other);
  int calls = 0;
  Tensor(side).register_hook([&](const Tensor&) {
    ++calls;
    return Tensor();
  });
  const Tensor z = x * side;
  EXPECT_GT(grad(z, {x}, {.retain_graph = true})[0].item(), 148);
  EXPECT_EQ(calls, 0);
  z.backward();
  EXPECT_EQ(calls, 1);
}

TEST(Grad, UnusedInputs) {
  const Tensor x = leaf(2), unused = leaf(3);
  const Tensor z = x * x;
  try {
    grad(z, {x, unused}, {.retain_graph = true});
    FAIL();
  } catch (const GradError& error) {
    EXPECT_NE(std::string(error.what()).find("input 1"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("allow_unused"), std::string::npos) << error.what();
  }
  const std::vector<Tensor> g = grad(z, {x, unused}, {.allow_unused = true});
  EXPECT_EQ(g[0].item(), 4);
  EXPECT_FALSE(g[1].defined());
}

// A later tensor is not an input of an earlier one.
TEST(Grad, OfWhatCameLaterIsUnused) {
  const Tensor x = leaf(2);
  const Tensor y = x * x, later = y * 3;
  EXPECT_THROW(grad(y, {later}), GradError);
}

TEST(Grad, OneInputNamedTwice) {
  const Tensor x = leaf(3);
  const std::vector<Tensor> g = grad(x * x, {x, x});
  EXPECT_EQ(g[0].item(), 6);
  EXPECT_EQ(g[1].item(), 6);
}

TEST(Grad, OneOutputNamedTwice) {
  const Tensor x = leaf(3);
  const Tensor y = x * x;
  const Tensor ys[] = {y, y};
  EXPECT_EQ(grad(ys, std::span(&x, 1))[0].item(), 12);
}

TEST(Grad, OfSeveralOutputsWithSeeds) {
  const Tensor x = leaf({1, 2});
  const Tensor ys[] = {x * x, sum(x)}, seeds[] = {tensor({1., 2.}), tensor(10.)};
  EXPECT_EQ(numbers(grad(ys, std::span(&x, 1), seeds)[0]), (Numbers{12, 18}));
}

TEST(Grad, OfALeafByItself) {
  const Tensor x = leaf(3);
  EXPECT_EQ(grad(x, {x})[0].item(), 1);
}

TEST(CreateGraph, ToThirdOrder) {
  const Tensor x = leaf(2);
  const Tensor y = x * x * x * x;
  const Tensor first = grad(y, {x}, {.create_graph = true})[0];
  const Tensor second = grad(first, {x}, {.create_graph = true})[0];
  const Tensor third = grad(second, {x}, {.create_graph = true})[0];
  EXPECT_EQ(first.item(), 32);
  EXPECT_EQ(second.item(), 48);
  EXPECT_EQ(third.item(), 48);
  EXPECT_EQ(grad(third, {x})[0].item(), 24);
}

TEST(CreateGraph, ThroughSavedOutputs) {
  const Tensor x = leaf(0.5);
  const Tensor first = grad(tanh(x), {x}, {.create_graph = true})[0];
  const Tensor second = grad(first, {x}, {.create_graph = true})[0];
  const Tensor third = grad(second, {x})[0];
  const double t = std::tanh(0.5), d = 1 - t * t;
  EXPECT_NEAR(first.item(), d, 1e-14);
  EXPECT_NEAR(second.item(), -2 * t * d, 1e-14);
  EXPECT_NEAR(third.item(), d * (6 * t * t - 2), 1e-14);
}

TEST(CreateGraph, GradientOfTheSeed) {
  const Tensor x = leaf({1, 2}), v = leaf({3, 5});
  const Tensor y = x * x;
  const Tensor g = grad(std::span(&y, 1), std::span(&x, 1), std::span(&v, 1), {.create_graph = true})[0];
  EXPECT_EQ(numbers(grad(sum(g), {v})[0]), (Numbers{2, 4}));  // ∂(2xv)/∂v: the way to forward mode
}

TEST(CreateGraph, GradientPenalty) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const Tensor y = sum(x * x * w);
  const Tensor g = grad(y, {x}, {.create_graph = true})[0];  // 2xw
  (y + sum(g * g)).backward();                               // ∂/∂w: x² + 8x²w
  EXPECT_EQ(numbers(w.grad()), (Numbers{1 + 24, 4 + 128}));
}

TEST(CreateGraph, LeavesTheFirstGraphUsable) {
  const Tensor x = leaf(3);
  const Tensor y = x * x;
  grad(y, {x}, {.create_graph = true});
  y.backward();
  EXPECT_EQ(x.grad().item(), 6);
}

TEST(CreateGraph, SharedGradientsAreNotChangedInPlace) {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x + x + x * x);
  const Tensor g = grad(y, {x}, {.create_graph = true})[0];
  EXPECT_EQ(numbers(g), (Numbers{4, 6}));
  EXPECT_EQ(numbers(grad(sum(g * g), {x})[0]), (Numbers{16, 24}));
}

TEST(Views, GradientsFlowThroughThem) {
  const Tensor x = reshape(arange(6, kFloat64), {2, 3}).set_requires_grad();
  const Tensor y = select(transpose(x), 0, 1) * 2;  // 2·x[:, 1]
  sum(y * y).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{0, 8, 0, 0, 32, 0}));
}

TEST(IntegerResults, CarryNoGradient) {
  const Tensor x = leaf({1, 3, 2});
  EXPECT_FALSE(argmax(x, 0).requires_grad());
  EXPECT_FALSE((x > 1).requires_grad());
  EXPECT_FALSE(to(x, kInt64).requires_grad());
}

}  // namespace
}  // namespace eigengrad
