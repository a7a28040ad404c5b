#include "eigengrad/data/table_warnings.h"

#include <gtest/gtest.h>

#include "eigengrad/config/diagnostics.h"
#include "tests/data/files.h"
#include "tests/expect_error.h"

namespace eigengrad::data {
namespace {

using Strings = std::vector<std::string>;

constexpr int kRows = 20;

// A table of which nothing is to be said, and what is said when it is changed.
class TableWarnings : public testing::Test {
 protected:
  // A column more, of whose row i the text is given.
  template <class F>
  void add(const std::string& name, F text) {
    lines_[0] += "," + name;
    for (int i = 0; i < kRows; ++i) lines_[static_cast<std::size_t>(i) + 1] += "," + std::string(text(i));
  }
  Strings warnings() {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    write(folder_, "t.csv", Bytes(text.begin(), text.end()));
    return csv(options, folder_.path()).warnings;
  }
  void says(const std::string& text) { EXPECT_EQ(warnings(), Strings{"t.csv: " + text}); }

  CsvOptions options{.file = "t.csv", .label = {"y"}};
  const TempFolder folder_;

 private:
  // Row i has the width i * i % 7 and the class of i % 2.
  Strings lines_ = [] {
    Strings lines{"width,y"};
    for (int i = 0; i < kRows; ++i) lines.push_back(std::to_string(i * i % 7) + (i % 2 ? ",odd" : ",even"));
    return lines;
  }();
};

TEST_F(TableWarnings, AreNotGivenOfASoundTable) {
  add("unit", [](int i) { return i == 3 ? "2" : "1"; });
  add("gaps", [](int i) { return std::to_string(2 * i); });
  add("twice", [](int i) { return std::to_string(i / 2); });
  add("half", [](int i) { return std::to_string(i) + ".5"; });
  add("colour", [](int i) { return "c" + std::to_string(i / 2); });
  add("pair", [](int i) { return i == 0 ? "1;2" : "\"1,5 m\""; });
  EXPECT_EQ(warnings(), Strings());
  CsvOptions iris{.file = "iris.csv", .label = {"species"}};
  EXPECT_EQ(csv(iris, EIGENGRAD_SOURCE_DIR "/examples/iris").warnings, Strings());
}

TEST_F(TableWarnings, TellColumnsOfOneValue) {
  add("unit", [](int) { return "1"; });
  add("planet", [](int) { return "earth"; });
  says("columns of one value in all training rows, which tell nothing: 'unit', 'planet'; name them in \"ignore\"");
  EXPECT_EQ(warnings(), Strings()) << "told once, when the options are completed";
  options = {.file = "t.csv", .label = {"y"}, .features = {"width", "unit"}};
  says("columns of one value in all training rows, which tell nothing: 'unit'; take them out of \"features\"");
  options = {.file = "t.csv", .label = {"y"}, .ignore = {"unit", "planet"}};
  EXPECT_EQ(warnings(), Strings());
}

TEST_F(TableWarnings, TellColumnsThatNumberTheRows) {
  add("id", [](int i) { return std::to_string(100 + i); });
  add("drawn", [](int i) { return std::to_string(i * 7 % kRows); });
  says(
      "columns that number the rows, of which a model learns nothing for others: 'id', 'drawn'; name them in "
      "\"ignore\"");
  options = {.file = "t.csv", .label = {"y"}, .features = {"id"}};
  EXPECT_EQ(warnings(), Strings()) << "the one input is meant";
}

TEST_F(TableWarnings, TellRowNumbersBetweenRowsThatAreLeftOut) {
  add("id", [](int i) { return std::to_string(i); });
  add("note", [](int i) { return i % 5 == 2 ? "" : i % 2 ? "a" : "b"; });
  options.missing = Missing::Drop;
  says("columns that number the rows, of which a model learns nothing for others: 'id'; name them in \"ignore\"");
}

TEST_F(TableWarnings, TellColumnsOfNames) {
  add("name", [](int i) { return "n" + std::to_string(i); });
  says(
      "columns with another category in every row, of which a model learns nothing for others: 'name'; name them in "
      "\"ignore\"");
}

TEST_F(TableWarnings, TellDecimalCommas) {
  add("height", [](int i) { return "\"" + std::to_string(i) + ",25\""; });
  says("columns of numbers with a decimal comma, which are taken for categories: 'height'; set \"decimal\": \",\"");
  options = {.file = "t.csv", .label = {"y"}, .decimal = ","};
  EXPECT_EQ(warnings(), Strings());
  EXPECT_EQ(options.categories, ColumnCategories());
}

TEST_F(TableWarnings, TellClassesWithoutRows) {
  options.classes = {"even", "odd", "none"};
  options.test_file = "t.csv";
  says("classes without a row to train on: 'none'; take them out of \"classes\", or add rows");
  add("kind", [](int i) { return i == 4 ? "rare" : "usual"; });
  options = {.file = "t.csv", .label = {"kind"}, .test_fraction = 0.5, .seed = 0, .ignore = {"y"}};
  Strings told;
  for (; told.empty() || told[0].find("single") != std::string::npos; ++options.seed) {
    options.means.clear();
    options.stds.clear();
    told = warnings();
  }
  EXPECT_EQ(told, Strings{"t.csv: classes without a row to train on: 'rare'; a smaller \"test_fraction\", or another "
                          "\"seed\", may leave them some"});
}

TEST_F(TableWarnings, TellClassesWithASingleRow) {
  add("kind", [](int i) { return i == 4 ? "rare" : "usual"; });
  add("price", [](int i) { return std::to_string(i * i) + ".5"; });
  options = {.file = "t.csv", .label = {"kind"}, .test_file = "t.csv", .ignore = {"y", "price"}};
  says("classes with a single row to train on: 'rare'; add rows, or leave out those of such classes");
  options = {.file = "t.csv", .label = {"price"}, .test_file = "t.csv", .features = {"width"}};
  const Strings told = warnings();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_HAS(told[0], "'361.5'; if they are numbers to tell, set \"task\": \"regression\"");
}

TEST_F(TableWarnings, TellTargetsFarFromOne) {
  add("price", [](int i) { return std::to_string(1000 * i); });
  add("share", [](int i) { return "0.00" + std::to_string(i % 2); });
  add("days", [](int i) { return std::to_string(i); });
  options = {.file = "t.csv", .label = {"price", "days", "share"}, .task = TableTask::Regression, .ignore = {"y"}};
  says(
      "numbers to tell whose standard deviation is far from 1, with which training goes badly: 'price', 'share'; set "
      "\"standardize_target\": true");
  options = {.file = "t.csv",
             .label = {"price", "share"},
             .task = TableTask::Regression,
             .features = {"width"},
             .standardize_target = true};
  EXPECT_EQ(warnings(), Strings());
}

}  // namespace
}  // namespace eigengrad::data
