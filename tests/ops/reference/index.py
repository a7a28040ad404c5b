"""What the rows of table/index.cc are in PyTorch."""
from common import *

select_index, add_index = T([2, 0, 2]), T([2, 0, 2])
gather_index = T([[2, 0, 0, 0], [1, 1, 2, 0]])
scatter_index = T([[2, 0], [1, 0], [0, 1]])

# PyTorch does not say which of two sources for one place stays: ours is the last.
def twice(x, y):
    return torch.stack([y[0, 3], x[0, 1], y[0, 1]])[None] if len(x) == 1 else torch.cat([twice(x[:1], y), x[1:]])


def put(x, index, values):
    x = x.clone()
    x[index] = values
    return x


ROWS = {
    "index_select": (lambda x: x.index_select(1, select_index), [[(2, 3)], [(2, 3, 2)]], [WIDE]),
    "index_add": (lambda x, y: x.index_add(-2, add_index, y), [[(3, 2), (3, 2)], [(2, 3, 1), (2, 3, 1)]], [WIDE]),
    "gather": (lambda x: x.gather(1, gather_index), [[(2, 3)], [(3, 5)]], [WIDE]),
    "scatter_add": (lambda x, y: x.scatter_add(0, scatter_index, y), [[(3, 2), (3, 2)], [(4, 3), (3, 2)]], [WIDE]),
    "one_hot": (lambda x: F.one_hot(torch.floor(x + 2).long(), 4), U, [(-2, 1.9)]),
    "scatter": (lambda x, y: x.scatter(0, T([[2, 0], [1, 2], [0, 1]]), y), [[(3, 2), (3, 2)], [(4, 3), (3, 2)]], [WIDE]),
    "scatter twice": (twice, [[(1, 3), (1, 4)], [(2, 3), (1, 4)]], [WIDE]),
    "scatter number": (lambda x: x.scatter(-1, T([[2, 0], [0, 1]]), 1.5), [[(2, 3)], [(3, 3)]], [WIDE]),
    "take": (lambda x: x.take(T([[2, -1], [0, 2]])), [[(2, 3)], [(3,)], [(2, 2, 2)]], [WIDE]),
    "masked_select": (lambda x: x.masked_select(mask(2, 3)), [[(2, 3)], [(3,)], [(2, 2, 3)], [(2, 1)]], [WIDE]),
    "index": (lambda x: x[T([1, -1, 0])], [[(2, 3)], [(4,)], [(2, 1, 2)]], [WIDE]),
    "index two": (lambda x: x[T([[1], [0]]), T([2, 0, 0])], [[(2, 3)], [(2, 3, 2)]], [WIDE]),
    "index second": (lambda x: x[:, T([[2, 0], [0, 1]])], [[(2, 3)], [(2, 3, 2)]], [WIDE]),
    "index apart": (lambda x: x[T([1, 0]), :, T([2, 0])], [[(2, 3, 3)], [(2, 1, 3, 2)]], [WIDE]),
    "index_put": (lambda x, y: put(x, (slice(None), T([2, 0])), y), [[(2, 3), (2, 2)], [(2, 3), ()], [(2, 3, 2), (2, 2)]], [WIDE]),
    "index_put apart": (lambda x, y: put(x, (T([1, 0]), slice(None), T([2, 0])), y), [[(2, 2, 3), (2, 2)], [(2, 1, 3, 2), (2, 1, 2)]], [WIDE]),
    "embedding": (lambda w: F.embedding(T([[2, 0], [2, 1]]), w), [[(3, 2)], [(4, 1)]], [WIDE]),
    "nonzero": (lambda x: (x > 0.3).nonzero(), [[(2, 3)], [(7,)], [(0, 3)], [(2, 2, 2)]], [WIDE]),
}
