"""What the rows of table/index.cc are in PyTorch."""
from common import *

select_index, add_index = T([2, 0, 2]), T([2, 0, 2])
gather_index = T([[2, 0, 0, 0], [1, 1, 2, 0]])
scatter_index = T([[2, 0], [1, 0], [0, 1]])

ROWS = {
    "index_select": (lambda x: x.index_select(1, select_index), [[(2, 3)], [(2, 3, 2)]], [WIDE]),
    "index_add": (lambda x, y: x.index_add(-2, add_index, y), [[(3, 2), (3, 2)], [(2, 3, 1), (2, 3, 1)]], [WIDE]),
    "gather": (lambda x: x.gather(1, gather_index), [[(2, 3)], [(3, 5)]], [WIDE]),
    "scatter_add": (lambda x, y: x.scatter_add(0, scatter_index, y), [[(3, 2), (3, 2)], [(4, 3), (3, 2)]], [WIDE]),
    "one_hot": (lambda x: F.one_hot(torch.floor(x + 2).long(), 4), U, [(-2, 1.9)]),
}
