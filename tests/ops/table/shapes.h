// What the rows of the op table have in common: shapes, options, and tensors that stand beside the inputs.
#pragma once

#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/op_table.h"

namespace eigengrad::tests {

// ---- Shapes.

inline const Cases kUnary = {{{{2, 3}}, {{}}, {{0, 3}}, {{1, 4, 1}}, {{7}}}, {{401, 400}}};
inline const Cases kBinary = {{{{2, 3}, {2, 3}},
                               {{2, 3}, {3}},
                               {{3}, {2, 3}},
                               {{2, 1}, {1, 3}},
                               {{2, 3}, {}},
                               {{}, {3}},
                               {{}, {}},
                               {{1, 1}, {2}},
                               {{0, 3}, {1, 3}},
                               {{2, 1, 2}, {3, 1}}},
                              {{401, 400}, {400}}};
inline const Cases kTernary = {{{{2, 3}, {2, 3}}, {{2, 3}, {}}, {{1}, {2, 3}}, {{2, 3}, {2, 1}}}, {}};
inline const Cases kMatrices = {{{{2, 3}}, {{1, 3}}, {{2, 1}}, {{2, 3, 2}}}, {{401, 400}}};
inline const Cases kReduced = {{{{2, 3}}, {{3, 1}}, {{2, 3, 2}}, {{0, 3}}}, {{403, 401}}};
inline const Cases kFilled = {{{{2, 3}}, {{3, 1}}, {{2, 3, 2}}}, {{403, 401}}};
inline const Cases kTwoOfAKind = {{{{2, 3}, {2, 3}}, {{0, 3}, {2, 3}}, {{1, 3}, {1, 3}}}, {}};
inline const Cases kStacked = {{{{2, 3}, {2, 3}}, {{}, {}}, {{0, 3}, {0, 3}}}, {}};
inline const Cases kLosses = {{{{2, 3}, {2, 3}}, {{4}, {4}}, {{1, 1}, {1, 1}}}, {{401, 400}, {401, 400}}};
inline const Cases kLogits = {{{{3, 4}}}, {}};

// ---- Options.

inline RowOptions positive(double low = 0.5, double high = 3) { return {.domain = {{low, high}}}; }
inline RowOptions summed(double ulps = 4) { return {.ulps = ulps, .near_largest = true}; }
inline RowOptions of_bool(RowOptions options = {}) {
  options.takes_bool = true;
  return options;
}
inline RowOptions named(const char* op, RowOptions options = {}) {
  options.op = op;
  return options;
}

// ---- Arguments of bad calls.

inline Tensor bools(const Shape& shape = {2}) { return ones(shape, kBool); }
inline Tensor ints(const Shape& shape = {2}) { return ones(shape, kInt64); }
inline Tensor leaf(const Shape& shape = {2}) { return ones(shape).set_requires_grad(); }
// Undefined: nothing has been walked back to it.
inline Tensor missing_grad() { return leaf().grad(); }
// Undefined: its elements are elsewhere now.
inline Tensor moved_from() {
  Tensor x = ones({2});
  const Tensor taken = std::move(x);
  return x;  // NOLINT(bugprone-use-after-move)
}
// One element, three times: no place for three values.
inline Tensor repeated() { return expand(ones({1}), {3}); }

// Walks back through f after what it was given, and what it gave, have been changed in place.
template <class F>
void change_then_backward(F f) {
  Tensor x = full({2}, 0.5).set_requires_grad();
  Tensor y = f(x);
  {
    const NoGrad no_grad;
    zero_(x);
    zero_(y);
  }
  sum(y).backward();
}

// ---- What stands beside the differentiable inputs.

inline Tensor integers(std::initializer_list<std::int64_t> values, const Shape& shape) {
  return tensor(std::vector<std::int64_t>(values), shape);
}
// true, false, false, true, false, false, …
inline Tensor mask(const Shape& shape) {
  Tensor result = empty(shape, kBool);
  std::int64_t i = 0;
  for (bool& value : result.mutable_data<bool>()) value = i++ % 3 == 0;
  return result;
}
// Several results as one, each with a factor of its own.
inline Tensor together(const std::vector<Tensor>& parts) {
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < parts.size(); ++i) rows.push_back(flatten(parts[i]) * (static_cast<double>(i) + 1));
  return cat(rows);
}

}  // namespace eigengrad::tests
