#include "eigengrad/nn/attention.h"

#include <cmath>
#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

const MultiheadAttentionOptions& checked(const MultiheadAttentionOptions& o) {
  EG_CHECK(o.embed_dim >= 1 && o.num_heads >= 1 && o.embed_dim % o.num_heads == 0, ValueError,
           "[MultiheadAttention] embed_dim must be a multiple of num_heads, found {} and {}", o.embed_dim, o.num_heads);
  EG_CHECK(o.kdim.value_or(1) >= 1 && o.vdim.value_or(1) >= 1, ValueError,
           "[MultiheadAttention] kdim and vdim must be at least 1, found {} and {}", o.kdim.value_or(1),
           o.vdim.value_or(1));
  EG_CHECK(o.dropout >= 0 && o.dropout <= 1, ValueError,
           "[MultiheadAttention] the probability must be in [0, 1], found {}", o.dropout);
  return o;
}

// What is wrong with where one may look, collected from several masks: scores that are added, and places that are
// blocked.
class Masks {
 public:
  explicit Masks(Dtype dtype) : dtype_(dtype) {}

  void add(const char* what, const Tensor& mask) {
    EG_CHECK(mask.dtype() == kBool || mask.dtype() == dtype_, DtypeError,
             "[MultiheadAttention] {} is {}, expected bool or the query's {}", what, mask.dtype(), dtype_);
    Tensor& all = mask.dtype() == kBool ? blocked_ : added_;
    if (!all.defined())
      all = mask;
    else
      all = mask.dtype() == kBool ? logical_or(all, mask) : all + mask;
  }
  // With `more` places at the end, that all may see.
  Tensor combined(std::int64_t more) const {
    const auto with_more = [more](const Tensor& mask) {
      if (more == 0 || mask.size(-1) == 1) return mask;
      Shape shape = mask.shape();
      shape.back() = more;
      return cat({mask, zeros(shape, mask.dtype())}, -1);
    };
    const Tensor blocked = blocked_.defined() ? with_more(blocked_) : Tensor();
    if (!added_.defined()) return blocked.defined() ? logical_not(blocked) : Tensor();
    const Tensor added = with_more(added_);
    if (!blocked.defined()) return added;
    return where(blocked, -std::numeric_limits<double>::infinity(), added);
  }
  bool empty() const { return !blocked_.defined() && !added_.defined(); }

 private:
  const Dtype dtype_;
  Tensor blocked_, added_;
};

}  // namespace

void describe(config::Fields& f, MultiheadAttentionOptions& o) {
  f("embed_dim", o.embed_dim, {.help = "features; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  f("num_heads", o.num_heads,
    {.help = "attentions side by side, which share the features", .required = true, .min = 1, .max = kMaxExtent});
  f("dropout", o.dropout, {.help = "probability of an attention weight to be zeroed", .min = 0, .max = 1});
  f("bias", o.bias, {.help = "learn biases of the projections"});
  f("add_bias_kv", o.add_bias_kv, {.help = "a learned place behind the keys and values"});
  f("add_zero_attn", o.add_zero_attn, {.help = "a place of zeros behind them"});
  f("kdim", o.kdim, {.help = "features of the keys; null: embed_dim", .min = 1, .max = kMaxExtent});
  f("vdim", o.vdim, {.help = "features of the values; null: embed_dim", .min = 1, .max = kMaxExtent});
  f("batch_first", o.batch_first, {.help = "sequences are [N, L, E], not [L, N, E]"});
  f("is_causal", o.is_causal, {.help = "each place sees those before it only"});
}

bool MultiheadAttention::is_joint() const {
  const Options& o = options_;
  return o.kdim.value_or(o.embed_dim) == o.embed_dim && o.vdim.value_or(o.embed_dim) == o.embed_dim;
}

MultiheadAttention::MultiheadAttention(Options options)
    : Layer(checked(options)),
      in_proj_weight(
          param("in_proj_weight", is_joint() ? empty({3 * options.embed_dim, options.embed_dim}) : Tensor())),
      q_proj_weight(param("q_proj_weight", is_joint() ? Tensor() : empty({options.embed_dim, options.embed_dim}))),
      k_proj_weight(param("k_proj_weight", is_joint()
                                               ? Tensor()
                                               : empty({options.embed_dim, options.kdim.value_or(options.embed_dim)}))),
      v_proj_weight(param("v_proj_weight", is_joint()
                                               ? Tensor()
                                               : empty({options.embed_dim, options.vdim.value_or(options.embed_dim)}))),
      in_proj_bias(param("in_proj_bias", options.bias ? zeros({3 * options.embed_dim}) : Tensor())),
      bias_k(param("bias_k", options.add_bias_kv ? empty({1, 1, options.embed_dim}) : Tensor())),
      bias_v(param("bias_v", options.add_bias_kv ? empty({1, 1, options.embed_dim}) : Tensor())) {
  for (Tensor* const weight : {&in_proj_weight, &q_proj_weight, &k_proj_weight, &v_proj_weight})
    if (weight->defined()) init::xavier_uniform_(*weight);
  for (Tensor* const place : {&bias_k, &bias_v})
    if (place->defined()) init::xavier_normal_(*place);
  if (out_proj.bias.defined()) init::zeros_(out_proj.bias);
}

// All three are [N, L, E] from here on.
MultiheadAttention::Projected MultiheadAttention::project(const Tensor& query, const Tensor& key,
                                                          const Tensor& value) const {
  const std::int64_t size = options_.embed_dim;
  if (is_joint() && query.is_same(key) && query.is_same(value)) {
    const std::vector<Tensor> all = split(linear(query, in_proj_weight, in_proj_bias), size, -1);
    return {all[0], all[1], all[2]};
  }
  const auto part = [&](const Tensor& x, std::int64_t k, const Tensor& own) {
    const Tensor weight = is_joint() ? narrow(in_proj_weight, 0, k * size, size) : own;
    return linear(x, weight, in_proj_bias.defined() ? narrow(in_proj_bias, 0, k * size, size) : Tensor());
  };
  return {part(query, 0, q_proj_weight), part(key, 1, k_proj_weight), part(value, 2, v_proj_weight)};
}

// [N, L, E] as [N, heads, L, E / heads].
Tensor MultiheadAttention::heads(const Tensor& x) const {
  return transpose(reshape(x, {x.size(0), x.size(1), options_.num_heads, -1}), 1, 2);
}

void MultiheadAttention::append_places(Projected& p, std::int64_t batch) const {
  const Shape one{batch, 1, options_.embed_dim};
  if (options_.add_bias_kv) {
    p.key = cat({p.key, expand(bias_k, one)}, 1);
    p.value = cat({p.value, expand(bias_v, one)}, 1);
  }
  if (options_.add_zero_attn) {
    p.key = cat({p.key, zeros(one, p.key.dtype())}, 1);
    p.value = cat({p.value, zeros(one, p.value.dtype())}, 1);
  }
}

AttentionOutput MultiheadAttention::forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                            const AttentionArguments& arguments) {
  const Options& o = options_;
  EG_CHECK(query.dim() == 2 || query.dim() == 3, ShapeError,
           "[MultiheadAttention] expected a query [{}, {}], or [L, {}] for one sequence, found {}",
           o.batch_first ? "N, L" : "L, N", o.embed_dim, o.embed_dim, query.shape());
  EG_CHECK(key.dim() == query.dim() && value.dim() == query.dim(), ShapeError,
           "[MultiheadAttention] expected query, key and value of as many axes, found {}, {} and {}", query.shape(),
           key.shape(), value.shape());
  const bool batched = query.dim() == 3;
  const auto batch_first = [&](const Tensor& x) {
    return !batched ? unsqueeze(x, 0) : o.batch_first ? x : transpose(x, 0, 1);
  };
  const bool self = key.is_same(query) && value.is_same(query);
  const Tensor q = batch_first(query), k = self ? q : batch_first(key), v = self ? q : batch_first(value);
  EG_CHECK(q.size(2) == o.embed_dim && k.size(2) == o.kdim.value_or(o.embed_dim) &&
               v.size(2) == o.vdim.value_or(o.embed_dim) && k.size(0) == q.size(0) && v.size(0) == q.size(0) &&
               k.size(1) == v.size(1),
           ShapeError,
           "[MultiheadAttention] expected {}, {} and {} features, one batch, and as many keys as values, found {}, {} "
           "and {}",
           o.embed_dim, o.kdim.value_or(o.embed_dim), o.vdim.value_or(o.embed_dim), query.shape(), key.shape(),
           value.shape());
  const std::int64_t batch = q.size(0), length = q.size(1), places = k.size(1);

  Projected p = project(q, k, v);
  append_places(p, batch);
  const std::int64_t more = p.key.size(1) - places;

  Masks masks(q.dtype());
  if (arguments.attn_mask.defined()) {
    const Tensor& mask = arguments.attn_mask;
    const bool by_head = mask.dim() == 3;
    EG_CHECK(mask.shape() == (by_head ? Shape{batch * o.num_heads, length, places} : Shape{length, places}), ShapeError,
             "[MultiheadAttention] attn_mask is {}, expected [{}, {}] or [{}, {}, {}]", mask.shape(), length, places,
             batch * o.num_heads, length, places);
    masks.add("attn_mask", by_head ? reshape(mask, {batch, o.num_heads, length, places}) : mask);
  }
  if (arguments.key_padding_mask.defined()) {
    const Tensor& mask = arguments.key_padding_mask;
    EG_CHECK(mask.shape() == (batched ? Shape{batch, places} : Shape{places}), ShapeError,
             "[MultiheadAttention] key_padding_mask is {}, expected [{}, {}], or [{}] for one sequence", mask.shape(),
             batch, places, places);
    masks.add("key_padding_mask", reshape(mask, {batch, 1, 1, places}));
  }
  const bool only_causal = arguments.is_causal && masks.empty() && more == 0;
  if (arguments.is_causal && !only_causal) masks.add("the causal mask", triu(ones({length, places}, kBool), 1));

  const AttentionOptions how{
      .mask = masks.combined(more), .dropout_p = is_training() ? o.dropout : 0, .is_causal = only_causal};
  const Tensor qh = heads(p.query), kh = heads(p.key), vh = heads(p.value);
  Tensor weights, mixed;
  if (arguments.need_weights) {
    weights = scaled_dot_product_attention(qh, kh, eye(places + more, q.dtype()), how);
    mixed = matmul(weights, vh);
    if (arguments.average_attn_weights) weights = mean(weights, {1});
    if (!batched) weights = squeeze(weights, 0);
  } else {
    mixed = scaled_dot_product_attention(qh, kh, vh, how);
  }
  const Tensor y = out_proj(reshape(transpose(mixed, 1, 2), {batch, length, o.embed_dim}));
  return {!batched ? squeeze(y, 0) : o.batch_first ? y : transpose(y, 0, 1), weights};
}

AttentionOutput MultiheadAttention::operator()(Arg query, const Tensor& key, const Tensor& value,
                                               const AttentionArguments& arguments) {
  AttentionOutput result;
  result.output = run({*query, key, value}, [&](std::span<const Tensor> in) {
    return (result = forward(in[0], in[1], in[2], arguments)).output;
  });
  return result;
}

Tensor MultiheadAttention::forward(const Tensor& x) {
  return forward(x, x, x, {.need_weights = false, .is_causal = options_.is_causal}).output;
}

Tensor MultiheadAttention::forward_all(std::span<const Tensor> inputs) {
  EG_CHECK(inputs.size() >= 1 && inputs.size() <= 3, ValueError,
           "[MultiheadAttention] found {} inputs, expected 1 to 3", inputs.size());
  if (inputs.size() == 1) return forward(inputs[0]);
  return forward(inputs[0], inputs[1], inputs.back(), {.need_weights = false, .is_causal = options_.is_causal}).output;
}

Shape MultiheadAttention::infer(Options& o, std::span<const Shape> inputs) {
  check_batch_first(o.batch_first);
  EG_CHECK(inputs.size() >= 1 && inputs.size() <= 3, ShapeError, "expects a query, or query, key and value");
  for (const Shape& input : inputs) EG_CHECK(input.size() == 2, ShapeError, "expects sequences [L, E]");
  const Shape &query = inputs[0], &key = inputs[inputs.size() > 1 ? 1 : 0], &value = inputs.back();
  infer_extent(o.embed_dim, "embed_dim", query[1]);
  EG_CHECK(key[1] == o.kdim.value_or(o.embed_dim), ShapeError, "expects kdim = {}", o.kdim.value_or(o.embed_dim));
  EG_CHECK(value[1] == o.vdim.value_or(o.embed_dim), ShapeError, "expects vdim = {}", o.vdim.value_or(o.embed_dim));
  EG_CHECK(key[0] == value[0], ShapeError, "expects as many keys as values, found {} and {}", key[0], value[0]);
  return query;
}

}  // namespace eigengrad::nn
