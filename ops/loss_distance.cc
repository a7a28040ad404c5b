// Distances, and losses that compare vectors or scores with each other.
#include <cmath>

#include "eigengrad/core/check.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/loss.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

Shape checked_vectors(const char* op, const Tensor& x1, const Tensor& x2) {
  losses::check_floating(op, "first input", x1);
  losses::check_floating(op, "second input", x2);
  const Shape shape = broadcast_shapes(op, x1.shape(), x2.shape());
  EG_CHECK(!shape.empty(), ShapeError, "[{}] the inputs are scalars, expected vectors: [.., D]", op);
  return shape;
}

// |x| along an axis, no less than eps. The limit is on the square, where its gradient is 0 and not NaN.
Tensor length(const Tensor& x, std::int64_t axis, double eps) {
  return sqrt(maximum(sum(square(x), {axis}, true), eps * eps));
}

// x^(1/p) for x ≥ 0, with gradient 0 at 0.
Tensor root(const Tensor& x, double p) {
  const Tensor none = x == 0;
  const Tensor safe = masked_fill(x, none, 1);
  return masked_fill(p == 2 ? sqrt(safe) : pow(safe, 1 / p), none, 0);
}

// The p-norm along the last axis.
Tensor norm_of_last(const Tensor& x, double p, bool keepdim) {
  if (std::isinf(p)) return amax(abs(x), {-1}, keepdim);
  if (p == 1) return sum(abs(x), {-1}, keepdim);
  return root(sum(p == 2 ? square(x) : pow(abs(x), p), {-1}, keepdim), p);
}

Tensor distance(const char* op, const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim = false) {
  checked_vectors(op, x1, x2);
  EG_CHECK(p > 0, ValueError, "[{}] p is {}, expected more than 0", op, p);
  return norm_of_last(x1 - x2 + eps, p, keepdim);
}

Tensor triplet(const char* op, const Tensor& anchor, const Tensor& positive, const Tensor& negative,
               const Distance& between, const TripletOptions& options) {
  const Tensor near = between(anchor, positive);
  Tensor far = between(anchor, negative);
  if (options.swap) far = minimum(far, between(positive, negative));
  broadcast_shapes(op, near.shape(), far.shape());
  return losses::reduce(losses::hinge(options.margin + near - far), options.reduction);
}

}  // namespace

Tensor cosine_similarity(Arg x1, const Tensor& x2, std::int64_t axis, double eps) {
  const char* const op = "cosine_similarity";
  const Shape shape = checked_vectors(op, x1, x2);
  EG_CHECK(eps > 0, ValueError, "[{}] eps is {}, expected more than 0", op, eps);
  const std::int64_t along = normalize_axis(op, axis, static_cast<std::int64_t>(shape.size()));
  const Tensor a = expand(x1, shape), b = expand(x2, shape);
  return sum(a / length(a, along, eps) * (b / length(b, along, eps)), {along});
}

Tensor pairwise_distance(Arg x1, const Tensor& x2, double p, double eps, bool keepdim) {
  return distance("pairwise_distance", x1, x2, p, eps, keepdim);
}

Tensor triplet_margin_loss(Arg anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginOptions& options) {
  const char* const op = "triplet_margin_loss";
  const auto between = [&](const Tensor& x1, const Tensor& x2) { return distance(op, x1, x2, options.p, options.eps); };
  return triplet(op, anchor, positive, negative, between, {{}, options.margin, options.swap, options.reduction});
}

Tensor triplet_margin_with_distance_loss(Arg anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletOptions& options) {
  const char* const op = "triplet_margin_with_distance_loss";
  losses::check_floating(op, "anchor", anchor);
  losses::check_floating(op, "positive", positive);
  losses::check_floating(op, "negative", negative);
  const Distance usual = [op](const Tensor& x1, const Tensor& x2) { return distance(op, x1, x2, 2, 1e-6); };
  return triplet(op, anchor, positive, negative, options.distance ? options.distance : usual, options);
}

Tensor margin_ranking_loss(Arg input1, const Tensor& input2, const Tensor& target, double margin, Reduction reduction) {
  const char* const op = "margin_ranking_loss";
  losses::check_floating(op, "first input", input1);
  losses::check_floating(op, "second input", input2);
  losses::check_defined(op, "target", target);
  broadcast_shapes(op, broadcast_shapes(op, input1->shape(), input2.shape()), target.shape());
  return losses::reduce(losses::hinge(margin - losses::as_numbers(target, input1) * (input1 - input2)), reduction);
}

Tensor cosine_embedding_loss(Arg input1, const Tensor& input2, const Tensor& target, double margin,
                             Reduction reduction) {
  const char* const op = "cosine_embedding_loss";
  const Shape shape = checked_vectors(op, input1, input2);
  EG_CHECK(input1->shape() == input2.shape(), ShapeError,
           "[{}] the inputs have shapes {} and {}: they must be the same", op, input1->shape(), input2.shape());
  losses::check_defined(op, "target", target);
  Shape expected = shape;
  expected.pop_back();
  EG_CHECK(target.shape() == expected, ShapeError, "[{}] the target has shape {}, expected {} for inputs of {}", op,
           target.shape(), expected, shape);
  // PyTorch's guard against vectors of length 0 differs from that of cosine_similarity.
  const auto squares = [](const Tensor& x) { return sum(square(x), {-1}) + 1e-12; };
  const Tensor cosine = sum(input1 * input2, {-1}) / sqrt(squares(input1) * squares(input2));
  const Tensor alike = masked_fill(1 - cosine, target != 1, 0);
  return losses::reduce(alike + masked_fill(losses::hinge(cosine - margin), target != -1, 0), reduction);
}

}  // namespace eigengrad
