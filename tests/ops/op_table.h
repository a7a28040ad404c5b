// The table of all ops: one row for each way to call one, on which the checks of op_table_test.cc and reference_test.cc
// run, and the calls that have to fail (bad_calls_test.cc). A new op is a line in table/FAMILY.cc, three bad calls
// there, and a line in reference/FAMILY.py.
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::tests {

/// The inputs of an op.
using In = std::span<const Tensor>;

/// The shapes on which a row is checked: each case has one shape for each input.
struct Cases {
  std::vector<std::vector<Shape>> small;
  std::vector<Shape> large;  ///< more elements than one thread takes; none: no check with many threads
};

struct RowOptions {
  /// Where the elements of each input lie (the last holds for all that follow). Elements keep a distance from each
  /// other and from multiples of 0.5, where functions have kinks.
  std::vector<std::pair<double, double>> domain = {{-2, 2}};
  /// The name in the op's messages, where it is not the first word of the row's name.
  std::string op = {};
  bool takes_bool = false;    ///< bool inputs are fine
  bool random = false;        ///< draws numbers, which differ in float32, and in PyTorch
  double ulps = 4;            ///< of the value in float32, against PyTorch's in float64
  bool near_largest = false;  ///< those ulps are of the largest element: sums cancel
};

struct OpRow {
  std::string name;  ///< the function as declared in ops/*.h, then perhaps a word on the way of calling it
  std::function<Tensor(In)> function;
  Cases cases;
  RowOptions options = {};

  std::string function_name() const { return name.substr(0, name.find(' ')); }
};

/// A call that throws, and what it says.
struct BadCall {
  std::string op;  ///< the function as declared
  std::function<void()> call;
  std::string message;  ///< what the message begins with: "[op] what was found"
};

/// The ops of one header.
struct OpFamily {
  std::vector<OpRow> differentiable{}, others{};
  std::vector<BadCall> bad_calls{};
  std::vector<std::string> tested_elsewhere{};  ///< functions that no row can call; each has tests of its own
};

std::ostream& operator<<(std::ostream& out, const OpRow& row);

/// Ops with a gradient.
const std::vector<OpRow>& differentiable_ops();
/// Ops without.
const std::vector<OpRow>& other_ops();
const std::vector<BadCall>& bad_calls();
const std::vector<std::string>& ops_tested_elsewhere();

/// Inputs for a row: the same elements on every call.
std::vector<Tensor> make_inputs(const OpRow& row, std::span<const Shape> shapes, Dtype dtype);

}  // namespace eigengrad::tests
