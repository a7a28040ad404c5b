// Sequential.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

/// A module that is handed over: `Linear(2, 3)`, `std::move(layer)`.
template <class M>
concept ModuleValue = std::derived_from<M, Module>;  // an lvalue makes M a reference, which is derived from nothing

/// Modules one after another, named "0", "1" and so on, or as they are added:
///   Sequential model(Flatten(), Linear(784, 128), ReLU(), Linear(128, 10));
///   Sequential model; model.push_back("hidden", Linear(784, 128)).push_back("act", ReLU());
class Sequential : public Module {
 public:
  Sequential() = default;
  /// A Sequential of one Sequential is that one moved, not wrapped.
  template <ModuleValue... Modules>
  requires(sizeof...(Modules) > 0 && !(sizeof...(Modules) == 1 && (std::same_as<Sequential, Modules> &&
                                                                   ...))) explicit Sequential(Modules... modules) {
    (push_back(std::move(modules)), ...);
  }

  /// Each throws ValueError for a module that is null or contains this one, and for a name that is empty, taken, or
  /// contains a dot.
  Sequential& push_back(std::shared_ptr<Module> module);
  Sequential& push_back(std::string name, std::shared_ptr<Module> module);
  template <ModuleValue M>
  Sequential& push_back(M&& module) {
    return push_back(std::make_shared<M>(std::move(module)));
  }
  template <ModuleValue M>
  Sequential& push_back(std::string name, M&& module) {
    return push_back(std::move(name), std::make_shared<M>(std::move(module)));
  }

  Tensor forward(const Tensor& x) override;
  std::size_t size() const { return children().size(); }
  /// Throws IndexError.
  Module& operator[](std::size_t i) const;
};

}  // namespace eigengrad::nn
