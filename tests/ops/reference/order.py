"""What the rows of table/order.cc are in PyTorch."""
from common import *

ROWS = {
    "cumsum": (lambda x: x.cumsum(-1), M + [[()], [(4,)], [(0, 3)]], [WIDE]),
    "cumsum first": (lambda x: x.cumsum(0), M, [WIDE]),
    "cumprod": (lambda x: x.cumprod(-1), M + [[()], [(4,)], [(0, 3)]], [WIDE]),
    "cumprod first": (lambda x: x.cumprod(0), M, [WIDE]),
    "cumprod with zeros": (lambda x: (x * ~mask(*x.shape)).cumprod(0), [[(5,)], [(4, 2)], [(3, 3)]], [WIDE]),
    "sort": (lambda x: x.sort(-1).values, M + [[()], [(5,)], [(0, 3)]], [WIDE]),
    "sort falling": (lambda x: x.sort(0, True).values, M, [WIDE]),
    "sort indices": (lambda x: x.sort(dim=0, descending=True, stable=True).indices, M, [WIDE]),
    "topk": (lambda x: x.topk(2).values, [[(2, 3)], [(5,)], [(2, 1, 4)], [(3, 17)]], [WIDE]),
    "topk smallest": (lambda x: x.topk(2, 0, False).values, [[(3, 2)], [(2, 3, 2)]], [WIDE]),
    "topk indices": (lambda x: x.topk(2).indices, [[(2, 3)], [(5,)], [(2, 1, 4)]], [WIDE]),
    "kthvalue": (lambda x: x.kthvalue(2).values, [[(2, 3)], [(5,)], [(2, 1, 4)], [(3, 17)]], [(-300, 300)]),
    "kthvalue keepdim": (lambda x: x.kthvalue(1, 0, True).values, [[(2, 3)], [(5,)]], [(-300, 300)]),
    "kthvalue indices": (lambda x: x.kthvalue(2).indices, [[(2, 3)], [(5,)]], [(-300, 300)]),
    "median": (lambda x: x.median(-1).values, M, [(-300, 300)]),
    "median keepdim": (lambda x: x.median(0, True).values, M, [(-300, 300)]),
    "median indices": (lambda x: x.median(-1).indices, [[(2, 3)], [(4,)], [(2, 17)]], [(-300, 300)]),
    "max axis": (lambda x: x.max(-1).values, M, [WIDE]),
    "max axis keepdim": (lambda x: x.max(0, True).values, M, [WIDE]),
    "max indices": (lambda x: x.max(0).indices, M, [WIDE]),
    "min axis": (lambda x: x.min(-1).values, M, [WIDE]),
    "min axis keepdim": (lambda x: x.min(0, True).values, M, [WIDE]),
    "min indices": (lambda x: x.min(0).indices, M, [WIDE]),
    "argsort": (lambda x: x.argsort(dim=-1, stable=True), M + [[(5,)], [(0, 3)]], [WIDE]),
    "argsort falling": (lambda x: x.argsort(dim=0, descending=True, stable=True), M, [WIDE]),
}

SPECIAL = [
    ("cumsum", [[INF, 1, -INF, 2]], False),
    ("cumprod", [[2, 0, 3, 0, 4.0]], True),
    ("cumprod", [[[0, 0, 3], [1, 0, 2.0]]], True),
    ("sort", [[NAN, 1, -INF, INF, 0.5]], False),
    ("sort falling", [[NAN, 1, -INF, INF, 0.5]], False),
    ("argsort", [[2, 1, 2, 1, 0.5]], False),
    ("max axis", [[[1, NAN, 2], [3, 3, 1]]], False),
    ("max indices", [[[1, NAN], [NAN, 4], [1, 4.0]]], False),
    ("min indices", [[[1, NAN], [NAN, 4], [1, 4.0]]], False),
    ("median", [[[1, NAN, 2], [3, 3, 1]]], False),
]
