#include "eigengrad/train/metrics.h"

#include <array>
#include <cmath>
#include <numeric>

#include "eigengrad/config/noting.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::train {
namespace {

using config::Value;

// The shape of one sample of a batch.
Shape sample_shape(const Tensor& batch) {
  Shape shape = batch.shape();
  if (!shape.empty()) shape.erase(0);
  return shape;
}

// The difference of outputs and targets, in float64.
Tensor difference(const Tensor& output, const Tensor& target) { return to(output, kFloat64) - to(target, kFloat64); }

std::optional<double> ratio(double part, double whole) {
  return whole > 0 ? std::optional(part / whole) : std::nullopt;
}

double or_zero(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Calls f(predicted class, label) for every label that counts.
template <class F>
void for_each_label(const Tensor& output, const Tensor& target, std::int64_t ignore_index, F f) {
  const std::int64_t classes = output.size(1);
  const std::vector<std::int64_t> predictions = argmax(output, 1).to_vector<std::int64_t>();
  const std::vector<std::int64_t> labels = target.to_vector<std::int64_t>();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == ignore_index) continue;
    EG_CHECK(labels[i] >= 0 && labels[i] < classes, IndexError, "found the label {}, expected one in [0, {})",
             labels[i], classes);
    f(static_cast<std::size_t>(predictions[i]), static_cast<std::size_t>(labels[i]));
  }
}

// Losses whose inputs are not in the unit of their targets, so that a difference says nothing.
bool compares_other_units(const std::string& loss) {
  static constexpr std::array kLosses{"CrossEntropyLoss",   "NLLLoss",         "KLDivLoss",
                                      "PoissonNLLLoss",     "SoftMarginLoss",  "MultiLabelSoftMarginLoss",
                                      "HingeEmbeddingLoss", "MultiMarginLoss", "MultiLabelMarginLoss"};
  return std::find(kLosses.begin(), kLosses.end(), loss) != kLosses.end();
}

}  // namespace

// ---- One metric, and several.

void Metric::update(const Tensor& output, const Tensor& target) {
  const std::string why = misfit({sample_shape(output), sample_shape(target), target.dtype()});
  EG_CHECK(why.empty(), ValueError, "[{}] cannot be measured here: {}", name(), why);
  EG_CHECK(output.dim() > 0 && target.dim() > 0 && output.size(0) == target.size(0), ShapeError,
           "[{}] found outputs {} and targets {}, expected as many of both", name(), output.shape(), target.shape());
  if (target.numel() > 0) add(output, target);
}

void Metric::throw_other_extent() const {
  throw ShapeError(fmt::format("[{}] the outputs have other extents than those before them", name()));
}

MetricSet MetricSet::usual(const nn::Loss& loss) {
  MetricSet set;
  const std::string type = loss.type_name();
  set.add(std::make_unique<Accuracy>());
  if (type == "BCELoss" || type == "BCEWithLogitsLoss") {
    set.add(std::make_unique<BinaryAccuracy>());
  } else if (!compares_other_units(type)) {
    set.add(std::make_unique<MeanAbsoluteError>());
    set.add(std::make_unique<RootMeanSquaredError>());
  }
  set.follow(loss);
  set.usual_ = true;
  return set;
}

MetricSet::MetricSet(const MetricSet& other) : usual_(other.usual_) {
  for (const auto& metric : other.metrics_) metrics_.push_back(metric->clone());
}

MetricSet& MetricSet::operator=(MetricSet other) noexcept {
  metrics_ = std::move(other.metrics_);
  usual_ = other.usual_;
  return *this;
}

void MetricSet::add(std::unique_ptr<Metric> metric) {
  EG_CHECK(metric, ValueError, "[MetricSet] found null, expected a metric");
  const std::string name = metric->name();
  for (const char* taken : {"epoch", "step", "seconds", "loss", "grad_norm", "lr"})
    EG_CHECK(name != taken, ValueError, "[MetricSet] the name '{}' is taken", name);
  for (const auto& other : metrics_)
    EG_CHECK(other->name() != name, ValueError, "[MetricSet] there is a metric '{}' already", name);
  metrics_.push_back(std::move(metric));
}

void MetricSet::follow(const nn::Loss& loss) {
  for (const auto& metric : metrics_) metric->follow(loss);
}

void MetricSet::update(const Tensor& output, const Tensor& target) {
  if (metrics_.empty()) return;
  const TracedPart part("metrics");
  const NoGrad no_grad;
  const MetricTask task{sample_shape(output), sample_shape(target), target.dtype()};
  for (const auto& metric : metrics_)
    if (!usual_ || metric->misfit(task).empty()) metric->update(output, target);
}

void MetricSet::write_values(std::map<std::string, double>& values, const std::string& prefix) const {
  for (const auto& metric : metrics_)
    if (const std::optional<double> value = metric->value()) values[prefix + metric->name()] = *value;
}

MetricTables MetricSet::tables() const {
  MetricTables all;
  for (const auto& metric : metrics_)
    for (auto& table : metric->tables()) all.push_back(std::move(table));
  return all;
}

void MetricSet::reset() {
  for (const auto& metric : metrics_) metric->reset();
}

void MetricSet::visit_state(optim::StateFields& fields) {
  for (const auto& metric : metrics_) fields.within(metric->name() + ".", [&] { metric->visit_state(fields); });
}

// ---- Of labels.

std::string label_misfit(const MetricTask& task) {
  if (task.target_dtype != kInt64)
    return fmt::format("it needs labels (int64) as targets, but they are {}", task.target_dtype);
  Shape one_class = task.output;
  if (!one_class.empty()) one_class.erase(0);
  if (task.output.empty() || task.output[0] < 1 || one_class != task.target)
    return fmt::format(
        "it needs an output for every class of every label, but a sample's output is {} and its target {}", task.output,
        task.target);
  return "";
}

std::int64_t ignored_label(const nn::Loss& loss) {
  if (const auto* cross_entropy = dynamic_cast<const nn::CrossEntropyLoss*>(&loss))
    return cross_entropy->options().ignore_index;
  if (const auto* likelihood = dynamic_cast<const nn::NLLLoss*>(&loss)) return likelihood->options().ignore_index;
  return kIgnoreIndex;
}

void Accuracy::add(const Tensor& output, const Tensor& target) {
  std::vector<double>& sums = sums_of(2);
  for_each_label(output, target, ignore_index_, [&](std::size_t prediction, std::size_t label) {
    sums[0] += prediction == label;
    ++sums[1];
  });
}

std::optional<double> Accuracy::compute() const { return ratio(sums_[0], sums_[1]); }

TopKAccuracy::TopKAccuracy(Options options) : LabelMetric(options) {
  EG_CHECK(options.k >= 1, ValueError, "[top_k_accuracy] k is {}, expected at least 1", options.k);
}

std::string TopKAccuracy::name() const { return fmt::format("top{}_accuracy", options_.k); }

std::string TopKAccuracy::misfit(const MetricTask& task) const {
  const std::string why = label_misfit(task);
  if (!why.empty() || options_.k <= task.output[0]) return why;
  return fmt::format("k is {}, but there are {} classes", options_.k, task.output[0]);
}

void TopKAccuracy::add(const Tensor& output, const Tensor& target) {
  std::vector<double>& sums = sums_of(2);
  const Tensor counts = target != ignore_index_;
  const Tensor found = any(topk(output, options_.k, 1).indices == unsqueeze(target, 1), {1});
  sums[0] += sum(logical_and(found, counts)).item();
  sums[1] += sum(counts).item();
}

std::optional<double> TopKAccuracy::compute() const { return ratio(sums_[0], sums_[1]); }

double precision_of(const ClassCounts& counts) { return or_zero(counts.right, counts.predicted); }
double recall_of(const ClassCounts& counts) { return or_zero(counts.right, counts.actual); }
double f1_of(const ClassCounts& counts) { return or_zero(2 * counts.right, counts.predicted + counts.actual); }

template <class Self>
std::string ClassMetric<Self>::name() const {
  switch (this->options_.average) {
    case ClassAverage::Macro: break;
    case ClassAverage::Micro: return std::string(Self::kName) + "_micro";
    case ClassAverage::Weighted: return std::string(Self::kName) + "_weighted";
    case ClassAverage::Binary: return std::string(Self::kName) + "_binary";
  }
  return Self::kName;
}

template <class Self>
std::string ClassMetric<Self>::misfit(const MetricTask& task) const {
  const std::string why = label_misfit(task);
  if (!why.empty() || this->options_.average != ClassAverage::Binary || task.output[0] == 2) return why;
  return fmt::format("the average 'binary' is for two classes, but there are {}", task.output[0]);
}

// The sums are those of ClassCounts, for all classes in turn.
template <class Self>
void ClassMetric<Self>::add(const Tensor& output, const Tensor& target) {
  const auto classes = static_cast<std::size_t>(output.size(1));
  std::vector<double>& sums = this->sums_of(3 * classes);
  for_each_label(output, target, this->ignore_index_, [&](std::size_t prediction, std::size_t label) {
    if (prediction == label) ++sums[label];
    ++sums[classes + prediction];
    ++sums[2 * classes + label];
  });
}

template <class Self>
ClassCounts ClassMetric<Self>::counts(std::size_t label) const {
  const std::size_t classes = this->sums_.size() / 3;
  return {this->sums_[label], this->sums_[classes + label], this->sums_[2 * classes + label]};
}

template <class Self>
std::optional<double> ClassMetric<Self>::compute() const {
  const std::size_t classes = this->sums_.size() / 3;
  const ClassAverage average = this->options_.average;
  if (average == ClassAverage::Binary) return classes == 2 ? std::optional(Self::figure(counts(1))) : std::nullopt;
  ClassCounts all;
  double figures = 0, weights = 0;
  for (std::size_t label = 0; label < classes; ++label) {
    const ClassCounts one = counts(label);
    const double weight = average == ClassAverage::Weighted ? one.actual : one.predicted + one.actual > 0;
    figures += weight * Self::figure(one);
    weights += weight;
    all = {all.right + one.right, all.predicted + one.predicted, all.actual + one.actual};
  }
  if (average != ClassAverage::Micro) return ratio(figures, weights);
  return all.actual > 0 ? std::optional(Self::figure(all)) : std::nullopt;
}

template <class Self>
MetricTables ClassMetric<Self>::tables() const {
  const std::size_t classes = this->sums_.size() / 3;
  if (classes == 0) return {};
  std::vector<double> figures;
  for (std::size_t label = 0; label < classes; ++label) figures.push_back(Self::figure(counts(label)));
  return {{std::string(Self::kName) + "_per_class", tensor(figures, {static_cast<std::int64_t>(classes)})}};
}

template class ClassMetric<PrecisionScore>;
template class ClassMetric<RecallScore>;
template class ClassMetric<F1Score>;

std::string ConfusionMatrix::misfit(const MetricTask& task) const {
  const std::string why = label_misfit(task);
  if (!why.empty() || task.output[0] <= kMostClasses) return why;
  return fmt::format("it is for {} classes at most, but there are {}", kMostClasses, task.output[0]);
}

void ConfusionMatrix::add(const Tensor& output, const Tensor& target) {
  const auto classes = static_cast<std::size_t>(output.size(1));
  std::vector<double>& sums = sums_of(classes * classes);
  for_each_label(output, target, ignore_index_,
                 [&](std::size_t prediction, std::size_t label) { ++sums[label * classes + prediction]; });
}

MetricTables ConfusionMatrix::tables() const {
  if (sums_.empty()) return {};
  const auto classes = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(sums_.size()))));
  return {{"confusion_matrix", tensor(sums_, {classes, classes})}};
}

bool ConfusionMatrix::is_length(std::size_t length) {
  const auto classes = static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(length))));
  return classes <= static_cast<std::size_t>(kMostClasses) && classes * classes == length;
}

void Perplexity::add(const Tensor& output, const Tensor& target) {
  std::vector<double>& sums = sums_of(2);
  sums[0] +=
      cross_entropy(to(output, kFloat64), target, {.ignore_index = ignore_index_, .reduction = Reduction::Sum}).item();
  sums[1] += sum(target != ignore_index_).item();
}

std::optional<double> Perplexity::compute() const {
  return sums_[1] > 0 ? std::optional(std::exp(sums_[0] / sums_[1])) : std::nullopt;
}

// ---- Of numbers.

std::string number_misfit(const MetricTask& task) {
  if (task.output == task.target) return "";
  return fmt::format("it needs outputs of the shape of the targets, but a sample's output is {} and its target {}",
                     task.output, task.target);
}

void BinaryAccuracy::follow(const nn::Loss& loss) {
  if (!options_.threshold) threshold_ = loss.type_name() == "BCEWithLogitsLoss" ? 0 : 0.5;
}

void BinaryAccuracy::add(const Tensor& output, const Tensor& target) {
  std::vector<double>& sums = sums_of(2);
  sums[0] += sum((output > threshold_) == (to(target, kFloat64) > 0.5)).item();
  sums[1] += static_cast<double>(target.numel());
}

std::optional<double> BinaryAccuracy::compute() const { return ratio(sums_[0], sums_[1]); }

Tensor MeanAbsoluteError::cost(const Tensor& difference) { return abs(difference); }
Tensor MeanSquaredError::cost(const Tensor& difference) { return square(difference); }

template <class Self>
void ErrorMetric<Self>::add(const Tensor& output, const Tensor& target) {
  std::vector<double>& sums = this->sums_of(2);
  sums[0] += sum(Self::cost(difference(output, target))).item();
  sums[1] += static_cast<double>(target.numel());
}

template <class Self>
std::optional<double> ErrorMetric<Self>::compute() const {
  return this->sums_[1] > 0 ? std::optional(Self::of_mean(this->sums_[0] / this->sums_[1])) : std::nullopt;
}

template class ErrorMetric<MeanAbsoluteError>;
template class ErrorMetric<MeanSquaredError>;
template class ErrorMetric<RootMeanSquaredError>;

// The sums are the number of samples; then, for each number of a sample, the mean of the targets, the sum of squares
// about it, and the sum of squares of what is missed. Batches are joined as in Chan, Golub and LeVeque (1979), so that
// nothing cancels.
void R2Score::add(const Tensor& output, const Tensor& target) {
  const std::int64_t samples = target.size(0), numbers = target.numel() / samples;
  const auto width = static_cast<std::size_t>(numbers);
  std::vector<double>& sums = sums_of(1 + 3 * width);
  const Tensor y = reshape(to(target, kFloat64), {samples, numbers}), center = mean(y, {0});
  const std::vector<double> means = center.to_vector<double>(),
                            about = sum(square(y - center), {0}).to_vector<double>(),
                            missed = sum(square(reshape(difference(output, target), {samples, numbers})), {0})
                                         .to_vector<double>();
  const double before = sums[0], added = static_cast<double>(samples), all = before + added;
  sums[0] = all;
  for (std::size_t i = 0; i < width; ++i) {
    const double step = means[i] - sums[1 + i];
    sums[1 + i] += step * added / all;
    sums[1 + width + i] += about[i] + step * step * before * added / all;
    sums[1 + 2 * width + i] += missed[i];
  }
}

std::optional<double> R2Score::compute() const {
  if (sums_[0] < 2) return std::nullopt;
  const std::size_t width = (sums_.size() - 1) / 3;
  double total = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const double about = sums_[1 + width + i], missed = sums_[1 + 2 * width + i];
    total += about > 0 ? 1 - missed / about : missed > 0 ? 0 : 1;
  }
  return total / static_cast<double>(width);
}

// ---- From a configuration.

namespace {

void describe_ignore_index(config::Fields& f, std::optional<std::int64_t>& ignore_index) {
  f("ignore_index", ignore_index, {.help = "a label to pass over; null: the one that the loss passes over"});
}

}  // namespace

void describe(config::Fields& f, LabelOptions& o) { describe_ignore_index(f, o.ignore_index); }
void describe(config::Fields& f, TopKAccuracyOptions& o) {
  f("k", o.k, {.help = "how many of the largest outputs count", .min = 1});
  describe_ignore_index(f, o.ignore_index);
}
void describe(config::Fields& f, ClassMetricOptions& o) {
  f.choice<ClassAverage>(
      "average", o.average,
      {{"macro", ClassAverage::Macro},
       {"micro", ClassAverage::Micro},
       {"weighted", ClassAverage::Weighted},
       {"binary", ClassAverage::Binary}},
      {.help = "how the classes become one figure: their mean, all labels together, weighted by how often each is the "
               "target, or class 1 of two"});
  describe_ignore_index(f, o.ignore_index);
}
void describe(config::Fields& f, BinaryAccuracyOptions& o) {
  f("threshold", o.threshold, {.help = "outputs above it stand for 1; null: 0 behind BCEWithLogitsLoss, else 0.5"});
}

namespace {

template <class M>
void add(MetricTable& table, std::string name, std::string help) {
  using Options = typename M::Options;
  table.add<Options>(std::move(name), std::move(help), {[](const void* options) -> std::unique_ptr<Metric> {
                       return std::make_unique<M>(*static_cast<const Options*>(options));
                     }});
}

MetricTable make_metrics() {
  MetricTable table("metric");
  add<Accuracy>(table, "accuracy", "the share of the labels that have the largest output");
  add<TopKAccuracy>(table, "top_k_accuracy", "the share of the labels that are among the k largest outputs");
  add<PrecisionScore>(table, "precision", "right predictions of a class, as a share of all predictions of it");
  add<RecallScore>(table, "recall", "right predictions of a class, as a share of all labels of it");
  add<F1Score>(table, "f1", "the harmonic mean of precision and recall");
  add<ConfusionMatrix>(table, "confusion_matrix", "how often each class was predicted as each: a table, no number");
  add<Perplexity>(table, "perplexity", "e to the mean cross entropy of the labels");
  add<BinaryAccuracy>(table, "binary_accuracy",
                      "the share of targets 0 and 1 on whose side of a threshold outputs are");
  add<MeanAbsoluteError>(table, "mae", "the mean absolute error");
  add<MeanSquaredError>(table, "mse", "the mean squared error");
  add<RootMeanSquaredError>(table, "rmse", "the root of the mean squared error");
  add<R2Score>(table, "r2", "the coefficient of determination, 1 - unexplained / total variance");
  return table;
}

// What other libraries call our metrics, without case, '_' and spaces.
std::string name_elsewhere(const std::string& name) {
  static const std::map<std::string, const char*> names{{"acc", "accuracy"},
                                                        {"categoricalaccuracy", "accuracy"},
                                                        {"sparsecategoricalaccuracy", "accuracy"},
                                                        {"multiclassaccuracy", "accuracy"},
                                                        {"topk", "top_k_accuracy"},
                                                        {"topkaccuracyscore", "top_k_accuracy"},
                                                        {"topkcategoricalaccuracy", "top_k_accuracy"},
                                                        {"sparsetopkcategoricalaccuracy", "top_k_accuracy"},
                                                        {"precisionscore", "precision"},
                                                        {"multiclassprecision", "precision"},
                                                        {"recallscore", "recall"},
                                                        {"multiclassrecall", "recall"},
                                                        {"sensitivity", "recall"},
                                                        {"f1score", "f1"},
                                                        {"multiclassf1score", "f1"},
                                                        {"fscore", "f1"},
                                                        {"confusion", "confusion_matrix"},
                                                        {"multiclassconfusionmatrix", "confusion_matrix"},
                                                        {"ppl", "perplexity"},
                                                        {"meanabsoluteerror", "mae"},
                                                        {"l1", "mae"},
                                                        {"meansquarederror", "mse"},
                                                        {"rootmeansquarederror", "rmse"},
                                                        {"r2score", "r2"},
                                                        {"rsquared", "r2"},
                                                        {"r^2", "r2"},
                                                        {"r²", "r2"}};
  std::string plain;
  for (const char c : name)
    if (c != '_' && c != ' ' && c != '-') plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto found = names.find(plain);
  return found == names.end() ? "" : found->second;
}

// Answers a name of another library with ours; true when it has.
bool told_our_name(const Value& row, const std::string& pointer, config::Diagnostics& diagnostics) {
  const Value* const type = row.as_string() ? &row : row.find("type");
  if (!type || !type->as_string() || metrics().find(*type->as_string())) return false;
  const std::string ours = name_elsewhere(*type->as_string());
  if (ours.empty()) return false;
  diagnostics.add(row.as_string() ? pointer : config::pointer_to(pointer, std::string_view("type")), type->position(),
                  fmt::format("unknown metric '{}': here it is '{}'", *type->as_string(), ours));
  return true;
}

}  // namespace

const MetricTable& metrics() {
  static const MetricTable table = make_metrics();
  return table;
}

ConfiguredMetrics read_metrics(const Value& value, const std::string& pointer, const nn::Loss* loss,
                               config::Diagnostics& diagnostics) {
  ConfiguredMetrics result;
  const Value::Array* const list = value.as_array();
  if (!list) {
    diagnostics.add(pointer, value.position(),
                    fmt::format("found {}, expected an array of metrics", value.description()));
    return result;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = config::pointer_to(pointer, i);
    if (told_our_name((*list)[i], place, diagnostics)) continue;
    std::shared_ptr<config::Configured> row = metrics().read((*list)[i], place, diagnostics);
    if (!row) continue;
    config::noting(diagnostics, place, row->position, [&] {
      result.set.add(metrics().functions(*row).make(row->options.get()));
      result.rows.push_back(row);
    });
  }
  if (loss) result.set.follow(*loss);
  return result;
}

void check_metrics(const ConfiguredMetrics& metrics, const MetricTask& task, config::Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < metrics.rows.size(); ++i) {
    const Metric& metric = *metrics.set.metrics()[i];
    const std::string why = metric.misfit(task);
    if (!why.empty())
      diagnostics.add(metrics.rows[i]->pointer, metrics.rows[i]->position,
                      fmt::format("'{}' cannot be measured here: {}", metric.name(), why));
  }
}

Value usual_metrics(const MetricTask& task, const nn::Loss& loss) {
  Value names = Value::array();
  const MetricSet usual = MetricSet::usual(loss);
  for (const auto& metric : usual.metrics())
    if (metric->misfit(task).empty()) names.push_back(metric->name());
  return names;
}

}  // namespace eigengrad::train
