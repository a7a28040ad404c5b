#include "eigengrad/nn/normalization.h"

#include <algorithm>
#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/repr.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

void describe_eps(config::Fields& f, double& eps) { f("eps", eps, {.help = "added to the variance", .min = 0}); }

template <class Options>
void describe_channels(config::Fields& f, Options& o) {
  f("num_features", o.num_features,
    {.help = "channels; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  describe_eps(f, o.eps);
  f("momentum", o.momentum,
    {.help = "how far the running statistics move towards each batch; null: their plain mean", .min = 0, .max = 1});
  f("affine", o.affine, {.help = "learn a weight and a bias for each channel"});
  f("track_running_stats", o.track_running_stats, {.help = "keep a running mean and variance"});
  f("bias", o.bias, {.help = "if affine, learn the bias as well"});
}

template <class Options>
const Options& checked(const char* name, const Options& o) {
  EG_CHECK(o.num_features >= 1, ValueError, "[{}] num_features must be at least 1, found {}", name, o.num_features);
  return o;
}

template <class Options>
Shape inferred(Options& o, const Shape& input, bool fits, const char* expected) {
  EG_CHECK(fits, ShapeError, "expects {}", expected);
  infer_extent(o.num_features, "num_features", input[0]);
  return input;
}

void check_normalized(const char* name, const Shape& shape) {
  EG_CHECK(!shape.empty() && std::all_of(shape.begin(), shape.end(), [](std::int64_t extent) { return extent >= 1; }),
           ValueError, "[{}] normalized_shape must have at least one axis, and extents of at least 1, found {}", name,
           shape);
}

Shape inferred_normalized(Shape& normalized, const Shape& input) {
  if (normalized.empty() && !input.empty()) normalized = {input.back()};
  const bool fits = normalized.size() <= input.size() &&
                    std::equal(normalized.begin(), normalized.end(), input.end() - normalized.rank());
  EG_CHECK(fits, ShapeError, "expects inputs that end in {}", normalized);
  return input;
}

}  // namespace

void describe(config::Fields& f, BatchNormOptions& o) { describe_channels(f, o); }
void describe(config::Fields& f, InstanceNormOptions& o) { describe_channels(f, o); }
void describe(config::Fields& f, LayerNormOptions& o) {
  f("normalized_shape", o.normalized_shape,
    {.help = "extents of the last axes; empty: the last axis", .min = 1, .max = kMaxExtent});
  describe_eps(f, o.eps);
  f("elementwise_affine", o.elementwise_affine, {.help = "learn a weight and a bias for each element"});
  f("bias", o.bias, {.help = "learn the bias as well"});
}
void describe(config::Fields& f, RMSNormOptions& o) {
  f("normalized_shape", o.normalized_shape,
    {.help = "extents of the last axes; empty: the last axis", .min = 1, .max = kMaxExtent});
  f("eps", o.eps, {.help = "added to the mean square; null: the precision of the type", .min = 0});
  f("elementwise_affine", o.elementwise_affine, {.help = "learn a weight for each element"});
}
void describe(config::Fields& f, GroupNormOptions& o) {
  f("num_groups", o.num_groups, {.help = "groups of channels", .required = true, .min = 1, .max = kMaxExtent});
  f("num_channels", o.num_channels,
    {.help = "channels; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  describe_eps(f, o.eps);
  f("affine", o.affine, {.help = "learn a weight and a bias for each channel"});
  f("bias", o.bias, {.help = "if affine, learn the bias as well"});
}

// ---- By channels.

template <class OptionsType>
ChannelNorm<OptionsType>::ChannelNorm(const char* name, Options options) : Layer<OptionsType>(checked(name, options)) {}

template <class OptionsType>
std::string ChannelNorm<OptionsType>::extra_repr() const {
  const Options& o = options_;
  return fmt::format("{}, eps={}, momentum={}, affine={}, bias={}, track_running_stats={}", o.num_features, o.eps,
                     o.momentum ? number_text(*o.momentum) : "None", bool_text(o.affine), bool_text(o.affine && o.bias),
                     bool_text(o.track_running_stats));
}

template class ChannelNorm<BatchNormOptions>;
template class ChannelNorm<InstanceNormOptions>;

double BatchNorm::next_momentum() {
  if (!is_training() || !num_batches_tracked.defined()) return options_.momentum.value_or(0);
  const NoGrad no_grad;
  add_(num_batches_tracked, 1);
  return options_.momentum.value_or(1 / num_batches_tracked.item());
}

Tensor BatchNorm::normalized(const Tensor& x) {
  const double momentum = next_momentum();
  return batch_norm(x, running_mean, running_var, weight, bias,
                    {.training = uses_batch(), .momentum = momentum, .eps = options_.eps});
}

Tensor BatchNorm1d::forward(const Tensor& x) {
  EG_CHECK(x.dim() == 2 || x.dim() == 3, ShapeError, "[BatchNorm1d] expected [N, C] or [N, C, L], found {}", x.shape());
  return normalized(x);
}
Shape BatchNorm1d::infer(Options& o, const Shape& input) {
  return inferred(o, input, input.size() == 1 || input.size() == 2, "[C] or [C, L]");
}

Tensor BatchNorm2d::forward(const Tensor& x) {
  EG_CHECK(x.dim() == 4, ShapeError, "[BatchNorm2d] expected [N, C, H, W], found {}", x.shape());
  return normalized(x);
}
Shape BatchNorm2d::infer(Options& o, const Shape& input) {
  return inferred(o, input, input.size() == 3, "images [C, H, W]");
}

Tensor InstanceNorm::normalized(const char* name, const Tensor& x, std::int64_t rank) {
  EG_CHECK(x.dim() == rank || x.dim() == rank - 1, ShapeError,
           "[{}] expected an input of {} axes, or {} without a batch, found {}", name, rank, rank - 1, x.shape());
  if (x.dim() < rank) return squeeze(normalized(name, unsqueeze(x, 0), rank), 0);
  EG_CHECK(x.size(1) == options_.num_features, ShapeError, "[{}] expected {} channels, found {}", name,
           options_.num_features, x.shape());
  if (!uses_batch()) return batch_norm(x, running_mean, running_var, weight, bias, {.eps = options_.eps});
  if (running_mean.defined()) {
    // Every sample is a batch of its own: the statistics move towards the mean of theirs.
    const NoGrad no_grad;
    const double momentum = options_.momentum.value_or(0);
    Dims places;
    for (std::int64_t axis = 2; axis < rank; ++axis) places.push_back(axis);
    lerp_(running_mean, mean(mean(x.detach(), places), {0}), momentum);
    lerp_(running_var, mean(var(x.detach(), places), {0}), momentum);
  }
  return instance_norm(x, weight, bias, options_.eps);
}

Shape InstanceNorm1d::infer(Options& o, const Shape& input) {
  return inferred(o, input, input.size() == 2, "sequences [C, L]");
}
Shape InstanceNorm2d::infer(Options& o, const Shape& input) {
  return inferred(o, input, input.size() == 3, "images [C, H, W]");
}

// ---- By the last axes.

LayerNorm::LayerNorm(Options options) : Layer((check_normalized("LayerNorm", options.normalized_shape), options)) {}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(x, options_.normalized_shape, weight, bias, options_.eps);
}

std::string LayerNorm::extra_repr() const {
  const Options& o = options_;
  return fmt::format("{}, eps={}, elementwise_affine={}, bias={}", tuple_text(o.normalized_shape), o.eps,
                     bool_text(o.elementwise_affine), bool_text(o.elementwise_affine && o.bias));
}

Shape LayerNorm::infer(Options& o, const Shape& input) { return inferred_normalized(o.normalized_shape, input); }

RMSNorm::RMSNorm(Options options) : Layer((check_normalized("RMSNorm", options.normalized_shape), options)) {}

Tensor RMSNorm::forward(const Tensor& x) {
  const double precision =
      x.dtype() == kFloat64 ? std::numeric_limits<double>::epsilon() : std::numeric_limits<float>::epsilon();
  return rms_norm(x, options_.normalized_shape, weight, options_.eps.value_or(precision));
}

std::string RMSNorm::extra_repr() const {
  const Options& o = options_;
  return fmt::format("{}, eps={}, elementwise_affine={}", tuple_text(o.normalized_shape),
                     o.eps ? fmt::format("{}", *o.eps) : "None", bool_text(o.elementwise_affine));
}

Shape RMSNorm::infer(Options& o, const Shape& input) { return inferred_normalized(o.normalized_shape, input); }

// ---- By groups of channels.

GroupNorm::GroupNorm(Options options) : Layer(options) {
  EG_CHECK(options.num_groups >= 1 && options.num_channels >= 1 && options.num_channels % options.num_groups == 0,
           ValueError, "[GroupNorm] num_channels must be a multiple of num_groups, found {} and {}",
           options.num_channels, options.num_groups);
}

Tensor GroupNorm::forward(const Tensor& x) { return group_norm(x, options_.num_groups, weight, bias, options_.eps); }

std::string GroupNorm::extra_repr() const {
  const Options& o = options_;
  return fmt::format("{}, {}, eps={}, affine={}, bias={}", o.num_groups, o.num_channels, o.eps, bool_text(o.affine),
                     bool_text(o.affine && o.bias));
}

Shape GroupNorm::infer(Options& o, const Shape& input) {
  EG_CHECK(!input.empty(), ShapeError, "expects [C, ..]");
  infer_extent(o.num_channels, "num_channels", input[0]);
  EG_CHECK(o.num_channels % o.num_groups == 0, ShapeError, "expects a multiple of {} channels", o.num_groups);
  return input;
}

}  // namespace eigengrad::nn
