// Recurrent layers and their cells.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "eigengrad/nn/layer.h"
#include "eigengrad/ops/recurrent.h"

namespace eigengrad::nn {

struct RecurrentOptions {
  std::int64_t input_size = 0;   ///< features of the input; 0 takes them from the layer before
  std::int64_t hidden_size = 0;  ///< numbers of the state
  std::int64_t num_layers = 1;   ///< layers, each on top of the one before
  bool bias = true;              ///< learn biases
  bool batch_first = false;      ///< sequences are [N, L, E], not [L, N, E]
  double dropout = 0;            ///< of what each layer but the last gives
  bool bidirectional = false;    ///< a second network reads the sequence backwards
};

struct RNNOptions : RecurrentOptions {
  RnnNonlinearity nonlinearity = RnnNonlinearity::Tanh;  ///< what the sum of input and state goes through
};
void describe(config::Fields& f, RNNOptions& o);

struct LSTMOptions : RecurrentOptions {
  std::int64_t proj_size = 0;  ///< above 0: h is a learned projection, of this size, of o·tanh(c) (Sak et al. 2014)
};
void describe(config::Fields& f, LSTMOptions& o);

struct GRUOptions : RecurrentOptions {};
void describe(config::Fields& f, GRUOptions& o);

/// What RNN and GRU give.
struct RecurrentOutput {
  Tensor output;  ///< every h of the last layer: [L, N, D·H], or [N, L, D·H] with batch_first; D is 2 if bidirectional
  Tensor h;       ///< the last h of every layer and direction: [layers·D, N, H]
};

/// The state of an LSTM: the last h and c of every layer and direction, [layers·D, N, H].
struct LSTMState {
  Tensor h, c;  ///< hidden state, and cell
  /// The same numbers outside the graph, for backpropagation through time that goes no further back.
  LSTMState detach() const { return {h.detach(), c.detach()}; }
};
/// What an LSTM gives.
struct LSTMOutput {
  Tensor output;    ///< as that of RecurrentOutput
  LSTMState state;  ///< the last h and c
};

/// What the recurrent layers have in common: parameters under PyTorch's names (weight_ih_l0, weight_hh_l0, bias_ih_l0,
/// bias_hh_l0, weight_ih_l0_reverse, ..), all uniform in ± 1/√hidden_size to begin with. Sequences may come without a
/// batch axis, [L, E]; states then have none either. A state that is not given is 0. Throws ValueError for extents
/// below 1, ShapeError, DtypeError.
template <class OptionsType>
class Recurrent : public Layer<OptionsType> {
 public:
  using Options = OptionsType;
  using Layer<OptionsType>::options_;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

 protected:
  // `gates` is the number of rows of the weights for each unit.
  /// `gates` is the number of rows of the weights for each unit.
  Recurrent(const char* name, Options options, std::int64_t gates);

  /// Of all layers, as run_layers() passes it on.
  struct State {
    Tensor h, c;  ///< hidden state, and cell where there is one
  };
  // Runs all layers: `cell` runs one in one direction, and gives its outputs and last state.
  /// Runs all layers: `cell` runs one in one direction, and gives its outputs and last state.
  template <class Cell>
  std::pair<Tensor, State> run_layers(const Tensor& x, const State& initial, Cell cell);

  // How many numbers h and c have.
  /// How many numbers h has.
  std::int64_t h_size() const;
  /// The parameters of a layer and direction, by number.
  RecurrentWeights weights_of(std::size_t which) const;
  /// The projection of h, likewise; undefined where there is none.
  const Tensor& projection_of(std::size_t which) const { return *projections_[which]; }

 private:
  struct Parameters {
    Tensor *weight_ih, *weight_hh, *bias_ih, *bias_hh;
  };
  State checked_state(const Tensor& x, const State& state, std::int64_t batch) const;

  const char* name_;
  std::vector<Parameters> parameters_;      // of layer 0 forwards, layer 0 backwards, layer 1 forwards ..
  std::vector<const Tensor*> projections_;  // likewise; empty tensors where there are none
};

/// h = tanh or relu of W_ih·x + b_ih + W_hh·h + b_hh (Elman 1990).
///
///   auto [output, h] = rnn(x);       // from h = 0
///   auto [more, h2] = rnn(x2, h);    // goes on from h
///   h = h.detach();                  // the next backward() ends here: truncated backpropagation through time
class RNN : public Recurrent<RNNOptions> {
 public:
  explicit RNN(Options options) : Recurrent("RNN", std::move(options), 1) {}
  RNN(std::int64_t input_size, std::int64_t hidden_size, std::int64_t num_layers = 1)
      : RNN(Options{{input_size, hidden_size, num_layers}}) {}
  RecurrentOutput operator()(Arg x, const Tensor& h0 = Tensor());
  /// Only the output, as in a Sequential.
  Tensor forward(const Tensor& x) override;
  RecurrentOutput forward(const Tensor& x, const Tensor& h0);
};

/// r = σ(W_ir·x + b_ir + W_hr·h + b_hr), z likewise, n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn)), h = (1 - z)·n + z·h
/// (Cho et al. 2014).
class GRU : public Recurrent<GRUOptions> {
 public:
  explicit GRU(Options options) : Recurrent("GRU", std::move(options), 3) {}
  GRU(std::int64_t input_size, std::int64_t hidden_size, std::int64_t num_layers = 1)
      : GRU(Options{{input_size, hidden_size, num_layers}}) {}
  RecurrentOutput operator()(Arg x, const Tensor& h0 = Tensor());
  Tensor forward(const Tensor& x) override;
  RecurrentOutput forward(const Tensor& x, const Tensor& h0);
};

/// i, f, o = σ(..), g = tanh(..) of W_i·x + b_i + W_h·h + b_h, c = f·c + i·g, h = o·tanh(c) (Hochreiter and Schmidhuber
/// 1997, Gers et al. 2000).
///
///   auto [output, state] = lstm(x);
///   auto [more, state2] = lstm(x2, state.detach());
class LSTM : public Recurrent<LSTMOptions> {
 public:
  explicit LSTM(Options options) : Recurrent("LSTM", std::move(options), 4) {}
  LSTM(std::int64_t input_size, std::int64_t hidden_size, std::int64_t num_layers = 1)
      : LSTM(Options{{input_size, hidden_size, num_layers}}) {}
  LSTMOutput operator()(Arg x, const LSTMState& state = {});
  Tensor forward(const Tensor& x) override;
  LSTMOutput forward(const Tensor& x, const LSTMState& state);
};

struct CellOptions {
  std::int64_t input_size = 0;   ///< features of the input; 0 takes them from the layer before
  std::int64_t hidden_size = 0;  ///< numbers of the state
  bool bias = true;              ///< learn biases
};
void describe(config::Fields& f, CellOptions& o);

struct RNNCellOptions : CellOptions {
  RnnNonlinearity nonlinearity = RnnNonlinearity::Tanh;  ///< what the sum of input and state goes through
};
void describe(config::Fields& f, RNNCellOptions& o);

/// What the cells have in common: parameters weight_ih, weight_hh, bias_ih, bias_hh. x is [N, E] or [E], a state [N, H]
/// or [H].
template <class OptionsType>
class Cell : public Layer<OptionsType> {
 public:
  using Options = OptionsType;
  using Layer<OptionsType>::options_;
  std::string extra_repr() const override;
  static Shape infer(Options& options, const Shape& input);

 protected:
  /// `gates` is the number of rows of the weights for each unit.
  Cell(const char* name, Options options, std::int64_t gates);
  /// The parameters.
  RecurrentWeights weights() const { return {weight_ih, weight_hh, bias_ih, bias_hh}; }
  // The state, zeros where it is not given, and x, both with a batch axis.
  /// x with a batch axis.
  Tensor batched(const Tensor& x) const;
  /// The state with a batch axis, zeros where it is not given.
  Tensor batched_state(const Tensor& x, const Tensor& state) const;

 private:
  std::int64_t gates_;

 public:
  Tensor& weight_ih = this->param("weight_ih", empty({gates_ * options_.hidden_size, options_.input_size}));
  Tensor& weight_hh = this->param("weight_hh", empty({gates_ * options_.hidden_size, options_.hidden_size}));
  Tensor& bias_ih = this->param("bias_ih", options_.bias ? empty({gates_ * options_.hidden_size}) : Tensor());
  Tensor& bias_hh = this->param("bias_hh", options_.bias ? empty({gates_ * options_.hidden_size}) : Tensor());
};

/// One step of an RNN: h = cell(x, h).
class RNNCell : public Cell<RNNCellOptions> {
 public:
  explicit RNNCell(Options options) : Cell("RNNCell", std::move(options), 1) {}
  RNNCell(std::int64_t input_size, std::int64_t hidden_size) : RNNCell(Options{{input_size, hidden_size}}) {}
  Tensor operator()(Arg x, const Tensor& h = Tensor());
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& h);
  std::string extra_repr() const override;
};

/// One step of a GRU: h = cell(x, h).
class GRUCell : public Cell<CellOptions> {
 public:
  explicit GRUCell(Options options) : Cell("GRUCell", options, 3) {}
  GRUCell(std::int64_t input_size, std::int64_t hidden_size) : GRUCell(Options{input_size, hidden_size}) {}
  Tensor operator()(Arg x, const Tensor& h = Tensor());
  Tensor forward(const Tensor& x) override { return forward(x, Tensor()); }
  Tensor forward(const Tensor& x, const Tensor& h);
};

/// One step of an LSTM: state = cell(x, state).
class LSTMCell : public Cell<CellOptions> {
 public:
  explicit LSTMCell(Options options) : Cell("LSTMCell", options, 4) {}
  LSTMCell(std::int64_t input_size, std::int64_t hidden_size) : LSTMCell(Options{input_size, hidden_size}) {}
  LSTMState operator()(Arg x, const LSTMState& state = {});
  /// Only h.
  Tensor forward(const Tensor& x) override { return forward(x, LSTMState{}).h; }
  LSTMState forward(const Tensor& x, const LSTMState& state);
};

}  // namespace eigengrad::nn
