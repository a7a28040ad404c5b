#include "eigengrad/optim/lbfgs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"
#include "eigengrad/optim/describe.h"

namespace eigengrad::optim {
namespace {

double product(const Tensor& a, const Tensor& b) { return dot(a, b).item(); }
double largest(const Tensor& x) { return max(abs(x)).item(); }

}  // namespace

void describe(config::Fields& f, LBFGSOptions& o) {
  f("lr", o.lr, {.help = "length of a step, or where the search for it begins", .min = 0});
  f("max_iter", o.max_iter, {.help = "iterations in a step", .min = 1});
  f("max_eval", o.max_eval, {.help = "computations of the cost in a step; unless given max_iter * 5/4", .min = 1});
  f("tolerance_grad", o.tolerance_grad, {.help = "a step ends when no gradient is larger", .min = 0});
  f("tolerance_change", o.tolerance_change, {.help = "or when no weight and not the cost change by more", .min = 0});
  f("history_size", o.history_size, {.help = "changes of the gradient that are remembered", .min = 1});
  f.choice<LineSearch>("line_search_fn", o.line_search_fn,
                       {{"none", LineSearch::None}, {"strong_wolfe", LineSearch::StrongWolfe}},
                       {.help = "how the length of a step is found"});
  describe_maximize(f, o.maximize);
}

LBFGS::LBFGS(const std::vector<Tensor>& parameters, const Options& options) : GroupedOptimizer(parameters, options) {
  for (const Tensor& parameter : parameters)
    EG_CHECK(parameter.dtype() == parameters[0].dtype(), DtypeError,
             "[LBFGS] parameters are {} and {}, expected one dtype", parameters[0].dtype(), parameter.dtype());
}

void LBFGS::step() {
  throw Error(
      "[LBFGS] step() needs a function that computes the cost and its gradients: step([&] { ...; return cost; })");
}

Tensor LBFGS::gathered_gradient() const {
  std::vector<Tensor> parts;
  for (const Slot& slot : slots()) {
    const Tensor grad = slot.parameter.grad();
    const Dtype dtype = state_dtype(slot.parameter);
    parts.push_back(grad.defined() ? to(flatten(grad), dtype) : zeros({slot.parameter.numel()}, dtype));
  }
  Tensor gradient = cat(parts);
  if (options().maximize) neg_(gradient);
  return gradient;
}

LBFGS::Point LBFGS::evaluate(const Closure& closure, Tensor* cost) {
  const Tensor value = [&] {
    const GradMode recording(true);
    return closure();
  }();
  ++evaluations_;
  if (cost) *cost = value;
  return {options().maximize ? -value.item() : value.item(), gathered_gradient()};
}

void LBFGS::move(double step, const Tensor& direction) {
  std::int64_t offset = 0;
  for (const Slot& slot : slots()) {
    Tensor parameter = slot.parameter;
    add_(parameter, reshape(narrow(direction, 0, offset, parameter.numel()), parameter.shape()), step);
    offset += parameter.numel();
  }
}

// Finds a step along a direction by bracketing a point with the strong conditions of Wolfe and closing in on it with
// cubic interpolation (Nocedal and Wright, algorithms 3.5 and 3.6, as in minFunc and PyTorch).
class LBFGS::WolfeSearch {
 public:
  WolfeSearch(LBFGS& owner, const Closure& closure, const Tensor& direction, const Point& start, double slope,
              std::int64_t evaluations)
      : owner_(owner),
        closure_(closure),
        direction_(direction),
        start_{0, start, slope},
        most_(evaluations),
        reach_(largest(direction)) {
    for (const Slot& slot : owner.slots()) weights_.push_back(copy_of(slot.parameter));
  }

  struct Sample {
    double step = 0;
    Point point;
    double slope = 0;  // along the direction
  };

  Sample run(double first_step) {
    if (!bracket(first_step)) close_in();
    return bracket_[low_];
  }

 private:
  static constexpr double kArmijo = 1e-4, kCurvature = 0.9;

  Sample sample(double step) {
    owner_.move(step, direction_);
    Point point = owner_.evaluate(closure_);
    // Where the cost is not a number the step was too long.
    if (std::isnan(point.loss)) point.loss = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      Tensor parameter = owner_.slots()[i].parameter;
      copy_(parameter, weights_[i]);
    }
    return {step, point, product(point.gradient, direction_)};
  }

  bool too_high(const Sample& x) const { return x.point.loss > start_.point.loss + kArmijo * x.step * start_.slope; }
  bool flat_enough(const Sample& x) const { return std::abs(x.slope) <= -kCurvature * start_.slope; }

  void set_bracket(Sample a, Sample b) {
    bracket_ = {std::move(a), std::move(b)};
    choose_low();
  }
  void choose_low() { low_ = bracket_[0].point.loss <= bracket_[1].point.loss ? 0 : 1; }

  // Goes on until two points have a good one between them; true when a point is good itself.
  bool bracket(double step) {
    Sample before = start_, here = sample(step);
    for (; done_ < most_; ++done_) {
      if (too_high(here) || (done_ > 1 && here.point.loss >= before.point.loss))
        return set_bracket(before, here), false;
      if (flat_enough(here)) return set_bracket(here, here), true;
      if (here.slope >= 0) return set_bracket(before, here), false;
      const double next = interpolated(before, here, here.step + 0.01 * (here.step - before.step), here.step * 10);
      before = std::move(here);
      here = sample(next);
    }
    set_bracket(start_, here);
    return false;
  }

  void close_in() {
    bool stuck = false;
    while (done_ < most_) {
      const double left = std::min(bracket_[0].step, bracket_[1].step);
      const double right = std::max(bracket_[0].step, bracket_[1].step);
      if ((right - left) * reach_ < owner_.options().tolerance_change) return;
      const Sample here =
          sample(away_from_ends(interpolated(bracket_[0], bracket_[1], left, right), left, right, stuck));
      ++done_;
      const std::size_t high = 1 - low_;
      if (too_high(here) || here.point.loss >= bracket_[low_].point.loss) {
        bracket_[high] = here;
        choose_low();
        continue;
      }
      const bool good = flat_enough(here);
      if (!good && here.slope * (bracket_[high].step - bracket_[low_].step) >= 0) bracket_[high] = bracket_[low_];
      bracket_[low_] = here;
      if (good) return;
    }
  }

  // A step that is near an end of the bracket for the second time, or at it, is moved inwards.
  static double away_from_ends(double step, double left, double right, bool& stuck) {
    const double margin = 0.1 * (right - left);
    if (!(std::min(right - step, step - left) < margin)) return stuck = false, step;
    if (!stuck && step < right && step > left) return stuck = true, step;
    stuck = false;
    return std::abs(step - right) < std::abs(step - left) ? right - margin : left + margin;
  }

  // Where the cubic through two points, with their slopes, is least, within limits.
  static double interpolated(const Sample& one, const Sample& other, double low, double high) {
    const Sample &a = one.step <= other.step ? one : other, &b = one.step <= other.step ? other : one;
    const double d1 = one.slope + other.slope - 3 * (one.point.loss - other.point.loss) / (one.step - other.step);
    const double square = d1 * d1 - one.slope * other.slope;
    const double d2 = std::sqrt(square);
    const double least = b.step - (b.step - a.step) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
    return std::isfinite(least) ? std::min(std::max(least, low), high) : (low + high) / 2;
  }

  LBFGS& owner_;
  const Closure& closure_;
  const Tensor direction_;
  const Sample start_;
  const std::int64_t most_;
  const double reach_;
  std::vector<Tensor> weights_;
  std::array<Sample, 2> bracket_;
  std::size_t low_ = 0;
  std::int64_t done_ = 0;
};

// The change since the last iteration joins the history, if the cost is convex along it.
void LBFGS::remember(const Tensor& gradient) {
  const Tensor y = gradient - gradient_, s = direction_ * step_size_;
  const double ys = product(y, s);
  if (!(ys > 1e-10)) return;
  if (static_cast<std::int64_t>(history_.size()) == options().history_size) history_.erase(history_.begin());
  history_.push_back({y, s, 1 / ys});
  scale_ = ys / product(y, y);
}

// Minus the gradient times the inverse Hessian that the history tells of: the two loops of algorithm 7.4.
Tensor LBFGS::newton_direction(const Tensor& gradient) const {
  Tensor q = neg(gradient);
  std::vector<double> alpha(history_.size());
  for (std::size_t i = history_.size(); i-- > 0;) {
    alpha[i] = product(history_[i].weights, q) * history_[i].curvature;
    add_(q, history_[i].gradient, -alpha[i]);
  }
  mul_(q, scale_);
  for (std::size_t i = 0; i < history_.size(); ++i)
    add_(q, history_[i].weights, alpha[i] - product(history_[i].gradient, q) * history_[i].curvature);
  return q;
}

// One iteration from `here`, which moves; false when the step is at its end. `left` is how often the cost may still be
// computed.
bool LBFGS::iterate(const Closure& closure, Point& here, std::int64_t iteration, std::int64_t& left) {
  const Options& o = options();
  const bool first = ++iterations_ == 1;
  if (!first) remember(here.gradient);
  direction_ = first ? neg(here.gradient) : newton_direction(here.gradient);
  gradient_ = here.gradient;
  loss_ = here.loss;
  step_size_ = first ? std::min(1.0, 1 / sum(abs(here.gradient)).item()) * o.lr : o.lr;
  const double slope = product(here.gradient, direction_);
  if (slope > -o.tolerance_change) return false;

  const std::int64_t before = evaluations_;
  const bool last = iteration == o.max_iter;
  if (o.line_search_fn == LineSearch::StrongWolfe) {
    const WolfeSearch::Sample found = WolfeSearch(*this, closure, direction_, here, slope, left).run(step_size_);
    here = found.point;
    step_size_ = found.step;
    move(step_size_, direction_);
  } else {
    move(step_size_, direction_);
    if (!last) here = evaluate(closure);  // after the last the cost may be another function, of the next batch
  }
  left -= evaluations_ - before;
  if (last || left <= 0 || largest(here.gradient) <= o.tolerance_grad) return false;
  return largest(direction_) * std::abs(step_size_) > o.tolerance_change &&
         !(std::abs(here.loss - loss_) < o.tolerance_change);
}

Tensor LBFGS::step(const Closure& closure) {
  const NoGrad no_grad;
  Tensor cost;
  Point here = evaluate(closure, &cost);
  count_step();
  std::int64_t left = options().max_eval.value_or(options().max_iter * 5 / 4) - 1;
  if (slots().empty() || largest(here.gradient) <= options().tolerance_grad) return cost;
  for (std::int64_t iteration = 1; iterate(closure, here, iteration, left);) ++iteration;
  return cost;
}

void LBFGS::save_more(StateDict& state) const {
  const auto add = [&](const std::string& name, Tensor value) {
    state.emplace_back("lbfgs." + name, std::move(value));
  };
  add("iterations", tensor(iterations_));
  add("evaluations", tensor(evaluations_));
  if (iterations_ == 0) return;
  add("direction", copy_of(direction_));
  add("gradient", copy_of(gradient_));
  add("step_size", tensor(step_size_));
  add("scale", tensor(scale_));
  add("loss", tensor(loss_));
  add("history", tensor(static_cast<std::int64_t>(history_.size())));
  for (std::size_t i = 0; i < history_.size(); ++i) {
    add(fmt::format("history.{}.gradient", i), copy_of(history_[i].gradient));
    add(fmt::format("history.{}.weights", i), copy_of(history_[i].weights));
    add(fmt::format("history.{}.curvature", i), tensor(history_[i].curvature));
  }
}

std::function<void()> LBFGS::load_more(StateReader& reader) {
  std::int64_t size = 0;
  for (const Slot& slot : slots()) size += slot.parameter.numel();
  const Dtype dtype = slots().empty() ? kFloat32 : state_dtype(slots()[0].parameter);
  const auto vector = [&](const std::string& name) {
    const Tensor value = reader.take("lbfgs." + name, {size}, dtype);
    return value.defined() ? copy_of(value) : Tensor();
  };
  const std::int64_t iterations = reader.take_count("lbfgs.iterations");
  const std::int64_t evaluations = reader.take_count("lbfgs.evaluations");
  if (iterations <= 0)
    return [this, iterations, evaluations] {
      iterations_ = iterations;
      evaluations_ = evaluations;
      history_.clear();
      scale_ = 1;
    };
  const Tensor direction = vector("direction"), gradient = vector("gradient");
  const double step_size = reader.take_number("lbfgs.step_size"), scale = reader.take_number("lbfgs.scale"),
               loss = reader.take_number("lbfgs.loss");
  std::vector<Change> history;
  const std::int64_t count = std::min(reader.take_count("lbfgs.history"), options().history_size);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string prefix = fmt::format("history.{}.", i);
    Change change{vector(prefix + "gradient"), vector(prefix + "weights"), 0};
    change.curvature = reader.take_number("lbfgs." + prefix + "curvature");
    history.push_back(std::move(change));
  }
  return [=, this] {
    iterations_ = iterations;
    evaluations_ = evaluations;
    direction_ = direction;
    gradient_ = gradient;
    step_size_ = step_size;
    scale_ = scale;
    loss_ = loss;
    history_ = history;
  };
}

}  // namespace eigengrad::optim
