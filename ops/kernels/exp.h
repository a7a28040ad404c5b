// The exponential function in plain arithmetic, so that loops over it vectorise and each element has the same bits
// wherever it stands. (Eigen's gives 6e-309, not 0, for -∞ in float64 and, without AVX-512, 3e-39 in float32: a masked
// entry would not vanish.) Within 1.1 ulp; exact at -∞, ∞ and NaN; gradual underflow.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace eigengrad::kernels {

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

/// e^x = 2^k · e^r with |r| ≤ log(2) / 2, where a Taylor series of e^r is exact to the last bit.
template <class T>
inline T exp(T x) {
  using C = detail::ExpConstants<T>;
  using Bits = typename C::Bits;
  x = x < C::kLow ? C::kLow : x > C::kHigh ? C::kHigh : x;  // NaN passes
  const T shifted = x * T(1.44269504088896340736) + C::kRounder;
  const T k = shifted - C::kRounder;
  const T r = (x - k * C::kLn2High) - k * C::kLn2Low;
  T series = C::kInverseFactorials[0];
  for (std::size_t i = 1; i < std::size(C::kInverseFactorials); ++i) series = series * r + C::kInverseFactorials[i];
  series = series * (r * r) + r + T(1);
  // 2^k in two factors: k reaches beyond the exponents on both sides.
  const Bits exponent = std::bit_cast<Bits>(shifted) - std::bit_cast<Bits>(C::kRounder);
  const Bits half = static_cast<Bits>(static_cast<typename C::Int>(exponent) >> 1);
  const T first = std::bit_cast<T>((half + C::kBias) << C::kMantissaBits);
  const T second = std::bit_cast<T>((exponent - half + C::kBias) << C::kMantissaBits);
  return series * first * second;
}

/// 1 / (1 + e^-x)
template <class T>
inline T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

}  // namespace eigengrad::kernels
