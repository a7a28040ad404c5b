"""What the rows of table/loss.cc are in PyTorch."""
from common import *

target, ignoring, pixels = T([1, 3, 0]), T([1, -100, 0]), T([[1, 3, 0], [2, 2, 1]])


# F.binary_cross_entropy_with_logits has no gradient for its weights.
def bce(x, y, w, p):
    return -(w * (p * y * F.logsigmoid(x) + (1 - y) * F.logsigmoid(-x))).sum()


def weights(x):
    return T([0.5, 2.0, 1.25, 0.75], dtype=x.dtype)


several = T([[1, 3, -1, 0], [2, -1, 1, 1], [-1, 0, 0, 0]])
signs = T([[1, -1, -1], [1, 1, -1]])
labels = T([[1, 2], [3, 3]])
VECTORS = [[(2, 3), (2, 3)], [(2, 3), (3,)], [(1, 3), (2, 3)], [(4,), (4,)], [(2, 2, 3), (2, 3)]]
TRIPLETS = [[(2, 3), (2, 3), (2, 3)], [(3,), (3,), (3,)]]
PROBABILITIES = [[(3, 4), (3, 4)], [(4,), (4,)], [(2, 4, 2), (2, 4, 2)]]
VARIANCES = [[(2, 3), (2, 3), (2, 3)], [(2, 3), (2, 3), (2,)], [(2, 3), (2, 3), (2, 1)], [(2, 3), (2, 3), (1, 3)]]
PAIRS, CLASSES, SEQUENCES, LOGITS = [[(2, 3), (2, 3)]], [[(3, 4)]], [[(5, 2, 4)]], (-6, 6)


# F.binary_cross_entropy has no gradient for its weight, and F.soft_margin_loss none for its target.
def weighted_bce(x, y, w):
    return (w * F.binary_cross_entropy(x.sigmoid(), y.sigmoid(), reduction="none")).sum()


def soft_margin(x, y):
    return F.softplus(-y * x)


def cosine_distance(a, b):
    return 1 - F.cosine_similarity(a, b, dim=-1)


def ctc(targets, times, lengths, **options):
    return lambda x: F.ctc_loss(x.log_softmax(-1), T(targets), T(times), T(lengths), **options)


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
    "cross_entropy probabilities": (F.cross_entropy, PROBABILITIES, [LOGITS, (0, 1)]),
    "cross_entropy probabilities all": (
        lambda x, y: F.cross_entropy(x, y, weight=weights(x), label_smoothing=0.3), PROBABILITIES, [LOGITS, (0, 1)]),
    "cross_entropy probabilities none": (
        lambda x, y: F.cross_entropy(x, y, reduction="none"), PROBABILITIES, [LOGITS, (0, 1)]),
    "nll_loss": (lambda x: F.nll_loss(x, target), CLASSES, [LOGITS]),
    "nll_loss all": (lambda x: F.nll_loss(x, ignoring, weight=weights(x)), CLASSES, [LOGITS]),
    "nll_loss none": (
        lambda x: F.nll_loss(x, T([1, 2, 0]), weights(x), ignore_index=2, reduction="none"), CLASSES, [LOGITS]),
    "nll_loss one": (lambda x: F.nll_loss(x, T(2), reduction="sum"), [[(4,)]], [LOGITS]),
    "nll_loss pixels": (lambda x: F.nll_loss(x, pixels), [[(2, 4, 3)]], [LOGITS]),
    "multi_margin_loss": (lambda x: F.multi_margin_loss(x, target), CLASSES, [WIDE]),
    "multi_margin_loss square": (
        lambda x: F.multi_margin_loss(x, target, 2, 0.6, weights(x), reduction="none"), CLASSES, [WIDE]),
    "multi_margin_loss one": (lambda x: F.multi_margin_loss(x, T(2), margin=0.7), [[(4,)]], [WIDE]),
    "multilabel_margin_loss": (lambda x: F.multilabel_margin_loss(x, several), CLASSES, [WIDE]),
    "multilabel_margin_loss none": (
        lambda x: F.multilabel_margin_loss(x, several, reduction="none"), CLASSES, [WIDE]),
    "multilabel_margin_loss one": (lambda x: F.multilabel_margin_loss(x, T([2, 0, -1, 1])), [[(4,)]], [WIDE]),
    "multilabel_soft_margin_loss": (F.multilabel_soft_margin_loss, SAME, [WIDE, (0, 1)]),
    "multilabel_soft_margin_loss weight": (
        lambda x, y, w: F.multilabel_soft_margin_loss(x, y, w, reduction="none"), [[(2, 3), (2, 3), (3,)]],
        [WIDE, (0, 1), POS]),
    "l1_loss": (F.l1_loss, SAME, [WIDE]),
    "l1_loss sum": (lambda x, y: F.l1_loss(x, y, reduction="sum"), SAME, [WIDE]),
    "l1_loss none": (lambda x, y: F.l1_loss(x, y, reduction="none"), SAME, [WIDE]),
    "smooth_l1_loss": (F.smooth_l1_loss, SAME, [WIDE]),
    "smooth_l1_loss beta": (lambda x, y: F.smooth_l1_loss(x, y, reduction="none", beta=0.7), SAME, [WIDE]),
    "smooth_l1_loss zero": (lambda x, y: F.smooth_l1_loss(x, y, reduction="sum", beta=0), SAME, [WIDE]),
    "huber_loss": (F.huber_loss, SAME, [WIDE]),
    "huber_loss delta": (lambda x, y: F.huber_loss(x, y, reduction="none", delta=0.7), SAME, [WIDE]),
    "huber_loss sum": (lambda x, y: F.huber_loss(x, y, reduction="sum", delta=2.0), SAME, [WIDE]),
    "poisson_nll_loss": (F.poisson_nll_loss, SAME, [WIDE, (0, 4)]),
    "poisson_nll_loss full": (
        lambda x, y: F.poisson_nll_loss(x, y, full=True, reduction="none"), SAME, [WIDE, (0.25, 4)]),
    "poisson_nll_loss rate": (
        lambda x, y: F.poisson_nll_loss(x, y, log_input=False, eps=0.01, reduction="sum"), SAME, [POS]),
    "gaussian_nll_loss": (F.gaussian_nll_loss, VARIANCES, [WIDE, WIDE, POS]),
    "gaussian_nll_loss full": (
        lambda x, y, v: F.gaussian_nll_loss(x, y, v, full=True, reduction="none"), VARIANCES[2:3], [WIDE, WIDE, POS]),
    "binary_cross_entropy": (lambda x, y: F.binary_cross_entropy(x.sigmoid(), y.sigmoid()), SAME, [WIDE]),
    "binary_cross_entropy none": (
        lambda x, y: F.binary_cross_entropy(x.sigmoid(), y.sigmoid(), reduction="none"), SAME, [WIDE]),
    "binary_cross_entropy weight": (weighted_bce, [[(2, 3), (2, 3), (3,)]], [WIDE]),
    "kl_div": (F.kl_div, SAME, [WIDE, POS]),
    "kl_div sum": (lambda x, y: F.kl_div(x, y, reduction="sum"), SAME, [WIDE, POS]),
    "kl_div log target": (lambda x, y: F.kl_div(x, y, reduction="none", log_target=True), SAME, [WIDE]),
    "soft_margin_loss": (lambda x, y: soft_margin(x, y).mean(), SAME, [WIDE]),
    "soft_margin_loss none": (soft_margin, SAME, [WIDE]),
    "hinge_embedding_loss": (lambda x: F.hinge_embedding_loss(x, signs), [[(2, 3)]], [WIDE]),
    "hinge_embedding_loss none": (
        lambda x: F.hinge_embedding_loss(x, signs, 0.5, reduction="none"), [[(2, 3)]], [WIDE]),
    "margin_ranking_loss": (F.margin_ranking_loss, TRIPLETS, [WIDE]),
    "margin_ranking_loss none": (
        lambda x, y: F.margin_ranking_loss(x, y, signs, 0.7, reduction="none"), PAIRS, [WIDE]),
    "cosine_embedding_loss": (lambda x, y: F.cosine_embedding_loss(x, y, T([1, -1])), PAIRS, [WIDE]),
    "cosine_embedding_loss none": (
        lambda x, y: F.cosine_embedding_loss(x, y, T([1, -1]), -0.9, reduction="none"), PAIRS, [WIDE]),
    "cosine_embedding_loss one": (lambda x, y: F.cosine_embedding_loss(x, y, T(-1), -0.9), [[(3,), (3,)]], [WIDE]),
    "cosine_similarity": (lambda x, y: F.cosine_similarity(x, y, -1), VECTORS, [WIDE]),
    "cosine_similarity first": (lambda x, y: F.cosine_similarity(x, y, 0, 3.0), [[(3, 2), (3, 2)]], [(2, 4)]),
    "pairwise_distance": (F.pairwise_distance, VECTORS, [WIDE]),
    "pairwise_distance sum": (lambda x, y: F.pairwise_distance(x, y, 1, 1e-3, True), VECTORS, [WIDE]),
    "pairwise_distance cubes": (lambda x, y: F.pairwise_distance(x, y, 3), VECTORS, [WIDE]),
    "pairwise_distance largest": (lambda x, y: F.pairwise_distance(x, y, INF), VECTORS, [WIDE]),
    "triplet_margin_loss": (F.triplet_margin_loss, TRIPLETS, [WIDE]),
    "triplet_margin_loss swap": (
        lambda a, p, n: F.triplet_margin_loss(a, p, n, 3, 1, 1e-3, True, reduction="none"), TRIPLETS, [WIDE]),
    "triplet_margin_with_distance_loss": (
        lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, swap=True), TRIPLETS, [WIDE]),
    "triplet_margin_with_distance_loss cosine": (
        lambda a, p, n: F.triplet_margin_with_distance_loss(
            a, p, n, distance_function=cosine_distance, margin=2, reduction="sum"), TRIPLETS, [WIDE]),
    "ctc_loss": (ctc([[1, 2], [3, 3]], [5, 4], [2, 1]), SEQUENCES, [WIDE]),
    "ctc_loss none": (ctc([[1, 2], [3, 3]], [5, 5], [2, 2], reduction="none"), SEQUENCES, [WIDE]),
    "ctc_loss joined": (ctc([0, 1, 1], [4, 3], [3, 0], blank=3, reduction="sum"), SEQUENCES, [WIDE]),
    "ctc_loss one": (ctc([2, 1, 2], 4, 3), [[(4, 3)]], [WIDE]),
    "ctc_loss too short": (ctc([[1, 2], [3, 3]], [5, 2], [2, 2], zero_infinity=True), SEQUENCES, [WIDE]),
    # The gradient that PyTorch gives without log_softmax in front is another.
    "ctc_loss as it stands": (
        lambda x: F.ctc_loss(x, labels, T([5, 4]), T([2, 1])), SEQUENCES, [(-4, 0)]),
    "mse_loss": (F.mse_loss, SAME, [WIDE]),
    "mse_loss sum": (lambda x, y: F.mse_loss(x, y, reduction="sum"), SAME, [WIDE]),
    "mse_loss none": (lambda x, y: F.mse_loss(x, y, reduction="none"), SAME, [WIDE]),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, SAME, [WIDE, (0, 1)]),
    "binary_cross_entropy_with_logits weights": (
        bce, [[(2, 3), (2, 3), (2, 1), (3,)]], [WIDE, (0, 1), POS, POS]),
}

SPECIAL = [
    ("cross_entropy probabilities none", [[[1e4, 0, 0], [0, 0, 800]], [[0, 0, 1], [0.5, 0, 0.5]]], True),
    ("binary_cross_entropy none", [[1e4, -1e4, 1e4, -1e4, 0], [1e4, -1e4, -1e4, 1e4, 0]], False),
    ("kl_div sum", [[-1, -2, 3], [0, 0.5, 0]], False),
    ("poisson_nll_loss full", [[700, -700, 0, 1, 2], [0, 0, 1, 1, 100]], False),
    ("soft_margin_loss none", [[1e4, -1e4, 1e4, 0], [1, 1, -1, -1]], True),
    ("cosine_similarity", [[[0, 0], [1e-9, 0], [3, 4]], [[1, 2], [1, 0], [1e-9, 0]]], False),
    ("pairwise_distance sum", [[1e4, -1e4, 0], [1e4, 1e4, 0]], True),
    ("cross_entropy", [[[1e4, 0, 0, -1e4], [0, 0, 0, 800], [0, 0, 0, 0]]], True),
    ("binary_cross_entropy_with_logits", [[1e4, -1e4, 700, -700, 0], [1, 0, 0, 1, 0.5]], True),
]

VALUES_ONLY = ("ctc_loss as it stands",)
