"""What the rows of table/shape.cc are in PyTorch."""
from common import *

ROWS = {
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
}

SPECIAL = [
    ("clone", [EDGES], False),
]
