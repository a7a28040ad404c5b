"""What the families of reference rows have in common.

A row is `"NAME": (function, cases, domains)`: NAME as in the op table, a case the shapes of the inputs, a domain the range
of the elements of each input (the last holds for all that follow).
"""
import torch
import torch.nn.functional as F

T = torch.tensor
INF, NAN = float("inf"), float("nan")

# ---- Shapes and domains.
U = [[(2, 3)], [()], [(5,)], [(0, 3)], [(1, 4, 1)], [(2, 1, 2, 3)], [(17,)], [(3, 3)], [(1,)], [(2, 2, 2, 1, 2)]]
B = [[(2, 3), (2, 3)], [(2, 3), (3,)], [(2, 1), (1, 3)], [(), (2,)], [(3,), ()], [(), ()], [(0, 3), (1, 3)],
     [(2, 1, 2), (3, 1)], [(2, 2), (2, 1, 1, 2)], [(17,), (17,)]]
M = [[(2, 3)], [(3, 4)], [(2, 3, 2)], [(1, 5)], [(4, 1)], [(3, 2, 1, 2)], [(2, 17)], [(3, 3)]]
UF = [case for case in U if case != [(0, 3)]]  # with elements
MF = [case for case in M if case[0][0] > 1]
TWO = [[(2, 3), (1, 3)], [(2,), (3,)], [(1, 2, 2), (3, 2, 2)], [(2, 3), (0, 3)], [(4, 1), (2, 1)]]
SAME = [[(2, 3), (2, 3)], [(3,), (3,)], [(2, 1, 2), (2, 1, 2)], [(7,), (7,)], [(1, 1), (1, 1)]]
WIDE, POS, UNIT = (-3, 3), (0.25, 4), (-0.9, 0.9)

# ---- Numbers where functions go wrong: (row, inputs, whether the gradients are compared too).
EDGES = [-INF, -1e4, -700, -88, -1.5, -0.5, -1 / 64, -0.0, 0.0, 1 / 64, 0.5, 1.5, 88, 700, 1e4, INF, NAN]
SMOOTH = [-1e4, -700, -88, -17, -1.5, -1 / 64, 0.0, 1 / 64, 1.5, 17, 88, 700, 1e4]
TIES = [1.0, 2.0, 2.0, -1.0, 2.0]


def mask(*shape):
    n = T(shape).prod().item()
    return (torch.arange(n) % 3 == 0).reshape(shape)


def together(parts):
    return torch.cat([p.flatten() * (i + 1) for i, p in enumerate(parts)])
