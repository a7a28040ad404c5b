#include "eigengrad/optim/rmsprop.h"

#include <cmath>
#include <tuple>

#include "eigengrad/optim/describe.h"
#include "eigengrad/optim/update.h"

namespace eigengrad::optim {

void describe(config::Fields& f, RMSpropOptions& o) {
  describe_lr(f, o.lr);
  f("alpha", o.alpha, {.help = "decay of the mean of the gradient's square", .min = 0, .max = 1});
  describe_eps(f, o.eps);
  describe_decay(f, o.weight_decay);
  f("momentum", o.momentum, {.help = "share of the last update that goes on", .min = 0});
  f("centered", o.centered, {.help = "divide by the deviation from the mean gradient"});
  describe_maximize(f, o.maximize);
}

std::vector<StateEntry> RMSprop::state(const Options& o) {
  std::vector<StateEntry> entries{"mean_square"};
  if (o.centered) entries.push_back("mean");
  if (o.momentum > 0) entries.push_back("momentum");
  return entries;
}

void RMSprop::update(const Options& o, Slot& slot, const Tensor& grad) {
  with_flags(
      [&]<bool kCentered, bool kMomentum>() {
        update_elements<1 + kCentered + kMomentum>(kName, slot, grad, [&]<class T>() {
          return [slope = slope_of<T>(o), alpha = static_cast<T>(o.alpha), fresh = static_cast<T>(1 - o.alpha),
                  eps = static_cast<T>(o.eps), momentum = static_cast<T>(o.momentum),
                  lr = static_cast<T>(o.lr)](T& w, T g, T& square, auto&... more) {
            const T d = slope(w, g);
            square = alpha * square + fresh * d * d;
            [[maybe_unused]] const auto others = std::tie(more...);
            T spread = square;
            if constexpr (kCentered) {
              T& mean = std::get<0>(others);
              mean = alpha * mean + fresh * d;
              spread -= mean * mean;
            }
            T step = d / (std::sqrt(spread) + eps);
            if constexpr (kMomentum) {
              T& last = std::get<kCentered>(others);
              last = step = momentum * last + step;
            }
            w -= lr * step;
          };
        });
      },
      o.centered, o.momentum > 0);
}

}  // namespace eigengrad::optim
