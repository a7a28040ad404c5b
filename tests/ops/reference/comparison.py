"""What the rows of table/comparison.cc are in PyTorch."""
from common import *

ROWS = {
    "where": (lambda a, b: torch.where(mask(2, 3), a, b), [[(2, 3), (2, 3)], [(3,), (2, 1)]], [WIDE]),
    "where broadcast": (lambda a, b: torch.where(mask(2, 1), a, b), [[(2, 3), (2, 3)], [(3,), ()]], [WIDE]),
    "where left number": (lambda x: torch.where(x.detach() > 0.5, 0.5, x), U, [WIDE]),
    "where right number": (lambda x: torch.where(x.detach() > 0.5, x, 0.5), U, [WIDE]),
    "masked_fill": (lambda x: x.masked_fill(mask(3), -7), [[(2, 3)], [(3,)]], [WIDE]),
    "logical_not": (torch.logical_not, U, [(-1, 1)]),
    "isnan": (torch.isnan, U, [WIDE]),
    "isinf": (torch.isinf, U, [WIDE]),
    "isfinite": (torch.isfinite, U, [WIDE]),
}
for name, f in {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
                "operator==": torch.eq, "operator!=": torch.ne, "operator<": torch.lt, "operator<=": torch.le,
                "operator>": torch.gt, "operator>=": torch.ge}.items():
    ROWS[name] = (f, B, [WIDE])
    ROWS[name + " number"] = ((lambda f: lambda x: f(x, 0.5))(f), U, [WIDE])
for name, f in {"logical_and": torch.logical_and, "logical_or": torch.logical_or, "logical_xor": torch.logical_xor}.items():
    ROWS[name] = (f, B, [WIDE])

SPECIAL = [
    ("isnan", [EDGES], False),
    ("isinf", [EDGES], False),
    ("isfinite", [EDGES], False),
    ("logical_not", [EDGES], False),
    ("eq number", [EDGES], False),
    ("lt number", [EDGES], False),
    ("ge number", [EDGES], False),
    ("eq", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("ne", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("lt", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("le", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("gt", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("ge", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("logical_and", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("logical_or", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("logical_xor", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("operator<=", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
    ("operator>=", [[[v] for v in EDGES], [-INF, -2, -0.0, 0, 1, INF, NAN]], False),
]
