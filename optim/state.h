// What optimizers, schedules and averages remember, as tensors by name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::optim {

/// What is remembered, by name.
using StateDict = std::vector<std::pair<std::string, Tensor>>;

/// A row-major tensor of its own with the elements of x.
Tensor copy_of(const Tensor& x);

/// Takes a state apart, collecting what is wrong with it.
class StateReader {
 public:
  /// `owner` is whose state it is, for the message.
  StateReader(const StateDict& state, std::string owner);

  /// The entry of a name, or an undefined tensor when it does not fit, which is noted.
  Tensor take(const std::string& name, const Shape& shape, Dtype dtype);
  /// The same for a whole number of at least 0; 0 when it does not fit.
  std::int64_t take_count(const std::string& name);
  /// The same for a number; 0 when it does not fit.
  double take_number(const std::string& name);
  /// The same for a number that is finite and at least 0.
  double take_rate(const std::string& name);
  /// The same for a list of numbers, float64 with one axis, of a length that `fits`; empty when it does not fit.
  std::vector<double> take_numbers(const std::string& name, const std::function<bool(std::size_t)>& fits);
  /// What f takes has names that begin with `prefix`.
  template <class F>
  auto within(const std::string& prefix, F f) {
    const std::string before = std::exchange(prefix_, prefix_ + prefix);
    auto result = f();
    prefix_ = before;
    return result;
  }
  /// Throws ValueError, "the state does not fit", with all that is missing, not expected or wrong.
  void finish();

 private:
  std::map<std::string, Tensor> entries_;
  const std::string owner_;
  std::string prefix_, mistakes_;
};

/// The dtype of what is remembered of a parameter: its own, but float32 for bfloat16, in which small changes are lost.
Dtype state_dtype(const Tensor& parameter);

/// Whether a number may be a learning rate, a momentum or the like, and how that is said.
bool is_rate(double value);
inline constexpr const char* kRate = "a finite number of at least 0";

/// Numbers that are remembered, visited by one function that serves for saving and for loading: a state that does not
/// fit changes none of them.
class StateFields {
 public:
  /// Saves to `out`.
  explicit StateFields(StateDict& out) : out_(&out) {}
  /// Loads from `in`.
  explicit StateFields(StateReader& in) : in_(&in) {}

  /// A number, which loading replaces only when the whole state fits.
  void operator()(const std::string& name, std::int64_t& value);
  void operator()(const std::string& name, double& value);
  /// A list of numbers; what is read must have a length that `fits`.
  void operator()(const std::string& name, std::vector<double>& values, const std::function<bool(std::size_t)>& fits);
  /// What is visited by f has names that begin with `prefix`.
  template <class F>
  void within(const std::string& prefix, F f) {
    const std::string before = std::exchange(prefix_, prefix_ + prefix);
    f();
    prefix_ = before;
  }
  /// After reading without a mistake: gives the numbers that were read to whom they belong.
  void commit();

 private:
  StateDict* out_ = nullptr;
  StateReader* in_ = nullptr;
  std::string prefix_;
  std::vector<std::function<void()>> pending_;
};

}  // namespace eigengrad::optim
