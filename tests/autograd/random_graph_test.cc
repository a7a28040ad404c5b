// Random graphs: their derivatives against differences, and the ways to compute one thing against each other.
//
// A failure prints the seed of the graph and its program. To run that graph alone, with every check:
//
//   EIGENGRAD_FUZZ_SEED=1234 build/release/bin/autograd_tests --gtest_filter='RandomGraphs*'
//
// (with the same compiler: others may draw the arguments of a call in another order). To look further than the graphs
// of every day: EIGENGRAD_FUZZ_GRAPHS=1000000. The ops are in fuzz_ops.cc.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <exception>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"
#include "tests/autograd/fuzz_ops.h"

namespace eigengrad::tests {
namespace {

using In = std::span<const Tensor>;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kGraphs = 500;
#elif !defined(NDEBUG)
constexpr std::uint64_t kGraphs = 5000;
#else
constexpr std::uint64_t kGraphs = 30000;
#endif

std::optional<std::uint64_t> number_in_environment(const char* name) {
  const char* const text = std::getenv(name);
  return text ? std::optional(std::strtoull(text, nullptr, 10)) : std::nullopt;
}

// The seeds of a test: every `step`th, or the one that was asked for.
std::vector<std::uint64_t> seeds(std::uint64_t step) {
  if (const auto seed = number_in_environment("EIGENGRAD_FUZZ_SEED")) return {*seed};
  std::vector<std::uint64_t> result;
  const std::uint64_t end = number_in_environment("EIGENGRAD_FUZZ_GRAPHS").value_or(kGraphs);
  for (std::uint64_t seed = 0; seed < end; seed += step) result.push_back(seed);
  return result;
}

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x.detach())).item(); }

// ---- Programs.

constexpr std::int64_t kLargest = 64, kDeepest = 5;  // elements and axes of a tensor

// An op on tensors that are there already. What is drawn comes from the seed; the scale keeps the elements tame.
struct Step {
  const FuzzOp* op;
  std::vector<std::size_t> operands;
  std::uint64_t seed;
  double scale = 1;

  Tensor run(In pool) const {
    std::vector<Tensor> x;
    for (const std::size_t operand : operands) x.push_back(pool[operand]);
    Generator random(seed);
    const Tensor y = op->apply(random, x);
    return scale == 1 ? y : y * scale;
  }
};

// Some inputs and some steps. Tensors are numbered: the inputs, then the result of each step.
class Program {
 public:
  explicit Program(std::uint64_t seed);
  /// Leaves, the same elements on every call.
  std::vector<Tensor> inputs() const;
  /// The weighted sum of the elements of all results that no other step reads.
  Tensor operator()(In inputs) const;
  std::string text() const;
  const std::vector<Step>& steps() const { return steps_; }

 private:
  Shape draw_shape();
  Step draw_step();
  void push(Step step);
  void weigh_results();

  const std::uint64_t seed_;
  Generator random_;
  std::vector<Tensor> pool_;
  std::size_t inputs_;
  std::vector<Step> steps_;
  std::vector<Tensor> weights_;  // of each step; undefined where another reads its result
};

Program::Program(std::uint64_t seed) : seed_(seed), random_(seed, "program"), inputs_(1 + random_.below(4)) {
  for (std::size_t i = 0; i < inputs_; ++i) {
    pool_.push_back(empty(draw_shape(), kFloat64));
    fill_uniform(pool_.back(), -1, 1, random_);
  }
  for (std::uint64_t left = 4 + random_.below(17); left > 0; --left) push(draw_step());
  weigh_results();
}

Shape Program::draw_shape() {
  Shape shape;
  for (std::uint64_t axes = random_.below(5); axes > 0; --axes) {
    constexpr std::int64_t kExtents[] = {1, 2, 3, 2, 3, 4};
    shape.push_back(random_.below(30) == 0 ? 0 : kExtents[random_.below(6)]);
  }
  return checked_numel(shape) > kLargest / 2 ? draw_shape() : shape;
}

// Half of the first operands are the newest tensor, so that graphs grow deep; all others are any tensor, so that they
// share.
Step Program::draw_step() {
  while (true) {
    Step step{.op = &fuzz_ops()[random_.below(fuzz_ops().size())], .operands = {}, .seed = random_.next_u64()};
    for (std::size_t i = 0; i < step.op->operands; ++i) step.operands.push_back(random_.below(pool_.size()));
    if (random_.below(2) == 0) step.operands[0] = pool_.size() - 1;
    if (step.op->takes(pool_[step.operands[0]])) return step;
  }
}

void Program::push(Step step) {
  Tensor y;
  try {
    y = step.run(pool_);
  } catch (const Error& error) {
    throw Error(fmt::format("{} is refused: {}, after\n{}", step.op->name, error.what(), text()));
  }
  if (y.numel() > kLargest || y.dim() > kDeepest) return push(draw_step());
  if (largest(y) > 3) step.scale = 2 / largest(y);
  pool_.push_back(step.run(pool_));
  steps_.push_back(std::move(step));
}

void Program::weigh_results() {
  std::set<std::size_t> read;
  for (const Step& step : steps_) read.insert(step.operands.begin(), step.operands.end());
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Tensor& y = pool_[inputs_ + i];
    weights_.push_back(read.contains(inputs_ + i) ? Tensor() : empty(y.shape(), kFloat64));
    if (weights_.back().defined()) fill_uniform(weights_.back(), 0.5, 1.5, random_);
  }
}

std::vector<Tensor> Program::inputs() const {
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < inputs_; ++i) result.push_back(clone(pool_[i]).set_requires_grad());
  return result;
}

Tensor Program::operator()(In inputs) const {
  std::vector<Tensor> pool(inputs.begin(), inputs.end());
  Tensor result = tensor(0.0);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    pool.push_back(steps_[i].run(pool));
    if (weights_[i].defined()) result = result + sum(pool.back() * weights_[i]);
  }
  return result;
}

// "%2 [3] = softmax(%0 [3])"
std::string Program::text() const {
  std::string text = fmt::format("the graph of seed {}:\n", seed_);
  const auto name = [&](std::size_t i) { return fmt::format("%{} {}", i, to_string(pool_[i].shape())); };
  for (std::size_t i = 0; i < inputs_; ++i) text += fmt::format("  {} = input\n", name(i));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    std::string operands;
    for (const std::size_t operand : steps_[i].operands) operands += (operands.empty() ? "" : ", ") + name(operand);
    const std::string scale = steps_[i].scale == 1 ? "" : fmt::format(" times {}", steps_[i].scale);
    text += fmt::format("  {} = {}({}){}\n", name(inputs_ + i), steps_[i].op->name, operands, scale);
  }
  return text;
}

// ---- Derivatives.

// The gradients of all inputs in a row.
std::vector<double> gradients(const Program& program, const std::vector<Tensor>& inputs, bool create_graph) {
  std::vector<double> all;
  const GradOptions options{.create_graph = create_graph, .allow_unused = true};
  const std::vector<Tensor> grads = grad(program(inputs), inputs, options);
  for (std::size_t i = 0; i < grads.size(); ++i) {
    const Tensor g = grads[i].defined() ? grads[i] : zeros_like(inputs[i].detach());
    const std::vector<double> values = g.to_vector<double>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

// The derivative of the program along a direction, by a stencil of fourth order.
double difference(const Program& program, const std::vector<Tensor>& inputs, In direction, double step) {
  const NoGrad no_grad;
  const auto at = [&](double distance) {
    std::vector<Tensor> x;
    for (std::size_t i = 0; i < inputs.size(); ++i) x.push_back(inputs[i] + direction[i] * distance);
    return program(x).item();
  };
  return (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
}

// What is wrong with the derivative along a random direction, or nothing.
//
// The error of a difference is some step⁴ times the fifth derivative, which no one knows beforehand, plus 1e-15 / step
// of rounding: at most 1e-11. So a graph that is rough wants a smaller step than others, and it is enough that one of
// three agrees to within 1e-7 of the terms that are summed: a wrong gradient agrees with none.
std::string check_along(const Program& program, const std::vector<Tensor>& inputs, const std::vector<double>& gradient,
                        Generator& random) {
  std::vector<Tensor> direction;
  double derivative = 0, terms = 1;
  for (const Tensor& x : inputs) {
    direction.push_back(empty(x.shape(), kFloat64));
    fill_uniform(direction.back(), -1, 1, random);
  }
  std::size_t next = 0;
  for (const Tensor& part : direction)
    for (const double value : part.data<double>()) {
      derivative += value * gradient[next];
      terms += std::abs(value * gradient[next++]);
    }
  double found = 0;
  for (const double step : {2e-3, 5e-4, 1e-4}) {
    found = difference(program, inputs, direction, step);
    if (std::abs(found - derivative) <= 1e-7 * terms) return "";
  }
  return fmt::format("a derivative is {:.12g} by the graph, but {:.12g} by differences", derivative, found);
}

// gradcheck or gradgradcheck, on distances from the inputs in units of a quarter: so their steps, which are for
// functions that are smoother than the roughest graph, become finer.
using FullCheck = GradCheckResult (*)(const TensorFunction&, In, const GradCheckOptions&);
std::string check_fully(FullCheck check, const Program& program, const std::vector<Tensor>& inputs, double atol) {
  std::vector<Tensor> distances;
  for (const Tensor& x : inputs) distances.push_back(zeros_like(x.detach()).set_requires_grad());
  const auto nearby = [&](In distance) {
    std::vector<Tensor> x;
    for (std::size_t i = 0; i < inputs.size(); ++i) x.push_back(inputs[i].detach() + distance[i] * 0.25);
    return program(x);
  };
  return check(nearby, distances, {.atol = atol}).message;
}

using GraphCheck = std::function<std::string(const Program&, const std::vector<Tensor>& inputs)>;

// What the check finds wrong with the graph of a seed, or nothing.
std::string problem(std::uint64_t seed, const GraphCheck& check) {
  std::optional<Program> program;
  std::string wrong;
  try {
    program.emplace(seed);
    wrong = check(*program, program->inputs());
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  return wrong.empty() || !program ? wrong : fmt::format("{}, in\n{}", wrong, program->text());
}

void check_graphs(const std::vector<std::uint64_t>& seeds, const GraphCheck& check) {
  int failures = 0;
  for (const std::uint64_t seed : seeds) {
    const std::string wrong = problem(seed, check);
    if (wrong.empty()) continue;
    ADD_FAILURE() << "seed " << seed << ": " << wrong;
    if (++failures == 5) break;  // more would only bury them
  }
}

TEST(RandomGraphs, HaveRightDerivatives) {
  const std::int64_t nodes = live_nodes();
  check_graphs(seeds(1), [](const Program& program, const std::vector<Tensor>& x) {
    Generator random(0, "directions");
    const std::vector<double> gradient = gradients(program, x, false);
    const std::string wrong = check_along(program, x, gradient, random);
    return wrong.empty() ? check_along(program, x, gradient, random) : wrong;
  });
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(RandomGraphs, HaveRightDerivativesByEveryElement) {
  check_graphs(seeds(25), [](const Program& program, const std::vector<Tensor>& x) {
    return check_fully(gradcheck, program, x, 1e-7);
  });
}

TEST(RandomGraphs, HaveRightSecondDerivatives) {
  check_graphs(seeds(100), [](const Program& program, const std::vector<Tensor>& x) {
    return check_fully(gradgradcheck, program, x, 1e-6);
  });
}

TEST(RandomGraphs, FusedAndComposedRulesAgree) {
  check_graphs(seeds(5), [](const Program& program, const std::vector<Tensor>& x) -> std::string {
    const std::vector<double> fused = gradients(program, x, false), composed = gradients(program, x, true);
    for (std::size_t i = 0; i < fused.size(); ++i)
      if (!(std::abs(fused[i] - composed[i]) <= 1e-11 * std::max(1.0, std::abs(fused[i]))))
        return fmt::format("a derivative is {} by the fused rules, but {} by the composed", fused[i], composed[i]);
    return "";
  });
}

TEST(RandomGraphs, HaveTheSameBitsAgain) {
  check_graphs(seeds(20), [](const Program& program, const std::vector<Tensor>& x) {
    const bool same_gradients = gradients(program, x, false) == gradients(program, x, false);
    const double recorded = program(x).item();
    const NoGrad no_grad;
    return same_gradients && program(x).item() == recorded ? "" : "two runs give different bits";
  });
}

// Every op of the table is in some of the first graphs.
TEST(RandomGraphs, UseEveryOp) {
  std::set<std::string> unused;
  for (const FuzzOp& op : fuzz_ops()) EXPECT_TRUE(unused.insert(op.name).second) << op.name << " stands for two ops";
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Program program(seed);
    for (const Step& step : program.steps()) unused.erase(step.op->name);
  }
  for (const std::string& name : unused) ADD_FAILURE() << name << " is in no graph";
}

}  // namespace
}  // namespace eigengrad::tests
