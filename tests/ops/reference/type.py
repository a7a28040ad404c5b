"""What the rows of table/type.cc are in PyTorch."""
from common import *

ROWS = {
    "to": (lambda x: x * 3, U, [WIDE]),
}
