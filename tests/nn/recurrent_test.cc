// What the comparison with PyTorch does not show of recurrent layers: states that go on, gradients that end, dropout,
// errors.
#include <gtest/gtest.h>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

namespace eigengrad::nn {
namespace {

TEST(Recurrent, AStateThatGoesOnIsOneRun) {
  manual_seed(1);
  LSTM lstm(3, 4, 2);
  RNN rnn(3, 4, 2);
  const Tensor x = randn({6, 2, 3}), first = narrow(x, 0, 0, 2), rest = narrow(x, 0, 2, 4);
  const auto [whole, end] = lstm(x);
  const auto [before, state] = lstm(first);
  const auto [after, last] = lstm(rest, state);
  EXPECT_TRUE(allclose(cat({before, after}), whole));
  EXPECT_TRUE(allclose(last.c, end.c) && allclose(last.h, end.h));
  EXPECT_TRUE(allclose(cat({rnn(first).output, rnn(rest, rnn(first).h).output}), rnn(x).output));
}

TEST(Recurrent, DetachedStatesEndTheGradient) {
  manual_seed(1);
  LSTM lstm(3, 4);
  Tensor x = randn({2, 1, 3});
  x.set_requires_grad();
  const auto [y, state] = lstm(x);
  const Tensor onwards = sum(lstm(randn({3, 1, 3}), state).output);
  EXPECT_GT(max(abs(grad(onwards, {x}, {.retain_graph = true})[0])).item(), 0);
  const Tensor cut = sum(lstm(randn({3, 1, 3}), state.detach()).output);
  EXPECT_FALSE(grad(cut, {x}, {.allow_unused = true})[0].defined());
  cut.backward();  // the weights still learn
  EXPECT_GT(max(abs(lstm.parameters()[0].grad())).item(), 0);
}

TEST(Recurrent, DropsBetweenLayersWhileTraining) {
  manual_seed(1);
  GRUOptions options;
  options.input_size = 3;
  options.hidden_size = 8;
  options.num_layers = 2;
  options.dropout = 0.5;
  GRU gru(options);
  const Tensor x = randn({5, 2, 3});
  EXPECT_FALSE(equal(gru(x).output, gru(x).output));
  gru.eval();
  EXPECT_TRUE(equal(gru(x).output, gru(x).output));
}

TEST(Recurrent, LearnsToCarryABit) {
  manual_seed(3);
  struct Net : Module {
    LSTM& lstm = child<LSTM>("lstm", 1, 8);
    Linear& out = child<Linear>("out", 8, 1);
    Tensor forward(const Tensor& x) override { return out(select(lstm(x).output, 0, -1)); }
  } net;
  // The sign of the first of 6 numbers.
  const Tensor x = randn({6, 64, 1}), y = to(select(x, 0, 0) > 0, kFloat32);
  std::vector<Tensor> parameters = net.parameters(), momenta;
  for (const Tensor& p : parameters) momenta.push_back(zeros(p.shape()));
  double cost = 0;
  for (int step = 0; step < 600; ++step) {
    net.zero_grad();
    const Tensor c = binary_cross_entropy_with_logits(net(x), y);
    c.backward();
    cost = c.item();
    const NoGrad no_grad;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      mul_(momenta[i], 0.9);
      add_(momenta[i], parameters[i].grad());
      add_(parameters[i], momenta[i], -0.3);
    }
  }
  EXPECT_LT(cost, 0.1);
}

TEST(Recurrent, SaysWhatDoesNotFit) {
  LSTM lstm(3, 4);
  expect_error<ShapeError>([&] { lstm(ones({2, 5, 2})); }, "[LSTM] expected 3 features, found [2, 5, 2]");
  expect_error<ShapeError>([&] { lstm(ones({3})); },
                           "[LSTM] expected sequences [L, N, 3], or [L, 3] for one, found [3]");
  expect_error<DtypeError>([&] { lstm(ones({2, 5, 3}, kFloat64)); }, "[LSTM] the input is float64, expected float32");
  expect_error<ShapeError>([&] { lstm(ones({0, 5, 3})); }, "[LSTM] expected a sequence of at least one step");
  expect_error<ShapeError>(
      [&] {
        lstm(ones({2, 5, 3}), {zeros({1, 4, 4}), zeros({1, 5, 4})});
      },
      "[LSTM] the state h is [1, 4, 4], expected [1, 5, 4]");
  expect_error<DtypeError>(
      [&] {
        lstm(ones({2, 5, 3}), {zeros({1, 5, 4}, kFloat64), Tensor()});
      },
      "[LSTM] the state h is float64, expected the input's float32");
  expect_error<ValueError>([] { GRU(3, 0); },
                           "[GRU] input_size, hidden_size and num_layers must be at least 1, found 3, 0 and 1");
  LSTMOptions projected;
  projected.input_size = projected.hidden_size = projected.proj_size = 4;
  expect_error<ValueError>([&] { LSTM{projected}; }, "[LSTM] proj_size must be below hidden_size = 4, found 4");
  RNNCell cell(3, 4);
  expect_error<ShapeError>([&] { cell(ones({2, 2})); }, "[RNNCell] expected [N, 3] or [3], found [2, 2]");
  expect_error<ShapeError>([&] { cell(ones({2, 3}), ones({3, 4})); }, "[rnn_cell] the h is [3, 4], expected [2, 4]");
}

}  // namespace
}  // namespace eigengrad::nn
