"""make_reference.py: writes reference.txt, the steps of PyTorch's optimizers that optimizer_test.cc compares with.

Needs PyTorch. Each line: case, step, and the eight parameters after it, in float64. The gradient is that of
sum(w^4 / 4 - w * (step + 1) / 10), the same in every case; the second tensor, parameters 3 to 8, has no gradient in
steps 5 to 7 (but for LBFGS, which has one history for all). Lion is not in PyTorch: it is written out here, from the paper.
"""

import inspect
import pathlib

import torch
from torch.optim import _muon

torch.set_default_dtype(torch.float64)  # NAdam keeps a product in it

# Muon orthogonalises in bfloat16 whatever the dtype of the parameters: here in that of the parameters, which is all that
# is changed.
exec(inspect.getsource(_muon._zeropower_via_newtonschulz).replace("dtype=torch.bfloat16", "dtype=grad.dtype"), _muon.__dict__)


class Lion(torch.optim.Optimizer):
    """Chen et al. (2023), algorithm 2."""

    def __init__(self, p, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(p, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (b1, b2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                m = self.state[w].setdefault("m", torch.zeros_like(w))
                update = torch.sign(b1 * m + (1 - b1) * w.grad)
                w -= lr * (update + decay * w)
                m.copy_(b2 * m + (1 - b2) * w.grad)


optim = torch.optim
CASES = {
    "sgd": lambda p: optim.SGD(p, lr=0.05),
    "sgd_momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "sgd_dampening": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.3),
    "sgd_nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "sgd_weight_decay": lambda p: optim.SGD(p, lr=0.05, weight_decay=0.1),
    "sgd_all": lambda p: optim.SGD(p, lr=0.02, momentum=0.8, weight_decay=0.1, nesterov=True),
    "sgd_maximize": lambda p: optim.SGD(p, lr=0.001, momentum=0.5, maximize=True),
    "adam": lambda p: optim.Adam(p, lr=0.05),
    "adam_betas": lambda p: optim.Adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-3),
    "adam_weight_decay": lambda p: optim.Adam(p, lr=0.05, weight_decay=0.1),
    "adam_amsgrad": lambda p: optim.Adam(p, lr=0.05, betas=(0.5, 0.6), amsgrad=True),
    "adam_maximize": lambda p: optim.Adam(p, lr=0.05, maximize=True),
    "adamw": lambda p: optim.AdamW(p, lr=0.05),
    "adamw_weight_decay": lambda p: optim.AdamW(p, lr=0.05, weight_decay=0.2, amsgrad=True),
    "nadam": lambda p: optim.NAdam(p),
    "nadam_weight_decay": lambda p: optim.NAdam(p, lr=0.05, betas=(0.8, 0.95), weight_decay=0.1, momentum_decay=0.1),
    "nadam_decoupled": lambda p: optim.NAdam(
        p, lr=0.05, weight_decay=0.1, decoupled_weight_decay=True, maximize=True
    ),
    "rmsprop": lambda p: optim.RMSprop(p),
    "rmsprop_centered": lambda p: optim.RMSprop(p, lr=0.02, alpha=0.9, centered=True),
    "rmsprop_momentum": lambda p: optim.RMSprop(p, lr=0.005, momentum=0.9, weight_decay=0.1),
    "rmsprop_all": lambda p: optim.RMSprop(
        p, lr=0.002, alpha=0.8, eps=1e-3, momentum=0.5, weight_decay=0.1, centered=True, maximize=True
    ),
    "adagrad": lambda p: optim.Adagrad(p),
    "adagrad_all": lambda p: optim.Adagrad(
        p, lr=0.1, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-3
    ),
    "adagrad_maximize": lambda p: optim.Adagrad(p, lr=0.02, maximize=True),
    "adadelta": lambda p: optim.Adadelta(p),
    "adadelta_all": lambda p: optim.Adadelta(p, lr=0.5, rho=0.7, eps=1e-3, weight_decay=0.1, maximize=True),
    "lion": lambda p: Lion(p),
    "lion_all": lambda p: Lion(p, lr=0.02, betas=(0.8, 0.6), weight_decay=0.3),
    "muon": lambda p: optim.Muon(p),
    "muon_plain": lambda p: optim.Muon(p, lr=0.05, momentum=0.8, nesterov=False, weight_decay=0, ns_steps=3),
    "muon_match_rms_adamw": lambda p: optim.Muon(p, lr=0.02, adjust_lr_fn="match_rms_adamw"),
    "muon_spectral_unclamped": lambda p: optim.Muon(
        p, lr=0.02, adjust_lr_fn="spectral_unclamped", ns_coefficients=(2, -1.5, 0.5)
    ),
    "lbfgs": lambda p: optim.LBFGS(p, lr=0.3, max_iter=4),
    "lbfgs_history": lambda p: optim.LBFGS(p, lr=0.5, max_iter=5, max_eval=4, history_size=3),
    "lbfgs_strong_wolfe": lambda p: optim.LBFGS(p, max_iter=3, line_search_fn="strong_wolfe"),
    "lbfgs_few_evaluations": lambda p: optim.LBFGS(p, lr=8, max_iter=6, max_eval=5, line_search_fn="strong_wolfe"),
    "lbfgs_maximize": lambda p: optim.LBFGS(p, lr=1e-4, max_iter=3, maximize=True),
}

lines = []
for name, make in CASES.items():
    first = torch.tensor([[1.0, -0.5]], requires_grad=True)
    second = torch.tensor([[2.0, 0.1], [-0.7, 0.4], [0.9, -1.2]], requires_grad=True)
    optimizer = make([first, second])
    for step in range(20):

        def closure():
            optimizer.zero_grad()
            total = 0
            for w in (first, second):
                if w is second and 5 <= step <= 7 and not name.startswith("lbfgs"):
                    continue
                cost = (w**4 / 4 - w * (step + 1) / 10).sum()
                cost.backward()
                total += cost.item()
            return total

        if name.startswith("lbfgs"):
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
        values = torch.cat([first.flatten(), second.flatten()]).tolist()
        lines.append(" ".join([name, str(step)] + [f"{value:.17g}" for value in values]))

path = pathlib.Path(__file__).with_name("reference.txt")
path.write_text("\n".join(lines) + "\n")
