"""pytorch_test.py IO_TESTS SOURCE_DIR: PyTorch reads the weights that Eigengrad has written, and computes the same.

Where there is no PyTorch it says so and ends with 77, which CTest shows as skipped. EIGENGRAD_TEST_PYTHON names a Python that
has it.
"""
import os
import pathlib
import subprocess
import sys
import tempfile

python = os.environ.get("EIGENGRAD_TEST_PYTHON", sys.executable)
if subprocess.run([python, "-c", "import torch"], capture_output=True).returncode != 0:
    print(f"*** {python} has no PyTorch: that PyTorch reads our weights is NOT tested ***")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "--gtest_filter=Interchange.*", "--gtest_brief=1"], check=True,
                   env=os.environ | {"EIGENGRAD_INTERCHANGE_OUT": folder})
    subprocess.run([python, "-W", "ignore", str(pathlib.Path(sys.argv[2]) / "tests/io/pytorch/nets.py"), "check", folder], check=True)
