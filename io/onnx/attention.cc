#include <cmath>
#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/io/onnx/rules.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io::onnx {
namespace {

// [N, L, E] as [N, heads, L, E / heads], or with the last two axes exchanged.
std::string heads(Graph& g, const std::string& x, std::int64_t count, std::int64_t features, bool exchanged) {
  const std::string apart = reshaped(g, x, {0, 0, count, features / count});
  return transposed(g, apart,
                    exchanged ? std::vector<std::int64_t>{0, 2, 3, 1} : std::vector<std::int64_t>{0, 2, 1, 3});
}

std::string attention(Exporter& e, const nn::MultiheadAttention& layer, const Flow& query, const Flow& key,
                      const Flow& value, bool causal) {
  const auto& o = layer.options();
  Graph& g = e.graph();
  if (o.add_bias_kv || o.add_zero_attn) refuse(layer, "places behind the keys");
  const NoGrad no_grad;
  std::vector<Tensor> w, b;
  if (layer.in_proj_weight.defined())
    w = chunk(layer.in_proj_weight, 3, 0);
  else
    w = {layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight};
  if (layer.in_proj_bias.defined()) b = chunk(layer.in_proj_bias, 3, 0);
  const auto projected = [&](const Flow& x, std::size_t which) {
    return linear(g, x.name, g.constant(w[which]), b.empty() ? "" : g.constant(b[which]));
  };
  const std::int64_t e_size = o.embed_dim, count = o.num_heads;
  const std::string q = heads(g, projected(query, 0), count, e_size, false);
  const std::string k = heads(g, projected(key, 1), count, e_size, true);
  const std::string v = heads(g, projected(value, 2), count, e_size, false);
  const double scale = 1 / std::sqrt(static_cast<double>(e_size) / static_cast<double>(count));
  std::string scores = times(g, g.node("MatMul", {q, k}), scale);
  if (causal) {
    const Tensor seen = tril(ones({query.shape[0], key.shape[0]}, kBool));
    const Tensor none = zeros({query.shape[0], key.shape[0]});
    scores = g.node("Add", {scores, g.constant(where(seen, none, -std::numeric_limits<double>::infinity()))});
  }
  const std::string weights = g.node("Softmax", {scores}, Attributes().add("axis", std::int64_t{-1}));
  const std::string joined = transposed(g, g.node("MatMul", {weights, v}), {0, 2, 1, 3});
  return linear(g, reshaped(g, joined, {0, 0, e_size}), layer.out_proj);
}

// A block with a skip connection around it, normalised before or after.
template <class F>
Flow block(Graph& g, const Flow& x, const nn::LayerNorm& norm, bool norm_first, F f) {
  if (norm_first) {
    const Flow normal{layer_norm(g, x.name, norm), x.shape};
    return {g.node("Add", {x.name, f(normal)}), x.shape};
  }
  return {layer_norm(g, g.node("Add", {x.name, f(x)}), norm), x.shape};
}

template <class L>
std::string feed_forward(Graph& g, const L& layer, const Flow& x) {
  const std::string hidden = linear(g, x.name, layer.linear1);
  const bool relu = layer.options().activation == nn::TransformerActivation::ReLU;
  return linear(g, relu ? g.node("Relu", {hidden}) : gelu(g, hidden, false), layer.linear2);
}

Flow encoder_layer(Exporter& e, const nn::TransformerEncoderLayer& layer, const Flow& x, bool causal) {
  Graph& g = e.graph();
  const bool first = layer.options().norm_first;
  const Flow attended = block(g, x, layer.norm1, first,
                              [&](const Flow& in) { return attention(e, layer.self_attn, in, in, in, causal); });
  return block(g, attended, layer.norm2, first, [&](const Flow& in) { return feed_forward(g, layer, in); });
}

Flow decoder_layer(Exporter& e, const nn::TransformerDecoderLayer& layer, const Flow& x, const Flow& memory,
                   bool causal) {
  Graph& g = e.graph();
  const bool first = layer.options().norm_first;
  const Flow attended = block(g, x, layer.norm1, first,
                              [&](const Flow& in) { return attention(e, layer.self_attn, in, in, in, causal); });
  const Flow looked = block(g, attended, layer.norm2, first, [&](const Flow& in) {
    return attention(e, layer.multihead_attn, in, memory, memory, false);
  });
  return block(g, looked, layer.norm3, first, [&](const Flow& in) { return feed_forward(g, layer, in); });
}

// The normalisation at the end of a stack, where it has one.
Flow final_norm(Exporter& e, const nn::Module& stack, const Flow& x) {
  for (const auto& [name, child] : stack.children())
    if (name == "norm") return {layer_norm(e.graph(), x.name, static_cast<const nn::LayerNorm&>(*child)), x.shape};
  return x;
}

Flow encoder(Exporter& e, const nn::TransformerEncoder& stack, Flow x, bool causal) {
  for (std::size_t i = 0; i < stack.layers.size(); ++i)
    x = encoder_layer(e, stack.layers.at<nn::TransformerEncoderLayer>(i), x, causal);
  return final_norm(e, stack, x);
}

Flow decoder(Exporter& e, const nn::TransformerDecoder& stack, Flow x, const Flow& memory, bool causal) {
  for (std::size_t i = 0; i < stack.layers.size(); ++i)
    x = decoder_layer(e, stack.layers.at<nn::TransformerDecoderLayer>(i), x, memory, causal);
  return final_norm(e, stack, x);
}

}  // namespace

void add_attention(Rules& rules) {
  using namespace nn;
  rules.add<MultiheadAttention>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const MultiheadAttention&>(module);
    const bool alone = x.size() == 1;
    return attention(e, layer, x[0], x[alone ? 0 : 1], x[x.size() - 1], alone && layer.options().is_causal);
  });
  rules.add<TransformerEncoderLayer>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const TransformerEncoderLayer&>(module);
    return encoder_layer(e, layer, x[0], layer.options().is_causal).name;
  });
  rules.add<TransformerEncoder>([](Exporter& e, Module& module, Flows x) {
    const auto& stack = static_cast<const TransformerEncoder&>(module);
    return encoder(e, stack, x[0], stack.options().is_causal).name;
  });
  rules.add<TransformerDecoderLayer>([](Exporter& e, Module& module, Flows x) {
    const auto& layer = static_cast<const TransformerDecoderLayer&>(module);
    return decoder_layer(e, layer, x[0], x[1], layer.options().is_causal).name;
  });
  rules.add<TransformerDecoder>([](Exporter& e, Module& module, Flows x) {
    const auto& stack = static_cast<const TransformerDecoder&>(module);
    return decoder(e, stack, x[0], x[1], stack.options().is_causal).name;
  });
  rules.add<Transformer>([](Exporter& e, Module& module, Flows x) {
    const auto& both = static_cast<const Transformer&>(module);
    return decoder(e, both.decoder, x[1], encoder(e, both.encoder, x[0], false), true).name;
  });
}

}  // namespace eigengrad::io::onnx
