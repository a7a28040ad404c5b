// Metrics against the figures of scikit-learn 1.9 and, where it has none, PyTorch's cross entropy.
#include "eigengrad/train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "eigengrad/train/trainer.h"
#include "tests/message.h"

namespace eigengrad::train {
namespace {

// Outputs for four classes, the last of which is never a label, but twice a prediction.
const Tensor& scores() {
  static const Tensor values = tensor<double>({{-1.0, 0.25, 1.5, 0.0},
                                               {0.75, 0.0, -0.75, 1.25},
                                               {-0.25, 0.5, 0.0, 0.25},
                                               {1.5, -0.5, 0.25, 1.0},
                                               {0.5, -0.75, 0.75, -0.5},
                                               {-0.5, -1.0, 1.25, 0.75},
                                               {1.25, 1.5, -1.0, -0.75},
                                               {0.25, 1.25, -0.5, 0.5},
                                               {-0.75, 1.0, 0.0, -1.0},
                                               {1.0, 0.75, 0.5, 0.25},
                                               {0.0, 0.5, 1.0, 1.5},
                                               {-1.0, 0.25, 1.5, 0.0}});
  return values;
}
const Tensor& labels() {
  static const Tensor values = tensor<std::int64_t>({0, 1, 1, 1, 2, 2, 2, 0, 1, 0, 1, 1});
  return values;
}
// Two numbers a sample.
const Tensor& numbers() {
  static const Tensor values = tensor<double>({{-1.0, 3.0},
                                               {1.5, 4.0},
                                               {0.5, 5.0},
                                               {-0.5, 6.0},
                                               {2.0, 3.0},
                                               {1.0, 4.0},
                                               {0.0, 5.0},
                                               {-1.0, 6.0},
                                               {1.5, 3.0},
                                               {0.5, 4.0},
                                               {-0.5, 5.0},
                                               {2.0, 6.0}});
  return values;
}
const Tensor& guesses() {
  static const Tensor values = tensor<double>({{-1.2, 3.2},
                                               {1.6, 4.0},
                                               {0.4, 4.8},
                                               {-0.3, 6.1},
                                               {2.0, 2.9},
                                               {0.8, 4.2},
                                               {0.1, 5.0},
                                               {-1.1, 5.8},
                                               {1.7, 3.1},
                                               {0.5, 3.9},
                                               {-0.7, 5.2},
                                               {2.1, 6.0}});
  return values;
}

// The value over all samples, in batches of 5, 5 and 2.
double measured(Metric&& metric, const Tensor& outputs, const Tensor& targets) {
  for (const auto& [from, to] : {std::pair{0, 5}, {5, 10}, {10, 12}})
    metric.update(outputs[Slice(from, to)], targets[Slice(from, to)]);
  return metric.value().value_or(std::nan(""));
}
double measured(Metric&& metric) { return measured(std::move(metric), scores(), labels()); }

std::vector<double> table(const Metric& metric) { return metric.tables().at(0).second.to_vector<double>(); }

TEST(LabelMetrics, GiveTheFiguresOfScikitLearn) {
  EXPECT_NEAR(measured(Accuracy()), 0.4166666666666667, 1e-15);
  EXPECT_NEAR(measured(TopKAccuracy({.k = 1})), 0.4166666666666667, 1e-15);
  EXPECT_NEAR(measured(TopKAccuracy({.k = 2})), 0.5, 1e-15);
  EXPECT_NEAR(measured(TopKAccuracy({.k = 3})), 0.75, 1e-15);
  EXPECT_NEAR(measured(PrecisionScore()), 0.375, 1e-15);
  EXPECT_NEAR(measured(RecallScore()), 0.3333333333333333, 1e-15);
  EXPECT_NEAR(measured(F1Score()), 0.34285714285714286, 1e-15);
  EXPECT_NEAR(measured(PrecisionScore({.average = ClassAverage::Weighted})), 0.5, 1e-15);
  EXPECT_NEAR(measured(RecallScore({.average = ClassAverage::Weighted})), 0.4166666666666667, 1e-15);
  EXPECT_NEAR(measured(F1Score({.average = ClassAverage::Weighted})), 0.4428571428571429, 1e-15);
  EXPECT_NEAR(measured(PrecisionScore({.average = ClassAverage::Micro})), 0.4166666666666667, 1e-15);
  EXPECT_NEAR(measured(RecallScore({.average = ClassAverage::Micro})), 0.4166666666666667, 1e-15);
  EXPECT_NEAR(measured(F1Score({.average = ClassAverage::Micro})), 0.4166666666666667, 1e-15);
  EXPECT_NEAR(measured(Perplexity()), 5.33297707820036, 1e-13);
}

TEST(LabelMetrics, CountAClassThatNeverOccursInNoMean) {
  // A fifth class, neither predicted nor wanted.
  const Tensor five = cat({scores(), full({12, 1}, -9.0, kFloat64)}, 1);
  EXPECT_NEAR(measured(F1Score(), five, labels()), 0.34285714285714286, 1e-15);
}

TEST(LabelMetrics, OfTwoClassesCanBeThoseOfTheSecond) {
  const Tensor two = scores()[{Ellipsis, Slice(0, 2)}], parity = remainder(labels(), full({}, 2, kInt64));
  EXPECT_NEAR(measured(PrecisionScore({.average = ClassAverage::Binary}), two, parity), 0.5714285714285714, 1e-15);
  EXPECT_NEAR(measured(RecallScore({.average = ClassAverage::Binary}), two, parity), 0.6666666666666666, 1e-15);
  EXPECT_NEAR(measured(F1Score({.average = ClassAverage::Binary}), two, parity), 0.6153846153846154, 1e-15);
  EXPECT_THROW(measured(F1Score({.average = ClassAverage::Binary})), ValueError);
}

TEST(LabelMetrics, HaveTablesOfTheClasses) {
  F1Score f1;
  PrecisionScore precision;
  RecallScore recall;
  ConfusionMatrix confusion;
  for (Metric* metric : std::initializer_list<Metric*>{&f1, &precision, &recall, &confusion}) {
    EXPECT_TRUE(metric->tables().empty());
    metric->update(scores(), labels());
  }
  EXPECT_EQ(f1.tables()[0].first, "f1_per_class");
  EXPECT_EQ(table(precision), (std::vector<double>{0.5, 0.5, 0.5, 0}));
  EXPECT_EQ(table(recall), (std::vector<double>{1 / 3.0, 2 / 6.0, 2 / 3.0, 0}));
  EXPECT_EQ(table(f1), (std::vector<double>{0.4, 0.4, 4 / 7.0, 0}));
  EXPECT_EQ(confusion.tables()[0].second.shape(), (Shape{4, 4}));
  EXPECT_EQ(table(confusion), (std::vector<double>{1, 1, 1, 0, 1, 2, 1, 2, 0, 1, 2, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(confusion.value());
}

TEST(LabelMetrics, PassOverALabel) {
  EXPECT_NEAR(measured(Accuracy({.ignore_index = 2})), 0.3333333333333333, 1e-15);
  EXPECT_NEAR(measured(TopKAccuracy({.k = 2, .ignore_index = 2})), 0.4444444444444444, 1e-15);
  EXPECT_NEAR(measured(F1Score({.ignore_index = 2})), 0.2111111111111111, 1e-15);
  EXPECT_NEAR(measured(Perplexity({.ignore_index = 2})), 5.565078606088885, 1e-13);
  const nn::CrossEntropyLoss loss({.ignore_index = 2});
  Accuracy follows, own({.ignore_index = -1});
  follows.follow(loss);
  own.follow(loss);
  EXPECT_NEAR(measured(std::move(follows)), 0.3333333333333333, 1e-15);
  EXPECT_NEAR(measured(std::move(own)), 0.4166666666666667, 1e-15);
  Accuracy nothing({.ignore_index = 0});
  nothing.update(scores(), zeros({12}, kInt64));
  EXPECT_FALSE(nothing.value());
}

// Outputs [N, C, L] and targets [N, L]: what the same labels one after another give.
TEST(LabelMetrics, MeasureSequences) {
  const Tensor outputs = contiguous(transpose(reshape(scores(), {3, 4, 4}), 1, 2)), targets = reshape(labels(), {3, 4});
  for (const config::TypeEntry& entry : metrics().entries()) {
    config::Value row = config::Value::object();
    row.set("type", entry.name);
    if (entry.name == "top_k_accuracy") row.set("k", 2);
    config::Diagnostics diagnostics;
    const auto configured = metrics().read(row, "", diagnostics);
    const auto flat = metrics().functions(*configured).make(configured->options.get());
    if (!flat->misfit({{4}, {}, kInt64}).empty()) continue;
    const auto folded = flat->clone();
    flat->update(scores(), labels());
    folded->update(outputs, targets);
    if (entry.name == "confusion_matrix") {
      EXPECT_EQ(table(*folded), table(*flat));
      continue;
    }
    ASSERT_TRUE(flat->value() && folded->value()) << entry.name;
    EXPECT_NEAR(*flat->value(), *folded->value(), 1e-14) << entry.name;
  }
}

TEST(NumberMetrics, GiveTheFiguresOfScikitLearn) {
  EXPECT_NEAR(measured(MeanAbsoluteError(), guesses(), numbers()), 0.12083333333333338, 1e-15);
  EXPECT_NEAR(measured(MeanSquaredError(), guesses(), numbers()), 0.02041666666666668, 1e-15);
  EXPECT_NEAR(measured(RootMeanSquaredError(), guesses(), numbers()), 0.1428869016623521, 1e-15);
  EXPECT_NEAR(measured(R2Score(), guesses(), numbers()), 0.9827407407407407, 1e-14);
  const Tensor first = select(numbers(), 1, 0), guess = select(guesses(), 1, 0);
  EXPECT_NEAR(measured(R2Score(), guess, first), 0.9814814814814815, 1e-14);
}

TEST(NumberMetrics, AreComputedInFloat64) {
  // Each square is 1e-12, where float32 has lost it beside 1.
  const Tensor target = ones({12}, kFloat64), output = target + 1e-6;
  EXPECT_NEAR(measured(MeanSquaredError(), output, target), 1e-12, 1e-21);
  // Targets far from 0: the sum of their squares would have cancelled all.
  const Tensor far = to(arange(12), kFloat64) + 1e9;
  EXPECT_NEAR(measured(R2Score(), far + 1, far), 1 - 12 / 143.0, 1e-9);
}

TEST(NumberMetrics, R2OfTargetsThatDoNotVary) {
  const Tensor same = full({12}, 3.0, kFloat64);
  EXPECT_EQ(measured(R2Score(), same, same), 1);
  EXPECT_EQ(measured(R2Score(), same + 1, same), 0);
  R2Score one;
  one.update(ones({1, 1}), ones({1, 1}));
  EXPECT_FALSE(one.value());
}

TEST(NumberMetrics, BinaryAccuracyHasTheThresholdOfTheLoss) {
  const Tensor outputs = tensor<float>({-1, 0.3F, 0.7F, 2}), targets = tensor<float>({0, 1, 1, 0});
  BinaryAccuracy probabilities, logits, own({.threshold = 1});
  logits.follow(nn::BCEWithLogitsLoss());
  own.follow(nn::BCEWithLogitsLoss());
  for (BinaryAccuracy* metric : {&probabilities, &logits, &own}) metric->update(outputs, targets);
  EXPECT_EQ(probabilities.value(), 0.5);
  EXPECT_EQ(logits.value(), 0.75);
  EXPECT_EQ(own.value(), 0.25);
}

TEST(Metrics, RefuseWhatDoesNotFit) {
  const std::string message = message_of<ValueError>([] { Accuracy().update(ones({4, 3}), ones({4})); });
  EXPECT_NE(
      message.find("[accuracy] cannot be measured here: it needs labels (int64) as targets, but they are float32"),
      std::string::npos)
      << message;
  EXPECT_THROW(Accuracy().update(ones({4, 3}), zeros({5}, kInt64)), ShapeError);
  EXPECT_THROW(Accuracy().update(ones({4, 3}), zeros({4, 2}, kInt64)), ValueError);
  EXPECT_THROW(Accuracy().update(ones({4, 3}), full({4}, 3, kInt64)), IndexError);
  EXPECT_THROW(Accuracy().update(ones({4, 3}), full({4}, -1, kInt64)), IndexError);
  EXPECT_THROW(TopKAccuracy({.k = 5}).update(ones({4, 3}), zeros({4}, kInt64)), ValueError);
  EXPECT_THROW(TopKAccuracy({.k = 0}), ValueError);
  EXPECT_THROW(ConfusionMatrix().update(ones({1, 1001}), zeros({1}, kInt64)), ValueError);
  EXPECT_THROW(MeanAbsoluteError().update(ones({4, 1}), ones({4})), ValueError);
  F1Score f1;
  f1.update(ones({4, 3}), zeros({4}, kInt64));
  EXPECT_THROW(f1.update(ones({4, 2}), zeros({4}, kInt64)), ShapeError);
}

struct Named : Accuracy {
  explicit Named(std::string name) : name_(std::move(name)) {}
  std::string name() const override { return name_; }
  std::string name_;
};

TEST(MetricSet, HasEachNameOnce) {
  MetricSet set;
  set.add(std::make_unique<Accuracy>());
  set.add(std::make_unique<TopKAccuracy>(TopKAccuracy::Options{.k = 2}));
  set.add(std::make_unique<TopKAccuracy>(TopKAccuracy::Options{.k = 3}));
  EXPECT_THROW(set.add(std::make_unique<Accuracy>()), ValueError);
  EXPECT_THROW(set.add(std::make_unique<Named>("loss")), ValueError);
  EXPECT_THROW(set.add(nullptr), ValueError);
}

std::map<std::string, double> values(const MetricSet& set) {
  std::map<std::string, double> all;
  set.write_values(all);
  return all;
}

MetricSet every_metric_of(const Tensor& outputs, const Tensor& targets) {
  MetricSet set;
  for (const config::TypeEntry& entry : metrics().entries()) {
    config::Value row = config::Value::object();
    row.set("type", entry.name);
    if (entry.name == "top_k_accuracy") row.set("k", 2);
    config::Diagnostics diagnostics;
    const auto configured = metrics().read(row, "", diagnostics);
    auto metric = metrics().functions(*configured).make(configured->options.get());
    Shape output = outputs.shape(), target = targets.shape();
    output.erase(0);
    target.erase(0);
    if (metric->misfit({output, target, targets.dtype()}).empty()) set.add(std::move(metric));
  }
  return set;
}

// Saved after the first batch and loaded into others, it goes on to the same bits.
TEST(MetricSet, GoesOnFromItsState) {
  for (const auto& [outputs, targets] : {std::pair{scores(), labels()}, {guesses(), numbers()}}) {
    MetricSet whole = every_metric_of(outputs, targets), second = whole;
    EXPECT_GE(whole.metrics().size(), 5u);
    whole.update(outputs[Slice(0, 7)], targets[Slice(0, 7)]);
    optim::StateDict state;
    optim::StateFields out(state);
    whole.visit_state(out);
    optim::StateReader reader(state, "metrics");
    optim::StateFields in(reader);
    second.visit_state(in);
    reader.finish();
    in.commit();
    for (MetricSet* set : {&whole, &second}) set->update(outputs[Slice(7, 12)], targets[Slice(7, 12)]);
    EXPECT_EQ(values(second), values(whole));
    EXPECT_EQ(second.tables().size(), whole.tables().size());
    MetricSet before = every_metric_of(outputs, targets);
    before.update(outputs[Slice(7, 12)], targets[Slice(7, 12)]);
    EXPECT_NE(values(before), values(whole));
  }
}

TEST(MetricSet, RefusesAStateOfTheWrongLength) {
  MetricSet set;
  set.add(std::make_unique<F1Score>());
  const optim::StateDict state{{"f1.sums", ones({4}, kFloat64)}};
  optim::StateReader reader(state, "metrics");
  optim::StateFields in(reader);
  set.visit_state(in);
  const std::string message = message_of<ValueError>([&] { reader.finish(); });
  EXPECT_NE(message.find("f1.sums: found 4 numbers"), std::string::npos) << message;
}

TEST(MetricSet, TheUsualOnesAreThoseThatFit) {
  const auto names = [](const nn::Loss& loss, const Tensor& outputs, const Tensor& targets) {
    MetricSet set = MetricSet::usual(loss);
    set.update(outputs, targets);
    std::string text;
    for (const auto& [name, value] : values(set)) text += name + " ";
    return text;
  };
  EXPECT_EQ(names(nn::CrossEntropyLoss(), scores(), labels()), "accuracy ");
  EXPECT_EQ(names(nn::CrossEntropyLoss(), scores(), softmax(scores(), 1)), "");
  EXPECT_EQ(names(nn::MSELoss(), guesses(), numbers()), "mae rmse ");
  EXPECT_EQ(names(nn::BCEWithLogitsLoss(), guesses(), numbers()), "binary_accuracy ");
  EXPECT_EQ(names(nn::GaussianNLLLoss(), scores(), numbers()), "");
}

// ---- While training.

struct Task {
  Task() {
    manual_seed(1);
    model.push_back(std::make_shared<nn::Linear>(2, 3));
  }
  static data::DatasetPtr points(std::int64_t count, std::uint64_t seed) {
    Generator generator(seed);
    const Tensor x = randn({count, 2}, kFloat32, generator);
    return std::make_shared<data::TensorDataset>(x, to(sum(x, {1}) > 0.3, kInt64) + to(select(x, 1, 0) > 1, kInt64), 3);
  }
  nn::Sequential model;
  nn::CrossEntropyLoss loss;
  data::DataLoader loader{points(200, 2), {.batch_size = 30}}, valid{points(100, 3), {.batch_size = 64}};
};

TEST(Trainer, MeasuresWhatItIsTold) {
  Task s;
  optim::SGD optimizer(s.model.parameters(), {.lr = 0.0});
  Trainer trainer(s.model, s.loss, optimizer);
  trainer.add_metric<F1Score>().add_metric<TopKAccuracy>({.k = 2}).stop_when<TargetMetric>(
      {.metric = "valid_f1", .target = 0.01});
  const FitResult result = trainer.fit(s.loader, &s.valid);
  EXPECT_EQ(result.stopped_by.kind, "target_metric") << result.stopped_by.text;
  const auto& metrics = result.history.at(0).metrics;
  EXPECT_FALSE(metrics.contains("accuracy"));
  // The rate is 0: the figures of the epoch are those of the model.
  MetricSet set;
  set.add(std::make_unique<F1Score>());
  set.add(std::make_unique<TopKAccuracy>(TopKAccuracy::Options{.k = 2}));
  for (const auto& [prefix, loader] : {std::pair{"", &s.loader}, {"valid_", &s.valid}}) {
    const Evaluation evaluation = evaluate(s.model, s.loss, *loader, set);
    for (const char* name : {"f1", "top2_accuracy"})
      EXPECT_DOUBLE_EQ(metrics.at(std::string(prefix) + name), evaluation.metrics.at(name)) << prefix << name;
    EXPECT_EQ(evaluation.tables.at(0).first, "f1_per_class");
  }
}

TEST(Trainer, MeasuresNumbersByMaeAndRmse) {
  manual_seed(1);
  nn::Linear model(2, 1);
  nn::MSELoss loss;
  optim::SGD optimizer(model.parameters(), {.lr = 0.01});
  const Tensor x = randn({40, 2});
  data::DataLoader loader(std::make_shared<data::TensorDataset>(x, sum(x, {1}, true)), {.batch_size = 16});
  Trainer trainer(model, loss, optimizer);
  trainer.stop_when<MaxEpochs>({.epochs = 2});
  const auto metrics = trainer.fit(loader, &loader).history.at(1).metrics;
  EXPECT_NEAR(metrics.at("rmse"), std::sqrt(metrics.at("loss")), 1e-6);
  EXPECT_LT(metrics.at("valid_mae"), metrics.at("valid_rmse"));
  EXPECT_FALSE(metrics.contains("accuracy"));
}

// An optimizer that computes a step several times has its outputs measured once.
TEST(Trainer, MeasuresAStepOnce) {
  Task s;
  optim::LBFGS optimizer(s.model.parameters(), {.lr = 0.1, .max_iter = 4});
  Trainer trainer(s.model, s.loss, optimizer);
  trainer.add_metric<ConfusionMatrix>().add_metric<Accuracy>().stop_when<MaxEpochs>({.epochs = 1});
  const double accuracy = trainer.fit(s.loader).history.at(0).metrics.at("accuracy");
  EXPECT_GT(optimizer.evaluations(), 7);
  EXPECT_NEAR(accuracy * 200, std::round(accuracy * 200), 1e-9);
}

}  // namespace
}  // namespace eigengrad::train
