// JSON Schema of a model.
#include "eigengrad/config/reader.h"
#include "eigengrad/nn/build.h"

namespace eigengrad::nn {
namespace {

// What holds layers, with `also` allowed in each that is an object.
void add_containers(config::Value& any, const config::Value::Object& also) {
  any.push_back(config::parse_json(R"({
    "title": "layers", "description": "layers one after another: short for a Sequential of them",
    "type": "array", "items": {"$ref": "#/$defs/layer"}, "minItems": 1
  })"));
  const config::Value containers = config::parse_json(R"([{
    "title": "Sequential", "description": "layers one after another",
    "type": "object",
    "properties": {"type": {"const": "Sequential"},
                   "layers": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/layer"}},
                                        {"type": "object", "minProperties": 1,
                                         "additionalProperties": {"$ref": "#/$defs/layer"}}],
                              "description": "the layers, or an object of layers by name"},
                   "tied": {"type": "object", "additionalProperties": {"type": "string"},
                            "description": "parameters that are one with another: {\"head.weight\": \"embedding.weight\"}"}},
    "required": ["type", "layers"], "additionalProperties": false
  }, {
    "title": "Residual",
    "description": "the sum of what its layers give and its input, or what the shortcut makes of that",
    "type": "object",
    "properties": {"type": {"const": "Residual"},
                   "layers": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/layer"}},
                                        {"type": "object", "minProperties": 1,
                                         "additionalProperties": {"$ref": "#/$defs/layer"}}],
                              "description": "the layers, or an object of layers by name"},
                   "shortcut": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/layer"}},
                                          {"type": "object", "minProperties": 1,
                                           "additionalProperties": {"$ref": "#/$defs/layer"}}],
                                "description": "layers whose output is added instead of the input"}},
    "required": ["type", "layers"], "additionalProperties": false
  }, {
    "title": "Graph", "description": "layers by name, each of which reads those in its \"from\"",
    "type": "object",
    "properties": {"type": {"const": "Graph"},
                   "inputs": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": true,
                              "default": ["input"], "description": "names for what it reads"},
                   "layers": {"type": "object", "minProperties": 1,
                              "additionalProperties": {"$ref": "#/$defs/graph_layer"},
                              "description": "the layers by name, in the order in which they run"},
                   "output": {"type": "string",
                              "description": "the layer whose output is that of the graph; the last, unless given"},
                   "tied": {"type": "object", "additionalProperties": {"type": "string"},
                            "description": "parameters that are one with another: {\"head.weight\": \"embedding.weight\"}"}},
    "required": ["type", "layers"], "additionalProperties": false
  }])");
  for (config::Value container : *containers.as_array()) {
    for (const auto& [key, property] : also) container.find("properties")->set(key, property);
    any.push_back(std::move(container));
  }
}

}  // namespace

config::Value model_schema(const LayerTable& table) {
  config::Value schema = table.schema();
  add_containers(*schema.find("anyOf"), {});
  return schema;
}

config::Value graph_layer_schema(const LayerTable& table) {
  const config::Value from = config::parse_json(R"({
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
    "description": "the layers, or inputs, that it reads; the one before, unless given"
  })");
  config::Value schema = table.schema({{"from", from}});
  config::Value& any = *schema.find("anyOf");
  add_containers(any, {{"from", from}});
  config::Value shared = config::parse_json(R"({
    "title": "shared", "description": "a layer once more, with the same parameters",
    "type": "object",
    "properties": {"shared": {"type": "string", "description": "the layer that runs again"}},
    "required": ["shared"], "additionalProperties": false
  })");
  shared.find("properties")->set("from", from);
  any.push_back(std::move(shared));
  return schema;
}

}  // namespace eigengrad::nn
