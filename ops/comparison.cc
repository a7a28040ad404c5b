#include "eigengrad/ops/comparison.h"

#include <cmath>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

struct Eq {
  static constexpr const char* kName = "eq";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a == b; });
  }
};

struct Ne {
  static constexpr const char* kName = "ne";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a != b; });
  }
};

struct Lt {
  static constexpr const char* kName = "lt";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a < b; });
  }
};

struct Le {
  static constexpr const char* kName = "le";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a <= b; });
  }
};

struct LogicalAnd {
  static constexpr const char* kName = "logical_and";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a && b; });
  }
};

struct LogicalOr {
  static constexpr const char* kName = "logical_or";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a || b; });
  }
};

// f(T) -> bool.
template <class F>
Tensor classify(const Tensor& x, F f) {
  const Tensor out = empty_like(x, kBool);
  dispatch(x.dtype(), [&]<class T>() { kernels::elementwise<bool, T>(out, kernels::each(f), x); });
  return out;
}

struct LogicalNot {
  static constexpr const char* kName = "logical_not";
  Tensor forward(TensorRefs x) const {
    return classify(x[0], []<class T>(T a) { return a == T(0); });
  }
};

struct IsNan {
  static constexpr const char* kName = "isnan";
  Tensor forward(TensorRefs x) const {
    return classify(x[0], []<class T>(T a) { return a != a; });
  }
};

struct IsInf {
  static constexpr const char* kName = "isinf";
  Tensor forward(TensorRefs x) const {
    return classify(x[0], []<class T>(T a) {
      if constexpr (std::is_floating_point_v<T>)
        return std::abs(a) == std::numeric_limits<T>::infinity();
      else
        return false;
    });
  }
};

struct IsFinite {
  static constexpr const char* kName = "isfinite";
  Tensor forward(TensorRefs x) const {
    return classify(x[0], []<class T>(T a) {
      if constexpr (std::is_floating_point_v<T>)
        return std::abs(a) < std::numeric_limits<T>::infinity();
      else
        return true;
    });
  }
};

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return apply_promoted(Eq{}, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return apply_promoted(Ne{}, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return apply_promoted(Lt{}, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return apply_promoted(Le{}, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return apply_promoted(Lt{}, b, a); }
Tensor ge(const Tensor& a, const Tensor& b) { return apply_promoted(Le{}, b, a); }
Tensor eq(const Tensor& a, Scalar b) { return eq(a, scalar_beside(b, a.dtype())); }
Tensor ne(const Tensor& a, Scalar b) { return ne(a, scalar_beside(b, a.dtype())); }
Tensor lt(const Tensor& a, Scalar b) { return lt(a, scalar_beside(b, a.dtype())); }
Tensor le(const Tensor& a, Scalar b) { return le(a, scalar_beside(b, a.dtype())); }
Tensor gt(const Tensor& a, Scalar b) { return gt(a, scalar_beside(b, a.dtype())); }
Tensor ge(const Tensor& a, Scalar b) { return ge(a, scalar_beside(b, a.dtype())); }

Tensor logical_and(const Tensor& a, const Tensor& b) { return apply(LogicalAnd{}, to(a, kBool), to(b, kBool)); }
Tensor logical_or(const Tensor& a, const Tensor& b) { return apply(LogicalOr{}, to(a, kBool), to(b, kBool)); }
Tensor logical_xor(const Tensor& a, const Tensor& b) { return ne(to(a, kBool), to(b, kBool)); }
Tensor logical_not(const Tensor& x) { return apply(LogicalNot{}, x); }

Tensor isnan(const Tensor& x) { return apply(IsNan{}, x); }
Tensor isinf(const Tensor& x) { return apply(IsInf{}, x); }
Tensor isfinite(const Tensor& x) { return apply(IsFinite{}, x); }

namespace {

struct Where {
  static constexpr const char* kName = "where";
  static constexpr SaveMask kSaves[] = {kNothing, input(0), input(0)};
  Tensor forward(TensorRefs x) const {
    EG_CHECK(x[0].dtype() == kBool, DtypeError, "[where] the condition is {}, expected bool", x[0].dtype());
    const Tensor out = result(x);
    dispatch(out.dtype(), [&]<class T>() {
      const auto choose = kernels::each([](bool c, T a, T b) { return c ? a : b; });
      kernels::elementwise<T, bool, T, T>(out, choose, x[0], x[1], x[2]);
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {Tensor(), s.needs(1) ? where(s.x(0), g, 0) : Tensor(), s.needs(2) ? where(s.x(0), 0, g) : Tensor()};
  }

 private:
  // Memory order follows the first choice that has the shape of the result.
  static Tensor result(TensorRefs x) {
    const Shape choices = broadcast_shapes(kName, x[1].shape(), x[2].shape());
    const Shape shape = broadcast_shapes(kName, x[0].shape(), choices);
    for (std::size_t i = 1; i <= 2; ++i)
      if (x[i].shape() == shape) return empty_like(x[i]);
    return empty(shape, x[1].dtype());
  }
};

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  const Dtype dtype = result_type(a, b);
  return apply(Where{}, condition, to(a, dtype), to(b, dtype));
}
Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
  return where(condition, a, scalar_beside(b, a.dtype()));
}
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
  return where(condition, scalar_beside(a, b.dtype()), b);
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  EG_CHECK(mask.dtype() == kBool, DtypeError, "[masked_fill] the mask is {}, expected bool", mask.dtype());
  EG_CHECK(broadcasts_to(mask.shape(), x.shape()), ShapeError,
           "[masked_fill] the mask of shape {} does not broadcast to the {} that it masks", mask.shape(), x.shape());
  EG_CHECK(value.promoted_with(x.dtype()) == x.dtype(), DtypeError, "[masked_fill] {} elements cannot hold a {}",
           x.dtype(), value.dtype());
  return where(mask, full({}, value, x.dtype()), x);
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && all(a == b).item<bool>();
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  const NoGrad no_grad;
  const Tensor x = to(a, kFloat64), y = to(b, kFloat64);
  const Tensor close = kernels::elementwise_result("allclose", x, y, kBool);
  const auto is_close = kernels::each([=](double p, double q) {
    const double limit = atol + rtol * std::abs(q);
    const bool near = std::abs(p - q) <= limit && limit < std::numeric_limits<double>::infinity();
    return p == q || near || (equal_nan && p != p && q != q);
  });
  kernels::elementwise<bool, double, double>(close, is_close, x, y);
  return all(close).item<bool>();
}

}  // namespace eigengrad
