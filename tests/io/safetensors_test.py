"""safetensors_test.py COMMAND: the files of a run are read by the safetensors package of Python, and agree with each other.

EIGENGRAD_TEST_PYTHON names a Python that has safetensors and numpy; by default it is the one that runs this.
"""

import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77
CONFIG = {
    "data": {"type": "Digits", "train": 200, "test": 50},
    "model": {"type": "Sequential", "layers": ["Flatten", {"type": "Linear", "out_features": 10}, "BatchNorm1d"]},
    "loss": "CrossEntropyLoss", "optimizer": {"type": "Adam"}, "stopping": [{"type": "max_epochs", "epochs": 2}],
}


def check(folder):
    """Runs in the Python that has the package."""
    from safetensors import safe_open
    from safetensors.numpy import load_file

    final = load_file(f"{folder}/model.safetensors")
    assert final["1.weight"].shape == (10, 784) and str(final["1.weight"].dtype) == "float32", final.keys()
    with safe_open(f"{folder}/model.safetensors", "np") as file:
        assert file.metadata() == {"format": "eigengrad"}, file.metadata()
    checkpoints = sorted(glob.glob(f"{folder}/checkpoints/*"))
    assert len(checkpoints) == 2, checkpoints
    for checkpoint in checkpoints:
        state, best = load_file(f"{checkpoint}/state.safetensors"), load_file(f"{checkpoint}/best.safetensors")
        assert load_file(f"{checkpoint}/model.safetensors").keys() == final.keys() == best.keys()
        assert state["step"] > 0 and state["history.epoch"].shape == (int(state["epoch"]),), state["history.epoch"]
        assert any(name.startswith("optimizer.") and value.shape == (10, 784) for name, value in state.items())
    assert all((final[name] == best[name]).all() for name in final), "a run ends with its best weights"
    print("safetensors reads", 1 + 3 * len(checkpoints), "files")


def main():
    if sys.argv[1] == "--check":
        return check(sys.argv[2])
    python = os.environ.get("EIGENGRAD_TEST_PYTHON", sys.executable)
    if subprocess.run([python, "-c", "import safetensors, numpy"], capture_output=True).returncode != 0:
        print(f"*** {python} has no safetensors and numpy (EIGENGRAD_TEST_PYTHON): files are NOT read by the package ***")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as name:
        config, out = pathlib.Path(name) / "config.json", pathlib.Path(name) / "run"
        config.write_text(json.dumps(CONFIG))
        subprocess.run([sys.argv[1], "train", config, "--out", out], check=True, capture_output=True)
        subprocess.run([python, __file__, "--check", out], check=True)


main()
