// Rows of random graphs: ops element by element, and reductions.
#include "tests/autograd/fuzz_rows.h"

namespace eigengrad::tests::fuzz {

std::vector<FuzzOp> math_ops() {
  return {
      unary("exp", [](const Tensor& x) { return exp(x * 0.5); }),
      unary("expm1", [](const Tensor& x) { return expm1(x * 0.5); }),
      unary("exp2", [](const Tensor& x) { return exp2(x * 0.5); }),
      unary("sinh", [](const Tensor& x) { return sinh(x * 0.5); }),
      unary("cosh", [](const Tensor& x) { return cosh(x * 0.5); }),
      unary("log", log, positive),
      unary("log1p", log1p, positive),
      unary("log2", log2, positive),
      unary("log10", log10, positive),
      unary("sqrt", sqrt, positive),
      unary("rsqrt", rsqrt, positive),
      unary("reciprocal", reciprocal, positive),
      unary("square", square),
      unary("sin", sin),
      unary("cos", cos),
      unary("tan", tan, unit),
      unary("asin", asin, unit),
      unary("acos", acos, unit),
      unary("atan", atan),
      unary("asinh", asinh),
      unary("acosh", acosh, above_one),
      unary("atanh", atanh, unit),
      unary("erf", erf),
      unary("erfc", erfc),
      unary("logit", [](const Tensor& x) { return logit(share(x)); }),
      unary("sinc", sinc),
      kinked("abs", abs),
      kinked("sign", sign),
      kinked("floor", floor),
      kinked("ceil", ceil),
      kinked("round", round),
      kinked("trunc", trunc),
      kinked("frac", frac),
      unary("nan_to_num", [](const Tensor& x) { return nan_to_num(x); }),
  };
}

std::vector<FuzzOp> activation_ops() {
  return {
      unary("sigmoid", sigmoid),
      unary("tanh", tanh),
      unary("gelu", [](const Tensor& x) { return gelu(x); }),
      unary("gelu tanh", [](const Tensor& x) { return gelu(x, GeluApproximate::Tanh); }),
      unary("softplus", [](const Tensor& x) { return softplus(x, 1.5); }),
      unary("silu", silu),
      unary("mish", mish),
      unary("logsigmoid", logsigmoid),
      unary("tanhshrink", tanhshrink),
      kinked("relu", relu),
      kinked("relu6", relu6),
      kinked("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); }),
      kinked("elu", [](const Tensor& x) { return elu(x, 1.5); }),
      kinked("celu", [](const Tensor& x) { return celu(x, 1.5); }),
      kinked("selu", selu),
      kinked("softsign", softsign),
      kinked("hardtanh", [](const Tensor& x) { return hardtanh(x); }),
      kinked("hardsigmoid", hardsigmoid),
      kinked("hardswish", hardswish),
      kinked("threshold", [](const Tensor& x) { return threshold(x, 1, -2); }),
      kinked("hardshrink", [](const Tensor& x) { return hardshrink(x); }),
      kinked("softshrink", [](const Tensor& x) { return softshrink(x); }),
      {"prelu", 2, any, [](R r, In x) { return prelu(off_kinks(r, x[0]), shaped(x[1], {1})); }},
      {"prelu channels", 2, any, [](R r, In x) { return prelu(off_kinks(r, sequence(r, x[0])), shaped(x[1], {2})); }},
      {"glu", 2, has_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return glu(cat({x[0], shaped(x[1], x[0].shape())}, axis), axis);
       }},
      along_axis("softmax", has_axis, softmax),
      along_axis("softmin", has_axis, softmin),
      along_axis("log_softmax", has_axis, log_softmax),
      {"dropout", 1, any,
       [](R r, In x) {
         manual_seed(r.next_u64());
         return dropout(x[0], 0.3, true);
       }},
  };
}

std::vector<FuzzOp> arithmetic_ops() {
  return {
      binary("add", add),
      binary("sub", sub),
      binary("mul", mul),
      binary("div", [](const Tensor& a, const Tensor& b) { return a / positive(b); }),
      binary("pow", [](const Tensor& a, const Tensor& b) { return pow(positive(a), unit(b)); }),
      binary("atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, positive(b)); }),
      binary("hypot", [](const Tensor& a, const Tensor& b) { return hypot(a, positive(b)); }),
      binary("logaddexp", logaddexp),
      binary("xlogy", [](const Tensor& a, const Tensor& b) { return xlogy(a, positive(b)); }),
      ordering("maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); }),
      ordering("minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); }),
      // a / b stays between 2 and 3.
      {"fmod", 2, any,
       [](R r, In x) { return fmod(off_kinks(r, x[0]) * 0.5 + 25, unit(partner(r, x[1], x[0])) * 0.2 + 10); }},
      {"remainder", 2, any,
       [](R r, In x) { return remainder(off_kinks(r, x[0]) * 0.5 - 25, unit(partner(r, x[1], x[0])) * 0.2 + 10); }},
      unary("neg", neg),
      unary("number plus", [](const Tensor& x) { return 0.5 + x; }),
      unary("number minus", [](const Tensor& x) { return 0.5 - x; }),
      unary("times number", [](const Tensor& x) { return x * -1.5; }),
      unary("number over", [](const Tensor& x) { return 2 / positive(x); }),
      unary("pow number", [](const Tensor& x) { return pow(x, 3); }),
      unary("number pow", [](const Tensor& x) { return pow(1.5, x); }),
      kinked("clamp", [](const Tensor& x) { return clamp(x, -1, 3); }),
      {"lerp", 3, any, [](R r, In x) { return lerp(x[0], partner(r, x[1], x[0]), shaped(x[2], x[0].shape())); }},
      {"lerp number", 2, any, [](R r, In x) { return lerp(x[0], partner(r, x[1], x[0]), 0.3); }},
      {"addcmul", 3, any,
       [](R r, In x) { return addcmul(x[0], partner(r, x[1], x[0]), shaped(x[2], x[0].shape()), 0.7); }},
      {"addcdiv", 3, any,
       [](R r, In x) { return addcdiv(x[0], partner(r, x[1], x[0]), positive(shaped(x[2], x[0].shape())), 0.7); }},
      {"where", 2, any,
       [](R r, In x) { return where(mask(r, partner_of(r, x[0].shape())), x[0], shaped(x[1], x[0].shape())); }},
      {"where number", 1, any, [](R r, In x) { return where(mask(r, x[0].shape()), 0.5, x[0]); }},
      {"masked_fill", 1, any, [](R r, In x) { return masked_fill(x[0], mask(r, x[0].shape()), -0.5); }},
  };
}

std::vector<FuzzOp> reduce_ops() {
  return {
      reduction("sum", any, sum),
      reduction("mean", filled, mean),
      reduction("prod", any, prod),
      reduction("logsumexp", filled, logsumexp),
      {"var", 1, filled,
       [](R r, In x) {
         return var(x[0], axes_of(r, x[0]), pick(r, {0.0, 0.5}), coin(r));
       }},
      {"var unbiased", 1, has_spread, [](R r, In x) { return var(x[0], axes_of(r, x[0]), 1, coin(r)); }},
      {"std", 1, has_spread, [](R r, In x) { return std(distinct(r, x[0]), axes_of(r, x[0]), 1, coin(r)); }},
      {"norm", 1, filled,
       [](R r, In x) {
         return norm(off_kinks(r, x[0]), pick(r, {1.0, 2.0, 3.5}), axes_of(r, x[0]), coin(r));
       }},
      {"norm infinite", 1, filled,
       [](R r, In x) {
         const Tensor away = distinct(r, x[0]) + 10;
         return norm(away, std::numeric_limits<double>::infinity(), axes_of(r, x[0]), coin(r));
       }},
      {"amax", 1, filled, [](R r, In x) { return amax(distinct(r, x[0]), axes_of(r, x[0]), coin(r)); }},
      {"amin", 1, filled, [](R r, In x) { return amin(distinct(r, x[0]), axes_of(r, x[0]), coin(r)); }},
      {"sum_to", 2, any,
       [](R r, In x) {
         const Tensor y = partner(r, x[1], x[0]);
         return sum_to(x[0] * y, y.shape());
       }},
  };
}

}  // namespace eigengrad::tests::fuzz
