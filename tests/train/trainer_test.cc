#include "eigengrad/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"

namespace eigengrad::train {
namespace {

// Points in the plane, and on which side of a line they lie.
data::DatasetPtr points(std::int64_t count, std::uint64_t seed) {
  Generator generator(seed);
  const Tensor x = randn({count, 2}, kFloat32, generator);
  return std::make_shared<data::TensorDataset>(x, to(sum(x, {1}) > 0.3, kInt64), 2);
}

struct Classifier {
  explicit Classifier(std::int64_t count = 200, std::uint64_t seed = 5)
      : loader(points(count, 1), {.batch_size = 32, .shuffle = true, .seed = 2}) {
    manual_seed(seed);
    model.push_back(std::make_shared<nn::Linear>(2, 16))
        .push_back(std::make_shared<nn::Tanh>())
        .push_back(std::make_shared<nn::Linear>(16, 2));
    optimizer.emplace(model.parameters(), optim::SGDOptions{.lr = 0.2});
    trainer.emplace(model, loss, *optimizer);
  }
  data::DataLoader loader;
  nn::Sequential model;
  nn::CrossEntropyLoss loss;
  std::optional<optim::SGD> optimizer;
  std::optional<Trainer> trainer;
};

std::vector<std::vector<float>> weights(const nn::Module& model) {
  std::vector<std::vector<float>> values;
  for (const Tensor& parameter : model.parameters()) values.push_back(parameter.to_vector<float>());
  return values;
}

TEST(Trainer, LearnsAndValidates) {
  Classifier s;
  const data::DataLoader valid(points(500, 9), {.batch_size = 100});
  s.trainer->stop_when<MaxEpochs>({.epochs = 20});
  const FitResult result = s.trainer->fit(s.loader, &valid);
  EXPECT_EQ(result.stopped_by.kind, "max_epochs");
  ASSERT_EQ(result.history.size(), 20u);
  EXPECT_LT(result.history.back().metrics.at("loss"), 0.5 * result.history.front().metrics.at("loss"));
  EXPECT_GT(result.history.back().metrics.at("valid_accuracy"), 0.95);
  EXPECT_EQ(result.state.step, 20 * 7);
  EXPECT_EQ(result.history[2].step, 21);
  const Evaluation evaluation = evaluate(s.model, s.loss, valid);
  EXPECT_EQ(evaluation.samples, 500);
  EXPECT_DOUBLE_EQ(evaluation.metrics.at("accuracy"), result.history.back().metrics.at("valid_accuracy"));
  EXPECT_DOUBLE_EQ(evaluation.loss, result.history.back().metrics.at("valid_loss"));
}

TEST(Trainer, AccuracyAndLossAreThoseOfAHandCount) {
  Classifier s;
  const auto dataset = points(50, 3);
  const Evaluation evaluation = evaluate(s.model, s.loss, data::DataLoader(dataset, {.batch_size = 16}));
  std::vector<std::int64_t> all(50);
  for (std::size_t i = 0; i < 50; ++i) all[i] = static_cast<std::int64_t>(i);
  const data::Batch batch = dataset->get(all);
  const NoGrad no_grad;
  const Tensor output = s.model(batch.inputs);
  int correct = 0;
  for (std::int64_t i = 0; i < 50; ++i) {
    const auto row = select(output, 0, i).to_vector<float>();
    correct += (row[1] > row[0]) == (batch.targets.to_vector<std::int64_t>()[static_cast<std::size_t>(i)] == 1);
  }
  EXPECT_DOUBLE_EQ(evaluation.metrics.at("accuracy"), correct / 50.0);
  EXPECT_NEAR(evaluation.loss, cross_entropy(output, batch.targets).item(), 1e-6);
}

TEST(Trainer, SameSeedSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  std::vector<std::vector<std::vector<float>>> results;
  for (const int threads : {1, 2, 2, 4}) {
    set_num_threads(threads);
    Classifier s(3000);
    s.trainer->stop_when<MaxEpochs>({.epochs = 2});
    s.trainer->fit(s.loader);
    results.push_back(weights(s.model));
  }
  set_num_threads(before);
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
  Classifier other(3000, 6);
  other.trainer->stop_when<MaxEpochs>({.epochs = 2});
  other.trainer->fit(other.loader);
  EXPECT_NE(weights(other.model), results[0]);
}

TEST(Trainer, StopsWithinAnEpochAtTheFirstReason) {
  Classifier s;
  s.trainer->stop_when<MaxEpochs>({.epochs = 20}).stop_when<MaxSteps>({.steps = 10}).stop_when<MaxSteps>({.steps = 9});
  const FitResult result = s.trainer->fit(s.loader);
  EXPECT_EQ(result.stopped_by.kind, "max_steps");
  EXPECT_EQ(result.state.step, 9);
  EXPECT_EQ(result.history.size(), 1u);
}

TEST(Trainer, GradientNormAndTarget) {
  Classifier s;
  s.trainer->stop_when<MaxEpochs>({.epochs = 50}).stop_when<GradNorm>({.tolerance = 1e9});
  EXPECT_EQ(s.trainer->fit(s.loader).stopped_by.kind, "grad_norm");
  Classifier t;
  t.trainer->stop_when<MaxEpochs>({.epochs = 50}).stop_when<TargetMetric>({.metric = "accuracy", .target = 0.8});
  const FitResult result = t.trainer->fit(t.loader);
  EXPECT_EQ(result.stopped_by.kind, "target_metric");
  EXPECT_GE(result.history.back().metrics.at("accuracy"), 0.8);
}

TEST(Trainer, RefusesToRunForEverOrOnNothing) {
  Classifier s;
  EXPECT_THROW(s.trainer->fit(s.loader), ValueError);
  s.trainer->stop_when<MaxEpochs>({.epochs = 1});
  data::DataLoader nothing(points(5, 1), {.batch_size = 10, .drop_last = true});
  EXPECT_THROW(s.trainer->fit(nothing), ValueError);
}

struct Recorder : Callback {
  explicit Recorder(std::vector<std::string>& events) : events_(events) {}
  void on_fit_begin(std::int64_t steps) override { events_.push_back("begin " + std::to_string(steps)); }
  void on_step_end(const TrainState& state) override { events_.push_back("step " + std::to_string(state.step)); }
  void on_epoch_end(const EpochRecord& record) override { events_.push_back("epoch " + std::to_string(record.epoch)); }
  void on_fit_end(const FitResult& result) override { events_.push_back("end " + result.stopped_by.kind); }
  std::vector<std::string>& events_;
};

TEST(Trainer, CallbacksComeInOrder) {
  Classifier s(64);
  std::vector<std::string> events;
  s.trainer->stop_when<MaxEpochs>({.epochs = 2}).add_callback(std::make_unique<Recorder>(events));
  s.trainer->fit(s.loader);
  EXPECT_EQ(events, (std::vector<std::string>{"begin 2", "step 1", "step 2", "epoch 1", "step 3", "step 4", "epoch 2",
                                              "end max_epochs"}));
}

TEST(Trainer, ClipsGradients) {
  const auto longest_step = [](double clip) {
    Classifier s;
    const auto before = weights(s.model);
    Trainer trainer(s.model, s.loss, *s.optimizer, {.clip_grad_norm = clip});
    trainer.stop_when<MaxSteps>({.steps = 1});
    trainer.fit(s.loader);
    const auto after = weights(s.model);
    double square = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      for (std::size_t j = 0; j < before[i].size(); ++j)
        square += std::pow(static_cast<double>(after[i][j] - before[i][j]), 2);
    return std::sqrt(square);
  };
  EXPECT_GT(longest_step(0), 0.2 * 0.02);
  EXPECT_NEAR(longest_step(0.01), 0.2 * 0.01, 1e-5);
}

TEST(Trainer, MultipliesInBfloat16WhereAsked) {
  const auto trained = [](Precision precision) {
    manual_seed(0);
    nn::Sequential model(nn::Linear(32, 64), nn::ReLU(), nn::Linear(64, 32));
    nn::MSELoss loss;
    optim::SGD optimizer(model.parameters(), {.lr = 0.1});
    const Tensor x = rand({64, 32});
    data::DataLoader loader(std::make_shared<data::TensorDataset>(x, x), {.batch_size = 64});
    Trainer trainer(model, loss, optimizer, {.precision = precision});
    trainer.stop_when<MaxSteps>({.steps = 20});
    const double last = trainer.fit(loader).state.metrics.at("loss");
    EXPECT_EQ(thread_state.precision, Precision::Float32);
    return last;
  };
  const double exact = trained(Precision::Float32), rounded = trained(Precision::BFloat16);
  EXPECT_NE(exact, rounded);
  EXPECT_NEAR(exact, rounded, 0.02 * exact);
}

// A network in whose second layer something goes wrong.
struct Faulty : nn::Module {
  enum class Fault { Log, SqrtGradient };
  struct Inner : nn::Module {
    explicit Inner(Fault fault) : fault_(fault) {}
    Tensor forward(const Tensor& x) override {
      if (fault_ == Fault::Log) return log(x * 0 - 1);
      return sqrt(x * 0);
    }
    Fault fault_;
  };
  explicit Faulty(Fault fault) : inner(child<Inner>("inner", fault)) {}
  nn::Linear& fc = child<nn::Linear>("fc", 2, 2);
  Inner& inner;
  Tensor forward(const Tensor& x) override { return inner(fc(x)); }
};

TEST(Trainer, SaysWhereALossThatIsNotFiniteCameFrom) {
  Classifier s;
  Faulty model(Faulty::Fault::Log);
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  Trainer trainer(model, s.loss, optimizer);
  trainer.stop_when<MaxEpochs>({.epochs = 1});
  const auto before = weights(model);
  const FitResult result = trainer.fit(s.loader);
  EXPECT_EQ(result.stopped_by.kind, kNonFinite);
  for (const char* word : {"the loss is nan at step 1 (epoch 1)", "[log]", "module 'inner'", "of finite inputs"})
    EXPECT_NE(result.stopped_by.text.find(word), std::string::npos) << result.stopped_by.text;
  EXPECT_EQ(weights(model), before);
  EXPECT_EQ(result.state.step, 0);
}

TEST(Trainer, SaysWhereAGradientThatIsNotFiniteCameFrom) {
  Classifier s;
  Faulty model(Faulty::Fault::SqrtGradient);
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  Trainer trainer(model, s.loss, optimizer);
  trainer.stop_when<MaxEpochs>({.epochs = 1});
  const auto before = weights(model);
  const FitResult result = trainer.fit(s.loader);
  EXPECT_EQ(result.stopped_by.kind, kNonFinite);
  for (const char* word :
       {"the gradient norm is", "the gradient of [sqrt] for input 0 is -inf", "trainer_test.cc:", "module 'inner'"})
    EXPECT_NE(result.stopped_by.text.find(word), std::string::npos) << result.stopped_by.text;
  EXPECT_EQ(weights(model), before);
}

TEST(Trainer, SaysWhenTheDataAreNotFinite) {
  Classifier s;
  Tensor x = zeros({8, 2});
  x.mutable_data<float>()[5] = std::numeric_limits<float>::infinity();
  data::DataLoader loader(std::make_shared<data::TensorDataset>(x, zeros({8}, kInt64), 2), {.batch_size = 8});
  s.trainer->stop_when<MaxEpochs>({.epochs = 1});
  const FitResult result = s.trainer->fit(loader);
  EXPECT_EQ(result.stopped_by.kind, kNonFinite);
  EXPECT_NE(result.stopped_by.text.find("the inputs of the batch are not finite"), std::string::npos)
      << result.stopped_by.text;
}

TEST(Evaluate, RunsInEvalModeAndPutsTheModeBack) {
  nn::Sequential model(nn::Dropout(0.9), nn::Linear(2, 2));
  nn::CrossEntropyLoss loss;
  const data::DataLoader loader(points(100, 1), {.batch_size = 10});
  EXPECT_EQ(evaluate(model, loss, loader).loss, evaluate(model, loss, loader).loss);
  EXPECT_TRUE(model.is_training());
  EXPECT_TRUE(model[0].is_training());
  model.eval();
  evaluate(model, loss, loader);
  EXPECT_FALSE(model.is_training());
  EXPECT_THROW(evaluate(model, loss, data::DataLoader(points(0, 1))), ValueError);
}

TEST(Evaluate, IsStopped) {
  nn::Linear model(2, 2);
  nn::CrossEntropyLoss loss;
  const data::DataLoader loader(points(100, 1), {.batch_size = 10});
  int batches = 0;
  const Evaluation stopped = evaluate(model, loss, loader, MetricSet::usual(loss), [&] { return ++batches > 3; });
  EXPECT_TRUE(stopped.stopped);
  EXPECT_EQ(batches, 4);
  EXPECT_TRUE(stopped.metrics.empty());
  EXPECT_FALSE(evaluate(model, loss, loader, MetricSet::usual(loss), [] { return false; }).stopped);
  EXPECT_TRUE(model.is_training());
}

TEST(Evaluate, HasNoAccuracyWithoutLabels) {
  nn::Linear model(2, 1);
  nn::MSELoss loss;
  const data::DataLoader loader(std::make_shared<data::TensorDataset>(ones({4, 2}), ones({4, 1})), {.batch_size = 3});
  EXPECT_FALSE(evaluate(model, loss, loader).metrics.contains("accuracy"));
}

}  // namespace
}  // namespace eigengrad::train
