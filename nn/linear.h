// Linear and bilinear maps.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "eigengrad/nn/layer.h"

namespace eigengrad::nn {

struct LinearOptions {
  std::int64_t in_features = 0;   ///< size of each input sample; 0 takes it from the layer before
  std::int64_t out_features = 0;  ///< size of each output sample
  bool bias = true;               ///< learn a bias that is added to the output
};
void describe(config::Fields& f, LinearOptions& o);

/// y = x·weightᵀ + bias: x [.., in_features], y [.., out_features]. Weight and bias begin uniform in ± 1/√in_features,
/// as in PyTorch. Throws ValueError for extents below 1.
class Linear : public Layer<LinearOptions> {
 public:
  explicit Linear(Options options);
  Linear(std::int64_t in_features, std::int64_t out_features, bool with_bias = true)
      : Linear(Options{in_features, out_features, with_bias}) {}
  Tensor forward(const Tensor& x) override;
  Tensor forward_relu(const Tensor& x) override;
  std::string extra_repr() const override;
  /// Fills in_features from the input where it is not given.
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", empty({options_.out_features, options_.in_features}));
  /// Undefined when there is none.
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_features}) : Tensor());
};

struct BilinearOptions {
  std::int64_t in1_features = 0;  ///< size of the first input; 0 takes it from the data
  std::int64_t in2_features = 0;  ///< size of the second input; 0 takes it from the data
  std::int64_t out_features = 0;  ///< size of each output sample
  bool bias = true;               ///< learn a bias that is added to the output
};
void describe(config::Fields& f, BilinearOptions& o);

/// y[.., o] = x1ᵀ·weight[o]·x2 + bias[o]: x1 [.., in1_features], x2 [.., in2_features], weight [out, in1, in2]. Weight
/// and bias begin uniform in ± 1/√in1_features, as in PyTorch. Throws ValueError for extents below 1.
class Bilinear : public Layer<BilinearOptions> {
 public:
  explicit Bilinear(Options options);
  Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features, bool with_bias = true)
      : Bilinear(Options{in1_features, in2_features, out_features, with_bias}) {}
  /// Throws ShapeError, DtypeError.
  Tensor operator()(Arg x1, const Tensor& x2);
  Tensor forward(const Tensor& x1, const Tensor& x2);
  Tensor forward_all(std::span<const Tensor> inputs) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, std::span<const Shape> inputs);

  Tensor& weight = param("weight", empty({options_.out_features, options_.in1_features, options_.in2_features}));
  Tensor& bias = param("bias", options_.bias ? empty({options_.out_features}) : Tensor());
};

}  // namespace eigengrad::nn
