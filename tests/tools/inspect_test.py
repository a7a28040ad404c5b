"""inspect_test.py EIGENGRAD SOURCE_DIR: what inspect says of memory is what training takes, for every example."""

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

PROGRAM, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
LARGEST_ERROR = 0.05
# Bytes that say nothing of a small net: two runs of one differ by so much, for the kernel counts pages in bundles for each
# processor, and maps more of the program's file where that is cached in large pieces.
JITTER = 3 * 2**19


def peak_of(command, folder):
    """Runs a command and returns its standard output and the most memory that it had, in bytes."""
    with open(folder / "stdout", "w") as out, open(folder / "stderr", "w") as err:
        process = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{command}: {(folder / 'stderr').read_text()}"
    return (folder / "stdout").read_text(), usage.ru_maxrss * 1024


def small_data(config, folder):
    """Little data of the kind that an example wants; those that an example has beside it stay."""
    if config.parent.name == "iris":
        for table in config.parent.glob("*.csv"):
            shutil.copy(table, folder)
        return None
    if config.parent.name != "shakespeare":
        return "data=" + json.dumps({"type": "Digits", "train": 900, "test": 300})
    random.seed(0)
    letters = [chr(33 + i) for i in range(65)]
    (folder / "tinyshakespeare.txt").write_text("".join(letters + random.choices(letters, k=9000)))
    return None


def main():
    worst = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for config in sorted((SOURCE / "examples").glob("*/*.json")):
            data = small_data(config, folder)
            settings = ["--data", folder, "--set", 'stopping=[{"type": "max_epochs", "epochs": 2}]']
            settings += ["--set", data] if data else []
            inspected, _ = peak_of([PROGRAM, "inspect", config, "--json", *settings], folder)
            predicted = json.loads(inspected)["memory"]["total"]
            _, measured = peak_of([PROGRAM, "train", config, "--out", config.stem, *settings], folder)
            error = predicted / measured - 1
            if abs(predicted - measured) > JITTER:
                worst = max(worst, abs(error))
            print(f"{config.stem:10} predicted {predicted / 2**20:7.1f} MiB, measured {measured / 2**20:7.1f} MiB: {100 * error:+.1f} %")
    assert worst <= LARGEST_ERROR, f"{100 * worst:.1f} % off"


main()
