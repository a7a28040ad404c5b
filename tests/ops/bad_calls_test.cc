// What ops say to arguments that they cannot take: the bad calls of the op table.
#include <gtest/gtest.h>

#include <cctype>
#include <map>

#include "tests/ops/op_table.h"

namespace eigengrad::tests {
namespace {

class BadCallTest : public testing::TestWithParam<BadCall> {};

std::string test_name(const testing::TestParamInfo<BadCall>& info) {
  std::string name = std::to_string(info.index) + "_";
  for (const char c : info.param.op)
    if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, BadCallTest, testing::ValuesIn(bad_calls()), test_name);

TEST_P(BadCallTest, SaysWhatIsWrong) {
  try {
    GetParam().call();
    FAIL() << GetParam().op << ": no error, expected " << GetParam().message;
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).rfind(GetParam().message, 0), 0u)
        << GetParam().op << " says: " << error.what() << "\nexpected: " << GetParam().message;
  }
}

TEST(BadCalls, EveryOpHasThree) {
  std::map<std::string, int> count;
  for (const BadCall& bad : bad_calls()) ++count[bad.op];
  for (const auto* rows : {&differentiable_ops(), &other_ops()})
    for (const OpRow& row : *rows) EXPECT_GE(count[row.function_name()], 3) << row.function_name();
  for (const std::string& name : ops_tested_elsewhere()) EXPECT_GE(count[name], 3) << name;
}

}  // namespace
}  // namespace eigengrad::tests
