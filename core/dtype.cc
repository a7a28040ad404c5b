#include "eigengrad/core/dtype.h"

namespace eigengrad {

std::string_view to_string(Dtype dtype) {
  switch (dtype) {
    case Dtype::Bool: return "bool";
    case Dtype::Int64: return "int64";
    case Dtype::BFloat16: return "bfloat16";
    case Dtype::Float32: return "float32";
    case Dtype::Float64: return "float64";
  }
  return "unknown";
}

}  // namespace eigengrad
