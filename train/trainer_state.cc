// What a trainer remembers, and how it goes on from there.
#include <bit>
#include <set>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/train/trainer.h"

namespace eigengrad::train {
namespace {

using optim::StateDict;

void add_part(StateDict& state, const std::string& prefix, const StateDict& part) {
  for (const auto& [name, value] : part) state.emplace_back(prefix + name, value);
}

// Takes the entries whose names begin with a prefix out of a state, without it.
StateDict take_part(StateDict& state, const std::string& prefix) {
  StateDict part, rest;
  for (auto& [name, value] : state) {
    if (name.starts_with(prefix))
      part.emplace_back(name.substr(prefix.size()), std::move(value));
    else
      rest.emplace_back(std::move(name), std::move(value));
  }
  state = std::move(rest);
  return part;
}

// The history as columns: one of every metric, NaN where an epoch has none.
StateDict history_state(const std::vector<EpochRecord>& history) {
  std::set<std::string> names;
  for (const EpochRecord& record : history)
    for (const auto& [name, value] : record.metrics) names.insert(name);
  const auto count = static_cast<std::int64_t>(history.size());
  const auto column = [&](auto value_of) {
    std::vector<double> values;
    for (const EpochRecord& record : history) values.push_back(value_of(record));
    return tensor(values, {count});
  };
  StateDict state;
  state.emplace_back("epoch", column([](const EpochRecord& r) { return static_cast<double>(r.epoch); }));
  state.emplace_back("step", column([](const EpochRecord& r) { return static_cast<double>(r.step); }));
  state.emplace_back("seconds", column([](const EpochRecord& r) { return r.seconds; }));
  for (const std::string& name : names) {
    state.emplace_back("metric." + name, column([&](const EpochRecord& r) {
                         const auto found = r.metrics.find(name);
                         return found == r.metrics.end() ? std::nan("") : found->second;
                       }));
    state.emplace_back("measured." + name,
                       column([&](const EpochRecord& r) { return r.metrics.contains(name) ? 1.0 : 0.0; }));
  }
  return state;
}

// A number of epochs or steps in the history; -0 would not be written again as it was.
std::int64_t count_in_history(const std::string& column, double value) {
  EG_CHECK(!std::signbit(value) && value <= 0x1p53 && value == std::floor(value), ValueError,
           "[Trainer] the state does not fit:\n  history.{}: found {}, expected a whole number in [0, 2^53]", column,
           value);
  return static_cast<std::int64_t>(value);
}

std::vector<EpochRecord> read_history(const StateDict& state) {
  std::map<std::string, std::vector<double>> columns;
  std::size_t length = 0;
  for (const auto& [name, value] : state) {
    EG_CHECK(value.dtype() == kFloat64 && value.dim() == 1, ValueError,
             "[Trainer] the state does not fit:\n  history.{}: found {} {}, expected a list of float64", name,
             value.dtype(), value.shape());
    columns[name] = value.to_vector<double>();
    if (columns.size() == 1) length = columns[name].size();
    EG_CHECK(columns[name].size() == length, ValueError,
             "[Trainer] the state does not fit:\n  history.{}: found {} values, expected {}", name,
             columns[name].size(), length);
  }
  const auto take = [&](const std::string& name) {
    auto column = columns.extract(name);
    EG_CHECK(column, ValueError, "[Trainer] the state does not fit:\n  missing: history.{}", name);
    return std::move(column.mapped());
  };
  const std::vector<double> epochs = take("epoch"), steps = take("step"), seconds = take("seconds");
  std::vector<EpochRecord> history;
  for (std::size_t i = 0; i < length; ++i)
    history.push_back({count_in_history("epoch", epochs[i]), count_in_history("step", steps[i]), seconds[i], {}});
  while (!columns.empty()) {
    const std::string name = columns.rbegin()->first;
    EG_CHECK(name.starts_with("metric."), ValueError, "[Trainer] the state does not fit:\n  not expected: history.{}",
             name);
    const std::string metric = name.substr(7);
    const std::vector<double> values = take(name), measured = take("measured." + metric);
    for (std::size_t i = 0; i < length; ++i) {
      EG_CHECK(measured[i] == 0 || measured[i] == 1, ValueError,
               "[Trainer] the state does not fit:\n  history.measured.{}: found {}, expected 0 or 1", metric,
               measured[i]);
      if (measured[i] == 1) history[i].metrics[metric] = values[i];
    }
  }
  return history;
}

// Weights that do not fit the model would be found out when training has ended.
void check_best_weights(const StateDict& weights, const StateDict& model) {
  optim::StateReader reader(weights, "Trainer, best.weights");
  for (const auto& [name, value] : model) reader.take(name, value.shape(), value.dtype());
  reader.finish();
}

// Numbers of 64 bits, of any sign.
Tensor bits_of(std::uint64_t value) { return tensor(std::bit_cast<std::int64_t>(value)); }
std::uint64_t bits_from(const Tensor& value) {
  return value.defined() ? std::bit_cast<std::uint64_t>(value.item<std::int64_t>()) : 0;
}

}  // namespace

void Trainer::describe_state(optim::StateFields& f) {
  f("step", state_.step);
  f("epoch", state_.epoch);
  f("samples", state_.samples);
  f("seconds", state_.seconds);
  f.within("present.", [&] {
    f("batches", epoch_batches_);
    f("batches_done", batches_done_);
    f("samples", samples_);
    f("steps", steps_);
    f("loss_sum", loss_sum_);
    f("grad_norm_sum", grad_norm_sum_);
    f.within("sums.", [&] { metrics_.visit_state(f); });
  });
  f.within("criterion.", [&] { describe_states(criteria_, f); });
  for (std::size_t i = 0; i < callbacks_.size(); ++i)
    f.within(fmt::format("callback.{}.", i), [&] { callbacks_[i]->describe_state(f); });
}

StateDict Trainer::state_dict() const {
  StateDict state;
  optim::StateFields fields(state);
  const_cast<Trainer*>(this)->describe_state(fields);  // which only reads when it saves
  for (const auto& [name, value] : state_.metrics) state.emplace_back("metric." + name, tensor(value));
  state.emplace_back("random.seed", bits_of(default_generator().seed()));
  state.emplace_back("random.offset", bits_of(default_generator().offset()));
  add_part(state, "history.", history_state(history_));
  add_part(state, "optimizer.", optimizer_.state_dict());
  for (std::size_t i = 0; i < schedules_.size(); ++i)
    add_part(state, fmt::format("schedule.{}.", i), schedules_[i].first->state_dict());
  if (average_) add_part(state, "average.", average_->state_dict());
  if (best_) {
    state.emplace_back("best.value", tensor(best_->value));
    state.emplace_back("best.epoch", tensor(best_->epoch));
    state.emplace_back("best.step", tensor(best_->step));
    add_part(state, "best.weights.", best_->weights);
  }
  return state;
}

void Trainer::load_state_dict(const StateDict& state) {
  const StateDict before = state_dict();
  const bool resumed_before = resumed_;
  try {
    load_parts(state);
  } catch (...) {
    load_parts(before);
    resumed_ = resumed_before;
    throw;
  }
}

void Trainer::load_parts(const StateDict& state) {
  StateDict own = state;
  const StateDict optimizer = take_part(own, "optimizer."), average = take_part(own, "average.");
  StateDict best_weights = take_part(own, "best.weights.");
  std::vector<EpochRecord> history = read_history(take_part(own, "history."));
  std::vector<StateDict> schedules;
  for (std::size_t i = 0; i < schedules_.size(); ++i)
    schedules.push_back(take_part(own, fmt::format("schedule.{}.", i)));

  optim::StateReader reader(own, "Trainer");
  optim::StateFields fields(reader);
  describe_state(fields);
  const std::uint64_t seed = bits_from(reader.take("random.seed", {}, kInt64)),
                      offset = bits_from(reader.take("random.offset", {}, kInt64));
  std::map<std::string, double> metrics;
  for (const auto& [name, value] : own)
    if (name.starts_with("metric.")) metrics[name.substr(7)] = reader.take_number(name);
  std::optional<BestModel> best;
  if (!best_weights.empty()) {
    check_best_weights(best_weights, model_.state_dict());
    best.emplace(BestModel{keep_best_ ? keep_best_->metric : "", 0, 0, 0, std::move(best_weights)});
    best->value = reader.take_number("best.value");
    best->epoch = reader.take_count("best.epoch");
    best->step = reader.take_count("best.step");
  }
  reader.finish();
  EG_CHECK(average_ || average.empty(), ValueError,
           "[Trainer] the state does not fit:\n  not expected: average.{} and others: there are no averages of weights",
           average.empty() ? "" : average.front().first);

  optimizer_.load_state_dict(optimizer);
  for (std::size_t i = 0; i < schedules_.size(); ++i) schedules_[i].first->load_state_dict(schedules[i]);
  if (average_) average_->load_state_dict(average);
  fields.commit();
  default_generator().set_seed(seed);
  default_generator().set_offset(offset);
  history_ = std::move(history);
  best_ = std::move(best);
  state_.metrics = std::move(metrics);
  state_.epoch_ended = state_.validated = false;
  resumed_ = true;
}

}  // namespace eigengrad::train
