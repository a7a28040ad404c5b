#include "eigengrad/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "eigengrad/core/parallel.h"

namespace eigengrad {
namespace {

// The known answers that come with the authors' code (Random123, kat_vectors: philox4x32-10).
TEST(Philox, KnownAnswers) {
  const Generator::Block zeros = Generator(0).block(0);
  EXPECT_EQ(zeros.word[0], 0x6627e8d5u);
  EXPECT_EQ(zeros.word[1], 0xe169c58du);
  EXPECT_EQ(zeros.word[2], 0xbc57ac4cu);
  EXPECT_EQ(zeros.word[3], 0x9b00dbd8u);
  const Generator::Block ones = Generator(~std::uint64_t{0}, ~std::uint64_t{0}).block(~std::uint64_t{0});
  EXPECT_EQ(ones.word[0], 0x408f276du);
  EXPECT_EQ(ones.word[1], 0x41c83b0eu);
  EXPECT_EQ(ones.word[2], 0xa20bc7c6u);
  EXPECT_EQ(ones.word[3], 0x6d5451fdu);
  const Generator pi(0x299f31d0a4093822, 0x0370734413198a2e);
  const Generator::Block digits = pi.block(0x85a308d3243f6a88);
  EXPECT_EQ(digits.word[0], 0xd16cfe09u);
  EXPECT_EQ(digits.word[1], 0x94fdccebu);
  EXPECT_EQ(digits.word[2], 0x5001e420u);
  EXPECT_EQ(digits.word[3], 0x24126ea1u);
}

// Bits that must never change, on any compiler: programs rely on a seed.
TEST(Random, BitsAreFixed) {
  Generator generator(42);
  const std::vector<float> normal = randn({3}, kFloat32, generator).to_vector<float>();
  EXPECT_EQ(normal, (std::vector<float>{0x1.25ee5p-2f, -0x1.42dc66p-4f, -0x1.73bf42p+0f}));
  const std::vector<double> uniform = rand({2}, kFloat64, generator).to_vector<double>();
  EXPECT_EQ(uniform, (std::vector<double>{0x1.4ee9b3f7f36c8p-2, 0x1.d1381bee0e3d6p-2}));
  EXPECT_EQ(randperm(6, generator).to_vector<std::int64_t>(), (std::vector<std::int64_t>{4, 5, 2, 0, 1, 3}));
}

TEST(Random, NormalHasTheMomentsAndTailsOfANormal) {
  Generator generator(7);
  const std::vector<double> x = randn({200000}, kFloat64, generator).to_vector<double>();
  double mean = 0, square = 0, fourth = 0;
  int beyond_two = 0;
  for (const double v : x) {
    mean += v;
    square += v * v;
    fourth += v * v * v * v;
    beyond_two += std::abs(v) > 2;
  }
  const auto n = static_cast<double>(x.size());
  EXPECT_NEAR(mean / n, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(fourth / n, 3, 4 * std::sqrt(96 / n));
  EXPECT_NEAR(beyond_two / n, 0.0455003, 4 * std::sqrt(0.0455 / n));
}

TEST(Random, UniformFillsItsRangeEvenly) {
  for (const Dtype dtype : {kFloat32, kFloat64}) {
    Tensor x = empty({100000}, dtype);
    Generator generator(3);
    fill_uniform(x, -2, 6, generator);
    std::vector<double> sorted;
    if (dtype == kFloat32)
      for (const float v : x.data<float>()) sorted.push_back(static_cast<double>(v));
    else
      for (const double v : x.data<double>()) sorted.push_back(v);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_GE(sorted.front(), -2);
    EXPECT_LT(sorted.back(), 6);
    double farthest = 0;  // Kolmogorov and Smirnov's distance
    for (std::size_t i = 0; i < sorted.size(); ++i)
      farthest = std::max(farthest, std::abs((sorted[i] + 2) / 8 - static_cast<double>(i) / 1e5));
    EXPECT_LT(farthest, 1.63 / std::sqrt(1e5));
  }
}

TEST(Random, SameSeedSameBitsForAnyNumberOfThreads) {
  const int before = num_threads();
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    Generator generator(11);
    results.push_back(randn({100003}, kFloat32, generator).to_vector<float>());
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

// Many blocks are made at a time: every element is that of its own block, whatever lies beside it.
TEST(Random, ElementsAreThoseOfTheirBlocks) {
  for (const std::int64_t count : {1, 3, 4, 127, 128, 129, 1000}) {
    Generator generator(7, 3);
    generator.set_offset(0xfffffff0);  // the counter's lower word runs over
    const std::uint64_t first = generator.offset();
    const Tensor floats = rand({count}, kFloat32, generator);
    const std::uint64_t second = generator.offset();
    const Tensor doubles = rand({count}, kFloat64, generator);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto k = static_cast<std::uint64_t>(i);
      const std::uint32_t word = generator.block(first + k / 4).word[k % 4];
      const std::uint64_t words = generator.block(second + k / 2).u64(static_cast<int>(k % 2));
      ASSERT_EQ(floats.data<float>()[k], static_cast<float>(word >> 8) * 0x1p-24F) << i << " of " << count;
      ASSERT_EQ(doubles.data<double>()[k], static_cast<double>(words >> 11) * 0x1p-53) << i << " of " << count;
    }
  }
}

TEST(Random, OffsetRestoresTheStream) {
  Generator generator(5, "dropout");
  rand({10}, kFloat32, generator);
  const std::uint64_t offset = generator.offset();
  const auto first = rand({9}, kFloat32, generator).to_vector<float>();
  generator.set_offset(offset);
  EXPECT_EQ(rand({9}, kFloat32, generator).to_vector<float>(), first);
  Generator other(5, "shuffle");
  other.set_offset(offset);
  EXPECT_NE(rand({9}, kFloat32, other).to_vector<float>(), first);
}

TEST(Random, IntegersAndPermutations) {
  Generator generator(1);
  std::vector<int> counts(7);
  for (const std::int64_t v : randint(-3, 4, {70000}, generator).to_vector<std::int64_t>())
    ++counts.at(static_cast<std::size_t>(v + 3));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
  const auto permutation = randperm(1000, generator).to_vector<std::int64_t>();
  EXPECT_EQ(std::set<std::int64_t>(permutation.begin(), permutation.end()).size(), 1000u);
  EXPECT_NE(permutation, arange(1000).to_vector<std::int64_t>());
  EXPECT_EQ(randperm(0, generator).numel(), 0);
}

TEST(Random, BernoulliAndManualSeed) {
  Tensor x = empty({100000});
  Generator generator(2);
  fill_bernoulli(x, 0.25, generator);
  double ones = 0;
  for (const float v : x.data<float>()) {
    EXPECT_TRUE(v == 0 || v == 1);
    ones += static_cast<double>(v);
  }
  EXPECT_NEAR(ones / 1e5, 0.25, 0.006);
  manual_seed(9);
  const auto a = randn({4}).to_vector<float>();
  manual_seed(9);
  EXPECT_EQ(randn({4}).to_vector<float>(), a);
  manual_seed(0);
}

TEST(Random, UniformNeverReachesItsUpperLimit) {
  Generator generator(4);
  for (const Dtype dtype : {kFloat32, kFloat64}) {
    // Between these limits floats are so far apart that half of the draws would be rounded to the upper one.
    const double low = dtype == kFloat32 ? 16777216 : 9007199254740992.0, high = low + 2;
    Tensor x = empty({1000}, dtype);
    fill_uniform(x, low, high, generator);
    for (int i = 0; i < 1000; ++i)
      EXPECT_LT(dtype == kFloat32 ? static_cast<double>(x.data<float>()[static_cast<std::size_t>(i)])
                                  : x.data<double>()[static_cast<std::size_t>(i)],
                high);
  }
  Tensor point = empty({3});
  fill_uniform(point, 2, 2, generator);
  EXPECT_EQ(point.to_vector<float>(), (std::vector<float>{2, 2, 2}));
  EXPECT_THROW(fill_uniform(point, -1.7e308, 1.7e308, generator), ValueError);
}

// Phi(x) of draws is uniform: Kolmogorov and Smirnov's distance.
TEST(Random, NormalHasTheDistributionOfANormal) {
  Generator generator(8);
  std::vector<double> x = randn({100000}, kFloat64, generator).to_vector<double>();
  std::sort(x.begin(), x.end());
  double farthest = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    farthest = std::max(farthest, std::abs(std::erfc(-x[i] / std::sqrt(2.0)) / 2 - static_cast<double>(i) / 1e5));
  EXPECT_LT(farthest, 1.63 / std::sqrt(1e5));
}

TEST(Random, ScalarsAndFilledIntegers) {
  Generator generator(0);
  EXPECT_EQ(generator.next_u32(), 0u + generator.block(0).word[0]);
  EXPECT_EQ(generator.next_u64(), generator.block(1).u64(0));
  EXPECT_EQ(generator.offset(), 2u);
  std::vector<int> counts(6);
  for (int i = 0; i < 60000; ++i) ++counts.at(generator.below(6));
  for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
  EXPECT_EQ(generator.below(1), 0u);
  // Remainders alone would give the lowest third of this range half of the draws.
  constexpr std::uint64_t third = std::uint64_t{1} << 62;
  int low = 0;
  for (int i = 0; i < 30000; ++i) low += generator.below(3 * third) < third;
  EXPECT_NEAR(low, 10000, 500);
  Tensor x = empty({200}, kInt64);
  constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                         most = std::numeric_limits<std::int64_t>::max();
  fill_randint(x, least, most, generator);
  const std::span<const std::int64_t> values = x.data<std::int64_t>();
  EXPECT_TRUE(std::any_of(values.begin(), values.end(), [](std::int64_t v) { return v < least / 2; }));
  EXPECT_TRUE(std::any_of(values.begin(), values.end(), [](std::int64_t v) { return v > most / 2; }));
  EXPECT_THROW(fill_randint(x, 1, 1, generator), ValueError);
  Tensor floating = empty({2});
  EXPECT_THROW(fill_randint(floating, 0, 2, generator), DtypeError);
}

TEST(Random, SeedingWhileAnotherThreadDrawsIsSafe) {
  std::thread drawing([] {
    for (int i = 0; i < 2000; ++i) default_generator().next_u64();
  });
  for (int i = 0; i < 2000; ++i) manual_seed(static_cast<std::uint64_t>(i));
  drawing.join();
  manual_seed(0);
  EXPECT_EQ(default_generator().seed(), 0u);
}

TEST(Random, BadArguments) {
  Tensor x = empty({2}), labels = zeros({2}, kInt64);
  EXPECT_THROW(fill_bernoulli(x, 1.5), ValueError);
  EXPECT_THROW(fill_uniform(x, 2, 1), ValueError);
  EXPECT_THROW(fill_normal(x, 0, -1), ValueError);
  EXPECT_THROW(fill_normal(labels, 0, 1), DtypeError);
  EXPECT_THROW(randint(3, 3, {2}), ValueError);
  EXPECT_THROW(Generator(0).below(0), ValueError);
  Tensor parameter = zeros({2}).set_requires_grad();
  EXPECT_THROW(fill_uniform(parameter, 0, 1), GradError);
}

TEST(Multinomial, DrawsByTheWeights) {
  Generator generator(3);
  const Tensor weights = tensor({1.f, 0.f, 2.f, 5.f});
  const auto drawn = multinomial(weights, 40000, true, generator).to_vector<std::int64_t>();
  const double expected[] = {0.125, 0, 0.25, 0.625};
  for (std::int64_t column = 0; column < 4; ++column)
    EXPECT_NEAR(static_cast<double>(std::count(drawn.begin(), drawn.end(), column)) / 40000, expected[column],
                expected[column] == 0 ? 0 : 0.01);
  for (int i = 0; i < 20; ++i) {
    auto all = multinomial(weights, 3, false, generator).to_vector<std::int64_t>();
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, (std::vector<std::int64_t>{0, 2, 3}));
  }
  EXPECT_EQ(multinomial(ones({2, 5}), 3, false, generator).shape(), (Shape{2, 3}));
}

TEST(Multinomial, RefusesWhatIsNoDistribution) {
  EXPECT_THROW(multinomial(tensor({1.f, -1.f}), 1), ValueError);
  EXPECT_THROW(multinomial(tensor({1.f, NAN}), 1), ValueError);
  EXPECT_THROW(multinomial(tensor({0.f, 0.f}), 1, true), ValueError);
  EXPECT_THROW(multinomial(tensor({0.f, 1.f}), 2), ValueError);
  EXPECT_THROW(multinomial(tensor({1.f}), 0), ValueError);
  EXPECT_THROW(multinomial(ones({}), 1), ShapeError);
  EXPECT_THROW(multinomial(ones({2}, kInt64), 1), DtypeError);
}

}  // namespace
}  // namespace eigengrad
