// Training that is interrupted between any two steps and resumed gives the bits of training that is not.
#include "eigengrad/train/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <functional>
#include <limits>
#include <set>
#include <tuple>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "eigengrad/train/criteria.h"
#include "tests/message.h"
#include "tests/temp_folder.h"

namespace eigengrad::train {
namespace {

data::DatasetPtr points(std::int64_t count, std::uint64_t seed) {
  Generator generator(seed);
  const Tensor x = randn({count, 2}, kFloat32, generator);
  return std::make_shared<data::TensorDataset>(x, to(sum(x, {1}) > 0.3, kInt64), 2);
}

using MakeOptimizer = std::function<std::unique_ptr<optim::Optimizer>(const nn::Module&)>;

template <class O>
MakeOptimizer make(typename O::Options options = {}) {
  return [options](const nn::Module& model) { return std::make_unique<O>(model.parameters(), options); };
}

// All that a run may remember.
struct Training {
  explicit Training(const MakeOptimizer& make_optimizer = make<optim::Adam>({.lr = 0.05}), bool ema = true,
                    bool with_criteria = true) {
    manual_seed(5);
    model.push_back(std::make_shared<nn::Linear>(2, 8))
        .push_back(std::make_shared<nn::BatchNorm1d>(8))
        .push_back(std::make_shared<nn::ReLU>())
        .push_back(std::make_shared<nn::Dropout>(0.25))
        .push_back(std::make_shared<nn::Linear>(8, 2));
    optimizer = make_optimizer(model);
    by_step.emplace(*optimizer, optim::CosineAnnealingLROptions{.T_max = 30});
    by_metric.emplace(*optimizer,
                      optim::ReduceLROnPlateauOptions{.metric = "valid_loss", .factor = 0.5, .patience = 0});
    if (ema) average.emplace(model.named_parameters(), optim::EMAOptions{.decay = 0.8});
    trainer.emplace(model, loss, *optimizer, TrainerOptions{.clip_grad_norm = 1, .accumulate = 2, .validate_every = 3});
    trainer->add_schedule(*by_step, optim::Interval::Step).add_schedule(*by_metric).keep_best();
    if (average) trainer->average_with(*average);
    if (with_criteria) trainer->stop_when<MaxEpochs>({.epochs = 4}).stop_when<NoImprovement>({.patience = 3});
  }
  FitResult fit() { return trainer->fit(train, &valid); }

  data::DataLoader train{points(90, 1), {.batch_size = 10, .shuffle = true, .seed = 2}};
  const data::DataLoader valid{points(50, 9), {.batch_size = 25}};
  nn::Sequential model;
  nn::CrossEntropyLoss loss;
  std::unique_ptr<optim::Optimizer> optimizer;
  std::optional<optim::CosineAnnealingLR> by_step;
  std::optional<optim::ReduceLROnPlateau> by_metric;
  std::optional<optim::EMA> average;
  std::optional<Trainer> trainer;
};

using Values = std::vector<std::pair<std::string, std::vector<double>>>;

Values values_of(const optim::StateDict& state) {
  Values values;
  for (const auto& [name, tensor] : state) values.emplace_back(name, to(tensor, kFloat64).to_vector<double>());
  return values;
}

std::vector<std::map<std::string, double>> metrics_of(const FitResult& result) {
  std::vector<std::map<std::string, double>> all;
  for (const EpochRecord& record : result.history) all.push_back(record.metrics);
  return all;
}

// Stops at a step, or at the end of the epoch in which it is.
struct StopAt : StopCriterion {
  StopAt(std::int64_t step_number, bool epoch_end) : step(step_number), at_epoch_end(epoch_end) {}
  std::optional<StopReason> check(const TrainState& state) override {
    if (state.step < step || state.epoch_ended != at_epoch_end) return std::nullopt;
    return StopReason{kSignal, "enough"};  // which restores no weights
  }
  std::int64_t step;
  bool at_epoch_end;
};

void expect_same(const Training& resumed, const FitResult& got, const Training& whole, const FitResult& expected,
                 const std::string& what) {
  EXPECT_EQ(values_of(resumed.model.state_dict()), values_of(whole.model.state_dict())) << what;
  EXPECT_EQ(metrics_of(got), metrics_of(expected)) << what;
  EXPECT_EQ(got.stopped_by.text, expected.stopped_by.text) << what;
  EXPECT_EQ(got.state.step, expected.state.step) << what;
  ASSERT_TRUE(got.best && expected.best) << what;
  EXPECT_EQ(got.best->value, expected.best->value) << what;
  EXPECT_EQ(got.best->step, expected.best->step) << what;
}

// Trains to a step, and on in another trainer.
void interrupt(const MakeOptimizer& make_optimizer, std::int64_t step, bool epoch_end, const Training& whole,
               const FitResult& expected, bool ema = true) {
  Training first(make_optimizer, ema);
  first.trainer->stop_when(std::make_unique<StopAt>(step, epoch_end));
  ASSERT_EQ(first.fit().stopped_by.kind, kSignal);
  const optim::StateDict state = first.trainer->state_dict(), weights = first.model.state_dict();

  Training second(make_optimizer, ema);
  second.trainer->stop_when(std::make_unique<StopAt>(1000, false));
  second.model.load_state_dict(weights);
  second.trainer->load_state_dict(state);
  const FitResult got = second.fit();
  expect_same(second, got, whole, expected, "interrupted at step " + std::to_string(step));
}

TEST(Resume, BetweenAnyTwoSteps) {
  const MakeOptimizer adam = make<optim::Adam>({.lr = 0.05});
  Training whole(adam);
  const FitResult expected = whole.fit();
  ASSERT_EQ(expected.state.step, 20);
  EXPECT_TRUE(expected.restored_best);
  for (std::int64_t step = 1; step < 20; ++step) interrupt(adam, step, false, whole, expected);
  for (std::int64_t step = 5; step < 20; step += 5) interrupt(adam, step, true, whole, expected);
}

TEST(Resume, WithEveryOptimizer) {
  const std::vector<MakeOptimizer> all = {
      make<optim::SGD>({.lr = 0.1}),     make<optim::SGD>({.lr = 0.1, .momentum = 0.9, .nesterov = true}),
      make<optim::AdamW>({.lr = 0.05}),  make<optim::RMSprop>({.lr = 0.01, .momentum = 0.5}),
      make<optim::Adagrad>({.lr = 0.1}), make<optim::Adadelta>(),
      make<optim::NAdam>({.lr = 0.02}),  make<optim::Lion>({.lr = 0.01}),
      make<optim::LBFGS>({.lr = 0.1}),
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    Training whole(all[i]);
    const FitResult expected = whole.fit();
    for (const std::int64_t step : {1, 8}) interrupt(all[i], step, false, whole, expected);
  }
}

TEST(Resume, ReadsWhatItHasWritten) {
  Training first;
  first.trainer->stop_when(std::make_unique<StopAt>(7, false));
  first.fit();
  const optim::StateDict state = first.trainer->state_dict();
  Training second;
  second.trainer->stop_when(std::make_unique<StopAt>(7, false));
  second.trainer->load_state_dict(state);
  EXPECT_EQ(values_of(second.trainer->state_dict()), values_of(state));
}

TEST(Resume, AStateThatDoesNotFitChangesNothing) {
  Training first;
  first.trainer->stop_when(std::make_unique<StopAt>(7, false));
  first.fit();
  const optim::StateDict good = first.trainer->state_dict();
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (good[i].first.starts_with("metric.") || good[i].first.starts_with("best.")) continue;
    optim::StateDict bad = good;
    bad.erase(bad.begin() + static_cast<std::ptrdiff_t>(i));
    Training second;
    second.trainer->stop_when(std::make_unique<StopAt>(7, false));
    const Values before = values_of(second.trainer->state_dict());
    EXPECT_THROW(second.trainer->load_state_dict(bad), ValueError) << good[i].first;
    EXPECT_EQ(values_of(second.trainer->state_dict()), before) << good[i].first;
  }
  optim::StateDict more = good;
  more.emplace_back("more", tensor(1.0));
  Training second;
  second.trainer->stop_when(std::make_unique<StopAt>(7, false));
  EXPECT_THROW(second.trainer->load_state_dict(more), ValueError);
  Training without(make<optim::Adam>({.lr = 0.05}), false);
  without.trainer->stop_when(std::make_unique<StopAt>(7, false));
  EXPECT_THROW(without.trainer->load_state_dict(good), ValueError) << "it has no averages";
}

TEST(Resume, NumbersThatNoRunHasAreRefused) {
  Training first;
  first.trainer->stop_when(std::make_unique<StopAt>(7, false));
  first.fit();
  const optim::StateDict good = first.trainer->state_dict();
  const std::tuple<const char*, Tensor, const char*> cases[] = {
      {"step", tensor(std::int64_t{1} << 62), "step: found 4611686018427387904, expected a number in [0, 2^53]"},
      {"history.epoch", tensor({std::nan("")}), "history.epoch: found nan, expected a whole number in [0, 2^53]"},
      {"history.step", tensor({-0.0}), "history.step: found -0, expected a whole number"},
      {"history.step", tensor({1.5}), "history.step: found 1.5, expected a whole number"},
      {"history.measured.loss", tensor({2.0}), "history.measured.loss: found 2, expected 0 or 1"},
      {"metric.loss", tensor(1.0f), "metric.loss: found float32 [], expected float64 []"},
      {"best.weights.0.weight", tensor({1.0f}), "0.weight: found float32 [1], expected float32 [8, 2]"},
  };
  for (const auto& [name, value, expected] : cases) {
    optim::StateDict bad = good;
    const auto entry = std::find_if(bad.begin(), bad.end(), [&](const auto& e) { return e.first == name; });
    ASSERT_NE(entry, bad.end()) << name;
    entry->second = value;
    Training second;
    second.trainer->stop_when(std::make_unique<StopAt>(7, false));
    const std::string message = message_of([&] { second.trainer->load_state_dict(bad); });
    EXPECT_NE(message.find(expected), std::string::npos) << message;
  }
}

TEST(Resume, AnEpochOfOtherBatchesIsRefused) {
  Training first;
  first.trainer->stop_when(std::make_unique<StopAt>(7, false));
  first.fit();
  Training second;
  second.trainer->stop_when(std::make_unique<StopAt>(1000, false));
  second.trainer->load_state_dict(first.trainer->state_dict());
  data::DataLoader other(points(90, 1), {.batch_size = 30});
  EXPECT_EQ(message_of([&] { second.trainer->fit(other); }),
            "[fit] training stopped within an epoch of 9 batches, and cannot go on in one of 3");
}

// Keeps the weights of the best validation on its own, and does something after a step.
struct Watch : Callback {
  explicit Watch(Training& of, std::function<void(std::int64_t step)> then = {}) : training(of), act(std::move(then)) {}
  void see(double loss) {
    if (!(loss < best)) return;
    best = loss;
    const optim::EMA::Applied averages(*training.average);
    weights = values_of(training.model.state_dict());
  }
  void on_step_end(const TrainState& state) override {
    if (state.validated) see(state.metrics.at("valid_loss"));
    if (act) act(state.step);
  }
  void on_epoch_end(const EpochRecord& record) override { see(record.metrics.at("valid_loss")); }

  Training& training;
  const std::function<void(std::int64_t)> act;
  double best = 1e9;
  Values weights;
};

// Which soon goes astray.
MakeOptimizer too_fast() { return make<optim::SGD>({.lr = 3, .momentum = 0.9}); }

TEST(KeepBest, RestoresTheWeightsOfTheBestValidation) {
  Training s(too_fast());
  auto watch = std::make_unique<Watch>(s);
  const Watch& seen = *watch;
  s.trainer->add_callback(std::move(watch));
  const FitResult result = s.fit();
  EXPECT_TRUE(result.restored_best);
  EXPECT_EQ(result.best->value, seen.best);
  EXPECT_LT(result.best->step, result.state.step);
  EXPECT_EQ(values_of(s.model.state_dict()), seen.weights);
  EXPECT_NEAR(evaluate(s.model, s.loss, s.valid).loss, seen.best, 1e-12);
}

// Shows a criterion the steps as seconds.
struct ByStepClock : StopCriterion {
  explicit ByStepClock(std::unique_ptr<StopCriterion> criterion) : inner(std::move(criterion)) {}
  std::optional<StopReason> check(const TrainState& state) override {
    TrainState shown = state;
    shown.seconds = static_cast<double>(state.step);
    return inner->check(shown);
  }
  void reset() override { inner->reset(); }
  const std::unique_ptr<StopCriterion> inner;
};

TEST(KeepBest, RestoresThemWhateverStopsTheRun) {
  constexpr std::int64_t kActs = 12;  // a step at which something happens
  const TempFolder folder;
  const std::string stop = folder.file("STOP");
  const auto spoil = [](Tensor weights) {
    const NoGrad no_grad;
    fill_(weights, std::numeric_limits<double>::quiet_NaN());
  };
  const struct {
    std::string kind, options;
    std::function<void(Training&)> act = {};
  } rows[] = {
      {"max_epochs", R"("epochs": 4)"},
      {"max_steps", R"("steps": 17)"},
      {"max_samples", R"("samples": 250)"},
      {"max_seconds", R"("seconds": 16)"},
      {"max_seconds", R"("seconds": 16, "whole_epochs": false)"},
      {"target_metric", R"("metric": "lr", "mode": "min", "target": 1)"},
      {"no_improvement", R"("patience": 2)"},
      {"small_improvement", R"("metric": "valid_loss", "window": 2)"},
      {"grad_norm", R"("tolerance": 0.02)"},
      {"min_lr", R"("lr": 0.5)"},
      {"divergence", R"("metric": "valid_loss", "factor": 2)"},
      {"all_of", R"("criteria": [{"type": "max_steps", "steps": 11}, {"type": "max_epochs", "epochs": 3}])"},
      {"any_of", R"("criteria": [{"type": "max_steps", "steps": 15}, "max_epochs"])"},
      // In validation alone, which goes by the running mean; and in training.
      {"non_finite", R"("metric": "valid_loss")", [&](Training& t) { spoil(t.model.named_buffers()[0].second); }},
      {"non_finite", R"("metric": "valid_loss")", [&](Training& t) { spoil(t.model.parameters()[0]); }},
      {"stop_file", "", [&](Training&) { io::write_file(stop, ""); }},
      {"signal", "", [](Training&) { std::raise(SIGTERM); }},
  };
  std::set<std::string> left;
  for (const std::string& name : criteria().names()) left.insert(name);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.kind + " " + row.options);
    left.erase(row.kind);
    Training s(too_fast(), true, false);
    if (row.kind == kSignal) {
      s.trainer->stop_when(std::make_unique<StopSignal>());
    } else if (row.kind == kStopFile) {
      s.trainer->stop_when(std::make_unique<ByStepClock>(std::make_unique<StopFile>(StopFileOptions{stop})));
    } else {
      config::Diagnostics diagnostics("row");
      const std::string json =
          R"({"type": ")" + row.kind + "\"" + (row.options.empty() ? "" : ", " + row.options) + "}";
      const auto configured = criteria().read(config::parse_json(json), "", diagnostics);
      diagnostics.throw_if_any();
      s.trainer->stop_when(
          std::make_unique<ByStepClock>(criteria().functions(*configured).make(configured->options.get())));
    }
    s.trainer->stop_when<MaxSteps>({.steps = 200});  // which is never reached
    auto watch = std::make_unique<Watch>(s, [&](std::int64_t step) {
      if (row.act && step == kActs) row.act(s);
    });
    const Watch& seen = *watch;
    s.trainer->add_callback(std::move(watch));
    const FitResult result = s.fit();
    EXPECT_LT(result.state.step, 200);
    EXPECT_EQ(result.stopped_by.kind, row.kind == "any_of" ? "max_steps" : row.kind) << result.stopped_by.text;
    ASSERT_TRUE(result.best);
    EXPECT_LT(result.best->step, result.state.step) << "the last weights are the best, which shows nothing";
    EXPECT_EQ(result.best->value, seen.best);
    EXPECT_EQ(result.restored_best, row.kind != kSignal);
    EXPECT_EQ(values_of(s.model.state_dict()) == seen.weights, row.kind != kSignal);
  }
  EXPECT_TRUE(left.empty()) << *left.begin() << " is not in the table";
}

TEST(Checkpoints, KeepTheNewest) {
  const TempFolder folder;
  Training s;
  s.trainer->add_callback(std::make_unique<Checkpoints>(s.model, *s.trainer, CheckpointFolder(folder.path()),
                                                        CheckpointOptions{.every_steps = 4, .keep = 3}, "points"));
  s.fit();
  EXPECT_EQ(folder.files(), (std::vector<std::string>{"epoch-00003-step-000000016", "epoch-00003-step-000000020",
                                                      "epoch-00004-step-000000020"}));
  // Weights are where everybody can read them.
  const auto tensors = io::load_safetensors(folder.file("epoch-00003-step-000000016/model.safetensors")).tensors;
  EXPECT_EQ(tensors.size(), s.model.state_dict().size());

  Training again;
  CheckpointFolder checkpoints(folder.path());
  const auto notes = checkpoints.load_newest(again.model, *again.trainer);
  ASSERT_TRUE(notes && notes->stopped_by);
  EXPECT_EQ(notes->stopped_by->kind, "max_epochs");
  EXPECT_EQ(notes->data, "points");
  EXPECT_EQ(notes->epoch, 4);
  const FitResult result = again.trainer->finish(*notes->stopped_by);
  EXPECT_TRUE(result.restored_best);
  EXPECT_EQ(values_of(again.model.state_dict()), values_of(s.model.state_dict()));
}

TEST(Checkpoints, OfAnotherModelAreRefused) {
  const TempFolder folder;
  Training s;
  s.trainer->add_callback(std::make_unique<Checkpoints>(s.model, *s.trainer, CheckpointFolder(folder.path())));
  s.fit();
  Training other(make<optim::SGD>({.lr = 0.1}));
  CheckpointFolder checkpoints(folder.path());
  EXPECT_THROW(checkpoints.load_newest(other.model, *other.trainer), ValueError);
  EXPECT_THROW(Checkpoints(s.model, *s.trainer, checkpoints, {.keep = 0}), ValueError);
}

TEST(Checkpoints, NoneAreWrittenOfNumbersThatAreNotFinite) {
  const TempFolder folder;
  Training s(make<optim::SGD>({.lr = 1e38}));
  s.trainer->add_callback(std::make_unique<Checkpoints>(s.model, *s.trainer, CheckpointFolder(folder.path()),
                                                        CheckpointOptions{.every_epochs = 0}));
  EXPECT_EQ(s.fit().stopped_by.kind, kNonFinite);
  EXPECT_TRUE(folder.files().empty());
}

}  // namespace
}  // namespace eigengrad::train
