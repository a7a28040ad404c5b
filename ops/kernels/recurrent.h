// Whole sequences of recurrent layers. All tensors are contiguous and of one floating dtype; L steps, batch N, E
// inputs, H units, G gates: x [L, N, E], h0 and c0 [N, H], weight_ih [G·H, E], weight_hh [G·H, H], biases [G·H]. What
// the inputs contribute to a step is multiplied just before it: so it is still in the cache, which a whole sequence of
// gates is not.
#pragma once

#include "eigengrad/core/apply.h"

namespace eigengrad::kernels {

/// From which end the steps are taken, and how products with the weights are multiplied.
struct StepOrder {
  bool reverse;
  Precision precision;
};

/// What the weights multiply, row by row: the h of the step before, then x, [L, N, H + E].
Tensor states_and_inputs(const Tensor& x, const Tensor& h0, const Tensor& y, const StepOrder& order);

/// Every h = tanh or relu of weight_ih·x + bias + weight_hh·h_before, [L, N, H].
Tensor rnn_forward(const Tensor& x, const Tensor& h0, const Tensor& weight_ih, const Tensor& weight_hh,
                   const Tensor& bias, bool relu, const StepOrder& order);
/// The gradients of the sum in the brackets [L, N, H], h0 and the bias, from that of y.
Tensors rnn_backward(const Tensor& y, const Tensor& weight_hh, const Tensor& dy, bool relu, const StepOrder& order);

/// Every h, every c, and the gates i, f, g, o [L, N, 4H] as they are after σ and tanh.
Tensors lstm_forward(const Tensor& x, const Tensor& h0, const Tensor& c0, const Tensor& weight_ih,
                     const Tensor& weight_hh, const Tensor& bias, const StepOrder& order);
/// The gradients of the gates before σ and tanh [L, N, 4H], h0, c0 and the bias; each of dy, dc and da may be
/// undefined.
Tensors lstm_backward(const Tensor& c0, const Tensor& c, const Tensor& active, const Tensor& weight_hh,
                      const Tensor& dy, const Tensor& dc, const Tensor& da, const StepOrder& order);

/// Every h, and r, z, n and weight_hn·h + bias_hn [L, N, 4H].
Tensors gru_forward(const Tensor& x, const Tensor& h0, const Tensor& weight_ih, const Tensor& weight_hh,
                    const Tensor& bias_ih, const Tensor& bias_hh, const StepOrder& order);
/// The gradients of weight_ih·x + bias_ih and of weight_hh·h + bias_hh [L, N, 3H], of h0, bias_ih and bias_hh; dy and
/// da may be undefined.
Tensors gru_backward(const Tensor& h0, const Tensor& y, const Tensor& active, const Tensor& weight_hh, const Tensor& dy,
                     const Tensor& da, const StepOrder& order);

}  // namespace eigengrad::kernels
