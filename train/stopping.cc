#include "eigengrad/train/stopping.h"

#include <cmath>
#include <utility>

#include "eigengrad/core/check.h"

namespace eigengrad::train {

double metric_of(const TrainState& state, const std::string& name, const char* owner) {
  const auto found = state.metrics.find(name);
  if (found != state.metrics.end()) return found->second;
  std::string known;
  for (const auto& [key, value] : state.metrics) known += (known.empty() ? "" : ", ") + key;
  throw ConfigError(fmt::format("[{}] the metric '{}' is not measured; there are: {}", owner, name, known));
}

std::string to_string(StopKind kind) {
  switch (kind) {
    case StopKind::MaxEpochs: return "max_epochs";
    case StopKind::MaxSteps: return "max_steps";
    case StopKind::MaxSeconds: return "max_seconds";
    case StopKind::TargetMetric: return "target_metric";
    case StopKind::NoImprovement: return "no_improvement";
    case StopKind::NonFinite: return "non_finite";
    case StopKind::GradNorm: return "grad_norm";
    case StopKind::All: return "all_of";
    case StopKind::User: return "user";
  }
  return "unknown";
}

bool larger_is_better(Mode mode, const std::string& metric) {
  if (mode != Mode::Auto) return mode == Mode::Max;
  for (const char* good : {"accuracy", "precision", "recall", "f1", "r2"})
    if (metric.find(good) != std::string::npos) return true;
  return false;
}

MaxEpochs::MaxEpochs(Options options) : options_(options) {
  EG_CHECK(options_.epochs >= 1, ValueError, "[max_epochs] epochs must be at least 1, found {}", options_.epochs);
}

std::optional<StopReason> MaxEpochs::check(const TrainState& state) {
  if (!state.epoch_ended || state.epoch < options_.epochs) return std::nullopt;
  return StopReason{StopKind::MaxEpochs, fmt::format("{} epochs are done", state.epoch)};
}

MaxSteps::MaxSteps(Options options) : options_(options) {
  EG_CHECK(options_.steps >= 1, ValueError, "[max_steps] steps must be at least 1, found {}", options_.steps);
}

std::optional<StopReason> MaxSteps::check(const TrainState& state) {
  if (state.step < options_.steps) return std::nullopt;
  return StopReason{StopKind::MaxSteps, fmt::format("{} steps are done", state.step)};
}

MaxSeconds::MaxSeconds(Options options) : options_(options) {
  EG_CHECK(options_.seconds > 0, ValueError, "[max_seconds] seconds must be above 0, found {}", options_.seconds);
}

std::optional<StopReason> MaxSeconds::check(const TrainState& state) {
  if (state.seconds < options_.seconds) return std::nullopt;
  return StopReason{StopKind::MaxSeconds,
                    fmt::format("{:.1f} seconds have passed, of {:g} allowed", state.seconds, options_.seconds)};
}

TargetMetric::TargetMetric(Options options) : options_(std::move(options)) {
  EG_CHECK(std::isfinite(options_.target), ValueError, "[target_metric] the target must be finite, found {}",
           options_.target);
}

std::optional<StopReason> TargetMetric::check(const TrainState& state) {
  if (!state.epoch_ended) return std::nullopt;
  const double value = metric_of(state, options_.metric, "target_metric");
  const bool reached =
      larger_is_better(options_.mode, options_.metric) ? value >= options_.target : value <= options_.target;
  if (!reached) return std::nullopt;
  return StopReason{StopKind::TargetMetric, fmt::format("{} has reached {:.6g}, the target being {:g}", options_.metric,
                                                        value, options_.target)};
}

NoImprovement::NoImprovement(Options options) : options_(std::move(options)) {
  EG_CHECK(options_.patience >= 1, ValueError, "[no_improvement] patience must be at least 1, found {}",
           options_.patience);
  EG_CHECK(options_.min_delta >= 0, ValueError, "[no_improvement] min_delta must not be negative, found {}",
           options_.min_delta);
  reset();
}

void NoImprovement::reset() {
  best_ = larger_is_better(options_.mode, options_.metric) ? -std::numeric_limits<double>::infinity()
                                                           : std::numeric_limits<double>::infinity();
  best_epoch_ = 0;
}

std::optional<StopReason> NoImprovement::check(const TrainState& state) {
  if (!state.epoch_ended) return std::nullopt;
  const double value = metric_of(state, options_.metric, "no_improvement");
  const bool better = larger_is_better(options_.mode, options_.metric) ? value > best_ + options_.min_delta
                                                                       : value < best_ - options_.min_delta;
  if (better) {
    best_ = value;
    best_epoch_ = state.epoch;
  }
  if (state.epoch - best_epoch_ < options_.patience) return std::nullopt;
  return StopReason{StopKind::NoImprovement,
                    fmt::format("{} has not improved on {:.6g} (epoch {}) for {} epochs", options_.metric, best_,
                                best_epoch_, state.epoch - best_epoch_)};
}

GradNorm::GradNorm(Options options) : options_(options) {
  EG_CHECK(options_.tolerance > 0, ValueError, "[grad_norm] the tolerance must be above 0, found {}",
           options_.tolerance);
}

std::optional<StopReason> GradNorm::check(const TrainState& state) {
  const auto norm = state.metrics.find("grad_norm");
  if (norm == state.metrics.end() || !(norm->second < options_.tolerance)) return std::nullopt;
  return StopReason{StopKind::GradNorm, fmt::format("the gradient norm is {:.6g}, below the tolerance {:g}",
                                                    norm->second, options_.tolerance)};
}

AllOf::AllOf(std::vector<std::unique_ptr<StopCriterion>> criteria) : criteria_(std::move(criteria)) {
  EG_CHECK(!criteria_.empty(), ValueError, "[all_of] expected at least one criterion, found none");
}

std::optional<StopReason> AllOf::check(const TrainState& state) {
  std::string text;
  bool all = true;
  for (const auto& criterion : criteria_) {  // each is asked, so that those which count see every state
    const std::optional<StopReason> reason = criterion->check(state);
    all = all && reason;
    if (reason) text += (text.empty() ? "" : "; ") + reason->text;
  }
  return all ? std::optional(StopReason{StopKind::All, text}) : std::nullopt;
}

void AllOf::reset() {
  for (const auto& criterion : criteria_) criterion->reset();
}

}  // namespace eigengrad::train
