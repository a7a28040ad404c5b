"""hostile_test.py READ_FILES plain|sanitized: gives every hostile file of make_files.py to its reader, in a process of its own: what is wrong
must be refused by an exception of the right kind, and memory stay below twice the file's size and 64 MiB. The sanitizers keep memory of
their own, so that it is not measured under them."""

import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import make_files  # noqa: E402

PROGRAM, MEASURED = sys.argv[1], sys.argv[2] == "plain"
ROOM = 64 << 20


def run(reader, path):
    """What the reader says of one file, what went wrong, how it ends, and the most memory that it took."""
    result = subprocess.run([PROGRAM, reader, str(path)], capture_output=True, timeout=120)
    said = result.stdout.decode(errors="surrogateescape")
    peak = re.search(r"^peak: (\d+) kB$", said, re.MULTILINE)
    return said[:peak.start()] if peak else said, result.stderr.decode(errors="replace"), result.returncode, 1024 * int(peak.group(1)) if peak else 0


def check(reader, path, size, must_be_taken):
    said, error, status, memory = run(reader, path)
    problems = []
    if status != 0:
        problems.append(f"ended with {status}: {error.strip()[-2000:]}")
    elif must_be_taken != said.startswith("taken"):
        problems.append(f"said: {said.strip()[:300]!r}")
    elif any((ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0 or "\ud800" <= c <= "\udfff" for c in said):
        problems.append(f"the message is not fit for a terminal: {said!r}")
    if MEASURED and not 0 < memory <= 2 * size + ROOM:
        problems.append(f"took {memory >> 20} MiB for a file of {size} bytes")
    return [f"{reader}/{path.name}: {problem}" for problem in problems], memory


problems, count, most = [], 0, (0, "")
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    for reader, file, data in make_files.hostile():
        path = folder / file
        path.write_bytes(data)
        found, memory = check(reader, path, len(data), file.startswith("ok_"))
        path.unlink()
        problems += found
        count += 1
        most = max(most, (memory, f"{reader}/{file}"))
    special = make_files.write_special(folder)
    for reader in subprocess.run([PROGRAM], capture_output=True, text=True, check=True).stdout.split():
        for path in special:
            problems += check(reader, path, 0, False)[0]
            count += 1

print(f"{count} hostile files; the most memory was {most[0] >> 20} MiB, for {most[1]}")
assert count >= 200
if problems:
    sys.exit("\n".join(problems[:30]) + f"\n{len(problems)} in all")
