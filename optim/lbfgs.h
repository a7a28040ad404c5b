// L-BFGS.
#pragma once

#include "eigengrad/optim/optimizer.h"

namespace eigengrad::optim {

/// None, or one that meets the strong Wolfe conditions.
enum class LineSearch { None, StrongWolfe };

struct LBFGSOptions {
  double lr = 1;                                 ///< length of a step, or where the search for it begins
  std::int64_t max_iter = 20;                    ///< iterations in a step
  std::optional<std::int64_t> max_eval{};        ///< max_iter·5/4 unless given
  double tolerance_grad = 1e-7;                  ///< a step ends when no gradient is larger
  double tolerance_change = 1e-9;                ///< or when no weight and not the cost change by more
  std::int64_t history_size = 100;               ///< changes of the gradient that are remembered
  LineSearch line_search_fn = LineSearch::None;  ///< how the length of a step is found
  bool maximize = false;                         ///< climb instead of descend
};
void describe(config::Fields& f, LBFGSOptions& o);

/// The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, algorithm 7.4), as in
/// PyTorch: every step() is up to max_iter iterations W ← W + t·d, with d the product of the gradient with an inverse
/// Hessian that is known from the last history_size changes of gradients. t is lr, or found by a search that ends at a
/// point with the strong conditions of Wolfe. For costs that are the same function at every call; step() needs a
/// closure. There is one group, whose parameters are all of one dtype. State: the history, the last direction, gradient
/// and cost.
class LBFGS final : public GroupedOptimizer<LBFGS, LBFGSOptions> {
 public:
  static constexpr const char* kName = "LBFGS";
  /// Throws ValueError for options out of range.
  explicit LBFGS(const std::vector<Tensor>& parameters, const Options& options = {});
  using OneGroup = void;  ///< a configuration cannot give it others
  void add_group(const std::vector<Tensor>& parameters, const Options& options) = delete;

  void step() override;
  Tensor step(const Closure& closure) override;
  bool needs_closure() const override { return true; }
  /// How often the cost has been computed.
  std::int64_t evaluations() const { return evaluations_; }

 private:
  struct Point {
    double loss = 0;
    Tensor gradient;  // of all parameters, one after another
  };
  struct Change {
    Tensor gradient, weights;
    double curvature;  // 1 / (gradient·weights)
  };
  class WolfeSearch;

  Point evaluate(const Closure& closure, Tensor* cost = nullptr);
  Tensor gathered_gradient() const;
  void move(double step, const Tensor& direction);
  void remember(const Tensor& gradient);
  Tensor newton_direction(const Tensor& gradient) const;
  bool iterate(const Closure& closure, Point& here, std::int64_t iteration, std::int64_t& left);
  void save_more(StateDict& state) const override;
  std::function<void()> load_more(StateReader& reader) override;

  std::vector<Change> history_;
  Tensor direction_, gradient_;  // of the last iteration
  double step_size_ = 0, scale_ = 1, loss_ = 0;
  std::int64_t iterations_ = 0, evaluations_ = 0;
};

}  // namespace eigengrad::optim
