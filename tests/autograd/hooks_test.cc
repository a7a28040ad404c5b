#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

using Numbers = std::vector<double>;

Tensor leaf(std::initializer_list<double> values) { return tensor(values).set_requires_grad(); }
Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }

TEST(Hook, SeesTheWholeGradientOnce) {
  const Tensor x = leaf({1, 2});
  Tensor y = x * 3;
  std::vector<Numbers> seen;
  y.register_hook([&](const Tensor& g) {
    seen.push_back(numbers(g));
    return Tensor();
  });
  sum(y * 2 + y).backward();
  EXPECT_EQ(seen, (std::vector<Numbers>{{3, 3}}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{9, 9}));
}

TEST(Hook, ReplacesTheGradient) {
  Tensor x = leaf({1, 2});
  Tensor y = x * 3;
  y.register_hook([](const Tensor& g) { return g * 10; });
  y.register_hook([](const Tensor& g) { return g + 1; });  // in order of registration
  x.register_hook([](const Tensor& g) { return -g; });
  sum(y).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{-33, -33}));
}

TEST(Hook, OnALeafRunsOnceForTheSum) {
  Tensor x = leaf({1, 2});
  int calls = 0;
  x.register_hook([&](const Tensor& g) {
    ++calls;
    return g * 2;
  });
  sum(x * 3 + x * x).backward();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(numbers(x.grad()), (Numbers{10, 14}));
  sum(x).backward();  // what had been accumulated does not pass again
  EXPECT_EQ(numbers(x.grad()), (Numbers{12, 16}));
}

TEST(Hook, WorksForGradToo) {
  Tensor x = leaf({1, 2});
  x.register_hook([](const Tensor& g) { return g * 2; });
  EXPECT_EQ(numbers(grad(sum(x * 3), {x})[0]), (Numbers{6, 6}));
}

TEST(Hook, RetainedGradIsTheReplacedOne) {
  const Tensor x = leaf({1, 2});
  Tensor y = x * 3;
  y.retain_grad();
  y.register_hook([](const Tensor& g) { return g * 10; });
  sum(y).backward();
  EXPECT_EQ(numbers(y.grad()), (Numbers{10, 10}));
}

TEST(Hook, CanBeRemoved) {
  const Tensor x = leaf({1, 2});
  Tensor y = x * 3;
  const std::uint64_t id = y.register_hook([](const Tensor& g) { return g * 10; });
  y.register_hook([](const Tensor& g) { return g * 2; });
  y.remove_hook(id);
  y.remove_hook(id + 1000);  // unknown ones are ignored
  sum(y).backward();
  EXPECT_EQ(numbers(x.grad()), (Numbers{6, 6}));
}

TEST(Hook, CanRemoveItself) {
  Tensor x = leaf({1});
  int calls = 0;
  std::uint64_t id = 0;
  id = x.register_hook([&](const Tensor&) {
    ++calls;
    x.remove_hook(id);
    return Tensor();
  });
  sum(x).backward();
  sum(x).backward();
  EXPECT_EQ(calls, 1);
}

TEST(Hook, WithTheWrongResultIsAnError) {
  const Tensor x = leaf({1, 2});
  const GradHook wrong[] = {[](const Tensor& g) { return sum(g); }, [](const Tensor& g) { return to(g, kFloat32); }};
  for (const GradHook& hook : wrong) {
    Tensor y = x * 3;
    y.register_hook(hook);
    try {
      sum(y).backward();
      ADD_FAILURE() << "no error";
    } catch (const GradError& error) {
      EXPECT_NE(std::string(error.what()).find("[mul]"), std::string::npos) << error.what();
    }
  }
  EXPECT_FALSE(x.grad().defined());
}

// a + b hands one tensor to both: doubling it for a in place would double it for b.
TEST(Hook, MayNotChangeTheGradientInPlace) {
  Tensor a = leaf({1, 2});
  const Tensor b = leaf({3, 4});
  a.register_hook([](const Tensor& g) {
    Tensor handle = g;
    mul_(handle, 2);
    return Tensor();
  });
  EXPECT_THROW(sum((a + b) * tensor({5., 6.})).backward(), GradError);
  EXPECT_FALSE(a.grad().defined() || b.grad().defined());
}

TEST(Hook, NeedsATensorThatRequiresGrad) {
  Tensor x = tensor({1., 2.});
  EXPECT_THROW(x.register_hook([](const Tensor& g) { return g; }), GradError);
  EXPECT_THROW(x.retain_grad(), GradError);
}

TEST(Hook, TakesPartInSecondDerivatives) {
  const Tensor x = leaf({3});
  Tensor y = x * x;
  const std::uint64_t id = y.register_hook([](const Tensor& g) { return g * g; });
  const Tensor g = grad(sum(y * y), {x}, {.create_graph = true})[0];  // (2x²)²·2x = 8x⁵
  EXPECT_EQ(numbers(g), (Numbers{8 * 243}));
  y.remove_hook(id);  // or it would run in this walk too
  EXPECT_EQ(numbers(grad(sum(g), {x})[0]), (Numbers{40 * 81}));
}

TEST(Hook, MayWalkAnotherGraph) {
  const Tensor x = leaf({2}), w = leaf({5});
  Tensor y = x * x;
  y.register_hook([&](const Tensor& g) {
    const GradMode recording(true);
    sum(w * w).backward();
    return g;
  });
  sum(y * y).backward();
  EXPECT_EQ(numbers(w.grad()), (Numbers{10}));
  EXPECT_EQ(numbers(x.grad()), (Numbers{32}));
}

TEST(Hook, MayWalkTheSameLeaves) {
  const Tensor x = leaf({2});
  Tensor y = x * x;
  y.register_hook([&](const Tensor& g) {
    const GradMode recording(true);
    sum(x * 100).backward();
    return g;
  });
  sum(y * x).backward();  // x³
  EXPECT_EQ(numbers(x.grad()), (Numbers{12 + 100}));
}

// The graph stays alive while it is walked, though the hook lets go of the last handle on it.
TEST(Hook, MayDropTheGraph) {
  const std::int64_t nodes = live_nodes();
  {
    const Tensor x = leaf({2});
    auto loss = std::make_unique<Tensor>();
    {
      Tensor y = x * x;
      y.register_hook([&](const Tensor& g) {
        *loss = Tensor();
        return g;
      });
      *loss = sum(exp(y) * 2);
    }
    loss->backward();
    EXPECT_NEAR(x.grad().to_vector<double>()[0], 8 * std::exp(4), 1e-9);
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Hook, DoesNotKeepTheGraphAlive) {
  const std::int64_t nodes = live_nodes();
  {
    Tensor x = leaf({2});
    Tensor y = x * x;
    y.register_hook([x](const Tensor& g) { return g * x.detach(); });  // holds a leaf: no cycle
    sum(y).backward();
  }
  EXPECT_EQ(live_nodes(), nodes);
}

// ---- All or nothing.

TEST(Exception, InAHookLeavesNoPartOfTheGradient) {
  const std::int64_t nodes = live_nodes();
  {
    Tensor a = leaf({1, 2}), b = leaf({3, 4});
    sum(a * 5).backward();  // an earlier step
    bool angry = true;
    Tensor inner = b * b;
    inner.register_hook([&](const Tensor& g) {
      if (angry) throw std::runtime_error("angry");
      return g;
    });
    const Tensor loss = sum(a * inner + a);
    EXPECT_THROW(loss.backward({.retain_graph = true}), std::runtime_error);
    EXPECT_EQ(numbers(a.grad()), (Numbers{5, 5}));
    EXPECT_FALSE(b.grad().defined());
    EXPECT_TRUE(grad_enabled());
    angry = false;
    loss.backward();  // the retained graph is whole
    EXPECT_EQ(numbers(a.grad()), (Numbers{5 + 10, 5 + 17}));
    EXPECT_EQ(numbers(b.grad()), (Numbers{6, 16}));
  }
  EXPECT_EQ(live_nodes(), nodes);
}

TEST(Exception, InAHookOfALeafLeavesNoPartOfTheGradient) {
  Tensor a = leaf({1}), b = leaf({2}), c = leaf({3});
  b.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("leaf"); });
  EXPECT_THROW(sum(a * b * c).backward(), std::runtime_error);
  EXPECT_FALSE(a.grad().defined() || b.grad().defined() || c.grad().defined());
}

struct Explosive {
  static constexpr const char* kName = "explosive";
  static constexpr SaveMask kSaves = kNothing;
  bool in_forward;
  Tensor forward(TensorRefs x) const {
    if (in_forward) throw ValueError("forward");
    return clone(x[0]);
  }
  Grads backward(const Saved&, const Tensor&) const { throw ValueError("backward"); }
};

TEST(Exception, InAnOpLeavesNothing) {
  const std::int64_t nodes = live_nodes(), blocks = memory_stats().live_blocks;
  {
    const Tensor x = leaf({1, 2});
    EXPECT_THROW(apply(Explosive{true}, x * 2), ValueError);
    EXPECT_TRUE(grad_enabled());
    EXPECT_THROW(sum(apply(Explosive{false}, x * 2) + x).backward(), ValueError);
    EXPECT_FALSE(x.grad().defined());
    EXPECT_TRUE(grad_enabled());
    sum(x * 2).backward();
    EXPECT_EQ(numbers(x.grad()), (Numbers{2, 2}));
  }
  EXPECT_EQ(live_nodes(), nodes);
  EXPECT_EQ(memory_stats().live_blocks, blocks);
}

// ---- Watching.

class Recorder final : public Tracer {
 public:
  void on_op(const OpEvent& event) override { ops.emplace_back(event.name); }
  void on_grad(const Node& node, std::uint32_t, const Tensor&) override { grads.emplace_back(node.name()); }
  std::vector<std::string> ops, grads;
};

TEST(Tracer, SeesOpsThatUsersCallAndGradients) {
  Recorder recorder;
  const Tensor x = leaf({1, 2});
  {
    const TracerScope scope(&recorder);
    sum(exp(x) * x).backward();
  }
  const Tensor unseen = exp(x);
  EXPECT_EQ(recorder.ops, (std::vector<std::string>{"exp", "mul", "sum"}));
  EXPECT_EQ(recorder.grads, (std::vector<std::string>{"sum", "mul", "exp", "leaf"}));
}

}  // namespace
}  // namespace eigengrad
