#include "eigengrad/optim/adam.h"

#include <cmath>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::optim {
namespace {

constexpr std::int64_t kGrain = 1 << 15;

}  // namespace

template <bool kDecoupled>
void describe(config::Fields& f, AdamOptionsOf<kDecoupled>& o) {
  f("lr", o.lr, {.help = "learning rate", .min = 0});
  f("beta1", o.beta1, {.help = "decay of the mean of the gradient", .min = 0, .max = 1, .below_max = true});
  f("beta2", o.beta2, {.help = "decay of the mean of its square", .min = 0, .max = 1, .below_max = true});
  f("eps", o.eps, {.help = "added to the denominator", .min = 0});
  f("weight_decay", o.weight_decay, {.help = "weight decay", .min = 0});
  f("amsgrad", o.amsgrad, {.help = "use the largest mean square so far"});
  f("maximize", o.maximize, {.help = "climb instead of descend"});
}

template <bool kDecoupled>
void AdamOf<kDecoupled>::check(const Options& o) const {
  constexpr const char* kName = kDecoupled ? "AdamW" : "Adam";
  this->require_not_negative(kName, "lr", o.lr);
  this->require(o.beta1 >= 0 && o.beta1 < 1, kName, "beta1", o.beta1, "a number in [0, 1)");
  this->require(o.beta2 >= 0 && o.beta2 < 1, kName, "beta2", o.beta2, "a number in [0, 1)");
  this->require_not_negative(kName, "eps", o.eps);
  this->require_not_negative(kName, "weight_decay", o.weight_decay);
}

template <bool kDecoupled>
std::vector<std::string> AdamOf<kDecoupled>::state_names(const Options& o) const {
  std::vector<std::string> names{"mean", "mean_square"};
  if (o.amsgrad) names.push_back("largest_mean_square");
  return names;
}

template <bool kDecoupled>
void AdamOf<kDecoupled>::update(const Options& o, Optimizer::Slot& slot, const Tensor& grad) {
  const double t = static_cast<double>(slot.updates);
  const double step_size = o.lr / (1 - std::pow(o.beta1, t)), root = std::sqrt(1 - std::pow(o.beta2, t));
  dispatch_floating("Adam", slot.parameter.dtype(), [&]<class T>() {
    T* __restrict const w = slot.parameter.mutable_data<T>().data();
    T* __restrict const m = slot.state[0].mutable_data<T>().data();
    T* __restrict const v = slot.state[1].mutable_data<T>().data();
    T* __restrict const largest = o.amsgrad ? slot.state[2].mutable_data<T>().data() : nullptr;
    const T* __restrict const g = grad.data<T>().data();
    const T b1 = static_cast<T>(o.beta1), b2 = static_cast<T>(o.beta2), c1 = static_cast<T>(1 - o.beta1),
            c2 = static_cast<T>(1 - o.beta2);
    const T eps = static_cast<T>(o.eps), step = static_cast<T>(step_size), correction = static_cast<T>(1 / root);
    const T sign = o.maximize ? T(-1) : T(1);
    const T decay = kDecoupled ? T(0) : static_cast<T>(o.weight_decay);
    const T shrink = kDecoupled ? static_cast<T>(1 - o.lr * o.weight_decay) : T(1);
    // A branch within the loop would keep it from being vectorised.
    const auto run = [=]<bool kAmsgrad>(std::int64_t begin, std::int64_t end) {
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) {
        const T weight = shrink * w[i];
        const T d = sign * g[i] + decay * weight;
        const T mean = b1 * m[i] + c1 * d;
        T square = b2 * v[i] + c2 * d * d;
        m[i] = mean;
        v[i] = square;
        if constexpr (kAmsgrad) largest[i] = square = square > largest[i] ? square : largest[i];
        w[i] = weight - step * mean / (std::sqrt(square) * correction + eps);
      }
    };
    parallel_for(slot.parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      if (largest)
        run.template operator()<true>(begin, end);
      else
        run.template operator()<false>(begin, end);
    });
  });
}

template void describe(config::Fields& f, AdamOptions& o);
template void describe(config::Fields& f, AdamWOptions& o);
template class AdamOf<false>;
template class AdamOf<true>;

}  // namespace eigengrad::optim
