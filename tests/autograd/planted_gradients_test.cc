// The checker checked: ops with one fault planted in their gradient, of the kinds that people make, next to the same
// ops without it. Every fault must be reported, and nothing else.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <string>

#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using Forward = std::function<Tensor(TensorRefs)>;
using Rule = std::function<Grads(const Saved&, const Tensor&)>;

// The op of a user, with forward pass and rule from the table.
struct Planted {
  static constexpr const char* kName = "planted";
  static constexpr SaveMask kSaves = kInputs | kOutput;
  Forward compute;
  Rule rule;
  Tensor forward(TensorRefs x) const { return compute(x); }
  Grads backward(const Saved& s, const Tensor& g) const { return rule(s, g); }
};

enum class Caught { First, OnlySecond };  // the order of the derivative that shows the fault

struct Plant {
  std::string name;
  std::vector<Tensor> inputs;
  Forward forward;
  Rule right, wrong;
  Caught caught = Caught::First;
  std::string report = "the derivative of output 0 at [";  // what the message says, on the way to naming the element

  TensorFunction function(const Rule& rule) const {
    return [op = Planted{forward, rule}](std::span<const Tensor> x) { return apply(op, x); };
  }
};

// ---- Inputs: numbers without symmetry, away from kinks.

Tensor matrix() { return tensor({{0.5, -1.25, 1.9}, {0.75, 1.6, -0.35}}).set_requires_grad(); }
Tensor positive() { return tensor({{0.5, 1.25, 1.9}, {0.75, 1.6, 0.35}}).set_requires_grad(); }
Tensor square_matrix() { return tensor({{0.6, -0.9}, {1.7, 0.25}}).set_requires_grad(); }
Tensor other_square() { return tensor({{-1.1, 0.45}, {0.8, 1.3}}).set_requires_grad(); }
Tensor vector(std::initializer_list<double> values) { return tensor(values).set_requires_grad(); }
Tensor three() { return vector({0.5, -1.25, 1.9}); }
Tensor cube() {
  return tensor(std::vector<double>{0.3, -0.8, 1.1, 0.45, -1.6, 0.9, 0.2, 1.4}, {2, 2, 2}).set_requires_grad();
}

// ---- Rules of several plants.

using S = const Saved&;
using G = const Tensor&;

// g·f'(x), where the slope is a function of x and y.
using Slope = Tensor (*)(const Tensor& x, const Tensor& y);
Rule times(Slope slope) {
  return [slope](S s, G g) -> Grads { return {g * slope(s.x(0), s.y())}; };
}

Plant elementwise(const char* name, const Tensor& x, const std::function<Tensor(const Tensor&)>& f, Slope right,
                  Slope wrong, Caught caught = Caught::First) {
  return {name, {x}, [f](TensorRefs in) { return f(in[0]); }, times(right), times(wrong), caught};
}

// The slope of x/2·(1 + tanh(scale·(x + cubic·x³))).
Tensor gelu_slope(const Tensor& x, double scale, double cubic) {
  const Tensor t = tanh(scale * (x + cubic * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * cubic * x * x);
}
const double kGeluScale = std::sqrt(2 / std::numbers::pi);

// The gradient of (x - mean) / √(variance + 0.1) along the last axis, less its two corrections: g is to lose its mean,
// and its part along y.
Tensor layer_norm_rule(const Tensor& x, const Tensor& y, const Tensor& g, bool mean_term, bool along_term) {
  const Tensor zero = zeros({}, kFloat64);
  const Tensor scale = rsqrt(var(x, {-1}, 0, true) + 0.1);
  return scale * (g - (mean_term ? mean(g, {-1}, true) : zero) - (along_term ? y * mean(g * y, {-1}, true) : zero));
}

Tensor softmax_rule(const Tensor& y, const Tensor& g) { return y * (g - sum(g * y, {1}, true)); }

// Numbers that go up from call to call.
double restless() {
  static double calls = 0;
  return 1 + 1e-12 * ++calls;
}

std::vector<Plant> elementwise_plants() {
  return {
      elementwise(
          "a digit of GELU's constant", matrix(), [](G x) { return gelu(x, GeluApproximate::Tanh); },
          [](G x, G) { return gelu_slope(x, kGeluScale, 0.044715); },
          [](G x, G) { return gelu_slope(x, kGeluScale, 0.044716); }),
      elementwise(
          "a rounded constant in GELU", matrix(), [](G x) { return gelu(x, GeluApproximate::Tanh); },
          [](G x, G) { return gelu_slope(x, kGeluScale, 0.044715); },
          [](G x, G) { return gelu_slope(x, 0.7978, 0.044715); }),
      elementwise(
          "2.999 for 3 in x^3", matrix(), [](G x) { return x * x * x; }, [](G x, G) { return 3 * x * x; },
          [](G x, G) { return 2.999 * x * x; }),
      elementwise(
          "off by a factor of 1 + 1e-5", matrix(), [](G x) { return x * x; }, [](G x, G) { return 2 * x; },
          [](G x, G) { return 2 * x * (1 + 1e-5); }),
      elementwise(
          "cos without the minus sign", matrix(), cos, [](G x, G) { return -sin(x); }, [](G x, G) { return sin(x); }),
      elementwise(
          "tanh(2.5 x) without the chain factor", matrix(), [](G x) { return tanh(x * 2.5); },
          [](G, G y) { return 2.5 * (1 - y * y); }, [](G, G y) { return 1 - y * y; }),
      elementwise(
          "sigmoid's rule on the input instead of the output", matrix(), sigmoid, [](G, G y) { return y * (1 - y); },
          [](G x, G) { return x * (1 - x); }),
      elementwise(
          "sqrt without the factor 1/2", positive(), sqrt, [](G, G y) { return 0.5 / y; },
          [](G, G y) { return 1 / y; }),
      elementwise(
          "rsqrt with a square for a cube", positive(), rsqrt, [](G, G y) { return -0.5 * y * y * y; },
          [](G, G y) { return -0.5 * y * y; }),
      elementwise(
          "power that is not lowered", positive(), [](G x) { return pow(x, 2.5); },
          [](G x, G) { return 2.5 * pow(x, 1.5); }, [](G, G y) { return 2.5 * y; }),
      elementwise(
          "log2 as if it were log", positive(), log2, [](G x, G) { return 1 / (x * std::numbers::ln2); },
          [](G x, G) { return 1 / x; }),
      elementwise(
          "erf without 2/sqrt(pi)", matrix(), erf, [](G x, G) { return 2 * std::numbers::inv_sqrtpi * exp(-x * x); },
          [](G x, G) { return exp(-x * x); }),
      elementwise(
          "abs without the sign", matrix(), abs, [](G x, G) { return sign(x); },
          [](G x, G) { return ones_like(x.detach()); }),
      elementwise(
          "leaky_relu with the slope on the wrong side", matrix(), [](G x) { return leaky_relu(x, 0.1); },
          [](G x, G) { return where(x > 0, ones_like(x.detach()), 0.1); },
          [](G x, G) { return where(x <= 0, ones_like(x.detach()), 0.1); }),
      elementwise(
          "elu with e^x below 0 less 1", matrix(), [](G x) { return elu(x); },
          [](G x, G) { return where(x > 0, ones_like(x.detach()), exp(x)); },
          [](G x, G) { return where(x > 0, ones_like(x.detach()), exp(x) - 1); }),
      elementwise(
          "silu without the second term", matrix(), silu, [](G x, G y) { return sigmoid(x) + y * (1 - sigmoid(x)); },
          [](G x, G) { return sigmoid(x); }),
      elementwise(
          "clamp that lets the outside through", matrix(), [](G x) { return clamp(x, -1, 1); },
          [](G x, G) { return to(abs(x) < 1, kFloat64); }, [](G x, G) { return ones_like(x.detach()); }),
      elementwise(
          "dropout whose mask is not scaled on the way back", matrix(),
          [](G x) {
            return x * 2 * tensor({1., 0., 1.});
          },
          [](G, G) {
            return 2 * tensor({1., 0., 1.});
          },
          [](G, G) {
            return tensor({1., 0., 1.});
          }),
      elementwise(
          "one wrong element of six", matrix(), [](G x) { return x * x; }, [](G x, G) { return 2 * x; },
          [](G x, G) { return 2 * x + masked_fill(zeros_like(x.detach()), x == 1.6, 1e-4); }),
      elementwise(
          "one NaN", matrix(), [](G x) { return x * x; }, [](G x, G) { return 2 * x; },
          [](G x, G) { return 2 * x + masked_fill(zeros_like(x.detach()), x == 1.6, std::nan("")); }),
  };
}

// Rules that forget that the output, or an input, depends on x: right until they are differentiated again.
std::vector<Plant> second_order_plants() {
  const auto softmax1 = [](TensorRefs x) { return softmax(x[0], 1); };
  const auto product = [](TensorRefs x) { return matmul(x[0], x[1]); };
  const Rule right_product = [](S s, G g) -> Grads {
    return {matmul(g, transpose(s.x(1))), matmul(transpose(s.x(0)), g)};
  };
  const auto norm_last = [](TensorRefs x) { return layer_norm(x[0], {3}, Tensor(), Tensor(), 0.1); };
  return {
      elementwise(
          "exp with a detached output", matrix(), exp, [](G, G y) { return y; }, [](G, G y) { return y.detach(); },
          Caught::OnlySecond),
      elementwise(
          "tanh with a detached output", matrix(), tanh, [](G, G y) { return 1 - y * y; },
          [](G, G y) { return 1 - square(y.detach()); }, Caught::OnlySecond),
      elementwise(
          "sigmoid with half of the rule detached", matrix(), sigmoid, [](G, G y) { return y * (1 - y); },
          [](G, G y) { return y.detach() * (1 - y); }, Caught::OnlySecond),
      elementwise(
          "square with a detached input", matrix(), square, [](G x, G) { return 2 * x; },
          [](G x, G) { return 2 * x.detach(); }, Caught::OnlySecond),
      elementwise(
          "log that multiplies by a number", vector({1.5}), log, [](G x, G) { return 1 / x; },
          [](G x, G) { return full({1}, 1 / x.item(), kFloat64); }, Caught::OnlySecond),
      {"softmax with a detached output",
       {matrix()},
       softmax1,
       [](S s, G g) -> Grads { return {softmax_rule(s.y(), g)}; },
       [](S s, G g) -> Grads { return {softmax_rule(s.y().detach(), g)}; },
       Caught::OnlySecond},
      {"matmul with a detached factor",
       {square_matrix(), other_square()},
       product,
       right_product,
       [](S s, G g) -> Grads {
         return {matmul(g, transpose(s.x(1).detach())), matmul(transpose(s.x(0)), g)};
       },
       Caught::OnlySecond},
      {"layer norm with a detached deviation",
       {matrix()},
       norm_last,
       [](S s, G g) -> Grads { return {layer_norm_rule(s.x(0), s.y(), g, true, true)}; },
       [](S s, G g) -> Grads { return {layer_norm_rule(s.x(0).detach(), s.y(), g, true, true)}; },
       Caught::OnlySecond},
      {"a detached gradient",
       {matrix()},
       [](TensorRefs x) { return x[0] * 3; },
       [](S, G g) -> Grads { return {g * 3}; },
       [](S, G g) -> Grads { return {g.detach() * 3}; },
       Caught::OnlySecond},
  };
}

std::vector<Plant> operand_plants() {
  const auto minus = [](TensorRefs x) { return x[0] - x[1]; };
  const auto over = [](TensorRefs x) { return x[0] / x[1]; };
  const auto times = [](TensorRefs x) { return x[0] * x[1]; };
  const auto product = [](TensorRefs x) { return matmul(x[0], x[1]); };
  const Rule right_product = [](S s, G g) -> Grads {
    return {matmul(g, transpose(s.x(1))), matmul(transpose(s.x(0)), g)};
  };
  return {
      {"sub with its operands swapped",
       {matrix(), positive()},
       minus,
       [](S, G g) -> Grads {
         return {g, -g};
       },
       [](S, G g) -> Grads {
         return {-g, g};
       }},
      {"div with its operands swapped",
       {matrix(), positive()},
       over,
       [](S s, G g) -> Grads {
         return {g / s.x(1), -g * s.y() / s.x(1)};
       },
       [](S s, G g) -> Grads {
         return {-g * s.y() / s.x(1), g / s.x(1)};
       }},
      {"div without the square",
       {matrix(), positive()},
       over,
       [](S s, G g) -> Grads {
         return {g / s.x(1), -g * s.x(0) / square(s.x(1))};
       },
       [](S s, G g) -> Grads {
         return {g / s.x(1), -g * s.x(0) / s.x(1)};
       }},
      {"no gradient for the second input",
       {matrix(), positive()},
       times,
       [](S s, G g) -> Grads {
         return {g * s.x(1), g * s.x(0)};
       },
       [](S s, G g) -> Grads {
         return {g * s.x(1), Tensor()};
       }},
      {"atan2 with its operands swapped",
       {matrix(), positive()},
       [](TensorRefs x) { return atan2(x[0], x[1]); },
       [](S s, G g) -> Grads {
         const Tensor h = square(s.x(0)) + square(s.x(1));
         return {g * s.x(1) / h, -g * s.x(0) / h};
       },
       [](S s, G g) -> Grads {
         const Tensor h = square(s.x(0)) + square(s.x(1));
         return {-g * s.x(0) / h, g * s.x(1) / h};
       }},
      {"where with its branches swapped",
       {matrix(), positive()},
       [](TensorRefs x) { return where(x[0] > 0, x[0], x[1]); },
       [](S s, G g) -> Grads {
         return {where(s.x(0) > 0, g, 0), where(s.x(0) > 0, 0, g)};
       },
       [](S s, G g) -> Grads {
         return {where(s.x(0) > 0, 0, g), where(s.x(0) > 0, g, 0)};
       }},
      {"the first factor of a product, not transposed",
       {square_matrix(), other_square()},
       product,
       right_product,
       [](S s, G g) -> Grads {
         return {matmul(g, transpose(s.x(1))), matmul(s.x(0), g)};
       }},
      {"the second factor of a product, not transposed",
       {square_matrix(), other_square()},
       product,
       right_product,
       [](S s, G g) -> Grads {
         return {matmul(g, s.x(1)), matmul(transpose(s.x(0)), g)};
       }},
      {"the factors of a product in the wrong order",
       {square_matrix(), other_square()},
       product,
       right_product,
       [](S s, G g) -> Grads {
         return {matmul(g, transpose(s.x(1))), matmul(g, transpose(s.x(0)))};
       }},
      {"a squared error with one sign for both",
       {matrix(), positive()},
       [](TensorRefs x) { return mean(square(x[0] - x[1])); },
       [](S s, G g) -> Grads {
         const Tensor d = g * (s.x(0) - s.x(1)) / 3;
         return {d, -d};
       },
       [](S s, G g) -> Grads {
         const Tensor d = g * (s.x(0) - s.x(1)) / 3;
         return {d, d};
       }},
  };
}

std::vector<Plant> axis_plants() {
  const auto three_rows = [](TensorRefs x) { return contiguous(expand(x[0], {3, 3})); };
  const auto softmax1 = [](TensorRefs x) { return softmax(x[0], 1); };
  const auto norm_last = [](TensorRefs x) { return layer_norm(x[0], {3}, Tensor(), Tensor(), 0.1); };
  const Rule right_norm = [](S s, G g) -> Grads { return {layer_norm_rule(s.x(0), s.y(), g, true, true)}; };
  const Rule sum_rows = [](S, G g) -> Grads { return {sum(g, {0})}; };
  const Rule fill_row = [](S s, G g) -> Grads { return {expand(unsqueeze(g, 1), s.shape(0))}; };
  return {
      {"a broadcast that is not summed",
       {three()},
       three_rows,
       sum_rows,
       [](S, G g) -> Grads { return {select(g, 0, 0)}; }},
      {"a broadcast that is summed over the wrong axis",
       {three()},
       three_rows,
       sum_rows,
       [](S, G g) -> Grads { return {sum(g, {1})}; }},
      {"a mean over one axis, divided by all elements",
       {matrix()},
       [](TensorRefs x) { return mean(x[0], {1}); },
       [](S s, G g) -> Grads { return {expand(unsqueeze(g / 3, 1), s.shape(0))}; },
       [](S s, G g) -> Grads { return {expand(unsqueeze(g / 6, 1), s.shape(0))}; }},
      {"a sum whose gradient is spread along the other axis",
       {square_matrix()},
       [](TensorRefs x) { return sum(x[0], {1}); },
       fill_row,
       [](S s, G g) -> Grads { return {expand(unsqueeze(g, 0), s.shape(0))}; }},
      {"softmax without the sum",
       {matrix()},
       softmax1,
       [](S s, G g) -> Grads { return {softmax_rule(s.y(), g)}; },
       [](S s, G g) -> Grads { return {g * s.y() * (1 - s.y())}; }},
      {"log_softmax with the softmax of the other axis",
       {matrix()},
       [](TensorRefs x) { return log_softmax(x[0], 1); },
       [](S s, G g) -> Grads { return {g - softmax(s.x(0), 1) * sum(g, {1}, true)}; },
       [](S s, G g) -> Grads { return {g - softmax(s.x(0), 0) * sum(g, {1}, true)}; }},
      {"logsumexp with even shares",
       {matrix()},
       [](TensorRefs x) { return logsumexp(x[0], {1}); },
       [](S s, G g) -> Grads { return {unsqueeze(g, 1) * softmax(s.x(0), 1)}; },
       [](S s, G g) -> Grads { return {expand(unsqueeze(g / 3, 1), s.shape(0))}; }},
      {"layer norm without the mean of the gradient",
       {matrix()},
       norm_last,
       right_norm,
       [](S s, G g) -> Grads { return {layer_norm_rule(s.x(0), s.y(), g, false, true)}; }},
      {"layer norm without the variance's part",
       {matrix()},
       norm_last,
       right_norm,
       [](S s, G g) -> Grads { return {layer_norm_rule(s.x(0), s.y(), g, true, false)}; }},
      {"a variance with n for n - 1",
       {matrix()},
       [](TensorRefs x) { return var(x[0], {1}); },
       [](S s, G g) -> Grads { return {unsqueeze(g, 1) * (s.x(0) - mean(s.x(0), {1}, true)) * 2 / 2}; },
       [](S s, G g) -> Grads { return {unsqueeze(g, 1) * (s.x(0) - mean(s.x(0), {1}, true)) * 2 / 3}; }},
      {"a norm that is not divided by",
       {matrix()},
       [](TensorRefs x) { return norm(x[0], 2, {1}, true); },
       [](S s, G g) -> Grads { return {g * s.x(0) / s.y()}; },
       [](S s, G g) -> Grads { return {g * s.x(0)}; }},
      {"a product that keeps its own factor",
       {matrix()},
       [](TensorRefs x) { return prod(x[0], {1}, true); },
       [](S s, G g) -> Grads { return {g * s.y() / s.x(0)}; },
       [](S s, G g) -> Grads { return {expand(g * s.y(), s.shape(0))}; }},
      {"a cumulative sum that is not turned round",
       {three()},
       [](TensorRefs x) { return cumsum(x[0], 0); },
       [](S, G g) -> Grads { return {flip(cumsum(flip(g, {0}), 0), {0})}; },
       [](S, G g) -> Grads { return {cumsum(g, 0)}; }},
      {"cross entropy that forgets 1/N",
       {matrix(), tensor<std::int64_t>({2, 0})},
       [](TensorRefs x) { return cross_entropy(x[0], x[1]); },
       [](S s, G g) -> Grads {
         return {g * (softmax(s.x(0), 1) - one_hot(s.x(1), 3)) / 2, Tensor()};
       },
       [](S s, G g) -> Grads {
         return {g * (softmax(s.x(0), 1) - one_hot(s.x(1), 3)), Tensor()};
       }},
      {"cross entropy that forgets to take the target off",
       {matrix(), tensor<std::int64_t>({2, 0})},
       [](TensorRefs x) { return cross_entropy(x[0], x[1]); },
       [](S s, G g) -> Grads {
         return {g * (softmax(s.x(0), 1) - one_hot(s.x(1), 3)) / 2, Tensor()};
       },
       [](S s, G g) -> Grads {
         return {g * softmax(s.x(0), 1) / 2, Tensor()};
       }},
  };
}

std::vector<Plant> place_plants() {
  const Tensor twice = tensor<std::int64_t>({1, 2, 1});
  const auto middle = [](TensorRefs x) { return slice(x[0], 0, 1, 4); };
  const auto pooled = [](TensorRefs x) { return amax(reshape(x[0], {3, 2}), {1}); };
  return {
      {"gather that loses what is named twice",
       {three(), twice},
       [](TensorRefs x) { return gather(x[0], 0, x[1]); },
       [](S s, G g) -> Grads {
         return {scatter_add(zeros({3}, kFloat64), 0, s.x(1), g), Tensor()};
       },
       [](S s, G g) -> Grads {
         return {scatter(zeros({3}, kFloat64), 0, s.x(1), g), Tensor()};
       }},
      {"a slice put back one place off",
       {vector({0.5, -1.25, 1.9, 0.3, 0.7})},
       middle,
       [](S, G g) -> Grads {
         return {pad(g, {1, 1})};
       },
       [](S, G g) -> Grads {
         return {pad(g, {2, 0})};
       }},
      {"a transposition that is not undone",
       {square_matrix()},
       [](TensorRefs x) { return exp(transpose(x[0])); },
       [](S s, G g) -> Grads { return {transpose(g * s.y())}; },
       [](S s, G g) -> Grads { return {g * s.y()}; }},
      {"a transposition undone as a reshape",
       {matrix()},
       [](TensorRefs x) { return transpose(x[0]) * 2; },
       [](S, G g) -> Grads { return {transpose(g) * 2}; },
       [](S s, G g) -> Grads { return {reshape(g, s.shape(0)) * 2}; }},
      {"a permutation done again instead of undone",
       {cube()},
       [](TensorRefs x) {
         return contiguous(permute(x[0], {1, 2, 0}));
       },
       [](S, G g) -> Grads {
         return {permute(g, {2, 0, 1})};
       },
       [](S, G g) -> Grads {
         return {permute(g, {1, 2, 0})};
       }},
      {"a roll in the same direction",
       {three()},
       [](TensorRefs x) { return roll(x[0], {1}, {0}); },
       [](S, G g) -> Grads { return {roll(g, {-1}, {0})}; },
       [](S, G g) -> Grads { return {roll(g, {1}, {0})}; }},
      {"pooling in which every element gets a share",
       {vector({0.5, -1.25, 1.9, 0.3, 0.7, 1.1})},
       pooled,
       [](S s, G g) -> Grads {
         const Tensor windows = reshape(s.x(0), {3, 2});
         return {flatten(unsqueeze(g, 1) * to(windows == unsqueeze(s.y(), 1), kFloat64))};
       },
       [](S, G g) -> Grads {
         return {flatten(expand(unsqueeze(g / 2, 1), {3, 2}))};
       }},
      {"a masked fill that lets everything through",
       {three()},
       [](TensorRefs x) { return masked_fill(x[0], x[0] > 1, 7); },
       [](S s, G g) -> Grads { return {masked_fill(g, s.x(0) > 1, 0)}; },
       [](S, G g) -> Grads { return {g * 1}; }},
      {"a correlation instead of its transpose",
       {vector({0.5, -1.25, 1.9, 0.3})},
       [](TensorRefs x) { return 2 * x[0] + 3 * roll(x[0], {1}, {0}); },
       [](S, G g) -> Grads { return {2 * g + 3 * roll(g, {-1}, {0})}; },
       [](S, G g) -> Grads { return {3 * g + 2 * roll(g, {-1}, {0})}; }},
  };
}

// Rules whose fault is in what they make of the gradient that reaches them.
std::vector<Plant> gradient_plants() {
  const auto squares = [](TensorRefs x) { return x[0] * x[0]; };
  const Rule right = [](S s, G g) -> Grads { return {g * 2 * s.x(0)}; };
  return {
      {"right only where the gradient is even",
       {matrix()},
       squares,
       right,
       [](S s, G g) -> Grads { return {expand(mean(g), g.shape()) * 2 * s.x(0)}; }},
      {"the gradient left out", {matrix()}, squares, right, [](S s, G) -> Grads { return {2 * s.x(0)}; }},
      {"a constant added", {matrix()}, squares, right, [](S s, G g) -> Grads { return {g * 2 * s.x(0) + 1e-3}; }},
      {"right for 0 and 1 alone",
       {matrix()},
       squares,
       right,
       [](S s, G g) -> Grads { return {g * abs(g) * 2 * s.x(0)}; },
       Caught::First,
       "the gradient of a weighted sum of all outputs is"},
      {"another gradient every time, by little",
       {matrix()},
       squares,
       right,
       [](S s, G g) -> Grads { return {g * 2 * s.x(0) * restless()}; },
       Caught::First,
       "two walks over one graph give different bits"},
  };
}

std::vector<Plant> plants() {
  std::vector<Plant> all;
  for (const auto& family :
       {elementwise_plants, second_order_plants, operand_plants, axis_plants, place_plants, gradient_plants})
    for (Plant& plant : family()) all.push_back(std::move(plant));
  return all;
}

TEST(PlantedGradients, AreFound) {
  EXPECT_GE(plants().size(), 20u);
  RecordProperty("plants", static_cast<int>(plants().size()));
  for (const Plant& plant : plants()) {
    const TensorFunction wrong = plant.function(plant.wrong);
    const GradCheckResult first = gradcheck(wrong, plant.inputs);
    EXPECT_EQ(first.ok, plant.caught == Caught::OnlySecond) << plant.name << ": " << first.message;
    const GradCheckResult found = first.ok ? gradgradcheck(wrong, plant.inputs) : first;
    EXPECT_FALSE(found.ok) << plant.name;
    EXPECT_NE(found.message.find(plant.report), std::string::npos) << plant.name << ": " << found.message;
  }
}

TEST(PlantedGradients, AreNotFoundInTheRightRules) {
  for (const Plant& plant : plants()) {
    const TensorFunction right = plant.function(plant.right);
    const GradCheckResult first = gradcheck(right, plant.inputs), second = gradgradcheck(right, plant.inputs);
    EXPECT_TRUE(first.ok) << plant.name << ": " << first.message;
    EXPECT_TRUE(second.ok) << plant.name << ": " << second.message;
  }
}

}  // namespace
}  // namespace eigengrad
