"""package_test.py CMAKE BUILD_DIR CXX: installs the build, and builds and runs a program against the installed package."""

import pathlib
import subprocess
import sys
import tempfile

cmake, build, compiler = sys.argv[1:]
consumer = pathlib.Path(__file__).parent / "consumer"


def run(*command):
    print("+", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True)


with tempfile.TemporaryDirectory() as folder:
    prefix, out = pathlib.Path(folder, "prefix"), pathlib.Path(folder, "build")
    run(cmake, "--install", build, "--prefix", prefix)
    run(cmake, "-S", consumer, "-B", out, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={compiler}",
        "-DCMAKE_BUILD_TYPE=Release")
    run(cmake, "--build", out)
    run(out / "consumer")
    if (pathlib.Path(build) / "bin" / "eigengrad").exists():  # not in a build without tools
        run(prefix / "bin" / "eigengrad", "--version")
    headers = sorted(str(path.relative_to(prefix / "include")) for path in (prefix / "include").rglob("*.h"))
    outside = [header for header in headers if not header.startswith("eigengrad/")]
    assert not outside, f"headers outside eigengrad/: {outside}"
    internal = [header for header in headers if "kernels" in header or header.endswith(("core/check.h", "core/dispatch.h", "nn/rows.h"))]
    assert not internal, f"internal headers are installed: {internal}"
    heavy = ("Eigen/", "nlohmann/", "spdlog/", "fmt/")
    for header in headers:
        text = (prefix / "include" / header).read_text()
        included = [word for word in heavy if f"#include <{word}" in text]
        assert not included or header == "eigengrad/eigen.h", f"{header} includes {included}"
print("ok:", len(headers), "headers")
