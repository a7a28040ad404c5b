// A recurrent network unrolled by hand over 50 steps: backpropagation through time is backward() on the unrolled graph.
// It reads 50 numbers of which two are marked, and has to say the sum of those two (the adding problem of Hochreiter
// and Schmidhuber 1997).
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

constexpr std::int64_t kSteps = 50, kHidden = 32, kBatch = 64;

struct Rnn : nn::Module {
  nn::Linear& input = child<nn::Linear>("input", 2, kHidden);
  nn::Linear& recurrent = child<nn::Linear>("recurrent", kHidden, kHidden, false);
  nn::Linear& out = child<nn::Linear>("out", kHidden, 1);
  Rnn() {
    // Le, Jaitly and Hinton (2015): begin with a memory that keeps what it has.
    const NoGrad no_grad;
    copy_(recurrent.weight, eye(kHidden));
  }
  Tensor forward(const Tensor& x) override {  // [B, T, 2] -> [B, 1]
    Tensor hidden = zeros({x.size(0), kHidden});
    for (std::int64_t t = 0; t < x.size(1); ++t) hidden = relu(input(select(x, 1, t)) + recurrent(hidden));
    return out(hidden);
  }
};

int main() {
  manual_seed(0);
  Rnn model;
  optim::Adam optimizer(model.parameters(), {.lr = 2e-3});
  double average = 0;
  for (int step = 1; step <= 1500; ++step) {
    const Tensor values = rand({kBatch, kSteps, 1});
    const Tensor first = one_hot(randint(0, kSteps / 2, {kBatch}), kSteps),
                 second = one_hot(randint(kSteps / 2, kSteps, {kBatch}), kSteps);
    const Tensor marks = to(unsqueeze(first + second, 2), kFloat32);
    const Tensor target = sum(values * marks, {1});

    const Tensor cost = mse_loss(model(cat({values, marks}, 2)), target);
    optimizer.zero_grad();
    cost.backward();
    optim::clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    average += cost.item() / 250;
    if (step % 250 == 0) {
      std::cout << "step " << step << "  squared error " << average << "  (0.167 by always saying 1)\n";
      average = 0;
    }
  }
}
