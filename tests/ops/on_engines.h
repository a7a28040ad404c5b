// For tests that go from one engine to another.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/engine.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::tests {

/// Leaves the engine and the number of threads as they were.
class OnEngines : public ::testing::Test {
 protected:
  void TearDown() override {
    set_engine(engine_);
    set_num_threads(threads_);
  }

 private:
  const std::string engine_ = engine_name();
  const int threads_ = num_threads();
};

/// The result of a computation, and the gradients of what it was made of.
inline std::vector<Tensor> results(const std::vector<Tensor>& inputs,
                                   const std::function<Tensor(std::vector<Tensor>)>& f) {
  std::vector<Tensor> leaves;
  for (const Tensor& x : inputs) leaves.push_back(x.detach().set_requires_grad());
  const Tensor y = f(leaves);
  Generator generator(7);
  y.backward(to(rand(y.shape(), kFloat32, generator) - 0.5, y.dtype()));
  std::vector<Tensor> all{y.detach()};
  for (const Tensor& leaf : leaves) all.push_back(leaf.grad());
  return all;
}

}  // namespace eigengrad::tests
