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


def adding(text, _):
    assert 0.1 < float(re.findall(r"squared error (\S+)", text)[-1]) < 0.25  # it takes more steps to learn


def uncertainty(text, folder):
    errors = re.search(r"error of the mean (\S+), of the standard deviation (\S+)", text)
    assert float(errors.group(1)) < 0.05 and float(errors.group(2)) < 0.03
    assert (folder / "uncertainty.svg").read_text().startswith("<svg")


def oscillator(text, folder):
    assert float(re.search(r"largest error of u (\S+)", text).group(1)) < 0.02
    assert (folder / "oscillator.svg").read_text().startswith("<svg")


def autoencoder(text, folder):
    assert float(re.findall(r"test pixel (\S+)", text)[-1]) < 0.05
    assert (folder / "autoencoder.png").read_bytes().startswith(b"\x89PNG")


def vae(text, folder):
    assert float(re.findall(r"test (\S+)", text)[-1]) < 300
    assert (folder / "vae.png").read_bytes().startswith(b"\x89PNG")


def char_lstm(text, folder):
    assert float(re.findall(r"valid (\S+)", text)[-1]) < 1.6  # a uniform guess has 2.56
    assert (folder / "char_lstm.safetensors").exists()


def char_gpt(text, folder):
    assert float(re.findall(r"valid (\S+)", text)[-1]) < 2.3
    assert (folder / "char_gpt.safetensors").exists()


def ask(text, folder):
    answers = re.findall(r"points.csv:\d+  (\w+) \(", text)
    expected = [line.split(",")[2] for line in (folder / "ask-run-points.csv").read_text().splitlines()[1:]]
    assert len(answers) == 60 and sum(a == b for a, b in zip(answers, expected)) >= 54, answers
    assert "of zeros the model says" in text


def tutorial(text, folder):
    assert float(re.search(r"test accuracy (\S+)", text).group(1)) > 0.95
    assert (folder / "net.safetensors").exists()


def snippets(text, folder):
    assert "readme: " in text and "correct: " in text and re.search(r"epoch 2 after 16 steps", text)
    assert (folder / "model.safetensors").exists() and len(list((folder / "checkpoints").iterdir())) == 3


CHECKS = {check.__name__: check for check in (seed, xor, line, shared_weights, rnn, mnist, adding, uncertainty, oscillator,
                                              autoencoder, vae, char_lstm, char_gpt, ask, tutorial, snippets)}
# The long ones are cut short.
ARGUMENTS = {"adding": ["250"], "autoencoder": ["-", "1"], "vae": ["-", "1"], "char_lstm": ["-", "1"], "char_gpt": ["-", "40"]}

programs = sorted(path for path in FOLDER.iterdir() if path.is_file())
unknown = {path.name for path in programs} ^ set(CHECKS)
assert not unknown, f"examples and checks differ: {unknown}"
for program in programs:
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([program, *ARGUMENTS.get(program.name, [])], cwd=folder, capture_output=True, text=True, timeout=300)
        print(f"== {program.name}\n{result.stdout}{result.stderr}", flush=True)
        assert result.returncode == 0, f"{program.name} ended with {result.returncode}"
        CHECKS[program.name](result.stdout, pathlib.Path(folder))
