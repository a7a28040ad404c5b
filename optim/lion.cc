#include "eigengrad/optim/lion.h"

#include "eigengrad/optim/describe.h"
#include "eigengrad/optim/update.h"

namespace eigengrad::optim {

void describe(config::Fields& f, LionOptions& o) {
  describe_lr(f, o.lr);
  describe_share(f, "beta1", o.beta1, "share of the mean in the direction of a step");
  describe_share(f, "beta2", o.beta2, "decay of the mean of the gradient");
  describe_decay(f, o.weight_decay, kDecoupled);
  describe_maximize(f, o.maximize);
}

std::vector<StateEntry> Lion::state(const Options&) { return {"mean"}; }

void Lion::update(const Options& o, Slot& slot, const Tensor& grad) {
  update_elements<1>(kName, slot, grad, [&]<class T>() {
    return [slope = slope_of<T>(o, true), b1 = static_cast<T>(o.beta1), c1 = static_cast<T>(1 - o.beta1),
            b2 = static_cast<T>(o.beta2), c2 = static_cast<T>(1 - o.beta2),
            kept = static_cast<T>(1 - o.lr * o.weight_decay), lr = static_cast<T>(o.lr)](T& w, T g, T& mean) {
      const T d = slope(w, g);
      const T direction = b1 * mean + c1 * d;
      // NaN in, NaN out: direction - direction is 0 but for what is not finite.
      const T sign = (direction > 0 ? T(1) : T(0)) - (direction < 0 ? T(1) : T(0)) + (direction - direction);
      mean = b2 * mean + c2 * d;
      w = kept * w - lr * sign;
    };
  });
}

}  // namespace eigengrad::optim
