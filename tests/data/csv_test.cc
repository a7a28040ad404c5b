#include "eigengrad/data/csv.h"

#include <gtest/gtest.h>

#include <clocale>

#include "eigengrad/core/error.h"
#include "tests/data/files.h"
#include "tests/expect_error.h"

namespace eigengrad::data {
namespace {

using Records = std::vector<std::vector<std::string>>;

std::string write_text(const TempFolder& folder, const std::string& text) {
  return write(folder, "t.csv", Bytes(text.begin(), text.end()));
}

Records records_of(const std::string& text, char separator = ',') {
  const TempFolder folder;
  CsvReader reader(write_text(folder, text), separator);
  Records records;
  while (reader.next()) {
    records.emplace_back();
    for (std::size_t i = 0; i < reader.size(); ++i) records.back().emplace_back(reader[i]);
  }
  return records;
}

TEST(CsvReader, ReadsRecords) {
  const Records expected{{"a", "b"}, {"1", ""}, {"", "2"}};
  EXPECT_EQ(records_of("a,b\n1,\n,2\n"), expected);
  EXPECT_EQ(records_of("a,b\r\n1,\r\n,2\r\n"), expected);
  EXPECT_EQ(records_of("a,b\n1,\n,2"), expected);
  EXPECT_EQ(records_of("\xEF\xBB\xBF"
                       "a,b\n1,\n,2"),
            expected);
  EXPECT_EQ(records_of("\n\na , b\n \n1,\n\r\n, 2 \n\n"), expected);
  EXPECT_EQ(records_of("a;b\n1;\n;2\n", ';'), expected);
  EXPECT_EQ(records_of("a\tb\n1\t\n\t2\n", '\t'), expected);
  EXPECT_EQ(records_of(""), Records());
  EXPECT_EQ(records_of("\n\r\n"), Records());
  EXPECT_EQ(records_of("a"), (Records{{"a"}}));
  EXPECT_EQ(records_of(","), (Records{{"", ""}}));
}

TEST(CsvReader, TakesQuotes) {
  EXPECT_EQ(records_of("\"a,b\",\"say \"\"hi\"\"\"\n\"two\nlines\", \"\" \n\" x \",y\n"),
            (Records{{"a,b", "say \"hi\""}, {"two\nlines", ""}, {" x ", "y"}}));
  EXPECT_EQ(records_of("\"a\r\nb\""), (Records{{"a\r\nb"}}));
}

TEST(CsvReader, SaysWhereItIsWrong) {
  const auto fails = [](const std::string& text, std::initializer_list<std::string> words) {
    expect_error<FormatError>([&] { records_of(text); }, words);
  };
  fails("a,b\n1,\"x\n", {"t.csv:2:3:", "not closed"});
  fails("a,b\n1,x\"y\"\n", {"t.csv:2:4:", "quote within a field"});
  fails("a,b\n\"x\"y,2\n", {"t.csv:2:4:", "behind a closing quote"});
  fails("a\rb\n", {"t.csv:1:2:", "carriage return"});
  fails(std::string("a,b\n1,x\0y\n", 10), {"t.csv:2:4:", "NUL"});
  fails("a,b\n1,\"x\ny\",\xC3\n", {"t.csv:3:4:", "UTF-8"});
  fails(std::string(CsvReader::kMaxFields, ',') + "\n", {"t.csv:1:100001:", "100000 fields"});
  fails("a\n" + std::string(CsvReader::kMaxRecord + 1, 'x'), {"t.csv:2:1:", "1048576 bytes"});
  EXPECT_EQ(records_of(std::string(CsvReader::kMaxRecord, 'x'))[0][0].size(), CsvReader::kMaxRecord);
  EXPECT_EQ(records_of(std::string(CsvReader::kMaxFields - 1, ','))[0].size(), CsvReader::kMaxFields);
}

double number_in(const std::string& field) {
  const TempFolder folder;
  CsvReader reader(write_text(folder, "x\n\n" + field + "\n"), ';');
  reader.next();
  EXPECT_TRUE(reader.next());
  EXPECT_EQ(reader.line(), 3);
  return reader.number(0, "column 'x'");
}

TEST(CsvReader, ReadsNumbersWhateverTheLocale) {
  const char* const before = std::setlocale(LC_NUMERIC, nullptr);
  const std::string name = before ? before : "C";
  std::setlocale(LC_NUMERIC, "de_DE.UTF-8");  // which may not be there
  EXPECT_EQ(number_in("1.5"), 1.5);
  EXPECT_EQ(number_in("+1.5e2"), 150);
  EXPECT_EQ(number_in("-.5"), -0.5);
  EXPECT_EQ(number_in("\"7\""), 7);
  EXPECT_EQ(number_in("1e308"), 1e308);
  std::setlocale(LC_NUMERIC, name.c_str());
  for (const char* wrong :
       {"1,5", "abc", "1.5x", "0x10", "nan", "-inf", "infinity", "1 2", "+-1", "++1", "-", "\"\"", "1e", "١"})
    expect_error<FormatError>([&] { number_in(wrong); }, {"t.csv:3:1: column 'x'", "expected a number"});
  for (const char* wrong : {"1e400", "-1e999"})
    expect_error<FormatError>([&] { number_in(wrong); }, {"t.csv:3:1: column 'x'", "beyond the numbers of double"});
}

TEST(CsvReader, RefusesFilesAndSeparators) {
  const TempFolder folder;
  EXPECT_THROW(CsvReader(folder.file("none.csv")), IoError);
  EXPECT_THROW(CsvReader(folder.path()), IoError);
  const std::string path = write_text(folder, "a\n");
  for (const char separator : {'"', '\n', '\r', '\0', static_cast<char>(0xC3)})
    EXPECT_THROW(CsvReader(path, separator), ValueError);
}

}  // namespace
}  // namespace eigengrad::data
