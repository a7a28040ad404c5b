#include "eigengrad/ops/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void expect_values(const Tensor& found, const Shape& shape, const std::vector<double>& expected,
                   double tolerance = 1e-12) {
  ASSERT_EQ(found.shape(), shape) << to_string(found.shape());
  const std::vector<double> values = to(found, kFloat64).detach().to_vector<double>();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(values[i], expected[i], tolerance) << "element " << i;
}

// The message of the E that `f` throws.
template <class E>
std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\nlacks: " << part;
}

// Two samples of three classes whose softmaxes are (1/6, 2/6, 3/6) and (1/10, 1/10, 8/10).
Tensor logits() { return log(tensor({{1., 2., 3.}, {1., 1., 8.}})); }

TEST(CrossEntropy, IsMinusTheLogOfTheProbabilityOfTheTarget) {
  const Tensor target = tensor({1, 2});
  const double first = std::log(3.), second = std::log(10. / 8);
  expect_values(cross_entropy(logits(), target, {.reduction = Reduction::None}), {2}, {first, second});
  expect_values(cross_entropy(logits(), target, {.reduction = Reduction::Sum}), {}, {first + second});
  expect_values(cross_entropy(logits(), target), {}, {(first + second) / 2});
}

TEST(CrossEntropy, TakesOneSampleWithoutABatchAxis) {
  expect_values(cross_entropy(select(logits(), 0, 0), tensor(2)), {}, {std::log(2.)});
}

TEST(CrossEntropy, TakesFurtherAxes) {
  // [N, C, d] with the two samples above side by side along d.
  const Tensor input = unsqueeze(transpose(logits()), 0);
  const Tensor losses = cross_entropy(input, tensor({{1, 2}}), {.reduction = Reduction::None});
  expect_values(losses, {1, 2}, {std::log(3.), std::log(10. / 8)});
}

TEST(CrossEntropy, MeanIsOverTheWeightsOfTheTargets) {
  const Tensor weight = tensor({7., 3., 0.5});
  const double first = 3 * std::log(3.), second = 0.5 * std::log(10. / 8);
  const Tensor target = tensor({1, 2});
  expect_values(cross_entropy(logits(), target, {.weight = weight, .reduction = Reduction::None}), {2},
                {first, second});
  expect_values(cross_entropy(logits(), target, {.weight = weight}), {}, {(first + second) / 3.5});
}

TEST(CrossEntropy, IgnoredTargetsCountForNothing) {
  Tensor input = logits();
  input.set_requires_grad();
  const Tensor loss = cross_entropy(input, tensor({-7, 2}), {.ignore_index = -7});
  expect_values(loss, {}, {std::log(10. / 8)});
  loss.backward();
  expect_values(input.grad(), {2, 3}, {0, 0, 0, 0.1, 0.1, -0.2});
}

TEST(CrossEntropy, AnIgnoredSampleThatIsNotFiniteLeavesNoTrace) {
  Tensor input = tensor({{kInfinity, 0.}, {0., 0.}});
  input.set_requires_grad();
  const Tensor loss = cross_entropy(input, tensor({-100, 1}));
  expect_values(loss, {}, {std::log(2.)});
  loss.backward();
  expect_values(input.grad(), {2, 2}, {0, 0, 0.5, -0.5});
}

TEST(CrossEntropy, TheMeanOfNoTargetIsNaN) {
  EXPECT_TRUE(std::isnan(cross_entropy(logits(), tensor({-100, -100})).item()));
  EXPECT_TRUE(std::isnan(cross_entropy(zeros({0, 3}), zeros({0}, kInt64)).item()));
  EXPECT_EQ(cross_entropy(logits(), tensor({-100, -100}), {.reduction = Reduction::Sum}).item(), 0);
}

TEST(CrossEntropy, LabelSmoothingSpreadsTheTarget) {
  // q = 0.7·onehot + 0.1
  const double loss = 0.1 * std::log(6.) + 0.8 * std::log(3.) + 0.1 * std::log(2.);
  expect_values(cross_entropy(select(logits(), 0, 0), tensor(1), {.label_smoothing = 0.3}), {}, {loss});
}

TEST(CrossEntropy, MaskedClassesHaveNoInfluence) {
  Tensor input = tensor({{0., -kInfinity, 0.}});
  input.set_requires_grad();
  const Tensor loss = cross_entropy(input, tensor({0}));
  expect_values(loss, {}, {std::log(2.)});
  loss.backward();
  EXPECT_EQ(input.grad().to_vector<double>(), (std::vector<double>{-0.5, 0, 0.5}));
}

TEST(CrossEntropy, LargeLogitsNeitherOverflowNorLoseDigits) {
  Tensor input = tensor({{1e6f, 1e6f - 1, 0.f}});
  input.set_requires_grad();
  const Tensor loss = cross_entropy(input, tensor({1}));
  expect_values(loss, {}, {1 + std::log1p(std::exp(-1.))}, 1e-6);
  loss.backward();
  const double first = 1 / (1 + std::exp(-1.));
  expect_values(input.grad(), {1, 3}, {first, -first, 0}, 1e-6);
}

TEST(CrossEntropy, NaNTravels) {
  const Tensor input = tensor({{std::nan(""), 1., 2.}, {0., 0., 0.}});
  const Tensor losses = cross_entropy(input, tensor({1, 1}), {.reduction = Reduction::None});
  EXPECT_TRUE(std::isnan(losses.to_vector<double>()[0]));
  EXPECT_NEAR(losses.to_vector<double>()[1], std::log(3.), 1e-12);
}

TEST(CrossEntropy, FusedAndComposedGradientsAgree) {
  const Tensor pattern = reshape(to(arange(2 * 5 * 70), kFloat64), {2, 5, 70});
  Tensor input = sin(pattern * 1.7) * 3;
  input.set_requires_grad();
  const Tensor target = remainder(reshape(arange(140), {2, 70}), tensor(5));
  CrossEntropyOptions options{.weight = tensor({1., 2., 0.5, 3., 1.}), .ignore_index = 3, .label_smoothing = 0.2};
  for (const Reduction reduction : {Reduction::None, Reduction::Mean, Reduction::Sum}) {
    options.reduction = reduction;
    const Tensor loss = sum(square(cross_entropy(input, target, options)));
    const Tensor fused = grad(loss, {input}, {.retain_graph = true})[0];
    const Tensor composed = grad(loss, {input}, {.create_graph = true})[0];
    EXPECT_TRUE(allclose(fused, composed, 1e-12, 1e-14));
    EXPECT_GT(amax(abs(fused)).item(), 0);
  }
}

TEST(CrossEntropy, TheNumberOfThreadsChangesNoBit) {
  const int before = num_threads();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    Tensor input = sin(reshape(arange(0, 400'000, 1, kFloat32), {4000, 100}));
    input.set_requires_grad();
    cross_entropy(input, remainder(arange(4000), tensor(100))).backward();
    results.push_back(input.grad().to_vector<float>());
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
}

TEST(CrossEntropy, NamesTheTargetThatIsNoClass) {
  const Tensor input = zeros({2, 3, 2});
  const std::string message = message_of<IndexError>([&] { cross_entropy(input, tensor({{0, 1}, {2, 3}})); });
  expect_contains(message, "target 3 at [1, 1] is not one of 3 classes");
  EXPECT_THROW(cross_entropy(logits(), tensor({0, -1})), IndexError);
  EXPECT_THROW(cross_entropy(zeros({1, 0}), tensor({0})), IndexError);
}

TEST(CrossEntropy, RefusesWhatDoesNotFit) {
  const Tensor target = tensor({0, 1});
  expect_contains(message_of<ShapeError>([&] {
                    cross_entropy(logits(), tensor({0, 1, 2}));
                  }),
                  "shape [3], expected [2]");
  EXPECT_THROW(cross_entropy(logits(), tensor({{0}, {1}})), ShapeError);
  EXPECT_THROW(cross_entropy(tensor(1.), tensor(0)), ShapeError);
  EXPECT_THROW(cross_entropy(logits(), tensor({0., 1.})), DtypeError);
  EXPECT_THROW(cross_entropy(ones({2, 3}, kInt64), target), DtypeError);
  EXPECT_THROW(cross_entropy(logits(), target, {.weight = ones({2}, kFloat64)}), ShapeError);
  EXPECT_THROW(cross_entropy(logits(), target, {.weight = ones({3}, kFloat32)}), DtypeError);
  EXPECT_THROW(cross_entropy(logits(), target, {.label_smoothing = 1.5}), ValueError);
  EXPECT_THROW(cross_entropy(logits(), target, {.label_smoothing = std::nan("")}), ValueError);
  Tensor weight = ones({3}, kFloat64);
  weight.set_requires_grad();
  EXPECT_THROW(cross_entropy(logits(), target, {.weight = weight}), GradError);
}

TEST(CrossEntropy, NoticesATargetChangedBeforeTheGradient) {
  Tensor input = logits(), target = tensor({0, 1});
  input.set_requires_grad();
  const Tensor loss = cross_entropy(input, target);
  target.mutable_data<std::int64_t>()[0] = 99;
  EXPECT_THROW(loss.backward(), GradError);
}

TEST(MseLoss, HasEachReduction) {
  const Tensor input = tensor({1., 2., 5.}), target = tensor({1., 4., 2.});
  expect_values(mse_loss(input, target, Reduction::None), {3}, {0, 4, 9});
  expect_values(mse_loss(input, target, Reduction::Sum), {}, {13});
  expect_values(mse_loss(input, target), {}, {13. / 3});
}

TEST(MseLoss, DoesNotBroadcast) {
  const std::string message = message_of<ShapeError>([] { mse_loss(zeros({4, 1}), zeros({4})); });
  expect_contains(message, "[4, 1]");
  expect_contains(message, "[4]:");
}

TEST(BinaryCrossEntropyWithLogits, IsTheLogLikelihood) {
  const Tensor input = log(tensor({3., 1. / 3}));  // probabilities 3/4 and 1/4
  const Tensor target = tensor({1., 0.25});
  const double first = -std::log(0.75), yes = -std::log(0.25), no = -std::log(0.75);
  expect_values(binary_cross_entropy_with_logits(input, target, Reduction::None), {2}, {first, 0.25 * yes + 0.75 * no});
  expect_values(binary_cross_entropy_with_logits(input, target, Reduction::Sum, tensor({2., 10.}), tensor(3.)), {},
                {2 * 3 * first + 10 * (3 * 0.25 * yes + 0.75 * no)});
}

TEST(BinaryCrossEntropyWithLogits, StaysExactForSurePredictions) {
  Tensor input = tensor({-100.f, -20.f, 100.f, 200.f});
  input.set_requires_grad();
  const Tensor losses = binary_cross_entropy_with_logits(input, tensor({0.f, 0.f, 1.f, 0.f}), Reduction::None);
  const std::vector<float> values = losses.detach().to_vector<float>();
  EXPECT_NEAR(values[0], std::exp(-100.), 1e-44);
  EXPECT_NEAR(values[1] / std::exp(-20.), 1, 1e-6);
  EXPECT_NEAR(values[2], std::exp(-100.), 1e-44);
  EXPECT_EQ(values[3], 200);
  sum(losses).backward();
  EXPECT_NEAR(input.grad().to_vector<float>()[1] / std::exp(-20.), 1, 1e-6);
  EXPECT_EQ(input.grad().to_vector<float>()[3], 1);
}

TEST(BinaryCrossEntropyWithLogits, DoesNotBroadcastTheTarget) {
  EXPECT_THROW(binary_cross_entropy_with_logits(zeros({2, 1}), zeros({2})), ShapeError);
}

TEST(CrossEntropy, TakesTheProbabilitiesOfAllClasses) {
  const double first = 0.5 * std::log(6.) + 0.5 * std::log(2.), second = std::log(10. / 8);
  const Tensor target = tensor({{0.5, 0., 0.5}, {0., 0., 1.}});
  expect_values(cross_entropy(logits(), target, {.reduction = Reduction::None}), {2}, {first, second});
  // The mean is over the samples, not over the weights.
  expect_values(cross_entropy(logits(), target, {.weight = tensor({0., 9., 3.})}), {},
                {(1.5 * std::log(2.) + 3 * second) / 2});
}

TEST(CrossEntropy, CertainProbabilitiesAreClasses) {
  const Tensor target = tensor({1, 2});
  for (const double smoothing : {0.0, 0.3}) {
    const CrossEntropyOptions options{.label_smoothing = smoothing};
    const Tensor probabilities = to(one_hot(target, 3), kFloat64);
    EXPECT_TRUE(
        allclose(cross_entropy(logits(), probabilities, options), cross_entropy(logits(), target, options), 1e-14, 0));
  }
}

TEST(Losses, TheMeanOfNothingIsNaN) {
  const Tensor nothing = zeros({0, 3});
  EXPECT_TRUE(std::isnan(mse_loss(nothing, nothing).item()));
  EXPECT_TRUE(std::isnan(nll_loss(nothing, zeros({0}, kInt64)).item()));
  EXPECT_EQ(l1_loss(nothing, nothing, Reduction::Sum).item(), 0);
}

TEST(Losses, TakeTargetsThatAreNotFloating) {
  const Tensor input = tensor({0.25, 0.5}), yes_no = tensor({true, false});
  expect_values(mse_loss(input, yes_no, Reduction::None), {2}, {0.5625, 0.25});
  expect_values(binary_cross_entropy(input, tensor({1, 0}), Reduction::None), {2}, {std::log(4.), std::log(2.)});
  EXPECT_EQ(l1_loss(to(input, kFloat32), tensor({1, 0})).dtype(), kFloat32);
}

TEST(BinaryCrossEntropy, LimitsTheLossAndItsGradient) {
  Tensor input = tensor({0., 0., 1., 1.});
  input.set_requires_grad();
  const Tensor losses = binary_cross_entropy(input, tensor({1., 0., 0., 1.}), Reduction::None);
  EXPECT_EQ(losses.to_vector<double>(), (std::vector<double>{100, 0, 100, 0}));
  sum(losses).backward();
  EXPECT_EQ(input.grad().to_vector<double>(), (std::vector<double>{-1e12, 0, 1e12, 0}));
  EXPECT_TRUE(std::isnan(binary_cross_entropy(tensor({std::nan("")}), tensor({1.})).item()));
}

TEST(GaussianNllLoss, SmallVariancesCountAsEpsAndKeepAGradient) {
  Tensor var = tensor({0., 1e-9});
  var.set_requires_grad();
  const Tensor zero = zeros({2}, kFloat64);
  const Tensor losses = gaussian_nll_loss(zero, zero, var, {.eps = 0.01, .reduction = Reduction::None});
  expect_values(losses, {2}, {0.5 * std::log(0.01), 0.5 * std::log(0.01)});
  sum(losses).backward();
  expect_values(var.grad(), {2}, {50, 50}, 1e-9);
}

TEST(KlDiv, ImprobableTargetsCostNothing) {
  Tensor input = log(tensor({0.5, 0.5, 0.})), target = tensor({1., 0., 0.});
  input.set_requires_grad();
  target.set_requires_grad();
  const Tensor loss = kl_div(input, target, Reduction::Sum);
  expect_values(loss, {}, {std::log(2.)});
  loss.backward();
  expect_values(input.grad(), {3}, {-1, 0, 0});
  expect_values(target.grad(), {3}, {1 + std::log(2.), 0, 0});
}

TEST(MarginRankingLoss, EqualScoresAreLeftAloneByAMarginOfZero) {
  Tensor first = tensor({1., 2.}), second = tensor({1., 2.});
  first.set_requires_grad();
  margin_ranking_loss(first, second, tensor({1., -1.}), 0, Reduction::Sum).backward();
  expect_values(first.grad(), {2}, {0, 0});
}

TEST(Distances, HaveFiniteGradientsAtZero) {
  for (const double p : {1.0, 2.0, 3.0}) {
    Tensor x = zeros({2, 3}, kFloat64);
    x.set_requires_grad();
    sum(pairwise_distance(x, zeros({3}, kFloat64), p, 0)).backward();
    expect_values(x.grad(), {2, 3}, std::vector<double>(6, 0.0));
  }
  Tensor x = zeros({1, 2}, kFloat64);
  x.set_requires_grad();
  cosine_similarity(x, tensor({{3., 4.}})).backward(tensor({1.}));
  expect_values(x.grad(), {1, 2}, {0.6e8, 0.8e8}, 1e-4);
}

// -log Σ of the probabilities of all paths that read as the target.
double ctc_by_enumeration(const Tensor& log_probs, const std::vector<std::int64_t>& target, std::int64_t blank) {
  const std::int64_t times = log_probs.size(0), classes = log_probs.size(1);
  const std::vector<double> values = log_probs.to_vector<double>();
  double total = 0;
  std::int64_t paths = 1;
  for (std::int64_t t = 0; t < times; ++t) paths *= classes;
  for (std::int64_t path = 0; path < paths; ++path) {
    std::vector<std::int64_t> read;
    double log_p = 0;
    for (std::int64_t t = 0, rest = path, last = blank; t < times; ++t, rest /= classes) {
      const std::int64_t c = rest % classes;
      log_p += values[static_cast<std::size_t>(t * classes + c)];
      if (c != last && c != blank) read.push_back(c);
      last = c;
    }
    if (read == target) total += std::exp(log_p);
  }
  return -std::log(total);
}

TEST(CtcLoss, IsTheSumOverAllPaths) {
  const Tensor log_probs = log_softmax(sin(reshape(to(arange(15), kFloat64), {5, 3}) * 1.7), 1);
  using Labels = std::vector<std::int64_t>;
  for (const Labels& target : {Labels{}, Labels{2}, Labels{1, 2}, Labels{1, 1}, Labels{2, 2, 1}, Labels{1, 2, 1, 2}}) {
    const auto count = static_cast<std::int64_t>(target.size());
    const Tensor loss =
        ctc_loss(log_probs, tensor(target, {count}), tensor(5), tensor(count), {.reduction = Reduction::Sum});
    EXPECT_NEAR(loss.item(), ctc_by_enumeration(log_probs, target, 0), 1e-12) << count << " labels";
  }
}

TEST(CtcLoss, WhatIsTooShortIsImpossible) {
  Tensor log_probs = log_softmax(zeros({3, 2, 3}, kFloat64), 2).detach();
  log_probs.set_requires_grad();
  const Tensor targets = tensor({{1, 1}, {1, 2}}), times = tensor({2, 0}), lengths = tensor({2, 2});
  const Tensor loss = ctc_loss(log_probs, targets, times, lengths, {.reduction = Reduction::Sum});
  EXPECT_EQ(loss.item(), kInfinity);
  EXPECT_EQ(ctc_loss(log_probs, targets, times, lengths, {.zero_infinity = true}).item(), 0);
  for (const bool create_graph : {false, true}) {
    const Tensor g = grad(loss, {log_probs}, {.create_graph = create_graph, .retain_graph = true})[0];
    EXPECT_TRUE(equal(g.detach(), zeros({3, 2, 3}, kFloat64)));
  }
}

TEST(CtcLoss, ClassesThatCannotBeHaveNoNaN) {
  Tensor log_probs = log(tensor({{1., 0., 0.}, {0., 1., 0.}, {0.5, 0.5, 0.}}));
  log_probs.set_requires_grad();
  const Tensor loss = ctc_loss(log_probs, tensor({1}), tensor(3), tensor(1));
  expect_values(loss, {}, {0});
  for (const bool create_graph : {false, true}) {
    const Tensor g = grad(loss, {log_probs}, {.create_graph = create_graph, .retain_graph = true})[0];
    expect_values(g, {3, 3}, {-1, 0, 0, 0, -1, 0, -0.5, -0.5, 0});
  }
}

TEST(CtcLoss, FusedAndComposedGradientsAgree) {
  Tensor x = sin(reshape(to(arange(40 * 7 * 6), kFloat64), {40, 7, 6}) * 1.7) * 3;
  x.set_requires_grad();
  const Tensor targets =
      remainder(reshape(arange(7 * 12), {7, 12}) * 3 + tensor({{0}, {1}, {2}, {3}, {4}, {5}, {6}}), tensor(5));
  const Tensor loss = ctc_loss(x, targets, tensor({40, 39, 30, 20, 25, 40, 1}), tensor({12, 3, 0, 5, 12, 1, 1}),
                               {.blank = 5, .zero_infinity = true});
  const Tensor fused = grad(loss, {x}, {.retain_graph = true})[0],
               composed = grad(loss, {x}, {.create_graph = true})[0];
  EXPECT_TRUE(allclose(fused, composed, 1e-11, 1e-13));
  EXPECT_GT(amax(abs(fused)).item(), 0);
}

}  // namespace
}  // namespace eigengrad
