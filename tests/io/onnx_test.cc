// ONNX files: what is refused, and (written for tests/io/onnx_test.py, which runs them in onnxruntime) one of every
// layer.
#include "eigengrad/io/onnx.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "tests/message.h"

namespace eigengrad::io {
namespace {

nn::BuiltModel built(const std::string& json, const Shape& input) {
  config::Diagnostics diagnostics("f");
  nn::BuiltModel model = nn::build_model(config::parse_json(json), "/model", input, diagnostics);
  diagnostics.throw_if_any();
  return model;
}

struct Case {
  const char* json;
  Shape input;
  std::int64_t classes = 0;  // numbers below this are the input, where it is above 0
};

const Case kCases[] = {
    {R"({"type": "Linear", "out_features": 5})", {4}},
    {R"({"type": "Linear", "out_features": 5, "bias": false})", {3, 4}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 3},
         "b": {"type": "Bilinear", "out_features": 2, "from": ["a", "input"]}}})",
     {4}},
    {R"({"type": "Graph", "layers": {"a": "Tanh",
         "b": {"type": "Bilinear", "out_features": 2, "bias": false, "from": ["a", "input"]}}})",
     {3, 4}},
    {R"("Identity")", {4}},
    {R"({"type": "Embedding", "num_embeddings": 7, "embedding_dim": 3})", {5}, 7},
    {R"({"type": "PositionalEncoding", "batch_first": true})", {5, 4}},
    {R"({"type": "LearnedPositionalEncoding", "batch_first": true})", {5, 4}},
    {R"({"type": "Conv1d", "out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1})", {2, 9}},
    {R"({"type": "Conv1d", "out_channels": 4, "kernel_size": 4, "padding": "same"})", {2, 9}},
    {R"({"type": "Conv2d", "out_channels": 4, "kernel_size": [3, 2], "padding": [1, 0], "groups": 2})", {2, 7, 8}},
    {R"({"type": "Conv2d", "out_channels": 4, "kernel_size": 3, "dilation": 2, "padding": "same"})", {2, 7, 8}},
    {R"({"type": "Conv2d", "out_channels": 3, "kernel_size": 3, "padding": 1, "padding_mode": "reflect"})", {2, 7, 8}},
    {R"({"type": "Conv2d", "out_channels": 3, "kernel_size": 3, "padding": 1, "padding_mode": "replicate"})",
     {2, 7, 8}},
    {R"({"type": "ConvTranspose1d", "out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1})",
     {2, 7}},
    {R"({"type": "ConvTranspose2d", "out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1})", {2, 5, 6}},
    {R"({"type": "MaxPool1d", "kernel_size": 3, "padding": 1})", {2, 10}},
    {R"({"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "ceil_mode": true})", {2, 8, 9}},
    {R"({"type": "MaxPool2d", "kernel_size": 2, "dilation": 2})", {2, 8, 9}},
    {R"({"type": "AvgPool1d", "kernel_size": 3, "padding": 1})", {2, 10}},
    {R"({"type": "AvgPool2d", "kernel_size": 3, "padding": 1, "count_include_pad": false})", {2, 8, 9}},
    {R"({"type": "AvgPool2d", "kernel_size": 2, "divisor_override": 3})", {2, 8, 8}},
    {R"({"type": "AvgPool1d", "kernel_size": 2, "ceil_mode": true})", {2, 9}},
    {R"({"type": "AvgPool1d", "kernel_size": 4, "stride": 3, "padding": 2, "ceil_mode": true})", {2, 9}},
    {R"({"type": "AvgPool1d", "kernel_size": 2, "stride": 5, "padding": 1, "ceil_mode": true})", {2, 9}},
    {R"({"type": "AvgPool2d", "kernel_size": [3, 2], "stride": 2, "padding": 1, "ceil_mode": true})", {2, 8, 9}},
    {R"({"type": "AvgPool2d", "kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": true, "count_include_pad": false})",
     {2, 8, 9}},
    {R"({"type": "AvgPool2d", "kernel_size": 3, "ceil_mode": true, "divisor_override": 5})", {2, 8, 7}},
    {R"({"type": "AdaptiveAvgPool1d", "output_size": 2})", {2, 10}},
    {R"({"type": "AdaptiveAvgPool1d", "output_size": 3})", {2, 10}},
    {R"({"type": "AdaptiveAvgPool1d", "output_size": 12})", {2, 10}},
    {R"({"type": "AdaptiveAvgPool2d", "output_size": [3, 2]})", {2, 8, 9}},
    {R"({"type": "AdaptiveMaxPool1d", "output_size": 4})", {2, 10}},
    {R"({"type": "AdaptiveMaxPool2d", "output_size": [5, 3]})", {2, 7, 9}},
    {R"({"type": "AdaptiveAvgPool2d", "output_size": 1})", {2, 7, 5}},
    {R"({"type": "AdaptiveMaxPool1d", "output_size": 5})", {2, 10}},
    {R"({"type": "AdaptiveMaxPool2d", "output_size": [2, 3]})", {2, 4, 9}},
    {R"("BatchNorm1d")", {4}},
    {R"("BatchNorm1d")", {4, 6}},
    {R"({"type": "BatchNorm2d", "affine": false})", {4, 6, 5}},
    {R"({"type": "InstanceNorm1d", "affine": true})", {4, 6}},
    {R"("InstanceNorm2d")", {4, 6, 5}},
    {R"("LayerNorm")", {4, 6}},
    {R"({"type": "LayerNorm", "normalized_shape": [4, 6], "bias": false})", {4, 6}},
    {R"("RMSNorm")", {4, 6}},
    {R"({"type": "GroupNorm", "num_groups": 2})", {4, 6, 5}},
    {R"("Dropout")", {4}},
    {R"("Dropout1d")", {4, 6}},
    {R"("Dropout2d")", {4, 6, 5}},
    {R"("AlphaDropout")", {4}},
    {R"({"type": "RNN", "hidden_size": 3, "batch_first": true, "nonlinearity": "relu"})", {5, 4}},
    {R"({"type": "RNN", "hidden_size": 3, "batch_first": true, "bidirectional": true, "num_layers": 2})", {5, 4}},
    {R"({"type": "GRU", "hidden_size": 3, "batch_first": true, "num_layers": 2})", {5, 4}},
    {R"({"type": "GRU", "hidden_size": 3, "batch_first": true, "bidirectional": true, "bias": false})", {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 3, "batch_first": true, "num_layers": 2, "bidirectional": true})", {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 3, "batch_first": true, "bias": false})", {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 5, "proj_size": 2, "batch_first": true})", {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 5, "proj_size": 3, "batch_first": true, "num_layers": 2, "bidirectional": true})",
     {5, 4}},
    {R"({"type": "LSTM", "hidden_size": 4, "proj_size": 2, "batch_first": true, "bias": false})", {5, 4}},
    {R"({"type": "RNNCell", "hidden_size": 3})", {4}},
    {R"({"type": "GRUCell", "hidden_size": 3})", {4}},
    {R"({"type": "LSTMCell", "hidden_size": 3})", {4}},
    {R"({"type": "MultiheadAttention", "num_heads": 2, "batch_first": true})", {5, 6}},
    {R"({"type": "MultiheadAttention", "num_heads": 3, "batch_first": true, "is_causal": true, "bias": false})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 4}, "b": {"type": "Linear", "out_features": 8},
         "m": {"type": "MultiheadAttention", "num_heads": 2, "batch_first": true, "kdim": 8, "vdim": 8, "from": ["a", "b"]}}})",
     {5, 6}},
    {R"({"type": "TransformerEncoderLayer", "nhead": 2, "dim_feedforward": 8, "batch_first": true})", {5, 6}},
    {R"({"type": "TransformerEncoder", "nhead": 2, "num_layers": 2, "dim_feedforward": 8, "batch_first": true,
         "activation": "gelu", "norm_first": true, "norm": true, "is_causal": true})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 6},
         "d": {"type": "TransformerDecoderLayer", "nhead": 2, "dim_feedforward": 8, "batch_first": true, "is_causal": true,
               "from": ["input", "a"]}}})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 6},
         "d": {"type": "TransformerDecoder", "nhead": 2, "num_layers": 2, "dim_feedforward": 8, "batch_first": true,
               "norm_first": true, "from": ["input", "a"]}}})",
     {5, 6}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 6},
         "d": {"type": "Transformer", "d_model": 6, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 1,
               "dim_feedforward": 8, "batch_first": true, "from": ["input", "a"]}}})",
     {5, 6}},
    {R"("Flatten")", {2, 3, 4}},
    {R"({"type": "Flatten", "start_dim": 2})", {2, 3, 4}},
    {R"({"type": "Unflatten", "dim": 1, "unflattened_size": [2, -1]})", {6, 4}},
    {R"({"type": "Permute", "dims": [0, 3, 1, 2]})", {2, 3, 4}},
    {R"({"type": "Select", "dim": 1})", {3, 4}},
    {R"({"type": "Upsample", "scale_factor": 2})", {2, 3, 4}},
    {R"({"type": "Upsample", "size": [5, 7], "mode": "bilinear"})", {2, 3, 4}},
    {R"({"type": "Upsample", "scale_factor": 3, "mode": "bilinear", "align_corners": true})", {2, 3, 4}},
    {R"({"type": "Upsample", "scale_factor": 2, "mode": "linear"})", {2, 5}},
    {R"({"type": "ZeroPad1d", "padding": [1, 2]})", {2, 5}},
    {R"({"type": "ZeroPad2d", "padding": [1, 2, 3, 0]})", {2, 3, 4}},
    {R"({"type": "ReflectionPad2d", "padding": [1, 2, 0, 1]})", {2, 3, 4}},
    {R"({"type": "ReplicationPad2d", "padding": 2})", {2, 3, 4}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "s": {"type": "Add", "from": ["a", "input", "a"]}}})", {4}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "s": {"type": "Multiply", "from": ["a", "input"]}}})", {4}},
    {R"({"type": "Graph", "layers": {"a": "Tanh", "s": {"type": "Concat", "from": ["a", "input"], "dim": -1}}})",
     {3, 4}},
    {R"("ReLU")", {4}},
    {R"("ReLU6")", {4}},
    {R"("LeakyReLU")", {4}},
    {R"({"type": "PReLU", "num_parameters": 3})", {3, 4}},
    {R"("PReLU")", {4}},
    {R"("RReLU")", {4}},
    {R"({"type": "ELU", "alpha": 0.7})", {4}},
    {R"({"type": "CELU", "alpha": 0.7})", {4}},
    {R"("SELU")", {4}},
    {R"("GELU")", {4}},
    {R"({"type": "GELU", "approximate": "tanh"})", {4}},
    {R"("SiLU")", {4}},
    {R"("Mish")", {4}},
    {R"({"type": "Softplus", "beta": 2})", {4}},
    {R"("Softsign")", {4}},
    {R"("Sigmoid")", {4}},
    {R"("LogSigmoid")", {4}},
    {R"("Tanh")", {4}},
    {R"("Tanhshrink")", {4}},
    {R"({"type": "Hardtanh", "min_val": -0.5, "max_val": 0.7})", {4}},
    {R"("Hardsigmoid")", {4}},
    {R"("Hardswish")", {4}},
    {R"("Hardshrink")", {4}},
    {R"("Softshrink")", {4}},
    {R"({"type": "Threshold", "threshold": 0.1, "value": -3})", {4}},
    {R"({"type": "GLU", "dim": 1})", {6, 3}},
    {R"({"type": "Softmax", "dim": 1})", {3, 4}},
    {R"("Softmax2d")", {3, 4, 2}},
    {R"("Softmin")", {4}},
    {R"("LogSoftmax")", {4}},
    {R"({"type": "Residual", "layers": [{"type": "Linear", "out_features": 4}, "ReLU"]})", {4}},
    {R"({"type": "Residual", "layers": [{"type": "Linear", "out_features": 3}],
         "shortcut": [{"type": "Linear", "out_features": 3}]})",
     {4}},
    {R"({"type": "Graph", "layers": {"a": {"type": "Linear", "out_features": 4}, "t": "Tanh", "b": {"shared": "a"},
         "sum": {"type": "Add", "from": ["b", "input"]}}, "output": "sum"})",
     {4}},
};

// Parameters and statistics that no default would explain.
void scatter(nn::Module& model) {
  const NoGrad no_grad;
  for (const auto& [name, value] : model.state_dict()) {
    if (!is_floating(value.dtype())) continue;
    Tensor target = value;
    copy_(target, rand(value.shape()) * 0.8 + (name.ends_with("var") ? 0.5 : -0.4));
  }
}

TEST(Onnx, EveryLayerHasACase) {
  std::string all;
  for (const Case& each : kCases) all += each.json;
  for (const std::string& name : nn::layers().names())
    EXPECT_NE(all.find("\"" + name + "\""), std::string::npos) << name;
}

// With EIGENGRAD_ONNX_FOLDER the files stay there, with what they should compute.
TEST(Onnx, WritesEveryCase) {
  manual_seed(5);
  const char* const folder = std::getenv("EIGENGRAD_ONNX_FOLDER");
  int number = 0;
  for (const Case& each : kCases) {
    SCOPED_TRACE(each.json);
    const nn::BuiltModel model = built(each.json, each.input);
    scatter(*model.module);
    const std::string file = to_onnx(*model.module, each.input);
    EXPECT_GT(file.size(), 50u);
    EXPECT_TRUE(model.module->is_training()) << "the mode stays";
    EXPECT_EQ(file, to_onnx(*model.module, each.input)) << "the same bytes every time";
    if (!folder) continue;
    model.module->eval();
    Shape shape = each.input;
    shape.insert(0, 3);
    const Tensor x =
        each.classes > 0 ? to(floor(rand(shape) * static_cast<double>(each.classes)), kInt64) : rand(shape) * 4 - 2;
    const NoGrad no_grad;
    const std::string base = std::string(folder) + "/case_" + std::to_string(number++);
    write_file(base + ".onnx", file);
    write_file(base + ".json", each.json);
    save_safetensors(base + ".safetensors", {{"x", x}, {"y", contiguous((*model.module)(x))}});
    for (const std::int64_t opset : {18, 21})
      save_onnx(base + "_" + std::to_string(opset) + ".onnx", *model.module, each.input, {.opset = opset});
  }
}

struct Strange : nn::Module {
  Tensor forward(const Tensor& x) override { return x; }
  std::string type_name() const override { return "Strange"; }
};

TEST(Onnx, NamesWhatItCannotExpress) {
  const auto refusal = [](const char* json, const Shape& input, OnnxOptions options = {}) {
    const nn::BuiltModel model = built(json, input);
    return message_of<ValueError>([&] { to_onnx(*model.module, input, options); });
  };
  for (const auto& [found, word] : std::vector<std::pair<std::string, std::string>>{
           {refusal(R"({"type": "Embedding", "num_embeddings": 4, "embedding_dim": 2, "max_norm": 1})", {3}),
            "Embedding"},
           {refusal(R"({"type": "BatchNorm1d", "track_running_stats": false})", {4}), "running statistics"},
           {refusal(
                R"({"type": "Conv2d", "out_channels": 2, "kernel_size": 3, "padding": 1, "padding_mode": "circular"})",
                {2, 5, 5}),
            "opset 19"},
           {refusal(R"("ReLU")", {4}, {.opset = 16}), "expected 17 to 21"},
       })
    EXPECT_NE(found.find(word), std::string::npos) << found;
  Strange strange;
  EXPECT_NE(message_of<ValueError>([&] { to_onnx(strange, {2}); }).find("Strange"), std::string::npos);
  nn::Linear wide(2, 2);
  wide.to(kFloat64);
  EXPECT_THROW(to_onnx(wide, {2}), DtypeError);
}

}  // namespace
}  // namespace eigengrad::io
