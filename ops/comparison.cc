#include "eigengrad/ops/comparison.h"

#include <cmath>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/kernels/binary.h"
#include "eigengrad/ops/kernels/check.h"
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

struct Gt {
  static constexpr const char* kName = "gt";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a > b; });
  }
};

struct Ge {
  static constexpr const char* kName = "ge";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a >= b; });
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

struct LogicalXor {
  static constexpr const char* kName = "logical_xor";
  Tensor forward(TensorRefs x) const {
    return kernels::compare(kName, x, []<class T>(T a, T b) { return a != b; });
  }
};

// Both taken as bool.
template <class Op>
Tensor apply_logical(Op op, const Tensor& a, const Tensor& b) {
  kernels::check_defined(Op::kName, a, b);
  return apply(op, to(a, kBool), to(b, kBool));
}

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

Tensor eq(Arg a, const Tensor& b) { return apply_promoted(Eq{}, a, b); }
Tensor ne(Arg a, const Tensor& b) { return apply_promoted(Ne{}, a, b); }
Tensor lt(Arg a, const Tensor& b) { return apply_promoted(Lt{}, a, b); }
Tensor le(Arg a, const Tensor& b) { return apply_promoted(Le{}, a, b); }
Tensor gt(Arg a, const Tensor& b) { return apply_promoted(Gt{}, a, b); }
Tensor ge(Arg a, const Tensor& b) { return apply_promoted(Ge{}, a, b); }
Tensor eq(Arg a, Scalar b) { return eq(a, beside(b, a)); }
Tensor ne(Arg a, Scalar b) { return ne(a, beside(b, a)); }
Tensor lt(Arg a, Scalar b) { return lt(a, beside(b, a)); }
Tensor le(Arg a, Scalar b) { return le(a, beside(b, a)); }
Tensor gt(Arg a, Scalar b) { return gt(a, beside(b, a)); }
Tensor ge(Arg a, Scalar b) { return ge(a, beside(b, a)); }

Tensor logical_and(Arg a, const Tensor& b) { return apply_logical(LogicalAnd{}, a, b); }
Tensor logical_or(Arg a, const Tensor& b) { return apply_logical(LogicalOr{}, a, b); }
Tensor logical_xor(Arg a, const Tensor& b) { return apply_logical(LogicalXor{}, a, b); }
Tensor logical_not(Arg x) { return apply(LogicalNot{}, x); }

Tensor isnan(Arg x) { return apply(IsNan{}, x); }
Tensor isinf(Arg x) { return apply(IsInf{}, x); }
Tensor isfinite(Arg x) { return apply(IsFinite{}, x); }

namespace {

struct Where {
  static constexpr const char* kName = "where";
  static constexpr SaveMask kSaves[] = {kNothing, input(0), input(0)};
  Tensor forward(TensorRefs x) const {
    EG_CHECK(x[0].dtype() == kBool, DtypeError, "[where] the condition is {}, expected bool", x[0].dtype());
    const Tensor out = kernels::elementwise_result(kName, x, x[1].dtype(), 1);
    dispatch(out.dtype(), [&]<class T>() {
      const auto choose = kernels::each([](bool c, T a, T b) { return kernels::chosen(c, a, b); });
      kernels::elementwise<T, bool, T, T>(out, choose, x[0], x[1], x[2]);
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    return {Tensor(), s.needs(1) ? where(s.x(0), g, 0) : Tensor(), s.needs(2) ? where(s.x(0), 0, g) : Tensor()};
  }
};

}  // namespace

Tensor where(Arg condition, const Tensor& a, const Tensor& b) {
  kernels::check_defined(Where::kName, condition, a, b);
  const Dtype dtype = result_type(a, b);
  return apply(Where{}, condition, operand_of(a, dtype), operand_of(b, dtype));
}
Tensor where(Arg condition, const Tensor& a, Scalar b) { return where(condition, a, beside(b, a)); }
Tensor where(Arg condition, Scalar a, const Tensor& b) { return where(condition, beside(a, b), b); }

Tensor masked_fill(Arg x, const Tensor& mask, Scalar value) {
  kernels::check_defined("masked_fill", x, mask);
  EG_CHECK(mask.dtype() == kBool, DtypeError, "[masked_fill] the mask is {}, expected bool", mask.dtype());
  EG_CHECK(broadcasts_to(mask.shape(), x->shape()), ShapeError,
           "[masked_fill] the mask of shape {} does not broadcast to the {} that it masks", mask.shape(), x->shape());
  EG_CHECK(value.promoted_with(x->dtype()) == x->dtype(), DtypeError, "[masked_fill] {} elements cannot hold a {}",
           x->dtype(), value.dtype());
  return where(mask, full({}, value, x->dtype()), x);
}

bool equal(const Tensor& a, const Tensor& b) {
  kernels::check_defined("equal", a, b);
  return a.dtype() == b.dtype() && a.shape() == b.shape() && all(a == b).item<bool>();
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  kernels::check_defined("allclose", a, b);
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
