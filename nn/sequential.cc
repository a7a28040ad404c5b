#include "eigengrad/nn/sequential.h"

#include "eigengrad/core/check.h"

namespace eigengrad::nn {

Sequential& Sequential::push_back(std::shared_ptr<Module> module) {
  return push_back(std::to_string(size()), std::move(module));
}

Sequential& Sequential::push_back(std::string name, std::shared_ptr<Module> module) {
  add_child(std::move(name), std::move(module));
  return *this;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const auto& [name, module] : children()) y = (*module)(y);
  return y;
}

Module& Sequential::operator[](std::size_t i) const {
  EG_CHECK(i < size(), IndexError, "[Sequential] there is no module {}: there are {}, counted from 0", i, size());
  return *children()[i].second;
}

}  // namespace eigengrad::nn
