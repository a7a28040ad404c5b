// Models and losses from a configuration, and back.
#pragma once

#include <memory>
#include <string>

#include "eigengrad/config/registry.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

/// What the table knows of a layer besides its options.
struct LayerFunctions {
  std::shared_ptr<Module> (*make)(const void* options);
  /// Completes the options from the input and returns the output, both shapes without the batch axis. Throws
  /// ShapeError, with what the layer expects, when the input does not fit.
  Shape (*infer)(void* options, const Shape& input);
  /// The options of a module of this type; null for others.
  const void* (*options_of)(const Module& module);
};
using LayerTable = config::Registry<LayerFunctions>;

/// Adds a row for a layer type L, which has a struct L::Options with a describe(), a constructor from it, options(),
/// and a static infer().
template <class L>
void add_layer(LayerTable& table, std::string name, std::string help) {
  using Options = typename L::Options;
  table.add<Options>(
      std::move(name), std::move(help),
      {[](const void* o) -> std::shared_ptr<Module> { return std::make_shared<L>(*static_cast<const Options*>(o)); },
       [](void* o, const Shape& input) { return L::infer(*static_cast<Options*>(o), input); },
       [](const Module& module) -> const void* {
         const L* const layer = dynamic_cast<const L*>(&module);
         return layer ? &layer->options() : nullptr;
       }});
}

/// Every layer of the library. Sequential is not in the table: it is known to build_model.
const LayerTable& layers();

struct LossFunctions {
  std::shared_ptr<Loss> (*make)(const void* options);
};
using LossTable = config::Registry<LossFunctions>;
const LossTable& losses();

struct BuiltModel {
  std::shared_ptr<Module> module;  ///< null when there were mistakes
  Shape output;                    ///< without the batch axis
};

/// The model that a configuration describes: a layer, or {"type": "Sequential", "layers": [..]}, for inputs of a shape
/// (without the batch axis). Sizes that are left out come from the layer before. Mistakes, among them layers that do
/// not fit one another, go to the diagnostics.
BuiltModel build_model(const config::Value& value, const std::string& pointer, const Shape& input,
                       config::Diagnostics& diagnostics, const LayerTable& table = layers());

/// The loss that a configuration names; null when there were mistakes.
std::shared_ptr<Loss> build_loss(const config::Value& value, const std::string& pointer,
                                 config::Diagnostics& diagnostics, const LossTable& table = losses());

/// The configuration of a module that build_model would build again, all options in full. Throws ValueError for a
/// module that is not in the table.
config::Value model_config(const Module& module, const LayerTable& table = layers());

/// JSON Schema of a model.
config::Value model_schema(const LayerTable& table = layers());

}  // namespace eigengrad::nn
