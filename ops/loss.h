// Losses, by PyTorch's names, meanings and defaults. Inputs are float32 or float64; integer and bool targets count as
// numbers of the input's type, but where they are classes (int64). Gradients flow to every floating argument but the
// weights of classes, of which none may require grad (GradError). With Reduction::None the result has the shape that
// each loss says; else it is a scalar, and the mean of no losses is NaN. Throws ShapeError, DtypeError, and ValueError
// for an undefined tensor or an option out of its range.
#pragma once

#include <functional>

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// What becomes of the loss of each sample.
enum class Reduction { None, Mean, Sum };

// ---- Of numbers. Input and target have the same shape, which is that of the losses.

/// |input - target|, with gradient 0 at 0.
Tensor l1_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// (input - target)²
Tensor mse_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// With d = |input - target|: d²/2 where d ≤ delta, else delta·(d - delta/2) (Huber 1964). delta > 0.
Tensor huber_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean, double delta = 1);
/// huber_loss with delta = beta, divided by beta (Girshick, Fast R-CNN, 2015); l1_loss for beta = 0. beta ≥ 0.
Tensor smooth_l1_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean, double beta = 1);

struct PoissonNllOptions {
  bool log_input = true;                  ///< the input is the logarithm of the rate
  bool full = false;                      ///< with Stirling's approximation of log target! where the target is above 1
  double eps = 1e-8;                      ///< added to a rate before its logarithm is taken
  Reduction reduction = Reduction::Mean;  ///< of the losses to one
};
/// -log of the Poisson probability of the target, short of a constant: e^input - target·input, or
/// input - target·log(input + eps) for an input that is the rate itself.
Tensor poisson_nll_loss(Arg input, const Tensor& target, const PoissonNllOptions& options = {});

struct GaussianNllOptions {
  bool full = false;  ///< with the constant log(2π)/2
  double eps = 1e-6;  ///< the least variance; smaller ones count as eps, and have the gradient that eps has
  Reduction reduction = Reduction::Mean;  ///< of the losses to one
};
/// -log of the normal density at the target, short of a constant: (log var + (input - target)²/var) / 2 (Nix and
/// Weigend 1994). var has the input's shape, or that without the last axis, or with one extent 1 instead. Throws
/// ValueError for a negative variance.
Tensor gaussian_nll_loss(Arg input, const Tensor& target, const Tensor& var, const GaussianNllOptions& options = {});

// ---- Of probabilities. Input and target have the same shape, which is that of the losses; a weight, of each loss,
// broadcasts to it, and is 1 when undefined.

/// -(y·log x + (1 - y)·log(1 - x)) for probabilities x, with logarithms no less than -100. The gradient is
/// (x - y) / max(x·(1 - x), 1e-12). Throws ValueError for an x that is not in [0, 1].
Tensor binary_cross_entropy(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean,
                            const Tensor& weight = Tensor());
/// -(p·y·log σ(x) + (1 - y)·log(1 - σ(x))), without overflow; pos_weight p broadcasts likewise.
Tensor binary_cross_entropy_with_logits(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean,
                                        const Tensor& weight = Tensor(), const Tensor& pos_weight = Tensor());
/// target·(log target - input), with 0·log 0 = 0, or e^target·(target - input) for a target of logarithms: the input is
/// always one. The sum divided by the batch size is the divergence of Kullback and Leibler (1951).
Tensor kl_div(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean, bool log_target = false);

// ---- Of classes.

struct CrossEntropyOptions {
  Tensor weight{};                        ///< [C], of each class; undefined: all 1
  std::int64_t ignore_index = -100;       ///< a target that counts for nothing
  double label_smoothing = 0;             ///< in [0, 1]
  Reduction reduction = Reduction::Mean;  ///< the mean is over the weights of the targets that count
};
/// -log softmax(input)[target]: input [N, C] or [N, C, d1, ..] or [C], target int64 without the class axis, which is
/// the shape of the losses. A floating target of the input's shape holds the probability of each class: the losses are
/// then -Σ target·log softmax(input), their mean is over the samples, and ignore_index must be left alone. Throws
/// IndexError for a target that is neither in [0, C) nor ignore_index.
Tensor cross_entropy(Arg input, const Tensor& target, const CrossEntropyOptions& options = {});

struct NllOptions {
  Tensor weight{};                        ///< [C], of each class; undefined: all 1
  std::int64_t ignore_index = -100;       ///< a target that counts for nothing
  Reduction reduction = Reduction::Mean;  ///< the mean is over the weights of the targets that count
};
/// -input[target] for an input of logarithms of probabilities. Shapes and errors are those of cross_entropy.
Tensor nll_loss(Arg input, const Tensor& target, const NllOptions& options = {});

struct MultiMarginOptions {
  int p = 1;                              ///< 1 or 2
  double margin = 1;                      ///< by how much the target's input is to be larger
  Tensor weight{};                        ///< [C], of each class; undefined: all 1
  Reduction reduction = Reduction::Mean;  ///< of the losses to one
};
/// Σ max(0, margin - input[target] + input[i])^p / C over the other classes i (Weston and Watkins 1999): input [N, C]
/// or [C], target int64 [N] or a scalar, and so are the losses. Throws IndexError for a target that is not in [0, C).
Tensor multi_margin_loss(Arg input, const Tensor& target, const MultiMarginOptions& options = {});

/// Σ max(0, 1 - input[j] + input[i]) / C over the classes j that are wanted and the classes i that are not: input [N,
/// C] or [C], target int64 of the same shape, with the wanted classes of each sample in front and a -1 behind them. The
/// losses are [N] or a scalar. Throws IndexError for a class that is not in [0, C).
Tensor multilabel_margin_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// The mean over the last axis of binary_cross_entropy_with_logits.
Tensor multilabel_soft_margin_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean,
                                   const Tensor& weight = Tensor());

// ---- With a target of 1 and -1.

/// log(1 + e^(-target·input)), without overflow. Input, target and losses have one shape.
Tensor soft_margin_loss(Arg input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// input where the target is 1, max(0, margin - input) where it is -1. Input, target and losses have one shape.
Tensor hinge_embedding_loss(Arg input, const Tensor& target, double margin = 1, Reduction reduction = Reduction::Mean);
/// max(0, margin - target·(input1 - input2)). All three broadcast to the shape of the losses.
Tensor margin_ranking_loss(Arg input1, const Tensor& input2, const Tensor& target, double margin = 0,
                           Reduction reduction = Reduction::Mean);
/// With c the cosine similarity along the last axis: 1 - c where the target is 1, max(0, c - margin) where it is -1.
/// Inputs [.., D] of one shape, target and losses [..].
Tensor cosine_embedding_loss(Arg input1, const Tensor& input2, const Tensor& target, double margin = 0,
                             Reduction reduction = Reduction::Mean);

// ---- Distances.

/// x1·x2 / (max(|x1|, eps)·max(|x2|, eps)) along an axis of the shape to which both broadcast. Throws IndexError.
Tensor cosine_similarity(Arg x1, const Tensor& x2, std::int64_t axis = 1, double eps = 1e-8);
/// (Σ |x1 - x2 + eps|^p)^(1/p) along the last axis of the shape to which both broadcast; p > 0, which may be infinity.
/// The gradient is 0 where the distance is.
Tensor pairwise_distance(Arg x1, const Tensor& x2, double p = 2, double eps = 1e-6, bool keepdim = false);

struct TripletMarginOptions {
  double margin = 1;  ///< by how much the negative is to be farther away
  double p = 2;       ///< as those of pairwise_distance
  double eps = 1e-6;  ///< likewise
  bool swap = false;  ///< the negative counts from the positive when it is nearer to that than to the anchor
  Reduction reduction = Reduction::Mean;  ///< of the losses to one
};
/// max(0, margin + |anchor - positive| - |anchor - negative|) (Balntas et al. 2016): three tensors that broadcast to
/// [.., D], losses [..].
Tensor triplet_margin_loss(Arg anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginOptions& options = {});

/// A distance of tensors [.., D].
using Distance = std::function<Tensor(const Tensor& x1, const Tensor& x2)>;
struct TripletOptions {
  Distance distance{};                    ///< pairwise_distance, unless another is given
  double margin = 1;                      ///< by how much the negative is to be farther away
  bool swap = false;                      ///< as in TripletMarginOptions
  Reduction reduction = Reduction::Mean;  ///< of the losses to one
};
/// The same with any distance; the losses have the shape of its results.
Tensor triplet_margin_with_distance_loss(Arg anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletOptions& options = {});

// ---- Of sequences.

struct CtcOptions {
  std::int64_t blank = 0;                 ///< the class that stands for no label
  Reduction reduction = Reduction::Mean;  ///< the mean is of the losses divided by their target lengths (0 counts as 1)
  bool zero_infinity = false;             ///< targets that the inputs are too short for cost 0, not infinity
};
/// Connectionist temporal classification (Graves et al. 2006): -log of the probability that a sequence of classes,
/// without its repetitions and then without its blanks, is the target. log_probs [T, N, C]; targets int64 [N, S], of
/// which target_lengths count, or all of them joined into [ΣS]; both lengths int64 [N]; losses [N]. For one sample
/// without a batch axis: [T, C], [S], two scalars and a scalar. The gradient is that of log_probs as they stand
/// (PyTorch takes for granted that they come from log_softmax, behind which both are the same), and 0 where the loss is
/// infinity. Throws IndexError for a target that is not in [0, C), ValueError for a length that is too long, or a blank
/// in the target.
Tensor ctc_loss(Arg log_probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                const CtcOptions& options = {});

}  // namespace eigengrad
