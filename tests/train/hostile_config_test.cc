// Configurations that no user means: each is refused with a clear message, quickly, and takes no memory.
#include <gtest/gtest.h>

#include <chrono>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/train/inspect.h"
#include "eigengrad/train/run_config.h"
#include "tests/message.h"

namespace eigengrad::train {
namespace {

using config::parse_json;
using config::Value;

std::string refusal_of(const std::string& text) {
  return message_of<ConfigError>([&] { check_run(parse_json(text, "f"), "f", ""); });
}

constexpr const char* kRight = R"({"data": "MNIST", "training": {}, "loss": "CrossEntropyLoss",
  "model": {"type": "Sequential", "layers": ["Flatten", {"type": "Linear", "out_features": 10}]},
  "optimizer": {"type": "SGD"}, "stopping": [{"type": "max_epochs"}]})";

// ---- Texts that are no JSON, or too much of it.

TEST(HostileText, IsRefusedAsText) {
  const std::string deep_arrays(100000, '['), many_objects = [] {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += R"({"a":)";
    return text;
  }();
  for (const std::string& text :
       std::vector<std::string>{"",
                                " ",
                                "{",
                                "}",
                                "{}}",
                                "{} {}",
                                "{\"a\" 1}",
                                "{\"a\": 1,}",
                                "[1,]",
                                "{'a': 1}",
                                "{a: 1}",
                                "nul",
                                "TRUE",
                                "// c\n{}",
                                "{} // c",
                                "/* c */ {}",
                                "\xEF\xBB\xBF{}",
                                "{\"a\": NaN}",
                                "{\"a\": nan}",
                                "{\"a\": Infinity}",
                                "{\"a\": -Infinity}",
                                "{\"a\": 1e999}",
                                "{\"a\": -1e999}",
                                "{\"a\": 9223372036854775808}",
                                "{\"a\": -9223372036854775809}",
                                "{\"a\": 123456789012345678901234567890}",
                                "{\"a\": 01}",
                                "{\"a\": +1}",
                                "{\"a\": .5}",
                                "{\"a\": 5.}",
                                "{\"a\": 0x10}",
                                "{\"a\": 1_000}",
                                "{\"a\": 1e}",
                                "{\"a\": \"\t\"}",
                                "{\"a\": \"\\x41\"}",
                                "{\"a\": \"\\u12\"}",
                                "{\"a\": \"\\ud800\"}",
                                "{\"a\": \"\xff\"}",
                                "{\"a\": \"",
                                "{\"a\": \"\\u0000\"}",
                                "{\"a\\u0000b\": 1}",
                                "{\"a\": 1, \"a\": 2}",
                                "{\"a\": {\"b\": 1, \"b\": 1}}",
                                "{\"a\": 1, \"\\u0061\": 2}",
                                deep_arrays,
                                many_objects,
                                deep_arrays + std::string(100000, ']'),
                                "{\"a\": " + std::string(70, '[') + std::string(70, ']') + "}",
                                std::string((16 << 20) + 1, ' '),
                                "{\"a\": 1" + std::string(1000000, '0') + "}",
                                std::string("{\0}", 3)}) {
    const std::string refusal = refusal_of(text);
    EXPECT_EQ(refusal.rfind("f:", 0), 0u) << text.substr(0, 40) << ": " << refusal.substr(0, 200);
    EXPECT_LT(refusal.size(), 600u + (text.size() > 1000000 ? 1100000 : 0)) << text.substr(0, 40);
  }
}

std::string object_of_keys(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  text.back() = '}';
  return text;
}

TEST(HostileText, OfManyKeysIsReadInTime) {
  const auto start = std::chrono::steady_clock::now();
  const std::string refusal = refusal_of(object_of_keys(120'000));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_NE(refusal.find("f:1:7 /k0: unknown key 'k0'"), std::string::npos) << refusal.substr(0, 300);
  EXPECT_NE(refusal.find("'data' is missing"), std::string::npos);
  EXPECT_LT(refusal.size(), 100000u) << "many mistakes are not shown";
  EXPECT_NE(refusal_of(object_of_keys(1'000'000)).find("there are more than 250000 values"), std::string::npos);
}

TEST(HostileText, LongNamesAreNotRepeatedInFull) {
  const std::string name(1000000, 'x');
  for (const std::string& text :
       {"{\"" + name + "\": 1}", "{\"data\": \"" + name + "\"}",
        "{\"data\": {\"type\": \"MNIST\", \"" + name + "\": 1}}", "{\"seed\": \"" + name + "\"}",
        "{\"model\": {\"type\": \"Graph\", \"layers\": {\"" + name + "\": 3}}}"}) {
    const std::string refusal = refusal_of(text);
    EXPECT_LT(refusal.size(), 20000u) << text.substr(0, 30) << refusal.substr(0, 300);
  }
}

TEST(HostileText, CannotSpeakToTheTerminal) {
  const std::string refusal = refusal_of(R"({"\u001b[31mred\n": 1, "data": "\u001b]0;title\u0007"})");
  EXPECT_EQ(refusal.find('\x1b'), std::string::npos) << refusal;
  EXPECT_EQ(refusal.find('\a'), std::string::npos) << refusal;
}

// ---- Values: one of the right configuration is changed.

struct Bad {
  const char* path;
  const char* value;
  const char* place;  // where the mistake is told; empty: at the path
};

const Bad kBad[] = {
    {"seed", "-1", ""},
    {"seed", "1.5", ""},
    {"seed", "\"0\"", ""},
    {"seed", "null", ""},
    {"seed", "[]", ""},
    {"$schema", "3", ""},
    {"sed", "3", ""},
    {"data", "null", ""},
    {"data", "3", ""},
    {"data", "[]", ""},
    {"data", "{}", ""},
    {"data", "\"Mnist\"", ""},
    {"data", "{\"type\": 3}", "/data"},
    {"data", "{\"type\": \"Digits\", \"train\": 0}", "/data/train"},
    {"data", "{\"type\": \"Digits\", \"train\": 1000000000000}", "/data/train"},
    {"data", "{\"type\": \"Digits\", \"std\": 0}", "/data/std"},
    {"data", "{\"type\": \"Digits\", \"mean\": \"x\"}", "/data/mean"},
    {"data", "{\"type\": \"Text\"}", "/data"},
    {"data", "{\"type\": \"Text\", \"file\": 3}", "/data/file"},
    {"data", "{\"type\": \"Text\", \"file\": \"a\", \"length\": 0}", "/data/length"},
    {"data", "{\"type\": \"Sums\", \"lines\": 10000000000}", "/data/lines"},
    {"training", "3", ""},
    {"training", "[]", ""},
    {"training", "\"x\"", ""},
    {"training.batch_size", "0", ""},
    {"training.batch_size", "-1", ""},
    {"training.batch_size", "1e3", ""},
    {"training.batch_size", "64.0", ""},
    {"training.batch_size", "1000000000000", ""},
    {"training.batch_size", "\"64\"", ""},
    {"training.batch_size", "null", ""},
    {"training.batch_size", "true", ""},
    {"training.shuffle", "1", ""},
    {"training.shuffle", "\"yes\"", ""},
    {"training.shuffle", "null", ""},
    {"training.valid_fraction", "1", ""},
    {"training.valid_fraction", "-0.1", ""},
    {"training.valid_fraction", "2", ""},
    {"training.accumulate", "0", ""},
    {"training.accumulate", "0.5", ""},
    {"training.clip_grad_norm", "-1", ""},
    {"training.clip_grad_value", "-1", ""},
    {"training.precision", "\"float16\"", ""},
    {"training.precision", "16", ""},
    {"training.ema", "{\"decay\": 2}", "/training/ema/decay"},
    {"training.ema", "true", ""},
    {"training.ema", "{\"dekay\": 0.5}", "/training/ema/dekay"},
    {"training.memory_limit", "-1", ""},
    {"training.memory_limit", "\"4G\"", ""},
    {"training.batchsize", "64", ""},
    {"model", "null", ""},
    {"model", "3", ""},
    {"model", "[]", ""},
    {"model", "{}", ""},
    {"model", "\"Linear\"", ""},
    {"model", "\"Nonsense\"", ""},
    {"model", "\"Flatten\"", ""},
    {"model", "{\"type\": \"Sequential\"}", ""},
    {"model", "{\"type\": \"Sequential\", \"layers\": 3}", "/model/layers"},
    {"model", "{\"type\": \"Sequential\", \"layers\": []}", ""},
    {"model", "{\"type\": \"Sequential\", \"layers\": {}}", "/model/layers"},
    {"model", "{\"type\": \"Residual\", \"layers\": [{\"type\": \"Linear\", \"out_features\": 3}]}", ""},
    {"model", "{\"type\": \"Sequential\", \"layers\": [null]}", "/model/layers/0"},
    {"model", "{\"type\": \"Sequential\", \"layers\": [[]]}", "/model/layers/0"},
    {"model", "{\"type\": \"Sequential\", \"layers\": {\"a.b\": \"ReLU\"}}", "/model/layers/a.b"},
    {"model", "{\"type\": \"Sequential\", \"layers\": [\"Flatten\"], \"extra\": 1}", "/model/extra"},
    {"model", "{\"type\": \"Sequential\", \"layers\": [\"Flatten\", {\"type\": \"Linear\", \"out_features\": 7}]}", ""},
    {"model", "{\"type\": \"Graph\", \"layers\": []}", "/model/layers"},
    {"model", "{\"type\": \"Graph\", \"layers\": {}}", "/model/layers"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"type\": \"ReLU\", \"from\": \"b\"}, \"b\": \"ReLU\"}}",
     "/model/layers/a/from"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"type\": \"ReLU\", \"from\": \"a\"}}}",
     "/model/layers/a/from"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"type\": \"ReLU\", \"from\": []}}}", "/model/layers/a/from"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"type\": \"ReLU\", \"from\": 3}}}", "/model/layers/a/from"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"shared\": \"b\"}}}", "/model/layers/a/shared"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"shared\": \"a\"}}}", "/model/layers/a/shared"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": {\"shared\": 3}}}", "/model/layers/a/shared"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": \"ReLU\"}, \"output\": \"b\"}", "/model/output"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"a\": \"ReLU\"}, \"output\": 3}", "/model/output"},
    {"model", "{\"type\": \"Graph\", \"layers\": {\"input\": \"ReLU\"}}", "/model/layers/input"},
    {"model", "{\"type\": \"Graph\", \"inputs\": [\"a\", \"b\"], \"layers\": {\"c\": \"ReLU\"}}", "/model/inputs"},
    {"model", "{\"type\": \"Graph\", \"inputs\": [\"a\", \"a\"], \"layers\": {\"c\": \"ReLU\"}}", "/model/inputs"},
    {"model", "{\"type\": \"Graph\", \"inputs\": 3, \"layers\": {\"c\": \"ReLU\"}}", "/model/inputs"},
    {"model", "{\"type\": \"Graph\", \"inputs\": [], \"layers\": {\"c\": \"ReLU\"}}", "/model/inputs"},
    {"model.tied", "3", ""},
    {"model.tied", "{\"1.weight\": 3}", "/model/tied/1.weight"},
    {"model.tied", "{\"1.weight\": \"1.bias\"}", "/model/tied/1.weight"},
    {"model.tied", "{\"2.weight\": \"1.weight\"}", "/model/tied/2.weight"},
    {"model.layers.1.out_features", "0", ""},
    {"model.layers.1.out_features", "-1", ""},
    {"model.layers.1.out_features", "1e9", ""},
    {"model.layers.1.out_features", "1000000000000", ""},
    {"model.layers.1.out_features", "9223372036854775807", ""},
    {"model.layers.1.out_features", "1000000000", "/model"},
    {"model.layers.1.in_features", "783", "/model/layers/1"},
    {"model.layers.1.bias", "0", ""},
    {"model.layers.1.bias", "null", ""},
    {"model.layers.1.biass", "true", ""},
    {"model.layers.1.from", "\"input\"", ""},
    {"loss", "null", ""},
    {"loss", "3", ""},
    {"loss", "\"CrossEntropy\"", ""},
    {"loss", "[]", ""},
    {"loss", "{\"type\": \"CrossEntropyLoss\", \"reduction\": \"none\"}", "/loss/reduction"},
    {"loss", "{\"type\": \"CrossEntropyLoss\", \"reduction\": \"average\"}", "/loss/reduction"},
    {"loss", "{\"type\": \"CrossEntropyLoss\", \"label_smoothing\": 2}", "/loss/label_smoothing"},
    {"loss", "{\"type\": \"CrossEntropyLoss\", \"weight\": [-1]}", "/loss/weight/0"},
    {"optimizer", "null", ""},
    {"optimizer", "3", ""},
    {"optimizer", "[]", ""},
    {"optimizer", "\"Sgd\"", ""},
    {"optimizer.lr", "-1", ""},
    {"optimizer.lr", "\"0.1\"", ""},
    {"optimizer.lr", "null", ""},
    {"optimizer.lr", "[0.1]", ""},
    {"optimizer.momentum", "-0.1", ""},
    {"optimizer.weight_decay", "-1", ""},
    {"optimizer.nesterov", "true", "/optimizer"},
    {"optimizer.learning_rate", "0.1", ""},
    {"optimizer", "{\"type\": \"Adam\", \"beta1\": 1}", "/optimizer/beta1"},
    {"optimizer", "{\"type\": \"Adam\", \"beta2\": -0.1}", "/optimizer/beta2"},
    {"optimizer", "{\"type\": \"Adam\", \"eps\": -1}", "/optimizer/eps"},
    {"optimizer.parameters", "\"2.*\"", ""},
    {"optimizer.parameters", "[3]", "/optimizer/parameters/0"},
    {"optimizer.parameters", "\"*.bias\"", "/optimizer"},
    {"optimizer.groups", "3", ""},
    {"optimizer.groups", "[{}]", "/optimizer/groups/0"},
    {"optimizer.groups", "[{\"parameters\": \"nothing\"}]", "/optimizer/groups/0/parameters"},
    {"optimizer.groups", "[{\"parameters\": \"*\", \"lr\": -1}]", "/optimizer/groups/0/lr"},
    {"optimizer", "[{\"type\": \"Muon\"}]", "/optimizer/0"},
    {"lr_scheduler", "3", ""},
    {"lr_scheduler", "[]", ""},
    {"lr_scheduler", "\"Step\"", ""},
    {"lr_scheduler", "\"StepLR\"", ""},
    {"lr_scheduler", "{\"type\": \"StepLR\", \"step_size\": 0}", "/lr_scheduler/step_size"},
    {"lr_scheduler", "{\"type\": \"StepLR\", \"step_size\": 1, \"gamma\": -1}", "/lr_scheduler/gamma"},
    {"lr_scheduler", "{\"type\": \"StepLR\", \"step_size\": 1, \"interval\": \"batch\"}", "/lr_scheduler/interval"},
    {"lr_scheduler", "{\"type\": \"ChainedScheduler\", \"schedulers\": []}", "/lr_scheduler/schedulers"},
    {"stopping", "null", ""},
    {"stopping", "[]", ""},
    {"stopping", "{}", ""},
    {"stopping", "3", ""},
    {"stopping", "\"max_epochs\"", ""},
    {"stopping", "[\"max_epoch\"]", "/stopping/0"},
    {"stopping", "[{\"type\": \"max_epochs\", \"epochs\": 0}]", "/stopping/0/epochs"},
    {"stopping", "[{\"type\": \"max_epochs\", \"epochs\": 1e18}]", "/stopping/0/epochs"},
    {"stopping", "[{\"type\": \"max_steps\", \"steps\": -5}]", "/stopping/0/steps"},
    {"stopping", "[{\"type\": \"max_seconds\", \"seconds\": 0}]", "/stopping/0/seconds"},
    {"stopping", "[{\"type\": \"target_metric\"}]", "/stopping/0"},
    {"stopping", "[{\"type\": \"no_improvement\", \"patience\": 0}]", "/stopping/0/patience"},
    {"stopping", "[{\"type\": \"no_improvement\", \"mode\": \"minimum\"}]", "/stopping/0/mode"},
    {"stopping", "[{\"type\": \"all_of\", \"criteria\": []}]", "/stopping/0/criteria"},
};

TEST(HostileValues, AreRefusedAtTheirPlace) {
  ASSERT_EQ(refusal_of(kRight), "nothing was thrown");
  for (const Bad& bad : kBad) {
    Value config = parse_json(kRight);
    config::set_by_path(config, bad.path, bad.value);
    const std::string refusal = message_of<ConfigError>([&] { check_run(config, "f", ""); });
    std::string place = bad.place;
    if (place.empty()) {
      place = std::string("/") + bad.path;
      std::replace(place.begin(), place.end(), '.', '/');
    }
    EXPECT_NE(refusal.find(place + ": "), std::string::npos) << bad.path << " = " << bad.value << "\n" << refusal;
  }
}

// ---- Sizes: refused before anything of that size is made.

TEST(HostileSizes, TakeNeitherTimeNorMemory) {
  const std::int64_t before = resident_memory();
  const auto start = std::chrono::steady_clock::now();
  for (
      const char* layers : {
          R"([{"type": "Linear", "out_features": 1000000000}])",
          R"([{"type": "Linear", "out_features": 100000000}, {"type": "Linear", "out_features": 100000000}])",
          R"([{"type": "Embedding", "num_embeddings": 1000000000, "embedding_dim": 1000000000}])",
          R"(["Flatten", {"type": "Unflatten", "dim": 1, "unflattened_size": [1000000000, 1000000000, 1000000000]}])",
          R"([{"type": "Conv2d", "out_channels": 1000000000, "kernel_size": 1000000000}])",
          R"([{"type": "Conv2d", "out_channels": 1000000000, "kernel_size": 3, "padding": 1000000000}])",
          R"([{"type": "ConvTranspose2d", "out_channels": 10, "kernel_size": 1000000000, "stride": 1000000000}])",
          R"([{"type": "Upsample", "scale_factor": 1000000}, {"type": "Upsample", "scale_factor": 1000000}])",
          R"([{"type": "Upsample", "scale_factor": 1e300}])",
          R"([{"type": "Upsample", "size": [1000000000, 1000000000]}, "Flatten", {"type": "Linear", "out_features": 2}])",
          R"([{"type": "ZeroPad2d", "padding": 1000000000}])",
          R"([{"type": "ZeroPad2d", "padding": 9223372036854775807}])",
          R"([{"type": "Select", "dim": 1}, {"type": "LSTM", "hidden_size": 1000000000, "batch_first": true}])",
          R"([{"type": "Select", "dim": 1}, {"type": "LSTM", "hidden_size": 1, "num_layers": 1000000000, "batch_first": true}])",
          R"([{"type": "Select", "dim": 1}, {"type": "TransformerEncoder", "nhead": 1, "num_layers": 1000000000, "batch_first": true}])",
          R"([{"type": "Select", "dim": 1}, {"type": "TransformerEncoder", "nhead": 4, "num_layers": 10000, "dim_feedforward": 1000000, "batch_first": true}])",
          R"([{"type": "Select", "dim": 1}, {"type": "LearnedPositionalEncoding", "max_len": 1000000000, "batch_first": true}, {"type": "Linear", "out_features": 1000000000}])",
          R"([{"type": "PReLU", "num_parameters": 1000000000}, {"type": "LayerNorm", "normalized_shape": [1000000000, 1000000000]}])",
      }) {
    Value config = parse_json(kRight);
    config::set_by_path(config, "model.layers", layers);
    const std::string refusal = message_of<ConfigError>([&] { check_run(config, "f", ""); });
    EXPECT_NE(refusal.find("/model"), std::string::npos) << layers << "\n" << refusal;
  }
  EXPECT_LT(resident_memory() - before, 100 << 20);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(HostileSizes, OfManyLayers) {
  std::string layers = "[\"Flatten\"";
  for (int i = 0; i < 20000; ++i) layers += ", {\"type\": \"Linear\", \"out_features\": 100000}";
  Value config = parse_json(kRight);
  config::set_by_path(config, "model.layers", layers + "]");
  const std::string refusal = message_of<ConfigError>([&] { check_run(config, "f", ""); });
  EXPECT_NE(refusal.find("/model: its parameters take"), std::string::npos) << refusal.substr(0, 1000);
}

}  // namespace
}  // namespace eigengrad::train
