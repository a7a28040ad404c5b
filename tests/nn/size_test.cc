// What size.h says of layers is what they turn out to have.
#include "eigengrad/nn/size.h"

#include <gtest/gtest.h>

#include <set>

#include "eigengrad/config/reader.h"
#include "eigengrad/nn/build.h"

namespace eigengrad::nn {
namespace {

struct Case {
  const char* json;
  Shape input;
};

const Case kCases[] = {
    {R"({"type": "Linear", "out_features": 5})", {4}},
    {R"({"type": "Linear", "out_features": 5, "bias": false})", {4}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "b": {"type": "Bilinear", "out_features": 3, "from": ["a", "input"]}}})",
     {4}},
    {R"({"type": "Embedding", "num_embeddings": 7, "embedding_dim": 3})", {5}},
    {R"({"type": "LearnedPositionalEncoding", "batch_first": true})", {5, 4}},
    {R"({"type": "Conv1d", "out_channels": 4, "kernel_size": 3, "groups": 2})", {2, 9}},
    {R"({"type": "Conv2d", "out_channels": 4, "kernel_size": [3, 2], "bias": false})", {2, 7, 8}},
    {R"({"type": "ConvTranspose1d", "out_channels": 4, "kernel_size": 3, "groups": 2})", {2, 9}},
    {R"({"type": "ConvTranspose2d", "out_channels": 4, "kernel_size": [3, 2]})", {2, 7, 8}},
    {R"("BatchNorm1d")", {4}},
    {R"({"type": "BatchNorm2d", "bias": false})", {4, 3, 3}},
    {R"({"type": "BatchNorm2d", "affine": false, "track_running_stats": false})", {4, 3, 3}},
    {R"({"type": "InstanceNorm1d", "affine": true})", {4, 6}},
    {R"({"type": "InstanceNorm2d", "track_running_stats": true})", {4, 3, 3}},
    {R"({"type": "LayerNorm", "normalized_shape": [4, 6]})", {4, 6}},
    {R"({"type": "LayerNorm", "bias": false})", {4, 6}},
    {R"("RMSNorm")", {4, 6}},
    {R"({"type": "GroupNorm", "num_groups": 2})", {4, 6, 5}},
    {R"({"type": "PReLU", "num_parameters": 4})", {4, 6}},
    {R"({"type": "RNN", "hidden_size": 3, "batch_first": true, "bidirectional": true, "num_layers": 3})", {5, 4}},
    {R"({"type": "GRU", "hidden_size": 3, "batch_first": true, "bias": false, "num_layers": 2})", {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 3, "batch_first": true, "num_layers": 2, "bidirectional": true})", {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 3, "proj_size": 2, "num_layers": 2, "batch_first": true})", {5, 4}},
    {R"({"type": "RNNCell", "hidden_size": 3})", {4}},
    {R"({"type": "GRUCell", "hidden_size": 3, "bias": false})", {4}},
    {R"({"type": "LSTMCell", "hidden_size": 3})", {4}},
    {R"({"type": "MultiheadAttention", "num_heads": 2, "batch_first": true, "add_bias_kv": true})", {5, 6}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 4}, "b": {"type": "Linear", "out_features": 8},
         "m": {"type": "MultiheadAttention", "num_heads": 2, "batch_first": true, "kdim": 8, "vdim": 8, "from": ["a", "b"]}}})",
     {5, 6}},
    {R"({"type": "TransformerEncoderLayer", "nhead": 2, "dim_feedforward": 8, "batch_first": true, "bias": false})",
     {5, 6}},
    {R"({"type": "TransformerEncoder", "nhead": 2, "num_layers": 3, "dim_feedforward": 8, "batch_first": true,
         "norm": true})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "d": {"type": "TransformerDecoderLayer", "nhead": 2,
         "dim_feedforward": 8, "batch_first": true, "from": ["input", "a"]}}})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "d": {"type": "TransformerDecoder", "nhead": 2, "num_layers": 2,
         "dim_feedforward": 8, "batch_first": true, "norm": true, "from": ["input", "a"]}}})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "d": {"type": "Transformer", "d_model": 6, "nhead": 2,
         "num_encoder_layers": 2, "num_decoder_layers": 3, "dim_feedforward": 8, "batch_first": true,
         "from": ["input", "a"]}}})",
     {5, 6}},
    {R"({"type": "Residual", "layers": [{"type": "Linear", "out_features": 4}]})", {4}},
};

TEST(Size, IsThatOfTheLayersThatAreMade) {
  for (const Case& each : kCases) {
    config::Diagnostics diagnostics("f");
    const config::Value config = config::parse_json(each.json);
    const auto plan = plan_model(config, "/model", each.input, diagnostics);
    const BuiltModel model = build_model(config, "/model", each.input, diagnostics);
    diagnostics.throw_if_any();
    ASSERT_TRUE(plan && model.module) << each.json;
    EXPECT_EQ(plan->output, model.output) << each.json;
    double elements = 0;
    for (const auto& [name, value] : model.module->state_dict()) elements += static_cast<double>(value.numel());
    EXPECT_EQ(plan->elements, elements) << each.json;
  }
}

TEST(Size, IsThereForEveryLayerWithParameters) {
  std::string all;
  for (const Case& each : kCases) all += each.json;
  const std::set<std::string> without{"Identity",
                                      "PositionalEncoding",
                                      "MaxPool1d",
                                      "MaxPool2d",
                                      "AvgPool1d",
                                      "AvgPool2d",
                                      "AdaptiveAvgPool1d",
                                      "AdaptiveAvgPool2d",
                                      "AdaptiveMaxPool1d",
                                      "AdaptiveMaxPool2d",
                                      "Dropout",
                                      "Dropout1d",
                                      "Dropout2d",
                                      "AlphaDropout",
                                      "Flatten",
                                      "Unflatten",
                                      "Permute",
                                      "Select",
                                      "Upsample",
                                      "ZeroPad1d",
                                      "ZeroPad2d",
                                      "ReflectionPad2d",
                                      "ReplicationPad2d",
                                      "Add",
                                      "Multiply",
                                      "Concat",
                                      "ReLU",
                                      "ReLU6",
                                      "LeakyReLU",
                                      "RReLU",
                                      "ELU",
                                      "CELU",
                                      "SELU",
                                      "GELU",
                                      "SiLU",
                                      "Mish",
                                      "Softplus",
                                      "Softsign",
                                      "Sigmoid",
                                      "LogSigmoid",
                                      "Tanh",
                                      "Tanhshrink",
                                      "Hardtanh",
                                      "Hardsigmoid",
                                      "Hardswish",
                                      "Hardshrink",
                                      "Softshrink",
                                      "Threshold",
                                      "GLU",
                                      "Softmax",
                                      "Softmax2d",
                                      "Softmin",
                                      "LogSoftmax"};
  for (const std::string& name : layers().names())
    EXPECT_TRUE(without.contains(name) || all.find("\"" + name + "\"") != std::string::npos) << name;
}

// A graph within a graph reads several inputs under names of its own, and is written as it was read.
TEST(BuildGraph, MayHaveSeveralInputs) {
  const config::Value config = config::parse_json(R"({"type": "Graph", "inputs": ["image"], "layers": {
      "a": {"type": "Linear", "out_features": 3, "from": "image"},
      "b": {"type": "Linear", "out_features": 2, "from": "image"},
      "both": {"type": "Graph", "inputs": ["x", "y"], "from": ["a", "b"], "layers": {
        "joined": {"type": "Concat", "from": ["x", "y"]}, "act": "Tanh"}}}})");
  config::Diagnostics diagnostics("f");
  const BuiltModel model = build_model(config, "/model", {4}, diagnostics);
  diagnostics.throw_if_any();
  EXPECT_EQ(model.output, Shape{5});
  EXPECT_EQ((*model.module)(ones({2, 4})).shape(), (Shape{2, 5}));
  const config::Value written = model_config(*model.module);
  EXPECT_EQ(model_config(*build_model(written, "/model", {4}, diagnostics).module), written);
  EXPECT_EQ(*written.find("inputs"), config::Value(config::Value::Array{"image"}));
}

}  // namespace
}  // namespace eigengrad::nn
