// Limits on gradients, applied between backward() and step().
#pragma once

#include <vector>

#include "eigengrad/core/tensor.h"

namespace eigengrad::optim {

/// Scales the gradients of all parameters so that their common Euclidean norm is at most max_norm, and returns the norm
/// that they had. An infinite max_norm only measures. Parameters without a gradient are passed over. A norm that is not
/// finite is returned, and nothing scaled. Throws ValueError unless max_norm > 0.
double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm);
/// Limits every element of every gradient to [-max_value, max_value]. Throws ValueError unless max_value > 0.
void clip_grad_value_(const std::vector<Tensor>& parameters, double max_value);

}  // namespace eigengrad::optim
