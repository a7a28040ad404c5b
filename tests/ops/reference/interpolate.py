"""What the rows of table/interpolate.cc are in PyTorch."""
from common import *

ROWS = {
    "interpolate size": (lambda x: F.interpolate(x, 5), [[(2, 1, 3)], [(1, 2, 7)]], [WIDE]),
    "interpolate factor": (lambda x: F.interpolate(x, scale_factor=1.7), [[(1, 2, 3, 4)], [(2, 1, 5)]], [WIDE]),
    "interpolate linear": (lambda x: F.interpolate(x, 5, mode="linear"), [[(2, 1, 3)], [(1, 2, 7)], [(1, 1, 1)]], [WIDE]),
    "interpolate linear corners": (lambda x: F.interpolate(x, 5, mode="linear", align_corners=True), [[(2, 1, 3)], [(1, 2, 7)]], [WIDE]),
    "interpolate bilinear": (lambda x: F.interpolate(x, (5, 3), mode="bilinear"), [[(2, 1, 3, 2)], [(1, 2, 7, 4)]], [WIDE]),
    "interpolate bilinear corners": (lambda x: F.interpolate(x, (5, 1), mode="bilinear", align_corners=True), [[(2, 1, 3, 2)], [(1, 2, 7, 4)]], [WIDE]),
    "interpolate bilinear factor": (lambda x: F.interpolate(x, scale_factor=1.3, mode="bilinear"), [[(2, 1, 3, 4)]], [WIDE]),
}
