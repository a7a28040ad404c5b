#include "eigengrad/train/analysis.h"

#include <algorithm>
#include <cmath>

#include "eigengrad/autograd/profiler.h"
#include "eigengrad/core/random.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::train {
namespace {

constexpr std::int64_t kBatch = 256;
constexpr double kProfileSeconds = 0.4;
constexpr int kMostProfiledSteps = 20;

MetricTask task_of(const Tensor& output, const Tensor& target) {
  Shape out = output.shape(), wanted = target.shape();
  out.erase(0);
  wanted.erase(0);
  return {out, wanted, target.dtype()};
}

// Looks at one batch after another.
class Collector {
 public:
  Collector(const nn::Loss& loss, const AnswerLimits& limits) : limits_(limits), ignore_index_(ignored_label(loss)) {
    confusion_.follow(loss);
  }

  void add(const Tensor& output, const Tensor& target) {
    const MetricTask task = task_of(output, target);
    if (confusion_.misfit(task).empty()) confusion_.update(output, target);
    if (label_misfit(task).empty())
      target.dim() == 1 ? add_labels(output, target) : add_sequences(output, target);
    else if (is_floating(target.dtype()) && number_misfit(task).empty())
      add_numbers(output, target);
    answers_.samples += target.size(0);
  }

  Answers finish() {
    for (const auto& [name, table] : confusion_.tables()) {
      answers_.classes = table.size(0);
      answers_.confusion = table.to_vector<double>();
    }
    keep_most_confident();
    return std::move(answers_);
  }

 private:
  void add_labels(const Tensor& output, const Tensor& target) {
    const Tensor probabilities = softmax(to(output, kFloat64), 1);
    const std::vector<double> all = probabilities.to_vector<double>();
    const auto classes = static_cast<std::size_t>(output.size(1));
    const auto labels = target.to_vector<std::int64_t>(), predicted = argmax(output, 1).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == predicted[i] || labels[i] == ignore_index_) continue;
      const double* const row = all.data() + i * classes;
      if (std::isnan(row[predicted[i]])) continue;  // it has no place in an order
      answers_.mistakes.push_back({answers_.samples + static_cast<std::int64_t>(i), labels[i], predicted[i],
                                   row[predicted[i]], row[labels[i]]});
    }
    if (answers_.mistakes.size() > 4096) keep_most_confident();
  }

  void keep_most_confident() {
    std::stable_sort(answers_.mistakes.begin(), answers_.mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.probability > b.probability; });
    if (answers_.mistakes.size() > limits_.mistakes) answers_.mistakes.resize(limits_.mistakes);
  }

  void add_sequences(const Tensor& output, const Tensor& target) {
    if (target.dim() != 2) return;
    for (std::int64_t i = 0; i < target.size(0) && answers_.sequences.size() < limits_.sequences; ++i) {
      const Tensor scores = select(output, 0, i), labels = select(target, 0, i);  // [C, L], [L]
      if (any(labels == ignore_index_).item<bool>()) continue;
      const Tensor probabilities = gather(softmax(to(scores, kFloat64), 0), 0, unsqueeze(labels, 0));
      answers_.sequences.push_back({labels.to_vector<std::int64_t>(), argmax(scores, 0).to_vector<std::int64_t>(),
                                    probabilities.to_vector<double>()});
    }
  }

  void add_numbers(const Tensor& output, const Tensor& target) {
    const std::int64_t samples = target.size(0), numbers = target.numel() / samples;
    if (numbers > static_cast<std::int64_t>(limits_.numbers)) return;
    const Tensor out = to(reshape(output, {samples, numbers}), kFloat64),
                 wanted = to(reshape(target, {samples, numbers}), kFloat64);
    answers_.targets.resize(static_cast<std::size_t>(numbers));
    answers_.outputs.resize(static_cast<std::size_t>(numbers));
    for (std::size_t j = 0; j < answers_.targets.size(); ++j) {
      const auto column = static_cast<std::int64_t>(j);
      const auto t = select(wanted, 1, column).to_vector<double>(), o = select(out, 1, column).to_vector<double>();
      const std::size_t room = limits_.points - std::min(limits_.points, answers_.targets[j].size());
      const auto count = static_cast<std::ptrdiff_t>(std::min(room, t.size()));
      answers_.targets[j].insert(answers_.targets[j].end(), t.begin(), t.begin() + count);
      answers_.outputs[j].insert(answers_.outputs[j].end(), o.begin(), o.begin() + count);
    }
  }

  const AnswerLimits limits_;
  const std::int64_t ignore_index_;
  ConfusionMatrix confusion_;
  Answers answers_;
};

bool is_below(const std::string& path, const std::string& ancestor) {
  return ancestor.empty() || path == ancestor || path.starts_with(ancestor + ".");
}

}  // namespace

ClassCounts Answers::counts(std::int64_t label) const {
  const auto n = static_cast<std::size_t>(classes), row = static_cast<std::size_t>(label);
  ClassCounts counts{confusion[row * n + row], 0, 0};
  for (std::size_t i = 0; i < n; ++i) {
    counts.actual += confusion[row * n + i];
    counts.predicted += confusion[i * n + row];
  }
  return counts;
}

Answers collect_answers(nn::Module& model, const nn::Loss& loss, const data::DatasetPtr& dataset,
                        const AnswerLimits& limits) {
  const NoGrad no_grad;
  const bool training = model.is_training();
  model.eval();
  Collector collector(loss, limits);
  const data::DataLoader loader(dataset, {.batch_size = kBatch});
  for (const data::Batch& batch : loader.epoch(0)) collector.add(model(batch.inputs), batch.targets);
  model.train(training);
  return collector.finish();
}

std::function<void()> step_on_copy(const nn::Module& model, const Run& run, data::Batch batch) {
  const std::shared_ptr<nn::Module> copy = nn::clone(model);
  copy->train();
  return [copy, loss = run.loss, batch = std::move(batch), precision = run.training.precision] {
    const Autocast autocast(precision);
    copy->zero_grad();
    (*loss)((*copy)(batch.inputs), batch.targets).backward();
  };
}

StepProfile profile_step(const Run& run, const nn::Summary& summary) {
  StepProfile result;
  const data::DataLoader loader(run.data.train, {.batch_size = run.training.batch_size, .prefetch = 0});
  const std::optional<data::Batch> batch = loader.epoch(0).next();
  if (!batch) return result;
  result.batch = batch->inputs.size(0);
  const std::function<void()> step = step_on_copy(*run.model, run, *batch);
  step();  // the first one takes memory and makes up its plans
  Profiler profiler;
  int steps = 0;
  while (steps == 0 || (steps < kMostProfiledSteps && profiler.seconds() < kProfileSeconds)) {
    step();
    ++steps;
  }
  profiler.stop();

  result.modules.resize(summary.rows.size());
  for (const ProfileEvent& event : profiler.events()) {
    const double seconds = event.seconds / steps;
    result.seconds += seconds;
    const std::string path = scope_path(event.scope);
    for (std::size_t i = 0; i < summary.rows.size(); ++i) {
      // The cost has a path of its own, which no module of the model has.
      if (!is_below(path, summary.rows[i].name) || path == run.loss->type_name()) continue;
      (event.kind == ProfileEvent::Kind::Backward ? result.modules[i].backward : result.modules[i].forward) += seconds;
    }
  }
  return result;
}

}  // namespace eigengrad::train
