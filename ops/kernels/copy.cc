#include "eigengrad/ops/kernels/copy.h"

#include <cstring>

#include "eigengrad/ops/kernels/elementwise.h"

namespace eigengrad::kernels {

void copy(const Tensor& to, const Tensor& from) {
  const Operand operands[] = {operand(to), operand(from)};
  const std::size_t bytes = size_of(to.dtype());
  for_each_chunk(operands, 2, kCheap, [bytes](std::int64_t n, std::byte* const* data) {
    std::memcpy(data[0], data[1], static_cast<std::size_t>(n) * bytes);
  });
}

Tensor contiguous_copy(const Tensor& x) {
  const Tensor result = empty(x.shape(), x.dtype());
  copy(result, x);
  return result;
}

Tensor as_contiguous(const Tensor& x) { return x.is_contiguous() ? x : contiguous_copy(x); }

}  // namespace eigengrad::kernels
