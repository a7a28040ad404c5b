"""nets.py: the nets of interchange_test.cc in PyTorch, and safetensors files without the package of that name.

    python3 nets.py            writes NAME.safetensors (the weights, and what the net gives for an input) for each net
    python3 nets.py check DIR  loads the files that interchange_test.cc has written into DIR, and compares what the nets give
"""
import json
import pathlib
import struct
import sys

import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 6, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(12, 3, 20, batch_first=True, norm_first=True, activation="gelu")
        self.encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(12), enable_nested_tensor=False)

    def forward(self, x):
        return self.encoder(x)


NETS = {
    "mlp": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 5)), (4, 3, 4)),
    "cnn": (lambda: nn.Sequential(nn.Conv2d(2, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
                                  nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(24, 3)), (3, 2, 8, 8)),
    "lstm": (Lstm, (3, 7, 5)),
    "transformer": (Encoder, (2, 6, 12)),
}
TYPES = {torch.float32: "F32", torch.int64: "I64"}


def save(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def load(path):
    raw = path.read_bytes()
    size = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        dtype = {kind: t for t, kind in TYPES.items()}[entry["dtype"]]
        values = torch.frombuffer(bytearray(raw[8 + size + first : 8 + size + last]), dtype=dtype) if last > first else torch.empty(0, dtype=dtype)
        tensors[name] = values.reshape(entry["shape"])
    return tensors


def make():
    for name, (net_of, shape) in NETS.items():
        torch.manual_seed(1)
        net = net_of()
        for _ in range(3):
            net(torch.randn(shape))  # for running statistics that are not those of the beginning
        net.eval()
        x = torch.randn(shape)
        with torch.no_grad():
            save(HERE / f"{name}.safetensors", net.state_dict() | {"input": x, "output": net(x)})


def check(folder):
    for name, (net_of, _) in NETS.items():
        tensors = load(pathlib.Path(folder) / f"{name}.safetensors")
        x, expected = tensors.pop("input"), tensors.pop("output")
        net = net_of().eval()
        net.load_state_dict(tensors)
        with torch.no_grad():
            error = (net(x) - expected).abs().max().item()
        print(f"{name}: PyTorch gives the same to {error:.1e}")
        assert error < 1e-5, name


if len(sys.argv) > 1:
    check(sys.argv[2])
else:
    make()
