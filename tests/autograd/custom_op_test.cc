// Ops that users write.
#include <gtest/gtest.h>

#include <cmath>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

// x·σ(x)
struct Swish {
  static constexpr const char* kName = "swish";
  static constexpr SaveMask kSaves = input(0);
  double beta;
  Attributes attributes() const { return {{"beta", std::to_string(beta)}}; }
  Tensor forward(TensorRefs x) const { return x[0] * sigmoid(x[0] * beta); }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = sigmoid(s.x(0) * beta);
    return {g * (y + s.x(0) * y * (1 - y) * beta)};
  }
};
Tensor swish(const Tensor& x, double beta = 1) { return apply(Swish{beta}, x); }

// Two outputs of one op.
struct SinCos {
  static constexpr const char* kName = "sincos";
  static constexpr SaveMask kSaves = kOutput;
  Tensors forward(TensorRefs x) const { return {sin(x[0]), cos(x[0])}; }
  Grads backward(const Saved& s, TensorRefs g) const {
    Tensor total;
    if (g[0].defined()) total = g[0] * s.y(1);
    if (g[1].defined()) total = total.defined() ? total - g[1] * s.y(0) : -(g[1] * s.y(0));
    return {total};
  }
};

Tensor points() { return tensor({{-1.5, 0.25, 2.0}, {0.75, -0.5, 1.0}}).set_requires_grad(); }

TEST(CustomOp, HasRightDerivativesOfEveryOrder) {
  const auto f = [](std::span<const Tensor> x) { return swish(x[0], 1.5); };
  gradcheck(f, {points()}).or_throw();
  gradgradcheck(f, {points()}).or_throw();
}

// As docs/adding-an-op.md shows it.
struct Cube {
  static constexpr const char* kName = "cube";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const { return x[0] * x[0] * x[0]; }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * 3 * s.x(0) * s.x(0)}; }
};
Tensor cube(Arg x) { return apply(Cube{}, x); }

TEST(CustomOp, IsCheckedAsAFunction) {
  const Tensor x = randn({3, 4}, kFloat64).set_requires_grad();
  gradcheck(cube, {x}).or_throw();
  gradgradcheck(cube, {x}).or_throw();
}

TEST(CustomOp, IsOneNodeWithItsNameAndAttributes) {
  const std::int64_t nodes = live_nodes();
  const Tensor x = points(), y = swish(x, 2);
  EXPECT_EQ(live_nodes(), nodes + 2);
  EXPECT_EQ(y.grad_fn()->name(), "swish");
  EXPECT_EQ(y.grad_fn()->attributes()[0].first, "beta");
  EXPECT_EQ(y.grad_fn()->edges()[0].shape, x.shape());
}

TEST(CustomOp, MayHaveSeveralOutputs) {
  const auto both = [](std::span<const Tensor> x) {
    const Tensors y = apply(SinCos{}, x[0]);
    return std::vector<Tensor>{y[0], y[1]};
  };
  gradcheck(both, {points()}).or_throw();
  gradgradcheck(both, {points()}).or_throw();
  for (const std::size_t only : {0u, 1u}) {
    const auto one = [only](std::span<const Tensor> x) { return apply(SinCos{}, x[0])[only]; };
    gradcheck(one, {points()}).or_throw();
    gradgradcheck(one, {points()}).or_throw();
  }
}

TEST(CustomOp, HooksBelongToOneOutput) {
  const Tensor x = tensor({0.5}).set_requires_grad();
  Tensors y = apply(SinCos{}, x);
  y[0].register_hook([](const Tensor& g) { return g * 10; });
  y[1].retain_grad();
  sum(y[0] + y[1]).backward();
  EXPECT_NEAR(x.grad().item(), 10 * std::cos(0.5) - std::sin(0.5), 1e-14);
  EXPECT_EQ(y[1].grad().item(), 1);
}

struct Identity {
  static constexpr const char* kName = "identity";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const { return x[0]; }
  Grads backward(const Saved&, const Tensor& g) const { return {g}; }
};

TEST(CustomOp, ThatReturnsItsInputLeavesTheInputALeaf) {
  const Tensor x = points(), y = apply(Identity{}, x);
  EXPECT_TRUE(x.is_leaf());
  EXPECT_FALSE(y.is_leaf());
  sum(y * 2).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), std::vector<double>(6, 2.0));
}

TEST(CustomOp, DoesNotRecordItsInside) {
  const Tensor x = points();
  const std::int64_t nodes = live_nodes();
  const Tensor y = swish(x);
  EXPECT_EQ(live_nodes(), nodes + 1);
}

struct Picky {
  static constexpr const char* kName = "picky";
  static constexpr SaveMask kSaves[] = {input(1), input(0)};
  Tensor forward(TensorRefs x) const { return x[0] * x[1]; }
  Grads backward(const Saved& s, const Tensor& g) const {
    EXPECT_TRUE(s.needs(0));
    EXPECT_FALSE(s.needs(1));
    return {g * s.x(1), Tensor()};
  }
};

TEST(CustomOp, OnlyAsksForWhatIsNeeded) {
  const Tensor x = points(), factor = ones({2, 3}, kFloat64);
  sum(apply(Picky{}, x, factor)).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), std::vector<double>(6, 1.0));
}

}  // namespace
}  // namespace eigengrad
