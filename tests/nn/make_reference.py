"""make_reference.py: writes reference.txt, the figures of PyTorch's layers and losses for reference_test.cc.

Needs PyTorch. Each line, in float64, its parts separated by tabs: layer or loss, the configuration, the shape of the
input, the output, and the gradient of sum(output * cos(0), cos(1), ...) at the input. The input is 2 sin(1.7 i + 0.3),
parameter number k is cos(0.9 i + k). The targets of a loss: labels i % 3, or (1 + sin(i)) / 2.
"""

import json
import pathlib

import torch

LAYERS = [
    ({"type": "Linear", "in_features": 4, "out_features": 3}, [2, 4]),
    ({"type": "Linear", "in_features": 4, "out_features": 3, "bias": False}, [2, 3, 4]),
    ({"type": "Flatten"}, [2, 3, 4]),
    ({"type": "Flatten", "start_dim": 2, "end_dim": 3}, [2, 3, 2, 2]),
    ({"type": "Dropout", "p": 0.5}, [2, 4]),
    ({"type": "Identity"}, [2, 4]),
    ({"type": "LeakyReLU", "negative_slope": 0.2}, [2, 4]),
    ({"type": "ELU", "alpha": 1.5}, [2, 4]),
    ({"type": "CELU", "alpha": 1.5}, [2, 4]),
    ({"type": "Hardtanh", "min_val": -0.5, "max_val": 1.5}, [2, 4]),
    ({"type": "GELU"}, [2, 4]),
    ({"type": "GELU", "approximate": "tanh"}, [2, 4]),
    ({"type": "Softplus", "beta": 2.5}, [2, 4]),
    ({"type": "Softmax", "dim": 1}, [2, 3, 4]),
    ({"type": "Softmax", "dim": -1}, [2, 3, 4]),
    ({"type": "LogSoftmax", "dim": 1}, [2, 3, 4]),
    ({"type": "LogSoftmax", "dim": -1}, [2, 3, 4]),
]
# Those that take no options, and the others with the options that they have by default.
LAYERS += [
    ({"type": name}, [2, 4])
    for name in "ReLU Sigmoid Tanh SELU SiLU Mish Softsign LogSigmoid Hardsigmoid Hardswish".split()
    + "LeakyReLU ELU CELU Hardtanh Softplus".split()
]
LOSSES = [
    ({"type": "CrossEntropyLoss"}, [4, 3]),
    ({"type": "CrossEntropyLoss", "weight": [0.5, 2, 1.25], "label_smoothing": 0.1}, [4, 3]),
    ({"type": "CrossEntropyLoss", "ignore_index": 1, "reduction": "sum"}, [4, 3]),
    ({"type": "CrossEntropyLoss", "reduction": "none"}, [4, 3]),
    ({"type": "MSELoss"}, [4, 3]),
    ({"type": "MSELoss", "reduction": "sum"}, [4, 3]),
    ({"type": "MSELoss", "reduction": "none"}, [4, 3]),
    ({"type": "BCEWithLogitsLoss"}, [4, 3]),
    ({"type": "BCEWithLogitsLoss", "pos_weight": [0.5, 2, 3], "reduction": "sum"}, [4, 3]),
    ({"type": "BCEWithLogitsLoss", "pos_weight": [2], "reduction": "none"}, [4, 3]),
]


def numbers(count):
    return torch.arange(count, dtype=torch.float64)


def sample(shape):
    return (2 * torch.sin(1.7 * numbers(torch.Size(shape).numel()) + 0.3)).reshape(shape).requires_grad_()


def module_of(config):
    if config["type"] == "Hardsigmoid":  # PyTorch's own gradient has a 1/6 of float32 in it, even in float64
        return lambda x: torch.nn.functional.hardtanh(x, -3, 3) / 6 + 0.5
    options = {key: torch.tensor(value, dtype=torch.float64) if isinstance(value, list) else value
               for key, value in config.items() if key != "type"}
    if config["type"] in ("Softmax", "LogSoftmax"):
        options.setdefault("dim", -1)
    module = getattr(torch.nn, config["type"])(**options).double().eval()
    for k, parameter in enumerate(module.parameters()):
        parameter.data = torch.cos(0.9 * numbers(parameter.numel()) + k).reshape(parameter.shape)
    return module


def line(kind, config, shape, x, y):
    (y * torch.cos(numbers(y.numel())).reshape(y.shape)).sum().backward()
    values = [" ".join(f"{v:.17g}" for v in t.flatten().tolist()) for t in (y, x.grad)]
    return "\t".join([kind, json.dumps(config), " ".join(map(str, shape))] + values)


def target_of(config, shape):
    if config["type"] == "CrossEntropyLoss":
        return torch.arange(shape[0]) % 3
    return ((1 + torch.sin(numbers(torch.Size(shape).numel()))) / 2).reshape(shape)


lines = []
for config, shape in LAYERS:
    x = sample(shape)
    lines.append(line("layer", config, shape, x, module_of(config)(x)))
for config, shape in LOSSES:
    x = sample(shape)
    lines.append(line("loss", config, shape, x, module_of(config)(x, target_of(config, shape))))

pathlib.Path(__file__).with_name("reference.txt").write_text("\n".join(lines) + "\n")
