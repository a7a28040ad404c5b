"""make_reference.py: writes reference.txt, the figures of PyTorch's layers and losses for reference_test.cc.

Needs PyTorch. Each line is an object of JSON, its numbers in float64:

  layer   a configuration run in one mode: the output, the gradients of sum(output * cos(0), cos(1), ...) at the inputs and
          the parameters, the buffers afterwards, and what PyTorch prints
  case    the same for a call that a configuration has no words for: masks, states, several outputs (the gradient is that
          of all outputs, one after another); reference_test.cc knows it by its name
  loss    a loss of an input and a target

Input k is 2 sin(1.7 i + 0.3 + k), or (7 i + 3 + k) % n for numbers below n. The parameters, in the order of their names,
are 0.5 cos(0.9 i + k).
"""

import json
import math
import pathlib

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def numbers(count):
    return torch.arange(count, dtype=torch.float64)


def sample(k, shape, below=None):
    count = math.prod(shape)
    if below:
        return ((7 * torch.arange(count) + 3 + k) % below).reshape(shape)
    return (2 * torch.sin(1.7 * numbers(count) + 0.3 + k)).reshape(shape).requires_grad_()


# ---- Layers that PyTorch does not have, or has as functions.

class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


class Sines(nn.Module):
    """The positional encoding of PyTorch's tutorial."""

    def __init__(self, d_model, max_len=5000, dropout=0.1, batch_first=False):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        self.table = torch.zeros(max_len, d_model)
        self.table[:, 0::2] = torch.sin(position * rate)
        self.table[:, 1::2] = torch.cos(position * rate)[:, : d_model // 2]

    def forward(self, x):
        return x + self.table[: x.shape[1]]


class Learned(nn.Module):
    def __init__(self, d_model, max_len, batch_first=False):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(max_len, d_model))

    def forward(self, x):
        return x + self.weight[: x.shape[1]]


class First(nn.Module):
    """Only the first of what a module returns."""

    def __init__(self, module):
        super().__init__()
        self.inner = module

    def forward(self, *x):
        return self.inner(*x)[0]


class Skip(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body = body
        if shortcut is not None:
            self.shortcut = shortcut

    def forward(self, x):
        return self.body(x) + (self.shortcut(x) if hasattr(self, "shortcut") else x)


class Named(nn.Module):
    """A Graph, step by step."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        for name, layer in config["layers"].items():
            if "shared" not in layer:
                self.add_module(name, module_of({k: v for k, v in layer.items() if k != "from"}))

    def forward(self, x):
        values, last = {"input": x}, "input"
        for name, layer in self.config["layers"].items():
            sources = layer.get("from", last)
            sources = [sources] if isinstance(sources, str) else sources
            values[name] = getattr(self, layer.get("shared", name))(*[values[s] for s in sources])
            last = name
        return values[self.config.get("output", last)]


class Causal(nn.Module):
    def __init__(self, module, length):
        super().__init__()
        self.inner, self.length = module, length

    def forward(self, x):
        return self.inner(x, nn.Transformer.generate_square_subsequent_mask(self.length), is_causal=True)


def stack_of(kind, o):
    layer = {k: v for k, v in o.items() if k not in ("num_layers", "norm")}
    norm = nn.LayerNorm(o["d_model"], o.get("layer_norm_eps", 1e-5), bias=o.get("bias", True)) if o.get("norm") else None
    extra = {"enable_nested_tensor": False} if kind == "Encoder" else {}
    return getattr(nn, "Transformer" + kind)(getattr(nn, f"Transformer{kind}Layer")(**layer), o["num_layers"], norm, **extra)


OWN = {
    "Permute": lambda dims: Function(lambda x: x.permute(dims)),
    "Select": lambda dim=1, index=-1: Function(lambda x: x.select(dim, index)),
    "Add": lambda: Function(lambda *x: sum(x)),
    "Multiply": lambda: Function(lambda *x: math.prod(x)),
    "Concat": lambda dim=1: Function(lambda *x: torch.cat(x, dim)),
    "PositionalEncoding": Sines,
    "LearnedPositionalEncoding": Learned,
    # PyTorch's own gradient has a 1/6 of float32 in it, even in float64.
    "Hardsigmoid": lambda: Function(lambda x: torch.nn.functional.hardtanh(x, -3, 3) / 6 + 0.5),
    "TransformerEncoder": lambda **o: stack_of("Encoder", o),
    "TransformerDecoder": lambda **o: stack_of("Decoder", o),
    "Transformer": lambda **o: nn.Transformer(**o),
}
RETURNS_MORE = ("RNN", "GRU", "LSTM", "LSTMCell", "MultiheadAttention")


def listed(layers):
    pairs = layers.items() if isinstance(layers, dict) else [(str(i), layer) for i, layer in enumerate(layers)]
    sequential = nn.Sequential()
    for name, layer in pairs:
        sequential.add_module(name, module_of(layer))
    return sequential


def module_of(config):
    if isinstance(config, str):
        config = {"type": config}
    kind = config["type"]
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in config.items() if key != "type"}
    if kind == "Sequential":
        module = listed(config["layers"])
    elif kind == "Residual":
        return Skip(listed(config["layers"]), listed(config["shortcut"]) if "shortcut" in config else None)
    elif kind == "Graph":
        module = Named(config)
    elif kind in OWN:
        return OWN[kind](**options)
    else:
        if kind in ("Softmax", "LogSoftmax", "Softmin"):
            options.setdefault("dim", -1)
        options.pop("is_causal", None)
        module = getattr(nn, kind)(**options)
    for name, source in config.get("tied", {}).items():
        holder, parameter = name.rsplit(".", 1)
        setattr(module.get_submodule(holder), parameter, module.get_parameter(source))
    return module


def set_parameters(module):
    named = sorted(module.named_parameters())
    for k, (_, parameter) in enumerate(named):
        parameter.data = (0.5 * torch.cos(0.9 * numbers(parameter.numel()) + k)).reshape(parameter.shape)
    return dict(named)


def flat(tensor):
    return [float(v) for v in tensor.detach().flatten().tolist()]


lines = []


def write(kind, config, training, inputs, run=None, name=None):
    shapes = [i if isinstance(i, dict) else {"shape": list(i)} for i in inputs]
    xs = [sample(k, i["shape"], i.get("below")) for k, i in enumerate(shapes)]
    module = module_of(config)
    parameters = set_parameters(module)
    module.train(training)
    if run:
        outputs = run(module, *xs)
    elif config["type"] in RETURNS_MORE:
        outputs = module(*(xs * 3 if config["type"] == "MultiheadAttention" and len(xs) == 1 else xs))[0]
    else:
        outputs = module(*xs)
    outputs = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
    joined = torch.cat([o.flatten() for o in outputs])
    wanted = {f"input{k}": x for k, x in enumerate(xs) if x.is_floating_point()} | parameters
    total = (joined * torch.cos(numbers(len(joined)))).sum()
    grads = torch.autograd.grad(total, list(wanted.values()), allow_unused=True) if wanted and total.requires_grad else []
    lines.append({"kind": kind, "name": name or config["type"], "config": config, "training": training, "inputs": shapes,
                  "outputs": [flat(o) for o in outputs], "shapes": [list(o.shape) for o in outputs],
                  "grads": {n: flat(g if g is not None else torch.zeros_like(wanted[n])) for n, g in zip(wanted, grads)},
                  "buffers": {n: flat(b) for n, b in module.named_buffers()},
                  "repr": "" if config["type"] in OWN or config["type"] in ("Graph", "Residual") else str(module)})


def layer(config, *inputs, modes=(True, False)):
    for training in modes:
        write("layer", config, training, inputs)


def case(name, config, inputs, run, training=False):
    write("case", config, training, inputs, run, name)


# ---- Layers.

X = [2, 4]
SEQUENCE, IMAGE = [2, 4, 6], [2, 4, 6, 5]
EVAL = (False,)

layer({"type": "Linear", "in_features": 4, "out_features": 3}, X)
layer({"type": "Linear", "in_features": 4, "out_features": 3, "bias": False}, [2, 3, 4])
layer({"type": "Bilinear", "in1_features": 3, "in2_features": 2, "out_features": 4}, [2, 3], [2, 2])
layer({"type": "Bilinear", "in1_features": 3, "in2_features": 2, "out_features": 1, "bias": False}, [2, 5, 3], [2, 5, 2])
layer({"type": "Identity"}, X)
layer({"type": "Embedding", "num_embeddings": 6, "embedding_dim": 3}, {"shape": [2, 4], "below": 6})
layer({"type": "Embedding", "num_embeddings": 6, "embedding_dim": 3, "padding_idx": 2}, {"shape": [2, 4], "below": 6})
layer({"type": "PositionalEncoding", "d_model": 6, "max_len": 9, "dropout": 0, "batch_first": True}, [2, 5, 6])
layer({"type": "LearnedPositionalEncoding", "d_model": 4, "max_len": 9, "batch_first": True}, [2, 5, 4])

for kind, x in (("1d", SEQUENCE), ("2d", IMAGE)):
    two = kind == "2d"
    base = {"type": "Conv" + kind, "in_channels": 4, "out_channels": 6, "kernel_size": 3}
    layer(base, x)
    layer(base | {"kernel_size": [3, 2] if two else 2, "stride": [2, 1] if two else 2, "padding": [1, 2] if two else 1,
                  "dilation": [1, 2] if two else 2, "groups": 2, "bias": False}, x)
    layer(base | {"padding": "same"}, x)
    layer(base | {"padding": "same", "kernel_size": [2, 3] if two else 4, "dilation": [1, 2] if two else 1}, x)
    layer(base | {"padding": "valid"}, x)
    for mode in ("reflect", "replicate", "circular"):
        layer(base | {"padding": 2, "padding_mode": mode}, x)
    layer(base | {"padding": "same", "padding_mode": "circular"}, x)
    base = {"type": "ConvTranspose" + kind, "in_channels": 4, "out_channels": 2, "kernel_size": 3}
    layer(base, x)
    layer(base | {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2, "bias": False, "dilation": 2}, x)

    layer({"type": "MaxPool" + kind, "kernel_size": 2}, x)
    layer({"type": "MaxPool" + kind, "kernel_size": [3, 2] if two else 3, "stride": 1, "padding": 1, "dilation": [1, 2] if two else 2}, x)
    layer({"type": "MaxPool" + kind, "kernel_size": 3, "stride": 2, "ceil_mode": True}, x)
    layer({"type": "AvgPool" + kind, "kernel_size": 2}, x)
    layer({"type": "AvgPool" + kind, "kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}, x)
    layer({"type": "AdaptiveAvgPool" + kind, "output_size": 3}, x)
    layer({"type": "AdaptiveMaxPool" + kind, "output_size": 3}, x)
    layer({"type": "BatchNorm" + kind, "num_features": 4}, x)
    layer({"type": "BatchNorm" + kind, "num_features": 4, "eps": 1e-3, "momentum": None}, x)
    layer({"type": "BatchNorm" + kind, "num_features": 4, "affine": False, "momentum": 0.3}, x)
    layer({"type": "BatchNorm" + kind, "num_features": 4, "track_running_stats": False, "bias": False}, x)
    layer({"type": "InstanceNorm" + kind, "num_features": 4}, x)
    layer({"type": "InstanceNorm" + kind, "num_features": 4, "affine": True, "bias": False, "track_running_stats": True}, x)
    layer({"type": "Dropout" + kind, "p": 0.25}, x, modes=EVAL)
layer({"type": "AvgPool2d", "kernel_size": [2, 3], "divisor_override": 5}, IMAGE)
layer({"type": "AdaptiveAvgPool2d", "output_size": [4, 2]}, IMAGE)
layer({"type": "AdaptiveMaxPool2d", "output_size": [4, 2]}, IMAGE)
layer({"type": "BatchNorm1d", "num_features": 4}, [3, 4])
layer({"type": "LayerNorm", "normalized_shape": 4}, [2, 3, 4])
layer({"type": "LayerNorm", "normalized_shape": [3, 4], "eps": 1e-3, "bias": False}, [2, 3, 4])
layer({"type": "LayerNorm", "normalized_shape": 4, "elementwise_affine": False}, [2, 3, 4])
layer({"type": "RMSNorm", "normalized_shape": 4}, [2, 3, 4])
layer({"type": "RMSNorm", "normalized_shape": [3, 4], "eps": 1e-3}, [2, 3, 4])
layer({"type": "RMSNorm", "normalized_shape": 4, "elementwise_affine": False}, [2, 3, 4])
layer({"type": "GroupNorm", "num_groups": 2, "num_channels": 4}, IMAGE)
layer({"type": "GroupNorm", "num_groups": 4, "num_channels": 4, "eps": 1e-3, "affine": False}, SEQUENCE)
layer({"type": "GroupNorm", "num_groups": 1, "num_channels": 4, "bias": False}, SEQUENCE)
layer({"type": "Dropout", "p": 0.5}, X, modes=EVAL)
layer({"type": "Dropout", "p": 0.0}, X)
layer({"type": "AlphaDropout", "p": 0.5}, X, modes=EVAL)

for kind in ("RNN", "GRU", "LSTM"):
    base = {"type": kind, "input_size": 3, "hidden_size": 2, "batch_first": True}
    layer(base, [2, 4, 3])
    layer(base | {"num_layers": 2, "bias": False}, [2, 4, 3])
    layer(base | {"num_layers": 2, "bidirectional": True}, [3, 4, 3])
    layer(base | {"num_layers": 2, "dropout": 0.5}, [2, 4, 3], modes=EVAL)
    layer({"type": kind + "Cell", "input_size": 3, "hidden_size": 2}, [4, 3])
    layer({"type": kind + "Cell", "input_size": 3, "hidden_size": 2, "bias": False}, [4, 3])
layer({"type": "RNN", "input_size": 3, "hidden_size": 2, "batch_first": True, "nonlinearity": "relu"}, [2, 4, 3])
layer({"type": "RNNCell", "input_size": 3, "hidden_size": 2, "nonlinearity": "relu"}, [4, 3])
layer({"type": "LSTM", "input_size": 3, "hidden_size": 4, "num_layers": 2, "bidirectional": True, "proj_size": 2,
       "batch_first": True}, [2, 4, 3])

HEADS = {"type": "MultiheadAttention", "embed_dim": 4, "num_heads": 2, "batch_first": True}
layer(HEADS, [2, 3, 4])
layer(HEADS | {"bias": False, "add_zero_attn": True}, [2, 3, 4])
layer(HEADS | {"kdim": 3, "vdim": 5, "add_bias_kv": True}, [2, 3, 4], [2, 5, 3], [2, 5, 5])
WIDTH = {"d_model": 4, "nhead": 2, "dim_feedforward": 5, "dropout": 0.0, "batch_first": True}
for more in ({}, {"norm_first": True, "activation": "gelu"}, {"bias": False, "layer_norm_eps": 1e-3}):
    layer({"type": "TransformerEncoderLayer"} | WIDTH | more, [2, 3, 4])
    layer({"type": "TransformerDecoderLayer"} | WIDTH | more, [2, 3, 4], [2, 5, 4])
    layer({"type": "TransformerEncoder", "num_layers": 2, "norm": bool(more)} | WIDTH | more, [2, 3, 4])
    layer({"type": "TransformerDecoder", "num_layers": 2, "norm": bool(more)} | WIDTH | more, [2, 3, 4], [2, 5, 4])
layer({"type": "TransformerEncoderLayer"} | WIDTH | {"dropout": 0.3}, [2, 3, 4], modes=EVAL)

layer({"type": "Flatten"}, [2, 3, 4])
layer({"type": "Flatten", "start_dim": 2, "end_dim": 3}, [2, 3, 2, 2])
layer({"type": "Unflatten", "dim": 1, "unflattened_size": [2, 3]}, [2, 6, 2])
layer({"type": "Unflatten", "dim": -1, "unflattened_size": [-1, 2]}, [2, 2, 6])
layer({"type": "Permute", "dims": [0, 3, 1, 2]}, [2, 3, 4, 2])
layer({"type": "Select"}, [2, 3, 4])
layer({"type": "Select", "dim": 2, "index": 1}, [2, 3, 4])
layer({"type": "Upsample", "scale_factor": 2.0}, IMAGE)
layer({"type": "Upsample", "size": [7, 3], "mode": "bilinear"}, IMAGE)
layer({"type": "Upsample", "scale_factor": 1.5, "mode": "bilinear", "align_corners": True}, IMAGE)
layer({"type": "Upsample", "scale_factor": 2.0, "mode": "linear"}, SEQUENCE)
layer({"type": "ZeroPad1d", "padding": [1, 2]}, SEQUENCE)
layer({"type": "ZeroPad2d", "padding": 2}, IMAGE)
layer({"type": "ZeroPad2d", "padding": [1, -1, 2, 0]}, IMAGE)
layer({"type": "ReflectionPad2d", "padding": [1, 2, 3, 0]}, IMAGE)
layer({"type": "ReplicationPad2d", "padding": [1, 2, 3, 0]}, IMAGE)
layer({"type": "Add"}, X, X, X)
layer({"type": "Multiply"}, X, X)
layer({"type": "Concat"}, [2, 3, 2], [2, 1, 2])
layer({"type": "Concat", "dim": -1}, [2, 3, 2], [2, 3, 4])

for options in (
    {"type": "LeakyReLU", "negative_slope": 0.2}, {"type": "ELU", "alpha": 1.5}, {"type": "CELU", "alpha": 1.5},
    {"type": "Hardtanh", "min_val": -0.5, "max_val": 1.5}, {"type": "GELU"}, {"type": "GELU", "approximate": "tanh"},
    {"type": "Softplus", "beta": 2.5}, {"type": "Hardshrink", "lambd": 0.7}, {"type": "Softshrink", "lambd": 0.7},
    {"type": "Threshold", "threshold": 0.5, "value": -1.25}, {"type": "PReLU"}, {"type": "GLU"},
):
    layer(options, X)
layer({"type": "PReLU", "num_parameters": 4, "init": 0.1}, [2, 4, 3])
layer({"type": "RReLU", "lower": 0.1, "upper": 0.5}, X, modes=EVAL)
layer({"type": "GLU", "dim": 1}, [2, 4, 3])
layer({"type": "Softmax2d"}, IMAGE)
for kind in ("Softmax", "LogSoftmax", "Softmin"):
    layer({"type": kind, "dim": 1}, [2, 3, 4])
    layer({"type": kind, "dim": -1}, [2, 3, 4])
for kind in ("ReLU Sigmoid Tanh SELU SiLU Mish Softsign LogSigmoid Hardsigmoid Hardswish ReLU6 Tanhshrink "
             "LeakyReLU ELU CELU Hardtanh Softplus Hardshrink Softshrink").split():
    layer({"type": kind}, X)

layer({"type": "Sequential", "layers": [{"type": "Linear", "in_features": 4, "out_features": 3}, "ReLU"]}, X)
layer({"type": "Sequential", "layers": {"first": {"type": "Linear", "in_features": 4, "out_features": 4},
                                        "second": {"type": "Linear", "in_features": 4, "out_features": 4, "bias": False}},
       "tied": {"second.weight": "first.weight"}}, X)
CONV = {"type": "Conv2d", "in_channels": 2, "out_channels": 2, "kernel_size": 3, "padding": 1}
layer({"type": "Residual", "layers": [CONV, "ReLU"]}, [2, 2, 4, 3])
layer({"type": "Residual", "layers": [CONV | {"out_channels": 3, "stride": 2}],
       "shortcut": [{"type": "Conv2d", "in_channels": 2, "out_channels": 3, "kernel_size": 1, "stride": 2}]}, [2, 2, 4, 3])
layer({"type": "Graph", "layers": {
    "a": {"type": "Linear", "in_features": 4, "out_features": 4}, "b": {"type": "Tanh"},
    "sum": {"type": "Add", "from": ["b", "input"]}, "again": {"shared": "a", "from": "sum"},
    "both": {"type": "Concat", "from": ["again", "a"]}, "unused": {"type": "ReLU"}}, "output": "both"}, X)

# ---- Calls with more than a configuration says.

for kind in ("RNN", "GRU"):
    base = {"type": kind, "input_size": 3, "hidden_size": 2, "num_layers": 2, "bidirectional": True}
    case("states", base, [[5, 2, 3], [4, 2, 2]], lambda m, x, h: m(x, h))
    case("states", base | {"batch_first": True}, [[2, 5, 3], [4, 2, 2]], lambda m, x, h: m(x, h))
    case("states", base, [[5, 3], [4, 2]], lambda m, x, h: m(x, h))
    case("no state", base, [[5, 3]], lambda m, x: m(x))
    case("cell", {"type": kind + "Cell", "input_size": 3, "hidden_size": 2}, [[4, 3], [4, 2]], lambda m, x, h: m(x, h))
    case("cell", {"type": kind + "Cell", "input_size": 3, "hidden_size": 2}, [[3], [2]], lambda m, x, h: m(x, h))


def lstm(m, x, h, c):
    y, (h, c) = m(x, (h, c))
    return y, h, c


for more in ({}, {"proj_size": 2}):
    base = {"type": "LSTM", "input_size": 3, "hidden_size": 4, "num_layers": 2, "bidirectional": True} | more
    size = more.get("proj_size", 4)
    case("lstm states", base, [[5, 2, 3], [4, 2, size], [4, 2, 4]], lstm)
    case("lstm states", base | {"batch_first": True}, [[2, 5, 3], [4, 2, size], [4, 2, 4]], lstm)
    case("lstm states", base, [[5, 3], [4, size], [4, 4]], lstm)
cell = {"type": "LSTMCell", "input_size": 3, "hidden_size": 2}
case("lstm cell", cell, [[4, 3], [4, 2], [4, 2]], lambda m, x, h, c: m(x, (h, c)))
case("lstm cell", cell, [[3], [2], [2]], lambda m, x, h, c: m(x, (h, c)))

HEADS = {"type": "MultiheadAttention", "embed_dim": 4, "num_heads": 2}
QKV = [[3, 2, 4], [5, 2, 4], [5, 2, 4]]
PADDED = torch.arange(10).reshape(2, 5) % 4 == 3
BLOCKED = torch.arange(15).reshape(3, 5) % 3 == 1
case("weights", HEADS, QKV, lambda m, q, k, v: m(q, k, v))
case("weights of each head", HEADS, QKV, lambda m, q, k, v: m(q, k, v, average_attn_weights=False))
case("one sequence", HEADS, [[3, 4], [5, 4], [5, 4]], lambda m, q, k, v: m(q, k, v))
case("padding", HEADS | {"add_bias_kv": True, "add_zero_attn": True}, QKV, lambda m, q, k, v: m(q, k, v, key_padding_mask=PADDED))
case("blocked", HEADS | {"add_zero_attn": True}, QKV, lambda m, q, k, v: m(q, k, v, attn_mask=BLOCKED, key_padding_mask=PADDED))
case("blocked by head", HEADS, QKV, lambda m, q, k, v: m(q, k, v, attn_mask=torch.arange(60).reshape(4, 3, 5) % 4 == 1))
case("added", HEADS, QKV + [[3, 5]], lambda m, q, k, v, mask: m(q, k, v, attn_mask=mask))
case("causal", HEADS, [[4, 2, 4]], lambda m, x: m(x, x, x, attn_mask=torch.ones(4, 4, dtype=torch.bool).triu(1), is_causal=True))

LAYER = {"d_model": 4, "nhead": 2, "dim_feedforward": 5, "dropout": 0.0}
FUTURE = torch.ones(3, 3, dtype=torch.bool).triu(1)
case("encoder masks", {"type": "TransformerEncoderLayer"} | LAYER, [[5, 2, 4]],
     lambda m, x: m(x, src_mask=torch.ones(5, 5, dtype=torch.bool).triu(1), src_key_padding_mask=PADDED))
case("encoder masks", {"type": "TransformerEncoder", "num_layers": 2} | LAYER, [[5, 2, 4]],
     lambda m, x: m(x, mask=torch.ones(5, 5, dtype=torch.bool).triu(1), src_key_padding_mask=PADDED))
for kind in ({"type": "TransformerDecoderLayer"}, {"type": "TransformerDecoder", "num_layers": 2, "norm": True}):
    case("decoder masks", kind | LAYER, [[3, 2, 4], [5, 2, 4]],
         lambda m, t, s: m(t, s, tgt_mask=FUTURE, memory_mask=BLOCKED, memory_key_padding_mask=PADDED))
case("transformer", {"type": "Transformer", "num_encoder_layers": 2, "num_decoder_layers": 1} | LAYER, [[5, 2, 4], [3, 2, 4]],
     lambda m, s, t: m(s, t, tgt_mask=FUTURE, src_key_padding_mask=PADDED, memory_key_padding_mask=PADDED), training=True)
case("max_norm", {"type": "Embedding", "num_embeddings": 6, "embedding_dim": 3, "max_norm": 0.5}, [{"shape": [3, 2], "below": 6}],
     lambda m, x: (m(x), m.weight))

# ---- Losses.

SIGNS = "signs"
PROBABILITIES = "probabilities"


def target_of(config, kind, shape):
    count = math.prod(shape)
    if kind == "labels":
        return torch.arange(count).reshape(shape) % 3
    if kind == SIGNS:
        return ((torch.arange(count) % 2) * 2.0 - 1).reshape(shape)
    if kind == "counts":
        return (torch.arange(count) % 4).double().reshape(shape)
    if kind == "wanted":  # classes in front, -1 behind them
        return torch.where(torch.arange(shape[1]) < 2, torch.arange(count).reshape(shape) % shape[1], -1)
    if kind == "sequence":  # labels 1 or 2, then the filling
        return torch.where(torch.arange(shape[1]) < 2, 1 + torch.arange(count).reshape(shape) % 2, -1)
    numbers01 = ((1 + torch.sin(numbers(count))) / 2).reshape(shape)
    return numbers01 / numbers01.sum(1, keepdim=True) if kind == "distributions" else numbers01


def loss_of(config, x, target):
    options = {k: torch.tensor(v) if isinstance(v, list) else v for k, v in config.items() if k != "type"}
    kind = config["type"]
    loss = getattr(nn, kind)(**options)
    if kind == "GaussianNLLLoss":
        return loss(x[:, 0], target, x[:, 1])
    if kind in ("MarginRankingLoss", "CosineEmbeddingLoss"):
        return loss(x[:, 0], x[:, 1], target)
    if kind == "TripletMarginLoss":
        return loss(x[:, 0], x[:, 1], x[:, 2])
    if kind == "CTCLoss":
        lengths = (target >= 0).sum(1)
        return loss(x.transpose(0, 1), target.clamp(min=1), torch.full((len(x),), x.shape[1]), lengths)
    return loss(x, target)


def loss(config, shape, target="numbers", target_shape=None, through=None):
    """`through` is what the raw numbers go through to be a valid input."""
    x = sample(0, shape)
    functions = {None: lambda t: t, "sigmoid": torch.sigmoid, "exp": torch.exp,
                 "log_softmax": lambda t: torch.log_softmax(t, -1)}
    y = loss_of(config, functions[through](x), target_of(config, target, target_shape or shape))
    (y * torch.cos(numbers(y.numel())).reshape(y.shape)).sum().backward()
    lines.append({"kind": "loss", "config": config, "inputs": [{"shape": shape}], "through": through or "", "target": target,
                  "target_shape": target_shape or shape, "outputs": [flat(y)], "shapes": [list(y.shape)],
                  "grads": {"input0": flat(x.grad)}})


ANY = [4, 3]
for reduction in ({}, {"reduction": "sum"}, {"reduction": "none"}):
    def plain(kind, *rest, **more):
        loss({"type": kind} | {k: v for k, v in more.items() if k not in ("target", "target_shape", "through")} | reduction,
             *rest, **{k: v for k, v in more.items() if k in ("target", "target_shape", "through")})
    plain("CrossEntropyLoss", ANY, target="labels", target_shape=[4])
    plain("CrossEntropyLoss", ANY, target="labels", target_shape=[4], weight=[0.5, 2, 1.25], label_smoothing=0.1)
    plain("CrossEntropyLoss", ANY, target="labels", target_shape=[4], ignore_index=1)
    plain("CrossEntropyLoss", [2, 3, 4], target="labels", target_shape=[2, 4])
    plain("CrossEntropyLoss", ANY, target="distributions", weight=[0.5, 2, 1.25], label_smoothing=0.2)
    plain("NLLLoss", ANY, target="labels", target_shape=[4], through="log_softmax")
    plain("NLLLoss", ANY, target="labels", target_shape=[4], through="log_softmax", weight=[0.5, 2, 1.25], ignore_index=1)
    plain("MSELoss", ANY)
    plain("L1Loss", ANY)
    plain("SmoothL1Loss", ANY)
    plain("SmoothL1Loss", ANY, beta=0.5)
    plain("HuberLoss", ANY)
    plain("HuberLoss", ANY, delta=0.5)
    plain("BCELoss", ANY, through="sigmoid")
    plain("BCELoss", ANY, through="sigmoid", weight=[0.5, 2, 3])
    plain("BCEWithLogitsLoss", ANY)
    plain("BCEWithLogitsLoss", ANY, weight=[0.5, 2, 3], pos_weight=[3, 1, 0.5])
    plain("BCEWithLogitsLoss", ANY, pos_weight=[2])
    plain("KLDivLoss", ANY, through="log_softmax", target="distributions")
    plain("KLDivLoss", ANY, through="log_softmax", log_target=True)
    plain("PoissonNLLLoss", ANY, target="counts")
    plain("PoissonNLLLoss", ANY, target="counts", log_input=False, full=True, eps=1e-3, through="exp")
    plain("GaussianNLLLoss", [4, 2, 3], target_shape=[4, 3], through="exp")
    plain("GaussianNLLLoss", [4, 2, 3], target_shape=[4, 3], through="exp", full=True, eps=0.5)
    plain("SoftMarginLoss", ANY, target=SIGNS)
    plain("HingeEmbeddingLoss", ANY, target=SIGNS)
    plain("HingeEmbeddingLoss", ANY, target=SIGNS, margin=0.5)
    plain("MarginRankingLoss", [5, 2], target=SIGNS, target_shape=[5], margin=0.3)
    plain("CosineEmbeddingLoss", [5, 2, 3], target=SIGNS, target_shape=[5], margin=0.3)
    plain("TripletMarginLoss", [5, 3, 4])
    plain("TripletMarginLoss", [5, 3, 4], margin=0.5, p=3.0, swap=True)
    plain("MultiMarginLoss", ANY, target="labels", target_shape=[4])
    plain("MultiMarginLoss", ANY, target="labels", target_shape=[4], p=2, margin=0.5, weight=[0.5, 2, 1.25])
    plain("MultiLabelMarginLoss", [4, 5], target="wanted")
    plain("MultiLabelSoftMarginLoss", ANY)
    plain("MultiLabelSoftMarginLoss", ANY, weight=[0.5, 2, 1.25])
    plain("CTCLoss", [2, 5, 3], target="sequence", target_shape=[2, 3], through="log_softmax")
    plain("CTCLoss", [2, 1, 3], target="sequence", target_shape=[2, 3], through="log_softmax", zero_infinity=True)
loss({"type": "KLDivLoss", "reduction": "batchmean"}, ANY, through="log_softmax", target="distributions")

pathlib.Path(__file__).with_name("reference.txt").write_text("".join(json.dumps(line) + "\n" for line in lines))
