// Copies of models.
#include <map>

#include "eigengrad/core/keep_random.h"
#include "eigengrad/nn/rows.h"

namespace eigengrad::nn {
namespace {

class Cloner {
 public:
  explicit Cloner(const LayerTable& table) : table_(table) {}

  std::shared_ptr<Module> copy(const Module& module) {
    const auto known = copies_.find(&module);
    if (known != copies_.end()) return known->second;
    std::shared_ptr<Module> made = make(module);
    copies_.emplace(&module, made);
    return made;
  }

 private:
  std::shared_ptr<Module> make(const Module& module) {
    if (const auto* const sequential = as<Sequential>(module)) return copy_sequential(*sequential);
    if (const auto* const residual = as<Residual>(module)) return copy_residual(*residual);
    if (const auto* const graph = as<Graph>(module)) return copy_graph(*graph);
    return copy_layer(module);
  }

  std::shared_ptr<Sequential> copy_sequential(const Sequential& module) {
    auto made = std::make_shared<Sequential>();
    made->train(module.is_training());  // while it is empty, for the children have modes of their own
    for (const auto& [name, child] : module.children()) made->push_back(name, copy(*child));
    return made;
  }

  std::shared_ptr<Module> copy_residual(const Residual& module) {
    std::shared_ptr<Sequential> body = copy_sequential(module.body());
    auto made = module.shortcut()
                    ? std::make_shared<Residual>(std::move(*body), std::move(*copy_sequential(*module.shortcut())))
                    : std::make_shared<Residual>(std::move(*body));
    copy_modes(module, *made);
    return made;
  }

  std::shared_ptr<Module> copy_graph(const Graph& module) {
    std::vector<std::string> inputs;
    for (std::size_t i = 0; i < module.input_count(); ++i) inputs.push_back(module.name_of(i));
    auto made = std::make_shared<Graph>(inputs);
    made->train(module.is_training());
    for (const Graph::Step& step : module.steps()) {
      std::vector<std::string> from;
      for (const std::size_t place : step.from) from.push_back(module.name_of(place));
      if (step.shared.empty())
        made->add(step.name, copy(*step.module), from);
      else
        made->reuse(step.name, step.shared, from);
    }
    made->set_output(module.name_of(module.output()));
    return made;
  }

  std::shared_ptr<Module> copy_layer(const Module& module) const {
    const Row row = row_of(module, table_, "copied");
    std::shared_ptr<Module> made = table_.functions({row.index, nullptr}).make(row.options);
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
    copy_modes(module, *made);
    return made;
  }

  // From the outside in: train() reaches all modules below.
  static void copy_modes(const Module& from, Module& to) {
    const Named<Module*> ours = const_cast<Module&>(from).named_modules(), theirs = to.named_modules();
    for (std::size_t i = 0; i < ours.size(); ++i) theirs[i].second->train(ours[i].second->is_training());
  }

  const LayerTable& table_;
  const KeepRandom keep_random_;
  std::map<const Module*, std::shared_ptr<Module>> copies_;
};

}  // namespace

std::shared_ptr<Module> clone(const Module& module, const LayerTable& table) {
  std::shared_ptr<Module> copy = Cloner(table).copy(module);
  for (const auto& [name, source] : module.tied_parameters()) copy->tie_parameter(name, source);
  return copy;
}

}  // namespace eigengrad::nn
