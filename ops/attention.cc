#include "eigengrad/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/attention.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/rearrange.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

constexpr const char* kName = "scaled_dot_product_attention";

void check_tensors(const Tensor& query, const Tensor& key, const Tensor& value) {
  kernels::check_defined(kName, query, key, value);
  EG_CHECK(is_floating(query.dtype()) && key.dtype() == query.dtype() && value.dtype() == query.dtype(), DtypeError,
           "[{}] expected query, key and value of one floating dtype, found {}, {} and {}", kName, query.dtype(),
           key.dtype(), value.dtype());
  EG_CHECK(query.dim() >= 2 && key.dim() >= 2 && value.dim() >= 2, ShapeError,
           "[{}] expected [.., L, E], [.., S, E] and [.., S, V], found {}, {} and {}", kName, query.shape(),
           key.shape(), value.shape());
  EG_CHECK(query.size(-1) == key.size(-1), ShapeError, "[{}] the query {} and the key {} differ in their last axis",
           kName, query.shape(), key.shape());
  EG_CHECK(key.size(-2) == value.size(-2), ShapeError, "[{}] the key {} has {} places, but the value {} has {}", kName,
           key.shape(), key.size(-2), value.shape(), value.size(-2));
}

// The softmax of scores that are -∞ where one may not look; rows of -∞ alone become 0, not NaN.
Tensor masked_softmax(const Tensor& scores, const Tensor& allowed) {
  constexpr double kNowhere = -std::numeric_limits<double>::infinity();
  const Tensor weights = softmax(where(allowed, scores, kNowhere), -1);
  const Tensor somewhere = any(allowed, {-1}, true);
  if (all(somewhere).item<bool>()) return weights;
  // A row of NaN must not reach the gradient either: such rows are computed from scores that are not masked.
  return where(somewhere, softmax(where(logical_or(allowed, logical_not(somewhere)), scores, kNowhere), -1), 0);
}

Tensor attention_weights(const Tensor& scores, const AttentionOptions& options) {
  const Tensor& mask = options.mask;
  if (options.is_causal) {
    EG_CHECK(!mask.defined(), ValueError, "[{}] found a mask and is_causal: expected one of them", kName);
    return masked_softmax(scores, tril(ones({scores.size(-2), scores.size(-1)}, kBool)));
  }
  if (!mask.defined()) return softmax(scores, -1);
  EG_CHECK(mask.dtype() == kBool || mask.dtype() == scores.dtype(), DtypeError,
           "[{}] the mask is {}, expected bool or the query's {}", kName, mask.dtype(), scores.dtype());
  EG_CHECK(broadcasts_to(mask.shape(), scores.shape()), ShapeError, "[{}] a mask of shape {} does not broadcast to {}",
           kName, mask.shape(), scores.shape());
  return mask.dtype() == kBool ? masked_softmax(scores, mask) : softmax(scores + mask, -1);
}

// Without a mask of numbers, and without dropout: never the whole matrix of weights.
struct Attention {
  static constexpr const char* kName = eigengrad::kName;
  static constexpr SaveMask kSaves = kInputs | kOutput;
  double scale;
  bool causal;
  Precision precision;
  Attributes attributes() const {
    return {{"scale", fmt::format("{:.4g}", scale)}, {"is_causal", causal ? "true" : "false"}};
  }
  Tensors forward(TensorRefs x) const { return kernels::attention(x[0], x[1], x[2], scale, causal, precision); }
  // Two products with all keys, whether or not they are seen.
  double flops(TensorRefs x, const Tensor& y) const {
    return 2 * static_cast<double>(x[1].size(-2)) * static_cast<double>(x[0].numel() + y.numel());
  }
  Grads backward(const Saved& s, TensorRefs g) const {
    const Autocast as_before(precision);
    const Tensor &q = s.x(0), &k = s.x(1), &v = s.x(2);
    const Tensor p = attention_weights(matmul(q * scale, transpose(k)), {.is_causal = causal});
    const Tensor dp = matmul(g[0], transpose(v));
    const Tensor ds = p * (dp - sum(p * dp, {-1}, true)) * scale;
    return {matmul(ds, k), matmul(transpose(ds), q), matmul(transpose(p), g[0])};
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    const Tensors d =
        kernels::attention_backward(s.x(0), s.x(1), s.x(2), s.y(0), s.y(1), g[0], scale, causal, precision);
    return {d[0], d[1], d[2]};
  }
};

bool same_leading_axes(const Tensor& a, const Tensor& b) {
  return a.dim() == b.dim() && std::equal(a.shape().begin(), a.shape().end() - 2, b.shape().begin());
}

}  // namespace

Tensor scaled_dot_product_attention(Arg query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options) {
  check_tensors(query, key, value);
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(query->size(-1))));
  const bool plain = !options.mask.defined() && options.dropout_p == 0;
  if (plain && same_leading_axes(query, key) && same_leading_axes(query, value) && query->numel() > 0 &&
      key.numel() > 0 && value.numel() > 0)
    return apply(Attention{scale, options.is_causal, precision_for(query)}, query, key, value)[0];
  const Tensor weights = attention_weights(matmul(query * scale, transpose(key)), options);
  return matmul(dropout(weights, options.dropout_p, options.dropout_p > 0), value);
}

}  // namespace eigengrad
