#include "eigengrad/nn/init.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/inplace.h"

namespace eigengrad::nn::init {
namespace {

double kaiming_std(const Tensor& x, double slope, FanMode mode, Nonlinearity nonlinearity) {
  const Fans f = fans(x);
  const auto fan = static_cast<double>(mode == FanMode::FanIn ? f.in : f.out);
  return fan > 0 ? calculate_gain(nonlinearity, slope) / std::sqrt(fan) : 0;
}

double xavier_std(const Tensor& x, double gain) {
  const Fans f = fans(x);
  const auto both = static_cast<double>(f.in + f.out);
  return both > 0 ? gain * std::sqrt(2 / both) : 0;
}

}  // namespace

Fans fans(const Tensor& weight) {
  EG_CHECK(weight.dim() >= 2, ShapeError, "[init] a weight of shape {} has no fans: expected at least two axes",
           weight.shape());
  std::int64_t kernel = 1;
  for (std::int64_t axis = 2; axis < weight.dim(); ++axis) kernel *= weight.size(axis);
  return {weight.size(1) * kernel, weight.size(0) * kernel};
}

double calculate_gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::Linear:
    case Nonlinearity::Sigmoid: return 1;
    case Nonlinearity::Tanh: return 5.0 / 3;
    case Nonlinearity::Relu: return std::sqrt(2.0);
    case Nonlinearity::LeakyRelu: return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::Selu: return 0.75;
  }
  return 1;
}

Tensor& uniform_(Tensor& x, double low, double high) {
  const NoGrad no_grad;
  fill_uniform(x, low, high);
  return x;
}

Tensor& normal_(Tensor& x, double mean, double std) {
  const NoGrad no_grad;
  fill_normal(x, mean, std);
  return x;
}

Tensor& constant_(Tensor& x, double value) {
  const NoGrad no_grad;
  fill_(x, value);
  return x;
}

Tensor& zeros_(Tensor& x) { return constant_(x, 0); }
Tensor& ones_(Tensor& x) { return constant_(x, 1); }

Tensor& xavier_uniform_(Tensor& x, double gain) {
  const double bound = std::sqrt(3.0) * xavier_std(x, gain);
  return uniform_(x, -bound, bound);
}

Tensor& xavier_normal_(Tensor& x, double gain) { return normal_(x, 0, xavier_std(x, gain)); }

Tensor& kaiming_uniform_(Tensor& x, double slope, FanMode mode, Nonlinearity nonlinearity) {
  const double bound = std::sqrt(3.0) * kaiming_std(x, slope, mode, nonlinearity);
  return uniform_(x, -bound, bound);
}

Tensor& kaiming_normal_(Tensor& x, double slope, FanMode mode, Nonlinearity nonlinearity) {
  return normal_(x, 0, kaiming_std(x, slope, mode, nonlinearity));
}

}  // namespace eigengrad::nn::init
