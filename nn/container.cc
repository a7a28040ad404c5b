#include "eigengrad/nn/container.h"

#include <algorithm>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"

namespace eigengrad::nn {
namespace {

Module& numbered(const char* holder, const Module& module, std::size_t i) {
  const std::size_t size = module.children().size();
  EG_CHECK(i < size, IndexError, "[{}] there is no module {}: there are {}, counted from 0", holder, i, size);
  return *module.children()[i].second;
}

}  // namespace

Sequential& Sequential::push_back(std::shared_ptr<Module> module) {
  return push_back(std::to_string(size()), std::move(module));
}

Sequential& Sequential::push_back(std::string name, std::shared_ptr<Module> module) {
  add_child(std::move(name), std::move(module));
  return *this;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (std::size_t i = 0; i < size(); ++i) {
    Module& module = *children()[i].second;
    const Module* const next = i + 1 < size() ? children()[i + 1].second.get() : nullptr;
    Tensor both = next && next->is_relu() ? module.call_with(*next, y) : Tensor();
    if (both.defined()) ++i;
    y = both.defined() ? std::move(both) : module(y);
  }
  return y;
}

Module& Sequential::operator[](std::size_t i) const { return numbered("Sequential", *this, i); }

Tensor Residual::forward(const Tensor& x) {
  const Tensor y = body_(x), skipped = shortcut_ ? (*shortcut_)(x) : x;
  EG_CHECK(y.shape() == skipped.shape(), ShapeError, "[Residual] the body gives {}, but what is added to it is {}",
           y.shape(), skipped.shape());
  return y + skipped;
}

// ---- Lists and dictionaries.

ModuleList& ModuleList::push_back(std::shared_ptr<Module> module) {
  add_child(std::to_string(size()), std::move(module));
  return *this;
}

Module& ModuleList::operator[](std::size_t i) const { return numbered("ModuleList", *this, i); }

void ModuleList::throw_other_type(const Module& module) {
  throw ValueError(fmt::format("the module that was asked for is a {}, not of the wanted type", module.type_name()));
}

ModuleDict& ModuleDict::insert(std::string name, std::shared_ptr<Module> module) {
  add_child(std::move(name), std::move(module));
  return *this;
}

bool ModuleDict::contains(std::string_view name) const {
  return std::any_of(children().begin(), children().end(), [&](const auto& child) { return child.first == name; });
}

Module& ModuleDict::operator[](std::string_view name) const {
  std::string known;
  for (const auto& [other, module] : children()) {
    if (other == name) return *module;
    known += (known.empty() ? "" : ", ") + other;
  }
  throw IndexError(fmt::format("[ModuleDict] there is no module '{}', only {}", std::string(name),
                               known.empty() ? "nothing" : known));
}

// ---- Graph.

Graph::Graph(std::vector<std::string> inputs) : inputs_(std::move(inputs)) {
  EG_CHECK(!inputs_.empty(), ValueError, "[Graph] found no inputs, expected at least one");
  for (std::size_t i = 0; i < inputs_.size(); ++i)
    EG_CHECK(!inputs_[i].empty() && place_of(inputs_[i]) == i, ValueError,
             "[Graph] '{}' cannot be the name of an input", inputs_[i]);
}

std::string Graph::name_of(std::size_t place) const {
  return place < inputs_.size() ? inputs_[place] : steps_[place - inputs_.size()].name;
}

std::size_t Graph::place_of(const std::string& name) const {
  std::string known;
  for (std::size_t place = 0; place < inputs_.size() + steps_.size(); ++place) {
    if (name_of(place) == name) return place;
    known += (known.empty() ? "" : ", ") + name_of(place);
  }
  throw ValueError(fmt::format("[Graph] nothing is called '{}' so far, only {}", name, known));
}

void Graph::add_step(std::string name, std::string shared, Module* module, const std::vector<std::string>& from) {
  Step step{std::move(name), std::move(shared), module, {}};
  for (const std::string& source : from) step.from.push_back(place_of(source));
  if (from.empty()) step.from.push_back(inputs_.size() + steps_.size() - 1);
  steps_.push_back(std::move(step));
}

Graph& Graph::add(std::string name, std::shared_ptr<Module> module, const std::vector<std::string>& from) {
  for (const std::string& input : inputs_)
    EG_CHECK(name != input, ValueError, "[Graph] '{}' is the name of an input", name);
  for (const std::string& source : from) place_of(source);
  Module* const added = module.get();
  add_child(name, std::move(module));
  add_step(std::move(name), "", added, from);
  return *this;
}

Graph& Graph::reuse(std::string name, const std::string& shared, const std::vector<std::string>& from) {
  const std::size_t place = place_of(shared);
  EG_CHECK(place >= inputs_.size() && !name.empty(), ValueError, "[Graph] '{}' is an input, not a module", shared);
  for (std::size_t other = 0; other < inputs_.size() + steps_.size(); ++other)
    EG_CHECK(name_of(other) != name, ValueError, "[Graph] the name '{}' is taken already", name);
  const Step& source = steps_[place - inputs_.size()];
  add_step(std::move(name), source.shared.empty() ? source.name : source.shared, source.module, from);
  return *this;
}

Graph& Graph::set_output(const std::string& name) {
  output_ = place_of(name);
  return *this;
}

Tensor Graph::forward_all(std::span<const Tensor> inputs) {
  EG_CHECK(inputs.size() == inputs_.size(), ValueError, "[Graph] found {} inputs, expected {}", inputs.size(),
           inputs_.size());
  std::vector<Tensor> values(inputs.begin(), inputs.end());
  for (const Step& step : steps_) {
    std::vector<Tensor> taken;
    for (const std::size_t place : step.from) taken.push_back(values[place]);
    values.push_back(step.module->call(taken));
  }
  return values[output()];
}

std::string Graph::extra_repr() const {
  std::string text;
  for (const Step& step : steps_) {
    std::string from;
    for (const std::size_t place : step.from) from += (from.empty() ? "" : ", ") + name_of(place);
    text += fmt::format("{}{} = {}({})", text.empty() ? "" : "; ", step.name,
                        step.shared.empty() ? step.name : step.shared, from);
  }
  return text;
}

}  // namespace eigengrad::nn
