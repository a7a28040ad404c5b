// Transformers (Vaswani et al. 2017), with PyTorch's parameters.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "eigengrad/nn/attention.h"
#include "eigengrad/nn/container.h"
#include "eigengrad/nn/dropout.h"
#include "eigengrad/nn/normalization.h"

namespace eigengrad::nn {

/// What stands between the two linear maps of a transformer's feed-forward part.
enum class TransformerActivation { ReLU, GELU };

struct TransformerLayerOptions {
  std::int64_t d_model = 0;                                        ///< features; 0 takes them from the layer before
  std::int64_t nhead = 0;                                          ///< heads of each attention
  std::int64_t dim_feedforward = 2048;                             ///< features between the two linear maps
  double dropout = 0.1;                                            ///< probability of an element to be zeroed
  TransformerActivation activation = TransformerActivation::ReLU;  ///< what stands between the two linear maps
  double layer_norm_eps = 1e-5;                                    ///< added to the variances
  bool batch_first = false;                                        ///< sequences are [N, L, E], not [L, N, E]
  bool norm_first = false;  ///< normalise what goes into attention and feed-forward, not what comes out of the sums
  bool bias = true;         ///< learn biases
  bool is_causal = false;   ///< forward(x) without other arguments lets each place see those before it only
};
void describe(config::Fields& f, TransformerLayerOptions& o);

/// What a transformer may be told of its source; see AttentionArguments.
struct EncoderArguments {
  Tensor mask{};                  ///< [L, L] or [N·heads, L, L]
  Tensor src_key_padding_mask{};  ///< [N, L]
  bool is_causal = false;         ///< each place sees those before it only
};

/// What a decoder may be told of its target (T places) and the encoder's memory (S places).
struct DecoderArguments {
  Tensor tgt_mask{}, memory_mask{};                          ///< [T, T], [T, S]
  Tensor tgt_key_padding_mask{}, memory_key_padding_mask{};  ///< [N, T], [N, S]
  bool tgt_is_causal = false;                                ///< each place of the target sees those before it only
};

/// Self-attention and a feed-forward network, each with a skip connection, normalisation and dropout.
class TransformerEncoderLayer : public SameShape<TransformerLayerOptions> {
 public:
  explicit TransformerEncoderLayer(Options options);
  Tensor operator()(Arg src, const EncoderArguments& arguments = {});
  Tensor forward(const Tensor& src) override { return forward(src, {.is_causal = options_.is_causal}); }
  Tensor forward(const Tensor& src, const EncoderArguments& arguments);
  static Shape infer(Options& options, const Shape& input);

  MultiheadAttention& self_attn;
  Linear& linear1;
  Dropout& dropout;
  Linear& linear2;
  LayerNorm &norm1, &norm2;
  Dropout &dropout1, &dropout2;

 private:
  Tensor attend(const Tensor& x, const EncoderArguments& arguments);
  Tensor feed_forward(const Tensor& x);
};

/// Self-attention, attention to the encoder's memory, and a feed-forward network.
class TransformerDecoderLayer : public Layer<TransformerLayerOptions> {
 public:
  explicit TransformerDecoderLayer(Options options);
  Tensor operator()(Arg tgt, const Tensor& memory, const DecoderArguments& arguments = {});
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderArguments& arguments);
  Tensor forward_all(std::span<const Tensor> inputs) override;
  static Shape infer(Options& options, std::span<const Shape> inputs);

  MultiheadAttention &self_attn, &multihead_attn;
  Linear& linear1;
  Dropout& dropout;
  Linear& linear2;
  LayerNorm &norm1, &norm2, &norm3;
  Dropout &dropout1, &dropout2, &dropout3;

 private:
  Tensor attend(const Tensor& x, const DecoderArguments& arguments);
  Tensor look_up(const Tensor& x, const Tensor& memory, const DecoderArguments& arguments);
  Tensor feed_forward(const Tensor& x);
};

struct TransformerStackOptions : TransformerLayerOptions {
  std::int64_t num_layers = 0;  ///< layers one after another
  bool norm = false;            ///< normalise the output of the last layer
};
void describe(config::Fields& f, TransformerStackOptions& o);

/// Encoder layers one after another, each with initial values of its own.
class TransformerEncoder : public SameShape<TransformerStackOptions> {
 public:
  explicit TransformerEncoder(Options options);
  Tensor operator()(Arg src, const EncoderArguments& arguments = {});
  Tensor forward(const Tensor& src) override { return forward(src, {.is_causal = options_.is_causal}); }
  Tensor forward(const Tensor& src, const EncoderArguments& arguments);
  static Shape infer(Options& options, const Shape& input);

  ModuleList& layers;

 private:
  LayerNorm* norm_ = nullptr;  // "norm"
};

/// Decoder layers one after another.
class TransformerDecoder : public Layer<TransformerStackOptions> {
 public:
  explicit TransformerDecoder(Options options);
  Tensor operator()(Arg tgt, const Tensor& memory, const DecoderArguments& arguments = {});
  Tensor forward(const Tensor& tgt, const Tensor& memory, const DecoderArguments& arguments);
  Tensor forward_all(std::span<const Tensor> inputs) override;
  static Shape infer(Options& options, std::span<const Shape> inputs);

  ModuleList& layers;

 private:
  LayerNorm* norm_ = nullptr;
};

struct TransformerOptions {
  std::int64_t d_model = 512;                                      ///< features; 0 takes them from the layer before
  std::int64_t nhead = 8;                                          ///< heads of each attention
  std::int64_t num_encoder_layers = 6;                             ///< layers of the encoder
  std::int64_t num_decoder_layers = 6;                             ///< layers of the decoder
  std::int64_t dim_feedforward = 2048;                             ///< features between the two linear maps
  double dropout = 0.1;                                            ///< probability of an element to be zeroed
  TransformerActivation activation = TransformerActivation::ReLU;  ///< what stands between the two linear maps
  double layer_norm_eps = 1e-5;                                    ///< added to the variances
  bool batch_first = false;                                        ///< sequences are [N, L, E], not [L, N, E]
  /// Normalise what goes in, not what comes out of the sums.
  bool norm_first = false;
  bool bias = true;  ///< learn biases
};
void describe(config::Fields& f, TransformerOptions& o);

/// What a Transformer may be told.
struct TransformerArguments {
  Tensor src_mask{}, tgt_mask{}, memory_mask{};  ///< as those of EncoderArguments and DecoderArguments
  Tensor src_key_padding_mask{}, tgt_key_padding_mask{}, memory_key_padding_mask{};  ///< likewise
  bool src_is_causal = false, tgt_is_causal = false;  ///< each place sees those before it only
};

/// An encoder and a decoder, both normalised at their end. All weights with two axes begin as Xavier uniform.
class Transformer : public Layer<TransformerOptions> {
 public:
  explicit Transformer(Options options = {});
  Tensor operator()(Arg src, const Tensor& tgt, const TransformerArguments& arguments = {});
  Tensor forward(const Tensor& src, const Tensor& tgt, const TransformerArguments& arguments);
  /// Of a source and a target; the target is causal.
  Tensor forward_all(std::span<const Tensor> inputs) override;
  static Shape infer(Options& options, std::span<const Shape> inputs);
  /// [size, size]: -∞ where a place comes later, else 0.
  static Tensor generate_square_subsequent_mask(std::int64_t size);

  TransformerEncoder& encoder;  ///< of the source
  TransformerDecoder& decoder;  ///< of the target
};

}  // namespace eigengrad::nn
