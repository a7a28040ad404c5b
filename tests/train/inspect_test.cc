#include "eigengrad/train/inspect.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/train/run_config.h"
#include "tests/message.h"
#include "tests/temp_folder.h"

namespace eigengrad::train {
namespace {

using config::Value;

Value example(const std::string& name, const std::string& data) {
  Value config = config::read_json_file(EIGENGRAD_SOURCE_DIR "/examples/mnist/" + name + ".json");
  config::set_by_path(config, "data", data);
  return config;
}

const char* const kDigits = R"({"type": "Digits", "train": 1000, "test": 300})";

TEST(Memory, WhatIsAvailableIsWhatTheTightestGroupLeaves) {
  const TempFolder folder;
  const auto write = [&](const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder.file(file)).parent_path());
    std::ofstream(folder.file(file)) << text;
  };
  const auto available = [&] { return available_memory(folder.file("proc"), folder.file("groups")); };
  write("proc/meminfo", "MemTotal: 4000 kB\nMemFree: 1 kB\nMemAvailable:    3000 kB\n");
  write("proc/self/cgroup", "1:name=x:/elsewhere\n0::/a/b\n");
  EXPECT_EQ(available(), 3000 * 1024);
  write("groups/a/memory.max", "max\n");
  write("groups/a/memory.current", "5\n");
  EXPECT_EQ(available(), 3000 * 1024) << "a group without a limit";
  write("groups/a/memory.max", "1000000\n");
  write("groups/a/memory.current", "900000\n");
  EXPECT_EQ(available(), 100000);
  write("groups/a/memory.stat", "anon 5\ninactive_file 200000\nslab 3\n");
  EXPECT_EQ(available(), 300000) << "cached files make room";
  write("groups/a/b/memory.max", "5000\n");
  write("groups/a/b/memory.current", "9000\n");
  EXPECT_EQ(available(), 0) << "a group that is over its limit";
  EXPECT_GT(available_memory(), 1 << 20);
  EXPECT_GT(resident_memory(), 1 << 20);
}

TEST(Memory, TheEstimateLeavesTheRunAsItWas) {
  const train::Run run = build_run(example("lenet", kDigits), "f", "");
  std::vector<Tensor> before;
  for (const auto& [name, value] : run.model->state_dict()) before.push_back(clone(value));
  const std::uint64_t offset = default_generator().offset();
  estimate_memory(run);
  EXPECT_EQ(default_generator().offset(), offset);
  std::size_t i = 0;
  for (const auto& [name, value] : run.model->state_dict())
    EXPECT_EQ(value.to_vector<float>(), before[i++].to_vector<float>()) << name;
  for (const Tensor& parameter : run.model->parameters()) EXPECT_FALSE(parameter.grad().defined());
}

TEST(Memory, FewSamplesTellWhatManyTake) {
  for (const char* name : {"mlp", "mlp-wide", "lenet", "resnet"}) {
    const train::Run run = build_run(example(name, kDigits), "f", "");
    const MemoryEstimate quick = estimate_memory(run, false), precise = estimate_memory(run, true);
    EXPECT_FALSE(quick.measured);
    EXPECT_TRUE(precise.measured);
    EXPECT_EQ(quick.optimizer, precise.optimizer);
    EXPECT_NEAR(quick.activations, precise.activations, 0.25 * precise.activations) << name;
  }
}

TEST(Memory, PartsAreThoseOfTheConfiguration) {
  Value config = example("mlp", kDigits);
  config::set_by_path(config, "optimizer", R"({"type": "Adam"})");
  config::set_by_path(config, "training.ema", "{}");
  const MemoryEstimate estimate = estimate_memory(build_run(config, "f", ""));
  const double weights = 101770 * 4;
  EXPECT_EQ(estimate.parameters, weights);
  EXPECT_EQ(estimate.gradients, weights);
  EXPECT_EQ(estimate.average, weights);
  EXPECT_NEAR(estimate.optimizer, 2 * weights, 1000);
  const auto with_batch = [&](const char* size) {
    config::set_by_path(config, "training.batch_size", size);
    return estimate_memory(build_run(config, "f", "")).activations;
  };
  EXPECT_GT(with_batch("512"), 3 * with_batch("64"));
}

TEST(Memory, ARunThatDoesNotFitIsRefusedWithItsParts) {
  Value config = example("resnet", kDigits);
  const double limit = static_cast<double>(resident_memory()) + (100 << 20);
  config::set_by_path(config, "training.memory_limit", std::to_string(limit / (1 << 30)));
  const train::Run run = build_run(config, "f", "");
  const std::string refusal = message_of<ConfigError>([&] { check_memory(run); });
  for (const char* word : {"training would take", "but may take", "/training/memory_limit", "parameters", "gradients",
                           "optimizer", "activations"})
    EXPECT_NE(refusal.find(word), std::string::npos) << word << "\n" << refusal;
  config::set_by_path(config, "training.memory_limit", "0");
  EXPECT_NO_THROW(check_memory(build_run(config, "f", "")));
}

TEST(Memory, WeightsThatAreTooLargeAreRefusedBeforeTheyAreMade) {
  Value config = example("mlp", kDigits);
  config::set_by_path(config, "model.layers.1.out_features", "100000000");
  const std::int64_t before = resident_memory();
  const std::string refusal = message_of<ConfigError>([&] { build_run(config, "f", ""); });
  // 784·10⁸ + 10⁸ + 10·10⁸ + 10 floats
  EXPECT_NE(refusal.find("/model: its parameters take 296.2 GiB"), std::string::npos) << refusal;
  EXPECT_LT(resident_memory() - before, 50 << 20);
  config::set_by_path(config, "model.layers.1.out_features", "10000");
  config::set_by_path(config, "training.memory_limit", "0.05");
  EXPECT_NE(message_of<ConfigError>([&] { build_run(config, "f", ""); }).find("/model: its parameters take 30.3 MiB"),
            std::string::npos);
}

TEST(Inspect, TellsLayersAndMemory) {
  const Inspection inspection = inspect_run(example("lenet", kDigits), "f", "");
  EXPECT_EQ(inspection.model.parameters(), 464522);
  const Value json = to_json(inspection);
  EXPECT_EQ(*json.find("parameters"), Value(464522));
  EXPECT_EQ(*json.find("fits"), Value(true));
  EXPECT_EQ(*(*json.find("layers")->as_array())[1].find("output"), Value(Value::Array{1, 32, 28, 28}));
  const std::string text = to_string(inspection);
  for (const char* word : {"conv1 (Conv2d)", "464,522 parameters", "memory of training", "activations", "in all"})
    EXPECT_NE(text.find(word), std::string::npos) << word;
}

}  // namespace
}  // namespace eigengrad::train
