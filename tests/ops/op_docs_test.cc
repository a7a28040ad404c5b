// docs/ops.md, which is made from the headers of ops/ and the table of ops.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>

#include "eigengrad/ops/ops.h"
#include "tests/ops/declarations.h"
#include "tests/ops/op_table.h"

namespace eigengrad::tests {
namespace {

const char* const kPath = EIGENGRAD_SOURCE_DIR "/docs/ops.md";
const char* const kUpdate = "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/ops_tests --gtest_filter='OpDocs.*'";

std::set<std::string> names_of(const std::vector<OpRow>& rows) {
  std::set<std::string> names;
  for (const OpRow& row : rows) names.insert(row.function_name());
  return names;
}

// A table of PyTorch's rule: row and column meet in the dtype of the result.
std::string promotion_table() {
  constexpr Dtype kTypes[] = {kBool, kInt64, kFloat32, kFloat64};
  std::string text = "| | bool | int64 | float32 | float64 |\n| --- | --- | --- | --- | --- |\n";
  const auto row = [&](const std::string& name, const std::function<Dtype(const Tensor&)>& type) {
    text += "| " + name + " ";
    for (const Dtype b : kTypes) text += fmt::format("| {} ", to_string(type(zeros({1}, b))));
    text += "|\n";
  };
  for (const Shape& shape : {Shape{1}, Shape{}})
    for (const Dtype a : kTypes)
      row(fmt::format("**{}**{}", to_string(a), shape.empty() ? " without axes" : ""),
          [&](const Tensor& b) { return result_type(zeros(shape, a), b); });
  row("a number like `2`", [](const Tensor& b) { return maximum(b, 2).dtype(); });
  row("a number like `0.5`", [](const Tensor& b) { return maximum(b, 0.5).dtype(); });
  return text;
}

std::string derivatives(const Declarations& group) {
  static const std::set<std::string> with = names_of(differentiable_ops());
  std::size_t count = 0;
  for (const std::string& name : group.functions) count += with.contains(name) ? 1 : 0;
  return count == 0 ? "not differentiable" : "differentiable";
}

std::string reference() {
  const std::size_t with = names_of(differentiable_ops()).size(), without = names_of(other_ops()).size();
  std::string text = fmt::format(
      "# The ops\n\n"
      "<!-- Written by {} -->\n\n"
      "All of them: {} functions that can be differentiated, any number of times, and {} that cannot. They are called "
      "as in "
      "PyTorch, and `#include <eigengrad/eigengrad.h>` declares them. An `Arg` is a `const Tensor&`, and `Args` any "
      "number of "
      "tensors, that also note the place in the program where the op is called. Arguments that do not fit give an "
      "exception "
      "that names the op, what was found and what was expected.\n\n"
      "Every one is checked: its values and gradients against PyTorch's figures (`tests/ops/reference`), its first and "
      "second "
      "derivatives against differences (`tests/ops/op_table_test.cc`), its messages "
      "(`tests/ops/bad_calls_test.cc`).\n\n"
      "## Types\n\n"
      "Operands of two dtypes are promoted, the row and the column to what stands where they meet:\n\n{}\n"
      "Functions such as `exp` and true division take bool and int64 as float32. Only floating tensors require grad: "
      "what is "
      "converted to int64 or bool has left the graph.\n",
      kUpdate, with, without, promotion_table());
  for (const Header& header : op_headers()) {
    text += fmt::format("\n## {}.h\n\n{}\n", header.name, header.comment);
    for (const Declarations& group : header.groups) {
      text += "\n```cpp\n";
      for (const std::string& code : group.code) text += code + "\n";
      text += "```\n";
      if (!group.comment.empty()) text += group.comment + "\n";
      if (!group.functions.empty() && header.name != "inplace") text += fmt::format("*{}*\n", derivatives(group));
    }
  }
  return text;
}

TEST(OpDocs, AreThoseOfTheHeadersAndTheTable) {
  if (std::getenv("EIGENGRAD_UPDATE_DOCS")) std::ofstream(kPath) << reference();
  std::stringstream found;
  found << std::ifstream(kPath).rdbuf();
  EXPECT_TRUE(found.str() == reference()) << "docs/ops.md is not up to date: run\n  " << kUpdate;
}

TEST(OpDocs, SayWhatEveryFunctionDoes) {
  for (const Header& header : op_headers())
    for (const Declarations& group : header.groups) {
      const bool says = group.functions.empty() || !group.comment.empty();
      EXPECT_TRUE(says) << group.code.front() << " in " << header.name << ".h has no comment";
    }
}

}  // namespace
}  // namespace eigengrad::tests
