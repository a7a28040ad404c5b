// Module: parameters, buffers and submodules under names. Declaring them as members registers them.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "eigengrad/core/arg.h"
#include "eigengrad/core/scope.h"

namespace eigengrad::nn {

class Module;

/// Things by name, in order.
template <class T>
using Named = std::vector<std::pair<std::string, T>>;
/// Parameters and buffers by their full names ("encoder.0.weight"), in the order of declaration.
using StateDict = Named<Tensor>;

/// Called when a module is about to run, with its inputs, which it may change.
using ForwardPreHook = std::function<void(Module& module, std::span<Tensor> inputs)>;
/// Called when a module has run; what it returns, unless undefined, takes the place of the output.
using ForwardHook = std::function<Tensor(Module& module, std::span<const Tensor> inputs, const Tensor& output)>;

/// A module's own options, and nothing else.
template <class M, class... Args>
concept OptionsOf = sizeof...(Args) == 1 && (std::same_as<std::remove_cvref_t<Args>, typename M::Options> && ...);

/// A part of a network. A module's members announce themselves to it as they are constructed:
///
///   struct Mlp : nn::Module {
///     nn::Linear& fc1 = child<nn::Linear>("fc1", 784, 128);
///     nn::Linear& fc2 = child<nn::Linear>("fc2", 128, 10);
///     Tensor forward(const Tensor& x) override { return fc2(relu(fc1(flatten(x, 1)))); }
///   };
///
/// Modules cannot be copied, for it would not be clear whether the weights are to be shared: share() and share_param()
/// share them, and nn::clone() (build.h) makes a model with weights of its own. They can be moved: the references that
/// are their members follow.
class Module : public std::enable_shared_from_this<Module> {
 public:
  Module() = default;
  Module(Module&& other) noexcept;
  Module& operator=(Module&&) = delete;
  virtual ~Module();

  /// Runs forward(), between the hooks; what it computes is known to the graph by this module's path.
  Tensor operator()(Arg x) {
    if (hooks_) [[unlikely]]
      return run({*x}, [this](std::span<const Tensor> inputs) { return forward(inputs[0]); });
    const ScopeGuard scope(scope_id());
    return forward(x);
  }
  /// What the module computes of one input. A module that takes more has an operator() of its own, written with run().
  /// Throws Error in a module that has no forward of one input.
  virtual Tensor forward(const Tensor& x);

  /// `relu` behind this module, as one op: undefined where there is none, or where a hook is to see what is between
  /// them.
  Tensor call_with(const Module& relu, const Tensor& x) {
    if (hooks_ || relu.hooks_) [[unlikely]]
      return Tensor();
    const ScopeGuard scope(scope_id());
    return forward_relu(x);
  }
  /// relu(forward(x)), where that is one op; else undefined. A Sequential asks for it where is_relu() says that the
  /// next module is one.
  virtual Tensor forward_relu(const Tensor& x);
  /// Whether it is a ReLU, and no more.
  virtual bool is_relu() const { return false; }

  /// The same for any number of inputs: how a Graph runs its modules.
  Tensor call(std::span<const Tensor> inputs);
  /// What the module computes of several inputs, as a Graph hands them over; unless overridden, of just one.
  virtual Tensor forward_all(std::span<const Tensor> inputs);

  /// Has a function called before or after every run of this module. Returns an id for remove_hook.
  /// @{
  std::uint64_t register_forward_pre_hook(ForwardPreHook hook);
  std::uint64_t register_forward_hook(ForwardHook hook);
  /// @}
  /// Takes a hook away, if it is there.
  void remove_hook(std::uint64_t id);

  /// Parameters, buffers and modules below this one, by full name; one that is shared comes once, under its first name.
  Named<Tensor> named_parameters() const;
  /// The parameters alone.
  std::vector<Tensor> parameters() const;
  /// The buffers below this module.
  Named<Tensor> named_buffers() const;
  /// This module, under the empty name, and those below it.
  Named<Module*> named_modules();
  /// Submodules by their own names.
  const Named<std::shared_ptr<Module>>& children() const { return children_; }
  /// The number of elements of all parameters.
  std::int64_t parameter_count() const;

  /// Switches this module and those below it to training (dropout drops) or evaluation.
  Module& train(bool training = true);
  /// The same as train(false).
  Module& eval() { return train(false); }
  /// Whether it is in training.
  bool is_training() const { return training_; }
  /// Makes the parameter `name` ("head.weight") one with the parameter `source` ("embedding.weight") of the same shape:
  /// from now on there is one. Throws ValueError for a name that is not known, ShapeError, DtypeError.
  void tie_parameter(const std::string& name, const std::string& source);
  /// The parameters that are one with another, which comes first: {"head.weight", "embedding.weight"}.
  Named<std::string> tied_parameters() const;
  /// Clears the gradients of all parameters.
  void zero_grad();
  /// Freezes (false) or unfreezes all parameters.
  Module& set_requires_grad(bool requires_grad);
  /// Converts parameters and floating buffers, in place. Handles that were taken before keep the old elements, those of
  /// an optimizer too: convert before making it. Gradients are dropped. Throws DtypeError unless floating.
  Module& to(Dtype dtype);
  /// Calls f once with this module and every one below it, children first.
  Module& apply(const std::function<void(Module&)>& f);

  /// All parameters and buffers: handles on the elements themselves.
  StateDict state_dict() const;
  /// Copies the elements of `state` into the parameters and buffers of the same names; a tied parameter may be there
  /// under either of its names, or both. Throws ValueError, changing nothing, with a list of all names that are
  /// missing, there twice or (when strict) not expected, and of all shapes and dtypes that differ.
  void load_state_dict(const StateDict& state, bool strict = true);

  /// What kind of module it is, for print-outs: "Linear".
  virtual std::string type_name() const;
  /// What the print-out says in the parentheses: "in_features=784, out_features=128, bias=True".
  virtual std::string extra_repr() const { return ""; }

  /// The path that ops in it have.
  ScopeId scope_id() const;

 protected:
  /// Whether it is an M, and not of a class derived from it, which may have a forward of its own.
  template <class M>
  bool is_just() const {
    return typeid(*this) == typeid(M);
  }
  /// Registers a parameter: a floating tensor, which from now on requires grad, or an undefined one for a parameter
  /// that this module does without. The reference is the registry's own entry. Throws ValueError for a name that is
  /// empty, taken, or contains a dot.
  Tensor& param(std::string name, Tensor value);
  /// Registers a parameter that belongs to another module as well (tied weights). Throws as param() does.
  Tensor& share_param(std::string name, const Tensor& value);
  /// Registers a tensor that is part of the state, but not trained.
  Tensor& buffer(std::string name, Tensor value);
  /// Constructs a submodule and registers it: `child<Linear>("fc", 784, 128)`, or with options,
  /// `child<Conv2d>("conv", {.in_channels = 1, .out_channels = 6, .kernel_size = 5})`.
  template <class M, class... Args>
  requires(!OptionsOf<M, Args...>) M& child(std::string name, Args&&... args) {
    return adopt(std::move(name), std::make_shared<M>(std::forward<Args>(args)...));
  }
  /// The same with options.
  template <class M>
  M& child(std::string name, typename M::Options options) {
    return adopt(std::move(name), std::make_shared<M>(std::move(options)));
  }
  /// Registers a module that has another place in the model as well: its parameters are one set, under the name that
  /// they have there first. Throws ValueError for a module that is neither a submodule nor held by a shared_ptr.
  template <class M>
  M& share(std::string name, M& module) {
    share_child(std::move(name), module);
    return module;
  }
  /// Registers a submodule that exists. Throws ValueError for null, a bad name, and a module that contains this one.
  void add_child(std::string name, std::shared_ptr<Module> module);
  /// Runs f(inputs), which gives the module's output, under the module's path and between its hooks.
  template <class F>
  Tensor run(std::vector<Tensor> inputs, F f) {
    const ScopeGuard scope(scope_id());
    if (!hooks_) return f(std::span<const Tensor>(inputs));
    const std::shared_ptr<const Hooks> hooks = hooks_;  // one that removes itself is still called to its end
    for (const auto& [id, hook] : hooks->before) hook(*this, inputs);
    Tensor output = f(std::span<const Tensor>(inputs));
    for (const auto& [id, hook] : hooks->after)
      if (Tensor other = hook(*this, inputs, output); other.defined()) output = std::move(other);
    return output;
  }
  /// What the module adds to the path of the ops that it runs: the name that it was first added under.
  virtual std::string scope_name() const;
  /// False for a module that only holds others, which somebody else runs: their paths have its name in them.
  virtual bool runs() const { return true; }

 private:
  using Entry = std::unique_ptr<std::pair<std::string, Tensor>>;  // at a fixed address: members refer to the tensor
  struct Hooks {
    std::vector<std::pair<std::uint64_t, ForwardPreHook>> before;
    std::vector<std::pair<std::uint64_t, ForwardHook>> after;
  };

  template <class M>
  M& adopt(std::string name, std::shared_ptr<M> module) {
    M& reference = *module;
    add_child(std::move(name), std::move(module));
    return reference;
  }
  template <class Change>
  void change_hooks(Change change);
  Tensor& parameter_entry(const std::string& path);

  Tensor& add_tensor(std::vector<Entry>& entries, std::string name, Tensor value);
  void check_name(const std::string& name) const;
  void check_parameter(const std::string& name, const Tensor& value) const;
  void share_child(std::string name, Module& module);
  Named<Tensor> collected(std::vector<Entry> Module::*entries) const;
  void collect(const std::string& prefix, std::vector<Entry> Module::*entries, std::set<const void*>& known,
               Named<Tensor>& result) const;
  void apply_once(const std::function<void(Module&)>& f, std::set<const Module*>& known);
  void collect_tied(const std::string& prefix, std::map<const void*, std::string>& first, std::set<const Module*>& seen,
                    Named<std::string>& result) const;
  void collect_modules(const std::string& prefix, Named<Module*>& result);

  std::vector<Entry> parameters_, buffers_;
  Named<std::shared_ptr<Module>> children_;
  std::string name_;                // within the module that it was first added to
  const Module* holder_ = nullptr;  // that module, if it does not run
  bool training_ = true;
  std::shared_ptr<const Hooks> hooks_;                                 // null when there are none
  mutable std::atomic<std::uint64_t> scope_cache_{~std::uint64_t{0}};  // parent and own scope, as last asked for
};

/// PyTorch's print-out of a module and those below it.
std::string to_string(const Module& module);
std::ostream& operator<<(std::ostream& out, const Module& module);

}  // namespace eigengrad::nn
