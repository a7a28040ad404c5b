// Connectionist temporal classification (Graves, Fernández, Gomez and Schmidhuber 2006).
//
// The states of a sample are its target with blanks around and between the labels: L = 2S + 1 of them. A path stands in
// one state at each time; it comes from the same state, from the one before, or from two before where that skips a
// blank between different labels. It starts in state 0 before the first time, and ends in state 2S behind the last;
// what it passes within a step counts for nothing, so that these two stand for all starts and ends that the paper has.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/dispatch.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/index.h"
#include "eigengrad/ops/kernels/loss.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();  // the logarithm of 0

// ---- One sample, in raw memory.

double log_add(double a, double b, double c) {
  const double highest = std::max({a, b, c});
  if (highest == kNever) return a + b + c;  // NaN if any is
  return highest + std::log(std::exp(a - highest) + std::exp(b - highest) + std::exp(c - highest));
}

template <class T>
struct Sample {
  const T* log_probs;          // at time 0
  std::int64_t time_stride;    // of log_probs
  const std::int64_t* states;  // the class of each
  std::int64_t times, length;  // T and L

  double emitted(std::int64_t t, std::int64_t s) const {
    return static_cast<double>(log_probs[t * time_stride + states[s]]);
  }
  // Never to a blank: it is what stands two states before.
  bool skips_to(std::int64_t s) const { return s >= 2 && states[s] != states[s - 2]; }

  // log Σ over the paths that stand in each state at time t, row t + 1 of [T + 1, L]; row 0 is before the first time.
  std::vector<double> arrivals() const {
    std::vector<double> all(static_cast<std::size_t>((times + 1) * length), kNever);
    all[0] = 0;
    for (std::int64_t t = 0; t < times; ++t) {
      const double* before = all.data() + t * length;
      double* now = all.data() + (t + 1) * length;
      for (std::int64_t s = 0; s < length; ++s)
        now[s] =
            emitted(t, s) + log_add(before[s], s > 0 ? before[s - 1] : kNever, skips_to(s) ? before[s - 2] : kNever);
    }
    return all;
  }

  // One step from what follows each state at time t + 1 to what follows it at time t.
  std::vector<double> departures(const std::vector<double>& after) const {
    std::vector<double> now(after.size());
    for (std::int64_t s = 0; s < length; ++s) {
      const auto at = [&](std::int64_t i) { return after[static_cast<std::size_t>(i)]; };
      const bool skips = s + 2 < length && skips_to(s + 2);
      now[static_cast<std::size_t>(s)] =
          log_add(at(s), s + 1 < length ? at(s + 1) : kNever, skips ? at(s + 2) : kNever);
    }
    return now;
  }

  double log_likelihood(const std::vector<double>& arrivals) const {
    const double* last = arrivals.data() + times * length;
    return log_add(last[length - 1], length > 1 ? last[length - 2] : kNever, kNever);
  }

  // Takes from the gradient of log_probs, which is laid out as they are, how probable each class is at each time.
  void subtract_occupancy(double scale, T* grad) const {
    const std::vector<double> arrived = arrivals();
    const double total = log_likelihood(arrived);
    if (total == kNever) return;
    std::vector<double> after(static_cast<std::size_t>(length), kNever);
    after.back() = 0;
    for (std::int64_t t = times; t-- > 0;) {
      after = departures(after);
      for (std::int64_t s = 0; s < length; ++s) {
        double& follows = after[static_cast<std::size_t>(s)];
        const double occupied = arrived[static_cast<std::size_t>((t + 1) * length + s)] + follows - total;
        grad[t * time_stride + states[s]] -= static_cast<T>(scale * std::exp(occupied));
        follows += emitted(t, s);
      }
    }
  }
};

// ---- All samples, by public ops, so that the gradient has a gradient. Tensors of states are [N, L].

Tensor impossible(const Shape& shape, Dtype dtype) { return full(shape, kNever, dtype); }

// As above, without NaN in the gradient of what is impossible.
Tensor log_add(const Tensor& a, const Tensor& b, const Tensor& c) {
  const Tensor all = stack({a, b, c});
  const Tensor highest = amax(all.detach(), {0}), never = highest == kNever;
  const Tensor shift = masked_fill(highest, never, 0);
  return masked_fill(log(masked_fill(sum(exp(all - shift), {0}), never, 1)) + shift, never, kNever);
}

// x[s - by]; by may be negative.
Tensor shifted(const Tensor& x, std::int64_t by) {
  const std::int64_t gap = std::min(std::abs(by), x.size(1)), rest = x.size(1) - gap;
  const Tensor filler = impossible({x.size(0), gap}, x.dtype());
  return by > 0 ? cat({filler, narrow(x, 1, 0, rest)}, 1) : cat({narrow(x, 1, gap, rest), filler}, 1);
}

// 0 at state `at` [N] of each sample, impossible elsewhere.
Tensor only_state(const Tensor& at, std::int64_t length, Dtype dtype) {
  const Tensor there = unsqueeze(at, 1) == arange(length);
  return masked_fill(zeros(there.shape(), dtype), logical_not(there), kNever);
}

// 0 where a path may come from two states before, impossible elsewhere. Where there are none, shifting says so.
Tensor skips(const Tensor& states, Dtype dtype) {
  const std::int64_t length = states.size(1);
  const Tensor twice = cat({states, states}, 1);  // state s - 2 is at s + L - 2
  const Tensor same = states == narrow(twice, 1, std::max<std::int64_t>(length - 2, 0), length);
  return masked_fill(zeros(states.shape(), dtype), same, kNever);
}

// How probable each class is at each time, given the target: [T, N, C].
Tensor occupancy(const Tensor& log_probs, const Tensor& states, const Tensor& times, const Tensor& target_lengths) {
  const std::int64_t steps = log_probs.size(0), length = states.size(1);
  const Dtype dtype = log_probs.dtype();
  const Tensor skip = skips(states, dtype), index = expand(states, {steps, states.size(0), length});
  const Tensor emitted = gather(log_probs, 2, index);
  const auto runs = [&](std::int64_t t) { return unsqueeze(times > t, 1); };

  std::vector<Tensor> arrived, follows(static_cast<std::size_t>(steps));
  Tensor now = only_state(zeros_like(target_lengths), length, dtype);
  for (std::int64_t t = 0; t < steps; ++t) {
    const Tensor next = select(emitted, 0, t) + log_add(now, shifted(now, 1), shifted(now, 2) + skip);
    arrived.push_back(now = where(runs(t), next, now));
  }
  const Tensor end = only_state(target_lengths * 2, length, dtype);
  const auto departures = [&](const Tensor& after) {
    return log_add(after, shifted(after, -1), shifted(after + skip, -2));
  };
  Tensor after = end;
  for (std::int64_t t = steps; t-- > 0;) {
    const Tensor here = follows[static_cast<std::size_t>(t)] = departures(after);
    after = where(runs(t), here + select(emitted, 0, t), end);
  }
  const Tensor total = narrow(departures(after), 1, 0, 1);
  const Tensor paths = stack(arrived) + stack(follows) - masked_fill(total, total == kNever, 0);
  const Tensor running = unsqueeze(unsqueeze(arange(steps), 1) < times, 2);
  return scatter_add(zeros_like(log_probs), 2, index, where(running, exp(paths), 0));
}

// Inputs: log_probs [T, N, C], the states [N, L] (those behind the last of a sample are any class), the lengths of the
// inputs and of the targets. Gives [N].
struct Ctc {
  static constexpr const char* kName = "ctc_loss";
  static constexpr SaveMask kSaves = kInputs;

  Tensor forward(TensorRefs x) const {
    const Tensor out = empty({x[0].size(1)}, x[0].dtype());
    for_each_sample(x[0], x[1], x[2], x[3], [&]<class T>(std::int64_t n, const Sample<T>& sample) {
      out.raw<T>()[n] = static_cast<T>(-sample.log_likelihood(sample.arrivals()));
    });
    return out;
  }

  Grads backward(const Saved& s, const Tensor& g) const {
    return {-unsqueeze(g, 1) * occupancy(s.x(0), s.x(1), s.x(2), s.x(3)), Tensor(), Tensor(), Tensor()};
  }

  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const Tensor out = zeros(s.shape(0), g.dtype()), scale = contiguous(g);
    for_each_sample(s.x(0), s.x(1), s.x(2), s.x(3), [&]<class T>(std::int64_t n, const Sample<T>& sample) {
      sample.subtract_occupancy(static_cast<double>(scale.raw<T>()[n]), out.raw<T>() + n * out.size(2));
    });
    return {out, Tensor(), Tensor(), Tensor()};
  }

 private:
  template <class F>
  static void for_each_sample(const Tensor& x, const Tensor& states, const Tensor& times, const Tensor& target_lengths,
                              F f) {
    const Tensor log_probs = contiguous(x);
    const std::int64_t batch = x.size(1), classes = x.size(2), length = states.size(1);
    const std::int64_t* const lengths = target_lengths.raw<std::int64_t>();
    dispatch_floating(kName, x.dtype(), [&]<class T>() {
      parallel_for(batch, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t n = begin; n < end; ++n)
          f(n, Sample<T>{log_probs.raw<T>() + n * classes, batch * classes, states.raw<std::int64_t>() + n * length,
                         times.raw<std::int64_t>()[n], 2 * lengths[n] + 1});
      });
    });
  }
};

// ---- What the public function is given.

// Lengths as [N], row-major.
Tensor checked_lengths(const char* what, const Tensor& lengths, std::int64_t batch, bool is_batch, std::int64_t limit) {
  losses::check_classes("ctc_loss", "tensor of lengths", lengths);
  const Shape expected = is_batch ? Shape{batch} : Shape{};
  EG_CHECK(lengths.shape() == expected, ShapeError, "[ctc_loss] the {} have shape {}, expected {}", what,
           lengths.shape(), expected);
  const Tensor result = contiguous(reshape(lengths, {batch}));
  const std::int64_t* length = result.raw<std::int64_t>();
  for (std::int64_t n = 0; n < batch; ++n)
    EG_CHECK(length[n] >= 0 && length[n] <= limit, ValueError,
             "[ctc_loss] the {} have {} for sample {}, expected 0 to {}", what, length[n], n, limit);
  return result;
}

// Where the labels of each sample begin in the targets, and one end more.
std::vector<std::int64_t> beginnings(const Tensor& targets, const Tensor& lengths) {
  const std::int64_t* length = lengths.raw<std::int64_t>();
  std::vector<std::int64_t> begin{0};
  for (std::int64_t n = 0; n < lengths.numel(); ++n)
    begin.push_back(begin.back() + (targets.dim() == 2 ? targets.size(1) : length[n]));
  return begin;
}

// [N, L]: the labels with blanks around and between them.
Tensor states_of(const Tensor& targets, const Tensor& lengths, std::int64_t blank, std::int64_t classes) {
  const Tensor row_major = contiguous(targets);
  const std::int64_t* label = row_major.raw<std::int64_t>();
  const std::int64_t* length = lengths.raw<std::int64_t>();
  const std::vector<std::int64_t> begin = beginnings(targets, lengths);
  const std::int64_t longest = lengths.numel() > 0 ? amax(lengths).item<std::int64_t>() : 0;
  const Tensor states = full({lengths.numel(), 2 * longest + 1}, blank, kInt64);
  std::int64_t* state = states.raw<std::int64_t>();
  for (std::int64_t n = 0; n < lengths.numel(); ++n, state += 2 * longest + 1)
    for (std::int64_t i = 0; i < length[n]; ++i) {
      const std::int64_t number = begin[static_cast<std::size_t>(n)] + i, found = label[number];
      EG_CHECK(found >= 0 && found < classes, IndexError,
               "[ctc_loss] target {} at {} is not one of {} classes: expected 0 to {}", found,
               position_of(number, targets.shape()), classes, classes - 1);
      EG_CHECK(found != blank, ValueError, "[ctc_loss] target {} at {} is the blank, expected labels alone", found,
               position_of(number, targets.shape()));
      state[2 * i + 1] = found;
    }
  return states;
}

void check_targets(const Tensor& targets, std::int64_t batch, bool is_batch) {
  losses::check_classes("ctc_loss", "tensor of targets", targets);
  const bool padded = is_batch && targets.dim() == 2 && targets.size(0) == batch;
  EG_CHECK(padded || targets.dim() == 1, ShapeError,
           "[ctc_loss] the targets have shape {}, expected {} for a batch of {}", targets.shape(),
           is_batch ? "[N, S], or [S] of all joined," : "[S]", batch);
}

}  // namespace

Tensor ctc_loss(Arg log_probs, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                const CtcOptions& options) {
  losses::check_floating("ctc_loss", "input log_probs", log_probs);
  const bool is_batch = log_probs->dim() == 3;
  EG_CHECK(is_batch || log_probs->dim() == 2, ShapeError,
           "[ctc_loss] log_probs has shape {}, expected [T, N, C] or [T, C]", log_probs->shape());
  const Tensor x = is_batch ? *log_probs : unsqueeze(log_probs, 1);
  const std::int64_t batch = x.size(1), classes = x.size(2);
  EG_CHECK(options.blank >= 0 && options.blank < classes, ValueError,
           "[ctc_loss] the blank is {}, expected one of {} classes", options.blank, classes);
  check_targets(targets, batch, is_batch);
  const std::int64_t longest = targets.size(-1);
  const Tensor times = checked_lengths("input_lengths", input_lengths, batch, is_batch, x.size(0));
  const Tensor lengths = checked_lengths("target_lengths", target_lengths, batch, is_batch, longest);
  if (targets.dim() == 1 && is_batch)
    EG_CHECK(sum(lengths).item<std::int64_t>() == longest, ShapeError,
             "[ctc_loss] {} targets are joined, but the target_lengths make {}", longest,
             sum(lengths).item<std::int64_t>());
  Tensor cost = apply(Ctc{}, x, states_of(targets, lengths, options.blank, classes), times, lengths);
  if (options.zero_infinity) cost = masked_fill(cost, isinf(cost), 0);
  if (options.reduction == Reduction::Mean) cost = cost / maximum(lengths, 1);
  return losses::reduce(is_batch ? cost : squeeze(cost, 0), options.reduction);
}

}  // namespace eigengrad
