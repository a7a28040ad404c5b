"""command_test.py EIGENGRAD SOURCE_DIR: the eigengrad command as a user meets it: what it prints where, and how it ends."""

import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile
import zlib

PROGRAM, SOURCE = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()

SMALL = {
    "data": {"type": "Digits", "train": 600, "test": 200},
    "training": {"batch_size": 50},
    "model": {"type": "Sequential", "layers": ["Flatten", {"type": "Linear", "out_features": 10}]},
    "loss": "CrossEntropyLoss",
    "optimizer": {"type": "SGD", "lr": 0.05},
    "stopping": [{"type": "max_epochs", "epochs": 2}],
}


def run(*arguments, expect, folder, **environment):
    """Runs the command; checks how it ends, and that its errors are errors and not crashes."""
    command = [str(PROGRAM), *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300,
                            env={**os.environ, **environment})
    assert result.returncode == expect, f"{command}: ended with {result.returncode}, expected {expect}\n{result.stderr}"
    return result


def check_help(folder):
    text = run("--help", expect=0, folder=folder).stdout
    for word in ("train", "evaluate", "predict", "generate", "report", "graph", "info", "check", "inspect", "export", "schema", "Exit status: 0 done, 1 the run failed, 2 the input was wrong"):
        assert word in text, word
    helps = {command: run(command, "--help", expect=0, folder=folder).stdout
             for command in ("train", "evaluate", "report", "predict", "generate", "graph", "check", "inspect", "export", "info")}
    for command, text in helps.items():
        assert command == "export" or "--json" in text, command
        assert ("final figures" in text) == (command in ("train", "evaluate")), command
        assert ":INT" not in text and " in [" not in text, command
    assert re.search(r"--top N +How many of the likeliest classes to tell \(default: 3\)\n", helps["predict"])
    assert re.search(r"--temperature N .*\(default: 1\)\n", helps["generate"])
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", run("--version", expect=0, folder=folder).stdout)


def check_misuse(folder):
    (folder / "broken.json").write_text('{"data": "Digits",,}')
    (folder / "empty.json").write_text("{}")
    (folder / "list.json").write_text("[]")
    (folder / "labels.json").write_text(json.dumps(SMALL).replace('"out_features": 10', '"out_features": 7'))
    config = folder / "small.json"
    for arguments, words in [
        ((), ["subcommand"]),
        (("tarin", config), ["unknown command 'tarin'", "one of: train, evaluate", "did you mean 'train'?"]),
        (("--jsn",), ["unknown option '--jsn'", "--help"]),
        (("inspect", "--jsn"), ["eigengrad inspect: unknown option '--jsn'", "did you mean '--json'?"]),
        (("train",), ["config"]),
        (("train", "missing.json"), ["missing.json", "No such file"]),
        (("train", folder), ["found the folder", "expected a configuration", "--resume"]),
        (("inspect", "nowhere"), ["nowhere", "No such file"]),
        *(((command, folder), ["found a folder without config.json", "or the folder of a run"]) for command in ("inspect", "check", "graph")),
        (("train", "broken.json"), ["broken.json:1:19"]),
        (("train", "empty.json"), ["'data' is missing", "'model' is missing", "'stopping' is missing"]),
        (("train", "list.json"), ["found an array, expected an object"]),
        (("train", "labels.json"), ["/model", "[7]", "10 classes"]),
        (("train", config, "--set"), ["--set"]),
        (("train", config, "--set", "nonsense"), ["name=value"]),
        (("train", config, "--set", "optimizer.lrr=1"), ["/optimizer/lrr", "did you mean 'lr'"]),
        (("train", config, "--set", "model.layers.7=ReLU"), ["'7'", "array of 2"]),
        (("train", config, "--set", "optimizer.lr=-1"), ["/optimizer/lr", "of at least 0"]),
        (("train", config, "--set", "stopping=[]"), ["/stopping"]),
        (("train", config, "--set", "loss={\"type\": \"MSELoss\", \"reduction\": \"none\"}"), ["/loss/reduction"]),
        (("train", config, "--set", "data=MNIST", "--data", "no-such-folder"), ["no-such-folder"]),
        (("train", config, "--wrong"), ["--wrong"]),
        (("evaluate",), ["run"]),
        (("evaluate", "nowhere"), ["there is no run in nowhere", "config.json"]),
        (("graph", config, "--samples", "0"), ["--samples: found '0', expected an integer of at least 1 and at most 1024"]),
        (("graph", config, "--out", config), ["small.json is there already", ".dot or .gv or .svg"]),
        (("graph", config, "--out", "no-such-folder/graph.dot"), ["no-such-folder"]),
    ]:
        result = run(*arguments, expect=2, folder=folder)
        assert result.stdout == "", f"{arguments}: {result.stdout}"
        for word in words:
            assert word in result.stderr, f"{arguments}: no {word!r} in:\n{result.stderr}"


def check_train_and_evaluate(folder):
    config = folder / "small.json"
    trained = run("train", config, "--out", "run", "--json", "--set", "seed=3", expect=0, folder=folder)
    figures = json.loads(trained.stdout)
    assert trained.stdout.count("\n") == 1
    assert figures["stopped_by"] == "max_epochs" and figures["epochs"] == 2 and 0 < figures["test_accuracy"] <= 1
    assert "stopped by max_epochs: 2 epochs are done" in trained.stderr
    out = folder / "run"
    assert {path.name for path in out.iterdir()} == {
        ".lock", "run.json", "checkpoints", "config.json", "metrics.jsonl", "log.txt", "model.safetensors", "result.json", "report.html"}
    page = (out / "report.html").read_text()
    remade = json.loads(run("report", "run", "--json", expect=0, folder=folder).stdout)
    assert remade["file"] == "run/report.html" and (out / "report.html").read_text()[:2000] == page[:2000]
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2] and {"loss", "accuracy", "valid_loss", "valid_accuracy"} <= lines[0].keys()
    assert json.loads((out / "config.json").read_text())["seed"] == 3

    tested = json.loads(run("evaluate", "run", "--json", expect=0, folder=folder).stdout)
    assert tested["test_accuracy"] == figures["test_accuracy"] and tested["test_loss"] == figures["test_loss"]
    again = json.loads(run("train", out / "config.json", "--out", "again", "--json", expect=0, folder=folder).stdout)
    assert again["test_loss"] == figures["test_loss"], "a resolved configuration gives the same run"
    assert (folder / "again" / "model.safetensors").read_bytes() == (out / "model.safetensors").read_bytes()

    assert "already" in run("train", config, "--out", "run", expect=2, folder=folder).stderr
    quiet = run("train", config, expect=0, folder=folder)
    assert quiet.stdout == "" and len(list((folder / "runs").iterdir())) == 1
    (out / "model.safetensors").write_bytes((out / "model.safetensors").read_bytes()[:-1])
    assert "model.safetensors" in run("evaluate", "run", expect=2, folder=folder).stderr


def check_predict(folder):
    """From a table of one's own to predictions."""
    rows = ["width,height,kind"] + [f"{i % 7 + (5 if i % 2 else 0)},{i % 5},{'wide' if i % 2 else 'slim'}" for i in range(80)]
    (folder / "things.csv").write_text("\n".join(rows) + "\n")
    (folder / "things.json").write_text(json.dumps({
        **SMALL, "data": {"type": "CSV", "file": "things.csv", "label": "kind"}, "model": {"type": "Linear", "out_features": 2},
        "training": {"batch_size": 8}, "optimizer": {"type": "Adam", "lr": 0.1}, "stopping": [{"type": "max_epochs", "epochs": 20}]}))
    run("train", "things.json", "--out", "things", expect=0, folder=folder)
    resolved = json.loads((folder / "things" / "config.json").read_text())["data"]
    assert resolved["classes"] == ["slim", "wide"] and resolved["features"] == ["width", "height"] and len(resolved["stds"]) == 2
    run("evaluate", "things", expect=0, folder=folder)
    (folder / "new.csv").write_text("height,width\n1,0\n2,12\n")
    (folder / "things.csv").unlink()  # only the run's folder is needed
    text = run("predict", "things", "new.csv", expect=0, folder=folder).stdout.splitlines()
    assert len(text) == 2 and text[0].startswith("new.csv:2  slim (") and text[1].startswith("new.csv:3  wide ("), text
    found = json.loads(run("predict", "things", "new.csv", "new.csv", "--json", "--top", "1", expect=0, folder=folder).stdout)
    assert [one["class"] for one in found] == ["slim", "wide"] * 2 and all(len(one["top"]) == 1 and one["probability"] > 0.5 for one in found)
    assert run("predict", "things", "new.csv", "--csv", "out.csv", expect=0, folder=folder).stdout == ""
    run("predict", "things", "new.csv", "--csv", "out.csv", expect=0, folder=folder)
    lines = (folder / "out.csv").read_text().splitlines()
    assert lines[0] == "input,class,slim,wide" and lines[1].startswith("new.csv:2,slim,0.") and len(lines) == 3
    for arguments, words in [(("things",), ["files"]), (("nowhere", "new.csv"), ["nowhere/config.json"]), (("things", "none.csv"), ["none.csv"]),
                             (("things", "things.json"), ["things.json"]), (("things", "new.csv", "--top", "0"), ["--top"]),
                             (("things", folder), ["found a folder, expected a CSV table with the columns 'width', 'height'"]),
                             (("things", "new.csv", "--csv", "things.json"), ["things.json is there already", ".csv or .tsv or .txt"])]:
        result = run("predict", *arguments, expect=2, folder=folder)
        assert all(word in result.stderr for word in words) and result.stdout == "", result.stderr


def png(grey):
    """An image of 28 x 28, all of one grey."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\0" + bytes([grey]) * 28) * 28
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def check_predict_folder(folder):
    images = folder / "images"
    (images / "more").mkdir(parents=True)
    for i, name in enumerate(["b.png", "a.png", "more/c.png", "more/c.txt", ".hidden.png"]):
        (images / name).write_bytes(png(10 * i))
    found = json.loads(run("predict", "again", "images", "--json", expect=0, folder=folder).stdout)
    assert [one["input"] for one in found] == ["images/a.png", "images/b.png", "images/more/c.png"]
    (images / "more" / "loop").symlink_to(images)
    assert "images/more/loop: a link leads to" in run("predict", "again", "images", expect=2, folder=folder).stderr
    (images / "more" / "loop").unlink()
    os.mkfifo(images / "pipe.png")
    assert "pipe.png: it is not a regular file" in run("predict", "again", "images", expect=2, folder=folder).stderr
    (folder / "bare").mkdir()
    assert "bare: found no .png file" in run("predict", "again", "bare", expect=2, folder=folder).stderr


def check_run_as_configuration(folder):
    for command in ("check", "inspect"):
        run(command, "again", expect=0, folder=folder)
    assert "again/config.json is right" in run("check", "again", expect=0, folder=folder).stderr
    run("graph", "again", "--out", "again.dot", "--set", "seed=4", expect=0, folder=folder)
    assert "--resume again" in run("train", "again", expect=2, folder=folder).stderr


TEXT = {
    "data": {"type": "Text", "file": "rhyme.txt", "length": 8, "stride": 1},
    "model": {"type": "Sequential", "layers": [
        {"type": "Embedding", "num_embeddings": 8, "embedding_dim": 8}, {"type": "LSTM", "hidden_size": 32, "batch_first": True},
        {"type": "Linear", "out_features": 8}, {"type": "Permute", "dims": [0, 2, 1]}]},
    "loss": "CrossEntropyLoss",
    "optimizer": {"type": "AdamW", "lr": 0.01},
    "stopping": [{"type": "max_epochs", "epochs": 10}],
}


def check_generate(folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "rhyme.txt").write_text("to be or not\n" * 80)
    (folder / "rhyme.json").write_text(json.dumps(TEXT))
    run("train", "rhyme.json", "--data", "texts", "--out", "rhyme", expect=0, folder=folder)
    run("check", "rhyme", expect=0, folder=folder)  # it finds the text where the run did
    (folder / "texts" / "rhyme.txt").unlink()  # only the run's folder is needed
    assert json.loads((folder / "rhyme" / "config.json").read_text())["data"]["characters"] == "\n benort"
    made = run("generate", "rhyme", "--prompt", "to be", "--length", "16", "--temperature", "0", expect=0, folder=folder)
    assert made.stdout == "to be or not\nto be or\n" and made.stderr == "", made
    assert len(run("generate", "rhyme", expect=0, folder=folder).stdout) == 501
    (folder / "prompt.txt").write_text("or n")
    figures = json.loads(run("generate", "rhyme", "--prompt-file", "prompt.txt", "--length", "3", "--top-k", "1", "--json", expect=0, folder=folder).stdout)
    assert figures == {"prompt": "or n", "text": "ot\n"}, figures
    warm = ["generate", "rhyme", "--temperature", "3", "--seed"]
    first, same, other = (run(*warm, seed, expect=0, folder=folder).stdout for seed in (1, 1, 2))
    assert first == same != other
    for arguments, words in [
        (("rhyme", "--prompt", "to bee or\nx"), ["'x', character 1 of line 2, is not one of the 8 characters"]),
        (("again",), ["no text", "eigengrad predict"]), (("nowhere",), ["nowhere/config.json"]), (("rhyme", "--length", "0"), ["--length"]),
        (("rhyme", "--temperature", "nan"), ["--temperature: found 'nan', expected a number of at least 0"]),
        (("rhyme", "--temperature", "-1"), ["--temperature"]), (("rhyme", "--top-k", "1.5"), ["--top-k: found '1.5', expected an integer"]),
        (("rhyme", "--prompt", "t", "--prompt-file", "prompt.txt"), ["excludes"]), (("rhyme", "--prompt-file", "none.txt"), ["none.txt"]),
    ]:
        result = run("generate", *arguments, expect=2, folder=folder)
        assert all(word in result.stderr for word in words) and result.stdout == "", result
    assert "eigengrad generate" in run("predict", "rhyme", "prompt.txt", expect=2, folder=folder).stderr
    endless = subprocess.Popen([PROGRAM, "generate", "rhyme", "--length", "1000000000"], cwd=folder, stdout=subprocess.PIPE)
    assert len(endless.stdout.read(20)) == 20  # characters come as they are made
    endless.send_signal(signal.SIGINT)
    assert endless.communicate(timeout=60)[0].endswith(b"\n") and endless.returncode == 130, endless.returncode


def check_check_and_inspect(folder):
    config, before = folder / "small.json", sorted(folder.iterdir())
    right = run("check", config, "--json", expect=0, folder=folder)
    figures = json.loads(right.stdout)
    assert figures["parameters"] == 7850 and figures["not_checked"] and "is right" in right.stderr
    assert "optimizer" in figures["checked"]
    noted = run("check", config, "--set", "data=MNIST", "--set", "data.train=300", "--data", folder, "--json", expect=0, folder=folder)
    assert "note: MNIST is not in" in noted.stderr and "not checked" not in noted.stderr, noted.stderr
    figures = json.loads(noted.stdout)
    assert len(figures["notes"]) == 1 and figures["not_checked"] == [] and "300 " in figures["checked"]["data"], figures
    (folder / "short.txt").write_text("abc" * 20)
    short = run("check", config, "--set", 'data={"type": "Text", "file": "short.txt"}', "--data", folder, expect=2, folder=folder)
    assert "/data/length: found 64, but" in short.stderr and "short.txt has only 54 characters" in short.stderr, short.stderr
    (folder / "short.txt").unlink()
    wrong = run("check", config, "--set", "optimizer.lrr=1", "--set", "loss=X", expect=2, folder=folder)
    assert "did you mean 'lr'" in wrong.stderr and "/loss" in wrong.stderr and wrong.stdout == ""
    text = run("inspect", config, expect=0, folder=folder).stdout
    for word in ("Linear", "7,850", "memory of training", "activations"):
        assert word in text, word
    figures = json.loads(run("inspect", config, "--json", expect=0, folder=folder).stdout)
    assert figures["fits"] and figures["memory"]["gradients"] == 7850 * 4 and len(figures["layers"]) == 3
    refused = run("train", config, "--set", "training.memory_limit=0.001", expect=2, folder=folder)
    assert "/training/memory_limit" in refused.stderr, refused.stderr
    assert json.loads(run("schema", expect=0, folder=folder).stdout)["title"] == "Eigengrad training run"
    assert sorted(folder.iterdir()) == before, "nothing is left behind"


def check_export(folder):
    run("export", "again", "model.onnx", expect=0, folder=folder)
    assert b"1.weight" in (folder / "model.onnx").read_bytes()
    run("export", "again", "model.onnx", expect=0, folder=folder)
    refused = run("export", "again", "small.json", expect=2, folder=folder)
    assert "small.json is there already" in refused.stderr and json.loads((folder / "small.json").read_text()) == SMALL
    run("export", "again", "model.onnx", "--opset", "3", expect=2, folder=folder)
    run("export", "nowhere", "model.onnx", expect=2, folder=folder)


def check_failed_run(folder):
    result = run("train", folder / "small.json", "--out", "failed", "--json", "--set", "optimizer.lr=1e38", expect=1, folder=folder)
    figures = json.loads(result.stdout)
    assert figures["stopped_by"] == "non_finite" and "test_accuracy" not in figures
    for word in ("[linear]", "module '1'", "step"):
        assert word in figures["reason"], figures["reason"]


def check_profile(folder):
    result = run("train", folder / "small.json", "--out", "profiled", "--profile", expect=0, folder=folder)
    for word in ("linear backward", "optimizer", "data", "(between them)", "GFLOP/s", "profile.json"):
        assert word in result.stderr, word
    assert "linear backward" in (folder / "profiled" / "profile.txt").read_text()
    bars = json.loads((folder / "profiled" / "profile.json").read_text())["traceEvents"]
    assert {"forward", "backward", "part"} == {bar["cat"] for bar in bars}
    assert all(bar["ph"] == "X" and bar["dur"] >= 0 for bar in bars)
    assert any(bar["name"] == "linear" and bar["args"]["module"] == "1" for bar in bars)


def check_info(folder):
    text = run("info", expect=0, folder=folder).stderr
    for word in ("engine", "Eigen 3.", "threads", "instructions"):
        assert word in text, word
    figures = json.loads(run("info", "--json", expect=0, folder=folder).stdout)
    assert figures["engine"] in ("own", "onednn", "eigen") and figures["threads"] >= 1
    wrong = run("info", expect=1, folder=folder, EIGENGRAD_ENGINE="abacus")
    assert 'no engine "abacus", expected one of' in wrong.stderr, wrong.stderr
    assert json.loads(run("info", "--json", expect=0, folder=folder, EIGENGRAD_ENGINE="eigen").stdout)["engine"] == "eigen"


def check_graph(folder):
    result = run("graph", folder / "small.json", "--out", "g.dot", "--json", expect=0, folder=folder)
    files = json.loads(result.stdout)["files"]
    assert files[0] == "g.dot"
    dot = (folder / "g.dot").read_text()
    for word in ("1.weight", "1.bias", "cost", "cross_entropy", "cluster", "grad"):
        assert word in dot, word
    named = json.loads(run("graph", folder / "small.json", "--out", "named.svg", "--json", expect=0, folder=folder).stdout)["files"]
    assert named == ["named.dot", "named.svg"][:len(files)] and (folder / "named.dot").read_text().startswith("digraph")
    if len(files) > 1:
        assert "<svg" in (folder / files[1]).read_text() and "<svg" in (folder / "named.svg").read_text()
    else:
        print("SKIPPED: Graphviz is not there, so no SVG was drawn")


def check_notes(folder):
    result = run("train", folder / "small.json", "--set", "data={\"type\": \"MNIST\", \"train\": 500, \"test\": 100}", "--data", folder, "--out",
                 "noted", expect=0, folder=folder)
    before, _, after = result.stderr.partition("test: ")
    for part in (before, after):
        assert "using the embedded digits instead" in part, result.stderr


def check_example(folder):
    """The main job's configuration is read as it stands."""
    result = run("graph", SOURCE / "examples/mnist/mlp.json", "--out", "example.dot", expect=0, folder=folder)
    assert "example.dot" in result.stderr


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "small.json").write_text(json.dumps(SMALL))
    for check in (check_help, check_misuse, check_check_and_inspect, check_train_and_evaluate, check_predict, check_predict_folder, check_run_as_configuration, check_generate, check_export, check_failed_run, check_profile, check_info, check_graph, check_notes, check_example):
        check(folder)
        print("ok:", check.__name__, flush=True)
