"""bench_test.py STEPS LOSSES: the workloads of bench/compare give the losses, and the values of layers, that PyTorch gave.

STEPS is the program bench/steps/eigengrad.cc, LOSSES is bench/steps/losses.json (bench/compare --write-losses).
"""

import json
import subprocess
import sys

OTHERS = ["infer-mlp-tiny", "infer-lenet", "infer-lstm", "infer-gpt", "optim-sgd", "optim-adam", "op-exp-1000", "op-add_row-1000", "peak"]


def main():
    steps, losses_file = sys.argv[1:]
    with open(losses_file) as file:
        expected = json.load(file)
    program = subprocess.Popen([steps], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(*command):
        print(*command, file=program.stdin, flush=True)
        answer = program.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            sys.exit(f"{' '.join(map(str, command))}: {answer or 'the program has ended'}")
        return answer

    failed = False
    for name, losses in expected.items():
        ask("load", name)
        found = [float(x) for x in ask("losses", len(losses)).split()]
        for step, (a, b) in enumerate(zip(found, losses, strict=True)):
            # Updates make much of small differences, and so do the sums over all elements of a layer.
            if not abs(a - b) <= (1e-3 if step or name.startswith("layer-") else 1e-5) * max(1e-3, abs(b)):
                print(f"{name}: losses {found}, PyTorch's are {losses}")
                failed = True
                break
    for name in OTHERS:
        ask("load", name)
        ask("run", 1)
    program.stdin.close()
    sys.exit(1 if failed or program.wait() else 0)


main()
