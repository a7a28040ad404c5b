// The training loop: forward, cost, backward, update, until a stopping criterion is met.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/data/loader.h"
#include "eigengrad/nn/loss.h"
#include "eigengrad/nn/module.h"
#include "eigengrad/optim/average.h"
#include "eigengrad/optim/build_schedule.h"
#include "eigengrad/optim/optimizer.h"
#include "eigengrad/optim/state.h"
#include "eigengrad/train/metrics.h"
#include "eigengrad/train/stopping.h"

namespace eigengrad::train {

/// What a pass over a data set gave.
struct Evaluation {
  double loss = 0;                        ///< mean over the samples
  std::map<std::string, double> metrics;  ///< by name, without the loss
  MetricTables tables;                    ///< results that are more than one number
  std::int64_t samples = 0;               ///< how many were in the data set
  bool stopped = false;                   ///< before its end
};

/// Runs the model over every batch of a loader, in eval mode and without recording a graph, and measures the usual
/// metrics, or those given. The mode is put back.
Evaluation evaluate(nn::Module& model, nn::Loss& loss, const data::DataLoader& loader);
/// `stop`, if there is one, is asked before each batch; when it says so the result is `stopped` and has no figures.
Evaluation evaluate(nn::Module& model, nn::Loss& loss, const data::DataLoader& loader, MetricSet metrics,
                    const std::function<bool()>& stop = {});

/// The metrics of an epoch, as they were at its end.
struct EpochRecord {
  std::int64_t epoch;                     ///< from 1
  std::int64_t step;                      ///< optimizer steps taken in all
  double seconds;                         ///< of training so far
  std::map<std::string, double> metrics;  ///< of the epoch, as those of TrainState
};

/// The model as it was when a metric was best, see Trainer::keep_best.
struct BestModel {
  std::string metric;        ///< which was looked at
  double value;              ///< its best value
  std::int64_t epoch;        ///< in which it was measured, from 1
  std::int64_t step;         ///< in which it was measured
  optim::StateDict weights;  ///< a copy of the model's state_dict, with the averages in place if there are any
};

/// How training ended.
struct FitResult {
  StopReason stopped_by;             ///< the criterion that held
  std::vector<EpochRecord> history;  ///< a record for each epoch
  TrainState state;                  ///< as training ended
  std::optional<BestModel> best;     ///< where keep_best asked for it
  bool restored_best = false;        ///< whether the model has the best weights now
};

/// Follows a training run. Every function has an empty default. All are called when the criteria have looked.
///
///   struct PrintLoss : train::Callback {
///     void on_epoch_end(const train::EpochRecord& record) override {
///       std::cout << record.epoch << ": " << record.metrics.at("loss") << "\n";
///     }
///   };
class Callback {
 public:
  virtual ~Callback() = default;
  /// Training begins, or goes on; an epoch has so many steps.
  virtual void on_fit_begin(std::int64_t /*steps_per_epoch*/) {}
  /// A step has been made, and the model validated if it was time.
  virtual void on_step_end(const TrainState&) {}
  /// An epoch has ended.
  virtual void on_epoch_end(const EpochRecord&) {}
  /// Before the best weights are restored.
  virtual void on_fit_end(const FitResult&) {}
  /// Visits the numbers that it remembers, which a resumed run needs.
  virtual void describe_state(optim::StateFields&) {}
};

/// Which weights are the best.
struct BestOptions {
  std::string metric = "valid_loss";  ///< by name
  Mode mode = Mode::Auto;             ///< whether small or large values are good
  bool restore = true;                ///< give them to the model when training has ended
};

struct TrainerOptions {
  double clip_grad_norm = 0;   ///< gradients are scaled down to this norm when they exceed it; 0: never
  double clip_grad_value = 0;  ///< then every element is limited to this; 0: never
  /// Batches that make a step together: k of b samples give what one of k·b gives, in the memory of one of b. The last
  /// step of an epoch has those that are left.
  std::int64_t accumulate = 1;
  std::int64_t validate_every = 0;  ///< steps after which to validate within an epoch as well; 0: at its end alone
  /// With what the model multiplies while it is trained and validated, see Autocast.
  Precision precision = Precision::Float32;
};

/// Trains a model:
///
///   Trainer trainer(model, loss, optimizer);
///   trainer.stop_when<MaxEpochs>({.epochs = 10}).stop_when<TargetMetric>({.target = 0.98});
///   FitResult result = trainer.fit(train_loader, &valid_loader);
///
/// An optimizer that computes the cost more than once in a step (LBFGS) gets the same batches each time.
/// It stops as soon as any of its criteria holds, and always, before the parameters are touched, when the loss or a
/// gradient is not finite: the reason names the op and the module that made the first such value.
class Trainer {
 public:
  /// Of parts that must live as long.
  Trainer(nn::Module& model, nn::Loss& loss, optim::Optimizer& optimizer, TrainerOptions options = {});

  /// Ends training when this holds, or any other.
  Trainer& stop_when(std::unique_ptr<StopCriterion> criterion);
  template <class Criterion>
  Trainer& stop_when(typename Criterion::Options options) {
    return stop_when(std::make_unique<Criterion>(std::move(options)));
  }
  /// Has training followed.
  Trainer& add_callback(std::unique_ptr<Callback> callback);
  /// Has a schedule go on after every epoch or step; one that needs a metric gets it as it is then. Several take turns
  /// in the order in which they were added.
  Trainer& add_schedule(optim::LRScheduler& schedule, optim::Interval interval = optim::Interval::Epoch);
  /// Has averages of the weights follow every step, and validates with them in place of the weights.
  Trainer& average_with(optim::EMA& average);

  /// Has a metric measured over the training batches of every epoch, and over the validation data. Without any it is
  /// the usual ones: see MetricSet::usual. Throws ValueError for a name that is taken.
  Trainer& add_metric(std::unique_ptr<Metric> metric);
  template <class M>
  Trainer& add_metric(typename M::Options options = {}) {
    return add_metric(std::make_unique<M>(std::move(options)));
  }
  /// Has these metrics measured and no others.
  Trainer& measure(MetricSet metrics);

  /// Has the weights kept with which a metric was best, and given to the model in the end, unless a signal ended
  /// training. The metric is looked at when it is new, see new_value.
  Trainer& keep_best(BestOptions options = {});

  /// Trains until a criterion holds, and evaluates on `valid`, if given, at the end of every epoch. Throws ValueError
  /// when there is no criterion (training would not end) or nothing to train on.
  FitResult fit(data::DataLoader& train, const data::DataLoader* valid = nullptr);

  /// Between two steps, all that training needs to go on from there with the same bits, but for the model's own
  /// state_dict: where it stands, sums of metrics, history, random numbers, and the states of optimizer, schedules,
  /// averages, criteria and callbacks; the best weights under "best.weights.". A copy.
  optim::StateDict state_dict() const;
  /// Takes over a state: the next fit() goes on from there, and needs the same loaders, criteria and so on. Throws
  /// ValueError, changing nothing, with a list of all that does not fit.
  void load_state_dict(const optim::StateDict& state);
  /// What training has come to.
  const TrainState& state() const { return state_; }
  /// A record for each epoch that has ended.
  const std::vector<EpochRecord>& history() const { return history_; }
  /// The best weights so far, where keep_best asked for them.
  const std::optional<BestModel>& best() const { return best_; }
  /// Why it stops, once a criterion has held.
  const std::optional<StopReason>& stopped_by() const { return stopped_by_; }
  /// Ends training that has stopped: gives the model its best weights, if they are to be restored. fit() does so.
  FitResult finish(StopReason reason);

 private:
  void run_epoch(data::DataLoader& train, const data::DataLoader* valid);
  using Window = std::vector<data::Batch>;
  struct Gradients;

  void run_step(const Window& window, const data::DataLoader* valid);
  Gradients compute_gradients(const Window& window, MetricSet* metrics);
  void add_figures(const Gradients& gradients);
  void step_schedules(optim::Interval interval);
  void validate(const data::DataLoader& valid);
  void look();
  void note_best();
  double seconds() const;
  void describe_state(optim::StateFields& f);
  void load_parts(const optim::StateDict& state);
  StopReason explain_nonfinite(std::span<const data::Batch> batches, std::uint64_t random_offset,
                               const std::string& what);

  nn::Module& model_;
  nn::Loss& loss_;
  optim::Optimizer& optimizer_;
  const TrainerOptions options_;
  std::vector<std::unique_ptr<StopCriterion>> criteria_;
  std::vector<std::unique_ptr<Callback>> callbacks_;
  std::vector<std::pair<optim::LRScheduler*, optim::Interval>> schedules_;
  optim::EMA* average_ = nullptr;
  MetricSet metrics_;
  std::optional<BestOptions> keep_best_;

  std::vector<Tensor> parameters_;
  bool resumed_ = false;  // a state was loaded, from which the next fit() goes on
  TrainState state_;
  std::vector<EpochRecord> history_;
  std::optional<BestModel> best_;
  std::optional<StopReason> stopped_by_;
  std::chrono::steady_clock::time_point started_;
  double seconds_before_ = 0;
  // Of the present epoch.
  std::int64_t epoch_batches_ = 0;  // that it has
  std::int64_t batches_done_ = 0, samples_ = 0, steps_ = 0;
  double loss_sum_ = 0, grad_norm_sum_ = 0;
};

}  // namespace eigengrad::train
