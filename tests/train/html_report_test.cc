#include "eigengrad/train/html_report.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/random.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/html.h"
#include "eigengrad/io/image.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run.h"
#include "eigengrad/train/run_files.h"
#include "tests/message.h"
#include "tests/temp_folder.h"
#include "tests/train/small_run.h"

namespace eigengrad::train {
namespace {

namespace fs = std::filesystem;
using config::parse_json;
using config::Value;

Value three_epochs() {
  return small_run({{"data.test", "120"}, {"metrics", R"(["accuracy", "f1"])"}, {"stopping.0.epochs", "3"}});
}

std::string page_in(const std::string& folder) { return io::read_file(folder + "/report.html", 1 << 24); }

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
  return n;
}

// Every element that was opened is closed, in order. Finds the first that is not.
std::string unbalanced(const std::string& page) {
  static const std::set<std::string> void_elements{"meta", "img", "br", "!DOCTYPE"};
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at + 1)) {
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return "an element that does not end";
    const bool closes = page[at + 1] == '/', alone = page[end - 1] == '/';
    const std::size_t name_at = at + 1 + (closes ? 1 : 0);
    const std::string name = page.substr(name_at, page.find_first_of(" >/\n", name_at) - name_at);
    if (closes) {
      if (open.empty() || open.back() != name) return "</" + name + "> within " + (open.empty() ? "" : open.back());
      open.pop_back();
    } else if (!alone && !void_elements.contains(name)) {
      open.push_back(name);
    }
  }
  return open.empty() ? "" : open.back();
}

// Nothing on the page comes from elsewhere.
void expect_offline(const std::string& page) {
  EXPECT_EQ(count(page, "http"), count(page, "xmlns=\"http://www.w3.org/2000/svg\"") + count(page, "http-equiv"));
  for (const char* word : {"<script", "<link", "url(", "@import", "href="})
    EXPECT_EQ(page.find(word), std::string::npos) << word;
  EXPECT_EQ(count(page, " src="), count(page, " src=\"data:image/png;base64,"));
}

TEST(HtmlReport, IsLeftByARunAndMadeAgain) {
  const TempFolder folder;
  const std::string run = folder.file("a <b> run");
  run_training(three_epochs(), "f.json", {"", run});
  const std::string page = page_in(run);
  EXPECT_EQ(unbalanced(page), "");
  expect_offline(page);
  for (const char* part :
       {"<title>a &lt;b&gt; run</title>", "stopped by max epochs", "It stopped because 3 epochs are done.",
        "Test accuracy", "Test F1", "<h3>Loss</h3>", "<h3>Accuracy</h3>", "<h3>F1</h3>", "<h3>Gradient norm</h3>",
        "best: ", "Confusion matrix", "<td><b>9</b></td>", "7\u202f850 parameters", "share of a step", "Processor",
        "<span class=\"k\">&quot;valid_fraction&quot;</span>: <span class=\"v\">0.2</span>", "Seed</dt><dd>7"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page.find("http-equiv=\"refresh\""), std::string::npos);

  // The wrongly classified images are as many as the test found, up to the limit.
  const Value result = config::read_json_file(run + "/result.json");
  const double wrong = 120 * (1 - *result.find("test_accuracy")->as_double());
  EXPECT_EQ(count(page, "<figure>"), static_cast<std::size_t>(std::min(36.0, std::round(wrong))));
  EXPECT_TRUE(result.find("machine")->find("threads"));

  fs::remove(run + "/report.html");
  EXPECT_EQ(remake_report(run, ""), run + "/report.html");
  const std::string again = page_in(run);
  const auto without_times = [](const std::string& text) { return text.substr(0, text.find("<h2>The model")); };
  EXPECT_TRUE(without_times(again) == without_times(page));
}

TEST(HtmlReport, TellsOfARunThatFailed) {
  const TempFolder folder;
  Value config = three_epochs();
  config::set_by_path(config, "optimizer", R"({"type": "SGD", "lr": 1e300})");
  EXPECT_TRUE(run_training(config, "f.json", {"", folder.file("run")}).failed);
  const std::string page = page_in(folder.file("run"));
  EXPECT_EQ(unbalanced(page), "");
  EXPECT_NE(page.find("<span class=\"pill bad\">failed: non finite</span>"), std::string::npos);
  EXPECT_NE(page.find("It stopped because the "), std::string::npos);
}

TEST(HtmlReport, CanBeWatchedWhileTheRunGoesOn) {
  const TempFolder folder;
  const std::string run = folder.file("run");
  fs::create_directories(run);
  const train::Run built = build_run(three_epochs(), "f.json", "");
  io::write_file(run + "/config.json", config::to_json(built.resolved));
  io::write_file(run + "/metrics.jsonl",
                 "{\"epoch\": 1, \"step\": 12, \"seconds\": 0.5, \"loss\": 2.25}\n{\"epoch\": 2, \"st");
  ReportFile file(run, built);
  file.on_epoch_end({.epoch = 1, .step = 12, .seconds = 0.5, .metrics = {}});
  const std::string page = page_in(run);
  EXPECT_EQ(unbalanced(page), "");
  for (const char* part :
       {"running, epoch 1 of 3", "It was running at 2", "http-equiv=\"refresh\"", "2.25", "epoch 1: training 2.25"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  // The next one waits until reports have taken little of the time.
  fs::remove(run + "/report.html");
  file.on_epoch_end({.epoch = 2, .step = 24, .seconds = 0.5000001, .metrics = {}});
  EXPECT_FALSE(fs::exists(run + "/report.html"));
  file.on_epoch_end({.epoch = 3, .step = 36, .seconds = 1e6, .metrics = {}});
  EXPECT_TRUE(fs::exists(run + "/report.html"));

  // Made again, it tells whether somebody is at work there.
  const auto again = [&] {
    remake_report(run, "");
    return page_in(run);
  };
  {
    const io::FolderLock lock(run);
    EXPECT_NE(again().find("running, epoch 1 of 3"), std::string::npos);
  }
  const std::string killed = again();
  EXPECT_EQ(unbalanced(killed), "");
  for (const char* part : {"not finished: epoch 1 of 3", "It was last written at 2", "train --resume"})
    EXPECT_NE(killed.find(part), std::string::npos) << part;
  for (const char* part : {"running", "http-equiv=\"refresh\""})
    EXPECT_EQ(killed.find(part), std::string::npos) << part;
}

TEST(HtmlReport, FindsTheDataOfTheRunAgain) {
  const TempFolder folder;
  std::string table = "x,y\n";
  for (int i = 0; i < 40; ++i) table += std::to_string(i) + (i < 20 ? ",low\n" : ",high\n");
  fs::create_directories(folder.file("data"));
  io::write_file(folder.file("data/t.csv"), table);
  Value config = three_epochs();
  config::set_by_path(config, "data", R"({"type": "CSV", "file": "t.csv", "label": "y"})");
  config::set_by_path(config, "model", R"({"type": "Linear", "out_features": 2})");
  const std::string run = folder.file("run");
  run_training(config, "f.json", {folder.file("data"), run});
  remake_report(run, "");
  EXPECT_NE(page_in(run).find("Confusion matrix"), std::string::npos);
  export_onnx(run, "", folder.file("m.onnx"));
  EXPECT_GT(fs::file_size(folder.file("m.onnx")), 100u);
  EXPECT_TRUE(run_evaluation(run, "").figures.find("test_accuracy"));
  EXPECT_EQ(data_folder_of(run, "elsewhere"), "elsewhere");
  EXPECT_EQ(data_folder_of(folder.file("data"), ""), "");

  fs::remove(run + "/model.safetensors");
  EXPECT_NE(
      message_of<IoError>([&] { run_evaluation(run, ""); }).find("has not ended: go on with eigengrad train --resume"),
      std::string::npos);
  const io::FolderLock lock(run);
  EXPECT_NE(message_of<IoError>([&] { run_evaluation(run, ""); }).find("is still at work"), std::string::npos);
}

TEST(HtmlReport, EscapesAllThatOthersWrote) {
  const TempFolder folder;
  const std::string evil = "<script>alert('x')</script>&\"";
  Value config = three_epochs(), result = Value::object();
  config.set(evil, Value::Array{evil, 1, Value::object()});
  for (const char* key : {"reason", "stopped_by", "data"}) result.set(key, evil);
  result.set("test_" + evil, 0.5);
  result.set("machine", Value::object()).set("processor", evil);
  Value epoch = Value::object();
  epoch.set("epoch", 1);
  epoch.set(evil, 2.5);
  epoch.set("valid_" + evil, Value());
  epoch.set("grad_norm", evil);
  io::write_file(folder.file("config.json"), config::to_json(config));
  io::write_file(folder.file("result.json"), config::to_json(result));
  io::write_file(folder.file("metrics.jsonl"), config::to_json(epoch, -1) + "\n");
  ReportMatter matter{.data = evil, .test_data = evil, .class_names = {evil, "b"}, .notes = {evil}};
  matter.answers = Answers{.samples = 4, .classes = 2, .confusion = {1, 1, 0, 2}, .mistakes = {{0, 0, 1, 0.9, 0.1}}};
  matter.answers->sequences = {{{0, 1}, {1, 1}, {0.1, 0.9}}};
  matter.mistake_images = {io::png_data_uri(zeros({4, 4}))};
  const std::string page = report_page(folder.file("."), matter);
  EXPECT_EQ(unbalanced(page), "");
  expect_offline(page);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("alert('x')"), std::string::npos);
  EXPECT_GE(count(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;"), 15u);
}

TEST(HtmlReport, SaysWhatIsMissing) {
  const TempFolder folder;
  EXPECT_THROW(remake_report(folder.file("nothing"), ""), IoError);
  io::write_file(folder.file("config.json"), "[1]");
  EXPECT_THROW(remake_report(folder.file("."), ""), FormatError);
  Value config = three_epochs();
  config::set_by_path(config, "data", R"({"type": "Text", "file": "none.txt"})");
  io::write_file(folder.file("config.json"), config::to_json(config));
  remake_report(folder.file("."), "");
  EXPECT_NE(page_in(folder.file(".")).find("Without the answers of the model: "), std::string::npos);
  io::write_file(folder.file("config.json"), config::to_json(three_epochs()));
  remake_report(folder.file("."), "");  // no weights
  const std::string page = page_in(folder.file("."));
  EXPECT_NE(page.find("model.safetensors"), std::string::npos);
  EXPECT_NE(page.find("7\u202f850 parameters"), std::string::npos);  // but the model is known
  io::write_file(folder.file("result.json"), R"({"data": "other digits"})");
  remake_report(folder.file("."), "");
  EXPECT_NE(page_in(folder.file(".")).find("trained on other digits, but here are embedded digits"), std::string::npos);
  io::write_file(folder.file("metrics.jsonl"), "{\"epoch\": 1}\nnonsense\n{\"epoch\": 2}\n");
  EXPECT_THROW(remake_report(folder.file("."), ""), Error);
}

TEST(HtmlReport, ShowsNumbers) {
  const TempFolder folder;
  manual_seed(3);
  train::Run run = build_run(three_epochs(), "f.json", "");
  const Tensor x = randn({90, 3});
  run.data.train = run.data.test = std::make_shared<data::TensorDataset>(x, narrow(x, 1, 0, 2) * 2 + 1);
  run.model = std::make_shared<nn::Sequential>(nn::Linear(3, 2));
  run.loss = std::make_shared<nn::MSELoss>();
  io::write_file(folder.file("config.json"), config::to_json(run.resolved));
  write_report(folder.file("."), run);
  const std::string page = page_in(folder.file("."));
  EXPECT_EQ(unbalanced(page), "");
  for (const char* part : {"Outputs against targets 1", "Errors 2", "90 samples"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  EXPECT_EQ(page.find("Confusion matrix"), std::string::npos);
}

// ---- What it is made of.

TEST(Answers, AreThoseOfAHandCount) {
  // A model that gives its input back, as scores of three classes.
  nn::Sequential model;
  model.push_back(std::make_shared<nn::Identity>());
  const Tensor scores = tensor<float>({{2, 0, 0}, {0, 9, 0}, {0, 3, 0}, {0, 0, 1}, {5, 0, 0}});
  const auto dataset = std::make_shared<data::TensorDataset>(scores, tensor<std::int64_t>({0, 2, 0, 2, 1}), 3);
  const Answers answers = collect_answers(model, nn::CrossEntropyLoss(), dataset, {.mistakes = 2});
  EXPECT_EQ(answers.samples, 5);
  EXPECT_EQ(answers.confusion, (std::vector<double>{1, 1, 0, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(answers.counts(0).right, 1);
  EXPECT_EQ(answers.counts(0).predicted, 2);
  EXPECT_EQ(answers.counts(1).actual, 1);
  ASSERT_EQ(answers.mistakes.size(), 2u);  // the surest of three
  EXPECT_EQ(answers.mistakes[0].sample, 1);
  EXPECT_EQ(answers.mistakes[0].label, 2);
  EXPECT_EQ(answers.mistakes[0].predicted, 1);
  EXPECT_NEAR(answers.mistakes[0].probability, std::exp(9) / (std::exp(9) + 2), 1e-12);
  EXPECT_NEAR(answers.mistakes[0].label_probability, 1 / (std::exp(9) + 2), 1e-12);
  EXPECT_EQ(answers.mistakes[1].sample, 4);
}

TEST(Answers, HoldSequences) {
  nn::Sequential model;
  model.push_back(std::make_shared<nn::Identity>());
  const Tensor scores = reshape(tensor<float>({1, 0, 5, 0, 2, 0}), {1, 2, 3});  // [N, C, L]
  const auto dataset = std::make_shared<data::TensorDataset>(scores, tensor<std::int64_t>({{0, 1, 1}}), 2);
  const Answers answers = collect_answers(model, nn::CrossEntropyLoss(), dataset);
  ASSERT_EQ(answers.sequences.size(), 1u);
  EXPECT_EQ(answers.sequences[0].predicted, (std::vector<std::int64_t>{0, 1, 0}));
  EXPECT_NEAR(answers.sequences[0].probabilities[2], 1 / (1 + std::exp(5)), 1e-12);
  EXPECT_TRUE(answers.mistakes.empty());
  EXPECT_EQ(answers.confusion, (std::vector<double>{1, 0, 1, 1}));
}

TEST(StepProfile, SharesTheTimeAndLeavesTheModelAlone) {
  const train::Run run = build_run(three_epochs(), "f.json", "");
  const auto before = run.model->parameters()[0].to_vector<float>();
  const nn::Summary summary = nn::summary(*run.model, Shape{1, 1, 28, 28});
  const StepProfile profile = profile_step(run, summary);
  ASSERT_EQ(profile.modules.size(), 3u);
  const ModuleTime &all = profile.modules[0], &linear = profile.modules[2];
  EXPECT_GT(linear.forward, 0);
  EXPECT_GT(linear.backward, 0);
  EXPECT_NEAR(all.forward, profile.modules[1].forward + linear.forward, 1e-9);
  EXPECT_LT(all.forward + all.backward, profile.seconds);  // the rest is the loss
  EXPECT_EQ(run.model->parameters()[0].to_vector<float>(), before);
  EXPECT_FALSE(run.model->parameters()[0].grad().defined());
}

}  // namespace
}  // namespace eigengrad::train
