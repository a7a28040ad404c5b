"""docs_test.py COMMAND SOURCE_DIR: what the pages show is what there is.

Every piece of C++ stands in a program below examples/, which are compiled and run; the shell commands of the tutorial and
of docs/training.md are run in an empty folder, with the files that the pages show, and print what the pages say; the
configurations are right.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

COMMAND, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
PAGES = ["README.md", "docs/tutorial.md", "docs/training.md", "docs/from-pytorch.md"]
SMALL = """{"data": {"type": "Digits", "train": 300, "test": 50}, "model": {"type": "Sequential", "layers": ["Flatten", "Linear"]},
 "loss": "CrossEntropyLoss", "optimizer": {"type": "SGD", "lr": 0.1}, "stopping": [{"type": "max_epochs", "epochs": 2}]}"""


def blocks(page):
    """(what stands behind the fence, text) of every block of a page."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```", (SOURCE / page).read_text(), re.MULTILINE | re.DOTALL)


def lines(text):
    return [line.strip() for line in text.splitlines() if line.strip()]


def check_cpp():
    programs = ["\n".join(lines(path.read_text())) for path in (SOURCE / "examples").rglob("*.cc")]
    count = 0
    for page in PAGES:
        for kind, text in blocks(page):
            if kind != "cpp":
                continue
            piece = "\n".join(lines(text))
            assert any(f"\n{piece}\n" in f"\n{program}\n" for program in programs), f"{page}: not in a program:\n{text}"
            count += 1
    assert count >= 10, count


def run_shell(text, folder):
    environment = dict(os.environ, PATH=f"{COMMAND.parent}:{os.environ['PATH']}")
    result = subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, f"{text}\nended with {result.returncode}:\n{result.stdout}{result.stderr}"
    return result.stdout


def check_tutorial(folder):
    output, ran = "", 0
    for kind, text in blocks("docs/tutorial.md"):
        if kind.startswith("json "):
            (folder / kind.split()[1]).write_text(text)
        elif kind == "sh":
            output = run_shell(text, folder)
            ran += 1
        elif kind == "" and "…" in text and output:
            for line, expected in zip(lines(output), lines(text), strict=True):
                assert line.startswith(expected.split("…")[0]), f"found {line}, expected {expected}"
    assert ran >= 5 and (folder / "runs/parts/report.html").exists(), ran


def check_training(folder):
    (folder / "small.json").write_text(SMALL.replace('"Linear"', '{"type": "Linear", "out_features": 10}'))
    run_shell("eigengrad train small.json --out runs/mlp", folder)
    for kind, text in blocks("docs/training.md"):
        if kind == "sh":
            run_shell(text, folder)
    assert len((folder / "runs/mlp/metrics.jsonl").read_text().splitlines()) == 20


def check_configurations(folder):
    for page in ("docs/config.md", "docs/tutorial.md"):
        for kind, text in blocks(page):
            if kind.startswith("json") and '"stopping"' in text:
                (folder / "config.json").write_text(text)
                run_shell("eigengrad check config.json", folder)


check_cpp()
for check in (check_tutorial, check_training, check_configurations):
    with tempfile.TemporaryDirectory() as name:
        check(pathlib.Path(name))
    print("ok:", check.__name__, flush=True)
