#include "eigengrad/optim/state.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/kernels/promote.h"

namespace eigengrad::optim {
namespace {

// Counts go on from what was read, so that it must not be near the end of the integers.
constexpr std::int64_t kMostCount = std::int64_t{1} << 53;

}  // namespace

Tensor copy_of(const Tensor& x) {
  const NoGrad no_grad;
  Tensor copy = empty(x.shape(), x.dtype());
  copy_(copy, x);
  return copy;
}

Dtype state_dtype(const Tensor& parameter) {
  return computing_dtype(parameter.dtype());
}

bool is_rate(double value) { return std::isfinite(value) && value >= 0; }

StateReader::StateReader(const StateDict& state, std::string owner) : owner_(std::move(owner)) {
  for (const auto& [name, value] : state)
    if (!entries_.emplace(name, value).second) mistakes_ += fmt::format("\n  there twice: {}", name);
}

Tensor StateReader::take(const std::string& short_name, const Shape& shape, Dtype dtype) {
  const std::string name = prefix_ + short_name;
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

std::int64_t StateReader::take_count(const std::string& name) {
  const Tensor value = take(name, {}, kInt64);
  const std::int64_t count = value.defined() ? value.item<std::int64_t>() : 0;
  if (count < 0 || count > kMostCount)
    mistakes_ += fmt::format("\n  {}{}: found {}, expected a number in [0, 2^53]", prefix_, name, count);
  return count;
}

double StateReader::take_number(const std::string& name) {
  const Tensor value = take(name, {}, kFloat64);
  return value.defined() ? value.item() : 0;
}

double StateReader::take_rate(const std::string& name) {
  const double rate = take_number(name);
  if (!is_rate(rate)) mistakes_ += fmt::format("\n  {}{}: found {}, expected {}", prefix_, name, rate, kRate);
  return rate;
}

std::vector<double> StateReader::take_numbers(const std::string& name, const std::function<bool(std::size_t)>& fits) {
  const auto found = entries_.find(prefix_ + name);
  const std::int64_t length =
      found != entries_.end() && found->second.defined() && found->second.dim() == 1 ? found->second.size(0) : 0;
  const Tensor values = take(name, {length}, kFloat64);
  if (!values.defined()) return {};
  if (fits(static_cast<std::size_t>(length))) return values.to_vector<double>();
  mistakes_ += fmt::format("\n  {}{}: found {} numbers, which is not a length that fits", prefix_, name, length);
  return {};
}

void StateReader::finish() {
  for (const auto& [name, value] : entries_) mistakes_ += fmt::format("\n  not expected: {}", name);
  EG_CHECK(mistakes_.empty(), ValueError, "[{}] the state does not fit:{}", owner_, mistakes_);
}

void StateFields::operator()(const std::string& name, std::int64_t& value) {
  if (out_)
    out_->emplace_back(prefix_ + name, tensor(value));
  else
    pending_.push_back([&value, found = in_->take_count(prefix_ + name)] { value = found; });
}

void StateFields::operator()(const std::string& name, double& value) {
  if (out_)
    out_->emplace_back(prefix_ + name, tensor(value));
  else
    pending_.push_back([&value, found = in_->take_number(prefix_ + name)] { value = found; });
}

void StateFields::operator()(const std::string& name, std::vector<double>& values,
                             const std::function<bool(std::size_t)>& fits) {
  if (out_)
    out_->emplace_back(prefix_ + name, tensor(values, {static_cast<std::int64_t>(values.size())}));
  else
    pending_.push_back([&values, found = in_->take_numbers(prefix_ + name, fits)] { values = found; });
}

void StateFields::commit() {
  for (const auto& set : pending_) set();
}

}  // namespace eigengrad::optim
