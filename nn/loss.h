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

class Loss : public Module {
 public:
  using Module::forward;
  /// The cost of `input` where `target` was wanted: a scalar, unless the reduction is none.
  Tensor operator()(Arg input, const Tensor& target) {
    const ScopeGuard scope(scope_id());
    return forward(input, target);
  }
  virtual Tensor forward(const Tensor& input, const Tensor& target) = 0;
  /// How much the cost of these targets counts in that of a larger batch, which is the weighted mean of the costs of
  /// its parts: the number of samples, unless a loss knows better; nothing where it is their sum.
  virtual std::optional<double> mean_weight(const Tensor& target) const;

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
  Reduction reduction = Reduction::Mean;
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
  Reduction reduction = Reduction::Mean;
  double delta = 1;
};
void describe(config::Fields& f, HuberLossOptions& o);

/// Squared where the difference is below delta, else linear.
class HuberLoss : public LossWith<HuberLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct SmoothL1LossOptions {
  Reduction reduction = Reduction::Mean;
  double beta = 1;
};
void describe(config::Fields& f, SmoothL1LossOptions& o);

/// The Huber loss divided by beta.
class SmoothL1Loss : public LossWith<SmoothL1LossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct PoissonNLLLossOptions {
  bool log_input = true;
  bool full = false;
  double eps = 1e-8;
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, PoissonNLLLossOptions& o);

/// Of counts, for an input that is the logarithm of their rate.
class PoissonNLLLoss : public LossWith<PoissonNLLLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct GaussianNLLLossOptions {
  bool full = false;
  double eps = 1e-6;
  Reduction reduction = Reduction::Mean;
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
  std::vector<double> weight{};  ///< of each output or class; empty: all 1
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, WeightedOptions& o);

/// Binary cross entropy of probabilities. `weight` is one for each output, along the last axis.
class BCELoss : public LossWith<WeightedOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

struct BCEWithLogitsLossOptions {
  std::vector<double> weight{};      ///< of each output, along the last axis; empty: all 1
  std::vector<double> pos_weight{};  ///< of the positive targets; empty: 1
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, BCEWithLogitsLossOptions& o);

/// The binary cross entropy of σ(input).
class BCEWithLogitsLoss : public LossWith<BCEWithLogitsLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
  Tensor& pos_weight_ = buffer("pos_weight", weights_tensor(options_.pos_weight));
};

/// BatchMean is the sum divided by the batch size, which is the divergence.
enum class KLDivReduction { None, Mean, Sum, BatchMean };

struct KLDivLossOptions {
  KLDivReduction reduction = KLDivReduction::Mean;
  bool log_target = false;  ///< the target holds logarithms
};
void describe(config::Fields& f, KLDivLossOptions& o);

/// The divergence of Kullback and Leibler of an input of logarithms from a target.
class KLDivLoss : public LossWith<KLDivLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

// ---- Of classes.

struct CrossEntropyLossOptions {
  std::vector<double> weight{};  ///< of each class; empty: all 1
  std::int64_t ignore_index = -100;
  double label_smoothing = 0;
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, CrossEntropyLossOptions& o);

/// -log softmax(input)[target], for labels or the probabilities of classes.
class CrossEntropyLoss : public LossWith<CrossEntropyLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
  std::optional<double> mean_weight(const Tensor& target) const override;

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

struct NLLLossOptions {
  std::vector<double> weight{};
  std::int64_t ignore_index = -100;
  Reduction reduction = Reduction::Mean;
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
  std::int64_t p = 1;
  double margin = 1;
  std::vector<double> weight{};
  Reduction reduction = Reduction::Mean;
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

 private:
  Tensor& weight_ = buffer("weight", weights_tensor(options_.weight));
};

// ---- With a target of 1 and -1, and distances.

/// log(1 + e^(-target·input))
class SoftMarginLoss : public LossWith<ReductionOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct HingeEmbeddingLossOptions {
  double margin = 1;
  Reduction reduction = Reduction::Mean;
};
void describe(config::Fields& f, HingeEmbeddingLossOptions& o);

/// input where the target is 1, max(0, margin - input) where it is -1.
class HingeEmbeddingLoss : public LossWith<HingeEmbeddingLossOptions> {
 public:
  using LossWith::LossWith;
  Tensor forward(const Tensor& input, const Tensor& target) override;
};

struct MarginOptions {
  double margin = 0;
  Reduction reduction = Reduction::Mean;
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
  double margin = 1;
  double p = 2;
  double eps = 1e-6;
  bool swap = false;
  Reduction reduction = Reduction::Mean;
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
  std::int64_t blank = 0;
  Reduction reduction = Reduction::Mean;
  bool zero_infinity = false;
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
