#!/usr/bin/env python3
"""Writes reference/FAMILY.txt: what PyTorch computes, in float64, for every row of table/FAMILY.cc.

    python3 make_reference.py [FAMILY ...]

The rows are those of reference/FAMILY.py. A case is `op NAME`, then a line each for the inputs (`in`), the result (`out`),
the gradient that the backward pass starts from (`seed`) and the gradients of the inputs (`grad`). Such a line is a shape
("2,3"; "-" for a scalar) and the elements: as numbers, or after a "/" as multiples of 1/64, which are the same numbers in
float32. A case without `seed` is checked for its value alone. Every op has at least twelve cases.
"""
import importlib.util
import pathlib
import random
import sys

import torch

HERE = pathlib.Path(__file__).parent / "reference"
FEWEST = 12  # cases of one op; each is checked in float64 and float32, and in three layouts


def load(family):
    spec = importlib.util.spec_from_file_location("reference_" + family, HERE / (family + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def number(v):
    text = repr(float(v))
    return text[:-2] if text.endswith(".0") else text


def line(out, kind, t):
    shape = ",".join(map(str, t.shape)) or "-"
    values = [float(v) for v in t.flatten().tolist()]
    sixty_fourths = values and all(abs(v) < 1e6 and v * 64 == int(v * 64) and str(v) != "-0.0" for v in values)
    numbers = ["/"] + [str(int(v * 64)) for v in values] if sixty_fourths else [number(v) for v in values]
    out.append(" ".join([kind, shape] + numbers))


def grid(shape, low, high):
    n = 1
    for extent in shape:
        n *= extent
    return torch.tensor([round(random.uniform(low, high) * 64) / 64 for _ in range(n)], dtype=torch.float64).reshape(shape)


def write(out, name, function, inputs, with_grads):
    xs = [x.clone().requires_grad_() for x in inputs]
    y = function(*xs)
    out.append("op " + name)
    for x in inputs:
        line(out, "in", x)
    line(out, "out", y.detach())
    if with_grads and y.requires_grad:
        seed = grid(y.shape, 0.5, 1.5)
        grads = torch.autograd.grad(y, xs, seed, allow_unused=True)
        line(out, "seed", seed)
        for x, g in zip(xs, grads):
            line(out, "grad", g if g is not None else torch.zeros_like(x))


def rounds_of(rows):
    """How often the cases of each row are drawn, so that each op has its number."""
    total = {}
    for name, (_, cases, _) in rows.items():
        total[name.split()[0]] = total.get(name.split()[0], 0) + len(cases)
    return {op: -(-FEWEST // count) for op, count in total.items()}


def make(family):
    module = load(family)
    values_only = getattr(module, "VALUES_ONLY", ())
    rounds = rounds_of(module.ROWS)
    out = ["# PyTorch " + torch.__version__.split("+")[0] + ", written by make_reference.py: see there for the format."]
    for name, (function, cases, domains) in module.ROWS.items():
        random.seed(name)  # so that a new row leaves the others as they are
        for _ in range(rounds[name.split()[0]]):
            for shapes in cases:
                inputs = [grid(s, *domains[min(i, len(domains) - 1)]) for i, s in enumerate(shapes)]
                write(out, name, function, inputs, name not in values_only)
    for name, inputs, grads in getattr(module, "SPECIAL", ()):
        random.seed(name)
        inputs = [torch.as_tensor(x, dtype=torch.float64) for x in inputs]
        write(out, name, module.ROWS[name][0], inputs, grads)
    (HERE / (family + ".txt")).write_text("\n".join(out) + "\n")


def main():
    for family in sys.argv[1:] or sorted(p.stem for p in HERE.glob("*.py") if p.stem != "common"):
        make(family)


if __name__ == "__main__":
    sys.path.append(str(HERE))  # for common, behind the modules of Python itself
    torch.set_num_threads(1)
    sys.exit(main())
