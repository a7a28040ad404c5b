// Losses as modules of an input and a target. What each computes stands in ops/loss.h. Losses of several inputs have an
// operator() for them; in a configuration, where a model gives one tensor, they find them side by side along its
// axis 1.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/ops/loss.h"

namespace eigengrad::nn {

/// A module of an input and a target that gives the cost.
class Loss : public Module {
 public:
  using Module::forward;
  /// The cost of `input` where `target` was wanted: a scalar, unless the reduction is none.
  Tensor operator()(Arg input, const Tensor& target) {
    const ScopeGuard scope(scope_id());
    return forward(input, target);
  }
  /// The cost: a scalar, or a tensor of costs where the reduction is none.
  virtual Tensor forward(const Tensor& input, const Tensor& target) = 0;
  /// How much the cost of these targets counts in that of a larger batch, which is the weighted mean of the costs of
  /// its parts: the number of samples, unless a loss knows better; nothing where it is their sum.
  virtual std::optional<double> mean_weight(const Tensor& target) const;
  /// Throws ValueError for targets that such a loss is not meant for, such as numbers where it takes probabilities. A
  /// run asks this of its first samples; a step does not look.
  virtual void check_targets(const Tensor& target) const;

 protected:
  /// The name of its type, unless it is part of a module and has a name there.
  std::string scope_name() const override;
};

/// A loss made from a struct of options.
template <class OptionsType>
class LossWith : public Loss {
 public:
  using Options = OptionsType;
  explicit LossWith(Options options = {}) : options_(std::move(options)) {}
  const Options& options() const { return options_; }
  std::optional<double> mean_weight(const Tensor& target) const override {
    if constexpr (requires { this->options_.reduction; })
      if (options_.reduction == decltype(options_.reduction)::Sum) return std::nullopt;
    return Loss::mean_weight(target);
  }

 protected:
  Options options_;
};

/// Weights as a float32 tensor of one axis; an undefined one when there are none.
Tensor weights_tensor(const std::vector<double>& weights);

/// The options of losses that have no others.
struct ReductionOptions {
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, ReductionOptions& o);

// ---- Of numbers.

/// |input - target|
class L1Loss : public LossWith<ReductionOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

/// (input - target)²
class MSELoss : public LossWith<ReductionOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct HuberLossOptions {
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
  double delta = 1;                       ///< where it becomes linear
};
void describe(config::Fields& f, HuberLossOptions& o);

/// Squared where the difference is below delta, else linear.
class HuberLoss : public LossWith<HuberLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct SmoothL1LossOptions {
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
  double beta = 1;                        ///< where it becomes linear
};
void describe(config::Fields& f, SmoothL1LossOptions& o);

/// The Huber loss divided by beta.
class SmoothL1Loss : public LossWith<SmoothL1LossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct PoissonNLLLossOptions {
  bool log_input = true;                  ///< the input is the logarithm of the rate
  bool full = false;                      ///< with an approximation of the constant
  double eps = 1e-8;                      ///< added to a rate before its logarithm is taken
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, PoissonNLLLossOptions& o);

/// Of counts, for an input that is the logarithm of their rate.
class PoissonNLLLoss : public LossWith<PoissonNLLLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;
};

struct GaussianNLLLossOptions {
  bool full = false;                      ///< with the constant
  double eps = 1e-6;                      ///< the least variance
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, GaussianNLLLossOptions& o);

/// Of numbers with a variance of their own.
class GaussianNLLLoss : public LossWith<GaussianNLLLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor operator()(Arg input, const Tensor& target, const Tensor& var);
  using Loss::operator();
  /// input [N, 2, ..]: the mean, and the variance.
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

// ---- Of probabilities.

/// Options of losses whose weight is a number for each output.
struct WeightedOptions {
  std::vector<double> weight{};           ///< of each output or class; empty: all 1
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, WeightedOptions& o);

/// Binary cross entropy of probabilities. `weight` is one for each output, along the last axis.
class BCELoss : public LossWith<WeightedOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

struct BCEWithLogitsLossOptions {
  std::vector<double> weight{};           ///< of each output, along the last axis; empty: all 1
  std::vector<double> pos_weight{};       ///< of the positive targets; empty: 1
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, BCEWithLogitsLossOptions& o);

/// The binary cross entropy of σ(input).
class BCEWithLogitsLoss : public LossWith<BCEWithLogitsLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
  Tensor& pos_weight_ = buffer("pos_weight", weights_tensor(options_.pos_weight));
};

/// BatchMean is the sum divided by the batch size, which is the divergence.
enum class KLDivReduction { None, Mean, Sum, BatchMean };

struct KLDivLossOptions {
  /// What becomes of the losses of the samples; batchmean is the divergence.
  KLDivReduction reduction = KLDivReduction::Mean;
  bool log_target = false;  ///< the target holds logarithms
};
void describe(config::Fields& f, KLDivLossOptions& o);

/// The divergence of Kullback and Leibler of an input of logarithms from a target.
class KLDivLoss : public LossWith<KLDivLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;
};

// ---- Of classes.

struct CrossEntropyLossOptions {
  std::vector<double> weight{};           ///< of each class; empty: all 1
  std::int64_t ignore_index = -100;       ///< a target that counts for nothing
  double label_smoothing = 0;             ///< how much of a target is spread over all classes
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, CrossEntropyLossOptions& o);

/// -log softmax(input)[target], for labels or the probabilities of classes.
class CrossEntropyLoss : public LossWith<CrossEntropyLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;
  std::optional<double> mean_weight(const Tensor& target) const override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

struct NLLLossOptions {
  std::vector<double> weight{};           ///< weight of each class; empty: all 1
  std::int64_t ignore_index = -100;       ///< a target that counts for nothing
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, NLLLossOptions& o);

/// -input[target] for an input of logarithms of probabilities.
class NLLLoss : public LossWith<NLLLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  std::optional<double> mean_weight(const Tensor& target) const override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

struct MultiMarginLossOptions {
  std::int64_t p = 1;                     ///< the power of the margins
  double margin = 1;                      ///< how far the wanted class has to lead
  std::vector<double> weight{};           ///< weight of each class; empty: all 1
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, MultiMarginLossOptions& o);

/// The margin between the wanted class and the others (Weston and Watkins 1999).
class MultiMarginLoss : public LossWith<MultiMarginLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

/// The margin between several wanted classes and the others.
class MultiLabelMarginLoss : public LossWith<ReductionOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

/// The mean over the classes of the binary cross entropy of σ(input).
class MultiLabelSoftMarginLoss : public LossWith<WeightedOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

// ---- With a target of 1 and -1, and distances.

/// log(1 + e^(-target·input))
class SoftMarginLoss : public LossWith<ReductionOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;
};

struct HingeEmbeddingLossOptions {
  double margin = 1;                      ///< how large inputs with target -1 have to be
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, HingeEmbeddingLossOptions& o);

/// input where the target is 1, max(0, margin - input) where it is -1.
class HingeEmbeddingLoss : public LossWith<HingeEmbeddingLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  void check_targets(const Tensor& target) const override;
};

struct MarginOptions {
  double margin = 0;                      ///< what still counts as a mistake
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, MarginOptions& o);

/// max(0, margin - target·(input1 - input2))
class MarginRankingLoss : public LossWith<MarginOptions> {
 public:
  using LossWith::LossWith;
  Tensor operator()(Arg input1, const Tensor& input2, const Tensor& target);
  using Loss::operator();
  /// input [N, 2]
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

/// 1 - cosine where the target is 1, max(0, cosine - margin) where it is -1.
class CosineEmbeddingLoss : public LossWith<MarginOptions> {
 public:
  using LossWith::LossWith;
  Tensor operator()(Arg input1, const Tensor& input2, const Tensor& target);
  using Loss::operator();
  /// input [N, 2, D]
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct TripletMarginLossOptions {
  double margin = 1;                      ///< by how much the negative has to be farther away
  double p = 2;                           ///< the p of the norm
  double eps = 1e-6;                      ///< added to differences
  bool swap = false;                      ///< the distance of the negative from the positive counts when it is smaller
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
};
void describe(config::Fields& f, TripletMarginLossOptions& o);

/// max(0, margin + |anchor - positive| - |anchor - negative|)
class TripletMarginLoss : public LossWith<TripletMarginLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor operator()(Arg anchor, const Tensor& positive, const Tensor& negative);
  /// input [N, 3, D]: anchor, positive, negative. The target is not looked at.
  Tensor operator()(Arg input, const Tensor& target) { return Loss::operator()(input, target); }
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

// ---- Of sequences.

struct CTCLossOptions {
  std::int64_t blank = 0;                 ///< the class that stands for no label
  Reduction reduction = Reduction::Mean;  ///< what becomes of the losses of the samples
  bool zero_infinity = false;             ///< targets that are too long cost 0
};
void describe(config::Fields& f, CTCLossOptions& o);

/// Connectionist temporal classification; see ctc_loss.
class CTCLoss : public LossWith<CTCLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor operator()(Arg log_probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths);
  using Loss::operator();
  /// input [N, T, C], of which all steps count; target [N, S], in which -1 or the blank fills what is behind the
  /// labels.
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

}  // namespace eigengrad::nn
