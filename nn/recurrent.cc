#include "eigengrad/nn/recurrent.h"

#include <cmath>
#include <utility>

#include "eigengrad/core/check.h"
#include "eigengrad/nn/infer.h"
#include "eigengrad/nn/init.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::nn {
namespace {

const char* name_of(RnnNonlinearity f) { return f == RnnNonlinearity::Relu ? "relu" : "tanh"; }

void describe_nonlinearity(config::Fields& f, RnnNonlinearity& nonlinearity) {
  f.choice<RnnNonlinearity>("nonlinearity", nonlinearity,
                            {{"tanh", RnnNonlinearity::Tanh}, {"relu", RnnNonlinearity::Relu}},
                            {.help = "what the sum of input and state goes through"});
}

void describe_sizes(config::Fields& f, std::int64_t& input_size, std::int64_t& hidden_size) {
  f("input_size", input_size,
    {.help = "features of the input; 0 takes them from the layer before", .min = 0, .max = kMaxExtent});
  f("hidden_size", hidden_size, {.help = "numbers of the state", .required = true, .min = 1, .max = kMaxExtent});
}

void describe_layers(config::Fields& f, RecurrentOptions& o) {
  describe_sizes(f, o.input_size, o.hidden_size);
  f("num_layers", o.num_layers,
    {.help = "layers, each of which reads the outputs of the one before", .min = 1, .max = kMaxLayers});
  f("bias", o.bias, {.help = "learn biases"});
  f("batch_first", o.batch_first, {.help = "sequences are [N, L, E], not [L, N, E]"});
  f("dropout", o.dropout, {.help = "probability of an element to be zeroed between layers", .min = 0, .max = 1});
  f("bidirectional", o.bidirectional, {.help = "a second network reads the sequence backwards"});
}

template <class Options>
Options checked(const char* name, Options o) {
  EG_CHECK(o.input_size >= 1 && o.hidden_size >= 1 && o.num_layers >= 1, ValueError,
           "[{}] input_size, hidden_size and num_layers must be at least 1, found {}, {} and {}", name, o.input_size,
           o.hidden_size, o.num_layers);
  EG_CHECK(o.dropout >= 0 && o.dropout <= 1, ValueError, "[{}] the probability must be in [0, 1], found {}", name,
           o.dropout);
  return o;
}

std::int64_t projection_size(const RecurrentOptions&) { return 0; }
std::int64_t projection_size(const LSTMOptions& o) { return o.proj_size; }

std::string repr(const RecurrentOptions& o, std::int64_t projection) {
  std::string text = fmt::format("{}, {}", o.input_size, o.hidden_size);
  if (projection != 0) text += fmt::format(", proj_size={}", projection);
  if (o.num_layers != 1) text += fmt::format(", num_layers={}", o.num_layers);
  if (!o.bias) text += ", bias=False";
  if (o.batch_first) text += ", batch_first=True";
  if (o.dropout != 0) text += fmt::format(", dropout={}", o.dropout);
  if (o.bidirectional) text += ", bidirectional=True";
  return text;
}

// An LSTM whose h is a projection of o·tanh(c) has no fused op: step by step.
LstmResult projected_lstm(const Tensor& x, const Tensor& h0, const Tensor& c0, const RecurrentWeights& w,
                          const Tensor& projection, bool reverse) {
  Tensor gates = linear(x, w.weight_ih);
  if (w.bias_ih.defined()) gates = gates + (w.bias_ih + w.bias_hh);
  const std::int64_t steps = x.size(0);
  std::vector<Tensor> hs(static_cast<std::size_t>(steps)), cs = hs;
  Tensor h = h0, c = c0;
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = reverse ? steps - 1 - k : k;
    const std::vector<Tensor> part = chunk(select(gates, 0, t) + linear(h, w.weight_hh), 4, -1);
    c = sigmoid(part[1]) * c + sigmoid(part[0]) * tanh(part[2]);
    h = linear(sigmoid(part[3]) * tanh(c), projection);
    hs[static_cast<std::size_t>(t)] = h;
    cs[static_cast<std::size_t>(t)] = c;
  }
  return {stack(hs), stack(cs)};
}

}  // namespace

void describe(config::Fields& f, GRUOptions& o) { describe_layers(f, o); }
void describe(config::Fields& f, RNNOptions& o) {
  describe_layers(f, o);
  describe_nonlinearity(f, o.nonlinearity);
}
void describe(config::Fields& f, LSTMOptions& o) {
  describe_layers(f, o);
  f("proj_size", o.proj_size, {.help = "size of a learned projection of h; 0: none", .min = 0, .max = kMaxExtent});
}
void describe(config::Fields& f, CellOptions& o) {
  describe_sizes(f, o.input_size, o.hidden_size);
  f("bias", o.bias, {.help = "learn biases"});
}
void describe(config::Fields& f, RNNCellOptions& o) {
  describe(f, static_cast<CellOptions&>(o));
  describe_nonlinearity(f, o.nonlinearity);
}

// ---- Layers.

template <class OptionsType>
Recurrent<OptionsType>::Recurrent(const char* name, Options options, std::int64_t gates)
    : Layer<OptionsType>(checked(name, std::move(options))), name_(name) {
  const Options& o = options_;
  const std::int64_t projection = projection_size(o), directions = o.bidirectional ? 2 : 1;
  EG_CHECK(projection >= 0 && projection < o.hidden_size, ValueError,
           "[{}] proj_size must be below hidden_size = {}, found {}", name, o.hidden_size, projection);
  const double bound = 1 / std::sqrt(static_cast<double>(o.hidden_size));
  const auto make = [&](const std::string& parameter, const Shape& shape, bool wanted = true) {
    Tensor value = wanted ? empty(shape) : Tensor();
    if (wanted) init::uniform_(value, -bound, bound);
    return &this->param(parameter, value);
  };
  for (std::int64_t layer = 0; layer < o.num_layers; ++layer)
    for (std::int64_t direction = 0; direction < directions; ++direction) {
      const std::string suffix = fmt::format("_l{}{}", layer, direction == 1 ? "_reverse" : "");
      const std::int64_t features = layer == 0 ? o.input_size : h_size() * directions, rows = gates * o.hidden_size;
      parameters_.push_back({make("weight_ih" + suffix, {rows, features}), make("weight_hh" + suffix, {rows, h_size()}),
                             make("bias_ih" + suffix, {rows}, o.bias), make("bias_hh" + suffix, {rows}, o.bias)});
      projections_.push_back(projection > 0 ? make("weight_hr" + suffix, {projection, o.hidden_size}) : nullptr);
    }
}

template <class OptionsType>
std::int64_t Recurrent<OptionsType>::h_size() const {
  return projection_size(options_) > 0 ? projection_size(options_) : options_.hidden_size;
}

template <class OptionsType>
RecurrentWeights Recurrent<OptionsType>::weights_of(std::size_t which) const {
  const Parameters& p = parameters_[which];
  return {*p.weight_ih, *p.weight_hh, *p.bias_ih, *p.bias_hh};
}

template <class OptionsType>
std::string Recurrent<OptionsType>::extra_repr() const {
  return repr(options_, projection_size(options_));
}

template <class OptionsType>
Shape Recurrent<OptionsType>::infer(Options& o, const Shape& input) {
  check_batch_first(o.batch_first);
  EG_CHECK(input.size() == 2, ShapeError, "expects sequences [L, E]");
  infer_extent(o.input_size, "input_size", input[1]);
  const std::int64_t size = projection_size(o) > 0 ? projection_size(o) : o.hidden_size;
  return {input[0], size * (o.bidirectional ? 2 : 1)};
}

// The state as [layers·D, N, H], zeros where it is not given.
template <class OptionsType>
typename Recurrent<OptionsType>::State Recurrent<OptionsType>::checked_state(const Tensor& x, const State& state,
                                                                             std::int64_t batch) const {
  const auto count = static_cast<std::int64_t>(parameters_.size());
  const auto check = [&](const char* what, const Tensor& given, std::int64_t size) {
    const Shape shape = x.dim() == 3 ? Shape{count, batch, size} : Shape{count, size};
    if (!given.defined()) return zeros({count, batch, size}, x.dtype());
    EG_CHECK(given.shape() == shape, ShapeError, "[{}] the state {} is {}, expected {}", name_, what, given.shape(),
             shape);
    EG_CHECK(given.dtype() == x.dtype(), DtypeError, "[{}] the state {} is {}, expected the input's {}", name_, what,
             given.dtype(), x.dtype());
    return x.dim() == 3 ? given : unsqueeze(given, 1);
  };
  return {check("h", state.h, h_size()), check("c", state.c, options_.hidden_size)};
}

template <class OptionsType>
template <class Cell>
std::pair<Tensor, typename Recurrent<OptionsType>::State> Recurrent<OptionsType>::run_layers(const Tensor& x,
                                                                                             const State& initial,
                                                                                             Cell cell) {
  const Options& o = options_;
  EG_CHECK(x.dim() == 2 || x.dim() == 3, ShapeError, "[{}] expected sequences [{}, {}], or [L, {}] for one, found {}",
           name_, o.batch_first ? "N, L" : "L, N", o.input_size, o.input_size, x.shape());
  EG_CHECK(is_floating(x.dtype()) && x.dtype() == parameters_[0].weight_ih->dtype(), DtypeError,
           "[{}] the input is {}, expected {}, like the weights", name_, x.dtype(), parameters_[0].weight_ih->dtype());
  EG_CHECK(x.size(-1) == o.input_size, ShapeError, "[{}] expected {} features, found {}", name_, o.input_size,
           x.shape());
  const bool batched = x.dim() == 3;
  Tensor y = !batched ? unsqueeze(x, 1) : o.batch_first ? transpose(x, 0, 1) : x;
  EG_CHECK(y.size(0) >= 1, ShapeError, "[{}] expected a sequence of at least one step, found {}", name_, x.shape());
  const State state = checked_state(x, initial, y.size(1));
  const std::size_t directions = o.bidirectional ? 2 : 1;
  std::vector<Tensor> last_h, last_c;
  for (std::size_t which = 0; which < parameters_.size(); which += directions) {
    if (which > 0 && o.dropout > 0) y = dropout(y, o.dropout, this->is_training());
    std::vector<Tensor> outputs;
    for (std::size_t direction = 0; direction < directions; ++direction) {
      const auto index = static_cast<std::int64_t>(which + direction);
      const bool reverse = direction == 1;
      const State steps =
          cell(y, State{select(state.h, 0, index), select(state.c, 0, index)}, which + direction, reverse);
      const std::int64_t end = reverse ? 0 : -1;
      outputs.push_back(steps.h);
      last_h.push_back(select(steps.h, 0, end));
      if (steps.c.defined()) last_c.push_back(select(steps.c, 0, end));
    }
    y = directions == 2 ? cat(outputs, -1) : outputs[0];
  }
  const auto states = [&](const std::vector<Tensor>& last) {
    if (last.empty()) return Tensor();
    return batched ? stack(last) : squeeze(stack(last), 1);
  };
  if (!batched)
    y = squeeze(y, 1);
  else if (o.batch_first)
    y = transpose(y, 0, 1);
  return {y, {states(last_h), states(last_c)}};
}

template class Recurrent<RNNOptions>;
template class Recurrent<GRUOptions>;
template class Recurrent<LSTMOptions>;

RecurrentOutput RNN::operator()(Arg x, const Tensor& h0) {
  RecurrentOutput result;
  result.output = run({*x, h0}, [&](std::span<const Tensor> in) { return (result = forward(in[0], in[1])).output; });
  return result;
}
Tensor RNN::forward(const Tensor& x) { return forward(x, Tensor()).output; }
RecurrentOutput RNN::forward(const Tensor& x, const Tensor& h0) {
  const auto [output, last] =
      run_layers(x, {h0, {}}, [&](const Tensor& in, const State& s, std::size_t i, bool reverse) {
        return State{rnn(in, s.h, weights_of(i), options_.nonlinearity, reverse), {}};
      });
  return {output, last.h};
}

RecurrentOutput GRU::operator()(Arg x, const Tensor& h0) {
  RecurrentOutput result;
  result.output = run({*x, h0}, [&](std::span<const Tensor> in) { return (result = forward(in[0], in[1])).output; });
  return result;
}
Tensor GRU::forward(const Tensor& x) { return forward(x, Tensor()).output; }
RecurrentOutput GRU::forward(const Tensor& x, const Tensor& h0) {
  const auto [output, last] =
      run_layers(x, {h0, {}}, [&](const Tensor& in, const State& s, std::size_t i, bool reverse) {
        return State{gru(in, s.h, weights_of(i), reverse), {}};
      });
  return {output, last.h};
}

LSTMOutput LSTM::operator()(Arg x, const LSTMState& state) {
  LSTMOutput result;
  result.output = run({*x, state.h, state.c}, [&](std::span<const Tensor> in) {
    return (result = forward(in[0], LSTMState{in[1], in[2]})).output;
  });
  return result;
}
Tensor LSTM::forward(const Tensor& x) { return forward(x, LSTMState{}).output; }
LSTMOutput LSTM::forward(const Tensor& x, const LSTMState& state) {
  const auto [output, last] =
      run_layers(x, {state.h, state.c}, [&](const Tensor& in, const State& s, std::size_t i, bool reverse) {
        const LstmResult r = options_.proj_size > 0
                                 ? projected_lstm(in, s.h, s.c, weights_of(i), projection_of(i), reverse)
                                 : lstm(in, s.h, s.c, weights_of(i), reverse);
        return State{r.h, r.c};
      });
  return {output, {last.h, last.c}};
}

// ---- Cells.

template <class OptionsType>
Cell<OptionsType>::Cell(const char* name, Options options, std::int64_t gates)
    : Layer<OptionsType>(options), gates_(gates) {
  EG_CHECK(options.input_size >= 1 && options.hidden_size >= 1, ValueError,
           "[{}] input_size and hidden_size must be at least 1, found {} and {}", name, options.input_size,
           options.hidden_size);
  const double bound = 1 / std::sqrt(static_cast<double>(options.hidden_size));
  for (Tensor& parameter : this->parameters()) init::uniform_(parameter, -bound, bound);
}

template <class OptionsType>
std::string Cell<OptionsType>::extra_repr() const {
  return fmt::format("{}, {}{}", options_.input_size, options_.hidden_size, options_.bias ? "" : ", bias=False");
}

template <class OptionsType>
Shape Cell<OptionsType>::infer(Options& o, const Shape& input) {
  EG_CHECK(input.size() == 1, ShapeError, "expects one step [E]");
  infer_extent(o.input_size, "input_size", input[0]);
  return {o.hidden_size};
}

template <class OptionsType>
Tensor Cell<OptionsType>::batched(const Tensor& x) const {
  EG_CHECK((x.dim() == 1 || x.dim() == 2) && x.size(-1) == options_.input_size, ShapeError,
           "[{}] expected [N, {}] or [{}], found {}", this->type_name(), options_.input_size, options_.input_size,
           x.shape());
  return x.dim() == 2 ? x : unsqueeze(x, 0);
}

template <class OptionsType>
Tensor Cell<OptionsType>::batched_state(const Tensor& x, const Tensor& state) const {
  if (!state.defined()) return zeros({x.dim() == 2 ? x.size(0) : 1, options_.hidden_size}, x.dtype());
  return x.dim() == 1 && state.dim() == 1 ? unsqueeze(state, 0) : state;
}

template class Cell<RNNCellOptions>;
template class Cell<CellOptions>;

Tensor RNNCell::operator()(Arg x, const Tensor& h) {
  return run({*x, h}, [this](std::span<const Tensor> in) { return forward(in[0], in[1]); });
}
Tensor RNNCell::forward(const Tensor& x, const Tensor& h) {
  const Tensor next = rnn_cell(batched(x), batched_state(x, h), weights(), options_.nonlinearity);
  return x.dim() == 1 ? squeeze(next, 0) : next;
}
std::string RNNCell::extra_repr() const {
  return Cell::extra_repr() + (options_.nonlinearity == RnnNonlinearity::Tanh
                                   ? ""
                                   : fmt::format(", nonlinearity={}", name_of(options_.nonlinearity)));
}

Tensor GRUCell::operator()(Arg x, const Tensor& h) {
  return run({*x, h}, [this](std::span<const Tensor> in) { return forward(in[0], in[1]); });
}
Tensor GRUCell::forward(const Tensor& x, const Tensor& h) {
  const Tensor next = gru_cell(batched(x), batched_state(x, h), weights());
  return x.dim() == 1 ? squeeze(next, 0) : next;
}

LSTMState LSTMCell::operator()(Arg x, const LSTMState& state) {
  LSTMState next;
  next.h = run({*x, state.h, state.c}, [&](std::span<const Tensor> in) {
    return (next = forward(in[0], LSTMState{in[1], in[2]})).h;
  });
  return next;
}
LSTMState LSTMCell::forward(const Tensor& x, const LSTMState& state) {
  const LstmResult next = lstm_cell(batched(x), batched_state(x, state.h), batched_state(x, state.c), weights());
  return x.dim() == 1 ? LSTMState{squeeze(next.h, 0), squeeze(next.c, 0)} : LSTMState{next.h, next.c};
}

}  // namespace eigengrad::nn
