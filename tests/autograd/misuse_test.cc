// Wrong use of gradients is an error, never a wrong number.
#include <gtest/gtest.h>

#include <functional>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

namespace eigengrad {
namespace {

Tensor leaf(std::initializer_list<double> values) { return tensor(values).set_requires_grad(); }

// ---- Changes in place.

TEST(InPlace, AfterSavingIsNoticed) {
  const Tensor x = leaf({1, 2});
  Tensor factor = tensor({3., 4.});
  const Tensor y = sum(x * factor);
  fill_(factor, 0);
  expect_error<GradError>([&] { y.backward(); }, {"[mul]", "input 1", "[2]", "in place", "version 1, expected 0"});
}

TEST(InPlace, AfterSavingIsNoticedThroughAView) {
  const Tensor x = leaf({1, 2});
  Tensor factor = tensor({3., 4.});
  const Tensor y = sum(x * factor);
  Tensor view = select(factor, 0, 1);
  fill_(view, 0);
  expect_error<GradError>([&] { y.backward(); }, {"[mul]", "input 1"});
}

TEST(InPlace, OfTheBaseOfASavedViewIsNoticed) {
  const Tensor x = leaf({1, 2});
  Tensor base = zeros({2, 2}, kFloat64);
  const Tensor y = sum(x * select(base, 0, 0));
  base.mutable_data<double>();
  expect_error<GradError>([&] { y.backward(); }, {"[mul]", "input 1"});
}

TEST(InPlace, ThroughADetachedHandleIsNoticed) {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x);
  Tensor handle = x.detach();
  add_(handle, tensor({1., 1.}));
  expect_error<GradError>([&] { y.backward(); }, {"[mul]", "input"});
}

TEST(InPlace, OfASavedOutputIsNoticed) {
  const Tensor x = leaf({1, 2});
  Tensor y = exp(x);
  const Tensor z = sum(y);
  {
    const NoGrad no_grad;
    mul_(y, 2);
  }
  expect_error<GradError>([&] { z.backward(); }, {"[exp]", "output 0"});
}

TEST(InPlace, OptimizerStepBeforeASecondWalkIsNoticed) {
  Tensor w = leaf({1, 2});
  const Tensor loss = sum(w * w);
  loss.backward({.retain_graph = true});
  {
    const NoGrad no_grad;
    add_(w, w.grad(), -0.1);
  }
  expect_error<GradError>([&] { loss.backward(); }, {"[mul]"});
}

TEST(InPlace, OfWhatNobodySavedIsFine) {
  const Tensor x = leaf({1, 2});
  Tensor shift = tensor({3., 4.});
  const Tensor y = sum(x + shift);
  fill_(shift, 0);
  EXPECT_NO_THROW(y.backward());
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{1, 1}));
}

TEST(InPlace, NeededByNobodyIsFine) {
  Tensor x = tensor({3., 4.});
  const Tensor w = leaf({1, 2});
  const Tensor y = sum(w * x);  // saves x for w, and not w
  EXPECT_TRUE(w.is_sole_owner());
  {
    const NoGrad no_grad;
    Tensor handle = w.detach();
    fill_(handle, 9);
  }
  EXPECT_NO_THROW(y.backward());
}

TEST(InPlace, OnALeafThatRequiresGrad) {
  Tensor x = leaf({1, 2});
  expect_error<GradError>([&] { fill_(x, 0); }, {"[fill_]", "NoGrad"});
  expect_error<GradError>([&] { x.mutable_data<double>(); }, {"[mutable_data]"});
  expect_error<GradError>([&] { add_(x, tensor({1., 1.})); }, {"[add_]"});
  Tensor result = x * 2;
  expect_error<GradError>([&] { mul_(result, 2); }, {"[mul_]"});
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{1, 2}));
  EXPECT_EQ(x.version(), 0u);
  const NoGrad no_grad;
  EXPECT_NO_THROW(fill_(x, 0));
}

// ---- Walks.

TEST(Walk, SecondOneWithoutRetaining) {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(x * x);
  y.backward();
  expect_error<GradError>([&] { y.backward(); }, {"[mul]", "second time", "retain_graph"});
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{2, 4}));
  EXPECT_THROW(grad(y, {x}), GradError);
}

TEST(Walk, SavedMemoryIsReleased) {
  const Tensor x = leaf({1, 2});
  Tensor factor = tensor({3., 4.});
  const Tensor y = sum(x * factor);
  EXPECT_FALSE(factor.is_sole_owner());
  y.backward();
  EXPECT_TRUE(factor.is_sole_owner());
}

TEST(Walk, FromMoreThanOneElement) {
  const Tensor x = leaf({1, 2});
  expect_error<GradError>([&] { (x * x).backward(); }, {"[backward]", "[2]"});
  expect_error<GradError>([&] { grad(x * x, {x}); }, {"[grad]", "[2]"});
  EXPECT_NO_THROW(reshape(sum(x * x), {1, 1}).backward());
}

TEST(Walk, SeedOfAnotherShapeOrType) {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * x;
  expect_error<ShapeError>([&] { y.backward(ones({3}, kFloat64)); }, {"[3]", "[2]"});
  expect_error<ShapeError>([&] { y.backward(ones({}, kFloat64)); }, {"[]", "[2]"});
  expect_error<DtypeError>([&] { y.backward(ones({2}, kFloat32)); }, {"float32", "float64"});
  const Tensor seeds[] = {ones({2}, kFloat64), ones({2}, kFloat64)};
  EXPECT_THROW(backward(std::span(&y, 1), seeds), GradError);
  EXPECT_FALSE(x.grad().defined());
}

TEST(Walk, WhereNothingRequiresGrad) {
  const Tensor x = tensor({1., 2.});
  expect_error<GradError>([&] { sum(x).backward(); }, {"[backward]", "requires grad"});
  expect_error<GradError>([&] { sum(leaf({1}).detach()).backward(); }, {"requires grad"});
  const Tensor silent = [] {
    const NoGrad no_grad;
    return sum(leaf({1, 2}));
  }();
  expect_error<GradError>([&] { silent.backward(); }, {"requires grad"});
  EXPECT_THROW(argmax(leaf({1, 2}), 0).backward(), GradError);
  const Tensor w = leaf({1});
  EXPECT_THROW(grad(sum(x), {w}), GradError);
  expect_error<GradError>([&] { grad(sum(w), {x}); }, {"[grad]", "input 0", "does not require grad"});
}

TEST(Walk, OfUndefinedTensors) {
  EXPECT_THROW(Tensor().backward(), Error);
  const Tensor x = leaf({1});
  EXPECT_THROW(grad(Tensor(), {x}), Error);
  EXPECT_THROW(grad(x * 2, {Tensor()}), Error);
}

// ---- Rules that return nonsense.

template <int kCase>
struct Wrong {
  static constexpr const char* kName = "wrong";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const { return clone(x[0]); }
  Grads backward(const Saved&, const Tensor& g) const {
    if (kCase == 0) return {};
    if (kCase == 1) return {g, g};
    if (kCase == 2) return {reshape(cat({g, g}), {2, 2, 1})};
    if (kCase == 3) return {to(g, kFloat32)};
    return {slice(g, 0, 0, 1)};
  }
};

TEST(Rule, WithTheWrongResultNamesTheOp) {
  const Tensor x = leaf({1, 2});
  expect_error<GradError>([&] { sum(apply(Wrong<0>{}, x)).backward(); }, {"[wrong]", "0 parts", "expected 1"});
  expect_error<GradError>([&] { sum(apply(Wrong<1>{}, x)).backward(); }, {"[wrong]", "2 parts", "expected 1"});
  expect_error<GradError>([&] { sum(apply(Wrong<2>{}, x)).backward(); }, {"[wrong]", "input 0", "[2, 2, 1]", "[2]"});
  expect_error<GradError>([&] { sum(apply(Wrong<3>{}, x)).backward(); }, {"[wrong]", "input 0", "float32", "float64"});
  expect_error<GradError>([&] { sum(apply(Wrong<4>{}, x)).backward(); }, {"[wrong]", "input 0", "[1]", "[2]"});
  EXPECT_FALSE(x.grad().defined());
}

struct Forgetful {
  static constexpr const char* kName = "forgetful";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const { return x[0] * x[0]; }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * s.x(0) * 2}; }
};

TEST(Rule, ThatReadsWhatItDidNotSave) {
  const Tensor x = leaf({1, 2});
  expect_error<GradError>([&] { sum(apply(Forgetful{}, x)).backward(); }, {"[forgetful]", "input 0", "kSaves"});
}

struct NoRule {
  static constexpr const char* kName = "no_rule";
  Tensor forward(TensorRefs x) const { return clone(x[0]); }
};

TEST(Rule, WithoutOneNothingRequiresGrad) { EXPECT_FALSE(apply(NoRule{}, leaf({1, 2})).requires_grad()); }

}  // namespace
}  // namespace eigengrad
