// What optimizers remember: interrupted runs go on with the same bits, and a state that does not fit changes nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"
#include "eigengrad/optim/optim.h"
#include "tests/message.h"

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
      {make<AdamW>({.lr = 0.05, .amsgrad = true}), {"mean", "mean_square", "largest_mean_square"}},
      {make<NAdam>({.lr = 0.05, .momentum_decay = 0.1}), {"mean", "mean_square", "momentum_product"}},
      {make<RMSprop>({.momentum = 0.9, .centered = true}), {"mean_square", "mean", "momentum"}},
      {make<Adagrad>({.lr_decay = 0.1, .initial_accumulator_value = 0.2}), {"square_sum"}},
      {make<Adadelta>({}), {"mean_square", "mean_square_step"}},
      {make<Lion>({.lr = 0.3}), {"mean"}},
      {make<Muon>({.lr = 0.05}), {"momentum"}}};
  return all;
}

std::vector<Tensor> start() {
  manual_seed(5);
  return {randn({3, 2}).set_requires_grad(), randn({4, 1}).set_requires_grad()};
}

void run(Optimizer& optimizer, const std::vector<Tensor>& parameters, int steps) {
  for (int step = 0; step < steps; ++step) {
    optimizer.zero_grad();
    for (const Tensor& w : parameters) sum(w * w * w - w).backward();
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
    std::vector<std::string> names, expected{"steps", "group.0.lr"};
    if (optimizer->momentum()) expected.push_back("group.0.momentum");
    for (const char* name : {"parameter.0.updates", "parameter.1.updates"}) expected.push_back(name);
    EXPECT_EQ(optimizer->state_dict().size(), expected.size());  // no state before the first update
    run(*optimizer, {parameters[1]}, 2);                         // parameter 0 has no gradient
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
  for (const char* part : {"there twice: steps", "steps: found -1, expected a number in [0, 2^53]",
                           "group.0.lr: found nan", "parameter.0.mean: found float32 [2, 3], expected float32 [3, 2]",
                           "parameter.0.mean_square: found float64 [3, 2], expected float32 [3, 2]",
                           "missing: parameter.1.mean, float32 [4, 1]", "parameter.1.mean_square: found nothing",
                           "not expected: parameter.0.largest_mean_square"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  const StateDict now = optimizer.state_dict();
  ASSERT_EQ(now.size(), good.size());
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_EQ(now[i].first, good[i].first);
    EXPECT_TRUE(equal(now[i].second, good[i].second)) << now[i].first;
  }
}

TEST(OptimizerState, OfLBFGSHasItsWholeHistory) {
  const auto step = [](LBFGS& optimizer, const std::vector<Tensor>& parameters) {
    optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor cost = sum(square(square(parameters[0]) - 1)) + sum(square(square(parameters[1]) - parameters[1]));
      cost.backward();
      return cost;
    });
  };
  for (const LineSearch search : {LineSearch::None, LineSearch::StrongWolfe}) {
    const LBFGSOptions options{.lr = 0.1, .max_iter = 3, .history_size = 4, .line_search_fn = search};
    const std::vector<Tensor> whole = start();
    LBFGS through(whole, options), fresh(start(), options);
    fresh.load_state_dict(LBFGS(start(), options).state_dict());
    for (int i = 0; i < 2; ++i) step(through, whole);
    const StateDict state = through.state_dict();
    const std::vector<Tensor> resumed = copies(whole);
    LBFGS after(resumed, options);
    after.load_state_dict(state);
    for (int i = 0; i < 3; ++i) {
      step(through, whole);
      step(after, resumed);
    }
    for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(equal(whole[i], resumed[i]));
    EXPECT_EQ(after.evaluations(), through.evaluations());
    StateDict less = state;
    std::erase_if(less, [](const auto& entry) { return entry.first == "lbfgs.history.0.weights"; });
    EXPECT_NE(message_of([&] { after.load_state_dict(less); }).find("missing: lbfgs.history.0.weights, float32 [10]"),
              std::string::npos);
  }
}

TEST(OptimizerState, OfSeveralOptimizersIsThatOfEach) {
  const auto make_both = [](const std::vector<Tensor>& parameters) {
    std::vector<std::unique_ptr<Optimizer>> parts;
    parts.push_back(std::make_unique<Muon>(std::vector<Tensor>{parameters[0]}));
    parts.push_back(std::make_unique<AdamW>(std::vector<Tensor>{parameters[1]}));
    return std::make_unique<CombinedOptimizer>(std::move(parts));
  };
  const std::vector<Tensor> whole = start();
  const auto through = make_both(whole);
  EXPECT_EQ(through->groups(), 2u);
  run(*through, whole, 3);
  through->set_lr(1, 0.03);
  const StateDict state = through->state_dict();
  const std::vector<Tensor> resumed = copies(whole);
  const auto after = make_both(resumed);
  after->load_state_dict(state);
  EXPECT_EQ(after->lr(1), 0.03);
  EXPECT_EQ(after->steps(), 3);
  run(*through, whole, 2);
  run(*after, resumed, 2);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(equal(whole[i], resumed[i]));
  StateDict less = state;
  std::erase_if(less, [](const auto& entry) { return entry.first == "optimizer.1.parameter.0.mean"; });
  EXPECT_NE(message_of([&] { after->load_state_dict(less); }).find("missing: optimizer.1.parameter.0.mean"),
            std::string::npos);
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
