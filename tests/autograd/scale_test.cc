// Deep and wide graphs, leaks, threads.
#include <gtest/gtest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <cmath>
#include <functional>
#include <thread>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kDeep = 100'000;
#else
constexpr int kDeep = 1'000'000;
#endif

void deep_chain() {
  const Tensor x = tensor(1.0).set_requires_grad();
  Tensor y = x;
  for (int i = 0; i < kDeep; ++i) y = i % 2 ? y + x : y * x;
  y.backward();
  // y' = y'·x + y for products, y' + 1 for sums, at x = 1 with y growing by 1 at each sum.
  double value = 1, slope = 1;
  for (int i = 0; i < kDeep; ++i) {
    if (i % 2) {
      value += 1;
      slope += 1;
    } else {
      slope += value;
    }
  }
  EXPECT_EQ(x.grad().item(), slope);
}

// Runs f on a thread with a stack of 128 KiB.
void with_small_stack(std::function<void()> f) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 128 * 1024), 0);
  pthread_t thread;
  const auto run = [](void* function) -> void* {
    (*static_cast<std::function<void()>*>(function))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, &f), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

// At the end of its scope nodes and memory are back where they were at its start.
class LeavesNothing {
 public:
  ~LeavesNothing() {
    EXPECT_EQ(live_nodes(), nodes_);
    EXPECT_EQ(memory_stats().live_blocks, before_.live_blocks);
    EXPECT_EQ(memory_stats().live_bytes, before_.live_bytes);
  }

 private:
  const std::int64_t nodes_ = live_nodes();
  const MemoryStats before_ = memory_stats();
};

TEST(Deep, ForwardBackwardAndDestruction) {
  const LeavesNothing check;
  reset_peak_memory();
  const std::int64_t before = memory_stats().peak_bytes;
  deep_chain();
  EXPECT_LT(memory_stats().peak_bytes - before, std::int64_t{1} << 30);
}

TEST(Deep, OnASmallStack) {
  const LeavesNothing check;
  with_small_stack(deep_chain);
}

TEST(Deep, DestructionWithoutAWalk) {
  const std::int64_t nodes = live_nodes();
  with_small_stack([] {
    const Tensor x = tensor(1.0).set_requires_grad();
    Tensor y = x;
    for (int i = 0; i < kDeep / 5; ++i) y = exp(y) * 0;  // saves inputs and outputs, which hold nodes in turn
  });
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Deep, GradOfOneInput) {
  with_small_stack([] {
    const Tensor x = tensor(2.0).set_requires_grad();
    Tensor y = x;
    for (int i = 0; i < kDeep / 10; ++i) y = y + x;
    EXPECT_EQ(grad(y, {x})[0].item(), kDeep / 10 + 1);
  });
}

// h ← tanh(W·h + u·x_t) for 100,000 steps, and the sum of the last h.
constexpr std::size_t kHidden = 3;
using Vector = std::array<double, kHidden>;
struct Recurrence {
  static constexpr std::size_t kSteps = kDeep / 10;
  std::array<Vector, kHidden> w{{{0.9, -0.3, 0.1}, {0.2, 0.8, -0.4}, {-0.1, 0.35, 0.95}}};
  Vector u{0.5, -0.7, 0.3};

  static double x(std::size_t t) { return std::sin(0.1 * static_cast<double>(t)); }
  std::vector<Vector> states() const {
    std::vector<Vector> h(kSteps + 1, Vector{});
    for (std::size_t t = 0; t < kSteps; ++t)
      for (std::size_t i = 0; i < kHidden; ++i) {
        double sum = u[i] * x(t);
        for (std::size_t j = 0; j < kHidden; ++j) sum += w[i][j] * h[t][j];
        h[t + 1][i] = std::tanh(sum);
      }
    return h;
  }
  // The gradients by W and u, by the recurrence written backwards: δ = g·(1 - h²), then g = Wᵀδ.
  std::pair<std::vector<double>, std::vector<double>> gradients() const {
    const std::vector<Vector> h = states();
    std::vector<double> by_w(kHidden * kHidden), by_u(kHidden);
    Vector g;
    g.fill(1);
    for (std::size_t t = kSteps; t-- > 0;) {
      Vector before{};
      for (std::size_t i = 0; i < kHidden; ++i) {
        const double delta = g[i] * (1 - h[t + 1][i] * h[t + 1][i]);
        by_u[i] += delta * x(t);
        for (std::size_t j = 0; j < kHidden; ++j) {
          by_w[i * kHidden + j] += delta * h[t][j];
          before[j] += w[i][j] * delta;
        }
      }
      g = before;
    }
    return {by_w, by_u};
  }
};

void expect_close(const Tensor& found, const std::vector<double>& expected) {
  const std::vector<double> values = found.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], 1e-11 * std::max(1.0, std::abs(expected[i]))) << i;
}

void unrolled_recurrent_net() {
  const Recurrence reference;
  const Tensor w = reshape(tensor(std::span<const double>(reference.w[0].data(), 9), {9}), {3, 3}).set_requires_grad();
  const Tensor u = tensor(std::span<const double>(reference.u), {3}).set_requires_grad();
  Tensor h = zeros({3}, kFloat64);
  for (std::size_t t = 0; t < Recurrence::kSteps; ++t) h = tanh(matmul(w, h) + u * Recurrence::x(t));
  const Vector last = reference.states().back();
  expect_close(h, {last.begin(), last.end()});
  sum(h).backward();
  const auto [by_w, by_u] = reference.gradients();
  expect_close(w.grad(), by_w);
  expect_close(u.grad(), by_u);
}

TEST(Deep, UnrolledRecurrentNet) {
  const LeavesNothing check;
  with_small_stack(unrolled_recurrent_net);
}

TEST(Deep, SecondDerivative) {
  const std::int64_t nodes = live_nodes();
  with_small_stack([] {
    const Tensor x = tensor(1.0).set_requires_grad();
    Tensor y = x;
    for (int i = 1; i < 5000; ++i) y = y * x;  // x^5000
    const Tensor first = grad(y, {x}, {.create_graph = true})[0];
    EXPECT_EQ(first.item(), 5000);
    EXPECT_EQ(grad(first, {x})[0].item(), 5000.0 * 4999);
  });
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Deep, ExceptionInTheMiddle) {
  const std::int64_t nodes = live_nodes();
  with_small_stack([] {
    const Tensor x = tensor(1.0).set_requires_grad();
    Tensor y = x;
    for (int i = 0; i < kDeep; ++i) {
      y = y + x;
      if (i == kDeep / 2) y.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("middle"); });
    }
    EXPECT_THROW(y.backward(), std::runtime_error);
    EXPECT_FALSE(x.grad().defined());
  });
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Wide, OneTensorUsedManyTimes) {
  const Tensor x = tensor({1.0, 2.0}).set_requires_grad();
  std::vector<Tensor> uses;
  for (int i = 0; i < 100'000; ++i) uses.push_back(x * 2);
  sum(cat(uses)).backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{200'000, 200'000}));
}

// y_i = x_i·Wᵀ with x_i = [i, 1], and each y_i weighted by [1, -1] in the sum: the rows of the gradient are ±Σ x_i.
TEST(Wide, OneMatrixUsedInManyLayers) {
  const LeavesNothing check;
  constexpr int kUses = 10'000;
  const Tensor w = tensor({{1.0, 2.0}, {3.0, 4.0}}).set_requires_grad(), weight = tensor({1.0, -1.0});
  Tensor total = tensor(0.0);
  for (int i = 0; i < kUses; ++i) {
    const Tensor x = tensor({{double(i), 1.0}});
    total = total + sum((i % 2 ? linear(x, w) : matmul(x, transpose(w))) * weight);
  }
  total.backward();
  const double sum_of_i = 0.5 * kUses * (kUses - 1);
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{sum_of_i, kUses, -sum_of_i, -kUses}));
}

TEST(Wide, ManyLeavesIntoOneOp) {
  std::vector<Tensor> leaves;
  for (int i = 0; i < 10'000; ++i) leaves.push_back(full({2}, i, kFloat64).set_requires_grad());
  const Tensor joined = cat(leaves);
  sum(joined * arange(0.0, 20'000.0, 1.0, kFloat64)).backward();
  for (int i = 0; i < 10'000; i += 37)
    EXPECT_EQ(leaves[static_cast<std::size_t>(i)].grad().to_vector<double>(),
              (std::vector<double>{2.0 * i, 2.0 * i + 1}));
}

TEST(Wide, TheSameLeafManyTimesInOneOp) {
  const Tensor x = tensor({1.0}).set_requires_grad();
  sum(cat(std::vector<Tensor>(10'000, x))).backward();
  EXPECT_EQ(x.grad().item(), 10'000);
}

TEST(Leaks, TrainingStepsLeaveNothing) {
  Tensor w = full({20, 20}, 0.01, kFloat32).set_requires_grad(), b = zeros({20}).set_requires_grad();
  const Tensor x = ones({8, 20});
  const auto step = [&] {
    w.zero_grad();
    b.zero_grad();
    mean(square(tanh(linear(x, w, b)))).backward();
    const NoGrad no_grad;
    add_(w, w.grad(), -0.1);
    add_(b, b.grad(), -0.1);
  };
  for (int i = 0; i < 10; ++i) step();
  const std::int64_t nodes = live_nodes();
  const MemoryStats before = memory_stats();
  for (int i = 0; i < 1000; ++i) step();
  EXPECT_EQ(live_nodes(), nodes);
  EXPECT_EQ(memory_stats().live_blocks, before.live_blocks);
  EXPECT_EQ(memory_stats().live_bytes, before.live_bytes);
}

TEST(Leaks, SecondDerivativesLeaveNothing) {
  const std::int64_t nodes = live_nodes(), blocks = memory_stats().live_blocks;
  for (int i = 0; i < 10; ++i) {
    const Tensor x = tensor({0.5, 1.5}).set_requires_grad();
    Tensor y = softmax(tanh(x) * exp(x), 0);
    y.retain_grad();
    const Tensor first = grad(sum(y * y * x), {x}, {.create_graph = true})[0];
    sum(first * first).backward();
  }
  EXPECT_EQ(live_nodes(), nodes);
  EXPECT_EQ(memory_stats().live_blocks, blocks);
}

// backward() below a graph made by create_graph stores gradients in the leaves of that graph: no cycle.
TEST(Leaks, GradientsInLeavesHoldNoGraph) {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = tensor({0.5}).set_requires_grad();
    const Tensor g = grad(sum(x * x * x), {x}, {.create_graph = true})[0];
    x.set_grad(g);
    EXPECT_FALSE(x.grad().requires_grad());
    sum(g).backward();
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Leaks, RetainedGradientsHoldNoGraph) {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor x = tensor({0.5}).set_requires_grad();
    Tensor y = exp(x);
    y.retain_grad();
    const Tensor g = grad(sum(y * y), {x}, {.create_graph = true})[0];
    EXPECT_TRUE(g.requires_grad());
    EXPECT_FALSE(y.grad().requires_grad());
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Threads, SeparateGraphsMayShareLeaves) {
  const Tensor w = full({1000}, 2, kFloat64).set_requires_grad();
  constexpr int kThreads = 4, kSteps = 2000;
  std::atomic<int> waiting = kThreads;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&] {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      for (int i = 0; i < kSteps; ++i) sum(w * w + w).backward();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(w.grad().to_vector<double>(), std::vector<double>(1000, 5.0 * kThreads * kSteps));
}

TEST(Threads, GradDoesNotTouchSharedLeaves) {
  const Tensor w = tensor({1.0, 2.0}).set_requires_grad();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&w] {
      for (int i = 0; i < 300; ++i)
        EXPECT_EQ(grad(sum(w * w), {w})[0].to_vector<double>(), (std::vector<double>{2, 4}));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(w.grad().defined());
}

TEST(Threads, AGraphMayBeWalkedAndFreedByAnother) {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor x = tensor({3.0}).set_requires_grad();
    Tensor y = sum(x * x);
    std::thread([&y] {
      y.backward();
      y = Tensor();
    }).join();
    EXPECT_EQ(x.grad().item(), 6);
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Threads, RecordingIsAThreadsOwnSwitch) {
  const NoGrad no_grad;
  std::thread([] { EXPECT_TRUE((tensor({1.0}).set_requires_grad() * 2).requires_grad()); }).join();
}

TEST(Threads, InferenceFromManyThreadsHasTheSameBits) {
  const Tensor w = reshape(sin(arange(10'000, kFloat64)), {100, 100}),
               x = reshape(cos(arange(5000, kFloat64)), {50, 100});
  const auto forward = [&] { return softmax(linear(tanh(linear(x, w)), w), -1).to_vector<double>(); };
  const std::vector<double> expected = forward();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      const NoGrad no_grad;
      for (int i = 0; i < 20; ++i) EXPECT_EQ(forward(), expected);
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace eigengrad
