// Rows of random graphs: ops that move, sort and pick elements.
#include "tests/autograd/fuzz_rows.h"

namespace eigengrad::tests::fuzz {

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

}  // namespace eigengrad::tests::fuzz
