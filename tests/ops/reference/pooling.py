"""What the rows of table/pooling.cc are in PyTorch."""
from common import *

ROWS = {
    "max_pool2d": (lambda x: F.max_pool2d(x, 2), [[(2, 2, 4, 5)], [(1, 2, 2)], [(1, 1, 6, 6)]], [WIDE]),
    "max_pool2d options": (lambda x: F.max_pool2d(x, (3, 2), (1, 2), (1, 1), (1, 2), ceil_mode=True), [[(2, 2, 4, 5)], [(1, 1, 3, 4)]], [WIDE]),
    "max_pool1d": (lambda x: F.max_pool1d(x, 2), [[(2, 2, 5)], [(2, 4)]], [WIDE]),
    "max_pool1d options": (lambda x: F.max_pool1d(x, 3, 2, 1, 2, ceil_mode=True), [[(2, 2, 7)], [(1, 6)]], [WIDE]),
    "max_pool2d_with_indices": (lambda x: F.max_pool2d(x, 2, 1), [[(2, 2, 3, 4)], [(1, 2, 2)], [(1, 1, 5, 5)], [(3, 1, 2, 4)], [(1, 4, 3, 3)], [(2, 3, 4)], [(1, 2, 5)], [(2, 1, 3, 3)]], [WIDE]),
    "max_pool2d_with_indices places": (lambda x: F.max_pool2d(x, 2, 1, return_indices=True)[1], [[(2, 2, 3, 4)], [(1, 2, 2)]], [WIDE]),
    "avg_pool2d": (lambda x: F.avg_pool2d(x, 2), [[(2, 2, 4, 5)], [(1, 2, 2)], [(1, 1, 6, 6)]], [WIDE]),
    "avg_pool2d options": (lambda x: F.avg_pool2d(x, (3, 2), (1, 2), (1, 1), ceil_mode=True), [[(2, 2, 4, 5)], [(1, 1, 3, 4)]], [WIDE]),
    "avg_pool2d without padding": (lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), [[(2, 2, 4, 5)], [(1, 1, 3, 4)]], [WIDE]),
    "avg_pool2d divisor": (lambda x: F.avg_pool2d(x, 2, divisor_override=3), [[(1, 2, 4, 5)]], [WIDE]),
    "avg_pool1d": (lambda x: F.avg_pool1d(x, 2), [[(2, 2, 5)], [(2, 4)]], [WIDE]),
    "avg_pool1d options": (lambda x: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False), [[(2, 2, 6)], [(1, 5)]], [WIDE]),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, (2, 3)), [[(2, 2, 4, 5)], [(1, 2, 2)], [(1, 1, 7, 3)]], [WIDE]),
    "adaptive_max_pool1d": (lambda x: F.adaptive_max_pool1d(x, 3), [[(2, 2, 5)], [(2, 4)], [(1, 1, 2)]], [WIDE]),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, (2, 3)), [[(2, 2, 4, 5)], [(1, 2, 2)], [(1, 1, 7, 3)]], [WIDE]),
    "adaptive_avg_pool1d": (lambda x: F.adaptive_avg_pool1d(x, 3), [[(2, 2, 5)], [(2, 4)], [(1, 1, 2)]], [WIDE]),
}

SPECIAL = [
    ("max_pool1d", [[[1, NAN, 2, 3, 3, 3]]], False),
    ("max_pool2d", [[[[2, 2, 1, 4], [2, 2, 4, 4.0]]]], True),
]
