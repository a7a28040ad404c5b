// The library's own elementary functions against those of the standard library in long double.
#include "eigengrad/ops/kernels/functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "eigengrad/ops/kernels/angles.h"

namespace {

using namespace eigengrad;

// The distance from the exact value, in units in the last place of T.
template <class T>
double ulps(T found, long double exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(rounded)) return std::isnan(found) ? 0 : 1e9;
  if (std::isinf(rounded) || std::isinf(found)) return found == rounded ? 0 : 1e9;
  const T next = std::nextafter(std::abs(rounded), std::numeric_limits<T>::infinity());
  const long double unit = static_cast<long double>(next) - static_cast<long double>(std::abs(rounded));
  return static_cast<double>(std::abs(static_cast<long double>(found) - exact) / unit);
}

// Numbers of all magnitudes within the limits, and the special ones.
template <class T>
std::vector<T> numbers(double low, double high) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> all{0,
                     -T(0),
                     1,
                     -1,
                     Limits::infinity(),
                     -Limits::infinity(),
                     Limits::quiet_NaN(),
                     Limits::min(),
                     Limits::denorm_min(),
                     -Limits::denorm_min(),
                     Limits::max(),
                     Limits::epsilon(),
                     -Limits::epsilon(),
                     T(0.70710678118654752440),
                     T(3.14159265358979323846),
                     T(1.57079632679489661923)};
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> even(low, high), exponent(-60, 60);
  for (int i = 0; i < 20000; ++i) {
    all.push_back(static_cast<T>(even(random)));
    all.push_back(static_cast<T>(std::exp2(exponent(random)) * (i % 2 && low < 0 ? -1 : 1)));
  }
  return all;
}

template <class T, class Ours, class Exact>
void expect_within(const char* name, double limit, double low, double high, Ours ours, Exact exact) {
  double worst = 0;
  T where = 0;
  for (const T x : numbers<T>(low, high)) {
    const double error = ulps(ours(x), exact(static_cast<long double>(x)));
    if (error > worst) {
      worst = error;
      where = x;
    }
  }
  EXPECT_LE(worst, limit) << name << " of " << where << " is " << ours(where);
  ::testing::Test::RecordProperty(std::string(name) + std::to_string(sizeof(T)), std::to_string(worst));
}

template <class T>
class Functions : public ::testing::Test {};
using Types = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Functions, Types);

TYPED_TEST(Functions, Exp) {
  using T = TypeParam;
  expect_within<T>("exp", 1.1, -90, 90, kernels::exp<T>, [](long double x) { return std::exp(x); });
}

TYPED_TEST(Functions, Expm1) {
  using T = TypeParam;
  expect_within<T>("expm1", 2, -20, 80, kernels::expm1<T>, [](long double x) { return std::expm1(x); });
}

TYPED_TEST(Functions, Log) {
  using T = TypeParam;
  expect_within<T>("log", 1.2, 0, 3, kernels::log<T>, [](long double x) { return std::log(x); });
}

TYPED_TEST(Functions, Log1p) {
  using T = TypeParam;
  expect_within<T>("log1p", 2.5, -1, 3, kernels::log1p<T>, [](long double x) { return std::log1p(x); });
}

TYPED_TEST(Functions, OtherBases) {
  using T = TypeParam;
  expect_within<T>("exp2", 1.2, -160, 130, kernels::exp2<T>, [](long double x) { return std::exp2(x); });
  expect_within<T>("log2", 2, 0, 3, kernels::log2<T>, [](long double x) { return std::log2(x); });
  const auto log10 = [](T x) { return kernels::log10(x); };
  expect_within<T>("log10", sizeof(T) == 4 ? 0.51 : 2, 0, 3, log10, [](long double x) { return std::log10(x); });
  for (int i = -30; i <= 30; ++i) {
    EXPECT_EQ(kernels::exp2(static_cast<T>(i)), std::exp2(static_cast<T>(i)));
    EXPECT_EQ(kernels::log2(std::exp2(static_cast<T>(i))), static_cast<T>(i));
    EXPECT_EQ(kernels::log10(static_cast<T>(std::pow(10.L, i))), static_cast<T>(i));
  }
}

TYPED_TEST(Functions, Erfc) {
  using T = TypeParam;
  const auto erfc = [](T x) { return kernels::erfc(x); };
  expect_within<T>("erfc", sizeof(T) == 4 ? 0.51 : 6, -6, 11, erfc, [](long double x) { return std::erfc(x); });
}

TYPED_TEST(Functions, InverseTrigonometric) {
  using T = TypeParam;
  expect_within<T>("asin", 2.5, -1, 1, kernels::asin<T>, [](long double x) { return std::asin(x); });
  expect_within<T>("acos", 2, -1, 1, kernels::acos<T>, [](long double x) { return std::acos(x); });
  expect_within<T>("atan", 2, -4, 4, kernels::atan<T>, [](long double x) { return std::atan(x); });
}

TYPED_TEST(Functions, Hyperbolic) {
  using T = TypeParam;
  const double high = sizeof(T) == 4 ? 90 : 711;
  expect_within<T>("sinh", 2, -high, high, kernels::sinh<T>, [](long double x) { return std::sinh(x); });
  expect_within<T>("cosh", 2, -high, high, kernels::cosh<T>, [](long double x) { return std::cosh(x); });
  expect_within<T>("sinh", 2, -2, 2, kernels::sinh<T>, [](long double x) { return std::sinh(x); });
  expect_within<T>("asinh", 4, -4, 4, kernels::asinh<T>, [](long double x) { return std::asinh(x); });
  expect_within<T>("acosh", 4, 1, 4, kernels::acosh<T>, [](long double x) { return std::acosh(x); });
  expect_within<T>("atanh", 4, -1, 1, kernels::atanh<T>, [](long double x) { return std::atanh(x); });
}

// Of every two of the numbers, the special ones with all others.
template <class T, class Ours, class Exact>
void expect_pairs_within(const char* name, double limit, Ours ours, Exact exact) {
  const std::vector<T> all = numbers<T>(-10, 10);
  constexpr std::size_t kSpecial = 16;
  double worst = 0;
  const auto compare = [&](T a, T b) {
    const double error = ulps(ours(a, b), exact(static_cast<long double>(a), static_cast<long double>(b)));
    if (error > worst) {
      worst = error;
      EXPECT_LE(worst, limit) << name << " of " << a << ", " << b << " is " << ours(a, b);
    }
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    compare(all[i], all[(i * 7919 + 1) % all.size()]);
    for (std::size_t k = 0; k < kSpecial; ++k) {
      compare(all[i], all[k]);
      compare(all[k], all[i]);
    }
  }
}

TYPED_TEST(Functions, OfTwo) {
  using T = TypeParam;
  expect_pairs_within<T>("atan2", 3, kernels::atan2<T>, [](long double y, long double x) { return std::atan2(y, x); });
  const auto hypot = [](T a, T b) { return kernels::hypot(a, b); };
  expect_pairs_within<T>("hypot", 1, hypot, [](long double a, long double b) { return std::hypot(a, b); });
  for (const T zero : {T(0), -T(0)})
    for (const T x : {T(0), -T(0), T(1), T(-1)})
      EXPECT_EQ(std::signbit(kernels::atan2(zero, x)), std::signbit(zero)) << x;
  EXPECT_EQ(kernels::atan2(T(0), -T(0)), std::numbers::pi_v<T>);
}

// It passes 0, so that its distance counts, not its units in the last place.
TYPED_TEST(Functions, GeluDerivative) {
  using T = TypeParam;
  constexpr long double kPi = std::numbers::pi_v<long double>, kSqrt2 = std::numbers::sqrt2_v<long double>;
  const double limit = sizeof(T) == 4 ? 3e-7 : 4e-16;
  double worst = 0;
  for (int i = -200'000; i <= 200'000; ++i) {
    const T x = static_cast<T>(i) / T(20'000);
    const auto z = static_cast<long double>(x);
    const long double exact = std::erfc(-z / kSqrt2) / 2 + z * std::exp(-z * z / 2) / std::sqrt(2 * kPi);
    worst =
        std::max(worst, static_cast<double>(std::abs(exact - static_cast<long double>(kernels::gelu_derivative(x)))));
  }
  EXPECT_LE(worst, limit);
  EXPECT_EQ(kernels::gelu_derivative(T(0)), T(0.5));
  EXPECT_NEAR(kernels::gelu_derivative(T(1e20)), 1, limit);
  EXPECT_NEAR(kernels::gelu_derivative(T(-1e20)), 0, limit);
  EXPECT_TRUE(std::isnan(kernels::gelu_derivative(std::numeric_limits<T>::quiet_NaN())));
}

// Bases and exponents of all magnitudes, and whole exponents, with which bases may be negative.
TEST(FunctionsOfFloats, Pow) {
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> magnitude(-140, 127), even(-20, 20);
  double worst = 0;
  for (int i = 0; i < 200'000; ++i) {
    const bool is_whole = i % 4 == 0;
    const auto a = static_cast<float>(i % 3 == 0 ? std::abs(even(random)) + 1e-3 : std::exp2(magnitude(random))) *
                   (is_whole && i % 8 == 0 ? -1.F : 1.F);
    const auto b = static_cast<float>(is_whole     ? std::round(even(random))
                                      : i % 5 == 0 ? std::exp2(magnitude(random))
                                                   : even(random));
    worst = std::max(
        worst, ulps(kernels::finite_pow(a, b), std::pow(static_cast<long double>(a), static_cast<long double>(b))));
  }
  EXPECT_LE(worst, 0.51);
  const float largest = std::numeric_limits<float>::max(), infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(kernels::finite_pow(-2, 3), -8);
  EXPECT_EQ(kernels::finite_pow(-2, 16777217), infinity);  // as a float it is even
  EXPECT_EQ(kernels::finite_pow(-2, -largest), 0);
  EXPECT_EQ(kernels::finite_pow(-1, 8388607), -1);
  EXPECT_TRUE(std::isnan(kernels::finite_pow(-2, 0.5F)));
  EXPECT_EQ(kernels::finite_pow(1, largest), 1);
  EXPECT_EQ(kernels::finite_pow(-largest, 0), 1);
}

// Exact wherever it is used, with quotients of all sizes.
TEST(FunctionsOfFloats, Fmod) {
  const std::vector<float> all = numbers<float>(-1000, 1000);
  std::size_t small = 0;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const std::size_t k : {(i * 7919 + 1) % all.size(), i % 16, (i + 1) % all.size()})
      for (const auto& [a, b] : {std::pair(all[i], all[k]), std::pair(all[k] * 3, all[k]), std::pair(all[k], all[i])}) {
        if (!kernels::has_small_quotient(a, b)) continue;
        const float found = kernels::small_fmod(a, b), expected = std::fmod(a, b);
        ASSERT_EQ(found, expected) << a << ", " << b;
        ASSERT_EQ(std::signbit(found), std::signbit(expected)) << a << ", " << b;
        ++small;
      }
  EXPECT_GT(small, all.size());
  for (const auto& [a, b] :
       {std::pair(1.F, 0.F), std::pair(0.F, 0.F), std::pair(1.F, HUGE_VALF), std::pair(HUGE_VALF, 1.F),
        std::pair(NAN, 1.F), std::pair(1.F, NAN), std::pair(1e20F, 1.F)})
    EXPECT_FALSE(kernels::has_small_quotient(a, b)) << a << ", " << b;
}

TYPED_TEST(Functions, SignsOfZeroStay) {
  using T = TypeParam;
  for (const T zero : {T(0), -T(0)}) {
    EXPECT_EQ(std::signbit(kernels::expm1(zero)), std::signbit(zero));
    EXPECT_EQ(std::signbit(kernels::log1p(zero)), std::signbit(zero));
    for (const auto f : {kernels::small_sin<T>, kernels::small_tan<T>, kernels::asin<T>, kernels::atan<T>,
                         kernels::sinh<T>, kernels::asinh<T>, kernels::atanh<T>})
      EXPECT_EQ(std::signbit(f(zero)), std::signbit(zero));
  }
}

// As the ops run them: large angles are for the standard library.
template <class T, class Kernel>
T one(const Kernel& kernel, T x) {
  T y = 0;
  kernel(std::int64_t{1}, &y, &x);
  return y;
}

TYPED_TEST(Functions, OfAngles) {
  using T = TypeParam;
  const auto sine = kernels::of_angles([](T x) { return kernels::small_sin(x); }, [](T x) { return std::sin(x); });
  const auto cosine = kernels::of_angles([](T x) { return kernels::small_cos(x); }, [](T x) { return std::cos(x); });
  expect_within<T>(
      "sin", 2, -100, 100, [&](T x) { return one<T>(sine, x); }, [](long double x) { return std::sin(x); });
  expect_within<T>(
      "cos", 2, -100, 100, [&](T x) { return one<T>(cosine, x); }, [](long double x) { return std::cos(x); });
  const auto tangent = kernels::of_angles([](T x) { return kernels::small_tan(x); }, [](T x) { return std::tan(x); });
  expect_within<T>(
      "tan", 3.5, -100, 100, [&](T x) { return one<T>(tangent, x); }, [](long double x) { return std::tan(x); });
}

}  // namespace
