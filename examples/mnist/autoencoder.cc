// An autoencoder: images of digits through 32 numbers and back. Its picture shows digits that it has not been trained
// on, and below each what comes back.
//
//   autoencoder [FOLDER [EPOCHS]]      a folder with MNIST; without one, the embedded digits
//
// Writes autoencoder.png.
#include <eigengrad/eigengrad.h>

#include <cstdlib>
#include <iostream>

using namespace eigengrad;

struct Autoencoder : nn::Module {
  nn::Sequential& encoder = child<nn::Sequential>("encoder", nn::Flatten(), nn::Linear(784, 512), nn::ReLU(),
                                                  nn::Linear(512, 128), nn::ReLU(), nn::Linear(128, 32));
  nn::Sequential& decoder = child<nn::Sequential>("decoder", nn::Linear(32, 128), nn::ReLU(), nn::Linear(128, 512),
                                                  nn::ReLU(), nn::Linear(512, 784), nn::Unflatten(1, {1, 28, 28}));
  Tensor forward(const Tensor& x) override { return decoder(encoder(x)); }  // logits of the grey levels
};

int main(int argc, char** argv) {
  const data::Normalization levels{0, 1};  // grey levels as they are, 0 to 1
  const bool real = argc > 1 && std::string(argv[1]) != "-";
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 10;
  const auto train =
      real ? data::mnist(argv[1], true, levels) : data::digits({.count = 20000, .normalization = levels});
  const auto test = real ? data::mnist(argv[1], false, levels)
                         : data::digits({.count = 2000, .first = 20000, .normalization = levels});
  manual_seed(0);
  Autoencoder model;
  optim::Adam optimizer(model.parameters(), {.lr = 1e-3});
  const data::DataLoader loader(train, {.batch_size = 128, .shuffle = true}), test_loader(test, {.batch_size = 500});
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    double total = 0;
    for (const data::Batch& batch : loader.epoch(epoch)) {
      const Tensor cost = binary_cross_entropy_with_logits(model(batch.inputs), batch.inputs);
      optimizer.zero_grad();
      cost.backward();
      optimizer.step();
      total += cost.item() / static_cast<double>(loader.batches());
    }
    const NoGrad no_grad;
    double error = 0;
    for (const data::Batch& batch : test_loader.epoch(0))
      error += mse_loss(sigmoid(model(batch.inputs)), batch.inputs).item() / static_cast<double>(test_loader.batches());
    std::cout << "epoch " << epoch << "  cost " << total << "  squared error of a test pixel " << error << std::endl;
  }

  const NoGrad no_grad;
  std::vector<std::int64_t> first(12);
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::int64_t>(i);
  const Tensor originals = test->get(first).inputs;
  io::save_png("autoencoder.png", io::image_grid(cat({originals, sigmoid(model(originals))}), 12));
}
