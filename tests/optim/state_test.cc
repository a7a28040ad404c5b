// What optimizers remember: interrupted runs go on with the same bits, and a state that does not fit changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"

namespace eigengrad::optim {
namespace {

using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<Tensor>&)>;

template <class O>
Make make(typename O::Options options) {
  return [options](const std::vector<Tensor>& p) { return std::make_unique<O>(p, options); };
}

// An optimizer of every shape of state, with the names of it.
struct Case {
  Make make;
  std::vector<std::string> state;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {make<SGD>({.lr = 0.05}), {}},
      {make<SGD>({.lr = 0.05, .momentum = 0.9, .dampening = 0.2}), {"momentum"}},
      {make<Adam>({.lr = 0.05}), {"mean", "mean_square"}},
      {make<AdamW>({.lr = 0.05, .amsgrad = true}), {"mean", "mean_square", "largest_mean_square"}}};
  return all;
}

std::vector<Tensor> start() {
  manual_seed(5);
  return {randn({3, 2}).set_requires_grad(), randn({4}).set_requires_grad()};
}

void run(Optimizer& optimizer, const std::vector<Tensor>& parameters, int steps) {
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    for (const Tensor& w : parameters) sum(w * w * w).backward();
    optimizer.step();
  }
}

std::vector<Tensor> copies(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> result;
  for (const Tensor& w : parameters) result.push_back(clone(w.detach()).set_requires_grad());
  return result;
}

const Tensor* find(const StateDict& state, const std::string& name) {
  for (const auto& [key, value] : state)
    if (key == name) return &value;
  return nullptr;
}

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const ValueError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(OptimizerState, ARunGoesOnWhereItWasInterrupted) {
  for (const Case& c : cases()) {
    const std::vector<Tensor> whole = start();
    const auto through = c.make(whole);
    run(*through, whole, 3);
    through->set_lr(0.01);
    const StateDict state = through->state_dict();
    const std::vector<Tensor> resumed = copies(whole);
    run(*through, whole, 4);

    const auto after = c.make(resumed);
    after->load_state_dict(state);
    EXPECT_EQ(after->steps(), 3);
    EXPECT_EQ(after->lr(), 0.01);
    run(*after, resumed, 4);
    EXPECT_EQ(after->steps(), 7);
    for (std::size_t i = 0; i < whole.size(); ++i)
      EXPECT_TRUE(equal(whole[i], resumed[i])) << c.state.size() << ' ' << i;
  }
}

// Without the state the run takes another way: the test above can fail.
TEST(OptimizerState, MattersToTheRun) {
  for (const Case& c : cases()) {
    if (c.state.empty()) continue;
    const std::vector<Tensor> whole = start();
    const auto through = c.make(whole);
    run(*through, whole, 3);
    const std::vector<Tensor> restarted = copies(whole);
    run(*through, whole, 4);
    run(*c.make(restarted), restarted, 4);
    EXPECT_FALSE(equal(whole[0], restarted[0])) << c.state.size();
  }
}

TEST(OptimizerState, IsNamedByTheOrderOfParameters) {
  for (const Case& c : cases()) {
    const std::vector<Tensor> parameters = start();
    const auto optimizer = c.make(parameters);
    EXPECT_EQ(optimizer->state_dict().size(), 4u);  // no state before the first update
    run(*optimizer, {parameters[1]}, 2);            // parameter 0 has no gradient
    std::vector<std::string> names, expected{"steps", "group.0.lr", "parameter.0.updates", "parameter.1.updates"};
    const StateDict state = optimizer->state_dict();
    for (const auto& [name, value] : state) names.push_back(name);
    for (const std::string& name : c.state) expected.push_back("parameter.1." + name);
    EXPECT_EQ(names, expected);
    EXPECT_EQ(find(state, "steps")->item<std::int64_t>(), 2);
    EXPECT_EQ(find(state, "parameter.0.updates")->item<std::int64_t>(), 0);
    EXPECT_EQ(find(state, "parameter.1.updates")->item<std::int64_t>(), 2);
  }
}

TEST(OptimizerState, IsACopy) {
  const std::vector<Tensor> parameters = start();
  Adam optimizer(parameters);
  run(optimizer, parameters, 1);
  const StateDict state = optimizer.state_dict();
  const Tensor before = clone(*find(state, "parameter.0.mean"));
  run(optimizer, parameters, 1);
  EXPECT_TRUE(equal(*find(state, "parameter.0.mean"), before));
  optimizer.load_state_dict(state);
  run(optimizer, parameters, 1);  // changes the optimizer's own tensors, not those that it was given
  EXPECT_TRUE(equal(*find(state, "parameter.0.mean"), before));
}

TEST(OptimizerState, KeepsTheRateOfEveryGroup) {
  const std::vector<Tensor> parameters = start();
  SGD one({parameters[0]}, {.lr = 0.1}), other({parameters[0]}, {.lr = 1});
  one.add_group({parameters[1]}, {.lr = 0.2});
  other.add_group({parameters[1]}, {.lr = 2});
  other.load_state_dict(one.state_dict());
  EXPECT_EQ(other.lr(0), 0.1);
  EXPECT_EQ(other.lr(1), 0.2);
}

TEST(OptimizerState, ThatDoesNotFitIsToldWholeAndChangesNothing) {
  const std::vector<Tensor> parameters = start();
  Adam optimizer(parameters, {.lr = 0.05});
  run(optimizer, parameters, 2);
  const StateDict good = optimizer.state_dict();
  StateDict bad = good;
  for (auto& [name, value] : bad) {
    if (name == "steps") value = tensor(std::int64_t{-1});
    if (name == "group.0.lr") value = tensor(std::numeric_limits<double>::quiet_NaN());
    if (name == "parameter.0.mean") value = zeros({2, 3});
    if (name == "parameter.0.mean_square") value = zeros({3, 2}, kFloat64);
    if (name == "parameter.1.mean_square") value = Tensor();
  }
  std::erase_if(bad, [](const auto& entry) { return entry.first == "parameter.1.mean"; });
  bad.emplace_back("parameter.0.largest_mean_square", zeros({3, 2}));
  bad.emplace_back("steps", tensor(std::int64_t{1}));
  const std::string text = message_of([&] { optimizer.load_state_dict(bad); });
  for (const char* part : {"there twice: steps", "steps: found -1, expected a number of at least 0",
                           "group.0.lr: found nan", "parameter.0.mean: found float32 [2, 3], expected float32 [3, 2]",
                           "parameter.0.mean_square: found float64 [3, 2], expected float32 [3, 2]",
                           "missing: parameter.1.mean, float32 [4]", "parameter.1.mean_square: found nothing",
                           "not expected: parameter.0.largest_mean_square"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  const StateDict now = optimizer.state_dict();
  ASSERT_EQ(now.size(), good.size());
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_EQ(now[i].first, good[i].first);
    EXPECT_TRUE(equal(now[i].second, good[i].second)) << now[i].first;
  }
}

TEST(OptimizerState, OfOtherOptionsIsRefused) {
  const std::vector<Tensor> parameters = start(), others = start();
  Adam plain(parameters), largest(others, {.amsgrad = true});
  run(plain, parameters, 1);
  run(largest, others, 1);
  EXPECT_THROW(largest.load_state_dict(plain.state_dict()), ValueError);
  EXPECT_THROW(plain.load_state_dict(largest.state_dict()), ValueError);
  SGD fewer({start()[0]});
  EXPECT_THROW(fewer.load_state_dict(SGD(start()).state_dict()), ValueError);
}

}  // namespace
}  // namespace eigengrad::optim
