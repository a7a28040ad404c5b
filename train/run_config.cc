#include "eigengrad/train/run_config.h"

#include <array>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/train/criteria.h"

namespace eigengrad::train {
namespace {

using config::Diagnostics;
using config::pointer_to;
using config::Value;

// Reads the parts of a configuration in turn, and builds them while there are no mistakes.
class RunBuilder {
 public:
  RunBuilder(const Value& config, const std::string& source, const std::string& folder)
      : config_(config), folder_(folder), diagnostics_(source) {}

  Run build() {
    if (!config_.as_object()) {
      diagnostics_.add("", config_.position(), fmt::format("found {}, expected an object", config_.description()));
      diagnostics_.throw_if_any();
    }
    check_keys();
    read_seed();
    const auto source = read_data();
    read_training();
    read_model(source.get());
    read_loss();
    read_metrics();
    if (config_.find("optimizer"))
      optimizers_ = optim::optimizers().read_one_or_rows(part("optimizer"), "/optimizer", diagnostics_);
    if (const Value* schedules = config_.find("lr_scheduler"); schedules && !schedules->is_null())
      schedules_ = optim::schedules().read_one_or_rows(*schedules, "/lr_scheduler", diagnostics_);
    read_stopping();
    diagnostics_.throw_if_any();
    build_optimizer();
    build_schedules();
    build_average();
    resolve(*source);
    return std::move(run_);
  }

 private:
  static constexpr std::array kKeys{"seed",    "data",      "training",     "checkpoints", "model", "loss",
                                    "metrics", "optimizer", "lr_scheduler", "stopping",    "report"};

  void check_keys() {
    const std::vector<std::string> known(kKeys.begin(), kKeys.end());
    for (const auto& [key, value] : *config_.as_object())
      if (std::find(known.begin(), known.end(), key) == known.end())
        diagnostics_.unknown_name(pointer_to("", std::string_view(key)), value.position(), "key", key, known);
    for (const char* required : {"data", "model", "loss", "optimizer", "stopping"})
      if (!config_.find(required)) diagnostics_.add("", config_.position(), fmt::format("'{}' is missing", required));
  }

  // A part, or null where it is missing, which has been noted.
  const Value& part(const char* key) const {
    static const Value none;
    const Value* value = config_.find(key);
    return value ? *value : none;
  }

  void read_seed() {
    Value only = Value::object();
    if (const Value* seed = config_.find("seed")) only.set("seed", *seed);
    config::ReadFields fields(only, "", diagnostics_);
    fields("seed", run_.seed, {.help = "of everything random", .min = 0});
    // From here on every random number follows from the seed.
    manual_seed(static_cast<std::uint64_t>(run_.seed));
  }

  std::unique_ptr<config::Configured> read_data() {
    if (!config_.find("data")) return nullptr;
    auto configured = data::sources().read(part("data"), "/data", diagnostics_);
    if (!configured) return nullptr;
    try {
      run_.data = data::sources().functions(*configured).make(configured->options.get(), folder_);
    } catch (const ConfigError& error) {  // options that do not fit the data
      diagnostics_.add("/data", configured->position, error.what());
      diagnostics_.throw_if_any();
    }
    return configured;
  }

  void read_training() {
    if (const Value* training = config_.find("training"))
      config::read_options(*training, "/training", diagnostics_, run_.training);
    if (const Value* checkpoints = config_.find("checkpoints"))
      config::read_options(*checkpoints, "/checkpoints", diagnostics_, run_.checkpoints);
    if (const Value* report = config_.find("report"))
      config::read_options(*report, "/report", diagnostics_, run_.report);
  }

  void read_model(const config::Configured* source) {
    if (!config_.find("model")) return;
    // Without data the layers are read all the same, against a shape that fits images.
    const Shape input = source ? run_.data.train->input_shape() : Shape{1, 28, 28};
    const nn::BuiltModel built = nn::build_model(part("model"), "/model", input, diagnostics_);
    run_.model = built.module;
    output_ = built.output;
    const std::int64_t classes = source ? run_.data.train->classes() : 0;
    const Value* loss = config_.find("loss");
    const Value* loss_type = loss && !loss->as_string() ? loss->find("type") : loss;
    const bool classifies = loss_type && loss_type->as_string() && *loss_type->as_string() == "CrossEntropyLoss";
    if (!built.module || !classifies || classes == 0) return;
    Shape expected = run_.data.train->target_shape();
    expected.insert(0, classes);
    if (built.output != expected)
      diagnostics_.add(
          "/model", part("model").position(),
          fmt::format(
              "its output is {}, but CrossEntropyLoss needs one value for each of the {} classes of the data: {}",
              built.output, classes, expected));
  }

  void read_loss() {
    if (config_.find("loss")) run_.loss = nn::build_loss(part("loss"), "/loss", diagnostics_);
    const Value* loss = config_.find("loss");
    const Value* reduction = loss ? loss->find("reduction") : nullptr;
    if (run_.loss && reduction && *reduction == Value("none"))
      diagnostics_.add("/loss/reduction", reduction->position(),
                       "found 'none', but training needs one number: expected mean or sum");
  }

  // Metrics that do not fit the data and the model are mistakes, as far as both are there.
  void read_metrics() {
    std::optional<MetricTask> task;
    if (run_.data.train && run_.data.train->size() > 0 && run_.model) {
      const std::int64_t first = 0;
      const Tensor target = run_.data.train->get({&first, 1}).targets;
      task = {output_, run_.data.train->target_shape(), target.dtype()};
    }
    const Value* const list = config_.find("metrics");
    const Value usual = task && run_.loss ? usual_metrics(*task, *run_.loss) : Value::array();
    metrics_ =
        train::read_metrics(list ? *list : usual, "/metrics", task ? &*task : nullptr, run_.loss.get(), diagnostics_);
    run_.metrics = metrics_.set;
  }

  void read_stopping() {
    const Value* list = config_.find("stopping");
    if (!list) return;
    stopping_ = criteria().read_rows(*list, "/stopping", diagnostics_, ": without one training would not end");
    for (const auto& configured : stopping_)
      run_.stopping.push_back(criteria().functions(*configured).make(configured->options.get()));
  }

  void build_optimizer() {
    const auto parameters = run_.model->named_parameters();
    if (parameters.empty())
      diagnostics_.add("/model", part("model").position(), "it has no parameters, so there is nothing to train");
    run_.optimizer = optim::build_optimizer(optimizers_, parameters, diagnostics_);
    diagnostics_.throw_if_any();
  }

  void build_schedules() {
    for (const auto& row : schedules_) {
      const optim::ScheduleFunctions& functions = optim::schedules().functions(*row);
      try {
        run_.schedules.emplace_back(functions.make(*run_.optimizer, row->options.get()),
                                    functions.interval(row->options.get()));
      } catch (const Error& error) {
        diagnostics_.add(row->pointer, row->position, error.what());
      }
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

  void resolve(const config::Configured& source) {
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
  }

  const Value& config_;
  const std::string& folder_;
  Diagnostics diagnostics_;
  Run run_;
  Shape output_;  // of the model, without the batch axis
  ConfiguredMetrics metrics_;
  config::ConfiguredRows optimizers_, schedules_, stopping_;
};

// A row, or an array of rows.
Value one_or_more(const Value& row) {
  Value list = Value::object();
  list.set("type", "array");
  list.set("minItems", 1);
  list.set("items", row);
  Value any = Value::object();
  any.set("anyOf", Value::Array{row, std::move(list)});
  return any;
}

Value reference(const char* name) {
  Value value = Value::object();
  value.set("$ref", std::string("#/$defs/") + name);
  return value;
}

}  // namespace

void describe(config::Fields& f, AverageOptions& o) {
  describe(f, o.ema);
  f("use_buffers", o.use_buffers, {.help = "average running statistics as well"});
}

void describe(config::Fields& f, TrainingOptions& o) {
  f("batch_size", o.batch_size, {.help = "samples in a batch", .min = 1, .max = 1'000'000});
  f("shuffle", o.shuffle, {.help = "a new order of the samples every epoch"});
  f("drop_last", o.drop_last, {.help = "leave out a last batch that is smaller than the others"});
  f("valid_fraction", o.valid_fraction,
    {.help = "share of the training samples that is held out to validate on", .min = 0, .max = 1, .below_max = true});
  f("accumulate", o.accumulate,
    {.help = "batches that make a step together, as one larger batch would", .min = 1, .max = 1'000'000});
  f("validate_every", o.validate_every,
    {.help = "steps after which to validate within an epoch as well; 0: at its end alone", .min = 0});
  f("clip_grad_norm", o.clip_grad_norm, {.help = "gradients are scaled down to this norm; 0: never", .min = 0});
  f("clip_grad_value", o.clip_grad_value, {.help = "then no element is larger than this; 0: never", .min = 0});
  config::describe_optional(f, "ema", o.ema,
                            {.help = "a moving average of the weights, with which the model is validated and saved"});
  f.choice<Precision>("precision", o.precision, {{"float32", Precision::Float32}, {"bfloat16", Precision::BFloat16}},
                      {.help = "what products and convolutions multiply with; bfloat16 is faster and keeps 8 bits"});
}

void describe(config::Fields& f, CheckpointsOptions& o) {
  describe(f, o.when);
  f("best_metric", o.best.metric, {.help = "by which weights are the best; empty: valid_loss, where it is measured"});
  f.choice<Mode>("best_mode", o.best.mode, {{"auto", Mode::Auto}, {"min", Mode::Min}, {"max", Mode::Max}},
                 {.help = "whether small or large values are good; auto: large for accuracies and the like"});
  f("restore_best", o.best.restore, {.help = "end with the best weights instead of the last"});
}

void describe(config::Fields& f, ReportOptions& o) {
  f("html", o.html, {.help = "report.html, the run on one page"});
  f("tensorboard", o.tensorboard, {.help = "event files for TensorBoard, in the folder tensorboard"});
  f("histograms", o.histograms, {.help = "in those, how the weights are spread"});
}

Run build_run(const Value& config, const std::string& source, const std::string& folder) {
  return RunBuilder(config, source, folder).build();
}

Value run_schema() {
  Value definitions = Value::object();
  definitions.set("layer", nn::model_schema());
  definitions.set("optimizer", optim::optimizers().schema());
  definitions.set("schedule", optim::schedules().schema());
  definitions.set("criterion", criteria().schema());
  definitions.set("metric", metrics().schema());
  Value properties = Value::object();
  Value seed = Value::object();
  seed.set("type", "integer");
  seed.set("minimum", 0);
  properties.set("seed", std::move(seed));
  properties.set("data", data::sources().schema());
  properties.set("training", config::schema_of<TrainingOptions>());
  properties.set("checkpoints", config::schema_of<CheckpointsOptions>());
  properties.set("model", reference("layer"));
  properties.set("loss", nn::losses().schema());
  Value measured = Value::object();
  measured.set("type", "array");
  measured.set("items", reference("metric"));
  properties.set("metrics", std::move(measured));
  properties.set("optimizer", one_or_more(reference("optimizer")));
  properties.set("lr_scheduler", one_or_more(reference("schedule")));
  Value stopping = Value::object();
  stopping.set("type", "array");
  stopping.set("minItems", 1);
  stopping.set("items", reference("criterion"));
  properties.set("stopping", std::move(stopping));
  properties.set("report", config::schema_of<ReportOptions>());
  Value schema = Value::object();
  schema.set("$schema", "https://json-schema.org/draft/2020-12/schema");
  schema.set("title", "Eigengrad training run");
  schema.set("type", "object");
  schema.set("properties", std::move(properties));
  schema.set("required", Value::Array{"data", "model", "loss", "optimizer", "stopping"});
  schema.set("additionalProperties", false);
  schema.set("$defs", std::move(definitions));
  return schema;
}

}  // namespace eigengrad::train
