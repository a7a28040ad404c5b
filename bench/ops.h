// The ops that are timed one by one, with two vectors of one length, a multiple of 100.
#pragma once

#include <eigengrad/eigengrad.h>

#include <map>
#include <string>
#include <utility>

namespace bench {

using eigengrad::Tensor;
using Op = Tensor (*)(const Tensor& x, const Tensor& y);

/// Between what numbers the elements of x and y lie.
inline std::pair<float, float> range_of(const std::string& op) {
  if (op == "asin" || op == "acos" || op == "atanh") return {-0.9F, 0.9F};
  if (op == "logit") return {0.1F, 0.9F};
  if (op == "acosh") return {1.F, 3.F};
  return {0.1F, 2.F};
}

inline Tensor rows(const Tensor& x) { return reshape(x, {-1, 100}); }

// clang-format off
#define UNARY(op) {#op, [](const Tensor& x, const Tensor&) { return op(x); }}
#define BINARY(op) {#op, [](const Tensor& x, const Tensor& y) { return op(x, y); }}
// clang-format on
/// By name; steps/pytorch.py has the same.
inline const std::map<std::string, Op>& ops() {
  static const std::map<std::string, Op> table{
      UNARY(abs),
      UNARY(neg),
      UNARY(exp),
      UNARY(log),
      UNARY(log1p),
      UNARY(expm1),
      UNARY(exp2),
      UNARY(log2),
      UNARY(log10),
      UNARY(sqrt),
      UNARY(rsqrt),
      UNARY(sin),
      UNARY(cos),
      UNARY(tan),
      UNARY(atan),
      UNARY(sinh),
      UNARY(cosh),
      UNARY(asinh),
      UNARY(tanh),
      UNARY(sigmoid),
      UNARY(relu),
      UNARY(gelu),
      UNARY(silu),
      UNARY(softplus),
      UNARY(erf),
      UNARY(erfc),
      UNARY(square),
      UNARY(reciprocal),
      UNARY(floor),
      UNARY(sign),
      UNARY(sinc),
      UNARY(asin),
      UNARY(acos),
      UNARY(acosh),
      UNARY(atanh),
      UNARY(frac),
      UNARY(ceil),
      UNARY(round),
      UNARY(trunc),
      UNARY(nan_to_num),
      UNARY(logit),
      UNARY(leaky_relu),
      UNARY(elu),
      UNARY(celu),
      UNARY(selu),
      UNARY(mish),
      UNARY(softsign),
      UNARY(logsigmoid),
      UNARY(hardtanh),
      UNARY(hardsigmoid),
      UNARY(hardswish),
      UNARY(relu6),
      UNARY(tanhshrink),
      UNARY(hardshrink),
      UNARY(softshrink),
      UNARY(isnan),
      UNARY(isinf),
      UNARY(isfinite),
      UNARY(sum),
      UNARY(mean),
      UNARY(max),
      UNARY(min),
      UNARY(prod),
      {"std", [](const Tensor& x, const Tensor&) { return eigengrad::std(x); }},
      UNARY(norm),
      UNARY(count_nonzero),
      UNARY(any),
      UNARY(all),
      BINARY(add),
      BINARY(sub),
      BINARY(mul),
      BINARY(div),
      BINARY(maximum),
      BINARY(pow),
      BINARY(atan2),
      BINARY(hypot),
      BINARY(fmod),
      BINARY(remainder),
      BINARY(floor_divide),
      BINARY(minimum),
      BINARY(logaddexp),
      BINARY(xlogy),
      BINARY(eq),
      BINARY(ne),
      BINARY(lt),
      BINARY(le),
      BINARY(gt),
      BINARY(ge),
      {"cube", [](const Tensor& x, const Tensor&) { return pow(x, 3); }},
      {"clamp", [](const Tensor& x, const Tensor&) { return clamp(x, 0.5, 1.5); }},
      {"threshold", [](const Tensor& x, const Tensor&) { return threshold(x, 1, 0.5); }},
      {"glu", [](const Tensor& x, const Tensor&) { return glu(rows(x)); }},
      {"where", [](const Tensor& x, const Tensor& y) { return where(x > 1, x, y); }},
      {"logical_and", [](const Tensor& x, const Tensor& y) { return logical_and(x > 1, y > 1); }},
      {"lerp", [](const Tensor& x, const Tensor& y) { return lerp(x, y, 0.3); }},
      {"addcmul", [](const Tensor& x, const Tensor& y) { return addcmul(x, y, y, 0.5); }},
      {"addcdiv", [](const Tensor& x, const Tensor& y) { return addcdiv(x, y, y, 0.5); }},
      {"prelu", [](const Tensor& x, const Tensor& y) { return prelu(x, narrow(y, 0, 0, 1)); }},
      {"argmin", [](const Tensor& x, const Tensor&) { return argmin(x, 0); }},
      {"cumprod", [](const Tensor& x, const Tensor&) { return cumprod(x, 0); }},
      {"logsumexp", [](const Tensor& x, const Tensor&) { return logsumexp(rows(x), {1}); }},
      {"prod_rows", [](const Tensor& x, const Tensor&) { return prod(rows(x), {1}); }},
      {"min_columns", [](const Tensor& x, const Tensor&) { return amin(rows(x), {0}); }},
      {"argmax", [](const Tensor& x, const Tensor&) { return argmax(x, 0); }},
      {"cumsum", [](const Tensor& x, const Tensor&) { return cumsum(x, 0); }},
      {"sum_rows", [](const Tensor& x, const Tensor&) { return sum(rows(x), {1}); }},
      {"sum_columns", [](const Tensor& x, const Tensor&) { return sum(rows(x), {0}); }},
      {"var_rows", [](const Tensor& x, const Tensor&) { return var(rows(x), {1}); }},
      {"max_rows", [](const Tensor& x, const Tensor&) { return amax(rows(x), {1}); }},
      {"softmax", [](const Tensor& x, const Tensor&) { return softmax(rows(x), 1); }},
      {"log_softmax", [](const Tensor& x, const Tensor&) { return log_softmax(rows(x), 1); }},
      {"layer_norm", [](const Tensor& x, const Tensor&) { return layer_norm(rows(x), {100}); }},
      {"transpose", [](const Tensor& x, const Tensor&) { return contiguous(transpose(rows(x), 0, 1)); }},
      {"add_row", [](const Tensor& x, const Tensor& y) { return rows(x) + narrow(y, 0, 0, 100); }},
  };
  return table;
}
#undef UNARY
#undef BINARY

}  // namespace bench
