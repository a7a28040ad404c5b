"""The workloads of bench/compare in PyTorch: steps/pytorch.py THREADS [channels_last]. The commands are those of protocol.h."""

import math
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

CHANNELS_LAST = "channels_last" in sys.argv[2:]
torch.set_num_threads(int(sys.argv[1]))


def uniform(stream, count):
    with np.errstate(over="ignore"):
        h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32((stream * 0x85EBCA6B + 0x165667B1) & 0xFFFFFFFF)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return h / 4294967296.0


def uniform_tensor(stream, shape, low=-1.0, high=1.0):
    values = low + (high - low) * uniform(stream, math.prod(shape))
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def class_tensor(stream, shape, classes):
    return torch.from_numpy((uniform(stream, math.prod(shape)) * classes).astype(np.int64)).reshape(shape)


def fill_parameters(net):
    with torch.no_grad():
        for index, (name, p) in enumerate(net.named_parameters()):
            bound = 0.05 if p.dim() == 1 else 1 / math.sqrt(p.numel() // p.size(0))
            scale = p.dim() == 1 and name.endswith("weight")
            p.copy_(torch.ones(p.shape) if scale else uniform_tensor(1000 + index, p.shape, -bound, bound))


def mlp(*widths):
    layers = []
    for k in range(len(widths) - 1):
        layers += [nn.Linear(widths[k], widths[k + 1]), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10))


def plain_conv(inputs, outputs, kernel, stride):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


def conv_bn():
    return nn.Sequential(
        plain_conv(3, 64, 3, 1), nn.BatchNorm2d(64), nn.ReLU(), plain_conv(64, 64, 3, 1), nn.BatchNorm2d(64), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.norm1 = plain_conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = plain_conv(outputs, outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(plain_conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))) + self.shortcut(x))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = plain_conv(3, 64, 3, 1), nn.BatchNorm2d(64)
        blocks, inputs = [], 64
        for outputs in (64, 128, 256, 512):
            for _ in range(2):
                blocks.append(Block(inputs, outputs, 1 if inputs == outputs else 2))
                inputs = outputs
        self.blocks, self.pool, self.head = nn.Sequential(*blocks), nn.AdaptiveAvgPool2d(1), nn.Linear(512, 10)

    def forward(self, x):
        return self.head(self.pool(self.blocks(F.relu(self.norm(self.conv(x))))).flatten(1))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(64, 128), nn.Linear(128, 10)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])


class GptBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
        self.up, self.down = nn.Linear(128, 512), nn.Linear(512, 128)
        self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)

    def forward(self, x):
        n, length, width = x.shape
        q, k, v = (t.view(n, length, 4, 32).transpose(1, 2) for t in self.qkv(self.norm1(x)).split(width, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, length, width)
        x = x + self.out(y)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(65, 128)
        self.places = nn.Embedding(128, 128)
        self.blocks, self.norm = nn.Sequential(*[GptBlock() for _ in range(4)]), nn.LayerNorm(128)

    def forward(self, x):
        y = self.norm(self.blocks(self.embedding(x) + self.places.weight))
        return F.linear(y, self.embedding.weight).flatten(0, 1)


# Net, input, classes, words, targets, whether the optimizer is AdamW.
TASKS = {
    "mlp-tiny": (lambda: mlp(2, 8, 10), (4, 2), 10, 0, (4,), False),
    "mlp-small": (lambda: mlp(784, 128, 10), (64, 784), 10, 0, (64,), False),
    "mlp-large": (lambda: mlp(784, 512, 512, 10), (256, 784), 10, 0, (256,), False),
    "lenet": (lenet, (64, 1, 28, 28), 10, 0, (64,), False),
    "cnn": (cnn, (64, 1, 28, 28), 10, 0, (64,), False),
    "conv-bn": (conv_bn, (32, 3, 32, 32), 10, 0, (32,), False),
    "resnet18": (ResNet18, (32, 3, 32, 32), 10, 0, (32,), False),
    "lstm": (Lstm, (64, 32, 64), 10, 0, (32,), False),
    "gpt": (Gpt, (16, 128), 65, 65, (16 * 128,), True),
}


def prepared(net, x):
    fill_parameters(net)
    if CHANNELS_LAST and x.dim() == 4:
        return net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    return net, x


def input_of(shape, words):
    return class_tensor(1, shape, words) if words else uniform_tensor(1, shape)


def training(name, low=False):
    make, shape, classes, words, targets, adam = TASKS[name]
    net, x = prepared(make(), input_of(shape, words))
    y = class_tensor(2, targets, classes)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3) if adam else torch.optim.SGD(net.parameters(), lr=0.01)

    def step(read):
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=low):
            loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss.item() if read else 0

    return step


def inference(name):
    make, shape, _, words, _, _ = TASKS[name]
    shape = (shape[0], 1, shape[2]) if name == "lstm" else (1, *shape[1:])
    net, x = prepared(make(), input_of(shape, words))
    net.eval()

    def step(read):
        with torch.inference_mode():
            y = net(x)
            return y.sum().item() if read else 0

    return step


def xyz():
    x, y, z = (torch.tensor(v, requires_grad=True) for v in (1.5, -0.5, 3.0))

    def step(read):
        result = (x + y) * z
        result.backward()
        value = result.item() + x.grad.item() + z.grad.item() if read else 0
        x.grad = y.grad = z.grad = None
        return value

    return step


def chain():
    x, a, b = torch.tensor(1.5, requires_grad=True), torch.tensor(1.001), torch.tensor(-0.001)

    def step(read):
        y = x
        for _ in range(1000):
            y = y * a + b
        y.backward()
        value = y.item() + x.grad.item() if read else 0
        x.grad = None
        return value

    return step


class Lion(torch.optim.Optimizer):
    """PyTorch has none: as in the paper, with one call for all parameters where PyTorch's own optimizers have one."""

    def __init__(self, params, lr, betas=(0.9, 0.99)):
        super().__init__(params, {"lr": lr, "betas": betas})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            (beta1, beta2), parameters = group["betas"], group["params"]
            grads = [p.grad for p in parameters]
            means = [self.state[p].setdefault("mean", torch.zeros_like(p)) for p in parameters]
            directions = torch._foreach_lerp(means, grads, 1 - beta1)
            torch._foreach_sign_(directions)
            torch._foreach_add_(parameters, directions, alpha=-group["lr"])
            torch._foreach_lerp_(means, grads, 1 - beta2)


def optimizer_step(name):
    if name == "lbfgs":
        return lbfgs()
    parameters = [uniform_tensor(k, (1000, 2500)).requires_grad_() for k in range(4)]
    for k, p in enumerate(parameters):
        p.grad = uniform_tensor(k + 10, (1000, 2500))
    optimizer = {
        "sgd": lambda: torch.optim.SGD(parameters, lr=1e-3),
        "momentum": lambda: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
        "adam": lambda: torch.optim.Adam(parameters, lr=1e-3, fused=True),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=1e-3, fused=True),
        "nadam": lambda: torch.optim.NAdam(parameters, lr=1e-3),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr=1e-3),
        "adagrad": lambda: torch.optim.Adagrad(parameters, lr=1e-3, fused=True),
        "adadelta": lambda: torch.optim.Adadelta(parameters, lr=1),
        "lion": lambda: Lion(parameters, lr=1e-4),
        "muon": lambda: torch.optim.Muon(parameters, lr=1e-3),
    }[name]()

    def step(read):
        optimizer.step()
        return parameters[0].flatten()[17].item() if read else 0

    return step


def lbfgs():
    parameters = [uniform_tensor(k, (1000, 2500)).requires_grad_() for k in range(4)]

    def step(read):
        with torch.no_grad():
            for k, p in enumerate(parameters):
                p.fill_(k + 1)
        optimizer = torch.optim.LBFGS(parameters, lr=0.1, max_iter=4, history_size=4)

        def closure():
            optimizer.zero_grad()
            cost = sum(p.square().mean() * (k + 1) for k, p in enumerate(parameters))
            cost.backward()
            return cost

        optimizer.step(closure)
        return parameters[3].flatten()[17].item() if read else 0

    return step


OPS = {name: getattr(torch, name) for name in (
    "abs neg exp log log1p expm1 exp2 log2 log10 sqrt rsqrt sin cos tan atan sinh cosh asinh tanh sigmoid relu erf erfc "
    "square reciprocal floor sign sinc asin acos acosh atanh frac ceil round trunc nan_to_num logit celu selu isnan isinf "
    "isfinite sum mean max min prod std norm count_nonzero any all ").split()}
OPS.update({name: getattr(F, name) for name in (
    "gelu silu softplus leaky_relu elu mish softsign logsigmoid hardtanh hardsigmoid hardswish relu6 tanhshrink hardshrink "
    "softshrink ").split()})
OPS.update({
    "cube": lambda x: x.pow(3),
    "clamp": lambda x: x.clamp(0.5, 1.5),
    "threshold": lambda x: F.threshold(x, 1, 0.5),
    "glu": lambda x: F.glu(x.view(-1, 100)),
    "argmax": lambda x: torch.argmax(x, 0),
    "argmin": lambda x: torch.argmin(x, 0),
    "cumprod": lambda x: x.cumprod(0),
    "logsumexp": lambda x: x.view(-1, 100).logsumexp(1),
    "prod_rows": lambda x: x.view(-1, 100).prod(1),
    "min_columns": lambda x: x.view(-1, 100).amin(0),
    "sum_rows": lambda x: x.view(-1, 100).sum(1),
    "sum_columns": lambda x: x.view(-1, 100).sum(0),
    "var_rows": lambda x: x.view(-1, 100).var(1),
    "max_rows": lambda x: x.view(-1, 100).amax(1),
    "cumsum": lambda x: x.cumsum(0),
    "softmax": lambda x: x.view(-1, 100).softmax(1),
    "log_softmax": lambda x: x.view(-1, 100).log_softmax(1),
    "layer_norm": lambda x: F.layer_norm(x.view(-1, 100), (100,)),
    "transpose": lambda x: x.view(-1, 100).t().contiguous(),
})
BINARY_OPS = {name: getattr(torch, name) for name in (
    "add sub mul div maximum pow atan2 hypot fmod remainder floor_divide minimum logaddexp xlogy eq ne lt le gt ge ").split()}
BINARY_OPS.update({
    "where": lambda x, y: torch.where(x > 1, x, y),
    "logical_and": lambda x, y: torch.logical_and(x > 1, y > 1),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3),
    "addcmul": lambda x, y: torch.addcmul(x, y, y, value=0.5),
    "addcdiv": lambda x, y: torch.addcdiv(x, y, y, value=0.5),
    "prelu": lambda x, y: F.prelu(x, y[:1]),
    "add_row": lambda x, y: x.view(-1, 100) + y[:100],
})
RANGES = {"asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atanh": (-0.9, 0.9), "logit": (0.1, 0.9), "acosh": (1, 3)}


def single_op(name, size):
    x, y = (uniform_tensor(seed, (size,), *RANGES.get(name, (0.1, 2))) for seed in (1, 2))
    operands = (x,) if name in OPS else (x, y)
    op = OPS.get(name) or BINARY_OPS[name]

    def step(read):
        result = op(*operands)
        return float(result.flatten()[0].item()) if read else 0

    return step


IMAGE, MATRIX = (16, 64, 28, 28), (1024, 512)


def bits(shape):
    return (torch.arange(math.prod(shape)) % 2).reshape(shape)


def with_constant(constant, f):
    return lambda x: f(x, constant)


class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(64, 128)

    def forward(self, x):
        return self.gru(x)[0]


LAYERS = {  # the shape of the input, and what makes the function
    "conv1x1": (IMAGE, lambda: nn.Conv2d(64, 128, 1)),
    "conv3s2": (IMAGE, lambda: nn.Conv2d(64, 64, 3, 2, 1)),
    "conv64to3": (IMAGE, lambda: nn.Conv2d(64, 3, 3, 1, 1)),
    "conv_depthwise": (IMAGE, lambda: nn.Conv2d(64, 64, 3, padding=1, groups=64)),
    "conv_transpose": ((16, 64, 14, 14), lambda: nn.ConvTranspose2d(64, 32, 4, 2, 1)),
    "batch_norm": (IMAGE, lambda: nn.BatchNorm2d(64)),
    "group_norm": (IMAGE, lambda: nn.GroupNorm(8, 64)),
    "layer_norm": ((2048, 256), lambda: nn.LayerNorm(256)),
    "max_pool": (IMAGE, lambda: lambda x: F.max_pool2d(x, 3, 2, 1)),
    "avg_pool": (IMAGE, lambda: lambda x: F.avg_pool2d(x, 2)),
    "global_pool": (IMAGE, lambda: lambda x: F.adaptive_avg_pool2d(x, 1)),
    "upsample": (IMAGE, lambda: lambda x: F.interpolate(x, scale_factor=2, mode="bilinear")),
    "cat": (IMAGE, lambda: lambda x: torch.cat([x, x], 1)),
    "linear_1": ((1, 1024), lambda: nn.Linear(1024, 1024)),
    "linear_16": ((16, 1024), lambda: nn.Linear(1024, 1024)),
    "gru": ((64, 32, 64), Gru),
    "transformer_layer": ((8, 64, 128), lambda: nn.TransformerEncoderLayer(128, 4, 512, 0.0, batch_first=True)),
    "dropout": (MATRIX, lambda: nn.Dropout(0.5)),
    "leaky_relu": (MATRIX, lambda: F.leaky_relu),
    "elu": (MATRIX, lambda: F.elu),
    "hardswish": (MATRIX, lambda: F.hardswish),
    "clamp": (MATRIX, lambda: lambda x: x.clamp(-0.5, 0.5)),
    "cube": (MATRIX, lambda: lambda x: x.pow(3)),
    "masked_fill": (MATRIX, lambda: with_constant(bits(MATRIX) == 1, lambda x, mask: x.masked_fill(mask, -1))),
    "smooth_l1": (MATRIX, lambda: with_constant(torch.zeros(MATRIX), F.smooth_l1_loss)),
    "bce_with_logits": (MATRIX, lambda: with_constant(bits(MATRIX).float(), F.binary_cross_entropy_with_logits)),
    "label_smoothing": (MATRIX, lambda: with_constant(bits(MATRIX[:1]), lambda x, y: F.cross_entropy(x, y, label_smoothing=0.1))),
    "sort": (MATRIX, lambda: lambda x: x.sort(1)[0]),
}


def single_layer(name):
    shape, make_layer = LAYERS[name]
    layer = make_layer()
    if isinstance(layer, nn.Module):
        fill_parameters(layer)
        if CHANNELS_LAST and len(shape) == 4:
            layer = layer.to(memory_format=torch.channels_last)
    x = uniform_tensor(1, shape)
    if CHANNELS_LAST and len(shape) == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    x.requires_grad_()
    g = uniform_tensor(2, tuple(layer(x).shape))

    def step(read):
        y = layer(x)
        y.backward(g)
        value = ((y * g).sum() + (x.grad * x).sum()).item() if read and name != "dropout" else 0
        x.grad = None
        if isinstance(layer, nn.Module):
            layer.zero_grad()
        return value

    return step


def make(name):
    if name in ("xyz", "chain"):
        return {"xyz": xyz, "chain": chain}[name]()
    if name.startswith("infer-"):
        return inference(name[6:])
    if name.startswith("optim-"):
        return optimizer_step(name[6:])
    if name.startswith("layer-"):
        return single_layer(name[6:])
    if name.startswith("op-"):
        op, size = name[3:].rsplit("-", 1)
        return single_op(op, int(size))
    if name.startswith("bf16-"):
        return training(name[5:], low=True)
    return training(name)


def status_kilobytes(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


def main():
    step, before = None, 0
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            if command == "load":
                step = None
                with open("/proc/self/clear_refs", "w") as file:
                    file.write("5")
                before = status_kilobytes("VmRSS")
                step = make(arguments[0])
                print(0, flush=True)
            elif command == "losses":
                print(*[repr(step(True)) for _ in range(int(arguments[0]))], flush=True)
            elif command == "run":
                start = time.perf_counter()
                for _ in range(int(arguments[0])):
                    step(False)
                print(time.perf_counter() - start, flush=True)
            elif command == "memory":
                print(status_kilobytes("VmHWM") - before, flush=True)
        except Exception as error:  # the caller reports it
            print("error:", type(error).__name__, str(error).replace("\n", " "), flush=True)


main()
