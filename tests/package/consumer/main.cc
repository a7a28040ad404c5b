// A program outside the tree, built against the installed package.
#include <eigengrad/eigen.h>
#include <eigengrad/eigengrad.h>

#include <iostream>

#include "core/tensor.h"
#include "nn/module.h"

using namespace eigengrad;

struct Net : nn::Module {
  nn::Linear& fc1 = child<nn::Linear>("fc1", 2, 4);
  nn::Linear& fc2 = child<nn::Linear>("fc2", 4, 1);
  Tensor forward(const Tensor& x) override { return fc2(tanh(fc1(x))); }
};

int main() {
  [[maybe_unused]] OwnModule own;
  Net net;
  optim::SGD optimizer(net.parameters(), {.lr = 0.1});
  const Tensor x = from_eigen(Eigen::MatrixXf::Ones(3, 2).eval());
  for (int step = 0; step < 50; ++step) {
    optimizer.zero_grad();
    mse_loss(net(x), ones({3, 1})).backward();
    optimizer.step();
  }
  const float error = (as_matrix<float>(net(x)).array() - 1.f).abs().maxCoeff();
  std::cout << "error " << error << ", own " << own_tensor() << "\n";
  return error < 0.05f && own_tensor() == 7 ? 0 : 1;
}
