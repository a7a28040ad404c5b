// Attention without the matrix of all weights: block by block of queries, in the cache.
#pragma once

#include "eigengrad/core/apply.h"

namespace eigengrad::kernels {

/// softmax(query·keyᵀ·scale)·value for query [.., L, E], key [.., S, E] and value [.., S, V] of the same leading axes;
/// where `causal`, place i sees places 0 to i only. Gives the result and, for each row of it, the logarithm of the sum
/// of the exponentials [.., L]. With Precision::BFloat16 the factors of the products of float32 are rounded.
Tensors attention(const Tensor& query, const Tensor& key, const Tensor& value, double scale, bool causal,
                  Precision precision);

/// The gradients of query, key and value from what attention() gave and the gradient of its result.
Tensors attention_backward(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& out,
                           const Tensor& log_sums, const Tensor& dout, double scale, bool causal, Precision precision);

}  // namespace eigengrad::kernels
