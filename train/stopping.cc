#include "eigengrad/train/stopping.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>

#include "eigengrad/core/check.h"

namespace eigengrad::train {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double worst(bool larger) { return larger ? -kInfinity : kInfinity; }

constexpr const char* kMetricHelp =
    "name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on";

void describe_mode(config::Fields& f, Mode& mode) {
  f.choice<Mode>("mode", mode, {{"auto", Mode::Auto}, {"min", Mode::Min}, {"max", Mode::Max}},
                 {.help = "whether small or large values are good; auto: large for accuracies and the like"});
}

}  // namespace

double metric_of(const TrainState& state, const std::string& name, const char* owner) {
  const auto found = state.metrics.find(name);
  if (found != state.metrics.end()) return found->second;
  std::string known;
  for (const auto& [key, value] : state.metrics) known += (known.empty() ? "" : ", ") + key;
  throw ConfigError(fmt::format("[{}] the metric '{}' is not measured; there are: {}", owner, name, known));
}

std::optional<double> new_value(const TrainState& state, const std::string& name, const char* owner) {
  if (!state.epoch_ended && !(state.validated && name.starts_with("valid_"))) return std::nullopt;
  return metric_of(state, name, owner);
}

bool larger_is_better(Mode mode, const std::string& metric) {
  if (mode != Mode::Auto) return mode == Mode::Max;
  for (const char* good : {"accuracy", "precision", "recall", "f1", "r2"})
    if (metric.find(good) != std::string::npos) return true;
  return false;
}

bool is_better(double value, double than, bool larger, double distance) {
  if (std::isnan(than)) return !std::isnan(value);
  return larger ? value > than + distance : value < than - distance;
}

// ---- How long.

void describe(config::Fields& f, MaxEpochsOptions& o) { f("epochs", o.epochs, {.help = "epochs to train", .min = 1}); }

Text MaxEpochs::look(const TrainState& state) {
  if (!state.epoch_ended || state.epoch < options_.epochs) return std::nullopt;
  return fmt::format("{} epochs are done", state.epoch);
}

void describe(config::Fields& f, MaxStepsOptions& o) {
  f("steps", o.steps, {.help = "optimizer steps to train", .min = 1});
}

Text MaxSteps::look(const TrainState& state) {
  if (state.step < options_.steps) return std::nullopt;
  return fmt::format("{} steps are done", state.step);
}

void describe(config::Fields& f, MaxSamplesOptions& o) {
  f("samples", o.samples, {.help = "samples to train on, each counted as often as it is seen", .min = 1});
}

Text MaxSamples::look(const TrainState& state) {
  if (state.samples < options_.samples) return std::nullopt;
  return fmt::format("{} samples were seen", state.samples);
}

void describe(config::Fields& f, MaxSecondsOptions& o) {
  f("seconds", o.seconds, {.help = "seconds that training may take", .min = 0, .above_min = true});
  f("whole_epochs", o.whole_epochs, {.help = "do not begin an epoch that, going by the last one, would end too late"});
}

Text MaxSeconds::look(const TrainState& state) {
  if (state.seconds >= options_.seconds)
    return fmt::format("{:.1f} seconds have passed, of {:g} allowed", state.seconds, options_.seconds);
  if (!state.epoch_ended) return std::nullopt;
  const double last = state.seconds - epoch_began_;
  epoch_began_ = state.seconds;
  if (!options_.whole_epochs || state.seconds + last <= options_.seconds) return std::nullopt;
  return fmt::format(
      "another epoch of {:.1f} seconds would end after the {:g} that are allowed, of which {:.1f} are left", last,
      options_.seconds, options_.seconds - state.seconds);
}

void MaxSeconds::describe_state(optim::StateFields& f) { f("epoch_began", epoch_began_); }

// ---- How good.

void describe(config::Fields& f, TargetMetricOptions& o) {
  f("metric", o.metric, {.help = kMetricHelp});
  f("target", o.target, {.help = "the value to reach", .required = true});
  describe_mode(f, o.mode);
}

Text TargetMetric::look(const TrainState& state) {
  const std::optional<double> value = new_value(state, options_.metric, kName);
  if (!value) return std::nullopt;
  const bool larger = larger_is_better(options_.mode, options_.metric);
  if (!(larger ? *value >= options_.target : *value <= options_.target)) return std::nullopt;
  return fmt::format("{} has reached {:.6g}, the target being {:g}", options_.metric, *value, options_.target);
}

void describe(config::Fields& f, NoImprovementOptions& o) {
  f("metric", o.metric, {.help = kMetricHelp});
  f("patience", o.patience, {.help = "how long to wait for an improvement", .min = 1});
  f.choice<PatienceUnit>(
      "unit", o.unit,
      {{"epochs", PatienceUnit::Epochs}, {"evaluations", PatienceUnit::Evaluations}, {"steps", PatienceUnit::Steps}},
      {.help = "in what patience is counted: epochs, values of the metric, optimizer steps"});
  f("min_delta", o.min_delta, {.help = "what counts as an improvement must be larger", .min = 0});
  f("min_relative_delta", o.min_relative_delta, {.help = "and larger than this share of the best", .min = 0});
  f("start_epoch", o.start_epoch, {.help = "epochs that pass before it begins to look", .min = 0});
  describe_mode(f, o.mode);
}

void NoImprovement::reset() {
  best_ = worst(larger_is_better(options_.mode, options_.metric));
  evaluations_ = best_at_ = best_epoch_ = 0;
}

void NoImprovement::describe_state(optim::StateFields& f) {
  f("best", best_);
  f("evaluations", evaluations_);
  f("best_at", best_at_);
  f("best_epoch", best_epoch_);
}

std::int64_t NoImprovement::now(const TrainState& state) const {
  switch (options_.unit) {
    case PatienceUnit::Epochs: return state.epoch;
    case PatienceUnit::Evaluations: return evaluations_;
    case PatienceUnit::Steps: break;
  }
  return state.step;
}

Text NoImprovement::look(const TrainState& state) {
  const std::optional<double> value = new_value(state, options_.metric, kName);
  if (!value) return std::nullopt;
  ++evaluations_;
  const std::int64_t epoch = state.epoch + (state.epoch_ended ? 0 : 1);  // in which the value was measured
  if (epoch <= options_.start_epoch) {
    best_at_ = now(state);
    best_epoch_ = epoch;
    return std::nullopt;
  }
  const double relative = std::isfinite(best_) ? options_.min_relative_delta * std::abs(best_) : 0;
  if (is_better(*value, best_, larger_is_better(options_.mode, options_.metric),
                std::max(options_.min_delta, relative))) {
    best_ = *value;
    best_at_ = now(state);
    best_epoch_ = epoch;
  }
  const std::int64_t waited = now(state) - best_at_;
  if (waited < options_.patience) return std::nullopt;
  constexpr std::array kUnits{"epochs", "evaluations", "steps"};
  return fmt::format("{} has not improved on {:.6g} (epoch {}) for {} {}", options_.metric, best_, best_epoch_, waited,
                     kUnits[static_cast<std::size_t>(options_.unit)]);
}

void describe(config::Fields& f, SmallImprovementOptions& o) {
  f("metric", o.metric, {.help = kMetricHelp});
  f("tolerance", o.tolerance, {.help = "the share of itself by which it must change", .min = 0, .above_min = true});
  f("window", o.window, {.help = "values over which it must change by so much", .min = 1, .max = 100'000});
}

// Written so that a NaN stops.
Text SmallImprovement::look(const TrainState& state) {
  const std::optional<double> value = new_value(state, options_.metric, kName);
  if (!value) return std::nullopt;
  values_.push_back(*value);
  if (std::ssize(values_) <= options_.window) return std::nullopt;
  const double before = values_.front();
  values_.erase(values_.begin());
  const double gained = larger_is_better(Mode::Auto, options_.metric) ? *value - before : before - *value;
  if (gained >= options_.tolerance * std::abs(before)) return std::nullopt;
  return fmt::format("{} went from {:.6g} to {:.6g} over {} values, an improvement below {:g} of itself",
                     options_.metric, before, *value, options_.window, options_.tolerance);
}

void SmallImprovement::describe_state(optim::StateFields& f) {
  f("values", values_, [this](std::size_t length) { return std::cmp_less_equal(length, options_.window); });
}

void describe(config::Fields& f, GradNormOptions& o) {
  f("tolerance", o.tolerance, {.help = "the norm of the gradient below which to stop", .min = 0, .above_min = true});
}

Text GradNorm::look(const TrainState& state) {
  const auto norm = state.metrics.find("grad_norm");
  if (norm == state.metrics.end() || !(norm->second < options_.tolerance)) return std::nullopt;
  return fmt::format("the gradient norm is {:.6g}, below the tolerance {:g}", norm->second, options_.tolerance);
}

void describe(config::Fields& f, MinLROptions& o) {
  f("lr", o.lr, {.help = "the learning rate below which to stop", .min = 0, .above_min = true});
}

Text MinLR::look(const TrainState& state) {
  const auto rate = state.metrics.find("lr");
  if (rate == state.metrics.end() || !(rate->second < options_.lr)) return std::nullopt;
  return fmt::format("the learning rate is {:.6g}, below {:g}", rate->second, options_.lr);
}

// ---- What went wrong, and who asks.

void describe(config::Fields& f, DivergenceOptions& o) {
  f("metric", o.metric, {.help = "name of a metric of which small values are good: loss, valid_loss"});
  f("factor", o.factor, {.help = "times its best above which to stop", .min = 1, .above_min = true});
  f("every_step", o.every_step, {.help = "look at the loss of every step, instead of its mean over epochs"});
}

void Divergence::reset() { best_ = kInfinity; }

void Divergence::describe_state(optim::StateFields& f) { f("best", best_); }

Text Divergence::look(const TrainState& state) {
  if (options_.every_step && state.epoch_ended) return std::nullopt;
  const std::optional<double> value =
      options_.every_step ? metric_of(state, options_.metric, kName) : new_value(state, options_.metric, kName);
  if (!value) return std::nullopt;
  if (is_better(*value, best_, false)) best_ = *value;
  // Of a best below 0, the distance to it counts.
  if (!(*value > best_ + (options_.factor - 1) * std::abs(best_))) return std::nullopt;
  return fmt::format("{} is {:.6g}, more than {:g} times its best, {:.6g}", options_.metric, *value, options_.factor,
                     best_);
}

void describe(config::Fields& f, NonFiniteOptions& o) { f("metric", o.metric, {.help = kMetricHelp}); }

Text NonFinite::look(const TrainState& state) {
  const std::optional<double> value = new_value(state, options_.metric, kName);
  if (!value || std::isfinite(*value)) return std::nullopt;
  return fmt::format("{} is {}", options_.metric, std::isnan(*value) ? "nan" : fmt::format("{}", *value));
}

void describe(config::Fields& f, StopFileOptions& o) { f("file", o.file, {.help = "name of the file"}); }

Text StopFile::look(const TrainState& state) {
  constexpr double kSecondsBetween = 0.1;
  if (!state.epoch_ended && looked_ >= 0 && state.seconds >= looked_ && state.seconds - looked_ < kSecondsBetween)
    return std::nullopt;
  looked_ = state.seconds;
  std::error_code error;
  if (!std::filesystem::remove(options_.file, error)) return std::nullopt;
  return fmt::format("there was a file {}", options_.file);
}

namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
std::atomic<int> received_signal{0};
std::atomic<bool> signals_taken{false};
std::array<struct sigaction, kSignals.size()> handlers_before;

// The first is noted; a second one ends the process as if nobody handled it.
void on_signal(int signal) {
  int none = 0;
  if (received_signal.compare_exchange_strong(none, signal)) return;
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

StopSignal::StopSignal() {
  EG_CHECK(!signals_taken.exchange(true), Error, "[StopSignal] there is one already");
  received_signal = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &handlers_before[i]);
}

StopSignal::~StopSignal() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &handlers_before[i], nullptr);
  signals_taken = false;
}

std::optional<StopReason> StopSignal::check(const TrainState&) {
  if (received() == 0) return std::nullopt;
  const char* name = received() == SIGINT ? "SIGINT" : received() == SIGTERM ? "SIGTERM" : "SIGHUP";
  return StopReason{kSignal, fmt::format("{} was received", name)};
}

int StopSignal::received() { return received_signal; }

// ---- Several.

std::vector<StopReason> reasons_of(const std::vector<std::unique_ptr<StopCriterion>>& criteria,
                                   const TrainState& state) {
  std::vector<StopReason> reasons;
  for (const auto& criterion : criteria)
    if (std::optional<StopReason> reason = criterion->check(state)) reasons.push_back(std::move(*reason));
  return reasons;
}

void describe_states(const std::vector<std::unique_ptr<StopCriterion>>& criteria, optim::StateFields& f) {
  for (std::size_t i = 0; i < criteria.size(); ++i)
    f.within(fmt::format("{}.", i), [&] { criteria[i]->describe_state(f); });
}

CriteriaList::CriteriaList(const char* name, std::vector<std::unique_ptr<StopCriterion>> criteria)
    : criteria_(std::move(criteria)) {
  EG_CHECK(!criteria_.empty(), ValueError, "[{}] expected at least one criterion, found none", name);
}

void CriteriaList::reset() {
  for (const auto& criterion : criteria_) criterion->reset();
}

void CriteriaList::describe_state(optim::StateFields& f) { describe_states(criteria_, f); }

std::optional<StopReason> AllOf::check(const TrainState& state) {
  const std::vector<StopReason> reasons = reasons_of(criteria_, state);
  if (reasons.size() < criteria_.size()) return std::nullopt;
  std::string text;
  for (const StopReason& reason : reasons) text += (text.empty() ? "" : "; ") + reason.text;
  return StopReason{kName, text};
}

std::optional<StopReason> AnyOf::check(const TrainState& state) {
  const std::vector<StopReason> reasons = reasons_of(criteria_, state);
  return reasons.empty() ? std::nullopt : std::optional(reasons.front());
}

}  // namespace eigengrad::train
