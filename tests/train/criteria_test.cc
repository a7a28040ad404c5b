// Every stopping criterion: where it stops, what it says, and that one which is saved and loaded goes on as if nothing
// had happened.
#include "eigengrad/train/criteria.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <set>

#include "eigengrad/core/error.h"
#include "tests/temp_folder.h"

namespace eigengrad::train {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Made = std::unique_ptr<StopCriterion>;

template <class C>
std::function<Made()> with(typename C::Options options) {
  return [options] { return std::make_unique<C>(options); };
}

template <class C>
std::function<Made()> of(std::vector<std::function<Made()>> parts) {
  return [parts] {
    std::vector<Made> made;
    for (const auto& part : parts) made.push_back(part());
    return std::make_unique<C>(std::move(made));
  };
}

// The looks of epochs of two steps of 10 samples, of a second each; `values` is a metric at the ends of the epochs.
std::vector<TrainState> epochs(const std::string& metric, const std::vector<double>& values, double seconds = 1) {
  std::vector<TrainState> looks;
  TrainState state;
  for (const double value : values) {
    for (int i = 0; i < 2; ++i) {
      ++state.step;
      state.samples += 10;
      state.seconds += seconds;
      state.metrics = {{"loss", 100}, {"grad_norm", 1}, {"lr", 0.1}};
      looks.push_back(state);
    }
    ++state.epoch;
    state.epoch_ended = state.validated = true;
    state.metrics[metric] = value;
    looks.push_back(state);
    state.epoch_ended = state.validated = false;
  }
  return looks;
}

// The looks of steps within an epoch, `metric` being new at each where it is validated.
std::vector<TrainState> steps(const std::string& metric, const std::vector<double>& values, bool validated = false) {
  std::vector<TrainState> looks;
  for (const double value : values) {
    TrainState state{.step = std::ssize(looks) + 1, .validated = validated, .metrics = {{"loss", 1}}};
    state.metrics[metric] = value;
    looks.push_back(state);
  }
  return looks;
}

struct Row {
  std::string name;
  std::function<Made()> make;
  std::vector<TrainState> looks;
  int stops_at;  // the look, from 1; 0: never
  std::string text;
  std::string kind = name;
};

std::vector<Row> rows() {
  const auto improve = [](NoImprovementOptions options) { return with<NoImprovement>(std::move(options)); };
  return {
      {"max_epochs", with<MaxEpochs>({.epochs = 2}), epochs("loss", {3, 2, 1}), 6, "2 epochs are done"},
      {"max_steps", with<MaxSteps>({.steps = 3}), epochs("loss", {3, 2, 1}), 4, "3 steps are done"},
      {"max_samples", with<MaxSamples>({.samples = 25}), epochs("loss", {3, 2, 1}), 4, "30 samples were seen"},
      {"max_seconds", with<MaxSeconds>({.seconds = 5.5}), epochs("loss", {3, 2, 1}), 6,
       "another epoch of 2.0 seconds would end after the 5.5 that are allowed, of which 1.5 are left"},
      {"max_seconds", with<MaxSeconds>({.seconds = 5.5, .whole_epochs = false}), epochs("loss", {3, 2, 1}), 8,
       "6.0 seconds have passed, of 5.5 allowed"},
      {"max_seconds", with<MaxSeconds>({.seconds = 6}), epochs("loss", {3, 2, 1}), 8,
       "6.0 seconds have passed, of 6 allowed"},
      {"target_metric", with<TargetMetric>({.metric = "valid_f1", .target = 0.5}), epochs("valid_f1", {0.4, kNaN, 0.5}),
       9, "valid_f1 has reached 0.5, the target being 0.5"},
      {"target_metric", with<TargetMetric>({.metric = "valid_loss", .target = 2}), steps("valid_loss", {3, 1}, true), 2,
       "valid_loss has reached 1, the target being 2"},
      {"no_improvement", improve({.patience = 2}), epochs("valid_loss", {3, 1, 2, 1}), 12,
       "valid_loss has not improved on 1 (epoch 2) for 2 epochs"},
      {"no_improvement", improve({.patience = 3, .unit = PatienceUnit::Steps}), epochs("valid_loss", {3, 1, 2, 1}), 12,
       "valid_loss has not improved on 1 (epoch 2) for 4 steps"},
      {"no_improvement", improve({.patience = 2, .unit = PatienceUnit::Evaluations}),
       steps("valid_loss", {3, 1, 2, 2}, true), 4, "valid_loss has not improved on 1 (epoch 1) for 2 evaluations"},
      {"no_improvement", improve({.patience = 2, .min_relative_delta = 0.1}), epochs("valid_loss", {10, 9.5, 9.1}), 9,
       "valid_loss has not improved on 10 (epoch 1) for 2 epochs"},
      {"no_improvement", improve({.patience = 1, .start_epoch = 2}), epochs("valid_loss", {1, 2, 3, 4}), 12,
       "valid_loss has not improved on 3 (epoch 3) for 1 epochs"},
      {"no_improvement", improve({.patience = 2}), epochs("valid_loss", {4, 3, 2, 1}), 0, ""},
      {"small_improvement", with<SmallImprovement>({.tolerance = 0.1, .window = 2}), epochs("loss", {9, 5, 4, 4.6}), 12,
       "loss went from 5 to 4.6 over 2 values, an improvement below 0.1 of itself"},
      {"small_improvement", with<SmallImprovement>({.tolerance = 0.1, .window = 1}), epochs("loss", {9, 5, kNaN}), 9,
       "loss went from 5 to nan over 1 values, an improvement below 0.1 of itself"},
      {"small_improvement", with<SmallImprovement>({.metric = "accuracy", .tolerance = 0.1, .window = 1}),
       epochs("accuracy", {0.5, 0.6, 0.6}), 9,
       "accuracy went from 0.6 to 0.6 over 1 values, an improvement below 0.1 of itself"},
      {"grad_norm", with<GradNorm>({.tolerance = 0.5}), steps("grad_norm", {2, kNaN, 0.5, 0.4}), 4,
       "the gradient norm is 0.4, below the tolerance 0.5"},
      {"min_lr", with<MinLR>({.lr = 0.01}), steps("lr", {0.1, 0.01, 0.001}), 3,
       "the learning rate is 0.001, below 0.01"},
      {"divergence", with<Divergence>({.factor = 3}), epochs("loss", {4, 2, 6, 6.5}), 12,
       "loss is 6.5, more than 3 times its best, 2"},
      {"divergence", with<Divergence>({.factor = 2}), epochs("loss", {1, -2, -0.5, 0.5}), 12,
       "loss is 0.5, more than 2 times its best, -2"},
      {"divergence", with<Divergence>({.factor = 2, .every_step = true}), steps("loss", {1, 2, 2.5}), 3,
       "loss is 2.5, more than 2 times its best, 1"},
      {"non_finite", with<NonFinite>({}), epochs("valid_loss", {1, kInfinity}), 6, "valid_loss is inf"},
      {"non_finite", with<NonFinite>({.metric = "accuracy"}), epochs("accuracy", {1, kNaN}), 6, "accuracy is nan"},
      {"all_of", of<AllOf>({with<MaxSteps>({.steps = 3}), improve({.patience = 1})}), epochs("valid_loss", {1, 1, 1}),
       6, "4 steps are done; valid_loss has not improved on 1 (epoch 1) for 1 epochs"},
      {"any_of", of<AnyOf>({with<MaxSteps>({.steps = 3}), improve({.patience = 1})}), epochs("valid_loss", {1, 1, 1}),
       4, "3 steps are done", "max_steps"},
      {"all_of",
       of<AllOf>({of<AnyOf>({with<MaxSteps>({.steps = 3}), with<GradNorm>({.tolerance = 0.1})}), with<MaxEpochs>({2})}),
       epochs("loss", {1, 1, 1}), 6, "4 steps are done; 2 epochs are done"},
  };
}

TEST(Criteria, StopWhereTheyShould) {
  for (const Row& row : rows()) {
    const Made criterion = row.make();
    for (int round = 0; round < 2; ++round) {
      int at = 0;
      std::optional<StopReason> reason;
      while (!reason && at < std::ssize(row.looks))
        reason = criterion->check(row.looks[static_cast<std::size_t>(at++)]);
      EXPECT_EQ(reason ? at : 0, row.stops_at) << row.name << " " << row.text;
      if (reason) {
        EXPECT_EQ(reason->text, row.text);
        EXPECT_EQ(reason->kind, row.kind);
      }
      criterion->reset();
    }
  }
}

TEST(Criteria, GoOnFromASavedState) {
  for (const Row& row : rows()) {
    const int last = row.stops_at ? row.stops_at : static_cast<int>(std::ssize(row.looks));
    for (int saved_at = 0; saved_at < last; ++saved_at) {
      const Made before = row.make();
      for (int i = 0; i < saved_at; ++i) EXPECT_FALSE(before->check(row.looks[static_cast<std::size_t>(i)]));
      optim::StateDict state;
      optim::StateFields out(state);
      before->describe_state(out);

      const Made after = row.make();
      optim::StateReader reader(state, row.name);
      optim::StateFields in(reader);
      after->describe_state(in);
      reader.finish();
      in.commit();
      int at = saved_at;
      std::optional<StopReason> reason;
      while (!reason && at < std::ssize(row.looks)) reason = after->check(row.looks[static_cast<std::size_t>(at++)]);
      EXPECT_EQ(reason ? at : 0, row.stops_at) << row.name << " saved after " << saved_at;
      EXPECT_EQ(reason ? reason->text : "", row.text);
    }
  }
}

TEST(Criteria, AllOfTheTableAreHere) {
  std::set<std::string> tested;
  for (const Row& row : rows()) tested.insert(row.name);
  for (const std::string& name : criteria().names()) EXPECT_TRUE(tested.contains(name)) << name;
}

TEST(Criteria, RefuseWhatCannotBe) {
  EXPECT_THROW(MaxSamples({.samples = 0}), ValueError);
  EXPECT_THROW(NoImprovement({.min_relative_delta = -1}), ValueError);
  EXPECT_THROW(NoImprovement({.start_epoch = -1}), ValueError);
  EXPECT_THROW(SmallImprovement({.tolerance = 0}), ValueError);
  EXPECT_THROW(SmallImprovement({.window = 0}), ValueError);
  EXPECT_THROW(MinLR({.lr = 0}), ValueError);
  EXPECT_THROW(Divergence({.factor = 1}), ValueError);
  EXPECT_THROW(AnyOf({}), ValueError);
}

TEST(StopFile, IsRemovedWhenItHasStopped) {
  const TempFolder folder;
  const std::string file = folder.file("STOP");
  StopFile criterion({.file = file});
  EXPECT_FALSE(criterion.check({.step = 1, .seconds = 0}));
  std::ofstream(file) << "";
  EXPECT_FALSE(criterion.check({.step = 2, .seconds = 0.05})) << "it is looked for every tenth of a second";
  const auto reason = criterion.check({.step = 3, .seconds = 0.11});
  ASSERT_TRUE(reason);
  EXPECT_EQ(reason->kind, "stop_file");
  EXPECT_EQ(reason->text, "there was a file " + file);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(StopSignal, NotesTheFirst) {
  for (const auto& [number, name] : {std::pair{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}}) {
    StopSignal criterion;
    EXPECT_THROW(StopSignal(), Error) << "one at a time";
    EXPECT_FALSE(criterion.check({}));
    std::raise(number);
    const auto reason = criterion.check({});
    ASSERT_TRUE(reason);
    EXPECT_EQ(reason->kind, "signal");
    EXPECT_EQ(reason->text, std::string(name) + " was received");
    EXPECT_EQ(StopSignal::received(), number);
  }
}

TEST(StopSignal, LeavesTheHandlersOfOthersAsTheyWere) {
  static int seen = 0;
  const auto before = std::signal(SIGTERM, [](int) { ++seen; });
  { const StopSignal criterion; }
  std::raise(SIGTERM);
  EXPECT_EQ(seen, 1);
  std::signal(SIGTERM, before);
}

TEST(StopSignalDeathTest, ASecondOneEndsTheProcess) {
  EXPECT_EXIT(
      {
        const StopSignal criterion;
        std::raise(SIGTERM);
        std::raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace eigengrad::train
