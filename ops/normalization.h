// Normalisation: elements less their mean, over their standard deviation, √(variance + eps). Floating tensors of one
// dtype; weight and bias are undefined where there are none. Throws ShapeError, DtypeError, ValueError.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// Over the last axes, which have the extents `normalized_shape`; weight and bias are of that shape (Ba, Kiros and
/// Hinton 2016).
Tensor layer_norm(Arg x, const Shape& normalized_shape, const Tensor& weight = Tensor(), const Tensor& bias = Tensor(),
                  double eps = 1e-5);
/// x / √(mean of x² + eps) over the last axes (Zhang and Sennrich 2019).
Tensor rms_norm(Arg x, const Shape& normalized_shape, const Tensor& weight = Tensor(), double eps = 1e-6);
/// Over each of `groups` groups of the channels of x [N, C, ..] and all that follows; weight and bias [C] (Wu and He
/// 2018).
Tensor group_norm(Arg x, std::int64_t groups, const Tensor& weight = Tensor(), const Tensor& bias = Tensor(),
                  double eps = 1e-5);
/// Over each channel of each sample of x [N, C, L, ..]; weight and bias [C] (Ulyanov, Vedaldi and Lempitsky 2016).
Tensor instance_norm(Arg x, const Tensor& weight = Tensor(), const Tensor& bias = Tensor(), double eps = 1e-5);

struct BatchNormOptions {
  bool training = false;  ///< with the mean and variance of this batch, else with the running ones
  double momentum = 0.1;  ///< running ← (1 - momentum)·running + momentum·batch
  double eps = 1e-5;      ///< added to the variance
};
/// Over the batch and all places of each channel of x [N, C, ..]; weight and bias [C] (Ioffe and Szegedy 2015). In
/// training the running mean and variance [C], where they are defined, move towards those of the batch (the unbiased
/// variance); else they must be given.
Tensor batch_norm(Arg x, Tensor running_mean, Tensor running_var, const Tensor& weight = Tensor(),
                  const Tensor& bias = Tensor(), const BatchNormOptions& options = {});

/// x / max(‖x‖_p, eps) along an axis.
Tensor normalize(Arg x, double p = 2, std::int64_t axis = 1, double eps = 1e-12);

}  // namespace eigengrad
