// The keys of a configuration, their options, and the JSON schema that is made of them.
#include <array>

#include "eigengrad/config/reader.h"
#include "eigengrad/data/build.h"
#include "eigengrad/data/transform.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/train/criteria.h"
#include "eigengrad/train/run_config.h"

namespace eigengrad::train {
namespace {

using config::Value;

Value parsed(const char* json) { return config::parse_json(json); }

Value list_of(const Value& row) {
  Value list = parsed(R"({"type": "array", "minItems": 1})");
  list.set("items", row);
  return list;
}

// A row, or an array of rows.
Value one_or_more(const Value& row) {
  Value any = Value::object();
  any.set("anyOf", Value::Array{row, list_of(row)});
  return any;
}

Value or_null(Value any) {
  any.find("anyOf")->push_back(parsed(R"({"type": "null"})"));
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
  f("memory_limit", o.memory_limit,
    {.help = "GiB that training may take, else it does not begin; null: what the machine has, 0: no limit", .min = 0});
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

std::span<const RunKey> run_keys() {
  static constexpr std::array kKeys{
      RunKey{"seed", "of everything random", false,
             [] { return parsed(R"({"type": "integer", "minimum": 0, "default": 0})"); }},
      RunKey{"data", "the data set", true, [] { return data::sources().schema(); }},
      RunKey{"training", "batches, and what becomes of gradients", false,
             [] { return config::schema_of<TrainingOptions>(); }},
      RunKey{"checkpoints", "when the run is saved, and which weights it ends with", false,
             [] { return config::schema_of<CheckpointsOptions>(); }},
      RunKey{"model", "the layers", true, [] { return reference("layer"); }},
      RunKey{"loss", "what training makes small", true, [] { return nn::losses().schema(); }},
      RunKey{"metrics", "what is measured besides the loss", false,
             [] {
               Value list = parsed(R"({"type": "array"})");
               list.set("items", reference("metric"));
               return list;
             }},
      RunKey{"optimizer", "how parameters change, or several that share them", true,
             [] { return one_or_more(reference("optimizer")); }},
      RunKey{"lr_scheduler", "how the learning rate changes, or several in turn", false,
             [] { return or_null(one_or_more(reference("schedule"))); }},
      RunKey{"stopping", "when training ends: when any of these holds", true,
             [] { return list_of(reference("criterion")); }},
      RunKey{"report", "what a run leaves beside its figures and its model", false,
             [] { return config::schema_of<ReportOptions>(); }},
  };
  return kKeys;
}

Value run_schema() {
  Value definitions = Value::object();
  definitions.set("layer", nn::model_schema());
  definitions.set("graph_layer", nn::graph_layer_schema());
  definitions.set("optimizer", optim::optimizers().schema());
  definitions.set("schedule", optim::schedules().schema());
  definitions.set("criterion", criteria().schema());
  definitions.set("metric", metrics().schema());
  definitions.set("transform", data::transforms().schema());
  Value properties = parsed(R"({"$schema": {"type": "string", "description": "where this schema is, for editors"}})");
  Value required = Value::array();
  for (const RunKey& key : run_keys()) {
    properties.set(key.name, key.schema()).set("description", key.help);
    if (key.required) required.push_back(key.name);
  }
  Value schema = Value::object();
  schema.set("$schema", "https://json-schema.org/draft/2020-12/schema");
  schema.set("title", "Eigengrad training run");
  schema.set("type", "object");
  schema.set("properties", std::move(properties));
  schema.set("required", std::move(required));
  schema.set("additionalProperties", false);
  schema.set("$defs", std::move(definitions));
  return schema;
}

}  // namespace eigengrad::train
