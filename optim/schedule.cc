#include "eigengrad/optim/schedule.h"

#include "eigengrad/core/check.h"

namespace eigengrad::optim {

LRScheduler::LRScheduler(Optimizer& optimizer) : optimizer_(optimizer) {
  for (std::size_t i = 0; i < optimizer.groups(); ++i) base_lrs_.push_back(optimizer.initial_lr(i));
}

void LRScheduler::check_groups() const {
  EG_CHECK(optimizer_.groups() == groups(), Error,
           "[schedule] the optimizer has {} groups, but had {} when the schedule was made", optimizer_.groups(),
           groups());
}

void LRScheduler::step() {
  check_groups();
  ++last_epoch_;
}

void LRScheduler::restart() {
  check_groups();
  for (std::size_t i = 0; i < groups(); ++i) optimizer_.set_lr(i, base_lrs_[i]);
  begin();
}

std::vector<double> LRScheduler::get_last_lr() const {
  std::vector<double> rates;
  for (std::size_t i = 0; i < groups(); ++i) rates.push_back(optimizer_.lr(i));
  return rates;
}

void LRScheduler::describe_state(StateFields& f) {
  f("last_epoch", last_epoch_);
  for (std::size_t i = 0; i < groups(); ++i) f(fmt::format("group.{}.base_lr", i), base_lrs_[i]);
}

StateDict LRScheduler::state_dict() const {
  StateDict state;
  StateFields fields(state);
  const_cast<LRScheduler*>(this)->describe_state(fields);  // which only reads when it saves
  return state;
}

void LRScheduler::load_state_dict(const StateDict& state) {
  StateReader reader(state, "schedule");
  StateFields fields(reader);
  describe_state(fields);
  reader.finish();
  fields.commit();
}

}  // namespace eigengrad::optim
