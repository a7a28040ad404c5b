#include "eigengrad/nn/init.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

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

void check_matrix(const char* op, const Tensor& x) {
  EG_CHECK(x.dim() == 2, ShapeError, "[{}] expected a matrix, found a shape of {}", op, x.shape());
}

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

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

void linear_(Tensor& weight, Tensor& bias) {
  kaiming_uniform_(weight, std::sqrt(5.0));
  const double bound = 1 / std::sqrt(static_cast<double>(fans(weight).in));
  if (bias.defined()) uniform_(bias, -bound, bound);
}

Tensor& trunc_normal_(Tensor& x, double mean, double std, double low, double high) {
  EG_CHECK(low < high && std > 0, ValueError,
           "[trunc_normal_] expected low < high and std > 0, found {}, {} and a std of {}", low, high, std);
  const NoGrad no_grad;
  // Uniform between the values of the distribution function at the limits, and from there back.
  Tensor drawn = empty(x.shape(), kFloat64);
  fill_uniform(drawn, normal_cdf((low - mean) / std), normal_cdf((high - mean) / std));
  for (double& value : drawn.mutable_data<double>()) {
    const double p = std::clamp(value, 1e-300, 1 - 1e-16);
    value = std::clamp(mean + std * normal_quantile(p), low, high);
  }
  copy_(x, drawn);
  return x;
}

Tensor& orthogonal_(Tensor& x, double gain) {
  EG_CHECK(x.dim() >= 2, ShapeError, "[orthogonal_] expected at least two axes, found a shape of {}", x.shape());
  const NoGrad no_grad;
  if (x.numel() == 0) return x;
  const std::int64_t rows = x.size(0), columns = x.numel() / rows;
  const Tensor random = randn(rows < columns ? Shape{columns, rows} : Shape{rows, columns}, kFloat64);
  const auto [q, r] = qr(random);
  // Q times the signs of R's diagonal is uniform among orthogonal matrices (Mezzadri 2007).
  const Tensor uniform = q * sign(diagonal(r));
  copy_(x, reshape((rows < columns ? transpose(uniform) : uniform) * gain, x.shape()));
  return x;
}

Tensor& sparse_(Tensor& x, double sparsity, double std) {
  check_matrix("sparse_", x);
  EG_CHECK(sparsity >= 0 && sparsity <= 1, ValueError, "[sparse_] the sparsity must be in [0, 1], found {}", sparsity);
  const NoGrad no_grad;
  normal_(x, 0, std);
  const std::int64_t rows = x.size(0);
  const auto zeros_of_each = static_cast<std::int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  for (std::int64_t column = 0; column < x.size(1); ++column) {
    const std::vector<std::int64_t> order = randperm(rows).to_vector<std::int64_t>();
    for (std::int64_t i = 0; i < zeros_of_each; ++i) {
      Tensor element = select(select(x, 0, order[static_cast<std::size_t>(i)]), 0, column);
      zero_(element);
    }
  }
  return x;
}

Tensor& eye_(Tensor& x) {
  check_matrix("eye_", x);
  zeros_(x);
  const NoGrad no_grad;
  Tensor ones_of_it = diagonal(x);
  fill_(ones_of_it, 1);
  return x;
}

Tensor& dirac_(Tensor& x, std::int64_t groups) {
  EG_CHECK(x.dim() >= 3 && x.dim() <= 5, ShapeError, "[dirac_] expected 3 to 5 axes, found a shape of {}", x.shape());
  EG_CHECK(groups >= 1 && x.size(0) % groups == 0, ShapeError, "[dirac_] {} channels cannot be cut into {} groups",
           x.size(0), groups);
  zeros_(x);
  const NoGrad no_grad;
  const std::int64_t out = x.size(0) / groups, shared = std::min(out, x.size(1));
  for (std::int64_t channel = 0; channel < groups * shared; ++channel) {
    Tensor middle = select(select(x, 0, channel / shared * out + channel % shared), 0, channel % shared);
    while (middle.dim() > 0) middle = select(middle, 0, middle.size(0) / 2);
    fill_(middle, 1);
  }
  return x;
}

}  // namespace eigengrad::nn::init
