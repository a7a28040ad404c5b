// Values and gradients of every row of the op table, against those that PyTorch computed (reference/FAMILY.txt, which
// make_reference.py writes).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/layouts.h"
#include "tests/ops/op_table.h"

namespace eigengrad::tests {
namespace {

struct Numbers {
  Shape shape;
  std::vector<double> values;
};

struct ReferenceCase {
  std::vector<Numbers> inputs, grads;
  Numbers out, seed;
  bool has_grads = false;
};

Numbers parse_numbers(std::istream& words) {
  Numbers result;
  std::string word;
  words >> word;
  if (word != "-") {
    std::istringstream extents(word);
    for (std::string extent; std::getline(extents, extent, ',');) result.shape.push_back(std::atoll(extent.c_str()));
  }
  double unit = 1;
  while (words >> word)
    if (word == "/")
      unit = 1.0 / 64;
    else
      result.values.push_back(unit * std::strtod(word.c_str(), nullptr));  // "inf" and "nan" too
  return result;
}

using Reference = std::map<std::string, std::vector<ReferenceCase>>;

void read_family(const std::filesystem::path& path, Reference& reference) {
  std::ifstream in(path);
  ReferenceCase* current = nullptr;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "op") {
      current = &reference[line.substr(3)].emplace_back();
    } else if (kind == "in") {
      current->inputs.push_back(parse_numbers(words));
    } else if (kind == "out") {
      current->out = parse_numbers(words);
    } else if (kind == "seed") {
      current->seed = parse_numbers(words);
      current->has_grads = true;
    } else if (kind == "grad") {
      current->grads.push_back(parse_numbers(words));
    }
  }
}

Reference read_reference() {
  Reference reference;
  for (const auto& file : std::filesystem::directory_iterator(EIGENGRAD_SOURCE_DIR "/tests/ops/reference"))
    if (file.path().extension() == ".txt") read_family(file.path(), reference);
  return reference;
}

const Reference& reference() {
  static const Reference all = read_reference();
  return all;
}

Tensor tensor_of(const Numbers& numbers, Dtype dtype) { return to(tensor(numbers.values, numbers.shape), dtype); }

// How far a number may be from the expected one: relative to itself, or to the largest of all.
struct Tolerance {
  double relative;
  double of_largest = 0;
  double absolute = 0;
};

void expect_close(const Tensor& found, const Numbers& expected, Tolerance tolerance, const std::string& what) {
  ASSERT_EQ(found.shape(), expected.shape) << what;
  const std::vector<double> values = to(found.detach(), kFloat64).to_vector<double>();
  ASSERT_EQ(values.size(), expected.values.size()) << what;
  double largest = 0;
  for (const double value : expected.values)
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double a = values[i], b = expected.values[i];
    const bool same = a == b || (std::isnan(a) && std::isnan(b));
    const double limit = tolerance.relative * std::abs(b) + tolerance.of_largest * largest + tolerance.absolute;
    EXPECT_TRUE(same || std::abs(a - b) <= limit)
        << what << ", element " << i << ": " << testing::PrintToString(a) << ", PyTorch has "
        << testing::PrintToString(b) << " (" << std::abs(a - b) / std::abs(b) << " relative)";
  }
}

std::string describe(const ReferenceCase& one) {
  std::string text;
  for (const Numbers& x : one.inputs) text += to_string(x.shape) + " ";
  return text;
}

class MatchesPyTorch : public testing::TestWithParam<OpRow> {
 protected:
  const std::vector<ReferenceCase>& cases() const {
    static const std::vector<ReferenceCase> none;
    if (GetParam().options.random) return none;
    const auto entry = reference().find(GetParam().name);
    EXPECT_TRUE(entry != reference().end()) << "add the row to reference/FAMILY.py and run make_reference.py";
    return entry == reference().end() ? none : entry->second;
  }
  // In every layout of the inputs.
  void check(const ReferenceCase& one, Dtype dtype, Tolerance value, Tolerance gradient) const {
    for (const auto& [layout, lay_out] : layouts()) {
      std::vector<Tensor> inputs;
      for (const Numbers& x : one.inputs) {
        inputs.push_back(lay_out(tensor_of(x, dtype)));
        if (one.has_grads) inputs.back().set_requires_grad();
      }
      const std::string what = std::string(layout) + " " + describe(one);
      const Tensor y = GetParam().function(inputs);
      expect_close(y, one.out, value, "value for " + what);
      if (!one.has_grads) continue;
      ASSERT_TRUE(y.requires_grad());
      const Tensor seed = tensor_of(one.seed, y.dtype());
      const std::vector<Tensor> grads = grad(std::span(&y, 1), inputs, std::span(&seed, 1), {.allow_unused = true});
      for (std::size_t i = 0; i < inputs.size(); ++i)
        if (grads[i].defined())
          expect_close(grads[i], one.grads[i], gradient, "gradient " + std::to_string(i) + " for " + what);
    }
  }
};

std::string reference_test_name(const testing::TestParamInfo<OpRow>& info) {
  return "Row" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(Table, MatchesPyTorch, testing::ValuesIn(differentiable_ops()), reference_test_name);
INSTANTIATE_TEST_SUITE_P(Others, MatchesPyTorch, testing::ValuesIn(other_ops()), reference_test_name);

TEST_P(MatchesPyTorch, InFloat64) {
  for (const ReferenceCase& one : cases()) check(one, kFloat64, {1e-12, 1e-14}, {1e-12, 1e-14, 1e-15});
}

// The row says how many units in the last place. Gradients may lose twice as many of the gradient that they start from,
// which is about 1, and of their largest element.
TEST_P(MatchesPyTorch, InFloat32) {
  constexpr double kUlp = 0x1p-23, kSmallest = 0x1p-149;
  const RowOptions& options = GetParam().options;
  const double ulps = options.ulps * kUlp;
  for (const ReferenceCase& one : cases()) {
    if (!one.has_grads) continue;  // extremes that float32 does not hold
    check(one, kFloat32, {ulps, options.near_largest ? ulps : 0, kSmallest}, {2 * ulps, 2 * ulps, 2 * ulps});
  }
}

TEST(Reference, NamesOnlyRows) {
  ASSERT_GT(reference().size(), 100u);
  for (const auto& [name, cases] : reference()) {
    const auto is_row = [&name = name](const OpRow& row) { return row.name == name; };
    const bool known = std::any_of(differentiable_ops().begin(), differentiable_ops().end(), is_row) ||
                       std::any_of(other_ops().begin(), other_ops().end(), is_row);
    EXPECT_TRUE(known) << name;
  }
}

// Each case counts in float64 and, unless it is there for its extremes, in float32; layouts come on top.
TEST(Reference, HasTwentyCasesForEveryOp) {
  std::map<std::string, int> count;
  std::set<std::string> random;
  int total = 0;
  for (const auto& [name, cases] : reference())
    for (const ReferenceCase& one : cases) {
      const int both = one.has_grads ? 2 : 1;
      count[name.substr(0, name.find(' '))] += both;
      total += both;
    }
  for (const auto* rows : {&differentiable_ops(), &other_ops()})
    for (const OpRow& row : *rows) {
      if (row.options.random) random.insert(row.function_name());
      if (random.contains(row.function_name())) continue;
      EXPECT_GE(count[row.function_name()], rows == &differentiable_ops() ? 20 : 10) << row.name;
    }
  EXPECT_GE(total, 3000);
  RecordProperty("cases", total);
}

}  // namespace
}  // namespace eigengrad::tests
