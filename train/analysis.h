// What can be said of a trained model by looking at its answers and at its time: the matter of a report.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "eigengrad/nn/summary.h"
#include "eigengrad/train/metrics.h"
#include "eigengrad/train/run_config.h"

namespace eigengrad::train {

/// A label that was not predicted.
struct Mistake {
  std::int64_t sample;            ///< its number in the data set
  std::int64_t label, predicted;  ///< what it was, and what was said
  double probability;             ///< of what was predicted: the softmax of the outputs
  double label_probability;       ///< of what it was
};

/// One test sample of a sequence of labels: what came, and what had been expected.
struct SequenceExample {
  std::vector<std::int64_t> labels, predicted;  ///< what had been expected, and what was said
  std::vector<double> probabilities;            ///< of the labels
};

/// The answers of a model to a data set.
struct Answers {
  std::int64_t samples = 0;         ///< how many were asked about
  std::int64_t classes = 0;         ///< 0 unless there is a confusion matrix
  std::vector<double> confusion{};  ///< [classes, classes]: how often each (row) was predicted as each (column)
  std::vector<Mistake> mistakes{};  ///< the most confident first; for one label a sample
  std::vector<SequenceExample> sequences{};               ///< a few, where a sample has a sequence of labels
  std::vector<std::vector<double>> targets{}, outputs{};  ///< for a few numbers a sample: a list for each of them

  /// The counts of one class.
  ClassCounts counts(std::int64_t label) const;
};

/// How much of the answers is kept.
struct AnswerLimits {
  /// Samples of each kind, and numbers of a sample.
  std::size_t mistakes = 36, sequences = 2, points = 1500, numbers = 4;
};
/// Runs the model over a data set, in eval mode.
Answers collect_answers(nn::Module& model, const nn::Loss& loss, const data::DatasetPtr& dataset,
                        const AnswerLimits& limits = {});

/// Seconds of one training step that a module takes, with the modules below it.
struct ModuleTime {
  double forward = 0, backward = 0;  ///< of the two passes
};
/// The time of one training step.
struct StepProfile {
  std::int64_t batch = 0;           ///< samples in it
  double seconds = 0;               ///< of forward and backward, of which the modules' times are parts
  std::vector<ModuleTime> modules;  ///< as the rows of nn::summary
};
/// Forward, cost and backward of a batch, on a copy of a model, as a run trains it: done whenever it is called.
std::function<void()> step_on_copy(const nn::Module& model, const Run& run, data::Batch batch);

/// Measures forward, cost and backward of a batch of training samples, on a copy of the model. Takes about half a
/// second, or two steps.
StepProfile profile_step(const Run& run, const nn::Summary& summary);

}  // namespace eigengrad::train
