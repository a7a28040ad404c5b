// The adding problem of Hochreiter and Schmidhuber (1997): an LSTM reads 200 numbers, two of which are marked, and has
// to say the sum of those two. What it learns from lies up to 200 steps back, through all of which the gradient goes.
//
//   adding [STEPS]
#include <eigengrad/eigengrad.h>

#include <cstdlib>
#include <iostream>

using namespace eigengrad;

constexpr std::int64_t kLength = 200, kBatch = 64;

struct Adder : nn::Module {
  nn::LSTM& lstm = child<nn::LSTM>("lstm", nn::LSTMOptions{{.input_size = 2, .hidden_size = 64, .batch_first = true}});
  nn::Linear& out = child<nn::Linear>("out", 64, 1);
  Adder() {
    // Tallec and Ollivier (2018): begin with gates that remember for 1 to kLength steps.
    const NoGrad no_grad;
    const Tensor time = log(rand({64}) * (kLength - 2) + 1);
    for (auto& [name, parameter] : lstm.named_parameters())
      if (name == "bias_ih_l0") {
        zero_(parameter);
        Tensor input = narrow(parameter, 0, 0, 64), forget = narrow(parameter, 0, 64, 64);
        copy_(input, -time);
        copy_(forget, time);
      }
  }
  Tensor forward(const Tensor& x) override { return out(select(lstm(x).output, 1, -1)); }
};

int main(int argc, char** argv) {
  const int steps = argc > 1 ? std::atoi(argv[1]) : 3000;
  manual_seed(0);
  Adder model;
  optim::Adam optimizer(model.parameters(), {.lr = 2e-3});
  double average = 0;
  for (int step = 1; step <= steps; ++step) {
    const Tensor values = rand({kBatch, kLength, 1});
    const Tensor first = one_hot(randint(0, kLength / 2, {kBatch}), kLength),
                 second = one_hot(randint(kLength / 2, kLength, {kBatch}), kLength);
    const Tensor marks = to(unsqueeze(first + second, 2), kFloat32);
    const Tensor cost = mse_loss(model(cat({values, marks}, 2)), sum(values * marks, {1}));
    optimizer.zero_grad();
    cost.backward();
    optim::clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    average += cost.item() / 250;
    if (step % 250 == 0) {
      std::cout << "step " << step << "  squared error " << average << "  (0.167 by always saying 1)" << std::endl;
      average = 0;
    }
  }
}
