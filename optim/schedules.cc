#include "eigengrad/optim/schedules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "eigengrad/core/check.h"

namespace eigengrad::optim {
namespace {

constexpr double kPi = std::numbers::pi;

void describe_gamma(config::Fields& f, double& gamma, bool required = false) {
  f("gamma", gamma, {.help = "what the rate is multiplied by", .required = required, .min = 0});
}
void describe_total(config::Fields& f, std::int64_t& total_iters) {
  f("total_iters", total_iters, {.help = "epochs until it has come to its end", .min = 1});
}
void describe_eta_min(config::Fields& f, double& eta_min) {
  f("eta_min", eta_min, {.help = "the least rate", .min = 0});
}

// Numbers for all groups, or one for each: in JSON a number or an array.
void describe_per_group(config::Fields& f, const char* name, std::vector<double>& values, const config::Field& field) {
  const auto read = [&values, field](const config::Value& value, const std::string& pointer,
                                     config::Diagnostics& diagnostics) {
    if (value.as_array()) return config::read_value(value, pointer, diagnostics, &values, field);
    values.assign(1, 0);
    config::read_value(value, pointer, diagnostics, &values[0], field);
  };
  const auto write = [&values] { return values.size() == 1 ? config::Value(values[0]) : config::write_value(&values); };
  const auto schema = [&values, field] {
    double one = 0;
    config::Value any = config::Value::object();
    any.set("anyOf", config::Value::Array{config::value_schema(&one, field), config::value_schema(&values, field)});
    return any;
  };
  f.custom(name, {read, write, schema}, field);
}

const config::Field kMaxRate{.help = "the largest rate, of all groups or of each", .required = true, .min = 0};
const config::Field kBaseMomentum{.help = "the momentum at the largest rate", .min = 0, .max = 1, .below_max = true};
const config::Field kMaxMomentum{.help = "the momentum at the smallest rates", .min = 0, .max = 1, .below_max = true};
const config::Field kMinRate{.help = "the rate below which it does not go, of all groups or of each", .min = 0};

template <class T>
const T& of_group(const std::vector<T>& values, std::size_t group) {
  return values.size() == 1 ? values[0] : values[group];
}

template <class T>
void check_count(const char* owner, const char* name, const std::vector<T>& values, const Optimizer& optimizer) {
  EG_CHECK(values.size() == 1 || (!values.empty() && values.size() == optimizer.groups()), ValueError,
           "[{}] {} has {} entries, expected 1 or one for each of the {} groups of the optimizer", owner, name,
           values.size(), optimizer.groups());
}

void check_per_group(const char* owner, const char* name, std::vector<double> values, const config::Field& field,
                     const Optimizer& optimizer) {
  config::check_value(owner, name, &values, field);
  check_count(owner, name, values, optimizer);
}

}  // namespace

void describe(config::Fields& f, StepLROptions& o) {
  f("step_size", o.step_size, {.help = "epochs between the steps down", .required = true, .min = 1});
  describe_gamma(f, o.gamma);
}

double StepLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  return epoch % o.step_size == 0 ? group.lr * o.gamma : group.lr;
}

void describe(config::Fields& f, MultiStepLROptions& o) {
  f("milestones", o.milestones, {.help = "epochs of the steps down", .required = true, .min = 0});
  describe_gamma(f, o.gamma);
}

double MultiStepLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  const auto times = std::count(o.milestones.begin(), o.milestones.end(), epoch);
  return times ? group.lr * std::pow(o.gamma, static_cast<double>(times)) : group.lr;
}

void describe(config::Fields& f, ExponentialLROptions& o) { describe_gamma(f, o.gamma, true); }

void describe(config::Fields& f, ConstantLROptions& o) {
  f("factor", o.factor, {.help = "what the rate is multiplied by until then", .min = 0, .max = 1, .above_min = true});
  describe_total(f, o.total_iters);
}

double ConstantLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  return epoch == o.total_iters ? group.lr * (1 / o.factor) : group.lr;
}

void describe(config::Fields& f, LinearLROptions& o) {
  f("start_factor", o.start_factor,
    {.help = "what the rate is multiplied by at first", .min = 0, .max = 1, .above_min = true});
  f("end_factor", o.end_factor, {.help = "what it is multiplied by at the end", .min = 0, .max = 1});
  describe_total(f, o.total_iters);
}

double LinearLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  if (epoch > o.total_iters) return group.lr;
  const double rise = o.end_factor - o.start_factor;
  const double before = static_cast<double>(o.total_iters) * o.start_factor + static_cast<double>(epoch - 1) * rise;
  return group.lr * (1 + rise / before);
}

void describe(config::Fields& f, PolynomialLROptions& o) {
  describe_total(f, o.total_iters);
  f("power", o.power, {.help = "the exponent: 1 is a line", .min = 0});
}

double PolynomialLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  if (epoch > o.total_iters) return group.lr;
  const auto total = static_cast<double>(o.total_iters), t = static_cast<double>(epoch);
  return group.lr * std::pow((1 - t / total) / (1 - (t - 1) / total), o.power);
}

void describe(config::Fields& f, CosineAnnealingLROptions& o) {
  f("T_max", o.T_max, {.help = "epochs from the largest rate to the least", .required = true, .min = 1});
  describe_eta_min(f, o.eta_min);
}

// From the rate before, so that it chains with others.
double CosineAnnealingLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  const auto turn = static_cast<double>(o.T_max), t = static_cast<double>(epoch);
  if ((epoch - 1 - o.T_max) % (2 * o.T_max) == 0)
    return group.lr + (group.base_lr - o.eta_min) * (1 - std::cos(kPi / turn)) / 2;
  return (1 + std::cos(kPi * t / turn)) / (1 + std::cos(kPi * (t - 1) / turn)) * (group.lr - o.eta_min) + o.eta_min;
}

void describe(config::Fields& f, CosineAnnealingWarmRestartsOptions& o) {
  f("T_0", o.T_0, {.help = "epochs of the first round", .required = true, .min = 1});
  f("T_mult", o.T_mult, {.help = "how many times as long the next round is", .min = 1});
  describe_eta_min(f, o.eta_min);
}

double CosineAnnealingWarmRestarts::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  std::int64_t round = o.T_0;
  if (o.T_mult == 1) epoch %= round;
  for (; epoch >= round; round *= o.T_mult) epoch -= round;
  const double part = kPi * static_cast<double>(epoch) / static_cast<double>(round);
  return o.eta_min + (group.base_lr - o.eta_min) * (1 + std::cos(part)) / 2;
}

void describe(config::Fields& f, OneCycleLROptions& o) {
  describe_per_group(f, "max_lr", o.max_lr, kMaxRate);
  f("total_steps", o.total_steps, {.help = "steps of the cycle; unless given epochs * steps_per_epoch, or those of the run", .min = 1});
  f("epochs", o.epochs, {.help = "epochs of the cycle", .min = 1});
  f("steps_per_epoch", o.steps_per_epoch, {.help = "steps of an epoch", .min = 1});
  f("pct_start", o.pct_start, {.help = "share of the steps in which the rate rises", .min = 0, .max = 1});
  f.choice<Annealing>("anneal_strategy", o.anneal_strategy, {{"cos", Annealing::Cosine}, {"linear", Annealing::Linear}},
                      {.help = "along what the rate goes"});
  f("cycle_momentum", o.cycle_momentum, {.help = "let the momentum, or beta1, go the other way"});
  describe_per_group(f, "base_momentum", o.base_momentum, kBaseMomentum);
  describe_per_group(f, "max_momentum", o.max_momentum, kMaxMomentum);
  f("div_factor", o.div_factor, {.help = "max_lr over the first rate", .min = 0, .above_min = true});
  f("final_div_factor", o.final_div_factor, {.help = "the first rate over the last", .min = 0, .above_min = true});
  f("three_phase", o.three_phase, {.help = "come back to the first rate, then fall to the last"});
}

namespace {

double total_steps(const OneCycleLROptions& o) {
  return o.total_steps ? static_cast<double>(*o.total_steps)
                       : static_cast<double>(*o.epochs) * static_cast<double>(*o.steps_per_epoch);
}

// A part of the cycle, from one value to another.
struct Phase {
  double end, from, to;
};

// The value at a step, by phases that follow each other.
double annealed(const OneCycleLROptions& o, std::int64_t epoch, const std::vector<Phase>& phases) {
  const auto step = static_cast<double>(epoch);
  double begin = 0;
  std::size_t i = 0;
  for (; i + 1 < phases.size() && step > phases[i].end; ++i) begin = phases[i].end;
  const auto [end, from, to] = phases[i];
  // PyTorch goes on beyond the last step, by a little up or, along a line, below 0.
  const double share = end == begin ? 1 : std::min(1.0, (step - begin) / (end - begin));
  return o.anneal_strategy == Annealing::Linear ? (to - from) * share + from
                                                : to + (from - to) / 2.0 * (std::cos(kPi * share) + 1);
}

// first → top → first → last in three phases, first → top → last in two.
std::vector<Phase> cycle(const OneCycleLROptions& o, double first, double top, double last) {
  const double total = total_steps(o), rise = o.pct_start * total - 1;
  if (o.three_phase) return {{rise, first, top}, {2 * o.pct_start * total - 2, top, first}, {total - 1, first, last}};
  return {{rise, first, top}, {total - 1, top, last}};
}

}  // namespace

void OneCycleLR::check(const Options& o, const Optimizer& optimizer) {
  EG_CHECK(o.total_steps || (o.epochs && o.steps_per_epoch), ValueError,
           "[OneCycleLR] expected total_steps, or epochs and steps_per_epoch");
  check_per_group(kName, "max_lr", o.max_lr, kMaxRate, optimizer);
  if (!o.cycle_momentum) return;
  check_per_group(kName, "base_momentum", o.base_momentum, kBaseMomentum, optimizer);
  check_per_group(kName, "max_momentum", o.max_momentum, kMaxMomentum, optimizer);
  for (std::size_t i = 0; i < optimizer.groups(); ++i)
    EG_CHECK(optimizer.momentum(i), ValueError,
             "[OneCycleLR] the optimizer has neither momentum nor beta1, which cycle_momentum needs");
}

void OneCycleLR::prepare(const Options& o, Optimizer& optimizer) {
  for (std::size_t i = 0; i < optimizer.groups(); ++i)
    optimizer.set_initial_lr(i, of_group(o.max_lr, i) / o.div_factor);
}

double OneCycleLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  EG_CHECK(static_cast<double>(epoch) <= total_steps(o), Error, "[OneCycleLR] step {} of a cycle of {} steps", epoch,
           total_steps(o));
  const double top = of_group(o.max_lr, group.group), first = top / o.div_factor;
  return annealed(o, epoch, cycle(o, first, top, first / o.final_div_factor));
}

double OneCycleLR::momentum(const Options& o, std::int64_t epoch, const GroupRate& group) {
  const double most = of_group(o.max_momentum, group.group), least = of_group(o.base_momentum, group.group);
  return annealed(o, epoch, cycle(o, most, least, most));
}

void LambdaLR::check(const Options& o, const Optimizer& optimizer) {
  check_count(kName, "lr_lambda", o.lr_lambda, optimizer);
  for (const auto& f : o.lr_lambda) EG_CHECK(f, ValueError, "[LambdaLR] lr_lambda has an empty function");
}

double LambdaLR::rate(const Options& o, std::int64_t epoch, const GroupRate& group) {
  return group.base_lr * of_group(o.lr_lambda, group.group)(epoch);
}

void describe(config::Fields& f, ReduceLROnPlateauOptions& o) {
  f("metric", o.metric, {.help = "name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on"});
  f.choice<PlateauMode>("mode", o.mode, {{"min", PlateauMode::Min}, {"max", PlateauMode::Max}},
                        {.help = "whether small or large values of it are good"});
  f("factor", o.factor, {.help = "what the rate is multiplied by", .min = 0, .max = 1, .below_max = true});
  f("patience", o.patience, {.help = "epochs without an improvement that are let pass", .min = 0});
  f("threshold", o.threshold, {.help = "what counts as one", .min = 0});
  f.choice<ThresholdMode>("threshold_mode", o.threshold_mode,
                          {{"rel", ThresholdMode::Relative}, {"abs", ThresholdMode::Absolute}},
                          {.help = "whether the threshold is a share of the best value or a difference from it"});
  f("cooldown", o.cooldown, {.help = "epochs after a reduction that do not count", .min = 0});
  describe_per_group(f, "min_lr", o.min_lr, kMinRate);
  f("eps", o.eps, {.help = "the least change of a rate that is made", .min = 0});
}

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, Options options)
    : LRScheduler(optimizer), options_(std::move(options)) {
  config::check_options(kName, options_);
  check_per_group(kName, "min_lr", options_.min_lr, kMinRate, optimizer);
  ReduceLROnPlateau::begin();
}

void ReduceLROnPlateau::begin() {
  set_epoch(0);
  best_ = (options_.mode == PlateauMode::Min ? 1 : -1) * std::numeric_limits<double>::infinity();
  bad_epochs_ = cooldown_ = 0;
}

void ReduceLROnPlateau::step() {
  throw Error("[ReduceLROnPlateau] step() needs the value of the metric that it watches");
}

bool ReduceLROnPlateau::is_better(double value) const {
  const double sign = options_.mode == PlateauMode::Min ? 1 : -1;
  const double bar = options_.threshold_mode == ThresholdMode::Relative ? best_ * (1 - sign * options_.threshold)
                                                                        : best_ - sign * options_.threshold;
  return sign * value < sign * bar;
}

void ReduceLROnPlateau::step(double metric) {
  LRScheduler::step();
  const bool better = is_better(metric);
  if (better) best_ = metric;
  bad_epochs_ = better ? 0 : bad_epochs_ + 1;
  if (cooldown_ > 0) {
    --cooldown_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ <= options_.patience) return;
  for (std::size_t i = 0; i < groups(); ++i) {
    const double before = optimizer().lr(i), after = std::max(before * options_.factor, of_group(options_.min_lr, i));
    if (before - after > options_.eps) optimizer().set_lr(i, after);
  }
  cooldown_ = options_.cooldown;
  bad_epochs_ = 0;
}

void ReduceLROnPlateau::describe_state(StateFields& f) {
  LRScheduler::describe_state(f);
  f("best", best_);
  f("bad_epochs", bad_epochs_);
  f("cooldown", cooldown_);
}

namespace {

Optimizer& common_optimizer(const char* owner, const Schedules& parts) {
  EG_CHECK(!parts.empty(), ValueError, "[{}] expected at least one schedule, found none", owner);
  for (const auto& part : parts) {
    EG_CHECK(part, ValueError, "[{}] a schedule is null", owner);
    EG_CHECK(&part->optimizer() == &parts[0]->optimizer(), ValueError,
             "[{}] the schedules belong to different optimizers", owner);
    EG_CHECK(part->metric().empty(), ValueError, "[{}] a schedule that needs a metric ({}) cannot be part of it", owner,
             part->metric());
  }
  return parts[0]->optimizer();
}

void describe_parts(StateFields& f, const Schedules& parts) {
  for (std::size_t i = 0; i < parts.size(); ++i)
    f.within(fmt::format("part.{}.", i), [&] { parts[i]->describe_state(f); });
}

}  // namespace

ChainedScheduler::ChainedScheduler(Schedules schedulers)
    : LRScheduler(common_optimizer(kName, schedulers)), parts_(std::move(schedulers)) {}

void ChainedScheduler::step() {
  LRScheduler::step();
  for (const auto& part : parts_) part->step();
}

void ChainedScheduler::begin() {
  set_epoch(0);
  for (const auto& part : parts_) part->begin();
}

void ChainedScheduler::describe_state(StateFields& f) {
  LRScheduler::describe_state(f);
  describe_parts(f, parts_);
}

SequentialLR::SequentialLR(Optimizer& optimizer, Schedules schedulers, std::vector<std::int64_t> milestones)
    : LRScheduler(optimizer), parts_(std::move(schedulers)), milestones_(std::move(milestones)) {
  EG_CHECK(&common_optimizer(kName, parts_) == &optimizer, ValueError,
           "[SequentialLR] the schedules belong to another optimizer");
  EG_CHECK(milestones_.size() + 1 == parts_.size() && std::is_sorted(milestones_.begin(), milestones_.end()),
           ValueError, "[SequentialLR] found {} schedules and {} milestones, expected rising milestones, one fewer",
           parts_.size(), milestones_.size());
  restart();
}

std::size_t SequentialLR::part_at(std::int64_t epoch) const {
  return static_cast<std::size_t>(std::upper_bound(milestones_.begin(), milestones_.end(), epoch) -
                                  milestones_.begin());
}

void SequentialLR::step() {
  LRScheduler::step();
  const std::size_t part = part_at(last_epoch());
  if (part > 0 && milestones_[part - 1] == last_epoch())
    parts_[part]->restart();
  else
    parts_[part]->step();
}

void SequentialLR::begin() {
  set_epoch(0);
  parts_[part_at(0)]->begin();
}

void SequentialLR::describe_state(StateFields& f) {
  LRScheduler::describe_state(f);
  describe_parts(f, parts_);
}

}  // namespace eigengrad::optim
