#include "eigengrad/optim/sgd.h"

#include "eigengrad/core/check.h"
#include "eigengrad/optim/describe.h"
#include "eigengrad/optim/update.h"

namespace eigengrad::optim {

void describe(config::Fields& f, SGDOptions& o) {
  describe_lr(f, o.lr);
  f("momentum", o.momentum, {.help = "share of the last update that goes on", .min = 0});
  f("dampening", o.dampening, {.help = "by how much the gradient counts less for the momentum"});
  describe_decay(f, o.weight_decay);
  f("nesterov", o.nesterov, {.help = "Nesterov's momentum"});
  describe_maximize(f, o.maximize);
}

void SGD::check(const Options& o) {
  EG_CHECK(!o.nesterov || (o.momentum > 0 && o.dampening == 0), ValueError,
           "[SGD] nesterov needs momentum above 0 and no dampening, found momentum {} and dampening {}", o.momentum,
           o.dampening);
}

std::vector<StateEntry> SGD::state(const Options& o) {
  if (o.momentum > 0) return {"momentum"};
  return {};
}

void SGD::update(const Options& o, Slot& slot, const Tensor& grad) {
  if (o.momentum == 0)
    return update_elements<0>(kName, slot, grad, [&]<class T>() {
      return [slope = slope_of<T>(o), lr = static_cast<T>(o.lr)](T& w, T g) { w -= lr * slope(w, g); };
    });
  const bool first = slot.updates == 1;
  update_elements<1>(kName, slot, grad, [&]<class T>() {
    const T momentum = static_cast<T>(o.momentum);
    // w ← w - lr·(ahead·d + along·v): Nesterov's momentum looks a step ahead.
    return [slope = slope_of<T>(o), lr = static_cast<T>(o.lr), kept = first ? T(0) : momentum,
            fresh = first ? T(1) : static_cast<T>(1 - o.dampening), ahead = o.nesterov ? T(1) : T(0),
            along = o.nesterov ? momentum : T(1)](T& w, T g, T& velocity) {
      const T d = slope(w, g);
      velocity = kept * velocity + fresh * d;
      w -= lr * (ahead * d + along * velocity);
    };
  });
}

}  // namespace eigengrad::optim
