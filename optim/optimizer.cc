#include "eigengrad/optim/optimizer.h"

#include <set>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::optim {
namespace {

std::string group_name(std::size_t group, const char* what) { return fmt::format("group.{}.{}", group, what); }
std::string parameter_name(std::size_t index, const std::string& what) {
  return fmt::format("parameter.{}.{}", index, what);
}

void check_rate(const char* where, const char* what, double found) {
  EG_CHECK(is_rate(found), ValueError, "[{}] {} is {}, expected {}", where, what, found, kRate);
}

const Shape& shape_of(const StateEntry& entry, const Tensor& parameter) {
  static const Shape scalar;
  return entry.number ? scalar : parameter.shape();
}
Dtype dtype_of(const StateEntry& entry, const Tensor& parameter) {
  return entry.number ? kFloat64 : state_dtype(parameter);
}

}  // namespace

// What is remembered may become more when a momentum that was 0 is set.
void Optimizer::look_up_state() {
  if (entries_hold_) return;
  entries_.clear();
  for (std::size_t group = 0; group < groups_; ++group) entries_.push_back(state_of(group));
  entries_hold_ = true;
}

void Optimizer::step() {
  const NoGrad no_grad;
  look_up_state();
  for (Slot& slot : slots_) {
    const Tensor grad = slot.parameter.grad();
    if (!grad.defined()) continue;
    const std::vector<StateEntry>& entries = entries_[slot.group];
    for (std::size_t k = slot.state.size(); k < entries.size(); ++k)
      slot.state.push_back(
          full(shape_of(entries[k], slot.parameter), entries[k].first, dtype_of(entries[k], slot.parameter)));
    ++slot.updates;
    slot.parameter.dtype() == kBFloat16 ? update_widened(slot, grad) : update_slot(slot, contiguous(grad));
  }
  ++steps_;
}

void Optimizer::update_widened(Slot& slot, const Tensor& grad) {
  Slot wide = slot;
  wide.parameter = to(slot.parameter.detach(), kFloat32);
  update_slot(wide, contiguous(to(grad, kFloat32)));
  copy_(slot.parameter, wide.parameter);
  slot.state = wide.state;
}

Tensor Optimizer::step(const Closure& closure) {
  const Tensor cost = [&] {
    const GradMode recording(true);
    return closure();
  }();
  step();
  return cost;
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
  check_rate("set_lr", "lr", lr);
  put_lr(group, lr);
}

void Optimizer::set_lr(double lr) {
  check_rate("set_lr", "lr", lr);
  for (std::size_t group = 0; group < groups_; ++group) put_lr(group, lr);
}

std::optional<double> Optimizer::momentum(std::size_t group) const {
  check_group(group);
  return momentum_of(group);
}

void Optimizer::set_momentum(std::size_t group, double momentum) {
  EG_CHECK(this->momentum(group), ValueError, "[set_momentum] the optimizer has neither momentum nor beta1");
  EG_CHECK(momentum >= 0 && momentum < 1, ValueError, "[set_momentum] momentum is {}, expected a number in [0, 1)",
           momentum);
  put_momentum(group, momentum);
  entries_hold_ = false;
}

double Optimizer::initial_lr(std::size_t group) {
  check_group(group);
  if (!initial_lrs_[group]) initial_lrs_[group] = lr_of(group);
  return *initial_lrs_[group];
}

void Optimizer::set_initial_lr(std::size_t group, double lr) {
  check_group(group);
  check_rate("set_initial_lr", "lr", lr);
  initial_lrs_[group] = lr;
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
  initial_lrs_.emplace_back();
  slots_ = std::move(slots);
  ++groups_;
  entries_hold_ = false;
}

StateDict Optimizer::state_dict() const {
  StateDict state{{"steps", tensor(steps_)}};
  for (std::size_t group = 0; group < groups_; ++group) {
    state.emplace_back(group_name(group, "lr"), tensor(lr_of(group)));
    if (const auto value = momentum_of(group)) state.emplace_back(group_name(group, "momentum"), tensor(*value));
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    state.emplace_back(parameter_name(i, "updates"), tensor(slot.updates));
    const std::vector<StateEntry> entries = state_of(slot.group);
    for (std::size_t k = 0; k < entries.size() && k < slot.state.size(); ++k)
      state.emplace_back(parameter_name(i, entries[k].name), copy_of(slot.state[k]));
  }
  save_more(state);
  return state;
}

std::function<void()> Optimizer::read_state(StateReader& reader) {
  const std::int64_t steps = reader.take_count("steps");
  std::vector<double> rates, momenta;
  for (std::size_t group = 0; group < groups_; ++group) {
    rates.push_back(reader.take_rate(group_name(group, "lr")));
    momenta.push_back(momentum_of(group) ? reader.take_rate(group_name(group, "momentum")) : 0);
  }
  std::vector<Slot> slots = slots_;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    slot.updates = reader.take_count(parameter_name(i, "updates"));
    slot.state.clear();
    if (slot.updates <= 0) continue;
    for (const StateEntry& entry : state_of(slot.group)) {
      const Tensor value =
          reader.take(parameter_name(i, entry.name), shape_of(entry, slot.parameter), dtype_of(entry, slot.parameter));
      slot.state.push_back(value.defined() ? copy_of(value) : Tensor());
    }
  }
  return [=, this, more = load_more(reader)] {
    more();
    slots_ = slots;
    steps_ = steps;
    entries_hold_ = false;
    for (std::size_t group = 0; group < groups_; ++group) {
      put_lr(group, rates[group]);
      put_momentum(group, momenta[group]);
    }
  };
}

void Optimizer::load_state_dict(const StateDict& state) {
  StateReader reader(state, "optimizer");
  const std::function<void()> take_over = read_state(reader);
  reader.finish();
  take_over();
}

}  // namespace eigengrad::optim
