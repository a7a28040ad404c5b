"""make_schedules.py: writes schedules.txt, PyTorch's learning rates that schedule_test.cc compares with.

Needs PyTorch. Each line: case, step, the rates of two groups that begin at 0.1 and 0.02, and the momentum of the first.
The metric of ReduceLROnPlateau at step i is metric(i).
"""

import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as S

warnings.simplefilter("ignore")
STEPS = 100


def metric(step):
    return 3 / (1 + step // 4) + 0.01 * (step % 3)


CASES = {
    "StepLR": lambda o: S.StepLR(o, 7),
    "StepLR_gamma": lambda o: S.StepLR(o, 3, gamma=0.9),
    "MultiStepLR": lambda o: S.MultiStepLR(o, [5, 20, 20, 31]),
    "MultiStepLR_start": lambda o: S.MultiStepLR(o, [0, 9], gamma=0.5),
    "ExponentialLR": lambda o: S.ExponentialLR(o, 0.97),
    "ConstantLR": lambda o: S.ConstantLR(o),
    "ConstantLR_longer": lambda o: S.ConstantLR(o, factor=0.3, total_iters=17),
    "LinearLR": lambda o: S.LinearLR(o),
    "LinearLR_down": lambda o: S.LinearLR(o, start_factor=0.9, end_factor=0.1, total_iters=40),
    "PolynomialLR": lambda o: S.PolynomialLR(o),
    "PolynomialLR_power": lambda o: S.PolynomialLR(o, total_iters=60, power=2.5),
    "CosineAnnealingLR": lambda o: S.CosineAnnealingLR(o, 30),
    "CosineAnnealingLR_min": lambda o: S.CosineAnnealingLR(o, 13, eta_min=0.001),
    "CosineAnnealingLR_one": lambda o: S.CosineAnnealingLR(o, 1, eta_min=0.001),
    "CosineAnnealingWarmRestarts": lambda o: S.CosineAnnealingWarmRestarts(o, 9),
    "CosineAnnealingWarmRestarts_mult": lambda o: S.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.002),
    "OneCycleLR": lambda o: S.OneCycleLR(o, [0.5, 0.1], total_steps=STEPS),
    "OneCycleLR_three_phase": lambda o: S.OneCycleLR(
        o, 0.3, epochs=20, steps_per_epoch=5, pct_start=0.4, three_phase=True, anneal_strategy="linear"
    ),
    "OneCycleLR_no_momentum": lambda o: S.OneCycleLR(
        o, 0.3, total_steps=STEPS, cycle_momentum=False, div_factor=10, final_div_factor=100
    ),
    "ReduceLROnPlateau": lambda o: S.ReduceLROnPlateau(o),
    "ReduceLROnPlateau_max": lambda o: S.ReduceLROnPlateau(
        o, "max", factor=0.5, patience=3, threshold=0.1, cooldown=2, min_lr=[0.001, 0.005]
    ),
    "ReduceLROnPlateau_abs": lambda o: S.ReduceLROnPlateau(
        o, factor=0.7, patience=1, threshold=0.05, threshold_mode="abs", eps=1e-3
    ),
    "LambdaLR": lambda o: S.LambdaLR(o, [lambda t: 0.95**t, lambda t: 1 / (1 + t)]),
    "Chained": lambda o: S.ChainedScheduler(
        [S.LinearLR(o, 0.1, total_iters=10), S.ExponentialLR(o, 0.98), S.CosineAnnealingLR(o, 50)]
    ),
    "Sequential": lambda o: S.SequentialLR(
        o, [S.LinearLR(o, 0.1, total_iters=10), S.CosineAnnealingLR(o, 60), S.StepLR(o, 4)], [10, 70]
    ),
    "Sequential_restarts": lambda o: S.SequentialLR(
        o, [S.ConstantLR(o, 0.1, 20), S.CosineAnnealingWarmRestarts(o, 7, 2), S.ExponentialLR(o, 0.9)], [20, 60]
    ),
    "Sequential_one_cycle": lambda o: S.SequentialLR(
        o, [S.ConstantLR(o, 0.5, 8), S.OneCycleLR(o, 0.4, total_steps=STEPS)], [8]
    ),
    "two": lambda o: (S.StepLR(o, 10), S.MultiStepLR(o, [15, 25], gamma=0.3)),
}

lines = []
for name, make in CASES.items():
    groups = [{"params": [torch.zeros(1, requires_grad=True)], "lr": lr} for lr in (0.1, 0.02)]
    optimizer = torch.optim.SGD(groups, momentum=0.9)
    made = make(optimizer)
    for step in range(STEPS):
        figures = [group["lr"] for group in optimizer.param_groups] + [optimizer.param_groups[0]["momentum"]]
        lines.append(" ".join([name, str(step)] + [f"{value:.17g}" for value in figures]))
        for schedule in made if isinstance(made, tuple) else (made,):
            schedule.step(metric(step)) if isinstance(schedule, S.ReduceLROnPlateau) else schedule.step()

path = pathlib.Path(__file__).with_name("schedules.txt")
path.write_text("\n".join(lines) + "\n")
