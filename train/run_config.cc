#include "eigengrad/train/run_config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "eigengrad/config/noting.h"
#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/train/criteria.h"
#include "eigengrad/train/inspect.h"

namespace eigengrad::train {
namespace {

using config::Diagnostics;
using config::pointer_to;
using config::Value;

// Reads the parts of a configuration in turn, and builds them while there are no mistakes.
class RunBuilder {
 public:
  RunBuilder(const Value& config, const std::string& source, const std::string& folder, bool only_check = false)
      : config_(config), folder_(folder), only_check_(only_check), diagnostics_(source) {}

  Run build() {
    read();
    meet_data();
    fit_data();
    finish();
    resolve();
    return std::move(run_);
  }

  RunModel model() {
    read();
    if (!run_.model) meet_data();
    return {run_.model, samples_->input};
  }

  RunCheck check() {
    read();
    RunCheck result;
    const bool readable = source_ && (run_.data.train || !folder_.empty());
    if (readable) {
      meet_data();
      fit_data();
    }
    if (run_.model || readable) finish();
    tell(result);
    return result;
  }

 private:
  // ---- What the text says. Everything is looked at, so that all mistakes are told at once.

  void read() {
    if (!config_.as_object()) {
      diagnostics_.add("", config_.position(), fmt::format("found {}, expected an object", config_.description()));
      diagnostics_.throw_if_any();
    }
    check_keys();
    read_seed();
    read_data();
    read_training();
    plan_model();
    read_loss();
    read_metrics();
    read_optimizers();
    if (const Value* schedules = config_.find("lr_scheduler"); schedules && !schedules->is_null())
      schedules_ = optim::schedules().read_one_or_rows(*schedules, "/lr_scheduler", diagnostics_);
    read_stopping();
    build_model();
    check_output();
    diagnostics_.throw_if_any();
  }

  void check_keys() {
    std::vector<std::string> known;
    for (const RunKey& key : run_keys()) known.push_back(key.name);
    for (const RunKey& key : run_keys())
      if (key.required && !config_.find(key.name))
        diagnostics_.add("", config_.position(), fmt::format("'{}' is missing: {}", key.name, key.help));
    for (const auto& [key, value] : *config_.as_object())
      if (key == "$schema" ? !value.as_string() : std::find(known.begin(), known.end(), key) == known.end()) {
        if (key == "$schema")
          diagnostics_.add("/$schema", value.position(),
                           fmt::format("found {}, expected the place of a schema", value.description()));
        else
          diagnostics_.unknown_name(pointer_to("", std::string_view(key)), value.position(), "key", key, known);
      }
  }

  // A part, or null where it is missing, which has been noted.
  const Value& part(const char* key) const {
    static const Value none;
    const Value* value = config_.find(key);
    return value ? *value : none;
  }

  // Where an option of a part stands, or the part where it is left out.
  config::Position position_of(const char* key, const char* option) const {
    const Value* value = part(key).find(option);
    return value ? value->position() : part(key).position();
  }

  void read_seed() {
    Value only = Value::object();
    if (const Value* seed = config_.find("seed")) only.set("seed", *seed);
    config::ReadFields fields(only, "", diagnostics_);
    fields("seed", run_.seed, {.help = "of everything random", .min = 0});
    // From here on every random number follows from the seed.
    manual_seed(static_cast<std::uint64_t>(run_.seed));
  }

  // A source that does not know what its samples look like is read at once.
  void read_data() {
    if (!config_.find("data")) return;
    source_ = data::sources().read(part("data"), "/data", diagnostics_);
    if (!source_) return;
    const auto shape = data::sources().functions(*source_).shape;
    if (shape)
      with_data_options([&] { samples_ = shape(source_->options.get()); });
    else if (!only_check_ || !folder_.empty())
      make_data();
    else
      look_for_data();
  }

  // Who only wants to check, and names no folder, need not have the data.
  void look_for_data() {
    try {
      make_data();
    } catch (const IoError& error) {
      not_read_ = error.what();
    }
  }

  void read_training() {
    if (const Value* training = config_.find("training"))
      config::read_options(*training, "/training", diagnostics_, run_.training);
    if (const Value* checkpoints = config_.find("checkpoints"))
      config::read_options(*checkpoints, "/checkpoints", diagnostics_, run_.checkpoints);
    if (const Value* report = config_.find("report"))
      config::read_options(*report, "/report", diagnostics_, run_.report);
  }

  void plan_model() {
    if (!config_.find("model")) return;
    const std::size_t mistakes = diagnostics_.size();
    const std::optional<Shape> input = samples_ ? std::optional(samples_->input) : std::nullopt;
    const auto plan = nn::plan_model(part("model"), "/model", input, diagnostics_);
    model_is_right_ = plan && diagnostics_.size() == mistakes;
    if (!model_is_right_) return;
    output_ = plan->output;
    const std::optional<std::string> too_large = too_large_model(plan->elements, run_.training.memory_limit);
    if (!too_large) return;
    model_is_right_ = false;
    diagnostics_.add("/model", part("model").position(), *too_large);
  }

  void read_loss() {
    if (config_.find("loss")) run_.loss = nn::build_loss(part("loss"), "/loss", diagnostics_);
    const Value* loss = config_.find("loss");
    const Value* reduction = loss ? loss->find("reduction") : nullptr;
    if (run_.loss && reduction && *reduction == Value("none"))
      diagnostics_.add("/loss/reduction", reduction->position(),
                       "found 'none', but training needs one number: expected mean or sum");
  }

  void read_metrics() {
    if (const Value* list = config_.find("metrics"))
      metrics_ = train::read_metrics(*list, "/metrics", run_.loss.get(), diagnostics_);
  }

  void read_optimizers() {
    if (!config_.find("optimizer")) return;
    const std::size_t mistakes = diagnostics_.size();
    optimizers_ = optim::optimizers().read_one_or_rows(part("optimizer"), "/optimizer", diagnostics_);
    if (diagnostics_.size() != mistakes) optimizers_.clear();
  }

  void read_stopping() {
    const Value* list = config_.find("stopping");
    if (!list) return;
    stopping_ = criteria().read_rows(*list, "/stopping", diagnostics_, ": without one training would not end");
    for (const auto& configured : stopping_)
      run_.stopping.push_back(criteria().functions(*configured).make(configured->options.get()));
  }

  // ---- What follows from it. The model is made as soon as it is known to fit, for the optimizer names its parameters.

  void build_model() {
    if (!model_is_right_) return;
    run_.model = nn::build_model(part("model"), "/model", samples_->input, diagnostics_).module;
    if (!run_.model) return;
    if (run_.model->parameter_count() == 0)
      diagnostics_.add("/model", part("model").position(), "it has no parameters, so there is nothing to train");
    else if (!optimizers_.empty())
      run_.optimizer = optim::build_optimizer(optimizers_, run_.model->named_parameters(), diagnostics_);
  }

  void check_output() {
    const Value* loss = config_.find("loss");
    const Value* type = loss && !loss->as_string() ? loss->find("type") : loss;
    const bool classifies = type && type->as_string() && *type->as_string() == "CrossEntropyLoss";
    if (!run_.model || !run_.loss || !samples_) return;
    if (samples_->classes == 0 && !run_.data.train) return;  // whether there are classes is not known yet
    Shape expected = samples_->target;
    expected.insert(0, samples_->classes);
    if (!classifies || samples_->classes == 0)
      check_loss(*loss);
    else if (output_ != expected)
      diagnostics_.add(
          "/model", part("model").position(),
          fmt::format(
              "its output is {}, but CrossEntropyLoss needs one value for each of the {} classes of the data: {}",
              output_, samples_->classes, expected));
  }

  // The loss of an output of zeros where the last class, or ones, are wanted, which any takes that fits their shapes.
  void check_loss(const Value& loss) {
    const bool labels = samples_->classes > 0;
    Shape output = output_, target = samples_->target;
    output.insert(0, 1);
    target.insert(0, 1);
    const Tensor wanted =
        full(target, labels ? static_cast<double>(samples_->classes - 1) : 1, labels ? kInt64 : kFloat32);
    try {
      (*run_.loss)(zeros(output), wanted);
    } catch (const Error& error) {
      const std::string data =
          labels ? fmt::format("labels of {} classes, as CrossEntropyLoss takes them", samples_->classes) : "numbers";
      diagnostics_.add("/loss", loss.position(),
                       fmt::format("{} does not fit an output of {} and targets of {}, which are {}: {}",
                                   run_.loss->type_name(), output_, samples_->target, data, error.what()));
    }
  }

  // Runs f. That options do not fit the data is noted, and gives false.
  template <class F>
  bool with_data_options(F f) {
    try {
      f();
      return true;
    } catch (const config::OptionError& error) {
      const Value* const option = part("data").find(error.key().substr(1, error.key().find('/', 1) - 1));
      diagnostics_.add("/data" + error.key(), option ? option->position() : source_->position, error.message());
    } catch (const ConfigError& error) {
      diagnostics_.add("/data", source_->position, error.what());
    }
    return false;
  }

  void make_data() {
    if (run_.data.train) return;
    const std::int64_t before = resident_memory();
    if (!with_data_options(
            [&] { run_.data = data::sources().functions(*source_).make(source_->options.get(), folder_); }))
      diagnostics_.throw_if_any();
    run_.data_bytes = std::max<std::int64_t>(0, resident_memory() - before);
    const data::Dataset& train = *run_.data.train;
    samples_ = {train.input_shape(), train.target_shape(), train.classes()};
  }

  // The data themselves, which may be others than their options let expect.
  void meet_data() {
    const std::optional<Shape> expected = samples_ ? std::optional(samples_->input) : std::nullopt;
    make_data();
    if (samples_->input != expected) {
      manual_seed(static_cast<std::uint64_t>(run_.seed));
      plan_model();
      build_model();
    }
    check_output();
    diagnostics_.throw_if_any();
  }

  // Loss, metrics and batches against the data themselves.
  void fit_data() {
    EG_CHECK(run_.data.train->size() > 0, FormatError, "/data: there is no sample to train on");
    std::vector<std::int64_t> first(static_cast<std::size_t>(std::min(run_.data.train->size(), kEvaluationBatch)));
    std::iota(first.begin(), first.end(), std::int64_t{0});
    const Tensor targets = run_.data.train->get(first).targets;
    config::noting(diagnostics_, "/loss", part("loss").position(), [&] { run_.loss->check_targets(targets); });
    fit_metrics(targets.dtype());
    split_data();
    diagnostics_.throw_if_any();
  }

  // Metrics that do not fit the data and the model are mistakes; those that nobody has named are the usual ones.
  void fit_metrics(Dtype target_dtype) {
    const MetricTask task{output_, run_.data.train->target_shape(), target_dtype};
    if (!config_.find("metrics"))
      metrics_ = train::read_metrics(usual_metrics(task, *run_.loss), "/metrics", run_.loss.get(), diagnostics_);
    check_metrics(metrics_, task, diagnostics_);
    diagnostics_.throw_if_any();
    run_.metrics = metrics_.set;
    check_metric_names();
  }

  void split_data() {
    const TrainingOptions& o = run_.training;
    const auto seed = static_cast<std::uint64_t>(run_.seed);
    const auto [train, valid] = data::random_split(run_.data.train, o.valid_fraction, seed);
    run_.train.emplace(train,
                       data::DataLoaderOptions{
                           .batch_size = o.batch_size, .shuffle = o.shuffle, .drop_last = o.drop_last, .seed = seed});
    if (valid->size() > 0)
      run_.valid.emplace(valid, data::DataLoaderOptions{.batch_size = kEvaluationBatch, .augment = false});
    if (train->size() == 0)
      diagnostics_.add(
          "/training/valid_fraction", position_of("training", "valid_fraction"),
          fmt::format("{} leaves nothing to train on of {} samples", o.valid_fraction, run_.data.train->size()));
    else if (run_.train->batches() == 0)
      diagnostics_.add("/training/batch_size", position_of("training", "batch_size"),
                       fmt::format("{} samples do not fill a batch of {}, and drop_last leaves it out", train->size(),
                                   o.batch_size));
  }

  // Criteria, schedules and the choice of the best weights may name what is measured, and nothing else.
  void check_metric_names() {
    std::vector<std::string> known{"loss", "grad_norm", "lr"};
    for (const auto& metric : run_.metrics.metrics()) known.push_back(metric->name());
    if (run_.training.valid_fraction > 0) {
      known.push_back("valid_loss");
      for (const auto& metric : run_.metrics.metrics()) known.push_back("valid_" + metric->name());
    }
    const auto check = [&](const std::string& name, const std::string& pointer, config::Position position) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        diagnostics_.unknown_name(pointer, position, "metric", name, known);
    };
    const auto check_row = [&](const auto& self, const Value& row, const std::string& pointer,
                               config::Position position) -> void {
      if (const Value* metric = row.find("metric"); metric && metric->as_string())
        check(*metric->as_string(), pointer_to(pointer, std::string_view("metric")), position);
      const Value* parts = row.find("criteria");
      for (std::size_t i = 0; parts && i < parts->as_array()->size(); ++i)
        self(self, (*parts->as_array())[i], pointer_to(pointer_to(pointer, std::string_view("criteria")), i), position);
    };
    for (const auto& row : stopping_) check_row(check_row, criteria().write(*row), row->pointer, row->position);
    for (const auto& row : schedules_)
      check_row(check_row, optim::schedules().write(*row), row->pointer, row->position);
    const std::string& best = run_.checkpoints.best.metric;
    if (!best.empty()) check(best, "/checkpoints/best_metric", part("checkpoints").position());
  }

  void finish() {
    build_schedules();
    build_average();
  }

  // How often a schedule goes on before the run ends by a number of epochs or steps; nothing where it does not.
  std::optional<std::int64_t> total_times(optim::Interval interval) const {
    double least = std::numeric_limits<double>::infinity();
    const double steps_of_epoch = interval == optim::Interval::Epoch ? 1 : static_cast<double>(steps_per_epoch());
    for (const auto& row : stopping_) {
      const std::string& name = criteria().entry(*row).name;
      if (name == MaxEpochs::kName)
        least = std::min(least, static_cast<double>(row->as<MaxEpochsOptions>().epochs) * steps_of_epoch);
      if (name == MaxSteps::kName)
        least = std::min(least, std::ceil(static_cast<double>(row->as<MaxStepsOptions>().steps) * steps_of_epoch /
                                          static_cast<double>(steps_per_epoch())));
    }
    if (!(least < 9e15)) return std::nullopt;
    return static_cast<std::int64_t>(least);
  }

  std::int64_t steps_per_epoch() const {
    return (run_.train->batches() + run_.training.accumulate - 1) / run_.training.accumulate;
  }

  void build_schedules() {
    for (const auto& row : schedules_) {
      const optim::ScheduleFunctions& functions = optim::schedules().functions(*row);
      const bool steps_are_known = run_.data.train != nullptr;  // without data nothing hangs on their number
      if (functions.set_total)
        if (const auto times = steps_are_known ? total_times(functions.interval(row->options.get())) : 1)
          functions.set_total(row->options.get(), *times);
      config::noting(diagnostics_, row->pointer, row->position, [&] {
        run_.schedules.emplace_back(functions.make(*run_.optimizer, row->options.get()),
                                    functions.interval(row->options.get()));
      });
    }
    diagnostics_.throw_if_any();
  }

  void build_average() {
    if (!run_.training.ema) return;
    optim::NamedParameters averaged = run_.model->named_parameters();
    if (run_.training.ema->use_buffers)
      for (const auto& [name, buffer] : run_.model->named_buffers())
        if (is_floating(buffer.dtype())) averaged.emplace_back(name, buffer);
    run_.average = std::make_unique<optim::EMA>(std::move(averaged), run_.training.ema->ema);
  }

  // ---- What comes out.

  void tell(RunCheck& result) const {
    const auto add = [&](const char* name, std::string text) { result.checked.emplace_back(name, std::move(text)); };
    const auto names = [](const config::TypeTable& table, const config::ConfiguredRows& rows) {
      std::string list;
      for (const auto& row : rows) list += (list.empty() ? "" : ", ") + table.entries()[row->index].name;
      return list;
    };
    const std::string kind = data::sources().entry(*source_).name;
    if (run_.data.train) {
      add("data", run_.data.train->description());
      if (!run_.data.note.empty()) result.notes.push_back(run_.data.note);
      result.notes.insert(result.notes.end(), run_.data.warnings.begin(), run_.data.warnings.end());
    } else {
      add("data", samples_ ? fmt::format("{}, inputs of shape {}", kind, samples_->input) : kind);
      result.not_checked.push_back(
          fmt::format("the data were not read: {}give --data DIR", not_read_.empty() ? "" : not_read_ + "; "));
    }
    if (run_.model) {
      result.parameters = run_.model->parameter_count();
      add("model", fmt::format("{} parameters, output of shape {}", result.parameters, output_));
    } else {
      result.not_checked.push_back("the shape of the inputs is not known, so layers were not held against each other");
    }
    add("loss", run_.loss->type_name());
    if (!metrics_.rows.empty()) add("metrics", names(metrics(), metrics_.rows));
    add("optimizer", names(optim::optimizers(), optimizers_));
    if (!schedules_.empty()) add("lr_scheduler", names(optim::schedules(), schedules_));
    add("stopping", names(criteria(), stopping_));
  }

  void resolve() {
    const config::Configured& source = *source_;
    Value& all = run_.resolved = Value::object();
    all.set("seed", run_.seed);
    all.set("data", data::sources().write(source));
    all.set("training", config::write_options(run_.training));
    all.set("checkpoints", config::write_options(run_.checkpoints));
    all.set("model", nn::model_config(*run_.model));
    const auto loss = nn::losses().read(part("loss"), "/loss", diagnostics_);
    all.set("loss", nn::losses().write(*loss));
    all.set("metrics", metrics().write_rows(metrics_.rows));
    all.set("optimizer", optimizers_.size() == 1 ? optim::optimizers().write(*optimizers_[0])
                                                 : optim::optimizers().write_rows(optimizers_));
    if (!schedules_.empty()) all.set("lr_scheduler", optim::schedules().write_rows(schedules_));
    all.set("stopping", criteria().write_rows(stopping_));
    all.set("report", config::write_options(run_.report));
    run_.optimizer_rows = optimizers_;
  }

  const Value& config_;
  const std::string& folder_;
  const bool only_check_;
  Diagnostics diagnostics_;
  Run run_;
  std::unique_ptr<config::Configured> source_;
  std::optional<data::SampleShape> samples_;  // nothing while it is not known
  std::string not_read_;                      // why the data could not be, where that is no mistake
  bool model_is_right_ = false;
  Shape output_;  // of the model, without the batch axis
  ConfiguredMetrics metrics_;
  config::ConfiguredRows optimizers_, schedules_, stopping_;
};

}  // namespace

Run build_run(const Value& config, const std::string& source, const std::string& folder) {
  return RunBuilder(config, source, folder).build();
}

RunModel build_run_model(const Value& config, const std::string& source, const std::string& folder) {
  return RunBuilder(config, source, folder).model();
}

RunCheck check_run(const Value& config, const std::string& source, const std::string& folder) {
  return RunBuilder(config, source, folder, true).check();
}

}  // namespace eigengrad::train
