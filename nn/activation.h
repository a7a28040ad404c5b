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
};

/// x - log Σ e^x along an axis.
class LogSoftmax : public SameShape<SoftmaxOptions> {
 public:
  using SameShape::SameShape;
  explicit LogSoftmax(std::int64_t dim) : SameShape(SoftmaxOptions{dim}) {}
  Tensor forward(const Tensor& x) override { return log_softmax(x, options_.dim); }
  std::string extra_repr() const override;
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
