"""examples_test.py DIR: runs every example, and looks for the figures that it must come to."""

import pathlib
import re
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(sys.argv[1]).resolve()


def seed(text, folder):
    assert "p = 4, g = -12" in text and "dg/dx = -3, dg/dy = -3, dg/dz = 4" in text
    assert (folder / "seed.dot").exists()


def xor(text, _):
    values = [float(number) for number in re.findall(r"\d\.\d+e[+-]\d+|\d\.\d+", text.split("11:")[1])]
    assert [round(value) for value in values] == [0, 1, 1, 0], values


def line(text, _):
    slope, offset = (float(number) for number in re.search(r"y = (\S+) x \+ (\S+)", text).groups())
    assert abs(slope - 3) < 0.05 and abs(offset + 2) < 0.05


def shared_weights(text, _):
    assert "2 parameters" in text
    assert float(re.search(r"uses: (\S+)", text).group(1)) < 1e-6
    assert float(re.findall(r"cost (\S+)", text)[-1]) < 0.01


def rnn(text, _):
    assert float(re.findall(r"squared error (\S+)", text)[-1]) < 0.03


def mnist(text, _):
    assert float(re.search(r"test accuracy (\S+)", text).group(1)) > 97


CHECKS = {check.__name__: check for check in (seed, xor, line, shared_weights, rnn, mnist)}

programs = sorted(path for path in FOLDER.iterdir() if path.is_file())
unknown = {path.name for path in programs} ^ set(CHECKS)
assert not unknown, f"examples and checks differ: {unknown}"
for program in programs:
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([program], cwd=folder, capture_output=True, text=True, timeout=300)
        print(f"== {program.name}\n{result.stdout}{result.stderr}", flush=True)
        assert result.returncode == 0, f"{program.name} ended with {result.returncode}"
        CHECKS[program.name](result.stdout, pathlib.Path(folder))
