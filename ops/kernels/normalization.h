// Normalisation of rows, and of channels. Contiguous tensors of one floating dtype.
#pragma once

#include "eigengrad/core/apply.h"

namespace eigengrad::kernels {

/// y = (x - mean)·scale·weight + bias for each row of x [rows, columns], with scale = 1 / √(variance + eps). Without
/// `centered` the mean is taken for 0. Weight and bias [columns] may be undefined. Gives y, and mean and scale [rows].
Tensors normalize_rows(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t columns, double eps,
                       bool centered);

/// The gradients of x, weight and bias from that of y; the last two are undefined unless wanted.
Tensors normalize_rows_backward(const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& scale,
                                const Tensor& dy, std::int64_t columns, bool centered, bool wants_weight,
                                bool wants_bias);

/// The same for each channel of x [N, C, ..] over the batch and all places; weight and bias [C]. Gives y, and mean and
/// variance [C].
Tensors normalize_channels(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

/// The gradients of x, weight and bias.
Tensors normalize_channels_backward(const Tensor& x, const Tensor& weight, const Tensor& mean, const Tensor& variance,
                                    const Tensor& dy, double eps);

/// The same for each of so many groups of channels of each sample of x [N, C, ..]; weight and bias [C]. Gives y, and
/// mean and scale [N, groups].
Tensors normalize_groups(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double eps);

/// The gradients of x, weight and bias.
Tensors normalize_groups_backward(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& mean,
                                  const Tensor& scale, const Tensor& dy);

}  // namespace eigengrad::kernels
