#include "eigengrad/nn/size.h"

namespace eigengrad::nn {
namespace {

double times(std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); }
double biased(double weight, std::int64_t outputs, bool bias) {
  return weight + (bias ? static_cast<double>(outputs) : 0);
}
double linear(std::int64_t in, std::int64_t out, bool bias) { return biased(times(in, out), out, bias); }
double convolution(std::int64_t in, std::int64_t out, double window, std::int64_t groups, std::int64_t biases,
                   bool bias) {
  return biased(times(in, out) / static_cast<double>(groups) * window, biases, bias);
}
double window(const Pair& kernel) { return times(kernel.rows, kernel.columns); }

double affine(double elements, bool weight, bool bias) { return weight ? elements * (bias ? 2 : 1) : 0; }
double norm(std::int64_t features, bool bias) { return affine(static_cast<double>(features), true, bias); }
template <class Options>
double channel_norm(const Options& o) {
  const auto channels = static_cast<double>(o.num_features);
  return affine(channels, o.affine, o.bias) + (o.track_running_stats ? 2 * channels + 1 : 0);
}
double elements_of(const Dims& shape) {
  double elements = 1;
  for (const std::int64_t extent : shape) elements *= static_cast<double>(extent);
  return elements;
}

// Weights of a layer, in one direction, that reads `in` numbers and has a state of `state` numbers.
double recurrent_layer(double in, double state, double units, double gates, bool bias) {
  return gates * units * (in + state + (bias ? 2 : 0));
}
double recurrent(const RecurrentOptions& o, double gates, std::int64_t projection = 0) {
  const auto units = static_cast<double>(o.hidden_size), projected = static_cast<double>(projection);
  const double state = projection > 0 ? projected : units, directions = o.bidirectional ? 2 : 1;
  const auto one = [&](double in) { return recurrent_layer(in, state, units, gates, o.bias) + projected * units; };
  return directions *
         (one(static_cast<double>(o.input_size)) + static_cast<double>(o.num_layers - 1) * one(directions * state));
}
double cell(const CellOptions& o, double gates) {
  const auto units = static_cast<double>(o.hidden_size);
  return recurrent_layer(static_cast<double>(o.input_size), units, units, gates, o.bias);
}

double attention(std::int64_t features, bool bias) { return 4 * linear(features, features, bias); }
template <class Options>
double feed_forward(const Options& o) {
  return linear(o.d_model, o.dim_feedforward, o.bias) + linear(o.dim_feedforward, o.d_model, o.bias);
}
template <class Options>
double encoder_layer(const Options& o) {
  return attention(o.d_model, o.bias) + feed_forward(o) + 2 * norm(o.d_model, o.bias);
}
template <class Options>
double decoder_layer(const Options& o) {
  return 2 * attention(o.d_model, o.bias) + feed_forward(o) + 3 * norm(o.d_model, o.bias);
}

}  // namespace

double element_count(const Linear*, const LinearOptions& o) { return linear(o.in_features, o.out_features, o.bias); }
double element_count(const Bilinear*, const BilinearOptions& o) {
  return biased(times(o.in1_features, o.in2_features) * static_cast<double>(o.out_features), o.out_features, o.bias);
}
double element_count(const Embedding*, const EmbeddingOptions& o) { return times(o.num_embeddings, o.embedding_dim); }
double element_count(const PositionalEncoding*, const PositionalEncodingOptions& o) {
  return times(o.max_len, o.d_model);
}
double element_count(const LearnedPositionalEncoding*, const LearnedPositionalEncodingOptions& o) {
  return times(o.max_len, o.d_model);
}

double element_count(const Conv1d*, const Conv1dOptions& o) {
  return convolution(o.in_channels, o.out_channels, static_cast<double>(o.kernel_size), o.groups, o.out_channels,
                     o.bias);
}
double element_count(const Conv2d*, const Conv2dOptions& o) {
  return convolution(o.in_channels, o.out_channels, window(o.kernel_size), o.groups, o.out_channels, o.bias);
}
double element_count(const ConvTranspose1d*, const ConvTranspose1dOptions& o) {
  return convolution(o.in_channels, o.out_channels, static_cast<double>(o.kernel_size), o.groups, o.out_channels,
                     o.bias);
}
double element_count(const ConvTranspose2d*, const ConvTranspose2dOptions& o) {
  return convolution(o.in_channels, o.out_channels, window(o.kernel_size), o.groups, o.out_channels, o.bias);
}

double element_count(const BatchNorm*, const BatchNormOptions& o) { return channel_norm(o); }
double element_count(const InstanceNorm*, const InstanceNormOptions& o) { return channel_norm(o); }
double element_count(const LayerNorm*, const LayerNormOptions& o) {
  return affine(elements_of(o.normalized_shape), o.elementwise_affine, o.bias);
}
double element_count(const RMSNorm*, const RMSNormOptions& o) {
  return affine(elements_of(o.normalized_shape), o.elementwise_affine, false);
}
double element_count(const GroupNorm*, const GroupNormOptions& o) {
  return affine(static_cast<double>(o.num_channels), o.affine, o.bias);
}
double element_count(const PReLU*, const PReLU::Options& o) { return static_cast<double>(o.num_parameters); }

double element_count(const RNN*, const RNNOptions& o) { return recurrent(o, 1); }
double element_count(const GRU*, const GRUOptions& o) { return recurrent(o, 3); }
double element_count(const LSTM*, const LSTMOptions& o) { return recurrent(o, 4, o.proj_size); }
double element_count(const RNNCell*, const RNNCellOptions& o) { return cell(o, 1); }
double element_count(const GRUCell*, const CellOptions& o) { return cell(o, 3); }
double element_count(const LSTMCell*, const CellOptions& o) { return cell(o, 4); }

double element_count(const MultiheadAttention*, const MultiheadAttentionOptions& o) {
  const std::int64_t e = o.embed_dim;
  return linear(e, e, o.bias) + linear(o.kdim.value_or(e), e, o.bias) + linear(o.vdim.value_or(e), e, o.bias) +
         linear(e, e, o.bias) + (o.add_bias_kv ? 2 * static_cast<double>(e) : 0);
}
double element_count(const TransformerEncoderLayer*, const TransformerLayerOptions& o) { return encoder_layer(o); }
double element_count(const TransformerDecoderLayer*, const TransformerLayerOptions& o) { return decoder_layer(o); }
double element_count(const TransformerEncoder*, const TransformerStackOptions& o) {
  return static_cast<double>(o.num_layers) * encoder_layer(o) + (o.norm ? norm(o.d_model, o.bias) : 0);
}
double element_count(const TransformerDecoder*, const TransformerStackOptions& o) {
  return static_cast<double>(o.num_layers) * decoder_layer(o) + (o.norm ? norm(o.d_model, o.bias) : 0);
}
double element_count(const Transformer*, const TransformerOptions& o) {
  return static_cast<double>(o.num_encoder_layers) * encoder_layer(o) +
         static_cast<double>(o.num_decoder_layers) * decoder_layer(o) + 2 * norm(o.d_model, o.bias);
}

}  // namespace eigengrad::nn
