#include "eigengrad/train/criteria.h"

#include <utility>

#include "eigengrad/core/check.h"

namespace eigengrad::train {

void describe(config::Fields& f, MaxEpochsOptions& o) { f("epochs", o.epochs, {.help = "epochs to train", .min = 1}); }

void describe(config::Fields& f, MaxStepsOptions& o) {
  f("steps", o.steps, {.help = "optimizer steps to train", .min = 1});
}

void describe(config::Fields& f, MaxSecondsOptions& o) {
  f("seconds", o.seconds, {.help = "seconds to train", .min = 0, .above_min = true});
}

namespace {

void describe_mode(config::Fields& f, Mode& mode) {
  f.choice<Mode>("mode", mode, {{"auto", Mode::Auto}, {"min", Mode::Min}, {"max", Mode::Max}},
                 {.help = "whether small or large values are good; auto: large for accuracies"});
}

}  // namespace

void describe(config::Fields& f, TargetMetricOptions& o) {
  f("metric", o.metric, {.help = "name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on"});
  f("target", o.target, {.help = "the value to reach", .required = true});
  describe_mode(f, o.mode);
}

void describe(config::Fields& f, NoImprovementOptions& o) {
  f("metric", o.metric, {.help = "name of the metric: loss, valid_loss, accuracy, valid_accuracy, valid_f1 and so on"});
  f("patience", o.patience, {.help = "epochs to wait for an improvement", .min = 1});
  f("min_delta", o.min_delta, {.help = "what counts as one", .min = 0});
  describe_mode(f, o.mode);
}

void describe(config::Fields& f, GradNormOptions& o) {
  f("tolerance", o.tolerance, {.help = "the norm of the gradient below which to stop", .min = 0, .above_min = true});
}

struct AllOfOptions {
  config::ConfiguredRows criteria;
};

void describe(config::Fields& f, AllOfOptions& o) {
  f.custom("criteria",
           {.read =
                [&o](const config::Value& value, const std::string& pointer, config::Diagnostics& diagnostics) {
                  o.criteria = criteria().read_rows(value, pointer, diagnostics);
                },
            .write = [&o] { return criteria().write_rows(o.criteria); },
            .schema =
                [] {
                  config::Value items = config::Value::object();
                  items.set("$ref", "#/$defs/criterion");
                  config::Value schema = config::Value::object();
                  schema.set("type", "array");
                  schema.set("items", std::move(items));
                  return schema;
                }},
           {.help = "criteria that must hold at once", .required = true});
}

namespace {

template <class C>
void add(CriterionTable& table, StopKind kind, std::string help) {
  using Options = typename C::Options;
  table.add<Options>(to_string(kind), std::move(help), {[](const void* options) -> std::unique_ptr<StopCriterion> {
                       return std::make_unique<C>(*static_cast<const Options*>(options));
                     }});
}

std::unique_ptr<StopCriterion> make_all_of(const void* options) {
  std::vector<std::unique_ptr<StopCriterion>> parts;
  for (const auto& configured : static_cast<const AllOfOptions*>(options)->criteria)
    parts.push_back(criteria().functions(*configured).make(configured->options.get()));
  return std::make_unique<AllOf>(std::move(parts));
}

CriterionTable make_criteria() {
  CriterionTable table("stopping criterion");
  add<MaxEpochs>(table, StopKind::MaxEpochs, "after a number of epochs");
  add<MaxSteps>(table, StopKind::MaxSteps, "after a number of optimizer steps");
  add<MaxSeconds>(table, StopKind::MaxSeconds, "after a time");
  add<TargetMetric>(table, StopKind::TargetMetric, "when a metric has reached a value");
  add<NoImprovement>(table, StopKind::NoImprovement, "when a metric has not improved for some epochs");
  add<GradNorm>(table, StopKind::GradNorm, "when the gradient has become small");
  table.add<AllOfOptions>(to_string(StopKind::All), "when several criteria hold at once", {make_all_of});
  return table;
}

}  // namespace

const CriterionTable& criteria() {
  static const CriterionTable table = make_criteria();
  return table;
}

}  // namespace eigengrad::train
