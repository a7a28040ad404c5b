#include "eigengrad/nn/transformer.h"

#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

const TransformerLayerOptions& checked(const char* name, const TransformerLayerOptions& o) {
  EG_CHECK(o.d_model >= 1 && o.nhead >= 1 && o.d_model % o.nhead == 0, ValueError,
           "[{}] d_model must be a multiple of nhead, found {} and {}", name, o.d_model, o.nhead);
  EG_CHECK(o.dim_feedforward >= 1, ValueError, "[{}] dim_feedforward must be at least 1, found {}", name,
           o.dim_feedforward);
  return o;
}

const TransformerStackOptions& checked(const char* name, const TransformerStackOptions& o) {
  checked(name, static_cast<const TransformerLayerOptions&>(o));
  EG_CHECK(o.num_layers >= 1, ValueError, "[{}] num_layers must be at least 1, found {}", name, o.num_layers);
  return o;
}

MultiheadAttentionOptions attention_of(const TransformerLayerOptions& o) {
  return {
      .embed_dim = o.d_model, .num_heads = o.nhead, .dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first};
}

LayerNormOptions norm_of(const TransformerLayerOptions& o) {
  return {.normalized_shape = {o.d_model}, .eps = o.layer_norm_eps, .bias = o.bias};
}

Tensor activated(TransformerActivation activation, const Tensor& x) {
  return activation == TransformerActivation::ReLU ? relu(x) : gelu(x);
}

void describe_width(config::Fields& f, std::int64_t& d_model, std::int64_t& nhead, bool required) {
  f("d_model", d_model, {.help = "features; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  f("nhead", nhead, {.help = "heads of each attention", .required = required, .min = 1, .max = kMaxExtent});
}

template <class Options>
void describe_common(config::Fields& f, Options& o) {
  f("dim_feedforward", o.dim_feedforward,
    {.help = "features between the two linear maps", .min = 1, .max = kMaxExtent});
  f("dropout", o.dropout, {.help = "probability of an element to be zeroed", .min = 0, .max = 1});
  f.template choice<TransformerActivation>(
      "activation", o.activation, {{"relu", TransformerActivation::ReLU}, {"gelu", TransformerActivation::GELU}},
      {.help = "what stands between the two linear maps"});
  f("layer_norm_eps", o.layer_norm_eps, {.help = "added to the variances", .min = 0});
  f("batch_first", o.batch_first, {.help = "sequences are [N, L, E], not [L, N, E]"});
  f("norm_first", o.norm_first, {.help = "normalise what goes in, not what comes out of the sums"});
  f("bias", o.bias, {.help = "learn biases"});
}

Shape inferred(TransformerLayerOptions& o, const Shape& input) {
  check_batch_first(o.batch_first);
  EG_CHECK(input.size() == 2, ShapeError, "expects sequences [L, E]");
  infer_extent(o.d_model, "d_model", input[1]);
  return input;
}

Shape inferred_decoder(TransformerLayerOptions& o, std::span<const Shape> inputs) {
  EG_CHECK(inputs.size() == 2, ShapeError, "expects two inputs, a target and a memory");
  inferred(o, inputs[1]);
  return inferred(o, inputs[0]);
}

void check_two(const char* name, std::span<const Tensor> inputs) {
  EG_CHECK(inputs.size() == 2, ValueError, "[{}] found {} inputs, expected two", name, inputs.size());
}

}  // namespace

void describe(config::Fields& f, TransformerLayerOptions& o) {
  describe_width(f, o.d_model, o.nhead, true);
  describe_common(f, o);
  f("is_causal", o.is_causal, {.help = "each place sees those before it only"});
}
void describe(config::Fields& f, TransformerStackOptions& o) {
  f("num_layers", o.num_layers, {.help = "layers one after another", .required = true, .min = 1, .max = kMaxLayers});
  describe(f, static_cast<TransformerLayerOptions&>(o));
  f("norm", o.norm, {.help = "normalise the output of the last layer"});
}
void describe(config::Fields& f, TransformerOptions& o) {
  describe_width(f, o.d_model, o.nhead, false);
  f("num_encoder_layers", o.num_encoder_layers, {.help = "layers of the encoder", .min = 1, .max = kMaxLayers});
  f("num_decoder_layers", o.num_decoder_layers, {.help = "layers of the decoder", .min = 1, .max = kMaxLayers});
  describe_common(f, o);
}

// ---- The encoder.

TransformerEncoderLayer::TransformerEncoderLayer(Options o)
    : SameShape(checked("TransformerEncoderLayer", o)),
      self_attn(child<MultiheadAttention>("self_attn", attention_of(o))),
      linear1(child<Linear>("linear1", o.d_model, o.dim_feedforward, o.bias)),
      dropout(child<Dropout>("dropout", o.dropout)),
      linear2(child<Linear>("linear2", o.dim_feedforward, o.d_model, o.bias)),
      norm1(child<LayerNorm>("norm1", norm_of(o))),
      norm2(child<LayerNorm>("norm2", norm_of(o))),
      dropout1(child<Dropout>("dropout1", o.dropout)),
      dropout2(child<Dropout>("dropout2", o.dropout)) {}

Tensor TransformerEncoderLayer::operator()(Arg src, const EncoderArguments& arguments) {
  return run({*src}, [&](std::span<const Tensor> in) { return forward(in[0], arguments); });
}

Tensor TransformerEncoderLayer::attend(const Tensor& x, const EncoderArguments& a) {
  return dropout1(self_attn(x, x, x,
                            {.key_padding_mask = a.src_key_padding_mask,
                             .attn_mask = a.mask,
                             .need_weights = false,
                             .is_causal = a.is_causal})
                      .output);
}

Tensor TransformerEncoderLayer::feed_forward(const Tensor& x) {
  return dropout2(linear2(dropout(activated(options_.activation, linear1(x)))));
}

Tensor TransformerEncoderLayer::forward(const Tensor& src, const EncoderArguments& arguments) {
  if (options_.norm_first) {
    const Tensor x = src + attend(norm1(src), arguments);
    return x + feed_forward(norm2(x));
  }
  const Tensor x = norm1(src + attend(src, arguments));
  return norm2(x + feed_forward(x));
}

Shape TransformerEncoderLayer::infer(Options& options, const Shape& input) { return inferred(options, input); }

TransformerEncoder::TransformerEncoder(Options o)
    : SameShape(checked("TransformerEncoder", o)), layers(child<ModuleList>("layers")) {
  for (std::int64_t i = 0; i < o.num_layers; ++i)
    layers.push_back(TransformerEncoderLayer(static_cast<const TransformerLayerOptions&>(o)));
  if (o.norm) norm_ = &child<LayerNorm>("norm", norm_of(o));
}

Tensor TransformerEncoder::operator()(Arg src, const EncoderArguments& arguments) {
  return run({*src}, [&](std::span<const Tensor> in) { return forward(in[0], arguments); });
}

Tensor TransformerEncoder::forward(const Tensor& src, const EncoderArguments& arguments) {
  Tensor x = src;
  for (std::size_t i = 0; i < layers.size(); ++i) x = layers.at<TransformerEncoderLayer>(i)(x, arguments);
  return norm_ ? (*norm_)(x) : x;
}

Shape TransformerEncoder::infer(Options& options, const Shape& input) { return inferred(options, input); }

// ---- The decoder.

TransformerDecoderLayer::TransformerDecoderLayer(Options o)
    : Layer(checked("TransformerDecoderLayer", o)),
      self_attn(child<MultiheadAttention>("self_attn", attention_of(o))),
      multihead_attn(child<MultiheadAttention>("multihead_attn", attention_of(o))),
      linear1(child<Linear>("linear1", o.d_model, o.dim_feedforward, o.bias)),
      dropout(child<Dropout>("dropout", o.dropout)),
      linear2(child<Linear>("linear2", o.dim_feedforward, o.d_model, o.bias)),
      norm1(child<LayerNorm>("norm1", norm_of(o))),
      norm2(child<LayerNorm>("norm2", norm_of(o))),
      norm3(child<LayerNorm>("norm3", norm_of(o))),
      dropout1(child<Dropout>("dropout1", o.dropout)),
      dropout2(child<Dropout>("dropout2", o.dropout)),
      dropout3(child<Dropout>("dropout3", o.dropout)) {}

Tensor TransformerDecoderLayer::operator()(Arg tgt, const Tensor& memory, const DecoderArguments& arguments) {
  return run({*tgt, memory}, [&](std::span<const Tensor> in) { return forward(in[0], in[1], arguments); });
}

Tensor TransformerDecoderLayer::attend(const Tensor& x, const DecoderArguments& a) {
  return dropout1(self_attn(x, x, x,
                            {.key_padding_mask = a.tgt_key_padding_mask,
                             .attn_mask = a.tgt_mask,
                             .need_weights = false,
                             .is_causal = a.tgt_is_causal})
                      .output);
}

Tensor TransformerDecoderLayer::look_up(const Tensor& x, const Tensor& memory, const DecoderArguments& a) {
  return dropout2(
      multihead_attn(x, memory, memory,
                     {.key_padding_mask = a.memory_key_padding_mask, .attn_mask = a.memory_mask, .need_weights = false})
          .output);
}

Tensor TransformerDecoderLayer::feed_forward(const Tensor& x) {
  return dropout3(linear2(dropout(activated(options_.activation, linear1(x)))));
}

Tensor TransformerDecoderLayer::forward(const Tensor& tgt, const Tensor& memory, const DecoderArguments& arguments) {
  if (options_.norm_first) {
    Tensor x = tgt + attend(norm1(tgt), arguments);
    x = x + look_up(norm2(x), memory, arguments);
    return x + feed_forward(norm3(x));
  }
  Tensor x = norm1(tgt + attend(tgt, arguments));
  x = norm2(x + look_up(x, memory, arguments));
  return norm3(x + feed_forward(x));
}

Tensor TransformerDecoderLayer::forward_all(std::span<const Tensor> inputs) {
  check_two("TransformerDecoderLayer", inputs);
  return forward(inputs[0], inputs[1], {.tgt_is_causal = options_.is_causal});
}

Shape TransformerDecoderLayer::infer(Options& options, std::span<const Shape> inputs) {
  return inferred_decoder(options, inputs);
}

TransformerDecoder::TransformerDecoder(Options o)
    : Layer(checked("TransformerDecoder", o)), layers(child<ModuleList>("layers")) {
  for (std::int64_t i = 0; i < o.num_layers; ++i)
    layers.push_back(TransformerDecoderLayer(static_cast<const TransformerLayerOptions&>(o)));
  if (o.norm) norm_ = &child<LayerNorm>("norm", norm_of(o));
}

Tensor TransformerDecoder::operator()(Arg tgt, const Tensor& memory, const DecoderArguments& arguments) {
  return run({*tgt, memory}, [&](std::span<const Tensor> in) { return forward(in[0], in[1], arguments); });
}

Tensor TransformerDecoder::forward(const Tensor& tgt, const Tensor& memory, const DecoderArguments& arguments) {
  Tensor x = tgt;
  for (std::size_t i = 0; i < layers.size(); ++i) x = layers.at<TransformerDecoderLayer>(i)(x, memory, arguments);
  return norm_ ? (*norm_)(x) : x;
}

Tensor TransformerDecoder::forward_all(std::span<const Tensor> inputs) {
  check_two("TransformerDecoder", inputs);
  return forward(inputs[0], inputs[1], {.tgt_is_causal = options_.is_causal});
}

Shape TransformerDecoder::infer(Options& options, std::span<const Shape> inputs) {
  return inferred_decoder(options, inputs);
}

// ---- Both.

namespace {

TransformerStackOptions stack_of(const TransformerOptions& o, std::int64_t num_layers) {
  TransformerStackOptions stack;
  stack.d_model = o.d_model;
  stack.nhead = o.nhead;
  stack.dim_feedforward = o.dim_feedforward;
  stack.dropout = o.dropout;
  stack.activation = o.activation;
  stack.layer_norm_eps = o.layer_norm_eps;
  stack.batch_first = o.batch_first;
  stack.norm_first = o.norm_first;
  stack.bias = o.bias;
  stack.num_layers = num_layers;
  stack.norm = true;
  return stack;
}

}  // namespace

Transformer::Transformer(Options o)
    : Layer(o),
      encoder(child<TransformerEncoder>("encoder", stack_of(o, o.num_encoder_layers))),
      decoder(child<TransformerDecoder>("decoder", stack_of(o, o.num_decoder_layers))) {
  for (Tensor& parameter : parameters())
    if (parameter.dim() > 1) init::xavier_uniform_(parameter);
}

Tensor Transformer::operator()(Arg src, const Tensor& tgt, const TransformerArguments& arguments) {
  return run({*src, tgt}, [&](std::span<const Tensor> in) { return forward(in[0], in[1], arguments); });
}

Tensor Transformer::forward(const Tensor& src, const Tensor& tgt, const TransformerArguments& a) {
  const Tensor memory = encoder(src, {a.src_mask, a.src_key_padding_mask, a.src_is_causal});
  return decoder(tgt, memory,
                 {a.tgt_mask, a.memory_mask, a.tgt_key_padding_mask, a.memory_key_padding_mask, a.tgt_is_causal});
}

Tensor Transformer::forward_all(std::span<const Tensor> inputs) {
  check_two("Transformer", inputs);
  return forward(inputs[0], inputs[1], {.tgt_is_causal = true});
}

Shape Transformer::infer(Options& o, std::span<const Shape> inputs) {
  EG_CHECK(inputs.size() == 2, ShapeError, "expects two inputs, a source and a target");
  TransformerStackOptions stack = stack_of(o, 1);
  inferred(stack, inputs[0]);
  const Shape output = inferred(stack, inputs[1]);
  o.d_model = stack.d_model;
  return output;
}

Tensor Transformer::generate_square_subsequent_mask(std::int64_t size) {
  return triu(full({size, size}, -std::numeric_limits<double>::infinity()), 1);
}

}  // namespace eigengrad::nn
