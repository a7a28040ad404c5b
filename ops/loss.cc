// Losses of pairs of elements. Those of classes, of distances and of sequences have files of their own.
#include "eigengrad/ops/loss.h"

#include <cmath>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/kernels/loss.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using losses::checked_target;
using losses::weighted;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kLogTwoPi = std::log(2 * std::acos(-1.0));

// With c the input limited to ±delta, c·(x - c/2): c²/2 within the limits, and linear beyond them. Its derivative is c.
struct Huber {
  static constexpr const char* kName = "huber";
  static constexpr SaveMask kSaves = input(0);
  double delta;
  Attributes attributes() const { return {{"delta", fmt::format("{}", delta)}}; }
  Tensor forward(TensorRefs x) const {
    const auto rule = kernels::each([limit = delta]<class T>(T a) {
      const T c = kernels::limited(a, static_cast<T>(-limit), static_cast<T>(limit));
      return c * (a - c * T(0.5));
    });
    return kernels::floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * clamp(s.x(0), -delta, delta)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = kernels::each([limit = delta]<class T>(T d, T a) {
      return d * kernels::limited(a, static_cast<T>(-limit), static_cast<T>(limit));
    });
    return {kernels::gradient(kName, rule, g, s.x(0))};
  }
};

// a·softplus(-x) + b·softplus(x), the cost of a probability σ(x) where its event counts a and the other one b: nothing
// cancels, however sure the prediction.
struct LogisticCost {
  static constexpr const char* kName = "logistic_cost";
  static constexpr SaveMask kSaves[] = {kInputs, input(0), input(0)};
  Tensor forward(TensorRefs x) const {
    const auto rule = kernels::each_costly([]<class T>(T z, T a, T b) {
      const T rest = kernels::log1p(kernels::exp(-std::abs(z)));
      return a * ((z < 0 ? -z : T(0)) + rest) + b * ((z > 0 ? z : T(0)) + rest);
    });
    const Tensor out = empty_like(x[0]);
    dispatch_floating(kName, out.dtype(),
                      [&]<class T>() { kernels::elementwise<T, T, T, T>(out, rule, x[0], x[1], x[2]); });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    Grads grads = of_counts(s, g);
    if (s.needs(0)) grads[0] = g * (s.x(2) * sigmoid(x) - s.x(1) * sigmoid(-x));
    return grads;
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    Grads grads = of_counts(s, g);
    if (s.needs(0)) {
      const auto rule = kernels::each_costly([]<class T>(T d, T z, T a, T b) {
        // σ(|z|) and σ(-|z|): 1 - σ would lose the latter.
        const T power = kernels::exp(-std::abs(z)), likely = 1 / (1 + power), unlikely = power * likely;
        return d * (z > 0 ? b * likely - a * unlikely : b * unlikely - a * likely);
      });
      grads[0] = empty_like(s.x(0));
      dispatch_floating(kName, g.dtype(), [&]<class T>() {
        kernels::elementwise<T, T, T, T, T>(grads[0], rule, g, s.x(0), s.x(1), s.x(2));
      });
    }
    return grads;
  }

 private:
  static Grads of_counts(const Saved& s, const Tensor& g) {
    return {Tensor(), s.needs(1) ? g * softplus(-s.x(0)) : Tensor(), s.needs(2) ? g * softplus(s.x(0)) : Tensor()};
  }
};

// log target!, where the target is above 1.
Tensor stirling(const Tensor& target) {
  const Tensor small = target <= 1;
  const Tensor n = masked_fill(target, small, 1);
  return masked_fill(n * log(n) - n + 0.5 * (log(n) + kLogTwoPi), small, 0);
}

// The variances in a shape that broadcasts to the input.
Tensor checked_variance(const char* op, const Tensor& input, const Tensor& var) {
  losses::check_floating(op, "variance", var);
  const Shape& shape = input.shape();
  Shape shorter = shape;
  if (!shape.empty()) shorter.pop_back();
  int different = 0;
  bool fits = var.shape().size() == shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i)
    if (var.shape()[i] != shape[i]) fits = ++different == 1 && var.shape()[i] == 1;
  const bool without_last = !fits && !shape.empty() && var.shape() == shorter;
  EG_CHECK(fits || without_last, ShapeError,
           "[{}] the variance has shape {}, expected {}, or that with one extent 1, or {}", op, var.shape(), shape,
           shorter);
  EG_CHECK(!any(var < 0).item<bool>(), ValueError, "[{}] a variance is {}, expected none below 0", op,
           amin(var).item());
  return without_last ? unsqueeze(var, -1) : var;
}

struct BinaryCrossEntropy {
  static constexpr const char* kName = "binary_cross_entropy";
  static constexpr SaveMask kSaves[] = {kInputs, input(0)};

  Tensor forward(TensorRefs x) const {
    check_probabilities(x[0]);
    const auto loss = kernels::each_costly(
        []<class T>(T p, T y) { return -(y * limited_log(std::log(p)) + (1 - y) * limited_log(std::log1p(-p))); });
    return kernels::floating(kName, loss, x[0], x[1]);
  }

  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    Grads grads(2);
    if (s.needs(0)) grads[0] = g * (x - s.x(1)) / clamp(x * (1 - x), 1e-12, kInfinity);
    if (s.needs(1)) grads[1] = g * (clamp(log1p(-x), -100, 0) - clamp(log(x), -100, 0));
    return grads;
  }

 private:
  template <class T>
  static T limited_log(T log) {
    return log < -100 ? T(-100) : log;
  }

  static void check_probabilities(const Tensor& input) {
    const Tensor outside = logical_or(input<0, input> 1);
    if (!any(outside).item<bool>()) return;
    const Tensor x = contiguous(input);
    const std::int64_t first = argmax(to(flatten(outside), kInt64), 0).item<std::int64_t>();
    EG_CHECK(false, ValueError,
             "[{}] the input {} at {} is no probability: expected 0 to 1 (binary_cross_entropy_with_logits takes any)",
             kName, select(flatten(x), 0, first).item(), position_of(first, x.shape()));
  }
};

}  // namespace

Tensor l1_loss(Arg input, const Tensor& target, Reduction reduction) {
  return losses::reduce(abs(input - checked_target("l1_loss", input, target)), reduction);
}

Tensor mse_loss(Arg input, const Tensor& target, Reduction reduction) {
  return losses::reduce(square(input - checked_target("mse_loss", input, target)), reduction);
}

Tensor huber_loss(Arg input, const Tensor& target, Reduction reduction, double delta) {
  const Tensor y = checked_target("huber_loss", input, target);
  EG_CHECK(delta > 0, ValueError, "[huber_loss] delta is {}, expected more than 0", delta);
  return losses::reduce(apply(Huber{delta}, input - y), reduction);
}

Tensor smooth_l1_loss(Arg input, const Tensor& target, Reduction reduction, double beta) {
  const Tensor difference = input - checked_target("smooth_l1_loss", input, target);
  EG_CHECK(beta >= 0, ValueError, "[smooth_l1_loss] beta is {}, expected 0 or more", beta);
  const Tensor cost = beta == 0 ? abs(difference) : apply(Huber{beta}, difference);
  return losses::reduce(beta == 0 || beta == 1 ? cost : cost / beta, reduction);
}

Tensor poisson_nll_loss(Arg input, const Tensor& target, const PoissonNllOptions& options) {
  const Tensor y = checked_target("poisson_nll_loss", input, target);
  EG_CHECK(options.eps >= 0, ValueError, "[poisson_nll_loss] eps is {}, expected 0 or more", options.eps);
  const Tensor cost = options.log_input ? exp(input) - y * input : input - y * log(input + options.eps);
  return losses::reduce(options.full ? cost + stirling(y) : cost, options.reduction);
}

Tensor gaussian_nll_loss(Arg input, const Tensor& target, const Tensor& var, const GaussianNllOptions& options) {
  const char* const op = "gaussian_nll_loss";
  const Tensor difference = input - checked_target(op, input, target);
  EG_CHECK(options.eps > 0, ValueError, "[{}] eps is {}, expected more than 0", op, options.eps);
  const Tensor given = checked_variance(op, input, var);
  // Variances below eps keep a gradient, by which they can grow again.
  const Tensor variance = where(given.detach() < options.eps, given - given.detach() + options.eps, given);
  const Tensor cost = 0.5 * (log(variance) + square(difference) / variance);
  return losses::reduce(options.full ? cost + 0.5 * kLogTwoPi : cost, options.reduction);
}

Tensor binary_cross_entropy(Arg input, const Tensor& target, Reduction reduction, const Tensor& weight) {
  const char* const op = BinaryCrossEntropy::kName;
  const Tensor cost = apply_promoted(BinaryCrossEntropy{}, input, checked_target(op, input, target));
  return losses::reduce(weighted(op, "weight", cost, weight), reduction);
}

Tensor binary_cross_entropy_with_logits(Arg input, const Tensor& target, Reduction reduction, const Tensor& weight,
                                        const Tensor& pos_weight) {
  const char* const op = "binary_cross_entropy_with_logits";
  const Tensor y = checked_target(op, input, target);
  const Tensor cost = apply(LogisticCost{}, input, weighted(op, "pos_weight", y, pos_weight), 1 - y);
  return losses::reduce(weighted(op, "weight", cost, weight), reduction);
}

Tensor kl_div(Arg input, const Tensor& target, Reduction reduction, bool log_target) {
  const Tensor y = checked_target("kl_div", input, target);
  if (log_target) return losses::reduce(exp(y) * (y - input), reduction);
  const Tensor none = y == 0;
  return losses::reduce(y * masked_fill(log(masked_fill(y, none, 1)) - input, none, 0), reduction);
}

Tensor multilabel_soft_margin_loss(Arg input, const Tensor& target, Reduction reduction, const Tensor& weight) {
  const char* const op = "multilabel_soft_margin_loss";
  const Tensor y = checked_target(op, input, target);
  EG_CHECK(input->dim() > 0, ShapeError, "[{}] the input has no axis of classes: expected [.., C]", op);
  const Tensor cost = apply(LogisticCost{}, input, y, 1 - y);
  return losses::reduce(sum(weighted(op, "weight", cost, weight), {-1}) / static_cast<double>(input->size(-1)),
                        reduction);
}

Tensor soft_margin_loss(Arg input, const Tensor& target, Reduction reduction) {
  return losses::reduce(softplus(-checked_target("soft_margin_loss", input, target) * input), reduction);
}

Tensor hinge_embedding_loss(Arg input, const Tensor& target, double margin, Reduction reduction) {
  const Tensor y = checked_target("hinge_embedding_loss", input, target);
  const Tensor apart = masked_fill(losses::hinge(margin - input), y == 1, 0);
  return losses::reduce(apart + masked_fill(input, y == -1, 0), reduction);
}

}  // namespace eigengrad
