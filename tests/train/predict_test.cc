#include "eigengrad/train/predict.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/random.h"
#include "eigengrad/data/csv.h"
#include "eigengrad/data/digits.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/image.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/train/run.h"
#include "tests/expect_error.h"
#include "tests/temp_folder.h"

namespace eigengrad::train {
namespace {

using config::parse_json;
using config::Value;
using Strings = std::vector<std::string>;

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

// Trains by a configuration whose parts are given, into the folder `run`.
void train_run(const TempFolder& folder, const std::string& data, const std::string& layers, const std::string& loss) {
  const Value config = parse_json(R"({"seed": 3, "data": )" + data + R"(, "training": {"batch_size": 16},
      "model": {"type": "Sequential", "layers": )" +
                                  layers + R"(}, "loss": ")" + loss + R"(",
      "optimizer": {"type": "Adam", "lr": 0.02}, "stopping": [{"type": "max_epochs", "epochs": 40}]})");
  run_training(config, "f.json", {folder.path(), folder.file("run")});
}

// Points around three places, far from 0 and of very different scale, so that a net needs them standardised.
std::string points(int count, std::uint64_t seed, bool labelled) {
  Generator random(seed);
  std::string text = labelled ? "id,east,north,place\r\n" : "north,east\r\n";
  for (int i = 0; i < count; ++i) {
    const double east = 1000 + 10 * (i % 3) + random.normal(), north = 0.01 * (i % 3 == 1) + 0.001 * random.normal();
    text += labelled ? std::to_string(i) + "," + std::to_string(east) + "," + std::to_string(north) + ",\"place " +
                           std::to_string(i % 3) + "\"\r\n"
                     : std::to_string(north) + "," + std::to_string(east) + "\r\n";
  }
  return text;
}

class Places : public testing::Test {
 protected:
  void SetUp() override {
    write(folder.file("places.csv"), points(150, 1, true));
    train_run(
        folder, R"({"type": "CSV", "file": "places.csv", "label": "place", "ignore": ["id"]})",
        R"([{"type": "Linear", "out_features": 8}, "ReLU", {"type": "Dropout", "p": 0.1}, {"type": "Linear", "out_features": 3}])",
        "CrossEntropyLoss");
  }
  std::string run() const { return folder.file("run"); }
  const TempFolder folder;
};

TEST_F(Places, ArePredictedFromRows) {
  write(folder.file("new.csv"), points(60, 2, false));
  const Predictor predictor(run());
  EXPECT_EQ(predictor.class_names(), (Strings{"place 0", "place 1", "place 2"}));
  const std::vector<Prediction> all = predictor.predict(folder.file("new.csv"));
  ASSERT_EQ(all.size(), 60u);
  int right = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::vector<double>& p = all[i].values;
    ASSERT_EQ(p.size(), 3u);
    EXPECT_NEAR(p[0] + p[1] + p[2], 1, 1e-5);
    right += std::max_element(p.begin(), p.end()) - p.begin() == static_cast<std::ptrdiff_t>(i % 3);
  }
  EXPECT_GE(right, 57);
  EXPECT_EQ(all[1].name, folder.file("new.csv") + ":3");
  // The same rows with the columns, and the label, of the training file.
  write(folder.file("old.csv"), points(60, 2, true));
  EXPECT_EQ(predictor.predict(folder.file("old.csv"))[7].values, all[7].values);
  write(folder.file("bad.csv"), "north\r\n1\r\n");
  expect_error<FormatError>([&] { predictor.predict(folder.file("bad.csv")); }, {"bad.csv", "no column 'east'"});
  expect_error<IoError>([&] { predictor.predict(folder.path()); },
                        {"found a folder, expected a CSV table with the columns 'east', 'north'"});
}

TEST_F(Places, StayAsTheyWereLearnedWhenTheFileChanges) {
  const double before = *run_evaluation(run(), folder.path()).figures.find("test_loss")->as_double();
  Predictor predictor(run());
  write(folder.file("new.csv"), points(3, 2, false));
  const auto values = predictor.predict(folder.file("new.csv"))[0].values;
  write(folder.file("places.csv"), points(150, 1, true) + "150,5000,7,\"place 0\"\r\n");
  EXPECT_EQ(Predictor(run()).predict(folder.file("new.csv"))[0].values, values);
  EXPECT_TRUE(std::isfinite(before));
}

TEST_F(Places, AreWrittenInThreeWays) {
  const std::vector<Prediction> two{{"a,b.csv:2", {0.25, 0.5, 0.25}}, {"c\x1B.csv:3", {0.9, 0.1, 0}}};
  const Strings names{"x", "y \"z\"", "w"};
  EXPECT_EQ(to_csv(two, names),
            "input,class,x,\"y \"\"z\"\"\",w\n\"a,b.csv:2\",\"y \"\"z\"\"\",0.25,0.5,0.25\nc\x1B.csv:3,x,0.9,0.1,0\n");
  EXPECT_EQ(to_text(two, names, 2),
            "a,b.csv:2  y \"z\" (50.0 %), x (25.0 %)\nc\\x1b.csv:3  x (90.0 %), y \"z\" (10.0 %)\n");
  EXPECT_EQ(to_json(two, names, 1), parse_json(R"([{"input": "a,b.csv:2", "class": "y \"z\"", "probability": 0.5,
      "top": [{"class": "y \"z\"", "probability": 0.5}]}, {"input": "c\u001b.csv:3", "class": "x", "probability": 0.9,
      "top": [{"class": "x", "probability": 0.9}]}])"));
  EXPECT_EQ(to_json(two, names, 9).as_array()->at(0).find("top")->as_array()->size(), 3u);
  EXPECT_THROW(to_text(two, names, 0), ValueError);
  // What is written as a table reads as one.
  write(folder.file("out.csv"), to_csv(two, names));
  data::CsvReader reader(folder.file("out.csv"));
  reader.next();
  EXPECT_EQ(reader[3], "y \"z\"");
  const std::vector<Prediction> number{{"a", {1.5}}};
  EXPECT_EQ(to_csv(number, {}), "input,value\na,1.5\n");
  EXPECT_EQ(to_text(number, {}, 3), "a  1.5\n");
  EXPECT_EQ(to_json(number, {}, 3), parse_json(R"([{"input": "a", "values": [1.5]}])"));
  EXPECT_EQ(to_json(number, {}, 3, {"price"}), parse_json(R"([{"input": "a", "values": {"price": 1.5}}])"));
}

TEST_F(Places, ComeFromAModelThatIsLoadedAlone) {
  manual_seed(5);
  default_generator().next_u32();
  const std::uint64_t offset = default_generator().offset();
  const auto model = load_model(run());
  EXPECT_EQ(default_generator().offset(), offset);
  EXPECT_FALSE(model->is_training());
  const io::NamedTensors saved = io::load_safetensors(folder.file("run/model.safetensors")).tensors;
  const auto state = model->state_dict();
  ASSERT_EQ(state.size(), saved.size());
  for (std::size_t i = 0; i < saved.size(); ++i)
    EXPECT_EQ(state[i].second.to_vector<float>(), saved[i].second.to_vector<float>());
  EXPECT_EQ((*model)(zeros({2, 2})).shape(), (Shape{2, 3}));
  const Predictor predictor(run());
  EXPECT_EQ(predictor.predict(zeros({2, 2})).shape(), (Shape{2, 3}));
}

TEST_F(Places, AreRefusedFromWhatIsNotARun) {
  EXPECT_THROW(load_model(folder.file("none")), IoError);
  const Value config = config::read_json_file(folder.file("run/config.json"));
  const auto with = [&](const char* path, const char* text) {
    Value changed = config;
    config::set_by_path(changed, path, text);
    write(folder.file("run/config.json"), config::to_json(changed));
  };
  with("data.means", "[]");
  expect_error<ConfigError>([&] { load_model(run()); }, "expected those that a run has left");
  with("data.features", "[\"east\"]");
  expect_error<ConfigError>([&] { load_model(run()); }, "expected those that a run has left");
  with("model.layers.0.out_features", "9");
  expect_error<ConfigError>([&] { load_model(run()); }, {"config.json", "/model/layers/3"});
  with("model.layers", R"([{"type": "Linear", "out_features": 3}])");
  expect_error<FormatError>([&] { load_model(run()); }, {"model.safetensors", "not the weights of the model of"});
  write(folder.file("run/config.json"), "{}");
  expect_error<ConfigError>([&] { load_model(run()); }, {"config.json", "'data' is missing"});
  write(folder.file("run/config.json"), config::to_json(config));
  write(folder.file("run/model.safetensors"), "12345678");
  expect_error<FormatError>([&] { load_model(run()); }, "model.safetensors");
}

TEST(Predictor, TellsNumbersInTheirOwnUnits) {
  const TempFolder folder;
  std::string text = "x,price\n";
  for (int i = 0; i < 60; ++i) text += std::to_string(i) + "," + std::to_string(20000 + 1000 * i) + "\n";
  write(folder.file("prices.csv"), text);
  train_run(folder, R"({"type": "CSV", "file": "prices.csv", "label": "price", "task": "regression",
      "standardize_target": true})",
            R"([{"type": "Linear", "out_features": 1}])", "MSELoss");
  write(folder.file("new.csv"), "x\n10\n70\n");
  const Predictor predictor(folder.file("run"));
  EXPECT_TRUE(predictor.class_names().empty());
  const auto all = predictor.predict(folder.file("new.csv"));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_NEAR(all[0].values[0], 30000, 1500);
  EXPECT_NEAR(all[1].values[0], 90000, 3000);
}

TEST(Predictor, TellsSeveralNumbersFromCategories) {
  const TempFolder folder;
  const Strings colours{"red", "green", "blue"};
  std::string text = "colour,x,up,down\n";
  for (int i = 0; i < 90; ++i)
    text += colours[static_cast<std::size_t>(i % 3)] + "," + std::to_string(i) + "," +
            std::to_string(10 * (i % 3) + 0.1 * i) + "," + std::to_string(-5 * (i % 3)) + "\n";
  write(folder.file("shades.csv"), text);
  train_run(folder, R"({"type": "CSV", "file": "shades.csv", "label": ["up", "down"], "task": "regression",
      "standardize_target": true})",
            R"([{"type": "Linear", "out_features": 2}])", "MSELoss");
  write(folder.file("new.csv"), "x,colour\n30,green\n60,blue\n");
  const Predictor predictor(folder.file("run"));
  const auto all = predictor.predict(folder.file("new.csv"));
  ASSERT_EQ(all.size(), 2u);
  ASSERT_EQ(all[0].values.size(), 2u);
  EXPECT_NEAR(all[0].values[0], 13, 1);
  EXPECT_NEAR(all[0].values[1], -5, 0.7);
  EXPECT_NEAR(all[1].values[0], 26, 1);
  EXPECT_NEAR(all[1].values[1], -10, 0.7);
  EXPECT_EQ(to_csv(all, {}).substr(0, 22), "input,value_0,value_1\n");
  EXPECT_EQ(to_csv(all, {}, predictor.reader().target_names()).substr(0, 14), "input,up,down\n");
  EXPECT_EQ(to_text({{"a", {1.5, -2}}}, {}, 3, predictor.reader().target_names()), "a  up 1.5, down -2\n");
  EXPECT_EQ(to_text({{"a", {1.5}}}, {}, 3, {"up"}), "a  1.5\n");
  write(folder.file("new.csv"), "x,colour\n30,pink\n");
  expect_error<FormatError>([&] { predictor.predict(folder.file("new.csv")); },
                            "expected one of the categories 'blue'");
  const Value figures = run_evaluation(folder.file("run"), "").figures;
  EXPECT_LT(*figures.find("test_loss")->as_double(), 0.02);
}

TEST(Predictor, RefusesFoldersThatHaveNoEndOrCannotBeRead) {
  const TempFolder folder;
  train_run(folder, R"({"type": "Digits", "train": 40, "test": 10})",
            R"(["Flatten", {"type": "Linear", "out_features": 10}])", "CrossEntropyLoss");
  const Predictor predictor(folder.file("run"));
  namespace fs = std::filesystem;
  const std::string all = folder.file("all");
  const auto refuse = [&](std::initializer_list<std::string> words) {
    expect_error<IoError>([&] { predictor.predict(all); }, words);
    fs::remove_all(all);
    fs::create_directories(all + "/inner");
  };
  fs::create_directories(all);
  fs::create_directory_symlink(all, all + "/loop");
  refuse({"/all/loop", "a second time"});
  fs::create_directory_symlink("inner", all + "/also");
  refuse({"/all/inner", "a second time"});
  fs::create_symlink("self.png", all + "/self.png");
  refuse({"self.png"});
  ::mkfifo((all + "/pipe.png").c_str(), 0600);
  refuse({"pipe.png", "not a regular file"});
  fs::create_symlink("self", all + "/self");  // no image, and no folder
  refuse({"no .png file"});
}

TEST(Predictor, ReadsImages) {
  const TempFolder folder;
  train_run(folder,
            R"({"type": "Digits", "train": 400, "test": 50, "transforms": [{"type": "RandomShift", "pixels": 1}]})",
            R"(["Flatten", {"type": "Linear", "out_features": 10}])", "CrossEntropyLoss");
  const data::DatasetPtr plain = data::digits({.count = 20, .first = 1000, .normalization = {0, 1}}),
                         normal = data::digits({.count = 20, .first = 1000});
  const Predictor predictor(folder.file("run"));
  std::vector<std::int64_t> all(20);
  std::iota(all.begin(), all.end(), 0);
  const Tensor expected = predictor.predict(normal->get(all).inputs);
  int right = 0;
  for (const std::int64_t i : all) {
    const data::Batch batch = plain->get({&i, 1});
    const std::string path = folder.file("digit.png");
    io::save_png(path, select(batch.inputs, 0, 0));
    const auto found = predictor.predict(path);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].name, path);
    const std::vector<float> values = contiguous(select(expected, 0, i)).to_vector<float>();
    for (std::size_t k = 0; k < 10; ++k) EXPECT_NEAR(found[0].values[k], static_cast<double>(values[k]), 1e-4);
    right += std::max_element(values.begin(), values.end()) - values.begin() == batch.targets.item<std::int64_t>();
  }
  EXPECT_GE(right, 12);
  namespace fs = std::filesystem;
  fs::create_directories(folder.file("all/more/x.png"));
  expect_error<IoError>([&] { predictor.predict(folder.file("all")); }, {"/all", "no .png file"});
  for (const char* file : {"b.png", "a.PNG", "more/x.png/c.png", "more/b.png"})
    fs::copy(folder.file("digit.png"), folder.file("all/") + file);
  write(folder.file("all/notes.txt"), "no image");
  const auto found = predictor.predict(folder.file("all"));
  Strings names;
  for (const Prediction& one : found) names.push_back(one.name.substr(folder.path().size() + 1));
  EXPECT_EQ(names, (Strings{"all/a.PNG", "all/b.png", "all/more/b.png", "all/more/x.png/c.png"}));
  EXPECT_EQ(found[3].values, predictor.predict(folder.file("digit.png"))[0].values);
  write(folder.file("x.txt"), "no image");
  EXPECT_THROW(predictor.predict(folder.file("x.txt")), FormatError);
  EXPECT_THROW(predictor.predict(folder.file("none.png")), IoError);
}

}  // namespace
}  // namespace eigengrad::train
