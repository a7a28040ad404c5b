// Parts of the forward pass that are computed again in the walk back.
#include "eigengrad/autograd/checkpoint.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <cmath>
#include <functional>
#include <memory>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/functional.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/random.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

namespace eigengrad {
namespace {

using In = std::span<const Tensor>;
using Numbers = std::vector<double>;

Tensor leaf(std::initializer_list<double> values) { return tensor(values).set_requires_grad(); }
Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }

// ---- What it computes.

TEST(Checkpoint, HasTheGradientByHand) {
  const Tensor x = leaf({3}), y = checkpoint([](const Tensor&t) { return t * t * t; }, x);
  EXPECT_EQ(y.item(), 27);
  sum(y * 2).backward();
  EXPECT_EQ(x.grad().item(), 54);
}

TEST(Checkpoint, IsOneNode) {
  const std::int64_t nodes = live_nodes();
  const Tensor x = leaf({1, 2}), y = checkpoint([](const Tensor&t) { return exp(sin(t) * t + t); }, x);
  EXPECT_EQ(live_nodes(), nodes + 2);
  EXPECT_EQ(y.grad_fn()->name(), "checkpoint");
  EXPECT_EQ(y.grad_fn()->edges()[0].shape, x.shape());
}

// Two blocks with two outputs each that share weights: figures of torch.utils.checkpoint.
struct Blocks {
  Tensor w1 = tensor({{0.5, -0.3}, {0.8, 0.1}}).set_requires_grad();
  Tensor w2 = tensor({{1.2, 0.4}, {-0.6, 0.9}}).set_requires_grad();
  Tensor x = tensor({{0.7, -1.1}, {0.2, 1.3}}).set_requires_grad();

  Tensor run() const {
    const auto block = [w1 = w1, w2 = w2](In h) {
      return std::vector<Tensor>{linear(tanh(linear(h[0], w1)), w2), sin(h[0]) * select(w1, 0, 0)};
    };
    const std::vector<Tensor> ab = checkpoint(block, {x}), cd = checkpoint(block, {ab[0] * ab[1]});
    return sum(cd[0] * cd[0]) + sum(cd[1] * ab[0]);
  }
};

void expect_near(const std::vector<Tensor>& found, const std::vector<Numbers>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i)
    for (std::size_t k = 0; k < expected[i].size(); ++k)
      EXPECT_NEAR(numbers(found[i])[k], expected[i][k], 1e-13 * std::max(1.0, std::abs(expected[i][k])));
}

const std::vector<Numbers> kFirst = {
    {0.6090028610746663, -0.09640660212735735, 0.025653506205881978, 0.03275291862883118},
    {1.174478968685894, -0.6163347522880679, 0.21368682602840922, -0.049829318809915965},
    {0.3455737329642913, 0.29736625689554264, -0.011028200244351142, 0.06568290264990723}};
const std::vector<Numbers> kSecond = {{11.895751851662475, -1.7778026596513414, 0.17129942337482146, 0.450787363776642},
                                      {21.379429794944322, -7.794145517419169, 4.184532444123655, -1.4690131302047567},
                                      {8.036563039713794, 6.64979817857971, -0.13393318767692786, 0.8980966591235309}};

TEST(Checkpoint, HasPyTorchsGradients) {
  const Blocks blocks;
  const Tensor y = blocks.run();
  EXPECT_NEAR(y.item(), 0.22199517301583316, 1e-15);
  expect_near(grad(y, {blocks.x, blocks.w1, blocks.w2}, {.retain_graph = true}), kFirst);
  y.backward();
  expect_near({blocks.x.grad(), blocks.w1.grad(), blocks.w2.grad()}, kFirst);
}

TEST(Checkpoint, HasPyTorchsSecondDerivatives) {
  const Blocks blocks;
  const std::vector<Tensor> inputs = {blocks.x, blocks.w1, blocks.w2};
  const std::vector<Tensor> first = grad(blocks.run(), inputs, {.create_graph = true});
  expect_near(first, kFirst);
  Tensor penalty = tensor(0.0);
  for (const Tensor& g : first) penalty = penalty + sum(g * g);
  expect_near(grad(penalty, inputs, {.retain_graph = true}), kSecond);
  penalty.backward();
  expect_near({blocks.x.grad(), blocks.w1.grad(), blocks.w2.grad()}, kSecond);
}

std::vector<Tensor> points() { return {tensor({{0.5, -1.25}, {2.0, 0.75}}).set_requires_grad(), leaf({0.3, -0.8})}; }

TEST(Checkpoint, HasRightDerivativesOfEveryOrder) {
  const auto wave = [](In t) { return std::vector<Tensor>{tanh(matmul(t[0], t[0])) * t[1], exp(t[1])}; };
  const auto f = [wave](In t) { return checkpoint(wave, t); };
  gradcheck(f, points()).or_throw();
  gradgradcheck(f, points()).or_throw();
  const auto third = [f](In t) {
    const Tensor y = sum(f(t)[0]);
    const Tensor g = grad(y, {t[1]}, {.create_graph = true})[0];
    return grad(sum(g * g), {t[0]}, {.create_graph = true})[0];
  };
  const std::vector<Tensor> at = points();
  const auto plain = [wave](In t) {
    const Tensor g = grad(sum(wave(t)[0]), {t[1]}, {.create_graph = true})[0];
    return grad(sum(g * g), {t[0]}, {.create_graph = true})[0];
  };
  EXPECT_EQ(numbers(grad(sum(third(at)), {at[0]})[0]), numbers(grad(sum(plain(at)), {at[0]})[0]));
}

TEST(Checkpoint, WorksWithTheHessian) {
  const auto inner = [](const Tensor& t) { return sum(exp(t) * flip(t, {0})); };
  const auto f = [inner](const Tensor& t) { return checkpoint(inner, t); };
  const Tensor x = tensor({0.5, -1.0, 2.0}), v = tensor({1., 2., 3.});
  EXPECT_EQ(numbers(hessian(f, x)), numbers(hessian(inner, x)));
  EXPECT_EQ(numbers(hvp(f, x, v).product), numbers(hvp(inner, x, v).product));
}

// A function may run in one, and the other way round.
TEST(Checkpoint, MayContainAWalk) {
  const auto slope = [](const Tensor& t) { return grad(sum(t * t * t), {t}, {.create_graph = true})[0]; };
  const Tensor x = leaf({2, 3});
  sum(checkpoint(slope, x)).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{12, 18}));
}

// ---- What the function captures.

TEST(Checkpoint, ReachesCapturedLeaves) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 5});
  const auto f = [w](const Tensor& t) { return t * w * w; };
  const Tensor y = sum(checkpoint(f, x));
  EXPECT_EQ(numbers(grad(y, {w}, {.retain_graph = true})[0]), (Numbers{6, 20}));
  EXPECT_FALSE(w.grad().defined());
  y.backward();
  EXPECT_EQ(numbers(w.grad()), (Numbers{6, 20}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{9, 25}));
}

TEST(Checkpoint, ReachesCapturedLeavesWhenNoInputRequiresGrad) {
  const Tensor x = tensor({1., 2.}), w = leaf({3, 5});
  const Tensor y = checkpoint([w](const Tensor& t) { return t * w; }, x);
  EXPECT_TRUE(y.requires_grad());
  sum(y).backward();
  EXPECT_EQ(numbers(w.grad()), (Numbers{1, 2}));
  EXPECT_EQ(numbers(grad(sum(checkpoint([w](In) { return exp(w) * 0 + w; }, {})[0]), {w})[0]), (Numbers{1, 1}));
}

TEST(Checkpoint, ReachesThroughCapturedResults) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 5});
  const Tensor a = w * w, b = a * 2;  // b depends on a, and both are captured
  const Tensor y = sum(checkpoint([a, b](const Tensor& t) { return t * a + b; }, x));
  EXPECT_EQ(numbers(grad(y, {a}, {.retain_graph = true})[0]), (Numbers{3, 4}));
  EXPECT_EQ(numbers(grad(y, {b}, {.retain_graph = true})[0]), (Numbers{1, 1}));
  y.backward();
  EXPECT_EQ(numbers(w.grad()), (Numbers{2 * 3 * 3, 2 * 5 * 4}));
}

TEST(Checkpoint, MayCaptureItsInput) {
  const Tensor x = leaf({2, 5});
  sum(checkpoint([x](const Tensor& t) { return t * x * x; }, x)).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{12, 75}));
}

TEST(Checkpoint, GradOfItsOutputDoesNotRunItAgain) {
  const auto runs = std::make_shared<int>(0);
  const Tensor x = leaf({2}), y = checkpoint([runs](const Tensor&t) { return ++*runs, t * t; }, x);
  EXPECT_EQ(grad(sum(y * 3), {y}, {.retain_graph = true})[0].item(), 3);
  EXPECT_EQ(*runs, 1);
  EXPECT_EQ(grad(sum(y * 3), {x})[0].item(), 12);
  EXPECT_EQ(*runs, 2);
}

TEST(Checkpoint, IsNotRunAgainWhereItDoesNotLeadToTheInput) {
  const auto runs = std::make_shared<int>(0);
  const Tensor x = leaf({2}), z = leaf({3});
  const Tensor y = checkpoint([runs](const Tensor& t) { return ++*runs, t * t; }, x) * z;
  EXPECT_EQ(grad(y, {z})[0].item(), 4);
  EXPECT_EQ(*runs, 1);
}

// ---- Inputs and outputs of all kinds.

TEST(Checkpoint, OutputsMayBeLeftUnused) {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const auto f = [w](In t) { return std::vector<Tensor>{t[0] * t[0], exp(w), argmax(t[0], 0), ones({2}, kFloat64)}; };
  const std::vector<Tensor> y = checkpoint(f, {x});
  EXPECT_EQ(y[2].item<std::int64_t>(), 1);
  EXPECT_FALSE(y[2].requires_grad() || y[3].requires_grad());
  EXPECT_THROW(grad(sum(y[0]), {w}, {.retain_graph = true}), GradError);  // does not depend on it
  EXPECT_EQ(numbers(grad(sum(y[0]), {x}, {.retain_graph = true})[0]), (Numbers{2, 4}));
  sum(y[0]).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{2, 4}));
  EXPECT_FALSE(w.grad().defined());
}

TEST(Checkpoint, InputsMayBeOutputsAndOfAnyDtype) {
  const Tensor x = leaf({1, 2}), rows = tensor({1, 0}), w = leaf({5, 7});
  const auto f = [w](In t) { return std::vector<Tensor>{t[0], index_select(t[0], 0, t[1]), w, t[1]}; };
  const std::vector<Tensor> y = checkpoint(f, {x, rows});
  EXPECT_TRUE(x.is_leaf() && w.is_leaf());
  sum(y[0] * 2 + y[1] * tensor({3., 30.}) + y[2]).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{32, 5}));
  EXPECT_EQ(numbers(w.grad()), (Numbers{1, 1}));
}

TEST(Checkpoint, OfViewsAndEmptyTensors) {
  const Tensor x = tensor({{1., 2., 3.}, {4., 5., 6.}}).set_requires_grad();
  const Tensor y = checkpoint([](const Tensor& t) { return transpose(t) * 2; }, slice(x, 1, 0, 3, 2));
  EXPECT_EQ(y.shape(), (Shape{2, 2}));
  sum(y).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{2, 0, 2, 2, 0, 2}));
  const Tensor none = zeros({0, 3}).set_requires_grad();
  sum(checkpoint([](const Tensor& t) { return exp(t); }, none)).backward();
  EXPECT_EQ(none.grad().shape(), (Shape{0, 3}));
}

TEST(Checkpoint, WithoutGradientsIsJustTheFunction) {
  const std::int64_t nodes = live_nodes();
  EXPECT_FALSE(checkpoint([](const Tensor& t) { return t * 2; }, tensor({1.0})).requires_grad());
  EXPECT_EQ(live_nodes(), nodes);
  const Tensor x = leaf({1});
  const NoGrad no_grad;
  EXPECT_FALSE(checkpoint([](const Tensor& t) { return t * 2; }, x).requires_grad());
}

TEST(Checkpoint, MayBeNested) {
  const auto runs = std::make_shared<int>(0);
  const Tensor x = leaf({0.5, -1}), w = leaf({2, 3});
  const auto innermost = [w, runs](const Tensor& t) { return ++*runs, sin(t * w); };
  const auto inner = [innermost](const Tensor& t) { return checkpoint(innermost, t) * t; };
  const auto outer = [inner, w](const Tensor& t) { return checkpoint(inner, exp(t)) + w; };
  const auto plain = [innermost, w](const Tensor& t) {
    const Tensor e = exp(t);
    return innermost(e) * e + w;
  };
  const std::vector<Tensor> expected = grad(sum(plain(x)), {x, w});
  *runs = 0;
  const std::vector<Tensor> found = grad(sum(checkpoint(outer, x)), {x, w});
  EXPECT_EQ(*runs, 4);  // at first, and once for each checkpoint around it
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(numbers(found[i]), numbers(expected[i]));
  sum(checkpoint(outer, x)).backward();
  EXPECT_EQ(numbers(x.grad()), numbers(expected[0]));
  EXPECT_EQ(numbers(w.grad()), numbers(expected[1]));
  const auto f = [outer](const Tensor& t) { return checkpoint(outer, t); };
  gradgradcheck(f, {x}).or_throw();
}

// ---- Dropout, memory and bits.

constexpr std::int64_t kLayers = 64;

// A stack of layers with dropout whose weights come round again every 16 layers, in segments of so many layers: 0 for
// no checkpoints.
struct Stack {
  std::vector<Tensor> weights;
  Tensor x = sin(arange(0.0, 1024.0 * 32, 1.0, kFloat32));

  Stack() {
    Generator random(3);
    for (int i = 0; i < 16; ++i) weights.push_back((randn({32, 32}, kFloat32, random) * 0.2).set_requires_grad());
    x = reshape(x, {1024, 32}).set_requires_grad();
  }
  Tensor run(std::int64_t segment) const {
    Tensor h = x;
    for (std::int64_t from = 0; from < kLayers; from += std::max<std::int64_t>(segment, 1)) {
      const auto layers = [ws = weights, from, to = from + std::max<std::int64_t>(segment, 1)](const Tensor& t) {
        Tensor y = t;
        for (std::int64_t i = from; i < to; ++i)
          y = dropout(tanh(linear(y, ws[static_cast<std::size_t>(i % 16)])), 0.25, true);
        return y;
      };
      h = segment ? checkpoint(layers, h) : layers(h);
    }
    return mean(h * h);
  }
  // The value and the gradients, after which the generator is where it is after a forward pass.
  std::vector<std::vector<float>> step(std::int64_t segment) {
    manual_seed(11);
    const Tensor loss = run(segment);
    const std::uint64_t offset = default_generator().offset();
    loss.backward();
    EXPECT_EQ(default_generator().offset(), offset);
    EXPECT_EQ(default_generator().seed(), 11u);
    std::vector<std::vector<float>> result = {loss.to_vector<float>(), x.grad().to_vector<float>()};
    x.zero_grad();
    for (Tensor& w : weights) {
      result.push_back(w.grad().to_vector<float>());
      w.zero_grad();
    }
    return result;
  }
};

TEST(Checkpoint, GradientsHaveTheSameBitsWithDropoutAndSharedWeights) {
  Stack stack;
  const auto expected = stack.step(0);
  for (const std::int64_t segment : {1, 8, 16, 64}) EXPECT_EQ(stack.step(segment), expected) << segment;
}

TEST(Checkpoint, SavesMemory) {
  Stack stack;
  const auto peak = [&](std::int64_t segment) {
    const std::int64_t before = memory_stats().live_bytes;
    reset_peak_memory();
    stack.step(segment);
    EXPECT_EQ(memory_stats().live_bytes, before);
    return memory_stats().peak_bytes - before;
  };
  peak(0);
  const std::int64_t without = peak(0), with = peak(8), one = peak(64);
  RecordProperty("peak_without", std::to_string(without));
  RecordProperty("peak_with", std::to_string(with));
  EXPECT_LT(with * 3, without);
  EXPECT_LT(one, without + without / 10);  // no better than none, and hardly worse
}

TEST(Checkpoint, SavesMemoryAlsoWhereTheGraphIsRetained) {
  const Stack stack;
  const auto peak = [&](std::int64_t segment) {
    const std::int64_t before = memory_stats().live_bytes;
    reset_peak_memory();
    grad(stack.run(segment), {stack.x}, {.retain_graph = true});
    return memory_stats().peak_bytes - before;
  };
  EXPECT_LT(peak(8) * 3, peak(0));
}

TEST(Checkpoint, DrawsTheSameThoughOthersHaveDrawnSince) {
  manual_seed(5);
  const Tensor x = ones({100}, kFloat64).set_requires_grad();
  const Tensor y = checkpoint([](const Tensor& t) { return dropout(t, 0.5, true); }, x);
  manual_seed(77);
  rand({1000});
  const std::uint64_t offset = default_generator().offset();
  sum(y).backward();
  EXPECT_EQ(numbers(x.grad()), numbers(y));
  EXPECT_EQ(default_generator().seed(), 77u);
  EXPECT_EQ(default_generator().offset(), offset);
}

// ---- Hooks, retained gradients, scopes.

TEST(Checkpoint, HooksRunOnce) {
  Tensor x = leaf({1, 2}), w = leaf({3, 4});
  int of_input = 0, of_captured = 0, of_output = 0;
  const auto inside = std::make_shared<int>(0);
  x.register_hook([&](const Tensor& g) { return ++of_input, g * 10; });
  w.register_hook([&](const Tensor& g) { return ++of_captured, g * 100; });
  Tensor y = checkpoint(
      [w, inside](const Tensor& t) {
        Tensor h = t * w;
        h.register_hook([inside](const Tensor& g) { return ++*inside, g * 2; });
        return h * 1;
      },
      x);
  y.register_hook([&](const Tensor& g) { return ++of_output, g * 3; });
  y.retain_grad();
  sum(y).backward();
  EXPECT_EQ(of_input + of_captured * 10 + of_output * 100 + *inside * 1000, 1111);
  EXPECT_EQ(numbers(y.grad()), (Numbers{3, 3}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{180, 240}));
  EXPECT_EQ(numbers(w.grad()), (Numbers{600, 1200}));
}

TEST(Checkpoint, RunsAgainInItsScope) {
  const auto scopes = std::make_shared<std::vector<std::string>>();
  const Tensor x = leaf({1});
  const Tensor y = [&] {
    const ScopeGuard scope("encoder");
    return checkpoint([scopes](const Tensor& t) { return scopes->push_back(scope_path(thread_state.scope)), t * t; },
                      x);
  }();
  y.backward();
  EXPECT_EQ(*scopes, (std::vector<std::string>{"encoder", "encoder"}));
}

// ---- Walks and what they leave.

TEST(Checkpoint, ASecondWalkNeedsTheGraphRetained) {
  const Tensor x = leaf({3});
  Tensor y = checkpoint([](const Tensor& t) { return t * t; }, x);
  y.backward({.retain_graph = true});
  y.backward();
  EXPECT_EQ(x.grad().item(), 12);
  expect_error<GradError>([&] { y.backward(); }, {"[checkpoint]", "second time", "retain_graph"});
  EXPECT_EQ(x.grad().item(), 12);
}

TEST(Checkpoint, LeavesNothing) {
  const std::int64_t nodes = live_nodes(), blocks = memory_stats().live_blocks;
  for (int i = 0; i < 3; ++i) {
    const Blocks blocks_of_two;
    Tensor y = blocks_of_two.run();
    y.backward({.retain_graph = true});
    grad(y, {blocks_of_two.w1}, {.create_graph = true});
    blocks_of_two.run();
  }
  EXPECT_EQ(live_nodes(), nodes);
  EXPECT_EQ(memory_stats().live_blocks, blocks);
}

TEST(Checkpoint, AnErrorInTheSecondRunLeavesAllAsItWas) {
  const std::int64_t nodes = live_nodes();
  {
    const auto runs = std::make_shared<int>(0);
    const Tensor x = leaf({3}), w = leaf({2});
    const Tensor y = checkpoint(
        [runs](const Tensor& t) {
          const Tensor h = dropout(t, 0.5, true);
          if (++*runs == 2) throw std::runtime_error("second run");
          return h;
        },
        x);
    const std::uint64_t offset = default_generator().offset();
    EXPECT_THROW(sum(y * w).backward(), std::runtime_error);
    EXPECT_FALSE(x.grad().defined() || w.grad().defined());
    EXPECT_EQ(default_generator().offset(), offset);
    EXPECT_TRUE(grad_enabled());
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Checkpoint, LongChainsOnASmallStack) {
  const std::int64_t nodes = live_nodes();
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 128 * 1024), 0);
  pthread_t thread;
  const auto run = [](void*) -> void* {
    const Tensor x = tensor(1.0).set_requires_grad();
    Tensor y = x;
    for (int i = 0; i < 3000; ++i) {
      y = checkpoint(
          [x](const Tensor& t) {
            Tensor h = t;
            for (int k = 0; k < 10; ++k) h = h + x;
            return h;
          },
          y);
    }
    EXPECT_EQ(grad(y, {x}, {.retain_graph = true})[0].item(), 30'001);
    y.backward();
    EXPECT_EQ(x.grad().item(), 30'001);
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, nullptr), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  EXPECT_EQ(live_nodes(), nodes);
}

// ---- Wrong use is an error, never a wrong number.

TEST(CheckpointMisuse, Undefined) {
  const auto f = [](const Tensor& t) { return t; };
  expect_error<ValueError>([&] { checkpoint(f, Tensor()); }, {"[checkpoint]", "input 0", "undefined"});
  expect_error<ValueError>([] { checkpoint([](const Tensor&) { return Tensor(); }, leaf({1})); },
                           {"[checkpoint]", "output 0", "undefined"});
  expect_error<GradError>(
      [] {
        checkpoint([](In t) { return std::vector<Tensor>{t[0], t[0]}; }, leaf({1}));
      },
      {"[checkpoint]", "2 tensors", "list"});
}

TEST(CheckpointMisuse, InputsChangedInPlace) {
  const Tensor x = leaf({1, 2});
  Tensor factor = tensor({3., 4.});
  const Tensor y = sum(checkpoint([](In t) { return t[0] * t[1]; }, {x, factor})[0]);
  fill_(factor, 0);
  expect_error<GradError>([&] { y.backward(); },
                          {"[checkpoint]", "input 1", "[2]", "in place", "version 1, expected 0"});
}

TEST(CheckpointMisuse, CapturedTensorsChangedInPlace) {
  const Tensor x = leaf({1, 2});
  Tensor w = leaf({3, 4});
  const Tensor y = sum(checkpoint([w](const Tensor& t) { return t * w; }, x));
  {
    const NoGrad no_grad;
    fill_(w, 0);
  }
  expect_error<GradError>([&] { y.backward(); }, {"[checkpoint]", "output 0", "[2]", "second run"});
  EXPECT_FALSE(x.grad().defined());
}

TEST(CheckpointMisuse, OtherResultsOnTheSecondRun) {
  const Tensor x = leaf({1, 2});
  const auto backward_of = [&](const std::function<std::vector<Tensor>(int run, const Tensor& t)>& f) {
    const auto runs = std::make_shared<int>(0);
    sum(checkpoint([f, runs](In t) { return f((*runs)++, t[0]); }, {x})[0]).backward();
  };
  using Results = std::vector<Tensor>;
  const std::initializer_list<std::string> other = {"[checkpoint]", "output 0", "second run"};
  expect_error<GradError>([&] { backward_of([](int run, const Tensor& t) { return Results{t * run}; }); }, other);
  expect_error<GradError>(
      [&] { backward_of([](int run, const Tensor& t) {
              return Results{reshape(t, {run + 1, -1})};
            }); }, other);
  expect_error<GradError>(
      [&] { backward_of([](int run, const Tensor& t) { return Results{run ? t.detach() : t * 1}; }); }, other);
  expect_error<GradError>(
      [&] { backward_of([](int run, const Tensor& t) {
              return run ? Results{t, t} : Results{t};
            }); },
      {"[checkpoint]", "2 tensors", "1 on the first"});
  Generator own(1);
  expect_error<GradError>(
      [&] { backward_of([&own](int, const Tensor& t) { return Results{t * rand({2}, kFloat64, own)}; }); }, other);
}

TEST(CheckpointMisuse, LeavesMadeInside) {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(checkpoint([](const Tensor& t) { return t * leaf({3, 4}); }, x));
  expect_error<GradError>([&] { y.backward(); }, {"[checkpoint]", "made outside"});
}

}  // namespace
}  // namespace eigengrad
