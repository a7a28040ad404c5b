#!/usr/bin/env python3
"""resume_test COMMAND SHIM [KILLS [all]]: runs that are killed, told to stop or cannot write go on to the same bits.

COMMAND is the eigengrad command, SHIM the library made of fault_shim.c. Every interrupted run is resumed, under another
number of threads, and must end with the weights, metrics and result of a run that was never interrupted. With `all`,
runs are killed at every call that writes a checkpoint, and not only at those of the first and of one removal.
"""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

COMMAND, SHIM = sys.argv[1], sys.argv[2]
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 50
ALL_CALLS = sys.argv[4:] == ["all"]

# Everything that a run may remember: dropout, batch statistics, shuffling, random changes of samples, schedules,
# momentum, several batches to a step, averages of the weights, early stopping, the best weights.
CONFIG = {
    "seed": 3,
    "data": {"type": "Digits", "train": 300, "test": 60, "transforms": [{"type": "RandomShift", "pixels": 2}]},
    "training": {"batch_size": 16, "valid_fraction": 0.2, "accumulate": 2, "clip_grad_norm": 5,
                 "ema": {"decay": 0.9}, "validate_every": 5},
    "checkpoints": {"every_steps": 3, "keep": 2},
    "model": {"type": "Sequential", "layers": [
        "Flatten", {"type": "Linear", "out_features": 16}, "ReLU", "BatchNorm1d", {"type": "Dropout", "p": 0.3},
        {"type": "Linear", "out_features": 10}]},
    "loss": "CrossEntropyLoss",
    "metrics": ["accuracy", "f1"],
    "optimizer": {"type": "Adam", "lr": 0.01},
    "lr_scheduler": [{"type": "CosineAnnealingLR", "T_max": 6, "interval": "step"},
                     {"type": "ReduceLROnPlateau", "metric": "valid_loss", "patience": 0}],
    "stopping": [{"type": "max_epochs", "epochs": 4}, {"type": "no_improvement", "patience": 5},
                 {"type": "max_seconds", "seconds": 1000}],
}


def environment(threads, fault=None):
    result = dict(os.environ, EIGENGRAD_NUM_THREADS=str(threads))
    if fault:
        result.update(LD_PRELOAD=SHIM, EIGENGRAD_FAULT=fault)
    return result


def start(arguments, threads=1, fault=None):
    return subprocess.Popen([COMMAND, "train", *arguments], env=environment(threads, fault), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def run(arguments, threads=1, fault=None):
    process = start(arguments, threads, fault)
    errors = process.communicate(timeout=120)[1]
    return process.returncode, errors


def outcome(folder):
    """What a finished run has come to, without times."""
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        weights = file.read()
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        metrics = [json.loads(line) for line in file]
    with open(os.path.join(folder, "result.json"), encoding="utf-8") as file:
        result = json.load(file)
    for record in [*metrics, result]:
        record.pop("seconds")
    for key in ("run", "machine"):
        result.pop(key)
    return weights, metrics, result


class Test:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.config = os.path.join(folder, "config.json")
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(CONFIG, file)
        whole = self.new_run()
        began = time.monotonic()
        code, errors = run([self.config, "--out", whole])
        self.seconds = time.monotonic() - began
        assert code == 0, errors
        self.expected = outcome(whole)
        assert len(self.expected[1]) == 4, self.expected[1]

    def new_run(self):
        self.count += 1
        return os.path.join(self.folder, f"run{self.count}")

    def begin_or_resume(self, folder):
        there = os.path.exists(os.path.join(folder, "config.json"))
        return ["--resume", folder] if there else [self.config, "--out", folder]

    def finish(self, folder, threads, what):
        code, errors = run(self.begin_or_resume(folder), threads)
        assert code == 0, f"{what}: {errors}"
        got = outcome(folder)
        for part, (found, expected) in zip(("weights", "metrics", "result"), zip(got, self.expected)):
            assert found == expected, f"{what}: other {part}: {found} instead of {expected}"
        left = [name for place in (folder, os.path.join(folder, "checkpoints")) for name in os.listdir(place)
                if name.endswith(".tmp")]
        assert not left, f"{what}: {left} were left"
        shutil.rmtree(folder)
        return errors

    def test_random_kills(self):
        """SIGKILL at random moments, also of runs that were resumed."""
        pick, killed, folder = random.Random(1), 0, self.new_run()
        while killed < KILLS:
            process = start(self.begin_or_resume(folder), pick.randint(1, 3))
            time.sleep(pick.uniform(0, 1.1 * self.seconds))
            process.kill()
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            if killed % 3 == 0 or process.returncode == 0:
                self.finish(folder, pick.randint(1, 3), f"after {killed} kills")
        if os.path.exists(folder):
            self.finish(folder, 2, "after all kills")
        return f"{killed} kills"

    def all_calls(self, below=""):
        """The calls that write below a folder in a whole run, and the paths within it."""
        log, folder = os.path.join(self.folder, "calls"), self.new_run()
        code, errors = run([self.config, "--out", folder], fault=f"0:kill:{log}:{folder}{below}")
        assert code == 0, errors
        with open(log, encoding="utf-8") as file:
            calls = [line.rstrip("\n").split(" ", 1) for line in file]
        os.unlink(log)
        shutil.rmtree(folder)
        return [(name, path.removeprefix(folder)) for name, path in calls]

    def calls(self):
        """The names of those that write checkpoints."""
        names = [name for name, _ in self.all_calls("/checkpoints")]
        assert {"open", "write", "fsync", "close", "rename", "mkdir", "unlink", "link"} <= set(names), set(names)
        return names

    def test_kill_at_every_call(self):
        """SIGKILL before every call that writes the first checkpoint, and one that removes an older one."""
        names = self.calls()
        begins = [at for at, name in enumerate(names) if name == "mkdir"]  # the first makes the folder of all
        calls = [*range(1, begins[2] + 1), *range(begins[4], begins[5] + 1)]
        if ALL_CALLS:
            calls = range(1, len(names) + 1)
        assert "link" in names[begins[4]:begins[5]] and "unlink" in names[begins[4]:begins[5]], names
        for at in calls:
            folder = self.new_run()
            code, _ = run([self.config, "--out", folder], fault=f"{at}:kill:/dev/null:{folder}/checkpoints")
            assert code == -signal.SIGKILL, f"call {at} ({names[at - 1]}) was not reached"
            self.finish(folder, 1 + at % 2, f"killed at call {at}, {names[at - 1]}")
        return f"{len(calls)} calls of {len(names)}"

    def test_power_loss(self):
        """What was not synced is lost at calls all over a run; a checkpoint that was complete is not."""
        calls = self.all_calls()
        published = next(at for at, (name, path) in enumerate(calls, 1)
                         if name == "rename" and path.startswith("/checkpoints/epoch-") and path.count("/") == 2)
        durable = next(at for at, call in enumerate(calls, 1) if at > published and call == ("fsync", "/checkpoints"))
        pick = random.Random(5)
        points = sorted({*range(durable - 3, durable + 3), *pick.sample(range(1, len(calls) + 1), 34)})
        for i, at in enumerate(points):
            folder, kind = self.new_run(), ("power", "data", "names", "some")[i % 4]
            where = f"{kind} lost at call {at}, {' '.join(calls[at - 1])}"
            code, errors = run([self.config, "--out", folder], fault=f"{at}:{kind}:/dev/null:{folder}")
            assert code == -signal.SIGKILL, f"{where}: {code} {errors}"
            shutil.rmtree(folder + ".lost", ignore_errors=True)
            errors = self.finish(folder, 1 + at % 2, where)
            assert at <= durable or "resumed after step" in errors, f"{where}: the checkpoint was lost: {errors}"
        return f"{len(points)} calls of {len(calls)}"

    def test_full_disk(self):
        """A call that fails gives an error that says why, and leaves what was there."""
        names, tried = self.calls(), 0
        for at in range(1, len(names) // 2, 8):
            if names[at - 1] not in ("open", "write", "fsync", "mkdir", "rename", "close"):
                continue
            folder = self.new_run()
            fault = random.Random(at).choice([errno.ENOSPC, errno.EDQUOT, errno.EIO])
            code, errors = run([self.config, "--out", folder], fault=f"{at}:{fault}:/dev/null:{folder}/checkpoints")
            where = f"{names[at - 1]} {at} failing with {errno.errorcode[fault]}"
            assert code == 2 and os.strerror(fault) in errors, f"{where}: {code} {errors}"
            assert "checkpoint" in errors.splitlines()[-1], errors
            self.finish(folder, 2, where)
            tried += 1
        assert tried >= 10, tried
        return f"{tried} calls"

    def test_signals(self):
        """The first signal ends the run after the step, with a checkpoint; a second one at once."""
        pick = random.Random(2)
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)) * 3:
            folder = self.new_run()
            process = start([self.config, "--out", folder, "--set", "stopping.0.epochs=100000",
                             "--set", "stopping.1.patience=100000"], 2)
            self.wait_for(os.path.join(folder, "checkpoints"))
            time.sleep(pick.uniform(0, 0.2))
            process.send_signal(number)
            errors = process.communicate(timeout=60)[1]
            assert process.returncode == code, f"{number}: {process.returncode} {errors}"
            assert f"--resume {folder}" in errors, errors
            assert not os.path.exists(os.path.join(folder, "result.json"))
            shutil.rmtree(folder)
        return "9 signals"

    def test_signal_and_resume(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            folder = self.new_run()
            process = start([self.config, "--out", folder], 2)
            self.wait_for(os.path.join(folder, "checkpoints"))
            process.send_signal(number)
            process.communicate(timeout=60)
            self.finish(folder, 3, f"after signal {number}")

    @staticmethod
    def wait_for(path):
        until = time.monotonic() + 60
        while not (os.path.exists(path) and os.listdir(path)):
            assert time.monotonic() < until, f"{path} does not appear"
            time.sleep(0.002)

    def test_stop_file(self):
        folder = self.new_run()
        process = start([self.config, "--out", folder, "--set", "stopping.0.epochs=100000",
                         "--set", "stopping.1.patience=100000"], 1)
        self.wait_for(os.path.join(folder, "checkpoints"))
        stop = os.path.join(folder, "STOP")
        with open(stop, "w", encoding="utf-8"):
            pass
        errors = process.communicate(timeout=60)[1]
        assert process.returncode == 0 and "stopped by stop_file" in errors, errors
        assert not os.path.exists(stop)
        code, errors = run(["--resume", folder, "--set", "stopping.0.epochs=2"])
        assert code == 0 and "stopped by max_epochs" in errors, errors

    def test_one_run_to_a_folder(self):
        folder = self.new_run()
        process = start([self.config, "--out", folder, "--set", "stopping.0.epochs=100000",
                         "--set", "stopping.1.patience=100000"], 1)
        self.wait_for(os.path.join(folder, "checkpoints"))
        for arguments, complaint in ((["--resume", folder], "another run is at work"),
                                     ([self.config, "--out", folder], "there is a run in")):
            code, errors = run(arguments)
            assert code == 2 and complaint in errors, errors
        process.kill()
        process.communicate()
        shutil.rmtree(folder)

    def test_damage(self):
        """A checkpoint of which any byte is changed, or that is cut short, is not used: the one before is."""
        pick = random.Random(4)
        whole = self.new_run()
        code, errors = run([self.config, "--out", whole])
        assert code == 0, errors
        newest = sorted(os.listdir(os.path.join(whole, "checkpoints")))[-1]
        files = sorted(os.listdir(os.path.join(whole, "checkpoints", newest)))
        for i in range(12):
            folder = self.new_run()
            shutil.copytree(whole, folder)
            path = os.path.join(folder, "checkpoints", newest, files[i % len(files)])
            with open(path, "rb") as file:
                content = bytearray(file.read())
            os.unlink(path)  # it may be shared with another checkpoint
            if i < 8:
                content[pick.randrange(len(content))] ^= 1 << pick.randrange(8)
            else:
                del content[pick.randrange(len(content)):]
            with open(path, "wb") as file:
                file.write(content)
            code, errors = run(["--resume", folder])
            assert f"{newest} cannot be used" in errors, errors
            assert code == 0 and outcome(folder) == self.expected, f"{path}: {errors}"
            shutil.rmtree(folder)
        return "12 files"

    def test_further(self):
        """A run that has ended stays as it is, unless it is told to go on."""
        folder = self.new_run()
        code, errors = run([self.config, "--out", folder])
        assert code == 0, errors
        code, errors = run(["--resume", folder])
        assert code == 0 and outcome(folder) == self.expected and "epoch   5" not in errors, errors
        assert "the run has ended already" in errors, errors
        code, errors = run(["--resume", folder, "--set", "stopping.0.epochs=6"])
        assert code == 0 and "epoch   6" in errors, errors
        longer = self.new_run()
        code, errors = run([self.config, "--out", longer, "--set", "stopping.0.epochs=6"])
        assert code == 0 and outcome(folder) == outcome(longer), errors
        code, errors = run(["--resume", folder, "--set", "stopping.0.epochs=3"])
        assert code == 0 and "stopped by max_epochs: 6 epochs are done" in errors and "epoch   7" not in errors, errors
        assert outcome(folder) == outcome(longer), "there was nothing left to train"
        with open(os.path.join(folder, "config.json"), "rb") as file:
            config = file.read()
        for change, part in (("optimizer.lr=0.5", "/optimizer"), ("seed=77", "/seed")):
            code, errors = run(["--resume", folder, "--set", change])
            assert code == 2 and f"{part}: a run that is resumed keeps that of its checkpoint" in errors, errors
        with open(os.path.join(folder, "config.json"), "rb") as file:
            assert file.read() == config, "a change that is refused is written down"
        shutil.rmtree(os.path.join(folder, "checkpoints"))
        code, errors = run(["--resume", folder])
        assert code == 2 and "has ended, but there is no checkpoint of it left" in errors, errors
        assert outcome(folder) == outcome(longer), "what it had left is there still"

    def test_report_of_a_killed_run(self):
        """A run that had ended, went further and was killed is neither shown as ended nor as running."""
        folder = self.new_run()
        code, errors = run([self.config, "--out", folder])
        assert code == 0, errors

        def page():
            with open(os.path.join(folder, "report.html"), encoding="utf-8") as file:
                return file.read()

        def remade():
            subprocess.run([COMMAND, "report", folder], check=True, stderr=subprocess.DEVNULL)
            return page()

        assert "stopped by max epochs" in page()
        process = start(["--resume", folder, "--set", "stopping.0.epochs=100000", "--set", "stopping.1.patience=100000"])
        until = time.monotonic() + 60
        while "running, epoch" not in page():
            assert time.monotonic() < until and process.poll() is None, "the page does not say that the run goes on"
            time.sleep(0.01)
        assert "running, epoch" in remade(), "somebody is at work"
        process.kill()
        process.communicate()
        assert "It was running at 2" in page()
        killed = remade()
        assert "not finished: epoch" in killed and "running, epoch" not in killed and "http-equiv=\"refresh\"" not in killed
        assert "the model with which the run had ended before" in killed
        assert not os.path.exists(os.path.join(folder, "result.json"))
        evaluated = subprocess.run([COMMAND, "evaluate", folder], capture_output=True, text=True, check=True)
        assert "these are the weights with which its training last ended" in evaluated.stderr, evaluated.stderr
        shutil.rmtree(folder)

    def test_misuse(self):
        empty = os.path.join(self.folder, "empty")
        os.makedirs(empty)
        for arguments, complaint in ((["--resume", empty], "config.json"), ([], "give either a configuration"),
                                     ([self.config, "--resume", empty], "give either a configuration"),
                                     (["--resume", empty, "--out", empty], "--out does not go with --resume")):
            code, errors = run(arguments)
            assert code == 2 and complaint in errors, f"{arguments}: {errors}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        test = Test(folder)
        for name in sorted(name for name in dir(Test) if name.startswith("test_")):
            began = time.monotonic()
            said = getattr(test, name)()
            print(f"{name}: passed in {time.monotonic() - began:.1f} s{', ' + said if said else ''}", flush=True)


main()
