// Elementary functions in plain arithmetic, without branches, so that loops over them vectorise and each element has
// the same bits wherever it stands. They are exact where the function is exact (at 0, 1, ±∞ and NaN), and keep
// subnormal numbers; elsewhere within the stated units in the last place, which tests/ops/functions_test.cc measures.
//
// (Eigen's exponential gives 6e-309, not 0, for -∞ in float64 and, without AVX-512, 3e-39 in float32: a masked
// entry would not vanish.)
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
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

/// A polynomial, its highest power first.
template <std::size_t kFrom = 0, class T, std::size_t kCount>
inline T polynomial(const T (&coefficients)[kCount], T x) {
  T y = coefficients[kFrom];
  for (std::size_t i = kFrom + 1; i < kCount; ++i) y = y * x + coefficients[i];
  return y;
}

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  using Int = std::int32_t;
  using Bits = std::uint32_t;
  static constexpr float kLow = -104, kHigh = 90;  // beyond these the result is 0, or infinite
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
  static constexpr double kLow = -746, kHigh = 711;
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

// 2^k · e^r: e^r - 1, and 2^k in two factors, for k reaches beyond the exponents on both sides.
template <class T>
struct ExpParts {
  T series, first, second;
};

// e^r - 1 by its Taylor series, without the last terms of which so many are left out, for |r| ≤ log(2) / 2; `shifted`
// is k + kRounder.
template <class T, std::size_t kLeftOut>
inline ExpParts<T> exp_parts_of(T r, T shifted) {
  using C = ExpConstants<T>;
  using Bits = typename C::Bits;
  const T series = polynomial<kLeftOut>(C::kInverseFactorials, r) * (r * r) + r;
  const Bits exponent = std::bit_cast<Bits>(shifted) - std::bit_cast<Bits>(C::kRounder);
  const Bits half = static_cast<Bits>(static_cast<typename C::Int>(exponent) >> 1);
  const T first = std::bit_cast<T>((half + C::kBias) << C::kMantissaBits);
  const T second = std::bit_cast<T>((exponent - half + C::kBias) << C::kMantissaBits);
  return {series, first, second};
}

// Those of e^x.
template <class T, std::size_t kLeftOut = 0>
inline ExpParts<T> exp_parts(T x) {
  using C = ExpConstants<T>;
  x = limited(x, C::kLow, C::kHigh);
  const T shifted = x * std::numbers::log2e_v<T> + C::kRounder;
  const T k = shifted - C::kRounder;
  return exp_parts_of<T, kLeftOut>((x - k * C::kLn2High) - k * C::kLn2Low, shifted);
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

/// 2^x, within 1.2 ulp.
template <class T>
inline T exp2(T x) {
  using C = detail::ExpConstants<T>;
  x = limited(x, C::kLow * T(1.5), C::kHigh * T(1.5));
  const T shifted = x + C::kRounder, r = (x - (shifted - C::kRounder)) * std::numbers::ln2_v<T>;
  const auto [series, first, second] = detail::exp_parts_of<T, 0>(r, shifted);
  return (series + T(1)) * first * second;
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
  return a * (detail::polynomial(detail::kGeluNumerator, z) / detail::polynomial(detail::kGeluDenominator, z)) + 0.5f;
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

// log x = k·log 2 + log(1 + f), √½ ≤ 1 + f < √2, and log(1 + f) = f - (f²/2 - rest), where all but the rest is exact;
// for finite x > 0, other x give something.
template <class T>
struct LogParts {
  T k, f, half_square, rest;
};
template <class T, int kTerms = LogConstants<T>::kTerms>
inline LogParts<T> log_parts(T x) {
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
  return {k, f, half_square, s * (half_square + z * series)};
}

template <class T, int kTerms = LogConstants<T>::kTerms>
inline T log_of_positive(T x) {
  using C = LogConstants<T>;
  const auto [k, f, half_square, rest] = log_parts<T, kTerms>(x);
  return k * C::kLn2High - ((half_square - (rest + k * C::kLn2Low)) - f);
}

// y, the logarithm of x where that is positive and finite; what it is elsewhere.
template <class T>
inline T log_or_edge(T x, T y) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T edge = x == T(0) ? -kInfinity : x == kInfinity ? x : std::numeric_limits<T>::quiet_NaN();
  return x > T(0) && x < kInfinity ? y : edge;
}

}  // namespace detail

/// The natural logarithm, within 1.2 ulp.
template <class T>
inline T log(T x) {
  return detail::log_or_edge(x, detail::log_of_positive(x));
}

/// The logarithm to base 2, within 2 ulp; exact for powers of 2.
template <class T>
inline T log2(T x) {
  const auto [k, f, half_square, rest] = detail::log_parts(x);
  return detail::log_or_edge(x, (f - (half_square - rest)) * std::numbers::log2e_v<T> + k);
}

/// That to base 10, within 0.51 ulp (float64: the standard library's).
inline float log10(float x) {
  constexpr int kTerms = 6;
  const double y = detail::log_of_positive<double, kTerms>(x) * std::numbers::log10e;
  return detail::log_or_edge(x, static_cast<float>(y));
}
inline double log10(double x) { return std::log10(x); }

/// log(1 + x), within 2.5 ulp: what 1 + x loses is put back. (In this form: of others, gcc makes no vectors where the
/// argument is computed too.)
template <class T>
inline T log1p(T x) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T u = T(1) + x, lost = x >= T(1) ? T(1) - (u - x) : x - (u - T(1));
  const T y = detail::log_of_positive(u) + lost / u;
  const T edge = u == T(0) ? -kInfinity : u == kInfinity ? u : std::numeric_limits<T>::quiet_NaN();
  return x == T(0) ? x : u > T(0) && u < kInfinity ? y : edge;
}

namespace detail {

// e^x²·erfc(x) = t·P(t) with t = 3 / (3 + x) for x ≥ 0, within 9e-11 of it up to 10.2, beyond which float32 has nothing
// left (interpolation in Chebyshev's points).
inline constexpr double kErfc[] = {-0.027649377083024371, 0.1855715791220959,   -0.49879821154693282,
                                   0.68049508023848966,   -0.57567778652307654, 0.42648598557752101,
                                   -0.06820048263888379,  0.17647914953252808,  0.14618955015765579,
                                   0.17909717616914998,   0.18793951041752481,  0.18806782653946172};

}  // namespace detail

/// 1 - erf(x), within 0.51 ulp (float64: the standard library's).
inline float erfc(float x) {
  constexpr std::size_t kLeftOut = 3;
  const double a = std::abs(static_cast<double>(x)), t = 3 / (3 + a);
  const auto [series, first, second] = detail::exp_parts<double, kLeftOut>(-a * a);
  const double y = (series + 1) * first * second * (t * detail::polynomial(detail::kErfc, t));
  return static_cast<float>(x < 0 ? 2 - y : y);
}
inline double erfc(double x) { return std::erfc(x); }

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

/// Whether fmod(a, b) is that of small_fmod(): where the quotient and its product with b have room in float64.
inline bool has_small_quotient(float a, float b) {
  const double wide_a = a, wide_b = b;
  return std::abs(wide_a) < 0x1p29 * std::abs(wide_b) && std::abs(b) <= std::numeric_limits<float>::max();
}
/// The exact a - b·trunc(a / b), with the sign of a.
inline float small_fmod(float a, float b) {
  const double wide_a = a, wide_b = b;
  return std::copysign(static_cast<float>(wide_a - wide_b * std::trunc(wide_a / wide_b)), a);
}

/// An elementwise kernel, out = fast(..), or slow(..) where suits(..) is false. The output may stand on an input.
template <class Suits, class Fast, class Slow>
struct FastWhere {
  static constexpr std::int64_t kGrain = std::int64_t{1} << 14;
  static constexpr std::int64_t kBlock = 256;  // elements that go the slow way together
  Suits suits;
  Fast fast;
  Slow slow;
  template <class T, class... In>
  void operator()(std::int64_t n, T* out, const In*... in) const {
    for (std::int64_t start = 0; start < n; start += kBlock) {
      const std::int64_t end = std::min(n, start + kBlock);
      int are_others = 0;
#pragma omp simd reduction(| : are_others)
      for (std::int64_t i = start; i < end; ++i) are_others |= !suits(in[i]...);
      if (are_others) {
        for (std::int64_t i = start; i < end; ++i) out[i] = suits(in[i]...) ? fast(in[i]...) : slow(in[i]...);
      } else {
#pragma omp simd
        for (std::int64_t i = start; i < end; ++i) out[i] = fast(in[i]...);
      }
    }
  }
};
template <class Suits, class Fast, class Slow>
FastWhere<Suits, Fast, Slow> fast_where(Suits suits, Fast fast, Slow slow) {
  return {suits, fast, slow};
}

}  // namespace eigengrad::kernels
