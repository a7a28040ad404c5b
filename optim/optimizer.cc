#include "eigengrad/optim/optimizer.h"

#include <cmath>
#include <map>
#include <set>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad::optim {
namespace {

constexpr const char* kRate = "a finite number of at least 0";

bool is_rate(double value) { return std::isfinite(value) && value >= 0; }

std::string group_name(std::size_t group, const char* what) { return fmt::format("group.{}.{}", group, what); }
std::string parameter_name(std::size_t index, const std::string& what) {
  return fmt::format("parameter.{}.{}", index, what);
}

// A row-major tensor of its own with the elements of x.
Tensor copy_of(const Tensor& x) {
  Tensor copy = empty(x.shape(), x.dtype());
  copy_(copy, x);
  return copy;
}

}  // namespace

void Optimizer::require(bool ok, const char* optimizer, const char* option, double found, const char* expected) {
  EG_CHECK(ok, ValueError, "[{}] {} is {}, expected {}", optimizer, option, found, expected);
}

void Optimizer::require_not_negative(const char* optimizer, const char* option, double found) {
  require(is_rate(found), optimizer, option, found, kRate);
}

void Optimizer::step() {
  const NoGrad no_grad;
  for (Slot& slot : slots_) {
    const Tensor grad = slot.parameter.grad();
    if (!grad.defined()) continue;
    if (slot.updates == 0)
      for (std::size_t k = state_names_of(slot.group).size(); k > slot.state.size();)
        slot.state.push_back(zeros(slot.parameter.shape(), slot.parameter.dtype()));
    ++slot.updates;
    update_slot(slot, contiguous(grad));
  }
  ++steps_;
}

void Optimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.zero_grad();
}

void Optimizer::check_group(std::size_t group) const {
  EG_CHECK(group < groups_, IndexError, "[optimizer] there is no group {}: there are {}, counted from 0", group,
           groups_);
}

double Optimizer::lr(std::size_t group) const {
  check_group(group);
  return lr_of(group);
}

void Optimizer::set_lr(std::size_t group, double lr) {
  check_group(group);
  require_not_negative("set_lr", "lr", lr);
  put_lr(group, lr);
}

void Optimizer::set_lr(double lr) {
  require_not_negative("set_lr", "lr", lr);
  for (std::size_t group = 0; group < groups_; ++group) put_lr(group, lr);
}

void Optimizer::add_slots(const std::vector<Tensor>& parameters) {
  std::set<const TensorImpl*> known;
  for (const Slot& slot : slots_) known.insert(slot.parameter.ref().get());
  std::vector<Slot> slots = slots_;
  for (const Tensor& parameter : parameters) {
    EG_CHECK(parameter.requires_grad() && parameter.is_leaf(), ValueError,
             "[optimizer] a tensor of shape {} cannot be optimized: it is not a leaf that requires grad",
             parameter.shape());
    EG_CHECK(parameter.is_contiguous(), ValueError, "[optimizer] a parameter of shape {} is not contiguous",
             parameter.shape());
    EG_CHECK(known.insert(parameter.ref().get()).second, ValueError,
             "[optimizer] a parameter of shape {} is given twice", parameter.shape());
    slots.push_back({parameter, groups_});
  }
  slots_ = std::move(slots);
  ++groups_;
}

StateDict Optimizer::state_dict() const {
  StateDict state{{"steps", tensor(steps_)}};
  for (std::size_t group = 0; group < groups_; ++group) state.emplace_back(group_name(group, "lr"), tensor(lr(group)));
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    state.emplace_back(parameter_name(i, "updates"), tensor(slot.updates));
    const std::vector<std::string> names = state_names_of(slot.group);
    for (std::size_t k = 0; k < slot.state.size(); ++k)
      state.emplace_back(parameter_name(i, names[k]), copy_of(slot.state[k]));
  }
  return state;
}

// Takes a state apart, collecting what is wrong with it.
class Optimizer::Loading {
 public:
  explicit Loading(const StateDict& state) {
    for (const auto& [name, value] : state)
      if (!entries_.emplace(name, value).second) mistakes_ += fmt::format("\n  there twice: {}", name);
  }

  // The entry of a name, or an undefined tensor when it does not fit.
  Tensor take(const std::string& name, const Shape& shape, Dtype dtype) {
    const auto found = entries_.find(name);
    if (found == entries_.end()) {
      mistakes_ += fmt::format("\n  missing: {}, {} {}", name, dtype, shape);
      return Tensor();
    }
    const Tensor value = found->second;
    entries_.erase(found);
    if (value.defined() && value.shape() == shape && value.dtype() == dtype) return value;
    const std::string what = value.defined() ? fmt::format("{} {}", value.dtype(), value.shape()) : "nothing";
    mistakes_ += fmt::format("\n  {}: found {}, expected {} {}", name, what, dtype, shape);
    return Tensor();
  }

  std::int64_t take_count(const std::string& name) {
    const Tensor value = take(name, {}, kInt64);
    const std::int64_t count = value.defined() ? value.item<std::int64_t>() : 0;
    if (count < 0) mistakes_ += fmt::format("\n  {}: found {}, expected a number of at least 0", name, count);
    return count;
  }

  double take_rate(const std::string& name) {
    const Tensor value = take(name, {}, kFloat64);
    const double rate = value.defined() ? value.item() : 0;
    if (!is_rate(rate)) mistakes_ += fmt::format("\n  {}: found {}, expected {}", name, rate, kRate);
    return rate;
  }

  void finish() {
    for (const auto& [name, value] : entries_) mistakes_ += fmt::format("\n  not expected: {}", name);
    EG_CHECK(mistakes_.empty(), ValueError, "[optimizer] the state does not fit:{}", mistakes_);
  }

 private:
  std::map<std::string, Tensor> entries_;
  std::string mistakes_;
};

void Optimizer::load_state_dict(const StateDict& state) {
  const NoGrad no_grad;
  Loading loading(state);
  const std::int64_t steps = loading.take_count("steps");
  std::vector<double> rates;
  for (std::size_t group = 0; group < groups_; ++group) rates.push_back(loading.take_rate(group_name(group, "lr")));
  std::vector<Slot> slots = slots_;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    slot.updates = loading.take_count(parameter_name(i, "updates"));
    slot.state.clear();
    if (slot.updates <= 0) continue;
    for (const std::string& name : state_names_of(slot.group)) {
      const Tensor value = loading.take(parameter_name(i, name), slot.parameter.shape(), slot.parameter.dtype());
      slot.state.push_back(value.defined() ? copy_of(value) : Tensor());
    }
  }
  loading.finish();
  slots_ = std::move(slots);
  steps_ = steps;
  for (std::size_t group = 0; group < groups_; ++group) put_lr(group, rates[group]);
}

}  // namespace eigengrad::optim
