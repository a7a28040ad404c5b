// What rows of random graphs are made of (fuzz_ops.h): operands made to fit, constants, and rows of one kind.
#pragma once

#include <algorithm>
#include <limits>
#include <utility>

#include "eigengrad/ops/ops.h"
#include "tests/autograd/fuzz_ops.h"

namespace eigengrad::tests::fuzz {

using R = Generator&;
using In = std::span<const Tensor>;
using std::int64_t;

// ---- What a first operand has to be.

inline bool any(const Tensor&) { return true; }
inline bool filled(const Tensor& x) { return x.numel() > 0; }
inline bool has_axis(const Tensor& x) { return x.dim() > 0; }
inline bool filled_axis(const Tensor& x) { return has_axis(x) && filled(x); }
inline bool is_matrix(const Tensor& x) { return x.dim() > 1; }
inline bool has_spread(const Tensor& x) {  // no set of axes leaves a single element
  return has_axis(x) && std::none_of(x.shape().begin(), x.shape().end(), [](int64_t extent) { return extent < 2; });
}

// ---- Choices.

inline int64_t below(R random, int64_t n) { return static_cast<int64_t>(random.below(static_cast<std::uint64_t>(n))); }
inline bool coin(R random) { return random.below(2) == 0; }

template <class T>
T pick(R random, std::initializer_list<T> values) {
  return values.begin()[random.below(values.size())];
}

inline int64_t axis_of(R random, const Tensor& x) { return below(random, 2 * x.dim()) - x.dim(); }

inline Dims axes_of(R random, const Tensor& x) {
  Dims axes;
  for (int64_t i = 0; i < x.dim(); ++i)
    if (coin(random)) axes.push_back(coin(random) ? i : i - x.dim());
  return axes;
}

inline Dims order_of(R random, const Tensor& x) {
  Dims order;
  for (int64_t i = 0; i < x.dim(); ++i) order.insert(random.below(order.size() + 1), i);
  return order;
}

// A shape that broadcasts with the given one: some axes are 1, are missing, or are there where the other has none.
inline Shape partner_of(R random, const Shape& shape) {
  Shape result;
  for (const int64_t extent : shape)
    result.push_back(random.below(4) == 0 ? 1 : extent == 1 && coin(random) ? 3 : extent);
  while (!result.empty() && random.below(4) == 0) result.erase(0);
  if (result.size() == shape.size() && random.below(4) == 0) result.insert(0, 2);
  return result;
}

inline Shape with_extent(Shape shape, int64_t axis, int64_t extent) {
  shape[static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis)] = extent;
  return shape;
}

inline Reduction reduction_of(R random) { return pick(random, {Reduction::None, Reduction::Mean, Reduction::Sum}); }

// ---- Constants.

inline Tensor constant(R random, const Shape& shape) {
  Tensor result = empty(shape, kFloat64);
  fill_uniform(result, -1.5, 1.5, random);
  return result;
}
inline Tensor mask(R random, const Shape& shape) { return randint(0, 2, shape, random) == 1; }
inline Tensor signs(R random, const Shape& shape) { return to(randint(0, 2, shape, random) * 2 - 1, kFloat64); }
// Places along an axis of x for gather and its kin.
inline Tensor places(R random, const Tensor& x, int64_t axis) {
  Shape shape;
  for (const int64_t extent : x.shape()) shape.push_back(1 + below(random, extent));
  return randint(0, x.size(axis), with_extent(shape, axis, 1 + below(random, 4)), random);
}

// ---- Operands made to fit.

// The elements of x under another shape, repeated or left out as need be.
inline Tensor shaped(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (x.numel() == 0) return expand(sum(x), shape);
  const Tensor numbers = remainder(arange(checked_numel(shape)), tensor(x.numel()));
  return take(x, reshape(numbers, shape));
}
inline Tensor partner(R random, const Tensor& y, const Tensor& x) { return shaped(y, partner_of(random, x.shape())); }
inline Tensor sequence(R random, const Tensor& x) { return shaped(x, {1 + below(random, 2), 2, 3 + below(random, 4)}); }
inline Tensor image(R random, const Tensor& x) {
  return shaped(x, {1 + below(random, 2), 2, 3 + below(random, 2), 3 + below(random, 2)});
}

// Elements within a domain.
inline Tensor positive(const Tensor& x) { return square(x) + 0.5; }
inline Tensor above_one(const Tensor& x) { return square(x) + 1.25; }
inline Tensor unit(const Tensor& x) { return tanh(x) * 0.8; }
inline Tensor share(const Tensor& x) { return sigmoid(x) * 0.8 + 0.1; }
// Elements at least 0.05 away from every multiple of 0.5, where functions have kinks and steps, and from ±6.
inline Tensor off_kinks(R random, const Tensor& x) {
  const Tensor levels = tensor({-7.25, -4.25, -2.25, -0.75, 0.75, 2.25, 4.25, 7.25});
  return take(levels, randint(0, 8, x.shape(), random)) + tanh(x) * 0.2;
}
// Elements at least 0.05 away from each other, in an order that is drawn.
inline Tensor distinct(R random, const Tensor& x) {
  const Tensor ranks = reshape(to(randperm(x.numel(), random), kFloat64), x.shape());
  return (ranks - 0.5 * static_cast<double>(x.numel())) * 0.25 + tanh(x) * 0.1;
}

// Several results as one, with weights of their own.
inline Tensor joined(const std::vector<Tensor>& parts) {
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < parts.size(); ++i) rows.push_back(flatten(parts[i]) * (1 + 0.3 * static_cast<double>(i)));
  return cat(rows);
}

// ---- Rows of one kind.

using Function = std::function<Tensor(const Tensor&)>;
using Function2 = std::function<Tensor(const Tensor&, const Tensor&)>;
using Reduce = Tensor (*)(Arg, const Dims&, bool);
using Pick = ValuesIndices (*)(Arg, int64_t, bool);

inline FuzzOp unary(const char* name, Function f) {
  return {name, 1, any, [f](R, In x) { return f(x[0]); }};
}
inline FuzzOp unary(const char* name, Tensor (*f)(Arg), Tensor (*domain)(const Tensor&)) {
  return unary(name, [=](const Tensor& x) { return f(domain(x)); });
}
inline FuzzOp kinked(const char* name, Function f) {
  return {name, 1, any, [f](R random, In x) { return f(off_kinks(random, x[0])); }};
}
inline FuzzOp binary(const char* name, Function2 f) {
  return {name, 2, any, [f](R random, In x) { return f(x[0], partner(random, x[1], x[0])); }};
}
// The difference of the operands stays away from 0.
inline FuzzOp ordering(const char* name, Function2 f) {
  return {name, 2, any, [f](R random, In x) {
            const Tensor y = partner(random, x[1], x[0]);
            const Shape shape = broadcast_shapes("", x[0].shape(), y.shape());
            return f(y + off_kinks(random, expand(x[0], shape)), y);
          }};
}
inline FuzzOp reduction(const char* name, bool (*takes)(const Tensor&), Reduce f) {
  return {name, 1, takes, [f](R random, In x) { return f(x[0], axes_of(random, x[0]), coin(random)); }};
}
inline FuzzOp along_axis(const char* name, bool (*takes)(const Tensor&), Tensor (*f)(Arg, int64_t)) {
  return {name, 1, takes, [f](R random, In x) { return f(x[0], axis_of(random, x[0])); }};
}
inline FuzzOp picking(const char* name, Pick f) {
  return {name, 1, filled_axis,
          [f](R random, In x) { return f(distinct(random, x[0]), axis_of(random, x[0]), coin(random)).values; }};
}
// A loss of two tensors of one shape.
inline FuzzOp loss(const char* name, std::function<Tensor(R, const Tensor&, const Tensor&)> f) {
  return {name, 2, filled, [f](R random, In x) { return f(random, x[0], shaped(x[1], x[0].shape())); }};
}

// ---- The rows, by the header of the op.

std::vector<FuzzOp> math_ops();
std::vector<FuzzOp> activation_ops();
std::vector<FuzzOp> arithmetic_ops();
std::vector<FuzzOp> reduce_ops();
std::vector<FuzzOp> shape_ops();
std::vector<FuzzOp> rearrange_ops();
std::vector<FuzzOp> order_ops();
std::vector<FuzzOp> index_ops();
std::vector<FuzzOp> linalg_ops();
std::vector<FuzzOp> convolution_ops();
std::vector<FuzzOp> normalization_ops();
std::vector<FuzzOp> loss_ops();

}  // namespace eigengrad::tests::fuzz
