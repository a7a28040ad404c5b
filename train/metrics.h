// What is measured of a model besides its loss. A metric is a small object that adds up what it sees, batch by batch.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/core/tensor.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/optim/state.h"

namespace eigengrad::train {

/// What a metric is measured on, without the batch axis.
struct MetricTask {
  Shape output, target;  ///< without the batch axis
  Dtype target_dtype;    ///< labels are int64
};

/// Results that are more than one number, by name: float64 [classes] or [classes, classes].
using MetricTables = std::vector<std::pair<std::string, Tensor>>;

/// Adds up what it sees of outputs and targets, batch by batch, to one number or to tables.
class Metric {
 public:
  virtual ~Metric() = default;
  /// The name of its value: "accuracy", which is "valid_accuracy" on validation data.
  virtual std::string name() const = 0;
  /// Why it cannot be measured on a task; empty when it can.
  virtual std::string misfit(const MetricTask& task) const = 0;
  /// Takes from a loss what was left open: which labels to pass over.
  virtual void follow(const nn::Loss&) {}
  /// Adds a batch: output [N, ...] and target [N, ...]. Throws ValueError when they do not fit, IndexError for a label
  /// that is no class.
  void update(const Tensor& output, const Tensor& target);
  /// Of all that was added; nothing when that is nothing, or when there is no single number.
  virtual std::optional<double> value() const = 0;
  /// Results that are more than one number.
  virtual MetricTables tables() const { return {}; }
  /// Forgets all that was added.
  virtual void reset() = 0;
  /// Visits what it has added up, for saving and loading.
  virtual void visit_state(optim::StateFields& fields) = 0;
  /// The same with the same sums.
  virtual std::unique_ptr<Metric> clone() const = 0;

 protected:
  [[noreturn]] void throw_other_extent() const;

 private:
  virtual void add(const Tensor& output, const Tensor& target) = 0;
};

/// A metric made from a struct of options, whose state is a list of sums.
template <class Self, class OptionsType>
class MetricWith : public Metric {
 public:
  using Options = OptionsType;
  explicit MetricWith(Options options = {}) : options_(std::move(options)) {}
  const Options& options() const { return options_; }
  std::optional<double> value() const override {
    return sums_.empty() ? std::nullopt : static_cast<const Self*>(this)->compute();
  }
  void reset() override { sums_.clear(); }
  void visit_state(optim::StateFields& fields) override {
    fields("sums", sums_, [](std::size_t length) { return length == 0 || Self::is_length(length); });
  }
  std::unique_ptr<Metric> clone() const override { return std::make_unique<Self>(static_cast<const Self&>(*this)); }

 protected:
  /// The sums, `length` of them. Throws ShapeError when there were others before.
  std::vector<double>& sums_of(std::size_t length) {
    if (sums_.empty()) sums_.assign(length, 0);
    if (sums_.size() != length) throw_other_extent();
    return sums_;
  }

  Options options_;
  std::vector<double> sums_;  ///< empty: nothing was added
};

/// Several metrics, measured together.
class MetricSet {
 public:
  MetricSet() = default;
  /// What is measured unless something else is asked for: accuracy of labels (where a loss compares probabilities with
  /// float targets, binary accuracy); of other numbers MAE and RMSE. Those that do not fit what they see are left out.
  static MetricSet usual(const nn::Loss& loss);
  MetricSet(const MetricSet& other);
  MetricSet(MetricSet&&) = default;
  MetricSet& operator=(MetricSet other) noexcept;  ///< takes the other's place

  /// Throws ValueError for a name that is taken.
  void add(std::unique_ptr<Metric> metric);
  /// Whether it is what usual() gave.
  bool is_usual() const { return usual_; }
  /// In the order in which they were added.
  const std::vector<std::unique_ptr<Metric>>& metrics() const { return metrics_; }

  /// Tells all of them the loss, see Metric::follow.
  void follow(const nn::Loss& loss);
  /// Adds a batch to each, without recording a graph. Throws as Metric::update.
  void update(const Tensor& output, const Tensor& target);
  /// Adds the values to a map, under their names with `prefix` before them.
  void write_values(std::map<std::string, double>& values, const std::string& prefix = "") const;
  /// The tables of all.
  MetricTables tables() const;
  /// Forgets what all of them have added up.
  void reset();
  /// Visits what all of them have added up.
  void visit_state(optim::StateFields& fields);

 private:
  std::vector<std::unique_ptr<Metric>> metrics_;
  bool usual_ = false;
};

// ---- Of labels: int64 targets [N, ...] for outputs [N, C, ...]. The class of the largest output is the prediction.

/// "it needs ..." for a task whose targets are not labels; else empty.
std::string label_misfit(const MetricTask& task);
/// What stands for no label, as in PyTorch, where nothing else is said.
inline constexpr std::int64_t kIgnoreIndex = -100;
/// The label that a loss passes over: its ignore_index, or that.
std::int64_t ignored_label(const nn::Loss& loss);

/// A metric of labels, some of which may be passed over.
template <class Self, class Options>
class LabelMetric : public MetricWith<Self, Options> {
 public:
  explicit LabelMetric(Options options = {})
      : MetricWith<Self, Options>(options), ignore_index_(options.ignore_index.value_or(kIgnoreIndex)) {}
  std::string misfit(const MetricTask& task) const override { return label_misfit(task); }
  void follow(const nn::Loss& loss) override {
    if (!this->options_.ignore_index) ignore_index_ = ignored_label(loss);
  }

 protected:
  std::int64_t ignore_index_;  ///< labels of this number are passed over
};

struct LabelOptions {
  std::optional<std::int64_t> ignore_index{};  ///< labels to pass over; nothing: those that the loss passes over
};
void describe(config::Fields& f, LabelOptions& o);

/// The share of the labels that are predicted.
class Accuracy : public LabelMetric<Accuracy, LabelOptions> {
 public:
  using LabelMetric::LabelMetric;
  std::string name() const override { return "accuracy"; }
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length == 2; }

 private:
  void add(const Tensor& output, const Tensor& target) override;
};

struct TopKAccuracyOptions {
  std::int64_t k = 5;                          ///< how many of the largest outputs count
  std::optional<std::int64_t> ignore_index{};  ///< labels to pass over; nothing: those that the loss passes over
};
void describe(config::Fields& f, TopKAccuracyOptions& o);

/// The share of the labels that are among the k largest outputs.
class TopKAccuracy : public LabelMetric<TopKAccuracy, TopKAccuracyOptions> {
 public:
  /// Throws ValueError for k < 1.
  explicit TopKAccuracy(Options options = {});
  /// "top5_accuracy"
  std::string name() const override;
  std::string misfit(const MetricTask& task) const override;
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length == 2; }

 private:
  void add(const Tensor& output, const Tensor& target) override;
};

/// How the figures of the classes become one: their mean over the classes that occur in targets or predictions, that
/// of all labels together, the mean weighted by how often a class is the target, or that of class 1 of two.
enum class ClassAverage { Macro, Micro, Weighted, Binary };

struct ClassMetricOptions {
  ClassAverage average = ClassAverage::Macro;  ///< how the figures of the classes become one
  std::optional<std::int64_t> ignore_index{};  ///< labels to pass over; nothing: those that the loss passes over
};
void describe(config::Fields& f, ClassMetricOptions& o);

/// What was counted of one class, or of several.
struct ClassCounts {
  double right = 0;      ///< labels that were predicted
  double predicted = 0;  ///< predictions of the class
  double actual = 0;     ///< labels of the class
};
double precision_of(const ClassCounts& counts);  ///< right / predicted; 0 for 0 / 0, as those below
double recall_of(const ClassCounts& counts);     ///< right / actual
double f1_of(const ClassCounts& counts);         ///< their harmonic mean, 2·right / (predicted + actual)

/// A figure of every class. Definitions as in scikit-learn, with 0 for a division by 0.
template <class Self>
class ClassMetric : public LabelMetric<Self, ClassMetricOptions> {
 public:
  using LabelMetric<Self, ClassMetricOptions>::LabelMetric;
  /// Its figure alone, as "f1", for the mean over the classes; else "f1_micro" and so on.
  std::string name() const override;
  std::string misfit(const MetricTask& task) const override;
  /// "f1_per_class"
  MetricTables tables() const override;
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length % 3 == 0; }

 private:
  void add(const Tensor& output, const Tensor& target) override;
  ClassCounts counts(std::size_t label) const;
};

// (Not Precision, which is how exactly products are computed: core/thread_state.h.)
/// How many of the predictions of a class are right: right / predicted.
class PrecisionScore : public ClassMetric<PrecisionScore> {
 public:
  using ClassMetric::ClassMetric;
  static constexpr const char* kName = "precision";
  static double figure(const ClassCounts& counts) { return precision_of(counts); }
};
/// How many of the labels of a class are found: right / actual.
class RecallScore : public ClassMetric<RecallScore> {
 public:
  using ClassMetric::ClassMetric;
  static constexpr const char* kName = "recall";
  static double figure(const ClassCounts& counts) { return recall_of(counts); }
};
/// The harmonic mean of precision and recall.
class F1Score : public ClassMetric<F1Score> {
 public:
  using ClassMetric::ClassMetric;
  static constexpr const char* kName = "f1";
  static double figure(const ClassCounts& counts) { return f1_of(counts); }
};

/// How often each class (row) was predicted as each (column). It has no single value.
class ConfusionMatrix : public LabelMetric<ConfusionMatrix, LabelOptions> {
 public:
  static constexpr std::int64_t kMostClasses = 1000;  ///< a table for more would be too large

  using LabelMetric::LabelMetric;
  std::string name() const override { return "confusion_matrix"; }
  std::string misfit(const MetricTask& task) const override;
  MetricTables tables() const override;
  std::optional<double> compute() const { return std::nullopt; }
  static bool is_length(std::size_t length);

 private:
  void add(const Tensor& output, const Tensor& target) override;
};

/// e to the mean of -log softmax(output)[label], without the weights and the smoothing that a loss may have.
class Perplexity : public LabelMetric<Perplexity, LabelOptions> {
 public:
  using LabelMetric::LabelMetric;
  std::string name() const override { return "perplexity"; }
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length == 2; }

 private:
  void add(const Tensor& output, const Tensor& target) override;
};

// ---- Of numbers: outputs and targets of one shape.

/// "it needs ..." for a task whose outputs have another shape than its targets; else empty.
std::string number_misfit(const MetricTask& task);

struct BinaryAccuracyOptions {
  /// Outputs above it stand for 1; nothing: 0 where the loss takes logits, else 0.5.
  std::optional<double> threshold{};
};
void describe(config::Fields& f, BinaryAccuracyOptions& o);

/// The share of targets, 0 or 1 (above 0.5), that outputs above or below a threshold agree with.
class BinaryAccuracy : public MetricWith<BinaryAccuracy, BinaryAccuracyOptions> {
 public:
  explicit BinaryAccuracy(Options options = {}) : MetricWith(options), threshold_(options.threshold.value_or(0.5)) {}
  std::string name() const override { return "binary_accuracy"; }
  std::string misfit(const MetricTask& task) const override { return number_misfit(task); }
  void follow(const nn::Loss& loss) override;
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length == 2; }

 private:
  void add(const Tensor& output, const Tensor& target) override;

  double threshold_;
};

/// What the mean of a cost of the differences over all elements gives.
template <class Self>
class ErrorMetric : public MetricWith<Self, config::NoOptions> {
 public:
  using MetricWith<Self, config::NoOptions>::MetricWith;
  std::string name() const override { return Self::kName; }
  std::string misfit(const MetricTask& task) const override { return number_misfit(task); }
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length == 2; }

 private:
  void add(const Tensor& output, const Tensor& target) override;
};

/// The mean of |output - target|.
class MeanAbsoluteError : public ErrorMetric<MeanAbsoluteError> {
 public:
  using ErrorMetric::ErrorMetric;
  static constexpr const char* kName = "mae";
  static Tensor cost(const Tensor& difference);
  static double of_mean(double mean) { return mean; }
};
/// The mean of (output - target)².
class MeanSquaredError : public ErrorMetric<MeanSquaredError> {
 public:
  using ErrorMetric::ErrorMetric;
  static constexpr const char* kName = "mse";
  static Tensor cost(const Tensor& difference);
  static double of_mean(double mean) { return mean; }
};
/// The square root of that.
class RootMeanSquaredError : public ErrorMetric<RootMeanSquaredError> {
 public:
  using ErrorMetric::ErrorMetric;
  static constexpr const char* kName = "rmse";
  static Tensor cost(const Tensor& difference) { return MeanSquaredError::cost(difference); }
  static double of_mean(double mean) { return std::sqrt(mean); }
};

/// 1 - Σ(target - output)² / Σ(target - mean)², the mean of that over the numbers of a sample. As in scikit-learn it is
/// 1 or 0, for an exact output or not, where targets do not vary. Of two samples at least.
class R2Score : public MetricWith<R2Score, config::NoOptions> {
 public:
  using MetricWith::MetricWith;
  std::string name() const override { return "r2"; }
  std::string misfit(const MetricTask& task) const override { return number_misfit(task); }
  std::optional<double> compute() const;
  static bool is_length(std::size_t length) { return length > 1 && length % 3 == 1; }

 private:
  void add(const Tensor& output, const Tensor& target) override;
};

// ---- From a configuration.

/// What the table knows of a metric besides its options.
struct MetricFunctions {
  std::unique_ptr<Metric> (*make)(const void* options);
};
using MetricTable = config::Registry<MetricFunctions>;
/// Every metric of the library.
const MetricTable& metrics();

/// The metrics of a configuration.
struct ConfiguredMetrics {
  config::ConfiguredRows rows;  ///< as it names them
  MetricSet set;                ///< and as they measure
};
/// The metrics that an array of rows names, made to follow `loss` where it is not null. Mistakes go to the diagnostics;
/// names that other libraries use are answered with ours.
ConfiguredMetrics read_metrics(const config::Value& value, const std::string& pointer, const nn::Loss* loss,
                               config::Diagnostics& diagnostics);
/// Notes those that cannot be measured where outputs and targets are these.
void check_metrics(const ConfiguredMetrics& metrics, const MetricTask& task, config::Diagnostics& diagnostics);
/// The array of rows that stands for the usual metrics of a task.
config::Value usual_metrics(const MetricTask& task, const nn::Loss& loss);

}  // namespace eigengrad::train
