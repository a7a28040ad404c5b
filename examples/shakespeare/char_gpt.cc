// A small GPT: a transformer that reads a text, character by character, and says what comes next.
//
//   char_gpt [FILE [STEPS]]
//
// Without a file, or with "-", the text is one of sums, "17+25=42".
#include <eigengrad/eigengrad.h>

#include <chrono>
#include <cmath>
#include <iostream>

using namespace eigengrad;

constexpr std::int64_t kContext = 128, kBatch = 32, kWidth = 128;

struct Gpt : nn::Module {
  nn::Embedding& embedding;
  nn::LearnedPositionalEncoding& places =
      child<nn::LearnedPositionalEncoding>("places", {.d_model = kWidth, .max_len = kContext, .batch_first = true});
  nn::TransformerEncoder& blocks;
  nn::Linear& head;
  explicit Gpt(std::int64_t characters)
      : embedding(child<nn::Embedding>("embedding", characters, kWidth)),
        blocks(child<nn::TransformerEncoder>("blocks", options())),
        head(child<nn::Linear>("head", kWidth, characters, false)) {
    nn::init::normal_(embedding.weight, 0, 0.02);
    tie_parameter("head.weight", "embedding.weight");
  }
  static nn::TransformerStackOptions options() {
    nn::TransformerStackOptions o;
    o.num_layers = 4;
    o.d_model = kWidth;
    o.nhead = 4;
    o.dim_feedforward = 4 * kWidth;
    o.dropout = 0;
    o.activation = nn::TransformerActivation::GELU;
    o.batch_first = o.norm_first = o.norm = o.is_causal = true;
    return o;
  }
  Tensor forward(const Tensor& x) override { return head(blocks(places(embedding(x)), {.is_causal = true})); }
};

// Windows that begin at random places, and the same one character further on.
std::pair<Tensor, Tensor> batch_of(const Tensor& text, std::int64_t count) {
  const Tensor places = randint(0, text.size(0) - kContext, {count, 1}) + arange(kContext);
  return {text[places], text[places + 1]};
}

Tensor cost_of(Gpt& model, const Tensor& x, const Tensor& y) {
  return cross_entropy(flatten(model(x), 0, 1), flatten(y));
}

double evaluate(Gpt& model, const Tensor& text) {
  model.eval();
  const NoGrad no_grad;
  double total = 0;
  std::int64_t windows = 0;
  for (std::int64_t start = 0; start + kContext < text.size(0); start += kContext, ++windows)
    total +=
        cost_of(model, unsqueeze(narrow(text, 0, start, kContext), 0), narrow(text, 0, start + 1, kContext)).item();
  model.train();
  return total / static_cast<double>(windows);
}

std::string sample(Gpt& model, const data::Characters& characters, std::int64_t length) {
  model.eval();
  const NoGrad no_grad;
  Tensor text = characters.encode("\n");
  for (std::int64_t i = 0; i < length; ++i) {
    const std::int64_t seen = std::min(text.size(0), kContext);
    const Tensor logits = model(unsqueeze(narrow(text, 0, text.size(0) - seen, seen), 0));
    text = cat({text, multinomial(softmax(select(select(logits, 0, 0), 0, -1) / 0.8, 0), 1)});
  }
  return characters.decode(text);
}

int main(int argc, char** argv) {
  const bool given = argc > 1 && std::string(argv[1]) != "-";
  const std::string text = given ? io::read_file(argv[1], 100 << 20) : data::sums_text(20000);
  const int steps = argc > 2 ? std::atoi(argv[2]) : given ? 3000 : 60;
  const data::Characters characters(text);
  const auto [train, valid] = data::split_sequence(characters.encode(text), 0.1);

  manual_seed(0);
  Gpt model(characters.size());
  optim::AdamW optimizer(model.parameters(), {.lr = 3e-3, .beta2 = 0.99, .weight_decay = 0.1});
  std::cout << text.size() << " characters of " << characters.size() << " kinds, " << model.parameter_count()
            << " parameters\n";
  const auto started = std::chrono::steady_clock::now();
  double average = 0;
  for (int step = 1; step <= steps; ++step) {
    const double warm = std::min(1.0, step / 100.0), done = static_cast<double>(step) / steps;
    optimizer.set_lr(3e-3 * warm * (0.05 + 0.95 * 0.5 * (1 + std::cos(3.14159 * done))));
    const auto [x, y] = batch_of(train, kBatch);
    const Tensor cost = cost_of(model, x, y);
    optimizer.zero_grad();
    cost.backward();
    optim::clip_grad_norm_(model.parameters(), 1);
    optimizer.step();
    average += cost.item() / 250;
    if (step % 250 == 0 || step == steps) {
      const double valid_cost = evaluate(model, valid);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
      std::cout << "step " << step << "  nats " << average << "  valid " << valid_cost << "  bits per character "
                << valid_cost / std::log(2) << "  (" << seconds.count() << " s)" << std::endl;
      average = 0;
    }
  }
  std::cout << sample(model, characters, 500) << '\n';
  io::save_safetensors("char_gpt.safetensors", model.state_dict());
}
