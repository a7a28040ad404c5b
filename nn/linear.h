// Linear.
#pragma once

#include <cstdint>

#include "eigengrad/config/fields.h"
#include "eigengrad/nn/module.h"

namespace eigengrad::nn {

struct LinearOptions {
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;
  bool bias = true;
};
void describe(config::Fields& f, LinearOptions& o);

/// y = x·weightᵀ + bias: x [.., in_features], y [.., out_features]. Weight and bias begin uniform in ± 1/√in_features,
/// as in PyTorch. Throws ValueError for extents below 1.
class Linear : public Module {
 public:
  using Options = LinearOptions;
  explicit Linear(Options options);
  Linear(std::int64_t in_features, std::int64_t out_features, bool with_bias = true)
      : Linear(Options{in_features, out_features, with_bias}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  const Options& options() const { return options_; }
  /// Fills in_features from the input where it is not given.
  static Shape infer(Options& options, const Shape& input);

 private:
  Options options_;

 public:
  Tensor& weight = param("weight", empty({options_.out_features, options_.in_features}));
  /// Undefined when there is none.
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_features}) : Tensor());
};

}  // namespace eigengrad::nn
