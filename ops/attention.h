// Attention.
#pragma once

#include <optional>

#include "eigengrad/core/arg.h"

namespace eigengrad {

struct AttentionOptions {
  Tensor mask{};                  ///< broadcasts to [.., L, S]; bool: where to look; floating: added to the scores
  double dropout_p = 0;           ///< of the weights
  bool is_causal = false;         ///< place i sees places 0 to i only; not together with a mask
  std::optional<double> scale{};  ///< of the scores: 1 / √E unless given
};

/// softmax(query·keyᵀ·scale + mask)·value (Vaswani et al. 2017): query [.., L, E], key [.., S, E], value [.., S, V];
/// the result is [.., L, V]. Leading axes broadcast. A row that may look nowhere gives 0. Floating tensors of one
/// dtype. Throws ShapeError, DtypeError, ValueError.
Tensor scaled_dot_product_attention(Arg query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options = {});

}  // namespace eigengrad
