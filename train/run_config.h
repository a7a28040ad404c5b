// A training run as a configuration describes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/registry.h"
#include "eigengrad/config/value.h"
#include "eigengrad/data/build.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/optim/average.h"
#include "eigengrad/optim/build_schedule.h"
#include "eigengrad/optim/optimizer.h"
#include "eigengrad/train/checkpoint.h"
#include "eigengrad/train/metrics.h"
#include "eigengrad/train/stopping.h"

namespace eigengrad::train {

/// An average of the weights that takes their place when the model is validated, tested and saved.
struct AverageOptions {
  optim::EMAOptions ema;     ///< of the weights
  bool use_buffers = false;  ///< average running statistics as well
};
void describe(config::Fields& f, AverageOptions& o);

/// How batches are made and gradients treated.
struct TrainingOptions {
  std::int64_t batch_size = 64;     ///< samples in a batch
  bool shuffle = true;              ///< a new order of the samples every epoch
  bool drop_last = false;           ///< leave out a last batch that is smaller than the others
  double valid_fraction = 0.1;      ///< of the training samples, held out to validate on
  std::int64_t accumulate = 1;      ///< batches that make a step together
  std::int64_t validate_every = 0;  ///< steps after which to validate within an epoch as well; 0: at its end alone
  double clip_grad_norm = 0;        ///< gradients are scaled down to this norm; 0: never
  double clip_grad_value = 0;       ///< then no element is larger than this; 0: never
  /// A moving average of the weights, with which the model is validated and saved.
  std::optional<AverageOptions> ema{};
  Precision precision = Precision::Float32;  ///< of products and convolutions, see Autocast
  /// GiB that the run may take; what the machine has, unless given, and without a limit where it is 0.
  std::optional<double> memory_limit{};
};
void describe(config::Fields& f, TrainingOptions& o);

/// When checkpoints are written, and which weights a run ends with.
struct CheckpointsOptions {
  CheckpointOptions when;  ///< when they are written, and how many are kept
  BestOptions best{.metric = "", .mode = Mode::Auto, .restore = true};  ///< metric "": valid_loss, where it is measured
};
void describe(config::Fields& f, CheckpointsOptions& o);
/// What a run leaves beside its figures and its model.
struct ReportOptions {
  bool html = true;          ///< report.html
  bool tensorboard = false;  ///< event files in the folder tensorboard
  bool histograms = false;   ///< of the weights, in those
};
void describe(config::Fields& f, ReportOptions& o);

/// Samples in a batch that is not trained on.
inline constexpr std::int64_t kEvaluationBatch = 256;

/// Everything that a run is made of, built and checked.
struct Run {
  std::int64_t seed = 0;                        ///< of weights, order and random changes
  TrainingOptions training;                     ///< how batches are made and gradients treated
  CheckpointsOptions checkpoints;               ///< when checkpoints are written
  ReportOptions report;                         ///< what is left beside the model
  data::Source data;                            ///< what is trained and tested on
  std::optional<data::DataLoader> train;        ///< the batches of data.train, without what is held out; never nothing
  std::optional<data::DataLoader> valid;        ///< those that are held out to validate on, if any
  std::shared_ptr<nn::Module> model;            ///< what is trained
  std::shared_ptr<nn::Loss> loss;               ///< what it is to make small
  std::unique_ptr<optim::Optimizer> optimizer;  ///< how
  /// Of its learning rates, each with what its epoch is.
  std::vector<std::pair<std::unique_ptr<optim::LRScheduler>, optim::Interval>> schedules;
  std::unique_ptr<optim::EMA> average;                   ///< null unless configured
  std::vector<std::unique_ptr<StopCriterion>> stopping;  ///< the criteria
  MetricSet metrics;                                     ///< what is measured besides the loss
  config::ConfiguredRows optimizer_rows;                 ///< from which the optimizer was made
  std::int64_t data_bytes = 0;                           ///< by which the process grew when the data were read
  config::Value resolved;  ///< the configuration with every default and inferred size filled in
};

/// What check_run has found right.
struct RunCheck {
  std::vector<std::pair<std::string, std::string>> checked;  ///< a part of the configuration, and what it means
  std::vector<std::string> not_checked;                      ///< what it could not look at, and why
  std::vector<std::string> notes;                            ///< what is right and may not be what was meant
  std::int64_t parameters = 0;                               ///< of the model; 0 where it could not be built
};

/// Looks at all of a configuration without training, and leaves nothing behind. The data are read where `folder` is not
/// empty; else what their options say of them has to do. Throws as build_run.
RunCheck check_run(const config::Value& config, const std::string& source, const std::string& folder);

/// Builds a run: the parameters are those that its seed gives. `source` names the configuration in messages; `folder`
/// is where the data are, if anywhere. Throws ConfigError with all mistakes at once, also for a model whose parameters
/// the memory cannot hold, and IoError or FormatError for the data. Nothing large is read or made before the rest is
/// known to be right.
Run build_run(const config::Value& config, const std::string& source, const std::string& folder);

/// The model of a run alone, and the shape of its inputs. The data are read only where their options do not say it.
struct RunModel {
  std::shared_ptr<nn::Module> model;  ///< with the parameters that its seed gives
  Shape input;                        ///< without the batch axis
};
/// Builds it. Throws as build_run.
RunModel build_run_model(const config::Value& config, const std::string& source, const std::string& folder);

/// The parts of a run: what a configuration may hold, with what is said of each.
struct RunKey {
  const char* name;  ///< in the configuration
  const char* help;  ///< a phrase about it
  bool required;     ///< whether it must be given
  /// Its JSON Schema.
  config::Value (*schema)();
};
/// All of them, in the order of the documentation.
std::span<const RunKey> run_keys();

/// JSON Schema of a run.
config::Value run_schema();

}  // namespace eigengrad::train
