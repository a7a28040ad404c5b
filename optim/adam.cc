#include "eigengrad/optim/adam.h"

#include <cmath>

#include "eigengrad/optim/describe.h"
#include "eigengrad/optim/update.h"

namespace eigengrad::optim {
namespace {

template <class Options>
void describe_moments(config::Fields& f, Options& o, const char* decay) {
  describe_lr(f, o.lr);
  describe_share(f, "beta1", o.beta1, "decay of the mean of the gradient");
  describe_share(f, "beta2", o.beta2, "decay of the mean of its square");
  describe_eps(f, o.eps);
  describe_decay(f, o.weight_decay, decay);
}

// The mean of the gradient and of its square, of all that came with weights that fade.
template <class T>
struct Moments {
  template <class Options>
  explicit Moments(const Options& o)
      : b1(static_cast<T>(o.beta1)),
        b2(static_cast<T>(o.beta2)),
        c1(static_cast<T>(1 - o.beta1)),
        c2(static_cast<T>(1 - o.beta2)) {}
  void follow(T slope, T& mean, T& square) const {
    mean = b1 * mean + c1 * slope;
    square = b2 * square + c2 * slope * slope;
  }
  T b1, b2, c1, c2;
};

// What is left of a weight by a decay apart from the gradient.
template <class T, class Options>
T kept_share(const Options& o, bool decoupled) {
  return decoupled ? static_cast<T>(1 - o.lr * o.weight_decay) : T(1);
}

// 1 − βᵗ: how much of a mean that began at 0 has come together.
double gathered(double beta, const Optimizer::Slot& slot) {
  return 1 - std::pow(beta, static_cast<double>(slot.updates));
}

}  // namespace

template <bool kApart>
void describe(config::Fields& f, AdamOptionsOf<kApart>& o) {
  describe_moments(f, o, kApart ? kDecoupled : "L2 penalty");
  f("amsgrad", o.amsgrad, {.help = "use the largest mean square so far"});
  describe_maximize(f, o.maximize);
}

template <bool kApart>
std::vector<StateEntry> AdamOf<kApart>::state(const Options& o) {
  if (o.amsgrad) return {"mean", "mean_square", "largest_mean_square"};
  return {"mean", "mean_square"};
}

template <bool kApart>
void AdamOf<kApart>::update(const Options& o, Optimizer::Slot& slot, const Tensor& grad) {
  const double step_size = o.lr / gathered(o.beta1, slot), correction = 1 / std::sqrt(gathered(o.beta2, slot));
  with_flags(
      [&]<bool kAmsgrad>() {
        update_elements<kAmsgrad ? 3 : 2>(kName, slot, grad, [&]<class T>() {
          return [moments = Moments<T>(o), slope = slope_of<T>(o, kApart), kept = kept_share<T>(o, kApart),
                  eps = static_cast<T>(o.eps), step = static_cast<T>(step_size),
                  root = static_cast<T>(correction)](T& w, T g, T& mean, T& square, auto&... largest) {
            const T weight = kept * w;
            moments.follow(slope(weight, g), mean, square);
            T used = square;
            ((largest = used = used > largest ? used : largest), ...);  // amsgrad
            w = weight - step * mean / (std::sqrt(used) * root + eps);
          };
        });
      },
      o.amsgrad);
}

template void describe(config::Fields& f, AdamOptions& o);
template void describe(config::Fields& f, AdamWOptions& o);
template class AdamOf<false>;
template class AdamOf<true>;

void describe(config::Fields& f, NAdamOptions& o) {
  describe_moments(f, o, "weight decay");
  f("momentum_decay", o.momentum_decay, {.help = "how fast the momentum grows to beta1", .min = 0});
  f("decoupled_weight_decay", o.decoupled_weight_decay, {.help = "decay weights apart from the gradient, as in AdamW"});
  describe_maximize(f, o.maximize);
}

std::vector<StateEntry> NAdam::state(const Options&) { return {"mean", "mean_square", {"momentum_product", 1, true}}; }

void NAdam::update(const Options& o, Slot& slot, const Tensor& grad) {
  const auto momentum = [&](double t) { return o.beta1 * (1 - 0.5 * std::pow(0.96, t * o.momentum_decay)); };
  const auto t = static_cast<double>(slot.updates);
  const double now = momentum(t), next = momentum(t + 1);
  double& product = slot.state[2].mutable_data<double>()[0];
  product *= now;
  const double of_slope = o.lr * (1 - now) / (1 - product), of_mean = o.lr * next / (1 - product * next);
  const double correction = 1 / gathered(o.beta2, slot);
  update_elements<2>(kName, slot, grad, [&]<class T>() {
    return [moments = Moments<T>(o), slope = slope_of<T>(o, o.decoupled_weight_decay),
            kept = kept_share<T>(o, o.decoupled_weight_decay), eps = static_cast<T>(o.eps),
            correction = static_cast<T>(correction), of_slope = static_cast<T>(of_slope),
            of_mean = static_cast<T>(of_mean)](T& w, T g, T& mean, T& square) {
      const T weight = kept * w;
      const T d = slope(weight, g);
      moments.follow(d, mean, square);
      w = weight - (of_slope * d + of_mean * mean) / (std::sqrt(square * correction) + eps);
    };
  });
}

}  // namespace eigengrad::optim
