// Normalisation as layers. Each takes the elements less their mean, over √(variance + eps), and then, if it is affine,
// times a learned weight (which begins as 1) plus a learned bias (0).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "eigengrad/nn/layer.h"
#include "eigengrad/ops/normalization.h"

namespace eigengrad::nn {

struct BatchNormOptions {
  std::int64_t num_features = 0;         ///< channels; 0 takes them from the layer before
  double eps = 1e-5;                     ///< added to the variance
  std::optional<double> momentum = 0.1;  ///< of the running statistics; nothing: their plain mean over all batches
  bool affine = true;                    ///< learn a weight and a bias for each channel
  bool track_running_stats = true;       ///< keep a running mean and variance
  bool bias = true;                      ///< if affine, learn the bias as well
};
void describe(config::Fields& f, BatchNormOptions& o);

/// What batch and instance normalisation have in common: parameters and running statistics, one of each for a channel.
template <class OptionsType>
class ChannelNorm : public Layer<OptionsType> {
 public:
  std::string extra_repr() const override;

 protected:
  using Options = OptionsType;
  using Layer<OptionsType>::options_;
  /// `name` is what messages call the layer.
  ChannelNorm(const char* name, Options options);
  // Whether the batch's own statistics are taken.
  /// Whether the batch's own statistics are taken.
  bool uses_batch() const { return this->is_training() || !running_mean.defined(); }

 public:
  Tensor& weight = this->param("weight", options_.affine ? ones({options_.num_features}) : Tensor());
  Tensor& bias = this->param("bias", options_.affine&& options_.bias ? zeros({options_.num_features}) : Tensor());
  /// Undefined, like the two after it, unless running statistics are tracked.
  Tensor& running_mean =
      this->buffer("running_mean", options_.track_running_stats ? zeros({options_.num_features}) : Tensor());
  Tensor& running_var =
      this->buffer("running_var", options_.track_running_stats ? ones({options_.num_features}) : Tensor());
  Tensor& num_batches_tracked =
      this->buffer("num_batches_tracked", options_.track_running_stats ? zeros({}, kInt64) : Tensor());
};

/// What BatchNorm1d and BatchNorm2d have in common: over the batch and all places of each channel (Ioffe and Szegedy
/// 2015). While training, by the mean and variance of the batch, towards which the running ones move; else by those, if
/// they are tracked.
class BatchNorm : public ChannelNorm<BatchNormOptions> {
 public:
  using Options = BatchNormOptions;

 protected:
  using ChannelNorm::ChannelNorm;
  /// What forward() gives.
  Tensor normalized(const Tensor& x);

 private:
  // Counts the batch, and returns how far the running statistics move towards it.
  double next_momentum();
};

/// x [N, C] or [N, C, L]. Throws ShapeError for others, and for a single value for each channel in training.
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(Options options) : BatchNorm("BatchNorm1d", options) {}
  explicit BatchNorm1d(std::int64_t num_features) : BatchNorm1d(Options{num_features}) {}
  Tensor forward(const Tensor& x) override;
  static Shape infer(Options& options, const Shape& input);
};

/// x [N, C, H, W].
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(Options options) : BatchNorm("BatchNorm2d", options) {}
  explicit BatchNorm2d(std::int64_t num_features) : BatchNorm2d(Options{num_features}) {}
  Tensor forward(const Tensor& x) override;
  static Shape infer(Options& options, const Shape& input);
};

struct InstanceNormOptions {
  std::int64_t num_features = 0;         ///< channels; 0 takes them from the layer before
  double eps = 1e-5;                     ///< added to the variance
  std::optional<double> momentum = 0.1;  ///< of the running statistics; nothing: their plain mean over all batches
  bool affine = false;                   ///< learn a weight and a bias for each channel
  bool track_running_stats = false;      ///< keep a running mean and variance
  bool bias = true;                      ///< if affine, learn the bias as well
};
void describe(config::Fields& f, InstanceNormOptions& o);

/// Over all places of each channel of each sample (Ulyanov, Vedaldi and Lempitsky 2016). The running statistics, where
/// they are tracked, are used outside training.
class InstanceNorm : public ChannelNorm<InstanceNormOptions> {
 public:
  using Options = InstanceNormOptions;

 protected:
  using ChannelNorm::ChannelNorm;
  /// What forward() gives; `rank` is that of a batch.
  Tensor normalized(const char* name, const Tensor& x, std::int64_t rank);
};

/// x [N, C, L] or [C, L].
class InstanceNorm1d : public InstanceNorm {
 public:
  explicit InstanceNorm1d(Options options) : InstanceNorm("InstanceNorm1d", options) {}
  explicit InstanceNorm1d(std::int64_t num_features) : InstanceNorm1d(Options{num_features}) {}
  Tensor forward(const Tensor& x) override { return normalized("InstanceNorm1d", x, 3); }
  static Shape infer(Options& options, const Shape& input);
};

/// x [N, C, H, W] or [C, H, W].
class InstanceNorm2d : public InstanceNorm {
 public:
  explicit InstanceNorm2d(Options options) : InstanceNorm("InstanceNorm2d", options) {}
  explicit InstanceNorm2d(std::int64_t num_features) : InstanceNorm2d(Options{num_features}) {}
  Tensor forward(const Tensor& x) override { return normalized("InstanceNorm2d", x, 4); }
  static Shape infer(Options& options, const Shape& input);
};

struct LayerNormOptions {
  Shape normalized_shape{};        ///< extents of the last axes; empty: the last axis
  double eps = 1e-5;               ///< added to the variance
  bool elementwise_affine = true;  ///< learn a weight and a bias for each element
  bool bias = true;                ///< learn the bias as well
};
void describe(config::Fields& f, LayerNormOptions& o);

/// Over the last axes, which have the extents normalized_shape (Ba, Kiros and Hinton 2016).
class LayerNorm : public Layer<LayerNormOptions> {
 public:
  explicit LayerNorm(Options options);
  explicit LayerNorm(std::int64_t features) : LayerNorm(Options{{features}}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", options_.elementwise_affine ? ones(options_.normalized_shape) : Tensor());
  Tensor& bias =
      param("bias", options_.elementwise_affine&& options_.bias ? zeros(options_.normalized_shape) : Tensor());
};

struct RMSNormOptions {
  Shape normalized_shape{};        ///< extents of the last axes; empty: the last axis
  std::optional<double> eps{};     ///< the machine precision of the input's type unless given
  bool elementwise_affine = true;  ///< learn a weight for each element
};
void describe(config::Fields& f, RMSNormOptions& o);

/// x / √(mean of x² + eps) over the last axes, times a learned weight (Zhang and Sennrich 2019).
class RMSNorm : public Layer<RMSNormOptions> {
 public:
  explicit RMSNorm(Options options);
  explicit RMSNorm(std::int64_t features) : RMSNorm(Options{{features}}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", options_.elementwise_affine ? ones(options_.normalized_shape) : Tensor());
};

struct GroupNormOptions {
  std::int64_t num_groups = 0;    ///< groups of channels
  std::int64_t num_channels = 0;  ///< channels; 0 takes them from the layer before
  double eps = 1e-5;              ///< added to the variance
  bool affine = true;             ///< learn a weight and a bias for each channel
  bool bias = true;               ///< if affine, learn the bias as well
};
void describe(config::Fields& f, GroupNormOptions& o);

/// Over each of num_groups groups of the channels of x [N, C, ..] and all that follows (Wu and He 2018). Throws
/// ValueError unless the channels can be cut into that many groups.
class GroupNorm : public Layer<GroupNormOptions> {
 public:
  explicit GroupNorm(Options options);
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels) : GroupNorm(Options{num_groups, num_channels}) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

  Tensor& weight = param("weight", options_.affine ? ones({options_.num_channels}) : Tensor());
  Tensor& bias = param("bias", options_.affine&& options_.bias ? zeros({options_.num_channels}) : Tensor());
};

}  // namespace eigengrad::nn
