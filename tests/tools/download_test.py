"""download_test.py SOURCE_DIR: scripts/download-mnist against a server on this machine that lies in every way."""

import gzip
import hashlib
import http.server
import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

SCRIPT = pathlib.Path(sys.argv[1], "scripts", "download-mnist")

loader = importlib.machinery.SourceFileLoader("download_mnist", str(SCRIPT))
sys.dont_write_bytecode = True
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("download_mnist", loader))
loader.exec_module(module)

RIGHT = {name: f"contents of {name}".encode() * 100 for name in module.SHA256}
files = {}
requests = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        requests.append(self.path)
        name = self.path.rsplit("/", 1)[-1].removesuffix(".gz")
        if files.get(name) is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(files[name])

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
module.URL = f"http://127.0.0.1:{server.server_port}/mnist"
real_sums = dict(module.SHA256)
module.SHA256.update({name: hashlib.sha256(data).hexdigest() for name, data in RIGHT.items()})


def download(folder):
    """What the script would exit with: 0, or its message."""
    sys.argv = ["download-mnist", folder]
    try:
        module.main()
    except SystemExit as end:
        return end.code
    return 0


def serve(**changes):
    files.clear()
    files.update({name: gzip.compress(data) for name, data in RIGHT.items()})
    files.update({name.replace("_", "-"): data for name, data in changes.items()})


with tempfile.TemporaryDirectory() as folder:
    serve()
    assert download(folder) == 0
    for name, data in RIGHT.items():
        assert gzip.decompress(pathlib.Path(folder, name + ".gz").read_bytes()) == data
    requests.clear()
    assert download(folder) == 0 and not requests, "files that are there are not fetched again"
    damaged = pathlib.Path(folder, "train-labels-idx1-ubyte.gz")
    damaged.write_bytes(b"damaged")
    assert download(folder) == 0 and len(requests) == 1, "a damaged file is fetched again"
    print("ok: a whole download, and nothing twice")

LIES = {
    "another file": gzip.compress(b"something else"),
    "not gzip": b"<html>please log in</html>",
    "cut short": gzip.compress(RIGHT["train-images-idx3-ubyte"])[:-9],
    "a bomb": gzip.compress(bytes(module.MAX_BYTES + 1)),
    "nothing": None,
    "empty": b"",
}
for lie, data in LIES.items():
    with tempfile.TemporaryDirectory() as folder:
        serve(train_images_idx3_ubyte=data)
        message = download(folder)
        assert isinstance(message, str) and "train-images-idx3-ubyte" in message, (lie, message)
        assert os.listdir(folder) == [], (lie, os.listdir(folder))
        print("ok: refused", lie, "-", message)

with tempfile.TemporaryDirectory() as folder:
    server.shutdown()
    server.server_close()
    started = time.monotonic()
    environment = dict(os.environ, EIGENGRAD_MNIST_URL=module.URL)
    result = subprocess.run([SCRIPT, folder], env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1 and "cannot be downloaded" in result.stderr, result
    assert time.monotonic() - started < 20
    print("ok: no server,", result.stderr.strip().splitlines()[-1])

data_folder = os.environ.get("EIGENGRAD_TEST_DATA")
if data_folder:
    for name, expected in real_sums.items():
        assert module.digest_of(pathlib.Path(data_folder, "mnist", name + ".gz")) == expected, name
    print("ok: the sums are those of MNIST")
else:
    print("SKIPPED: EIGENGRAD_TEST_DATA is not set, so the sums were not compared with the real files")
