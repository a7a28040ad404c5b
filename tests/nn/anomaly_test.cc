// Where modules and losses are called, as anomaly mode names it.
#include "eigengrad/autograd/anomaly.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

struct Bad : Module {
  Tensor forward(const Tensor& x) override { return log(x * 0); }
  static constexpr int kLine = __LINE__ - 1;
};

template <class F>
void expect_anomaly(F f, const std::string& op, int line, const std::string& module) {
  try {
    const DetectAnomaly guard;
    f();
    ADD_FAILURE() << "found nothing";
  } catch (const NonFiniteError& error) {
    const std::string place = fmt::format("called at anomaly_test.cc:{} in module '{}'", line, module);
    EXPECT_NE(std::string(error.what()).find(op), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(place), std::string::npos) << error.what() << "\nexpected " << place;
  }
}

// A module of one's own has lines of its own.
TEST(DetectAnomaly, NamesTheLineInAUsersModule) {
  Sequential model(Linear(2, 2), Bad(), ReLU());
  expect_anomaly([&] { model(ones({1, 2})); }, "[log]", Bad::kLine, "1");
}

// A module of the library has not: the line is where the model was called.
TEST(DetectAnomaly, NamesTheCallOfALibrarysModule) {
  Sequential model(Linear(2, 2), ReLU());
  const Tensor x = full({1, 2}, std::numeric_limits<double>::quiet_NaN());
  expect_anomaly([&] { model(x); }, "[linear]", __LINE__, "0");
}

TEST(DetectAnomaly, NamesTheCallOfALoss) {
  MSELoss loss;
  const Tensor x = full({1, 2}, 1e30), y = zeros({1, 2});
  expect_anomaly([&] { loss(x, y); }, "[square]", __LINE__, "MSELoss");
}

}  // namespace
}  // namespace eigengrad::nn
