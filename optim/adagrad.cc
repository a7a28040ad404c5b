#include "eigengrad/optim/adagrad.h"

#include <cmath>

#include "eigengrad/optim/describe.h"
#include "eigengrad/optim/update.h"

namespace eigengrad::optim {

void describe(config::Fields& f, AdagradOptions& o) {
  describe_lr(f, o.lr);
  f("lr_decay", o.lr_decay, {.help = "how fast the learning rate falls with the number of updates", .min = 0});
  describe_decay(f, o.weight_decay);
  f("initial_accumulator_value", o.initial_accumulator_value, {.help = "where the sum of squares begins", .min = 0});
  describe_eps(f, o.eps);
  describe_maximize(f, o.maximize);
}

std::vector<StateEntry> Adagrad::state(const Options& o) { return {{"square_sum", o.initial_accumulator_value}}; }

void Adagrad::update(const Options& o, Slot& slot, const Tensor& grad) {
  const double rate = o.lr / (1 + static_cast<double>(slot.updates - 1) * o.lr_decay);
  update_elements<1>(kName, slot, grad, [&]<class T>() {
    return [slope = slope_of<T>(o), rate = static_cast<T>(rate), eps = static_cast<T>(o.eps)](T& w, T g, T& sum) {
      const T d = slope(w, g);
      sum += d * d;
      w -= rate * d / (std::sqrt(sum) + eps);
    };
  });
}

void describe(config::Fields& f, AdadeltaOptions& o) {
  describe_lr(f, o.lr);
  f("rho", o.rho, {.help = "decay of the means of squares", .min = 0, .max = 1});
  describe_eps(f, o.eps);
  describe_decay(f, o.weight_decay);
  describe_maximize(f, o.maximize);
}

std::vector<StateEntry> Adadelta::state(const Options&) { return {"mean_square", "mean_square_step"}; }

void Adadelta::update(const Options& o, Slot& slot, const Tensor& grad) {
  update_elements<2>(kName, slot, grad, [&]<class T>() {
    return [slope = slope_of<T>(o), rho = static_cast<T>(o.rho), fresh = static_cast<T>(1 - o.rho),
            eps = static_cast<T>(o.eps), lr = static_cast<T>(o.lr)](T& w, T g, T& square, T& square_step) {
      const T d = slope(w, g);
      square = rho * square + fresh * d * d;
      const T step = std::sqrt(square_step + eps) / std::sqrt(square + eps) * d;
      square_step = rho * square_step + fresh * step * step;
      w -= lr * step;
    };
  });
}

}  // namespace eigengrad::optim
