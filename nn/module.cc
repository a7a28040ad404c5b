#include "eigengrad/nn/module.h"

#include <cxxabi.h>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <ostream>
#include <typeinfo>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/comparison.h"
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

std::uint64_t new_hook_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::string kind_of(const Tensor& x) { return x.defined() ? fmt::format("{} {}", x.dtype(), x.shape()) : "nothing"; }

}  // namespace

Module::Module(Module&& other) noexcept
    : std::enable_shared_from_this<Module>(),
      parameters_(std::move(other.parameters_)),
      buffers_(std::move(other.buffers_)),
      children_(std::move(other.children_)),
      name_(std::move(other.name_)),
      training_(other.training_),
      hooks_(std::move(other.hooks_)) {
  for (const auto& [name, child] : children_)
    if (child->holder_ == &other) child->holder_ = this;
}

Module::~Module() {
  for (const auto& [name, child] : children_)
    if (child->holder_ == this) child->holder_ = nullptr;
}

std::string Module::scope_name() const { return holder_ ? join(holder_->scope_name(), name_) : name_; }

Tensor Module::forward(const Tensor&) { throw Error(fmt::format("[{}] has no forward of one input", type_name())); }

Tensor Module::forward_relu(const Tensor&) { return Tensor(); }

Tensor Module::call(std::span<const Tensor> inputs) {
  return run({inputs.begin(), inputs.end()}, [this](std::span<const Tensor> given) { return forward_all(given); });
}

Tensor Module::forward_all(std::span<const Tensor> inputs) {
  EG_CHECK(inputs.size() == 1, ValueError, "[{}] found {} inputs, expected one", type_name(), inputs.size());
  return forward(inputs[0]);
}

// The hooks that run now are not touched: those changed are others, in their place.
template <class Change>
void Module::change_hooks(Change change) {
  auto hooks = hooks_ ? std::make_shared<Hooks>(*hooks_) : std::make_shared<Hooks>();
  change(*hooks);
  const bool none = hooks->before.empty() && hooks->after.empty();
  hooks_ = none ? nullptr : std::move(hooks);
}

std::uint64_t Module::register_forward_pre_hook(ForwardPreHook hook) {
  const std::uint64_t id = new_hook_id();
  change_hooks([&](Hooks& hooks) { hooks.before.emplace_back(id, std::move(hook)); });
  return id;
}

std::uint64_t Module::register_forward_hook(ForwardHook hook) {
  const std::uint64_t id = new_hook_id();
  change_hooks([&](Hooks& hooks) { hooks.after.emplace_back(id, std::move(hook)); });
  return id;
}

void Module::remove_hook(std::uint64_t id) {
  const auto is_it = [id](const auto& hook) { return hook.first == id; };
  change_hooks([&](Hooks& hooks) {
    std::erase_if(hooks.before, is_it);
    std::erase_if(hooks.after, is_it);
  });
}

ScopeId Module::scope_id() const {
  const ScopeId parent = thread_state.scope;
  const std::uint64_t cached = scope_cache_.load(std::memory_order_relaxed);
  if (static_cast<ScopeId>(cached >> 32) == parent && cached != ~std::uint64_t{0}) return static_cast<ScopeId>(cached);
  const ScopeId own = scope_below(parent, scope_name());
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

void Module::check_parameter(const std::string& name, const Tensor& value) const {
  if (!value.defined()) return;
  EG_CHECK(is_floating(value.dtype()), DtypeError, "[{}] the parameter '{}' is {}, expected float32 or float64",
           type_name(), name, value.dtype());
  EG_CHECK(value.is_leaf(), ValueError, "[{}] the parameter '{}' must not be the result of an op that is recorded",
           type_name(), name);
}

Tensor& Module::param(std::string name, Tensor value) {
  check_parameter(name, value);
  Tensor& parameter = add_tensor(parameters_, std::move(name), std::move(value));
  if (parameter.defined()) parameter.set_requires_grad();
  return parameter;
}

Tensor& Module::share_param(std::string name, const Tensor& value) {
  check_parameter(name, value);
  return add_tensor(parameters_, std::move(name), value);
}

Tensor& Module::buffer(std::string name, Tensor value) {
  return add_tensor(buffers_, std::move(name), std::move(value));
}

void Module::add_child(std::string name, std::shared_ptr<Module> module) {
  check_name(name);
  EG_CHECK(module, ValueError, "[{}] the submodule '{}' is null", type_name(), name);
  for (const auto& [path, below] : module->named_modules())
    EG_CHECK(below != this, ValueError, "[{}] the submodule '{}' contains the module that it is added to", type_name(),
             name);
  if (module->name_.empty()) {
    module->name_ = name;
    if (!runs()) module->holder_ = this;
    module->scope_cache_.store(~std::uint64_t{0}, std::memory_order_relaxed);
  }
  children_.emplace_back(std::move(name), std::move(module));
}

void Module::share_child(std::string name, Module& module) {
  std::shared_ptr<Module> owner = module.weak_from_this().lock();
  EG_CHECK(owner, ValueError,
           "[{}] the module for '{}' cannot be shared: nothing owns it but a variable; make it with "
           "child() or std::make_shared",
           type_name(), name);
  add_child(std::move(name), std::move(owner));
}

void Module::collect(const std::string& prefix, std::vector<Entry> Module::*entries, std::set<const void*>& known,
                     Named<Tensor>& result) const {
  for (const Entry& entry : this->*entries)
    if (entry->second.defined() && known.insert(entry->second.ref().get()).second)
      result.emplace_back(join(prefix, entry->first), entry->second);
  for (const auto& [name, module] : children_) module->collect(join(prefix, name), entries, known, result);
}

Named<Tensor> Module::collected(std::vector<Entry> Module::*entries) const {
  std::set<const void*> known;
  Named<Tensor> result;
  collect("", entries, known, result);
  return result;
}

Named<Tensor> Module::named_parameters() const { return collected(&Module::parameters_); }
Named<Tensor> Module::named_buffers() const { return collected(&Module::buffers_); }

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

Tensor& Module::parameter_entry(const std::string& path) {
  Module* module = this;
  std::string name = path;
  for (std::size_t dot; module && (dot = name.find('.')) != std::string::npos; name.erase(0, dot + 1)) {
    const auto found = std::find_if(module->children_.begin(), module->children_.end(),
                                    [&](const auto& child) { return child.first == name.substr(0, dot); });
    module = found == module->children_.end() ? nullptr : found->second.get();
  }
  if (module)
    for (const Entry& entry : module->parameters_)
      if (entry->first == name && entry->second.defined()) return entry->second;
  std::string known;
  for (const auto& [other, value] : named_parameters()) known += (known.empty() ? "" : ", ") + other;
  throw ValueError(fmt::format("[{}] there is no parameter '{}', only {}", type_name(), path, known));
}

void Module::tie_parameter(const std::string& name, const std::string& source) {
  Tensor& one = parameter_entry(name);
  const Tensor& other = parameter_entry(source);
  EG_CHECK(one.shape() == other.shape() && one.dtype() == other.dtype(), ShapeError,
           "[{}] '{}' is {} and '{}' is {}: they cannot be one", type_name(), name, kind_of(one), source,
           kind_of(other));
  one = other;
}

void Module::collect_tied(const std::string& prefix, std::map<const void*, std::string>& first,
                          std::set<const Module*>& seen, Named<std::string>& result) const {
  if (!seen.insert(this).second) return;  // a module that is shared as a whole
  for (const Entry& entry : parameters_) {
    if (!entry->second.defined()) continue;
    const std::string path = join(prefix, entry->first);
    const auto [known, is_new] = first.emplace(entry->second.ref().get(), path);
    if (!is_new) result.emplace_back(path, known->second);
  }
  for (const auto& [name, module] : children_) module->collect_tied(join(prefix, name), first, seen, result);
}

Named<std::string> Module::tied_parameters() const {
  std::map<const void*, std::string> first;
  std::set<const Module*> seen;
  Named<std::string> result;
  collect_tied("", first, seen, result);
  return result;
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

void Module::apply_once(const std::function<void(Module&)>& f, std::set<const Module*>& known) {
  if (!known.insert(this).second) return;
  for (const auto& [name, module] : children_) module->apply_once(f, known);
  f(*this);
}

Module& Module::apply(const std::function<void(Module&)>& f) {
  std::set<const Module*> known;
  apply_once(f, known);
  return *this;
}

StateDict Module::state_dict() const {
  StateDict state = named_parameters();
  for (auto& entry : named_buffers()) state.push_back(std::move(entry));
  return state;
}

void Module::load_state_dict(const StateDict& state, bool strict) {
  std::map<std::string, Tensor> given;
  std::vector<std::pair<Tensor, Tensor>> pairs;
  std::string mistakes;
  for (const auto& [name, value] : state)
    if (!given.emplace(name, value).second) mistakes += fmt::format("\n  there twice: {}", name);
  // What others write under two names is here under the first.
  for (const auto& [name, source] : tied_parameters()) {
    const auto found = given.find(name);
    if (found == given.end()) continue;
    const Tensor& first = given.emplace(source, found->second).first->second;
    const bool same = first.defined() && found->second.defined() && first.dtype() == found->second.dtype() &&
                      equal(first, found->second);
    if (!same) mistakes += fmt::format("\n  {}: not the same as {}, with which it is one here", name, source);
    given.erase(found);
  }
  for (auto& [name, target] : state_dict()) {
    const auto found = given.find(name);
    if (found == given.end()) {
      mistakes += fmt::format("\n  missing: {} of shape {}", name, target.shape());
      continue;
    }
    const Tensor value = found->second;
    given.erase(found);
    if (value.defined() && value.shape() == target.shape() && value.dtype() == target.dtype())
      pairs.emplace_back(target, value);
    else
      mistakes += fmt::format("\n  {}: found {}, expected {}", name, kind_of(value), kind_of(target));
  }
  if (strict)
    for (const auto& [name, value] : given) mistakes += fmt::format("\n  not expected: {}, {}", name, kind_of(value));
  EG_CHECK(mistakes.empty(), ValueError, "[{}] the state does not fit:{}", type_name(), mistakes);
  const NoGrad no_grad;
  for (auto& [target, source] : pairs) copy_(target, source);
}

std::string Module::type_name() const {
  int status = 0;
  char* const demangled = abi::__cxa_demangle(typeid(*this).name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? demangled : typeid(*this).name();
  std::free(demangled);
  const std::size_t colons = name.rfind("::", name.find('<'));  // those before template arguments
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
