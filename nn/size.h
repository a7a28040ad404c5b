// How many elements the parameters and buffers of a layer have, from its options alone: what a model takes is known
// before anything of it is made.
#pragma once

#include "eigengrad/nn/activation.h"
#include "eigengrad/nn/attention.h"
#include "eigengrad/nn/convolution.h"
#include "eigengrad/nn/embedding.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/normalization.h"
#include "eigengrad/nn/recurrent.h"
#include "eigengrad/nn/transformer.h"

namespace eigengrad::nn {

/// Found by the type of the layer, which is never looked at; the options have all their sizes. Exact below 2^53, and
/// without overflow above.
double element_count(const Linear*, const LinearOptions& o);
double element_count(const Bilinear*, const BilinearOptions& o);
double element_count(const Embedding*, const EmbeddingOptions& o);
/// Its table is no buffer, but takes memory all the same.
double element_count(const PositionalEncoding*, const PositionalEncodingOptions& o);
double element_count(const LearnedPositionalEncoding*, const LearnedPositionalEncodingOptions& o);
double element_count(const Conv1d*, const Conv1dOptions& o);
double element_count(const Conv2d*, const Conv2dOptions& o);
double element_count(const ConvTranspose1d*, const ConvTranspose1dOptions& o);
double element_count(const ConvTranspose2d*, const ConvTranspose2dOptions& o);
double element_count(const BatchNorm*, const BatchNormOptions& o);
double element_count(const InstanceNorm*, const InstanceNormOptions& o);
double element_count(const LayerNorm*, const LayerNormOptions& o);
double element_count(const RMSNorm*, const RMSNormOptions& o);
double element_count(const GroupNorm*, const GroupNormOptions& o);
double element_count(const PReLU*, const PReLU::Options& o);
double element_count(const RNN*, const RNNOptions& o);
double element_count(const GRU*, const GRUOptions& o);
double element_count(const LSTM*, const LSTMOptions& o);
double element_count(const RNNCell*, const RNNCellOptions& o);
double element_count(const GRUCell*, const CellOptions& o);
double element_count(const LSTMCell*, const CellOptions& o);
double element_count(const MultiheadAttention*, const MultiheadAttentionOptions& o);
double element_count(const TransformerEncoderLayer*, const TransformerLayerOptions& o);
double element_count(const TransformerDecoderLayer*, const TransformerLayerOptions& o);
double element_count(const TransformerEncoder*, const TransformerStackOptions& o);
double element_count(const TransformerDecoder*, const TransformerStackOptions& o);
double element_count(const Transformer*, const TransformerOptions& o);

}  // namespace eigengrad::nn
