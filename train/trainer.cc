#include "eigengrad/train/trainer.h"

#include <cmath>
#include <limits>

#include "eigengrad/autograd/anomaly.h"
#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/type.h"
#include "eigengrad/optim/clip.h"

namespace eigengrad::train {
namespace {

// Puts a module back into the mode that it was in.
class ModeGuard {
 public:
  ModeGuard(nn::Module& model, bool training) : model_(model), before_(model.is_training()) { model_.train(training); }
  ~ModeGuard() { model_.train(before_); }
  ModeGuard(const ModeGuard&) = delete;
  ModeGuard& operator=(const ModeGuard&) = delete;

 private:
  nn::Module& model_;
  const bool before_;
};

// A number that is not finite, whatever the sign of a NaN.
std::string named(double value) { return std::isnan(value) ? "nan" : fmt::format("{}", value); }

}  // namespace

Evaluation evaluate(nn::Module& model, nn::Loss& loss, const data::DataLoader& loader) {
  return evaluate(model, loss, loader, MetricSet::usual(loss));
}

Evaluation evaluate(nn::Module& model, nn::Loss& loss, const data::DataLoader& loader, MetricSet metrics,
                    const std::function<bool()>& stop) {
  const NoGrad no_grad;
  const ModeGuard eval(model, false);
  metrics.follow(loss);
  metrics.reset();
  Evaluation result;
  double loss_sum = 0;
  for (const data::Batch& batch : loader.epoch(0)) {
    if (stop && stop()) {
      result.stopped = true;
      return result;
    }
    const Tensor output = model(batch.inputs);
    const std::int64_t samples = batch.inputs.size(0);
    loss_sum += loss(output, batch.targets).item() * static_cast<double>(samples);
    metrics.update(output, batch.targets);
    result.samples += samples;
  }
  EG_CHECK(result.samples > 0, ValueError, "[evaluate] there are no samples");
  result.loss = loss_sum / static_cast<double>(result.samples);
  metrics.write_values(result.metrics);
  result.tables = metrics.tables();
  return result;
}

Trainer::Trainer(nn::Module& model, nn::Loss& loss, optim::Optimizer& optimizer, TrainerOptions options)
    : model_(model), loss_(loss), optimizer_(optimizer), options_(options), metrics_(MetricSet::usual(loss)) {
  EG_CHECK(options_.accumulate >= 1, ValueError, "[Trainer] accumulate is {}, expected a whole number of at least 1",
           options_.accumulate);
}

Trainer& Trainer::stop_when(std::unique_ptr<StopCriterion> criterion) {
  criteria_.push_back(std::move(criterion));
  return *this;
}

Trainer& Trainer::add_callback(std::unique_ptr<Callback> callback) {
  callbacks_.push_back(std::move(callback));
  return *this;
}

Trainer& Trainer::add_schedule(optim::LRScheduler& schedule, optim::Interval interval) {
  schedules_.emplace_back(&schedule, interval);
  return *this;
}

Trainer& Trainer::average_with(optim::EMA& average) {
  average_ = &average;
  return *this;
}

Trainer& Trainer::add_metric(std::unique_ptr<Metric> metric) {
  if (metrics_.is_usual()) metrics_ = MetricSet();
  metrics_.add(std::move(metric));
  metrics_.follow(loss_);
  return *this;
}

Trainer& Trainer::measure(MetricSet metrics) {
  metrics_ = std::move(metrics);
  metrics_.follow(loss_);
  return *this;
}

Trainer& Trainer::keep_best(BestOptions options) {
  keep_best_ = std::move(options);
  return *this;
}

FitResult Trainer::fit(data::DataLoader& train, const data::DataLoader* valid) {
  EG_CHECK(!criteria_.empty(), ValueError,
           "[fit] training would never end: add a stopping criterion, such as MaxEpochs");
  EG_CHECK(train.batches() > 0, ValueError, "[fit] there is nothing to train on");
  parameters_ = model_.parameters();
  stopped_by_.reset();
  if (std::exchange(resumed_, false)) {
    for (const auto& criterion : criteria_)
      if (!stopped_by_) stopped_by_ = criterion->reached(state_);
  } else {
    state_ = TrainState();
    history_.clear();
    best_.reset();
    batches_done_ = 0;
    for (const auto& criterion : criteria_) criterion->reset();
  }
  EG_CHECK(batches_done_ == 0 || epoch_batches_ == train.batches(), ValueError,
           "[fit] training stopped within an epoch of {} batches, and cannot go on in one of {}", epoch_batches_,
           train.batches());
  epoch_batches_ = train.batches();
  started_ = std::chrono::steady_clock::now();
  seconds_before_ = state_.seconds;
  for (const auto& callback : callbacks_)
    callback->on_fit_begin((epoch_batches_ + options_.accumulate - 1) / options_.accumulate);

  const CallSiteGuard called_from_here;
  {
    const ModeGuard training(model_, true);
    const Autocast autocast(options_.precision);
    while (!stopped_by_) run_epoch(train, valid);
  }
  return finish(*stopped_by_);
}

FitResult Trainer::finish(StopReason reason) {
  FitResult result{std::move(reason), history_, state_, best_};
  for (const auto& callback : callbacks_) callback->on_fit_end(result);
  if (best_ && keep_best_ && keep_best_->restore && result.stopped_by.kind != kSignal) {
    model_.load_state_dict(best_->weights);
    result.restored_best = true;
  }
  return result;
}

// Begins an epoch, or goes on within one, until its end or a reason to stop.
void Trainer::run_epoch(data::DataLoader& train, const data::DataLoader* valid) {
  state_.epoch_ended = false;
  if (batches_done_ == 0) {
    loss_sum_ = grad_norm_sum_ = 0;
    samples_ = steps_ = 0;
    metrics_.reset();
    state_.metrics.clear();
  }
  auto batches = train.epoch(state_.epoch, batches_done_);
  const auto next_window = [&] {
    const TracedPart part("data");
    Window window;
    while (std::ssize(window) < options_.accumulate) {
      std::optional<data::Batch> batch = batches.next();
      if (!batch) break;
      window.push_back(std::move(*batch));
    }
    return window;
  };
  for (Window window = next_window(); !window.empty(); window = next_window()) {
    run_step(window, valid);
    if (stopped_by_) return;
  }
  ++state_.epoch;
  batches_done_ = 0;
  state_.epoch_ended = true;
  state_.metrics["loss"] = loss_sum_ / static_cast<double>(samples_);
  state_.metrics["grad_norm"] = grad_norm_sum_ / static_cast<double>(steps_);
  metrics_.write_values(state_.metrics);
  if (valid) validate(*valid);
  step_schedules(optim::Interval::Epoch);
  state_.seconds = seconds();
  history_.push_back({state_.epoch, state_.step, state_.seconds, state_.metrics});
  look();
  for (const auto& callback : callbacks_) callback->on_epoch_end(history_.back());
}

// Measures the model, with the averages of its weights if there are any.
void Trainer::validate(const data::DataLoader& valid) {
  const optim::EMA::Applied averages(average_);
  const Evaluation evaluation = evaluate(model_, loss_, valid, metrics_);
  state_.metrics["valid_loss"] = evaluation.loss;
  for (const auto& [name, value] : evaluation.metrics) state_.metrics["valid_" + name] = value;
  state_.validated = true;
}

// The gradients of the cost of several batches together, and what was measured on the way.
struct Trainer::Gradients {
  double loss = 0, norm = 0;
  std::int64_t samples = 0;
  std::string failure;  // what was not finite, and in which batches
  std::span<const data::Batch> failed;
  std::uint64_t random_offset = 0;  // before them

  void fail(std::string what, std::span<const data::Batch> batches, std::uint64_t offset) {
    if (!failure.empty()) return;
    failure = std::move(what);
    failed = batches;
    random_offset = offset;
  }
};

// `metrics`, unless null, see the outputs.
Trainer::Gradients Trainer::compute_gradients(const Window& window, MetricSet* metrics) {
  optimizer_.zero_grad();
  std::vector<std::optional<double>> weights;
  if (window.size() > 1)
    for (const data::Batch& batch : window) weights.push_back(loss_.mean_weight(batch.targets));
  double whole = 0;
  for (const auto& weight : weights) whole += weight.value_or(0);

  Gradients result;
  const std::uint64_t first_offset = default_generator().offset();
  for (std::size_t i = 0; i < window.size(); ++i) {
    const data::Batch& batch = window[i];
    const std::uint64_t random_offset = default_generator().offset();
    const Tensor output = model_(batch.inputs);
    const Tensor cost = loss_(output, batch.targets);
    const double loss = cost.item(), share = !weights.empty() && weights[i] ? *weights[i] / whole : 1;
    if (!std::isfinite(loss) && share != 0)
      result.fail(fmt::format("the loss is {}", named(loss)), std::span(&batch, 1), random_offset);
    if (share == 1)
      cost.backward();
    else if (share != 0)  // a batch without a label that counts has a cost of 0 / 0
      (cost * share).backward();
    if (share != 0) result.loss += share * loss;
    result.samples += batch.inputs.size(0);
    if (metrics) metrics->update(output, batch.targets);
  }
  const double limit = options_.clip_grad_norm > 0 ? options_.clip_grad_norm : std::numeric_limits<double>::infinity();
  result.norm = optim::clip_grad_norm_(parameters_, limit);
  if (!std::isfinite(result.norm))
    result.fail(fmt::format("the gradient norm is {}", named(result.norm)), window, first_offset);
  else if (options_.clip_grad_value > 0)
    optim::clip_grad_value_(parameters_, options_.clip_grad_value);
  return result;
}

// One update, W ← W − lr·∂c/∂W.
void Trainer::run_step(const Window& window, const data::DataLoader* valid) {
  const Gradients gradients = compute_gradients(window, &metrics_);
  if (!gradients.failure.empty()) {
    stopped_by_ = explain_nonfinite(gradients.failed, gradients.random_offset, gradients.failure);
    return;
  }
  {
    const TracedPart part("optimizer");
    bool there = true;  // for the first call the gradients are there already
    optimizer_.step(
        [&] { return tensor(std::exchange(there, false) ? gradients.loss : compute_gradients(window, nullptr).loss); });
  }
  if (average_) average_->update();
  ++state_.step;
  batches_done_ += std::ssize(window);
  add_figures(gradients);
  state_.validated = false;
  if (valid && options_.validate_every > 0 && state_.step % options_.validate_every == 0) validate(*valid);
  step_schedules(optim::Interval::Step);
  look();
  for (const auto& callback : callbacks_) callback->on_step_end(state_);
}

void Trainer::add_figures(const Gradients& gradients) {
  ++steps_;
  samples_ += gradients.samples;
  state_.samples += gradients.samples;
  loss_sum_ += gradients.loss * static_cast<double>(gradients.samples);
  grad_norm_sum_ += gradients.norm;
  state_.seconds = seconds();
  state_.metrics["loss"] = gradients.loss;
  state_.metrics["grad_norm"] = gradients.norm;
  state_.metrics["lr"] = optimizer_.lr();
}

double Trainer::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void Trainer::step_schedules(optim::Interval interval) {
  for (const auto& [schedule, when] : schedules_) {
    if (when != interval) continue;
    const std::string metric = schedule->metric();
    metric.empty() ? schedule->step() : schedule->step(metric_of(state_, metric, "schedule"));
  }
}

// Shows the state to all who judge it.
void Trainer::look() {
  if (keep_best_) note_best();
  std::vector<StopReason> reasons = reasons_of(criteria_, state_);
  if (!reasons.empty()) stopped_by_ = std::move(reasons.front());
}

void Trainer::note_best() {
  const std::optional<double> value = new_value(state_, keep_best_->metric, "keep_best");
  const bool larger = larger_is_better(keep_best_->mode, keep_best_->metric);
  if (!value || std::isnan(*value) || (best_ && !is_better(*value, best_->value, larger))) return;
  best_ = BestModel{keep_best_->metric, *value, state_.epoch + (state_.epoch_ended ? 0 : 1), state_.step, {}};
  const optim::EMA::Applied averages(average_);
  for (const auto& [name, weight] : model_.state_dict()) best_->weights.emplace_back(name, optim::copy_of(weight));
}

// Repeats the batches, with the same random numbers, under a tracer that finds the first value that is not finite.
StopReason Trainer::explain_nonfinite(std::span<const data::Batch> batches, std::uint64_t random_offset,
                                      const std::string& what) {
  default_generator().set_offset(random_offset);
  std::string finding;
  for (const data::Batch& batch : batches) {
    AnomalyFinder finder;
    const Tensor cost = loss_(model_(batch.inputs), batch.targets);
    if (!finder.found()) grad(cost, parameters_, {.allow_unused = true});
    finding = finder.finding();
    if (!all(isfinite(batch.inputs)).item<bool>()) finding += "; the inputs of the batch are not finite";
    if (finder.found()) break;
  }
  return {kNonFinite, fmt::format("{} at step {} (epoch {}): {}. The parameters are as they were before the step", what,
                                  state_.step + 1, state_.epoch + 1, finding)};
}

}  // namespace eigengrad::train
