// Weights go from PyTorch to here and back as safetensors, and the nets compute the same: see pytorch/nets.py.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <map>

#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io {
namespace {

struct Lstm : nn::Module {
  nn::LSTM& lstm = child<nn::LSTM>("lstm", options());
  nn::Linear& head = child<nn::Linear>("head", 12, 3);
  static nn::LSTMOptions options() {
    nn::LSTMOptions o;
    o.input_size = 5;
    o.hidden_size = 6;
    o.num_layers = 2;
    o.bidirectional = o.batch_first = true;
    return o;
  }
  Tensor forward(const Tensor& x) override { return head(lstm(x).output); }
};

struct Encoder : nn::Module {
  nn::TransformerEncoder& encoder = child<nn::TransformerEncoder>("encoder", options());
  static nn::TransformerStackOptions options() {
    nn::TransformerStackOptions o;
    o.d_model = 12;
    o.nhead = 3;
    o.dim_feedforward = 20;
    o.num_layers = 2;
    o.activation = nn::TransformerActivation::GELU;
    o.batch_first = o.norm_first = o.norm = true;
    return o;
  }
  Tensor forward(const Tensor& x) override { return encoder(x); }
};

const std::map<std::string, std::function<std::shared_ptr<nn::Module>()>> kNets = {
    {"mlp",
     [] { return std::make_shared<nn::Sequential>(nn::Flatten(), nn::Linear(12, 16), nn::ReLU(), nn::Linear(16, 5)); }},
    {"cnn",
     [] {
       return std::make_shared<nn::Sequential>(
           nn::Conv2d({.in_channels = 2, .out_channels = 4, .kernel_size = 3, .padding = 1, .bias = false}),
           nn::BatchNorm2d(4), nn::ReLU(), nn::MaxPool2d(2), nn::Conv2d(4, 6, 3), nn::BatchNorm2d(6), nn::ReLU(),
           nn::Flatten(), nn::Linear(24, 3));
     }},
    {"lstm", [] { return std::make_shared<Lstm>(); }},
    {"transformer", [] { return std::make_shared<Encoder>(); }},
};

Tensor take(nn::StateDict& tensors, const std::string& name) {
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].first == name) {
      Tensor found = tensors[i].second;
      tensors.erase(tensors.begin() + static_cast<std::ptrdiff_t>(i));
      return found;
    }
  throw ValueError("there is no " + name);
}

// With EIGENGRAD_INTERCHANGE_OUT the nets are trained a little and written there, for PyTorch to read.
TEST(Interchange, NetsOfPyTorchComputeTheSameHere) {
  const char* const out = std::getenv("EIGENGRAD_INTERCHANGE_OUT");
  for (const auto& [name, make] : kNets) {
    SCOPED_TRACE(name);
    nn::StateDict tensors = load_safetensors(EIGENGRAD_SOURCE_DIR "/tests/io/pytorch/" + name + ".safetensors").tensors;
    const Tensor x = take(tensors, "input"), expected = take(tensors, "output");
    const std::shared_ptr<nn::Module> net = make();
    net->load_state_dict(tensors);
    net->eval();
    {
      const NoGrad no_grad;
      EXPECT_LT(max(abs((*net)(x)-expected)).item(), 1e-5);
    }
    if (!out) continue;
    const NoGrad no_grad;
    for (Tensor& parameter : net->parameters()) mul_(parameter, 0.9);
    nn::StateDict state = net->state_dict();
    state.emplace_back("input", x);
    state.emplace_back("output", (*net)(x));
    save_safetensors(std::string(out) + "/" + name + ".safetensors", state);
  }
}

}  // namespace
}  // namespace eigengrad::io
