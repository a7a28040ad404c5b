#include "eigengrad/ops/recurrent.h"

#include <utility>
#include <vector>

#include "eigengrad/core/apply.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/comparison.h"
#include "eigengrad/ops/kernels/check.h"
#include "eigengrad/ops/kernels/copy.h"
#include "eigengrad/ops/kernels/promote.h"
#include "eigengrad/ops/kernels/recurrent.h"
#include "eigengrad/ops/linalg.h"
#include "eigengrad/ops/math.h"
#include "eigengrad/ops/reduce.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"

namespace eigengrad {
namespace {

using kernels::as_contiguous;

Tensor contiguous_or_none(const Tensor& x) { return x.defined() ? as_contiguous(x) : Tensor(); }

// a + b where either may be undefined.
Tensor plus(const Tensor& a, const Tensor& b) { return !a.defined() ? b : !b.defined() ? a : a + b; }

// One step of a sequence of gradients; undefined when the whole is.
Tensor step_of(const Tensor& x, std::int64_t t) { return x.defined() ? select(x, 0, t) : Tensor(); }

// Part k of the gates of a step, [N, H].
Tensor part(const Tensor& gates, std::int64_t k, std::int64_t units) { return narrow(gates, -1, k * units, units); }

// Where the steps of a sequence stand: the rules take them in the opposite order.
struct Order {
  std::int64_t steps;
  bool reverse;
  std::int64_t place(std::int64_t k) const { return reverse ? steps - 1 - k : k; }
  // The state before the k-th step that was taken.
  Tensor before(const Tensor& states, const Tensor& initial, std::int64_t k) const {
    return k == 0 ? initial : select(states, 0, place(k - 1));
  }
  // The states before every step, in their places: [L, N, H].
  Tensor all_before(const Tensor& states, const Tensor& initial) const {
    const Tensor first = unsqueeze(initial, 0);
    if (steps == 0) return states;
    const Tensor others = narrow(states, 0, reverse ? 1 : 0, steps - 1);
    return reverse ? cat({others, first}) : cat({first, others});
  }
};

// The gradient of a weight from those of its products [L, N, G] and the states [L, N, H] that it was multiplied by.
Tensor weight_grad(const Tensor& dproducts, const Tensor& before) {
  return matmul(transpose(reshape(dproducts, {-1, dproducts.size(2)})), reshape(before, {-1, before.size(2)}));
}

// The gradients of both weights, the inputs `first` and the next, as one product: of the two factors, the gradients of
// the products are by far the larger, and are read once.
std::pair<Tensor, Tensor> weight_grads(const Saved& s, std::size_t first, const Tensor& dproducts, const Tensor& y,
                                       const kernels::StepOrder& way) {
  if (!s.needs(first) && !s.needs(first + 1)) return {};
  const Tensor factors = kernels::states_and_inputs(as_contiguous(s.x(0)), as_contiguous(s.x(1)), y, way);
  const Tensor both = weight_grad(dproducts, factors);
  const std::int64_t units = y.size(2), inputs = factors.size(2) - units;
  return {as_contiguous(narrow(both, 1, units, inputs)), as_contiguous(narrow(both, 1, 0, units))};
}

// The gradient of a bias that was added to products, where it is wanted.
Tensor bias_grad(const Saved& s, std::size_t bias, const Tensor& dproducts) {
  return s.needs(bias) ? sum(dproducts, {0, 1}) : Tensor();
}

// Products of the weights with every input and every state.
double recurrent_flops(const Tensor& x, const Tensor& weight_ih, const Tensor& weight_hh) {
  const double rows = static_cast<double>(x.size(0)) * static_cast<double>(x.size(1));
  return 2 * rows * static_cast<double>(weight_ih.numel() + weight_hh.numel());
}

// ---- The sequences. Inputs: x, the initial states, weight_ih, weight_hh, and the bias. The gradients that they are
// composed of go back step by step, as the fused ones do.

struct RnnSequence {
  static constexpr const char* kName = "rnn";
  static constexpr SaveMask kSaves = input(0) | input(1) | input(2) | input(3) | kOutput;
  bool relu;
  kernels::StepOrder way;
  Attributes attributes() const {
    return {{"nonlinearity", relu ? "relu" : "tanh"}, {"reverse", way.reverse ? "true" : "false"}};
  }
  Tensor forward(TensorRefs x) const {
    return kernels::rnn_forward(as_contiguous(x[0]), as_contiguous(x[1]), as_contiguous(x[2]), as_contiguous(x[3]),
                                as_contiguous(x[4]), relu, way);
  }
  double flops(TensorRefs x, const Tensor&) const { return recurrent_flops(x[0], x[2], x[3]); }
  Grads backward(const Saved& s, const Tensor& g) const {
    const Autocast as_before(way.precision);
    const Tensor y = s.y();
    const Order order{y.size(0), way.reverse};
    std::vector<Tensor> steps(static_cast<std::size_t>(order.steps));
    Tensor dh;
    for (std::int64_t k = order.steps; k-- > 0;) {
      const std::int64_t t = order.place(k);
      const Tensor h = select(y, 0, t), total = plus(select(g, 0, t), dh);
      const Tensor dz = relu ? total * to(h > 0, h.dtype()) : total * (1 - square(h));
      steps[static_cast<std::size_t>(t)] = dz;
      dh = matmul(dz, s.x(3));
    }
    const Tensor dsums = steps.empty() ? zeros_like(y) : stack(steps);
    return {s.needs(0) ? matmul(dsums, s.x(2)) : Tensor(), dh.defined() ? dh : zeros_like(s.x(1)),
            s.needs(2) ? weight_grad(dsums, s.x(0)) : Tensor(),
            s.needs(3) ? weight_grad(dsums, order.all_before(s.y(), s.x(1))) : Tensor(), bias_grad(s, 4, dsums)};
  }
  Grads backward_fused(const Saved& s, const Tensor& g) const {
    const Autocast as_before(way.precision);
    const Tensor y = s.y();
    const Tensors d = kernels::rnn_backward(y, as_contiguous(s.x(3)), as_contiguous(g), relu, way);
    const auto [dweight_ih, dweight_hh] = weight_grads(s, 2, d[0], y, way);
    return {s.needs(0) ? matmul(d[0], s.x(2)) : Tensor(), d[1], dweight_ih, dweight_hh, d[2]};
  }
};

// With two initial states, h0 and c0.
struct LstmSequence {
  static constexpr const char* kName = "lstm";
  static constexpr SaveMask kSaves = input(0) | input(1) | input(2) | input(3) | input(4) | kOutput;
  kernels::StepOrder way;
  Attributes attributes() const { return {{"reverse", way.reverse ? "true" : "false"}}; }
  Tensors forward(TensorRefs x) const {
    return kernels::lstm_forward(as_contiguous(x[0]), as_contiguous(x[1]), as_contiguous(x[2]), as_contiguous(x[3]),
                                 as_contiguous(x[4]), as_contiguous(x[5]), way);
  }
  double flops(TensorRefs x, const Tensor&) const { return recurrent_flops(x[0], x[3], x[4]); }
  Grads backward(const Saved& s, TensorRefs g) const {
    const Autocast as_before(way.precision);
    const Tensor y = s.y(0), cells = s.y(1), active = s.y(2);
    const std::int64_t units = y.size(2);
    const Order order{y.size(0), way.reverse};
    std::vector<Tensor> steps(static_cast<std::size_t>(order.steps));
    Tensor dh, dc;
    for (std::int64_t k = order.steps; k-- > 0;) {
      const std::int64_t t = order.place(k);
      const Tensor a = select(active, 0, t), da = step_of(g[2], t), squashed = tanh(select(cells, 0, t));
      const Tensor i = part(a, 0, units), f = part(a, 1, units), c = part(a, 2, units), o = part(a, 3, units);
      const Tensor grad = plus(plus(step_of(g[0], t), dh), zeros_like(i));
      const Tensor total = plus(plus(step_of(g[1], t), dc), grad * o * (1 - square(squashed)));
      const Tensor raw = cat({total * c, total * order.before(cells, s.x(2), k), total * i, grad * squashed}, -1);
      const Tensor slope = cat({i * (1 - i), f * (1 - f), 1 - square(c), o * (1 - o)}, -1);
      const Tensor dz = plus(raw, da) * slope;
      steps[static_cast<std::size_t>(t)] = dz;
      dh = matmul(dz, s.x(4));
      dc = total * f;
    }
    const Tensor dgates = steps.empty() ? zeros_like(active) : stack(steps);
    return {s.needs(0) ? matmul(dgates, s.x(3)) : Tensor(),
            dh.defined() ? dh : zeros_like(s.x(1)),
            dc.defined() ? dc : zeros_like(s.x(2)),
            s.needs(3) ? weight_grad(dgates, s.x(0)) : Tensor(),
            s.needs(4) ? weight_grad(dgates, order.all_before(s.y(0), s.x(1))) : Tensor(),
            bias_grad(s, 5, dgates)};
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    const Autocast as_before(way.precision);
    const Tensors d =
        kernels::lstm_backward(as_contiguous(s.x(2)), s.y(1), s.y(2), as_contiguous(s.x(4)), contiguous_or_none(g[0]),
                               contiguous_or_none(g[1]), contiguous_or_none(g[2]), way);
    const auto [dweight_ih, dweight_hh] = weight_grads(s, 3, d[0], s.y(0), way);
    return {s.needs(0) ? matmul(d[0], s.x(3)) : Tensor(), d[1], d[2], dweight_ih, dweight_hh, d[3]};
  }
};

// With both biases.
struct GruSequence {
  static constexpr const char* kName = "gru";
  static constexpr SaveMask kSaves = input(0) | input(1) | input(2) | input(3) | kOutput;
  kernels::StepOrder way;
  Attributes attributes() const { return {{"reverse", way.reverse ? "true" : "false"}}; }
  Tensors forward(TensorRefs x) const {
    return kernels::gru_forward(as_contiguous(x[0]), as_contiguous(x[1]), as_contiguous(x[2]), as_contiguous(x[3]),
                                as_contiguous(x[4]), as_contiguous(x[5]), way);
  }
  double flops(TensorRefs x, const Tensor&) const { return recurrent_flops(x[0], x[2], x[3]); }
  Grads backward(const Saved& s, TensorRefs g) const {
    const Autocast as_before(way.precision);
    const Tensor y = s.y(0), active = s.y(1);
    const std::int64_t units = y.size(2);
    const Order order{y.size(0), way.reverse};
    std::vector<Tensor> steps(static_cast<std::size_t>(order.steps)), products = steps;
    Tensor dh;
    for (std::int64_t k = order.steps; k-- > 0;) {
      const std::int64_t t = order.place(k);
      const Tensor a = select(active, 0, t);
      const Tensor r = part(a, 0, units), z = part(a, 1, units), n = part(a, 2, units), hn = part(a, 3, units);
      const Tensor grad = plus(plus(step_of(g[0], t), dh), zeros_like(r));
      const auto more = [&](int which) { return g[1].defined() ? part(step_of(g[1], t), which, units) : Tensor(); };
      const Tensor dn = plus(grad * (1 - z), more(2)) * (1 - square(n));
      const Tensor dr = plus(dn * hn, more(0)) * r * (1 - r);
      const Tensor dz = plus(grad * (order.before(y, s.x(1), k) - n), more(1)) * z * (1 - z);
      steps[static_cast<std::size_t>(t)] = cat({dr, dz, dn}, -1);
      const Tensor through = cat({dr, dz, plus(dn * r, more(3))}, -1);
      products[static_cast<std::size_t>(t)] = through;
      dh = grad * z + matmul(through, s.x(3));
    }
    const Tensor none = zeros({y.size(0), y.size(1), 3 * units}, y.dtype());
    const Tensor dgates = steps.empty() ? none : stack(steps), dproducts = steps.empty() ? none : stack(products);
    return gradients(s, order, dgates, dproducts, dh, bias_grad(s, 4, dgates), bias_grad(s, 5, dproducts));
  }
  Grads backward_fused(const Saved& s, TensorRefs g) const {
    const Autocast as_before(way.precision);
    const Tensor y = s.y(0);
    const Tensors d = kernels::gru_backward(as_contiguous(s.x(1)), y, s.y(1), as_contiguous(s.x(3)),
                                            contiguous_or_none(g[0]), contiguous_or_none(g[1]), way);
    return gradients(s, {y.size(0), way.reverse}, d[0], d[1], d[2], d[3], d[4]);
  }

 private:
  static Grads gradients(const Saved& s, const Order& order, const Tensor& dgates, const Tensor& dproducts,
                         const Tensor& dh, const Tensor& dbias_ih, const Tensor& dbias_hh) {
    return {s.needs(0) ? matmul(dgates, s.x(2)) : Tensor(),
            dh.defined() ? dh : zeros_like(s.x(1)),
            s.needs(2) ? weight_grad(dgates, s.x(0)) : Tensor(),
            s.needs(3) ? weight_grad(dproducts, order.all_before(s.y(0), s.x(1))) : Tensor(),
            dbias_ih,
            dbias_hh};
  }
};

// ---- Checks.

void check_shape(const char* op, const char* what, const Tensor& x, const Shape& expected) {
  EG_CHECK(x.shape() == expected, ShapeError, "[{}] the {} is {}, expected {}", op, what, x.shape(), expected);
}

// Checks everything but the states; returns the number of units.
std::int64_t check_layer(const char* op, const Tensor& x, std::int64_t rank, const RecurrentWeights& w,
                         std::int64_t gates) {
  kernels::check_defined(op, x, w.weight_ih, w.weight_hh);
  EG_CHECK(is_floating(x.dtype()), DtypeError, "[{}] expected a float32 or float64 tensor, found {}", op, x.dtype());
  EG_CHECK(x.dim() == rank, ShapeError, "[{}] expected an input {}, found {}", op, rank == 2 ? "[N, E]" : "[L, N, E]",
           x.shape());
  EG_CHECK(w.weight_hh.dim() == 2 && w.weight_hh.size(0) == gates * w.weight_hh.size(1), ShapeError,
           "[{}] expected a weight_hh [{}H, H], found {}", op, gates == 1 ? "" : std::to_string(gates),
           w.weight_hh.shape());
  const std::int64_t units = w.weight_hh.size(1);
  check_shape(op, "weight_ih", w.weight_ih, {gates * units, x.size(-1)});
  for (const Tensor* const bias : {&w.bias_ih, &w.bias_hh})
    if (bias->defined()) check_shape(op, bias == &w.bias_ih ? "bias_ih" : "bias_hh", *bias, {gates * units});
  for (const Tensor* const other : {&w.weight_ih, &w.weight_hh, &w.bias_ih, &w.bias_hh})
    EG_CHECK(!other->defined() || other->dtype() == x.dtype(), DtypeError,
             "[{}] the input is {}, but a weight or bias {}", op, x.dtype(), other->dtype());
  return units;
}

void check_state(const char* op, const char* what, const Tensor& x, const Tensor& state, std::int64_t units) {
  EG_CHECK(state.defined(), ValueError, "[{}] {} is an undefined tensor", op, what);
  check_shape(op, what, state, {x.size(-2), units});
  EG_CHECK(state.dtype() == x.dtype(), DtypeError, "[{}] the input is {}, but {} is {}", op, x.dtype(), what,
           state.dtype());
}

// A bias that was left out counts as zeros.
Tensor bias_or_zeros(const Tensor& bias, const RecurrentWeights& w) {
  return bias.defined() ? bias : zeros({w.weight_ih.size(0)}, w.weight_ih.dtype());
}
Tensor both_biases(const RecurrentWeights& w) { return bias_or_zeros(plus(w.bias_ih, w.bias_hh), w); }

Tensor run_rnn(const Tensor& x, const Tensor& h0, const RecurrentWeights& w, RnnNonlinearity f, bool reverse) {
  return apply(RnnSequence{f == RnnNonlinearity::Relu, {reverse, precision_for(x)}}, x, h0, w.weight_ih, w.weight_hh,
               both_biases(w));
}

Tensor run_gru(const Tensor& x, const Tensor& h0, const RecurrentWeights& w, bool reverse) {
  return apply(GruSequence{{reverse, precision_for(x)}}, x, h0, w.weight_ih, w.weight_hh, bias_or_zeros(w.bias_ih, w),
               bias_or_zeros(w.bias_hh, w))[0];
}

LstmResult run_lstm(const Tensor& x, const Tensor& h0, const Tensor& c0, const RecurrentWeights& w, bool reverse) {
  const Tensors outputs =
      apply(LstmSequence{{reverse, precision_for(x)}}, x, h0, c0, w.weight_ih, w.weight_hh, both_biases(w));
  return {outputs[0], outputs[1]};
}

}  // namespace

Tensor rnn_cell(Arg x, const Tensor& h, const RecurrentWeights& weights, RnnNonlinearity nonlinearity) {
  check_state("rnn_cell", "h", x, h, check_layer("rnn_cell", x, 2, weights, 1));
  return squeeze(run_rnn(unsqueeze(x, 0), h, weights, nonlinearity, false), 0);
}

Tensor rnn(Arg x, const Tensor& h0, const RecurrentWeights& weights, RnnNonlinearity nonlinearity, bool reverse) {
  check_state("rnn", "h0", x, h0, check_layer("rnn", x, 3, weights, 1));
  return run_rnn(x, h0, weights, nonlinearity, reverse);
}

Tensor gru_cell(Arg x, const Tensor& h, const RecurrentWeights& weights) {
  check_state("gru_cell", "h", x, h, check_layer("gru_cell", x, 2, weights, 3));
  return squeeze(run_gru(unsqueeze(x, 0), h, weights, false), 0);
}

Tensor gru(Arg x, const Tensor& h0, const RecurrentWeights& weights, bool reverse) {
  check_state("gru", "h0", x, h0, check_layer("gru", x, 3, weights, 3));
  return run_gru(x, h0, weights, reverse);
}

LstmResult lstm_cell(Arg x, const Tensor& h, const Tensor& c, const RecurrentWeights& weights) {
  const std::int64_t units = check_layer("lstm_cell", x, 2, weights, 4);
  check_state("lstm_cell", "h", x, h, units);
  check_state("lstm_cell", "c", x, c, units);
  const LstmResult result = run_lstm(unsqueeze(x, 0), h, c, weights, false);
  return {squeeze(result.h, 0), squeeze(result.c, 0)};
}

LstmResult lstm(Arg x, const Tensor& h0, const Tensor& c0, const RecurrentWeights& weights, bool reverse) {
  const std::int64_t units = check_layer("lstm", x, 3, weights, 4);
  check_state("lstm", "h0", x, h0, units);
  check_state("lstm", "c0", x, c0, units);
  return run_lstm(x, h0, c0, weights, reverse);
}

}  // namespace eigengrad
