// A differential equation solved by a network (Raissi, Perdikaris and Karniadakis 2019): u'' + 0.6 u' + 9 u = 0 with
// u(0) = 1 and u'(0) = 0, a damped oscillation. The cost is how badly the network fulfils the equation; u' and u'' are
// derivatives of the network by its input, and the training differentiates those once more, by its weights.
//
// Writes oscillator.svg.
#include <eigengrad/eigengrad.h>

#include <cmath>
#include <iostream>

using namespace eigengrad;

constexpr double kDamping = 0.6, kStiffness = 9, kEnd = 4;

Tensor solution(const Tensor& t) {
  const double frequency = std::sqrt(kStiffness - kDamping * kDamping / 4);
  return exp(-kDamping / 2 * t) * (cos(frequency * t) + kDamping / (2 * frequency) * sin(frequency * t));
}

int main() {
  manual_seed(0);
  nn::Sequential net(nn::Linear(1, 64), nn::Tanh(), nn::Linear(64, 64), nn::Tanh(), nn::Linear(64, 1));
  net.to(kFloat64);
  // The form of u makes u(0) = 1 and u'(0) = 0 hold whatever the network says.
  const auto u = [&](const Tensor& t) { return 1 + square(tanh(t)) * net(t); };
  const auto derivative = [](const Tensor& y, const Tensor& t) { return grad(sum(y), {t}, {.create_graph = true})[0]; };
  optim::Adam optimizer(net.parameters(), {.lr = 5e-3});
  for (int step = 1; step <= 12000; ++step) {
    optimizer.set_lr(5e-3 * std::pow(0.01, step / 12000.0));
    Tensor t = rand({64, 1}, kFloat64) * kEnd;
    t.set_requires_grad();
    const Tensor y = u(t), dy = derivative(y, t), d2y = derivative(dy, t);
    const Tensor cost = mean(square(d2y + kDamping * dy + kStiffness * y));
    optimizer.zero_grad();
    cost.backward();
    optimizer.step();
    if (step % 2000 == 0) std::cout << "step " << step << "  residual " << std::sqrt(cost.item()) << std::endl;
  }

  const NoGrad no_grad;
  const auto grid = [](std::int64_t steps) { return reshape(linspace(0, kEnd, steps, kFloat64), {steps, 1}); };
  const Tensor t = grid(201), some = grid(41), found = u(t), exact = solution(t);
  std::cout << "largest error of u " << max(abs(found - exact)).item() << '\n';
  const auto numbers = [](const Tensor& x) { return flatten(x).to_vector<double>(); };
  io::write_file(
      "oscillator.svg",
      io::to_svg({.title = "u'' + 0.6 u' + 9 u = 0, by a network and exactly",
                  .x_label = "t",
                  .y_label = "u",
                  .series = {{.name = "network", .x = numbers(t), .y = numbers(found)},
                             {.name = "exact", .x = numbers(some), .y = numbers(solution(some)), .points = true}}}));
}
