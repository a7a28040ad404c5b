// Initial values of parameters. Each function fills a floating tensor in place, under NoGrad, with random numbers of
// the default generator. The fans of a weight [out, in, kernel...] are in·kernel and out·kernel; throws ShapeError for
// fewer than two axes.
#pragma once

#include <cstdint>

#include "eigengrad/core/tensor.h"

namespace eigengrad::nn::init {

enum class FanMode { FanIn, FanOut };
enum class Nonlinearity { Linear, Sigmoid, Tanh, Relu, LeakyRelu, Selu };

struct Fans {
  std::int64_t in, out;
};
Fans fans(const Tensor& weight);

/// By what a layer's scale is multiplied to make up for the nonlinearity after it. `slope` is that of LeakyRelu.
double calculate_gain(Nonlinearity nonlinearity, double slope = 0.01);

Tensor& uniform_(Tensor& x, double low = 0, double high = 1);
Tensor& normal_(Tensor& x, double mean = 0, double std = 1);
Tensor& constant_(Tensor& x, double value);
Tensor& zeros_(Tensor& x);
Tensor& ones_(Tensor& x);
/// Glorot and Bengio (2010): uniform in ± gain·√(6 / (fan_in + fan_out)), or normal with the same variance.
Tensor& xavier_uniform_(Tensor& x, double gain = 1);
Tensor& xavier_normal_(Tensor& x, double gain = 1);
/// He et al. (2015): uniform in ± gain·√(3 / fan), or normal with std gain / √fan.
Tensor& kaiming_uniform_(Tensor& x, double slope = 0, FanMode mode = FanMode::FanIn,
                         Nonlinearity nonlinearity = Nonlinearity::LeakyRelu);
Tensor& kaiming_normal_(Tensor& x, double slope = 0, FanMode mode = FanMode::FanIn,
                        Nonlinearity nonlinearity = Nonlinearity::LeakyRelu);

}  // namespace eigengrad::nn::init
