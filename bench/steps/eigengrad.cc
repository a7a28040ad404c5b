// The workloads of bench/compare in Eigengrad. EIGENGRAD_NUM_THREADS sets the number of threads.
#include <eigengrad/eigengrad.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "../layers.h"
#include "../ops.h"
#include "protocol.h"

using namespace eigengrad;
using steps::Workload;

namespace {

// ---- Numbers.

void fill_uniform(Tensor x, std::uint32_t stream, double low, double high) {
  std::uint32_t i = 0;
  for (float& value : x.mutable_data<float>())
    value = static_cast<float>(low + (high - low) * steps::uniform(stream, i++));
}

Tensor uniform_tensor(std::uint32_t stream, const Shape& shape, double low = -1, double high = 1) {
  const Tensor x = empty(shape);
  fill_uniform(x, stream, low, high);
  return x;
}

Tensor class_tensor(std::uint32_t stream, const Shape& shape, std::int64_t classes) {
  Tensor x = empty(shape, kInt64);
  std::uint32_t i = 0;
  for (std::int64_t& value : x.mutable_data<std::int64_t>())
    value = static_cast<std::int64_t>(steps::uniform(stream, i++) * static_cast<double>(classes));
  return x;
}

void fill_parameters(nn::Module& net) {
  const NoGrad no_grad;
  std::uint32_t stream = 1000;
  for (auto& [name, p] : net.named_parameters()) {
    const bool scale = p.dim() == 1 && name.ends_with("weight");
    const double bound = p.dim() == 1 ? 0.05 : 1 / std::sqrt(static_cast<double>(p.numel() / p.size(0)));
    fill_uniform(p.detach(), stream++, scale ? 1 : -bound, scale ? 1 : bound);
  }
}

// ---- Nets.

nn::Sequential mlp(std::vector<std::int64_t> widths) {
  nn::Sequential net;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    net.push_back(nn::Linear(widths[i], widths[i + 1]));
    if (i + 2 < widths.size()) net.push_back(nn::ReLU());
  }
  return net;
}

nn::Sequential lenet() {
  return nn::Sequential(nn::Conv2d(1, 6, 5, 1, 2), nn::ReLU(), nn::MaxPool2d(2), nn::Conv2d(6, 16, 5), nn::ReLU(),
                        nn::MaxPool2d(2), nn::Flatten(), nn::Linear(400, 120), nn::ReLU(), nn::Linear(120, 84),
                        nn::ReLU(), nn::Linear(84, 10));
}

nn::Sequential cnn() {
  return nn::Sequential(nn::Conv2d(1, 32, 3), nn::ReLU(), nn::Conv2d(32, 64, 3), nn::ReLU(), nn::MaxPool2d(2),
                        nn::Flatten(), nn::Linear(9216, 128), nn::ReLU(), nn::Linear(128, 10));
}

nn::Conv2d plain_conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return nn::Conv2d({.in_channels = in,
                     .out_channels = out,
                     .kernel_size = kernel,
                     .stride = stride,
                     .padding = kernel / 2,
                     .bias = false});
}

nn::Sequential conv_bn() {
  return nn::Sequential(plain_conv(3, 64, 3, 1), nn::BatchNorm2d(64), nn::ReLU(), plain_conv(64, 64, 3, 1),
                        nn::BatchNorm2d(64), nn::ReLU(), nn::AdaptiveAvgPool2d(1), nn::Flatten(), nn::Linear(64, 10));
}

struct ResNet18 : nn::Module {
  struct Block : nn::Module {
    nn::Conv2d& conv1;
    nn::BatchNorm2d& norm1;
    nn::Conv2d& conv2;
    nn::BatchNorm2d& norm2;
    nn::Sequential* shortcut = nullptr;
    Block(std::int64_t in, std::int64_t out, std::int64_t stride)
        : conv1(child<nn::Conv2d>("conv1", plain_conv(in, out, 3, stride))),
          norm1(child<nn::BatchNorm2d>("norm1", out)),
          conv2(child<nn::Conv2d>("conv2", plain_conv(out, out, 3, 1))),
          norm2(child<nn::BatchNorm2d>("norm2", out)) {
      if (stride != 1 || in != out)
        shortcut =
            &child<nn::Sequential>("shortcut", nn::Sequential(plain_conv(in, out, 1, stride), nn::BatchNorm2d(out)));
    }
    Tensor forward(const Tensor& x) override {
      const Tensor y = norm2(conv2(relu(norm1(conv1(x)))));
      return relu(y + (shortcut ? (*shortcut)(x) : x));
    }
  };
  nn::Conv2d& conv = child<nn::Conv2d>("conv", plain_conv(3, 64, 3, 1));
  nn::BatchNorm2d& norm = child<nn::BatchNorm2d>("norm", 64);
  nn::Sequential& blocks = child<nn::Sequential>("blocks");
  nn::AdaptiveAvgPool2d& pool = child<nn::AdaptiveAvgPool2d>("pool", 1);
  nn::Linear& head = child<nn::Linear>("head", 512, 10);
  ResNet18() {
    std::int64_t in = 64;
    for (const std::int64_t out : {64, 128, 256, 512})
      for (int k = 0; k < 2; ++k, in = out) blocks.push_back(std::make_shared<Block>(in, out, in == out ? 1 : 2));
  }
  Tensor forward(const Tensor& x) override { return head(flatten(pool(blocks(relu(norm(conv(x))))), 1)); }
};

struct Lstm : nn::Module {
  nn::LSTM& lstm = child<nn::LSTM>("lstm", 64, 128);
  nn::Linear& head = child<nn::Linear>("head", 128, 10);
  Tensor forward(const Tensor& x) override { return head(select(lstm(x).output, 0, -1)); }
};

struct Gpt : nn::Module {
  nn::Embedding& embedding = child<nn::Embedding>("embedding", 65, 128);
  nn::LearnedPositionalEncoding& places =
      child<nn::LearnedPositionalEncoding>("places", {.d_model = 128, .max_len = 128, .batch_first = true});
  nn::TransformerEncoder& blocks = child<nn::TransformerEncoder>("blocks", options());
  static nn::TransformerStackOptions options() {
    nn::TransformerStackOptions o;
    o.num_layers = 4;
    o.d_model = 128;
    o.nhead = 4;
    o.dim_feedforward = 512;
    o.dropout = 0;
    o.activation = nn::TransformerActivation::GELU;
    o.batch_first = o.norm_first = o.norm = o.is_causal = true;
    return o;
  }
  Tensor forward(const Tensor& x) override {
    return flatten(linear(blocks(places(embedding(x)), {.is_causal = true}), embedding.weight), 0, 1);
  }
};

// ---- Workloads.

// Of a step: what the ops say of the forward pass, and as much again for each of the two factors that want a gradient:
// inputs of at least two axes. A recurrent op has two products: with its first input, and with the states, both factors
// of which always want one.
class FlopCounter : public Tracer {
 public:
  void on_op(const OpEvent& event) override {
    if (event.name == "lstm") {
      const double rows = static_cast<double>(event.inputs[0].numel()) / static_cast<double>(event.inputs[0].size(-1));
      const double of_inputs = 2 * rows * static_cast<double>(event.inputs[3].numel());
      total += 3 * event.flops - (event.inputs[0].requires_grad() ? 0 : of_inputs);
      return;
    }
    int factors = 0;
    for (std::size_t i = 0; i < event.inputs.size(); ++i)
      factors += event.inputs[i].dim() >= 2 && event.inputs[i].requires_grad();
    total += (1 + std::min(factors, 2)) * event.flops;
  }
  void on_grad(const Node&, std::uint32_t, const Tensor&) override {}
  double total = 0;
};

double training_flops(nn::Module& net, const Tensor& x) {
  FlopCounter counter;
  const TracerScope scope(&counter);
  net(x);
  return counter.total;
}

Workload training(std::shared_ptr<nn::Module> net, const Tensor& x, const Tensor& y, bool adam, Precision precision) {
  fill_parameters(*net);
  const double flops = training_flops(*net, x);
  std::shared_ptr<optim::Optimizer> optimizer;
  if (adam)
    optimizer = std::make_shared<optim::AdamW>(net->parameters(), optim::AdamW::Options{.lr = 1e-3});
  else
    optimizer = std::make_shared<optim::SGD>(net->parameters(), optim::SGD::Options{.lr = 0.01});
  return {[=](bool read) {
            optimizer->zero_grad();
            const Autocast autocast(precision);
            const Tensor loss = cross_entropy((*net)(x), y);
            loss.backward();
            optimizer->step();
            return read ? loss.item() : 0;
          },
          flops};
}

template <class Net>
std::shared_ptr<nn::Module> shared(Net net) {
  return std::make_shared<Net>(std::move(net));
}

struct Task {
  std::function<std::shared_ptr<nn::Module>()> net;
  Shape input;
  std::int64_t classes = 10, words = 0;  // the input counts words, if there are any
  Shape targets = {input[0]};
  bool adam = false;
};

const std::map<std::string, Task>& tasks() {
  static const std::map<std::string, Task> all{
      {"mlp-tiny",
       {[] {
          return shared(mlp({2, 8, 10}));
        },
        {4, 2}}},
      {"mlp-small",
       {[] {
          return shared(mlp({784, 128, 10}));
        },
        {64, 784}}},
      {"mlp-large",
       {[] {
          return shared(mlp({784, 512, 512, 10}));
        },
        {256, 784}}},
      {"lenet", {[] { return shared(lenet()); }, {64, 1, 28, 28}}},
      {"cnn", {[] { return shared(cnn()); }, {64, 1, 28, 28}}},
      {"conv-bn", {[] { return shared(conv_bn()); }, {32, 3, 32, 32}}},
      {"resnet18", {[] { return std::make_shared<ResNet18>(); }, {32, 3, 32, 32}}},
      {"lstm", {[] { return std::make_shared<Lstm>(); }, {64, 32, 64}, 10, 0, {32}}},
      {"gpt", {[] { return std::make_shared<Gpt>(); }, {16, 128}, 65, 65, {16 * 128}, true}},
  };
  return all;
}

Tensor input_of(const Task& task) {
  return task.words ? class_tensor(1, task.input, task.words) : uniform_tensor(1, task.input);
}

Workload inference(const std::string& name) {
  Task task = tasks().at(name);
  task.input[name == "lstm" ? 1 : 0] = 1;
  const std::shared_ptr<nn::Module> net = task.net();
  fill_parameters(*net);
  net->eval();
  const Tensor x = input_of(task);
  return {[=](bool read) {
    const NoGrad no_grad;
    const Tensor y = (*net)(x);
    return read ? sum(y).item() : 0;
  }};
}

Workload xyz() {
  const Tensor x = tensor(1.5F).set_requires_grad(), y = tensor(-0.5F).set_requires_grad(),
               z = tensor(3.0F).set_requires_grad();
  return {[=](bool read) {
    const Tensor result = (x + y) * z;
    result.backward();
    const double value = read ? result.item() + x.grad().item() + z.grad().item() : 0;
    for (Tensor t : {x, y, z}) t.zero_grad();
    return value;
  }};
}

Workload chain() {
  const Tensor x = tensor(1.5F).set_requires_grad(), a = tensor(1.001F), b = tensor(-0.001F);
  return {[=](bool read) {
    Tensor y = x;
    for (int i = 0; i < 1000; ++i) y = y * a + b;
    y.backward();
    const double value = read ? y.item() + x.grad().item() : 0;
    Tensor leaf = x;
    leaf.zero_grad();
    return value;
  }};
}

// Makes an optimizer of ten million parameters.
using MakeOptimizer = std::function<std::shared_ptr<optim::Optimizer>(const std::vector<Tensor>&)>;

template <class Optimizer>
MakeOptimizer maker(typename Optimizer::Options options) {
  return [=](const std::vector<Tensor>& parameters) { return std::make_shared<Optimizer>(parameters, options); };
}

const std::map<std::string, MakeOptimizer>& optimizers() {
  static const std::map<std::string, MakeOptimizer> all{
      {"sgd", maker<optim::SGD>({.lr = 1e-3})},         {"momentum", maker<optim::SGD>({.lr = 1e-3, .momentum = 0.9})},
      {"adam", maker<optim::Adam>({.lr = 1e-3})},       {"adamw", maker<optim::AdamW>({.lr = 1e-3})},
      {"nadam", maker<optim::NAdam>({.lr = 1e-3})},     {"rmsprop", maker<optim::RMSprop>({.lr = 1e-3})},
      {"adagrad", maker<optim::Adagrad>({.lr = 1e-3})}, {"adadelta", maker<optim::Adadelta>({.lr = 1})},
      {"lion", maker<optim::Lion>({.lr = 1e-4})},       {"muon", maker<optim::Muon>({.lr = 1e-3})},
  };
  return all;
}

// Four iterations from the same weights, of a bowl that is not round.
Workload lbfgs() {
  std::vector<Tensor> parameters;
  for (std::uint32_t k = 0; k < 4; ++k) parameters.push_back(uniform_tensor(k, {1000, 2500}).set_requires_grad());
  return {[=](bool read) {
    for (std::uint32_t k = 0; k < 4; ++k) {
      const NoGrad no_grad;
      Tensor p = parameters[k];
      fill_(p, k + 1);
    }
    optim::LBFGS optimizer(parameters, {.lr = 0.1, .max_iter = 4, .history_size = 4});
    const Tensor cost = optimizer.step([&] {
      optimizer.zero_grad();
      Tensor sum_of_all;
      for (std::size_t k = 0; k < 4; ++k) {
        const Tensor term = mean(square(parameters[k])) * static_cast<double>(k + 1);
        sum_of_all = k == 0 ? term : sum_of_all + term;
      }
      sum_of_all.backward();
      return sum_of_all;
    });
    return read ? parameters[3].data<float>()[17] : 0.0;
  }};
}

Workload optimizer_step(const std::string& name) {
  if (name == "lbfgs") return lbfgs();
  std::vector<Tensor> parameters;
  for (std::uint32_t k = 0; k < 4; ++k) {
    Tensor p = uniform_tensor(k, {1000, 2500}).set_requires_grad();
    p.set_grad(uniform_tensor(k + 10, {1000, 2500}));
    parameters.push_back(p);
  }
  const std::shared_ptr<optim::Optimizer> optimizer = optimizers().at(name)(parameters);
  return {[=](bool read) {
    const Autocast autocast(name == "muon" ? Precision::BFloat16 : Precision::Float32);  // as PyTorch's products are
    optimizer->step();
    return read ? parameters[0].data<float>()[17] : 0.0;
  }};
}

Workload single_op(const std::string& name, std::int64_t size) {
  const auto [low, high] = bench::range_of(name);
  const Tensor x = uniform_tensor(1, {size}, low, high), y = uniform_tensor(2, {size}, low, high);
  const auto op = bench::ops().at(name);
  return {[=](bool read) {
    const Tensor result = op(x, y);
    return read ? to(result.dim() ? flatten(result)[{0}] : result, kFloat32).item() : 0;
  }};
}

// Forward and backward, from a gradient of numbers that are no input.
Workload single_layer(const std::string& name) {
  const bench::Layer layer = bench::layers().at(name)();
  if (layer.module) fill_parameters(*layer.module);
  const Tensor x = uniform_tensor(1, layer.input).set_requires_grad();
  const Tensor g = uniform_tensor(2, layer.forward(x).shape());
  return {[=](bool read) {
    const Tensor y = layer.forward(x);
    y.backward(g);
    const double value = read && name != "dropout" ? sum(y * g).item() + sum(x.grad() * x).item() : 0;
    Tensor leaf = x;
    leaf.zero_grad();
    if (layer.module) layer.module->zero_grad();
    return value;
  }};
}

// As many multiplications and additions as the processor can do: in registers alone, on every thread.
#ifdef __AVX512F__
constexpr int kLanes = 16;
#else
constexpr int kLanes = 8;
#endif
double registers_only(std::int64_t rounds) {
  typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
  Vector sums[12];
  // What the compiler knows it would compute itself: 1·0.999 + 0.001 is 1, and one of the sums was gone.
  volatile float factor = 0.999F, term = 0.001F;
  for (int k = 0; k < 12; ++k) sums[k] = Vector{} + static_cast<float>(k);
  const Vector a = Vector{} + factor, b = Vector{} + term;
  for (std::int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < 12; ++k) sums[k] = sums[k] * a + b;
  }
  for (int k = 1; k < 12; ++k) sums[0] += sums[k];
  return static_cast<double>(sums[0][0]);
}

Workload peak() {
  constexpr std::int64_t kRounds = 1 << 20;
  const auto threads = static_cast<std::size_t>(num_threads());
  return {[=](bool) {
            std::vector<std::thread> others;
            for (std::size_t k = 1; k < threads; ++k) others.emplace_back([] { registers_only(kRounds); });
            const double value = registers_only(kRounds);
            for (std::thread& other : others) other.join();
            return value;
          },
          2.0 * 12 * kLanes * kRounds * static_cast<double>(threads)};
}

Workload make(const std::string& name) {
  if (name == "peak") return peak();
  if (name == "xyz") return xyz();
  if (name == "chain") return chain();
  if (name.starts_with("infer-")) return inference(name.substr(6));
  if (name.starts_with("optim-")) return optimizer_step(name.substr(6));
  if (name.starts_with("layer-")) return single_layer(name.substr(6));
  if (name.starts_with("op-")) {
    const std::size_t dash = name.rfind('-');
    return single_op(name.substr(3, dash - 3), std::stoll(name.substr(dash + 1)));
  }
  const bool rounded = name.starts_with("bf16-");
  const Task& task = tasks().at(rounded ? name.substr(5) : name);
  return training(task.net(), input_of(task), class_tensor(2, task.targets, task.classes), task.adam,
                  rounded ? Precision::BFloat16 : Precision::Float32);
}

}  // namespace

int main() { return steps::serve(make); }
