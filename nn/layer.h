// What all configurable layers have in common.
#pragma once

#include <utility>

#include "eigengrad/config/registry.h"
#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

/// A layer made from a struct of options.
template <class OptionsType = config::NoOptions>
class Layer : public Module {
 public:
  using Options = OptionsType;
  explicit Layer(Options options = {}) : options_(std::move(options)) {}
  const Options& options() const { return options_; }

 protected:
  Options options_;
};

/// A layer that gives the shape that it is given.
template <class OptionsType = config::NoOptions>
class SameShape : public Layer<OptionsType> {
 public:
  using Layer<OptionsType>::Layer;
  static Shape infer(OptionsType&, const Shape& input) { return input; }
};

}  // namespace eigengrad::nn
