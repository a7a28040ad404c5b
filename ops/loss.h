// Losses.
#pragma once

#include <limits>

#include "eigengrad/core/tensor.h"

namespace eigengrad {

/// What becomes of the loss of each sample.
enum class Reduction { None, Mean, Sum };

struct CrossEntropyOptions {
  Tensor weight{};                        ///< [C], of each class; undefined: all 1
  std::int64_t ignore_index = -100;       ///< a target that counts for nothing
  double label_smoothing = 0;             ///< in [0, 1]
  Reduction reduction = Reduction::Mean;  ///< the mean is over the weights of the targets that count
};

/// -log softmax(input)[target]: input [N, C] or [N, C, d1, ..] or [C], target int64 without the class axis, as in
/// PyTorch. Throws IndexError for a target that is neither in [0, C) nor ignore_index, ShapeError, DtypeError.
Tensor cross_entropy(const Tensor& input, const Tensor& target, const CrossEntropyOptions& options = {});
/// The mean (or sum, or each) of (input - target)². The shapes must be the same.
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::Mean);
/// -(p·y·log σ(x) + (1 - y)·log(1 - σ(x))), without overflow; weight and pos_weight p broadcast, undefined: 1.
Tensor binary_cross_entropy_with_logits(const Tensor& input, const Tensor& target,
                                        Reduction reduction = Reduction::Mean, const Tensor& weight = Tensor(),
                                        const Tensor& pos_weight = Tensor());

}  // namespace eigengrad
