// Initial values of parameters. Each function fills a floating tensor in place, under NoGrad, with random numbers of
// the default generator. The fans of a weight [out, in, kernel...] are in·kernel and out·kernel; throws ShapeError for
// fewer than two axes.
#pragma once

#include <cstdint>

#include "eigengrad/core/tensor.h"

namespace eigengrad::nn::init {

/// By which of the two numbers to scale: that keeps the variance of values, or of gradients.
enum class FanMode { FanIn, FanOut };
/// What stands behind a layer.
enum class Nonlinearity { Linear, Sigmoid, Tanh, Relu, LeakyRelu, Selu };

/// How many inputs an output has, and how many outputs an input.
struct Fans {
  std::int64_t in, out;  ///< the numbers
};
/// Of a weight [out, in, kernel ..]. Throws ShapeError for fewer than two axes.
Fans fans(const Tensor& weight);

/// By what a layer's scale is multiplied to make up for the nonlinearity after it. `slope` is that of LeakyRelu.
double calculate_gain(Nonlinearity nonlinearity, double slope = 0.01);

/// Uniform in [low, high).
Tensor& uniform_(Tensor& x, double low = 0, double high = 1);
/// Normal, of that mean and standard deviation.
Tensor& normal_(Tensor& x, double mean = 0, double std = 1);
/// Every element `value`.
Tensor& constant_(Tensor& x, double value);
/// Every element 0.
Tensor& zeros_(Tensor& x);
/// Every element 1.
Tensor& ones_(Tensor& x);
/// Glorot and Bengio (2010): uniform in ± gain·√(6 / (fan_in + fan_out)), or normal with the same variance.
Tensor& xavier_uniform_(Tensor& x, double gain = 1);
Tensor& xavier_normal_(Tensor& x, double gain = 1);
/// He et al. (2015): uniform in ± gain·√(3 / fan), or normal with std gain / √fan.
Tensor& kaiming_uniform_(Tensor& x, double slope = 0, FanMode mode = FanMode::FanIn,
                         Nonlinearity nonlinearity = Nonlinearity::LeakyRelu);
Tensor& kaiming_normal_(Tensor& x, double slope = 0, FanMode mode = FanMode::FanIn,
                        Nonlinearity nonlinearity = Nonlinearity::LeakyRelu);

/// What PyTorch's Linear and convolutions begin with: weight and bias, unless that is undefined, uniform in ±
/// 1/√fan_in.
void linear_(Tensor& weight, Tensor& bias);
/// Normal, cut off below `low` and above `high` (which are values, not deviations), drawn by inversion of the
/// distribution. Throws ValueError unless low < high and std > 0.
Tensor& trunc_normal_(Tensor& x, double mean = 0, double std = 1, double low = -2, double high = 2);
/// Rows, or columns where there are fewer, that are orthogonal and of length `gain`: of a matrix of normal numbers
/// (Saxe, McClelland and Ganguli 2014). All axes behind the first count as one.
Tensor& orthogonal_(Tensor& x, double gain = 1);
/// A matrix in each of whose columns a share `sparsity` of the elements, rounded up, is 0, and the others are normal
/// (Martens 2010). Throws ShapeError unless it has two axes, ValueError unless 0 ≤ sparsity ≤ 1.
Tensor& sparse_(Tensor& x, double sparsity, double std = 0.01);
/// The identity matrix, of as many rows and columns as there are. Throws ShapeError unless there are two axes.
Tensor& eye_(Tensor& x);
/// A convolution that passes its input on, as far as there are channels: [out, in / groups, kernel ..] with a 1 in the
/// middle. Throws ShapeError unless it has 3 to 5 axes and the groups divide the first.
Tensor& dirac_(Tensor& x, std::int64_t groups = 1);

}  // namespace eigengrad::nn::init
