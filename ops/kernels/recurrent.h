// Whole sequences of recurrent layers. All tensors are contiguous and of one floating dtype; L steps, batch N, H units.
// `order` says from which end the steps are taken, and how products with the weight are multiplied.
#pragma once

#include "eigengrad/core/apply.h"

namespace eigengrad::kernels {

struct StepOrder {
  bool reverse;
  Precision precision;
};

/// h = tanh or relu of gates + weight·h_before: gates [L, N, H], h0 [N, H], weight [H, H]. Gives every h.
Tensor rnn_forward(const Tensor& gates, const Tensor& h0, const Tensor& weight, bool relu, const StepOrder& order);
/// The gradients of gates and h0 from that of y.
Tensors rnn_backward(const Tensor& y, const Tensor& weight, const Tensor& dy, bool relu, const StepOrder& order);

/// gates [L, N, 4H], h0 and c0 [N, H], weight [4H, H]. Gives every h, every c, and the gates i, f, g, o [L, N, 4H] as
/// they are after σ and tanh.
Tensors lstm_forward(const Tensor& gates, const Tensor& h0, const Tensor& c0, const Tensor& weight,
                     const StepOrder& order);
/// The gradients of gates, h0 and c0; each of dy, dc and da may be undefined.
Tensors lstm_backward(const Tensor& c0, const Tensor& c, const Tensor& active, const Tensor& weight, const Tensor& dy,
                      const Tensor& dc, const Tensor& da, const StepOrder& order);

/// gates [L, N, 3H], h0 [N, H], weight [3H, H], bias [3H]. Gives every h, and r, z, n and W_hn·h + b_hn [L, N, 4H].
Tensors gru_forward(const Tensor& gates, const Tensor& h0, const Tensor& weight, const Tensor& bias,
                    const StepOrder& order);
/// The gradients of gates, of weight·h + bias [L, N, 3H], and of h0; dy and da may be undefined.
Tensors gru_backward(const Tensor& h0, const Tensor& y, const Tensor& active, const Tensor& weight, const Tensor& dy,
                     const Tensor& da, const StepOrder& order);

}  // namespace eigengrad::kernels
