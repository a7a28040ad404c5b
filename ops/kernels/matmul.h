// Batches of matrix products, shared among threads.
#pragma once

#include "eigengrad/core/tensor.h"
#include "eigengrad/core/thread_state.h"

namespace eigengrad::kernels {

/// a [.., M, K] · b [.., K, N], the leading axes broadcast: a row-major tensor [.., M, N]. The operands are matrices of
/// one floating dtype whose inner extents agree; transposed ones are read in place. A bias [N], for two matrices alone,
/// is added to every row; with `then_relu`, likewise, results that are not above 0 become 0.
Tensor matmul(const Tensor& a, const Tensor& b, Precision precision = Precision::Float32, const Tensor& bias = {},
              bool then_relu = false);

}  // namespace eigengrad::kernels
