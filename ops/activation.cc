#include "eigengrad/ops/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unsupported/Eigen/SpecialFunctions>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/array.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/functions.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::array;
using kernels::each;
using kernels::each_costly;
using kernels::few_at_once;
using kernels::floating;
using kernels::gradient;
using kernels::partial_gradient;

struct Relu {
  static constexpr const char* kName = "relu";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    const Tensor out = empty_like(x[0]);
    dispatch_number(kName, out.dtype(), [&]<class T>() {
      kernels::elementwise<T, T>(out, each([](T a) { return kernels::relu(a); }), x[0]);
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {where(s.y() <= 0, 0, g)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([](auto d, auto y) { return kernels::relu_grad(d, y); }), g, s.y())};
  }
};

struct Sigmoid {
  static constexpr const char* kName = "sigmoid";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return kernels::sigmoid(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y();
    return {g * (y * (1 - y))};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d * (y * (T(1) - y)); }), g, s.y())};
  }
};

struct Tanh {
  static constexpr const char* kName = "tanh";
  static constexpr SaveMask kSaves = kOutput;
  Tensor forward(TensorRefs x) const {
    return floating(kName, array([](const auto& a) { return a.tanh(); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * (1 - square(s.y()))}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    return {gradient(kName, each([]<class T>(T d, T y) { return d * (T(1) - y * y); }), g, s.y())};
  }
};

// x·Φ(x), with the derivative Φ(x) + x·φ(x), φ being the normal density.
struct Gelu {
  static constexpr const char* kName = "gelu";
  static constexpr SaveMask kSaves = input(0);
  static constexpr double kSqrtHalf = 1 / std::numbers::sqrt2;
  static constexpr double kDensityAtZero = std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  Attributes attributes() const { return {{"approximate", "none"}}; }
  Tensor forward(TensorRefs x) const {
    return floating(kName, array([]<class X>(const X& a) {
                      using T = typename X::Scalar;
                      return a * T(0.5) * ((a * T(kSqrtHalf)).erf() + T(1));
                    }),
                    x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    return {g * ((erf(x * kSqrtHalf) + 1) * 0.5 + x * exp(square(x) * -0.5) * kDensityAtZero)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each_costly([](auto d, auto a) { return d * kernels::gelu_derivative(a); });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// x·(1 + tanh u) / 2 with u = k(x + c·x³). It is computed as x·σ(2u), the same number.
struct GeluTanh {
  static constexpr const char* kName = "gelu";
  static constexpr SaveMask kSaves = input(0);
  static constexpr double kCube = 0.044715;
  static constexpr double kTwice = 2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // 2k
  Attributes attributes() const { return {{"approximate", "tanh"}}; }
  Tensor forward(TensorRefs x) const {
    const auto rule = each_costly([]<class T>(T a) { return a * kernels::sigmoid(twice_u(a)); });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    const Tensor y = sigmoid(x * (square(x) * (kTwice * kCube) + kTwice));
    const Tensor slope = square(x) * (3 * kTwice * kCube) + kTwice;
    return {g * (y + x * y * (1 - y) * slope)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each_costly([]<class T>(T d, T a) {
      const T y = kernels::sigmoid(twice_u(a));
      const T slope = a * a * T(3 * kTwice * kCube) + T(kTwice);
      return d * (y + a * y * (T(1) - y) * slope);
    });
    return {gradient(kName, rule, g, s.x(0))};
  }

 private:
  template <class T>
  static T twice_u(T x) {
    return x * (x * x * T(kTwice * kCube) + T(kTwice));
  }
};

// log(1 + e^z) / beta with z = beta·x, as (max(z, 0) + log(1 + e^-|z|)) / beta: the power never exceeds 1. With a beta
// of -1 it is log σ(x).
struct Softplus {
  static constexpr const char* kName = "softplus";
  static constexpr SaveMask kSaves = input(0);
  double beta;
  Attributes attributes() const { return {{"beta", fmt::format("{}", beta)}}; }
  Tensor forward(TensorRefs x) const { return floating(kName, Forward{beta}, x[0]); }
  Grads backward(const Saved& s, const Tensor& g) const { return {g * sigmoid(s.x(0) * beta)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule =
        each_costly([b = beta]<class T>(T d, T a) { return d * kernels::sigmoid(a * static_cast<T>(b)); });
    return {gradient(kName, rule, g, s.x(0))};
  }

 private:
  struct Forward {
    static constexpr std::int64_t kGrain = kernels::kCostly;
    double beta;
    template <class T>
    void operator()(std::int64_t n, T* out, const T* x) const {
      const T b = static_cast<T>(beta);
      few_at_once(n, [&](std::int64_t i, std::int64_t count) {
        T* const here = out + i;
        each([b](T a) { return kernels::exp(-std::abs(a * b)); })(count, here, x + i);
        each([](T power) { return kernels::log1p(power); })(count, here, here);
        each([b](T rest, T a) { return ((a * b > 0 ? a * b : T(0)) + rest) / b; })(count, here, here, x + i);
      });
    }
  };
};

// x·tanh(log(1 + e^x)). With w = e^x and n = w·(w + 2) the factor is n / (n + 2), and the derivative n / (n + 2) +
// 4·x·w·(w + 1) / (n + 2)². From kOne on both are 1 in float64 too.
struct Mish {
  static constexpr const char* kName = "mish";
  static constexpr SaveMask kSaves = input(0);
  static constexpr double kOne = 22;
  Tensor forward(TensorRefs x) const {
    const auto rule = each_costly([]<class T>(T a) {
      const T w = kernels::exp(a > T(kOne) ? T(kOne) : a), n = w * (w + T(2));
      return a * (n / (n + T(2)));
    });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    const Tensor factor = tanh(softplus(x));
    return {g * (factor + x * (1 - square(factor)) * sigmoid(x))};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each_costly([]<class T>(T d, T a) {
      const T z = a > T(kOne) ? T(kOne) : a, w = kernels::exp(z), n = w * (w + T(2)), m = n + T(2);
      return d * (n + T(4) * z * w * (w + T(1)) / m) / m;
    });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

struct LeakyRelu {
  static constexpr const char* kName = "leaky_relu";
  static constexpr SaveMask kSaves = input(0);
  double slope;
  Attributes attributes() const { return {{"negative_slope", fmt::format("{}", slope)}}; }
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([b = slope]<class T>(T a) { return a > 0 ? a : a * static_cast<T>(b); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {where(s.x(0) > 0, g, g * slope)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each([b = slope]<class T>(T d, T a) { return a > 0 ? d : d * static_cast<T>(b); });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// slope·x where x > 0, else alpha·(e^(x·rate) - 1): elu with slope and rate 1, celu with rate 1 / alpha.
struct Elu {
  static constexpr const char* kName = "elu";
  static constexpr SaveMask kSaves = input(0);
  double alpha, rate, slope = 1;
  Attributes attributes() const { return {{"alpha", fmt::format("{}", alpha)}}; }
  Tensor forward(TensorRefs x) const {
    const auto rule = each_costly([p = alpha, r = rate, k = slope]<class T>(T a) {
      return a > 0 ? a * static_cast<T>(k) : static_cast<T>(p) * kernels::expm1(a * static_cast<T>(r));
    });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor positive = s.x(0) > 0;
    // Where x is large its power is not asked for, or an infinity would meet a gradient of 0.
    return {g * where(positive, slope, exp(where(positive, 0, s.x(0)) * rate) * (alpha * rate))};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each_costly([p = alpha * rate, r = rate, k = slope]<class T>(T d, T a) {
      const T power = static_cast<T>(p) * kernels::exp((a > 0 ? T(0) : a) * static_cast<T>(r));
      return d * (a > 0 ? static_cast<T>(k) : power);
    });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// x·σ(x), with the derivative σ(x)·(1 + x·(1 - σ(x))).
struct Silu {
  static constexpr const char* kName = "silu";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each_costly([](auto a) { return a * kernels::sigmoid(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = sigmoid(s.x(0));
    return {g * (y * (1 + s.x(0) * (1 - y)))};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each_costly([]<class T>(T d, T a) {
      const T y = kernels::sigmoid(a);
      return d * (y * (T(1) + a * (T(1) - y)));
    });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

struct Hardtanh {
  static constexpr const char* kName = "hardtanh";
  static constexpr SaveMask kSaves = input(0);
  double low, high;
  Attributes attributes() const { return {{"low", fmt::format("{}", low)}, {"high", fmt::format("{}", high)}}; }
  Tensor forward(TensorRefs x) const {
    const auto rule =
        each([l = low, h = high]<class T>(T a) { return kernels::limited(a, static_cast<T>(l), static_cast<T>(h)); });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {where(logical_or(s.x(0) <= low, s.x(0) >= high), 0, g)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each([l = low, h = high]<class T>(T d, T a) {
      return kernels::limited_grad(d, a, static_cast<T>(l), static_cast<T>(h));
    });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// h(x) = x / 6 + ½, limited to [0, 1].
struct Hardsigmoid {
  static constexpr const char* kName = "hardsigmoid";
  static constexpr SaveMask kSaves = input(0);
  static constexpr double kLimit = 3;
  template <class T>
  static T h(T a) {
    return kernels::limited(a, T(-kLimit), T(kLimit)) / T(6) + T(0.5);
  }
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a) { return h(a); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {where(abs(s.x(0)) >= kLimit, 0, g / 6)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each([]<class T>(T d, T a) { return kernels::limited_grad(d / T(6), a, T(-kLimit), T(kLimit)); });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// x·h(x)
struct Hardswish {
  static constexpr const char* kName = "hardswish";
  static constexpr SaveMask kSaves = input(0);
  static constexpr double kLimit = Hardsigmoid::kLimit;
  template <class T>
  static T h(T a) {
    return Hardsigmoid::h(a);
  }
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([]<class T>(T a) { return a * h(a); }), x[0]);
  }
  // h, and x / 6 where it is not limited.
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    const Tensor inside = logical_and(x > -kLimit, x < kLimit);
    return {g * (hardsigmoid(x) + where(inside, x / 6, 0))};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule =
        each([]<class T>(T d, T a) { return d * (h(a) + kernels::limited_grad(a / T(6), a, T(-kLimit), T(kLimit))); });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// x where it is above a threshold, else a value. NaN passes.
struct Threshold {
  static constexpr const char* kName = "threshold";
  static constexpr SaveMask kSaves = input(0);
  double threshold, value;
  Attributes attributes() const {
    return {{"threshold", fmt::format("{}", threshold)}, {"value", fmt::format("{}", value)}};
  }
  Tensor forward(TensorRefs x) const {
    const auto rule =
        each([t = threshold, v = value]<class T>(T a) { return a <= static_cast<T>(t) ? static_cast<T>(v) : a; });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {where(s.x(0) <= threshold, 0, g)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each([t = threshold]<class T>(T d, T a) { return a <= static_cast<T>(t) ? T(0) : d; });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// 0 where |x| ≤ lambda, else x less so much towards 0: hardshrink takes nothing, softshrink lambda.
struct Shrink {
  static constexpr const char* kName = "shrink";
  static constexpr SaveMask kSaves = input(0);
  double lambda, less;
  Attributes attributes() const { return {{"lambda", fmt::format("{}", lambda)}}; }
  Tensor forward(TensorRefs x) const {
    const auto rule = each([limit = lambda, b = less]<class T>(T a) {
      return std::abs(a) <= static_cast<T>(limit) ? T(0) : a - std::copysign(static_cast<T>(b), a);
    });
    return floating(kName, rule, x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {where(abs(s.x(0)) <= lambda, 0, g)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule =
        each([limit = lambda]<class T>(T d, T a) { return std::abs(a) <= static_cast<T>(limit) ? T(0) : d; });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// x / (1 + |x|)
struct Softsign {
  static constexpr const char* kName = "softsign";
  static constexpr SaveMask kSaves = input(0);
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([]<class T>(T a) { return a / (T(1) + std::abs(a)); }), x[0]);
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g / square(abs(s.x(0)) + 1)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto rule = each([]<class T>(T d, T a) { return d / ((T(1) + std::abs(a)) * (T(1) + std::abs(a))); });
    return {gradient(kName, rule, g, s.x(0))};
  }
};

// x where x > 0, else weight·x; the weight broadcasts to x.
struct PRelu {
  static constexpr const char* kName = "prelu";
  static constexpr SaveMask kSaves = kInputs;
  Tensor forward(TensorRefs x) const {
    return floating(kName, each([](auto a, auto w) { return a > 0 ? a : a * w; }), x[0], x[1]);
  }
  // The engine sums over the axes that the weight does not have.
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor& x = s.x(0);
    const Tensor positive = x > 0;
    return {s.needs(0) ? where(positive, g, g * s.x(1)) : Tensor(), s.needs(1) ? where(positive, 0, g * x) : Tensor()};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const auto of_x = each([](auto d, auto a, auto w) { return a > 0 ? d : d * w; });
    const auto of_weight = each([]<class T>(T d, T a) { return a > 0 ? T(0) : d * a; });
    return {s.needs(0) ? partial_gradient(kName, of_x, g, s.x(0), s.x(1)) : Tensor(),
            s.needs(1) ? partial_gradient(kName, of_weight, g, s.x(0)) : Tensor()};
  }
};

// Takes the mask of 0 and 1 as a second input. Linear in the first, and its own adjoint.
struct Dropout {
  static constexpr const char* kName = "dropout";
  static constexpr SaveMask kSaves[] = {input(1), kNothing};
  double p;
  Attributes attributes() const { return {{"p", fmt::format("{}", p)}}; }
  auto rule() const {
    return each([scale = p < 1 ? 1 / (1 - p) : 0]<class T>(T a, T kept) { return a * (kept * static_cast<T>(scale)); });
  }
  Tensor forward(TensorRefs x) const { return floating(kName, rule(), x[0], x[1]); }
  Grads backward(const Saved& s, const Tensor& g) const { return {apply(Dropout{p}, g, s.x(1)), Tensor()}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const { return {gradient(kName, rule(), g, s.x(1)), Tensor()}; }
};

}  // namespace

Tensor relu(Arg x) { return apply(Relu{}, x); }
Tensor sigmoid(Arg x) { return apply(Sigmoid{}, x); }
Tensor tanh(Arg x) { return apply(Tanh{}, x); }

Tensor gelu(Arg x, GeluApproximate approximate) {
  return approximate == GeluApproximate::Tanh ? apply(GeluTanh{}, x) : apply(Gelu{}, x);
}

Tensor softplus(Arg x, double beta) {
  EG_CHECK(std::isfinite(beta) && beta != 0, ValueError, "[softplus] beta must be finite and not 0, found {}", beta);
  return apply(Softplus{beta}, x);
}

Tensor leaky_relu(Arg x, double negative_slope) { return apply(LeakyRelu{negative_slope}, x); }

Tensor elu(Arg x, double alpha) { return apply(Elu{alpha, 1}, x); }

Tensor celu(Arg x, double alpha) {
  EG_CHECK(alpha != 0, ValueError, "[celu] alpha must not be 0");
  kernels::check_floating("celu", x);
  return apply(Elu{alpha, 1 / alpha}, x);
}

Tensor selu(Arg x) {
  kernels::check_floating("selu", x);
  constexpr double scale = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717;
  return apply(Elu{scale * alpha, 1, scale}, x);
}

Tensor silu(Arg x) { return apply(Silu{}, x); }

Tensor mish(Arg x) { return apply(Mish{}, x); }

Tensor softsign(Arg x) {
  kernels::check_number("softsign", x);
  return apply(Softsign{}, is_floating(x->dtype()) ? *x : to(x, kFloat32));
}

Tensor logsigmoid(Arg x) {
  kernels::check_floating("logsigmoid", x);
  return softplus(x, -1);
}

Tensor hardtanh(Arg x, double low, double high) {
  EG_CHECK(low < high, ValueError, "[hardtanh] the low limit {} is not below the high one {}", low, high);
  return apply(Hardtanh{low, high}, x);
}

Tensor hardsigmoid(Arg x) {
  kernels::check_floating("hardsigmoid", x);
  return apply(Hardsigmoid{}, x);
}

Tensor hardswish(Arg x) { return apply(Hardswish{}, x); }

Tensor relu6(Arg x) {
  kernels::check_floating("relu6", x);
  return hardtanh(x, 0, 6);
}

Tensor threshold(Arg x, double threshold, double value) {
  kernels::check_number("threshold", x);
  if (is_floating(x->dtype())) return apply(Threshold{threshold, value}, x);
  return where(*x > threshold, x, full({}, value, x->dtype()));
}

Tensor tanhshrink(Arg x) {
  kernels::check_floating("tanhshrink", x);
  return x - tanh(x);
}

Tensor hardshrink(Arg x, double lambda) {
  EG_CHECK(lambda >= 0, ValueError, "[hardshrink] lambda is {}, expected 0 or more", lambda);
  kernels::check_floating("hardshrink", x);
  return apply(Shrink{lambda, 0}, x);
}

Tensor softshrink(Arg x, double lambda) {
  EG_CHECK(lambda >= 0, ValueError, "[softshrink] lambda is {}, expected 0 or more", lambda);
  kernels::check_floating("softshrink", x);
  return apply(Shrink{lambda, lambda}, x);
}

Tensor prelu(Arg x, const Tensor& weight) {
  kernels::check_defined("prelu", x, weight);
  EG_CHECK(is_floating(x->dtype()) && x->dtype() == weight.dtype(), DtypeError,
           "[prelu] expected an input and a weight of one floating dtype, found {} and {}", x->dtype(), weight.dtype());
  const std::int64_t channels = x->dim() >= 2 ? x->size(1) : 1;
  EG_CHECK(weight.dim() <= 1 && (weight.numel() == 1 || weight.numel() == channels), ShapeError,
           "[prelu] expected a weight of one number or of {}, one for each channel of {}, found shape {}", channels,
           x->shape(), weight.shape());
  Shape shape(x->shape().size(), 1);
  if (shape.size() >= 2) shape[1] = weight.numel();
  return apply(PRelu{}, *x, reshape(weight, shape));
}

Tensor glu(Arg x, std::int64_t axis) {
  kernels::check_floating("glu", x);
  EG_CHECK(x->dim() > 0, ShapeError, "[glu] a scalar tensor has no halves");
  const std::int64_t along = normalize_axis("glu", axis, x->dim()), extent = x->size(along);
  EG_CHECK(extent % 2 == 0, ShapeError, "[glu] axis {} of shape {} has no halves", axis, x->shape());
  return narrow(x, along, 0, extent / 2) * sigmoid(narrow(x, along, extent / 2, extent / 2));
}

Tensor softmin(Arg x, std::int64_t axis) {
  kernels::check_floating("softmin", x);
  return softmax(-x, normalize_axis("softmin", axis, x->dim()));
}

Tensor dropout(Arg x, double p, bool training) {
  EG_CHECK(p >= 0 && p <= 1, ValueError, "[dropout] the probability is {}, expected 0 to 1", p);
  kernels::check_floating("dropout", x);
  if (!training || p == 0) return x;
  Tensor mask = empty(x->shape(), x->dtype());
  fill_bernoulli(mask, 1 - p);
  return apply(Dropout{p}, x, mask);
}

}  // namespace eigengrad
