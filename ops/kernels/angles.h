// Trigonometric functions, their inverses, and the hyperbolic ones: as those of functions.h.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "eigengrad/ops/kernels/functions.h"

namespace eigengrad::kernels {

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
inline constexpr float kFloatSine[] = {1.F / 362880, -1.F / 5040, 1.F / 120, -1.F / 6};
inline constexpr float kFloatCosine[] = {-1.F / 3628800, 1.F / 40320, -1.F / 720, 1.F / 24};

// The sine and cosine of what is left of an angle below kLargeAngle when so many quarters of a turn are taken away.
template <class T>
struct Reduced {
  T sine, cosine;
  typename ExpConstants<T>::Bits quarters;
};

inline Reduced<double> reduced(double x) {
  const double shifted = x * (2 * std::numbers::inv_pi) + kAngleRounder, n = shifted - kAngleRounder;
  const double r = ((x - n * kQuarterHigh) - n * kQuarterMiddle) - n * kQuarterLow, z = r * r;
  return {r + r * z * polynomial(kSine, z), 1 - (0.5 * z - z * z * polynomial(kCosine, z)),
          std::bit_cast<std::uint64_t>(shifted)};
}

// In float32 but for the reduction to |r| ≤ π/4: there a float32 would lose what is left.
inline Reduced<float> reduced(float x) {
  const auto wide = static_cast<double>(x);
  const double shifted = wide * (2 * std::numbers::inv_pi) + kAngleRounder, n = shifted - kAngleRounder;
  const auto r = static_cast<float>((wide - n * kQuarterHigh) - n * kQuarterMiddle);
  const float z = r * r;
  return {r + r * z * polynomial(kFloatSine, z), 1 - (0.5F * z - z * z * polynomial(kFloatCosine, z)),
          static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(shifted))};
}

// sin(x + quarters·π/2)
template <class T>
inline T sine(T x, typename ExpConstants<T>::Bits quarters) {
  using Bits = typename ExpConstants<T>::Bits;
  const Reduced<T> r = reduced(x);
  const Bits quadrant = r.quarters + quarters;
  const T y = quadrant & 1 ? r.cosine : r.sine;
  return std::bit_cast<T>(std::bit_cast<Bits>(y) ^ (quadrant & 2) << (8 * sizeof(T) - 2));
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

/// The tangent of an angle below 2^20, within 3.5 ulp.
template <class T>
inline T small_tan(T x) {
  const detail::Reduced<T> r = detail::reduced(x);
  const bool is_odd = r.quarters & 1;
  const T y = (is_odd ? -r.cosine : r.sine) / (is_odd ? r.sine : r.cosine);
  return x == T(0) ? x : y;
}

namespace detail {

// Near-minimax polynomials P (interpolation in Chebyshev's points), highest power first:
// atan(x) = x + x³·P(x²) for |x| ≤ tan(π/8), asin(x) = x + x³·P(x²) for |x| ≤ ½, sinh(x) = x + x³·P(x²) for |x| ≤ 1.
// And π in two parts.
template <class T>
struct AngleConstants;
template <>
struct AngleConstants<float> {
  static constexpr float kAtan[] = {-0.0645192821f, 0.107437315f, -0.142639556f, 0.199995405f, -0.333333318f};
  static constexpr float kAsin[] = {0.0336908472f, 0.0171492384f, 0.0311006627f,
                                    0.0445994015f, 0.0750009454f, 0.166666663f};
  static constexpr float kSinh[] = {2.80628026e-6f, 1.9838102e-4f, 8.33333968e-3f, 0.166666666f};
  static constexpr float kPiHigh = 0x1.921fb6p+1f, kPiLow = -0x1.777a5cp-24f;
};
template <>
struct AngleConstants<double> {
  static constexpr double kAtan[] = {0.016285756855221028,  -0.034570561981427747, 0.045515932206265492,
                                     -0.052304542706502445, 0.058789289978347751,  -0.066664248857382553,
                                     0.076922963750321424,  -0.090909087535008768, 0.11111111105155447,
                                     -0.14285714285659828,  0.19999999999999805,   -0.33333333333333333};
  static constexpr double kAsin[] = {
      0.02961201126495512,  -0.019241671746743041, 0.019554513336123379, 0.0030448799094556774, 0.0093195607947674463,
      0.009621842970100281, 0.011566459612121669,  0.01396378001220357,  0.017352816540325495,  0.022372157443507222,
      0.03038194447553234,  0.044642857142551893,  0.075000000000001178, 0.16666666666666667};
  static constexpr double kSinh[] = {2.8445264169895286e-15, 7.6466253616566577e-13, 1.6059048396350562e-10,
                                     2.5052108364058041e-8,  2.7557319224040339e-6,  1.9841269841269773e-4,
                                     0.0083333333333333334,  0.16666666666666667};
  static constexpr double kPiHigh = 0x1.921fb54442d18p+1, kPiLow = 0x1.1a62633145c07p-53;
};

// x + x·z·P(z)
template <class T, std::size_t kCount>
inline T odd(const T (&coefficients)[kCount], T x, T z) {
  return x + x * (z * polynomial(coefficients, z));
}

// y and so many eighths of a turn, π/4.
template <class T>
inline T turned(T eighths, T y) {
  const T halves = eighths * T(0.25);
  return halves * AngleConstants<T>::kPiHigh + (y + halves * AngleConstants<T>::kPiLow);
}

}  // namespace detail

/// The arc tangent, within 2 ulp.
template <class T>
inline T atan(T x) {
  constexpr T kTan1 = T(0.41421356237309504880), kTan3 = T(2.41421356237309504880);  // of π/8 and of 3π/8
  const T a = std::abs(x);
  const bool is_large = a > kTan3, is_small = a <= kTan1;
  const T numerator = is_large ? T(-1) : is_small ? a : a - T(1);
  const T denominator = is_large ? a : is_small ? T(1) : a + T(1);
  const T u = numerator / denominator, eighths = is_large ? T(2) : is_small ? T(0) : T(1);
  return std::copysign(detail::turned(eighths, detail::odd(detail::AngleConstants<T>::kAtan, u, u * u)), x);
}

/// The angle of the point (x, y), within 3 ulp.
template <class T>
inline T atan2(T y, T x) {
  const T a = std::abs(y), b = std::abs(x);
  const bool is_steep = a > b;
  const T low = is_steep ? b : a, high = is_steep ? a : b;              // NaN is in one of them
  const T quotient = low / high, of_equal = low == T(0) ? T(0) : T(1);  // also of infinite ones
  const T ratio = low == high ? of_equal : quotient;
  const T of_first = atan(ratio);
  const T of_half = is_steep ? detail::turned(T(2), -of_first) : of_first;
  return std::copysign(std::signbit(x) ? detail::turned(T(4), -of_half) : of_half, y);
}

namespace detail {

// Of |x| ≤ ½ as it is. Of larger ones by half the angle to 1, ½·acos(|x|) = asin(√((1 - |x|) / 2)); NaN beyond 1.
template <class T>
struct HalfAsin {
  bool is_half;
  T value;
};
template <class T>
inline HalfAsin<T> half_asin(T a) {
  const bool is_half = a > T(0.5);
  const T z = is_half ? (T(1) - a) * T(0.5) : a * a;
  const T s = is_half ? std::sqrt(z) : a;
  return {is_half, odd(AngleConstants<T>::kAsin, s, z)};
}

}  // namespace detail

/// The arc sine, within 2.5 ulp.
template <class T>
inline T asin(T x) {
  const auto [is_half, value] = detail::half_asin(std::abs(x));
  return std::copysign(is_half ? detail::turned(T(2), T(-2) * value) : value, x);
}

/// The arc cosine, within 2 ulp.
template <class T>
inline T acos(T x) {
  const auto [is_half, value] = detail::half_asin(std::abs(x));
  const T right = is_half ? T(2) * value : detail::turned(T(2), -value);
  const T left = is_half ? detail::turned(T(4), T(-2) * value) : detail::turned(T(2), value);
  return x < T(0) ? left : right;
}

namespace detail {

// e^a / 2, which is finite for longer than e^a.
template <class T>
inline T half_exp(T a) {
  const auto [series, first, second] = exp_parts(a);
  return (series + T(1)) * (first * T(0.5)) * second;
}

}  // namespace detail

/// The hyperbolic sine, within 2 ulp.
template <class T>
inline T sinh(T x) {
  const T a = std::abs(x), e = detail::half_exp(a);
  const T y = a > T(1) ? e - T(0.25) / e : detail::odd(detail::AngleConstants<T>::kSinh, a, a * a);
  return std::copysign(y, x);
}

/// The hyperbolic cosine, within 2 ulp.
template <class T>
inline T cosh(T x) {
  const T e = detail::half_exp(std::abs(x));
  return e + T(0.25) / e;
}

namespace detail {

// Beyond it the square of a number may be infinite, and 1 is nothing beside it.
template <class T>
inline constexpr T kSquareless = sizeof(T) == 4 ? T(0x1p60) : T(0x1p500);

// log(1 + small), or log(2·large)
template <class T>
inline T log1p_or_twice(T small, T large) {
  const bool is_large = large > kSquareless<T>;
  const T y = log1p(is_large ? large : small);
  return is_large ? y + std::numbers::ln2_v<T> : y;
}

}  // namespace detail

/// The inverse of sinh, within 4 ulp.
template <class T>
inline T asinh(T x) {
  const T a = std::abs(x), square = a * a;
  return std::copysign(detail::log1p_or_twice(a + square / (T(1) + std::sqrt(T(1) + square)), a), x);
}

/// The inverse of cosh, within 4 ulp.
template <class T>
inline T acosh(T x) {
  const T t = x - T(1), y = detail::log1p_or_twice(t + std::sqrt(T(2) * t + t * t), t);
  return x < T(1) ? std::numeric_limits<T>::quiet_NaN() : y;
}

/// The inverse of tanh, within 4 ulp.
template <class T>
inline T atanh(T x) {
  const T a = std::abs(x);
  return std::copysign(T(0.5) * log1p(T(2) * a / (T(1) - a)), x);
}

/// √(a² + b²), within 0.51 ulp.
inline float hypot(float a, float b) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const double wide_a = a, wide_b = b;
  const auto y = static_cast<float>(std::sqrt(wide_a * wide_a + wide_b * wide_b));
  return std::abs(a) == kInfinity || std::abs(b) == kInfinity ? kInfinity : y;  // even if the other is NaN
}
inline double hypot(double a, double b) { return std::hypot(a, b); }

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
