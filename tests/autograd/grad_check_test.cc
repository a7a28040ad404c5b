#include "eigengrad/autograd/grad_check.h"

#include <gtest/gtest.h>

#include "eigengrad/core/apply.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using In = std::span<const Tensor>;

Tensor points() { return tensor({{0.5, -1.25, 2.0}, {0.75, 1.5, -0.25}}).set_requires_grad(); }

// A square whose rule is off in one way or another.
enum class Fault { None, Factor, Sign, OneElement, Symmetric, Transposed, SecondOrder, NotLinear };

template <Fault kFault>
struct Square2 {
  static constexpr const char* kName = "square2";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const { return x[0] * x[0]; }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    switch (kFault) {
      case Fault::Factor: return {g * x * 2.00001};
      case Fault::Sign: return {g * x * -2};
      case Fault::OneElement: return {g * (x * 2 + masked_fill(zeros_like(x), x == 1.5, 1e-4))};
      case Fault::Symmetric: return {expand(mean(g), g.shape()) * x * 2};
      case Fault::Transposed: return {reshape(transpose(g), g.shape()) * x * 2};
      case Fault::SecondOrder: return {g * x.detach() * 2};
      case Fault::NotLinear: return {g * abs(g) * x * 2};
      case Fault::None: break;
    }
    return {g * x * 2};
  }
};

template <Fault kFault>
Tensor square2(In x) {
  return apply(Square2<kFault>{}, x[0]);
}

TEST(GradCheck, AcceptsARightRule) {
  EXPECT_TRUE(gradcheck(square2<Fault::None>, {points()}).ok);
  EXPECT_TRUE(gradgradcheck(square2<Fault::None>, {points()}).ok);
  EXPECT_NO_THROW(gradcheck(square2<Fault::None>, {points()}).or_throw());
}

TEST(GradCheck, FindsFaults) {
  EXPECT_FALSE(gradcheck(square2<Fault::Factor>, {points()}).ok);
  EXPECT_FALSE(gradcheck(square2<Fault::Sign>, {points()}).ok);
  EXPECT_FALSE(gradcheck(square2<Fault::OneElement>, {points()}).ok);
  EXPECT_FALSE(gradcheck(square2<Fault::Symmetric>, {points()}).ok);
  EXPECT_FALSE(gradcheck(square2<Fault::Transposed>, {points()}).ok);
  EXPECT_THROW(gradcheck(square2<Fault::Sign>, {points()}).or_throw(), GradError);
}

// Right for seeds of 0 and 1, wrong for others.
TEST(GradCheck, FindsRulesThatAreNotLinear) {
  const GradCheckResult result = gradcheck(square2<Fault::NotLinear>, {points()});
  EXPECT_FALSE(result.ok);
  EXPECT_NE(result.message.find("weighted sum"), std::string::npos) << result.message;
}

TEST(GradCheck, FindsFaultsOfSecondOrder) {
  EXPECT_TRUE(gradcheck(square2<Fault::SecondOrder>, {points()}).ok);
  EXPECT_FALSE(gradgradcheck(square2<Fault::SecondOrder>, {points()}).ok);
}

TEST(GradCheck, ReportsWhereAndHowMuch) {
  const GradCheckResult result = gradcheck(square2<Fault::OneElement>, {points()});
  EXPECT_NE(result.message.find(
                "[gradcheck] the derivative of output 0 at [1, 1] by input 0 at [1, 1] is 3.0001 by the graph, "
                "but"),
            std::string::npos)
      << result.message;
  EXPECT_NE(result.message.find("1 of 36 entries are wrong"), std::string::npos) << result.message;
}

TEST(GradCheck, FindsGradientsThatAreMissing) {
  const auto cut = [](In x) { return x[0] * x[0].detach(); };
  EXPECT_FALSE(gradcheck(cut, {points()}).ok);
  const auto all_cut = [](In x) { return x[0].detach() * 2; };
  EXPECT_FALSE(gradcheck(all_cut, {points()}).ok);
  const auto one_cut = [](In x) { return x[0] * x[1].detach(); };
  EXPECT_FALSE(gradcheck(one_cut, {points(), points()}).ok);
}

TEST(GradCheck, FindsGradientsThatAreTooMany) {
  const auto rounded = [](In x) { return x[0] - x[0].detach(); };  // constant, but the graph says 1
  EXPECT_FALSE(gradcheck(rounded, {points()}).ok);
}

TEST(GradCheck, TakesInputsOfAnyLayout) {
  const Tensor x = points().detach();
  const auto f = [](In in) { return exp(in[0]) * 2; };
  for (const Tensor& view : {transpose(x), slice(x, 1, 0, 3, 2), expand(slice(x, 0, 0, 1), {4, 3}), select(x, 1, 1)}) {
    EXPECT_TRUE(gradcheck(f, {view.detach().set_requires_grad()}).ok);
    EXPECT_TRUE(gradgradcheck(f, {view.detach().set_requires_grad()}).ok);
  }
}

TEST(GradCheck, OneTensorTwiceIsTwoInputs) {
  const Tensor x = points();
  EXPECT_TRUE(gradcheck([](In in) { return in[0] * in[1]; }, {x, x}).ok);
}

TEST(GradCheck, LeavesInputsAndTheirGradientsAlone) {
  const Tensor x = points();
  const std::vector<double> before = x.to_vector<double>();
  gradcheck(square2<Fault::None>, {x}).or_throw();
  gradgradcheck(square2<Fault::None>, {x}).or_throw();
  EXPECT_EQ(x.to_vector<double>(), before);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_EQ(x.version(), 0u);
}

TEST(GradCheck, InputsWithoutGradArePassedOn) {
  const Tensor index = tensor<std::int64_t>({1, 0, 1});
  const auto f = [](In x) { return index_select(x[0], 0, x[1]) * x[2]; };
  EXPECT_TRUE(gradcheck(f, {points(), index, tensor(3.0)}).ok);
  EXPECT_TRUE(gradgradcheck(f, {points(), index, tensor(3.0)}).ok);
}

TEST(GradCheck, SeveralResults) {
  const auto f = [](In x) { return std::vector<Tensor>{exp(x[0]), x[0] > 0, sum(x[0])}; };
  EXPECT_TRUE(gradcheck(f, {points()}).ok);
  EXPECT_TRUE(gradgradcheck(f, {points()}).ok);
  const auto wrong = [](In x) { return std::vector<Tensor>{exp(x[0]), sum(square2<Fault::Sign>(x))}; };
  const GradCheckResult result = gradcheck(wrong, {points()});
  EXPECT_NE(result.message.find("output 1 at []"), std::string::npos) << result.message;
}

TEST(GradCheck, NothingToCompareIsFine) {
  EXPECT_TRUE(gradcheck(square2<Fault::None>, {zeros({0, 3}, kFloat64).set_requires_grad()}).ok);
  EXPECT_TRUE(gradgradcheck(square2<Fault::None>, {zeros({0, 3}, kFloat64).set_requires_grad()}).ok);
}

TEST(GradCheck, RefusesWhatItCannotCheck) {
  EXPECT_THROW(gradcheck(square2<Fault::None>, {points().detach()}), GradError);
  EXPECT_THROW(gradcheck(square2<Fault::None>, {to(points().detach(), kFloat32).set_requires_grad()}), DtypeError);
  EXPECT_THROW(gradcheck([](In x) { return to(x[0], kFloat32); }, {points()}), DtypeError);
}

TEST(GradCheck, ToleranceIsAnOption) { EXPECT_TRUE(gradcheck(square2<Fault::Factor>, {points()}, {.rtol = 1e-4}).ok); }

TEST(GradCheck, NanIsWrong) {
  const auto f = [](In x) { return sqrt(x[0]); };  // NaN below 0
  EXPECT_FALSE(gradcheck(f, {points()}).ok);
}

TEST(GradCheck, WorksUnderNoGrad) {
  const NoGrad no_grad;
  EXPECT_TRUE(gradcheck(square2<Fault::None>, {points()}).ok);
  EXPECT_TRUE(gradgradcheck(square2<Fault::None>, {points()}).ok);
}

}  // namespace
}  // namespace eigengrad
