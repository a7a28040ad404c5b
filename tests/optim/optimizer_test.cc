#include "eigengrad/optim/optim.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <sstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::optim {
namespace {

using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<Tensor>&)>;

template <class O, class Options>
Make make(Options options) {
  return [options](const std::vector<Tensor>& p) { return std::make_unique<O>(p, options); };
}

AdamWOptions adamw_options(double weight_decay, bool amsgrad) {
  AdamWOptions options;
  options.lr = 0.05;
  options.weight_decay = weight_decay;
  options.amsgrad = amsgrad;
  return options;
}

// The cases of make_reference.py.
const std::map<std::string, Make>& cases() {
  static const std::map<std::string, Make> all{
      {"sgd", make<SGD>(SGDOptions{.lr = 0.05})},
      {"sgd_momentum", make<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9})},
      {"sgd_dampening", make<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .dampening = 0.3})},
      {"sgd_nesterov", make<SGD>(SGDOptions{.lr = 0.05, .momentum = 0.9, .nesterov = true})},
      {"sgd_weight_decay", make<SGD>(SGDOptions{.lr = 0.05, .weight_decay = 0.1})},
      {"sgd_all", make<SGD>(SGDOptions{.lr = 0.02, .momentum = 0.8, .weight_decay = 0.1, .nesterov = true})},
      {"sgd_maximize", make<SGD>(SGDOptions{.lr = 0.001, .momentum = 0.5, .maximize = true})},
      {"adam", make<Adam>(AdamOptions{.lr = 0.05})},
      {"adam_betas", make<Adam>(AdamOptions{.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3})},
      {"adam_weight_decay", make<Adam>(AdamOptions{.lr = 0.05, .weight_decay = 0.1})},
      {"adam_amsgrad", make<Adam>(AdamOptions{.lr = 0.05, .beta1 = 0.5, .beta2 = 0.6, .amsgrad = true})},
      {"adam_maximize", make<Adam>(AdamOptions{.lr = 0.05, .maximize = true})},
      {"adamw", make<AdamW>(adamw_options(0.01, false))},
      {"adamw_weight_decay", make<AdamW>(adamw_options(0.2, true))}};
  return all;
}

std::map<std::string, std::vector<std::vector<double>>> reference() {
  std::map<std::string, std::vector<std::vector<double>>> steps;
  std::ifstream file(EIGENGRAD_SOURCE_DIR "/tests/optim/reference.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    int step = 0;
    std::vector<double> values(4);
    words >> name >> step;
    for (double& value : values) words >> value;
    EXPECT_TRUE(words) << line;
    steps[name].push_back(values);
  }
  return steps;
}

std::vector<Tensor> start(Dtype dtype) {
  return {to(tensor({1.0, -0.5}), dtype).set_requires_grad(), to(tensor({2.0, 0.1}), dtype).set_requires_grad()};
}

std::vector<double> one_step(Optimizer& optimizer, const std::vector<Tensor>& parameters, int step) {
  optimizer.zero_grad();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i == 1 && step >= 5 && step <= 7) continue;
    const Tensor& w = parameters[i];
    sum(w * w * w * w / 4 - w * ((step + 1) / 10.0)).backward();
  }
  optimizer.step();
  std::vector<double> values;
  for (const Tensor& w : parameters)
    for (const double v : to(w.detach(), kFloat64).to_vector<double>()) values.push_back(v);
  return values;
}

TEST(Optimizers, StepsAreThoseOfPyTorch) {
  const auto expected = reference();
  ASSERT_EQ(expected.size(), cases().size());
  for (const auto& [name, make_optimizer] : cases()) {
    for (const Dtype dtype : {kFloat64, kFloat32}) {
      const std::vector<Tensor> parameters = start(dtype);
      const auto optimizer = make_optimizer(parameters);
      for (int step = 0; step < 20; ++step) {
        const std::vector<double> values = one_step(*optimizer, parameters, step);
        for (std::size_t i = 0; i < 4; ++i) {
          const double want = expected.at(name)[static_cast<std::size_t>(step)][i];
          const double tolerance = (dtype == kFloat64 ? 1e-12 : 2e-5) * std::max(1.0, std::abs(want));
          ASSERT_NEAR(values[i], want, tolerance)
              << name << ' ' << to_string(dtype) << " step " << step << " parameter " << i;
        }
      }
      EXPECT_EQ(optimizer->steps(), 20);
    }
  }
}

TEST(Optimizers, GroupsHaveOptionsOfTheirOwn) {
  Tensor a = ones({2}).set_requires_grad(), b = ones({2}).set_requires_grad();
  SGD optimizer({a}, {.lr = 0.1});
  optimizer.add_group({b}, {.lr = 0.5});
  const auto step = [&] {
    optimizer.zero_grad();
    sum(a + b).backward();
    optimizer.step();
  };
  step();
  EXPECT_FLOAT_EQ(a.to_vector<float>()[0], 0.9f);
  EXPECT_FLOAT_EQ(b.to_vector<float>()[0], 0.5f);
  optimizer.set_lr(1, 0);
  step();
  EXPECT_FLOAT_EQ(a.to_vector<float>()[0], 0.8f);
  EXPECT_FLOAT_EQ(b.to_vector<float>()[0], 0.5f);
  optimizer.set_lr(0.25);
  EXPECT_EQ(optimizer.lr(0), 0.25);
  EXPECT_EQ(optimizer.lr(1), 0.25);
  EXPECT_EQ(optimizer.groups(), 2u);
}

TEST(Optimizers, LeaveTheGradientAndUntouchedParametersAlone) {
  for (const auto& [name, make_optimizer] : cases()) {
    Tensor used = ones({3}).set_requires_grad(), unused = ones({3}).set_requires_grad();
    const auto optimizer = make_optimizer({used, unused});
    sum(square(used)).backward();
    const std::vector<float> before = used.grad().to_vector<float>();
    optimizer->step();
    EXPECT_EQ(used.grad().to_vector<float>(), before) << name;
    EXPECT_EQ(unused.to_vector<float>(), std::vector<float>(3, 1.f)) << name;
    EXPECT_NE(used.to_vector<float>(), std::vector<float>(3, 1.f)) << name;
  }
}

TEST(Optimizers, AStepIsNoticedByAGraphThatHadSavedTheParameter) {
  Tensor w = ones({2}).set_requires_grad();
  SGD optimizer({w}, {.lr = 0.1});
  const Tensor cost = sum(w * w);
  cost.backward({.retain_graph = true});
  optimizer.step();
  EXPECT_THROW(cost.backward(), GradError);
}

TEST(Optimizers, SameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  for (const auto& [name, make_optimizer] : cases()) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      manual_seed(1);
      Tensor w = randn({200001}).set_requires_grad();
      const auto optimizer = make_optimizer({w});
      for (int step = 0; step < 2; ++step) {
        optimizer->zero_grad();
        sum(w * w * w).backward();
        optimizer->step();
      }
      results.push_back(w.to_vector<float>());
    }
    EXPECT_EQ(results[0], results[1]) << name;
  }
  set_num_threads(before);
}

template <class O, class Options>
void expect_refused(Options options, const char* word) {
  Tensor w = ones({2}).set_requires_grad();
  try {
    O optimizer({w}, options);
    ADD_FAILURE() << "not refused: " << word;
  } catch (const ValueError& error) {
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
}

TEST(Optimizers, RefuseOptionsOutOfRange) {
  expect_refused<SGD>(SGDOptions{.lr = -1}, "lr");
  expect_refused<SGD>(SGDOptions{.lr = std::nan("")}, "lr");
  expect_refused<SGD>(SGDOptions{.momentum = -0.1}, "momentum");
  expect_refused<SGD>(SGDOptions{.weight_decay = -0.1}, "weight_decay");
  expect_refused<SGD>(SGDOptions{.nesterov = true}, "nesterov");
  expect_refused<SGD>(SGDOptions{.momentum = 0.9, .dampening = 0.1, .nesterov = true}, "nesterov");
  expect_refused<Adam>(AdamOptions{.lr = -1}, "lr");
  expect_refused<Adam>(AdamOptions{.beta1 = 1}, "beta1");
  expect_refused<Adam>(AdamOptions{.beta2 = -0.5}, "beta2");
  expect_refused<Adam>(AdamOptions{.eps = -1}, "eps");
  expect_refused<Adam>(AdamOptions{.weight_decay = -1}, "weight_decay");
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  expect_refused<SGD>(SGDOptions{.lr = inf}, "[SGD] lr is inf, expected a finite number of at least 0");
  expect_refused<SGD>(SGDOptions{.momentum = 0.9, .dampening = nan}, "dampening is nan");
  expect_refused<Adam>(AdamOptions{.beta1 = nan}, "[Adam] beta1 is nan, expected a number in [0, 1)");
  expect_refused<Adam>(AdamOptions{.eps = inf}, "eps");
  expect_refused<AdamW>(AdamWOptions{.lr = -1}, "[AdamW] lr is -1");
}

TEST(Optimizers, AdamWDecaysUnlessToldOtherwise) {
  Tensor w = ones({1}).set_requires_grad();
  EXPECT_EQ(AdamW({w}, {.lr = 0.1}).options().weight_decay, 0.01);
  EXPECT_EQ(Adam({w}, {.lr = 0.1}).options().weight_decay, 0);
}

TEST(Optimizers, RefuseRatesAndGroupsThatCannotBe) {
  Tensor w = ones({2}).set_requires_grad();
  SGD optimizer({w}, {.lr = 0.1});
  for (const double lr : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(optimizer.set_lr(lr), ValueError);
    EXPECT_THROW(optimizer.set_lr(0, lr), ValueError);
  }
  EXPECT_EQ(optimizer.lr(), 0.1);
  EXPECT_THROW(optimizer.set_lr(1, 0.1), IndexError);
  EXPECT_THROW(optimizer.lr(1), IndexError);
  EXPECT_THROW(optimizer.options(1), IndexError);
}

TEST(Optimizers, AGroupThatIsRefusedLeavesNoTrace) {
  Tensor a = ones({1}).set_requires_grad(), b = ones({1}).set_requires_grad();
  SGD optimizer({a}, {.lr = 0.5});
  EXPECT_THROW(optimizer.add_group({b, a}, {}), ValueError);
  EXPECT_THROW(optimizer.add_group({b}, {.lr = -1}), ValueError);
  EXPECT_EQ(optimizer.groups(), 1u);
  optimizer.add_group({b}, {.lr = 0.25});
  sum(a + b).backward();
  optimizer.step();
  EXPECT_EQ(a.item(), 0.5);
  EXPECT_EQ(b.item(), 0.75);
}

// All that an optimizer of a user's own needs.
struct SignOptions {
  double lr = 0.1;
};
class SignDescent : public GroupedOptimizer<SignOptions> {
 public:
  explicit SignDescent(const std::vector<Tensor>& parameters, const SignOptions& options = {}) {
    add_group(parameters, options);
  }

 private:
  void check(const Options& o) const override { require_not_negative("SignDescent", "lr", o.lr); }
  void update(const Options& o, Slot& slot, const Tensor& grad) override { add_(slot.parameter, sign(grad), -o.lr); }
};

TEST(Optimizers, OfAUsersOwnAreShort) {
  Tensor w = tensor({1.f, -1.f}).set_requires_grad();
  SignDescent optimizer({w});
  sum(square(w)).backward();
  optimizer.step();
  EXPECT_EQ(w.to_vector<float>(), (std::vector<float>{0.9f, -0.9f}));
  EXPECT_EQ(optimizer.steps(), 1);
  expect_refused<SignDescent>(SignOptions{.lr = -1}, "[SignDescent] lr is -1");
}

TEST(Optimizers, RefuseWhatIsNoParameter) {
  Tensor w = ones({2}).set_requires_grad();
  EXPECT_THROW(SGD({ones({2})}), ValueError);
  EXPECT_THROW(SGD({w, w}), ValueError);
  EXPECT_THROW(SGD({w * 2}), ValueError);
  EXPECT_THROW(SGD({Tensor()}), ValueError);
  EXPECT_THROW(SGD({transpose(ones({2, 3})).set_requires_grad()}), ValueError);
  SGD optimizer({w});
  EXPECT_THROW(optimizer.add_group({w}, {}), ValueError);
}

TEST(Optimizers, BuildFromAConfiguration) {
  const std::vector<Tensor> parameters = start(kFloat64);
  config::Diagnostics diagnostics;
  const auto read = optimizers().read(config::parse_json(R"({"type": "SGD", "lr": 0.05, "momentum": 0.9})"),
                                      "/optimizer", diagnostics);
  diagnostics.throw_if_any();
  const auto optimizer = optimizers().functions(*read).make(parameters, read->options.get());
  const auto expected = reference().at("sgd_momentum");
  for (int step = 0; step < 3; ++step)
    EXPECT_NEAR(one_step(*optimizer, parameters, step)[2], expected[static_cast<std::size_t>(step)][2], 1e-12);
  for (const config::TypeEntry& entry : optimizers().entries()) {
    config::Diagnostics none;
    EXPECT_TRUE(optimizers().read(config::Value(entry.name), "", none)) << entry.name;
    const std::shared_ptr<void> options = entry.make_options();
    EXPECT_TRUE(optimizers().read(optimizers().write(entry.name, options.get()), "", none)) << entry.name;
    EXPECT_TRUE(none.empty());
  }
  EXPECT_EQ(*optimizers().write("AdamW", optimizers().find("AdamW")->make_options().get()).find("weight_decay"),
            config::Value(0.01));
}

TEST(Clip, ScalesToTheNorm) {
  Tensor a = ones({2}).set_requires_grad(), b = ones({2}).set_requires_grad(), none = ones({1}).set_requires_grad();
  a.set_grad(tensor({3.f, 0.f}));
  b.set_grad(tensor({0.f, 4.f}));
  EXPECT_DOUBLE_EQ(clip_grad_norm_({a, b, none}, 10), 5);
  EXPECT_EQ(a.grad().to_vector<float>()[0], 3.f);
  EXPECT_DOUBLE_EQ(clip_grad_norm_({a, b, none}, 1), 5);
  EXPECT_NEAR(static_cast<double>(a.grad().to_vector<float>()[0]), 0.6, 1e-6);
  EXPECT_NEAR(static_cast<double>(b.grad().to_vector<float>()[1]), 0.8, 1e-6);
  a.set_grad(tensor({std::numeric_limits<float>::quiet_NaN(), 1.f}));
  EXPECT_TRUE(std::isnan(clip_grad_norm_({a, b}, 1)));
  EXPECT_NEAR(static_cast<double>(b.grad().to_vector<float>()[1]), 0.8, 1e-6);
  EXPECT_THROW(clip_grad_norm_({a}, 0), ValueError);
}

TEST(Clip, LimitsValues) {
  Tensor a = ones({3}).set_requires_grad();
  a.set_grad(tensor({3.f, -0.25f, -8.f}));
  clip_grad_value_({a}, 0.5);
  EXPECT_EQ(a.grad().to_vector<float>(), (std::vector<float>{0.5f, -0.25f, -0.5f}));
  EXPECT_THROW(clip_grad_value_({a}, -1), ValueError);
}

}  // namespace
}  // namespace eigengrad::optim
