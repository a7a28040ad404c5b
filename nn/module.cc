#include "eigengrad/nn/module.h"

#include <cxxabi.h>
#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <typeinfo>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::nn {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  return prefix.empty() ? name : prefix + "." + name;
}

std::string indented(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "  ";
  }
  return result;
}

}  // namespace

Module::Module(Module&& other) noexcept
    : parameters_(std::move(other.parameters_)),
      buffers_(std::move(other.buffers_)),
      children_(std::move(other.children_)),
      name_(std::move(other.name_)),
      training_(other.training_) {}

Tensor Module::forward(const Tensor&) { throw Error(fmt::format("[{}] has no forward of one input", type_name())); }

ScopeId Module::scope_id() const {
  const ScopeId parent = thread_state.scope;
  if (name_.empty()) return parent;
  const std::uint64_t cached = scope_cache_.load(std::memory_order_relaxed);
  if (static_cast<ScopeId>(cached >> 32) == parent && cached != ~std::uint64_t{0}) return static_cast<ScopeId>(cached);
  const ScopeId own = scope_below(parent, name_);
  scope_cache_.store(std::uint64_t{parent} << 32 | own, std::memory_order_relaxed);
  return own;
}

void Module::check_name(const std::string& name) const {
  EG_CHECK(!name.empty() && name.find('.') == std::string::npos, ValueError,
           "[{}] '{}' cannot be the name of a parameter or submodule: it must not be empty or contain a dot",
           type_name(), name);
  const auto same = [&](const Entry& entry) { return entry->first == name; };
  const bool taken =
      std::any_of(parameters_.begin(), parameters_.end(), same) ||
      std::any_of(buffers_.begin(), buffers_.end(), same) ||
      std::any_of(children_.begin(), children_.end(), [&](const auto& entry) { return entry.first == name; });
  EG_CHECK(!taken, ValueError, "[{}] the name '{}' is taken already", type_name(), name);
}

Tensor& Module::add_tensor(std::vector<Entry>& entries, std::string name, Tensor value) {
  check_name(name);
  entries.push_back(std::make_unique<std::pair<std::string, Tensor>>(std::move(name), std::move(value)));
  return entries.back()->second;
}

Tensor& Module::param(std::string name, Tensor value) {
  Tensor& parameter = add_tensor(parameters_, std::move(name), std::move(value));
  if (!parameter.defined()) return parameter;
  EG_CHECK(parameter.is_leaf(), ValueError, "[{}] a parameter must not be the result of an op that is recorded",
           type_name());
  parameter.set_requires_grad();
  return parameter;
}

Tensor& Module::share_param(std::string name, const Tensor& value) {
  return add_tensor(parameters_, std::move(name), value);
}

Tensor& Module::buffer(std::string name, Tensor value) {
  return add_tensor(buffers_, std::move(name), std::move(value));
}

void Module::add_child(std::string name, std::shared_ptr<Module> module) {
  check_name(name);
  EG_CHECK(module, ValueError, "[{}] the submodule '{}' is null", type_name(), name);
  if (module->name_.empty()) module->name_ = name;
  children_.emplace_back(std::move(name), std::move(module));
}

void Module::collect(const std::string& prefix, std::vector<Entry> Module::*entries, Named<Tensor>& result) const {
  for (const Entry& entry : this->*entries) {
    if (!entry->second.defined()) continue;
    const bool known = std::any_of(result.begin(), result.end(),
                                   [&](const auto& other) { return other.second.is_same(entry->second); });
    if (!known) result.emplace_back(join(prefix, entry->first), entry->second);
  }
  for (const auto& [name, module] : children_) module->collect(join(prefix, name), entries, result);
}

Named<Tensor> Module::named_parameters() const {
  Named<Tensor> result;
  collect("", &Module::parameters_, result);
  return result;
}

Named<Tensor> Module::named_buffers() const {
  Named<Tensor> result;
  collect("", &Module::buffers_, result);
  return result;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> result;
  for (auto& [name, parameter] : named_parameters()) result.push_back(parameter);
  return result;
}

void Module::collect_modules(const std::string& prefix, Named<Module*>& result) {
  const bool known = std::any_of(result.begin(), result.end(), [&](const auto& other) { return other.second == this; });
  if (known) return;
  result.emplace_back(prefix, this);
  for (const auto& [name, module] : children_) module->collect_modules(join(prefix, name), result);
}

Named<Module*> Module::named_modules() {
  Named<Module*> result;
  collect_modules("", result);
  return result;
}

std::int64_t Module::parameter_count() const {
  std::int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

Module& Module::train(bool training) {
  training_ = training;
  for (const auto& [name, module] : children_) module->train(training);
  return *this;
}

void Module::zero_grad() {
  for (Tensor& parameter : parameters()) parameter.zero_grad();
}

Module& Module::set_requires_grad(bool requires_grad) {
  for (Tensor& parameter : parameters()) parameter.set_requires_grad(requires_grad);
  return *this;
}

Module& Module::to(Dtype dtype) {
  EG_CHECK(is_floating(dtype), DtypeError, "[{}] parameters are floating, they cannot be {}", type_name(), dtype);
  const NoGrad no_grad;
  // A tensor that is registered twice must stay one tensor.
  std::vector<std::pair<Tensor, Tensor>> converted;
  const auto convert = [&](Tensor& x, bool requires_grad) {
    if (!x.defined() || !is_floating(x.dtype()) || x.dtype() == dtype) return;
    for (const auto& [before, after] : converted)
      if (before.is_same(x)) {
        x = after;
        return;
      }
    Tensor after = eigengrad::to(x.detach(), dtype);
    after.set_requires_grad(requires_grad);
    converted.emplace_back(x, after);
    x = after;
  };
  for (const auto& [name, module] : named_modules()) {
    for (const Entry& entry : module->parameters_)
      convert(entry->second, entry->second.defined() && entry->second.requires_grad());
    for (const Entry& entry : module->buffers_) convert(entry->second, false);
  }
  return *this;
}

Module& Module::apply(const std::function<void(Module&)>& f) {
  for (const auto& [name, module] : children_) module->apply(f);
  f(*this);
  return *this;
}

StateDict Module::state_dict() const {
  StateDict state = named_parameters();
  for (auto& entry : named_buffers()) state.push_back(std::move(entry));
  return state;
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  StateDict own = state_dict();
  std::string mistakes;
  std::vector<std::pair<Tensor, Tensor>> pairs;
  const auto named = [](const StateDict& dict, const std::string& name) {
    return std::find_if(dict.begin(), dict.end(), [&](const auto& entry) { return entry.first == name; });
  };
  for (auto& [name, target] : own) {
    const auto found = named(state, name);
    if (found == state.end()) {
      mistakes += fmt::format("\n  missing: {} of shape {}", name, target.shape());
    } else if (found->second.shape() != target.shape() || found->second.dtype() != target.dtype()) {
      mistakes += fmt::format("\n  {}: found {} {}, expected {} {}", name, found->second.dtype(), found->second.shape(),
                              target.dtype(), target.shape());
    } else {
      pairs.emplace_back(target, found->second);
    }
  }
  if (strict)
    for (const auto& [name, value] : state)
      if (named(own, name) == own.end())
        mistakes += fmt::format("\n  not expected: {} of shape {}", name, value.shape());
  EG_CHECK(mistakes.empty(), ValueError, "[{}] the state does not fit:{}", type_name(), mistakes);
  const NoGrad no_grad;
  for (auto& [target, source] : pairs) copy_(target, source);
}

std::string Module::type_name() const {
  int status = 0;
  char* const demangled = abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : typeid(*this).name();
  std::free(demangled);
  const std::size_t colons = name.rfind("::");
  return colons == std::string::npos ? name : name.substr(colons + 2);
}

std::string to_string(const Module& module) {
  std::string text = module.type_name() + "(" + module.extra_repr();
  for (const auto& [name, child] : module.children())
    text += fmt::format("\n  ({}): {}", name, indented(to_string(*child)));
  return text + (module.children().empty() ? ")" : "\n)");
}

std::ostream& operator<<(std::ostream& out, const Module& module) { return out << to_string(module); }

}  // namespace eigengrad::nn
