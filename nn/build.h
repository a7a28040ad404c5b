// Models and losses from a configuration, and back.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <typeinfo>
#include <utility>

#include "eigengrad/config/registry.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

/// What the table knows of a layer besides its options.
struct LayerFunctions {
  std::shared_ptr<Module> (*make)(const void* options);
  /// Completes the options from the inputs and returns the output, all shapes without the batch axis. Throws
  /// ShapeError, with what the layer expects, when the inputs do not fit.
  Shape (*infer)(void* options, std::span<const Shape> inputs);
  /// The options of a module of this type; null for others.
  const void* (*options_of)(const Module& module);
  /// How many elements the parameters and buffers would have, see size.h.
  double (*element_count)(const void* options);
};
using LayerTable = config::Registry<LayerFunctions>;

/// The one shape of a layer of one input. Throws ShapeError when there are more.
const Shape& only(std::span<const Shape> inputs);

/// Adds a row for a layer type L, which has a struct L::Options with a describe(), a constructor from it, options(),
/// and a static infer() of one shape, or of all that a layer of several inputs takes. One with parameters should have
/// an element_count() as well, by which models that are too large are refused before they are made.
template <class L>
void add_layer(LayerTable& table, std::string name, std::string help) {
  using Options = typename L::Options;
  table.add<Options>(
      std::move(name), std::move(help),
      {[](const void* o) -> std::shared_ptr<Module> { return std::make_shared<L>(*static_cast<const Options*>(o)); },
       [](void* o, std::span<const Shape> inputs) {
         Options& options = *static_cast<Options*>(o);
         if constexpr (requires { L::infer(options, inputs); })
           return L::infer(options, inputs);
         else
           return L::infer(options, only(inputs));
       },
       [](const Module& module) -> const void* {
         // Not a class derived from L: that would be built as something else.
         return typeid(module) == typeid(L) ? &static_cast<const L&>(module).options() : nullptr;
       },
       [](const void* o) -> double {
         if constexpr (requires(const L* layer, const Options& options) { element_count(layer, options); })
           return element_count(static_cast<const L*>(nullptr), *static_cast<const Options*>(o));
         else
           return 0;
       }});
}

/// Every layer of the library. Those that hold layers (Sequential, Residual, Graph) are known to build_model.
const LayerTable& layers();

/// What the table knows of a loss besides its options.
struct LossFunctions {
  std::shared_ptr<Loss> (*make)(const void* options);
  /// The options of a loss of this type; null for others.
  const void* (*options_of)(const Loss& loss);
};
using LossTable = config::Registry<LossFunctions>;

/// Adds a row for a loss type L, which has a struct L::Options with a describe(), a constructor from it, and options().
template <class L>
void add_loss(LossTable& table, std::string name, std::string help) {
  using Options = typename L::Options;
  table.add<Options>(
      std::move(name), std::move(help),
      {[](const void* o) -> std::shared_ptr<Loss> { return std::make_shared<L>(*static_cast<const Options*>(o)); },
       [](const Loss& loss) -> const void* {
         return typeid(loss) == typeid(L) ? &static_cast<const L&>(loss).options() : nullptr;
       }});
}

/// Every loss of the library.
const LossTable& losses();

/// What build_model gives.
struct BuiltModel {
  std::shared_ptr<Module> module;  ///< null when there were mistakes
  Shape output;                    ///< without the batch axis
};

/// The model that a configuration describes, for inputs of a shape (without the batch axis): a layer, an array of
/// layers, which is short for a Sequential of them, or one of
///
///   {"type": "Sequential", "layers": [..]}                       one after another
///   {"type": "Residual", "layers": [..], "shortcut": [..]}       the sum of both; without a shortcut, of the input
///   {"type": "Graph", "layers": {"name": {.., "from": ["input", "other"]}, ..}, "output": "name"}
///
/// A Sequential's layers may also be an object, whose keys are then their names. In a Graph a layer reads what "from"
/// names, or else the one before it; {"shared": "name"} runs the layer of that name again, with the same parameters.
/// A Graph within a Graph may take several inputs, which "inputs" names; one alone is called "input" unless it does.
/// Sequential and Graph take "tied": {"head.weight": "embedding.weight"}, parameters that are to be one. Sizes that are
/// left out come from the layer before. Mistakes, among them layers that do not fit one another, go to the diagnostics.
BuiltModel build_model(const config::Value& value, const std::string& pointer, const Shape& input,
                       config::Diagnostics& diagnostics, const LayerTable& table = layers());

/// What is known of a model before it is made.
struct ModelPlan {
  Shape output;         ///< without the batch axis
  double elements = 0;  ///< of all parameters and buffers; those that layers share count in each
};

/// The same as build_model without making anything, so that it takes no memory: nothing when there were mistakes, or
/// when the shape of the inputs is not known. Then the options of all layers are read all the same.
std::optional<ModelPlan> plan_model(const config::Value& value, const std::string& pointer,
                                    const std::optional<Shape>& input, config::Diagnostics& diagnostics,
                                    const LayerTable& table = layers());

/// The loss that a configuration names; null when there were mistakes.
std::shared_ptr<Loss> build_loss(const config::Value& value, const std::string& pointer,
                                 config::Diagnostics& diagnostics, const LossTable& table = losses());

/// The configuration of a module that build_model would build again, all options in full. Throws ValueError for a
/// module that is not in the table, and for one that stands in two places: a configuration would make two of it.
config::Value model_config(const Module& module, const LayerTable& table = layers());
/// The same for a loss.
config::Value loss_config(const Loss& loss, const LossTable& table = losses());

/// A model of the same layers with elements of its own: values, dtypes, modes and what is frozen are those of `module`,
/// and what is shared in it is shared in the copy. Nothing is drawn from the default generator. Throws ValueError for a
/// module that is not in the table; of a class of your own make another and load the state_dict() of the first.
std::shared_ptr<Module> clone(const Module& module, const LayerTable& table = layers());

/// JSON Schema of a model. It refers to itself as #/$defs/layer, and to layers of a Graph as #/$defs/graph_layer.
config::Value model_schema(const LayerTable& table = layers());
/// The same of a layer of a Graph, which may say "from" where it reads, or run a "shared" one.
config::Value graph_layer_schema(const LayerTable& table = layers());

}  // namespace eigengrad::nn
