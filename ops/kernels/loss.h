// What losses have in common. For .cc files.
#pragma once

#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/loss.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/type.h"

namespace eigengrad::losses {

inline Tensor reduce(const Tensor& losses, Reduction reduction) {
  if (reduction == Reduction::None) return losses;
  if (reduction == Reduction::Sum) return sum(losses);
  return losses.numel() > 0 ? mean(losses) : sum(losses) / 0;
}

/// max(x, 0), with gradient 1 at 0, as PyTorch has it: a margin of 0 is not met by equal scores.
inline Tensor hinge(const Tensor& x) { return clamp(x, 0, std::numeric_limits<double>::infinity()); }

inline void check_defined(const char* op, const char* what, const Tensor& x) {
  EG_CHECK(x.defined(), ValueError, "[{}] the {} is an undefined tensor", op, what);
}

inline void check_floating(const char* op, const char* what, const Tensor& x) {
  check_defined(op, what, x);
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[{}] the {} is {}, expected float32 or float64", op, what, x.dtype());
}

inline void check_classes(const char* op, const char* what, const Tensor& x) {
  check_defined(op, what, x);
  EG_CHECK(x.dtype() == kInt64, DtypeError, "[{}] the {} is {}, expected int64", op, what, x.dtype());
}

inline Tensor as_numbers(const Tensor& x, const Tensor& beside) {
  return is_floating(x.dtype()) ? x : to(x, beside.dtype());
}

/// The target, as numbers, of a loss of pairs of elements.
inline Tensor checked_target(const char* op, const Tensor& input, const Tensor& target) {
  check_floating(op, "input", input);
  check_defined(op, "target", target);
  EG_CHECK(input.shape() == target.shape(), ShapeError,
           "[{}] the input has shape {} and the target {}: they must be the same", op, input.shape(), target.shape());
  return as_numbers(target, input);
}

/// Each loss by its weight, if there is one.
inline Tensor weighted(const char* op, const char* what, const Tensor& losses, const Tensor& weight) {
  if (!weight.defined()) return losses;
  EG_CHECK(broadcasts_to(weight.shape(), losses.shape()), ShapeError,
           "[{}] the {} of shape {} does not broadcast to the {} of the input", op, what, weight.shape(),
           losses.shape());
  return losses * as_numbers(weight, losses);
}

}  // namespace eigengrad::losses
