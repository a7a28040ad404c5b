#include "eigengrad/train/inspect.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <span>
#include <unordered_map>
#include <vector>

#include "eigengrad/core/allocation_recorder.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/keep_random.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/train/analysis.h"
#include "eigengrad/train/run_config.h"
#include "eigengrad/train/trainer.h"

namespace eigengrad::train {
namespace {

using config::Value;

constexpr double kGiB = 1024.0 * 1024 * 1024;

// ---- What the machine has.

// The number behind a name in a file of the kernel's: "MemAvailable:   123 kB".
std::optional<double> figure(const std::string& file, const std::string& name) {
  std::ifstream stream(file);
  std::string word;
  double number = 0;
  while (stream >> word)
    if (word == name && stream >> number) return number;
  return std::nullopt;
}

// The first word of a file, as a number: "max" is none.
std::optional<double> only_figure(const std::string& file) {
  std::ifstream stream(file);
  double number = 0;
  return stream >> number ? std::optional(number) : std::nullopt;
}

// What is left of one control group; its cached files make room when it is needed.
double left_in_group(const std::string& folder) {
  const auto most = only_figure(folder + "/memory.max"), used = only_figure(folder + "/memory.current");
  if (!most || !used) return std::numeric_limits<double>::infinity();
  return std::max(0.0, *most - (*used - figure(folder + "/memory.stat", "inactive_file").value_or(0)));
}

// The least that is left in the group of the process and those that it is within.
double left_in_groups(const std::string& proc, const std::string& cgroups) {
  std::ifstream stream(proc + "/self/cgroup");
  double least = left_in_group(cgroups);  // where the group is the root of what is seen
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with("0::")) continue;
    for (std::string path = line.substr(3); path.size() > 1; path = path.substr(0, path.rfind('/')))
      least = std::min(least, left_in_group(cgroups + path));
  }
  return least;
}

std::string size_text(double bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  if (unit == 0) return fmt::format("{:.0f} B", bytes);
  return bytes >= 1024 ? fmt::format("{:.3g} {}", bytes, kUnits[unit]) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

// ---- What a run does, at a small scale.

struct Trace {
  std::vector<AllocationEvent> events;
  std::size_t saving = 0, report = 0;  // the events with which a checkpoint begins, and the report
  double optimizer_bytes = 0;
};

// How many samples each part of a run handles at a time: two steps, the last of an epoch, which may be smaller, and
// what is evaluated in the middle and at the end, each with a last batch of its own.
struct Parts {
  std::int64_t step, last_step, valid, last_valid, test, last_test;
};

Parts parts_of(const Run& run) {
  const std::int64_t train = run.train->dataset().size(), step = std::min(run.training.batch_size, train);
  const std::int64_t rest = run.training.drop_last ? 0 : train % step;
  const auto evaluation = [](std::int64_t size) {
    return std::pair(std::min(size, kEvaluationBatch), size % kEvaluationBatch);
  };
  const auto [valid_size, valid_rest] = evaluation(run.valid ? run.valid->dataset().size() : 0);
  const auto [test_size, test_rest] = evaluation(run.data.test->size());
  return {step, rest, valid_size, valid_rest, test_size, test_rest};
}

std::vector<std::int64_t> first_indices(const data::Dataset& whole, std::int64_t count) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<std::int64_t>(i) % whole.size();
  return indices;
}

data::DatasetPtr first_samples(const data::DatasetPtr& whole, std::int64_t count) {
  return std::make_shared<data::Subset>(whole, first_indices(*whole, count));
}

double bytes_of(const Tensor& tensor) {
  return static_cast<double>(tensor.numel()) * static_cast<double>(size_of(tensor.dtype()));
}

// Where a run of `parts` takes and gives back memory, done with a copy of its model. Throws MemoryError where more than
// `most` bytes would be held.
Trace trace_of(const Run& run, const Parts& parts, double most) {
  const KeepRandom keep_random;
  const std::shared_ptr<nn::Module> model = nn::clone(*run.model);
  config::Diagnostics diagnostics;
  const auto optimizer = optim::build_optimizer(run.optimizer_rows, model->named_parameters(), diagnostics);
  diagnostics.throw_if_any();
  std::optional<optim::EMA> average;
  if (run.training.ema) average.emplace(model->named_parameters(), run.training.ema->ema);

  TrainerOptions options{.clip_grad_norm = run.training.clip_grad_norm,
                         .clip_grad_value = run.training.clip_grad_value,
                         .accumulate = std::min<std::int64_t>(run.training.accumulate, 2),
                         .precision = run.training.precision};
  data::DataLoader train(first_samples(run.data.train, 2 * options.accumulate * parts.step + parts.last_step),
                         {.batch_size = parts.step, .prefetch = 0});
  Trace trace;
  {
    const AllocationRecorder recorder(static_cast<std::int64_t>(std::min(most, 9e18)));
    Trainer trainer(*model, *run.loss, *optimizer, options);
    if (average) trainer.average_with(*average);
    trainer.stop_when<MaxEpochs>({.epochs = 1});
    trainer.fit(train);
    const auto evaluate_on = [&](const data::DatasetPtr& whole, std::int64_t size, std::int64_t rest) {
      for (const std::int64_t count : {size, rest}) {
        if (count == 0) continue;
        const data::DataLoader loader(first_samples(whole, count), {.batch_size = count, .prefetch = 0});
        evaluate(*model, *run.loss, loader);
      }
    };
    evaluate_on(run.data.train, parts.valid, parts.last_valid);
    evaluate_on(run.data.test, parts.test, parts.last_test);
    trace.saving = recorder.events().size();
    {
      const optim::StateDict state = optimizer->state_dict(),
                             averages = average ? average->state_dict() : optim::StateDict();
      for (const auto& [name, value] : state) trace.optimizer_bytes += bytes_of(value);
    }
    trace.report = recorder.events().size();
    if (run.report.html && parts.test > 0) {
      collect_answers(*model, *run.loss, first_samples(run.data.test, parts.test));
      step_on_copy(*model, run, run.data.train->get(first_indices(*run.data.train, parts.step)))();
    }
    trace.events = recorder.events();
  }
  return trace;
}

// What the allocator makes of a trace: it keeps blocks that were given back, by size class, and of a block only those
// pages are in memory that were ever written.
class HeldMemory {
 public:
  void follow(const AllocationEvent& event) {
    if (event.bytes > 0)
      take(event.block, event.bytes);
    else
      give(event.block);
  }
  double most() const { return most_; }

 private:
  struct Block {
    std::int64_t index, written;
    double room;
  };

  void take(const void* name, std::int64_t bytes) {
    const detail::SizeClass size = detail::size_class(static_cast<std::size_t>(bytes));
    std::vector<std::int64_t>& kept = kept_[size.index];
    std::int64_t written = 0;
    if (!kept.empty()) {
      written = kept.back();
      kept.pop_back();
      kept_bytes_ -= static_cast<double>(size.bytes);
    }
    const std::int64_t now = std::max(written, bytes);
    held_ += static_cast<double>(now - written);
    most_ = std::max(most_, held_);
    blocks_[name] = {static_cast<std::int64_t>(size.index), now, static_cast<double>(size.bytes)};
  }

  void give(const void* name) {
    const auto found = blocks_.find(name);
    if (found == blocks_.end()) return;  // it was there before
    const Block block = found->second;
    blocks_.erase(found);
    if (kept_bytes_ + block.room <= static_cast<double>(cache_limit())) {
      kept_bytes_ += block.room;
      kept_[static_cast<std::size_t>(block.index)].push_back(block.written);
    } else {
      held_ -= static_cast<double>(block.written);
    }
  }

  std::unordered_map<const void*, Block> blocks_;
  std::unordered_map<std::size_t, std::vector<std::int64_t>> kept_;  // bytes written of each, by size class
  double held_ = 0, kept_bytes_ = 0, most_ = 0;
};

double held_by(std::span<const AllocationEvent> events) {
  HeldMemory memory;
  for (const AllocationEvent& event : events) memory.follow(event);
  return memory.most();
}

// A share of the samples, but some.
Parts scaled(const Parts& parts, double share) {
  const auto some = [share](std::int64_t count) {
    return count == 0 ? 0 : std::max<std::int64_t>(4, std::llround(static_cast<double>(count) * share));
  };
  const std::int64_t step = some(parts.step);
  return {step,
          std::min(some(parts.last_step), step - 1),
          some(parts.valid),
          some(parts.last_valid),
          some(parts.test),
          some(parts.last_test)};
}

struct Steps {
  double held = 0, optimizer = 0;
  // What a checkpoint takes beyond that, for it finds blocks that the steps have given back, and the report then.
  double saving = 0, report = 0;
  bool measured = false;
};

Steps measured_steps(const Run& run, const Parts& parts, double most) {
  const Trace trace = trace_of(run, parts, most);
  const std::span<const AllocationEvent> events = trace.events;
  const double held = held_by(events.first(trace.saving)), saved = held_by(events.first(trace.report));
  return {held, trace.optimizer_bytes, saved - held, held_by(events) - saved, true};
}

// From a quarter and a half of the samples what all of them take: so much, and so much for each. Where those have no
// room, from fewer; less exactly, for small tensors are computed in other ways than large ones.
Steps extrapolated_steps(const Run& run, const Parts& parts, double most) {
  if (parts.step < 16) return measured_steps(run, parts, most);
  for (double share = 0.25;; share /= 8) {
    try {
      const Steps some = measured_steps(run, scaled(parts, share), most);
      const Steps twice_as_many = measured_steps(run, scaled(parts, 2 * share), most);
      return {some.held + (twice_as_many.held - some.held) * (1 - share) / share, some.optimizer, twice_as_many.saving,
              twice_as_many.report, false};
    } catch (const MemoryError&) {
      if (static_cast<double>(parts.step) * share < 8) throw;
    }
  }
}

// Batches that wait: those that a thread makes ahead, and those of a step that the steps above did not hold.
double waiting_batches(const Run& run, const Parts& parts) {
  const std::int64_t first = 0;
  const data::Batch one = run.data.train->get({&first, 1});
  const auto ahead = static_cast<double>(data::DataLoaderOptions().prefetch + 1);
  const auto more = static_cast<double>(std::max<std::int64_t>(0, run.training.accumulate - 2));
  return (bytes_of(one.inputs) + bytes_of(one.targets)) * static_cast<double>(parts.step) * (ahead + more);
}

// What is known without a step.
MemoryEstimate estimate_of_parts(const Run& run) {
  MemoryEstimate result;
  for (const auto& [name, value] : run.model->state_dict()) result.parameters += bytes_of(value);
  for (const Tensor& parameter : run.model->parameters())
    if (parameter.requires_grad()) result.gradients += bytes_of(parameter);
  if (run.training.ema)
    for (const auto& [name, value] : run.model->named_parameters()) result.average += bytes_of(value);
  const bool keeps_best = run.training.valid_fraction > 0 || !run.checkpoints.best.metric.empty();
  result.best = keeps_best ? result.parameters : 0;
  result.data = static_cast<double>(run.data_bytes);
  result.program = std::max(0.0, static_cast<double>(resident_memory()) - result.data - result.parameters);
  return result;
}

Value written(const MemoryEstimate& m) {
  Value value = Value::object();
  const auto set = [&](const char* name, double bytes) { value.set(name, static_cast<std::int64_t>(bytes)); };
  set("program", m.program);
  set("data", m.data);
  set("parameters", m.parameters);
  set("gradients", m.gradients);
  set("optimizer", m.optimizer);
  set("average", m.average);
  set("activations", m.activations);
  set("best", m.best);
  set("saving", m.saving);
  set("report", m.report);
  set("total", m.total());
  value.set("measured", m.measured);
  return value;
}

}  // namespace

std::int64_t available_memory(const std::string& proc, const std::string& cgroups) {
  const double free = 1024 * figure(proc + "/meminfo", "MemAvailable:").value_or(1e15);
  return static_cast<std::int64_t>(std::min({free, left_in_groups(proc, cgroups), 1e18}));
}

std::int64_t resident_memory() {
  return static_cast<std::int64_t>(1024 * figure("/proc/self/status", "VmRSS:").value_or(0));
}

double memory_limit(std::optional<double> gibibytes) {
  if (!gibibytes) return static_cast<double>(resident_memory() + available_memory());
  return *gibibytes == 0 ? std::numeric_limits<double>::infinity() : *gibibytes * kGiB;
}

std::optional<std::string> too_large_model(double elements, std::optional<double> gibibytes) {
  const double weights = elements * 4, limit = memory_limit(gibibytes);
  if (2 * weights <= limit) return std::nullopt;
  return fmt::format(
      "its parameters take {} and their gradients as much, without what the optimizer, the activations and the data "
      "take, but there {} {} of memory (/training/memory_limit): make it smaller",
      size_text(weights), gibibytes ? "may be" : "are", size_text(limit));
}

MemoryEstimate estimate_memory(const Run& run, bool precise) {
  MemoryEstimate result = estimate_of_parts(run);
  const Parts parts = parts_of(run);
  const double most = memory_limit(run.training.memory_limit) - static_cast<double>(resident_memory());
  Steps steps = extrapolated_steps(run, parts, most);
  if (precise && !steps.measured && steps.held <= 1.5 * most) steps = measured_steps(run, parts, most);
  result.optimizer = steps.optimizer;
  result.saving = steps.saving;
  result.report = steps.report;
  result.measured = steps.measured;
  result.activations =
      std::max(0.0, steps.held - result.gradients - result.optimizer - result.average) + waiting_batches(run, parts);
  // Only now the code of a step is in memory, and what the steps above had goes back to the system. The code that a run
  // comes to later, and the text of its report, took up to 1.5 MiB more in the examples.
  constexpr double kLater = 3 << 18;
  release_cached_memory();
  ::malloc_trim(0);
  result.program = std::max(0.0, static_cast<double>(resident_memory()) - result.data - result.parameters) + kLater;
  return result;
}

void check_memory(const Run& run) {
  const double limit = memory_limit(run.training.memory_limit);
  if (std::isinf(limit)) return;
  MemoryEstimate estimate;
  try {
    estimate = estimate_memory(run, false);
  } catch (const MemoryError&) {
    throw ConfigError(
        fmt::format("not even a step of few samples has room in the {} of memory that training may take "
                    "(/training/memory_limit): make the model smaller\n{}",
                    size_text(limit), to_string(estimate_of_parts(run))));
  }
  if (estimate.total() > 0.5 * limit) {
    try {
      estimate = estimate_memory(run, true);
    } catch (const MemoryError&) {  // what follows from few samples has to do
    }
  }
  EG_CHECK(estimate.total() <= limit, ConfigError,
           "training would take {} of memory, but may take {} (/training/memory_limit): make the batches or the model "
           "smaller\n{}",
           size_text(estimate.total()), size_text(limit), to_string(estimate));
}

Inspection inspect_run(const Value& config, const std::string& source, const std::string& folder) {
  const Run run = build_run(config, source, folder);
  Inspection result;
  const std::int64_t first = 0;
  result.memory = estimate_memory(run);
  result.limit = memory_limit(run.training.memory_limit);
  result.model = nn::summary(*run.model, run.data.train->get({&first, 1}).inputs);
  return result;
}

std::string to_string(const MemoryEstimate& m) {
  const std::vector<std::pair<const char*, double>> lines{
      {"program", m.program},     {"data", m.data},       {"parameters", m.parameters},   {"gradients", m.gradients},
      {"optimizer", m.optimizer}, {"average", m.average}, {"activations", m.activations}, {"best weights", m.best},
      {"saving", m.saving},       {"report", m.report},   {"in all", m.total()}};
  std::string text;
  for (const auto& [name, bytes] : lines)
    if (bytes > 0) text += fmt::format("  {:<12}{:>11}\n", name, size_text(bytes));
  return text;
}

std::string to_string(const Inspection& inspection) {
  const double total = inspection.memory.total();
  std::string text = nn::to_string(inspection.model) + "\nmemory of training\n" + to_string(inspection.memory);
  if (std::isinf(inspection.limit)) return text;
  return text + fmt::format("of {} that it may take{}\n", size_text(inspection.limit),
                            total > inspection.limit ? ": too much, training would be refused" : "");
}

Value to_json(const Inspection& inspection) {
  Value layers = Value::array();
  const auto extents = [](const Shape& shape) {
    Value list = Value::array();
    for (const std::int64_t extent : shape) list.push_back(extent);
    return list;
  };
  for (const nn::SummaryRow& row : inspection.model.rows) {
    Value layer = Value::object();
    layer.set("name", row.name);
    layer.set("type", row.type);
    layer.set("input", row.ran ? extents(row.input) : Value());
    layer.set("output", row.ran ? extents(row.output) : Value());
    layer.set("parameters", row.parameters);
    layer.set("trainable", row.trainable);
    layer.set("flops", row.flops);
    layers.push_back(std::move(layer));
  }
  Value value = Value::object();
  value.set("parameters", inspection.model.parameters());
  value.set("trainable", inspection.model.trainable());
  value.set("flops", inspection.model.flops());
  value.set("layers", std::move(layers));
  value.set("memory", written(inspection.memory));
  value.set("memory_limit", std::isinf(inspection.limit) ? Value() : Value(std::floor(inspection.limit)));
  value.set("fits", inspection.memory.total() <= inspection.limit);
  return value;
}

}  // namespace eigengrad::train
