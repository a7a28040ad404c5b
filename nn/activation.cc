#include "eigengrad/nn/activation.h"

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/repr.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
void describe(config::Fields& f, GELUOptions& o) {
  f.choice<GeluApproximate>("approximate", o.approximate,
                            {{"none", GeluApproximate::None}, {"tanh", GeluApproximate::Tanh}},
                            {.help = "the exact function, or its tanh approximation"});
}

void describe(config::Fields& f, LeakyReLUOptions& o) {
  f("negative_slope", o.negative_slope, {.help = "slope where x is negative"});
}

void describe(config::Fields& f, ELUOptions& o) {
  f("alpha", o.alpha, {.help = "the limit where x is negative", .min = 0, .above_min = true});
}

void describe(config::Fields& f, HardtanhOptions& o) {
  f("min_val", o.min_val, {.help = "lower limit"});
  f("max_val", o.max_val, {.help = "upper limit"});
}

void describe(config::Fields& f, SoftplusOptions& o) {
  f("beta", o.beta, {.help = "steepness", .min = 0, .above_min = true});
}

void describe(config::Fields& f, SoftmaxOptions& o) {
  f("dim", o.dim, {.help = "the axis along which the values sum to 1"});
}

void describe(config::Fields& f, ShrinkOptions& o) {
  f("lambd", o.lambd, {.help = "half the width of what becomes 0", .min = 0});
}

void describe(config::Fields& f, ThresholdOptions& o) {
  f("threshold", o.threshold, {.help = "what x has to exceed", .required = true});
  f("value", o.value, {.help = "what it becomes otherwise", .required = true});
}

void describe(config::Fields& f, PReLUOptions& o) {
  f("num_parameters", o.num_parameters,
    {.help = "slopes to learn: 1, or one for each channel", .min = 1, .max = kMaxExtent});
  f("init", o.init, {.help = "what they begin as"});
}

void describe(config::Fields& f, RReLUOptions& o) {
  f("lower", o.lower, {.help = "least slope where x is negative"});
  f("upper", o.upper, {.help = "greatest slope"});
}

void describe(config::Fields& f, GLUOptions& o) { f("dim", o.dim, {.help = "the axis that is halved"}); }

std::string GELU::extra_repr() const {
  return fmt::format("approximate='{}'", options_.approximate == GeluApproximate::None ? "none" : "tanh");
}

std::string LeakyReLU::extra_repr() const {
  return fmt::format("negative_slope={}", number_text(options_.negative_slope));
}
std::string ELU::extra_repr() const { return fmt::format("alpha={}", number_text(options_.alpha)); }
std::string CELU::extra_repr() const { return fmt::format("alpha={}", number_text(options_.alpha)); }

Hardtanh::Hardtanh(Options options) : SameShape(options) {
  EG_CHECK(options.min_val < options.max_val, ValueError, "[Hardtanh] min_val must be below max_val, found {} and {}",
           options.min_val, options.max_val);
}
std::string Hardtanh::extra_repr() const {
  return fmt::format("min_val={}, max_val={}", number_text(options_.min_val), number_text(options_.max_val));
}
std::string Softplus::extra_repr() const { return fmt::format("beta={}", number_text(options_.beta)); }
std::string Softmax::extra_repr() const { return fmt::format("dim={}", options_.dim); }
std::string LogSoftmax::extra_repr() const { return fmt::format("dim={}", options_.dim); }

Shape Softmax::infer(Options& options, const Shape& input) {
  check_batch_axis(input, options.dim);
  return input;
}

std::string Softmin::extra_repr() const { return fmt::format("dim={}", options_.dim); }

Tensor Softmax2d::forward(const Tensor& x) {
  EG_CHECK(x.dim() == 3 || x.dim() == 4, ShapeError, "[Softmax2d] expected [N, C, H, W] or [C, H, W], found {}",
           x.shape());
  return softmax(x, -3);
}
Shape Softmax2d::infer(Options&, const Shape& input) {
  check_channels_first(input, 2);
  return input;
}

std::string Hardshrink::extra_repr() const { return fmt::format("{}", number_text(options_.lambd)); }
std::string Softshrink::extra_repr() const { return fmt::format("{}", number_text(options_.lambd)); }
std::string Threshold::extra_repr() const {
  return fmt::format("threshold={}, value={}", number_text(options_.threshold), number_text(options_.value));
}

PReLU::PReLU(Options options) : SameShape(options) {
  EG_CHECK(options.num_parameters >= 1, ValueError, "[PReLU] num_parameters must be at least 1, found {}",
           options.num_parameters);
}
std::string PReLU::extra_repr() const { return fmt::format("num_parameters={}", options_.num_parameters); }
Shape PReLU::infer(Options& options, const Shape& input) {
  const std::int64_t channels = input.empty() ? 1 : input[0];
  EG_CHECK(options.num_parameters == 1 || options.num_parameters == channels, ShapeError, "expects {} channels",
           options.num_parameters);
  return input;
}

RReLU::RReLU(Options options) : SameShape(options) {
  EG_CHECK(options.lower <= options.upper, ValueError, "[RReLU] lower must not be above upper, found {} and {}",
           options.lower, options.upper);
}
Tensor RReLU::forward(const Tensor& x) {
  if (!is_training()) return leaky_relu(x, (options_.lower + options_.upper) / 2);
  const Tensor slope = rand(x.shape(), x.dtype()) * (options_.upper - options_.lower) + options_.lower;
  return where(x > 0, x, x * slope);
}
std::string RReLU::extra_repr() const {
  return fmt::format("lower={}, upper={}", number_text(options_.lower), number_text(options_.upper));
}

std::string GLU::extra_repr() const { return fmt::format("dim={}", options_.dim); }
Shape GLU::infer(Options& options, const Shape& input) {
  Shape output = input;
  std::int64_t& extent = output[sample_axis(input, options.dim)];
  EG_CHECK(extent % 2 == 0, ShapeError, "expects an even number of elements along axis {}", options.dim);
  extent /= 2;
  return output;
}

}  // namespace eigengrad::nn
