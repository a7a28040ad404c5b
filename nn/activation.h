// Activations, dropout and changes of shape as layers.
#pragma once

#include <cstdint>

#include "eigengrad/config/registry.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/ops/activation.h"

namespace eigengrad::nn {

/// A layer that gives the shape that it is given.
template <class OptionsType = config::NoOptions>
class SameShape : public Module {
 public:
  using Options = OptionsType;
  explicit SameShape(Options options = {}) : options_(options) {}
  const Options& options() const { return options_; }
  static Shape infer(Options&, const Shape& input) { return input; }

 protected:
  Options options_;
};

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
};

/// 1 / (1 + e^-x)
class Sigmoid : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return sigmoid(x); }
};

class Tanh : public SameShape<> {
 public:
  using SameShape::SameShape;
  Tensor forward(const Tensor& x) override { return tanh(x); }
};

struct GELUOptions {
  GeluApproximate approximate = GeluApproximate::None;
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
  double negative_slope = 0.01;
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
  double alpha = 1;
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
  double min_val = -1;
  double max_val = 1;
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
  double beta = 1;
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
  std::int64_t dim = -1;
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

struct DropoutOptions {
  double p = 0.5;
};
void describe(config::Fields& f, DropoutOptions& o);

/// While training, drops each element with probability p and scales the others by 1 / (1 - p) (Srivastava et al. 2014).
/// Throws ValueError unless 0 ≤ p ≤ 1.
class Dropout : public SameShape<DropoutOptions> {
 public:
  explicit Dropout(Options options);
  explicit Dropout(double p = 0.5) : Dropout(Options{p}) {}
  Tensor forward(const Tensor& x) override { return dropout(x, options_.p, is_training()); }
  std::string extra_repr() const override;
};

struct FlattenOptions {
  std::int64_t start_dim = 1;
  std::int64_t end_dim = -1;
};
void describe(config::Fields& f, FlattenOptions& o);

/// Axes start_dim to end_dim made one; by default all but the batch axis.
class Flatten : public Module {
 public:
  using Options = FlattenOptions;
  explicit Flatten(Options options = {}) : options_(options) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  const Options& options() const { return options_; }
  static Shape infer(Options& options, const Shape& input);

 private:
  Options options_;
};

}  // namespace eigengrad::nn
