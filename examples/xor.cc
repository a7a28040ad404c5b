// XOR, which no single line can separate: two layers learn it.
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

struct Xor : nn::Module {
  nn::Linear& hidden = child<nn::Linear>("hidden", 2, 8);
  nn::Linear& out = child<nn::Linear>("out", 8, 1);
  Tensor forward(const Tensor& x) override { return out(tanh(hidden(x))); }
};

int main() {
  manual_seed(1);
  const Tensor x = tensor({{0.f, 0.f}, {0.f, 1.f}, {1.f, 0.f}, {1.f, 1.f}});
  const Tensor y = tensor({{0.f}, {1.f}, {1.f}, {0.f}});

  Xor model;
  nn::BCEWithLogitsLoss loss;
  optim::Adam optimizer(model.parameters(), {.lr = 0.05});

  for (int step = 0; step <= 400; ++step) {
    const Tensor cost = loss(model(x), y);
    optimizer.zero_grad();
    cost.backward();
    optimizer.step();
    if (step % 100 == 0) std::cout << "step " << step << "  loss " << cost.item() << "\n";
  }

  const NoGrad no_grad;
  std::cout << "probabilities of 1 for 00, 01, 10, 11:\n" << sigmoid(model(x)) << "\n";
}
