// MNIST in C++: a network of two layers, trained until it is good enough or stops getting better.
//   mnist [DIR]   DIR has the files of MNIST; without it the embedded digits are used
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

struct Mlp : nn::Module {
  nn::Linear& fc1 = child<nn::Linear>("fc1", 28 * 28, 128);
  nn::Linear& fc2 = child<nn::Linear>("fc2", 128, 10);
  Tensor forward(const Tensor& x) override { return fc2(relu(fc1(flatten(x, 1)))); }
};

int main(int argc, char** argv) {
  manual_seed(0);
  const bool real = argc > 1;
  const auto all = real ? data::mnist(argv[1], true) : data::digits({.count = 30000});
  const auto test = real ? data::mnist(argv[1], false) : data::digits({.count = 5000, .first = 30000});
  const auto [train, valid] = data::random_split(all, 0.05, 0);
  data::DataLoader train_loader(train, {.batch_size = 64, .shuffle = true});
  const data::DataLoader valid_loader(valid, {.batch_size = 256}), test_loader(test, {.batch_size = 256});
  std::cout << train->description() << "\n";

  Mlp model;
  nn::CrossEntropyLoss loss;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.5});
  std::cout << model << "\n";

  train::Trainer trainer(model, loss, optimizer);
  trainer.stop_when<train::MaxEpochs>({.epochs = 10})
      .stop_when<train::TargetMetric>({.metric = "valid_accuracy", .target = 0.98})
      .stop_when<train::NoImprovement>({.metric = "valid_loss", .patience = 3})
      .add_callback(std::make_unique<train::ConsoleReport>());
  train::start_logging();
  trainer.fit(train_loader, &valid_loader);

  const train::Evaluation result = train::evaluate(model, loss, test_loader);
  std::cout << "test accuracy " << 100 * result.metrics.at("accuracy") << " %\n";
}
