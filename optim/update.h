// The loop of optimizers whose step is arithmetic of every element alone. For .cc files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// The gradient with the L2 penalty weight_decay·w added, negated to climb.
template <class T>
struct Slope {
  T sign, decay;
  T operator()(T w, T gradient) const { return sign * gradient + decay * w; }
};
template <class T, class Options>
Slope<T> slope_of(const Options& o, bool decay_apart = false) {
  return {o.maximize ? T(-1) : T(1), decay_apart ? T(0) : static_cast<T>(o.weight_decay)};
}

/// Calls f.template operator()<flags...>(): a branch within a loop would keep it from being vectorised.
template <bool... kKnown, class F>
void with_flags(F&& f) {
  f.template operator()<kKnown...>();
}
template <bool... kKnown, class F, class... Rest>
void with_flags(F&& f, bool flag, Rest... rest) {
  flag ? with_flags<kKnown..., true>(f, rest...) : with_flags<kKnown..., false>(f, rest...);
}

namespace detail {

template <class T, class Rule, std::size_t... k>
void update_elements(Optimizer::Slot& slot, const Tensor& grad, const Rule& rule, std::index_sequence<k...>) {
  T* const w = slot.parameter.mutable_data<T>().data();
  const T* const g = grad.data<T>().data();
  const std::array<T*, sizeof...(k)> state{slot.state[k].template mutable_data<T>().data()...};
  // How many elements are worth a second thread: fewer where more memory belongs to each.
  constexpr std::int64_t grain = sizeof...(k) < 2 ? 1 << 15 : 1 << 14;
  parallel_evenly(slot.parameter.numel(), grain, [&](std::int64_t begin, std::int64_t end) {
    // Copies, which no store into the parameter can change.
    const Rule step = rule;
    const std::array<T*, sizeof...(k)> s = state;
    T* const weights = w;
    const T* const gradients = g;
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) {
      // Values in variables of their own, and not in an array, or GCC does not vectorise.
      const auto update = [&](T weight, auto... values) {
        step(weight, gradients[i], values...);
        ((s[k][i] = values), ...);
        weights[i] = weight;
      };
      update(weights[i], s[k][i]...);
    }
  });
}

}  // namespace detail

/// Changes every element of slot.parameter and of the first kStates tensors of its state, in one pass on all threads.
/// `make_rule.template operator()<T>()` gives the rule for elements of a type, with all that it needs in it:
///   rule(T& weight, T gradient, T&... state)
/// Throws DtypeError naming `name` for a parameter that is not floating.
template <std::size_t kStates, class MakeRule>
void update_elements(const char* name, Optimizer::Slot& slot, const Tensor& grad, MakeRule make_rule) {
  dispatch_floating(name, slot.parameter.dtype(), [&]<class T>() {
    detail::update_elements<T>(slot, grad, make_rule.template operator()<T>(), std::make_index_sequence<kStates>());
  });
}

}  // namespace eigengrad::optim
