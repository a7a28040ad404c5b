// Activations as layers.
#pragma once

#include <cstdint>

#include "eigengrad/nn/layer.h"
#include "eigengrad/ops/activation.h"

namespace eigengrad::nn {

/// x
class Identity : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return x; }
};

/// max(x, 0)
class ReLU : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return relu(x); }
  bool is_relu() const override { return is_just<ReLU>(); }
};

/// 1 / (1 + e^-x)
class Sigmoid : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return sigmoid(x); }
};

/// Tanh(x).
class Tanh : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return tanh(x); }
};

struct GELUOptions {
  GeluApproximate approximate = GeluApproximate::None;  ///< the exact function, or its tanh approximation
};
void describe(config::Fields& f, GELUOptions& o);

/// x·Φ(x), or its tanh approximation.
class GELU : public SameShape<GELUOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return gelu(x, options_.approximate); }
  std::string extra_repr() const override;
};

/// 1.0507·elu(x, 1.6733)
class SELU : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return selu(x); }
};

/// x·σ(x)
class SiLU : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return silu(x); }
};

/// x·tanh(softplus(x))
class Mish : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return mish(x); }
};

/// x / (1 + |x|)
class Softsign : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return softsign(x); }
};

/// log σ(x)
class LogSigmoid : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return logsigmoid(x); }
};

/// hardtanh(x, -3, 3) / 6 + 1/2
class Hardsigmoid : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return hardsigmoid(x); }
};

/// x·hardsigmoid(x)
class Hardswish : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return hardswish(x); }
};

struct LeakyReLUOptions {
  double negative_slope = 0.01;  ///< slope where x is negative
};
void describe(config::Fields& f, LeakyReLUOptions& o);

/// x where x > 0, else negative_slope·x.
class LeakyReLU : public SameShape<LeakyReLUOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return leaky_relu(x, options_.negative_slope); }
  std::string extra_repr() const override;
};

struct ELUOptions {
  double alpha = 1;  ///< the limit where x is negative
};
void describe(config::Fields& f, ELUOptions& o);

/// x where x > 0, else alpha·(e^x - 1).
class ELU : public SameShape<ELUOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return elu(x, options_.alpha); }
  std::string extra_repr() const override;
};

/// x where x > 0, else alpha·(e^(x/alpha) - 1).
class CELU : public SameShape<ELUOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return celu(x, options_.alpha); }
  std::string extra_repr() const override;
};

struct HardtanhOptions {
  double min_val = -1;  ///< lower limit
  double max_val = 1;   ///< upper limit
};
void describe(config::Fields& f, HardtanhOptions& o);

/// x limited to [min_val, max_val]. Throws ValueError unless min_val < max_val.
class Hardtanh : public SameShape<HardtanhOptions> {
 public:
  explicit Hardtanh(Options options = {});
  Tensor forward(const Tensor& x) override { return hardtanh(x, options_.min_val, options_.max_val); }
  std::string extra_repr() const override;
};

struct SoftplusOptions {
  double beta = 1;  ///< steepness
};
void describe(config::Fields& f, SoftplusOptions& o);

/// log(1 + e^(beta·x)) / beta
class Softplus : public SameShape<SoftplusOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return softplus(x, options_.beta); }
  std::string extra_repr() const override;
};

struct SoftmaxOptions {
  std::int64_t dim = -1;  ///< the axis along which the values sum to 1
};
void describe(config::Fields& f, SoftmaxOptions& o);

/// e^x / Σ e^x along an axis.
class Softmax : public SameShape<SoftmaxOptions> {
 public:
  using SameShape::SameShape;
  explicit Softmax(std::int64_t dim) : SameShape(SoftmaxOptions{dim}) {}
  Tensor forward(const Tensor& x) override { return softmax(x, options_.dim); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

/// x - log Σ e^x along an axis.
class LogSoftmax : public SameShape<SoftmaxOptions> {
 public:
  using SameShape::SameShape;
  explicit LogSoftmax(std::int64_t dim) : SameShape(SoftmaxOptions{dim}) {}
  Tensor forward(const Tensor& x) override { return log_softmax(x, options_.dim); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input) { return Softmax::infer(options, input); }
};

/// softmax(-x) along an axis.
class Softmin : public SameShape<SoftmaxOptions> {
 public:
  using SameShape::SameShape;
  explicit Softmin(std::int64_t dim) : SameShape(SoftmaxOptions{dim}) {}
  Tensor forward(const Tensor& x) override { return softmin(x, options_.dim); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input) { return Softmax::infer(options, input); }
};

/// Softmax over the channels at every place of x [N, C, H, W] or [C, H, W]. Throws ShapeError.
class Softmax2d : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override;
  static Shape infer(Options& options, const Shape& input);
};

/// max(0, min(x, 6))
class ReLU6 : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return relu6(x); }
};

/// x - tanh(x)
class Tanhshrink : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return tanhshrink(x); }
};

struct ShrinkOptions {
  double lambd = 0.5;  ///< as PyTorch spells it
};
void describe(config::Fields& f, ShrinkOptions& o);

/// x where |x| > lambda, else 0.
class Hardshrink : public SameShape<ShrinkOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return hardshrink(x, options_.lambd); }
  std::string extra_repr() const override;
};

/// x moved towards 0 by lambda, and 0 where it would cross.
class Softshrink : public SameShape<ShrinkOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return softshrink(x, options_.lambd); }
  std::string extra_repr() const override;
};

struct ThresholdOptions {
  double threshold = 0;  ///< what x has to exceed
  double value = 0;      ///< what it becomes otherwise
};
void describe(config::Fields& f, ThresholdOptions& o);

/// x where x > threshold, else value.
class Threshold : public SameShape<ThresholdOptions> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return threshold(x, options_.threshold, options_.value); }
  std::string extra_repr() const override;
};

struct PReLUOptions {
  std::int64_t num_parameters = 1;  ///< slopes to learn: 1, or one for each channel
  double init = 0.25;               ///< what they begin as
};
void describe(config::Fields& f, PReLUOptions& o);

/// x where x > 0, else weight·x, with a weight for all or for each channel of x [N, C, ..] that is learned (He et al.
/// 2015).
class PReLU : public SameShape<PReLUOptions> {
 public:
  explicit PReLU(Options options = {});
  Tensor forward(const Tensor& x) override { return prelu(x, weight); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", full({options_.num_parameters}, options_.init));
};

struct RReLUOptions {
  double lower = 1.0 / 8;  ///< least slope where x is negative
  double upper = 1.0 / 3;  ///< greatest slope
};
void describe(config::Fields& f, RReLUOptions& o);

/// x where x > 0, else a·x: while training, a is drawn for each element from [lower, upper); else it is their mean (Xu
/// et al. 2015). Throws ValueError unless lower ≤ upper.
class RReLU : public SameShape<RReLUOptions> {
 public:
  explicit RReLU(Options options = {});
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
};

struct GLUOptions {
  std::int64_t dim = -1;  ///< the axis that is halved
};
void describe(config::Fields& f, GLUOptions& o);

/// The first half of x along an axis times σ of the second (Dauphin et al. 2017).
class GLU : public Layer<GLUOptions> {
 public:
  using Layer::Layer;
  Tensor forward(const Tensor& x) override { return glu(x, options_.dim); }
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);
};

}  // namespace eigengrad::nn
