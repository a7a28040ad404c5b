#!/usr/bin/env python3
"""Checks what may include what, in the whole tree: run without arguments, exits with 1 and a list of what is wrong.

- A folder includes only itself and the folders below it (docs/design.md).
- Public headers do not include the libraries behind them: users would pay for that in compile time, and Eigen's alignment
  depends on the user's own compiler flags.
- No compile flag that takes NaN or infinity away.
"""
import re
import sys
from pathlib import Path

# What each folder may include, besides itself.
BELOW = {
    "core": set(),
    "ops": {"core"},
    "autograd": {"core", "ops"},
    "config": {"core"},
    "nn": {"core", "ops", "autograd", "config"},
    "optim": {"core", "ops", "config"},
    "data": {"core", "ops", "config"},
    "io": {"core", "ops", "autograd", "config", "nn"},
    "train": {"core", "ops", "autograd", "config", "nn", "optim", "data", "io"},
    "tools": {"core", "ops", "autograd", "config", "nn", "optim", "data", "io", "train"},
}
# Headers for .cc files: they are not part of the interface.
INTERNAL = ("core/check.h", "core/dispatch.h", "ops/kernels/", "optim/describe.h", "optim/update.h")
LIBRARIES = re.compile(r"^(Eigen/|unsupported/Eigen|nlohmann/|spdlog/|fmt/|omp\.h|zlib\.h|png\.h|dnnl|CLI/|mpi\.h)")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
OURS = re.compile(r"^eigengrad/([a-z]+)/(.+)$")
UNSAFE_FLAGS = re.compile(r"-ffast-math|-Ofast|-ffinite-math-only|-funsafe-math-optimizations|-fassociative-math")
BUILD_FILES = ("CMakeLists.txt", "*.cmake", "CMakePresets.json")


def sources(root, folder):
    paths = (root / folder).rglob("*")
    return sorted(p for p in paths if p.suffix in (".h", ".cc", ".cpp", ".hpp") and p.is_file())


def check_file(root, folder, path):
    name = path.relative_to(root).as_posix()
    internal = path.suffix != ".h" or name.startswith(INTERNAL) or folder == "tools"
    problems = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        place, included = f"{name}:{number}", match.group(1)
        ours = OURS.match(included)
        if ours:
            target = ours.group(1)
            if target != folder and target not in BELOW[folder]:
                problems.append(f"{place}: {folder}/ may not include {included}, which stands above it or beside it")
            if not internal and included.removeprefix("eigengrad/").startswith(INTERNAL):
                problems.append(f"{place}: a public header includes the internal {included}")
        elif included.startswith("eigengrad/"):
            if included != "eigengrad/eigen.h" or not internal:
                problems.append(f"{place}: {included} is for users: include the header that is needed")
        elif "/" in included and included.split("/")[0] in BELOW:
            problems.append(f'{place}: write "eigengrad/{included}"')
        elif not internal and LIBRARIES.match(included):
            problems.append(f"{place}: a public header includes {included}")
    return problems


def check_flags(root):
    files = [p for pattern in BUILD_FILES for p in root.rglob(pattern)]
    problems = []
    for path in sorted(set(files)):
        if "build" in path.relative_to(root).parts:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            flag = UNSAFE_FLAGS.search(line.split("#")[0])
            if flag:
                problems.append(f"{path.relative_to(root)}:{number}: {flag.group(0)} loses NaN")
    return problems


def check_folders(root):
    known = set(BELOW) | {"bench", "build", "cmake", "docs", "examples", "include", "scripts", "tests"}
    folders = {p.name for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")}
    with_code = {f for f in folders - known if sources(root, f)}
    return [f"{folder}/ has code but no place in this script's table" for folder in sorted(with_code)]


def check_tree(root):
    problems = check_folders(root) + check_flags(root)
    count = 0
    for folder in BELOW:
        for path in sources(root, folder):
            problems += check_file(root, folder, path)
            count += 1
    if count < 20:
        problems.append(f"only {count} files below {root}: is this the root of the project?")
    return problems


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    problems = check_tree(root)
    print("\n".join(problems) or "every include points down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
