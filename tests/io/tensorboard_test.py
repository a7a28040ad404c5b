"""tensorboard_test.py IO_TESTS [COMMAND]: TensorBoard's own reader reads the event files that Eigengrad writes, also
those of a run of the eigengrad COMMAND that was cut and resumed.

Where there is no TensorBoard it says so and ends with 77, which CTest shows as skipped. EIGENGRAD_TEST_PYTHON names a Python
that has it.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

CHECK = """
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
import glob

[path] = glob.glob(sys.argv[1] + "/events.out.tfevents.*")
events = [Event.FromString(bytes) for bytes in RawEventFileLoader(path).Load()]  # checks the checksums
assert events[0].file_version == "brain.Event:2", events[0]
assert len(events) == 1 + 1000 + 2, len(events)

log = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0})
log.Reload()
assert sorted(log.Tags()["scalars"]) == ["a name / with é", "loss"], log.Tags()
loss = log.Scalars("loss")
assert [event.step for event in loss] == [step * 1_000_000_007 for step in range(1000)]
assert all(abs(event.value - 1 / (i + 1)) < 1e-7 for i, event in enumerate(loss))
assert [event.value for event in log.Scalars("a name / with é")][-1] == -999
assert loss[0].wall_time > 1.6e9
assert sorted(log.Tags()["histograms"]) == ["same", "weights"]
[weights] = log.Histograms("weights")
histogram = weights.histogram_value
assert weights.step == 5 and histogram.num == 1000 and histogram.min == 0 and abs(histogram.max - 99.9) < 1e-4, histogram
assert abs(histogram.sum - 49950) < 0.1 and sum(histogram.bucket) == 1000
assert all(abs(count - 20) <= 1 for count in histogram.bucket), histogram.bucket
[same] = log.Histograms("same")
assert sum(same.histogram_value.bucket) == 7
print("TensorBoard reads what was written")
"""

# A run of four epochs, which was set back to its second.
CHECK_RESUMED = """
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
import glob

for part, tag in (("train", "loss"), ("valid", "loss"), ("train", "1.weight")):
    folder = sys.argv[1] + "/" + part
    assert len(glob.glob(folder + "/*tfevents*")) == 2, folder
    log = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0})
    log.Reload()
    points = log.Scalars(tag) if tag == "loss" else log.Histograms(tag)
    assert [point.step for point in points] == [15, 30, 45, 60], (part, tag, [point.step for point in points])
    everything = EventAccumulator(folder, size_guidance={"scalars": 0}, purge_orphaned_data=False)
    everything.Reload()
    assert [point.step for point in everything.Scalars("loss")] == [15, 30, 45, 45, 60], "nothing was taken twice"
print("TensorBoard shows every step of a resumed run once")
"""

RUN = {
    "data": {"type": "Digits", "train": 300, "test": 60},
    "training": {"batch_size": 16, "valid_fraction": 0.2},
    "checkpoints": {"keep": 9},
    "model": ["Flatten", {"type": "Linear", "out_features": 10}],
    "loss": "CrossEntropyLoss",
    "optimizer": "Adam",
    "stopping": [{"type": "max_epochs", "epochs": 3}],
    "report": {"html": False, "tensorboard": True, "histograms": True},
}


def train(command, *arguments):
    subprocess.run([command, "train", *arguments], check=True, stderr=subprocess.DEVNULL)


def check_resumed(command, folder):
    config, run = os.path.join(folder, "config.json"), os.path.join(folder, "run")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(RUN, file)
    train(command, config, "--out", run)
    checkpoints = os.path.join(run, "checkpoints")
    shutil.rmtree(os.path.join(checkpoints, sorted(os.listdir(checkpoints))[-1]))  # as if it had been killed before
    train(command, "--resume", run, "--set", "stopping.0.epochs=4")
    subprocess.run([python, "-W", "ignore", "-c", CHECK_RESUMED, os.path.join(run, "tensorboard")], check=True)


python = os.environ.get("EIGENGRAD_TEST_PYTHON", sys.executable)
if subprocess.run([python, "-c", "import tensorboard.backend.event_processing.event_accumulator"],
                  capture_output=True).returncode != 0:
    print(f"*** {python} has no TensorBoard: that it reads our event files is NOT tested ***")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], "--gtest_filter=EventFile.WritesForTensorBoard", "--gtest_brief=1"], check=True,
                   env=os.environ | {"EIGENGRAD_TENSORBOARD_FOLDER": folder})
    subprocess.run([python, "-W", "ignore", "-c", CHECK, folder], check=True)
if len(sys.argv) > 2 and sys.argv[2]:
    with tempfile.TemporaryDirectory() as folder:
        check_resumed(sys.argv[2], folder)
