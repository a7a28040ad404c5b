#include "eigengrad/train/run.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/optim/build.h"
#include "eigengrad/optim/build_schedule.h"
#include "eigengrad/train/criteria.h"
#include "tests/temp_folder.h"
#include "tests/train/small_run.h"

namespace eigengrad::train {
namespace {

using config::parse_json;
using config::Value;

const char* const kExample = EIGENGRAD_SOURCE_DIR "/examples/mnist/mlp.json";

std::string error_of(const Value& config) {
  try {
    build_run(config, "f.json", "");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(RunConfig, BuildsWhatItDescribes) {
  const train::Run run = build_run(small_run(), "f.json", "");
  EXPECT_EQ(run.seed, 7);
  EXPECT_EQ(run.training.batch_size, 20);
  EXPECT_EQ(run.data.train->size(), 300);
  EXPECT_EQ(run.data.test->size(), 60);
  EXPECT_EQ(run.model->parameter_count(), 7850);
  EXPECT_EQ(run.optimizer->lr(), 0.01);
  EXPECT_EQ(run.stopping.size(), 1u);
}

TEST(RunConfig, TheResolvedOneIsWholeAndMeansTheSame) {
  const train::Run run = build_run(small_run(), "f.json", "");
  const train::Run again = build_run(run.resolved, "g.json", "");
  EXPECT_EQ(again.resolved, run.resolved);
  EXPECT_EQ(again.model->parameters()[0].to_vector<float>(), run.model->parameters()[0].to_vector<float>());
  EXPECT_EQ(*run.resolved.find("optimizer")->find("beta2"), Value(0.999));
  EXPECT_EQ(*(*run.resolved.find("model")->find("layers")->as_array())[1].find("in_features"), Value(784));
  EXPECT_EQ(*run.resolved.find("training")->find("shuffle"), Value(true));
}

// A table whose last column is to be told, as numbers, by a linear model.
Value table_run(const std::string& folder, const std::string& column, const char* loss) {
  io::write_file(io::file_in(folder, "t.csv"), "a,b\n1," + column + "\n2,1\n3,0\n4,1\n");
  Value config = parse_json(R"({
    "data": {"type": "CSV", "file": "t.csv", "label": "b", "task": "regression", "test_fraction": 0.25},
    "training": {"valid_fraction": 0},
    "model": [{"type": "Linear", "out_features": 1}], "loss": "", "optimizer": "SGD",
    "stopping": [{"type": "max_epochs", "epochs": 1}]})");
  config.set("loss", loss);
  return config;
}

TEST(RunConfig, NumbersThatALossIsNotMeantForAreRefused) {
  const TempFolder folder;
  const auto error_with = [&](const char* loss, const std::string& first) {
    try {
      check_run(table_run(folder.path(), first, loss), "f.json", folder.path());
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  for (const char* loss : {"MSELoss", "BCEWithLogitsLoss", "L1Loss"}) EXPECT_EQ(error_with(loss, "0"), "") << loss;
  EXPECT_EQ(error_with("MSELoss", "-7"), "");
  for (const auto& [loss, expected] : {std::pair("CrossEntropyLoss", "numbers want a loss such as MSELoss"),
                                       {"BCEWithLogitsLoss", "found a target of -7, expected probabilities"},
                                       {"BCELoss", "expected probabilities"},
                                       {"KLDivLoss", "expected probabilities"},
                                       {"PoissonNLLLoss", "expected counts"},
                                       {"SoftMarginLoss", "expected 1 and -1 alone"},
                                       {"HingeEmbeddingLoss", "expected 1 and -1 alone"}}) {
    const std::string error = error_with(loss, "-7");
    EXPECT_NE(error.find("/loss: ["), std::string::npos) << error;
    EXPECT_NE(error.find(expected), std::string::npos) << loss << ": " << error;
  }
}

TEST(RunConfig, IsCheckedWithTheDataOfTheFolderWhereItRuns) {
  const TempFolder folder;
  Value config = table_run(folder.path(), "0", "MSELoss");
  config::set_by_path(config, "data.file", "\"" + io::file_in(folder.path(), "t.csv") + "\"");
  const RunCheck there = check_run(config, "f.json", "");
  EXPECT_TRUE(there.not_checked.empty());
  EXPECT_EQ(there.parameters, 2);
  config::set_by_path(config, "data.file", "\"not there.csv\"");
  const RunCheck gone = check_run(config, "f.json", "");
  ASSERT_EQ(gone.not_checked.size(), 2u);
  EXPECT_EQ(gone.not_checked[0],
            "the data were not read: cannot read not there.csv: No such file or directory; give --data DIR");
  EXPECT_THROW(check_run(config, "f.json", folder.path()), IoError);
}

TEST(RunConfig, AnArrayOfLayersIsASequential) {
  const train::Run whole = build_run(small_run(), "f.json", "");
  const train::Run brief =
      build_run(small_run({{"model", R"(["Flatten", {"type": "Linear", "out_features": 10}])"}}), "f", "");
  EXPECT_EQ(brief.resolved, whole.resolved);
  const train::Run nested =
      build_run(small_run({{"model.layers.1", R"([{"type": "Linear", "out_features": 10}, "Identity"])"}}), "f", "");
  EXPECT_EQ(nested.model->named_parameters()[0].first, "1.0.weight");
}

TEST(RunConfig, TheSeedDecidesTheParameters) {
  const train::Run a = build_run(small_run({{"seed", "1"}}), "f", ""),
                   b = build_run(small_run({{"seed", "1"}}), "f", ""),
                   c = build_run(small_run({{"seed", "2"}}), "f", "");
  EXPECT_EQ(a.model->parameters()[0].to_vector<float>(), b.model->parameters()[0].to_vector<float>());
  EXPECT_NE(a.model->parameters()[0].to_vector<float>(), c.model->parameters()[0].to_vector<float>());
}

struct Bad {
  const char* path;
  const char* text;
  const char* pointer;
  const char* words;
};

TEST(RunConfig, EveryMistakeIsToldWithItsPlace) {
  const Bad cases[] = {
      {"sead", "1", "/sead", "did you mean 'seed'"},
      {"seed", "-1", "/seed", "of at least 0"},
      {"seed", "1.5", "/seed", "a whole number"},
      {"seed", "\"1\"", "/seed", "the string"},
      {"seed", "null", "/seed", "found null"},
      {"data", "3", "/data", "a kind of data set"},
      {"data", "\"Digit\"", "/data", "did you mean 'Digits'"},
      {"data", "{}", "/data", "a kind of data set"},
      {"data.type", "\"digits\"", "/data/type", "did you mean 'Digits'"},
      {"data.train", "0", "/data/train", "in [1, 1000000]"},
      {"data.train", "1e3", "/data/train", "a whole number"},
      {"data.test", "99999999999", "/data/test", "in [1, 1000000]"},
      {"data.trian", "5", "/data/trian", "did you mean 'train'"},
      {"data.std", "0", "/data/std", "above 0"},
      {"training", "[]", "/training", "expected an object"},
      {"training.batch_size", "0", "/training/batch_size", "[1, 1000000]"},
      {"training.batch_size", "true", "/training/batch_size", "found true"},
      {"training.batchsize", "3", "/training/batchsize", "did you mean 'batch_size'"},
      {"training.shuffle", "1", "/training/shuffle", "expected true or false"},
      {"training.valid_fraction", "1", "/training/valid_fraction", "in [0, 1)"},
      {"training.clip_grad_norm", "-1", "/training/clip_grad_norm", "of at least 0"},
      {"training.clip_grad_value", "\"no\"", "/training/clip_grad_value", "expected a number of at least 0"},
      {"training.accumulate", "0", "/training/accumulate", "in [1, 1000000]"},
      {"training.acumulate", "2", "/training/acumulate", "did you mean 'accumulate'"},
      {"training.ema", "true", "/training/ema", "expected an object"},
      {"training.ema", "{\"decay\": 1.5}", "/training/ema/decay", "in [0, 1]"},
      {"training.ema", "{\"warm_up\": true}", "/training/ema/warm_up", "did you mean 'warmup'"},
      {"training.precision", "\"half\"", "/training/precision", "bfloat16"},
      {"model", "\"Linear\"", "/model", "'out_features' is missing"},
      {"model", "null", "/model", "a kind of layer"},
      {"model.type", "\"Sequentail\"", "/model/type", "unknown layer"},
      {"model", "[]", "/model", "found an empty array, expected at least one layer"},
      {"model", "[\"Flatten\", \"Lineer\"]", "/model/1", "did you mean 'Linear'"},
      {"model", "[\"Flatten\", {\"type\": \"Linear\", \"out_features\": 10, \"bais\": true}]", "/model/1/bais",
       "did you mean 'bias'"},
      {"model", "[{\"type\": \"Linear\", \"in_features\": 5, \"out_features\": 10}]", "/model/0",
       "expects in_features = 5"},
      {"model", "[\"Flatten\", {\"type\": \"Linear\", \"out_features\": 7}]", "/model", "10 classes"},
      {"model", "[\"Flatten\", [[]]]", "/model/1/0", "found an empty array"},
      {"model.layers", "{}", "/model/layers", "expected an array"},
      {"model.layers", "[]", "/model", "its output is [1, 28, 28]"},
      {"model.layer", "[]", "/model/layer", "did you mean 'layers'"},
      {"model.layers.0", "\"Flaten\"", "/model/layers/0", "did you mean 'Flatten'"},
      {"model.layers.0", "{\"type\": \"Flatten\", \"start_dim\": 0}", "/model/layers/0", "the batch axis must stay"},
      {"model.layers.0", "{\"type\": \"Flatten\", \"end_dim\": 9}", "/model/layers/0", "axis 9 is out of range"},
      {"model.layers.1.out_features", "0", "/model/layers/1/out_features", "in [1, "},
      {"model.layers.1.out_features", "7", "/model", "10 classes"},
      {"model.layers.1.in_features", "783", "/model/layers/1",
       "expects in_features = 783, but /model/layers/0 (Flatten) gives [784]"},
      {"model.layers.1.biass", "true", "/model/layers/1/biass", "did you mean 'bias'"},
      {"model.layers.1.bias", "\"yes\"", "/model/layers/1/bias", "expected true or false"},
      {"loss", "\"CrossEntropy\"", "/loss", "did you mean 'CrossEntropyLoss'"},
      {"loss", "{\"type\": \"CrossEntropyLoss\", \"label_smoothing\": 2}", "/loss/label_smoothing", "in [0, 1]"},
      {"loss", "{\"type\": \"CrossEntropyLoss\", \"reduction\": \"avg\"}", "/loss/reduction",
       "expected one of: none, mean, sum"},
      {"loss", "{\"type\": \"CrossEntropyLoss\", \"reduction\": \"none\"}", "/loss/reduction", "mean or sum"},
      {"loss", "{\"type\": \"CrossEntropyLoss\", \"weight\": [1, \"2\"]}", "/loss/weight/1", "expected a number"},
      {"loss", "\"MSELoss\"", "/loss",
       "MSELoss does not fit an output of [10] and targets of [], which are labels of 10"},
      {"loss", "\"BCEWithLogitsLoss\"", "/loss", "as CrossEntropyLoss takes them"},
      {"training.valid_fraction", "0.999", "/training/valid_fraction", "leaves nothing to train on of 300 samples"},
      {"training", "{\"batch_size\": 271, \"drop_last\": true}", "/training/batch_size",
       "270 samples do not fill a batch of 271"},
      {"metrics", "\"accuracy\"", "/metrics", "expected an array of metrics"},
      {"metrics", "[\"acuracy\"]", "/metrics/0", "did you mean 'accuracy'"},
      {"metrics", "[\"accuracy\", \"F1Score\"]", "/metrics/1", "unknown metric 'F1Score': here it is 'f1'"},
      {"metrics", "[{\"type\": \"MeanAbsoluteError\"}]", "/metrics/0/type", "here it is 'mae'"},
      {"metrics", "[\"f1\", \"f1\"]", "/metrics/1", "there is a metric 'f1' already"},
      {"metrics", "[{\"type\": \"f1\", \"average\": \"mean\"}]", "/metrics/0/average",
       "macro, micro, weighted, binary"},
      {"metrics", "[{\"type\": \"f1\", \"average\": \"binary\"}]", "/metrics/0", "there are 10"},
      {"metrics", "[{\"type\": \"top_k_accuracy\", \"k\": 0}]", "/metrics/0/k", "of at least 1"},
      {"metrics", "[{\"type\": \"top_k_accuracy\", \"k\": 11}]", "/metrics/0", "k is 11, but there are 10 classes"},
      {"metrics", "[\"rmse\"]", "/metrics/0", "'rmse' cannot be measured here: it needs outputs of the shape"},
      {"report", "true", "/report", "expected an object"},
      {"report", "{\"tensor_board\": true}", "/report/tensor_board", "did you mean 'tensorboard'"},
      {"optimizer", "\"Adm\"", "/optimizer", "did you mean 'Adam'"},
      {"optimizer", "[]", "/optimizer", "at least one optimizer"},
      {"optimizer", "3", "/optimizer", "a kind of optimizer"},
      {"optimizer.lr", "-0.1", "/optimizer/lr", "of at least 0"},
      {"optimizer.lr", "\"fast\"", "/optimizer/lr", "the string \"fast\""},
      {"optimizer.beta1", "1", "/optimizer/beta1", "in [0, 1)"},
      {"optimizer.learning_rate", "1", "/optimizer/learning_rate", "unknown key"},
      {"optimizer", "{\"type\": \"SGD\", \"nesterov\": true}", "/optimizer", "nesterov needs momentum"},
      {"optimizer.groups", "[{\"parameters\": \"2.*\"}]", "/optimizer/groups/0/parameters",
       "'2.*' names no parameter; there are: 1.weight, 1.bias"},
      {"optimizer", "\"Muon\"", "/optimizer", "expected a matrix"},
      {"optimizer", "[{\"type\": \"Muon\", \"parameters\": \"*.weigt\"}, \"AdamW\"]", "/optimizer/0/parameters",
       "'*.weigt' names no parameter"},
      {"lr_schedule", "\"StepLR\"", "/lr_schedule", "did you mean 'lr_scheduler'"},
      {"lr_scheduler", "3", "/lr_scheduler", "a kind of schedule"},
      {"lr_scheduler", "[\"LinearRL\"]", "/lr_scheduler/0", "did you mean 'LinearLR'"},
      {"lr_scheduler", "{\"type\": \"StepLR\", \"step_size\": 0}", "/lr_scheduler/step_size", "of at least 1"},
      {"lr_scheduler", "[\"LinearLR\", {\"type\": \"OneCycleLR\", \"max_lr\": [1, 2]}]", "/lr_scheduler/1", "max_lr"},
      {"stopping", "[]", "/stopping", "at least one stopping criterion"},
      {"stopping", "3", "/stopping", "found the number 3"},
      {"stopping.0.type", "\"epochs\"", "/stopping/0/type", "did you mean 'max_epochs'"},
      {"stopping.0.epochs", "0", "/stopping/0/epochs", "of at least 1"},
      {"stopping.0", "{\"type\": \"target_metric\"}", "/stopping/0", "'target' is missing"},
      {"stopping.0", "{\"type\": \"no_improvement\", \"mode\": \"up\"}", "/stopping/0/mode",
       "expected one of: auto, min, max"},
      {"stopping.0", "{\"type\": \"all_of\", \"criteria\": []}", "/stopping/0/criteria",
       "expected an array of at least one stopping criterion"},
      {"stopping.0", "{\"type\": \"all_of\", \"criteria\": [{\"type\": \"max_steps\", \"steps\": 0}]}",
       "/stopping/0/criteria/0/steps", "at least 1"},
  };
  for (const Bad& bad : cases) {
    const std::string error = error_of(small_run({{bad.path, bad.text}}));
    EXPECT_NE(error.find(std::string(bad.pointer) + ":"), std::string::npos) << bad.path << " = " << bad.text << "\n"
                                                                             << error;
    EXPECT_NE(error.find(bad.words), std::string::npos) << bad.path << " = " << bad.text << "\n" << error;
  }
}

TEST(RunConfig, MissingPartsAreToldTogether) {
  const std::string error = error_of(parse_json("{}"));
  for (const char* part : {"data", "model", "loss", "optimizer", "stopping"})
    EXPECT_NE(error.find("'" + std::string(part) + "' is missing"), std::string::npos) << error;
  EXPECT_NE(error.find("5 mistakes"), std::string::npos) << error;
}

TEST(RunConfig, MistakesEverywhereAreToldInTheOrderOfTheFile) {
  const std::string error = error_of(
      parse_json("{\n\"optimizer\": {\"type\": \"SGD\", \"lr\": \"x\"},\n\"data\": \"Digits\",\n\"modle\": 1,\n"
                 "\"model\": {\"type\": \"Linear\"},\n\"loss\": 5,\n\"stopping\": [1, \"max_epoch\"]}"));
  std::size_t last = 0;
  for (const char* place : {"f.json:2:36 /optimizer/lr", "f.json:4:10 /modle", "f.json:5:10 /model", "f.json:6:9 /loss",
                            "f.json:7:14 /stopping/0", "f.json:7:17 /stopping/1"}) {
    const std::size_t at = error.find(place);
    EXPECT_NE(at, std::string::npos) << place << "\n" << error;
    EXPECT_GT(at, last) << place << "\n" << error;
    last = at;
  }
}

TEST(RunConfig, TheSchemaKnowsEveryTable) {
  const std::string schema = config::to_json(run_schema());
  for (const auto& name : nn::layers().names()) EXPECT_NE(schema.find("\"" + name + "\""), std::string::npos) << name;
  for (const auto& name : nn::losses().names()) EXPECT_NE(schema.find("\"" + name + "\""), std::string::npos) << name;
  for (const auto& name : optim::optimizers().names())
    EXPECT_NE(schema.find("\"" + name + "\""), std::string::npos) << name;
  for (const auto& name : optim::schedules().names())
    EXPECT_NE(schema.find("\"" + name + "\""), std::string::npos) << name;
  for (const auto& name : metrics().names()) EXPECT_NE(schema.find("\"" + name + "\""), std::string::npos) << name;
  for (const auto& name : criteria().names()) EXPECT_NE(schema.find("\"" + name + "\""), std::string::npos) << name;
  EXPECT_EQ(parse_json(schema), run_schema());
}

TEST(RunConfig, OneCycleSpansTheRun) {
  const auto total = [](const std::string& schedule, const std::string& stopping) {
    Value config = small_run({{"lr_scheduler", schedule}});
    config::set_by_path(config, "stopping", stopping);
    config::set_by_path(config, "training.accumulate", "5");
    const train::Run run = build_run(config, "f.json", "");
    return *(*run.resolved.find("lr_scheduler")->as_array())[0].find("total_steps")->as_integer();
  };
  const char* const cycle = R"({"type": "OneCycleLR", "max_lr": 0.1})";
  // 240 samples in batches of 20, 5 to a step: 3 steps an epoch.
  EXPECT_EQ(total(cycle, R"([{"type": "max_epochs", "epochs": 4}])"), 12);
  EXPECT_EQ(total(cycle, R"([{"type": "max_epochs", "epochs": 4}, {"type": "max_steps", "steps": 7}])"), 7);
  const char* const by_epoch = R"({"type": "OneCycleLR", "max_lr": 0.1, "interval": "epoch"})";
  EXPECT_EQ(total(by_epoch, R"([{"type": "max_epochs", "epochs": 4}])"), 4);
  EXPECT_EQ(total(R"({"type": "OneCycleLR", "max_lr": 0.1, "total_steps": 50})", R"(["max_epochs"])"), 50);
  Value endless = small_run({{"lr_scheduler", cycle}});
  config::set_by_path(endless, "stopping", R"([{"type": "max_seconds", "seconds": 5}])");
  EXPECT_NE(error_of(endless).find("/lr_scheduler: [OneCycleLR] expected total_steps"), std::string::npos);
}

TEST(RunConfig, PatternsThatNameNothingAreToldWithTheOtherMistakes) {
  Value config = small_run({{"optimizer.groups", R"([{"parameters": "*.wieght", "lr": 1}])"}});
  config::set_by_path(config, "loss", "\"CrossEntropy\"");
  const std::string error = error_of(config);
  EXPECT_NE(error.find("/optimizer/groups/0/parameters: '*.wieght' names no parameter"), std::string::npos) << error;
  EXPECT_NE(error.find("/loss: unknown loss"), std::string::npos) << error;
}

TEST(RunConfig, AModelIsHeldAgainstTheDataThatAreThere) {
  const Value config = parse_json(R"({"$schema": "s.json", "data": {"type": "Sums", "length": 8},
    "model": {"type": "Sequential", "layers": [{"type": "Embedding", "num_embeddings": 99, "embedding_dim": 4},
      {"type": "Linear", "out_features": 12}, {"type": "Permute", "dims": [0, 2, 1]}]},
    "loss": "CrossEntropyLoss", "optimizer": "SGD", "stopping": ["max_epochs"]})");
  EXPECT_NE(error_of(config).find("classes of the data"), std::string::npos) << "known from the data alone";
  EXPECT_EQ(check_run(config, "f", "").parameters, 99 * 4 + 5 * 12);
}

TEST(RunConfig, MetricsThatAreNotMeasuredAreNoNames) {
  const struct {
    std::string path, text, complaint;
  } rows[] = {
      {"stopping", R"([{"type": "no_improvement", "metric": "valid_acuracy"}])",
       "/stopping/0/metric: unknown metric 'valid_acuracy'"},
      {"stopping", R"([{"type": "all_of", "criteria": ["max_steps", {"type": "divergence", "metric": "x"}]}])",
       "/stopping/0/criteria/1/metric: unknown metric 'x'"},
      {"lr_scheduler", R"({"type": "ReduceLROnPlateau", "metric": "valid"})",
       "/lr_scheduler/metric: unknown metric 'valid'"},
      {"checkpoints", R"({"best_metric": "valid_f2"})", "/checkpoints/best_metric: unknown metric 'valid_f2'"},
      {"training", R"({"valid_fraction": 0, "batch_size": 10})", ""},
      {"stopping", R"([{"type": "no_improvement", "metric": "valid_accuracy"}])", ""},
  };
  for (const auto& row : rows) {
    const std::string error = error_of(small_run({{row.path, row.text}}));
    EXPECT_NE(error.find(row.complaint), std::string::npos) << error;
    EXPECT_EQ(error.empty(), row.complaint.empty()) << error;
  }
  Value config = small_run({{"stopping", R"(["no_improvement"])"}});
  config::set_by_path(config, "training.valid_fraction", "0");
  EXPECT_NE(error_of(config).find("/stopping/0/metric: unknown metric 'valid_loss'"), std::string::npos)
      << "there is nothing to validate on";
}

TEST(Criteria, AreBuiltFromTheirDefaults) {
  for (const config::TypeEntry& entry : criteria().entries()) {
    Value value = Value::object();
    value.set("type", entry.name);
    if (entry.name == "target_metric") value.set("target", 0.5);
    if (entry.name == "all_of" || entry.name == "any_of")
      value.set("criteria", Value::Array{"max_epochs", "max_steps"});
    config::Diagnostics diagnostics;
    const auto configured = criteria().read(value, "", diagnostics);
    ASSERT_TRUE(configured) << entry.name;
    EXPECT_TRUE(criteria().functions(*configured).make(configured->options.get())) << entry.name;
    const Value written = criteria().write(entry.name, configured->options.get());
    const auto again = criteria().read(written, "", diagnostics);
    ASSERT_TRUE(again) << entry.name;
    EXPECT_EQ(criteria().write(entry.name, again->options.get()), written) << entry.name;
  }
}

TEST(Run, LeavesItsResultsAndCanBeEvaluated) {
  const TempFolder folder;
  const RunReport report = run_training(small_run(), "f.json", {"", folder.file("run")});
  EXPECT_FALSE(report.failed);
  EXPECT_EQ(*report.figures.find("stopped_by"), Value("max_epochs"));
  EXPECT_EQ(*report.figures.find("epochs"), Value(2));
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder.file("run")))
    files.push_back(entry.path().filename());
  std::sort(files.begin(), files.end());
  EXPECT_EQ(files, (std::vector<std::string>{".lock", "checkpoints", "config.json", "log.txt", "metrics.jsonl",
                                             "model.safetensors", "report.html", "result.json", "run.json"}));
  const std::string metrics = io::read_file(folder.file("run/metrics.jsonl"), 10000);
  const Value first = parse_json(metrics.substr(0, metrics.find('\n')));
  for (const char* key : {"epoch", "step", "seconds", "loss", "accuracy", "grad_norm", "valid_loss", "valid_accuracy"})
    EXPECT_TRUE(first.find(key)) << key;
  EXPECT_EQ(config::read_json_file(folder.file("run/result.json")), report.figures);
  EXPECT_EQ(io::load_safetensors(folder.file("run/model.safetensors")).tensors.size(), 2u);

  const RunReport evaluation = run_evaluation(folder.file("run"), "");
  EXPECT_EQ(*evaluation.figures.find("test_accuracy"), *report.figures.find("test_accuracy"));
  EXPECT_EQ(*evaluation.figures.find("test_loss"), *report.figures.find("test_loss"));
  EXPECT_THROW(run_training(small_run(), "f.json", {"", folder.file("run")}), IoError);
}

TEST(Run, TellsOfWeightsThatAreNotAsItLeftThem) {
  const TempFolder folder;
  const std::string run = folder.file("run"), file = folder.file("run/model.safetensors");
  run_training(small_run(), "f.json", {"", run});
  const auto told = [&] {
    testing::internal::CaptureStderr();
    run_evaluation(run, "");
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(told().find("as the run has left it"), std::string::npos);
  std::string bytes = io::read_file(file, 1 << 20);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  io::write_file(file, bytes);
  EXPECT_NE(told().find("model.safetensors is not as the run has left it: it was changed, or is damaged"),
            std::string::npos);
}

TEST(Run, MeasuresWhatItIsTold) {
  const TempFolder folder;
  const Value config =
      small_run({{"metrics", R"(["f1", {"type": "top_k_accuracy", "k": 3}, "confusion_matrix", "perplexity"])"}});
  const Value resolved = build_run(config, "f.json", "").resolved;
  EXPECT_EQ(build_run(resolved, "g.json", "").resolved, resolved);
  EXPECT_EQ(*build_run(small_run(), "f.json", "").resolved.find("metrics"),
            parse_json(R"([{"type": "accuracy", "ignore_index": null}])"));
  EXPECT_EQ(build_run(small_run({{"metrics", "[]"}}), "f.json", "").metrics.metrics().size(), 0u);

  const RunReport report = run_training(config, "f.json", {"", folder.file("run")});
  const std::string metrics = io::read_file(folder.file("run/metrics.jsonl"), 10000);
  const Value first = parse_json(metrics.substr(0, metrics.find('\n')));
  for (const char* name : {"f1", "top3_accuracy", "perplexity", "valid_f1", "valid_top3_accuracy", "valid_perplexity"})
    EXPECT_TRUE(first.find(name) && first.find(name)->as_double()) << name;
  EXPECT_FALSE(first.find("accuracy"));
  const Value::Array& rows = *report.figures.find("test_confusion_matrix")->as_array();
  double all = 0, right = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < rows.size(); ++j) {
      const double count = *(*rows[i].as_array())[j].as_double();
      all += count;
      right += i == j ? count : 0;
    }
  EXPECT_EQ(all, 60);
  EXPECT_LE(right / all, *report.figures.find("test_top3_accuracy")->as_double());
  EXPECT_EQ(report.figures.find("test_f1_per_class")->as_array()->size(), 10u);
  EXPECT_EQ(config::read_json_file(folder.file("run/result.json")), report.figures);
  const RunReport evaluation = run_evaluation(folder.file("run"), "");
  EXPECT_EQ(*evaluation.figures.find("test_f1"), *report.figures.find("test_f1"));
}

TEST(Run, LeavesTheReportsThatAreAskedFor) {
  const TempFolder folder;
  run_training(small_run({{"report", R"({"html": false, "tensorboard": true, "histograms": true})"}}), "f.json",
               {"", folder.file("run")});
  EXPECT_FALSE(std::filesystem::exists(folder.file("run/report.html")));
  for (const char* part : {"train", "valid"}) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.file("run/tensorboard/") + part))
      files += entry.path().filename().string().starts_with("events.out.tfevents.");
    EXPECT_EQ(files, 1) << part;
  }
}

TEST(Run, FollowsAWholeRecipe) {
  const TempFolder folder;
  const Value config = small_run(
      {{"optimizer", R"([{"type": "Muon", "lr": 0.02, "parameters": "*.weight"}, {"type": "AdamW", "lr": 0.01}])"},
       {"lr_scheduler", R"([{"type": "LinearLR", "total_iters": 5, "interval": "step"},
                                {"type": "SequentialLR", "milestones": [1],
                                 "schedulers": ["ConstantLR", {"type": "CosineAnnealingLR", "T_max": 3}]},
                                {"type": "ReduceLROnPlateau", "metric": "valid_accuracy", "mode": "max"}])"},
       {"training.accumulate", "3"},
       {"training.clip_grad_norm", "1"},
       {"training.clip_grad_value", "0.1"},
       {"training.ema", R"({"decay": 0.9, "warmup": true, "use_buffers": true})"}});
  const train::Run run = build_run(config, "f.json", "");
  EXPECT_EQ(run.schedules.size(), 3u);
  EXPECT_EQ(run.schedules[0].second, optim::Interval::Step);
  EXPECT_EQ(run.optimizer->groups(), 2u);
  EXPECT_EQ(build_run(run.resolved, "g.json", "").resolved, run.resolved);

  const RunReport report = run_training(config, "f.json", {"", folder.file("run")});
  EXPECT_EQ(*report.figures.find("steps"), Value(8));  // 12 batches make 4 steps an epoch
  const std::string metrics = io::read_file(folder.file("run/metrics.jsonl"), 10000);
  EXPECT_TRUE(parse_json(metrics.substr(0, metrics.find('\n'))).find("lr"));
  const RunReport evaluation = run_evaluation(folder.file("run"), "");  // of the averages, which were saved
  EXPECT_EQ(*evaluation.figures.find("test_loss"), *report.figures.find("test_loss"));
}

TEST(Run, DrawsItsGraph) {
  const TempFolder folder;
  const auto files = draw_graph(small_run(), "f.json", "", folder.file("g.dot"));
  EXPECT_EQ(files[0], folder.file("g.dot"));
  const std::string dot = io::read_file(files[0], 1 << 20);
  for (const char* word : {"1.weight", "cross_entropy", "inputs", "targets", "one step over 2 samples"})
    EXPECT_NE(dot.find(word), std::string::npos) << word;
}

double accuracy_of_example(const std::string& data) {
  const TempFolder folder;
  const RunReport report = run_training(config::read_json_file(kExample), kExample, {data, folder.file("run")});
  return *report.figures.find("test_accuracy")->as_double();
}

TEST(MainJob, LearnsTheEmbeddedDigits) { EXPECT_GE(accuracy_of_example(""), 0.97); }

TEST(MainJob, LearnsMnist) {
  const char* folder = std::getenv("EIGENGRAD_TEST_DATA");
  if (!folder) GTEST_SKIP() << "\n*** EIGENGRAD_TEST_DATA is not set: the main job is NOT tested on real MNIST ***";
  EXPECT_GE(accuracy_of_example(std::string(folder) + "/mnist"), 0.975);
}

}  // namespace
}  // namespace eigengrad::train
