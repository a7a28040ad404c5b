#include "eigengrad/optim/combined.h"

#include "eigengrad/core/check.h"

namespace eigengrad::optim {
namespace {

std::string part_name(std::size_t part) { return fmt::format("optimizer.{}.", part); }

}  // namespace

CombinedOptimizer::CombinedOptimizer(std::vector<std::unique_ptr<Optimizer>> parts) : parts_(std::move(parts)) {
  EG_CHECK(!parts_.empty(), ValueError, "[CombinedOptimizer] expected at least one optimizer, found none");
  for (const auto& part : parts_) {
    EG_CHECK(!part->needs_closure(), ValueError,
             "[CombinedOptimizer] an optimizer that computes the cost more than once in a step (LBFGS) must be alone");
    for (std::size_t group = 0; group < part->groups(); ++group) {
      places_.push_back({part.get(), group});
      add_slots({});
    }
  }
}

void CombinedOptimizer::step() {
  for (const auto& part : parts_) part->step();
  count_step();
}

void CombinedOptimizer::zero_grad() {
  for (const auto& part : parts_) part->zero_grad();
}

double CombinedOptimizer::lr_of(std::size_t group) const { return places_[group].part->lr(places_[group].group); }

void CombinedOptimizer::put_lr(std::size_t group, double lr) { places_[group].part->set_lr(places_[group].group, lr); }

std::optional<double> CombinedOptimizer::momentum_of(std::size_t group) const {
  return places_[group].part->momentum(places_[group].group);
}

void CombinedOptimizer::put_momentum(std::size_t group, double momentum) {
  if (momentum_of(group)) places_[group].part->set_momentum(places_[group].group, momentum);
}

void CombinedOptimizer::save_more(StateDict& state) const {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    for (auto& [name, value] : parts_[i]->state_dict()) state.emplace_back(part_name(i) + name, value);
}

std::function<void()> CombinedOptimizer::load_more(StateReader& reader) {
  std::vector<std::function<void()>> loaded;
  for (std::size_t i = 0; i < parts_.size(); ++i)
    loaded.push_back(reader.within(part_name(i), [&] { return parts_[i]->read_state(reader); }));
  return [loaded] {
    for (const auto& take_over : loaded) take_over();
  };
}

}  // namespace eigengrad::optim
