// Modules that hold modules.
#pragma once

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

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

/// body(x) + shortcut(x): a residual block (He et al. 2016). Without a shortcut x itself is added.
///   Residual block(Sequential(Conv2d(8, 8, 3, 1, 1), ReLU(), Conv2d(8, 8, 3, 1, 1)));
class Residual : public Module {
 public:
  /// With x itself beside the body.
  explicit Residual(Sequential body) : body_(child<Sequential>("body", std::move(body))) {}
  /// With a shortcut beside the body.
  Residual(Sequential body, Sequential shortcut)
      : body_(child<Sequential>("body", std::move(body))),
        shortcut_(&child<Sequential>("shortcut", std::move(shortcut))) {}
  /// Throws ShapeError when the two differ in shape.
  Tensor forward(const Tensor& x) override;
  /// The modules of the sum's first part.
  const Sequential& body() const { return body_; }
  /// Null when there is none.
  const Sequential* shortcut() const { return shortcut_; }

 private:
  Sequential& body_;
  Sequential* shortcut_ = nullptr;
};

/// Modules by number. It has no forward of its own: the module that holds it runs them.
class ModuleList : public Module {
 public:
  ModuleList() = default;
  /// Adds a module under the next number. Throws ValueError for null.
  /// Of modules, numbered from 0.
  template <ModuleValue... Modules>
  requires(sizeof...(Modules) > 0) explicit ModuleList(Modules... modules) { (push_back(std::move(modules)), ...); }
  ModuleList& push_back(std::shared_ptr<Module> module);
  template <ModuleValue M>
  ModuleList& push_back(M&& module) {
    return push_back(std::make_shared<M>(std::move(module)));
  }
  std::size_t size() const { return children().size(); }
  /// Throws IndexError.
  Module& operator[](std::size_t i) const;
  /// The same as what it is. Throws IndexError; ValueError when it is something else.
  template <class M>
  M& at(std::size_t i) const {
    return as<M>((*this)[i]);
  }

 protected:
  bool runs() const override { return false; }

 private:
  friend class ModuleDict;
  template <class M>
  static M& as(Module& module) {
    M* const found = dynamic_cast<M*>(&module);
    if (!found) throw_other_type(module);
    return *found;
  }
  [[noreturn]] static void throw_other_type(const Module& module);
};

/// Modules by name. It has no forward of its own.
class ModuleDict : public Module {
 public:
  /// Throws ValueError for a name that is empty, taken, or contains a dot.
  ModuleDict& insert(std::string name, std::shared_ptr<Module> module);
  template <ModuleValue M>
  ModuleDict& insert(std::string name, M&& module) {
    return insert(std::move(name), std::make_shared<M>(std::move(module)));
  }
  std::size_t size() const { return children().size(); }
  /// Whether there is a module of that name.
  bool contains(std::string_view name) const;
  /// Throws IndexError for a name that is not there.
  Module& operator[](std::string_view name) const;
  /// The same as what it is. Throws IndexError; ValueError when it is something else.
  template <class M>
  M& at(std::string_view name) const {
    return ModuleList::as<M>((*this)[name]);
  }

 protected:
  bool runs() const override { return false; }
};

/// Modules that feed each other by name. Each takes what those named in `from` gave, by default the one added before
/// it; the graph's own inputs are names as well. The output is that of the last unless another is named.
///
///   Graph net;                                             // its input is called "input"
///   net.add("conv", Conv2d(8, 8, 3, 1, 1)).add("act", ReLU());
///   net.add("sum", Add(), {"act", "input"});               // a skip connection
///   net.reuse("again", "conv", {"sum"});                   // the same weights a second time
class Graph : public Module {
 public:
  /// With inputs of these names.
  explicit Graph(std::vector<std::string> inputs = {"input"});
  /// Throws ValueError for a name that is taken, or one in `from` that is not known.
  Graph& add(std::string name, std::shared_ptr<Module> module, const std::vector<std::string>& from = {});
  template <ModuleValue M>
  Graph& add(std::string name, M&& module, const std::vector<std::string>& from = {}) {
    return add(std::move(name), std::make_shared<M>(std::move(module)), from);
  }
  /// Runs the module that was added under another name once more: its parameters are shared.
  Graph& reuse(std::string name, const std::string& shared, const std::vector<std::string>& from = {});
  /// Names what it gives. Throws ValueError for a name that is not known.
  Graph& set_output(const std::string& name);

  Tensor forward(const Tensor& x) override { return forward_all({&x, 1}); }
  /// Throws ValueError for another number of inputs than was named.
  Tensor forward_all(std::span<const Tensor> inputs) override;

  /// What is known of a step, for print-outs and configurations.
  struct Step {
    std::string name;               ///< under which others read it
    std::string shared;             ///< the step whose module runs; empty for its own
    Module* module;                 ///< what it runs
    std::vector<std::size_t> from;  ///< what it reads: places, see name_of()
  };
  /// In the order in which they run.
  const std::vector<Step>& steps() const { return steps_; }
  /// The inputs, then the steps: what `from` counts.
  std::string name_of(std::size_t place) const;
  /// How many inputs it was made with.
  std::size_t input_count() const { return inputs_.size(); }
  /// The place, in the sense of name_of(), of what it gives.
  std::size_t output() const { return output_.value_or(inputs_.size() + steps_.size() - 1); }
  std::string extra_repr() const override;

 private:
  std::size_t place_of(const std::string& name) const;
  void add_step(std::string name, std::string shared, Module* module, const std::vector<std::string>& from);

  std::vector<std::string> inputs_;
  std::vector<Step> steps_;
  std::optional<std::size_t> output_;
};

}  // namespace eigengrad::nn
