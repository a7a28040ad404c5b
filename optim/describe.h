// Options that many optimizers have, described once. For .cc files.
#pragma once

#include "eigengrad/config/fields.h"

namespace eigengrad::optim {

inline void describe_lr(config::Fields& f, double& lr) { f("lr", lr, {.help = "learning rate", .min = 0}); }
inline void describe_eps(config::Fields& f, double& eps) {
  f("eps", eps, {.help = "added to the denominator", .min = 0});
}
inline void describe_decay(config::Fields& f, double& weight_decay, const char* help = "L2 penalty") {
  f("weight_decay", weight_decay, {.help = help, .min = 0});
}
inline void describe_share(config::Fields& f, const char* name, double& value, const char* help) {
  f(name, value, {.help = help, .min = 0, .max = 1, .below_max = true});
}
inline void describe_maximize(config::Fields& f, bool& maximize) {
  f("maximize", maximize, {.help = "climb instead of descend"});
}

inline constexpr const char* kDecoupled = "weight decay, apart from the gradient";

}  // namespace eigengrad::optim
