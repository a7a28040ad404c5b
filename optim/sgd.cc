#include "eigengrad/optim/sgd.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"

namespace eigengrad::optim {
namespace {

constexpr std::int64_t kGrain = 1 << 16;

}  // namespace

void describe(config::Fields& f, SGDOptions& o) {
  f("lr", o.lr, {.help = "learning rate", .min = 0});
  f("momentum", o.momentum, {.help = "share of the last update that goes on", .min = 0});
  f("dampening", o.dampening, {.help = "by how much the gradient counts less for the momentum"});
  f("weight_decay", o.weight_decay, {.help = "L2 penalty", .min = 0});
  f("nesterov", o.nesterov, {.help = "Nesterov's momentum"});
  f("maximize", o.maximize, {.help = "climb instead of descend"});
}

void SGD::check(const Options& o) const {
  require_not_negative("SGD", "lr", o.lr);
  require_not_negative("SGD", "momentum", o.momentum);
  require(std::isfinite(o.dampening), "SGD", "dampening", o.dampening, "a finite number");
  require_not_negative("SGD", "weight_decay", o.weight_decay);
  EG_CHECK(!o.nesterov || (o.momentum > 0 && o.dampening == 0), ValueError,
           "[SGD] nesterov needs momentum above 0 and no dampening, found momentum {} and dampening {}", o.momentum,
           o.dampening);
}

std::vector<std::string> SGD::state_names(const Options& o) const {
  return o.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{};
}

void SGD::update(const Options& o, Slot& slot, const Tensor& grad) {
  const bool first = slot.updates == 1;
  dispatch_floating("SGD", slot.parameter.dtype(), [&]<class T>() {
    T* const w = slot.parameter.mutable_data<T>().data();
    T* const v = o.momentum > 0 ? slot.state[0].mutable_data<T>().data() : nullptr;
    const T* const g = grad.data<T>().data();
    const T lr = static_cast<T>(o.lr), momentum = static_cast<T>(o.momentum), decay = static_cast<T>(o.weight_decay);
    const T fresh = first ? T(1) : static_cast<T>(1 - o.dampening), sign = o.maximize ? T(-1) : T(1);
    const T kept = first ? T(0) : momentum;  // of the velocity, which is 0 at first
    // w ← w - lr·(ahead·d + along·v): Nesterov's momentum looks a step ahead.
    const T ahead = o.nesterov ? T(1) : T(0), along = o.nesterov ? momentum : T(1);
    parallel_for(slot.parameter.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      if (!v) {
#pragma omp simd
        for (std::int64_t i = begin; i < end; ++i) w[i] -= lr * (sign * g[i] + decay * w[i]);
        return;
      }
#pragma omp simd
      for (std::int64_t i = begin; i < end; ++i) {
        const T d = sign * g[i] + decay * w[i];
        v[i] = kept * v[i] + fresh * d;
        w[i] -= lr * (ahead * d + along * v[i]);
      }
    });
  });
}

}  // namespace eigengrad::optim
