#include "eigengrad/autograd/grad_check.h"

#include <cmath>
#include <cstring>
#include <optional>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

// Finite differences: the derivative is Σ weight·f(x + offset·step) / step.
struct Stencil {
  const char* name;
  double step;
  std::vector<std::pair<double, double>> points;  // offset, weight
};

const Stencil kStencils[] = {
    {"central differences", 1e-6, {{1, 0.5}, {-1, -0.5}}},
    {"a fourth-order stencil", 1e-3, {{2, -1.0 / 12}, {1, 8.0 / 12}, {-1, -8.0 / 12}, {-2, 1.0 / 12}}},
};

// Numbers without symmetry, so that errors do not cancel: 0.5 to 1.5, the same on every call.
double weight_of(std::size_t i) {
  const double turn = static_cast<double>(i + 1) * 0.618033988749894848;
  return 0.5 + (turn - std::floor(turn));
}

Tensor weights_like(const Tensor& x, std::size_t& next) {
  Tensor result = empty(x.shape(), kFloat64);
  for (double& value : result.mutable_data<double>()) value = weight_of(next++);
  return result;
}

// The rows of all results one below the other, and the columns of all checked inputs side by side.
struct Jacobian {
  std::vector<double> values;  // column by column
  std::size_t rows;
  double& at(std::size_t row, std::size_t column) { return values[column * rows + row]; }
};

class Check {
 public:
  Check(const char* name, const TensorFunction& function, std::span<const Tensor> inputs,
        const GradCheckOptions& options);
  GradCheckResult run();

 private:
  std::vector<double> evaluate(std::span<const Tensor> inputs) const;
  std::vector<Tensor> gradients(std::span<const Tensor> seeds) const;
  void write_row(Jacobian& jacobian, std::size_t row, std::span<const Tensor> grads) const;
  Jacobian analytic() const;
  Jacobian numeric(const Stencil& stencil) const;
  void compare(Jacobian expected, Jacobian found, const char* expected_name, const char* found_name);
  void check_dense_seed(Jacobian analytic);
  std::string entry(std::size_t row, std::size_t column) const;

  const char* name_;
  const TensorFunction& function_;
  const GradCheckOptions options_;
  std::vector<Tensor> inputs_;        // leaves of our own, laid out as the caller's are
  std::vector<std::size_t> checked_;  // numbers of the inputs that require grad
  std::vector<Tensor> wanted_;        // those inputs
  std::vector<Tensor> outputs_;       // floating results
  std::size_t rows_ = 0, columns_ = 0;
  GradCheckResult result_;
};

std::vector<Tensor> floating_results(const char* name, const TensorFunction& function, std::span<const Tensor> inputs) {
  std::vector<Tensor> floating;
  for (Tensor& y : function(inputs)) {
    if (!is_floating(y.dtype())) continue;
    EG_CHECK(y.dtype() == kFloat64, DtypeError, "[{}] the function returned {}, expected float64", name, y.dtype());
    floating.push_back(std::move(y));
  }
  return floating;
}

Check::Check(const char* name, const TensorFunction& function, std::span<const Tensor> inputs,
             const GradCheckOptions& options)
    : name_(name), function_(function), options_(options) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    inputs_.push_back(inputs[i].detach());
    if (!inputs[i].requires_grad()) continue;
    EG_CHECK(inputs[i].dtype() == kFloat64, DtypeError, "[{}] input {} is {}, expected float64", name, i,
             inputs[i].dtype());
    inputs_.back().set_requires_grad();
    checked_.push_back(i);
    wanted_.push_back(inputs_.back());
    columns_ += static_cast<std::size_t>(inputs[i].numel());
  }
  EG_CHECK(!checked_.empty(), GradError, "[{}] none of the {} inputs requires grad", name, inputs.size());
  const GradMode recording(true);
  outputs_ = floating_results(name, function, inputs_);
  for (const Tensor& y : outputs_) rows_ += static_cast<std::size_t>(y.numel());
}

// All results in a row, as numbers.
std::vector<double> Check::evaluate(std::span<const Tensor> inputs) const {
  const NoGrad no_grad;
  std::vector<double> values;
  for (const Tensor& y : floating_results(name_, function_, inputs)) {
    const std::vector<double> part = y.to_vector<double>();
    values.insert(values.end(), part.begin(), part.end());
  }
  EG_CHECK(values.size() == rows_, ValueError, "[{}] the function returned {} elements, and {} on another call", name_,
           rows_, values.size());
  return values;
}

// Seeds are one for each result. A result that depends on nothing adds nothing; an input that nothing depends on gets
// an undefined gradient.
std::vector<Tensor> Check::gradients(std::span<const Tensor> seeds) const {
  std::vector<Tensor> ys, starts;
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    if (!outputs_[i].requires_grad()) continue;
    ys.push_back(outputs_[i]);
    starts.push_back(seeds[i]);
  }
  if (ys.empty()) return std::vector<Tensor>(wanted_.size());
  return grad(ys, wanted_, starts, {.retain_graph = true, .allow_unused = true});
}

void Check::write_row(Jacobian& jacobian, std::size_t row, std::span<const Tensor> grads) const {
  std::size_t column = 0;
  for (std::size_t k = 0; k < grads.size(); ++k) {
    const std::size_t count = static_cast<std::size_t>(wanted_[k].numel());
    if (grads[k].defined()) {
      EG_CHECK(grads[k].shape() == wanted_[k].shape(), GradError,
               "[{}] the gradient of input {} has shape {}, expected {}", name_, checked_[k], grads[k].shape(),
               wanted_[k].shape());
      const std::vector<double> values = grads[k].to_vector<double>();
      for (std::size_t i = 0; i < count; ++i) jacobian.at(row, column + i) = values[i];
    }
    column += count;
  }
}

Jacobian Check::analytic() const {
  Jacobian jacobian{std::vector<double>(rows_ * columns_), rows_};
  std::vector<Tensor> seeds;
  for (const Tensor& y : outputs_) seeds.push_back(zeros(y.shape(), kFloat64));
  std::size_t row = 0;
  for (std::size_t k = 0; k < outputs_.size(); ++k) {
    for (std::int64_t i = 0; i < outputs_[k].numel(); ++i, ++row) {
      seeds[k] = zeros(outputs_[k].shape(), kFloat64);
      seeds[k].mutable_data<double>()[static_cast<std::size_t>(i)] = 1;
      write_row(jacobian, row, gradients(seeds));
    }
    seeds[k] = zeros(outputs_[k].shape(), kFloat64);
  }
  return jacobian;
}

// Differences are taken on row-major copies: an input whose strides repeat elements cannot be changed one by one.
Jacobian Check::numeric(const Stencil& stencil) const {
  Jacobian jacobian{std::vector<double>(rows_ * columns_), rows_};
  std::vector<Tensor> copies;
  for (const Tensor& x : inputs_) copies.push_back(clone(contiguous(x.detach())));
  std::size_t column = 0;
  for (const std::size_t k : checked_) {
    for (double& value : copies[k].mutable_data<double>()) {
      const double at = value;
      for (const auto& [offset, weight] : stencil.points) {
        value = at + offset * stencil.step;
        const std::vector<double> y = evaluate(copies);
        for (std::size_t row = 0; row < rows_; ++row) jacobian.at(row, column) += weight * y[row] / stencil.step;
      }
      value = at;
      ++column;
    }
  }
  return jacobian;
}

std::string Check::entry(std::size_t row, std::size_t column) const {
  std::size_t output = 0, input = 0;
  while (row >= static_cast<std::size_t>(outputs_[output].numel()))
    row -= static_cast<std::size_t>(outputs_[output++].numel());
  while (column >= static_cast<std::size_t>(wanted_[input].numel()))
    column -= static_cast<std::size_t>(wanted_[input++].numel());
  return fmt::format("the derivative of output {} at {} by input {} at {}", output,
                     position_of(static_cast<std::int64_t>(row), outputs_[output].shape()), checked_[input],
                     position_of(static_cast<std::int64_t>(column), wanted_[input].shape()));
}

void Check::compare(Jacobian expected, Jacobian found, const char* expected_name, const char* found_name) {
  std::size_t wrong = 0, worst_row = 0, worst_column = 0;
  double worst = 0;
  for (std::size_t column = 0; column < columns_; ++column)
    for (std::size_t row = 0; row < rows_; ++row) {
      const double difference = std::abs(expected.at(row, column) - found.at(row, column));
      const double excess = difference / (options_.atol + options_.rtol * std::abs(expected.at(row, column)));
      if (excess <= 1) continue;  // a NaN is in excess
      if (wrong++ == 0 || !(excess <= worst)) {
        worst = excess;
        worst_row = row;
        worst_column = column;
      }
    }
  if (wrong == 0 || !result_.ok) return;
  result_.ok = false;
  result_.message = fmt::format("[{}] {} is {:.12g} by {}, but {:.12g} by {}; {} of {} entries are wrong", name_,
                                entry(worst_row, worst_column), found.at(worst_row, worst_column), found_name,
                                expected.at(worst_row, worst_column), expected_name, wrong, rows_ * columns_);
}

// The Jacobian comes from seeds that are 1 in one place: rules may still mishandle a gradient that is not.
void Check::check_dense_seed(Jacobian jacobian) {
  std::vector<Tensor> seeds;
  std::vector<double> weights;
  std::size_t next = 0;
  for (const Tensor& y : outputs_) {
    seeds.push_back(weights_like(y, next));
    for (const double weight : seeds.back().data<double>()) weights.push_back(weight);
  }
  Jacobian first{std::vector<double>(columns_), 1}, second = first;
  write_row(first, 0, gradients(seeds));
  write_row(second, 0, gradients(seeds));
  if (columns_ > 0 && std::memcmp(first.values.data(), second.values.data(), columns_ * sizeof(double)) != 0 &&
      result_.ok)
    result_ = {false, fmt::format("[{}] two walks over one graph give different bits", name_)};
  for (std::size_t column = 0; column < columns_; ++column) {
    double expected = 0;
    for (std::size_t row = 0; row < rows_; ++row) expected += weights[row] * jacobian.at(row, column);
    if (std::abs(expected - first.at(0, column)) <= options_.atol + options_.rtol * std::abs(expected)) continue;
    if (!result_.ok) return;
    result_ = {false,
               fmt::format("[{}] the gradient of a weighted sum of all outputs is {:.12g} at element {} of the inputs, "
                           "but the sum of the weighted derivatives is {:.12g}",
                           name_, first.at(0, column), column, expected)};
  }
}

GradCheckResult Check::run() {
  const Jacobian by_graph = analytic();
  for (const Stencil& stencil : kStencils) compare(numeric(stencil), by_graph, stencil.name, "the graph");
  check_dense_seed(by_graph);
  return result_;
}

// The inputs followed by one gradient for each floating result.
std::vector<Tensor> with_seeds(const TensorFunction& function, std::span<const Tensor> inputs) {
  std::vector<Tensor> all(inputs.begin(), inputs.end());
  std::vector<Tensor> ys;
  {
    const NoGrad no_grad;
    ys = floating_results("gradgradcheck", function, inputs);
  }
  std::size_t next = 0;
  for (const Tensor& y : ys) {
    all.push_back(weights_like(y, next));
    all.back().set_requires_grad();
  }
  return all;
}

}  // namespace

void GradCheckResult::or_throw() const {
  if (!ok) throw GradError(message);
}

GradCheckResult gradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                          const GradCheckOptions& options) {
  return Check("gradcheck", function, inputs, options).run();
}

GradCheckResult gradcheck(const TensorFunction& function, std::initializer_list<Tensor> inputs,
                          const GradCheckOptions& options) {
  return gradcheck(function, std::span(inputs.begin(), inputs.size()), options);
}

GradCheckResult gradgradcheck(const TensorFunction& function, std::span<const Tensor> inputs,
                              const GradCheckOptions& options) {
  const std::size_t count = inputs.size();
  std::vector<bool> wanted;
  for (const Tensor& x : inputs) wanted.push_back(x.requires_grad());
  const auto gradient = [&](std::span<const Tensor> all) {
    const GradMode recording(true);
    // While differences are taken the inputs come as plain numbers; the inner gradient needs leaves all the same.
    std::vector<Tensor> xs(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)), by, ys, seeds;
    for (std::size_t i = 0; i < count; ++i) {
      if (!wanted[i]) continue;
      if (!xs[i].requires_grad()) xs[i] = xs[i].detach().set_requires_grad();
      by.push_back(xs[i]);
    }
    const std::vector<Tensor> results = floating_results("gradgradcheck", function, xs);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (!results[i].requires_grad()) continue;
      ys.push_back(results[i]);
      seeds.push_back(all[count + i]);
    }
    std::vector<Tensor> grads(by.size());
    if (!ys.empty()) grads = grad(ys, by, seeds, {.create_graph = true, .allow_unused = true});
    for (std::size_t i = 0; i < by.size(); ++i)
      if (!grads[i].defined()) grads[i] = zeros(by[i].shape(), kFloat64);
    return grads;
  };
  return Check("gradgradcheck", gradient, with_seeds(function, inputs), options).run();
}

GradCheckResult gradgradcheck(const TensorFunction& function, std::initializer_list<Tensor> inputs,
                              const GradCheckOptions& options) {
  return gradgradcheck(function, std::span(inputs.begin(), inputs.size()), options);
}

}  // namespace eigengrad
