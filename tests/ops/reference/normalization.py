"""What the rows of table/normalization.cc are in PyTorch."""
from common import *

ROWS = {
    "layer_norm": (lambda x: F.layer_norm(x, (3,)), [[(2, 3)], [(3,)], [(2, 1, 3)]], [WIDE]),
    "layer_norm affine": (lambda x, w, b: F.layer_norm(x, (3, 2), w, b, 1e-3), [[(2, 3, 2), (3, 2), (3, 2)], [(3, 2), (3, 2), (3, 2)]], [WIDE]),
    "rms_norm": (lambda x: F.rms_norm(x, (3,), eps=1e-6), [[(2, 3)], [(3,)], [(2, 1, 3)]], [WIDE]),
    "rms_norm weight": (lambda x, w: F.rms_norm(x, (3, 2), w, 1e-3), [[(2, 3, 2), (3, 2)], [(3, 2), (3, 2)]], [WIDE]),
    "group_norm": (lambda x: F.group_norm(x, 2), [[(2, 4, 3)], [(1, 2, 2, 2)], [(2, 6)]], [WIDE]),
    "group_norm affine": (lambda x, w, b: F.group_norm(x, 2, w, b, 1e-3), [[(2, 4, 3), (4,), (4,)], [(1, 2, 2, 2), (2,), (2,)]], [WIDE]),
    "instance_norm": (lambda x: F.instance_norm(x), [[(2, 2, 3)], [(1, 2, 2, 2)]], [WIDE]),
    "instance_norm affine": (lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=1e-3), [[(2, 2, 3), (2,), (2,)], [(1, 3, 2, 2), (3,), (3,)]], [WIDE]),
    "batch_norm": (lambda x: F.batch_norm(x, None, None, training=True), [[(4, 2)], [(2, 2, 3)], [(2, 1, 2, 2)]], [WIDE]),
    "batch_norm affine": (lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=1e-3), [[(4, 2), (2,), (2,)], [(2, 3, 3), (3,), (3,)]], [WIDE]),
    "batch_norm running": (lambda x, w, b: F.batch_norm(x, T([0.5, -1.0]).double(), T([0.75, 2.0]).double(), w, b), [[(4, 2), (2,), (2,)], [(2, 2, 3), (2,), (2,)]], [WIDE]),
    "normalize": (F.normalize, [[(2, 3)], [(2, 3, 2)], [(1, 4)]], [WIDE]),
    "normalize p": (lambda x: F.normalize(x, 3, 0, 0.01), [[(3, 2)], [(4,)]], [WIDE]),
}
