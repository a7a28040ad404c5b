#!/usr/bin/env python3
"""Writes reference.txt: what PyTorch computes for every row of op_table.cc, in float64.

    python3 make_reference.py > reference.txt

A case is `op NAME`, then a line each for the inputs (`in`), the result (`out`), the gradient that the backward pass
starts from (`seed`) and the gradients of the inputs (`grad`), then `end`. Such a line is a shape ("2,3"; "-" for a
scalar) and the elements. `in` elements are multiples of 1/64, so that they are the same numbers in float32. A case
without `seed` is checked for its value alone.
"""
import random
import sys

import torch
import torch.nn.functional as F

T = torch.tensor
INF, NAN = float("inf"), float("nan")


def mask(*shape):
    n = T(shape).prod().item()
    return (torch.arange(n) % 3 == 0).reshape(shape)


def together(parts):
    return torch.cat([p.flatten() * (i + 1) for i, p in enumerate(parts)])


# F.softplus gives NaN as the gradient of large numbers, unless told to be linear there.
def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


# F.binary_cross_entropy_with_logits has no gradient for its weights.
def bce(x, y, w, p):
    return -(w * (p * y * F.logsigmoid(x) + (1 - y) * F.logsigmoid(-x))).sum()


def weights(x):
    return T([0.5, 2.0, 1.25, 0.75], dtype=x.dtype)


# ---- Shapes and domains: (list of the shapes of each case, domain of each input).
U = [[(2, 3)], [()], [(5,)]]
B = [[(2, 3), (2, 3)], [(2, 3), (3,)], [(2, 1), (1, 3)], [(), (2,)]]
M = [[(2, 3)], [(3, 4)], [(2, 3, 2)]]
TWO = [[(2, 3), (1, 3)]]
SAME = [[(2, 3), (2, 3)], [(3,), (3,)]]
WIDE, POS, UNIT = (-3, 3), (0.25, 4), (-0.9, 0.9)

target, ignoring, pixels = T([1, 3, 0]), T([1, -100, 0]), T([[1, 3, 0], [2, 2, 1]])
select_index, add_index = T([2, 0, 2]), T([2, 0, 2])
gather_index = T([[2, 0, 0, 0], [1, 1, 2, 0]])
scatter_index = T([[2, 0], [1, 0], [0, 1]])

add, sub, mul, div = (lambda a, b: a + b), (lambda a, b: a - b), (lambda a, b: a * b), (lambda a, b: a / b)

ROWS = {
    # name: (function, cases, domain of each input)
    "add": (add, B, [WIDE]),
    "sub": (sub, B, [WIDE]),
    "mul": (mul, B, [WIDE]),
    "div": (div, B, [WIDE, POS]),
    "remainder": (torch.remainder, B, [WIDE, POS]),
    "remainder small": (torch.remainder, [[(4,), (1,)]], [WIDE, POS]),
    "pow": (torch.pow, B, [POS, WIDE]),
    "maximum": (torch.maximum, B, [WIDE]),
    "minimum": (torch.minimum, B, [WIDE]),
    "neg": (torch.neg, U, [WIDE]),
    "operator+ tensors": (add, B, [WIDE]),
    "operator+ right number": (lambda x: x + 1.5, U, [WIDE]),
    "operator+ left number": (lambda x: 1.5 + x, U, [WIDE]),
    "operator- tensors": (sub, B, [WIDE]),
    "operator- right number": (lambda x: x - 1.5, U, [WIDE]),
    "operator- left number": (lambda x: 1.5 - x, U, [WIDE]),
    "operator- sign": (lambda x: -x, U, [WIDE]),
    "operator* tensors": (mul, B, [WIDE]),
    "operator* right number": (lambda x: x * 1.5, U, [WIDE]),
    "operator* left number": (lambda x: -1.5 * x, U, [WIDE]),
    "operator/ tensors": (div, B, [WIDE, POS]),
    "operator/ right number": (lambda x: x / 1.5, U, [WIDE]),
    "operator/ left number": (lambda x: 1.5 / x, U, [POS]),
    "operator+= tensors": (add, B, [WIDE]),
    "operator+= number": (lambda x: x + 1.5, U, [WIDE]),
    "operator-= tensors": (sub, B, [WIDE]),
    "operator-= number": (lambda x: x - 1.5, U, [WIDE]),
    "operator*= tensors": (mul, B, [WIDE]),
    "operator*= number": (lambda x: x * 1.5, U, [WIDE]),
    "operator/= tensors": (div, B, [WIDE, POS]),
    "operator/= number": (lambda x: x / 1.5, U, [WIDE]),
    "pow cube": (lambda x: x**3, U, [WIDE]),
    "pow square": (lambda x: x**2, U, [WIDE]),
    "pow negative": (lambda x: x**-1.5, U, [POS]),
    "pow of number": (lambda x: 1.5**x, U, [WIDE]),
    "maximum number": (lambda x: torch.maximum(x, T(0.5, dtype=x.dtype)), U, [WIDE]),
    "minimum number": (lambda x: torch.minimum(x, T(0.5, dtype=x.dtype)), U, [WIDE]),
    "clamp": (lambda x: torch.clamp(x, -0.5, 1), U, [WIDE]),
    "exp": (torch.exp, U, [(-20, 20)]),
    "expm1": (torch.expm1, U, [WIDE]),
    "log": (torch.log, U, [POS]),
    "log1p": (torch.log1p, U, [UNIT]),
    "sqrt": (torch.sqrt, U, [POS]),
    "rsqrt": (torch.rsqrt, U, [POS]),
    "reciprocal": (torch.reciprocal, U, [POS]),
    "square": (torch.square, U, [WIDE]),
    "abs": (torch.abs, U, [WIDE]),
    "sign": (torch.sign, U, [WIDE]),
    "sin": (torch.sin, U, [(-20, 20)]),
    "cos": (torch.cos, U, [(-20, 20)]),
    "tan": (torch.tan, U, [(-1.4, 1.4)]),
    "asin": (torch.asin, U, [(-0.9, 0.9)]),
    "acos": (torch.acos, U, [(-0.9, 0.9)]),
    "atan": (torch.atan, U, [WIDE]),
    "sinh": (torch.sinh, U, [WIDE]),
    "cosh": (torch.cosh, U, [WIDE]),
    "erf": (torch.erf, U, [WIDE]),
    "floor": (torch.floor, U, [WIDE]),
    "ceil": (torch.ceil, U, [WIDE]),
    "round": (torch.round, U, [WIDE]),
    "relu": (torch.relu, U, [WIDE]),
    "relu of result": (lambda x: torch.exp(torch.relu(x)), U, [WIDE]),
    "sigmoid": (torch.sigmoid, U, [(-12, 12)]),
    "tanh": (torch.tanh, U, [(-5, 5)]),
    "gelu": (F.gelu, U, [WIDE]),
    "gelu tanh": (lambda x: F.gelu(x, approximate="tanh"), U, [WIDE]),
    "softplus": (softplus, U, [(-12, 12)]),
    "softplus beta": (lambda x: softplus(2.5 * x) / 2.5, U, [WIDE]),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), U, [WIDE]),
    "elu": (lambda x: F.elu(x, 1.5), U, [WIDE]),
    "celu": (lambda x: F.celu(x, 1.5), U, [WIDE]),
    "selu": (F.selu, U, [WIDE]),
    "silu": (F.silu, U, [(-12, 12)]),
    "mish": (F.mish, U, [(-12, 12)]),
    "softsign": (F.softsign, U, [WIDE]),
    "logsigmoid": (F.logsigmoid, U, [(-12, 12)]),
    "hardtanh": (lambda x: F.hardtanh(x, -0.7, 1.3), U, [WIDE]),
    "hardsigmoid": (lambda x: F.hardtanh(x, -3, 3) / 6 + 0.5, U, [WIDE]),  # its own takes 1/6 in float32
    "hardswish": (F.hardswish, U, [WIDE]),
    "softmax last": (lambda x: torch.softmax(x, -1), M, [(-6, 6)]),
    "softmax first": (lambda x: torch.softmax(x, 0), M, [(-6, 6)]),
    "log_softmax last": (lambda x: torch.log_softmax(x, -1), M, [(-6, 6)]),
    "log_softmax first": (lambda x: torch.log_softmax(x, 0), M, [(-6, 6)]),
    "where": (lambda a, b: torch.where(mask(2, 3), a, b), [[(2, 3), (2, 3)], [(3,), (2, 1)]], [WIDE]),
    "where broadcast": (lambda a, b: torch.where(mask(2, 1), a, b), [[(2, 3), (2, 3)], [(3,), ()]], [WIDE]),
    "where left number": (lambda x: torch.where(x.detach() > 0.5, 0.5, x), U, [WIDE]),
    "where right number": (lambda x: torch.where(x.detach() > 0.5, x, 0.5), U, [WIDE]),
    "masked_fill": (lambda x: x.masked_fill(mask(3), -7), [[(2, 3)], [(3,)]], [WIDE]),
    "index_select": (lambda x: x.index_select(1, select_index), [[(2, 3)], [(2, 3, 2)]], [WIDE]),
    "index_add": (lambda x, y: x.index_add(-2, add_index, y), [[(3, 2), (3, 2)], [(2, 3, 1), (2, 3, 1)]], [WIDE]),
    "gather": (lambda x: x.gather(1, gather_index), [[(2, 3)], [(3, 5)]], [WIDE]),
    "scatter_add": (lambda x, y: x.scatter_add(0, scatter_index, y), [[(3, 2), (3, 2)], [(4, 3), (3, 2)]], [WIDE]),
    "matmul": (torch.matmul, [[(2, 3), (3, 2)], [(1, 4), (4, 1)], [(2, 0), (0, 2)]], [WIDE]),
    "matmul vectors": (torch.matmul, [[(3,), (3,)], [(3,), (3, 2)], [(2, 3), (3,)], [(2, 2, 3), (3,)], [(3,), (2, 3, 2)]], [WIDE]),
    "matmul batch": (torch.matmul, [[(2, 2, 3), (2, 3, 2)], [(2, 2, 3), (3, 2)], [(2, 3), (2, 3, 1)], [(2, 1, 1, 2), (3, 2, 1)]], [WIDE]),
    "linear": (F.linear, [[(2, 3), (2, 3)], [(3,), (2, 3)], [(2, 2, 3), (1, 3)]], [WIDE]),
    "linear bias": (F.linear, [[(2, 3), (2, 3), (2,)], [(3,), (2, 3), (2,)], [(2, 2, 3), (1, 3), (1,)]], [WIDE]),
    "cross_entropy": (lambda x: F.cross_entropy(x, target), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy sum": (lambda x: F.cross_entropy(x, target, reduction="sum"), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy none": (lambda x: F.cross_entropy(x, target, reduction="none"), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy ignore": (lambda x: F.cross_entropy(x, ignoring), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy weight": (lambda x: F.cross_entropy(x, ignoring, weight=weights(x)), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy smoothing": (lambda x: F.cross_entropy(x, ignoring, label_smoothing=0.2), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy all": (
        lambda x: F.cross_entropy(x, ignoring, weight=weights(x), label_smoothing=0.3, reduction="none"), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy one": (lambda x: F.cross_entropy(x, T(2)), [[(4,)]], [(-6, 6)]),
    "cross_entropy pixels": (lambda x: F.cross_entropy(x, pixels, label_smoothing=0.1), [[(2, 4, 3)]], [(-6, 6)]),
    "mse_loss": (F.mse_loss, SAME, [WIDE]),
    "mse_loss sum": (lambda x, y: F.mse_loss(x, y, reduction="sum"), SAME, [WIDE]),
    "mse_loss none": (lambda x, y: F.mse_loss(x, y, reduction="none"), SAME, [WIDE]),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, SAME, [WIDE, (0, 1)]),
    "binary_cross_entropy_with_logits weights": (
        bce, [[(2, 3), (2, 3), (2, 1), (3,)]], [WIDE, (0, 1), POS, POS]),
    "sum": (torch.sum, U + [[(0, 3)]], [WIDE]),
    "sum axis": (lambda x: x.sum(1), M + [[(2, 0)]], [WIDE]),
    "sum keepdim": (lambda x: x.sum((0, -1), keepdim=True), M, [WIDE]),
    "mean": (torch.mean, U, [WIDE]),
    "mean axis": (lambda x: x.mean(-1), M, [WIDE]),
    "mean keepdim": (lambda x: x.mean(0, keepdim=True), M, [WIDE]),
    "var": (torch.var, M, [WIDE]),
    "var axis": (lambda x: x.var(0, correction=0), M, [WIDE]),
    "var keepdim": (lambda x: x.var(0, correction=1, keepdim=True), M, [WIDE]),
    "std": (torch.std, M, [WIDE]),
    "std axis": (lambda x: x.std(0, correction=0, keepdim=True), M, [WIDE]),
    "prod": (torch.prod, U + [[(0, 3)]], [WIDE]),
    "prod axis": (lambda x: x.prod(1), M, [WIDE]),
    "prod keepdim": (lambda x: x.prod(-1, keepdim=True).prod(0, keepdim=True), [[(2, 3)], [(3, 2)]], [WIDE]),
    "amax": (torch.amax, U, [WIDE]),
    "amax axis": (lambda x: x.amax(-1), M, [WIDE]),
    "amax keepdim": (lambda x: x.amax((1, 0), keepdim=True), M, [WIDE]),
    "amin": (torch.amin, U, [WIDE]),
    "amin axis": (lambda x: x.amin(-1, keepdim=True), M, [WIDE]),
    "max": (torch.amax, U, [WIDE]),
    "min": (torch.amin, U, [WIDE]),
    "logsumexp": (lambda x: x.logsumexp(tuple(range(x.dim()))), U, [(-6, 6)]),
    "logsumexp axis": (lambda x: x.logsumexp(1), M, [(-6, 6)]),
    "logsumexp keepdim": (lambda x: x.logsumexp((0, -1), keepdim=True), M, [(-6, 6)]),
    "sum_to": (lambda x: x.sum_to_size(3, 1), [[(2, 3, 2)], [(3, 4)], [(3, 1)]], [WIDE]),
    "reshape": (lambda x: x.reshape(3, -1), [[(2, 3)], [(6,)]], [WIDE]),
    "flatten": (torch.flatten, U, [WIDE]),
    "flatten some": (lambda x: x.flatten(1, -1), [[(2, 3, 2)], [(2, 1, 2, 1)]], [WIDE]),
    "transpose": (lambda x: x.transpose(-2, -1), M, [WIDE]),
    "transpose axes": (lambda x: x.transpose(0, 2), [[(2, 3, 2)]], [WIDE]),
    "permute": (lambda x: x.permute(2, 0, -2), [[(2, 3, 2)]], [WIDE]),
    "expand": (lambda x: x.expand(2, 2, -1), [[(3,)], [(2, 1)]], [WIDE]),
    "expand to nothing": (lambda x: x.expand(0, 3), [[(3,)], [()]], [WIDE]),
    "squeeze": (torch.squeeze, [[(1, 3, 1)], [(2, 3)]], [WIDE]),
    "squeeze axis": (lambda x: x.squeeze(-1), [[(3, 1)], [(2, 3)]], [WIDE]),
    "unsqueeze": (lambda x: x.unsqueeze(-1), U, [WIDE]),
    "unsqueeze first": (lambda x: x.unsqueeze(0), U, [WIDE]),
    "slice": (lambda x: x[:, 1::2], [[(2, 5)], [(2, 4, 2)]], [WIDE]),
    "slice back": (lambda x: x[..., -3:-1], [[(2, 5)], [(2, 1)]], [WIDE]),
    "select": (lambda x: x.select(0, -1), [[(2, 3)], [(4,)]], [WIDE]),
    "narrow": (lambda x: x.narrow(1, 1, 2), [[(2, 3)], [(1, 4, 2)]], [WIDE]),
    "cat": (lambda *x: torch.cat(x), TWO, [WIDE]),
    "cat axis": (lambda a, b: torch.cat([a, b, a], -1), [[(2, 3), (2, 1)]], [WIDE]),
    "stack": (lambda *x: torch.stack(x), SAME, [WIDE]),
    "stack axis": (lambda a, b: torch.stack([a, b, a], -1), SAME, [WIDE]),
    "split": (lambda x: together(x.split(2, 1)), [[(2, 5)], [(2, 2, 2)]], [WIDE]),
    "split sizes": (lambda x: together(x.split([1, 0, 3], 0)), [[(4,)], [(4, 2)]], [WIDE]),
    "chunk": (lambda x: together(x.chunk(3, -1)), [[(2, 5)], [(2, 7)], [(2, 2)]], [WIDE]),
    "unbind": (lambda x: together(x.unbind(1)), [[(2, 3)], [(2, 1, 2)]], [WIDE]),
    "contiguous": (lambda x: x.transpose(-2, -1).contiguous(), M, [WIDE]),
    "clone": (torch.clone, U, [WIDE]),
    "to": (lambda x: x * 3, U, [WIDE]),
    # Without gradient.
    "floor_divide": (torch.floor_divide, B, [WIDE, POS]),
    "argmax": (lambda x: x.argmax(-1), M, [WIDE]),
    "argmax keepdim": (lambda x: x.argmax(0, keepdim=True), M, [WIDE]),
    "argmin": (lambda x: x.argmin(0), M, [WIDE]),
    "argmin keepdim": (lambda x: x.argmin(-1, keepdim=True), M, [WIDE]),
    "any": (lambda x: (x > 1).any(0), M, [WIDE]),
    "any keepdim": (lambda x: (x > 1).any().reshape([1] * x.dim()), M, [WIDE]),
    "all": (lambda x: (x > -1).all(0), M, [WIDE]),
    "all keepdim": (lambda x: (x > -1).all().reshape([1] * x.dim()), M, [WIDE]),
    "logical_not": (torch.logical_not, U, [(-1, 1)]),
    "isnan": (torch.isnan, U, [WIDE]),
    "isinf": (torch.isinf, U, [WIDE]),
    "isfinite": (torch.isfinite, U, [WIDE]),
    "one_hot": (lambda x: F.one_hot(torch.floor(x + 2).long(), 4), U, [(-2, 1.9)]),
}
for name, f in {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
                "operator==": torch.eq, "operator!=": torch.ne, "operator<": torch.lt, "operator<=": torch.le,
                "operator>": torch.gt, "operator>=": torch.ge}.items():
    ROWS[name] = (f, B, [WIDE])
    ROWS[name + " number"] = ((lambda f: lambda x: f(x, 0.5))(f), U, [WIDE])
for name, f in {"logical_and": torch.logical_and, "logical_or": torch.logical_or, "logical_xor": torch.logical_xor}.items():
    ROWS[name] = (f, B, [WIDE])

# ---- Numbers where functions go wrong. The first list is checked with gradients, the second for the value alone (where
# the gradient is NaN, or a convention of ours).
EDGES = [-INF, -1e4, -700, -88, -1.5, -0.5, -1 / 64, -0.0, 0.0, 1 / 64, 0.5, 1.5, 88, 700, 1e4, INF, NAN]
SMOOTH = [-1e4, -700, -88, -17, -1.5, -1 / 64, 0.0, 1 / 64, 1.5, 17, 88, 700, 1e4]
TIES = [1.0, 2.0, 2.0, -1.0, 2.0]

SPECIAL = []  # name, inputs (lists of numbers, or tensors), with gradient?


def special(name, *inputs, grads=True):
    SPECIAL.append((name, [torch.as_tensor(x, dtype=torch.float64) for x in inputs], grads))


for name in ["exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "reciprocal", "square", "abs", "erf", "floor", "ceil",
             "round", "relu", "sigmoid", "tanh", "softplus", "neg", "clamp", "isnan", "isinf", "isfinite",
             "logical_not", "pow cube", "pow square", "pow of number", "eq number", "lt number", "ge number", "clone"]:
    special(name, EDGES, grads=False)
for name in ["relu", "sigmoid", "tanh", "softplus", "softplus beta", "gelu", "gelu tanh", "abs", "sign", "erf", "square", "floor"]:
    special(name, SMOOTH)
special("relu", [NAN, -1, NAN, 2, -INF, INF])
special("clamp", [-0.5, 1, -2, 2, 0], grads=False)  # at the limits our gradient is 1
special("sign", EDGES[:-1], grads=False)  # our sign of NaN is NaN
for name in ["add", "sub", "mul", "div", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge", "logical_and",
             "logical_or", "logical_xor", "operator<=", "operator>="]:
    special(name, torch.tensor(EDGES)[:, None], [-INF, -2, -0.0, 0, 1, INF, NAN], grads=False)
special("pow", torch.tensor([-2, -0.5, 0, 0.5, 1, 3])[:, None], [-2, -1, 0, 1, 2, 3.0], grads=False)
special("pow", torch.tensor([0.5, 1, 3])[:, None], [-2, -1, 0, 1, 2, 3.0])
special("remainder", torch.tensor([-5.5, -3, -1, 0, 1, 3, 5.5])[:, None], [-3, -2, 2, 3.0])
special("floor_divide", torch.tensor([-5.5, -3, -1, 0, 1, 3, 5.5])[:, None], [-3, -2, 2, 3.0], grads=False)
special("maximum", [1, 2, 3, -0.0], [1, 3, 2, 0.0])
special("minimum", [1, 2, 3, -0.0], [1, 3, 2, 0.0])
special("amax", TIES)
special("amin", [-v for v in TIES])
special("amax axis", [[3, 3, 1], [5, 2, 5.0]])
special("amax", [1, NAN, 2], grads=False)
special("amin axis", [[1, NAN], [NAN, 1], [-INF, INF]], grads=False)
special("argmax", [[1, 3, 3], [NAN, 5, NAN], [-INF, -INF, -INF]], grads=False)
special("argmin", [[1, NAN], [1, 0], [0, NAN]], grads=False)
special("prod", [2, 0, 3.0])
special("prod", [0, 0, 3.0])
special("prod axis", [[2, 0, 3], [4, 5, 6], [0, 0, 1.0]])
special("softmax last", [[-INF, 0, 1], [1e4, 0, -1e4]])
special("softmax last", [[NAN, 0, 1], [INF, 0, 1], [-INF, -INF, -INF]], grads=False)
special("log_softmax last", [[1e4, 0, -1e4], [3, 3, 3]])
special("log_softmax last", [[-INF, 0, 1], [NAN, 0, 1]], grads=False)
special("logsumexp", [1e4, 0, -1e4])
special("logsumexp", [-INF, 0, 1])
special("logsumexp axis", [[-INF, -INF], [INF, 0], [NAN, 1]], grads=False)
special("var", [5.0], grads=False)
special("cross_entropy", [[1e4, 0, 0, -1e4], [0, 0, 0, 800], [0, 0, 0, 0]])
special("binary_cross_entropy_with_logits", [1e4, -1e4, 700, -700, 0], [1, 0, 0, 1, 0.5])
special("sum axis", [[INF, -INF], [INF, 1], [NAN, 1]], grads=False)
special("any", [[NAN, 0], [0, 0]], grads=False)


# ---- Output.
def number(v):
    if isinstance(v, bool):
        return str(int(v))
    text = repr(float(v))
    return text[:-2] if text.endswith(".0") else text


def line(kind, t):
    shape = ",".join(map(str, t.shape)) or "-"
    print(" ".join([kind, shape] + [number(v) for v in t.flatten().tolist()]))


def grid(shape, low, high):
    n = 1
    for extent in shape:
        n *= extent
    return torch.tensor([round(random.uniform(low, high) * 64) / 64 for _ in range(n)], dtype=torch.float64).reshape(shape)


def write(name, function, inputs, with_grads):
    xs = [x.clone().requires_grad_() for x in inputs]
    y = function(*xs)
    print("op", name)
    for x in inputs:
        line("in", x)
    line("out", y.detach())
    if with_grads and y.requires_grad:
        seed = grid(y.shape, 0.5, 1.5)
        grads = torch.autograd.grad(y, xs, seed, allow_unused=True)
        line("seed", seed)
        for x, g in zip(xs, grads):
            line("grad", g if g is not None else torch.zeros_like(x))
    print("end")


def main():
    print("# PyTorch", torch.__version__.split("+")[0], "by make_reference.py: see there for the format.")
    for name, (function, cases, domains) in ROWS.items():
        random.seed(name)  # so that a new row leaves the others as they are
        for shapes in cases:
            inputs = [grid(s, *domains[min(i, len(domains) - 1)]) for i, s in enumerate(shapes)]
            write(name, function, inputs, name != "floor_divide")
    for name, inputs, grads in SPECIAL:
        random.seed(name)
        write(name, ROWS[name][0], inputs, grads)


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.exit(main())
