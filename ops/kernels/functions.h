// Elementary functions in plain arithmetic, without branches, so that loops over them vectorise and each element has
// the same bits wherever it stands. They are exact where the function is exact (at 0, 1, ±∞ and NaN), and keep
// subnormal numbers; elsewhere within the stated units in the last place, which tests/ops/functions_test.cc measures.
//
// (Eigen's exponential gives 6e-309, not 0, for -∞ in float64 and, without AVX-512, 3e-39 in float32: a masked
// entry would not vanish.)
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numbers>

namespace eigengrad::kernels {

/// x, or the limit that it lies beyond, for low ≤ high. NaN passes. (One after the other: nested, the choices take more
/// comparisons of vectors.)
template <class T>
inline T limited(T x, T low, T high) {
  const T above = x < low ? low : x;
  return above > high ? high : above;
}

/// The larger of x and 0, and its derivative times d, from y = relu(x): 0 at 0. NaN passes.
template <class T>
inline T relu(T x) {
  return x <= 0 ? T(0) : x;
}
template <class T>
inline T relu_grad(T d, T y) {
  return y <= 0 ? T(0) : d;
}

/// d times the derivative of limited(): 0 at the limits and beyond.
template <class T>
inline T limited_grad(T d, T x, T low, T high) {
  return x <= low || x >= high ? T(0) : d;
}

namespace detail {

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  using Int = std::int32_t;
  using Bits = std::uint32_t;
  static constexpr float kLow = -104, kHigh = 89;  // beyond these the result is 0, or infinite
  static constexpr float kRounder = 0x1.8p23f;     // adding it leaves an integer in the lowest bits
  static constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
  static constexpr Bits kBias = 127;
  static constexpr int kMantissaBits = 23;
  static constexpr float kInverseFactorials[] = {1.f / 5040, 1.f / 720, 1.f / 120, 1.f / 24, 1.f / 6, 0.5f};
};
template <>
struct ExpConstants<double> {
  using Int = std::int64_t;
  using Bits = std::uint64_t;
  static constexpr double kLow = -746, kHigh = 710;
  static constexpr double kRounder = 0x1.8p52;
  static constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  static constexpr Bits kBias = 1023;
  static constexpr int kMantissaBits = 52;
  static constexpr double kInverseFactorials[] = {1. / 6227020800, 1. / 479001600, 1. / 39916800, 1. / 3628800,
                                                  1. / 362880,     1. / 40320,     1. / 5040,     1. / 720,
                                                  1. / 120,        1. / 24,        1. / 6,        0.5};
};

}  // namespace detail

namespace detail {

// e^x = 2^k · e^r with |r| ≤ log(2) / 2: e^r - 1 by its Taylor series, without the last terms of which so many are left
// out, and 2^k in two factors, for k reaches beyond the exponents on both sides.
template <class T>
struct ExpParts {
  T series, first, second;
};
template <class T, std::size_t kLeftOut = 0>
inline ExpParts<T> exp_parts(T x) {
  using C = ExpConstants<T>;
  using Bits = typename C::Bits;
  x = x < C::kLow ? C::kLow : x > C::kHigh ? C::kHigh : x;  // NaN passes
  const T shifted = x * T(1.44269504088896340736) + C::kRounder;
  const T k = shifted - C::kRounder;
  const T r = (x - k * C::kLn2High) - k * C::kLn2Low;
  T series = C::kInverseFactorials[kLeftOut];
  for (std::size_t i = kLeftOut + 1; i < std::size(C::kInverseFactorials); ++i)
    series = series * r + C::kInverseFactorials[i];
  series = series * (r * r) + r;
  const Bits exponent = std::bit_cast<Bits>(shifted) - std::bit_cast<Bits>(C::kRounder);
  const Bits half = static_cast<Bits>(static_cast<typename C::Int>(exponent) >> 1);
  const T first = std::bit_cast<T>((half + C::kBias) << C::kMantissaBits);
  const T second = std::bit_cast<T>((exponent - half + C::kBias) << C::kMantissaBits);
  return {series, first, second};
}

}  // namespace detail

/// Within 1.1 ulp.
template <class T>
inline T exp(T x) {
  const auto [series, first, second] = detail::exp_parts(x);
  return (series + T(1)) * first * second;
}

/// e^x - 1, within 2 ulp.
template <class T>
inline T expm1(T x) {
  const auto [series, first, second] = detail::exp_parts(x);
  const T y = (first * series + (first - T(1) / second)) * second;
  return x == T(0) ? x : y;
}

/// 1 / (1 + e^-x)
template <class T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

namespace detail {

// The derivative of x·Φ(x) as ½ + x·N(x²) / D(x²), |x| ≤ 6: the quotient that a least squares fit finds whose weights
// grow where its error is largest, which then is 5e-9. Highest powers first.
inline constexpr float kGeluNumerator[] = {-2.88802315e-11f, 1.30030271e-8f, 1.12193152e-6f,  3.20271683e-5f,
                                           2.85223010e-4f,   1.35690132e-2f, -1.80380717e-2f, 7.97884524e-1f};
inline constexpr float kGeluDenominator[] = {
    3.63635479e-7f, 1.08122258e-5f, 2.58605869e-4f, 4.15021693e-3f, 4.55827974e-2f, 3.10725480e-1f, 1.f};

}  // namespace detail

/// The derivative of the GELU x·Φ(x), Φ(x) + x·φ(x) with φ the normal density, within 3e-7 (float64: 4e-16).
inline float gelu_derivative(float x) {
  const float a = limited(x, -6.f, 6.f), z = a * a;  // beyond 6 it is 0 or 1 but for 4e-8
  float numerator = detail::kGeluNumerator[0], denominator = detail::kGeluDenominator[0];
  for (std::size_t i = 1; i < std::size(detail::kGeluNumerator); ++i)
    numerator = numerator * z + detail::kGeluNumerator[i];
  for (std::size_t i = 1; i < std::size(detail::kGeluDenominator); ++i)
    denominator = denominator * z + detail::kGeluDenominator[i];
  return a * (numerator / denominator) + 0.5f;
}
inline double gelu_derivative(double x) {
  return (std::erf(x / std::numbers::sqrt2) + 1) * 0.5 + x * exp(x * x * -0.5) / std::sqrt(2 * std::numbers::pi);
}

namespace detail {

template <class T>
struct LogConstants : ExpConstants<T> {
  // log(1 + f) = 2·artanh(s) with s = f / (2 + f): the terms of the series in s², 2/3, 2/5, ..
  static constexpr int kTerms = sizeof(T) == 4 ? 5 : 11;
  static constexpr T kScale = sizeof(T) == 4 ? T(0x1p24) : T(0x1p54);  // brings subnormal numbers back
  static constexpr T kScaleExponent = sizeof(T) == 4 ? T(24) : T(54);
};

// log x = k·log 2 + log(1 + f), √½ ≤ 1 + f < √2, for finite x > 0; other x give something.
template <class T, int kTerms = LogConstants<T>::kTerms>
inline T log_of_positive(T x) {
  using C = LogConstants<T>;
  using Bits = typename C::Bits;
  using Int = typename C::Int;
  const bool tiny = x < std::numeric_limits<T>::min();
  const Bits bits = std::bit_cast<Bits>(tiny ? x * C::kScale : x);
  constexpr Bits kRootHalf = std::bit_cast<Bits>(T(0.70710678118654752440));
  const Int exponent = static_cast<Int>(bits - kRootHalf) >> C::kMantissaBits;
  const T f = std::bit_cast<T>(bits - (static_cast<Bits>(exponent) << C::kMantissaBits)) - T(1);
  const T k = static_cast<T>(exponent) - (tiny ? C::kScaleExponent : T(0));
  const T s = f / (T(2) + f), z = s * s, half_square = T(0.5) * f * f;
  T series = T(2) / T(2 * kTerms + 1);
  for (int i = kTerms - 1; i > 0; --i) series = series * z + T(2) / T(2 * i + 1);
  // f - f²/2 + s·(f²/2 + z·series): the large parts are exact.
  return k * C::kLn2High - ((half_square - (s * (half_square + z * series) + k * C::kLn2Low)) - f);
}

}  // namespace detail

/// The natural logarithm, within 1.2 ulp.
template <class T>
inline T log(T x) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T y = detail::log_of_positive(x);
  const T edge = x == T(0) ? -kInfinity : x == kInfinity ? x : std::numeric_limits<T>::quiet_NaN();
  return x > T(0) && x < kInfinity ? y : edge;
}

/// log(1 + x), within 2.5 ulp: what 1 + x loses is put back.
template <class T>
inline T log1p(T x) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T u = T(1) + x, lost = x >= T(1) ? T(1) - (u - x) : x - (u - T(1));
  const T y = detail::log_of_positive(u) + lost / u;
  const T edge = u == T(0) ? -kInfinity : u == kInfinity ? u : std::numeric_limits<T>::quiet_NaN();
  return x == T(0) ? x : u > T(0) && u < kInfinity ? y : edge;
}

namespace detail {

/// Angles from here on are for the standard library: their multiple of π/2 is no longer exact.
inline constexpr double kLargeAngle = 0x1p20;

// π/2 in parts of 33 bits, so that n times one of them is exact, and the rest; and a number that, when it is added,
// leaves an integer in the lowest bits.
inline constexpr double kQuarterHigh = 0x1.921fb544p+0, kQuarterMiddle = 0x1.0b4611a6p-34;
inline constexpr double kQuarterLow = 0x1.3198a2e037073p-69, kAngleRounder = 0x1.8p52;

// Of the Taylor series of sine and cosine, highest first.
inline constexpr double kSine[] = {-1. / 1307674368000, 1. / 6227020800, -1. / 39916800, 1. / 362880,
                                   -1. / 5040,          1. / 120,        -1. / 6};
inline constexpr double kCosine[] = {1. / 20922789888000, -1. / 87178291200, 1. / 479001600, -1. / 3628800,
                                     1. / 40320,          -1. / 720,         1. / 24};

// sin(x + quarters·π/2) for |x| < kLargeAngle.
inline double sine(double x, std::int64_t quarters) {
  const double shifted = x * 0.63661977236758134308 + kAngleRounder, n = shifted - kAngleRounder;
  const double r = ((x - n * kQuarterHigh) - n * kQuarterMiddle) - n * kQuarterLow, z = r * r;
  double s = kSine[0], c = kCosine[0];
  for (std::size_t i = 1; i < std::size(kSine); ++i) {
    s = s * z + kSine[i];
    c = c * z + kCosine[i];
  }
  const double sin_r = r + r * z * s, cos_r = 1 - (0.5 * z - z * z * c);
  const std::uint64_t quadrant = std::bit_cast<std::uint64_t>(shifted) + static_cast<std::uint64_t>(quarters);
  const double y = quadrant & 1 ? cos_r : sin_r;
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(y) ^ (quadrant & 2) << 62);
}

// The same in float32, but for the reduction to |r| ≤ π/4: there a float32 would lose what is left.
inline float sine(float x, std::uint32_t quarters) {
  const auto wide = static_cast<double>(x);
  const double shifted = wide * 0.63661977236758134308 + kAngleRounder, n = shifted - kAngleRounder;
  const auto r = static_cast<float>((wide - n * kQuarterHigh) - n * kQuarterMiddle);
  const float z = r * r;
  const float s = ((1.F / 362880 * z - 1.F / 5040) * z + 1.F / 120) * z - 1.F / 6;
  const float c = ((-1.F / 3628800 * z + 1.F / 40320) * z - 1.F / 720) * z + 1.F / 24;
  const float sin_r = r + r * z * s, cos_r = 1 - (0.5F * z - z * z * c);
  const std::uint32_t quadrant = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted)) + quarters;
  const float y = quadrant & 1 ? cos_r : sin_r;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(y) ^ (quadrant & 2) << 30);
}

}  // namespace detail

/// Sine and cosine of angles below 2^20, within 2 ulp.
template <class T>
inline T small_sin(T x) {
  return x == T(0) ? x : detail::sine(x, 0);
}
template <class T>
inline T small_cos(T x) {
  return detail::sine(x, 1);
}

/// a to the power b for finite a ≠ 0 and b, within 0.51 ulp: in float64, to the terms that a float32 shows.
inline float finite_pow(float a, float b) {
  constexpr std::size_t kLeftOut = 5;
  constexpr int kTerms = 6;
  const double base = std::abs(a), exponent = b;
  const auto [series, first, second] =
      detail::exp_parts<double, kLeftOut>(exponent * detail::log_of_positive<double, kTerms>(base));
  const auto y = static_cast<float>((series + 1) * first * second);
  const bool is_whole = std::trunc(b) == b, is_odd = is_whole && std::trunc(b / 2) != b / 2;
  return a > 0 ? y : is_odd ? -y : is_whole ? y : std::numeric_limits<float>::quiet_NaN();
}

/// An elementwise kernel, out = fast(..), or slow(..) where suits(..) is false.
template <class Suits, class Fast, class Slow>
struct FastWhere {
  static constexpr std::int64_t kGrain = std::int64_t{1} << 14;
  Suits suits;
  Fast fast;
  Slow slow;
  template <class T, class... In>
  void operator()(std::int64_t n, T* out, const In*... in) const {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) out[i] = fast(in[i]...);
    int are_others = 0;
#pragma omp simd reduction(| : are_others)
    for (std::int64_t i = 0; i < n; ++i) are_others |= !suits(in[i]...);
    for (std::int64_t i = 0; i < n && are_others; ++i)
      if (!suits(in[i]...)) out[i] = slow(in[i]...);
  }
};
template <class Suits, class Fast, class Slow>
FastWhere<Suits, Fast, Slow> fast_where(Suits suits, Fast fast, Slow slow) {
  return {suits, fast, slow};
}

/// fast(.., angle), or slow(.., angle) where the angle is large or not finite.
struct HasSmallAngle {
  template <class T>
  bool operator()(T angle) const {
    return std::abs(angle) < T(detail::kLargeAngle);
  }
  template <class T>
  bool operator()(T, T angle) const {
    return (*this)(angle);
  }
};
template <class Fast, class Slow>
auto of_angles(Fast fast, Slow slow) {
  return fast_where(HasSmallAngle(), fast, slow);
}

}  // namespace eigengrad::kernels
