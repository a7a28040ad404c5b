#include "eigengrad/optim/average.h"

#include <algorithm>
#include <set>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/inplace.h"

namespace eigengrad::optim {

void describe(config::Fields& f, EMAOptions& o) {
  f("decay", o.decay, {.help = "how much of the average stays at a step", .min = 0, .max = 1});
  f("warmup", o.warmup, {.help = "a smaller decay at first: (1 + n) / (10 + n) at step n"});
}

EMA::EMA(NamedParameters parameters, const EMAOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  config::check_options("EMA", options_);
  std::set<std::string> names;
  for (const auto& [name, parameter] : parameters_) {
    EG_CHECK(names.insert(name).second, ValueError, "[EMA] the name {} is there twice", name);
    // Of bfloat16 an average would stand still: what a step adds to it is less than half of its last digit.
    EG_CHECK(parameter.dtype() == kFloat32 || parameter.dtype() == kFloat64, DtypeError,
             "[EMA] {} is {}, expected float32 or float64", name, parameter.dtype());
  }
}

void EMA::update() {
  const NoGrad no_grad;
  const auto n = static_cast<double>(updates_);
  const double decay = options_.warmup ? std::min(options_.decay, (1 + n) / (10 + n)) : options_.decay;
  if (averages_.empty())
    for (const auto& [name, parameter] : parameters_) averages_.push_back(copy_of(parameter));
  else
    for (std::size_t i = 0; i < averages_.size(); ++i) lerp_(averages_[i], parameters_[i].second, 1 - decay);
  ++updates_;
}

void EMA::swap() {
  const NoGrad no_grad;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const Tensor before = copy_of(parameters_[i].second);
    copy_(parameters_[i].second, averages_[i]);
    averages_[i] = before;
  }
}

StateDict EMA::state_dict() const {
  StateDict state{{"updates", tensor(updates_)}};
  for (std::size_t i = 0; i < averages_.size(); ++i)
    state.emplace_back("average." + parameters_[i].first, copy_of(averages_[i]));
  return state;
}

void EMA::load_state_dict(const StateDict& state) {
  StateReader reader(state, "EMA");
  const std::int64_t updates = reader.take_count("updates");
  std::vector<Tensor> averages;
  if (updates > 0)
    for (const auto& [name, parameter] : parameters_) {
      const Tensor value = reader.take("average." + name, parameter.shape(), parameter.dtype());
      averages.push_back(value.defined() ? copy_of(value) : Tensor());
    }
  reader.finish();
  averages_ = std::move(averages);
  updates_ = updates;
}

}  // namespace eigengrad::optim
