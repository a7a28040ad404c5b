// Random graphs of smooth ops: their derivatives against differences, and the ways to compute one thing against each
// other.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

// A program is a seed: the same one builds the same graph on any inputs of the same shapes.
class RandomProgram {
 public:
  explicit RandomProgram(std::uint64_t seed) : seed_(seed) {}

  std::vector<Tensor> inputs() const {
    std::mt19937_64 random(seed_);
    std::vector<Tensor> result;
    for (int i = 0; i < 3; ++i) {
      const Shape shape = i == 0 ? Shape{2, 3} : i == 1 ? Shape{3} : Shape{2, 1};
      Tensor x = empty(shape, kFloat64);
      for (double& value : x.mutable_data<double>()) value = static_cast<double>(random() >> 11) * 0x1p-53 * 2 - 1;
      result.push_back(x);
    }
    return result;
  }

  // A weighted sum of the last few tensors.
  Tensor operator()(std::span<const Tensor> inputs) const {
    std::mt19937_64 random(seed_ + 1);
    std::vector<Tensor> pool(inputs.begin(), inputs.end());
    const std::size_t ops = 5 + random() % 36;
    for (std::size_t i = 0; i < ops; ++i) pool.push_back(step(random, pool));
    Tensor result = sum(pool.back());
    for (std::size_t i = pool.size() - 4; i + 1 < pool.size(); ++i)
      result = result + mean(sin(pool[i])) * (0.5 + static_cast<double>(i % 3));
    return result;
  }

 private:
  static Tensor step(std::mt19937_64& random, const std::vector<Tensor>& pool) {
    const Tensor& x = pool[random() % pool.size()];
    const Tensor& y = pool[random() % pool.size()];
    switch (random() % 16) {
      case 0: return fitted(x, y, [](const Tensor& a, const Tensor& b) { return a + b; });
      case 1: return fitted(x, y, [](const Tensor& a, const Tensor& b) { return tanh(a * b); });
      case 2: return fitted(x, y, [](const Tensor& a, const Tensor& b) { return a / (square(b) + 1); });
      case 3: return fitted(x, y, [](const Tensor& a, const Tensor& b) { return a - sin(b); });
      case 4: return tanh(x);
      case 5: return exp(sin(x));
      case 6: return log(square(x) + 1.5);
      case 7: return x.dim() > 0 ? softmax(x, -1) * 2 : sigmoid(x);
      case 8: return x.dim() > 1 ? transpose(x) : unsqueeze(x, 0);
      case 9: return flatten(x);
      case 10: return x.dim() > 0 ? sum(x, {0}, true) : x * x;
      case 11: return x.dim() > 0 ? slice(x, -1, 0, std::nullopt, 2) : x + 1;
      case 12: return x.dim() > 0 && x.numel() < 20 ? tanh(cat({x, sin(x)}, 0)) : cos(x);
      case 13: return x.dim() == 2 ? tanh(matmul(x, transpose(x))) : x * -0.5;
      case 14: return x.dim() < 3 ? tanh(mean(expand(unsqueeze(x, 0), widened(x)), {0})) : flatten(x);
      default: return sqrt(square(x) + 0.5);
    }
  }
  static Shape widened(const Tensor& x) {
    Shape shape = x.shape();
    shape.insert(0, 3);
    return shape;
  }
  // f(x, y), or where the shapes do not broadcast f(x, the mean of y).
  template <class F>
  static Tensor fitted(const Tensor& x, const Tensor& y, F f) {
    try {
      const Shape shape = broadcast_shapes("", x.shape(), y.shape());
      if (checked_numel(shape) <= 64) return f(x, y);
    } catch (const ShapeError&) {
    }
    return f(x, mean(y));
  }

  std::uint64_t seed_;
};

std::vector<Tensor> leaves(std::vector<Tensor> inputs) {
  for (Tensor& x : inputs) x = x.detach().set_requires_grad();
  return inputs;
}

std::vector<double> gradients(const RandomProgram& program, const std::vector<Tensor>& inputs, bool create_graph) {
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

TEST(RandomGraphs, HaveRightDerivatives) {
  const std::int64_t nodes = live_nodes();
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const RandomProgram program(seed);
    const GradCheckResult result = gradcheck(program, leaves(program.inputs()), {.atol = 1e-7});
    EXPECT_TRUE(result.ok) << "seed " << seed << ": " << result.message;
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(RandomGraphs, HaveRightSecondDerivatives) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const RandomProgram program(seed);
    const GradCheckResult result = gradgradcheck(program, leaves(program.inputs()), {.atol = 1e-6});
    EXPECT_TRUE(result.ok) << "seed " << seed << ": " << result.message;
  }
}

TEST(RandomGraphs, FusedAndComposedRulesAgree) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const RandomProgram program(seed);
    const std::vector<Tensor> x = leaves(program.inputs());
    const std::vector<double> fused = gradients(program, x, false), composed = gradients(program, x, true);
    for (std::size_t i = 0; i < fused.size(); ++i)
      EXPECT_NEAR(fused[i], composed[i], 1e-11 * std::max(1.0, std::abs(fused[i]))) << "seed " << seed;
  }
}

TEST(RandomGraphs, HaveTheSameBitsAgain) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const RandomProgram program(seed);
    const std::vector<Tensor> x = leaves(program.inputs());
    EXPECT_EQ(gradients(program, x, false), gradients(program, x, false)) << "seed " << seed;
    const double recorded = program(x).item();
    const NoGrad no_grad;
    EXPECT_EQ(program(x).item(), recorded) << "seed " << seed;
  }
}

}  // namespace
}  // namespace eigengrad
