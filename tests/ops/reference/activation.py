"""What the rows of table/activation.cc are in PyTorch."""
from common import *


# F.softplus gives NaN as the gradient of large numbers, unless told to be linear there.
def softplus(x):
    return torch.logaddexp(x, torch.zeros_like(x))


ROWS = {
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
    "hardsigmoid": (lambda x: F.hardtanh(x, -3, 3) / 6 + 0.5, U, [(-2.5, 4)]),  # its own takes 1/6 in float32
    "hardswish": (F.hardswish, U, [WIDE]),
    "softmax last": (lambda x: torch.softmax(x, -1), M, [(-6, 6)]),
    "softmax first": (lambda x: torch.softmax(x, 0), M, [(-6, 6)]),
    "log_softmax last": (lambda x: torch.log_softmax(x, -1), M, [(-6, 6)]),
    "log_softmax first": (lambda x: torch.log_softmax(x, 0), M, [(-6, 6)]),
    "relu6": (F.relu6, U, [(-3, 9)]),
    "threshold": (lambda x: F.threshold(x, 0.5, -7), U, [WIDE]),
    "tanhshrink": (F.tanhshrink, U, [(0.5, 3)]),
    "hardshrink": (F.hardshrink, U, [WIDE]),
    "softshrink": (F.softshrink, U, [WIDE]),
    "prelu": (F.prelu, [[(2, 3), (3,)], [(2, 3), (1,)], [(4,), (1,)], [(2, 2, 2), (2,)]], [WIDE]),
    "glu": (F.glu, [[(2, 4)], [(6,)], [(2, 1, 2)]], [WIDE]),
    "glu axis": (lambda x: F.glu(x, 0), [[(2, 3)], [(4,)]], [WIDE]),
    "softmin": (lambda x: F.softmin(x, -1), M, [WIDE]),
}

SPECIAL = [
    ("relu", [EDGES], False),
    ("sigmoid", [EDGES], False),
    ("tanh", [EDGES], False),
    ("softplus", [EDGES], False),
    ("relu", [SMOOTH], True),
    ("sigmoid", [SMOOTH], True),
    ("tanh", [SMOOTH], True),
    ("softplus", [SMOOTH], True),
    ("softplus beta", [SMOOTH], True),
    ("gelu", [SMOOTH], True),
    ("gelu tanh", [SMOOTH], True),
    ("relu", [[NAN, -1, NAN, 2, -INF, INF]], True),
    ("softmax last", [[[-INF, 0, 1], [1e4, 0, -1e4]]], True),
    ("softmax last", [[[NAN, 0, 1], [INF, 0, 1], [-INF, -INF, -INF]]], False),
    ("log_softmax last", [[[1e4, 0, -1e4], [3, 3, 3]]], True),
    ("log_softmax last", [[[-INF, 0, 1], [NAN, 0, 1]]], False),
]
