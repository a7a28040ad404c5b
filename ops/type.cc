#include "eigengrad/ops/type.h"

#include <cmath>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/elementwise.h"

namespace eigengrad {
namespace {

constexpr int kind(Dtype dtype) { return dtype == Dtype::Bool ? 0 : dtype == Dtype::Int64 ? 1 : 2; }

template <class From, class To>
struct Convert {
  static constexpr std::int64_t kGrain = kernels::kCheap;
  void operator()(std::int64_t n, To* out, const From* in) const {
    if constexpr (std::is_floating_point_v<From> && std::is_same_v<To, std::int64_t>) {
      for (std::int64_t i = 0; i < n; ++i) {
        EG_CHECK(in[i] >= From(-0x1p63) && in[i] < From(0x1p63), ValueError, "[to] int64 cannot hold {}", in[i]);
        out[i] = static_cast<To>(in[i]);
      }
    } else {
      for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<To>(in[i]);
    }
  }
};

template <class From, class To>
void convert(const Tensor& out, const Tensor& x) {
  kernels::elementwise<To, From>(out, Convert<From, To>(), x);
}

struct Cast {
  static constexpr const char* kName = "to";
  static constexpr SaveMask kSaves = kNothing;
  static constexpr bool kMovesOnly = true;
  Dtype dtype;
  Attributes attributes() const { return {{"dtype", std::string(to_string(dtype))}}; }
  Tensor forward(TensorRefs x) const {
    // Between bfloat16 and any other type by way of float32.
    if (x[0].dtype() == kBFloat16) return dtype == kFloat32 ? widened(x[0]) : to(widened(x[0]), dtype);
    if (dtype == kBFloat16) return rounded(to(x[0], kFloat32));
    const Tensor out = empty_like(x[0], dtype);
    dispatch(x[0].dtype(), [&]<class From>() { dispatch(dtype, [&]<class To>() { convert<From, To>(out, x[0]); }); });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {to(g, s.dtype(0))}; }

 private:
  static Tensor widened(const Tensor& x) {
    const Tensor out = empty_like(x, kFloat32);
    convert<BFloat16, float>(out, x);
    return out;
  }
  static Tensor rounded(const Tensor& x) {
    const Tensor out = empty_like(x, kBFloat16);
    convert<float, BFloat16>(out, x);
    return out;
  }
};

}  // namespace

Dtype result_type(const Tensor& a, const Tensor& b) {
  kernels::check_defined("result_type", a, b);
  const Dtype x = a.dtype(), y = b.dtype();
  if (x == y || (a.dim() == 0) == (b.dim() == 0)) return promote_types(x, y);
  const Dtype with_axes = a.dim() == 0 ? y : x, without = a.dim() == 0 ? x : y;
  return kind(without) > kind(with_axes) ? without : with_axes;
}

Tensor to(Arg x, Dtype dtype) {
  kernels::check_defined("to", x);
  return x->dtype() == dtype ? *x : apply(Cast{dtype}, x);
}

}  // namespace eigengrad
