// A straight line through noisy points, y = 3x - 2, by gradient descent written out: W <- W - lr * dc/dW.
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

int main() {
  manual_seed(0);
  const Tensor x = rand({200, 1}) * 4 - 2;
  const Tensor y = 3 * x - 2 + 0.1 * randn({200, 1});

  Tensor slope = zeros({1, 1}).set_requires_grad();
  Tensor offset = zeros({1}).set_requires_grad();
  const double lr = 0.1;

  for (int step = 1; step <= 100; ++step) {
    const Tensor cost = mean(square(matmul(x, slope) + offset - y));
    slope.zero_grad();
    offset.zero_grad();
    cost.backward();

    const NoGrad no_grad;
    add_(slope, slope.grad(), -lr);
    add_(offset, offset.grad(), -lr);
    if (step % 20 == 0) std::cout << "step " << step << "  cost " << cost.item() << "\n";
  }
  std::cout << "y = " << slope.item() << " x + " << offset.item() << "\n";
}
