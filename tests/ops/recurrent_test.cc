// Recurrent layers against their formulas, written with the ops of one step: batches of every size that is cut in
// another way, from both ends, and what the gradients come to.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "eigengrad/core/random.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad {
namespace {

constexpr std::int64_t kInputs = 3, kUnits = 5;

// x, h0, c0, and the four weights.
using Operands = std::vector<Tensor>;
// Every h, and of an LSTM every c.
using Layer = std::function<std::vector<Tensor>(const Operands&, bool reverse)>;

RecurrentWeights weights_of(const Operands& in) { return {in[3], in[4], in[5], in[6]}; }

Tensor gate(const Tensor& gates, std::int64_t k) { return narrow(gates, -1, k * kUnits, kUnits); }

// The states of all steps, made one by one.
template <class F>
std::vector<Tensor> step_by_step(const Operands& in, bool reverse, F step) {
  const std::int64_t steps = in[0].size(0);
  std::vector<Tensor> hs(static_cast<std::size_t>(steps)), cs = hs;
  Tensor h = in[1], c = in[2];
  for (std::int64_t k = 0; k < steps; ++k) {
    const std::int64_t t = reverse ? steps - 1 - k : k;
    const Tensor of_x = linear(select(in[0], 0, t), in[3], in[5]), of_h = linear(h, in[4], in[6]);
    step(of_x, of_h, h, c);
    hs[static_cast<std::size_t>(t)] = h;
    cs[static_cast<std::size_t>(t)] = c;
  }
  return {stack(hs), stack(cs)};
}

struct Kind {
  const char* name;
  std::int64_t gates;
  Layer fused, composed;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> known{
      {"rnn", 1,
       [](const Operands& in, bool reverse) -> std::vector<Tensor> {
         return {rnn(in[0], in[1], weights_of(in), RnnNonlinearity::Tanh, reverse)};
       },
       [](const Operands& in, bool reverse) -> std::vector<Tensor> {
         return {step_by_step(in, reverse,
                              [](const Tensor& x, const Tensor& r, Tensor& h, Tensor&) { h = tanh(x + r); })[0]};
       }},
      {"gru", 3,
       [](const Operands& in, bool reverse) -> std::vector<Tensor> {
         return {gru(in[0], in[1], weights_of(in), reverse)};
       },
       [](const Operands& in, bool reverse) -> std::vector<Tensor> {
         return {step_by_step(in, reverse, [](const Tensor& x, const Tensor& r, Tensor& h, Tensor&) {
           const Tensor z = sigmoid(gate(x, 1) + gate(r, 1));
           const Tensor n = tanh(gate(x, 2) + sigmoid(gate(x, 0) + gate(r, 0)) * gate(r, 2));
           h = (1 - z) * n + z * h;
         })[0]};
       }},
      {"lstm", 4,
       [](const Operands& in, bool reverse) -> std::vector<Tensor> {
         const LstmResult result = lstm(in[0], in[1], in[2], weights_of(in), reverse);
         return {result.h, result.c};
       },
       [](const Operands& in, bool reverse) {
         return step_by_step(in, reverse, [](const Tensor& x, const Tensor& r, Tensor& h, Tensor& c) {
           const Tensor all = x + r;
           c = sigmoid(gate(all, 1)) * c + sigmoid(gate(all, 0)) * tanh(gate(all, 2));
           h = sigmoid(gate(all, 3)) * tanh(c);
         });
       }},
  };
  return known;
}

// What the layer gives, and the gradients of all that it reads.
std::vector<Tensor> results(const Layer& layer, const Operands& operands, bool reverse) {
  Operands in;
  for (const Tensor& x : operands) in.push_back(clone(x).detach().set_requires_grad());
  const std::vector<Tensor> outputs = layer(in, reverse);
  Tensor cost = sum(outputs[0] * outputs[0]);
  if (outputs.size() > 1) cost = cost + sum(sin(outputs[1]));
  cost.backward();
  std::vector<Tensor> all;
  for (const Tensor& y : outputs) all.push_back(y.detach());
  for (const Tensor& x : in)
    if (x.grad().defined()) all.push_back(x.grad());
  return all;
}

TEST(Recurrent, FollowsItsFormulas) {
  manual_seed(7);
  for (const Kind& kind : kinds())
    for (const std::int64_t batch : {1, 3, 5, 31, 33, 130, 515})
      for (const std::int64_t steps : {1, 2, 70})
        for (const bool reverse : {false, true}) {
          const std::int64_t rows = kind.gates * kUnits;
          Operands in;
          for (const Shape& shape : {Shape{steps, batch, kInputs}, Shape{batch, kUnits}, Shape{batch, kUnits},
                                     Shape{rows, kInputs}, Shape{rows, kUnits}, Shape{rows}, Shape{rows}})
            in.push_back(randn(shape, kFloat64));
          const std::vector<Tensor> found = results(kind.fused, in, reverse),
                                    expected = results(kind.composed, in, reverse);
          ASSERT_EQ(found.size(), expected.size());
          for (std::size_t i = 0; i < found.size(); ++i)
            EXPECT_TRUE(allclose(found[i], expected[i], 1e-9, 1e-10))
                << kind.name << ", batch " << batch << ", " << steps << " steps, result " << i;
        }
}

TEST(Recurrent, GradientsThatNobodyWantsAreNotMade) {
  Tensor x = ones({4, 2, kInputs}), weight_ih = ones({4 * kUnits, kInputs}) * 0.1,
         weight_hh = ones({4 * kUnits, kUnits}) * 0.1, h0 = zeros({2, kUnits});
  weight_ih.set_requires_grad();
  lstm(x, h0, h0, {weight_ih, weight_hh}).h.backward(ones({4, 2, kUnits}));
  EXPECT_TRUE(weight_ih.grad().defined());
  EXPECT_FALSE(weight_hh.grad().defined());
  EXPECT_FALSE(x.grad().defined());
}

}  // namespace
}  // namespace eigengrad
