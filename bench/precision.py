#!/usr/bin/env python3
"""bench/precision.py DATA [RUN...]: trains the same nets in float32 and under autocast, whose products and convolutions
multiply in bfloat16, with several seeds, and prints what they come to on the test set.

DATA is a folder with mnist/ (the files of MNIST) and text/tinyshakespeare.txt. RUN is one of mlp, lenet, lstm, gpt
(default: all of them).
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMMAND = ROOT / "build/release/bin/eigengrad"
# Configuration, folder of the data, the figure of the test set, seeds, and what makes the run shorter.
RUNS = {
    "mlp": ("mnist/mlp.json", "mnist", "test_accuracy", 5, []),
    "lenet": ("mnist/lenet.json", "mnist", "test_accuracy", 3, ["stopping.0.epochs=2"]),
    "lstm": ("shakespeare/lstm.json", "text", "test_loss", 3, ["stopping.0.epochs=2"]),
    "gpt": ("shakespeare/gpt.json", "text", "test_loss", 3,
            ['stopping=[{"type": "max_steps", "steps": 300}]']),
}


def figure(run, precision, seed):
    config, folder, name, _, shorter = RUNS[run]
    changes = [*shorter, f"training.precision={precision}", f"seed={seed}"]
    with tempfile.TemporaryDirectory() as out:
        command = [COMMAND, "train", ROOT / "examples" / config, "--data", pathlib.Path(sys.argv[1]) / folder, "--json",
                   "--out", pathlib.Path(out) / "run"]
        for change in changes:
            command += ["--set", change]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout)[name]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print("| run | figure | seeds | float32 | bfloat16 | difference |\n| --- | --- | --- | --- | --- | --- |")
    for run in sys.argv[2:] or RUNS:
        seeds = range(RUNS[run][3])
        wide, narrow = ([figure(run, precision, seed) for seed in seeds] for precision in ("float32", "bfloat16"))
        text = [f"{statistics.mean(all):.4f} ({min(all):.4f} to {max(all):.4f})" for all in (wide, narrow)]
        difference = statistics.mean(narrow) - statistics.mean(wide)
        print(f"| {run} | {RUNS[run][2]} | {len(seeds)} | {text[0]} | {text[1]} | {difference:+.4f} |", flush=True)


if __name__ == "__main__":
    main()
