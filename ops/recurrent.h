// Recurrent networks: one layer, one direction, one step (…_cell) or a whole sequence. The weights are PyTorch's:
// weight_ih [G·H, E] and weight_hh [G·H, H], with G = 1 for rnn, 4 for lstm (input, forget, cell, output) and 3 for gru
// (reset, update, new), and biases [G·H], either of which may be undefined. x is [N, E] for a step and [L, N, E] for a
// sequence, h and c are [N, H]. Floating tensors of one dtype. Throws ShapeError, DtypeError, and ValueError for an
// undefined tensor.
#pragma once

#include "eigengrad/core/arg.h"

namespace eigengrad {

/// The weights of a layer.
struct RecurrentWeights {
  Tensor weight_ih, weight_hh;  ///< [G·H, E] and [G·H, H]
  Tensor bias_ih{}, bias_hh{};  ///< [G·H]; undefined for none
};

/// Tanh(x), or max(x, 0).
enum class RnnNonlinearity { Tanh, Relu };

/// f(weight_ih·x + bias_ih + weight_hh·h + bias_hh), f being tanh or relu (Elman 1990): the next h.
Tensor rnn_cell(Arg x, const Tensor& h, const RecurrentWeights& weights,
                RnnNonlinearity nonlinearity = RnnNonlinearity::Tanh);
/// Of a whole sequence: every h, [L, N, H], from h = h0 on. With `reverse` the steps are taken from the last to the
/// first.
Tensor rnn(Arg x, const Tensor& h0, const RecurrentWeights& weights,
           RnnNonlinearity nonlinearity = RnnNonlinearity::Tanh, bool reverse = false);

/// r = σ(..), z = σ(..), n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)): the next h is (1 - z)·n + z·h (Cho et al. 2014).
Tensor gru_cell(Arg x, const Tensor& h, const RecurrentWeights& weights);
/// Of a whole sequence: every h, [L, N, H].
Tensor gru(Arg x, const Tensor& h0, const RecurrentWeights& weights, bool reverse = false);

/// What lstm_cell and lstm give.
struct LstmResult {
  Tensor h, c;  ///< hidden state, and cell
};
/// i = σ(..), f = σ(..), g = tanh(..), o = σ(..): the next c is f·c + i·g, the next h is o·tanh(c) (Hochreiter and
/// Schmidhuber 1997, Gers et al. 2000).
LstmResult lstm_cell(Arg x, const Tensor& h, const Tensor& c, const RecurrentWeights& weights);
/// Of a whole sequence: every h and every c, both [L, N, H].
LstmResult lstm(Arg x, const Tensor& h0, const Tensor& c0, const RecurrentWeights& weights, bool reverse = false);

}  // namespace eigengrad
