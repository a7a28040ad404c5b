#!/usr/bin/env python3
"""bench/shakespeare.py FILE [--python PYTHON] [--rounds N]: the two language models of examples/shakespeare, trained here and in
PyTorch by turns: the same nets, data, batches, optimizer and number of steps. Prints the times, their ratio, and both costs.

FILE is the text. PYTHON is a Python that has PyTorch; without one the peer is missing, and it says how to get it.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LSTM_EPOCHS, GPT_STEPS = 1, 250


def in_pytorch(model, path):
    import math

    import torch
    from torch import nn
    from torch.nn import functional as F

    text = pathlib.Path(path).read_text()
    characters = sorted(set(text))
    numbers = torch.tensor([characters.index(c) for c in text])
    last = int(len(numbers) * 0.1)
    train, valid = numbers[: len(numbers) - last], numbers[len(numbers) - last :]
    count = len(characters)
    torch.manual_seed(0)

    class CharLstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.lstm = nn.Embedding(count, 64), nn.LSTM(64, 256, batch_first=True)
            self.drop, self.head = nn.Dropout(0.2), nn.Linear(256, count)

        def step(self, x, state):
            y, (h, c) = self.lstm(self.embedding(x), state)
            return self.head(self.drop(y)), (h.detach(), c.detach())

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)
            self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
            self.up, self.down = nn.Linear(128, 512), nn.Linear(512, 128)

        def forward(self, x):
            n, length, width = x.shape
            q, k, v = (t.view(n, length, 4, 32).transpose(1, 2) for t in self.qkv(self.norm1(x)).split(width, -1))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(n, length, width)
            x = x + self.out(y)
            return x + self.down(F.gelu(self.up(self.norm2(x))))

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.places = nn.Embedding(count, 128), nn.Parameter(0.02 * torch.randn(128, 128))
            self.blocks, self.norm = nn.Sequential(*[Block() for _ in range(4)]), nn.LayerNorm(128)
            nn.init.normal_(self.embedding.weight, 0, 0.02)

        def forward(self, x):
            return self.norm(self.blocks(self.embedding(x) + self.places)) @ self.embedding.weight.T

    def read(net, part, optimizer):
        net.train(optimizer is not None)
        length = (len(part) - 1) // 64
        inputs, targets = (part[k : k + 64 * length].view(64, length) for k in (0, 1))
        state, costs = None, []
        with torch.set_grad_enabled(optimizer is not None):
            for start in range(0, length - 63, 64):
                logits, state = net.step(inputs[:, start : start + 64], state)
                cost = F.cross_entropy(logits.flatten(0, 1), targets[:, start : start + 64].flatten())
                if optimizer:
                    optimizer.zero_grad()
                    cost.backward()
                    nn.utils.clip_grad_norm_(net.parameters(), 1)
                    optimizer.step()
                costs.append(cost.item())
        return statistics.fmean(costs)

    started = time.perf_counter()
    if model == "lstm":
        net = CharLstm()
        optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
        for _ in range(LSTM_EPOCHS):
            read(net, train, optimizer)
            cost = read(net, valid, None)
    else:
        net = Gpt()
        optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, betas=(0.9, 0.99), weight_decay=0.1)
        for step in range(1, GPT_STEPS + 1):
            for group in optimizer.param_groups:
                group["lr"] = 3e-3 * min(1, step / 100) * (0.05 + 0.95 * 0.5 * (1 + math.cos(3.14159 * step / GPT_STEPS)))
            places = torch.randint(0, len(train) - 128, (32, 1)) + torch.arange(128)
            cost = F.cross_entropy(net(train[places]).flatten(0, 1), train[places + 1].flatten())
            optimizer.zero_grad()
            cost.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1)
            optimizer.step()
        with torch.no_grad():
            costs = [F.cross_entropy(net(valid[i : i + 128][None])[0], valid[i + 1 : i + 129]).item()
                     for i in range(0, len(valid) - 128, 128)]
        cost = statistics.fmean(costs)
    print(json.dumps({"seconds": time.perf_counter() - started, "valid": cost}))


def of_eigengrad(model, path):
    program = ROOT / "build/release/bin/examples" / f"char_{model}"
    with tempfile.TemporaryDirectory() as folder:
        amount = LSTM_EPOCHS if model == "lstm" else GPT_STEPS
        text = subprocess.run([program, path, str(amount)], cwd=folder, check=True, capture_output=True, text=True).stdout
    valid, seconds = re.findall(r"valid (\S+) .*\((\S+) s\)", text)[-1]
    return {"seconds": float(seconds), "valid": float(valid)}


def of_pytorch(model, path, python):
    text = subprocess.run([python, __file__, path, "--child", model], check=True, capture_output=True, text=True).stdout
    return json.loads(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    path = str(pathlib.Path(arguments.file).resolve())
    if arguments.child:
        return in_pytorch(arguments.child, path)
    if subprocess.run([arguments.python, "-c", "import torch"], capture_output=True).returncode != 0:
        sys.exit(f"{arguments.python} has no PyTorch: python3 -m venv peer && peer/bin/pip install torch, then --python peer/bin/python")
    for model in ("lstm", "gpt"):
        ours, theirs = [], []
        for _ in range(arguments.rounds):
            ours.append(of_eigengrad(model, path))
            theirs.append(of_pytorch(model, path, arguments.python))
        here, there = (statistics.median(r["seconds"] for r in runs) for runs in (ours, theirs))
        print(f"{model}: Eigengrad {here:.1f} s, PyTorch {there:.1f} s, ratio {there / here:.2f}; "
              f"valid cost {ours[0]['valid']:.3f} and {theirs[0]['valid']:.3f} nats", flush=True)


main()
