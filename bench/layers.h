// Single layers and ops on inputs of the size that they have in nets, forward and backward, for bench/steps.
#pragma once

#include <eigengrad/eigengrad.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace bench {

using eigengrad::Shape;
using eigengrad::Tensor;
namespace nn = eigengrad::nn;

/// A function of one tensor of the given shape, and the module with its parameters, if it has any.
struct Layer {
  Shape input;
  std::function<Tensor(const Tensor&)> forward;
  std::shared_ptr<nn::Module> module{};
};

template <class Module>
Layer layer(Shape input, Module module) {
  const auto shared = std::make_shared<Module>(std::move(module));
  return {std::move(input), [shared](const Tensor& x) { return (*shared)(x); }, shared};
}

/// Numbers that are no input: 0, 1, 0, 1, ..
inline Tensor bits(const Shape& shape) {
  const Tensor numbers = eigengrad::arange(eigengrad::checked_numel(shape));
  return reshape(remainder(numbers, eigengrad::tensor(std::int64_t{2})), shape);
}

using Function = Tensor (*)(const Tensor& x);

/// By name; steps/pytorch.py has the same.
inline const std::map<std::string, std::function<Layer()>>& layers() {
  static const Shape image{16, 64, 28, 28}, matrix{1024, 512};
  const auto of_matrix = [](Function f) { return [f] { return Layer{matrix, f}; }; };
  const auto of_image = [](Function f) { return [f] { return Layer{image, f}; }; };
  static const std::map<std::string, std::function<Layer()>> all{
      {"conv1x1", [] { return layer(image, nn::Conv2d(64, 128, 1)); }},
      {"conv3s2", [] { return layer(image, nn::Conv2d(64, 64, 3, 2, 1)); }},
      {"conv64to3", [] { return layer(image, nn::Conv2d(64, 3, 3, 1, 1)); }},
      {"conv_depthwise",
       [] {
         return layer(
             image, nn::Conv2d({.in_channels = 64, .out_channels = 64, .kernel_size = 3, .padding = 1, .groups = 64}));
       }},
      {"conv_transpose",
       [] {
         return layer({16, 64, 14, 14}, nn::ConvTranspose2d(64, 32, 4, 2, 1));
       }},
      {"batch_norm", [] { return layer(image, nn::BatchNorm2d(64)); }},
      {"group_norm", [] { return layer(image, nn::GroupNorm(8, 64)); }},
      {"layer_norm",
       [] {
         return layer({2048, 256}, nn::LayerNorm({256}));
       }},
      {"max_pool", of_image([](const Tensor& x) { return max_pool2d(x, 3, {.stride = 2, .padding = 1}); })},
      {"avg_pool", of_image([](const Tensor& x) { return avg_pool2d(x, 2); })},
      {"global_pool", of_image([](const Tensor& x) { return adaptive_avg_pool2d(x, 1); })},
      {"upsample",
       of_image([](const Tensor& x) { return interpolate(x, 2.0, {.mode = eigengrad::InterpolateMode::Bilinear}); })},
      {"cat", of_image([](const Tensor& x) {
         return eigengrad::cat({x, x}, 1);
       })},
      {"linear_1",
       [] {
         return layer({1, 1024}, nn::Linear(1024, 1024));
       }},
      {"linear_16",
       [] {
         return layer({16, 1024}, nn::Linear(1024, 1024));
       }},
      {"gru",
       [] {
         const auto gru = std::make_shared<nn::GRU>(64, 128);
         return Layer{{64, 32, 64}, [gru](const Tensor& x) { return (*gru)(x).output; }, gru};
       }},
      {"transformer_layer",
       [] {
         return layer({8, 64, 128},
                      nn::TransformerEncoderLayer(
                          {.d_model = 128, .nhead = 4, .dim_feedforward = 512, .dropout = 0, .batch_first = true}));
       }},
      {"dropout", [] { return layer(matrix, nn::Dropout(0.5)); }},
      {"leaky_relu", of_matrix([](const Tensor& x) { return leaky_relu(x); })},
      {"elu", of_matrix([](const Tensor& x) { return elu(x); })},
      {"hardswish", of_matrix([](const Tensor& x) { return hardswish(x); })},
      {"clamp", of_matrix([](const Tensor& x) { return clamp(x, -0.5, 0.5); })},
      {"cube", of_matrix([](const Tensor& x) { return pow(x, 3); })},
      {"masked_fill",
       [] {
         return Layer{matrix, [mask = bits(matrix) == 1](const Tensor& x) { return masked_fill(x, mask, -1); }};
       }},
      {"smooth_l1",
       [] {
         return Layer{matrix,
                      [target = eigengrad::zeros(matrix)](const Tensor& x) { return smooth_l1_loss(x, target); }};
       }},
      {"bce_with_logits",
       [] {
         const Tensor target = to(bits(matrix), eigengrad::kFloat32);
         return Layer{matrix, [=](const Tensor& x) { return binary_cross_entropy_with_logits(x, target); }};
       }},
      {"label_smoothing",
       [] {
         const Tensor target = bits({matrix[0]});
         return Layer{matrix, [=](const Tensor& x) { return cross_entropy(x, target, {.label_smoothing = 0.1}); }};
       }},
      {"sort", of_matrix([](const Tensor& x) { return sort(x, 1).values; })},
  };
  return all;
}

}  // namespace bench
