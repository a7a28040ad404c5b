#include "eigengrad/nn/linear.h"

#include <algorithm>
#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/nn/repr.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

const LinearOptions& checked(const LinearOptions& o) {
  EG_CHECK(o.in_features >= 1 && o.out_features >= 1, ValueError,
           "[Linear] in_features and out_features must be at least 1, found {} and {}", o.in_features, o.out_features);
  return o;
}

const BilinearOptions& checked(const BilinearOptions& o) {
  EG_CHECK(o.in1_features >= 1 && o.in2_features >= 1 && o.out_features >= 1, ValueError,
           "[Bilinear] in1_features, in2_features and out_features must be at least 1, found {}, {} and {}",
           o.in1_features, o.in2_features, o.out_features);
  return o;
}

}  // namespace

void describe(config::Fields& f, LinearOptions& o) {
  f("in_features", o.in_features,
    {.help = "size of each input sample; 0 takes it from the layer before", .min = 0, .max = kMaxExtent});
  f("out_features", o.out_features,
    {.help = "size of each output sample", .required = true, .min = 1, .max = kMaxExtent});
  f("bias", o.bias, {.help = "learn a bias that is added to the output"});
}

Linear::Linear(Options options) : Layer(checked(options)) { init::linear_(weight, bias); }

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

Tensor Linear::forward_relu(const Tensor& x) { return is_just<Linear>() ? linear_relu(x, weight, bias) : Tensor(); }

std::string Linear::extra_repr() const {
  return fmt::format("in_features={}, out_features={}, bias={}", options_.in_features, options_.out_features,
                     bool_text(options_.bias));
}

Shape Linear::infer(Options& options, const Shape& input) {
  EG_CHECK(!input.empty(), ShapeError, "expects an input with an axis of features");
  infer_extent(options.in_features, "in_features", input.back());
  Shape output = input;
  output.back() = options.out_features;
  return output;
}

void describe(config::Fields& f, BilinearOptions& o) {
  f("in1_features", o.in1_features,
    {.help = "size of the first input; 0 takes it from the data", .min = 0, .max = kMaxExtent});
  f("in2_features", o.in2_features,
    {.help = "size of the second input; 0 takes it from the data", .min = 0, .max = kMaxExtent});
  f("out_features", o.out_features,
    {.help = "size of each output sample", .required = true, .min = 1, .max = kMaxExtent});
  f("bias", o.bias, {.help = "learn a bias that is added to the output"});
}

Bilinear::Bilinear(Options options) : Layer(checked(options)) {
  const double bound = 1 / std::sqrt(static_cast<double>(options_.in1_features));
  init::uniform_(weight, -bound, bound);
  if (bias.defined()) init::uniform_(bias, -bound, bound);
}

Tensor Bilinear::operator()(Arg x1, const Tensor& x2) {
  return run({*x1, x2}, [this](std::span<const Tensor> x) { return forward(x[0], x[1]); });
}

Tensor Bilinear::forward(const Tensor& x1, const Tensor& x2) {
  const Options& o = options_;
  const auto fits = [](const Tensor& x, std::int64_t features) {
    return x.defined() && x.dim() >= 1 && x.size(-1) == features;
  };
  EG_CHECK(fits(x1, o.in1_features) && fits(x2, o.in2_features) &&
               std::equal(x1.shape().begin(), x1.shape().end() - 1, x2.shape().begin(), x2.shape().end() - 1),
           ShapeError, "[Bilinear] expected inputs [.., {}] and [.., {}], found {} and {}", o.in1_features,
           o.in2_features, x1.defined() ? to_string(x1.shape()) : "nothing",
           x2.defined() ? to_string(x2.shape()) : "nothing");
  // x1·weight for every output at once, then the product with x2: [B, out, in2]·[B, in2, 1].
  const Tensor flat = permute(weight, {1, 0, 2}), rows = reshape(x1, {-1, o.in1_features});
  const Tensor left = reshape(matmul(rows, reshape(flat, {o.in1_features, -1})), {-1, o.out_features, o.in2_features});
  const Tensor y = matmul(left, reshape(x2, {-1, o.in2_features, 1}));
  Shape shape = x1.shape();
  shape.back() = o.out_features;
  const Tensor result = reshape(y, shape);
  return bias.defined() ? result + bias : result;
}

Tensor Bilinear::forward_all(std::span<const Tensor> inputs) {
  EG_CHECK(inputs.size() == 2, ValueError, "[Bilinear] found {} inputs, expected two", inputs.size());
  return forward(inputs[0], inputs[1]);
}

std::string Bilinear::extra_repr() const {
  const Options& o = options_;
  return fmt::format("in1_features={}, in2_features={}, out_features={}, bias={}", o.in1_features, o.in2_features,
                     o.out_features, bool_text(o.bias));
}

Shape Bilinear::infer(Options& o, std::span<const Shape> inputs) {
  EG_CHECK(inputs.size() == 2 && !inputs[0].empty() && !inputs[1].empty(), ShapeError,
           "expects two inputs with an axis of features");
  infer_extent(o.in1_features, "in1_features", inputs[0].back());
  infer_extent(o.in2_features, "in2_features", inputs[1].back());
  Shape output = inputs[0];
  output.back() = o.out_features;
  return output;
}

}  // namespace eigengrad::nn
