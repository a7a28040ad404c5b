// What a trainer does besides plain steps: several batches to a step, schedules, averages of weights, closures.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "eigengrad/train/trainer.h"
#include "tests/message.h"

namespace eigengrad::train {
namespace {

constexpr std::int64_t kSamples = 50;

// Points in the plane, in float64, and which of three classes each belongs to.
data::DatasetPtr points() {
  Generator generator(3);
  const Tensor x = randn({kSamples, 2}, kFloat64, generator);
  const Tensor labels = to(sum(x, {1}) > 0.3, kInt64) + to(select(x, 1, 0) > 1, kInt64);
  return std::make_shared<data::TensorDataset>(x, labels, 3);
}

struct Net {
  Net() {
    manual_seed(5);
    model.push_back(std::make_shared<nn::Linear>(2, 8))
        .push_back(std::make_shared<nn::Tanh>())
        .push_back(std::make_shared<nn::Linear>(8, 3));
    model.to(kFloat64);
  }
  std::vector<double> weights() const {
    std::vector<double> all;
    for (const Tensor& parameter : model.parameters())
      for (const double w : parameter.to_vector<double>()) all.push_back(w);
    return all;
  }
  nn::Sequential model;
};

std::vector<double> trained(nn::Loss& loss, std::int64_t batch_size, std::int64_t accumulate,
                            const data::DatasetPtr& dataset) {
  Net net;
  optim::SGD optimizer(net.model.parameters(), {.lr = 0.05, .momentum = 0.9});
  data::DataLoader loader(dataset, {.batch_size = batch_size, .shuffle = true, .seed = 4});
  Trainer trainer(net.model, loss, optimizer, {.clip_grad_norm = 0.5, .accumulate = accumulate});
  trainer.stop_when<MaxEpochs>({.epochs = 3});
  const FitResult result = trainer.fit(loader);
  EXPECT_EQ(result.state.step, 9) << loss.type_name() << ": " << result.stopped_by.text;
  if (result.history.size() < 2) return {};
  std::vector<double> figures = net.weights();
  for (const char* metric : {"loss", "accuracy", "grad_norm"})
    if (result.history[1].metrics.contains(metric)) figures.push_back(result.history[1].metrics.at(metric));
  return figures;
}

// 50 samples: two steps of 20, and one of the 10 that are left, in batches of 4, 4 and 2.
void expect_same(nn::Loss& loss, const data::DatasetPtr& dataset) {
  const std::vector<double> whole = trained(loss, 20, 1, dataset), parts = trained(loss, 4, 5, dataset);
  ASSERT_EQ(whole.size(), parts.size());
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_NEAR(whole[i], parts[i], 1e-13 * std::max(1.0, std::abs(whole[i]))) << loss.type_name() << ' ' << i;
}

TEST(Accumulation, GivesWhatOneLargerBatchGives) {
  const data::DatasetPtr labelled = points();
  nn::CrossEntropyLoss plain;
  expect_same(plain, labelled);
  nn::CrossEntropyLoss sums({.reduction = Reduction::Sum});
  expect_same(sums, labelled);
  nn::CrossEntropyLoss weighted({.weight = {0.5, 2, 7}, .ignore_index = 1, .label_smoothing = 0.1});
  expect_same(weighted, labelled);

  const Tensor x = randn({kSamples, 2}, kFloat64);
  nn::MSELoss squares;
  expect_same(squares, std::make_shared<data::TensorDataset>(x, randn({kSamples, 3}, kFloat64)));
}

TEST(Accumulation, PassesOverABatchInWhichNothingCounts) {
  const Tensor x = randn({kSamples, 2}, kFloat64);
  Tensor labels = zeros({kSamples}, kInt64);
  for (std::size_t i = 0; i < kSamples; i += 4) labels.mutable_data<std::int64_t>()[i] = 1;
  nn::CrossEntropyLoss loss({.ignore_index = 0});
  expect_same(loss, std::make_shared<data::TensorDataset>(x, labels, 3));
}

TEST(Accumulation, IsAtLeastOne) {
  Net net;
  nn::CrossEntropyLoss loss;
  optim::SGD optimizer(net.model.parameters());
  EXPECT_THROW(Trainer(net.model, loss, optimizer, {.accumulate = 0}), ValueError);
}

struct Training : Net {
  Training() : optimizer(model.parameters(), {.lr = 0.1}), trainer(model, loss, optimizer) {}
  data::DataLoader loader{points(), {.batch_size = 10}};
  nn::CrossEntropyLoss loss;
  optim::SGD optimizer;
  Trainer trainer;
};

TEST(TrainerSchedules, GoOnAfterStepsAndEpochs) {
  Training s;
  optim::LinearLR warm_up(s.optimizer, {.start_factor = 0.1, .total_iters = 9});
  optim::StepLR halves(s.optimizer, {.step_size = 2, .gamma = 0.5});
  s.trainer.add_schedule(warm_up, optim::Interval::Step).add_schedule(halves).stop_when<MaxEpochs>({.epochs = 4});
  const FitResult result = s.trainer.fit(s.loader);
  EXPECT_EQ(warm_up.last_epoch(), 20);
  EXPECT_EQ(halves.last_epoch(), 4);
  EXPECT_NEAR(s.optimizer.lr(), 0.025, 1e-12);
  EXPECT_NEAR(result.history[0].metrics.at("lr"), 0.05, 1e-12);  // that of the fifth step, 4 of 9 on
  EXPECT_NEAR(result.history[1].metrics.at("lr"), 0.1, 1e-12);   // before the epoch halves it
  EXPECT_NEAR(result.history[3].metrics.at("lr"), 0.05, 1e-12);
}

TEST(TrainerSchedules, GetTheMetricThatTheyNeed) {
  Training s;
  optim::ReduceLROnPlateau plateau(s.optimizer,
                                   {.metric = "loss", .factor = 0.5, .patience = 0, .threshold = 0.9, .eps = 0});
  s.trainer.add_schedule(plateau).stop_when<MaxEpochs>({.epochs = 4});
  s.trainer.fit(s.loader);
  EXPECT_DOUBLE_EQ(s.optimizer.lr(), 0.0125);  // no epoch is better than the first by nine tenths

  Training other;
  optim::ReduceLROnPlateau unknown(other.optimizer, {.metric = "valid_loss"});
  other.trainer.add_schedule(unknown).stop_when<MaxEpochs>({.epochs = 1});
  const std::string message = message_of<ConfigError>([&] { other.trainer.fit(other.loader); });
  EXPECT_NE(message.find("'valid_loss' is not measured; there are: accuracy, grad_norm, loss"), std::string::npos)
      << message;
}

TEST(TrainerAverage, ValidatesWithTheAverages) {
  Training s;
  optim::EMA average(s.model.named_parameters(), {.decay = 0.8});
  const data::DataLoader valid(points(), {.batch_size = 50});
  s.trainer.average_with(average).stop_when<MaxEpochs>({.epochs = 3});
  const FitResult result = s.trainer.fit(s.loader, &valid);
  EXPECT_EQ(average.updates(), 15);
  const double with_weights = evaluate(s.model, s.loss, valid).loss;
  EXPECT_NE(result.history.back().metrics.at("valid_loss"), with_weights);
  {
    const optim::EMA::Applied applied(average);
    EXPECT_EQ(result.history.back().metrics.at("valid_loss"), evaluate(s.model, s.loss, valid).loss);
  }
  EXPECT_EQ(evaluate(s.model, s.loss, valid).loss, with_weights);
}

TEST(TrainerClosure, LetsLBFGSComputeTheCostAgain) {
  const Tensor x = randn({kSamples, 4}, kFloat64), w = randn({4, 1}, kFloat64);
  manual_seed(1);
  nn::Linear model(4, 1);
  model.to(kFloat64);
  nn::MSELoss loss;
  optim::LBFGS optimizer(model.parameters(), {.line_search_fn = optim::LineSearch::StrongWolfe});
  data::DataLoader loader(std::make_shared<data::TensorDataset>(x, matmul(x, w)), {.batch_size = 20});
  Trainer trainer(model, loss, optimizer, {.accumulate = 3});
  trainer.stop_when<MaxSteps>({.steps = 3});
  const FitResult result = trainer.fit(loader);
  EXPECT_EQ(result.state.step, 3);
  EXPECT_LT(result.state.metrics.at("loss"), 1e-8);
  EXPECT_GT(optimizer.evaluations(), 5);
}

TEST(TrainerClipping, LimitsEveryElement) {
  Training s;
  const std::vector<double> before = s.weights();
  Trainer trainer(s.model, s.loss, s.optimizer, {.clip_grad_value = 1e-3});
  trainer.stop_when<MaxSteps>({.steps = 1});
  trainer.fit(s.loader);
  const std::vector<double> after = s.weights();
  double largest = 0;
  for (std::size_t i = 0; i < before.size(); ++i) largest = std::max(largest, std::abs(after[i] - before[i]));
  EXPECT_NEAR(largest, 0.1 * 1e-3, 1e-15);
}

}  // namespace
}  // namespace eigengrad::train
