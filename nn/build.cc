#include "eigengrad/nn/build.h"

#include <optional>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/nn/activation.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/sequential.h"

namespace eigengrad::nn {
namespace {

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

template <class L>
void add_loss(LossTable& table, std::string name, std::string help) {
  using Options = typename L::Options;
  table.add<Options>(std::move(name), std::move(help), {[](const void* o) -> std::shared_ptr<Loss> {
                       return std::make_shared<L>(*static_cast<const Options*>(o));
                     }});
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
    const config::Value* type = value.find("type");
    const bool sequential = type && type->as_string() && *type->as_string() == "Sequential";
    return sequential ? build_sequential(value, pointer) : build_layer(value, pointer);
  }
  const std::optional<Shape>& shape() const { return shape_; }

 private:
  std::shared_ptr<Module> build_sequential(const config::Value& value, const std::string& pointer) {
    auto sequential = std::make_shared<Sequential>();
    const config::Value* list = value.find("layers");
    for (const auto& [key, member] : *value.as_object())
      if (key != "type" && key != "layers")
        diagnostics_.unknown_name(config::pointer_to(pointer, key), member.position(), "key", key,
                                  std::vector<std::string>{"type", "layers"});
    if (!list || !list->as_array()) {
      diagnostics_.add(pointer, value.position(),
                       list ? fmt::format("\"layers\": found {}, expected an array", list->description())
                            : "'layers' is missing: the layers in order");
      return nullptr;
    }
    bool complete = true;
    const std::string base = config::pointer_to(pointer, std::string_view("layers"));
    for (std::size_t i = 0; i < list->as_array()->size(); ++i) {
      const std::shared_ptr<Module> layer = build((*list->as_array())[i], config::pointer_to(base, i));
      if (layer)
        sequential->push_back(layer);
      else
        complete = false;
    }
    return complete ? sequential : nullptr;
  }

  std::shared_ptr<Module> build_layer(const config::Value& value, const std::string& pointer) {
    const std::unique_ptr<config::Configured> configured = table_.read(value, pointer, diagnostics_);
    if (!configured) {
      shape_.reset();  // what comes after cannot be held against a shape any more
      return nullptr;
    }
    const std::string& name = table_.entry(*configured).name;
    if (!shape_) return nullptr;
    try {
      const Shape output = table_.functions(*configured).infer(configured->options.get(), *shape_);
      std::shared_ptr<Module> module = table_.functions(*configured).make(configured->options.get());
      shape_ = output;
      giver_ = fmt::format("{} ({}) gives", pointer, name);
      return module;
    } catch (const Error& error) {
      diagnostics_.add(pointer, value.position(), fmt::format("{} {}, but {} {}", name, error.what(), giver_, *shape_));
      shape_.reset();
      return nullptr;
    }
  }

  std::optional<Shape> shape_;  // of what comes to the next layer; nothing after a mistake
  std::string giver_ = "the data give";
  config::Diagnostics& diagnostics_;
  const LayerTable& table_;
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
  if (const auto* sequential = dynamic_cast<const Sequential*>(&module)) {
    config::Value list = config::Value::array();
    for (const auto& [name, child] : sequential->children()) list.push_back(model_config(*child, table));
    config::Value object = config::Value::object();
    object.set("type", "Sequential");
    object.set("layers", std::move(list));
    return object;
  }
  for (std::size_t i = 0; i < table.entries().size(); ++i)
    if (const void* options = table.functions({i, nullptr}).options_of(module))
      return table.write(table.entries()[i].name, const_cast<void*>(options));
  throw ValueError(fmt::format("there is no layer '{}' in the table, so it cannot be configured", module.type_name()));
}

config::Value model_schema(const LayerTable& table) {
  config::Value sequential = config::parse_json(R"({
    "type": "object", "description": "layers one after another",
    "properties": {"type": {"const": "Sequential"}, "layers": {"type": "array", "items": {"$ref": "#/$defs/layer"}}},
    "required": ["type", "layers"], "additionalProperties": false})");
  config::Value schema = table.schema();
  schema.find("anyOf")->push_back(std::move(sequential));
  return schema;
}

}  // namespace eigengrad::nn
