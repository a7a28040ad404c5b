// Activation functions.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// max(x, 0); NaN stays NaN. The gradient at 0 is 0.
Tensor relu(Arg x);
/// 1 / (1 + e^-x)
Tensor sigmoid(Arg x);
/// (e^x - e^-x) / (e^x + e^-x)
Tensor tanh(Arg x);

/// The exact function, or its approximation by tanh.
enum class GeluApproximate { None, Tanh };
/// x·Φ(x) with Φ the normal distribution function, or its tanh approximation (Hendrycks and Gimpel 2016).
Tensor gelu(Arg x, GeluApproximate approximate = GeluApproximate::None);

/// log(1 + e^(beta·x)) / beta, computed without overflow.
Tensor softplus(Arg x, double beta = 1);

/// x where x > 0, else slope·x.
Tensor leaky_relu(Arg x, double negative_slope = 0.01);
/// x where x > 0, else alpha·(e^x - 1) (Clevert, Unterthiner and Hochreiter 2016).
Tensor elu(Arg x, double alpha = 1);
/// x where x > 0, else alpha·(e^(x/alpha) - 1) (Barron 2017). Throws ValueError for alpha = 0.
Tensor celu(Arg x, double alpha = 1);
/// 1.0507·elu(x, 1.6733), which keeps mean and variance (Klambauer et al. 2017).
Tensor selu(Arg x);
/// x·σ(x) (Elfwing, Uchibe and Doya 2018).
Tensor silu(Arg x);
/// x·tanh(softplus(x)) (Misra 2020).
Tensor mish(Arg x);
/// x / (1 + |x|)
Tensor softsign(Arg x);
/// log σ(x), without overflow.
Tensor logsigmoid(Arg x);
/// x limited to [low, high], with gradient 0 at the limits. Throws ValueError unless low < high.
Tensor hardtanh(Arg x, double low = -1, double high = 1);
/// hardtanh(x, -3, 3) / 6 + 1/2
Tensor hardsigmoid(Arg x);
/// x·hardsigmoid(x) (Howard et al. 2019).
Tensor hardswish(Arg x);

/// hardtanh(x, 0, 6)
Tensor relu6(Arg x);
/// x where x > threshold, else value.
Tensor threshold(Arg x, double threshold, double value);
/// x - tanh(x)
Tensor tanhshrink(Arg x);
/// x where |x| > lambda, else 0. Throws ValueError for a negative lambda.
Tensor hardshrink(Arg x, double lambda = 0.5);
/// x moved towards 0 by lambda, and 0 where it would cross. Throws ValueError for a negative lambda.
Tensor softshrink(Arg x, double lambda = 0.5);
/// x where x > 0, else weight·x: the weight is one number, or one for each channel of x [N, C, ..] (He et al. 2015).
/// Throws ShapeError.
Tensor prelu(Arg x, const Tensor& weight);
/// The first half of x along an axis times σ of the second (Dauphin et al. 2017). Throws ShapeError for an odd extent.
Tensor glu(Arg x, std::int64_t axis = -1);

/// softmax(-x)
Tensor softmin(Arg x, std::int64_t axis);
/// e^x / Σ e^x along one axis, computed after subtracting the maximum.
Tensor softmax(Arg x, std::int64_t axis);
/// x - log Σ e^x along one axis, likewise.
Tensor log_softmax(Arg x, std::int64_t axis);

/// Each element is dropped (0) with probability p, and the others are scaled by 1 / (1 - p), while `training`; else x.
/// Randomness comes from default_generator(). Throws ValueError unless 0 ≤ p ≤ 1.
Tensor dropout(Arg x, double p, bool training);

}  // namespace eigengrad
