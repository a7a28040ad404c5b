#include "eigengrad/nn/linear.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/ops/linalg.h"

namespace eigengrad::nn {
namespace {

LinearOptions checked(const LinearOptions& o) {
  EG_CHECK(o.in_features >= 1 && o.out_features >= 1, ValueError,
           "[Linear] in_features and out_features must be at least 1, found {} and {}", o.in_features, o.out_features);
  return o;
}

}  // namespace

void describe(config::Fields& f, LinearOptions& o) {
  f("in_features", o.in_features, {.help = "size of each input sample; 0 takes it from the layer before", .min = 0});
  f("out_features", o.out_features, {.help = "size of each output sample", .required = true, .min = 1});
  f("bias", o.bias, {.help = "learn a bias that is added to the output"});
}

Linear::Linear(Options options) : options_(checked(options)) {
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  const double bound = 1 / std::sqrt(static_cast<double>(options_.in_features));
  if (bias.defined()) init::uniform_(bias, -bound, bound);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

std::string Linear::extra_repr() const {
  return fmt::format("in_features={}, out_features={}, bias={}", options_.in_features, options_.out_features,
                     options_.bias ? "True" : "False");
}

Shape Linear::infer(Options& options, const Shape& input) {
  EG_CHECK(!input.empty(), ShapeError, "expects an input with an axis of features");
  if (options.in_features == 0) options.in_features = input.back();
  EG_CHECK(options.in_features == input.back(), ShapeError, "expects in_features = {}", options.in_features);
  Shape output = input;
  output.back() = options.out_features;
  return output;
}

}  // namespace eigengrad::nn
