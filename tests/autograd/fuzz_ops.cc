#include "tests/autograd/fuzz_ops.h"

#include <limits>
#include <utility>

#include "eigengrad/ops/ops.h"

namespace eigengrad::tests {
namespace {

using R = Generator&;
using In = std::span<const Tensor>;
using std::int64_t;

// ---- What a first operand has to be.

bool any(const Tensor&) { return true; }
bool filled(const Tensor& x) { return x.numel() > 0; }
bool has_axis(const Tensor& x) { return x.dim() > 0; }
bool filled_axis(const Tensor& x) { return has_axis(x) && filled(x); }
bool is_matrix(const Tensor& x) { return x.dim() > 1; }
bool has_spread(const Tensor& x) {  // no set of axes leaves a single element
  return has_axis(x) && std::none_of(x.shape().begin(), x.shape().end(), [](int64_t extent) { return extent < 2; });
}

// ---- Choices.

int64_t below(R random, int64_t n) { return static_cast<int64_t>(random.below(static_cast<std::uint64_t>(n))); }
bool coin(R random) { return random.below(2) == 0; }

template <class T>
T pick(R random, std::initializer_list<T> values) {
  return values.begin()[random.below(values.size())];
}

int64_t axis_of(R random, const Tensor& x) { return below(random, 2 * x.dim()) - x.dim(); }

Dims axes_of(R random, const Tensor& x) {
  Dims axes;
  for (int64_t i = 0; i < x.dim(); ++i)
    if (coin(random)) axes.push_back(coin(random) ? i : i - x.dim());
  return axes;
}

Dims order_of(R random, const Tensor& x) {
  Dims order;
  for (int64_t i = 0; i < x.dim(); ++i) order.insert(random.below(order.size() + 1), i);
  return order;
}

// A shape that broadcasts with the given one: some axes are 1, are missing, or are there where the other has none.
Shape partner_of(R random, const Shape& shape) {
  Shape result;
  for (const int64_t extent : shape)
    result.push_back(random.below(4) == 0 ? 1 : extent == 1 && coin(random) ? 3 : extent);
  while (!result.empty() && random.below(4) == 0) result.erase(0);
  if (result.size() == shape.size() && random.below(4) == 0) result.insert(0, 2);
  return result;
}

Shape with_extent(Shape shape, int64_t axis, int64_t extent) {
  shape[static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis)] = extent;
  return shape;
}

Reduction reduction_of(R random) { return pick(random, {Reduction::None, Reduction::Mean, Reduction::Sum}); }

// ---- Constants.

Tensor constant(R random, const Shape& shape) {
  Tensor result = empty(shape, kFloat64);
  fill_uniform(result, -1.5, 1.5, random);
  return result;
}
Tensor mask(R random, const Shape& shape) { return randint(0, 2, shape, random) == 1; }
Tensor signs(R random, const Shape& shape) { return to(randint(0, 2, shape, random) * 2 - 1, kFloat64); }
// Places along an axis of x for gather and its kin.
Tensor places(R random, const Tensor& x, int64_t axis) {
  Shape shape;
  for (const int64_t extent : x.shape()) shape.push_back(1 + below(random, extent));
  return randint(0, x.size(axis), with_extent(shape, axis, 1 + below(random, 4)), random);
}

// ---- Operands made to fit.

// The elements of x under another shape, repeated or left out as need be.
Tensor shaped(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (x.numel() == 0) return expand(sum(x), shape);
  const Tensor numbers = remainder(arange(checked_numel(shape)), tensor(x.numel()));
  return take(x, reshape(numbers, shape));
}
Tensor partner(R random, const Tensor& y, const Tensor& x) { return shaped(y, partner_of(random, x.shape())); }
Tensor sequence(R random, const Tensor& x) { return shaped(x, {1 + below(random, 2), 2, 3 + below(random, 4)}); }
Tensor image(R random, const Tensor& x) {
  return shaped(x, {1 + below(random, 2), 2, 3 + below(random, 2), 3 + below(random, 2)});
}

// Elements within a domain.
Tensor positive(const Tensor& x) { return square(x) + 0.5; }
Tensor above_one(const Tensor& x) { return square(x) + 1.25; }
Tensor unit(const Tensor& x) { return tanh(x) * 0.8; }
Tensor share(const Tensor& x) { return sigmoid(x) * 0.8 + 0.1; }
// Elements at least 0.05 away from every multiple of 0.5, where functions have kinks and steps, and from ±6.
Tensor off_kinks(R random, const Tensor& x) {
  const Tensor levels = tensor({-7.25, -4.25, -2.25, -0.75, 0.75, 2.25, 4.25, 7.25});
  return take(levels, randint(0, 8, x.shape(), random)) + tanh(x) * 0.2;
}
// Elements at least 0.05 away from each other, in an order that is drawn.
Tensor distinct(R random, const Tensor& x) {
  const Tensor ranks = reshape(to(randperm(x.numel(), random), kFloat64), x.shape());
  return (ranks - 0.5 * static_cast<double>(x.numel())) * 0.25 + tanh(x) * 0.1;
}

// Several results as one, with weights of their own.
Tensor joined(const std::vector<Tensor>& parts) {
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < parts.size(); ++i) rows.push_back(flatten(parts[i]) * (1 + 0.3 * static_cast<double>(i)));
  return cat(rows);
}

// ---- Rows of one kind.

using Function = std::function<Tensor(const Tensor&)>;
using Function2 = std::function<Tensor(const Tensor&, const Tensor&)>;
using Reduce = Tensor (*)(Arg, const Dims&, bool);
using Pick = ValuesIndices (*)(Arg, int64_t, bool);

FuzzOp unary(const char* name, Function f) {
  return {name, 1, any, [f](R, In x) { return f(x[0]); }};
}
FuzzOp unary(const char* name, Tensor (*f)(Arg), Tensor (*domain)(const Tensor&)) {
  return unary(name, [=](const Tensor& x) { return f(domain(x)); });
}
FuzzOp kinked(const char* name, Function f) {
  return {name, 1, any, [f](R random, In x) { return f(off_kinks(random, x[0])); }};
}
FuzzOp binary(const char* name, Function2 f) {
  return {name, 2, any, [f](R random, In x) { return f(x[0], partner(random, x[1], x[0])); }};
}
// The difference of the operands stays away from 0.
FuzzOp ordering(const char* name, Function2 f) {
  return {name, 2, any, [f](R random, In x) {
            const Tensor y = partner(random, x[1], x[0]);
            const Shape shape = broadcast_shapes("", x[0].shape(), y.shape());
            return f(y + off_kinks(random, expand(x[0], shape)), y);
          }};
}
FuzzOp reduction(const char* name, bool (*takes)(const Tensor&), Reduce f) {
  return {name, 1, takes, [f](R random, In x) { return f(x[0], axes_of(random, x[0]), coin(random)); }};
}
FuzzOp along_axis(const char* name, bool (*takes)(const Tensor&), Tensor (*f)(Arg, int64_t)) {
  return {name, 1, takes, [f](R random, In x) { return f(x[0], axis_of(random, x[0])); }};
}
FuzzOp picking(const char* name, Pick f) {
  return {name, 1, filled_axis,
          [f](R random, In x) { return f(distinct(random, x[0]), axis_of(random, x[0]), coin(random)).values; }};
}
// A loss of two tensors of one shape.
FuzzOp loss(const char* name, std::function<Tensor(R, const Tensor&, const Tensor&)> f) {
  return {name, 2, filled, [f](R random, In x) { return f(random, x[0], shaped(x[1], x[0].shape())); }};
}

// ---- The table, by header.

std::vector<FuzzOp> math_ops() {
  return {
      unary("exp", [](const Tensor& x) { return exp(x * 0.5); }),
      unary("expm1", [](const Tensor& x) { return expm1(x * 0.5); }),
      unary("exp2", [](const Tensor& x) { return exp2(x * 0.5); }),
      unary("sinh", [](const Tensor& x) { return sinh(x * 0.5); }),
      unary("cosh", [](const Tensor& x) { return cosh(x * 0.5); }),
      unary("log", log, positive),
      unary("log1p", log1p, positive),
      unary("log2", log2, positive),
      unary("log10", log10, positive),
      unary("sqrt", sqrt, positive),
      unary("rsqrt", rsqrt, positive),
      unary("reciprocal", reciprocal, positive),
      unary("square", square),
      unary("sin", sin),
      unary("cos", cos),
      unary("tan", tan, unit),
      unary("asin", asin, unit),
      unary("acos", acos, unit),
      unary("atan", atan),
      unary("asinh", asinh),
      unary("acosh", acosh, above_one),
      unary("atanh", atanh, unit),
      unary("erf", erf),
      unary("erfc", erfc),
      unary("logit", [](const Tensor& x) { return logit(share(x)); }),
      unary("sinc", sinc),
      kinked("abs", abs),
      kinked("sign", sign),
      kinked("floor", floor),
      kinked("ceil", ceil),
      kinked("round", round),
      kinked("trunc", trunc),
      kinked("frac", frac),
      unary("nan_to_num", [](const Tensor& x) { return nan_to_num(x); }),
  };
}

std::vector<FuzzOp> activation_ops() {
  return {
      unary("sigmoid", sigmoid),
      unary("tanh", tanh),
      unary("gelu", [](const Tensor& x) { return gelu(x); }),
      unary("gelu tanh", [](const Tensor& x) { return gelu(x, GeluApproximate::Tanh); }),
      unary("softplus", [](const Tensor& x) { return softplus(x, 1.5); }),
      unary("silu", silu),
      unary("mish", mish),
      unary("logsigmoid", logsigmoid),
      unary("tanhshrink", tanhshrink),
      kinked("relu", relu),
      kinked("relu6", relu6),
      kinked("leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); }),
      kinked("elu", [](const Tensor& x) { return elu(x, 1.5); }),
      kinked("celu", [](const Tensor& x) { return celu(x, 1.5); }),
      kinked("selu", selu),
      kinked("softsign", softsign),
      kinked("hardtanh", [](const Tensor& x) { return hardtanh(x); }),
      kinked("hardsigmoid", hardsigmoid),
      kinked("hardswish", hardswish),
      kinked("threshold", [](const Tensor& x) { return threshold(x, 1, -2); }),
      kinked("hardshrink", [](const Tensor& x) { return hardshrink(x); }),
      kinked("softshrink", [](const Tensor& x) { return softshrink(x); }),
      {"prelu", 2, any, [](R r, In x) { return prelu(off_kinks(r, x[0]), shaped(x[1], {1})); }},
      {"prelu channels", 2, any, [](R r, In x) { return prelu(off_kinks(r, sequence(r, x[0])), shaped(x[1], {2})); }},
      {"glu", 2, has_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return glu(cat({x[0], shaped(x[1], x[0].shape())}, axis), axis);
       }},
      along_axis("softmax", has_axis, softmax),
      along_axis("softmin", has_axis, softmin),
      along_axis("log_softmax", has_axis, log_softmax),
      {"dropout", 1, any,
       [](R r, In x) {
         manual_seed(r.next_u64());
         return dropout(x[0], 0.3, true);
       }},
  };
}

std::vector<FuzzOp> arithmetic_ops() {
  return {
      binary("add", add),
      binary("sub", sub),
      binary("mul", mul),
      binary("div", [](const Tensor& a, const Tensor& b) { return a / positive(b); }),
      binary("pow", [](const Tensor& a, const Tensor& b) { return pow(positive(a), unit(b)); }),
      binary("atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, positive(b)); }),
      binary("hypot", [](const Tensor& a, const Tensor& b) { return hypot(a, positive(b)); }),
      binary("logaddexp", logaddexp),
      binary("xlogy", [](const Tensor& a, const Tensor& b) { return xlogy(a, positive(b)); }),
      ordering("maximum", [](const Tensor& a, const Tensor& b) { return maximum(a, b); }),
      ordering("minimum", [](const Tensor& a, const Tensor& b) { return minimum(a, b); }),
      // a / b stays between 2 and 3.
      {"fmod", 2, any,
       [](R r, In x) { return fmod(off_kinks(r, x[0]) * 0.5 + 25, unit(partner(r, x[1], x[0])) * 0.2 + 10); }},
      {"remainder", 2, any,
       [](R r, In x) { return remainder(off_kinks(r, x[0]) * 0.5 - 25, unit(partner(r, x[1], x[0])) * 0.2 + 10); }},
      unary("neg", neg),
      unary("number plus", [](const Tensor& x) { return 0.5 + x; }),
      unary("number minus", [](const Tensor& x) { return 0.5 - x; }),
      unary("times number", [](const Tensor& x) { return x * -1.5; }),
      unary("number over", [](const Tensor& x) { return 2 / positive(x); }),
      unary("pow number", [](const Tensor& x) { return pow(x, 3); }),
      unary("number pow", [](const Tensor& x) { return pow(1.5, x); }),
      kinked("clamp", [](const Tensor& x) { return clamp(x, -1, 3); }),
      {"lerp", 3, any, [](R r, In x) { return lerp(x[0], partner(r, x[1], x[0]), shaped(x[2], x[0].shape())); }},
      {"lerp number", 2, any, [](R r, In x) { return lerp(x[0], partner(r, x[1], x[0]), 0.3); }},
      {"addcmul", 3, any,
       [](R r, In x) { return addcmul(x[0], partner(r, x[1], x[0]), shaped(x[2], x[0].shape()), 0.7); }},
      {"addcdiv", 3, any,
       [](R r, In x) { return addcdiv(x[0], partner(r, x[1], x[0]), positive(shaped(x[2], x[0].shape())), 0.7); }},
      {"where", 2, any,
       [](R r, In x) { return where(mask(r, partner_of(r, x[0].shape())), x[0], shaped(x[1], x[0].shape())); }},
      {"where number", 1, any, [](R r, In x) { return where(mask(r, x[0].shape()), 0.5, x[0]); }},
      {"masked_fill", 1, any, [](R r, In x) { return masked_fill(x[0], mask(r, x[0].shape()), -0.5); }},
  };
}

std::vector<FuzzOp> reduce_ops() {
  return {
      reduction("sum", any, sum),
      reduction("mean", filled, mean),
      reduction("prod", any, prod),
      reduction("logsumexp", filled, logsumexp),
      {"var", 1, filled,
       [](R r, In x) {
         return var(x[0], axes_of(r, x[0]), pick(r, {0.0, 0.5}), coin(r));
       }},
      {"var unbiased", 1, has_spread, [](R r, In x) { return var(x[0], axes_of(r, x[0]), 1, coin(r)); }},
      {"std", 1, has_spread, [](R r, In x) { return std(distinct(r, x[0]), axes_of(r, x[0]), 1, coin(r)); }},
      {"norm", 1, filled,
       [](R r, In x) {
         return norm(off_kinks(r, x[0]), pick(r, {1.0, 2.0, 3.5}), axes_of(r, x[0]), coin(r));
       }},
      {"norm infinite", 1, filled,
       [](R r, In x) {
         const Tensor away = distinct(r, x[0]) + 10;
         return norm(away, std::numeric_limits<double>::infinity(), axes_of(r, x[0]), coin(r));
       }},
      {"amax", 1, filled, [](R r, In x) { return amax(distinct(r, x[0]), axes_of(r, x[0]), coin(r)); }},
      {"amin", 1, filled, [](R r, In x) { return amin(distinct(r, x[0]), axes_of(r, x[0]), coin(r)); }},
      {"sum_to", 2, any,
       [](R r, In x) {
         const Tensor y = partner(r, x[1], x[0]);
         return sum_to(x[0] * y, y.shape());
       }},
  };
}

std::vector<FuzzOp> shape_ops() {
  return {
      unary("flatten", [](const Tensor& x) { return flatten(x); }),
      unary("squeeze", [](const Tensor& x) { return squeeze(x); }),
      unary("contiguous", contiguous),
      unary("clone", clone),
      {"reshape", 1, any, [](R r, In x) { return reshape(permute(x[0], order_of(r, x[0])), x[0].shape()); }},
      {"transpose", 1, has_axis, [](R r, In x) { return transpose(x[0], axis_of(r, x[0]), axis_of(r, x[0])); }},
      {"permute", 1, any, [](R r, In x) { return permute(x[0], order_of(r, x[0])); }},
      {"movedim", 1, has_axis, [](R r, In x) { return movedim(x[0], axis_of(r, x[0]), axis_of(r, x[0])); }},
      {"unsqueeze", 1, any, [](R r, In x) { return unsqueeze(x[0], below(r, x[0].dim() + 1)); }},
      {"expand", 1, any,
       [](R r, In x) {
         return expand(unsqueeze(x[0], 0), [&] {
           Shape shape = x[0].shape();
           shape.insert(0, below(r, 4));
           return shape;
         }());
       }},
      {"slice", 1, has_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return slice(x[0], axis, below(r, x[0].size(axis) + 1), std::nullopt, 1 + below(r, 2));
       }},
      {"narrow", 1, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]), start = below(r, x[0].size(axis));
         return narrow(x[0], axis, start, below(r, x[0].size(axis) - start) + 1);
       }},
      {"select", 1, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]), size = x[0].size(axis);
         return select(x[0], axis, below(r, 2 * size) - size);
       }},
      {"cat", 3, has_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return cat({x[0], shaped(x[1], with_extent(x[0].shape(), axis, below(r, 3))), x[0],
                     shaped(x[2], with_extent(x[0].shape(), axis, 1))},
                    axis);
       }},
      {"stack", 3, any,
       [](R r, In x) {
         const Shape& shape = x[0].shape();
         return stack({shaped(x[1], shape), x[0], shaped(x[2], shape)}, below(r, x[0].dim() + 1));
       }},
      {"split", 1, filled_axis, [](R r, In x) { return joined(split(x[0], 1 + below(r, 3), axis_of(r, x[0]))); }},
      {"chunk", 1, filled_axis, [](R r, In x) { return chunk(x[0], 1 + below(r, 3), axis_of(r, x[0])).back(); }},
      {"unbind", 1, filled_axis, [](R r, In x) { return joined(unbind(x[0], axis_of(r, x[0]))); }},
  };
}

std::vector<FuzzOp> rearrange_ops() {
  return {
      {"repeat", 1, has_axis,
       [](R r, In x) {
         Dims counts;
         for (int64_t i = 0; i < x[0].dim(); ++i) counts.push_back(1 + below(r, 2));
         if (coin(r)) counts.insert(0, 2);
         return repeat(x[0], counts);
       }},
      {"tile", 1, has_axis, [](R r, In x) { return tile(x[0], {1 + below(r, 3)}); }},
      {"repeat_interleave", 1, has_axis,
       [](R r, In x) { return repeat_interleave(x[0], 1 + below(r, 3), axis_of(r, x[0])); }},
      {"flip", 1, any, [](R r, In x) { return flip(x[0], axes_of(r, x[0])); }},
      {"roll", 1, has_axis, [](R r, In x) { return roll(x[0], {below(r, 7) - 3}, {axis_of(r, x[0])}); }},
      {"unflatten", 1, filled,
       [](R r, In x) {
         return unflatten(shaped(x[0], {2, 6}), 1, {pick<int64_t>(r, {2, 3}), -1});
       }},
      {"broadcast_tensors", 2, any,
       [](R r, In x) {
         return joined(broadcast_tensors(std::vector{x[0], partner(r, x[1], x[0])}));
       }},
      {"pad", 1, has_axis,
       [](R r, In x) {
         return pad(x[0], {below(r, 3), below(r, 3)}, PadMode::Constant, 0.5);
       }},
      {"pad cutting", 1, any,
       [](R r, In x) {
         return pad(image(r, x[0]), {-1, below(r, 2), below(r, 2), -1});
       }},
      {"pad reflect", 1, any,
       [](R r, In x) {
         return pad(sequence(r, x[0]), {below(r, 3), below(r, 3)}, PadMode::Reflect);
       }},
      {"pad replicate", 1, any,
       [](R r, In x) {
         return pad(sequence(r, x[0]), {below(r, 3), below(r, 3)}, PadMode::Replicate);
       }},
      {"pad circular", 1, any,
       [](R r, In x) {
         return pad(sequence(r, x[0]), {below(r, 3), below(r, 3)}, PadMode::Circular);
       }},
      {"tril", 1, is_matrix, [](R r, In x) { return tril(x[0], below(r, 3) - 1); }},
      {"triu", 1, is_matrix, [](R r, In x) { return triu(x[0], below(r, 3) - 1); }},
      {"diagonal", 1, any, [](R r, In x) { return diagonal(sequence(r, x[0]), below(r, 3) - 1, 2, 1); }},
      {"diag_embed", 1, has_axis, [](R r, In x) { return diag_embed(x[0], below(r, 3) - 1); }},
      {"diag", 1, any,
       [](R r, In x) {
         return diag(coin(r) ? flatten(x[0]) : shaped(x[0], {2, 3}), below(r, 3) - 1);
       }},
      {"meshgrid", 2, any,
       [](R r, In x) {
         return joined(
             meshgrid(std::vector{shaped(x[0], {2}), shaped(x[1], {3})}, pick(r, {Indexing::ij, Indexing::xy})));
       }},
  };
}

std::vector<FuzzOp> order_ops() {
  return {
      along_axis("cumsum", has_axis, cumsum),
      along_axis("cumprod", has_axis, cumprod),
      picking("sort", sort),
      picking("topk",
              [](Arg x, int64_t axis, bool largest) { return topk(x, (x->size(axis) + 1) / 2, axis, largest); }),
      picking("kthvalue",
              [](Arg x, int64_t axis, bool keepdim) { return kthvalue(x, (x->size(axis) + 1) / 2, axis, keepdim); }),
      picking("median", median),
      picking("max", max),
      picking("min", min),
  };
}

std::vector<FuzzOp> index_ops() {
  return {
      {"index_select", 1, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return index_select(x[0], axis, randint(0, x[0].size(axis), {below(r, 5)}, r));
       }},
      {"index_add", 2, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]), count = below(r, 4);
         const Tensor source = shaped(x[1], with_extent(x[0].shape(), axis, count));
         return index_add(x[0], axis, randint(0, x[0].size(axis), {count}, r), source);
       }},
      {"gather", 1, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return gather(x[0], axis, places(r, x[0], axis));
       }},
      {"scatter_add", 2, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         const Tensor at = places(r, x[0], axis);
         return scatter_add(x[0], axis, at, shaped(x[1], at.shape()));
       }},
      {"scatter", 2, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         const Tensor at = places(r, x[0], axis);
         return scatter(x[0], axis, at, shaped(x[1], at.shape()));
       }},
      {"scatter number", 1, filled_axis,
       [](R r, In x) {
         const int64_t axis = axis_of(r, x[0]);
         return scatter(x[0], axis, places(r, x[0], axis), 0.5);
       }},
      {"take", 1, filled,
       [](R r, In x) {
         return take(x[0], randint(-x[0].numel(), x[0].numel(), {2, 3}, r));
       }},
      {"masked_select", 1, any, [](R r, In x) { return masked_select(x[0], mask(r, partner_of(r, x[0].shape()))); }},
      {"index", 1, any,
       [](R r, In x) {
         const Tensor y = image(r, x[0]);
         const std::vector<Tensor> at{randint(0, 1, {2, 1}, r), Tensor(), randint(-3, 3, {3}, r)};
         return index(y, at);
       }},
      {"index_put", 2, any,
       [](R r, In x) {
         const Tensor y = sequence(r, x[0]);
         const std::vector<Tensor> at{Tensor(), randint(-2, 2, {4}, r), randint(0, 3, {4}, r)};
         return index_put(y, at, shaped(x[1], pick(r, {Shape{4}, Shape{}})));
       }},
      {"embedding", 1, any,
       [](R r, In x) {
         return embedding(randint(0, 4, {2, 3}, r), shaped(x[0], {4, 2}));
       }},
  };
}

std::vector<FuzzOp> linalg_ops() {
  return {
      {"matmul", 2, has_axis,
       [](R r, In x) {
         Shape other{x[0].size(-1)};
         if (coin(r)) other.push_back(below(r, 4));
         if (other.size() == 2 && x[0].dim() > 2 && coin(r)) other.insert(0, coin(r) ? 1 : x[0].size(-3));
         if (other.size() == 2 && x[0].dim() < 3 && coin(r)) other.insert(0, 2);
         return matmul(x[0], shaped(x[1], other));
       }},
      {"matmul right", 2, is_matrix,
       [](R r, In x) {
         Shape other{x[0].size(-2)};
         if (coin(r)) other.insert(0, below(r, 4));
         return matmul(shaped(x[1], other), x[0]);
       }},
      {"matmul transposed", 2, is_matrix,
       [](R, In x) {
         return matmul(transpose(x[0]), shaped(x[1], {x[0].size(-2), 2}));
       }},
      {"matmul itself", 1, is_matrix, [](R, In x) { return matmul(x[0], transpose(x[0])); }},
      {"linear", 3, has_axis,
       [](R r, In x) {
         const int64_t out = below(r, 4);
         const Tensor bias = coin(r) ? shaped(x[2], {out}) : Tensor();
         return linear(x[0], shaped(x[1], {out, x[0].size(-1)}), bias);
       }},
      {"mm", 2, any,
       [](R, In x) {
         return mm(shaped(x[0], {2, 3}), shaped(x[1], {3, 2}));
       }},
      {"mv", 2, any,
       [](R, In x) {
         return mv(shaped(x[0], {2, 3}), shaped(x[1], {3}));
       }},
      {"bmm", 2, any,
       [](R, In x) {
         return bmm(shaped(x[0], {2, 2, 3}), shaped(x[1], {2, 3, 2}));
       }},
      {"dot", 2, any, [](R, In x) { return dot(flatten(x[0]), shaped(x[1], {x[0].numel()})); }},
      {"outer", 2, any, [](R, In x) { return outer(flatten(x[0]), shaped(x[1], {2})); }},
      {"addmm", 3, any,
       [](R r, In x) {
         const Tensor input = shaped(x[2], pick(r, {Shape{2, 2}, Shape{2, 1}, Shape{2}, Shape{}}));
         return addmm(input, shaped(x[0], {2, 3}), shaped(x[1], {3, 2}), 0.7, 1.3);
       }},
      {"baddbmm", 3, any,
       [](R, In x) {
         return baddbmm(shaped(x[2], {2, 1, 2}), shaped(x[0], {2, 2, 3}), shaped(x[1], {2, 3, 2}), 0.7, 1.3);
       }},
      {"tensordot", 2, any,
       [](R, In x) {
         return tensordot(shaped(x[0], {2, 3, 2}), shaped(x[1], {2, 2, 3}), {0, 1}, {1, 2});
       }},
      {"kron", 2, any,
       [](R, In x) {
         return kron(shaped(x[0], {2, 2}), shaped(x[1], {2, 3}));
       }},
      {"einsum", 2, any,
       [](R r, In x) {
         const char* equation = pick(r, {"ij,jk->ik", "ij,kj->", "ij,jj->ji", "ij,...j->...i"});
         return einsum(equation, {shaped(x[0], {2, 3}), shaped(x[1], {3, 3})});
       }},
      {"attention", 3, any,
       [](R r, In x) {
         const AttentionOptions options{.mask = coin(r) ? constant(r, {3, 3}) : Tensor()};
         return scaled_dot_product_attention(shaped(x[0], {2, 3, 2}), shaped(x[1], {3, 2}), shaped(x[2], {2, 3, 2}),
                                             options);
       }},
      {"rnn", 3, any,
       [](R r, In x) {
         const RecurrentWeights weights{shaped(x[1], {2, 2}), shaped(x[2], {2, 2}),
                                        coin(r) ? shaped(x[1], {2}) : Tensor()};
         return rnn(shaped(x[0], {3, 2, 2}), constant(r, {2, 2}), weights, RnnNonlinearity::Tanh, coin(r));
       }},
      {"gru", 3, any,
       [](R r, In x) {
         const RecurrentWeights weights{
             shaped(x[1], {6, 2}), shaped(x[2], {6, 2}), {}, coin(r) ? shaped(x[1], {6}) : Tensor()};
         return gru(shaped(x[0], {2, 2, 2}), constant(r, {2, 2}), weights, coin(r));
       }},
      {"lstm", 4, any,
       [](R r, In x) {
         const RecurrentWeights weights{
             shaped(x[1], {8, 2}), shaped(x[2], {8, 2}), {}, coin(r) ? shaped(x[1], {8}) : Tensor()};
         const LstmResult result =
             lstm(shaped(x[0], {2, 2, 2}), constant(r, {2, 2}), shaped(x[3], {2, 2}), weights, coin(r));
         return coin(r) ? result.h : result.c;
       }},
      {"rnn_cell", 3, any,
       [](R, In x) {
         return rnn_cell(shaped(x[0], {2, 2}), shaped(x[1], {2, 2}), {shaped(x[2], {2, 2}), shaped(x[1], {2, 2})});
       }},
      {"gru_cell", 3, any,
       [](R, In x) {
         return gru_cell(shaped(x[0], {2, 2}), shaped(x[1], {2, 2}), {shaped(x[2], {6, 2}), shaped(x[1], {6, 2})});
       }},
      {"lstm_cell", 3, any,
       [](R, In x) {
         return lstm_cell(shaped(x[0], {2, 2}), shaped(x[1], {2, 2}), shaped(x[2], {2, 2}),
                          {shaped(x[2], {8, 2}), shaped(x[1], {8, 2})})
             .h;
       }},
      {"attention causal", 3, any,
       [](R, In x) {
         return scaled_dot_product_attention(shaped(x[0], {2, 3, 2}), shaped(x[1], {2, 3, 2}), shaped(x[2], {3, 2}),
                                             {.is_causal = true});
       }},
  };
}

std::vector<FuzzOp> convolution_ops() {
  return {
      {"conv1d", 3, any,
       [](R r, In x) {
         const Conv1dOptions options{.stride = 1 + below(r, 2), .padding = below(r, 2), .groups = 1 + below(r, 2)};
         const Tensor weight = shaped(x[1], {2, 2 / options.groups, 2});
         return conv1d(sequence(r, x[0]), weight, coin(r) ? shaped(x[2], {2}) : Tensor(), options);
       }},
      {"conv2d", 3, any,
       [](R r, In x) {
         const Conv2dOptions options{.stride = {1 + below(r, 2), 1 + below(r, 2)},
                                     .padding = {below(r, 2), below(r, 2)},
                                     .dilation = {1 + below(r, 2), 1},
                                     .groups = 1 + below(r, 2)};
         const Tensor weight = shaped(x[1], {2, 2 / options.groups, 2, 2});
         return conv2d(image(r, x[0]), weight, coin(r) ? shaped(x[2], {2}) : Tensor(), options);
       }},
      {"conv_transpose1d", 3, any,
       [](R r, In x) {
         const ConvTranspose1dOptions options{.stride = 1 + below(r, 2), .padding = below(r, 2)};
         return conv_transpose1d(sequence(r, x[0]), shaped(x[1], {2, 1, 2}), shaped(x[2], {1}), options);
       }},
      {"conv_transpose2d", 2, any,
       [](R r, In x) {
         const ConvTranspose2dOptions options{.stride = {1 + below(r, 2), 1}, .padding = below(r, 2)};
         return conv_transpose2d(image(r, x[0]), shaped(x[1], {2, 1, 2, 2}), Tensor(), options);
       }},
      {"unfold", 1, any,
       [](R r, In x) {
         return unfold(image(r, x[0]), 2, {.stride = {1 + below(r, 2), 2}});
       }},
      {"fold", 1, any,
       [](R r, In x) {
         return fold(shaped(x[0], {1, 4, 6}), {3, 4}, 2, {.padding = below(r, 1)});
       }},
      {"max_pool1d", 1, any, [](R r, In x) { return max_pool1d(distinct(r, sequence(r, x[0])), 2); }},
      {"max_pool2d", 1, any,
       [](R r, In x) {
         return max_pool2d(distinct(r, image(r, x[0])), {2, 1 + below(r, 3)},
                           {.stride = Pair(1 + below(r, 2)), .ceil_mode = coin(r)});
       }},
      {"max_pool2d padded", 1, any,
       [](R r, In x) {
         return max_pool2d(distinct(r, image(r, x[0])), 2, {.padding = {below(r, 2), 1}});
       }},
      {"avg_pool1d", 1, any, [](R r, In x) { return avg_pool1d(sequence(r, x[0]), 2, {.padding = below(r, 2)}); }},
      {"avg_pool2d", 1, any,
       [](R r, In x) {
         const Pair padding{below(r, 2), 1};
         return avg_pool2d(image(r, x[0]), 2, {.stride = 1, .padding = padding, .count_include_pad = coin(r)});
       }},
      {"adaptive_max_pool1d", 1, any, [](R r, In x) { return adaptive_max_pool1d(distinct(r, sequence(r, x[0])), 2); }},
      {"adaptive_max_pool2d", 1, any,
       [](R r, In x) {
         return adaptive_max_pool2d(distinct(r, image(r, x[0])), {2, 3});
       }},
      {"adaptive_avg_pool1d", 1, any, [](R r, In x) { return adaptive_avg_pool1d(sequence(r, x[0]), 2); }},
      {"adaptive_avg_pool2d", 1, any,
       [](R r, In x) {
         return adaptive_avg_pool2d(image(r, x[0]), {3, 2});
       }},
      {"interpolate", 1, any,
       [](R r, In x) {
         return interpolate(image(r, x[0]), {4, 2 + below(r, 3)});
       }},
      {"interpolate linear", 1, any,
       [](R r, In x) {
         return interpolate(sequence(r, x[0]), Shape{2 + below(r, 6)}, {InterpolateMode::Linear, coin(r)});
       }},
      {"interpolate bilinear", 1, any,
       [](R r, In x) {
         return interpolate(image(r, x[0]), {4, 2 + below(r, 3)}, {InterpolateMode::Bilinear, coin(r)});
       }},
  };
}

// An eps of 0.1 keeps what is nearly constant smooth.
std::vector<FuzzOp> normalization_ops() {
  return {
      {"layer_norm", 3, filled_axis,
       [](R r, In x) {
         const Shape last{x[0].size(-1)};
         return layer_norm(x[0], last, coin(r) ? shaped(x[1], last) : Tensor(), shaped(x[2], last), 0.1);
       }},
      {"rms_norm", 2, filled_axis,
       [](R, In x) { return rms_norm(x[0], {x[0].size(-1)}, shaped(x[1], {x[0].size(-1)}), 0.1); }},
      {"group_norm", 3, any,
       [](R r, In x) {
         return group_norm(sequence(r, x[0]), 1 + below(r, 2), shaped(x[1], {2}), shaped(x[2], {2}), 0.1);
       }},
      {"instance_norm", 2, any,
       [](R r, In x) { return instance_norm(sequence(r, x[0]), shaped(x[1], {2}), Tensor(), 0.1); }},
      {"batch_norm", 3, any,
       [](R r, In x) {
         return batch_norm(sequence(r, x[0]), Tensor(), Tensor(), shaped(x[1], {2}), shaped(x[2], {2}),
                           {.training = true, .eps = 0.1});
       }},
      {"batch_norm at rest", 2, any,
       [](R r, In x) {
         const Tensor mean = constant(r, {2}), variance = square(constant(r, {2})) + 0.5;
         return batch_norm(sequence(r, x[0]), mean, variance, shaped(x[1], {2}));
       }},
      {"normalize", 1, filled_axis,
       [](R r, In x) {
         return normalize(off_kinks(r, x[0]), pick(r, {1.0, 2.0, 3.0}), axis_of(r, x[0]));
       }},
  };
}

// Margins of 100 are never kept, so that the kink is far away.
std::vector<FuzzOp> loss_ops() {
  return {
      loss("l1_loss",
           [](R r, const Tensor& x, const Tensor& y) { return l1_loss(y + off_kinks(r, x), y, reduction_of(r)); }),
      loss("mse_loss", [](R r, const Tensor& x, const Tensor& y) { return mse_loss(x, y, reduction_of(r)); }),
      loss("huber_loss", [](R r, const Tensor& x,
                            const Tensor& y) { return huber_loss(y + off_kinks(r, x), y, reduction_of(r), 1.5); }),
      loss("smooth_l1_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return smooth_l1_loss(y + off_kinks(r, x), y, reduction_of(r), 1.5);
           }),
      loss("poisson_nll_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return poisson_nll_loss(unit(x), y, {.reduction = reduction_of(r)});
           }),
      loss("poisson_nll_loss of rates",
           [](R r, const Tensor& x, const Tensor& y) {
             return poisson_nll_loss(positive(x), above_one(y),
                                     {.log_input = false, .full = true, .reduction = reduction_of(r)});
           }),
      loss("gaussian_nll_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return gaussian_nll_loss(x, y, positive(x * y), {.full = coin(r), .reduction = reduction_of(r)});
           }),
      loss("binary_cross_entropy",
           [](R r, const Tensor& x, const Tensor& y) {
             return binary_cross_entropy(share(x), share(y), reduction_of(r));
           }),
      loss("binary_cross_entropy_with_logits",
           [](R r, const Tensor& x, const Tensor& y) {
             return binary_cross_entropy_with_logits(x, share(y), reduction_of(r), coin(r) ? positive(x * y) : Tensor(),
                                                     coin(r) ? positive(x + y) : Tensor());
           }),
      loss("kl_div", [](R r, const Tensor& x, const Tensor& y) { return kl_div(x, positive(y), reduction_of(r)); }),
      loss("kl_div of logarithms",
           [](R r, const Tensor& x, const Tensor& y) { return kl_div(x, unit(y), reduction_of(r), true); }),
      loss("soft_margin_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return soft_margin_loss(x + y, signs(r, x.shape()), reduction_of(r));
           }),
      loss("hinge_embedding_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return hinge_embedding_loss(off_kinks(r, x + y), signs(r, x.shape()), 1, reduction_of(r));
           }),
      loss("margin_ranking_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return margin_ranking_loss(y + off_kinks(r, x), y, signs(r, x.shape()), 0, reduction_of(r));
           }),
      loss("multilabel_soft_margin_loss",
           [](R r, const Tensor& x, const Tensor& y) {
             return multilabel_soft_margin_loss(shaped(x, {2, 3}), share(shaped(y, {2, 3})), reduction_of(r));
           }),
      {"cross_entropy", 1, any,
       [](R r, In x) {
         const Tensor logits = sequence(r, x[0]);
         const CrossEntropyOptions options{.weight = coin(r) ? positive(constant(r, {2})) : Tensor(),
                                           .label_smoothing = pick(r, {0.0, 0.2}),
                                           .reduction = reduction_of(r)};
         return cross_entropy(logits, randint(0, 2, {logits.size(0), logits.size(2)}, r), options);
       }},
      {"cross_entropy of probabilities", 2, any,
       [](R r, In x) {
         const CrossEntropyOptions options{.label_smoothing = pick(r, {0.0, 0.2}), .reduction = reduction_of(r)};
         return cross_entropy(shaped(x[0], {2, 3}), softmax(shaped(x[1], {2, 3}), 1), options);
       }},
      {"nll_loss", 1, any,
       [](R r, In x) {
         return nll_loss(shaped(x[0], {3, 4}), randint(0, 4, {3}, r),
                         {.ignore_index = 4, .reduction = reduction_of(r)});
       }},
      {"multi_margin_loss", 1, any,
       [](R r, In x) {
         return multi_margin_loss(shaped(x[0], {2, 3}), randint(0, 3, {2}, r),
                                  {.p = pick(r, {1, 2}), .margin = 100, .reduction = reduction_of(r)});
       }},
      {"multilabel_margin_loss", 1, any,
       [](R r, In x) {
         const Tensor target = tensor(std::vector<int64_t>{2, 0, -1, 1, -1, -1}, {2, 3});
         return multilabel_margin_loss(unit(shaped(x[0], {2, 3})) * 0.5, target, reduction_of(r));
       }},
      {"cosine_similarity", 2, filled_axis,
       [](R r, In x) {
         return cosine_similarity(off_kinks(r, x[0]), off_kinks(r, shaped(x[1], x[0].shape())), axis_of(r, x[0]));
       }},
      {"cosine_embedding_loss", 2, any,
       [](R r, In x) {
         return cosine_embedding_loss(off_kinks(r, shaped(x[0], {2, 3})), off_kinks(r, shaped(x[1], {2, 3})),
                                      signs(r, {2}), -1, reduction_of(r));
       }},
      {"pairwise_distance", 2, filled_axis,
       [](R r, In x) {
         const Tensor y = partner(r, x[1], x[0]);
         const Tensor apart = y + off_kinks(r, expand(x[0], broadcast_shapes("", x[0].shape(), y.shape())));
         return pairwise_distance(apart, y, pick(r, {1.0, 2.0, 3.0}), 1e-6, coin(r));
       }},
      {"triplet_margin_loss", 3, any,
       [](R r, In x) {
         const Tensor anchor = shaped(x[0], {2, 3});
         return triplet_margin_loss(anchor, anchor + off_kinks(r, shaped(x[1], {2, 3})),
                                    anchor + off_kinks(r, shaped(x[2], {2, 3})),
                                    {.margin = 100, .reduction = reduction_of(r)});
       }},
      {"ctc_loss", 1, any,
       [](R r, In x) {
         const Tensor targets = tensor(std::vector<int64_t>{1, 2, 2, 2}, {2, 2});
         return ctc_loss(log_softmax(shaped(x[0], {4, 2, 3}), 2), targets, tensor<int64_t>({4, 3}),
                         tensor<int64_t>({2, 1 + below(r, 2)}), {.reduction = reduction_of(r)});
       }},
  };
}

}  // namespace

const std::vector<FuzzOp>& fuzz_ops() {
  static const std::vector<FuzzOp> all = [] {
    std::vector<FuzzOp> ops;
    for (const auto& family : {math_ops, activation_ops, arithmetic_ops, reduce_ops, shape_ops, rearrange_ops,
                               order_ops, index_ops, linalg_ops, convolution_ops, normalization_ops, loss_ops})
      for (FuzzOp& op : family()) ops.push_back(std::move(op));
    return ops;
  }();
  return all;
}

}  // namespace eigengrad::tests
