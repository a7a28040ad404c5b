"""onnx_test.py IO_TESTS: what the ONNX files compute in onnxruntime is what Eigengrad computes."""

import glob
import json
import os
import subprocess
import sys
import tempfile

PYTHON = os.environ.get("EIGENGRAD_TEST_PYTHON", sys.executable)
if PYTHON != sys.executable and "EIGENGRAD_ONNX_STARTED" not in os.environ:
    os.environ["EIGENGRAD_ONNX_STARTED"] = "1"
    os.execv(PYTHON, [PYTHON, *sys.argv])
try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as missing:
    print(f"*** {missing}: that onnxruntime computes what Eigengrad does is NOT tested ***")
    sys.exit(77)


def tensors_of(path):
    data = open(path, "rb").read()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    kinds = {"F32": numpy.float32, "I64": numpy.int64}
    result = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            result[name] = numpy.frombuffer(data[begin:end], kinds[entry["dtype"]]).reshape(entry["shape"])
    return result


def outputs(path, x):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0]


def main():
    failures, cases = [], 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], "--gtest_filter=Onnx.WritesEveryCase", "--gtest_brief=1"], check=True,
                       env={**os.environ, "EIGENGRAD_ONNX_FOLDER": folder})
        for expected in sorted(glob.glob(folder + "/*.safetensors")):
            base = expected.removesuffix(".safetensors")
            tensors = tensors_of(expected)
            for path in sorted(glob.glob(base + ".onnx") + glob.glob(base + "_*.onnx")):
                cases += 1
                try:
                    onnx.checker.check_model(path, full_check=True)
                    for samples in (3, 2):  # the batch axis is open
                        y = outputs(path, tensors["x"][:samples])
                        assert y.shape == tensors["y"][:samples].shape, y.shape
                        numpy.testing.assert_allclose(y, tensors["y"][:samples], rtol=1e-4, atol=1e-5)
                except Exception as error:  # noqa: BLE001: every case is to be told
                    failures.append(f"{open(base + '.json').read()} {os.path.basename(path)}: {str(error)[:400]}")
    print("\n".join(failures))
    assert not failures, f"{len(failures)} of {cases} differ"
    assert cases >= 340, cases
    print(f"{cases} files agree with onnxruntime {onnxruntime.__version__}")


main()
