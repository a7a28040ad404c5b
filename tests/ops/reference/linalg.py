"""What the rows of table/linalg.cc are in PyTorch."""
from common import *

ROWS = {
    "matmul": (torch.matmul, [[(2, 3), (3, 2)], [(1, 4), (4, 1)], [(2, 0), (0, 2)]], [WIDE]),
    "matmul vectors": (torch.matmul, [[(3,), (3,)], [(3,), (3, 2)], [(2, 3), (3,)], [(2, 2, 3), (3,)], [(3,), (2, 3, 2)]], [WIDE]),
    "matmul batch": (torch.matmul, [[(2, 2, 3), (2, 3, 2)], [(2, 2, 3), (3, 2)], [(2, 3), (2, 3, 1)], [(2, 1, 1, 2), (3, 2, 1)]], [WIDE]),
    "linear": (F.linear, [[(2, 3), (2, 3)], [(3,), (2, 3)], [(2, 2, 3), (1, 3)]], [WIDE]),
    "linear bias": (F.linear, [[(2, 3), (2, 3), (2,)], [(3,), (2, 3), (2,)], [(2, 2, 3), (1, 3), (1,)]], [WIDE]),
    "linear_relu": (lambda x, w: F.linear(x, w).relu(), [[(2, 3), (2, 3)], [(3,), (2, 3)], [(2, 2, 3), (1, 3)]], [WIDE]),
    "linear_relu bias": (lambda x, w, b: F.linear(x, w, b).relu(), [[(2, 3), (2, 3), (2,)], [(3,), (2, 3), (2,)], [(2, 2, 3), (1, 3), (1,)]], [WIDE]),
    "mm": (torch.mm, [[(2, 3), (3, 2)], [(1, 3), (3, 1)], [(4, 2), (2, 5)]], [WIDE]),
    "mv": (torch.mv, [[(2, 3), (3,)], [(1, 1), (1,)], [(4, 2), (2,)]], [WIDE]),
    "bmm": (torch.bmm, [[(2, 2, 3), (2, 3, 2)], [(1, 1, 2), (1, 2, 3)], [(3, 2, 2), (3, 2, 2)]], [WIDE]),
    "dot": (torch.dot, [[(3,), (3,)], [(1,), (1,)], [(17,), (17,)]], [WIDE]),
    "outer": (torch.outer, [[(2,), (3,)], [(1,), (1,)], [(5,), (2,)]], [WIDE]),
    "addmm": (lambda a, b, c: torch.addmm(c, a, b), [[(2, 3), (3, 2), (2, 2)], [(2, 3), (3, 2), (2,)], [(2, 3), (3, 1), ()]], [WIDE]),
    "addmm factors": (lambda a, b, c: torch.addmm(c, a, b, beta=0.5, alpha=-2), [[(2, 3), (3, 2), (2, 2)], [(1, 3), (3, 2), (2,)]], [WIDE]),
    "baddbmm": (lambda a, b, c: torch.baddbmm(c, a, b, beta=0.5, alpha=-2), [[(2, 2, 3), (2, 3, 2), (2, 2, 2)], [(2, 1, 3), (2, 3, 2), (1, 2)]], [WIDE]),
    "tensordot": (lambda a, b: torch.tensordot(a, b, 1), [[(2, 3), (3, 2)], [(2, 1, 3), (3, 2, 1)], [(3,), (3,)]], [WIDE]),
    "tensordot axes": (lambda a, b: torch.tensordot(a, b, ([0, -1], [1, 0])), [[(2, 3), (3, 2)], [(2, 2, 3), (3, 2, 1)]], [WIDE]),
    "kron": (torch.kron, [[(2, 3), (1, 2)], [(1, 1), (2, 2)], [(2, 2), (2, 3)]], [WIDE]),
    "einsum product": (lambda a, b: torch.einsum("ij,jk->ik", a, b), [[(2, 3), (3, 2)], [(1, 2), (2, 1)]], [WIDE]),
    "einsum batch": (lambda a, b: torch.einsum("...ij, ...kj -> ...ik", a, b), [[(2, 2, 3), (2, 1, 3)], [(2, 3), (2, 2, 3)], [(2, 1, 2, 3), (3, 2, 3)]], [WIDE]),
    "einsum three": (lambda a, b, c: torch.einsum("bn,anm,bm->ba", a, b, c), [[(2, 2), (3, 2, 3), (2, 3)]], [WIDE]),
    "einsum diagonal": (lambda x: torch.einsum("iji->j", x), [[(2, 3, 2)], [(1, 2, 1)]], [WIDE]),
    "einsum implicit": (lambda x: torch.einsum("ba", x), [[(2, 3)], [(3, 1)]], [WIDE]),
    "einsum sum": (lambda a, b: torch.einsum("ij,k->", a, b), [[(2, 3), (2,)]], [WIDE]),
}
