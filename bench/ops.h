// The ops that are timed one by one, with two vectors of one length, a multiple of 100.
#pragma once

#include <eigengrad/eigengrad.h>

#include <map>
#include <string>

namespace bench {

using eigengrad::Tensor;
using Op = Tensor (*)(const Tensor& x, const Tensor& y);

inline Tensor rows(const Tensor& x) { return reshape(x, {-1, 100}); }

// clang-format off
#define UNARY(op) {#op, [](const Tensor& x, const Tensor&) { return op(x); }}
#define BINARY(op) {#op, [](const Tensor& x, const Tensor& y) { return op(x, y); }}
// clang-format on
/// By name; steps/pytorch.py has the same.
inline const std::map<std::string, Op>& ops() {
  static const std::map<std::string, Op> all{
      UNARY(abs),
      UNARY(neg),
      UNARY(exp),
      UNARY(log),
      UNARY(log1p),
      UNARY(expm1),
      UNARY(sqrt),
      UNARY(rsqrt),
      UNARY(sin),
      UNARY(cos),
      UNARY(tanh),
      UNARY(sigmoid),
      UNARY(relu),
      UNARY(gelu),
      UNARY(silu),
      UNARY(softplus),
      UNARY(erf),
      UNARY(square),
      UNARY(reciprocal),
      UNARY(floor),
      UNARY(sum),
      UNARY(mean),
      UNARY(max),
      BINARY(add),
      BINARY(sub),
      BINARY(mul),
      BINARY(div),
      BINARY(maximum),
      BINARY(pow),
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
  return all;
}
#undef UNARY
#undef BINARY

}  // namespace bench
