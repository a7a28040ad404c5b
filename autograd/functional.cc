#include "eigengrad/autograd/functional.h"

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/core/check.h"
#include "eigengrad/ops/inplace.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

using In = std::span<const Tensor>;
using List = std::initializer_list<Tensor>;

In as_span(List tensors) { return {tensors.begin(), tensors.size()}; }
In as_span(const Tensor& v) { return v.defined() ? In(&v, 1) : In(); }

// Tensors that the function alone sees: gradients by them say nothing of another use of the same tensor.
std::vector<Tensor> own_inputs(const char* name, In inputs, bool create_graph) {
  EG_CHECK(!inputs.empty(), GradError, "[{}] there are no inputs", name);
  std::vector<Tensor> own;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& x = inputs[i];
    EG_CHECK(x.defined(), ValueError, "[{}] input {} is an undefined tensor", name, i);
    EG_CHECK(is_floating(x.dtype()), DtypeError, "[{}] input {} is {}, expected a floating tensor", name, i, x.dtype());
    own.push_back(create_graph && x.requires_grad() ? expand(x, x.shape()) : x.detach().set_requires_grad());
  }
  return own;
}

std::vector<Tensor> outputs_of(const char* name, const TensorFunction& function, In inputs) {
  std::vector<Tensor> outputs = function(inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& y = outputs[i];
    EG_CHECK(y.defined(), ValueError, "[{}] output {} of the function is an undefined tensor", name, i);
    EG_CHECK(is_floating(y.dtype()), DtypeError, "[{}] output {} of the function is {}, expected a floating tensor",
             name, i, y.dtype());
  }
  return outputs;
}

// The vectors of a product, one for each of `likes`, which are inputs or outputs.
std::vector<Tensor> vectors(const char* name, const char* what, In v, In likes, bool create_graph) {
  if (v.empty() && likes.size() == 1) {
    EG_CHECK(likes[0].numel() == 1, GradError, "[{}] v may be left out where the {} has one element, found shape {}",
             name, what, likes[0].shape());
    return {ones(likes[0].shape(), likes[0].dtype())};
  }
  EG_CHECK(v.size() == likes.size(), GradError, "[{}] v has {} tensors, expected {}: one for each {}", name, v.size(),
           likes.size(), what);
  std::vector<Tensor> result;
  for (std::size_t i = 0; i < v.size(); ++i) {
    EG_CHECK(v[i].defined(), ValueError, "[{}] v {} is an undefined tensor", name, i);
    EG_CHECK(v[i].shape() == likes[i].shape(), ShapeError, "[{}] v {} has shape {}, expected {} as {} {}", name, i,
             v[i].shape(), likes[i].shape(), what, i);
    EG_CHECK(v[i].dtype() == likes[i].dtype(), DtypeError, "[{}] v {} is {}, expected {} as {} {}", name, i,
             v[i].dtype(), likes[i].dtype(), what, i);
    result.push_back(create_graph ? v[i] : v[i].detach());
  }
  return result;
}

// Σ seed · ∂output/∂input, which is zero where nothing leads from the one to the other.
std::vector<Tensor> gradients(In outputs, In inputs, In seeds, const GradOptions& options) {
  std::vector<Tensor> ys, starts, result(inputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].requires_grad()) continue;
    ys.push_back(outputs[i]);
    starts.push_back(seeds[i]);
  }
  GradOptions lenient = options;
  lenient.allow_unused = true;
  if (!ys.empty()) result = grad(ys, inputs, starts, lenient);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (!result[i].defined()) result[i] = zeros(inputs[i].shape(), inputs[i].dtype());
  return result;
}

std::vector<Tensor> detached_unless(bool create_graph, std::vector<Tensor> tensors) {
  if (!create_graph)
    for (Tensor& x : tensors) x = x.detach();
  return tensors;
}

Products left_product(const char* name, const TensorFunction& function, In inputs, In v, bool create_graph) {
  const GradMode recording(true);
  const std::vector<Tensor> xs = own_inputs(name, inputs, create_graph), ys = outputs_of(name, function, xs),
                            seeds = vectors(name, "output", v, ys, create_graph);
  return {detached_unless(create_graph, ys), gradients(ys, xs, seeds, {.create_graph = create_graph})};
}

Products right_product(const char* name, const TensorFunction& function, In inputs, In v, bool create_graph) {
  const GradMode recording(true);
  const std::vector<Tensor> xs = own_inputs(name, inputs, create_graph),
                            directions = vectors(name, "input", v, xs, create_graph),
                            ys = outputs_of(name, function, xs);
  std::vector<Tensor> u;
  for (const Tensor& y : ys) u.push_back(zeros(y.shape(), y.dtype()).set_requires_grad());
  const std::vector<Tensor> left = gradients(ys, xs, u, {.create_graph = true});
  return {detached_unless(create_graph, ys), gradients(left, u, directions, {.create_graph = create_graph})};
}

// 1 at one element, else 0.
Tensor unit(const Tensor& like, std::int64_t element) {
  Tensor result = zeros({like.numel()}, like.dtype());
  Tensor one = select(result, 0, element);
  fill_(one, 1);
  return reshape(result, like.shape());
}

Shape joined(const Shape& a, const Shape& b) {
  Shape result = a;
  for (const std::int64_t extent : b) result.push_back(extent);
  return result;
}

// The Jacobian of one output by every input.
std::vector<Tensor> jacobian_of(const Tensor& y, In xs, bool create_graph) {
  std::vector<std::vector<Tensor>> rows(xs.size());
  for (std::int64_t element = 0; element < y.numel(); ++element) {
    const Tensor seed = unit(y, element);
    std::vector<Tensor> row =
        gradients(as_span(y), xs, as_span(seed), {.create_graph = create_graph, .retain_graph = true});
    for (std::size_t j = 0; j < xs.size(); ++j) rows[j].push_back(std::move(row[j]));
  }
  std::vector<Tensor> result;
  for (std::size_t j = 0; j < xs.size(); ++j) {
    const Shape shape = joined(y.shape(), xs[j].shape());
    result.push_back(rows[j].empty() ? zeros(shape, xs[j].dtype()) : reshape(stack(rows[j]), shape));
  }
  return result;
}

std::vector<std::vector<Tensor>> full_jacobian(const char* name, const TensorFunction& function, In inputs,
                                               bool create_graph) {
  const GradMode recording(true);
  const std::vector<Tensor> xs = own_inputs(name, inputs, create_graph), ys = outputs_of(name, function, xs);
  std::vector<std::vector<Tensor>> result;
  for (const Tensor& y : ys) result.push_back(jacobian_of(y, xs, create_graph));
  return result;
}

// The gradient of a function with one output of one element, as a function in its turn. Its runs leave that output in
// `output`.
TensorFunction gradient_of(const char* name, const TensorFunction& function, Tensor& output) {
  return [name, &function, &output](In x) {
    const std::vector<Tensor> ys = outputs_of(name, function, x);
    EG_CHECK(ys.size() == 1, GradError, "[{}] the function returned {} tensors, expected one", name, ys.size());
    EG_CHECK(ys[0].numel() == 1, ShapeError, "[{}] the function returned shape {}, expected one element", name,
             ys[0].shape());
    output = ys[0];
    return gradients(ys, x, vectors(name, "output", {}, ys, true), {.create_graph = true});
  };
}

// A product of the Hessian: that of the Jacobian of the gradient.
template <class ProductRule>
Products hessian_product(const char* name, ProductRule rule, const TensorFunction& function, In inputs, In v,
                         bool create_graph) {
  Tensor output;
  Products result = rule(name, gradient_of(name, function, output), inputs, v, create_graph);
  result.outputs = detached_unless(create_graph, {output});
  return result;
}

void check_single(const char* name, std::size_t outputs) {
  EG_CHECK(outputs == 1, GradError, "[{}] the function returned {} tensors, expected one: give the input as a list",
           name, outputs);
}

Product single(const char* name, const Products& products) {
  check_single(name, products.outputs.size());
  return {products.outputs[0], products.products[0]};
}

Tensor single(const char* name, const std::vector<std::vector<Tensor>>& matrices) {
  check_single(name, matrices.size());
  return matrices[0][0];
}

}  // namespace

Products vjp(const TensorFunction& function, In inputs, In v, const FunctionalOptions& options) {
  return left_product("vjp", function, inputs, v, options.create_graph);
}
Products vjp(const TensorFunction& function, List inputs, List v, const FunctionalOptions& options) {
  return vjp(function, as_span(inputs), as_span(v), options);
}
Product vjp(const TensorFunction& function, const Tensor& input, const Tensor& v, const FunctionalOptions& options) {
  return single("vjp", vjp(function, In(&input, 1), as_span(v), options));
}

Products jvp(const TensorFunction& function, In inputs, In v, const FunctionalOptions& options) {
  return right_product("jvp", function, inputs, v, options.create_graph);
}
Products jvp(const TensorFunction& function, List inputs, List v, const FunctionalOptions& options) {
  return jvp(function, as_span(inputs), as_span(v), options);
}
Product jvp(const TensorFunction& function, const Tensor& input, const Tensor& v, const FunctionalOptions& options) {
  return single("jvp", jvp(function, In(&input, 1), as_span(v), options));
}

std::vector<std::vector<Tensor>> jacobian(const TensorFunction& function, In inputs, const FunctionalOptions& options) {
  return full_jacobian("jacobian", function, inputs, options.create_graph);
}
std::vector<std::vector<Tensor>> jacobian(const TensorFunction& function, List inputs,
                                          const FunctionalOptions& options) {
  return jacobian(function, as_span(inputs), options);
}
Tensor jacobian(const TensorFunction& function, const Tensor& input, const FunctionalOptions& options) {
  return single("jacobian", jacobian(function, In(&input, 1), options));
}

std::vector<std::vector<Tensor>> hessian(const TensorFunction& function, In inputs, const FunctionalOptions& options) {
  Tensor output;
  return full_jacobian("hessian", gradient_of("hessian", function, output), inputs, options.create_graph);
}
std::vector<std::vector<Tensor>> hessian(const TensorFunction& function, List inputs,
                                         const FunctionalOptions& options) {
  return hessian(function, as_span(inputs), options);
}
Tensor hessian(const TensorFunction& function, const Tensor& input, const FunctionalOptions& options) {
  return single("hessian", hessian(function, In(&input, 1), options));
}

Products vhp(const TensorFunction& function, In inputs, In v, const FunctionalOptions& options) {
  return hessian_product("vhp", left_product, function, inputs, v, options.create_graph);
}
Products vhp(const TensorFunction& function, List inputs, List v, const FunctionalOptions& options) {
  return vhp(function, as_span(inputs), as_span(v), options);
}
Product vhp(const TensorFunction& function, const Tensor& input, const Tensor& v, const FunctionalOptions& options) {
  return single("vhp", vhp(function, In(&input, 1), as_span(v), options));
}

Products hvp(const TensorFunction& function, In inputs, In v, const FunctionalOptions& options) {
  return hessian_product("hvp", right_product, function, inputs, v, options.create_graph);
}
Products hvp(const TensorFunction& function, List inputs, List v, const FunctionalOptions& options) {
  return hvp(function, as_span(inputs), as_span(v), options);
}
Product hvp(const TensorFunction& function, const Tensor& input, const Tensor& v, const FunctionalOptions& options) {
  return single("hvp", hvp(function, In(&input, 1), as_span(v), options));
}

}  // namespace eigengrad
