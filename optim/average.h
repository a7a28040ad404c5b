// Exponential moving averages of weights, which often do better than the weights themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "eigengrad/config/fields.h"
#include "eigengrad/optim/filter.h"
#include "eigengrad/optim/state.h"

namespace eigengrad::optim {

struct EMAOptions {
  double decay = 0.999;  ///< how much of the average stays at a step
  bool warmup = false;   ///< the decay of update n is at most (1 + n) / (10 + n): the first weights are soon forgotten
};
void describe(config::Fields& f, EMAOptions& o);

/// Averages of parameters over the steps of an optimizer, as PyTorch's AveragedModel with get_ema_multi_avg_fn (Polyak
/// and Juditsky 1992): A = W at the first update, then A ← decay·A + (1 − decay)·W.
///
///   EMA average(model.named_parameters(), {.decay = 0.99});
///   ...  optimizer.step();  average.update();
///   { const EMA::Applied applied(average);  evaluate(model, loss, loader); }
///
/// Buffers that are to be averaged as well (running statistics) may be among the parameters.
class EMA {
 public:
  /// Throws ValueError for a decay outside [0, 1] and for a name that is there twice, DtypeError unless floating.
  explicit EMA(NamedParameters parameters, const EMAOptions& options = {});

  /// Takes the present parameters into the averages.
  void update();
  /// How often it has been updated.
  std::int64_t updates() const { return updates_; }
  /// Exchanges the parameters with their averages; before the first update there is nothing to exchange.
  void swap();
  /// Keeps the averages in the parameters while it lives.
  class Applied {
   public:
    /// Null for none.
    explicit Applied(EMA* average) : average_(average) {
      if (average_) average_->swap();
    }
    /// Of an average.
    explicit Applied(EMA& average) : Applied(&average) {}
    ~Applied() {
      if (average_) average_->swap();
    }
    Applied(const Applied&) = delete;
    Applied& operator=(const Applied&) = delete;

   private:
    EMA* const average_;
  };

  /// "updates" and, once there are some, the average of every parameter, as "average.encoder.0.weight". A copy.
  StateDict state_dict() const;
  /// Takes over a state. Throws ValueError, changing nothing, with a list of all that does not fit.
  void load_state_dict(const StateDict& state);

 private:
  NamedParameters parameters_;
  const EMAOptions options_;
  std::vector<Tensor> averages_;  // none before the first update
  std::int64_t updates_ = 0;
};

}  // namespace eigengrad::optim
