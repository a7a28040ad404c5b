// The configuration of a model that is there.
#include <set>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/rows.h"

namespace eigengrad::nn {

Row row_of(const Module& module, const LayerTable& table, const char* wanted) {
  if (const auto* const planned = dynamic_cast<const Planned*>(&module)) return planned->row();
  for (std::size_t i = 0; i < table.entries().size(); ++i)
    if (const void* options = table.functions({i, nullptr}).options_of(module)) return {i, options};
  throw ValueError(fmt::format("there is no layer '{}' in the table, so it cannot be {}", module.type_name(), wanted));
}

namespace {

class ConfigWriter {
 public:
  explicit ConfigWriter(const LayerTable& table) : table_(table) {}

  config::Value write(const Module& module) {
    EG_CHECK(seen_.insert(&module).second, ValueError,
             "a {} stands in two places of the model, so it cannot be configured: there would be two of it",
             module.type_name());
    if (const auto* const sequential = as<Sequential>(module)) {
      config::Value object = typed(kSequential);
      object.set("layers", layers_of(*sequential));
      return object;
    }
    if (const auto* const residual = as<Residual>(module)) {
      config::Value object = typed(kResidual);
      object.set("layers", layers_of(residual->body()));
      if (residual->shortcut()) object.set("shortcut", layers_of(*residual->shortcut()));
      return object;
    }
    if (const auto* const graph = as<Graph>(module)) return write_graph(*graph);
    const Row row = row_of(module, table_, "configured");
    return table_.write(table_.entries()[row.index].name, const_cast<void*>(row.options));
  }

 private:
  static config::Value typed(const char* type) {
    config::Value object = config::Value::object();
    object.set("type", type);
    return object;
  }

  // An array when the names are the numbers in order, else an object.
  config::Value layers_of(const Sequential& sequential) {
    bool numbered = true;
    config::Value array = config::Value::array(), named = config::Value::object();
    for (const auto& [name, child] : sequential.children()) {
      numbered = numbered && name == std::to_string(array.as_array()->size());
      array.push_back(write(*child));
      named.set(name, array.as_array()->back());
    }
    return numbered ? std::move(array) : std::move(named);
  }

  config::Value write_graph(const Graph& graph) {
    config::Value all = config::Value::object();
    for (const Graph::Step& step : graph.steps()) {
      config::Value layer = config::Value::object();
      if (step.shared.empty())
        layer = write(*step.module);
      else
        layer.set("shared", step.shared);
      config::Value from = config::Value::array();
      for (const std::size_t place : step.from) from.push_back(graph.name_of(place));
      layer.set("from", std::move(from));
      all.set(step.name, std::move(layer));
    }
    config::Value object = typed(kGraph), inputs = config::Value::array();
    for (std::size_t i = 0; i < graph.input_count(); ++i) inputs.push_back(graph.name_of(i));
    if (inputs != config::Value(config::Value::Array{kInput})) object.set("inputs", std::move(inputs));
    object.set("layers", std::move(all));
    object.set("output", graph.name_of(graph.output()));
    return object;
  }

  const LayerTable& table_;
  std::set<const Module*> seen_;
};

}  // namespace

config::Value config_without_ties(const Module& module, const LayerTable& table) {
  return ConfigWriter(table).write(module);
}

config::Value model_config(const Module& module, const LayerTable& table) {
  config::Value value = config_without_ties(module, table);
  const Named<std::string> tied = module.tied_parameters();
  if (tied.empty()) return value;
  EG_CHECK(as<Sequential>(module) || as<Graph>(module), ValueError,
           "a {} with tied parameters cannot be configured: expected a Sequential or a Graph around it",
           module.type_name());
  config::Value pairs = config::Value::object();
  for (const auto& [name, source] : tied) pairs.set(name, source);
  value.set("tied", std::move(pairs));
  return value;
}

config::Value loss_config(const Loss& loss, const LossTable& table) {
  for (std::size_t i = 0; i < table.entries().size(); ++i)
    if (const void* options = table.functions({i, nullptr}).options_of(loss))
      return table.write(table.entries()[i].name, const_cast<void*>(options));
  throw ValueError(fmt::format("there is no loss '{}' in the table, so it cannot be configured", loss.type_name()));
}

}  // namespace eigengrad::nn
