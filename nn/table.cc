// The tables of layers and losses.
#include "eigengrad/nn/activation.h"
#include "eigengrad/nn/attention.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/nn/convolution.h"
#include "eigengrad/nn/dropout.h"
#include "eigengrad/nn/embedding.h"
#include "eigengrad/nn/linear.h"
#include "eigengrad/nn/normalization.h"
#include "eigengrad/nn/pooling.h"
#include "eigengrad/nn/recurrent.h"
#include "eigengrad/nn/shape.h"
#include "eigengrad/nn/size.h"
#include "eigengrad/nn/transformer.h"

namespace eigengrad::nn {
namespace {

LayerTable make_layers() {
  LayerTable t("layer");
  add_layer<Linear>(t, "Linear", "y = x·Wᵀ + b on the last axis");
  add_layer<Bilinear>(t, "Bilinear", "y = x1ᵀ·W·x2 + b, of two inputs");
  add_layer<Identity>(t, "Identity", "its input");
  add_layer<Embedding>(t, "Embedding", "a learned vector for every number");
  add_layer<PositionalEncoding>(t, "PositionalEncoding", "adds sines and cosines of the place in the sequence");
  add_layer<LearnedPositionalEncoding>(t, "LearnedPositionalEncoding", "adds a learned vector for each place");

  add_layer<Conv1d>(t, "Conv1d", "convolution of sequences [C, L]");
  add_layer<Conv2d>(t, "Conv2d", "convolution of images [C, H, W]");
  add_layer<ConvTranspose1d>(t, "ConvTranspose1d", "transposed convolution of sequences");
  add_layer<ConvTranspose2d>(t, "ConvTranspose2d", "transposed convolution of images");
  add_layer<MaxPool1d>(t, "MaxPool1d", "the largest element of each window of sequences");
  add_layer<MaxPool2d>(t, "MaxPool2d", "the largest element of each window of images");
  add_layer<AvgPool1d>(t, "AvgPool1d", "the mean of each window of sequences");
  add_layer<AvgPool2d>(t, "AvgPool2d", "the mean of each window of images");
  add_layer<AdaptiveAvgPool1d>(t, "AdaptiveAvgPool1d", "means of windows that give an output of a given length");
  add_layer<AdaptiveAvgPool2d>(t, "AdaptiveAvgPool2d", "means of windows that give an output of a given size");
  add_layer<AdaptiveMaxPool1d>(t, "AdaptiveMaxPool1d", "maxima of windows that give an output of a given length");
  add_layer<AdaptiveMaxPool2d>(t, "AdaptiveMaxPool2d", "maxima of windows that give an output of a given size");

  add_layer<BatchNorm1d>(t, "BatchNorm1d", "normalises channels over a batch of [C] or [C, L]");
  add_layer<BatchNorm2d>(t, "BatchNorm2d", "normalises channels over a batch of images");
  add_layer<InstanceNorm1d>(t, "InstanceNorm1d", "normalises each channel of each sequence");
  add_layer<InstanceNorm2d>(t, "InstanceNorm2d", "normalises each channel of each image");
  add_layer<LayerNorm>(t, "LayerNorm", "normalises the last axes");
  add_layer<RMSNorm>(t, "RMSNorm", "divides the last axes by their root mean square");
  add_layer<GroupNorm>(t, "GroupNorm", "normalises groups of channels");
  add_layer<Dropout>(t, "Dropout", "drops elements while training");
  add_layer<Dropout1d>(t, "Dropout1d", "drops channels of sequences while training");
  add_layer<Dropout2d>(t, "Dropout2d", "drops channels of images while training");
  add_layer<AlphaDropout>(t, "AlphaDropout", "dropout that keeps mean and variance behind SELU");

  add_layer<RNN>(t, "RNN", "recurrent network with tanh or relu");
  add_layer<GRU>(t, "GRU", "gated recurrent units");
  add_layer<LSTM>(t, "LSTM", "long short-term memory");
  add_layer<RNNCell>(t, "RNNCell", "one step of an RNN");
  add_layer<GRUCell>(t, "GRUCell", "one step of a GRU");
  add_layer<LSTMCell>(t, "LSTMCell", "one step of an LSTM");
  add_layer<MultiheadAttention>(t, "MultiheadAttention", "attention of several heads");
  add_layer<TransformerEncoderLayer>(t, "TransformerEncoderLayer", "self-attention and a feed-forward network");
  add_layer<TransformerEncoder>(t, "TransformerEncoder", "transformer encoder layers one after another");
  add_layer<TransformerDecoderLayer>(t, "TransformerDecoderLayer",
                                     "the same with attention to a memory, of two inputs");
  add_layer<TransformerDecoder>(t, "TransformerDecoder", "transformer decoder layers one after another");
  add_layer<Transformer>(t, "Transformer", "encoder and decoder, of a source and a target");

  add_layer<Flatten>(t, "Flatten", "axes made one; by default all but the batch axis");
  add_layer<Unflatten>(t, "Unflatten", "an axis cut into several");
  add_layer<Permute>(t, "Permute", "the axes in another order");
  add_layer<Select>(t, "Select", "one place of an axis; by default the last step of a sequence");
  add_layer<Upsample>(t, "Upsample", "larger images or sequences, by interpolation");
  add_layer<ZeroPad1d>(t, "ZeroPad1d", "zeros around sequences");
  add_layer<ZeroPad2d>(t, "ZeroPad2d", "zeros around images");
  add_layer<ReflectionPad2d>(t, "ReflectionPad2d", "images mirrored at their edges");
  add_layer<ReplicationPad2d>(t, "ReplicationPad2d", "the pixels of the edges repeated");
  add_layer<Add>(t, "Add", "the sum of its inputs");
  add_layer<Multiply>(t, "Multiply", "the product of its inputs");
  add_layer<Concat>(t, "Concat", "its inputs joined along an axis");

  add_layer<ReLU>(t, "ReLU", "max(x, 0)");
  add_layer<ReLU6>(t, "ReLU6", "min(max(x, 0), 6)");
  add_layer<LeakyReLU>(t, "LeakyReLU", "x, or a fraction of it where it is negative");
  add_layer<PReLU>(t, "PReLU", "the same with a fraction that is learned");
  add_layer<RReLU>(t, "RReLU", "the same with a random fraction");
  add_layer<ELU>(t, "ELU", "x, or e^x - 1 where it is negative");
  add_layer<CELU>(t, "CELU", "x, or a scaled e^x - 1 where it is negative");
  add_layer<SELU>(t, "SELU", "ELU that keeps mean and variance");
  add_layer<GELU>(t, "GELU", "x·Φ(x)");
  add_layer<SiLU>(t, "SiLU", "x·σ(x)");
  add_layer<Mish>(t, "Mish", "x·tanh(softplus(x))");
  add_layer<Softplus>(t, "Softplus", "log(1 + e^x)");
  add_layer<Softsign>(t, "Softsign", "x / (1 + |x|)");
  add_layer<Sigmoid>(t, "Sigmoid", "1 / (1 + e^-x)");
  add_layer<LogSigmoid>(t, "LogSigmoid", "log σ(x)");
  add_layer<Tanh>(t, "Tanh", "the hyperbolic tangent");
  add_layer<Tanhshrink>(t, "Tanhshrink", "x - tanh(x)");
  add_layer<Hardtanh>(t, "Hardtanh", "x within two limits");
  add_layer<Hardsigmoid>(t, "Hardsigmoid", "a sigmoid of straight lines");
  add_layer<Hardswish>(t, "Hardswish", "x·hardsigmoid(x)");
  add_layer<Hardshrink>(t, "Hardshrink", "x, or 0 where it is small");
  add_layer<Softshrink>(t, "Softshrink", "x moved towards 0");
  add_layer<Threshold>(t, "Threshold", "x, or a number where it is not above a threshold");
  add_layer<GLU>(t, "GLU", "half of an axis times σ of the other half");
  add_layer<Softmax>(t, "Softmax", "e^x / Σ e^x along an axis");
  add_layer<Softmax2d>(t, "Softmax2d", "softmax over the channels of images");
  add_layer<Softmin>(t, "Softmin", "softmax(-x)");
  add_layer<LogSoftmax>(t, "LogSoftmax", "x - log Σ e^x along an axis");
  return t;
}

LossTable make_losses() {
  LossTable t("loss");
  add_loss<CrossEntropyLoss>(t, "CrossEntropyLoss", "-log softmax of the output at the label");
  add_loss<NLLLoss>(t, "NLLLoss", "-output at the label, for outputs that are logarithms of probabilities");
  add_loss<MSELoss>(t, "MSELoss", "the squared difference");
  add_loss<L1Loss>(t, "L1Loss", "the absolute difference");
  add_loss<SmoothL1Loss>(t, "SmoothL1Loss", "the difference, squared where it is small");
  add_loss<HuberLoss>(t, "HuberLoss", "the difference, squared where it is small, with a steepness of its own");
  add_loss<BCELoss>(t, "BCELoss", "binary cross entropy of the output");
  add_loss<BCEWithLogitsLoss>(t, "BCEWithLogitsLoss", "binary cross entropy of the sigmoid of the output");
  add_loss<KLDivLoss>(t, "KLDivLoss", "the divergence of Kullback and Leibler");
  add_loss<PoissonNLLLoss>(t, "PoissonNLLLoss", "-log of the Poisson probability of a count");
  add_loss<GaussianNLLLoss>(t, "GaussianNLLLoss", "-log of the normal density; the model gives means and variances");
  add_loss<SoftMarginLoss>(t, "SoftMarginLoss", "log(1 + e^(-target·output)), for targets 1 and -1");
  add_loss<HingeEmbeddingLoss>(t, "HingeEmbeddingLoss", "distances, small for target 1 and large for -1");
  add_loss<MarginRankingLoss>(t, "MarginRankingLoss", "which of two outputs is to be larger");
  add_loss<CosineEmbeddingLoss>(t, "CosineEmbeddingLoss", "whether two vectors are to have one direction");
  add_loss<TripletMarginLoss>(t, "TripletMarginLoss", "an anchor nearer to the positive than to the negative");
  add_loss<MultiMarginLoss>(t, "MultiMarginLoss", "the lead of the wanted class over the others");
  add_loss<MultiLabelMarginLoss>(t, "MultiLabelMarginLoss", "the lead of several wanted classes over the others");
  add_loss<MultiLabelSoftMarginLoss>(t, "MultiLabelSoftMarginLoss", "binary cross entropies of the classes");
  add_loss<CTCLoss>(t, "CTCLoss", "connectionist temporal classification of sequences");
  return t;
}

}  // namespace

const LayerTable& layers() {
  static const LayerTable table = make_layers();
  return table;
}

const LossTable& losses() {
  static const LossTable table = make_losses();
  return table;
}

}  // namespace eigengrad::nn
