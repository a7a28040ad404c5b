// Multi-head attention.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "eigengrad/nn/layer.h"
#include "eigengrad/nn/linear.h"

namespace eigengrad::nn {

struct MultiheadAttentionOptions {
  std::int64_t embed_dim = 0;                  ///< features; 0 takes them from the layer before
  std::int64_t num_heads = 0;                  ///< attentions side by side, which share the features
  double dropout = 0;                          ///< of the attention weights
  bool bias = true;                            ///< learn biases of the projections
  bool add_bias_kv = false;                    ///< a learned place behind the keys and values
  bool add_zero_attn = false;                  ///< a place of zeros behind them
  std::optional<std::int64_t> kdim{}, vdim{};  ///< features of keys and values: embed_dim unless given
  bool batch_first = false;                    ///< sequences are [N, L, E], not [L, N, E]
  bool is_causal = false;                      ///< forward(x) of one input lets each place see those before it only
};
void describe(config::Fields& f, MultiheadAttentionOptions& o);

/// What else MultiheadAttention may be told. In both masks, as in PyTorch, true is where NOT to look; one of numbers is
/// added to the scores.
struct AttentionArguments {
  Tensor key_padding_mask{};         ///< [N, S]: keys that are padding
  Tensor attn_mask{};                ///< [L, S], or [N·heads, L, S]
  bool need_weights = true;          ///< else the weights are undefined, and nothing is spent on them
  bool average_attn_weights = true;  ///< the weights are their mean over the heads; else those of each
  bool is_causal = false;            ///< each place sees those before it; together with masks
};

/// What attention gives.
struct AttentionOutput {
  Tensor output;   ///< like the query
  Tensor weights;  ///< [N, L, S], the mean over the heads, or [N, heads, L, S]
};

/// Attention of several heads, side by side (Vaswani et al. 2017): query [L, N, E], key [S, N, kdim], value [S, N,
/// vdim], or with the first two axes exchanged by batch_first, or without N. The parameters are PyTorch's:
/// in_proj_weight [3·E, E] (or q_, k_ and v_proj_weight where kdim or vdim is another), in_proj_bias, out_proj.weight,
/// out_proj.bias, bias_k, bias_v. A place that may look nowhere gives out_proj of zeros (PyTorch: NaN). Throws
/// ValueError unless num_heads divides embed_dim, ShapeError, DtypeError.
class MultiheadAttention : public Layer<MultiheadAttentionOptions> {
 public:
  explicit MultiheadAttention(Options options);
  MultiheadAttention(std::int64_t embed_dim, std::int64_t num_heads)
      : MultiheadAttention(Options{embed_dim, num_heads}) {}
  AttentionOutput operator()(Arg query, const Tensor& key, const Tensor& value,
                             const AttentionArguments& arguments = {});
  AttentionOutput forward(const Tensor& query, const Tensor& key, const Tensor& value,
                          const AttentionArguments& arguments);
  /// Self-attention.
  Tensor forward(const Tensor& x) override;
  /// Query, key and value, or query and what is both.
  Tensor forward_all(std::span<const Tensor> inputs) override;
  static Shape infer(Options& options, std::span<const Shape> inputs);

 private:
  struct Projected {
    Tensor query, key, value;
  };
  bool is_joint() const;
  Projected project(const Tensor& query, const Tensor& key, const Tensor& value) const;
  Tensor heads(const Tensor& x) const;
  void append_places(Projected& p, std::int64_t batch) const;

 public:
  // Undefined where there are none.
  Tensor& in_proj_weight;  ///< [3·E, E]: rows of query, key and value; undefined when kdim or vdim is another
  Tensor& q_proj_weight;   ///< [E, E]; undefined with in_proj_weight, as are the two after it
  Tensor& k_proj_weight;   ///< [E, kdim]
  Tensor& v_proj_weight;   ///< [E, vdim]
  Tensor& in_proj_bias;    ///< [3·E]
  Tensor& bias_k;          ///< [1, 1, E]: a place behind the keys
  Tensor& bias_v;          ///< [1, 1, E]: a place behind the values
  /// [E, E], what joins the heads.
  Linear& out_proj = child<Linear>("out_proj", options_.embed_dim, options_.embed_dim, options_.bias);
};

}  // namespace eigengrad::nn
