"""What the rows of table/decomposition.cc are in PyTorch."""
from common import *

L = torch.linalg
NEAR = (-1, 1)


def spread(x):
    """x with 2, 5, 8, … added to its diagonals, which keeps singular values apart."""
    d = torch.zeros(x.shape[-2:], dtype=x.dtype)
    d.diagonal().copy_(torch.arange(2, 2 + 3 * min(d.shape), 3)[: min(d.shape)])
    return x + d


def positive(x):
    return spread(x @ x.mT)


def symmetric(x):
    return spread((x + x.mT) / 2) / 4


def weights(s):
    return torch.arange(1, s.shape[-1] + 1, dtype=s.dtype)


def svd(f):
    return lambda x: f(*L.svd(spread(x), full_matrices=False))


def eigh(f):
    return lambda x: f(*L.eigh(symmetric(x)))


def triangular(**options):
    return lambda a, b: L.solve_triangular(spread(a), b, **options)


SQUARE = [[(2, 2)], [(3, 3)], [(1, 1)], [(2, 3, 3)], [(2, 1, 2, 2)], [(4, 4)], [(0, 2, 2)], [(0, 0)]]
ANY = [[(3, 2)], [(2, 3)], [(3, 3)], [(1, 3)], [(2, 1)], [(2, 3, 2)], [(2, 1, 2, 4)], [(2, 0, 3)], [(0, 2, 3)]]
SYSTEMS = [[(2, 2), (2, 3)], [(3, 3), (3, 1)], [(2, 2, 2), (2, 1)], [(2, 2), (3, 2, 1)], [(2, 1, 2, 2), (3, 2, 2)],
           [(0, 2, 2), (2, 1)], [(2, 2), (2, 0)]]

ROWS = {
    "cholesky": (lambda x: L.cholesky(positive(x)), SQUARE, [NEAR]),
    "cholesky upper": (lambda x: L.cholesky(positive(x), upper=True), SQUARE, [NEAR]),
    "solve": (lambda a, b: L.solve(spread(a), b), SYSTEMS, [NEAR]),
    "solve vectors": (lambda a, b: L.solve(spread(a), b), [[(3, 3), (3,)], [(2, 2, 2), (2, 2)], [(3, 2, 2), (2,)], [(2, 1, 2, 2), (2, 1, 2)]], [NEAR]),
    "solve_triangular": (triangular(upper=False), SYSTEMS, [NEAR]),
    "solve_triangular upper": (triangular(upper=True), SYSTEMS, [NEAR]),
    "solve_triangular right": (triangular(upper=True, left=False), [[(2, 2), (3, 2)], [(3, 3), (2, 1, 3)], [(2, 2, 2), (1, 2)]], [NEAR]),
    "solve_triangular unit": (triangular(upper=True, unitriangular=True), [[(2, 2), (2, 3)], [(3, 3), (2, 3, 1)]], [NEAR]),
    "solve_triangular unit right": (triangular(upper=False, left=False, unitriangular=True), [[(2, 2), (3, 2)], [(3, 3), (2, 1, 3)]], [NEAR]),
    "inverse": (lambda x: L.inv(spread(x)), SQUARE, [NEAR]),
    "pinv": (lambda x: L.pinv(spread(x)), ANY, [NEAR]),
    "pinv low rank": (lambda x: L.pinv(x @ x.mT, rtol=1e-6), [[(3, 1)], [(2, 3, 1)]], [(0.5, 2)]),
    "det": (lambda x: L.det(spread(x) / 4), SQUARE, [NEAR]),
    "slogdet": (lambda x: L.slogdet(spread(x)).logabsdet, SQUARE, [NEAR]),
    "slogdet sign": (lambda x: L.slogdet(x).sign, [[(2, 2)], [(3, 3)], [(2, 3, 3)], [(5, 5)]], [WIDE]),
    "logdet": (lambda x: torch.logdet(spread(x)), SQUARE, [NEAR]),
    "trace": (lambda x: x.diagonal(dim1=-2, dim2=-1).sum(-1), ANY, [WIDE]),
    "svd": (svd(lambda u, s, vh: u * (s * weights(s)).unsqueeze(-2) @ vh), ANY, [NEAR]),
    "svd u": (svd(lambda u, s, vh: u * weights(s) @ u.mT), ANY, [NEAR]),
    "svd vh": (svd(lambda u, s, vh: vh.mT * weights(s) @ vh), ANY, [NEAR]),
    "svdvals": (lambda x: L.svdvals(spread(x)), ANY, [NEAR]),
    "qr": (lambda x: together(L.qr(spread(x))), ANY, [NEAR]),
    "qr q": (lambda x: L.qr(spread(x)).Q, ANY, [NEAR]),
    "qr r": (lambda x: L.qr(spread(x)).R, ANY, [NEAR]),
    "eigh": (eigh(lambda w, q: q * (w * weights(w)).unsqueeze(-2) @ q.mT), SQUARE, [NEAR]),
    "eigh vectors": (eigh(lambda w, q: q * weights(w) @ q.mT), SQUARE, [NEAR]),
    "eigvalsh": (lambda x: L.eigvalsh(symmetric(x)), SQUARE, [NEAR]),
    "matrix_norm": (lambda x: L.matrix_norm(spread(x)), ANY, [NEAR]),
    "matrix_norm nuclear": (lambda x: L.matrix_norm(spread(x), "nuc"), ANY, [NEAR]),
    "matrix_norm spectral": (lambda x: L.matrix_norm(spread(x), 2), ANY, [NEAR]),
    "matrix_norm one": (lambda x: L.matrix_norm(spread(x), 1), ANY, [NEAR]),
    "matrix_norm infinity": (lambda x: L.matrix_norm(spread(x), float("inf")), ANY, [NEAR]),
}
VALUES_ONLY = {"slogdet sign"}
