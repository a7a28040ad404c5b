#include "eigengrad/data/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "tests/data/files.h"
#include "tests/expect_error.h"

namespace eigengrad::data {
namespace {

using Floats = std::vector<float>;
using Indices = std::vector<std::int64_t>;
using Strings = std::vector<std::string>;

void write_text(const TempFolder& folder, const std::string& name, const std::string& text) {
  write(folder, name, Bytes(text.begin(), text.end()));
}

Batch whole(const Dataset& dataset) {
  Indices all(static_cast<std::size_t>(dataset.size()));
  std::iota(all.begin(), all.end(), 0);
  return dataset.get(all);
}

// A table of flowers, and one to test on.
class Csv : public testing::Test {
 protected:
  void SetUp() override {
    write_text(folder, "train.csv", "id,width,kind,length\n1,1,rose,10\n2,3,aster,20\n3,5,rose,30\n");
    write_text(folder, "test.csv", "length,kind,width,id\n40,aster,3,9\n");
    options = {.file = "train.csv", .label = {"kind"}, .test_file = "test.csv", .ignore = {"id"}};
  }
  Source make() { return csv(options, folder.path()); }
  template <class E>
  void fails(std::initializer_list<std::string> words) {
    expect_error<E>([this] { make(); }, words);
  }

  const TempFolder folder;
  CsvOptions options;
};

TEST_F(Csv, StandardizesByTheTrainingRows) {
  const Source source = make();
  EXPECT_EQ(options.features, (Strings{"width", "length"}));
  EXPECT_EQ(options.classes, (Strings{"aster", "rose"}));
  EXPECT_EQ(options.means, (std::vector<double>{3, 20}));
  EXPECT_NEAR(options.stds[0], std::sqrt(8.0 / 3), 1e-12);
  const Batch train = whole(*source.train), test = whole(*source.test);
  const float one = static_cast<float>(std::sqrt(1.5));
  EXPECT_EQ(train.inputs.shape(), (Shape{3, 2}));
  const Floats values = train.inputs.to_vector<float>(), expected{-one, -one, 0, 0, one, one};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(values[i], expected[i], 1e-6f);
  EXPECT_EQ(train.targets.to_vector<std::int64_t>(), (Indices{1, 0, 1}));
  EXPECT_NEAR(test.inputs.to_vector<float>()[1], 2 * one, 1e-6f);
  EXPECT_EQ(test.targets.to_vector<std::int64_t>(), (Indices{0}));
  EXPECT_EQ(source.train->classes(), 2);
  EXPECT_EQ(source.train->class_names(), options.classes);
  EXPECT_EQ(source.train->target_shape(), Shape());
  EXPECT_EQ(source.train->description(), "train.csv: 3 rows of 2 features, 2 classes");
  EXPECT_THROW(source.train->get(Indices{3}), IndexError);
}

TEST_F(Csv, RefusesWhatIsTooFarFromTheMean) {
  write_text(folder, "train.csv", "width,kind,length\n1,rose,0\n1,aster,0\n1.001,rose,0\n");
  write_text(folder, "test.csv", "width,kind,length\n2e37,rose,0\n");
  options.ignore = {};
  fails<FormatError>({"the column 'width' has the value 2e+37", "more standard deviations (0.000471)"});
  options.standardize = false;
  EXPECT_EQ(whole(*make().test).inputs.to_vector<float>()[0], 2e37f);
  options.means = {1e300, 0};
  options.stds = {1, 1};
  options.missing = Missing::Mean;
  write_text(folder, "test.csv", "width,kind,length\n,rose,0\n");
  fails<FormatError>({"the column 'width' has the value 1e+300"});
}

TEST_F(Csv, CompletedOptionsMeanTheSame) {
  make();
  CsvOptions again = options;
  again.means = {0, 0};
  again.stds = {1, 2};
  const Source source = csv(again, folder.path());
  EXPECT_EQ(whole(*source.train).inputs.to_vector<float>(), (Floats{1, 5, 3, 10, 5, 15}));
  EXPECT_EQ(again.means, (std::vector<double>{0, 0}));
  options.standardize = false;
  EXPECT_EQ(whole(*make().train).inputs.to_vector<float>(), (Floats{1, 10, 3, 20, 5, 30}));
}

TEST_F(Csv, SplitsBySeed) {
  std::string text = "x,y\n";
  for (int i = 0; i < 50; ++i) text += std::to_string(i) + "," + (i % 2 ? "odd" : "even") + "\n";
  write_text(folder, "train.csv", text);
  options = {.file = "train.csv", .label = {"y"}, .test_fraction = 0.3, .standardize = false};
  const auto tested = [this](std::int64_t seed) {
    options.seed = seed;
    const Source source = make();
    Floats train = whole(*source.train).inputs.to_vector<float>(), test = whole(*source.test).inputs.to_vector<float>();
    EXPECT_EQ(train.size(), 35u);
    EXPECT_EQ(test.size(), 15u);
    train.insert(train.end(), test.begin(), test.end());
    EXPECT_EQ(std::accumulate(train.begin(), train.end(), 0.0f), 1225.0f);
    return test;
  };
  const Floats one = tested(1);
  EXPECT_EQ(tested(1), one);
  EXPECT_NE(tested(2), one);
  // Means are those of the rows that are trained on.
  CsvOptions fresh{.file = "train.csv", .label = {"y"}, .test_fraction = 0.3, .seed = 1};
  csv(fresh, folder.path());
  EXPECT_NEAR(fresh.means[0], (1225.0 - std::accumulate(one.begin(), one.end(), 0.0)) / 35, 1e-9);
  options.test_fraction = 0.001;
  fails<FormatError>({"test_fraction of 0.001 leaves 0 of 50 rows"});
}

TEST_F(Csv, TellsNumbers) {
  options.label = {"length"};
  options.ignore = {"id", "kind"};
  options.task = TableTask::Regression;
  const Source source = make();
  EXPECT_EQ(whole(*source.train).targets.to_vector<float>(), (Floats{10, 20, 30}));
  EXPECT_EQ(whole(*source.train).targets.shape(), (Shape{3, 1}));
  EXPECT_EQ(source.train->target_shape(), Shape{1});
  EXPECT_EQ(source.train->classes(), 0);
  EXPECT_TRUE(source.train->class_names().empty());
  options.standardize_target = true;
  const Floats standardized = whole(*make().train).targets.to_vector<float>();
  EXPECT_NEAR(standardized[2], std::sqrt(1.5f), 1e-6f);
  const Tensor restored = csv_inputs(options)->restored(tensor(standardized, {3, 1}));
  EXPECT_NEAR(restored.to_vector<float>()[2], 30, 1e-4f);
}

TEST_F(Csv, OrdersClassesThatAreNumbersAsNumbers) {
  write_text(folder, "train.csv", "x,y\n1,10\n2,9\n3,-1\n4,b\n5,a\n");
  options = {.file = "train.csv", .label = {"y"}};
  make();
  EXPECT_EQ(options.classes, (Strings{"-1", "9", "10", "a", "b"}));
}

TEST_F(Csv, HasAPolicyForMissingValues) {
  write_text(folder, "train.csv", "id,width,kind,length\n1,1,rose,10\n2,NA,aster,\n3,5,rose,30\n4,2,,30\n");
  fails<FormatError>({"train.csv:3:3: column 'width'", "'NA', a missing value"});
  options.missing = Missing::Mean;
  fails<FormatError>({"train.csv:5:5: column 'kind'", "missing value, but the label", "\"missing\": \"drop\""});
  write_text(folder, "train.csv", "id,width,kind,length\n1,1,rose,10\n2,NA,aster,\n3,5,rose,30\n");
  CsvOptions mean = options;
  EXPECT_NEAR(whole(*csv(mean, folder.path()).train).inputs.to_vector<float>()[2], 0, 1e-6f);
  EXPECT_EQ(mean.means, (std::vector<double>{3, 20}));
  mean.standardize = false;
  EXPECT_EQ(whole(*csv(mean, folder.path()).train).inputs.to_vector<float>(), (Floats{1, 10, 3, 20, 5, 30}));

  write_text(folder, "train.csv", "id,width,kind,length\n1,1,rose,10\n2,NA,aster,1\n3,5,aster,30\n4,2,,30\n");
  CsvOptions drop = options;
  drop.missing = Missing::Drop;
  const Source source = csv(drop, folder.path());
  EXPECT_EQ(source.train->size(), 2);
  EXPECT_EQ(source.note, "2 rows in which something is missing were left out");

  write_text(folder, "train.csv", "id,width,kind,length\n1,NA,rose,10\n2,NA,aster,1\n");
  fails<FormatError>({"column 'width' has no value"});
  drop.means = drop.stds = {};
  expect_error<FormatError>([&] { csv(drop, folder.path()); }, "there are no rows in which nothing is missing");
}

TEST_F(Csv, SaysWhatIsWrongInTheFile) {
  const auto with = [this](const std::string& text, std::initializer_list<std::string> words) {
    write_text(folder, "train.csv", text);
    options.features.clear();
    options.classes.clear();
    options.means.clear();
    options.stds.clear();
    options.categories.clear();
    fails<FormatError>(words);
  };
  with("", {"train.csv: the file is empty"});
  with("id,width,kind,length\n", {"there are no rows"});
  with("id,width,kind,length\n1,2,rose\n", {"train.csv:2:9:", "found 3 fields, expected the 4"});
  with("id,width,kind,length\n1,2,rose,4,5\n", {"train.csv:2:12:", "found 5 fields, expected the 4"});
  with("id,width,kind,length\n1,2,rose,4\n1,x,rose,4\n",
       {"train.csv:3:3: column 'width': found 'x', expected a number"});
  with("id,width,kind,length\n1,x,rose,4\n1,2e999,rose,4\n",
       {"train.csv:3:3: column 'width': found the number '2e999' behind texts", "\"categorical\""});
  with("id,width,kind,length\n1,1e39,rose,4\n", {"train.csv:2:3:", "beyond the numbers of float32"});
  with("id,width,kind,length\n1,2,rose,4\n1,\"2,5\",rose,4\n",
       {"train.csv:3:3: column 'width': found '2,5', expected a number; \"decimal\": \",\" is for"});
  with("id,width,kind,length\n1,\"2,5\",rose,4\n1,2,rose,4\n",
       {"train.csv:3:3: column 'width': found the number '2' behind texts", "\"decimal\": \",\" is for"});
  with("id,width,kind,length\n1,2,rose,4\n1,2,rose,4\n", {"'kind' has only the class 'rose'"});
  with("id,width,sort,length\n1,2,rose,4\n", {"no column 'kind' for the label", "'sort'"});
  with("id,width,width,length\n", {"train.csv:1:10:", "'width' is there twice"});
  with("id,,kind,length\n", {"train.csv:1:4:", "without a name"});
  with("id,width,kind,length\n1,1,rose,10\n2,1,aster\x1B,20\n",
       {"test.csv:2:4:", "'aster', expected one of the classes", "aster\\x1b"});
}

TEST_F(Csv, SaysWhatIsWrongInTheOptions) {
  const CsvOptions good = options;
  const auto with = [&](const std::function<void(CsvOptions&)>& change, std::initializer_list<std::string> words) {
    options = good;
    change(options);
    expect_error<Error>([this] { make(); }, words);
  };
  with([](CsvOptions& o) { o.ignore = {"none"}; }, {"ignore names the column 'none'", "'width'"});
  with([](CsvOptions& o) { o.features = {"width", "none"}; }, {"features names the column 'none'"});
  with([](CsvOptions& o) { o.features = {"width", "width"}; }, {"a second time"});
  with([](CsvOptions& o) { o.features = {"kind"}; }, {"also the label"});
  with([](CsvOptions& o) { o.features = {"id"}; }, {"one to ignore"});
  with([](CsvOptions& o) { o.ignore = {"id", "width", "length"}; }, {"no column besides"});
  with([](CsvOptions& o) { o.separator = ",,"; }, {"separator: found ',,', expected one character"});
  with([](CsvOptions& o) { o.separator = "\n"; }, {"separator: found '\\x0a'"});
  with([](CsvOptions& o) { o.separator = "\""; }, {"separator: found '\"'"});
  with([](CsvOptions& o) { o.decimal = ";"; }, {"decimal: found ';', expected . or ,"});
  with([](CsvOptions& o) { o.standardize_target = true; }, {"standardize_target is for"});
  with([](CsvOptions& o) { o.means = {1}; }, {"found 1 means and 0 stds"});
  with([](CsvOptions& o) { o.means = {1, 2}, o.stds = {1, 0}; }, {"stds"});
  with([](CsvOptions& o) { o.classes = {"rose", "rose"}; }, {"classes names 'rose' twice"});
  with(
      [](CsvOptions& o) {
        o.classes = {"rose", "tulip"};
      },
      {"train.csv:3:5:", "'aster', expected one of the classes 'rose', 'tulip'"});
  with([](CsvOptions& o) { o.task = TableTask::Regression, o.classes = {"a", "b"}; }, {"classes are for"});
  with([](CsvOptions& o) { o.label = {}; }, {"label names no column"});
  with([](CsvOptions& o) { o.label = {"kind", "id"}; }, {"label names 2 columns, which is for"});
  with([](CsvOptions& o) { o.label = {"id", "id"}, o.task = TableTask::Regression; }, {"label names 'id' twice"});
  with([](CsvOptions& o) { o.target_mean_std = {1, 2, 3, 4}; }, {"target_mean_std has 4 numbers"});
  with([](CsvOptions& o) { o.target_mean_std = {1, -2}; }, {"found -2 in target_mean_std"});
  with([](CsvOptions& o) { o.categorical = {"none"}; }, {"categorical names the column 'none'", "'width', 'length'"});
  with([](CsvOptions& o) { o.categories = {{"kind", {"a"}}}; }, {"categories names the column 'kind'"});
  with([](CsvOptions& o) { o.categories = {{"width", {}}}; }, {"categories has none for the column 'width'"});
  with([](CsvOptions& o) { o.categories = {{"width", {"1", "1"}}}; }, {"column 'width' names '1' twice"});
  with([](CsvOptions& o) { o.test_fraction = 1; }, {"test_fraction"});
  with([](CsvOptions& o) { o.file = "none.csv"; }, {"none.csv", "No such file"});
}

TEST_F(Csv, ReadsInputsAlone) {
  expect_error<ConfigError>([this] { csv_inputs(options); }, "expected those that a run has left");
  make();
  write_text(folder, "new.csv", "length,note,width\n30,\"a\nb\",1\n\n10,c,5\n");
  const InputReaderPtr reader = csv_inputs(options);
  EXPECT_EQ(reader->input_shape(), Shape{2});
  EXPECT_EQ(reader->class_names(), (Strings{"aster", "rose"}));
  const Inputs inputs = reader->read(folder.file("new.csv"));
  EXPECT_EQ(inputs.name(0), folder.file("new.csv") + ":2");
  EXPECT_EQ(inputs.name(1), folder.file("new.csv") + ":5");
  const Floats values = inputs.inputs.to_vector<float>();
  const float one = static_cast<float>(std::sqrt(1.5));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(values[i], (Floats{-one, one, one, -one})[i], 1e-6f);
  write_text(folder, "new.csv", "length\n30\n");
  expect_error<FormatError>([&] { reader->read(folder.file("new.csv")); },
                            {"no column 'width'; the header has 'length'"});
  write_text(folder, "new.csv", "length,width\n,1\n");
  expect_error<FormatError>([&] { reader->read(folder.file("new.csv")); }, {"new.csv:2:1:", "missing value"});
  options.missing = Missing::Mean;
  EXPECT_EQ(csv_inputs(options)->read(folder.file("new.csv")).inputs.to_vector<float>()[1], 0);
}

// A table of shirts.
class Categories : public Csv {
 protected:
  void SetUp() override {
    write_text(folder, "train.csv", "colour,size,price\nred,M,1\nblue,L,2\nred,S,3\ngreen,M,6\n");
    write_text(folder, "test.csv", "colour,size,price\nblue,L,3\n");
    options = {.file = "train.csv",
               .label = {"price"},
               .task = TableTask::Regression,
               .test_file = "test.csv",
               .features = {"colour"}};
  }
  Floats read_new(const std::string& text) {
    write_text(folder, "new.csv", text);
    return csv_inputs(options)->read(folder.file("new.csv")).inputs.to_vector<float>();
  }
};

TEST_F(Categories, OfTextsAreFoundAndSpread) {
  options.features = {"colour", "price"};
  options.label = {"size"};
  options.task = TableTask::Classification;
  const Source source = make();
  EXPECT_EQ(options.categories, (ColumnCategories{{"colour", {"blue", "green", "red"}}}));
  EXPECT_EQ(options.means, (std::vector<double>{0.25, 0.25, 0.5, 3}));
  EXPECT_EQ(Floats(options.stds.begin(), options.stds.end() - 1), (Floats{1, 1, 1}));
  EXPECT_EQ(source.train->input_shape(), Shape{4});
  EXPECT_EQ(source.train->description(), "train.csv: 4 rows of 2 features, 1 of them categorical, 3 classes");
  const Batch train = whole(*source.train), test = whole(*source.test);
  const float low = static_cast<float>((1 - 3) / options.stds[3]);
  const Floats values = train.inputs.to_vector<float>();
  EXPECT_EQ(Floats(values.begin(), values.begin() + 3), (Floats{0, 0, 1}));
  EXPECT_EQ(values[3], low);
  EXPECT_EQ(Floats(values.begin() + 12, values.begin() + 15), (Floats{0, 1, 0}));
  EXPECT_EQ(test.inputs.to_vector<float>(), (Floats{1, 0, 0, 0}));

  EXPECT_EQ(csv_inputs(options)->input_shape(), Shape{4});
  EXPECT_EQ(read_new("price,colour\n3,green\n3,red\n"), (Floats{0, 1, 0, 0, 0, 0, 1, 0}));
  // With completed options the same data are the same.
  const ColumnCategories found = options.categories;
  EXPECT_EQ(whole(*make().train).inputs.to_vector<float>(), values);
  EXPECT_EQ(options.categories, found);
}

TEST_F(Categories, ThatAreNotKnownAreErrorsOrNone) {
  make();
  expect_error<FormatError>([&] { read_new("colour\nred\npink\n"); },
                            {"new.csv:3:1: column 'colour': found 'pink', expected one of the categories 'blue'"});
  write_text(folder, "test.csv", "colour,size,price\npink,L,3\n");
  fails<FormatError>({"test.csv:2:1:", "'pink'"});
  options.unknown = Unknown::Ignore;
  EXPECT_EQ(read_new("colour\nred\npink\n"), (Floats{0, 0, 1, 0, 0, 0}));
  EXPECT_EQ(whole(*make().test).inputs.to_vector<float>(), (Floats{0, 0, 0}));
}

TEST_F(Categories, ThatAreMissingAreTheirMean) {
  write_text(folder, "train.csv", "colour,size,price\nred,M,1\n,L,2\nred,S,3\ngreen,M,6\n");
  write_text(folder, "test.csv", "colour,size,price\nred,L,3\n");
  fails<FormatError>({"train.csv:3:1: column 'colour'", "a missing value"});
  options.missing = Missing::Mean;
  const Floats values = whole(*make().train).inputs.to_vector<float>();
  EXPECT_NEAR(values[2], 1.0 / 3, 1e-6);
  EXPECT_NEAR(values[3], 2.0 / 3, 1e-6);
  EXPECT_EQ(options.categories[0].second, (Strings{"green", "red"}));
  EXPECT_NEAR(read_new("colour\nNA\n")[1], 2.0 / 3, 1e-6);
  options.missing = Missing::Drop;
  EXPECT_EQ(make().train->size(), 3);
}

TEST_F(Categories, MayBeNumbersInAnOrder) {
  options.features = {"size"};
  options.encoding = Encoding::Ordinal;
  options.standardize = false;
  options.categories = {{"size", {"S", "M", "L"}}};
  EXPECT_EQ(whole(*make().train).inputs.to_vector<float>(), (Floats{1, 2, 0, 1}));
  EXPECT_EQ(options.means, (std::vector<double>{1}));
  options.standardize = true;
  options.unknown = Unknown::Ignore;
  EXPECT_EQ(read_new("size\nXXL\nM\n"), (Floats{0, 0}));
  EXPECT_NEAR(read_new("size\nL\n")[0], std::sqrt(2.0f), 1e-6f);
}

TEST_F(Categories, MayLookLikeNumbers) {
  write_text(folder, "train.csv", "colour,zip,price\nred,10,1\nred,9,2\nred,x,4\n");
  write_text(folder, "test.csv", "colour,zip,price\nred,10,1\n");
  options.features = {"zip"};
  fails<FormatError>({"train.csv:4:5: column 'zip': found 'x', expected a number"});
  options.categorical = {"zip"};
  const Source source = make();
  EXPECT_EQ(options.categories, (ColumnCategories{{"zip", {"9", "10", "x"}}}));
  EXPECT_EQ(whole(*source.test).inputs.to_vector<float>(), (Floats{0, 1, 0}));
}

TEST_F(Categories, AreNotAsManyAsRows) {
  std::string text = "colour,size,price\n";
  for (int i = 0; i <= 1000; ++i) text += "c" + std::to_string(i) + ",M," + std::to_string(i) + "\n";
  write_text(folder, "train.csv", text);
  fails<FormatError>({"train.csv:1002:1: column 'colour': found more than 1000 categories", "\"ignore\""});
}

TEST_F(Categories, StandBesideSeveralTargets) {
  write_text(folder, "train.csv", "colour,a,b\nred,1,10\nblue,3,30\nred,5,20\n");
  write_text(folder, "test.csv", "b,a,colour\n7,8,red\n");
  options.label = {"b", "a"};
  options.features.clear();
  const Source source = make();
  EXPECT_EQ(options.features, Strings{"colour"});
  EXPECT_EQ(source.train->target_shape(), Shape{2});
  EXPECT_EQ(whole(*source.train).targets.to_vector<float>(), (Floats{10, 1, 30, 3, 20, 5}));
  EXPECT_EQ(whole(*source.test).targets.to_vector<float>(), (Floats{7, 8}));
  EXPECT_EQ(source.train->description(), "train.csv: 3 rows of 1 features, 1 of them categorical, 2 numbers to tell");
  EXPECT_EQ(options.target_mean_std.size(), 4u);
  EXPECT_EQ(options.target_mean_std[2], 3);
  options.standardize_target = true;
  const Floats targets = whole(*make().train).targets.to_vector<float>();
  EXPECT_NEAR(targets[2], std::sqrt(1.5), 1e-6);
  EXPECT_NEAR(targets[5], std::sqrt(1.5), 1e-6);
  const Floats restored = csv_inputs(options)->restored(tensor(targets, {3, 2})).to_vector<float>();
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(restored[i], (Floats{10, 1, 30, 3, 20, 5})[i], 1e-5f);
}

TEST_F(Csv, ReadsNumbersWithADecimalComma) {
  write_text(folder, "train.csv", "a;y\n1,5;no\n-2;yes\n+3,25e1;no\n");
  options = {.file = "train.csv",
             .label = {"y"},
             .test_file = "train.csv",
             .separator = ";",
             .decimal = ",",
             .standardize = false};
  EXPECT_EQ(whole(*make().train).inputs.to_vector<float>(), (Floats{1.5f, -2, 32.5f}));
  write_text(folder, "train.csv", "a;y\n1,5;no\n2.5;yes\n");
  fails<FormatError>({"train.csv:3:1: column 'a': found '2.5', expected a number"});
}

TEST_F(Csv, SaysWhatStandardisedNumbersMean) {
  options = {.file = "train.csv",
             .label = {"length", "width"},
             .task = TableTask::Regression,
             .test_file = "test.csv",
             .ignore = {"id"},
             .unknown = Unknown::Ignore};
  EXPECT_EQ(make().target_note, "");
  options.standardize_target = true;
  EXPECT_EQ(make().target_note,
            "standardised: in the loss and the metrics 1 stands for 8.16497 of 'length', 1.63299 of 'width'");
}

TEST_F(Csv, ItsFingerprintFollowsFromAllOfIt) {
  const std::uint64_t before = *make().train->fingerprint();
  EXPECT_EQ(*make().train->fingerprint(), before);
  write_text(folder, "train.csv", "id,width,kind,length\n1,1,rose,10\n2,3,aster,20\n3,5,rose,31\n");
  EXPECT_NE(*make().train->fingerprint(), before);
  write_text(folder, "train.csv", "id,width,kind,length\n1,1,rose,10\n2,3,rose,20\n3,5,rose,30\n");
  EXPECT_NE(*make().train->fingerprint(), before);
}

TEST(TableDataset, Refusals) {
  EXPECT_THROW(TableDataset({2, {1, 2, 3}, {0, 0}, {}}, {"a"}, ""), ShapeError);
  EXPECT_THROW(TableDataset({0, {}, {}, {}}, {"a"}, ""), ShapeError);
  EXPECT_THROW(TableDataset({1, {1, 2}, {0, 1}, {}}, {"a"}, ""), IndexError);
  EXPECT_THROW(TableDataset({1, {1, 2}, {0, -1}, {}}, {"a"}, ""), IndexError);
  EXPECT_THROW(TableDataset({1, {1, 2}, {}, {1, 2, 3}, 2}, {}, ""), ShapeError);
}

TEST(CsvSource, IsReachedFromJson) {
  const TempFolder folder;
  write_text(folder, "t.csv", "a;b;y\n1;2;no\n3;4;yes\n5;6;no\n7;8;yes\n");
  config::Diagnostics diagnostics;
  const auto read = [&](const config::Value& json) { return sources().read(json, "/data", diagnostics); };
  const auto row = read(config::parse_json(
      R"({"type": "CSV", "file": "t.csv", "label": "y", "separator": ";", "test_fraction": 0.5, "missing": "mean"})"));
  ASSERT_TRUE(row);
  const Source source = sources().functions(*row).make(row->options.get(), folder.path());
  EXPECT_EQ(source.train->size(), 2);
  EXPECT_EQ(source.test->size(), 2);
  // What the run's configuration holds reads the same data the same way, and is all that other inputs need.
  const config::Value resolved = sources().write(*row);
  EXPECT_EQ(resolved.find("means")->as_array()->size(), 2u);
  const auto again = read(resolved);
  ASSERT_TRUE(again);
  const Source same = sources().functions(*again).make(again->options.get(), folder.path());
  EXPECT_EQ(whole(*same.test).inputs.to_vector<float>(), whole(*source.test).inputs.to_vector<float>());
  EXPECT_EQ(sources().write(*again), resolved);
  EXPECT_EQ(sources().functions(*again).inputs(again->options.get())->class_names(), (Strings{"no", "yes"}));
}

TEST(CsvSource, NamesColumnsInJson) {
  const TempFolder folder;
  write_text(folder, "t.csv", "colour,a,b\nred,1,2\nblue,2,3\nred,4,5\nred,5,6\n");
  const auto read = [&](const char* rest) {
    config::Diagnostics diagnostics("f");
    auto row = sources().read(config::parse_json(std::string(R"({"type": "CSV", "file": "t.csv", )") + rest + "}"),
                              "/data", diagnostics);
    diagnostics.throw_if_any();
    return row;
  };
  const auto row = read(R"("task": "regression", "label": ["a", "b"], "categories": {"colour": ["red", "blue"]})");
  const Source source = sources().functions(*row).make(row->options.get(), folder.path());
  EXPECT_EQ(source.train->target_shape(), Shape{2});
  const config::Value resolved = sources().write(*row);
  EXPECT_EQ(*resolved.find("label"), config::parse_json(R"(["a", "b"])"));
  EXPECT_EQ(*resolved.find("categories"), config::parse_json(R"({"colour": ["red", "blue"]})"));
  config::Diagnostics diagnostics;
  EXPECT_EQ(sources().write(*sources().read(resolved, "/data", diagnostics)), resolved);
  EXPECT_EQ(*sources().write(*read(R"("label": "a")")).find("label"), config::Value("a"));

  const std::pair<const char*, const char*> mistakes[] = {
      {R"("label": 3)", "/data/label: found the number 3, expected the name of a column, or an array of names"},
      {R"("label": [])", "/data/label: found an array"},
      {R"("label": ["a", 1])", "/data/label: found an array"},
      {R"("label": ["a", "b"])", "/data/label: found 2 columns, which is for \"task\": \"regression\""},
      {R"("label": "a", "categories": ["x"])", "/data/categories: found an array"},
      {R"("label": "a", "categories": {"colour": "x"})", "/data/categories/colour: found the string"},
      {R"("label": "a", "encoding": "hot")", "/data/encoding: unknown value 'hot', expected one of: one_hot, ordinal"},
  };
  for (const auto& [json, words] : mistakes) expect_error<ConfigError>([&, json = json] { read(json); }, words);
}

}  // namespace
}  // namespace eigengrad::data
