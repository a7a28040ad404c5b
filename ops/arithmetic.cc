#include "eigengrad/ops/arithmetic.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/angles.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

// int64 wraps around, as in NumPy: in C++ the overflow of a signed number is undefined.
template <class T, class F>
T wrapping(T a, T b, F f) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return static_cast<T>(f(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
  else
    return static_cast<T>(f(a, b));
}

struct Add {
  static constexpr const char* kName = "add";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    return kernels::binary(kName, x, []<class T>(T a, T b) {
      if constexpr (std::is_same_v<T, bool>)
        return a || b;
      else
        return wrapping(a, b, [](auto p, auto q) { return p + q; });
    });
  }
  Grads backward(const Saved&, const Tensor& g) const { return {g, g}; }
};

struct Sub {
  static constexpr const char* kName = "sub";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    EG_CHECK(x[0].dtype() != kBool, DtypeError, "[sub] expected numbers, found bool: use logical_xor");
    return kernels::binary(kName, x,
                           []<class T>(T a, T b) { return wrapping(a, b, [](auto p, auto q) { return p - q; }); });
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g, s.needs(1) ? -g : Tensor()}; }
};

struct Mul {
  static constexpr const char* kName = "mul";
  static constexpr SaveMask kSaves[] = {input(1), input(0)};
  Tensor forward(TensorRefs x) const {
    return kernels::binary(kName, x, []<class T>(T a, T b) {
      if constexpr (std::is_same_v<T, bool>)
        return a && b;
      else
        return wrapping(a, b, [](auto p, auto q) { return p * q; });
    });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {s.needs(0) ? g * s.x(1) : Tensor(), s.needs(1) ? g * s.x(0) : Tensor()};
  }
};

struct Div {
  static constexpr const char* kName = "div";
  static constexpr SaveMask kSaves[] = {input(1), input(0) | input(1)};
  Tensor forward(TensorRefs x) const {
    const Tensor out = kernels::elementwise_result(kName, x[0], x[1], x[0].dtype());
    dispatch_floating(kName, out.dtype(), [&]<class T>() {
      kernels::elementwise<T, T, T>(out, kernels::each([](T a, T b) { return a / b; }), x[0], x[1]);
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {s.needs(0) ? g / s.x(1) : Tensor(), s.needs(1) ? -g * s.x(0) / (s.x(1) * s.x(1)) : Tensor()};
  }
};

template <class T>
T floor_quotient(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::floor(a / b);
  } else {
    EG_CHECK(b != 0, ValueError, "[floor_divide] an integer is divided by zero");
    EG_CHECK(b != -1 || a != std::numeric_limits<T>::min(), ValueError, "[floor_divide] {} / -1 passes int64", a);
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
  }
}

struct FloorDivide {
  static constexpr const char* kName = "floor_divide";
  Tensor forward(TensorRefs x) const {
    EG_CHECK(x[0].dtype() != kBool, DtypeError, "[floor_divide] expected numbers, found bool");
    const Tensor out = kernels::elementwise_result(kName, x[0], x[1], x[0].dtype());
    dispatch_number(kName, out.dtype(), [&]<class T>() {
      kernels::elementwise<T, T, T>(out, kernels::each([](T a, T b) { return floor_quotient(a, b); }), x[0], x[1]);
    });
    return out;
  }
};

// The elements' remainders with the sign of a, as C++ has them, and what `finish` makes of one and of b.
template <class Finish>
Tensor remainders(const char* op, TensorRefs x, Finish finish) {
  const Tensor out = kernels::elementwise_result(op, x[0], x[1], x[0].dtype());
  dispatch_number(op, out.dtype(), [&]<class T>() {
    const auto exact = [op, finish](T a, T b) {
      if constexpr (std::is_floating_point_v<T>) {
        return finish(std::fmod(a, b), b);
      } else {
        EG_CHECK(b != 0, ValueError, "[{}] an integer is taken modulo zero", op);
        return finish(b == -1 ? T(0) : a % b, b);  // the smallest integer by -1 overflows
      }
    };
    if constexpr (std::is_same_v<T, float>) {
      const auto fast = [finish](float a, float b) { return finish(kernels::small_fmod(a, b), b); };
      const auto suits = [](float a, float b) { return kernels::has_small_quotient(a, b); };
      kernels::elementwise<T, T, T>(out, kernels::fast_where(suits, fast, exact), x[0], x[1]);
    } else {
      kernels::elementwise<T, T, T>(out, kernels::each_costly(exact), x[0], x[1]);
    }
  });
  return out;
}

struct Remainder {
  static constexpr const char* kName = "remainder";
  static constexpr SaveMask kSaves[] = {kNothing, input(0) | input(1)};
  Tensor forward(TensorRefs x) const {
    return remainders(kName, x, [](auto rest, auto b) {
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;  // that of b
    });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {g, s.needs(1) ? -g * floor_divide(s.x(0), s.x(1)) : Tensor()};
  }
};

struct Pow {
  static constexpr const char* kName = "pow";
  static constexpr SaveMask kSaves[] = {input(0) | input(1), input(0) | kOutput};
  Tensor forward(TensorRefs x) const {
    const Tensor out = kernels::elementwise_result(kName, x[0], x[1], x[0].dtype());
    dispatch_number(kName, out.dtype(), [&]<class T>() {
      if constexpr (std::is_floating_point_v<T>)
        if (x[1].numel() == 1 && by_multiplying(out, x[0], *x[1].raw<const T>())) return;
      const auto exact = [](T a, T b) { return power(a, b); };
      if constexpr (std::is_same_v<T, float>) {
        const auto suits = [](float a, float b) {
          return a != 0 && std::abs(a) <= kLargest && std::abs(b) <= kLargest;
        };
        kernels::elementwise<T, T, T>(out,
                                      kernels::fast_where(
                                          suits, [](float a, float b) { return kernels::finite_pow(a, b); }, exact),
                                      x[0], x[1]);
      } else {
        kernels::elementwise<T, T, T>(out, kernels::each_costly(exact), x[0], x[1]);
      }
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    Grads grads(2);
    if (s.needs(0)) {
      const Tensor& b = s.x(1);
      // Where b is 0 the power is 1 whatever a is; the formula would give 0 · a^-1, NaN at a = 0.
      const Tensor d = g * (b * pow(s.x(0), b - 1));
      grads[0] = b.numel() == 1 && b.item() != 0 ? d : where(b == 0, 0, d);
    }
    if (s.needs(1)) {
      const Tensor& a = s.x(0);
      const Tensor safe = where(a == 0, 1, a);
      grads[1] = where(a == 0, 0, g * s.y() * log(safe));
    }
    return grads;
  }

 private:
  static constexpr float kLargest = std::numeric_limits<float>::max();
  // The powers that are multiplications. False for another exponent.
  template <class T>
  static bool by_multiplying(const Tensor& out, const Tensor& x, T exponent) {
    const auto run = [&](auto f) {
      kernels::elementwise<T, T>(out, kernels::each(f), x);
      return true;
    };
    if (exponent == 1) return run([](T a) { return a; });
    if (exponent == 2) return run([](T a) { return a * a; });
    if (exponent == 3) return run([](T a) { return a * a * a; });
    if (exponent == -1) return run([](T a) { return 1 / a; });
    if (exponent == -2) return run([](T a) { return 1 / (a * a); });
    return false;
  }
  template <class T>
  static T power(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      return std::pow(a, b);
    } else {
      EG_CHECK(b >= 0, ValueError, "[pow] an integer to the negative integer power {}: convert it to a floating type",
               b);
      std::uint64_t result = 1, factor = static_cast<std::uint64_t>(a);
      for (T rest = b; rest > 0; rest >>= 1, factor *= factor)
        if (rest & 1) result *= factor;
      return static_cast<T>(result);
    }
  }
};

// The gradient goes to the operand that was taken; equal ones get half each.
Grads share_by_choice(const Saved& s, const Tensor& g, const Tensor& first_taken) {
  const Tensor tie = s.x(0) == s.x(1);
  const Tensor half = g * 0.5;
  return {s.needs(0) ? where(tie, half, where(first_taken, g, 0)) : Tensor(),
          s.needs(1) ? where(tie, half, where(first_taken, 0, g)) : Tensor()};
}

struct Maximum {
  static constexpr const char* kName = "maximum";
  static constexpr SaveMask kSaves = kInputs;
  Tensor forward(TensorRefs x) const {
    return kernels::binary(kName, x, []<class T>(T a, T b) -> T { return a > b || a != a ? a : b; });
  }
  Grads backward(const Saved& s, const Tensor& g) const { return share_by_choice(s, g, s.x(0) > s.x(1)); }
};

struct Minimum {
  static constexpr const char* kName = "minimum";
  static constexpr SaveMask kSaves = kInputs;
  Tensor forward(TensorRefs x) const {
    return kernels::binary(kName, x, []<class T>(T a, T b) -> T { return a < b || a != a ? a : b; });
  }
  Grads backward(const Saved& s, const Tensor& g) const { return share_by_choice(s, g, s.x(0) < s.x(1)); }
};

struct Neg {
  static constexpr const char* kName = "neg";
  static constexpr SaveMask kSaves = kNothing;
  Tensor forward(TensorRefs x) const {
    const Tensor out = empty_like(x[0]);
    dispatch_number(kName, out.dtype(), [&]<class T>() {
      kernels::elementwise<T, T>(
          out, kernels::each([](T a) { return wrapping(T(0), a, [](auto, auto q) { return -q; }); }), x[0]);
    });
    return out;
  }
  Grads backward(const Saved&, const Tensor& g) const { return {-g}; }
};

struct Fmod {
  static constexpr const char* kName = "fmod";
  static constexpr SaveMask kSaves = kInputs;
  Tensor forward(TensorRefs x) const {
    return remainders(kName, x, [](auto rest, auto) { return rest; });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {s.needs(0) ? g : Tensor(), s.needs(1) ? -g * trunc(s.x(0) / s.x(1)).detach() : Tensor()};
  }
};

struct Atan2 {
  static constexpr const char* kName = "atan2";
  static constexpr SaveMask kSaves = kInputs;
  Tensor forward(TensorRefs x) const {
    return kernels::floating(kName, kernels::each_costly([](auto a, auto b) { return kernels::atan2(a, b); }), x[0],
                             x[1]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor &y = s.x(0), &x = s.x(1);
    const Tensor per_square = g / (square(x) + square(y));
    return {s.needs(0) ? x * per_square : Tensor(), s.needs(1) ? -y * per_square : Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto of_y = []<class T>(T d, T y, T x) { return d * x / (x * x + y * y); };
    const auto of_x = []<class T>(T d, T y, T x) { return -d * y / (x * x + y * y); };
    return {s.needs(0) ? kernels::partial_gradient(kName, kernels::each(of_y), g, s.x(0), s.x(1)) : Tensor(),
            s.needs(1) ? kernels::partial_gradient(kName, kernels::each(of_x), g, s.x(0), s.x(1)) : Tensor()};
  }
};

struct Hypot {
  static constexpr const char* kName = "hypot";
  static constexpr SaveMask kSaves = kInputs | kOutput;
  Tensor forward(TensorRefs x) const {
    return kernels::floating(kName, kernels::each_costly([](auto a, auto b) { return kernels::hypot(a, b); }), x[0],
                             x[1]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y(), part = g / where(y == 0, 1, y);
    return {s.needs(0) ? part * s.x(0) : Tensor(), s.needs(1) ? part * s.x(1) : Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = []<class T>(T d, T a, T y) { return d / (y == T(0) ? T(1) : y) * a; };
    const auto of = [&](std::size_t i) {
      return s.needs(i) ? kernels::partial_gradient(kName, kernels::each(rule), g, s.x(i), s.y()) : Tensor();
    };
    return {of(0), of(1)};
  }
};

// max + log(1 + e^-|a - b|); the gradients are the shares σ(a - b) and σ(b - a).
struct LogAddExp {
  static constexpr const char* kName = "logaddexp";
  static constexpr SaveMask kSaves = kInputs;
  Tensor forward(TensorRefs x) const { return kernels::floating(kName, Forward{}, x[0], x[1]); }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor share = sigmoid(s.x(0) - s.x(1));
    return {s.needs(0) ? g * share : Tensor(), s.needs(1) ? g * (1 - share) : Tensor()};
  }

 private:
  // In steps: the vectors that the compiler makes of all together take 1.5 times as long.
  struct Forward {
    static constexpr std::int64_t kGrain = kernels::kCostly;
    template <class T>
    void operator()(std::int64_t n, T* out, const T* a, const T* b) const {
      kernels::few_at_once(n, [&](std::int64_t i, std::int64_t count) {
        T* const here = out + i;
        const auto power = [](T x, T y) {
          const T gap = std::abs(x - y);
          return kernels::exp(x == y ? T(0) : -gap);  // also of two equal infinities
        };
        kernels::each(power)(count, here, a + i, b + i);
        kernels::each([](T rest) { return kernels::log1p(rest); })(count, here, here);
        kernels::each([](T rest, T x, T y) { return (x < y ? y : x) + rest; })(count, here, here, a + i, b + i);
      });
    }
  };
};

struct XLogY {
  static constexpr const char* kName = "xlogy";
  static constexpr SaveMask kSaves[] = {kInputs, kInputs};
  Tensor forward(TensorRefs x) const {
    const auto rule = kernels::each_costly([]<class T>(T a, T b) {
      const T y = a * kernels::log(b);
      return (a == 0) & (b == b) ? T(0) : y;
    });
    return kernels::floating(kName, rule, x[0], x[1]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor &a = s.x(0), &b = s.x(1);
    return {s.needs(0) ? g * where(logical_and(a == 0, b <= 0), 0, log(where(logical_and(a == 0, b <= 0), 1, b)))
                       : Tensor(),
            s.needs(1) ? g * a / b : Tensor()};
  }
};

// rule(T, T, T) -> T of three operands of one floating dtype.
template <class Rule>
Tensor of_three(const char* op, TensorRefs x, Rule rule) {
  const Tensor out = kernels::elementwise_result(op, x, x[0].dtype());
  kernels::floating_into(op, out, kernels::each(rule), x[0], x[1], x[2]);
  return out;
}

// start + weight·(end - start)
struct Lerp {
  static constexpr const char* kName = "lerp";
  static constexpr SaveMask kSaves[] = {input(2), input(2), input(0) | input(1)};
  Tensor forward(TensorRefs x) const {
    return of_three(kName, x, [](auto start, auto end, auto weight) { return start + weight * (end - start); });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {s.needs(0) ? g * (1 - s.x(2)) : Tensor(), s.needs(1) ? g * s.x(2) : Tensor(),
            s.needs(2) ? g * (s.x(1) - s.x(0)) : Tensor()};
  }
};

// The same with a number for the weight.
struct LerpBy {
  static constexpr const char* kName = "lerp";
  static constexpr SaveMask kSaves = kNothing;
  double weight;
  Attributes attributes() const { return {{"weight", fmt::format("{}", weight)}}; }
  Tensor forward(TensorRefs x) const {
    const auto rule = [w = weight]<class T>(T start, T end) { return start + static_cast<T>(w) * (end - start); };
    return kernels::floating(kName, kernels::each(rule), x[0], x[1]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {s.needs(0) ? g * (1 - weight) : Tensor(), s.needs(1) ? g * weight : Tensor()};
  }
};

// x + a·b·value
struct AddCMul {
  static constexpr const char* kName = "addcmul";
  static constexpr SaveMask kSaves[] = {kNothing, input(2), input(1)};
  double value;
  Attributes attributes() const { return {{"value", fmt::format("{}", value)}}; }
  Tensor forward(TensorRefs x) const {
    return of_three(kName, x, [v = value]<class T>(T start, T a, T b) { return start + a * b * static_cast<T>(v); });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {g, s.needs(1) ? g * s.x(2) * value : Tensor(), s.needs(2) ? g * s.x(1) * value : Tensor()};
  }
};

// x + a / b·value
struct AddCDiv {
  static constexpr const char* kName = "addcdiv";
  static constexpr SaveMask kSaves[] = {kNothing, input(2), input(1) | input(2)};
  double value;
  Attributes attributes() const { return {{"value", fmt::format("{}", value)}}; }
  Tensor forward(TensorRefs x) const {
    return of_three(kName, x, [v = value]<class T>(T start, T a, T b) { return start + a / b * static_cast<T>(v); });
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {g, s.needs(1) ? g / s.x(2) * value : Tensor(),
            s.needs(2) ? -g * s.x(1) / square(s.x(2)) * value : Tensor()};
  }
};

bool are_alike(const Tensor& x, const Tensor& a, const Tensor& b) {
  return is_floating(x.dtype()) && x.dtype() == a.dtype() && x.dtype() == b.dtype();
}

// Both in the floating dtype that they share: integers become float32.
template <class Op>
Tensor apply_floating(Op op, const Tensor& a, const Tensor& b) {
  kernels::check_defined(Op::kName, a, b);
  const Dtype dtype = result_type(a, b);
  const Dtype floating = dtype == kInt64 ? kFloat32 : dtype;
  return apply(op, operand_of(a, floating), operand_of(b, floating));
}

}  // namespace

Tensor fmod(Arg a, const Tensor& b) { return apply_promoted(Fmod{}, a, b); }
Tensor atan2(Arg y, const Tensor& x) { return apply_floating(Atan2{}, y, x); }
Tensor hypot(Arg a, const Tensor& b) { return apply_floating(Hypot{}, a, b); }
Tensor logaddexp(Arg a, const Tensor& b) { return apply_floating(LogAddExp{}, a, b); }
Tensor xlogy(Arg a, const Tensor& b) { return apply_floating(XLogY{}, a, b); }

Tensor lerp(Arg start, const Tensor& end, const Tensor& weight) {
  kernels::check_floating("lerp", start, end, weight);
  kernels::check_broadcast("lerp", start, end, weight);
  const Dtype dtype = promote_types(result_type(start, end), weight.dtype());
  return apply(Lerp{}, to(start, dtype), to(end, dtype), to(weight, dtype));
}

Tensor lerp(Arg start, const Tensor& end, double weight) {
  kernels::check_floating("lerp", start, end);
  kernels::check_broadcast("lerp", start, end);
  return apply_promoted(LerpBy{weight}, start, end);
}

Tensor addcmul(Arg x, const Tensor& a, const Tensor& b, Scalar value) {
  kernels::check_broadcast("addcmul", x, a, b);
  if (are_alike(x, a, b)) return apply(AddCMul{value.to<double>()}, *x, a, b);
  return x + a * b * value;
}

Tensor addcdiv(Arg x, const Tensor& a, const Tensor& b, Scalar value) {
  kernels::check_broadcast("addcdiv", x, a, b);
  if (are_alike(x, a, b)) return apply(AddCDiv{value.to<double>()}, *x, a, b);
  return x + a / b * value;
}

Tensor add(Arg a, const Tensor& b) { return apply_promoted(Add{}, a, b); }
Tensor sub(Arg a, const Tensor& b) { return apply_promoted(Sub{}, a, b); }
Tensor mul(Arg a, const Tensor& b) { return apply_promoted(Mul{}, a, b); }
Tensor floor_divide(Arg a, const Tensor& b) { return apply_promoted(FloorDivide{}, a, b); }
Tensor remainder(Arg a, const Tensor& b) { return apply_promoted(Remainder{}, a, b); }
Tensor pow(Arg a, const Tensor& b) { return apply_promoted(Pow{}, a, b); }
Tensor maximum(Arg a, const Tensor& b) { return apply_promoted(Maximum{}, a, b); }
Tensor minimum(Arg a, const Tensor& b) { return apply_promoted(Minimum{}, a, b); }
Tensor neg(Arg x) { return apply(Neg{}, x); }

Tensor div(Arg a, const Tensor& b) {
  kernels::check_defined("div", a, b);
  const Dtype dtype = result_type(a, b);
  const Dtype floating = is_floating(dtype) ? dtype : kFloat32;
  return apply(Div{}, operand_of(a, floating), operand_of(b, floating));
}

Tensor operator+(Arg a, Scalar b) { return add(a, beside(b, a)); }
Tensor operator-(Arg a, Scalar b) { return sub(a, beside(b, a)); }
Tensor operator*(Arg a, Scalar b) { return mul(a, beside(b, a)); }
Tensor operator/(Arg a, Scalar b) { return div(a, beside(b, a)); }
Tensor operator+(Scalar a, Arg b) { return add(beside(a, b), b); }
Tensor operator-(Scalar a, Arg b) { return sub(beside(a, b), b); }
Tensor operator*(Scalar a, Arg b) { return mul(beside(a, b), b); }
Tensor operator/(Scalar a, Arg b) { return div(beside(a, b), b); }
Tensor pow(Scalar a, Arg b) { return pow(beside(a, b), b); }
Tensor maximum(Arg a, Scalar b) { return maximum(a, beside(b, a)); }
Tensor minimum(Arg a, Scalar b) { return minimum(a, beside(b, a)); }

Tensor pow(Arg a, Scalar b) {
  kernels::check_defined("pow", a);
  if (b.to<double>() == 2 && b.promoted_with(a->dtype()) == a->dtype()) return square(a);
  return pow(a, beside(b, a));
}

namespace {

struct Clamp {
  static constexpr const char* kName = "clamp";
  static constexpr SaveMask kSaves = input(0);
  Scalar low, high;
  Attributes attributes() const {
    return {{"low", fmt::format("{}", low.to<double>())}, {"high", fmt::format("{}", high.to<double>())}};
  }
  Tensor forward(TensorRefs x) const {
    const Tensor out = empty_like(x[0]);
    dispatch_number(kName, out.dtype(), [&]<class T>() {
      const T from = low.to<T>(), to = high.to<T>();
      kernels::elementwise<T, T>(out, kernels::each([=](T a) { return kernels::limited(a, from, to); }), x[0]);
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    return {where(logical_or(x <= low, x >= high), 0, g)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = kernels::each([l = low.to<double>(), h = high.to<double>()]<class T>(T d, T a) {
      return kernels::limited_grad(d, a, static_cast<T>(l), static_cast<T>(h));
    });
    return {kernels::gradient(kName, rule, g, s.x(0))};
  }
};

}  // namespace

Tensor clamp(Arg x, Scalar low, Scalar high) {
  kernels::check_defined("clamp", x);
  EG_CHECK(low.to<double>() <= high.to<double>(), ValueError, "[clamp] the low limit {} is above the high one {}",
           low.to<double>(), high.to<double>());
  return apply(Clamp{low, high}, to(x, promote_types(low.promoted_with(x->dtype()), high.promoted_with(x->dtype()))));
}

}  // namespace eigengrad
