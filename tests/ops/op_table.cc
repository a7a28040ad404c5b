#include "tests/ops/op_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eigengrad/ops/type.h"

namespace eigengrad::tests {

// One family for each header of ops/, in table/NAME.cc.
OpFamily arithmetic_ops();
OpFamily math_ops();
OpFamily activation_ops();
OpFamily comparison_ops();
OpFamily index_ops();
OpFamily inplace_ops();
OpFamily linalg_ops();
OpFamily decomposition_ops();
OpFamily loss_ops();
OpFamily reduce_ops();
OpFamily shape_ops();
OpFamily rearrange_ops();
OpFamily order_ops();
OpFamily convolution_ops();
OpFamily pooling_ops();
OpFamily normalization_ops();
OpFamily attention_ops();
OpFamily recurrent_ops();
OpFamily interpolate_ops();
OpFamily type_ops();

namespace {

const OpFamily& all_ops() {
  static const OpFamily all = [] {
    OpFamily sum;
    for (OpFamily (*family)() : {arithmetic_ops,    math_ops,      activation_ops,    comparison_ops,  index_ops,
                                 inplace_ops,       linalg_ops,    decomposition_ops, loss_ops,        reduce_ops,
                                 shape_ops,         rearrange_ops, order_ops,         convolution_ops, pooling_ops,
                                 normalization_ops, attention_ops, recurrent_ops,     interpolate_ops, type_ops}) {
      OpFamily part = family();
      std::move(part.differentiable.begin(), part.differentiable.end(), std::back_inserter(sum.differentiable));
      std::move(part.others.begin(), part.others.end(), std::back_inserter(sum.others));
      std::move(part.bad_calls.begin(), part.bad_calls.end(), std::back_inserter(sum.bad_calls));
      std::move(part.tested_elsewhere.begin(), part.tested_elsewhere.end(), std::back_inserter(sum.tested_elsewhere));
    }
    return sum;
  }();
  return all;
}

// A number in [0, 1) for each counter value: splitmix64.
double random_number(std::uint64_t counter) {
  std::uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

// Away from multiples of 0.5.
double off_the_kinks(double x) {
  const double cell = std::floor(2 * x);
  return 0.5 * (cell + 0.1 + 0.8 * (2 * x - cell));
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const OpRow& row) { return out << row.name; }

const std::vector<OpRow>& differentiable_ops() { return all_ops().differentiable; }
const std::vector<OpRow>& other_ops() { return all_ops().others; }
const std::vector<BadCall>& bad_calls() { return all_ops().bad_calls; }
const std::vector<std::string>& ops_tested_elsewhere() { return all_ops().tested_elsewhere; }

std::vector<Tensor> make_inputs(const OpRow& row, std::span<const Shape> shapes, Dtype dtype) {
  std::size_t total = 0;
  for (const Shape& shape : shapes) total += static_cast<std::size_t>(checked_numel(shape));
  // Each element has a place of its own on the way from the low end to the high one, in shuffled order.
  std::vector<std::size_t> places(total);
  std::iota(places.begin(), places.end(), std::size_t{0});
  for (std::size_t i = total; i > 1; --i)
    std::swap(places[i - 1], places[static_cast<std::size_t>(random_number(i) * static_cast<double>(i))]);
  std::vector<Tensor> inputs;
  std::size_t next = 0;
  for (std::size_t k = 0; k < shapes.size(); ++k) {
    const auto [low, high] = row.options.domain[std::min(k, row.options.domain.size() - 1)];
    std::vector<double> values(static_cast<std::size_t>(checked_numel(shapes[k])));
    for (double& value : values) {
      const double jitter = 0.3 + 0.4 * random_number(1000 + next);
      const double part = (static_cast<double>(places[next++]) + jitter) / static_cast<double>(total);
      value = off_the_kinks(low + (high - low) * part);
    }
    inputs.push_back(to(tensor(values, shapes[k]), dtype));
  }
  return inputs;
}

}  // namespace eigengrad::tests
