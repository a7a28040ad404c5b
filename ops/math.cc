#include "eigengrad/ops/math.h"

#include <cmath>
#include <cstdint>
#include <numbers>
#include <unsupported/Eigen/SpecialFunctions>

#include "eigengrad/core/apply.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/kernels/array.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/exp.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::array;
using kernels::each;
using kernels::each_costly;
using kernels::floating;

// The standard library's functions where Eigen's lose subnormal numbers (log, sqrt) or save little.

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
    return floating(kName, each_costly([](auto a) { return std::expm1(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (s.y() + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {floating(kName, each([]<class T>(T d, T y) { return d * (y + T(1)); }), g, s.y())};
  }
};

struct Log {
  static constexpr const char* kName = "log";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::log(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / s.x(0)}; }
};

struct Log1p {
  static constexpr const char* kName = "log1p";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::log1p(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (s.x(0) + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {floating(kName, each([]<class T>(T d, T x) { return d / (x + T(1)); }), g, s.x(0))};
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
    return {floating(kName, each([]<class T>(T d, T y) { return d / (y * T(2)); }), g, s.y())};
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
    return {floating(kName, each([]<class T>(T d, T y) { return d * T(-0.5) * (y * y * y); }), g, s.y())};
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
    return {floating(kName, each([](auto d, auto y) { return -d * (y * y); }), g, s.y())};
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
    return {floating(kName, each([]<class T>(T d, T x) { return d * (x * T(2)); }), g, s.x(0))};
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
    return {floating(kName, each([](auto d, auto x) { return d * sign_of(x); }), g, s.x(0))};
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
    return floating(kName, each_costly([](auto a) { return std::sin(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * cos(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {floating(kName, each_costly([](auto d, auto x) { return d * std::cos(x); }), g, s.x(0))};
  }
};

struct Cos {
  static constexpr const char* kName = "cos";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::cos(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {-g * sin(s.x(0))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {floating(kName, each_costly([](auto d, auto x) { return -d * std::sin(x); }), g, s.x(0))};
  }
};

struct Tan {
  static constexpr const char* kName = "tan";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::tan(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (square(s.y()) + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {floating(kName, each([]<class T>(T d, T y) { return d * (y * y + T(1)); }), g, s.y())};
  }
};

struct Asin {
  static constexpr const char* kName = "asin";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::asin(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * rsqrt(1 - square(s.x(0)))}; }
};

struct Acos {
  static constexpr const char* kName = "acos";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::acos(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {-g * rsqrt(1 - square(s.x(0)))}; }
};

struct Atan {
  static constexpr const char* kName = "atan";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::atan(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / (1 + square(s.x(0)))}; }
};

struct Sinh {
  static constexpr const char* kName = "sinh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::sinh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * cosh(s.x(0))}; }
};

struct Cosh {
  static constexpr const char* kName = "cosh";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return std::cosh(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * sinh(s.x(0))}; }
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
    return {floating(kName, rule, g, s.x(0))};
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

Tensor exp(const Tensor& x) { return apply_floating(Exp{}, x); }
Tensor expm1(const Tensor& x) { return apply_floating(Expm1{}, x); }
Tensor log(const Tensor& x) { return apply_floating(Log{}, x); }
Tensor log1p(const Tensor& x) { return apply_floating(Log1p{}, x); }
Tensor sqrt(const Tensor& x) { return apply_floating(Sqrt{}, x); }
Tensor rsqrt(const Tensor& x) { return apply_floating(Rsqrt{}, x); }
Tensor reciprocal(const Tensor& x) { return apply_floating(Reciprocal{}, x); }
Tensor square(const Tensor& x) { return apply(Square{}, x); }
Tensor abs(const Tensor& x) { return apply(Abs{}, x); }
Tensor sign(const Tensor& x) { return apply(Sign{}, x); }
Tensor sin(const Tensor& x) { return apply_floating(Sin{}, x); }
Tensor cos(const Tensor& x) { return apply_floating(Cos{}, x); }
Tensor tan(const Tensor& x) { return apply_floating(Tan{}, x); }
Tensor asin(const Tensor& x) { return apply_floating(Asin{}, x); }
Tensor acos(const Tensor& x) { return apply_floating(Acos{}, x); }
Tensor atan(const Tensor& x) { return apply_floating(Atan{}, x); }
Tensor sinh(const Tensor& x) { return apply_floating(Sinh{}, x); }
Tensor cosh(const Tensor& x) { return apply_floating(Cosh{}, x); }
Tensor erf(const Tensor& x) { return apply_floating(Erf{}, x); }
Tensor floor(const Tensor& x) { return apply_rounding(Floor{}, x); }
Tensor ceil(const Tensor& x) { return apply_rounding(Ceil{}, x); }
Tensor round(const Tensor& x) { return apply_rounding(Round{}, x); }

}  // namespace eigengrad
