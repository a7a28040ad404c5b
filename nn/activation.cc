#include "eigengrad/nn/activation.h"

#include "eigengrad/core/check.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::nn {
namespace {

Shape with_batch(const Shape& sample) {
  Shape batch = sample;
  batch.insert(0, 1);
  return batch;
}

void check_axis(const Shape& batch, std::int64_t axis) {
  EG_CHECK(axis >= -batch.rank() && axis < batch.rank(), ShapeError,
           "axis {} is out of range ({} to {}, 0 is the batch)", axis, -batch.rank(), batch.rank() - 1);
}

}  // namespace

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

void describe(config::Fields& f, DropoutOptions& o) {
  f("p", o.p, {.help = "probability of an element to be zeroed", .min = 0, .max = 1});
}

void describe(config::Fields& f, FlattenOptions& o) {
  f("start_dim", o.start_dim, {.help = "first axis to flatten"});
  f("end_dim", o.end_dim, {.help = "last axis to flatten"});
}

std::string GELU::extra_repr() const {
  return fmt::format("approximate='{}'", options_.approximate == GeluApproximate::None ? "none" : "tanh");
}

std::string LeakyReLU::extra_repr() const { return fmt::format("negative_slope={}", options_.negative_slope); }
std::string ELU::extra_repr() const { return fmt::format("alpha={}", options_.alpha); }
std::string CELU::extra_repr() const { return fmt::format("alpha={}", options_.alpha); }

Hardtanh::Hardtanh(Options options) : SameShape(options) {
  EG_CHECK(options.min_val < options.max_val, ValueError, "[Hardtanh] min_val must be below max_val, found {} and {}",
           options.min_val, options.max_val);
}
std::string Hardtanh::extra_repr() const {
  return fmt::format("min_val={}, max_val={}", options_.min_val, options_.max_val);
}
std::string Softplus::extra_repr() const { return fmt::format("beta={}", options_.beta); }
std::string Softmax::extra_repr() const { return fmt::format("dim={}", options_.dim); }
std::string LogSoftmax::extra_repr() const { return fmt::format("dim={}", options_.dim); }

Shape Softmax::infer(Options& options, const Shape& input) {
  check_axis(with_batch(input), options.dim);
  return input;
}

Dropout::Dropout(Options options) : SameShape(options) {
  EG_CHECK(options.p >= 0 && options.p <= 1, ValueError, "[Dropout] the probability must be in [0, 1], found {}",
           options.p);
}
std::string Dropout::extra_repr() const { return fmt::format("p={}", options_.p); }

Tensor Flatten::forward(const Tensor& x) { return flatten(x, options_.start_dim, options_.end_dim); }

std::string Flatten::extra_repr() const {
  return fmt::format("start_dim={}, end_dim={}", options_.start_dim, options_.end_dim);
}

Shape Flatten::infer(Options& options, const Shape& input) {
  checked_numel(input);
  const Shape batched = with_batch(input);
  check_axis(batched, options.start_dim);
  check_axis(batched, options.end_dim);
  const std::int64_t first = normalize_axis("Flatten", options.start_dim, batched.rank());
  const std::int64_t last = normalize_axis("Flatten", options.end_dim, batched.rank());
  EG_CHECK(first >= 1 && (first <= last || batched.rank() == 1), ShapeError,
           "cannot flatten axes {} to {}: the batch axis must stay", options.start_dim, options.end_dim);
  Shape output;
  for (std::int64_t axis = 1; axis < batched.rank(); ++axis) {
    const std::int64_t extent = batched[static_cast<std::size_t>(axis)];
    if (axis > first && axis <= last)
      output.back() *= extent;
    else
      output.push_back(extent);
  }
  return output.empty() ? Shape{1} : output;
}

}  // namespace eigengrad::nn
