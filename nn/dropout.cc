#include "eigengrad/nn/dropout.h"

#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/repr.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

// One factor for each channel: [N, C, 1, ..].
Tensor drop_channels(const char* layer, const Tensor& x, std::int64_t rank, double p, bool training) {
  EG_CHECK(x.dim() == rank, ShapeError, "[{}] expected an input of {} axes, a batch of channels, found {}", layer, rank,
           x.shape());
  if (!training) return x;
  Shape channels(static_cast<std::size_t>(rank), 1);
  channels[0] = x.size(0);
  channels[1] = x.size(1);
  return x * dropout(ones(channels, x.dtype()), p, true);
}

}  // namespace

void describe(config::Fields& f, DropoutOptions& o) {
  f("p", o.p, {.help = "probability of an element to be zeroed", .min = 0, .max = 1});
}

Dropout::Dropout(Options options) : SameShape(options) {
  EG_CHECK(options.p >= 0 && options.p <= 1, ValueError, "[Dropout] the probability must be in [0, 1], found {}",
           options.p);
}

Tensor Dropout::forward(const Tensor& x) { return dropout(x, options_.p, is_training()); }
Tensor Dropout1d::forward(const Tensor& x) { return drop_channels("Dropout1d", x, 3, options_.p, is_training()); }
Tensor Dropout2d::forward(const Tensor& x) { return drop_channels("Dropout2d", x, 4, options_.p, is_training()); }

Tensor AlphaDropout::forward(const Tensor& x) {
  const double p = options_.p;
  if (!is_training() || p == 0) return x;
  if (p == 1) return x * 0;
  constexpr double kDropped = -1.7580993408473766;  // -scale·alpha of SELU
  const double a = 1 / std::sqrt((1 - p) * (1 + p * kDropped * kDropped)), b = -a * p * kDropped;
  Tensor kept = empty(x.shape(), x.dtype());
  fill_bernoulli(kept, 1 - p);
  return (x * kept + (1 - kept) * kDropped) * a + b;
}

std::string Dropout::extra_repr() const { return "p=" + number_text(options_.p); }

Shape Dropout1d::infer(Options&, const Shape& input) {
  check_channels_first(input, 1);
  return input;
}
Shape Dropout2d::infer(Options&, const Shape& input) {
  check_channels_first(input, 2);
  return input;
}

}  // namespace eigengrad::nn
