// Exponential moving averages of weights.
#include "eigengrad/optim/average.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "tests/message.h"

namespace eigengrad::optim {
namespace {

void set(Tensor& x, double value) {
  const NoGrad no_grad;
  fill_(x, value);
}

TEST(EMAOfWeights, IsTheFormula) {
  for (const bool warmup : {false, true}) {
    Tensor w = full({3}, 2.0, kFloat64).set_requires_grad();
    EMA average({{"w", w}}, {.decay = 0.9, .warmup = warmup});
    average.update();
    double expected = 2;
    for (int n = 1; n < 30; ++n) {
      set(w, n);
      average.update();
      const double decay = warmup ? std::min(0.9, (1.0 + n) / (10.0 + n)) : 0.9;
      expected = decay * expected + (1 - decay) * n;
    }
    EXPECT_EQ(average.updates(), 30);
    {
      const EMA::Applied applied(average);
      EXPECT_NEAR(w.to_vector<double>()[1], expected, 1e-12);
    }
    EXPECT_EQ(w.to_vector<double>()[1], 29);
  }
}

TEST(EMAOfWeights, HasNothingToExchangeAtFirst) {
  Tensor w = ones({2}).set_requires_grad();
  EMA average({{"w", w}});
  const EMA::Applied applied(average);
  EXPECT_EQ(w.to_vector<float>(), (std::vector<float>{1, 1}));
}

TEST(EMAOfWeights, GoesOnWhereItWasInterrupted) {
  manual_seed(3);
  Tensor w = randn({4, 2}).set_requires_grad();
  EMA through({{"a.w", w}}, {.decay = 0.8}), resumed({{"a.w", w}}, {.decay = 0.8});
  resumed.load_state_dict(through.state_dict());  // before the first update
  const auto move = [&](int i) { set(w, i * 0.3 - 1); };
  for (int i = 0; i < 4; ++i) {
    move(i);
    through.update();
  }
  const StateDict state = through.state_dict();
  resumed.load_state_dict(state);
  for (int i = 4; i < 9; ++i) {
    move(i);
    through.update();
    resumed.update();
  }
  EXPECT_TRUE(equal(through.state_dict()[1].second, resumed.state_dict()[1].second));
  EXPECT_EQ(through.state_dict()[1].first, "average.a.w");
  EXPECT_FALSE(equal(state[1].second, resumed.state_dict()[1].second));  // a copy
  StateDict bad = state;
  bad[1].second = zeros({3});
  EXPECT_NE(
      message_of([&] { resumed.load_state_dict(bad); }).find("average.a.w: found float32 [3], expected float32 [4, 2]"),
      std::string::npos);
  EXPECT_EQ(resumed.updates(), 9);
}

TEST(EMAOfWeights, RefusesWhatCannotBe) {
  Tensor w = ones({2}).set_requires_grad();
  EXPECT_THROW(EMA({{"w", w}}, {.decay = 1.5}), ValueError);
  EXPECT_THROW(EMA({{"w", w}}, {.decay = std::nan("")}), ValueError);
  EXPECT_THROW(EMA({{"w", w}, {"w", w}}), ValueError);
  EXPECT_THROW(EMA({{"w", zeros({2}, kInt64)}}), DtypeError);
}

}  // namespace
}  // namespace eigengrad::optim
