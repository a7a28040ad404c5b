#include "eigengrad/ops/kernels/softmax.h"
#include "eigengrad/core/apply.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

struct Softmax {
  static constexpr const char* kName = "softmax";
  static constexpr SaveMask kSaves = kOutput;
  std::int64_t axis;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    const Tensor in = contiguous(x[0]), out = empty(in.shape(), in.dtype());
    dispatch_floating(kName, in.dtype(), [&]<class T>() {
      kernels::softmax<T>(kernels::view_along(in.shape(), axis), in.raw<T>(), out.raw<T>());
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y();
    return {y * (g - sum(g * y, {axis}, true))};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y(), d = contiguous(g), out = empty(y.shape(), y.dtype());
    dispatch_floating(kName, y.dtype(), [&]<class T>() {
      kernels::softmax_grad<T>(kernels::view_along(y.shape(), axis), y.raw<T>(), d.raw<T>(), out.raw<T>());
    });
    return {out};
  }
};

struct LogSoftmax {
  static constexpr const char* kName = "log_softmax";
  static constexpr SaveMask kSaves = kOutput;
  std::int64_t axis;
  Attributes attributes() const { return {{"axis", std::to_string(axis)}}; }
  Tensor forward(TensorRefs x) const {
    const Tensor in = contiguous(x[0]), out = empty(in.shape(), in.dtype());
    dispatch_floating(kName, in.dtype(), [&]<class T>() {
      kernels::log_softmax<T>(kernels::view_along(in.shape(), axis), in.raw<T>(), out.raw<T>());
    });
    return out;
  }
  Grads backward(const Saved& s, const Tensor& g) const { return {g - exp(s.y()) * sum(g, {axis}, true)}; }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const Tensor y = s.y(), d = contiguous(g), out = empty(y.shape(), y.dtype());
    dispatch_floating(kName, y.dtype(), [&]<class T>() {
      kernels::log_softmax_grad<T>(kernels::view_along(y.shape(), axis), y.raw<T>(), d.raw<T>(), out.raw<T>());
    });
    return {out};
  }
};

}  // namespace

Tensor softmax(Arg x, std::int64_t axis) {
  kernels::check_floating(Softmax::kName, x);
  return apply(Softmax{normalize_axis("softmax", axis, x->dim())}, x);
}

Tensor log_softmax(Arg x, std::int64_t axis) {
  kernels::check_floating(LogSoftmax::kName, x);
  return apply(LogSoftmax{normalize_axis("log_softmax", axis, x->dim())}, x);
}

}  // namespace eigengrad
