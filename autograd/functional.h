// Derivatives of functions: products with the Jacobian and the Hessian, and these matrices themselves.
//
// The graph gives products with a Jacobian from the left, at about the cost of the function. All else is made of those:
// a row of a Jacobian is one of them, and a product from the right is the derivative of one by its vector.
//
// A function is called once, on tensors of its own that share the elements of the inputs; so it does not matter
// whether the inputs require grad, and no tensor's grad() changes. What else the function uses is constant. Where a
// result does not depend on an input, the derivative is zero.
//
// Each function throws ValueError when an input or a result is undefined; DtypeError unless inputs and results are
// floating; GradError when there are no inputs, or the function gives another number of results than asked for; and
// ShapeError or DtypeError for vectors that do not fit.
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "eigengrad/autograd/tensor_function.h"
#include "eigengrad/core/tensor.h"

namespace eigengrad {

struct FunctionalOptions {
  /// Record the results, so that they can be differentiated: by inputs and vectors that require grad, and by whatever
  /// else the function uses. Otherwise they are plain numbers.
  bool create_graph = false;
};

/// What a function gives, and the product.
struct Product {
  Tensor output;   ///< what the function gave
  Tensor product;  ///< of the shape that the function's comment says
};
/// The same of several inputs and outputs.
struct Products {
  std::vector<Tensor> outputs;   ///< what the function gave
  std::vector<Tensor> products;  ///< as many as the function's comment says
};

/// vᵀJ: for each input Σ over the outputs of v · ∂output/∂input, of the input's shape and dtype. v has a tensor for
/// each output, of its shape and dtype; none at all stands for 1, where there is one output of one element.
Products vjp(const TensorFunction& function, std::span<const Tensor> inputs, std::span<const Tensor> v = {},
             const FunctionalOptions& options = {});
Products vjp(const TensorFunction& function, std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> v = {},
             const FunctionalOptions& options = {});
/// The same for one input and one output.
Product vjp(const TensorFunction& function, const Tensor& input, const Tensor& v = {},
            const FunctionalOptions& options = {});

/// Jv: for each output Σ over the inputs of ∂output/∂input · v, of the output's shape and dtype: the derivative in the
/// direction v. v has a tensor for each input, of its shape and dtype; none at all stands for 1, where there is one
/// input of one element. As uᵀJ is linear in u, Jv is its derivative by u times v, wherever u is: the function is run
/// once and two walks are made (J. Townsend, "A new trick for calculating Jacobian vector products", 2017).
Products jvp(const TensorFunction& function, std::span<const Tensor> inputs, std::span<const Tensor> v = {},
             const FunctionalOptions& options = {});
Products jvp(const TensorFunction& function, std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> v = {},
             const FunctionalOptions& options = {});
/// The same for one input and one output.
Product jvp(const TensorFunction& function, const Tensor& input, const Tensor& v = {},
            const FunctionalOptions& options = {});

/// ∂output/∂input for every output and every input: result[i][j] has the shape of output i followed by that of input j,
/// and the dtype of input j. One walk for each element of the outputs.
std::vector<std::vector<Tensor>> jacobian(const TensorFunction& function, std::span<const Tensor> inputs,
                                          const FunctionalOptions& options = {});
std::vector<std::vector<Tensor>> jacobian(const TensorFunction& function, std::initializer_list<Tensor> inputs,
                                          const FunctionalOptions& options = {});
/// The same for one input and one output.
Tensor jacobian(const TensorFunction& function, const Tensor& input, const FunctionalOptions& options = {});

// The function has one output of one element, else these throw GradError or ShapeError.

/// ∂²output/∂input²: result[i][j] has the shape of input i followed by that of input j. One walk for each element of
/// the inputs.
std::vector<std::vector<Tensor>> hessian(const TensorFunction& function, std::span<const Tensor> inputs,
                                         const FunctionalOptions& options = {});
std::vector<std::vector<Tensor>> hessian(const TensorFunction& function, std::initializer_list<Tensor> inputs,
                                         const FunctionalOptions& options = {});
/// The same for one input.
Tensor hessian(const TensorFunction& function, const Tensor& input, const FunctionalOptions& options = {});

/// vᵀH, one tensor for each input. v has a tensor for each input, of its shape and dtype; none at all stands for 1,
/// where there is one input of one element.
Products vhp(const TensorFunction& function, std::span<const Tensor> inputs, std::span<const Tensor> v = {},
             const FunctionalOptions& options = {});
Products vhp(const TensorFunction& function, std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> v = {},
             const FunctionalOptions& options = {});
/// The same for one input.
Product vhp(const TensorFunction& function, const Tensor& input, const Tensor& v = {},
            const FunctionalOptions& options = {});

/// Hv, likewise. Equal to vᵀH where the second derivatives are continuous, and then vhp is the faster: it makes one
/// walk less.
Products hvp(const TensorFunction& function, std::span<const Tensor> inputs, std::span<const Tensor> v = {},
             const FunctionalOptions& options = {});
Products hvp(const TensorFunction& function, std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> v = {},
             const FunctionalOptions& options = {});
/// The same for one input.
Product hvp(const TensorFunction& function, const Tensor& input, const Tensor& v = {},
            const FunctionalOptions& options = {});

}  // namespace eigengrad
