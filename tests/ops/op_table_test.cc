// The checks that every op passes: see op_table.h.
#include "tests/ops/op_table.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <cstring>
#include <map>
#include <set>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/node.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/ops.h"
#include "tests/ops/declarations.h"
#include "tests/ops/layouts.h"

namespace eigengrad::tests {
namespace {

std::string describe(std::span<const Shape> shapes) {
  std::string text = "shapes";
  for (const Shape& shape : shapes) text += " " + to_string(shape);
  return text;
}

std::vector<Tensor> as_leaves(std::vector<Tensor> inputs) {
  for (Tensor& x : inputs) x = x.detach().set_requires_grad();
  return inputs;
}

// Uneven numbers to start a gradient from.
Tensor seed_for(const Tensor& y) {
  Tensor seed = empty(y.shape(), kFloat64);
  double turn = 0;
  for (double& value : seed.mutable_data<double>()) {
    turn += 0.618033988749894848;
    if (turn >= 1) turn -= 1;
    value = 0.5 + turn;
  }
  return to(seed, y.dtype());
}

// The result, and the gradients of the inputs that get one (zeros for those that do not).
struct Results {
  Tensor y;
  std::vector<Tensor> grads;
};

Results run(const std::function<Tensor(In)>& function, const std::vector<Tensor>& leaves, bool create_graph = false) {
  Results result;
  result.y = function(leaves);
  if (!result.y.requires_grad()) {
    for (const Tensor& x : leaves) result.grads.push_back(zeros(x.shape(), x.dtype()));
    return result;
  }
  const Tensor seed = seed_for(result.y);
  result.grads =
      grad(std::span(&result.y, 1), leaves, std::span(&seed, 1), {.create_graph = create_graph, .allow_unused = true});
  for (std::size_t i = 0; i < leaves.size(); ++i)
    if (!result.grads[i].defined()) result.grads[i] = zeros(leaves[i].shape(), leaves[i].dtype());
  return result;
}

std::vector<double> numbers(const Tensor& x) { return to(x.detach(), kFloat64).to_vector<double>(); }

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.shape() != b.shape()) return false;
  const Tensor x = contiguous(a.detach()), y = contiguous(b.detach());
  return std::memcmp(x.raw<char>(), y.raw<char>(), static_cast<std::size_t>(x.numel()) * size_of(x.dtype())) == 0;
}

// |found - expected| within `tolerance` of the largest expected element, or of `scale`.
void expect_near(const Tensor& found, const Tensor& expected, double tolerance, const std::string& what,
                 double scale = 1e-30) {
  ASSERT_EQ(found.shape(), expected.shape()) << what;
  const std::vector<double> a = numbers(found), b = numbers(expected);
  double largest = 0;
  for (const double value : b) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= tolerance * std::max(largest, scale)) && !(std::isnan(a[i]) && std::isnan(b[i]))) {
      ADD_FAILURE() << what << ": element " << i << " is " << a[i] << ", expected " << b[i];
      return;
    }
}

void expect_near(const Results& found, const Results& expected, double tolerance, const std::string& what,
                 double scale = 1e-30) {
  expect_near(found.y, expected.y, tolerance, what + ", value", scale);
  for (std::size_t i = 0; i < expected.grads.size(); ++i)
    expect_near(found.grads[i], expected.grads[i], tolerance, what + ", gradient " + std::to_string(i), scale);
}

void expect_same_bits(const Results& found, const Results& expected, const std::string& what) {
  EXPECT_TRUE(same_bits(found.y, expected.y)) << what << ", value";
  for (std::size_t i = 0; i < expected.grads.size(); ++i)
    EXPECT_TRUE(same_bits(found.grads[i], expected.grads[i])) << what << ", gradient " << i;
}

std::vector<Tensor> map(const std::vector<Tensor>& xs, const Layout& f) {
  std::vector<Tensor> result;
  for (const Tensor& x : xs) result.push_back(f(x));
  return result;
}

class WithThreads {
 public:
  explicit WithThreads(int threads) : before_(num_threads()) { set_num_threads(threads); }
  ~WithThreads() { set_num_threads(before_); }

 private:
  const int before_;
};

// ---- Checks of every row, with or without gradient.

class AnyOp : public testing::TestWithParam<OpRow> {
 protected:
  const OpRow& row() const { return GetParam(); }
  std::vector<Tensor> inputs(std::span<const Shape> shapes, Dtype dtype = kFloat64) const {
    return make_inputs(row(), shapes, dtype);
  }
  Tensor call(const std::vector<Tensor>& x) const { return row().function(x); }
};

class Op : public AnyOp {
 protected:
  std::vector<Tensor> leaves(std::span<const Shape> shapes, Dtype dtype = kFloat64) const {
    return as_leaves(inputs(shapes, dtype));
  }
};

std::string test_name(const testing::TestParamInfo<OpRow>& info) {
  static const std::map<char, std::string> words = {{'+', "Plus"}, {'-', "Minus"}, {'*', "Times"}, {'/', "Over"},
                                                    {'=', "Is"},   {'!', "Not"},   {'<', "Less"},  {'>', "Greater"}};
  std::string name;
  for (const char c : info.param.name) {
    const auto word = words.find(c);
    name += word != words.end() ? word->second : std::isalnum(c) ? std::string(1, c) : "_";
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Table, Op, testing::ValuesIn(differentiable_ops()), test_name);
INSTANTIATE_TEST_SUITE_P(Table, AnyOp, testing::ValuesIn(differentiable_ops()), test_name);
INSTANTIATE_TEST_SUITE_P(Others, AnyOp, testing::ValuesIn(other_ops()), test_name);

TEST_P(Op, FirstDerivative) {
  for (const auto& shapes : row().cases.small) {
    const GradCheckResult result = gradcheck(row().function, leaves(shapes));
    EXPECT_TRUE(result.ok) << describe(shapes) << ": " << result.message;
  }
}

TEST_P(Op, SecondDerivative) {
  for (const auto& shapes : row().cases.small) {
    const GradCheckResult result = gradgradcheck(row().function, leaves(shapes));
    EXPECT_TRUE(result.ok) << describe(shapes) << ": " << result.message;
  }
}

// The kernels of backward() against the rules made of ops, also far from 0, where 1 - y² and the like cancel: there the
// error is measured against 1.
TEST_P(Op, FusedRuleEqualsComposedRule) {
  for (const double scale : {1.0, 12.0})
    for (const auto& shapes : row().cases.small) {
      std::vector<Tensor> x = inputs(shapes);
      for (Tensor& value : x) value = value * scale;
      const Results fused = run(row().function, as_leaves(x), false),
                    composed = run(row().function, as_leaves(x), true);
      expect_near(fused, composed, 1e-13, describe(shapes), scale == 1 ? 1e-30 : 1.0);
    }
}

TEST_P(Op, Float32FollowsFloat64) {
  if (row().options.random) return;
  for (const auto& shapes : row().cases.small) {
    const std::vector<Tensor> x = inputs(shapes, kFloat32);
    const Results narrow = run(row().function, as_leaves(x));
    const Results wide = run(row().function, as_leaves(map(x, [](const Tensor& t) { return to(t, kFloat64); })));
    EXPECT_EQ(narrow.y.dtype(), kFloat32);
    for (const Tensor& g : narrow.grads) EXPECT_EQ(g.dtype(), kFloat32);
    expect_near(narrow, wide, 1e-4, describe(shapes));
  }
}

// bfloat16 is computed in float32, and rounded after every op: an op made of some others rounds as often.
TEST_P(Op, BFloat16FollowsFloat32) {
  if (row().options.random || row().name == "pinv low rank") return;  // which a rounded product is not
  for (const bool create_graph : {false, true})
    for (const auto& shapes : row().cases.small) {
      const std::vector<Tensor> x = inputs(shapes, kBFloat16);
      const Results narrow = run(row().function, as_leaves(x), create_graph);
      const Results wide = run(row().function, as_leaves(map(x, [](const Tensor& t) { return to(t, kFloat32); })));
      EXPECT_EQ(narrow.y.dtype(), kBFloat16);
      for (const Tensor& g : narrow.grads) EXPECT_EQ(g.dtype(), kBFloat16);
      expect_near(narrow, wide, 0.02, describe(shapes), 1.0);
    }
}

TEST_P(Op, LayoutOfInputsDoesNotMatter) {
  for (const auto& shapes : row().cases.small) {
    const std::vector<Tensor> x = inputs(shapes);
    const Results expected = run(row().function, as_leaves(x));
    expect_near(run(row().function, as_leaves(map(x, with_reversed_strides))), expected, 1e-13,
                "transposed " + describe(shapes));
    expect_near(run(row().function, as_leaves(map(x, sliced_from_larger))), expected, 1e-13,
                "sliced " + describe(shapes));
    const std::vector<Tensor> repeats = map(x, repeated);
    const Results dense =
        run(row().function, as_leaves(map(repeats, [](const Tensor& t) { return clone(contiguous(t)); })));
    expect_near(run(row().function, as_leaves(repeats)), dense, 1e-13, "expanded " + describe(shapes));
  }
}

// A gradient that comes in an odd layout: the seed is transposed, sliced, and one number for all.
TEST_P(Op, LayoutOfGradientDoesNotMatter) {
  for (const auto& shapes : row().cases.small) {
    const std::vector<Tensor> x = leaves(shapes);
    const Tensor y = row().function(x);
    if (!y.requires_grad()) continue;
    const Tensor seed = seed_for(y), flat = full(y.shape(), 1.25, kFloat64);
    const auto grads = [&](const Tensor& start) {
      std::vector<Tensor> result =
          grad(std::span(&y, 1), x, std::span(&start, 1), {.retain_graph = true, .allow_unused = true});
      for (std::size_t i = 0; i < x.size(); ++i)
        if (!result[i].defined()) result[i] = zeros_like(x[i].detach());
      return result;
    };
    const std::vector<Tensor> expected = grads(seed), flat_expected = grads(flat);
    const std::vector<Tensor> found[] = {grads(with_reversed_strides(seed)), grads(sliced_from_larger(seed)),
                                         grads(expand(full({}, 1.25, kFloat64), y.shape()))};
    for (std::size_t i = 0; i < x.size(); ++i) {
      expect_near(found[0][i], expected[i], 1e-13, "transposed " + describe(shapes));
      expect_near(found[1][i], expected[i], 1e-13, "sliced " + describe(shapes));
      expect_near(found[2][i], flat_expected[i], 1e-13, "expanded " + describe(shapes));
    }
  }
}

TEST_P(Op, SameBitsForAnyNumberOfThreads) {
  std::vector<std::vector<Shape>> cases = row().cases.small;
  if (!row().cases.large.empty()) cases.push_back(row().cases.large);
  for (const auto& shapes : cases) {
    const std::vector<Tensor> wide = inputs(shapes);  // made once: it takes longer than most ops
    for (const Dtype dtype : {kFloat64, kFloat32}) {
      const std::vector<Tensor> x = as_leaves(map(wide, [&](const Tensor& w) { return to(w, dtype); }));
      const WithThreads one(1);
      const Results expected = run(row().function, x);
      for (const int threads : {1, 2, 5}) {
        set_num_threads(threads);
        expect_same_bits(run(row().function, x), expected, std::to_string(threads) + " threads, " + describe(shapes));
      }
    }
  }
}

TEST_P(Op, LeavesNothingBehind) {
  for (const bool create_graph : {false, true})
    for (const auto& shapes : row().cases.small) {
      const std::int64_t nodes = live_nodes();
      const std::int64_t blocks = memory_stats().live_blocks;
      { const Results unused = run(row().function, leaves(shapes), create_graph); }
      EXPECT_EQ(live_nodes(), nodes) << describe(shapes);
      EXPECT_EQ(memory_stats().live_blocks, blocks) << describe(shapes);
    }
}

TEST_P(Op, RecordingDoesNotChangeTheValue) {
  for (const auto& shapes : row().cases.small) {
    const std::vector<Tensor> x = leaves(shapes);
    const Tensor recorded = call(x);
    const NoGrad no_grad;
    const Tensor silent = call(x);
    EXPECT_TRUE(same_bits(recorded, silent)) << describe(shapes);
    for (const Tensor& input : x) {
      if (silent.is_same(input)) return;  // an op with nothing to do
    }
    EXPECT_FALSE(silent.requires_grad()) << describe(shapes);
  }
}

TEST_P(Op, OneTensorForAllInputs) {
  for (const auto& shapes : row().cases.small) {
    if (shapes.size() < 2 || std::any_of(shapes.begin(), shapes.end(), [&](const Shape& s) { return s != shapes[0]; }))
      continue;
    if (row().function_name() == "remainder") continue;  // x mod x is a jump everywhere
    const std::size_t count = shapes.size();
    const auto twice = [&](In x) { return row().function(std::vector<Tensor>(count, x[0])); };
    std::vector<Tensor> x{leaves(shapes)[0]};
    const GradCheckResult result = gradcheck(twice, x);
    EXPECT_TRUE(result.ok) << describe(shapes) << ": " << result.message;
  }
}

// Gradients of some inputs alone are those of all.
TEST_P(Op, EachInputAlone) {
  for (const auto& shapes : row().cases.small) {
    const Results all = run(row().function, leaves(shapes));
    for (std::size_t only = 0; only < shapes.size(); ++only) {
      std::vector<Tensor> x = inputs(shapes);
      x[only].set_requires_grad();
      const Tensor y = call(x);
      if (!y.requires_grad()) continue;
      const Tensor seed = seed_for(y);
      const Tensor wanted = x[only];
      const Tensor g = grad(std::span(&y, 1), std::span(&wanted, 1), std::span(&seed, 1), {.allow_unused = true})[0];
      if (g.defined()) {
        EXPECT_TRUE(same_bits(g, all.grads[only])) << describe(shapes) << ", input " << only;
      }
    }
  }
}

TEST_P(AnyOp, SameBitsForEveryLayoutAndNumberOfThreads) {
  std::vector<std::vector<Shape>> cases = row().cases.small;
  if (!row().cases.large.empty()) cases.push_back(row().cases.large);
  for (const auto& shapes : cases) {
    const WithThreads one(1);
    const std::vector<Tensor> x = inputs(shapes, kFloat32);
    const Tensor expected = call(x);
    set_num_threads(3);
    EXPECT_TRUE(same_bits(call(x), expected)) << "3 threads, " << describe(shapes);
    // Sums may be added in another order where the layout is another.
    const double tolerance = is_floating(expected.dtype()) ? 1e-6 : 0;
    expect_near(call(map(x, with_reversed_strides)), expected, tolerance, "transposed " + describe(shapes));
    expect_near(call(map(x, sliced_from_larger)), expected, tolerance, "sliced " + describe(shapes));
  }
}

TEST_P(AnyOp, TakesBFloat16) {
  if (row().options.random || row().name == "pinv low rank") return;
  for (const auto& shapes : row().cases.small) {
    const std::vector<Tensor> x = inputs(shapes, kBFloat16);
    const Tensor narrow = call(x), wide = call(map(x, [](const Tensor& t) { return to(t, kFloat32); }));
    EXPECT_EQ(narrow.dtype(), wide.dtype() == kFloat32 ? kBFloat16 : wide.dtype()) << describe(shapes);
    expect_near(narrow, wide, is_floating(wide.dtype()) ? 0.02 : 0, describe(shapes), 1.0);
  }
}

TEST_P(AnyOp, LeavesItsInputsAlone) {
  for (const auto& shapes : row().cases.small) {
    const std::vector<Tensor> x = inputs(shapes);
    const std::vector<Tensor> before = map(x, [](const Tensor& t) { return clone(t); });
    const Tensor unused = call(x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      EXPECT_TRUE(same_bits(x[i], before[i])) << describe(shapes);
      EXPECT_EQ(x[i].version(), inputs(shapes)[i].version()) << describe(shapes);
      EXPECT_FALSE(x[i].requires_grad());
    }
  }
}

// bool is an error where the op has no meaning for it, and the message names the op.
TEST_P(AnyOp, WrongDtypeNamesTheOp) {
  const std::string op = row().options.op.empty() ? row().function_name() : row().options.op;
  std::vector<Tensor> x;
  for (const Tensor& input : inputs(row().cases.small[0])) x.push_back(input > 0);
  try {
    const Tensor unused = call(x);
    EXPECT_TRUE(row().options.takes_bool) << "no error for bool";
  } catch (const DtypeError& error) {
    EXPECT_FALSE(row().options.takes_bool) << error.what();
    EXPECT_EQ(std::string(error.what()).rfind("[" + op + "]", 0), 0u) << error.what();
  }
}

TEST_P(AnyOp, UndefinedTensorIsAnError) {
  const std::vector<Tensor> x(row().cases.small[0].size());
  EXPECT_THROW(call(x), Error);
}

// ---- Every declared function is in the table.

// How often each name is declared in ops/*.h.
std::map<std::string, std::size_t> declared_functions() {
  std::map<std::string, std::size_t> found;
  for (const Header& header : op_headers())
    for (const Declarations& group : header.groups)
      for (const std::string& name : group.functions) ++found[name];
  return found;
}

TEST(OpTable, HasEveryDeclaredFunction) {
  const std::map<std::string, std::size_t> declared = declared_functions();
  ASSERT_GT(declared.size(), 80u) << "the headers were not found in " EIGENGRAD_SOURCE_DIR;
  std::map<std::string, std::size_t> rows;
  for (const OpRow& row : differentiable_ops()) ++rows[row.function_name()];
  for (const OpRow& row : other_ops()) ++rows[row.function_name()];
  const std::set<std::string> elsewhere(ops_tested_elsewhere().begin(), ops_tested_elsewhere().end());
  for (const auto& [name, overloads] : declared) {
    if (elsewhere.contains(name)) continue;
    // pow is in the table by three rows, and so on.
    EXPECT_GE(rows[name], overloads) << name
                                     << " is declared in ops/*.h but has not a row for each of its overloads in "
                                     << "tests/ops/table";
  }
  for (const auto& [name, count] : rows)
    EXPECT_TRUE(declared.contains(name)) << name << " has a row but is not declared";
  for (const std::string& name : elsewhere)
    EXPECT_TRUE(declared.contains(name)) << name << " is listed but not declared";
}

TEST(OpTable, HasEachNameOnce) {
  std::set<std::string> names;
  for (const OpRow& row : differentiable_ops()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
  for (const OpRow& row : other_ops()) EXPECT_TRUE(names.insert(row.name).second) << row.name;
}

TEST(OpTable, OthersCarryNoGradient) {
  for (const OpRow& row : other_ops()) {
    const std::vector<Tensor> x = as_leaves(make_inputs(row, row.cases.small[0], kFloat64));
    EXPECT_FALSE(row.function(x).requires_grad()) << row.name;
  }
}

}  // namespace
}  // namespace eigengrad::tests
