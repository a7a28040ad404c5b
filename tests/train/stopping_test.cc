#include "eigengrad/train/stopping.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/core/error.h"

namespace eigengrad::train {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TrainState step(std::int64_t number, double seconds = 0) {
  return {.step = number, .seconds = seconds, .metrics = {{"loss", 1}}};
}

TrainState epoch(std::int64_t number, std::map<std::string, double> metrics = {}) {
  return {.step = number * 10, .epoch = number, .epoch_ended = true, .metrics = std::move(metrics)};
}

// The epoch at which a criterion stops, given the metric's value at the end of each; 0 for never.
std::int64_t stops_at(StopCriterion& criterion, const std::string& metric, const std::vector<double>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    TrainState within = epoch(static_cast<std::int64_t>(i), {{metric, -1e9}});
    within.epoch_ended = false;
    EXPECT_FALSE(criterion.check(within)) << "within an epoch";
    if (criterion.check(epoch(static_cast<std::int64_t>(i + 1), {{metric, values[i]}})))
      return static_cast<std::int64_t>(i + 1);
  }
  return 0;
}

TEST(MaxEpochs, StopsAtTheEndOfTheLast) {
  MaxEpochs criterion({.epochs = 3});
  EXPECT_FALSE(criterion.check(epoch(2)));
  TrainState within = epoch(3);
  within.epoch_ended = false;
  EXPECT_FALSE(criterion.check(within));
  const auto reason = criterion.check(epoch(3));
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->kind, "max_epochs");
  EXPECT_EQ(reason->text, "3 epochs are done");
  EXPECT_THROW(MaxEpochs({.epochs = 0}), ValueError);
}

TEST(MaxSteps, StopsAtTheStep) {
  MaxSteps criterion({.steps = 7});
  EXPECT_FALSE(criterion.check(step(6)));
  EXPECT_EQ(criterion.check(step(7))->kind, "max_steps");
  EXPECT_THROW(MaxSteps({.steps = 0}), ValueError);
}

TEST(MaxSeconds, StopsWhenTheTimeHasPassed) {
  MaxSeconds criterion({.seconds = 2});
  EXPECT_FALSE(criterion.check(step(1, 1.99)));
  const auto reason = criterion.check(step(2, 2.5));
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->text, "2.5 seconds have passed, of 2 allowed");
  EXPECT_THROW(MaxSeconds({.seconds = 0}), ValueError);
  EXPECT_THROW(MaxSeconds({.seconds = kNaN}), ValueError);
}

TEST(TargetMetric, KnowsWhichWayIsGood) {
  TargetMetric accuracy({.metric = "valid_accuracy", .target = 0.9});
  EXPECT_EQ(stops_at(accuracy, "valid_accuracy", {0.5, kNaN, 0.89, 0.9}), 4);
  TargetMetric loss({.metric = "loss", .target = 0.1});
  EXPECT_EQ(stops_at(loss, "loss", {0.5, kNaN, 0.11, 0.1}), 4);
  TargetMetric forced({.metric = "loss", .target = 5, .mode = Mode::Max});
  EXPECT_EQ(stops_at(forced, "loss", {0.5, 5}), 2);
  const auto reason = accuracy.check(epoch(1, {{"valid_accuracy", 0.95}}));
  EXPECT_EQ(reason->text, "valid_accuracy has reached 0.95, the target being 0.9");
  EXPECT_THROW(TargetMetric({.target = kNaN}), ValueError);
}

TEST(TargetMetric, AMetricThatIsNotMeasuredIsAnError) {
  TargetMetric criterion({.metric = "valid_acuracy", .target = 0.9});
  try {
    criterion.check(epoch(1, {{"loss", 1}, {"valid_accuracy", 1}}));
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(),
                 "[target_metric] the metric 'valid_acuracy' is not measured; there are: loss, valid_accuracy");
  }
}

TEST(NoImprovement, WaitsForItsPatience) {
  NoImprovement criterion({.metric = "valid_loss", .patience = 2});
  EXPECT_EQ(stops_at(criterion, "valid_loss", {1, 0.9, 0.95, 0.8, 0.8, 0.81}), 6);
  criterion.reset();
  EXPECT_EQ(stops_at(criterion, "valid_loss", {5, 4, 3, 2}), 0);
  const auto reason = [&] {
    criterion.reset();
    criterion.check(epoch(1, {{"valid_loss", 0.5}}));
    criterion.check(epoch(2, {{"valid_loss", 0.6}}));
    return criterion.check(epoch(3, {{"valid_loss", 0.7}}));
  }();
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->text, "valid_loss has not improved on 0.5 (epoch 1) for 2 epochs");
}

TEST(NoImprovement, MinDeltaAndNaN) {
  NoImprovement steps({.metric = "loss", .patience = 2, .min_delta = 0.1});
  EXPECT_EQ(stops_at(steps, "loss", {1, 0.95, 0.92}), 3);
  NoImprovement accuracy({.metric = "accuracy", .patience = 1});
  EXPECT_EQ(stops_at(accuracy, "accuracy", {0.1, 0.2, 0.3, 0.3}), 4);
  NoImprovement nan({.metric = "loss", .patience = 2});
  EXPECT_EQ(stops_at(nan, "loss", {kNaN, kNaN}), 2);
  NoImprovement later({.metric = "loss", .patience = 2});
  EXPECT_EQ(stops_at(later, "loss", {1, kNaN, 0.9, kNaN, kNaN}), 5);
  EXPECT_THROW(NoImprovement({.patience = 0}), ValueError);
  EXPECT_THROW(NoImprovement({.min_delta = -1}), ValueError);
}

TEST(GradNorm, StopsWhenTheGradientIsSmall) {
  GradNorm criterion({.tolerance = 0.01});
  EXPECT_FALSE(criterion.check({.metrics = {{"grad_norm", 0.01}}}));
  EXPECT_FALSE(criterion.check({.metrics = {{"grad_norm", kNaN}}}));
  EXPECT_FALSE(criterion.check({}));
  EXPECT_EQ(criterion.check({.metrics = {{"grad_norm", 0.009}}})->kind, "grad_norm");
  EXPECT_THROW(GradNorm({.tolerance = 0}), ValueError);
}

TEST(AllOf, NeedsEveryOne) {
  std::vector<std::unique_ptr<StopCriterion>> parts;
  parts.push_back(std::make_unique<MaxSteps>(MaxStepsOptions{.steps = 5}));
  parts.push_back(std::make_unique<MaxSeconds>(MaxSecondsOptions{.seconds = 2}));
  AllOf criterion(std::move(parts));
  EXPECT_FALSE(criterion.check(step(5, 1)));
  EXPECT_FALSE(criterion.check(step(4, 3)));
  const auto reason = criterion.check(step(6, 3));
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->kind, "all_of");
  EXPECT_EQ(reason->text, "6 steps are done; 3.0 seconds have passed, of 2 allowed");
  EXPECT_THROW(AllOf({}), ValueError);
}

}  // namespace
}  // namespace eigengrad::train
