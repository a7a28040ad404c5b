#include "eigengrad/train/criteria.h"

#include <utility>

namespace eigengrad::train {

namespace {

struct ListOptions {
  config::ConfiguredRows criteria;
};
struct AllOfOptions : ListOptions {};
struct AnyOfOptions : ListOptions {};

void describe_list(config::Fields& f, ListOptions& o, const char* help) {
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
           {.help = help, .required = true});
}
void describe(config::Fields& f, AllOfOptions& o) { describe_list(f, o, "criteria that must hold at once"); }
void describe(config::Fields& f, AnyOfOptions& o) { describe_list(f, o, "criteria of which one must hold"); }

template <class C>
void add(CriterionTable& table, std::string help) {
  using Options = typename C::Options;
  table.add<Options>(C::kName, std::move(help), {[](const void* options) -> std::unique_ptr<StopCriterion> {
                       return std::make_unique<C>(*static_cast<const Options*>(options));
                     }});
}

template <class C, class Options>
void add_list(CriterionTable& table, std::string help) {
  table.add<Options>(C::kName, std::move(help), {[](const void* options) -> std::unique_ptr<StopCriterion> {
                       std::vector<std::unique_ptr<StopCriterion>> parts;
                       for (const auto& row : static_cast<const Options*>(options)->criteria)
                         parts.push_back(criteria().functions(*row).make(row->options.get()));
                       return std::make_unique<C>(std::move(parts));
                     }});
}

CriterionTable make_criteria() {
  CriterionTable table("stopping criterion");
  add<MaxEpochs>(table, "after a number of epochs");
  add<MaxSteps>(table, "after a number of optimizer steps");
  add<MaxSamples>(table, "after a number of samples");
  add<MaxSeconds>(table, "before a time has passed");
  add<TargetMetric>(table, "when a metric has reached a value");
  add<NoImprovement>(table, "when a metric has not improved for some time");
  add<SmallImprovement>(table, "when a metric improves by too little");
  add<GradNorm>(table, "when the gradient has become small");
  add<MinLR>(table, "when the learning rate has become small");
  add<Divergence>(table, "when the loss is far above its best");
  add<NonFinite>(table, "when a metric is NaN or infinite (the loss of a step and its gradients always stop a run)");
  add_list<AllOf, AllOfOptions>(table, "when several criteria hold at once");
  add_list<AnyOf, AnyOfOptions>(table, "when one of several criteria holds; within all_of");
  return table;
}

}  // namespace

const CriterionTable& criteria() {
  static const CriterionTable table = make_criteria();
  return table;
}

}  // namespace eigengrad::train
