// Every layer and loss of the tables, built from its configuration, computes what PyTorch's does: see
// make_reference.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/config/reader.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

struct Case {
  std::string kind, config;
  Shape shape;
  std::vector<double> output, gradient;
};

template <class T>
std::vector<T> numbers(const std::string& text) {
  std::istringstream words(text);
  std::vector<T> values;
  for (T value; words >> value;) values.push_back(value);
  return values;
}

std::vector<Case> read_cases() {
  std::ifstream file(EIGENGRAD_SOURCE_DIR "/tests/nn/reference.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream parts(line);
    std::string kind, config, shape, output, gradient;
    for (std::string* part : {&kind, &config, &shape, &output, &gradient}) std::getline(parts, *part, '\t');
    cases.push_back({kind, config, numbers<std::int64_t>(shape), numbers<double>(output), numbers<double>(gradient)});
  }
  return cases;
}

Tensor count_up(const Shape& shape) { return reshape(arange(checked_numel(shape), kFloat64), shape); }

std::shared_ptr<Module> layer_of(const Case& c) {
  Shape sample = c.shape;
  sample.erase(0);
  config::Diagnostics diagnostics;
  const BuiltModel built = build_model(config::parse_json(c.config), "/model", sample, diagnostics);
  diagnostics.throw_if_any();
  Shape batched = built.output;
  batched.insert(0, c.shape[0]);
  EXPECT_EQ((*built.module)(ones(c.shape)).shape(), batched) << c.config;  // the inferred shape is the true one
  built.module->to(kFloat64).eval();
  const NoGrad no_grad;
  double k = 0;
  for (Tensor& parameter : built.module->parameters()) copy_(parameter, cos(0.9 * count_up(parameter.shape()) + k++));
  return built.module;
}

Tensor loss_at(const Case& c, const std::string& type, const Tensor& x) {
  config::Diagnostics diagnostics;
  const auto loss = build_loss(config::parse_json(c.config), "/loss", diagnostics);
  diagnostics.throw_if_any();
  if (type == "CrossEntropyLoss") return (*loss)(x, remainder(arange(c.shape[0]), tensor(std::int64_t{3})));
  return (*loss)(x, (1 + sin(count_up(c.shape))) / 2);
}

void expect_near(const Tensor& found, const std::vector<double>& expected, const std::string& where) {
  const std::vector<double> values = found.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size()) << where;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(values[i], expected[i], 1e-12 * std::max(1.0, std::abs(expected[i]))) << where << " [" << i << ']';
}

TEST(Reference, LayersAndLossesAreThoseOfPyTorch) {
  std::set<std::string> found, expected;
  for (const Case& c : read_cases()) {
    const std::string type = *config::parse_json(c.config).find("type")->as_string();
    found.insert(type);
    Tensor x = 2 * sin(1.7 * count_up(c.shape) + 0.3);
    x.set_requires_grad();
    const Tensor y = c.kind == "layer" ? (*layer_of(c))(x) : loss_at(c, type, x);
    expect_near(contiguous(y.detach()), c.output, c.config);
    expect_near(grad(sum(y * cos(count_up(y.shape()))), {x})[0], c.gradient, c.config + " gradient");
  }
  for (const std::string& name : layers().names()) expected.insert(name);
  for (const std::string& name : losses().names()) expected.insert(name);
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace eigengrad::nn
