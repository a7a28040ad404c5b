// Sequential.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

/// Modules one after another, named "0", "1" and so on:
///   Sequential model(Flatten(), Linear(784, 128), ReLU(), Linear(128, 10));
class Sequential : public Module {
 public:
  Sequential() = default;
  template <class... Modules>
  requires(sizeof...(Modules) > 0 && (std::is_base_of_v<Module, Modules> && ...) &&
           !(sizeof...(Modules) == 1 &&
             (std::is_same_v<Sequential, Modules> && ...))) explicit Sequential(Modules... modules) {
    (push_back(std::make_shared<Modules>(std::move(modules))), ...);
  }
  Sequential& push_back(std::shared_ptr<Module> module) {
    add_child(std::to_string(children().size()), std::move(module));
    return *this;
  }
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (const auto& [name, module] : children()) y = (*module)(y);
    return y;
  }
  std::size_t size() const { return children().size(); }
  Module& operator[](std::size_t i) const { return *children().at(i).second; }
};

}  // namespace eigengrad::nn
