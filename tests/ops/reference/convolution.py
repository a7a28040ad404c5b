"""What the rows of table/convolution.cc are in PyTorch."""
from common import *

ROWS = {
    "conv2d": (F.conv2d, [[(2, 2, 4, 3), (3, 2, 2, 2)], [(1, 2, 3), (2, 1, 1, 1)], [(1, 1, 3, 3), (1, 1, 3, 3)], [(2, 3, 5, 4), (2, 3, 3, 2)]], [WIDE]),
    "conv2d bias": (F.conv2d, [[(2, 2, 3, 3), (3, 2, 2, 2), (3,)], [(2, 3, 3), (1, 2, 1, 1), (1,)]], [WIDE]),
    "conv2d options": (lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 2), dilation=(1, 2)), [[(2, 2, 4, 3), (3, 2, 2, 2)], [(1, 1, 5, 5), (2, 1, 3, 3)]], [WIDE]),
    "conv2d groups": (lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=2), [[(2, 4, 4, 3), (2, 2, 3, 2), (2,)], [(1, 2, 3, 3), (4, 1, 2, 2), (4,)]], [WIDE]),
    "conv2d pointwise": (F.conv2d, [[(2, 3, 2, 3), (2, 3, 1, 1)], [(1, 4, 3, 3), (5, 4, 1, 1)]], [WIDE]),
    "conv2d_relu": (lambda x, w: F.conv2d(x, w).relu(), [[(2, 2, 4, 3), (3, 2, 2, 2)], [(1, 2, 3), (2, 1, 1, 1)], [(2, 3, 5, 4), (2, 3, 3, 2)]], [WIDE]),
    "conv2d_relu options": (lambda x, w, b: F.conv2d(x, w, b, stride=2, padding=1, groups=2).relu(), [[(2, 4, 4, 3), (2, 2, 3, 2), (2,)], [(1, 2, 3, 3), (4, 1, 2, 2), (4,)]], [WIDE]),
    "conv1d": (F.conv1d, [[(2, 2, 5), (3, 2, 3)], [(2, 4), (2, 2, 1)], [(3, 2, 6), (2, 2, 2)]], [WIDE]),
    "conv1d options": (lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=2, dilation=2, groups=2), [[(2, 2, 5), (4, 1, 3), (4,)], [(4, 4), (2, 2, 2), (2,)]], [WIDE]),
    "conv1d_relu": (lambda x, w, b: F.conv1d(x, w, b, padding=1).relu(), [[(2, 2, 5), (3, 2, 3), (3,)], [(2, 4), (2, 2, 1), (2,)]], [WIDE]),
    "conv_transpose2d": (F.conv_transpose2d, [[(2, 2, 3, 2), (2, 3, 2, 2)], [(2, 2, 3), (2, 1, 1, 1)], [(1, 3, 2, 4), (3, 2, 3, 2)]], [WIDE]),
    "conv_transpose2d options": (lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2), [[(2, 2, 3, 2), (2, 2, 2, 3), (4,)], [(4, 2, 2), (4, 1, 2, 2), (2,)]], [WIDE]),
    "conv_transpose2d dilation": (lambda x, w: F.conv_transpose2d(x, w, stride=1, padding=1, output_padding=(2, 1), dilation=(3, 2)), [[(1, 2, 3, 2), (2, 2, 2, 2)], [(2, 1, 2, 3), (1, 2, 2, 3)]], [WIDE]),
    "conv_transpose1d": (F.conv_transpose1d, [[(2, 2, 4), (2, 3, 2)], [(2, 3), (2, 1, 1)]], [WIDE]),
    "conv_transpose1d options": (lambda x, w, b: F.conv_transpose1d(x, w, b, stride=2, padding=1, output_padding=1, groups=2, dilation=2), [[(2, 2, 4), (2, 2, 2), (4,)]], [WIDE]),
    "unfold": (lambda x: F.unfold(x, 2), [[(2, 2, 3, 4)], [(1, 3, 2)], [(1, 1, 4, 4)]], [WIDE]),
    "unfold options": (lambda x: F.unfold(x, (2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)), [[(2, 2, 3, 4)], [(1, 1, 2, 2)]], [WIDE]),
    "fold": (lambda x: F.fold(x, (3, 4), 2), [[(2, 8, 6)], [(4, 6)]], [WIDE]),
    "fold options": (lambda x: F.fold(x, (3, 4), (2, 3), dilation=(2, 1), padding=(1, 2), stride=(1, 2)), [[(2, 6, 9)]], [WIDE]),
}
