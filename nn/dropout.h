// Dropout, of elements and of channels.
#pragma once

#include "eigengrad/nn/layer.h"

namespace eigengrad::nn {

struct DropoutOptions {
  double p = 0.5;  ///< probability of an element to be zeroed
};
void describe(config::Fields& f, DropoutOptions& o);

/// While training, drops each element with probability p and scales the others by 1 / (1 - p) (Srivastava et al. 2014).
/// Throws ValueError unless 0 ≤ p ≤ 1.
class Dropout : public SameShape<DropoutOptions> {
 public:
  explicit Dropout(Options options);
  explicit Dropout(double p = 0.5) : Dropout(Options{p}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
};

/// The same for whole channels of x [N, C, L] (Tompson et al. 2015). Throws ShapeError.
class Dropout1d : public Dropout {
 public:
  using Dropout::Dropout;
  Tensor forward(const Tensor& x) override;
  static Shape infer(Options& options, const Shape& input);
};

/// The same for whole channels of x [N, C, H, W].
class Dropout2d : public Dropout {
 public:
  using Dropout::Dropout;
  Tensor forward(const Tensor& x) override;
  static Shape infer(Options& options, const Shape& input);
};

/// Dropout that keeps mean 0 and variance 1 behind SELU: what is dropped becomes -1.7581, then all are scaled and
/// shifted (Klambauer et al. 2017).
class AlphaDropout : public Dropout {
 public:
  using Dropout::Dropout;
  Tensor forward(const Tensor& x) override;
};

}  // namespace eigengrad::nn
