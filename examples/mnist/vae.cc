// A variational autoencoder (Kingma and Welling 2014): it learns a distribution of digits, from which new ones are
// drawn.
//
//   vae [FOLDER [EPOCHS]]      a folder with MNIST; without one, the embedded digits
//
// Writes vae.png, digits that nobody has written.
#include <eigengrad/eigengrad.h>

#include <cstdlib>
#include <iostream>

using namespace eigengrad;

constexpr std::int64_t kLatent = 20;

struct Vae : nn::Module {
  nn::Sequential& encoder = child<nn::Sequential>("encoder", nn::Flatten(), nn::Linear(784, 400), nn::ReLU());
  nn::Linear& mean = child<nn::Linear>("mean", 400, kLatent);
  nn::Linear& log_variance = child<nn::Linear>("log_variance", 400, kLatent);
  nn::Sequential& decoder = child<nn::Sequential>("decoder", nn::Linear(kLatent, 400), nn::ReLU(), nn::Linear(400, 784),
                                                  nn::Unflatten(1, {1, 28, 28}));
  // The negative evidence lower bound, in nats per image.
  Tensor cost(const Tensor& x) {
    const Tensor h = encoder(x), mu = mean(h), log_var = log_variance(h);
    const Tensor z = mu + exp(log_var / 2) * randn(mu.shape());
    const Tensor reconstruction = binary_cross_entropy_with_logits(decoder(z), x, Reduction::Sum);
    const Tensor divergence = sum(square(mu) + exp(log_var) - 1 - log_var) / 2;
    return (reconstruction + divergence) / static_cast<double>(x.size(0));
  }
};

int main(int argc, char** argv) {
  const data::Normalization levels{0, 1};
  const bool real = argc > 1 && std::string(argv[1]) != "-";
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 15;
  const auto train =
      real ? data::mnist(argv[1], true, levels) : data::digits({.count = 20000, .normalization = levels});
  const auto test = real ? data::mnist(argv[1], false, levels)
                         : data::digits({.count = 2000, .first = 20000, .normalization = levels});
  manual_seed(0);
  Vae model;
  optim::Adam optimizer(model.parameters(), {.lr = 1e-3});
  const data::DataLoader loader(train, {.batch_size = 128, .shuffle = true}), test_loader(test, {.batch_size = 500});
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double total = 0;
    for (const data::Batch& batch : loader.epoch(epoch)) {
      const Tensor cost = model.cost(batch.inputs);
      optimizer.zero_grad();
      cost.backward();
      optimizer.step();
      total += cost.item() / static_cast<double>(loader.batches());
    }
    const NoGrad no_grad;
    double test_cost = 0;
    for (const data::Batch& batch : test_loader.epoch(0))
      test_cost += model.cost(batch.inputs).item() / static_cast<double>(test_loader.batches());
    std::cout << "epoch " << epoch << "  nats per image " << total << "  test " << test_cost << std::endl;
  }
  const NoGrad no_grad;
  io::save_png("vae.png", io::image_grid(sigmoid(model.decoder(randn({60, kLatent}))), 12));
}
