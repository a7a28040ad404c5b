// The program of docs/tutorial.md: a model of one's own on digits, trained until it stops getting better.
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

struct Net : nn::Module {
  nn::Conv2d& conv = child<nn::Conv2d>("conv", 1, 8, 5);
  nn::Dropout& drop = child<nn::Dropout>("drop", 0.2);
  nn::Linear& out = child<nn::Linear>("out", 8 * 12 * 12, 10);
  Tensor forward(const Tensor& x) override { return out(drop(flatten(max_pool2d(relu(conv(x)), 2), 1))); }
};

int main() {
  manual_seed(0);
  const auto [train, valid] = data::random_split(data::digits({.count = 6000}), 0.1, 0);
  data::DataLoader batches(train, {.batch_size = 64, .shuffle = true});
  const data::DataLoader validation(valid, {.batch_size = 256});
  const data::DataLoader test(data::digits({.count = 1000, .first = 6000}), {.batch_size = 256});

  Net net;
  nn::CrossEntropyLoss loss;
  optim::Adam optimizer(net.parameters(), {.lr = 2e-3});

  train::Trainer trainer(net, loss, optimizer);
  trainer.stop_when<train::MaxEpochs>({.epochs = 8})
      .stop_when<train::NoImprovement>({.metric = "valid_loss", .patience = 2})
      .keep_best()
      .add_callback(std::make_unique<train::ConsoleReport>());
  train::start_logging();
  const train::FitResult result = trainer.fit(batches, &validation);

  std::cout << "stopped by " << result.stopped_by.kind << ": " << result.stopped_by.text << "\n"
            << "test accuracy " << train::evaluate(net, loss, test).metrics.at("accuracy") << "\n";
  io::save_safetensors("net.safetensors", net.state_dict());
}
