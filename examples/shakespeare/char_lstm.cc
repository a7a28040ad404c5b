// A character language model: an LSTM reads a text and says what comes next.
//
//   char_lstm [FILE [EPOCHS]]
//
// The text is read as 64 streams side by side, 64 characters at a time. The state goes on from window to window, but
// the gradient does not (truncated backpropagation through time). Without a file, or with "-", the text is one of sums,
// "17+25=42".
#include <eigengrad/eigengrad.h>

#include <chrono>
#include <cmath>
#include <iostream>

using namespace eigengrad;

constexpr std::int64_t kStreams = 64, kWindow = 64, kHidden = 256;

struct CharLstm : nn::Module {
  nn::Embedding& embedding;
  nn::LSTM& lstm =
      child<nn::LSTM>("lstm", nn::LSTMOptions{{.input_size = 64, .hidden_size = kHidden, .batch_first = true}});
  nn::Dropout& drop = child<nn::Dropout>("drop", 0.2);
  nn::Linear& head;
  explicit CharLstm(std::int64_t characters)
      : embedding(child<nn::Embedding>("embedding", characters, 64)),
        head(child<nn::Linear>("head", kHidden, characters)) {}

  std::pair<Tensor, nn::LSTMState> step(const Tensor& x, const nn::LSTMState& state) {
    const auto [output, next] = lstm(embedding(x), state);
    return {head(drop(output)), next.detach()};
  }
};

// Goes through a text once, from the zero state on; the mean of the cost of a character. With an optimizer it learns.
double read(CharLstm& model, const Tensor& text, optim::Optimizer* optimizer) {
  model.train(optimizer != nullptr);
  const GradMode mode(optimizer != nullptr);
  const std::int64_t length = (text.size(0) - 1) / kStreams;
  const auto streams = [&](std::int64_t first) {
    return reshape(narrow(text, 0, first, kStreams * length), {kStreams, length});
  };
  const Tensor inputs = streams(0), targets = streams(1);
  nn::LSTMState state;
  double total = 0;
  std::int64_t windows = 0;
  for (std::int64_t start = 0; start + kWindow <= length; start += kWindow, ++windows) {
    auto [logits, next] = model.step(narrow(inputs, 1, start, kWindow), state);
    state = next;
    const Tensor cost = cross_entropy(flatten(logits, 0, 1), flatten(narrow(targets, 1, start, kWindow)));
    if (optimizer) {
      optimizer->zero_grad();
      cost.backward();
      optim::clip_grad_norm_(model.parameters(), 1);
      optimizer->step();
    }
    total += cost.item();
  }
  return total / static_cast<double>(windows);
}

std::string sample(CharLstm& model, const data::Characters& characters, std::int64_t length) {
  model.eval();
  const NoGrad no_grad;
  nn::LSTMState state;
  Tensor x = characters.encode("\n");
  std::string text;
  for (std::int64_t i = 0; i < length; ++i) {
    auto [logits, next] = model.step(unsqueeze(x, 0), state);
    state = next;
    x = multinomial(softmax(flatten(logits) / 0.8, 0), 1);
    text += characters.decode(x);
  }
  return text;
}

int main(int argc, char** argv) {
  const bool given = argc > 1 && std::string(argv[1]) != "-";
  const std::string text = given ? io::read_file(argv[1], 100 << 20) : data::sums_text(20000);
  const int epochs = argc > 2 ? std::atoi(argv[2]) : given ? 12 : 3;
  const data::Characters characters(text);
  const auto [train, valid] = data::split_sequence(characters.encode(text), 0.1);

  manual_seed(0);
  CharLstm model(characters.size());
  optim::AdamW optimizer(model.parameters(), {.lr = 4e-3});
  std::cout << text.size() << " characters of " << characters.size() << " kinds, " << model.parameter_count()
            << " parameters\n";
  const auto started = std::chrono::steady_clock::now();
  for (int epoch = 1; epoch <= epochs; ++epoch) {
    optimizer.set_lr(4e-3 * 0.5 * (1 + std::cos(3.14159 * (epoch - 1) / epochs)));
    const double cost = read(model, train, &optimizer), valid_cost = read(model, valid, nullptr);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    std::cout << "epoch " << epoch << "  nats " << cost << "  valid " << valid_cost << "  bits per character "
              << valid_cost / std::log(2) << "  (" << seconds.count() << " s)" << std::endl;
  }
  std::cout << sample(model, characters, 500) << '\n';
  io::save_safetensors("char_lstm.safetensors", model.state_dict());
}
