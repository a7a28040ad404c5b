// docs/config.md and docs/eigengrad.schema.json are what the tables of a run say.
#include "eigengrad/config/reader.h"
#include "eigengrad/data/build.h"
#include "eigengrad/train/criteria.h"
#include "eigengrad/train/run.h"
#include "eigengrad/train/run_config.h"
#include "tests/table_docs.h"
#include "tests/temp_folder.h"

namespace eigengrad::train {
namespace {

constexpr const char* kUpdate = "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/train_tests --gtest_filter='ConfigDocs.*'";

constexpr const char* kIntroduction = R"(
A run is one JSON file. `eigengrad check run.json` tells all its mistakes at once, with line, column and JSON pointer, and
trains nothing; `eigengrad inspect run.json` says what the model is made of and how much memory training will take;
`eigengrad train run.json` trains. `--set optimizer.lr=0.05` changes a value from the command line.

```json
{
  "$schema": "docs/eigengrad.schema.json",
  "seed": 0,
  "data": "MNIST",
  "training": {"batch_size": 64},
  "model": ["Flatten", {"type": "Linear", "out_features": 10}],
  "loss": "CrossEntropyLoss",
  "optimizer": {"type": "SGD", "lr": 0.1},
  "stopping": [{"type": "max_epochs", "epochs": 10}]
}
```

- The JSON is strict: no comments, no key twice, no NaN, at most 16 MiB and 64 levels. Keys that are not known are mistakes.
- Whole numbers are written without a point: `10`, not `10.0`. Nothing is converted: `"10"` is no number.
- What has a type is an object with `"type"` and its options, or just the name where it needs none: `"ReLU"`.
- Sizes that are left out follow from the layer before, and from the data.
- `"$schema"` is for editors, which then complete and check what is typed: a path to `docs/eigengrad.schema.json`, or to
  what `eigengrad schema` prints.
- The run's folder gets the configuration as it was understood, with every default and size filled in.
)";

constexpr const char* kModel = R"(
A model is a layer ([layers.md](layers.md) has them all), an array of layers, which run one after another, or one of three
that hold layers. An array is short for a `Sequential`, wherever a layer may stand:

```json array
["Flatten", {"type": "Linear", "out_features": 32}, "ReLU", {"type": "Linear", "out_features": 10}]
```

| type | keys | |
| --- | --- | --- |
| `Sequential` | `layers` | one after another: an array, or an object of layers by name |
| `Residual` | `layers`, `shortcut` | what the layers give plus the input, or plus what the layers of the shortcut make of it |
| `Graph` | `layers`, `inputs`, `output` | layers by name, each of which reads what its `"from"` names |

In a `Graph`, `"from"` is the name of a layer before, of an input, or an array of them; without it a layer reads the one
before it. The input is called `"input"`, unless `"inputs"` names it. The output is that of the last layer, unless `"output"`
names another. Each of the following is trained by a test.

A skip connection:

```json skip
{"type": "Graph", "layers": {
  "flat": "Flatten",
  "hidden": {"type": "Linear", "out_features": 32},
  "act": "ReLU",
  "again": {"type": "Linear", "out_features": 32},
  "sum": {"type": "Add", "from": ["again", "act"]},
  "head": {"type": "Linear", "out_features": 10}
}}
```

Several inputs: layers that take more than one, and a `Graph` within a `Graph` that names what it reads:

```json inputs
{"type": "Graph", "inputs": ["image"], "layers": {
  "pixels": {"type": "Flatten", "from": "image"},
  "edges": {"type": "Conv2d", "out_channels": 4, "kernel_size": 3, "stride": 3, "from": "image"},
  "features": "Flatten",
  "joined": {"type": "Graph", "from": ["pixels", "features"], "inputs": ["a", "b"], "layers": {
    "left": {"type": "Linear", "out_features": 16, "from": "a"},
    "right": {"type": "Linear", "out_features": 16, "from": "b"},
    "both": {"type": "Concat", "from": ["left", "right"]}
  }},
  "head": {"type": "Linear", "out_features": 10}
}}
```

Shared weights: `{"shared": "name"}` runs a layer once more, with the same parameters, whose gradient is the sum:

```json shared
{"type": "Graph", "layers": {
  "flat": "Flatten",
  "in": {"type": "Linear", "out_features": 32},
  "step": {"type": "Linear", "out_features": 32},
  "act1": "Tanh",
  "step2": {"shared": "step"},
  "act2": "Tanh",
  "head": {"type": "Linear", "out_features": 10}
}}
```

Single parameters are shared by `"tied"`, in a `Sequential` or `Graph`:
`"tied": {"head.weight": "embedding.weight"}`.
)";

std::string keys() {
  std::string text = "\n| key | needed | |\n| --- | --- | --- |\n";
  for (const RunKey& key : run_keys())
    text += fmt::format("| `{}` | {} | {} |\n", key.name, key.required ? "yes" : "", key.help);
  return text;
}

std::string training() {
  const Value schema = config::schema_of<TrainingOptions>();
  return options_of(schema) + "\nThe keys of `ema`:\n" + options_of(config::schema_of<AverageOptions>());
}

std::string reference() {
  return fmt::format(
      "# Configuration of a run\n\n<!-- Written by {} -->\n{}\n## Keys\n{}\n## training\n{}\n## checkpoints\n\nSee "
      "[training.md](training.md).\n{}\n## report\n{}\n## data\n{}\n## "
      "model\n{}\n"
      "## loss, optimizer, lr_scheduler\n\nThe losses are in [layers.md](layers.md), optimizers and schedules in "
      "[optimizers.md](optimizers.md).\n\n## stopping\n\nAn array of at least one: training ends when any of them says "
      "so.\n{}",
      kUpdate, kIntroduction, keys(), training(), options_of(config::schema_of<CheckpointsOptions>()),
      options_of(config::schema_of<ReportOptions>()), section(data::sources()), kModel, section(criteria()));
}

TEST(ConfigDocs, TheModelsOfThePageAreTrained) {
  const TempFolder folder;
  const std::string page = kModel;
  int models = 0;
  for (std::size_t at = page.find("```json "); at != std::string::npos; at = page.find("```json ", at + 1)) {
    const std::size_t begin = page.find('\n', at);
    const std::string model = page.substr(begin, page.find("```", begin) - begin);
    Value config = config::parse_json(R"({"data": {"type": "Digits", "train": 300, "test": 50},
      "loss": "CrossEntropyLoss", "optimizer": {"type": "Adam"}, "stopping": [{"type": "max_epochs", "epochs": 2}]})");
    config.set("model", config::parse_json(model));
    const RunReport report = run_training(config, "f", {"", folder.file(std::to_string(models++))});
    EXPECT_FALSE(report.failed) << model;
  }
  EXPECT_EQ(models, 4);
}

TEST(ConfigDocs, AreThoseOfTheTables) { expect_documented("docs/config.md", reference(), kUpdate); }

TEST(ConfigDocs, TheSchemaIsThatOfTheTables) {
  expect_documented("docs/eigengrad.schema.json", config::to_json(run_schema()) + "\n", kUpdate);
}

}  // namespace
}  // namespace eigengrad::train
