#include "eigengrad/nn/build.h"

#include <map>
#include <optional>
#include <set>
#include <typeinfo>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/activation.h"
#include "eigengrad/nn/dropout.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/sequential.h"
#include "eigengrad/nn/shape.h"

namespace eigengrad::nn {
namespace {

constexpr const char* kSequential = "Sequential";

LayerTable make_layers() {
  LayerTable table("layer");
  add_layer<Linear>(table, "Linear", "y = x·Wᵀ + b on the last axis");
  add_layer<Flatten>(table, "Flatten", "axes made one; by default all but the batch axis");
  add_layer<Dropout>(table, "Dropout", "drops elements while training");
  add_layer<Identity>(table, "Identity", "its input");
  add_layer<ReLU>(table, "ReLU", "max(x, 0)");
  add_layer<LeakyReLU>(table, "LeakyReLU", "x, or a fraction of it where it is negative");
  add_layer<ELU>(table, "ELU", "x, or e^x - 1 where it is negative");
  add_layer<CELU>(table, "CELU", "x, or a scaled e^x - 1 where it is negative");
  add_layer<SELU>(table, "SELU", "ELU that keeps mean and variance");
  add_layer<SiLU>(table, "SiLU", "x·σ(x)");
  add_layer<Mish>(table, "Mish", "x·tanh(softplus(x))");
  add_layer<Softsign>(table, "Softsign", "x / (1 + |x|)");
  add_layer<LogSigmoid>(table, "LogSigmoid", "log σ(x)");
  add_layer<Hardtanh>(table, "Hardtanh", "x within two limits");
  add_layer<Hardsigmoid>(table, "Hardsigmoid", "a sigmoid of straight lines");
  add_layer<Hardswish>(table, "Hardswish", "x·hardsigmoid(x)");
  add_layer<Sigmoid>(table, "Sigmoid", "1 / (1 + e^-x)");
  add_layer<Tanh>(table, "Tanh", "the hyperbolic tangent");
  add_layer<GELU>(table, "GELU", "x·Φ(x)");
  add_layer<Softplus>(table, "Softplus", "log(1 + e^x)");
  add_layer<Softmax>(table, "Softmax", "e^x / Σ e^x along an axis");
  add_layer<LogSoftmax>(table, "LogSoftmax", "x - log Σ e^x along an axis");
  return table;
}

LossTable make_losses() {
  LossTable table("loss");
  add_loss<CrossEntropyLoss>(table, "CrossEntropyLoss", "-log softmax of the output at the label");
  add_loss<MSELoss>(table, "MSELoss", "the squared difference");
  add_loss<BCEWithLogitsLoss>(table, "BCEWithLogitsLoss", "binary cross entropy of the sigmoid of the output");
  return table;
}

// Builds layer after layer, following the shape that each gives to the next.
class Builder {
 public:
  Builder(const Shape& input, config::Diagnostics& diagnostics, const LayerTable& table)
      : shape_(input), diagnostics_(diagnostics), table_(table) {}

  std::shared_ptr<Module> build(const config::Value& value, const std::string& pointer) {
    const config::Value* const type = value.as_string() ? &value : value.find("type");
    const std::string* const name = type ? type->as_string() : nullptr;
    if (name && *name == kSequential) return build_sequential(value, pointer);
    if (name && !table_.find(*name)) {
      std::vector<std::string> names = table_.names();
      names.emplace_back(kSequential);
      diagnostics_.unknown_name(value.as_string() ? pointer : config::pointer_to(pointer, std::string_view("type")),
                                type->position(), table_.kind(), *name, names);
      shape_.reset();  // what comes after cannot be held against a shape any more
      return nullptr;
    }
    return build_layer(value, pointer);
  }
  const std::optional<Shape>& shape() const { return shape_; }

 private:
  std::shared_ptr<Module> build_sequential(const config::Value& value, const std::string& pointer) {
    if (const config::Value::Object* const object = value.as_object())
      for (const auto& [key, member] : *object)
        if (key != "type" && key != "layers")
          diagnostics_.unknown_name(config::pointer_to(pointer, key), member.position(), "key", key,
                                    std::vector<std::string>{"type", "layers"});
    const config::Value* const list = value.find("layers");
    const bool empty_object = list && list->as_object() && list->as_object()->empty();
    if (!list || empty_object || !(list->as_array() || list->as_object())) {
      const std::string message =
          list ? fmt::format("\"layers\": found {}, expected an array, or an object of layers by name",
                             empty_object ? "an empty object" : list->description())
               : "'layers' is missing: the layers in order";
      diagnostics_.add(pointer, value.position(), message);
      shape_.reset();
      return nullptr;
    }
    return build_layers(*list, config::pointer_to(pointer, std::string_view("layers")));
  }

  std::shared_ptr<Module> build_layers(const config::Value& list, const std::string& pointer) {
    auto sequential = std::make_shared<Sequential>();
    bool complete = true;
    const auto add = [&](const std::string& name, const config::Value& value) {
      const std::string place = config::pointer_to(pointer, name);
      const std::shared_ptr<Module> layer = build(value, place);
      complete = complete && layer;
      if (!layer) return;
      try {
        sequential->push_back(name, layer);
      } catch (const ValueError& error) {
        diagnostics_.add(place, value.position(), error.what());
        complete = false;
      }
    };
    if (const config::Value::Array* const array = list.as_array())
      for (std::size_t i = 0; i < array->size(); ++i) add(std::to_string(i), (*array)[i]);
    else
      for (const auto& [name, value] : *list.as_object()) add(name, value);
    return complete ? sequential : nullptr;
  }

  std::shared_ptr<Module> build_layer(const config::Value& value, const std::string& pointer) {
    const std::unique_ptr<config::Configured> configured = table_.read(value, pointer, diagnostics_);
    if (!configured) shape_.reset();
    if (!shape_) return nullptr;
    const std::string& name = table_.entry(*configured).name;
    const LayerFunctions& functions = table_.functions(*configured);
    try {
      const Shape output = functions.infer(configured->options.get(), *shape_);
      shape_ = output;
      giver_ = fmt::format("{} ({}) gives", pointer, name);
    } catch (const Error& error) {
      diagnostics_.add(pointer, value.position(), fmt::format("{} {}, but {} {}", name, error.what(), giver_, *shape_));
      shape_.reset();
      return nullptr;
    }
    try {
      return functions.make(configured->options.get());
    } catch (const Error& error) {
      diagnostics_.add(pointer, value.position(), fmt::format("{} cannot be made: {}", name, error.what()));
      return nullptr;
    }
  }

  std::optional<Shape> shape_;  // of what comes to the next layer; nothing after a mistake
  std::string giver_ = "the data give";
  config::Diagnostics& diagnostics_;
  const LayerTable& table_;
};

struct Row {
  std::size_t index;
  const void* options;
};

Row row_of(const Module& module, const LayerTable& table, const char* wanted) {
  for (std::size_t i = 0; i < table.entries().size(); ++i)
    if (const void* options = table.functions({i, nullptr}).options_of(module)) return {i, options};
  throw ValueError(fmt::format("there is no layer '{}' in the table, so it cannot be {}", module.type_name(), wanted));
}

// Null unless the module is a Sequential and not of a class derived from it, which may do something else.
const Sequential* as_sequential(const Module& module) {
  return typeid(module) == typeid(Sequential) ? static_cast<const Sequential*>(&module) : nullptr;
}

config::Value config_of(const Module& module, const LayerTable& table, std::set<const Module*>& seen) {
  EG_CHECK(seen.insert(&module).second, ValueError,
           "a {} stands in two places of the model, so it cannot be configured: there would be two of it",
           module.type_name());
  const Sequential* const sequential = as_sequential(module);
  if (!sequential) {
    const Row row = row_of(module, table, "configured");
    return table.write(table.entries()[row.index].name, const_cast<void*>(row.options));
  }
  bool numbered = true;
  config::Value array = config::Value::array(), named = config::Value::object();
  for (const auto& [name, child] : sequential->children()) {
    numbered = numbered && name == std::to_string(array.as_array()->size());
    array.push_back(config_of(*child, table, seen));
    named.set(name, array.as_array()->back());
  }
  config::Value object = config::Value::object();
  object.set("type", kSequential);
  object.set("layers", numbered ? std::move(array) : std::move(named));
  return object;
}

// Leaves the default generator where it was: a copy must not change the random numbers of a run.
class KeepRandom {
 public:
  KeepRandom() : offset_(default_generator().offset()) {}
  ~KeepRandom() { default_generator().set_offset(offset_); }
  KeepRandom(const KeepRandom&) = delete;
  KeepRandom& operator=(const KeepRandom&) = delete;

 private:
  const std::uint64_t offset_;
};

class Cloner {
 public:
  explicit Cloner(const LayerTable& table) : table_(table) {}

  std::shared_ptr<Module> copy(const Module& module) {
    const auto known = copies_.find(&module);
    if (known != copies_.end()) return known->second;
    const Sequential* const sequential = as_sequential(module);
    std::shared_ptr<Module> made = sequential ? copy_sequential(*sequential) : copy_layer(module);
    copies_.emplace(&module, made);
    return made;
  }

 private:
  std::shared_ptr<Module> copy_sequential(const Sequential& module) {
    auto made = std::make_shared<Sequential>();
    made->train(module.is_training());  // while it is empty, for the children have modes of their own
    for (const auto& [name, child] : module.children()) made->push_back(name, copy(*child));
    return made;
  }

  std::shared_ptr<Module> copy_layer(const Module& module) const {
    const Row row = row_of(module, table_, "copied");
    std::shared_ptr<Module> made = table_.functions({row.index, nullptr}).make(row.options);
    made->train(module.is_training());
    const StateDict state = module.state_dict();
    for (const auto& [name, value] : state)
      if (is_floating(value.dtype())) {
        made->to(value.dtype());
        break;
      }
    made->load_state_dict(state);
    const std::vector<Tensor> from = module.parameters();
    std::vector<Tensor> to = made->parameters();
    for (std::size_t i = 0; i < to.size(); ++i) to[i].set_requires_grad(from[i].requires_grad());
    return made;
  }

  const LayerTable& table_;
  const KeepRandom keep_random_;
  std::map<const Module*, std::shared_ptr<Module>> copies_;
};

}  // namespace

const LayerTable& layers() {
  static const LayerTable table = make_layers();
  return table;
}

const LossTable& losses() {
  static const LossTable table = make_losses();
  return table;
}

BuiltModel build_model(const config::Value& value, const std::string& pointer, const Shape& input,
                       config::Diagnostics& diagnostics, const LayerTable& table) {
  Builder builder(input, diagnostics, table);
  std::shared_ptr<Module> module = builder.build(value, pointer);
  if (!module) return {};
  return {std::move(module), *builder.shape()};
}

std::shared_ptr<Loss> build_loss(const config::Value& value, const std::string& pointer,
                                 config::Diagnostics& diagnostics, const LossTable& table) {
  const std::unique_ptr<config::Configured> configured = table.read(value, pointer, diagnostics);
  return configured ? table.functions(*configured).make(configured->options.get()) : nullptr;
}

config::Value model_config(const Module& module, const LayerTable& table) {
  std::set<const Module*> seen;
  return config_of(module, table, seen);
}

config::Value loss_config(const Loss& loss, const LossTable& table) {
  for (std::size_t i = 0; i < table.entries().size(); ++i)
    if (const void* options = table.functions({i, nullptr}).options_of(loss))
      return table.write(table.entries()[i].name, const_cast<void*>(options));
  throw ValueError(fmt::format("there is no loss '{}' in the table, so it cannot be configured", loss.type_name()));
}

std::shared_ptr<Module> clone(const Module& module, const LayerTable& table) { return Cloner(table).copy(module); }

config::Value model_schema(const LayerTable& table) {
  config::Value sequential = config::parse_json(R"({
    "type": "object", "description": "layers one after another",
    "properties": {"type": {"const": "Sequential"},
                   "layers": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/layer"}},
                                        {"type": "object", "minProperties": 1,
                                         "additionalProperties": {"$ref": "#/$defs/layer"}}]}},
    "required": ["type", "layers"], "additionalProperties": false})");
  config::Value schema = table.schema();
  schema.find("anyOf")->push_back(std::move(sequential));
  return schema;
}

}  // namespace eigengrad::nn
