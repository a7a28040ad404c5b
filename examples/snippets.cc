// What README.md and the pages of docs/ show in C++: tests/docs_test.py looks for every piece here. All of it runs.
#include <eigengrad/eigengrad.h>
using namespace eigengrad;

struct Mlp : nn::Module {
  nn::Linear& fc1 = child<nn::Linear>("fc1", 784, 128);
  nn::Linear& fc2 = child<nn::Linear>("fc2", 128, 10);
  Tensor forward(const Tensor& x) override { return fc2(relu(fc1(flatten(x, 1)))); }
};

#include <cstdio>
#include <iostream>

struct LossBelow : train::StopCriterion {
  explicit LossBelow(double limit) : limit_(limit) {}
  std::optional<train::StopReason> check(const train::TrainState& state) override {
    if (!(state.metrics.at("loss") < limit_)) return std::nullopt;
    return train::StopReason{"loss_below", "the loss is small enough"};
  }
  double limit_;
};

struct CountSteps : train::Callback {
  void on_step_end(const train::TrainState&) override { ++steps; }
  void on_epoch_end(const train::EpochRecord& record) override {
    std::printf("epoch %d after %d steps: %.3f\n", int(record.epoch), int(steps), record.metrics.at("loss"));
  }
  void describe_state(optim::StateFields& f) override { f("steps", steps); }  // so that a resumed run counts on
  std::int64_t steps = 0;
};

static void readme(data::DataLoader& train_loader, const data::DataLoader& valid_loader) {
  Mlp model;
  nn::CrossEntropyLoss loss;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.5});

  train::Trainer trainer(model, loss, optimizer);
  trainer.stop_when<train::MaxEpochs>({.epochs = 10})
      .stop_when<train::NoImprovement>({.metric = "valid_loss", .patience = 3});
  train::FitResult result = trainer.fit(train_loader, &valid_loader);
  std::cout << "readme: " << result.stopped_by.text << "\n";
}

static void own_criterion(train::Trainer& trainer) {
  trainer.stop_when(std::make_unique<LossBelow>(0.3));
  trainer.add_callback(std::make_unique<CountSteps>());
}

static void checkpoints(Mlp& model, train::Trainer& trainer, data::DataLoader& batches) {
  train::CheckpointFolder folder("checkpoints");
  folder.load_newest(model, trainer);  // goes on from there, if there is one
  trainer.add_callback(
      std::make_unique<train::Checkpoints>(model, trainer, folder, train::CheckpointOptions{.keep = 3}));
  trainer.fit(batches);
}

static void tensors() {
  Tensor x = rand({2, 3});
  Tensor w = ones({3, 4}, kFloat32);
  w.set_requires_grad();
  Tensor y = sum(pow(matmul(x, w), 2));
  y.backward();
  std::cout << w.grad() << "\n";
  Tensor first = x[{0}];  // a view
  Tensor part = x[{Slice(), Slice(0, 2)}];
  Tensor both = cat({x, x}, 0);
  Tensor wide = reshape(x, {3, 2});
  double value = y.item();
  std::cout << first << part << both << wide << value << "\n";
}

static void loop(Mlp& model, data::DataLoader& loader) {
  nn::CrossEntropyLoss loss;
  optim::AdamW optimizer(model.parameters(), {.lr = 1e-3, .weight_decay = 0.01});
  optim::CosineAnnealingLR schedule(optimizer, {.T_max = 2});

  for (int epoch = 0; epoch < 2; ++epoch) {
    model.train();
    for (const auto& [x, y] : loader.epoch(epoch)) {
      optimizer.zero_grad();
      Tensor cost = loss(model(x), y);
      cost.backward();
      optim::clip_grad_norm_(model.parameters(), 1.0);
      optimizer.step();
    }
    schedule.step();
  }

  model.eval();
  NoGrad no_grad;
  for (const auto& [x, y] : loader.epoch(0)) {
    Tensor prediction = argmax(model(x), 1);
    std::cout << "correct: " << sum(prediction == y).item<std::int64_t>() << " of " << y.size(0) << "\n";
    break;
  }
}

static void saving(Mlp& model) {
  io::save_safetensors("model.safetensors", model.state_dict());
  model.load_state_dict(io::load_safetensors("model.safetensors").tensors);
}

int main() {
  manual_seed(0);
  const auto digits = data::digits({.count = 500});
  const auto [train, valid] = data::random_split(digits, 0.2, 0);
  data::DataLoader loader(train, {.batch_size = 50, .shuffle = true});
  const data::DataLoader validation(valid, {.batch_size = 50});
  readme(loader, validation);
  tensors();

  Mlp model;
  loop(model, loader);
  saving(model);
  nn::CrossEntropyLoss loss;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  train::Trainer trainer(model, loss, optimizer);
  own_criterion(trainer);
  trainer.stop_when<train::MaxEpochs>({.epochs = 20});
  checkpoints(model, trainer, loader);
}
