// Activation functions.
#pragma once

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// max(x, 0); NaN stays NaN. The gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// 1 / (1 + e^-x)
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);

enum class GeluApproximate { None, Tanh };
/// x·Φ(x) with Φ the normal distribution function, or its tanh approximation (Hendrycks and Gimpel 2016).
Tensor gelu(const Tensor& x, GeluApproximate approximate = GeluApproximate::None);

/// log(1 + e^(beta·x)) / beta, computed without overflow.
Tensor softplus(const Tensor& x, double beta = 1);

/// e^x / Σ e^x along one axis, computed after subtracting the maximum.
Tensor softmax(const Tensor& x, std::int64_t axis);
/// x - log Σ e^x along one axis, likewise.
Tensor log_softmax(const Tensor& x, std::int64_t axis);

/// Each element is dropped (0) with probability p, and the others are scaled by 1 / (1 - p), while `training`; else x.
/// Randomness comes from default_generator(). Throws ValueError unless 0 ≤ p ≤ 1.
Tensor dropout(const Tensor& x, double p, bool training);

}  // namespace eigengrad
