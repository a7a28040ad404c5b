"""What the rows of table/loss.cc are in PyTorch."""
from common import *

target, ignoring, pixels = T([1, 3, 0]), T([1, -100, 0]), T([[1, 3, 0], [2, 2, 1]])


# F.binary_cross_entropy_with_logits has no gradient for its weights.
def bce(x, y, w, p):
    return -(w * (p * y * F.logsigmoid(x) + (1 - y) * F.logsigmoid(-x))).sum()


def weights(x):
    return T([0.5, 2.0, 1.25, 0.75], dtype=x.dtype)


ROWS = {
    "cross_entropy": (lambda x: F.cross_entropy(x, target), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy sum": (lambda x: F.cross_entropy(x, target, reduction="sum"), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy none": (lambda x: F.cross_entropy(x, target, reduction="none"), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy ignore": (lambda x: F.cross_entropy(x, ignoring), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy weight": (lambda x: F.cross_entropy(x, ignoring, weight=weights(x)), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy smoothing": (lambda x: F.cross_entropy(x, ignoring, label_smoothing=0.2), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy all": (
        lambda x: F.cross_entropy(x, ignoring, weight=weights(x), label_smoothing=0.3, reduction="none"), [[(3, 4)]], [(-6, 6)]),
    "cross_entropy one": (lambda x: F.cross_entropy(x, T(2)), [[(4,)]], [(-6, 6)]),
    "cross_entropy pixels": (lambda x: F.cross_entropy(x, pixels, label_smoothing=0.1), [[(2, 4, 3)]], [(-6, 6)]),
    "mse_loss": (F.mse_loss, SAME, [WIDE]),
    "mse_loss sum": (lambda x, y: F.mse_loss(x, y, reduction="sum"), SAME, [WIDE]),
    "mse_loss none": (lambda x, y: F.mse_loss(x, y, reduction="none"), SAME, [WIDE]),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, SAME, [WIDE, (0, 1)]),
    "binary_cross_entropy_with_logits weights": (
        bce, [[(2, 3), (2, 3), (2, 1), (3,)]], [WIDE, (0, 1), POS, POS]),
}

SPECIAL = [
    ("cross_entropy", [[[1e4, 0, 0, -1e4], [0, 0, 0, 800], [0, 0, 0, 0]]], True),
    ("binary_cross_entropy_with_logits", [[1e4, -1e4, 700, -700, 0], [1, 0, 0, 1, 0.5]], True),
]
