// Regression that knows how sure it is: the network gives a mean and a variance for every x, and is trained on -log of
// the normal density (Nix and Weigend 1994). The noise of the data grows with |x|, which nobody tells it.
//
// Writes uncertainty.svg.
#include <eigengrad/eigengrad.h>

#include <cmath>
#include <iostream>

using namespace eigengrad;

struct Net : nn::Module {
  nn::Sequential& body = child<nn::Sequential>("body", nn::Linear(1, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh());
  nn::Linear& mean = child<nn::Linear>("mean", 64, 1);
  nn::Linear& spread = child<nn::Linear>("spread", 64, 1);
  std::pair<Tensor, Tensor> predict(const Tensor& x) {
    const Tensor h = body(x);
    return {mean(h), softplus(spread(h)) + 1e-4};
  }
};

Tensor noise_at(const Tensor& x) { return 0.05 + 0.25 * square(x) / 4; }  // its standard deviation
Tensor truth_at(const Tensor& x) { return sin(2 * x) + 0.3 * x; }

int main() {
  manual_seed(0);
  const Tensor x = rand({1000, 1}) * 4 - 2, y = truth_at(x) + noise_at(x) * randn({1000, 1});
  Net net;
  nn::GaussianNLLLoss loss;
  optim::Adam optimizer(net.parameters(), {.lr = 5e-3});
  for (int step = 1; step <= 1500; ++step) {
    const auto [mean, variance] = net.predict(x);
    const Tensor cost = loss(mean, y, variance);
    optimizer.zero_grad();
    cost.backward();
    optimizer.step();
    if (step % 300 == 0) std::cout << "step " << step << "  cost " << cost.item() << '\n';
  }

  const NoGrad no_grad;
  const Tensor grid = reshape(linspace(-2, 2, 101), {101, 1});
  const auto [mean, variance] = net.predict(grid);
  const Tensor spread = sqrt(variance);
  std::cout << "mean error of the mean " << eigengrad::mean(abs(mean - truth_at(grid))).item()
            << ", of the standard deviation " << eigengrad::mean(abs(spread - noise_at(grid))).item() << '\n';
  const auto numbers = [](const Tensor& t) { return to(flatten(t), kFloat64).to_vector<double>(); };
  io::write_file("uncertainty.svg",
                 io::to_svg({.title = "A mean, and two standard deviations around it, both learned",
                             .x_label = "x",
                             .y_label = "y",
                             .series = {{.name = "data", .x = numbers(x), .y = numbers(y), .points = true},
                                        {.name = "prediction",
                                         .x = numbers(grid),
                                         .y = numbers(mean),
                                         .low = numbers(mean - 2 * spread),
                                         .high = numbers(mean + 2 * spread)},
                                        {.name = "truth", .x = numbers(grid), .y = numbers(truth_at(grid))}}}));
}
