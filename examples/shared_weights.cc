// One weight used in two places: an autoencoder whose decoder is the transpose of its encoder. The gradient of the
// shared weight is the sum over both uses, and for the optimizer it is one parameter.
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

struct TiedAutoencoder : nn::Module {
  Tensor& weight = param("weight", randn({3, 8}) * 0.3);
  Tensor& offset = param("offset", zeros({8}));
  Tensor encode(const Tensor& x) const { return linear(x, weight); }
  Tensor decode(const Tensor& code) const { return matmul(code, weight) + offset; }
  Tensor forward(const Tensor& x) override { return decode(encode(x)); }
};

int main() {
  manual_seed(4);
  // Points of 8 dimensions that lie near a space of 3.
  const Tensor x = matmul(randn({256, 3}), randn({3, 8})) + 0.05 * randn({256, 8});

  TiedAutoencoder model;
  optim::Adam optimizer(model.parameters(), {.lr = 0.02});
  std::cout << model.parameters().size() << " parameters of " << model.parameter_count() << " numbers\n";
  for (int step = 0; step <= 600; ++step) {
    const Tensor cost = mse_loss(model(x), x);
    optimizer.zero_grad();
    cost.backward();
    optimizer.step();
    if (step % 150 == 0) std::cout << "step " << step << "  cost " << cost.item() << "\n";
  }

  // The same gradient, one use at a time: the other use sees the weight detached.
  const Tensor w = model.weight, fixed = w.detach();
  const auto cost_of = [&](const Tensor& encoder, const Tensor& decoder) {
    return mse_loss(matmul(linear(x, encoder), decoder) + model.offset, x);
  };
  const Tensor both = grad(cost_of(w, w), {w})[0];
  const Tensor sum_of_uses = grad(cost_of(w, fixed), {w})[0] + grad(cost_of(fixed, w), {w})[0];
  std::cout << "largest difference between the gradient and the sum over its uses: "
            << amax(abs(both - sum_of_uses)).item() << "\n";
}
