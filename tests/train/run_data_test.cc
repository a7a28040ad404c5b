// What a run and `check` say of their data, and how they notice that these are others.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/io/file.h"
#include "eigengrad/train/html_report.h"
#include "eigengrad/train/run.h"
#include "tests/expect_error.h"
#include "tests/temp_folder.h"
#include "tests/train/small_run.h"

namespace eigengrad::train {
namespace {

using config::parse_json;
using config::Value;

// A run on a table of prices, which are 100 of 3 times the width.
class RunData : public testing::Test {
 protected:
  void SetUp() override { write_table(0); }
  void write_table(int change) const {
    std::string text = "unit,width,price\n";
    for (int i = 0; i < 40; ++i)
      text +=
          "1," + std::to_string(i * i % 11) + "," + std::to_string(300 * (i * i % 11) + (i == 7 ? change : 0)) + "\n";
    io::write_file(folder.file("t.csv"), text);
  }
  Value config(const std::string& options) const {
    Value config =
        parse_json(R"({"data": {"type": "CSV", "file": "t.csv", "label": "price", "task": "regression")" + options +
                   R"(}, "training": {"batch_size": 8}, "model": {"type": "Linear", "out_features": 1},
      "loss": "MSELoss", "optimizer": {"type": "Adam", "lr": 0.01}, "stopping": [{"type": "max_epochs", "epochs": 2}]})");
    return config;
  }
  RunReport train(const std::string& options = R"(, "ignore": ["unit"], "standardize_target": true)") const {
    return run_training(config(options), "f.json", {folder.path(), run()});
  }
  std::string run() const { return folder.file("run"); }
  std::string in_run(const char* file) const { return io::read_file(folder.file("run/") + file, 1 << 24); }

  const TempFolder folder;
};

// What f writes to standard error.
template <class F>
std::string heard(F f) {
  testing::internal::CaptureStderr();
  f();
  return testing::internal::GetCapturedStderr();
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

TEST_F(RunData, IsWarnedOfOnce) {
  const std::string constant = "columns of one value in all training rows, which tell nothing: 'unit'",
                    spread = "far from 1, with which training goes badly: 'price'; set \"standardize_target\"";
  const RunCheck check = check_run(config(""), "f.json", folder.path());
  ASSERT_EQ(check.notes.size(), 2u);
  EXPECT_NE(check.notes[0].find(constant), std::string::npos) << check.notes[0];
  EXPECT_NE(check.notes[1].find(spread), std::string::npos) << check.notes[1];
  EXPECT_TRUE(check.not_checked.empty());
  const std::string said = heard([&] { train(""); });
  EXPECT_EQ(count(said, constant), 1u) << said;
  EXPECT_EQ(count(said, spread), 1u) << said;
  EXPECT_EQ(count(heard([&] { run_evaluation(run(), ""); }), constant), 0u);
}

TEST_F(RunData, OtherDataInTheirPlaceAreANote) {
  const Value config = small_run({{"data", R"({"type": "MNIST", "train": 300, "test": 60})"}});
  const RunCheck check = check_run(config, "f.json", folder.path());
  ASSERT_EQ(check.notes.size(), 1u);
  EXPECT_NE(check.notes[0].find("MNIST is not in"), std::string::npos);
  EXPECT_TRUE(check.not_checked.empty());
}

TEST_F(RunData, SaysWhatStandardisedTargetsMean) {
  const std::string meaning = "standardised: in the loss and the metrics 1 stands for";
  RunReport report;
  const std::string said = heard([&] { report = train(); });
  const std::string* const targets = report.figures.find("targets")->as_string();
  EXPECT_TRUE(targets && targets->starts_with(meaning) && targets->ends_with("of 'price'"));
  EXPECT_EQ(count(said, meaning), 2u) << "at the start and beside the figures:\n" << said;
  EXPECT_EQ(count(in_run("report.html"), "The targets are " + meaning), 1u);
  EXPECT_EQ(*run_evaluation(run(), "").figures.find("targets"), Value(*targets));
  std::filesystem::remove_all(run());
  EXPECT_EQ(train(R"(, "ignore": ["unit"])").figures.find("targets"), nullptr);
  EXPECT_EQ(in_run("report.html").find("The targets are"), std::string::npos);
}

TEST_F(RunData, ChangesAreNoticed) {
  train();
  const std::string other =
      "not those that the run was trained on: here are 32 of t.csv: 40 rows of 1 features, a number to "
      "tell, with other contents";
  const auto go_on = [&] {
    run_training(config::read_json_file(folder.file("run/config.json")), "f.json",
                 {.data_folder = "", .out_folder = run(), .resume = true});
  };
  const auto said = [&] {
    return heard([&] { run_evaluation(run(), ""); }) + heard([&] { remake_report(run(), ""); });
  };
  EXPECT_EQ(count(said(), "not those that"), 0u);
  EXPECT_NO_THROW(go_on());

  write_table(1);
  EXPECT_EQ(count(said(), other), 2u) << said();
  EXPECT_EQ(count(in_run("report.html"), "The data are " + other), 1u);
  expect_error<IoError>(go_on, {"was trained on other data", "with other contents", "--data DIR"});
  write_table(0);
  EXPECT_EQ(count(said(), "not those that"), 0u) << "a refused run has not forgotten its data";
  EXPECT_NO_THROW(go_on());

  // A run of a version that did not note them.
  write_table(1);
  Value facts = parse_json(in_run("run.json"));
  facts.set("train_fingerprint", "");
  io::write_file(folder.file("run/run.json"), config::to_json(facts));
  EXPECT_EQ(count(said(), "not those that"), 0u);
}

TEST_F(RunData, OptionsThatDoNotFitAreMistakesAtTheirPlace) {
  const auto check = [&](const char* data, const std::string& where) {
    const Value config = parse_json(R"({"data": )" + std::string(data) +
                                    R"(, "model": ["Flatten", {"type": "Linear", "out_features": 10}],
      "loss": "CrossEntropyLoss", "optimizer": "SGD", "stopping": ["max_epochs"]})");
    check_run(config, "f.json", where);
  };
  io::write_file(folder.file("t.txt"), "abcabcabcabcabcabcab");
  const std::pair<const char*, std::string> with_data[] = {
      {R"({"type": "Text", "file": "t.txt", "length": 30})", "f.json:1:54 /data/length: found 30, but"},
      {R"({"type": "Text", "file": "t.txt"})", "f.json:1:10 /data/length: found 64, but"},
      {R"({"type": "Sums", "lines": 1})", "f.json:1:10 /data/length: found 64, but the text of the sums has only"},
      {R"({"type": "CSV", "file": "t.csv", "label": "price", "decimal": ";"})", "/data/decimal: found ';'"},
  };
  for (const auto& [data, words] : with_data)
    expect_error<ConfigError>([&, d = data] { check(d, folder.path()); }, {words});
  // The size of these images is known without them.
  const std::pair<const char*, std::string> without_data[] = {
      {R"({"type": "MNIST", "transforms": [{"type": "Normalize", "mean": [0, 1]}]})",
       "/data/transforms/0: [Normalize] mean has 2 numbers, expected 1, or one for each of the 1 channels"},
      {R"({"type": "CIFAR10", "transforms": ["Normalize", {"type": "RandomCrop", "size": 40}]})",
       "/data/transforms/1: [RandomCrop] images of 32x32"},
      {R"({"type": "Digits", "transforms": [{"type": "RandomCrop", "size": 29}]})", "/data/transforms/0: [RandomCrop]"},
  };
  for (const auto& [data, words] : without_data) expect_error<ConfigError>([&, d = data] { check(d, ""); }, {words});
  const Value cropped = small_run({{"data.transforms", R"([{"type": "RandomCrop", "size": 20}])"}});
  EXPECT_EQ(check_run(cropped, "f.json", "").parameters, 4010) << "without data, the images that come out are known";
}

}  // namespace
}  // namespace eigengrad::train
