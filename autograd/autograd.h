// Gradients: the walk back through the graph that ops have recorded.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "eigengrad/core/node.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad {

struct GradOptions {
  bool create_graph =
      false;  ///< record the gradients themselves, so that they can be differentiated (implies retain_graph)
  bool retain_graph = false;  ///< keep what the graph has saved, so that it can be walked again
  bool allow_unused =
      false;  ///< an input that the outputs do not depend on gets an undefined gradient instead of an error
};

/// Σ grad_outputs · ∂outputs/∂inputs: one gradient for each input, of its shape and dtype. Nothing is accumulated in
/// the inputs, and only the part of the graph between them and the outputs is walked. An undefined grad_output stands
/// for 1, where the output is a scalar. Throws GradError, ShapeError, DtypeError.
std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                         std::span<const Tensor> grad_outputs = {}, const GradOptions& options = {});
/// The same for one output.
std::vector<Tensor> grad(const Tensor& output, std::span<const Tensor> inputs, const GradOptions& options = {});
std::vector<Tensor> grad(const Tensor& output, std::initializer_list<Tensor> inputs, const GradOptions& options = {});

/// Walks back from several tensors at once; see Tensor::backward.
void backward(std::span<const Tensor> outputs, std::span<const Tensor> grad_outputs = {},
              const BackwardOptions& options = {});

}  // namespace eigengrad
