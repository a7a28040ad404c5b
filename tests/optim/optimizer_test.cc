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
#include "tests/message.h"

namespace eigengrad::optim {
namespace {

using Make = std::function<std::unique_ptr<Optimizer>(const std::vector<Tensor>&)>;

template <class O>
Make make(typename O::Options options) {
  return [options](const std::vector<Tensor>& p) { return std::make_unique<O>(p, options); };
}

// The cases of make_reference.py.
const std::map<std::string, Make>& cases() {
  static const std::map<std::string, Make> all{
      {"sgd", make<SGD>({.lr = 0.05})},
      {"sgd_momentum", make<SGD>({.lr = 0.05, .momentum = 0.9})},
      {"sgd_dampening", make<SGD>({.lr = 0.05, .momentum = 0.9, .dampening = 0.3})},
      {"sgd_nesterov", make<SGD>({.lr = 0.05, .momentum = 0.9, .nesterov = true})},
      {"sgd_weight_decay", make<SGD>({.lr = 0.05, .weight_decay = 0.1})},
      {"sgd_all", make<SGD>({.lr = 0.02, .momentum = 0.8, .weight_decay = 0.1, .nesterov = true})},
      {"sgd_maximize", make<SGD>({.lr = 0.001, .momentum = 0.5, .maximize = true})},
      {"adam", make<Adam>({.lr = 0.05})},
      {"adam_betas", make<Adam>({.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3})},
      {"adam_weight_decay", make<Adam>({.lr = 0.05, .weight_decay = 0.1})},
      {"adam_amsgrad", make<Adam>({.lr = 0.05, .beta1 = 0.5, .beta2 = 0.6, .amsgrad = true})},
      {"adam_maximize", make<Adam>({.lr = 0.05, .maximize = true})},
      {"adamw", make<AdamW>({.lr = 0.05})},
      {"adamw_weight_decay", make<AdamW>({.lr = 0.05, .weight_decay = 0.2, .amsgrad = true})},
      {"nadam", make<NAdam>({})},
      {"nadam_weight_decay",
       make<NAdam>({.lr = 0.05, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.1, .momentum_decay = 0.1})},
      {"nadam_decoupled",
       make<NAdam>({.lr = 0.05, .weight_decay = 0.1, .decoupled_weight_decay = true, .maximize = true})},
      {"rmsprop", make<RMSprop>({})},
      {"rmsprop_centered", make<RMSprop>({.lr = 0.02, .alpha = 0.9, .centered = true})},
      {"rmsprop_momentum", make<RMSprop>({.lr = 0.005, .weight_decay = 0.1, .momentum = 0.9})},
      {"rmsprop_all", make<RMSprop>({.lr = 0.002,
                                     .alpha = 0.8,
                                     .eps = 1e-3,
                                     .weight_decay = 0.1,
                                     .momentum = 0.5,
                                     .centered = true,
                                     .maximize = true})},
      {"adagrad", make<Adagrad>({})},
      {"adagrad_all",
       make<Adagrad>(
           {.lr = 0.1, .lr_decay = 0.05, .weight_decay = 0.1, .initial_accumulator_value = 0.3, .eps = 1e-3})},
      {"adagrad_maximize", make<Adagrad>({.lr = 0.02, .maximize = true})},
      {"adadelta", make<Adadelta>({})},
      {"adadelta_all", make<Adadelta>({.lr = 0.5, .rho = 0.7, .eps = 1e-3, .weight_decay = 0.1, .maximize = true})},
      {"lion", make<Lion>({})},
      {"lion_all", make<Lion>({.lr = 0.02, .beta1 = 0.8, .beta2 = 0.6, .weight_decay = 0.3})},
      {"muon", make<Muon>({})},
      {"muon_plain", make<Muon>({.lr = 0.05, .weight_decay = 0, .momentum = 0.8, .nesterov = false, .ns_steps = 3})},
      {"muon_match_rms_adamw", make<Muon>({.lr = 0.02, .adjust_lr_fn = MuonRate::MatchRmsAdamW})},
      {"muon_spectral_unclamped",
       make<Muon>({.lr = 0.02, .ns_coefficients = {2, -1.5, 0.5}, .adjust_lr_fn = MuonRate::SpectralUnclamped})},
      {"lbfgs", make<LBFGS>({.lr = 0.3, .max_iter = 4})},
      {"lbfgs_history", make<LBFGS>({.lr = 0.5, .max_iter = 5, .max_eval = 4, .history_size = 3})},
      {"lbfgs_strong_wolfe", make<LBFGS>({.max_iter = 3, .line_search_fn = LineSearch::StrongWolfe})},
      {"lbfgs_few_evaluations",
       make<LBFGS>({.lr = 8, .max_iter = 6, .max_eval = 5, .line_search_fn = LineSearch::StrongWolfe})},
      {"lbfgs_maximize", make<LBFGS>({.lr = 1e-4, .max_iter = 3, .maximize = true})}};
  return all;
}

std::map<std::string, std::vector<std::vector<double>>> reference() {
  std::map<std::string, std::vector<std::vector<double>>> steps;
  std::ifstream file(EIGENGRAD_SOURCE_DIR "/tests/optim/reference.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name;
    int step = 0;
    std::vector<double> values(8);
    words >> name >> step;
    for (double& value : values) words >> value;
    EXPECT_TRUE(words) << line;
    steps[name].push_back(values);
  }
  return steps;
}

std::vector<Tensor> start(Dtype dtype) {
  return {to(reshape(tensor({1.0, -0.5}), {1, 2}), dtype).set_requires_grad(),
          to(reshape(tensor({2.0, 0.1, -0.7, 0.4, 0.9, -1.2}), {3, 2}), dtype).set_requires_grad()};
}

std::vector<double> one_step(Optimizer& optimizer, const std::vector<Tensor>& parameters, int step) {
  optimizer.step([&] {
    optimizer.zero_grad();
    Tensor total = zeros({}, kFloat64);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (i == 1 && step >= 5 && step <= 7 && !optimizer.needs_closure()) continue;
      const Tensor& w = parameters[i];
      const Tensor cost = sum(w * w * w * w / 4 - w * ((step + 1) / 10.0));
      cost.backward();
      total = total + to(cost.detach(), kFloat64);
    }
    return total;
  });
  std::vector<double> values;
  for (const Tensor& w : parameters)
    for (const double v : to(w.detach(), kFloat64).to_vector<double>()) values.push_back(v);
  return values;
}

// The largest relative difference of a run of 20 steps from PyTorch's.
double difference(const Make& make_optimizer, Dtype dtype, const std::vector<std::vector<double>>& expected) {
  const std::vector<Tensor> parameters = start(dtype);
  const auto optimizer = make_optimizer(parameters);
  double largest = 0;
  for (int step = 0; step < 20; ++step) {
    const std::vector<double> values = one_step(*optimizer, parameters, step);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double want = expected.at(static_cast<std::size_t>(step))[i];
      largest = std::max(largest, std::abs(values[i] - want) / std::max(dtype == kFloat64 ? 0.0 : 1.0, std::abs(want)));
    }
  }
  EXPECT_EQ(optimizer->steps(), 20);
  return largest;
}

TEST(Optimizers, StepsAreThoseOfPyTorch) {
  const auto expected = reference();
  ASSERT_EQ(expected.size(), cases().size());
  for (const auto& [name, make_optimizer] : cases()) {
    EXPECT_LT(difference(make_optimizer, kFloat64, expected.at(name)), 1e-10) << name;
    // How many iterations LBFGS takes may hang on a rounding.
    if (name.starts_with("lbfgs")) continue;
    EXPECT_LT(difference(make_optimizer, kFloat32, expected.at(name)), 5e-5) << name;
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

// The cases that update each parameter by its own gradient, once.
std::map<std::string, Make> plain_cases() {
  std::map<std::string, Make> plain = cases();
  std::erase_if(plain, [](const auto& entry) { return entry.first.starts_with("lbfgs"); });
  return plain;
}

TEST(Optimizers, LeaveTheGradientAndUntouchedParametersAlone) {
  for (const auto& [name, make_optimizer] : plain_cases()) {
    Tensor used = ones({3, 1}).set_requires_grad(), unused = ones({3, 1}).set_requires_grad();
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
  for (const auto& [name, make_optimizer] : plain_cases()) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      manual_seed(1);
      Tensor w = randn({200001, 1}).set_requires_grad();
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

template <class O>
void expect_refused(typename O::Options options, const char* word) {
  Tensor w = ones({2, 2}).set_requires_grad();
  const std::string message = message_of<ValueError>([&] { O optimizer({w}, options); });
  EXPECT_NE(message.find(word), std::string::npos) << message;
}

TEST(Optimizers, RefuseOptionsOutOfRange) {
  expect_refused<SGD>({.lr = -1}, "lr");
  expect_refused<SGD>({.lr = std::nan("")}, "lr");
  expect_refused<SGD>({.momentum = -0.1}, "momentum");
  expect_refused<SGD>({.weight_decay = -0.1}, "weight_decay");
  expect_refused<SGD>({.nesterov = true}, "nesterov");
  expect_refused<SGD>({.momentum = 0.9, .dampening = 0.1, .nesterov = true}, "nesterov");
  expect_refused<Adam>({.lr = -1}, "lr");
  expect_refused<Adam>({.beta1 = 1}, "beta1");
  expect_refused<Adam>({.beta2 = -0.5}, "beta2");
  expect_refused<Adam>({.eps = -1}, "eps");
  expect_refused<Adam>({.weight_decay = -1}, "weight_decay");
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  expect_refused<SGD>({.lr = inf}, "[SGD] lr is inf, expected a finite number of at least 0");
  expect_refused<SGD>({.momentum = 0.9, .dampening = nan}, "dampening is nan");
  expect_refused<Adam>({.beta1 = nan}, "[Adam] beta1 is nan, expected a number in [0, 1)");
  expect_refused<Adam>({.eps = inf}, "eps");
  expect_refused<AdamW>({.lr = -1}, "[AdamW] lr is -1");
  expect_refused<NAdam>({.momentum_decay = -1}, "[NAdam] momentum_decay is -1, expected a finite number of at least 0");
  expect_refused<RMSprop>({.alpha = 1.5}, "[RMSprop] alpha is 1.5, expected a number in [0, 1]");
  expect_refused<Adagrad>({.lr_decay = -0.5}, "[Adagrad] lr_decay is -0.5");
  expect_refused<Adadelta>({.rho = 2}, "[Adadelta] rho is 2");
  expect_refused<Lion>({.beta2 = 1}, "[Lion] beta2 is 1, expected a number in [0, 1)");
  expect_refused<Muon>({.ns_coefficients = {1, 2}}, "[Muon] ns_coefficients has 2 numbers, expected 3");
  expect_refused<Muon>({.ns_coefficients = {1, 2, nan}}, "[Muon] ns_coefficients is nan");
  expect_refused<Muon>({.ns_steps = 100}, "[Muon] ns_steps is 100, expected a whole number in [0, 99]");
  expect_refused<LBFGS>({.max_iter = 0}, "[LBFGS] max_iter is 0, expected a whole number of at least 1");
  expect_refused<LBFGS>({.max_eval = 0}, "[LBFGS] max_eval is 0");
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
void describe(config::Fields& f, SignOptions& o) { f("lr", o.lr, {.help = "learning rate", .min = 0}); }
class SignDescent : public GroupedOptimizer<SignDescent, SignOptions> {
 public:
  static constexpr const char* kName = "SignDescent";
  using GroupedOptimizer::GroupedOptimizer;
  static void update(const Options& o, Slot& slot, const Tensor& grad) { add_(slot.parameter, sign(grad), -o.lr); }
};

TEST(Optimizers, OfAUsersOwnAreShort) {
  Tensor w = tensor({1.f, -1.f}).set_requires_grad();
  SignDescent optimizer({w});
  sum(square(w)).backward();
  optimizer.step();
  EXPECT_EQ(w.to_vector<float>(), (std::vector<float>{0.9f, -0.9f}));
  EXPECT_EQ(optimizer.steps(), 1);
  expect_refused<SignDescent>({.lr = -1}, "[SignDescent] lr is -1");
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

TEST(Optimizers, TakeOnlyWhatTheyAreFor) {
  EXPECT_THROW(Muon({ones({2}).set_requires_grad()}), ShapeError);
  EXPECT_THROW(Muon({ones({2, 2, 2}).set_requires_grad()}), ShapeError);
  EXPECT_THROW(LBFGS({ones({2}).set_requires_grad(), ones({2}, kFloat64).set_requires_grad()}), DtypeError);
  Tensor w = ones({2}).set_requires_grad();
  LBFGS lbfgs({w});
  EXPECT_TRUE(lbfgs.needs_closure());
  EXPECT_THROW(lbfgs.step(), Error);
}

TEST(Optimizers, HaveAMomentumThatCanBeSet) {
  Tensor w = ones({2, 1}).set_requires_grad();
  SGD sgd({w}, {.lr = 0.1});
  EXPECT_EQ(sgd.momentum(), 0);
  const auto step = [&](Optimizer& optimizer) {
    optimizer.zero_grad();
    sum(w).backward();
    optimizer.step();
  };
  step(sgd);
  sgd.set_momentum(0, 0.5);  // from now on there is a velocity
  step(sgd);
  step(sgd);
  EXPECT_EQ(sgd.options().momentum, 0.5);
  EXPECT_TRUE(std::isfinite(w.to_vector<float>()[0]));
  Adam adam({w});
  EXPECT_EQ(adam.momentum(), 0.9);
  adam.set_momentum(0, 0.8);
  EXPECT_EQ(adam.options().beta1, 0.8);
  EXPECT_THROW(adam.set_momentum(0, 1), ValueError);
  EXPECT_THROW(adam.set_momentum(1, 0.5), IndexError);
  Adagrad adagrad({w});
  EXPECT_FALSE(adagrad.momentum());
  EXPECT_THROW(adagrad.set_momentum(0, 0.5), ValueError);
}

Tensor rosenbrock(const Tensor& w) {
  const Tensor x = narrow(w, 0, 0, 1), y = narrow(w, 0, 1, 1);
  return sum(square(1 - x) + 100 * square(y - square(x)));
}

// A parameter of bfloat16 moves as one of float32 does that is rounded after every step; what is remembered is float32.
TEST(Optimizers, UpdateBFloat16InFloat32) {
  for (const auto& [name, make_optimizer] : cases()) {
    SCOPED_TRACE(name);
    Tensor narrow = to(reshape(cos(arange(12, kFloat32)), {3, 4}), kBFloat16).set_requires_grad();
    Tensor wide = to(narrow.detach(), kFloat32).set_requires_grad();
    const auto optimizer = make_optimizer({narrow}), expected = make_optimizer({wide});
    for (int step = 0; step < 5; ++step) {
      Tensor grad = to(sin(wide.detach() * 3 + step), kBFloat16);
      narrow.set_grad(grad);
      wide.set_grad(to(grad, kFloat32));
      const Closure cost = [] { return zeros({}); };
      optimizer->step(cost);
      expected->step(cost);
      const NoGrad no_grad;
      copy_(wide, to(wide, kBFloat16));
      if (name.starts_with("lbfgs")) continue;  // which moves the weights several times in a step
      ASSERT_TRUE(equal(to(narrow, kFloat32), wide)) << "step " << step;
    }
    EXPECT_EQ(narrow.dtype(), kBFloat16);
    const StateDict saved = optimizer->state_dict();
    for (const auto& [entry, value] : saved) EXPECT_NE(value.dtype(), kBFloat16) << entry;
    make_optimizer({narrow})->load_state_dict(saved);
  }
}

TEST(LBFGSOptimizer, FindsTheMinimumOfRosenbrock) {
  for (const LineSearch search : {LineSearch::StrongWolfe, LineSearch::None}) {
    Tensor w = tensor({-1.2, 1.0}).set_requires_grad();
    LBFGS optimizer(
        {w}, {.lr = search == LineSearch::None ? 0.2 : 1.0, .tolerance_change = 1e-16, .line_search_fn = search});
    for (int i = 0; i < 25; ++i)
      optimizer.step([&] {
        optimizer.zero_grad();
        const Tensor cost = rosenbrock(w);
        cost.backward();
        return cost;
      });
    EXPECT_NEAR(w.to_vector<double>()[0], 1, 1e-6);
    EXPECT_NEAR(w.to_vector<double>()[1], 1, 1e-6);
    EXPECT_GT(optimizer.evaluations(), 10);
  }
}

TEST(LBFGSOptimizer, ComesBackFromWhereTheCostIsNotANumber) {
  Tensor w = tensor({0.1}).set_requires_grad();
  LBFGS optimizer({w}, {.lr = 50, .line_search_fn = LineSearch::StrongWolfe});
  for (int i = 0; i < 5; ++i)
    optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor cost = sum(w - log(w) - log(3 - w));  // of 0 to 3 alone
      cost.backward();
      return cost;
    });
  // 1 - 1/w + 1/(3 - w) = 0
  EXPECT_NEAR(w.item(), (5 - std::sqrt(13.0)) / 2, 1e-5);
}

// A product of two matrices is to be a third: both factors are found.
TEST(MuonOptimizer, FactorsAMatrix) {
  manual_seed(4);
  const Tensor target = matmul(randn({12, 4}), randn({4, 9}));
  Tensor a = (randn({12, 4}) * 0.1).set_requires_grad(), b = (randn({4, 9}) * 0.1).set_requires_grad();
  Muon optimizer({a, b}, {.lr = 0.1, .weight_decay = 0});
  const auto cost = [&] { return mean(square(matmul(a, b) - target)); };
  const double before = cost().item();
  for (int i = 0; i < 400; ++i) {
    optimizer.set_lr(0.1 * (1 - i / 400.0));
    optimizer.step([&] {
      optimizer.zero_grad();
      const Tensor c = cost();
      c.backward();
      return c;
    });
  }
  EXPECT_LT(cost().item(), 1e-3 * before);
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
