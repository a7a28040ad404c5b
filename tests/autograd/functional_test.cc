// Products with Jacobians and Hessians, and these matrices. The figures of the larger functions are PyTorch's.
#include "eigengrad/autograd/functional.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/autograd/grad_check.h"
#include "eigengrad/core/allocator.h"
#include "eigengrad/core/node.h"
#include "eigengrad/ops/ops.h"
#include "tests/expect_error.h"

namespace eigengrad {
namespace {

using In = std::span<const Tensor>;
using Numbers = std::vector<double>;
using Matrices = std::vector<std::vector<Tensor>>;

void expect_tensor(const Tensor& found, const Shape& shape, const Numbers& values, double tolerance = 1e-13) {
  EXPECT_EQ(found.shape(), shape);
  const Numbers numbers = found.to_vector<double>();
  ASSERT_EQ(numbers.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(numbers[i], values[i], tolerance * std::max(1.0, std::abs(values[i]))) << "element " << i;
}

void expect_same(const Tensor& found, const Tensor& expected) {
  expect_tensor(found, expected.shape(), expected.to_vector<double>());
}

// ---- By hand.

Tensor cube(const Tensor& x) { return x * x * x; }

TEST(Functional, OfOneVariable) {
  const Tensor x = tensor(2.0);
  EXPECT_EQ(vjp(cube, x).output.item(), 8);
  EXPECT_EQ(vjp(cube, x).product.item(), 12);
  EXPECT_EQ(vjp(cube, x, tensor(10.0)).product.item(), 120);
  EXPECT_EQ(jvp(cube, x).product.item(), 12);
  EXPECT_EQ(jvp(cube, x, tensor(-1.0)).product.item(), -12);
  EXPECT_EQ(jvp(cube, x).output.item(), 8);
  EXPECT_EQ(jacobian(cube, x).item(), 12);
  EXPECT_EQ(hessian(cube, x).item(), 12);
  EXPECT_EQ(hvp(cube, x, tensor(0.5)).product.item(), 6);
  EXPECT_EQ(vhp(cube, x).product.item(), 12);
  EXPECT_EQ(vhp(cube, x).output.item(), 8);
}

TEST(Functional, JacobianOfALinearMapIsItsMatrix) {
  const Tensor a = tensor({{1., 2., 3.}, {4., 5., 6.}}), x = tensor({0.5, -1., 2.});
  const auto map = [a](const Tensor& v) { return matmul(a, v); };
  expect_same(jacobian(map, x), a);
  expect_tensor(jvp(map, x, tensor({1., 0., -1.})).product, {2}, {-2, -2});
  expect_tensor(vjp(map, x, tensor({1., -1.})).product, {3}, {-3, -3, -3});
}

TEST(Functional, HessianOfAQuadraticForm) {
  const Tensor a = tensor({{1., 2.}, {5., -4.}}), x = tensor({3., 7.}), v = tensor({1., -2.});
  const auto form = [a](const Tensor& t) { return dot(t, matmul(a, t)); };
  expect_tensor(hessian(form, x), {2, 2}, {2, 7, 7, -8});
  expect_tensor(hvp(form, x, v).product, {2}, {-12, 23});
  expect_tensor(vhp(form, x, v).product, {2}, {-12, 23});
}

TEST(Functional, ShapesAreThoseOfTheOutputAndThenTheInput) {
  const Tensor x = full({2, 3}, 0.5, kFloat64);
  EXPECT_EQ(jacobian([](const Tensor& t) { return reshape(exp(t), {3, 2, 1}); }, x).shape(), (Shape{3, 2, 1, 2, 3}));
  EXPECT_EQ(jacobian([](const Tensor& t) { return sum(t); }, x).shape(), (Shape{2, 3}));
  EXPECT_EQ(hessian([](const Tensor& t) { return reshape(sum(t * t), {1, 1}); }, x).shape(), (Shape{2, 3, 2, 3}));
  EXPECT_EQ(jacobian([](const Tensor& t) { return slice(t, 0, 0, 0); }, x).shape(), (Shape{0, 3, 2, 3}));
  EXPECT_EQ(jacobian([](const Tensor& t) { return sum(t); }, zeros({0, 2})).shape(), (Shape{0, 2}));
}

TEST(Functional, KeepsTheDtypeOfEachInput) {
  const Matrices j =
      jacobian([](In x) { return to(x[0], kFloat64) * x[1]; }, {tensor({2.0f, 3.0f}), tensor({4.0, 5.0})});
  EXPECT_EQ(j[0][0].dtype(), kFloat32);
  EXPECT_EQ(j[0][0].to_vector<float>(), (std::vector<float>{4, 0, 0, 5}));
  EXPECT_EQ(j[0][1].dtype(), kFloat64);
  EXPECT_EQ(jvp([](const Tensor& x) { return to(x * x, kFloat64); }, tensor(3.0f)).product.dtype(), kFloat64);
}

// ---- Against PyTorch: torch.autograd.functional of the same functions, in float64.

Tensor px() { return tensor({{0.5, -1.25}, {2.0, 0.75}}); }
Tensor py() { return tensor({0.3, -0.8, 1.1}); }
Tensor vx() { return tensor({{1.0, -0.5}, {0.25, 2.0}}); }
Tensor vy() { return tensor({0.7, -1.5, 0.4}); }
Tensor wave(const Tensor& x, const Tensor& y) { return tanh(matmul(x, x)) * slice(y, 0, 0, 2); }

// Of two inputs: three outputs, the last of which does not depend on the first input.
std::vector<Tensor> three(In in) {
  const Tensor &x = in[0], &y = in[1];
  return {wave(x, y), sum(y * y) * sum(sin(x), {1}), exp(slice(y, 0, 1))};
}
Tensor potential(In in) {
  const Tensor &x = in[0], &y = in[1];
  return sum(wave(x, y)) * exp(select(y, 0, 2)) + prod(sin(x));
}

const Numbers kOutputs[] = {{-0.2934078344216441, 0.7326596353350099, 0.2959842894454291, 0.7674682346517461},
                            {-0.9109446166576836, 3.0864162024870914},
                            {0.44932896411722156, 3.0041660239464334}};
const Shape kOutputShapes[] = {{2, 2}, {2}, {2}};

TEST(FunctionalReference, Vjp) {
  const Products r =
      vjp(three, {px(), py()}, {tensor({{0.5, 1.0}, {-1.0, 2.0}}), tensor({1.5, -0.5}), tensor({0.2, 0.9})});
  ASSERT_EQ(r.outputs.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) expect_tensor(r.outputs[i], kOutputShapes[i], kOutputs[i]);
  expect_tensor(r.products[0], {2, 2},
                {2.7055950612225024, 0.514399601936161, 0.5448922641545383, -0.7556500425214213});
  expect_tensor(r.products[1], {3}, {-2.3755113842517868, -0.3449385946921506, -0.5958253504616922});
}

TEST(FunctionalReference, Jvp) {
  const Products r = jvp(three, {px(), py()}, {vx(), vy()});
  ASSERT_EQ(r.products.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) expect_tensor(r.outputs[i], kOutputShapes[i], kOutputs[i]);
  expect_tensor(r.products[0], {2, 2}, {-0.688693116463004, 1.938165731296419, 0.7409890379872366, 1.3314406167209003});
  expect_tensor(r.products[1], {2}, {-0.34072112023620504, 8.523585486846422});
  expect_tensor(r.products[2], {2}, {-0.6739934461758323, 1.2016664095785734});
}

TEST(FunctionalReference, Jacobian) {
  const Matrices j = jacobian(three, {px(), py()});
  ASSERT_EQ(j.size(), 3u);
  ASSERT_EQ(j[0].size(), 2u);
  expect_tensor(j[0][0], {2, 2, 2, 2},
                {0.013039475666670292, 0.026078951333340584, -0.016299344583337864, 0.0, 0.16126540429807865,
                 -0.16126540429807865, 0.0, 0.16126540429807865, 0.01595533600989634, 0.0, 0.009972085006185214,
                 0.01595533600989634, 0.0, -0.1274812720013314, 0.07967579500083213, -0.09561095400099856});
  expect_tensor(
      j[0][1], {2, 2, 3},
      {-0.9780261147388136, 0, 0, 0, -0.9158245441687624, 0, 0.9866142981514303, 0, 0, 0, -0.9593352933146825, 0});
  expect_tensor(j[1][0], {2, 2, 2},
                {1.7025101700673235, 0.6117253830468213, 0, 0, 0, 0, -0.8073248629014564, 1.419476405615213});
  expect_tensor(j[1][1], {2, 3},
                {-0.28173544845082993, 0.7512945292022132, -1.0330299776530432, 0.9545617121094095, -2.5454978989584256,
                 3.5000596110678353});
  expect_tensor(j[2][0], {2, 2, 2}, Numbers(8));
  expect_tensor(j[2][1], {2, 3}, {0, 0.44932896411722156, 0, 0, 0, 3.0041660239464334});
}

TEST(FunctionalReference, Hessian) {
  const Matrices h = hessian(potential, {px(), py()});
  ASSERT_EQ(h.size(), 2u);
  expect_tensor(h[0][0], {2, 2, 2, 2},
                {-0.8614188926104117, 1.0464081253414501, 0.04619619993961305, -1.8524718495768697, 1.04640812534145,
                 -1.990334459937258, 0.5317466193023029, -0.2799799068154494, 0.04619619993961313, 0.5317466193023029,
                 -0.24623720710498598, 0.7331496339058632, -1.85247184957687, -0.2799799068154492, 0.7331496339058634,
                 -2.226016266282002});
  expect_tensor(h[0][1], {2, 2, 3},
                {0.2903507603648893, -0.6055850605378412, 0.5715732765397399, 0.2611516651192477, 1.0843036930826833,
                 -0.7890974549303723, -0.0633604608212389, -0.2991991453405262, 0.22035117802604934,
                 0.15977492780526548, -0.24654608612920975, 0.24516934724494757});
  expect_same(h[1][0], permute(h[0][1], {2, 0, 1}));
  expect_tensor(h[1][1], {3, 3},
                {0, 0, 0.025800328815603395, 0, 0, -5.633291473236681, 0.025800328815603457, -5.633291473236681,
                 4.514373277234026});
}

TEST(FunctionalReference, ProductsWithTheHessian) {
  for (const Products& r : {hvp(potential, {px(), py()}, {vx(), vy()}), vhp(potential, {px(), py()}, {vx(), vy()})}) {
    expect_tensor(r.outputs[0], {}, {4.232378815942951});
    expect_tensor(r.products[0], {2, 2},
                  {-3.737765170771894, -0.14473615950794283, 1.6776497229702838, -5.401497702701206});
    expect_tensor(r.products[1], {3}, {0.4738047997367283, -3.9689454549674066, 11.785295243920887});
  }
}

Tensor uneven(const Tensor& w) { return sum(sin(w) * square(flip(w, {0}))); }

TEST(FunctionalReference, DerivativeOfAHessian) {
  const Tensor w = tensor({0.9, -0.4, 1.3}).set_requires_grad();
  const Tensor h = hessian(uneven, w, {.create_graph = true});
  const Tensor weights = reshape(arange(1.0, 10.0, 1.0, kFloat64), {3, 3});
  expect_tensor(grad(sum(h * weights), {w})[0], {3}, {-20.48770709908681, 22.22196091718044, -8.363566740551711});
}

TEST(FunctionalReference, DerivativeOfAHessianProduct) {
  const Tensor w = tensor({0.9, -0.4, 1.3}).set_requires_grad(), v = tensor({1., -2., 0.5}).set_requires_grad();
  for (const Product& r : {hvp(uneven, w, v, {.create_graph = true}), vhp(uneven, w, v, {.create_graph = true})}) {
    const std::vector<Tensor> g = grad(sum(r.product * tensor({1., 2., 3.})), {w, v});
    expect_tensor(g[0], {3}, {-7.043081119429841, -17.77756873374435, -3.5458101747948207});
    expect_tensor(g[1], {3}, {6.896345320647893, -4.380454680505067, 4.456198876229106});
  }
}

// ---- One by the other.

TEST(Functional, ProductsAgreeWithTheMatrices) {
  const Matrices j = jacobian(three, {px(), py()}), h = hessian(potential, {px(), py()});
  const Products right = jvp(three, {px(), py()}, {vx(), vy()}), second = hvp(potential, {px(), py()}, {vx(), vy()});
  for (std::size_t i = 0; i < 3; ++i)
    expect_same(right.products[i], sum(j[i][0] * vx(), {-2, -1}) + sum(j[i][1] * vy(), {-1}));
  for (std::size_t i = 0; i < 2; ++i)
    expect_same(second.products[i], sum(h[i][0] * vx(), {-2, -1}) + sum(h[i][1] * vy(), {-1}));
}

TEST(Functional, ResultsWithAGraphHaveRightDerivatives) {
  const FunctionalOptions record{.create_graph = true};
  const std::vector<Tensor> at = {px().set_requires_grad(), py().set_requires_grad(), vx().set_requires_grad(),
                                  vy().set_requires_grad()};
  const auto product = [&](auto rule, const TensorFunction& f) {
    return [&record, rule, f](In x) { return rule(f, x.subspan(0, 2), x.subspan(2, 2), record); };
  };
  const auto right = [](const TensorFunction& f, In x, In v, const FunctionalOptions& o) {
    return jvp(f, x, v, o).products;
  };
  const auto left = [](const TensorFunction& f, In x, In v, const FunctionalOptions& o) {
    return vhp(f, x, v, o).products;
  };
  const auto hessian_right = [](const TensorFunction& f, In x, In v, const FunctionalOptions& o) {
    Products r = hvp(f, x, v, o);
    r.products.push_back(r.outputs[0]);
    return r.products;
  };
  gradcheck(product(right, three), at).or_throw();
  gradcheck(product(left, potential), at).or_throw();
  gradcheck(product(hessian_right, potential), at, {.atol = 1e-7}).or_throw();
  gradcheck([&](In x) { return jacobian(three, x, record)[0]; }, {at[0], at[1]}).or_throw();
}

TEST(Functional, MayBeNested) {
  // The Jacobian of the gradient, and that of a product.
  const auto gradient = [](const Tensor& x) { return jacobian(uneven, x, {.create_graph = true}); };
  const Tensor w = tensor({0.9, -0.4, 1.3}), v = tensor({1., -2., 0.5});
  expect_same(jacobian(gradient, w), hessian(uneven, w));
  const auto along = [v](const Tensor& x) { return jvp(uneven, x, v, {.create_graph = true}).product; };
  expect_same(jacobian(along, w), hvp(uneven, w, v).product);
}

// ---- What they leave alone.

TEST(Functional, ResultsArePlainNumbersUnlessAsked) {
  const Tensor w = tensor({2.0, 3.0}).set_requires_grad(), x = tensor({1.0, -1.0}).set_requires_grad(),
               v = ones({2}, kFloat64).set_requires_grad();
  const auto f = [w](const Tensor& t) { return w * t * t; };
  for (const Product& r : {vjp(f, x, v), jvp(f, x, v)}) {
    EXPECT_FALSE(r.output.requires_grad());
    EXPECT_FALSE(r.product.requires_grad());
  }
  EXPECT_FALSE(vjp([](const Tensor& t) { return t; }, x, v).product.requires_grad());
  EXPECT_FALSE(jacobian(f, x).requires_grad());
  EXPECT_FALSE(hessian([f](const Tensor& t) { return sum(f(t)); }, x).requires_grad());
  EXPECT_FALSE(w.grad().defined() || x.grad().defined() || v.grad().defined());
}

TEST(Functional, WithAGraphTheyCanBeDifferentiatedByWhateverTheFunctionUses) {
  const Tensor w = tensor({2.0, 3.0}).set_requires_grad();
  const Tensor j = jacobian([w](const Tensor& t) { return w * t * t; }, tensor({1.0, -1.0}), {.create_graph = true});
  sum(j).backward();
  EXPECT_EQ(w.grad().to_vector<double>(), (Numbers{2, -2}));
}

// x as an input is not x as the function's constant, nor another input.
TEST(Functional, DerivativesArePartial) {
  const Tensor x = tensor({2.0, 5.0}).set_requires_grad();
  for (const bool create_graph : {false, true}) {
    const FunctionalOptions options{.create_graph = create_graph};
    expect_tensor(vjp([x](const Tensor& t) { return sum(t * x); }, x, Tensor(), options).product, {2}, {2, 5});
    const Products both = vjp([](In t) { return sum(t[0] * t[0] * t[1]); }, {x, x}, {}, options);
    expect_tensor(both.products[0], {2}, {8, 50});
    expect_tensor(both.products[1], {2}, {4, 25});
  }
  EXPECT_TRUE(x.is_leaf());
}

TEST(Functional, WorkWithoutRecording) {
  const NoGrad no_grad;
  EXPECT_EQ(hessian(cube, tensor(2.0)).item(), 12);
  EXPECT_EQ(jvp(cube, tensor(2.0)).product.item(), 12);
}

TEST(Functional, WhatHasNoInfluenceHasZeroDerivatives) {
  const Tensor x = tensor({1.0, 2.0}), y = tensor({3.0});
  const auto first = [](In t) { return std::vector<Tensor>{t[0] * 2, ones({3}, kFloat64)}; };
  const Matrices j = jacobian(first, {x, y});
  expect_tensor(j[0][0], {2, 2}, {2, 0, 0, 2});
  expect_tensor(j[0][1], {2, 1}, {0, 0});
  expect_tensor(j[1][0], {3, 2}, Numbers(6));
  expect_tensor(vjp(first, {x, y}, {x, ones({3}, kFloat64)}).products[1], {1}, {0});
  expect_tensor(jvp(first, {x, y}, {x, y}).products[1], {3}, {0, 0, 0});
  expect_tensor(hessian([](const Tensor& t) { return sum(t * 3); }, x), {2, 2}, Numbers(4));
  expect_tensor(hvp([](const Tensor&) { return tensor(1.0); }, x, x).product, {2}, {0, 0});
  expect_tensor(hessian([](const Tensor&) { return tensor(1.0); }, x, {.create_graph = true}), {2, 2}, Numbers(4));
}

TEST(Functional, LeaveNothing) {
  const std::int64_t nodes = live_nodes(), blocks = memory_stats().live_blocks;
  for (const bool create_graph : {false, true}) {
    const FunctionalOptions options{.create_graph = create_graph};
    const Tensor x = px().set_requires_grad(), y = py().set_requires_grad();
    const std::vector<Tensor> inputs = {x, y}, v = {vx(), vy()};
    vjp(potential, inputs, {}, options);
    jvp(three, inputs, v, options);
    jacobian(three, inputs, options);
    hessian(potential, inputs, options);
    hvp(potential, inputs, v, options);
    vhp(potential, inputs, v, options);
    EXPECT_THROW(vjp([](In) -> Tensor { throw std::runtime_error("inside"); }, inputs), std::runtime_error);
  }
  EXPECT_EQ(live_nodes(), nodes);
  EXPECT_EQ(memory_stats().live_blocks, blocks);
}

// ---- Wrong use.

TEST(FunctionalMisuse, OfInputs) {
  const Tensor x = tensor({1.0, 2.0}), v = tensor({1.0, 1.0});
  const auto f = [](In t) { return t[0] * 2; };
  expect_error<GradError>([&] { vjp(f, {}, {v}); }, {"[vjp]", "no inputs"});
  expect_error<ValueError>([&] { jacobian(f, {x, Tensor()}); }, {"[jacobian]", "input 1", "undefined"});
  expect_error<DtypeError>([&] { hessian(f, {tensor({1, 2})}); }, {"[hessian]", "input 0", "int64"});
  expect_error<ValueError>([&] { jacobian([](const Tensor& t) { return t; }, {x, x}); }, {"one tensor", "given 2"});
}

TEST(FunctionalMisuse, OfVectors) {
  const Tensor x = tensor({1.0, 2.0}), v = tensor({1.0, 1.0});
  const auto f = [](const Tensor& t) { return t * 2; };
  const auto scalar = [](const Tensor& t) { return sum(t * t); };
  expect_error<GradError>([&] { vjp(f, x); }, {"[vjp]", "left out", "output", "[2]"});
  expect_error<GradError>([&] { jvp(f, x); }, {"[jvp]", "left out", "input", "[2]"});
  expect_error<GradError>([&] { hvp(scalar, x); }, {"[hvp]", "left out", "input", "[2]"});
  expect_error<GradError>([&] { vhp(scalar, {x}, {v, v}); }, {"[vhp]", "v has 2 tensors, expected 1"});
  expect_error<ShapeError>([&] { vjp(f, x, tensor({1.0})); }, {"[vjp]", "v 0", "[1]", "[2]", "output 0"});
  expect_error<ShapeError>([&] { jvp(f, x, ones({1, 2}, kFloat64)); }, {"[jvp]", "[1, 2]", "[2]", "input 0"});
  expect_error<DtypeError>([&] { jvp(f, x, ones({2})); }, {"[jvp]", "v 0", "float32", "float64"});
  expect_error<ValueError>([&] { vjp(f, {x}, {Tensor()}); }, {"[vjp]", "v 0", "undefined"});
}

TEST(FunctionalMisuse, OfFunctions) {
  const Tensor x = tensor({1.0, 2.0}), v = tensor({1.0, 1.0});
  const auto two = [](In t) { return std::vector<Tensor>{sum(t[0]), sum(t[0])}; };
  expect_error<GradError>([&] { jacobian(two, x); }, {"[jacobian]", "2 tensors", "list"});
  expect_error<GradError>([&] { jvp(two, x, v); }, {"[jvp]", "2 tensors", "list"});
  expect_error<GradError>([&] { hessian(two, {x}); }, {"[hessian]", "2 tensors"});
  expect_error<ShapeError>([&] { hessian([](In t) { return t[0]; }, {x}); }, {"[hessian]", "[2]", "one element"});
  expect_error<ShapeError>([&] { hvp([](const Tensor& t) { return t; }, x, v); }, {"[hvp]", "[2]", "one element"});
  expect_error<ShapeError>([&] { vhp([](const Tensor& t) { return t; }, x, v); }, {"[vhp]", "[2]", "one element"});
  expect_error<DtypeError>([&] { jacobian([](const Tensor& t) { return argmax(t, 0); }, x); },
                           {"[jacobian]", "output 0", "int64"});
  expect_error<ValueError>([&] { jvp([](const Tensor&) { return Tensor(); }, x, v); }, {"[jvp]", "undefined"});
}

}  // namespace
}  // namespace eigengrad
