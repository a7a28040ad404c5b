// Learning-rate schedules: PyTorch's figures, states, configurations and mistakes.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "tests/message.h"

namespace eigengrad::optim {
namespace {

using config::parse_json;
using config::Value;
using Make = std::function<Schedules(Optimizer&)>;

constexpr std::int64_t kSteps = 100;

template <class S>
std::shared_ptr<LRScheduler> one(Optimizer& optimizer, typename S::Options options) {
  return std::make_shared<S>(optimizer, std::move(options));
}
template <class S>
Make make(typename S::Options options) {
  return [options](Optimizer& o) { return Schedules{one<S>(o, options)}; };
}

// The cases of make_schedules.py.
const std::map<std::string, Make>& cases() {
  static const std::map<std::string, Make> all{
      {"StepLR", make<StepLR>({.step_size = 7})},
      {"StepLR_gamma", make<StepLR>({.step_size = 3, .gamma = 0.9})},
      {"MultiStepLR", make<MultiStepLR>({.milestones = {5, 20, 20, 31}})},
      {"MultiStepLR_start", make<MultiStepLR>({.milestones = {0, 9}, .gamma = 0.5})},
      {"ExponentialLR", make<ExponentialLR>({.gamma = 0.97})},
      {"ConstantLR", make<ConstantLR>({})},
      {"ConstantLR_longer", make<ConstantLR>({.factor = 0.3, .total_iters = 17})},
      {"LinearLR", make<LinearLR>({})},
      {"LinearLR_down", make<LinearLR>({.start_factor = 0.9, .end_factor = 0.1, .total_iters = 40})},
      {"PolynomialLR", make<PolynomialLR>({})},
      {"PolynomialLR_power", make<PolynomialLR>({.total_iters = 60, .power = 2.5})},
      {"CosineAnnealingLR", make<CosineAnnealingLR>({.T_max = 30})},
      {"CosineAnnealingLR_min", make<CosineAnnealingLR>({.T_max = 13, .eta_min = 0.001})},
      {"CosineAnnealingLR_one", make<CosineAnnealingLR>({.T_max = 1, .eta_min = 0.001})},
      {"CosineAnnealingWarmRestarts", make<CosineAnnealingWarmRestarts>({.T_0 = 9})},
      {"CosineAnnealingWarmRestarts_mult",
       make<CosineAnnealingWarmRestarts>({.T_0 = 5, .T_mult = 2, .eta_min = 0.002})},
      {"OneCycleLR", make<OneCycleLR>({.max_lr = {0.5, 0.1}, .total_steps = kSteps})},
      {"OneCycleLR_three_phase", make<OneCycleLR>({.max_lr = {0.3},
                                                   .epochs = 20,
                                                   .steps_per_epoch = 5,
                                                   .pct_start = 0.4,
                                                   .anneal_strategy = Annealing::Linear,
                                                   .three_phase = true})},
      {"OneCycleLR_no_momentum", make<OneCycleLR>({.max_lr = {0.3},
                                                   .total_steps = kSteps,
                                                   .cycle_momentum = false,
                                                   .div_factor = 10,
                                                   .final_div_factor = 100})},
      {"ReduceLROnPlateau", make<ReduceLROnPlateau>({})},
      {"ReduceLROnPlateau_max", make<ReduceLROnPlateau>({.mode = PlateauMode::Max,
                                                         .factor = 0.5,
                                                         .patience = 3,
                                                         .threshold = 0.1,
                                                         .cooldown = 2,
                                                         .min_lr = {0.001, 0.005}})},
      {"ReduceLROnPlateau_abs",
       make<ReduceLROnPlateau>(
           {.factor = 0.7, .patience = 1, .threshold = 0.05, .threshold_mode = ThresholdMode::Absolute, .eps = 1e-3})},
      {"LambdaLR", make<LambdaLR>({{[](std::int64_t t) { return std::pow(0.95, t); },
                                    [](std::int64_t t) { return 1 / (1 + static_cast<double>(t)); }}})},
      {"Chained",
       [](Optimizer& o) {
         return Schedules{std::make_shared<ChainedScheduler>(
             Schedules{one<LinearLR>(o, {.start_factor = 0.1, .total_iters = 10}),
                       one<ExponentialLR>(o, {.gamma = 0.98}), one<CosineAnnealingLR>(o, {.T_max = 50})})};
       }},
      {"Sequential",
       [](Optimizer& o) {
         return Schedules{std::make_shared<SequentialLR>(
             o,
             Schedules{one<LinearLR>(o, {.start_factor = 0.1, .total_iters = 10}),
                       one<CosineAnnealingLR>(o, {.T_max = 60}), one<StepLR>(o, {.step_size = 4})},
             std::vector<std::int64_t>{10, 70})};
       }},
      {"Sequential_restarts",
       [](Optimizer& o) {
         return Schedules{
             std::make_shared<SequentialLR>(o,
                                            Schedules{one<ConstantLR>(o, {.factor = 0.1, .total_iters = 20}),
                                                      one<CosineAnnealingWarmRestarts>(o, {.T_0 = 7, .T_mult = 2}),
                                                      one<ExponentialLR>(o, {.gamma = 0.9})},
                                            std::vector<std::int64_t>{20, 60})};
       }},
      {"Sequential_one_cycle",
       [](Optimizer& o) {
         return Schedules{
             std::make_shared<SequentialLR>(o,
                                            Schedules{one<ConstantLR>(o, {.factor = 0.5, .total_iters = 8}),
                                                      one<OneCycleLR>(o, {.max_lr = {0.4}, .total_steps = kSteps})},
                                            std::vector<std::int64_t>{8})};
       }},
      {"two", [](Optimizer& o) {
         return Schedules{one<StepLR>(o, {.step_size = 10}),
                          one<MultiStepLR>(o, {.milestones = {15, 25}, .gamma = 0.3})};
       }}};
  return all;
}

double metric(std::int64_t step) {
  return 3 / (1 + static_cast<double>(step / 4)) + 0.01 * static_cast<double>(step % 3);
}

// An optimizer of two groups, and the schedules of a case.
struct Scheduled {
  explicit Scheduled(const Make& make_schedules) : optimizer({parameter()}, {.lr = 0.1, .momentum = 0.9}) {
    optimizer.add_group({parameter()}, {.lr = 0.02, .momentum = 0.9});
    schedules = make_schedules(optimizer);
  }
  static Tensor parameter() { return ones({1}).set_requires_grad(); }
  std::vector<double> figures() const { return {optimizer.lr(0), optimizer.lr(1), optimizer.options().momentum}; }
  void step(std::int64_t i) {
    for (const auto& schedule : schedules) schedule->step(metric(i));
  }
  SGD optimizer;
  Schedules schedules;
};

std::map<std::string, std::vector<std::vector<double>>> reference() {
  std::map<std::string, std::vector<std::vector<double>>> rows;
  std::ifstream file(EIGENGRAD_SOURCE_DIR "/tests/optim/schedules.txt");
  std::string name;
  for (std::vector<double> values(4); file >> name >> values[0] >> values[1] >> values[2] >> values[3];)
    rows[name].push_back({values[1], values[2], values[3]});
  return rows;
}

TEST(Schedules, RatesAreThoseOfPyTorch) {
  const auto expected = reference();
  ASSERT_EQ(expected.size(), cases().size());
  for (const auto& [name, make_schedules] : cases()) {
    Scheduled run(make_schedules);
    ASSERT_EQ(expected.at(name).size(), static_cast<std::size_t>(kSteps)) << name;
    for (std::int64_t step = 0; step < kSteps; ++step) {
      const std::vector<double> figures = run.figures(), &want = expected.at(name)[static_cast<std::size_t>(step)];
      for (std::size_t k = 0; k < figures.size(); ++k)
        ASSERT_NEAR(figures[k], want[k], 1e-12 * std::max(1e-3, std::abs(want[k]))) << name << " step " << step;
      run.step(step);
    }
  }
}

TEST(Schedules, GoOnWhereTheyWereInterrupted) {
  for (const auto& [name, make_schedules] : cases()) {
    Scheduled whole(make_schedules);
    for (std::int64_t step = 0; step < 23; ++step) whole.step(step);
    Scheduled resumed(make_schedules);
    resumed.optimizer.load_state_dict(whole.optimizer.state_dict());
    for (std::size_t i = 0; i < whole.schedules.size(); ++i)
      resumed.schedules[i]->load_state_dict(whole.schedules[i]->state_dict());
    for (std::int64_t step = 23; step < 75; ++step) {
      EXPECT_EQ(resumed.figures(), whole.figures()) << name << " step " << step;
      whole.step(step);
      resumed.step(step);
    }
    EXPECT_EQ(resumed.schedules[0]->last_epoch(), 75) << name;
  }
}

TEST(Schedules, AStateThatDoesNotFitChangesNothing) {
  Scheduled run(cases().at("ReduceLROnPlateau"));
  for (std::int64_t step = 0; step < 5; ++step) run.step(step);
  LRScheduler& schedule = *run.schedules[0];
  StateDict state = schedule.state_dict();
  for (auto& [name, value] : state)
    if (name == "last_epoch") value = tensor(std::int64_t{9});
  std::erase_if(state, [](const auto& entry) { return entry.first == "best"; });
  state.emplace_back("bset", tensor(1.0));
  const std::string message = message_of([&] { schedule.load_state_dict(state); });
  for (const char* part : {"[schedule] the state does not fit", "missing: best", "not expected: bset"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
  EXPECT_EQ(schedule.last_epoch(), 5);
}

TEST(Schedules, CycleTheFirstBetaWhereThereIsNoMomentum) {
  Adam optimizer({Scheduled::parameter()});
  const OneCycleLR schedule(optimizer, {.max_lr = {0.1}, .total_steps = 10});
  EXPECT_EQ(optimizer.options().beta1, 0.95);
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.1 / 25);
}

TEST(Schedules, RestartFromTheFirstRates) {
  Scheduled run(cases().at("Chained"));
  const std::vector<double> first = run.figures();
  for (std::int64_t step = 0; step < 30; ++step) run.step(step);
  EXPECT_NE(run.figures(), first);
  run.schedules[0]->restart();
  EXPECT_EQ(run.figures(), first);
  EXPECT_EQ(run.schedules[0]->get_last_lr(), (std::vector<double>{first[0], first[1]}));
}

template <class S>
void expect_refused(typename S::Options options, const char* words) {
  Scheduled run([](Optimizer&) { return Schedules{}; });
  const std::string message = message_of([&] { S schedule(run.optimizer, options); });
  EXPECT_NE(message.find(words), std::string::npos) << message;
  EXPECT_EQ(run.optimizer.lr(), 0.1);
}

TEST(Schedules, RefuseOptionsOutOfRange) {
  expect_refused<StepLR>({}, "[StepLR] step_size is 0, expected a whole number of at least 1");
  expect_refused<StepLR>({.step_size = 1, .gamma = -1}, "[StepLR] gamma is -1");
  expect_refused<MultiStepLR>({.milestones = {3, -1}}, "[MultiStepLR] milestones is -1");
  expect_refused<ConstantLR>({.factor = 0}, "[ConstantLR] factor is 0, expected a number in (0, 1]");
  expect_refused<LinearLR>({.start_factor = 2}, "[LinearLR] start_factor is 2");
  expect_refused<PolynomialLR>({.total_iters = 0}, "[PolynomialLR] total_iters is 0");
  expect_refused<CosineAnnealingLR>({.T_max = 0}, "[CosineAnnealingLR] T_max is 0");
  expect_refused<CosineAnnealingWarmRestarts>({.T_0 = 1, .T_mult = 0}, "T_mult is 0");
  expect_refused<OneCycleLR>({.max_lr = {0.1}}, "expected total_steps, or epochs and steps_per_epoch");
  expect_refused<OneCycleLR>({.max_lr = {-0.1}, .total_steps = 5}, "[OneCycleLR] max_lr is -0.1");
  expect_refused<OneCycleLR>({.max_lr = {0.1, 0.2, 0.3}, .total_steps = 5},
                             "max_lr has 3 entries, expected 1 or one for each of the 2 groups");
  expect_refused<OneCycleLR>({.max_lr = {0.1}, .total_steps = 5, .max_momentum = {1}}, "max_momentum is 1");
  expect_refused<LambdaLR>({}, "lr_lambda has 0 entries");
  expect_refused<LambdaLR>({{{}}}, "empty function");
  expect_refused<ReduceLROnPlateau>({.factor = 1}, "[ReduceLROnPlateau] factor is 1, expected a number in [0, 1)");
  expect_refused<ReduceLROnPlateau>({.min_lr = {}}, "min_lr has 0 entries");
}

TEST(Schedules, RefuseWhatDoesNotGoTogether) {
  Scheduled run(cases().at("ReduceLROnPlateau")), other(cases().at("StepLR"));
  Optimizer& o = run.optimizer;
  const auto step = one<StepLR>(o, {.step_size = 1});
  const auto expect = [](const char* words, const std::function<void()>& f) {
    const std::string message = message_of(f);
    EXPECT_NE(message.find(words), std::string::npos) << message;
  };
  expect("needs the value of the metric", [&] { run.schedules[0]->step(); });
  expect("that needs a metric (valid_loss)", [&] { ChainedScheduler({step, run.schedules[0]}); });
  expect("different optimizers", [&] { ChainedScheduler({step, other.schedules[0]}); });
  expect("at least one schedule", [&] { ChainedScheduler({}); });
  expect("is null", [&] { ChainedScheduler({nullptr}); });
  expect("found 1 schedules and 1 milestones", [&] { SequentialLR(o, {step}, {1}); });
  expect("rising milestones", [&] { SequentialLR(o, {step, step, step}, {4, 2}); });
  expect("another optimizer", [&] { SequentialLR(other.optimizer, {step}, {}); });
  run.optimizer.add_group({Scheduled::parameter()}, {});
  expect("has 3 groups, but had 2", [&] { step->step(); });
  Adagrad adagrad({Scheduled::parameter()});
  expect("neither momentum nor beta1", [&] { OneCycleLR(adagrad, {.max_lr = {1}, .total_steps = 5}); });
  OneCycleLR cycle(other.optimizer, {.max_lr = {1}, .total_steps = 1});
  cycle.step();
  expect("[OneCycleLR] step 2 of a cycle of 1 steps", [&] { cycle.step(); });
}

std::string config_error(const std::string& text) {
  config::Diagnostics diagnostics("f.json");
  schedules().read_one_or_rows(parse_json(text), "/lr_scheduler", diagnostics);
  return message_of([&] { diagnostics.throw_if_any(); });
}

TEST(ScheduleTable, SaysWhatIsWrongAndWhere) {
  for (const auto& [text, words] : std::vector<std::pair<const char*, const char*>>{
           {R"("StepLr")", "/lr_scheduler: unknown schedule 'StepLr'"},
           {R"("StepLR")", "/lr_scheduler: 'step_size' is missing"},
           {R"([])", "/lr_scheduler: found an empty array, expected an array of at least one schedule"},
           {R"([{"type": "StepLR", "step_size": 0}])", "/lr_scheduler/0/step_size: found the number 0"},
           {R"({"type": "StepLR", "step_size": 2, "intervall": "step"})", "did you mean 'interval'"},
           {R"({"type": "StepLR", "step_size": 2, "interval": "batch"})",
            "/lr_scheduler/interval: unknown value 'batch'"},
           {R"({"type": "OneCycleLR", "max_lr": "x"})", "/lr_scheduler/max_lr: found the string \"x\""},
           {R"({"type": "OneCycleLR", "max_lr": [1, -1]})", "/lr_scheduler/max_lr/1: found the number -1"},
           {R"({"type": "SequentialLR", "schedulers": ["LinearLR"]})", "'milestones' is missing"},
           {R"({"type": "ChainedScheduler", "schedulers": [{"type": "LinearLR", "interval": "step"}]})",
            "/lr_scheduler/schedulers/0/interval: a schedule within another goes on with it"},
           {R"({"type": "ChainedScheduler", "schedulers": [{"type": "LinearLR", "total": 1}]})",
            "/lr_scheduler/schedulers/0/total: unknown key"}})
    EXPECT_NE(config_error(text).find(words), std::string::npos) << config_error(text);
}

TEST(ScheduleTable, BuildsEverySchedule) {
  const std::map<std::string, const char*> needed{
      {"StepLR", R"("step_size": 3)"},
      {"MultiStepLR", R"("milestones": [2, 4])"},
      {"ExponentialLR", R"("gamma": 0.9)"},
      {"CosineAnnealingLR", R"("T_max": 9)"},
      {"CosineAnnealingWarmRestarts", R"("T_0": 3)"},
      {"OneCycleLR", R"("max_lr": 0.3, "total_steps": 20)"},
      {"ChainedScheduler", R"("schedulers": ["LinearLR", {"type": "ExponentialLR", "gamma": 0.9}])"},
      {"SequentialLR", R"("schedulers": ["LinearLR", "PolynomialLR"], "milestones": [2])"}};
  for (const config::TypeEntry& entry : schedules().entries()) {
    const auto more = needed.find(entry.name);
    const std::string text =
        "{\"type\": \"" + entry.name + "\"" + (more == needed.end() ? "" : ", " + std::string(more->second)) + "}";
    config::Diagnostics diagnostics;
    const auto row = schedules().read(parse_json(text), "", diagnostics);
    ASSERT_TRUE(row) << text;
    Scheduled run([](Optimizer&) { return Schedules{}; });
    const auto schedule = schedules().functions(*row).make(run.optimizer, row->options.get());
    for (int i = 0; i < 4; ++i) schedule->step(1.0);
    EXPECT_EQ(schedule->last_epoch(), 4) << text;
    EXPECT_EQ(schedules().functions(*row).interval(row->options.get()),
              entry.name == "OneCycleLR" ? Interval::Step : Interval::Epoch);
    const Value written = schedules().write(*row);
    const auto again = schedules().read(written, "", diagnostics);
    ASSERT_TRUE(again) << config::to_json(written);
    EXPECT_EQ(schedules().write(*again), written);
  }
}

}  // namespace
}  // namespace eigengrad::optim
