// The workloads of bench/compare in libtorch: steps_libtorch THREADS.
#include <torch/torch.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "protocol.h"

namespace nn = torch::nn;
namespace F = torch::nn::functional;
using steps::Workload;
using torch::Tensor;
using Shape = std::vector<std::int64_t>;

namespace {

// ---- Numbers.

Tensor uniform_tensor(std::uint32_t stream, const Shape& shape, double low = -1, double high = 1) {
  const Tensor x = torch::empty(shape);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    x.data_ptr<float>()[i] =
        static_cast<float>(low + (high - low) * steps::uniform(stream, static_cast<std::uint32_t>(i)));
  return x;
}

Tensor class_tensor(std::uint32_t stream, const Shape& shape, std::int64_t classes) {
  const Tensor x = torch::empty(shape, torch::kInt64);
  for (std::int64_t i = 0; i < x.numel(); ++i)
    x.data_ptr<std::int64_t>()[i] =
        static_cast<std::int64_t>(steps::uniform(stream, static_cast<std::uint32_t>(i)) * static_cast<double>(classes));
  return x;
}

void fill_parameters(nn::Module& net) {
  const torch::NoGradGuard no_grad;
  std::uint32_t stream = 1000;
  for (const auto& item : net.named_parameters()) {
    Tensor p = item.value();
    const std::string& name = item.key();
    const bool scale = p.dim() == 1 && name.size() >= 6 && name.substr(name.size() - 6) == "weight";
    const double bound = p.dim() == 1 ? 0.05 : 1 / std::sqrt(static_cast<double>(p.numel() / p.size(0)));
    p.copy_(scale ? torch::ones(p.sizes()) : uniform_tensor(stream, p.sizes().vec(), -bound, bound));
    ++stream;
  }
}

// ---- Nets.

struct Net : nn::Module {
  virtual Tensor forward(Tensor x) = 0;
};

struct Layers : Net {
  nn::Sequential layers;
  explicit Layers(nn::Sequential made) : layers(register_module("layers", made)) {}
  Tensor forward(Tensor x) override { return layers->forward(x); }
};

std::shared_ptr<Net> mlp(const Shape& widths) {
  nn::Sequential net;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) {
    net->push_back(nn::Linear(widths[i], widths[i + 1]));
    if (i + 2 < widths.size()) net->push_back(nn::ReLU());
  }
  return std::make_shared<Layers>(net);
}

nn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t padding = 0) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).padding(padding));
}

nn::Conv2d plain_conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
}

std::shared_ptr<Net> lenet() {
  return std::make_shared<Layers>(nn::Sequential(conv(1, 6, 5, 2), nn::ReLU(), nn::MaxPool2d(2), conv(6, 16, 5),
                                                 nn::ReLU(), nn::MaxPool2d(2), nn::Flatten(), nn::Linear(400, 120),
                                                 nn::ReLU(), nn::Linear(120, 84), nn::ReLU(), nn::Linear(84, 10)));
}

std::shared_ptr<Net> cnn() {
  return std::make_shared<Layers>(nn::Sequential(conv(1, 32, 3), nn::ReLU(), conv(32, 64, 3), nn::ReLU(),
                                                 nn::MaxPool2d(2), nn::Flatten(), nn::Linear(9216, 128), nn::ReLU(),
                                                 nn::Linear(128, 10)));
}

std::shared_ptr<Net> conv_bn() {
  return std::make_shared<Layers>(nn::Sequential(
      plain_conv(3, 64, 3, 1), nn::BatchNorm2d(64), nn::ReLU(), plain_conv(64, 64, 3, 1), nn::BatchNorm2d(64),
      nn::ReLU(), nn::AdaptiveAvgPool2d(nn::AdaptiveAvgPool2dOptions({1, 1})), nn::Flatten(), nn::Linear(64, 10)));
}

struct Block : Net {
  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d norm1, norm2;
  nn::Sequential shortcut;
  Block(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv1(plain_conv(in, out, 3, stride)), conv2(plain_conv(out, out, 3, 1)), norm1(out), norm2(out) {
    register_module("conv1", conv1);
    register_module("norm1", norm1);
    register_module("conv2", conv2);
    register_module("norm2", norm2);
    if (stride == 1 && in == out) return;
    shortcut->push_back(plain_conv(in, out, 1, stride));
    shortcut->push_back(nn::BatchNorm2d(out));
    register_module("shortcut", shortcut);
  }
  Tensor forward(Tensor x) override {
    const Tensor y = norm2(conv2(torch::relu(norm1(conv1(x)))));
    return torch::relu(y + (shortcut->is_empty() ? x : shortcut->forward(x)));
  }
};

struct ResNet18 : Net {
  nn::Conv2d first = register_module("conv", plain_conv(3, 64, 3, 1));
  nn::BatchNorm2d norm = register_module("norm", nn::BatchNorm2d(64));
  std::vector<std::shared_ptr<Block>> blocks;
  nn::Linear head = nullptr;
  ResNet18() {
    std::int64_t in = 64;
    for (const std::int64_t out : {64, 128, 256, 512})
      for (int k = 0; k < 2; ++k, in = out)
        blocks.push_back(register_module("block" + std::to_string(blocks.size()),
                                         std::make_shared<Block>(in, out, in == out ? 1 : 2)));
    head = register_module("head", nn::Linear(512, 10));
  }
  Tensor forward(Tensor x) override {
    x = torch::relu(norm(first(x)));
    for (const auto& block : blocks) x = block->forward(x);
    return head(torch::adaptive_avg_pool2d(x, {1, 1}).flatten(1));
  }
};

struct Lstm : Net {
  nn::LSTM lstm = register_module("lstm", nn::LSTM(64, 128));
  nn::Linear head = register_module("head", nn::Linear(128, 10));
  Tensor forward(Tensor x) override { return head(std::get<0>(lstm(x)).select(0, -1)); }
};

struct GptBlock : Net {
  nn::Linear qkv = register_module("qkv", nn::Linear(128, 384)), out = register_module("out", nn::Linear(128, 128)),
             up = register_module("up", nn::Linear(128, 512)), down = register_module("down", nn::Linear(512, 128));
  nn::LayerNorm norm1 = register_module("norm1", nn::LayerNorm(nn::LayerNormOptions({128}))),
                norm2 = register_module("norm2", nn::LayerNorm(nn::LayerNormOptions({128})));
  Tensor mask = torch::full({128, 128}, -INFINITY).triu(1);
  Tensor forward(Tensor x) override {
    const std::int64_t n = x.size(0), length = x.size(1), width = x.size(2);
    std::vector<Tensor> parts = qkv(norm1(x)).split(width, -1);
    for (Tensor& part : parts) part = part.view({n, length, 4, 32}).transpose(1, 2);
    const Tensor scores = torch::matmul(parts[0], parts[1].transpose(-2, -1)) / std::sqrt(32.0) + mask;
    const Tensor y = torch::matmul(scores.softmax(-1), parts[2]).transpose(1, 2).reshape({n, length, width});
    x = x + out(y);
    return x + down(torch::gelu(up(norm2(x))));
  }
};

struct Gpt : Net {
  nn::Embedding embedding = register_module("embedding", nn::Embedding(65, 128)),
                places = register_module("places", nn::Embedding(128, 128));
  std::vector<std::shared_ptr<GptBlock>> blocks;
  nn::LayerNorm norm = nullptr;
  Gpt() {
    for (int k = 0; k < 4; ++k)
      blocks.push_back(register_module("block" + std::to_string(k), std::make_shared<GptBlock>()));
    norm = register_module("norm", nn::LayerNorm(nn::LayerNormOptions({128})));
  }
  Tensor forward(Tensor x) override {
    x = embedding(x) + places->weight;
    for (const auto& block : blocks) x = block->forward(x);
    return torch::linear(norm(x), embedding->weight).flatten(0, 1);
  }
};

// ---- Workloads.

struct Task {
  std::function<std::shared_ptr<Net>()> net;
  Shape input;
  std::int64_t classes = 10, words = 0;
  Shape targets = {input[0]};
  bool adam = false;
};

const std::map<std::string, Task>& tasks() {
  static const std::map<std::string, Task> all{
      {"mlp-tiny",
       {[] {
          return mlp({2, 8, 10});
        },
        {4, 2}}},
      {"mlp-small",
       {[] {
          return mlp({784, 128, 10});
        },
        {64, 784}}},
      {"mlp-large",
       {[] {
          return mlp({784, 512, 512, 10});
        },
        {256, 784}}},
      {"lenet", {lenet, {64, 1, 28, 28}}},
      {"cnn", {cnn, {64, 1, 28, 28}}},
      {"conv-bn", {conv_bn, {32, 3, 32, 32}}},
      {"resnet18", {[] { return std::make_shared<ResNet18>(); }, {32, 3, 32, 32}}},
      {"lstm", {[] { return std::make_shared<Lstm>(); }, {64, 32, 64}, 10, 0, {32}}},
      {"gpt", {[] { return std::make_shared<Gpt>(); }, {16, 128}, 65, 65, {16 * 128}, true}},
  };
  return all;
}

Tensor input_of(const Task& task) {
  return task.words ? class_tensor(1, task.input, task.words) : uniform_tensor(1, task.input);
}

Workload training(const Task& task) {
  const std::shared_ptr<Net> net = task.net();
  fill_parameters(*net);
  const Tensor x = input_of(task), y = class_tensor(2, task.targets, task.classes);
  std::shared_ptr<torch::optim::Optimizer> optimizer;
  if (task.adam)
    optimizer = std::make_shared<torch::optim::AdamW>(net->parameters(), torch::optim::AdamWOptions(1e-3));
  else
    optimizer = std::make_shared<torch::optim::SGD>(net->parameters(), torch::optim::SGDOptions(0.01));
  return {[=](bool read) {
    optimizer->zero_grad();
    const Tensor loss = F::cross_entropy(net->forward(x), y);
    loss.backward();
    optimizer->step();
    return read ? loss.item<double>() : 0;
  }};
}

Workload inference(const std::string& name) {
  Task task = tasks().at(name);
  task.input[name == "lstm" ? 1 : 0] = 1;
  const std::shared_ptr<Net> net = task.net();
  fill_parameters(*net);
  net->eval();
  const Tensor x = input_of(task);
  return {[=](bool read) {
    const c10::InferenceMode mode;
    const Tensor y = net->forward(x);
    return read ? y.sum().item<double>() : 0;
  }};
}

Workload xyz() {
  const auto scalar = [](float value) { return torch::tensor(value).set_requires_grad(true); };
  const Tensor x = scalar(1.5F), y = scalar(-0.5F), z = scalar(3.0F);
  return {[=](bool read) {
    const Tensor result = (x + y) * z;
    result.backward();
    const double value = read ? result.item<double>() + x.grad().item<double>() + z.grad().item<double>() : 0;
    for (Tensor t : {x, y, z}) t.mutable_grad() = Tensor();
    return value;
  }};
}

Workload chain() {
  const Tensor x = torch::tensor(1.5F).set_requires_grad(true), a = torch::tensor(1.001F), b = torch::tensor(-0.001F);
  return {[=](bool read) {
    Tensor y = x;
    for (int i = 0; i < 1000; ++i) y = y * a + b;
    y.backward();
    const double value = read ? y.item<double>() + x.grad().item<double>() : 0;
    Tensor leaf = x;
    leaf.mutable_grad() = Tensor();
    return value;
  }};
}

Workload make(const std::string& name) {
  if (name == "xyz") return xyz();
  if (name == "chain") return chain();
  if (name.rfind("infer-", 0) == 0) return inference(name.substr(6));
  const auto found = tasks().find(name);
  if (found == tasks().end()) throw std::runtime_error("no workload " + name);
  return training(found->second);
}

}  // namespace

int main(int argc, char** argv) {
  torch::set_num_threads(argc > 1 ? std::atoi(argv[1]) : 1);
  return steps::serve(make);
}
