"""make_reference.py: writes reference.txt, the steps of PyTorch's optimizers that optimizer_test.cc compares with.

Needs PyTorch. Each line: case, step, and the four parameters after it, in float64. The gradient is that of
sum(w^4 / 4 - w * (step + 1) / 10), the same in every case; parameters 3 and 4 have no gradient in steps 5 to 7.
"""

import pathlib

import torch

CASES = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
    "sgd_dampening": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.3),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "sgd_weight_decay": lambda p: torch.optim.SGD(p, lr=0.05, weight_decay=0.1),
    "sgd_all": lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.8, weight_decay=0.1, nesterov=True, maximize=False),
    "sgd_maximize": lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.5, maximize=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.05),
    "adam_betas": lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3),
    "adam_weight_decay": lambda p: torch.optim.Adam(p, lr=0.05, weight_decay=0.1),
    "adam_amsgrad": lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.5, 0.6), amsgrad=True),
    "adam_maximize": lambda p: torch.optim.Adam(p, lr=0.05, maximize=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.05),
    "adamw_weight_decay": lambda p: torch.optim.AdamW(p, lr=0.05, weight_decay=0.2, amsgrad=True),
}

lines = []
for name, make in CASES.items():
    first = torch.tensor([1.0, -0.5], dtype=torch.float64, requires_grad=True)
    second = torch.tensor([2.0, 0.1], dtype=torch.float64, requires_grad=True)
    optimizer = make([first, second])
    for step in range(20):
        optimizer.zero_grad()
        for w in (first, second):
            if w is second and 5 <= step <= 7:
                continue
            (w**4 / 4 - w * (step + 1) / 10).sum().backward()
        optimizer.step()
        values = torch.cat([first, second]).tolist()
        lines.append(" ".join([name, str(step)] + [f"{value:.17g}" for value in values]))

path = pathlib.Path(__file__).with_name("reference.txt")
path.write_text("\n".join(lines) + "\n")
