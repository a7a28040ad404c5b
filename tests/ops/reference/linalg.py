"""What the rows of table/linalg.cc are in PyTorch."""
from common import *

ROWS = {
    "matmul": (torch.matmul, [[(2, 3), (3, 2)], [(1, 4), (4, 1)], [(2, 0), (0, 2)]], [WIDE]),
    "matmul vectors": (torch.matmul, [[(3,), (3,)], [(3,), (3, 2)], [(2, 3), (3,)], [(2, 2, 3), (3,)], [(3,), (2, 3, 2)]], [WIDE]),
    "matmul batch": (torch.matmul, [[(2, 2, 3), (2, 3, 2)], [(2, 2, 3), (3, 2)], [(2, 3), (2, 3, 1)], [(2, 1, 1, 2), (3, 2, 1)]], [WIDE]),
    "linear": (F.linear, [[(2, 3), (2, 3)], [(3,), (2, 3)], [(2, 2, 3), (1, 3)]], [WIDE]),
    "linear bias": (F.linear, [[(2, 3), (2, 3), (2,)], [(3,), (2, 3), (2,)], [(2, 2, 3), (1, 3), (1,)]], [WIDE]),
}
