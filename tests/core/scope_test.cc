#include "eigengrad/core/scope.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "eigengrad/core/node.h"
#include "eigengrad/ops/arithmetic.h"

namespace eigengrad {
namespace {

TEST(Scope, PathsAreJoinedByDots) {
  const ScopeId encoder = scope_below(0, "encoder");
  EXPECT_EQ(scope_path(0), "");
  EXPECT_EQ(scope_path(encoder), "encoder");
  EXPECT_EQ(scope_path(scope_below(encoder, "fc1")), "encoder.fc1");
}

TEST(Scope, TheSamePairHasTheSameId) {
  EXPECT_EQ(scope_below(0, "a"), scope_below(0, "a"));
  EXPECT_NE(scope_below(0, "a"), scope_below(0, "b"));
  EXPECT_NE(scope_below(scope_below(0, "a"), "c"), scope_below(scope_below(0, "b"), "c"));
  EXPECT_EQ(scope_below(7, ""), 7u);
}

TEST(Scope, GuardsNest) {
  EXPECT_EQ(thread_state.scope, 0u);
  {
    const ScopeGuard outer("model");
    EXPECT_EQ(scope_path(thread_state.scope), "model");
    {
      const ScopeGuard inner("head");
      EXPECT_EQ(scope_path(thread_state.scope), "model.head");
    }
    EXPECT_EQ(scope_path(thread_state.scope), "model");
  }
  EXPECT_EQ(thread_state.scope, 0u);
}

TEST(Scope, NodesRememberIt) {
  Tensor x = ones({2}).set_requires_grad();
  const ScopeGuard guard("layer");
  EXPECT_EQ(scope_path((x + x).grad_fn()->scope()), "layer");
}

TEST(Scope, IsAThreadsOwn) {
  const ScopeGuard guard("here");
  std::thread([] { EXPECT_EQ(thread_state.scope, 0u); }).join();
}

TEST(Scope, IdsAgreeBetweenThreads) {
  std::vector<ScopeId> ids(8);
  std::vector<std::thread> threads;
  for (ScopeId& id : ids)
    threads.emplace_back([&id] {
      for (int i = 0; i < 200; ++i) id = scope_below(scope_below(0, "shared"), "n" + std::to_string(i));
    });
  for (std::thread& thread : threads) thread.join();
  for (const ScopeId id : ids) EXPECT_EQ(scope_path(id), "shared.n199");
}

}  // namespace
}  // namespace eigengrad
