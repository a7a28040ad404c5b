#include "eigengrad/optim/muon.h"

#include <algorithm>
#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/optim/describe.h"
#include "eigengrad/optim/update.h"

namespace eigengrad::optim {
namespace {

Tensor orthogonalized(const Tensor& matrix, const MuonOptions& o) {
  const bool tall = matrix.size(0) > matrix.size(1);  // the smaller product is that of the longer side
  Tensor x = tall ? transpose(matrix) : matrix;
  x = x / std::max(norm(x).item(), o.eps);
  const double a = o.ns_coefficients[0], b = o.ns_coefficients[1], c = o.ns_coefficients[2];
  for (std::int64_t i = 0; i < o.ns_steps; ++i) {
    const Tensor gram = matmul(x, transpose(x));
    x = addmm(x, addmm(gram, gram, gram, b, c), x, a);
  }
  return contiguous(tall ? transpose(x) : x);
}

double rate_ratio(MuonRate kind, const Shape& shape) {
  const auto rows = static_cast<double>(shape[0]), columns = static_cast<double>(shape[1]);
  if (kind == MuonRate::MatchRmsAdamW) return 0.2 * std::sqrt(std::max(rows, columns));
  return std::sqrt(kind == MuonRate::Original ? std::max(1.0, rows / columns) : rows / columns);
}

}  // namespace

void describe(config::Fields& f, MuonOptions& o) {
  describe_lr(f, o.lr);
  describe_decay(f, o.weight_decay, kDecoupled);
  f("momentum", o.momentum, {.help = "decay of the mean of the gradient", .min = 0});
  f("nesterov", o.nesterov, {.help = "Nesterov's momentum"});
  f("ns_coefficients", o.ns_coefficients, {.help = "the three coefficients of Newton and Schulz's iteration"});
  f("eps", o.eps, {.help = "the least norm that is divided by", .min = 0, .above_min = true});
  f("ns_steps", o.ns_steps, {.help = "steps of that iteration", .min = 0, .max = 99});
  f.choice<MuonRate>("adjust_lr_fn", o.adjust_lr_fn,
                     {{"original", MuonRate::Original},
                      {"match_rms_adamw", MuonRate::MatchRmsAdamW},
                      {"spectral_unclamped", MuonRate::SpectralUnclamped}},
                     {.help = "how the learning rate depends on the shape of the matrix"});
}

void Muon::check(const Options& o) {
  EG_CHECK(o.ns_coefficients.size() == 3, ValueError, "[Muon] ns_coefficients has {} numbers, expected 3",
           o.ns_coefficients.size());
}

void Muon::check_parameter(const Tensor& parameter) {
  EG_CHECK(parameter.dim() == 2, ShapeError,
           "[Muon] a parameter has the shape {}, expected a matrix: give others to another optimizer",
           parameter.shape());
}

std::vector<StateEntry> Muon::state(const Options&) { return {"momentum"}; }

void Muon::update(const Options& o, Slot& slot, const Tensor& grad) {
  Tensor& mean = slot.state[0];
  lerp_(mean, grad, 1 - o.momentum);
  const Tensor step = orthogonalized(o.nesterov ? lerp(grad, mean, o.momentum) : mean, o);
  const double rate = o.lr * rate_ratio(o.adjust_lr_fn, slot.parameter.shape());
  update_elements<0>(kName, slot, step, [&]<class T>() {
    return [kept = static_cast<T>(1 - o.lr * o.weight_decay), rate = static_cast<T>(rate)](T& w, T direction) {
      w = kept * w - rate * direction;
    };
  });
}

}  // namespace eigengrad::optim
