#include "tests/ops/op_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::tests {
namespace {

// ---- Shapes.

const Cases kUnary = {{{{2, 3}}, {{}}, {{0, 3}}, {{1, 4, 1}}, {{7}}}, {{401, 400}}};
const Cases kBinary = {{{{2, 3}, {2, 3}},
                        {{2, 3}, {3}},
                        {{3}, {2, 3}},
                        {{2, 1}, {1, 3}},
                        {{2, 3}, {}},
                        {{}, {3}},
                        {{}, {}},
                        {{1, 1}, {2}},
                        {{0, 3}, {1, 3}},
                        {{2, 1, 2}, {3, 1}}},
                       {{401, 400}, {400}}};
const Cases kTernary = {{{{2, 3}, {2, 3}}, {{2, 3}, {}}, {{1}, {2, 3}}, {{2, 3}, {2, 1}}}, {}};
const Cases kMatrices = {{{{2, 3}}, {{1, 3}}, {{2, 1}}, {{2, 3, 2}}}, {{401, 400}}};
const Cases kReduced = {{{{2, 3}}, {{3, 1}}, {{2, 3, 2}}, {{0, 3}}}, {{403, 401}}};
const Cases kFilled = {{{{2, 3}}, {{3, 1}}, {{2, 3, 2}}}, {{403, 401}}};
const Cases kTwoOfAKind = {{{{2, 3}, {2, 3}}, {{0, 3}, {2, 3}}, {{1, 3}, {1, 3}}}, {}};
const Cases kStacked = {{{{2, 3}, {2, 3}}, {{}, {}}, {{0, 3}, {0, 3}}}, {}};
const Cases kLosses = {{{{2, 3}, {2, 3}}, {{4}, {4}}, {{1, 1}, {1, 1}}}, {{401, 400}, {401, 400}}};
const Cases kLogits = {{{{3, 4}}}, {}};

// ---- Options.

RowOptions positive(double low = 0.5, double high = 3) { return {.domain = {{low, high}}}; }
RowOptions summed(double ulps = 4) { return {.ulps = ulps, .near_largest = true}; }
RowOptions of_bool(RowOptions options = {}) {
  options.takes_bool = true;
  return options;
}
RowOptions named(const char* op, RowOptions options = {}) {
  options.op = op;
  return options;
}

// ---- What stands beside the differentiable inputs.

Tensor integers(std::initializer_list<std::int64_t> values, const Shape& shape) {
  return tensor(std::vector<std::int64_t>(values), shape);
}
// true, false, false, true, false, false, …
Tensor mask(const Shape& shape) {
  Tensor result = empty(shape, kBool);
  std::int64_t i = 0;
  for (bool& value : result.mutable_data<bool>()) value = i++ % 3 == 0;
  return result;
}
Tensor class_weights(Dtype dtype) { return to(tensor({0.5, 2., 1.25, 0.75}), dtype); }

// Several results as one, each with a factor of its own.
Tensor together(const std::vector<Tensor>& parts) {
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < parts.size(); ++i) rows.push_back(flatten(parts[i]) * (static_cast<double>(i) + 1));
  return cat(rows);
}

const Tensor kTarget = integers({1, 3, 0}, {3});
const Tensor kTargetIgnoring = integers({1, -100, 0}, {3});
const Tensor kPixelTarget = integers({1, 3, 0, 2, 2, 1}, {2, 3});
using CE = CrossEntropyOptions;

// A row is a line.
// clang-format off
std::vector<OpRow> make_differentiable() {
  return {
      // arithmetic.h
      {"add", [](In x) { return add(x[0], x[1]); }, kBinary, of_bool()},
      {"sub", [](In x) { return sub(x[0], x[1]); }, kBinary},
      {"mul", [](In x) { return mul(x[0], x[1]); }, kBinary, of_bool()},
      {"div", [](In x) { return div(x[0], x[1]); }, kBinary, of_bool({.domain = {{-2, 2}, {0.5, 3}}})},
      {"remainder", [](In x) { return remainder(x[0], x[1]); }, kBinary, {.domain = {{-2, 2}, {2.5, 3.5}}}},
      {"remainder small", [](In x) { return remainder(x[0], x[1]); }, {{{{3}, {1}}}, {}}, {.domain = {{4.1, 4.4}, {1.6, 1.9}}}},
      {"pow", [](In x) { return pow(x[0], x[1]); }, kBinary, {.domain = {{0.5, 2}, {-2, 2}}}},
      {"maximum", [](In x) { return maximum(x[0], x[1]); }, kBinary, of_bool()},
      {"minimum", [](In x) { return minimum(x[0], x[1]); }, kBinary, of_bool()},
      {"neg", [](In x) { return neg(x[0]); }, kUnary},
      {"operator+ tensors", [](In x) { return x[0] + x[1]; }, kBinary, of_bool(named("add"))},
      {"operator+ right number", [](In x) { return x[0] + 1.5; }, kUnary, of_bool(named("add"))},
      {"operator+ left number", [](In x) { return 1.5 + x[0]; }, kUnary, of_bool(named("add"))},
      {"operator- tensors", [](In x) { return x[0] - x[1]; }, kBinary, named("sub")},
      {"operator- right number", [](In x) { return x[0] - 1.5; }, kUnary, of_bool(named("sub"))},
      {"operator- left number", [](In x) { return 1.5 - x[0]; }, kUnary, of_bool(named("sub"))},
      {"operator- sign", [](In x) { return -x[0]; }, kUnary, named("neg")},
      {"operator* tensors", [](In x) { return x[0] * x[1]; }, kBinary, of_bool(named("mul"))},
      {"operator* right number", [](In x) { return x[0] * 1.5; }, kUnary, of_bool(named("mul"))},
      {"operator* left number", [](In x) { return -1.5 * x[0]; }, kUnary, of_bool(named("mul"))},
      {"operator/ tensors", [](In x) { return x[0] / x[1]; }, kBinary, of_bool(named("div", positive()))},
      {"operator/ right number", [](In x) { return x[0] / 1.5; }, kUnary, of_bool(named("div"))},
      {"operator/ left number", [](In x) { return 1.5 / x[0]; }, kUnary, of_bool(named("div", positive()))},
      {"operator+= tensors", [](In x) { Tensor y = x[0]; return y += x[1]; }, kBinary, of_bool(named("add"))},
      {"operator+= number", [](In x) { Tensor y = x[0]; return y += 1.5; }, kUnary, of_bool(named("add"))},
      {"operator-= tensors", [](In x) { Tensor y = x[0]; return y -= x[1]; }, kBinary, named("sub")},
      {"operator-= number", [](In x) { Tensor y = x[0]; return y -= 1.5; }, kUnary, of_bool(named("sub"))},
      {"operator*= tensors", [](In x) { Tensor y = x[0]; return y *= x[1]; }, kBinary, of_bool(named("mul"))},
      {"operator*= number", [](In x) { Tensor y = x[0]; return y *= 1.5; }, kUnary, of_bool(named("mul"))},
      {"operator/= tensors", [](In x) { Tensor y = x[0]; return y /= x[1]; }, kBinary, of_bool(named("div", positive()))},
      {"operator/= number", [](In x) { Tensor y = x[0]; return y /= 1.5; }, kUnary, of_bool(named("div"))},
      {"pow cube", [](In x) { return pow(x[0], 3); }, kUnary, of_bool()},
      {"pow square", [](In x) { return pow(x[0], 2); }, kUnary, named("square")},
      {"pow negative", [](In x) { return pow(x[0], -1.5); }, kUnary, of_bool(positive())},
      {"pow of number", [](In x) { return pow(1.5, x[0]); }, kUnary, of_bool()},
      {"maximum number", [](In x) { return maximum(x[0], 0.5); }, kUnary, of_bool()},
      {"minimum number", [](In x) { return minimum(x[0], 0.5); }, kUnary, of_bool()},
      {"clamp", [](In x) { return clamp(x[0], -0.5, 1); }, kUnary, of_bool()},
      // math.h
      {"exp", [](In x) { return exp(x[0]); }, kUnary},
      {"expm1", [](In x) { return expm1(x[0]); }, kUnary},
      {"log", [](In x) { return log(x[0]); }, kUnary, positive()},
      {"log1p", [](In x) { return log1p(x[0]); }, kUnary, positive(-0.5)},
      {"sqrt", [](In x) { return sqrt(x[0]); }, kUnary, positive()},
      {"rsqrt", [](In x) { return rsqrt(x[0]); }, kUnary, positive()},
      {"reciprocal", [](In x) { return reciprocal(x[0]); }, kUnary, positive()},
      {"square", [](In x) { return square(x[0]); }, kUnary},
      {"abs", [](In x) { return abs(x[0]); }, kUnary},
      {"sign", [](In x) { return sign(x[0]); }, kUnary},
      {"sin", [](In x) { return sin(x[0]); }, kUnary},
      {"cos", [](In x) { return cos(x[0]); }, kUnary},
      {"tan", [](In x) { return tan(x[0]); }, kUnary, {.domain = {{-1, 1}}}},
      {"asin", [](In x) { return asin(x[0]); }, kUnary, {.domain = {{-0.9, 0.9}}}},
      {"acos", [](In x) { return acos(x[0]); }, kUnary, {.domain = {{-0.9, 0.9}}}},
      {"atan", [](In x) { return atan(x[0]); }, kUnary},
      {"sinh", [](In x) { return sinh(x[0]); }, kUnary},
      {"cosh", [](In x) { return cosh(x[0]); }, kUnary},
      {"erf", [](In x) { return erf(x[0]); }, kUnary},
      {"floor", [](In x) { return floor(x[0]); }, kUnary},
      {"ceil", [](In x) { return ceil(x[0]); }, kUnary},
      {"round", [](In x) { return round(x[0]); }, kUnary},
      // activation.h
      {"relu", [](In x) { return relu(x[0]); }, kUnary},
      {"relu of result", [](In x) { return exp(relu(x[0])); }, kUnary},
      {"sigmoid", [](In x) { return sigmoid(x[0]); }, kUnary},
      {"tanh", [](In x) { return tanh(x[0]); }, kUnary},
      // In float32 the two terms of 1 + erf cancel where x is below -2, here as in PyTorch.
      {"gelu", [](In x) { return gelu(x[0]); }, kUnary, summed()},
      {"gelu tanh", [](In x) { return gelu(x[0], GeluApproximate::Tanh); }, kUnary, summed()},
      {"softplus", [](In x) { return softplus(x[0]); }, kUnary},
      {"softplus beta", [](In x) { return softplus(x[0], 2.5); }, kUnary},
      {"leaky_relu", [](In x) { return leaky_relu(x[0], 0.1); }, kUnary},
      {"elu", [](In x) { return elu(x[0], 1.5); }, kUnary},
      {"celu", [](In x) { return celu(x[0], 1.5); }, kUnary, named("elu")},
      {"selu", [](In x) { return selu(x[0]); }, kUnary, named("elu")},
      {"silu", [](In x) { return silu(x[0]); }, kUnary},
      {"mish", [](In x) { return mish(x[0]); }, kUnary, named("softplus")},
      {"softsign", [](In x) { return softsign(x[0]); }, kUnary, named("abs")},
      {"logsigmoid", [](In x) { return logsigmoid(x[0]); }, kUnary, named("neg")},
      {"hardtanh", [](In x) { return hardtanh(x[0], -0.7, 1.3); }, kUnary},
      {"hardsigmoid", [](In x) { return hardsigmoid(x[0]); }, kUnary, named("hardtanh")},
      {"hardswish", [](In x) { return hardswish(x[0]); }, kUnary, named("hardtanh", summed())},
      {"softmax last", [](In x) { return softmax(x[0], -1); }, kMatrices},
      {"softmax first", [](In x) { return softmax(x[0], 0); }, kReduced},
      {"log_softmax last", [](In x) { return log_softmax(x[0], -1); }, kMatrices, summed()},
      {"log_softmax first", [](In x) { return log_softmax(x[0], 0); }, kReduced, summed()},
      {"dropout", [](In x) { manual_seed(7); return dropout(x[0], 0.4, true); }, kUnary, {.random = true}},
      {"dropout off", [](In x) { return dropout(x[0] * 1.0, 0.4, false); }, kUnary, of_bool({.random = true})},
      // comparison.h
      {"where", [](In x) { return where(mask({2, 3}), x[0], x[1]); }, kTernary, of_bool()},
      {"where broadcast", [](In x) { return where(mask({2, 1}), x[0], x[1]); }, kTernary, of_bool()},
      {"where left number", [](In x) { return where(x[0].detach() > 0.5, 0.5, x[0]); }, kUnary, of_bool()},
      {"where right number", [](In x) { return where(x[0].detach() > 0.5, x[0], 0.5); }, kUnary, of_bool()},
      {"masked_fill", [](In x) { return masked_fill(x[0], mask({3}), -7); }, {{{{2, 3}}, {{3}}, {{0, 3}}}, {}}},
      // index.h
      {"index_select", [](In x) { return index_select(x[0], 1, integers({2, 0, 2}, {3})); }, {{{{2, 3}}, {{0, 3}}, {{2, 3, 2}}}, {}}, of_bool()},
      {"index_add", [](In x) { return index_add(x[0], -2, integers({2, 0, 2}, {3}), x[1]); }, {{{{3, 2}, {3, 2}}, {{2, 3, 1}, {2, 3, 1}}, {{4, 0}, {3, 0}}}, {}}, of_bool()},
      {"gather", [](In x) { return gather(x[0], 1, integers({2, 0, 0, 0, 1, 1, 2, 0}, {2, 4})); }, {{{{2, 3}}, {{3, 5}}}, {}}, of_bool()},
      {"scatter_add", [](In x) { return scatter_add(x[0], 0, integers({2, 0, 1, 0, 0, 1}, {3, 2}), x[1]); }, {{{{3, 2}, {3, 2}}, {{4, 3}, {3, 2}}}, {}}, of_bool()},
      // linalg.h
      {"matmul", [](In x) { return matmul(x[0], x[1]); }, {{{{2, 3}, {3, 2}}, {{1, 3}, {3, 1}}, {{2, 0}, {0, 3}}, {{0, 2}, {2, 3}}}, {{150, 301}, {301, 140}}}, summed()},
      {"matmul vectors", [](In x) { return matmul(x[0], x[1]); }, {{{{3}, {3}}, {{3}, {3, 2}}, {{2, 3}, {3}}, {{2, 2, 3}, {3}}, {{3}, {2, 3, 2}}}, {}}, summed()},
      {"matmul batch", [](In x) { return matmul(x[0], x[1]); }, {{{{2, 2, 3}, {2, 3, 2}}, {{2, 2, 3}, {3, 2}}, {{2, 3}, {2, 3, 1}}, {{2, 1, 1, 2}, {3, 2, 1}}, {{0, 2, 3}, {3, 2}}, {{0, 2, 3}, {0, 3, 2}}}, {{40, 30, 50}, {40, 50, 20}}}, summed()},
      {"linear", [](In x) { return linear(x[0], x[1]); }, {{{{2, 3}, {2, 3}}, {{3}, {2, 3}}, {{2, 2, 3}, {1, 3}}, {{0, 3}, {2, 3}}}, {{200, 150}, {60, 150}}}, summed()},
      {"linear bias", [](In x) { return linear(x[0], x[1], x[2]); }, {{{{2, 3}, {2, 3}, {2}}, {{3}, {2, 3}, {2}}, {{2, 2, 3}, {1, 3}, {1}}, {{0, 3}, {2, 3}, {2}}, {{2, 0}, {2, 0}, {2}}}, {{200, 150}, {60, 150}, {60}}}, summed()},
      // loss.h
      {"cross_entropy", [](In x) { return cross_entropy(x[0], kTarget); }, kLogits, summed()},
      {"cross_entropy sum", [](In x) { return cross_entropy(x[0], kTarget, {.reduction = Reduction::Sum}); }, kLogits, summed()},
      {"cross_entropy none", [](In x) { return cross_entropy(x[0], kTarget, {.reduction = Reduction::None}); }, kLogits, summed()},
      {"cross_entropy ignore", [](In x) { return cross_entropy(x[0], kTargetIgnoring); }, kLogits, summed()},
      {"cross_entropy weight", [](In x) { return cross_entropy(x[0], kTargetIgnoring, CE{.weight = class_weights(x[0].dtype())}); }, kLogits, named("cross_entropy", summed())},
      {"cross_entropy smoothing", [](In x) { return cross_entropy(x[0], kTargetIgnoring, CE{.label_smoothing = 0.2}); }, kLogits, summed()},
      {"cross_entropy all", [](In x) { return cross_entropy(x[0], kTargetIgnoring, {class_weights(x[0].dtype()), -100, 0.3, Reduction::None}); }, kLogits, summed()},
      {"cross_entropy one", [](In x) { return cross_entropy(x[0], integers({2}, {})); }, {{{{4}}}, {}}, summed()},
      {"cross_entropy pixels", [](In x) { return cross_entropy(x[0], kPixelTarget, CE{.label_smoothing = 0.1}); }, {{{{2, 4, 3}}}, {}}, summed()},
      {"mse_loss", [](In x) { return mse_loss(x[0], x[1]); }, kLosses, named("sub", summed())},
      {"mse_loss sum", [](In x) { return mse_loss(x[0], x[1], Reduction::Sum); }, kLosses, named("sub", summed())},
      {"mse_loss none", [](In x) { return mse_loss(x[0], x[1], Reduction::None); }, kLosses, named("sub", summed())},
      {"binary_cross_entropy_with_logits", [](In x) { return binary_cross_entropy_with_logits(x[0], x[1]); }, kLosses, named("softplus", summed())},
      {"binary_cross_entropy_with_logits weights", [](In x) { return binary_cross_entropy_with_logits(x[0], x[1], Reduction::Sum, x[2], x[3]); }, {{{{2, 3}, {2, 3}, {2, 1}, {3}}}, {}}, named("softplus", summed())},
      // reduce.h
      {"sum", [](In x) { return sum(x[0]); }, {{{{2, 3}}, {{}}, {{0, 3}}, {{1, 4, 1}}}, {{401, 400}}}, of_bool(summed())},
      {"sum axis", [](In x) { return sum(x[0], {1}); }, kReduced, of_bool(summed())},
      {"sum keepdim", [](In x) { return sum(x[0], {0, -1}, true); }, kReduced, of_bool(summed())},
      {"mean", [](In x) { return mean(x[0]); }, {{{{2, 3}}, {{}}, {{1, 4, 1}}}, {{401, 400}}}, summed()},
      {"mean axis", [](In x) { return mean(x[0], {-1}); }, kReduced, summed()},
      {"mean keepdim", [](In x) { return mean(x[0], {0}, true); }, kFilled, summed()},
      {"var", [](In x) { return var(x[0]); }, {{{{2, 3}}, {{7}}}, {{401, 400}}}, summed(8)},
      {"var axis", [](In x) { return var(x[0], {0}, 0); }, kFilled, summed(8)},
      {"var keepdim", [](In x) { return var(x[0], {0}, 1, true); }, kFilled, summed(8)},
      {"std", [](In x) { return std(x[0]); }, {{{{2, 3}}, {{7}}}, {{401, 400}}}, named("var", summed(8))},
      {"std axis", [](In x) { return std(x[0], {0}, 0, true); }, kFilled, named("var", summed(8))},
      {"prod", [](In x) { return prod(x[0]); }, {{{{2, 3}}, {{}}, {{0, 3}}}, {}}, of_bool()},
      {"prod axis", [](In x) { return prod(x[0], {1}); }, {kReduced.small, {}}, of_bool()},
      {"prod keepdim", [](In x) { return prod(x[0], {-1, 0}, true); }, {kReduced.small, {}}, of_bool()},
      {"amax", [](In x) { return amax(x[0]); }, {{{{2, 3}}, {{}}}, {{401, 400}}}, of_bool()},
      {"amax axis", [](In x) { return amax(x[0], {-1}); }, kReduced, of_bool()},
      {"amax keepdim", [](In x) { return amax(x[0], {1, 0}, true); }, kFilled, of_bool()},
      {"amin", [](In x) { return amin(x[0]); }, {{{{2, 3}}, {{}}}, {{401, 400}}}, of_bool()},
      {"amin axis", [](In x) { return amin(x[0], {-1}, true); }, kReduced, of_bool()},
      {"max", [](In x) { return max(x[0]); }, {{{{2, 3}}, {{}}}, {}}, of_bool()},
      {"min", [](In x) { return min(x[0]); }, {{{{2, 3}}, {{}}}, {}}, of_bool()},
      {"logsumexp", [](In x) { return logsumexp(x[0]); }, {{{{2, 3}}, {{}}}, {{401, 400}}}, summed()},
      {"logsumexp axis", [](In x) { return logsumexp(x[0], {1}); }, kReduced, summed()},
      {"logsumexp keepdim", [](In x) { return logsumexp(x[0], {0, -1}, true); }, kFilled, summed()},
      {"sum_to", [](In x) { return sum_to(x[0], {3, 1}); }, {{{{2, 3, 2}}, {{3, 4}}, {{3, 1}}, {{0, 3, 1}}}, {{7, 3, 9000}}}, of_bool(named("sum", summed()))},
      // shape.h
      {"reshape", [](In x) { return reshape(x[0], {3, -1}); }, {{{{2, 3}}, {{6}}, {{3, 4, 1}}, {{3, 0}}}, {{300, 400}}}, of_bool()},
      {"flatten", [](In x) { return flatten(x[0]); }, kUnary, of_bool()},
      {"flatten some", [](In x) { return flatten(x[0], 1, -1); }, {{{{2, 3, 2}}, {{2, 1, 3, 1}}, {{0, 3, 2}}}, {}}, of_bool()},
      {"transpose", [](In x) { return transpose(x[0]); }, kReduced, of_bool()},
      {"transpose axes", [](In x) { return transpose(x[0], 0, 2); }, {{{{2, 3, 2}}, {{1, 2, 3}}}, {}}, of_bool()},
      {"permute", [](In x) { return permute(x[0], {2, 0, -2}); }, {{{{2, 3, 4}}, {{1, 2, 1}}, {{2, 0, 3}}}, {}}, of_bool()},
      {"expand", [](In x) { return expand(x[0], {2, 2, -1}); }, {{{{3}}, {{2, 1}}, {{1, 1, 3}}, {{2, 0}}}, {}}, of_bool()},
      {"expand to nothing", [](In x) { return expand(x[0], {0, 3}); }, {{{{3}}, {{1, 3}}, {{}}}, {}}, of_bool()},
      {"squeeze", [](In x) { return squeeze(x[0]); }, {{{{1, 3, 1}}, {{1, 1}}, {{2, 3}}, {{}}, {{1, 0}}}, {}}, of_bool()},
      {"squeeze axis", [](In x) { return squeeze(x[0], -1); }, {{{{2, 1}}, {{2, 3}}, {{1, 3, 1}}}, {}}, of_bool()},
      {"unsqueeze", [](In x) { return unsqueeze(x[0], -1); }, kUnary, of_bool()},
      {"unsqueeze first", [](In x) { return unsqueeze(x[0], 0); }, kUnary, of_bool()},
      {"slice", [](In x) { return slice(x[0], 1, 1, std::nullopt, 2); }, {{{{2, 5}}, {{2, 1}}, {{2, 4, 2}}, {{0, 3}}}, {{400, 801}}}, of_bool()},
      {"slice back", [](In x) { return slice(x[0], -1, -3, -1); }, {{{{2, 5}}, {{2, 1}}, {{3}}}, {}}, of_bool()},
      {"select", [](In x) { return select(x[0], 0, -1); }, {{{{2, 3}}, {{4}}, {{1, 2, 2}}}, {}}, of_bool()},
      {"narrow", [](In x) { return narrow(x[0], 1, 1, 2); }, {{{{2, 3}}, {{1, 4, 2}}, {{0, 3}}}, {}}, of_bool()},
      {"cat", [](In x) { return cat(x); }, kTwoOfAKind, of_bool()},
      {"cat axis", [](In x) { return cat({x[0], x[1], x[0]}, -1); }, {{{{2, 3}, {2, 1}}, {{2, 2, 3}, {2, 2, 0}}}, {{301, 200}, {301, 100}}}, of_bool()},
      {"stack", [](In x) { return stack(x); }, kStacked, of_bool(named("cat"))},
      {"stack axis", [](In x) { return stack({x[0], x[1], x[0]}, -1); }, kStacked, of_bool(named("cat"))},
      {"split", [](In x) { return together(split(x[0], 2, 1)); }, {{{{2, 5}}, {{3, 2}}, {{2, 1}}, {{2, 3, 2}}}, {}}, of_bool(named("narrow"))},
      {"split sizes", [](In x) { return together(split(x[0], Dims{1, 0, 3}, 0)); }, {{{{4}}, {{4, 2}}}, {}}, of_bool(named("narrow"))},
      {"chunk", [](In x) { return together(chunk(x[0], 3, -1)); }, {{{{2, 5}}, {{3, 7}}, {{2, 2}}}, {}}, of_bool(named("narrow"))},
      {"unbind", [](In x) { return together(unbind(x[0], 1)); }, {{{{2, 3}}, {{2, 1, 2}}}, {}}, of_bool(named("select"))},
      {"contiguous", [](In x) { return contiguous(transpose(x[0])); }, kReduced, of_bool()},
      {"clone", [](In x) { return clone(x[0]); }, kUnary, of_bool()},
      // type.h
      {"to", [](In x) { return to(to(x[0], kFloat64) * 3, x[0].dtype()); }, kUnary, of_bool()},
  };
}

std::vector<OpRow> make_others() {
  const RowOptions any_type = of_bool();
  return {
      {"floor_divide", [](In x) { return floor_divide(x[0], x[1]); }, kBinary, {.domain = {{-4, 4}, {0.6, 0.9}}}},
      {"eq", [](In x) { return eq(x[0], x[1]); }, kBinary, any_type},
      {"eq number", [](In x) { return eq(x[0], 0.5); }, kUnary, any_type},
      {"ne", [](In x) { return ne(x[0], x[1]); }, kBinary, any_type},
      {"ne number", [](In x) { return ne(x[0], 0.5); }, kUnary, any_type},
      {"lt", [](In x) { return lt(x[0], x[1]); }, kBinary, any_type},
      {"lt number", [](In x) { return lt(x[0], 0.5); }, kUnary, any_type},
      {"le", [](In x) { return le(x[0], x[1]); }, kBinary, any_type},
      {"le number", [](In x) { return le(x[0], 0.5); }, kUnary, any_type},
      {"gt", [](In x) { return gt(x[0], x[1]); }, kBinary, any_type},
      {"gt number", [](In x) { return gt(x[0], 0.5); }, kUnary, any_type},
      {"ge", [](In x) { return ge(x[0], x[1]); }, kBinary, any_type},
      {"ge number", [](In x) { return ge(x[0], 0.5); }, kUnary, any_type},
      {"operator==", [](In x) { return x[0] == x[1]; }, kBinary, any_type},
      {"operator== number", [](In x) { return x[0] == 0.5; }, kUnary, any_type},
      {"operator!=", [](In x) { return x[0] != x[1]; }, kBinary, any_type},
      {"operator!= number", [](In x) { return x[0] != 0.5; }, kUnary, any_type},
      {"operator<", [](In x) { return x[0] < x[1]; }, kBinary, any_type},
      {"operator< number", [](In x) { return x[0] < 0.5; }, kUnary, any_type},
      {"operator<=", [](In x) { return x[0] <= x[1]; }, kBinary, any_type},
      {"operator<= number", [](In x) { return x[0] <= 0.5; }, kUnary, any_type},
      {"operator>", [](In x) { return x[0] > x[1]; }, kBinary, any_type},
      {"operator> number", [](In x) { return x[0] > 0.5; }, kUnary, any_type},
      {"operator>=", [](In x) { return x[0] >= x[1]; }, kBinary, any_type},
      {"operator>= number", [](In x) { return x[0] >= 0.5; }, kUnary, any_type},
      {"logical_and", [](In x) { return logical_and(x[0], x[1]); }, kBinary, any_type},
      {"logical_or", [](In x) { return logical_or(x[0], x[1]); }, kBinary, any_type},
      {"logical_xor", [](In x) { return logical_xor(x[0], x[1]); }, kBinary, any_type},
      {"logical_not", [](In x) { return logical_not(x[0]); }, kUnary, any_type},
      {"isnan", [](In x) { return isnan(x[0]); }, kUnary, any_type},
      {"isinf", [](In x) { return isinf(x[0]); }, kUnary, any_type},
      {"isfinite", [](In x) { return isfinite(x[0]); }, kUnary, any_type},
      {"argmax", [](In x) { return argmax(x[0], -1); }, kMatrices, any_type},
      {"argmax keepdim", [](In x) { return argmax(x[0], 0, true); }, kMatrices, any_type},
      {"argmin", [](In x) { return argmin(x[0], 0); }, kMatrices, any_type},
      {"argmin keepdim", [](In x) { return argmin(x[0], -1, true); }, kMatrices, any_type},
      {"any", [](In x) { return any(x[0] > 1, {0}); }, kReduced, any_type},
      {"any keepdim", [](In x) { return any(x[0] > 1, {}, true); }, kReduced, any_type},
      {"all", [](In x) { return all(x[0] > -1, {0}); }, kReduced, any_type},
      {"all keepdim", [](In x) { return all(x[0] > -1, {}, true); }, kReduced, any_type},
      {"one_hot", [](In x) { return one_hot(to(floor(x[0] + 2), kInt64), 4); }, kUnary, named("floor", any_type)},
  };
}

// clang-format on

// A number in [0, 1) for each counter value: splitmix64.
double random_number(std::uint64_t counter) {
  std::uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// Away from multiples of 0.5.
double off_the_kinks(double x) {
  const double cell = std::floor(2 * x);
  return 0.5 * (cell + 0.1 + 0.8 * (2 * x - cell));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const OpRow& row) { return out << row.name; }

const std::vector<OpRow>& differentiable_ops() {
  static const std::vector<OpRow> rows = make_differentiable();
  return rows;
}

const std::vector<OpRow>& other_ops() {
  static const std::vector<OpRow> rows = make_others();
  return rows;
}

const std::vector<std::string>& ops_tested_elsewhere() {
  static const std::vector<std::string> names = {
      "equal", "allclose", "copy_", "fill_", "zero_", "add_", "mul_", "result_type", "scalar_beside",  // values_test.cc
  };
  return names;
}

std::vector<Tensor> make_inputs(const OpRow& row, std::span<const Shape> shapes, Dtype dtype) {
  std::size_t total = 0;
  for (const Shape& shape : shapes) total += static_cast<std::size_t>(checked_numel(shape));
  // Each element has a place of its own on the way from the low end to the high one, in shuffled order.
  std::vector<std::size_t> places(total);
  std::iota(places.begin(), places.end(), std::size_t{0});
  for (std::size_t i = total; i > 1; --i)
    std::swap(places[i - 1], places[static_cast<std::size_t>(random_number(i) * static_cast<double>(i))]);
  std::vector<Tensor> inputs;
  std::size_t next = 0;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const auto [low, high] = row.options.domain[std::min(k, row.options.domain.size() - 1)];
    std::vector<double> values(static_cast<std::size_t>(checked_numel(shapes[k])));
    for (double& value : values) {
      const double jitter = 0.3 + 0.4 * random_number(1000 + next);
      const double part = (static_cast<double>(places[next++]) + jitter) / static_cast<double>(total);
      value = off_the_kinks(low + (high - low) * part);
    }
    inputs.push_back(to(tensor(values, shapes[k]), dtype));
  }
  return inputs;
}

}  // namespace eigengrad::tests
