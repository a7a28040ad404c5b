// Rows of random graphs: products, windows, norms, losses: what nets are made of.
#include "tests/autograd/fuzz_rows.h"

namespace eigengrad::tests::fuzz {
namespace {

// Of a relu behind sums of so many terms between -1 and 1, of two outputs: they stay away from 0.
Tensor one_of_each_sign(const Tensor& x, int64_t terms) {
  return tanh(shaped(x, {2})) + tensor({-2.0, 2.0}) * static_cast<double>(terms + 1);
}

}  // namespace

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
      {"linear_relu", 3, has_axis,
       [](R, In x) {
         const Tensor left = tanh(x[0]), right = tanh(shaped(x[1], {2, x[0].size(-1)}));
         return linear_relu(left, right, one_of_each_sign(x[2], x[0].size(-1)));
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
      {"conv1d_relu", 3, any,
       [](R r, In x) {
         return conv1d_relu(tanh(sequence(r, x[0])), tanh(shaped(x[1], {2, 2, 2})), one_of_each_sign(x[2], 4));
       }},
      {"conv2d_relu", 3, any,
       [](R r, In x) {
         const Tensor left = tanh(image(r, x[0])), right = tanh(shaped(x[1], {2, 2, 2, 2}));
         return conv2d_relu(left, right, one_of_each_sign(x[2], 8), {.padding = 1});
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

}  // namespace eigengrad::tests::fuzz
