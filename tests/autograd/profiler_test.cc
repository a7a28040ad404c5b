#include "eigengrad/autograd/profiler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <thread>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/scope.h"
#include "eigengrad/ops/ops.h"

namespace {

using namespace eigengrad;

const ProfileRow* find(const std::vector<ProfileRow>& rows, const std::string& name) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const ProfileRow& r) { return r.name == name; });
  return row == rows.end() ? nullptr : &*row;
}

TEST(Profiler, CountsOpsRulesAndParts) {
  const Tensor x = ones({8, 4}), w = ones({3, 4}).set_requires_grad(), b = ones({3}).set_requires_grad();
  Profiler profiler;
  for (int i = 0; i < 2; ++i) {
    const ScopeGuard scope("net");
    sum(relu(linear(x, w, b))).backward();
  }
  {
    const TracedPart part("sleep");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  profiler.stop();
  exp(x);  // not seen any more

  const std::vector<ProfileRow> ops = profiler.by_op();
  const ProfileRow* const forward = find(ops, "linear");
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->calls, 2);
  EXPECT_EQ(forward->flops, 2 * 8 * 3 * (2 * 4 + 1));
  EXPECT_EQ(forward->bytes, 2 * 4 * (8 * 4 + 3 * 4 + 3 + 8 * 3));
  EXPECT_GE(forward->allocations, 2);
  const ProfileRow* const backward = find(ops, "linear backward");
  ASSERT_TRUE(backward);
  EXPECT_EQ(backward->calls, 2);
  EXPECT_EQ(backward->flops, forward->flops);  // only the weight wants a gradient
  ASSERT_TRUE(find(ops, "sleep"));
  EXPECT_GE(find(ops, "sleep")->seconds, 0.005);
  EXPECT_FALSE(find(ops, "exp"));

  double total = 0;
  for (const ProfileRow& row : ops) total += row.seconds;
  EXPECT_NEAR(total, profiler.seconds(), 1e-9);  // with what lies between them
  EXPECT_TRUE(find(profiler.by_module(), "net"));
}

TEST(Profiler, TimeInsideAPartIsNotCountedTwice) {
  Profiler profiler;
  {
    const TracedPart outer("outer");
    const TracedPart inner("inner");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  profiler.stop();
  ASSERT_EQ(profiler.events().size(), 2u);
  const ProfileEvent &inner = profiler.events()[0], &outer = profiler.events()[1];
  EXPECT_EQ(inner.name, "inner");
  EXPECT_GE(inner.seconds, 0.005);
  EXPECT_GE(outer.total_seconds, inner.total_seconds);
  EXPECT_NEAR(outer.seconds, outer.total_seconds - inner.total_seconds, 1e-9);
}

TEST(Profiler, OpsOfSeveralOutputsCountOnce) {
  const Tensor x = ones({6, 4}).set_requires_grad();
  Profiler profiler;
  const auto parts = split(x, 2, 0);
  (sum(parts[0]) + sum(parts[2])).backward();
  profiler.stop();
  ASSERT_TRUE(find(profiler.by_op(), "split"));
  EXPECT_EQ(find(profiler.by_op(), "split")->calls, 1);
  EXPECT_EQ(find(profiler.by_op(), "split backward")->calls, 1);
}

TEST(Profiler, PrintsTables) {
  Profiler profiler;
  exp(ones({3}));
  profiler.stop();
  std::ostringstream text;
  text << profiler;
  EXPECT_NE(text.str().find("GFLOP/s"), std::string::npos);
  EXPECT_NE(text.str().find("\nexp "), std::string::npos) << text.str();
  EXPECT_NE(text.str().find("\n(outside modules) "), std::string::npos) << text.str();
}

}  // namespace
