#include "eigengrad/autograd/anomaly.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/core/arg.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

Tensor leaf(std::initializer_list<double> values) { return tensor(values).set_requires_grad(); }

template <class F>
std::string anomaly_of(F f) {
  try {
    const DetectAnomaly guard;
    f();
  } catch (const NonFiniteError& error) {
    EXPECT_EQ(thread_state.tracer, nullptr);
    return error.what();
  }
  return "";
}

std::string here(int line) { return fmt::format("anomaly_test.cc:{}", line); }

TEST(DetectAnomaly, NamesOpValueShapesModuleAndLine) {
  const Tensor x = leaf({1, 2, 0});
  const ScopeGuard scope("encoder.fc1");
  const std::string message = anomaly_of([&] { return log(x); });
  EXPECT_EQ(message,
            fmt::format("[log] gave -inf at [2] of shape [3] (1 of 3 values is not finite), of finite inputs of "
                        "shapes [3]; called at {} in module 'encoder.fc1'",
                        here(__LINE__ - 4)));
}

TEST(DetectAnomaly, NamesTheRuleOfAGradient) {
  const Tensor x = leaf({4, 0, 9, 0});
  Tensor y;
  {
    const ScopeGuard scope("head");
    y = sqrt(x);
  }
  EXPECT_EQ(anomaly_of([&] { sum(y).backward(); }),
            fmt::format("the gradient of [sqrt] for input 0 is inf at [1] of shape [4] (2 of 4 values are not finite); "
                        "called at {} in module 'head'",
                        here(__LINE__ - 5)));
  EXPECT_FALSE(x.grad().defined());
}

TEST(DetectAnomaly, FindsWhatIsWrongByThousandsOfElements) {
  Tensor x = ones({30, 40}, kFloat32);
  x[{7, 31}] = kNan;
  const std::string message = anomaly_of([&] { return x * 2; });
  EXPECT_NE(
      message.find("[mul] gave nan at [7, 31] of shape [30, 40] (1 of 1200 values is not finite), of inputs of shapes "
                   "[30, 40] (with nan), []"),
      std::string::npos)
      << message;
}

TEST(DetectAnomaly, FindsASumOfGradientsThatOverflows) {
  const Tensor x = leaf({0});
  const Tensor y = x * 1;
  const std::string message = anomaly_of([&] { (y * 1.5e308 - y * -1.5e308).backward(tensor({1.0})); });
  EXPECT_NE(message.find("the gradient that reached output 0 of [mul] is inf"), std::string::npos) << message;
}

TEST(DetectAnomaly, FindsAHooksWork) {
  const Tensor x = leaf({1});
  Tensor y = exp(x);
  y.register_hook([](const Tensor& g) { return g * kNan; });
  const std::string message = anomaly_of([&] { sum(y).backward(); });
  EXPECT_NE(message.find("the gradient that reached output 0 of [exp] is nan"), std::string::npos) << message;
}

TEST(DetectAnomaly, LeavesFiniteWorkAlone) {
  const Tensor x = leaf({1, 2});
  EXPECT_EQ(anomaly_of([&] { sum(log(x) * x).backward(); }), "");
  EXPECT_TRUE(x.grad().defined());
  EXPECT_EQ(anomaly_of([] { return arange(3) == 1; }), "");
}

TEST(DetectAnomaly, AllowsMasksOfInfinity) {
  const Tensor scores = leaf({1, 2, 3}), mask = tensor({0., -kInf, 0.});
  EXPECT_EQ(anomaly_of([&] { sum(square(softmax(scores + mask, 0))).backward(); }), "");
  EXPECT_EQ(anomaly_of([&] {
              return scaled_dot_product_attention(ones({4, 2}), ones({4, 2}), ones({4, 2}), {.is_causal = true});
            }),
            "");
  EXPECT_NE(anomaly_of([&] { return softmax(scores + full({3}, -kInf, kFloat64), 0); }).find("gave nan"),
            std::string::npos);
}

TEST(DetectAnomaly, EndsWithItsGuard) {
  EXPECT_NE(anomaly_of([] { return log(tensor({0.0})); }), "");
  EXPECT_NO_THROW(log(tensor({0.0})));
  const DetectAnomaly outer;
  { const DetectAnomaly inner; }
  EXPECT_THROW(log(tensor({0.0})), NonFiniteError);
}

TEST(AnomalyFinder, KeepsTheFirst) {
  AnomalyFinder finder;
  const Tensor zero = tensor({0.0});
  log(zero);
  sqrt(zero - 1);
  ASSERT_TRUE(finder.found());
  EXPECT_NE(finder.finding().find("[log]"), std::string::npos) << finder.finding();
}

TEST(AnomalyFinder, NamesAnInfinityThatIsHandedOnOnlyWhereNothingIsWorse) {
  AnomalyFinder finder;
  const Tensor infinite = tensor({kInf, 1.0});
  infinite * 2;
  EXPECT_FALSE(finder.found());
  EXPECT_NE(finder.finding().find("[mul] gave inf at [0]"), std::string::npos) << finder.finding();
  infinite - infinite;
  EXPECT_TRUE(finder.found());
  EXPECT_NE(finder.finding().find("[sub] gave nan at [0]"), std::string::npos) << finder.finding();
}

// ---- The place, for every way to call.

struct Cube {
  static constexpr const char* kName = "cube";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const { return x[0] * x[0] * x[0]; }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * 3 * s.x(0) * s.x(0)}; }
};
Tensor cube(Arg x) { return apply(Cube{}, x); }

// The line that anomaly mode names.
template <class F>
std::string place_of(F f) {
  const std::string message = anomaly_of(f);
  const std::size_t at = message.find("called at ");
  return at == std::string::npos ? "no place: " + message : message.substr(at + 10);
}

TEST(CallSite, IsThatOfTheUsersCall) {
  const Tensor x = tensor({0.0, 1.0}), big = tensor({1e308, 1e308}), matrix = full({2, 2}, 1e308, kFloat64);
  EXPECT_EQ(place_of([&] { return log(x); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return x / x; }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return x / 0; }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return 1 / x; }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return sum(big); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return matmul(matrix, matrix); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return einsum("ij,jk->ik", {matrix, matrix}); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return cat({x, tensor({kNan})}); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return stack(std::vector{tensor({kNan})}); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return mse_loss(big, x); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return cube(big); }), here(__LINE__));
  const Tensor nan = tensor({kNan, 1.0});
  EXPECT_EQ(place_of([&] { return Tensor(nan[{Slice(0, 1)}]); }), here(__LINE__));
  EXPECT_EQ(place_of([&] { return Tensor(nan[0]); }), here(__LINE__));
}

TEST(CallSite, IsThatOfACompoundAssignment) {
  Tensor y = tensor({1e308});
  const Tensor two = tensor({2.0});
  log(two);  // another place
  EXPECT_EQ(place_of([&] { y *= 100; }), here(__LINE__));
  EXPECT_EQ(place_of([&] { y /= 0; }), here(__LINE__));
  EXPECT_EQ(place_of([&] { y *= two * 50; }), here(__LINE__));
}

// An op made of others, and the derivatives of derivatives, belong to the line that called the op.
TEST(CallSite, IsThatOfTheUsersCallForAllThatFollowsFromIt) {
  const Tensor big = tensor({1e200, 2e200, 3e200});
  EXPECT_EQ(place_of([&] { return cosine_similarity(big, big, 0); }), here(__LINE__));
  const Tensor x = leaf({0});
  const Tensor y = pow(x, 1.5);
  const int line = __LINE__ - 1;
  const Tensor slope = grad(sum(y), {x}, {.create_graph = true})[0];
  EXPECT_EQ(place_of([&] { sum(slope).backward(); }), here(line));
}

TEST(CallSite, IsUnknownWithinItsGuardUnlessAUserCalls) {
  const Tensor x = leaf({2});
  EXPECT_EQ(to_string(thread_state.site).substr(0, 15), "anomaly_test.cc");
  const CallSiteGuard nowhere;
  EXPECT_EQ(to_string(thread_state.site), "");
  EXPECT_EQ(log(x).impl().node->site().line(), static_cast<unsigned>(__LINE__));
}

}  // namespace
}  // namespace eigengrad
