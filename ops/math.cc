#include "eigengrad/ops/math.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <unsupported/Eigen/SpecialFunctions>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/angles.h"
#include "eigengrad/ops/kernels/array.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::array;
using kernels::each;
using kernels::each_costly;
using kernels::floating;
using kernels::gradient;
using kernels::of_angles;

// The standard library's functions where they are seldom called, or where Eigen's lose subnormal numbers (sqrt).

struct Exp {
  static constexpr const char* kName = "exp";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::exp(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * s.y()}; }
};

struct Expm1 {
  static constexpr const char* kName = "expm1";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::expm1(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (s.y() + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d * (y + T(1)); }), g, s.y())};
  }
};

struct Log {
  static constexpr const char* kName = "log";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::log(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / s.x(0)}; }
};

struct Log1p {
  static constexpr const char* kName = "log1p";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::log1p(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (s.x(0) + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / (x + T(1)); }), g, s.x(0))};
  }
};

struct Sqrt {
  static constexpr const char* kName = "sqrt";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return std::sqrt(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (s.y() * 2)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d / (y * T(2)); }), g, s.y())};
  }
};

struct Rsqrt {
  static constexpr const char* kName = "rsqrt";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([]<class T>(T a) { return T(1) / std::sqrt(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y();
    return {g * -0.5 * (y * y * y)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d * T(-0.5) * (y * y * y); }), g, s.y())};
  }
};

struct Reciprocal {
  static constexpr const char* kName = "reciprocal";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([]<class T>(T a) { return T(1) / a; }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y();
    return {-g * (y * y)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([](auto d, auto y) { return -d * (y * y); }), g, s.y())};
  }
};

// f(T) -> T over numbers.
template <class F>
Tensor number(const char* op, const Tensor& x, F f) {
  const Tensor out = empty_like(x);
  dispatch_number(op, x.dtype(), [&]<class T>() { kernels::elementwise<T, T>(out, each(f), x); });
  return out;
}

struct Square {
  static constexpr const char* kName = "square";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return number(kName, x[0], []<class T>(T a) {
      if constexpr (std::is_same_v<T, std::int64_t>)  // wraps around, as the product does
        return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(a));
      else
        return a * a;
    });
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (s.x(0) * 2)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d * (x * T(2)); }), g, s.x(0))};
  }
};

template <class T>
T sign_of(T a) {
  if constexpr (std::is_floating_point_v<T>)
    return a > 0 ? T(1) : a < 0 ? T(-1) : a;  // 0 and NaN are their own
  else
    return T(a > 0) - T(a < 0);
}

struct Abs {
  static constexpr const char* kName = "abs";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return number(kName, x[0], []<class T>(T a) {
      if constexpr (std::is_same_v<T, std::int64_t>)  // the lowest number wraps around to itself
        return a < 0 ? static_cast<T>(-static_cast<std::uint64_t>(a)) : a;
      else
        return std::abs(a);
    });
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * sign(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([](auto d, auto x) { return d * sign_of(x); }), g, s.x(0))};
  }
};

struct Sign {
  static constexpr const char* kName = "sign";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return number(kName, x[0], [](auto a) { return sign_of(a); });
  }
  Grads backward(const Saved&, const Tensor& g) const { return {zeros_like(g)}; }
};

struct Sin {
  static constexpr const char* kName = "sin";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, of_angles([](auto a) { return kernels::small_sin(a); }, [](auto a) { return std::sin(a); }),
                    x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * cos(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName,
                     of_angles([](auto d, auto x) { return d * kernels::small_cos(x); },
                               [](auto d, auto x) { return d * std::cos(x); }),
                     g, s.x(0))};
  }
};

struct Cos {
  static constexpr const char* kName = "cos";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, of_angles([](auto a) { return kernels::small_cos(a); }, [](auto a) { return std::cos(a); }),
                    x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {-g * sin(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName,
                     of_angles([](auto d, auto x) { return -d * kernels::small_sin(x); },
                               [](auto d, auto x) { return -d * std::sin(x); }),
                     g, s.x(0))};
  }
};

struct Tan {
  static constexpr const char* kName = "tan";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, of_angles([](auto a) { return kernels::small_tan(a); }, [](auto a) { return std::tan(a); }),
                    x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (square(s.y()) + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d * (y * y + T(1)); }), g, s.y())};
  }
};

struct Asin {
  static constexpr const char* kName = "asin";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::asin(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * rsqrt(1 - square(s.x(0)))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / std::sqrt(T(1) - x * x); }), g, s.x(0))};
  }
};

struct Acos {
  static constexpr const char* kName = "acos";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::acos(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {-g * rsqrt(1 - square(s.x(0)))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return -d / std::sqrt(T(1) - x * x); }), g, s.x(0))};
  }
};

struct Atan {
  static constexpr const char* kName = "atan";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::atan(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (1 + square(s.x(0)))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / (T(1) + x * x); }), g, s.x(0))};
  }
};

struct Sinh {
  static constexpr const char* kName = "sinh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::sinh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * cosh(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each_costly([]<class T>(T d, T x) { return d * kernels::cosh(x); }), g, s.x(0))};
  }
};

struct Cosh {
  static constexpr const char* kName = "cosh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::cosh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * sinh(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each_costly([]<class T>(T d, T x) { return d * kernels::sinh(x); }), g, s.x(0))};
  }
};

struct Erf {
  static constexpr const char* kName = "erf";
  static constexpr SaveMask kSaves = input(0);
  static constexpr double kSlopeAtZero = 2 * std::numbers::inv_sqrtpi;
  Tensor forward(TensorRefs x) const {
    return floating(kName, array([](const auto& a) { return a.erf(); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (exp(-square(s.x(0))) * kSlopeAtZero)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each_costly([]<class T>(T d, T x) { return d * (kernels::exp(-(x * x)) * T(kSlopeAtZero)); });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// Flat between the steps, so that the gradient is 0.
struct Floor {
  static constexpr const char* kName = "floor";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return std::floor(a); }), x[0]);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {zeros_like(g)}; }
};

struct Ceil {
  static constexpr const char* kName = "ceil";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return std::ceil(a); }), x[0]);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {zeros_like(g)}; }
};

struct Round {
  static constexpr const char* kName = "round";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return std::nearbyint(a); }), x[0]);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {zeros_like(g)}; }
};

struct Asinh {
  static constexpr const char* kName = "asinh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::asinh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * rsqrt(square(s.x(0)) + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / std::sqrt(x * x + T(1)); }), g, s.x(0))};
  }
};

struct Acosh {
  static constexpr const char* kName = "acosh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::acosh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * rsqrt((s.x(0) - 1) * (s.x(0) + 1))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / std::sqrt((x - T(1)) * (x + T(1))); }), g, s.x(0))};
  }
};

struct Atanh {
  static constexpr const char* kName = "atanh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::atanh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / ((1 - s.x(0)) * (1 + s.x(0)))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / ((T(1) - x) * (T(1) + x)); }), g, s.x(0))};
  }
};

struct Exp2 {
  static constexpr const char* kName = "exp2";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::exp2(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * s.y() * std::numbers::ln2}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d * y * std::numbers::ln2_v<T>; }), g, s.y())};
  }
};

struct Log2 {
  static constexpr const char* kName = "log2";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::log2(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (s.x(0) * std::numbers::ln2)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / (x * std::numbers::ln2_v<T>); }), g, s.x(0))};
  }
};

struct Log10 {
  static constexpr const char* kName = "log10";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::log10(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (s.x(0) * std::numbers::ln10)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T x) { return d / (x * std::numbers::ln10_v<T>); }), g, s.x(0))};
  }
};

struct Erfc {
  static constexpr const char* kName = "erfc";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::erfc(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {g * exp(-square(s.x(0))) * (-2 * std::numbers::inv_sqrtpi)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each_costly([]<class T>(T d, T x) {
                       return d * (kernels::exp(-(x * x)) * T(-2 * std::numbers::inv_sqrtpi));
                     }),
                     g, s.x(0))};
  }
};

// sin(πx) / (πx). Near 0 the quotient in the derivative (cos(πx) - sinc(x)) / x cancels, and a series stands for it.
struct Sinc {
  static constexpr const char* kName = "sinc";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    const auto quotient = [](auto sine) {
      return [sine]<class T>(T a) {
        const T z = a * std::numbers::pi_v<T>;
        return z == T(0) ? T(1) : sine(z) / z;
      };
    };
    const auto suits = [](auto a) { return kernels::HasSmallAngle()(a * 4); };  // π times as large it is small still
    return floating(kName,
                    kernels::fast_where(suits, quotient([](auto z) { return kernels::small_sin(z); }),
                                        quotient([](auto z) { return std::sin(z); })),
                    x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    const Tensor z = x * std::numbers::pi;
    const Tensor small = abs(z) < kSmall, safe = where(small, 1, z);
    const Tensor far = (cos(safe) - sin(safe) / safe) / safe;
    return {g * where(small, series(z), far) * std::numbers::pi};
  }

 private:
  static constexpr double kSmall = 1;
  // (cos z - sin z / z) / z = Σ over k ≥ 1 of (-1)^k·2k / (2k + 1)!·z^(2k - 1), summed from its last term.
  static Tensor series(const Tensor& z) {
    constexpr int kTerms = 10;
    const Tensor z2 = square(where(abs(z) < kSmall, z, 0));
    Tensor sum;
    double factorial = 1;  // (2k + 1)! for the last k
    for (int i = 2; i <= 2 * kTerms + 1; ++i) factorial *= i;
    for (int k = kTerms; k >= 1; --k) {
      const double term = (k % 2 ? -2.0 : 2.0) * k / factorial;
      sum = sum.defined() ? sum * z2 + term : full_like(z2.detach(), term);
      factorial /= (2.0 * k + 1) * (2.0 * k);
    }
    return sum * where(abs(z) < kSmall, z, 0);
  }
};

struct NanToNum {
  static constexpr const char* kName = "nan_to_num";
  static constexpr SaveMask kSaves = input(0);
  double nan, posinf, neginf;
  Tensor forward(TensorRefs x) const {
    const double largest = x[0].dtype() == kFloat64 ? std::numeric_limits<double>::max()
                                                    : static_cast<double>(std::numeric_limits<float>::max());
    const auto rule = each(
        [n = limited(nan, largest), high = limited(posinf, largest), low = limited(neginf, largest)]<class T>(T a) {
          constexpr T kInfinity = std::numeric_limits<T>::infinity();
          const T number = a != a ? static_cast<T>(n) : a, above = a == -kInfinity ? static_cast<T>(low) : number;
          return a == kInfinity ? static_cast<T>(high) : above;
        });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {where(isfinite(s.x(0)), g, 0)}; }

 private:
  static double limited(double value, double largest) {
    return std::isnan(value) ? value : std::clamp(value, -largest, largest);
  }
};

struct Trunc {
  static constexpr const char* kName = "trunc";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return std::trunc(a); }), x[0]);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {zeros_like(g)}; }
};

struct Frac {
  static constexpr const char* kName = "frac";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return a - std::trunc(a); }), x[0]);
  }
  Grads backward(const Saved&, const Tensor& g) const { return {g}; }
};

bool is_integer(const Tensor& x) { return x.defined() && x.dtype() == kInt64; }

// Integers are taken as float32.
template <class Op>
Tensor apply_floating(Op op, const Tensor& x) {
  return is_integer(x) ? apply(op, to(x, kFloat32)) : apply(op, x);
}

// Integers are round already.
template <class Op>
Tensor apply_rounding(Op op, const Tensor& x) {
  return is_integer(x) ? x : apply(op, x);
}

}  // namespace

Tensor exp(Arg x) { return apply_floating(Exp{}, x); }
Tensor expm1(Arg x) { return apply_floating(Expm1{}, x); }
Tensor log(Arg x) { return apply_floating(Log{}, x); }
Tensor log1p(Arg x) { return apply_floating(Log1p{}, x); }
Tensor sqrt(Arg x) { return apply_floating(Sqrt{}, x); }
Tensor rsqrt(Arg x) { return apply_floating(Rsqrt{}, x); }
Tensor reciprocal(Arg x) { return apply_floating(Reciprocal{}, x); }
Tensor square(Arg x) { return apply(Square{}, x); }
Tensor abs(Arg x) { return apply(Abs{}, x); }
Tensor sign(Arg x) { return apply(Sign{}, x); }
Tensor sin(Arg x) { return apply_floating(Sin{}, x); }
Tensor cos(Arg x) { return apply_floating(Cos{}, x); }
Tensor tan(Arg x) { return apply_floating(Tan{}, x); }
Tensor asin(Arg x) { return apply_floating(Asin{}, x); }
Tensor acos(Arg x) { return apply_floating(Acos{}, x); }
Tensor atan(Arg x) { return apply_floating(Atan{}, x); }
Tensor sinh(Arg x) { return apply_floating(Sinh{}, x); }
Tensor cosh(Arg x) { return apply_floating(Cosh{}, x); }
Tensor asinh(Arg x) { return apply_floating(Asinh{}, x); }
Tensor acosh(Arg x) { return apply_floating(Acosh{}, x); }
Tensor atanh(Arg x) { return apply_floating(Atanh{}, x); }
Tensor exp2(Arg x) { return apply_floating(Exp2{}, x); }
Tensor log2(Arg x) { return apply_floating(Log2{}, x); }
Tensor log10(Arg x) { return apply_floating(Log10{}, x); }
Tensor erfc(Arg x) { return apply_floating(Erfc{}, x); }
Tensor sinc(Arg x) { return apply_floating(Sinc{}, x); }
Tensor trunc(Arg x) { return apply_rounding(Trunc{}, x); }
Tensor erf(Arg x) { return apply_floating(Erf{}, x); }
Tensor floor(Arg x) { return apply_rounding(Floor{}, x); }
Tensor ceil(Arg x) { return apply_rounding(Ceil{}, x); }
Tensor round(Arg x) { return apply_rounding(Round{}, x); }

Tensor frac(Arg x) {
  kernels::check_floating("frac", x);
  return apply(Frac{}, x);
}

Tensor logit(Arg x, double eps) {
  kernels::check_floating("logit", x);
  EG_CHECK(eps <= 0.5, ValueError, "[logit] eps is {}, expected at most 1/2", eps);
  const Tensor inside = eps >= 0 ? clamp(x, eps, 1 - eps) : *x;
  return log(inside / (1 - inside));
}

Tensor nan_to_num(Arg x, double nan, double posinf, double neginf) {
  return is_integer(x) ? *x : apply(NanToNum{nan, posinf, neginf}, x);
}

}  // namespace eigengrad
