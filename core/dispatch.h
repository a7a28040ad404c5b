// From a run-time dtype to a C++ element type. For .cc files.
#pragma once

#include <cstdint>

#include "eigengrad/core/check.h"
#include "eigengrad/core/dtype.h"

namespace eigengrad {

/// Calls `f.template operator()<T>()` with the element type of `dtype`: dispatch(x.dtype(), [&]<class T>() { ... }).
/// For what computes: bfloat16, in which nothing is computed, throws DtypeError.
template <class F>
auto dispatch(Dtype dtype, F&& f) {
  EG_CHECK(dtype != Dtype::BFloat16, DtypeError, "[dispatch] bfloat16 is a way to store numbers, not to compute");
  switch (dtype) {
    case Dtype::Bool: return f.template operator()<bool>();
    case Dtype::Int64: return f.template operator()<std::int64_t>();
    case Dtype::Float32: return f.template operator()<float>();
    default: return f.template operator()<double>();
  }
}

/// The same for what moves or makes elements: bfloat16 is one type more.
template <class F>
auto dispatch_stored(Dtype dtype, F&& f) {
  if (dtype == Dtype::BFloat16) return f.template operator()<BFloat16>();
  return dispatch(dtype, f);
}

/// The same for float32 and float64. Throws DtypeError naming `op` for any other.
template <class F>
auto dispatch_floating(const char* op, Dtype dtype, F&& f) {
  if (dtype == Dtype::Float32) return f.template operator()<float>();
  EG_CHECK(dtype == Dtype::Float64, DtypeError, "[{}] expected a float32 or float64 tensor, found {}", op, dtype);
  return f.template operator()<double>();
}

/// The same for the numeric types: not bool.
template <class F>
auto dispatch_number(const char* op, Dtype dtype, F&& f) {
  EG_CHECK(dtype != Dtype::Bool, DtypeError, "[{}] expected numbers, found {}", op, dtype);
  if (dtype == Dtype::Int64) return f.template operator()<std::int64_t>();
  return dispatch_floating(op, dtype, f);
}

}  // namespace eigengrad
