#include "eigengrad/nn/build.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "eigengrad/config/noting.h"
#include "eigengrad/core/check.h"
#include "eigengrad/nn/rows.h"

namespace eigengrad::nn {
namespace {

const std::vector<std::string> kContainers = {kSequential, kResidual, kGraph};

// What flows from one layer to the next: a shape, nothing after a mistake, and who gives it.
struct Flow {
  std::optional<Shape> shape;
  std::string giver;
};

struct Built {
  std::shared_ptr<Module> module;  // null after a mistake
  Flow output;
};

// Builds layer after layer, following the shapes that they give to each other.
class Builder {
 public:
  Builder(config::Diagnostics& diagnostics, const LayerTable& table, bool only_plan = false)
      : diagnostics_(diagnostics), table_(table), only_plan_(only_plan) {}

  Built build(const config::Value& value, const std::string& pointer, const std::vector<Flow>& inputs) {
    if (value.as_array()) return build_array(value, pointer, inputs);
    const config::Value* const type = value.as_string() ? &value : value.find("type");
    const std::string* const name = type ? type->as_string() : nullptr;
    if (name && *name == kSequential) return build_sequential(value, pointer, inputs);
    if (name && *name == kResidual) return build_residual(value, pointer, inputs);
    if (name && *name == kGraph) return build_graph(value, pointer, inputs);
    if (name && !table_.find(*name)) {
      std::vector<std::string> names = table_.names();
      names.insert(names.end(), kContainers.begin(), kContainers.end());
      diagnostics_.unknown_name(value.as_string() ? pointer : pointer_to(pointer, "type"), type->position(),
                                table_.kind(), *name, names);
      return {};
    }
    return build_layer(value, pointer, inputs);
  }

  // Of all layers that were built or planned so far.
  double elements() const { return elements_; }

 private:
  static std::string pointer_to(const std::string& parent, std::string_view key) {
    return config::pointer_to(parent, key);
  }

  void check_keys(const config::Value& value, const std::string& pointer, const std::vector<std::string>& known) {
    if (const config::Value::Object* const object = value.as_object())
      for (const auto& [key, member] : *object)
        if (std::find(known.begin(), known.end(), key) == known.end())
          diagnostics_.unknown_name(pointer_to(pointer, key), member.position(), "key", key, known);
  }

  // A container takes one input, what the layer before gives.
  const Flow& one_input(const config::Value& value, const std::string& pointer, const char* name,
                        const std::vector<Flow>& inputs) {
    if (inputs.size() != 1)
      diagnostics_.add(pointer, value.position(), fmt::format("{} takes one input, found {}", name, inputs.size()));
    return inputs[0];
  }

  // ---- Sequential.

  Built build_sequential(const config::Value& value, const std::string& pointer, const std::vector<Flow>& inputs) {
    check_keys(value, pointer, {"type", "layers", "tied"});
    Built built = build_list(value, "layers", pointer, one_input(value, pointer, kSequential, inputs));
    tie(value, pointer, built.module);
    return built;
  }

  // An array where a layer is expected. An empty one is rather a mistake than a model that does nothing.
  Built build_array(const config::Value& value, const std::string& pointer, const std::vector<Flow>& inputs) {
    const Flow& input = one_input(value, pointer, "an array of layers", inputs);
    if (!value.as_array()->empty()) return build_layers(value, pointer, input);
    diagnostics_.add(pointer, value.position(), "found an empty array, expected at least one layer");
    return {};
  }

  // The layers of a key, one after another: an array, or an object of layers by name.
  Built build_list(const config::Value& value, const char* key, const std::string& pointer, const Flow& input) {
    const config::Value* const list = value.find(key);
    const bool empty_object = list && list->as_object() && list->as_object()->empty();
    if (!list || empty_object || !(list->as_array() || list->as_object())) {
      if (list)
        diagnostics_.add(pointer_to(pointer, key), list->position(),
                         fmt::format("found {}, expected an array, or an object of layers by name",
                                     empty_object ? "an empty object" : list->description()));
      else
        diagnostics_.add(pointer, value.position(), fmt::format("'{}' is missing: the layers in order", key));
      return {};
    }
    return build_layers(*list, pointer_to(pointer, key), input);
  }

  Built build_layers(const config::Value& list, const std::string& pointer, Flow flow) {
    auto sequential = std::make_shared<Sequential>();
    bool complete = true;
    const auto add = [&](const std::string& name, const config::Value& value) {
      const std::string place = pointer_to(pointer, name);
      Built layer = build(value, place, {flow});
      complete = complete && layer.module;
      flow = std::move(layer.output);
      if (!layer.module) return;
      complete = noted(place, value, [&] { sequential->push_back(name, layer.module); }) && complete;
    };
    if (const config::Value::Array* const array = list.as_array())
      for (std::size_t i = 0; i < array->size(); ++i) add(std::to_string(i), (*array)[i]);
    else
      for (const auto& [name, value] : *list.as_object()) add(name, value);
    return {complete ? sequential : nullptr, std::move(flow)};
  }

  // ---- Residual.

  Built build_residual(const config::Value& value, const std::string& pointer, const std::vector<Flow>& inputs) {
    check_keys(value, pointer, {"type", "layers", "shortcut"});
    const Flow& input = one_input(value, pointer, kResidual, inputs);
    const Built body = build_list(value, "layers", pointer, input);
    const bool direct = !value.find("shortcut");
    const Built shortcut = direct ? Built{nullptr, input} : build_list(value, "shortcut", pointer, input);
    const std::optional<Shape>&one = body.output.shape, &other = shortcut.output.shape;
    if (one && other && *one != *other) {
      diagnostics_.add(pointer, value.position(),
                       fmt::format("Residual adds what its layers give, {}, to {}, {}: expected the same shape", *one,
                                   direct ? "its input" : "what its shortcut gives", *other));
      return {};
    }
    if (!body.module || (!direct && !shortcut.module)) return {};
    auto& layers = static_cast<Sequential&>(*body.module);
    const Flow output{one, fmt::format("{} (Residual) gives", pointer)};
    if (direct) return {std::make_shared<Residual>(std::move(layers)), output};
    return {std::make_shared<Residual>(std::move(layers), std::move(static_cast<Sequential&>(*shortcut.module))),
            output};
  }

  // ---- Graph.

  Built build_graph(const config::Value& value, const std::string& pointer, const std::vector<Flow>& inputs) {
    check_keys(value, pointer, {"type", "inputs", "layers", "output", "tied"});
    const std::optional<std::vector<std::string>> input_names = read_input_names(value, pointer, inputs.size());
    const config::Value* const list = value.find("layers");
    if (!list || !list->as_object() || list->as_object()->empty()) {
      if (list)
        diagnostics_.add(pointer_to(pointer, "layers"), list->position(),
                         fmt::format("found {}, expected an object of layers by name",
                                     list->as_object() ? "an empty object" : list->description()));
      else
        diagnostics_.add(pointer, value.position(), "'layers' is missing: the layers by name");
      return {};
    }
    if (!input_names) return {};
    auto graph = std::make_shared<Graph>(*input_names);
    std::vector<std::string> names = *input_names;
    std::vector<Flow> flows = inputs;
    std::map<std::string, config::Value> sources;
    bool complete = true;
    for (const auto& [name, layer] : *list->as_object()) {
      const std::string place = pointer_to(pointer_to(pointer, "layers"), name);
      Flow output;
      complete = add_to_graph(*graph, name, layer, place, names, flows, sources, output) && complete;
      names.push_back(name);
      flows.push_back(std::move(output));
    }
    Flow output = flows.back();
    if (const config::Value* const wanted = value.find("output")) {
      const std::string* const name = wanted->as_string();
      const auto found = name ? std::find(names.begin(), names.end(), *name) : names.end();
      if (found == names.end()) {
        diagnostics_.unknown_name(pointer_to(pointer, "output"), wanted->position(), "layer",
                                  name ? *name : wanted->description(), names);
        return {};
      }
      output = flows[static_cast<std::size_t>(found - names.begin())];
      if (complete) graph->set_output(*name);
    }
    if (!complete) return {nullptr, std::move(output)};
    tie(value, pointer, graph);
    return {graph, std::move(output)};
  }

  // The names of what a graph reads: one for each of its inputs. Nothing after a mistake.
  std::optional<std::vector<std::string>> read_input_names(const config::Value& value, const std::string& pointer,
                                                           std::size_t count) {
    std::vector<std::string> names{kInput};
    const config::Value* const given = value.find("inputs");
    const std::string place = given ? pointer_to(pointer, "inputs") : pointer;
    const std::size_t mistakes = diagnostics_.size();
    if (given) config::read_value(*given, place, diagnostics_, &names, {});
    if (diagnostics_.size() != mistakes) return std::nullopt;
    const std::set<std::string> distinct(names.begin(), names.end());
    if (distinct.size() == names.size() && names.size() == count) return names;
    diagnostics_.add(place, given ? given->position() : value.position(),
                     fmt::format("Graph has {} distinct name{} for its inputs, but gets {}: expected as many in "
                                 "\"inputs\"",
                                 distinct.size(), distinct.size() == 1 ? "" : "s", count));
    return std::nullopt;
  }

  bool add_to_graph(Graph& graph, const std::string& name, const config::Value& layer, const std::string& place,
                    const std::vector<std::string>& names, const std::vector<Flow>& flows,
                    std::map<std::string, config::Value>& sources, Flow& output) {
    const std::optional<std::vector<std::string>> from = read_from(layer, place, names);
    if (!from) return false;
    std::vector<Flow> inputs;
    for (const std::string& source : *from)
      inputs.push_back(flows[static_cast<std::size_t>(std::find(names.begin(), names.end(), source) - names.begin())]);
    if (const config::Value* const shared = layer.find("shared")) {
      check_keys(layer, place, {"shared", "from"});
      const std::string* const which = shared->as_string();
      const auto known = which ? sources.find(*which) : sources.end();
      if (known == sources.end()) {
        std::vector<std::string> others;
        for (const auto& [other, source] : sources) others.push_back(other);
        diagnostics_.unknown_name(pointer_to(place, "shared"), shared->position(), "layer",
                                  which ? *which : shared->description(), others);
        return false;
      }
      // Once more the same layer: only its output for these inputs is of interest.
      const Planning planning(*this);
      output = build(known->second, place, inputs).output;
      return output.shape && noted(place, layer, [&] { graph.reuse(name, *which, *from); });
    }
    config::Value own = without(layer, "from");
    Built built = build(own, place, inputs);
    output = std::move(built.output);
    if (built.module) {
      own = config_without_ties(*built.module, table_);  // with the sizes that it has now
      own.set_position(layer.position());
    }
    sources.emplace(name, std::move(own));
    return built.module && noted(place, layer, [&] { graph.add(name, built.module, *from); });
  }

  // The names in "from": a string, or an array of them; the layer before where there is none. Nothing after a mistake.
  std::optional<std::vector<std::string>> read_from(const config::Value& layer, const std::string& place,
                                                    const std::vector<std::string>& names) {
    const config::Value* const from = layer.find("from");
    if (!from) return std::vector<std::string>{names.back()};
    const std::string pointer = pointer_to(place, "from");
    const config::Value::Array one{*from};
    const config::Value::Array& all = from->as_array() ? *from->as_array() : one;
    std::vector<std::string> result;
    bool good = !all.empty();
    if (!good) diagnostics_.add(pointer, from->position(), "found an empty array, expected names of layers before it");
    for (const config::Value& item : all) {
      const std::string* const name = item.as_string();
      if (!name)
        diagnostics_.add(
            pointer, item.position(),
            fmt::format("found {}, expected the name of a layer, or an array of them", item.description()));
      else if (std::find(names.begin(), names.end(), *name) == names.end())
        diagnostics_.unknown_name(pointer, item.position(), "layer", *name, names);
      else
        result.push_back(*name);
    }
    good = good && result.size() == all.size();
    return good ? std::optional(std::move(result)) : std::nullopt;
  }

  static config::Value without(const config::Value& value, std::string_view key) {
    if (!value.as_object()) return value;
    config::Value result = config::Value::object();
    result.set_position(value.position());
    for (const auto& [name, member] : *value.as_object())
      if (name != key) result.set(name, member);
    return result;
  }

  // ---- Tied parameters.

  void tie(const config::Value& value, const std::string& pointer, std::shared_ptr<Module> module) {
    const config::Value* const tied = value.find("tied");
    if (!tied) return;
    const std::string place = pointer_to(pointer, "tied");
    if (!tied->as_object()) {
      diagnostics_.add(place, tied->position(),
                       fmt::format("found {}, expected an object of names of parameters", tied->description()));
      return;
    }
    for (const auto& [name, source] : *tied->as_object()) {
      if (!source.as_string())
        diagnostics_.add(pointer_to(place, name), source.position(),
                         fmt::format("found {}, expected the name of a parameter", source.description()));
      else if (module && !only_plan_)
        noted(pointer_to(place, name), source, [&] { module->tie_parameter(name, *source.as_string()); });
    }
  }

  // ---- A layer of the table.

  Built build_layer(const config::Value& value, const std::string& pointer, const std::vector<Flow>& inputs) {
    std::unique_ptr<config::Configured> configured = table_.read(value, pointer, diagnostics_);
    std::vector<Shape> shapes;
    for (const Flow& input : inputs)
      if (input.shape) shapes.push_back(*input.shape);
    if (!configured || shapes.size() != inputs.size()) return {};  // what follows has no shape to be held against
    const std::string& name = table_.entry(*configured).name;
    const LayerFunctions& functions = table_.functions(*configured);
    Flow output{std::nullopt, fmt::format("{} ({}) gives", pointer, name)};
    const std::size_t mistakes = diagnostics_.size();
    try {
      output.shape = functions.infer(configured->options.get(), shapes);
    } catch (const Error& error) {
      std::string given;
      for (const Flow& input : inputs)
        given += fmt::format("{}{} {}", given.empty() ? "" : ", ", input.giver, *input.shape);
      diagnostics_.add(pointer, value.position(), fmt::format("{} {}, but {}", name, error.what(), given));
      return {};
    }
    check_size(*output.shape, name, pointer, value);
    if (diagnostics_.size() != mistakes) return {};
    elements_ += functions.element_count(configured->options.get());
    if (only_plan_) return {std::make_shared<Planned>(std::move(configured)), output};
    try {
      return {functions.make(configured->options.get()), output};
    } catch (const Error& error) {
      diagnostics_.add(pointer, value.position(), fmt::format("{} cannot be made: {}", name, error.what()));
      return {nullptr, output};
    }
  }

  // Shapes stay so small that no arithmetic with them overflows.
  void check_size(const Shape& output, const std::string& name, const std::string& pointer,
                  const config::Value& value) {
    double elements = 1;
    for (const std::int64_t extent : output) elements *= static_cast<double>(extent);
    if (elements > kMostElements)
      diagnostics_.add(pointer, value.position(),
                       fmt::format("{} gives {} for each sample: {:.3g} elements are more than any machine has room "
                                   "for",
                                   name, output, elements));
  }

  // Runs f; an error is noted at the place, and gives false.
  template <class F>
  bool noted(const std::string& pointer, const config::Value& value, F f) {
    return config::noting(diagnostics_, pointer, value.position(), f);
  }

  // While it lives, layers are planned and not counted.
  class Planning {
   public:
    explicit Planning(Builder& builder) : builder_(builder), before_(builder.only_plan_), elements_(builder.elements_) {
      builder.only_plan_ = true;
    }
    ~Planning() {
      builder_.only_plan_ = before_;
      builder_.elements_ = elements_;
    }
    Planning(const Planning&) = delete;
    Planning& operator=(const Planning&) = delete;

   private:
    Builder& builder_;
    const bool before_;
    const double elements_;
  };

  static constexpr double kMostElements = 1e15;

  config::Diagnostics& diagnostics_;
  const LayerTable& table_;
  bool only_plan_;
  double elements_ = 0;
};

}  // namespace

const Shape& only(std::span<const Shape> inputs) {
  EG_CHECK(inputs.size() == 1, ShapeError, "takes one input, not {}", inputs.size());
  return inputs[0];
}

BuiltModel build_model(const config::Value& value, const std::string& pointer, const Shape& input,
                       config::Diagnostics& diagnostics, const LayerTable& table) {
  const std::size_t before = diagnostics.size();
  Built built = Builder(diagnostics, table).build(value, pointer, {Flow{input, "the data give"}});
  if (!built.module || diagnostics.size() > before) return {};
  return {std::move(built.module), *built.output.shape};
}

std::optional<ModelPlan> plan_model(const config::Value& value, const std::string& pointer,
                                    const std::optional<Shape>& input, config::Diagnostics& diagnostics,
                                    const LayerTable& table) {
  const std::size_t before = diagnostics.size();
  Builder builder(diagnostics, table, true);
  Built built = builder.build(value, pointer, {Flow{input, "the data give"}});
  if (!built.module || diagnostics.size() > before) return std::nullopt;
  return ModelPlan{*built.output.shape, builder.elements()};
}

std::shared_ptr<Loss> build_loss(const config::Value& value, const std::string& pointer,
                                 config::Diagnostics& diagnostics, const LossTable& table) {
  const std::unique_ptr<config::Configured> configured = table.read(value, pointer, diagnostics);
  return configured ? table.functions(*configured).make(configured->options.get()) : nullptr;
}

}  // namespace eigengrad::nn
